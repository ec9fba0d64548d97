use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::layer::Settings;
use crate::open::{Open, Stage};

/// The service that [`AuditLayer`](crate::AuditLayer) makes. Requests and responses pass through it as they are.
#[derive(Clone, Debug)]
pub struct Audited<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Audited<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> Service<Request<B>> for Audited<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut open = Open::new(self.settings.clone(), &mut request);
        let future = self.inner.call(request);
        open.stage = Stage::Waiting;
        ResponseFuture {
            future,
            open: Some(open),
        }
    }
}

pin_project! {
    /// The response of [`Audited`]. Dropped before it is ready, it records that the request was cancelled.
    pub struct ResponseFuture<F> {
        #[pin]
        future: F,
        // Gone when the response is there. Behind the future, so that it is dropped after it.
        open: Option<Open>,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(open) = this.open.as_mut() {
            open.stage = Stage::Inside;
        }
        let polled = this.future.poll(cx);
        if let (Poll::Pending, Some(open)) = (&polled, this.open.as_mut()) {
            open.stage = Stage::Waiting;
        }
        let result = ready!(polled);
        if let Some(open) = this.open.as_mut() {
            open.stage = match &result {
                Ok(response) => Stage::Answered(open.answer(response)),
                Err(_) => Stage::Failed,
            };
        }
        // Dropped in its place, which makes the event.
        *this.open = None;
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}
