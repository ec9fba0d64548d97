//! An upgrade is a request: it is guarded before anything is upgraded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::any;
use countersign::Scoped;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{Read, issuer, machine, trusting};

/// Counts the sockets that were opened.
#[derive(Clone, Default)]
struct Opened(Arc<AtomicUsize>);

impl Opened {
    fn accept(self, upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(async move |mut socket| {
            self.0.fetch_add(1, Ordering::SeqCst);
            let _ = socket.send("welcome".into()).await;
        })
    }
}

fn router(opened: &Opened) -> Router {
    let [plain, first, last] = [(); 3].map(|()| opened.clone());
    Router::new()
        .route(
            "/plain",
            any(async move |upgrade: WebSocketUpgrade| plain.accept(upgrade)),
        )
        .route(
            "/guard-first",
            any(async move |_: Scoped<Read>, upgrade: WebSocketUpgrade| first.accept(upgrade)),
        )
        .route(
            "/guard-last",
            any(async move |upgrade: WebSocketUpgrade, _: Scoped<Read>| last.accept(upgrade)),
        )
}

async fn serve(tasks: &mut JoinSet<()>, app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// The status of the answer to an upgrade, and what comes after its head.
async fn upgrade(server: SocketAddr, path: &str, token: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let credential = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{credential}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let status = String::from_utf8_lossy(&head[9..12]).parse().unwrap();
    let mut rest = vec![0; 9];
    if status == 101 {
        stream.read_exact(&mut rest).await.unwrap();
    }
    (status, rest)
}

#[tokio::test]
async fn only_those_who_may_get_a_socket_and_nobody_else_is_upgraded_first() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let (opened, mut tasks) = (Opened::default(), JoinSet::new());
    let guarded = router(&opened).layer(authenticator.layer());
    let guarded = serve(&mut tasks, guarded).await;
    let bare = serve(&mut tasks, router(&opened)).await;
    let good = machine(&issuer).mint();
    let narrow = machine(&issuer).without_claim("scope").mint();
    let expired = machine(&issuer).expired().mint();
    for path in ["/plain", "/guard-first", "/guard-last"] {
        assert_eq!(upgrade(guarded, path, "").await.0, 401, "{path}");
        assert_eq!(upgrade(guarded, path, &expired).await.0, 401, "{path}");
    }
    for path in ["/guard-first", "/guard-last"] {
        assert_eq!(upgrade(guarded, path, &narrow).await.0, 403, "{path}");
        assert_eq!(upgrade(bare, path, &good).await.0, 500, "{path}");
    }
    assert_eq!(opened.0.load(Ordering::SeqCst), 0);
    for path in ["/plain", "/guard-first", "/guard-last"] {
        let (status, frame) = upgrade(guarded, path, &good).await;
        assert_eq!((status, &frame[2..]), (101, &b"welcome"[..]), "{path}");
    }
    assert_eq!(opened.0.load(Ordering::SeqCst), 3);
}
