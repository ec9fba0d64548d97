use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use countersign_bearer::{Denied, RefusalBody};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::require_active::Check;

pin_project! {
    /// The response of [`Active`](crate::Active).
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, R, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R, F> {
        // The server is being asked.
        Pending {
            check: Check,
            // Taken when the answer comes.
            waiting: Option<(S, Request<B>)>,
        },
        // Let through.
        Admitted { #[pin] future: F },
        // Refused; taken when it is polled.
        Denied { response: Option<Response<R>> },
    }
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: RefusalBody,
{
    pub(crate) fn pending(check: Check, service: S, request: Request<B>) -> Self {
        let waiting = Some((service, request));
        Self {
            state: State::Pending { check, waiting },
        }
    }

    pub(crate) fn denied(denied: &Denied) -> Self {
        Self {
            state: State::Denied {
                response: Some(denied.respond()),
            },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: RefusalBody,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Pending { check, waiting } => {
                    let answer = ready!(check.answer.as_mut().poll(cx));
                    let judged = check.judge(answer);
                    let (mut service, request) = waiting.take().expect("polled after completion");
                    let next = match judged {
                        Ok(()) => State::Admitted {
                            future: service.call(request),
                        },
                        Err(denied) => State::Denied {
                            response: Some(denied.for_request(&request).respond()),
                        },
                    };
                    state.set(next);
                }
                StateProjection::Admitted { future } => return future.poll(cx),
                StateProjection::Denied { response } => {
                    return Poll::Ready(Ok(response.take().expect("polled after completion")));
                }
            }
        }
    }
}

impl<S, B, R> fmt::Debug for ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}
