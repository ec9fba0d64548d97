//! A server on loopback that answers each path with whatever bytes it is told to, or not at all.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::Clock;
use countersign_testing::FakeClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What becomes of a connection whose request was read.
#[derive(Clone)]
pub(crate) enum Answer {
    /// No connection is accepted. It is the whole server that is gone then.
    Refused,
    /// These bytes, and the connection is reset.
    Reset(Vec<u8>),
    /// These bytes, and the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, and then nothing on an open connection.
    Silence(Vec<u8>),
    /// One of these bytes in each second of the clock.
    Drip(Vec<u8>),
    /// The first, and then the second over and over.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes when [`Origin::release`] is called.
    Held(Vec<u8>),
}

/// Ends with its drop.
pub(crate) struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    /// The port, while nobody listens on it.
    port: Option<TcpSocket>,
}

struct Shared {
    clock: FakeClock,
    answers: Mutex<HashMap<String, Answer>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    released: Notify,
}

impl Origin {
    pub(crate) async fn start(clock: FakeClock) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut origin = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                clock,
                answers: Mutex::default(),
                connections: AtomicUsize::new(0),
                requests: AtomicUsize::new(0),
                released: Notify::new(),
            }),
            tasks: JoinSet::new(),
            port: None,
        };
        origin.listen(listener);
        origin
    }

    fn listen(&mut self, listener: TcpListener) {
        self.tasks.spawn(accept(listener, self.shared.clone()));
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the requests for a path like this from now on.
    pub(crate) async fn answer(&mut self, path: &str, answer: Answer) {
        if matches!(answer, Answer::Refused) {
            self.tasks.shutdown().await;
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            // Bound and not listening: nobody else gets the port, and nobody is let in.
            socket.bind(self.address).unwrap();
            self.port = Some(socket);
            return;
        }
        let mut answers = self.shared.answers.lock().unwrap();
        answers.insert(path.to_owned(), answer);
        drop(answers);
        if let Some(port) = self.port.take() {
            self.listen(port.listen(16).unwrap());
        }
    }

    /// Lets one held answer go.
    pub(crate) fn release(&self) {
        self.shared.released.notify_one();
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Requests that were read to their end.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(converse(stream, shared.clone()));
    }
}

/// One request a connection. The client may hang up at any time; that is what some tests are about.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut body = vec![0; content_length(&head)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let answer = shared.answers.lock().unwrap().get(path).cloned();
    match answer {
        None => send(&mut stream, &response("404 Not Found", "")).await,
        Some(answer) => give(answer, &mut stream, &shared).await,
    }
}

/// 0 where there is no body.
fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.map_or(0, |(_, length)| length.trim().parse().unwrap())
}

async fn give(answer: Answer, stream: &mut TcpStream, shared: &Shared) {
    match answer {
        Answer::Refused => {}
        Answer::Reset(bytes) => {
            let _ = stream.write_all(&bytes).await;
            stream.set_zero_linger().unwrap();
        }
        Answer::Bytes(bytes) => send(stream, &bytes).await,
        Answer::Silence(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Answer::Drip(bytes) => {
            for byte in bytes {
                shared.clock.sleep(Duration::from_secs(1)).await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        }
        Answer::Endless(first, again) => {
            let mut sent = stream.write_all(&first).await;
            while sent.is_ok() {
                sent = stream.write_all(&again).await;
            }
        }
        Answer::Held(bytes) => {
            shared.released.notified().await;
            send(stream, &bytes).await;
        }
    }
}

/// Ends the connection in a way that lets the client read everything.
async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = stream.read(&mut [0]).await;
}

/// A whole response with these lines as its head: the status, and headers behind line breaks.
pub(crate) fn response(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A response of JSON.
pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    response("200 OK\r\nContent-Type: application/json", body)
}
