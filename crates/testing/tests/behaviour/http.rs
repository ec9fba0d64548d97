//! Requests by hand, so that nothing is hidden by a client.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) async fn connect(base: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(base.strip_prefix("http://").unwrap()).await
}

/// Everything that comes back on a connection of its own; `None` if that is nothing.
pub(crate) async fn send(
    base: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Option<Answer> {
    let mut stream = connect(base).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: as\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    let mut received = Vec::new();
    // A connection that is dropped may fail either of them, or neither.
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.read_to_end(&mut received).await;
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Some(Answer {
        status: status.parse().unwrap(),
        headers: lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_lowercase(), value.trim().to_owned())
            })
            .collect(),
        body: received[end + 4..].to_vec(),
    })
}

pub(crate) async fn get(base: &str, path: &str, headers: &str) -> Option<Answer> {
    send(base, "GET", path, headers, "").await
}
