//! Publishers, a server that sends whatever it is told to, and followers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use countersign_bearer::{Revocations, Validity};
use countersign_jwks::{Clock, HttpFetch, SystemClock};
use countersign_revocation::{
    FeedSettings, Revocation, RevocationFeed, RevocationList, RevocationListSettings,
    RevocationPublisher, ServerSentEvents,
};
use countersign_token::Claims;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

pub(crate) const ISSUER: &str = "https://as.acme.test";
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// What a test starts ends with it.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Served {
    pub(crate) async fn new(app: Router) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), app).await
    }

    pub(crate) async fn publishing(publisher: &RevocationPublisher) -> Self {
        Self::new(Router::new().route("/", publisher.dangerous_open_route())).await
    }

    pub(crate) async fn at(address: SocketAddr, app: Router) -> Self {
        let listener = listen(address).await;
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    for _ in 0..1000 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        if socket.bind(address).is_ok()
            && let Ok(listener) = socket.listen(16)
        {
            return listener;
        }
        breathe().await;
    }
    panic!("nobody may listen at {address}");
}

/// Answers each connection with these bytes, and then holds or ends it.
pub(crate) struct Raw {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends, and then waits for ever.
    Held(Vec<u8>),
    /// Sends, and ends the connection.
    Ended(Vec<u8>),
    /// Sends, and resets the connection.
    Reset(Vec<u8>),
    /// Sends the second again and again.
    Endless(Vec<u8>, Vec<u8>),
}

impl Raw {
    pub(crate) async fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (answer, heads) = (Arc::new(Mutex::new(answer)), Arc::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&answer), Arc::clone(&heads)));
        Self {
            url,
            answer,
            heads,
            _tasks: tasks,
        }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The heads of the requests so far, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, answer: Arc<Mutex<Answer>>, heads: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let (answer, heads) = (answer.clone(), heads.clone());
        connections.spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            heads.lock().unwrap().push(head);
            let answer = answer.lock().unwrap().clone();
            give(answer, &mut stream).await;
        });
    }
}

async fn give(answer: Answer, stream: &mut TcpStream) {
    match answer {
        Answer::Held(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Answer::Ended(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Reset(bytes) => {
            let _ = stream.write_all(&bytes).await;
            stream.set_zero_linger().unwrap();
        }
        Answer::Endless(first, again) => {
            let mut sent = stream.write_all(&first).await;
            while sent.is_ok() {
                sent = stream.write_all(&again).await;
            }
        }
    }
}

/// A good head and these events.
pub(crate) fn events(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n{text}")
        .into()
}

/// Everything that this publisher knows, up to this number.
pub(crate) fn everything(revocations: &[&Revocation], number: u64) -> String {
    let mut text = format!("event: reset\ndata: 00000000000000aa-{number}\n\n");
    for revocation in revocations {
        text.extend(["event: revocation\ndata: ", &revocation.to_json(), "\n\n"]);
    }
    text + &caught_up(number)
}

pub(crate) fn caught_up(number: u64) -> String {
    format!("id: 00000000000000aa-{number}\nevent: caught-up\ndata: 00000000000000aa-{number}\n\n")
}

pub(crate) fn change(number: u64, revocation: &Revocation) -> String {
    let json = revocation.to_json();
    format!("id: 00000000000000aa-{number}\nevent: revocation\ndata: {json}\n\n")
}

/// The usual client, which takes a while to make.
pub(crate) fn http() -> HttpFetch {
    static CLIENT: OnceLock<HttpFetch> = OnceLock::new();
    CLIENT.get_or_init(|| HttpFetch::new().unwrap()).clone()
}

pub(crate) fn source(url: &str) -> ServerSentEvents {
    ServerSentEvents::with_client(url, http()).unwrap()
}

/// Settings by which nothing takes long.
pub(crate) fn quick() -> FeedSettings {
    let mut settings = FeedSettings::default();
    settings.min_backoff = Duration::from_millis(5);
    settings.max_backoff = Duration::from_millis(50);
    settings
}

pub(crate) fn list() -> RevocationList {
    list_by(Arc::new(SystemClock::new()))
}

/// Of up to 10,000 entries.
pub(crate) fn list_by(clock: Arc<dyn Clock>) -> RevocationList {
    let mut settings = RevocationListSettings::default();
    settings.capacity = 10_000;
    RevocationList::with_clock(settings, clock)
}

pub(crate) fn follow(url: &str) -> RevocationFeed {
    RevocationFeed::start(list(), quick(), source(url))
}

/// A user's tokens, revoked up to now.
pub(crate) fn user(list: &RevocationList, name: &str) -> Revocation {
    Revocation::user(ISSUER, name, list.clock().unix_time()).unwrap()
}

/// Whether that user is let in.
pub(crate) fn check(revocations: &dyn Revocations, name: &str) -> Validity {
    revocations.check(&Claims::delegated_user(ISSUER, "reports", name))
}

#[expect(clippy::disallowed_methods, reason = "the network runs on real time")]
pub(crate) async fn breathe() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Waits until this holds.
pub(crate) async fn meanwhile(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        breathe().await;
    }
    panic!("within 20 s: {what}");
}

pub(crate) async fn refuses(feed: &RevocationFeed, name: &str) {
    let holds = || check(feed, name) == Validity::Revoked;
    meanwhile(&format!("{name} is refused"), holds).await;
}
