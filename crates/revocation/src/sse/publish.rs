use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use countersign_jwks::suite::{First, race};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{CAUGHT_UP, HEARTBEAT, Position, RESET, REVOCATION};
use countersign_bearer::{Microservice, Revocations, Validity};

use crate::journal::Change;
use crate::list::RevocationList;
use crate::revocation::Revocation;

/// So many events are written at once where there are many.
const AT_ONCE: usize = 256;

/// Publishes what is on a [`RevocationList`], and what comes to it, to those who follow by
/// [`ServerSentEvents`](crate::ServerSentEvents). Cheap to clone.
///
/// What it publishes names clients and users of every tenant, so that only [`Microservice`]s are answered: callers who
/// are the vendor's own by a positive rule of their issuer.
///
/// ```
/// use axum::Router;
/// use countersign_bearer::Authenticator;
/// use countersign_revocation::{RevocationList, RevocationPublisher};
///
/// fn internal(list: &RevocationList, authenticator: &Authenticator) -> Router {
///     let publisher = RevocationPublisher::new(list.clone());
///     Router::new()
///         .route("/revocations", publisher.route())
///         .layer(authenticator.layer())
/// }
/// ```
#[derive(Clone)]
pub struct RevocationPublisher {
    list: RevocationList,
    heartbeat: Duration,
    places: Arc<Semaphore>,
    is_open: watch::Sender<bool>,
}

impl RevocationPublisher {
    /// A publisher of this list, with a heartbeat each 15 s and room for 1,024 followers.
    pub fn new(list: RevocationList) -> Self {
        Self {
            list,
            heartbeat: Duration::from_secs(15),
            places: Arc::new(Semaphore::new(1024)),
            is_open: watch::Sender::new(true),
        }
    }

    /// How often it tells that it is there when there is nothing else to tell: each 15 s.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// How many may follow at a time: 1,024. Others are answered with 503.
    #[must_use]
    pub fn with_max_followers(mut self, followers: usize) -> Self {
        self.places = Arc::new(Semaphore::new(followers.min(Semaphore::MAX_PERMITS)));
        self
    }

    /// What answers `GET` with the feed, for [`Microservice`]s behind the authentication layer. Others get 403, and
    /// where that layer is missing everybody 500.
    ///
    /// The stream ends with the follower's token: nothing is told once it has expired, or the list says that it was
    /// revoked. Whoever follows comes again with another one and goes on where it was.
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let publisher = self.clone();
        get(async move |caller: Microservice, headers: HeaderMap| {
            publisher.answer(&headers, Some(caller))
        })
    }

    /// What answers `GET` with the feed, for everybody who gets there: behind a guard of your own, which lets in once: no token ends
    /// such a stream.
    pub fn dangerous_open_route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let publisher = self.clone();
        get(async move |headers: HeaderMap| publisher.answer(&headers, None))
    }

    /// Ends the streams of all followers, now and from now on: without it, a server that shuts down gracefully waits
    /// for those who would follow for ever.
    pub fn close(&self) {
        self.is_open.send_replace(false);
    }

    fn answer(&self, headers: &HeaderMap, caller: Option<Microservice>) -> Response {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let retry_after = [(RETRY_AFTER, HeaderValue::from_static("5"))];
            return (StatusCode::SERVICE_UNAVAILABLE, retry_after).into_response();
        };
        let last = headers.get("last-event-id");
        let last = last.and_then(|id| Position::parse(id.to_str().ok()?));
        let telling = Telling {
            list: self.list.clone(),
            caller,
            heartbeat: self.heartbeat,
            changes: self.list.subscribe(),
            is_open: self.is_open.subscribe(),
            said: last
                .filter(|last| last.epoch == self.list.epoch())
                .map(|last| last.sequence),
            snapshot: None,
            has_caught_up: false,
            _place: place,
        };
        let events = stream::unfold(telling, async |mut telling| {
            let bytes = telling.next().await?;
            Some((Ok::<_, std::convert::Infallible>(bytes), telling))
        });
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        // A proxy that collects answers would hold back what must be known at once.
        let unbuffered = [("x-accel-buffering", "no")];
        (headers, unbuffered, Body::from_stream(events)).into_response()
    }
}

impl fmt::Debug for RevocationPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationPublisher")
            .field("list", &self.list)
            .field("heartbeat", &self.heartbeat)
            .field("places", &self.places.available_permits())
            .finish_non_exhaustive()
    }
}

/// What one follower was told, and is yet to be told. It is asked for more when the follower has taken what there was,
/// so that a slow one keeps nothing but its place.
struct Telling {
    list: RevocationList,
    /// `None` behind a guard that is not ours.
    caller: Option<Microservice>,
    heartbeat: Duration,
    changes: watch::Receiver<u64>,
    is_open: watch::Receiver<bool>,
    /// The number of the last change that was told; `None` before everything was.
    said: Option<u64>,
    /// Everything, while it is being told, and the number of the last change in it.
    snapshot: Option<(u64, vec::IntoIter<Revocation>)>,
    has_caught_up: bool,
    _place: OwnedSemaphorePermit,
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.is_over() {
                return None;
            }
            if let Some(text) = self.at_hand() {
                return Some(text.into());
            }
            let heartbeat = self.list.clock().sleep(self.heartbeat);
            let closing = self.is_open.changed();
            match race(closing, race(self.changes.changed(), heartbeat)).await {
                First::Left(_) | First::Right(First::Left(Ok(()))) => {}
                First::Right(First::Left(Err(_))) => return None,
                First::Right(First::Right(())) => {
                    let at = self.position(self.said.unwrap_or(0));
                    return Some(event(HEARTBEAT, None, &at.to_string()).into());
                }
            }
        }
    }

    /// Whether the publisher has closed, or what the follower was let in by does not hold any more.
    fn is_over(&self) -> bool {
        let has_ended = |caller: &Microservice| {
            let now = self.list.clock().unix_time().as_secs_f64();
            now >= caller.times().expires_at || self.list.check(caller) == Validity::Revoked
        };
        !*self.is_open.borrow() || self.caller.as_ref().is_some_and(has_ended)
    }

    /// What can be told without waiting.
    fn at_hand(&mut self) -> Option<String> {
        if self.snapshot.is_some() {
            return Some(self.more_of_everything());
        }
        // Marked as seen before they are read, so that none comes between.
        self.changes.borrow_and_update();
        match self.said.and_then(|said| self.list.changes_after(said)) {
            None => {
                let (sequence, entries) = self.list.entries();
                self.snapshot = Some((sequence, entries.into_iter()));
                self.has_caught_up = false;
                let at = self.position(sequence).to_string();
                Some(event(RESET, None, &at) + &self.more_of_everything())
            }
            Some(changes) if changes.is_empty() && self.has_caught_up => None,
            Some(changes) => Some(self.tell(&changes)),
        }
    }

    fn tell(&mut self, changes: &[Change]) -> String {
        let mut text = String::new();
        for change in changes {
            let id = self.position(change.sequence);
            text += &event(REVOCATION, Some(id), &change.revocation.to_json());
            self.said = Some(change.sequence);
        }
        if !std::mem::replace(&mut self.has_caught_up, true) {
            text += &self.caught_up();
        }
        text
    }

    fn more_of_everything(&mut self) -> String {
        let mut text = String::new();
        let Some((sequence, entries)) = &mut self.snapshot else {
            return text;
        };
        for entry in entries.by_ref().take(AT_ONCE) {
            text += &event(REVOCATION, None, &entry.to_json());
        }
        if entries.len() == 0 {
            self.said = Some(*sequence);
            self.snapshot = None;
            self.has_caught_up = true;
            text += &self.caught_up();
        }
        text
    }

    fn caught_up(&self) -> String {
        let at = self.position(self.said.unwrap_or(0));
        event(CAUGHT_UP, Some(at), &at.to_string())
    }

    fn position(&self, sequence: u64) -> Position {
        Position {
            epoch: self.list.epoch(),
            sequence,
        }
    }
}

/// An event as it goes over the wire. `data` is one line.
fn event(name: &str, id: Option<Position>, data: &str) -> String {
    let mut text = String::new();
    if let Some(id) = id {
        // Writing into a text does not fail.
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
    text
}
