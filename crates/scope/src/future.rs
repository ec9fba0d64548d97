use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use countersign_bearer::{Denied, RefusalBody};
use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of a guard.
    pub struct ResponseFuture<F, R> {
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, R> {
        Granted { #[pin] future: F },
        // Taken when it is polled.
        Denied { response: Option<Response<R>> },
    }
}

impl<F, R: RefusalBody> ResponseFuture<F, R> {
    pub(crate) fn granted(future: F) -> Self {
        Self {
            state: State::Granted { future },
        }
    }

    pub(crate) fn denied(denied: &Denied) -> Self {
        let response = Some(denied.respond());
        Self {
            state: State::Denied { response },
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Granted { future } => future.poll(cx),
            StateProjection::Denied { response } => {
                Poll::Ready(Ok(response.take().expect("polled after completion")))
            }
        }
    }
}

impl<F, R> fmt::Debug for ResponseFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}
