//! A system that is a router, its layers and a handler.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode};
use tower::ServiceExt;
use tower_service::Service;

use crate::Error;
use crate::case::Case;
use crate::system::System;
use crate::world::World;

type Make<S> = Box<dyn Fn(&World) -> Result<S, Error>>;

/// A Tower service with this body as a [`System`].
///
/// A request is answered as a server of hyper's does it: the service is cloned, asked whether it is ready, and called; the
/// response is dropped. The future is polled by hand, once: a system whose keys are there has nothing to wait for, and
/// a runtime's own work stays out of the figures.
pub struct Routed<S, B> {
    name: &'static str,
    world: Rc<World>,
    service: S,
    make: Make<S>,
    remembers: bool,
    guarded: bool,
    connected: bool,
    expected: StatusCode,
    requests: Vec<Request<B>>,
}

impl<S, B, R> Routed<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
    B: Default,
{
    /// A system that looks at tokens and keeps nothing of them. `make` makes the service.
    pub fn new(
        name: &'static str,
        world: &Rc<World>,
        make: impl Fn(&World) -> Result<S, Error> + 'static,
    ) -> Result<Self, Error> {
        Ok(Self {
            name,
            world: world.clone(),
            service: make(world)?,
            make: Box::new(make),
            remembers: false,
            guarded: true,
            connected: false,
            expected: StatusCode::OK,
            requests: Vec::new(),
        })
    }

    /// It remembers tokens, so it is made anew whenever it must not have seen any.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.remembers = true;
        self
    }

    /// It looks at no token and answers 200 to everything.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.guarded = false;
        self
    }

    /// Each request says who is connected, as a server's does that was made for it.
    #[must_use]
    pub fn connected(mut self) -> Self {
        self.connected = true;
        self
    }

    fn request(&self, case: Case, number: usize) -> Result<Request<B>, Error> {
        let mut request = self.world.request(case, number)?;
        if self.connected {
            let peer = SocketAddr::from(([127, 0, 0, 1], 4711));
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        Ok(request)
    }
}

impl<S, B, R> System for Routed<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
    B: Default,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn expected(&self, case: Case) -> Option<StatusCode> {
        Some(if self.guarded {
            case.expected()
        } else {
            StatusCode::OK
        })
    }

    fn answer(&mut self, case: Case) -> Result<StatusCode, Error> {
        let answer = self.service.clone().oneshot(self.request(case, 0)?);
        let Ok(response) = self.world.block_on(answer);
        Ok(response.status())
    }

    fn start(&mut self, case: Case) -> Result<(), Error> {
        self.expected = self.expected(case).unwrap_or_default();
        if self.remembers && case == Case::ValidFirst {
            self.service = (self.make)(&self.world)?;
        }
        // Whatever a system puts off until its first request is done now.
        self.answer(Case::ValidAgain)?;
        Ok(())
    }

    fn load(&mut self, case: Case, numbers: Range<usize>) -> Result<(), Error> {
        let requests = numbers.map(|number| self.request(case, number));
        self.requests = requests.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        answer_all(&self.service, self.requests.drain(..), self.expected)
    }
}

/// Answers one request after another. An error if one is answered with another status, or not without waiting.
pub fn answer_all<S, B, R>(
    service: &S,
    requests: impl IntoIterator<Item = Request<B>>,
    expected: StatusCode,
) -> Result<(), Error>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
{
    for request in requests {
        let Some(Ok(response)) = at_once(service.clone().oneshot(request)) else {
            return Err("waits, so that its time would be somebody else's".into());
        };
        if response.status() != expected {
            return Err(format!("answers {} all of a sudden", response.status()).into());
        }
    }
    Ok(())
}

/// What the future yields if it is ready.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl<S, B> fmt::Debug for Routed<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
