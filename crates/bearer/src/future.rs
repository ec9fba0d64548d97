use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;
use tracing::Span;

use crate::authenticator::Pending;
use crate::body::RefusalBody;
use crate::denied::Denied;
use crate::service::Admission;

pin_project! {
    /// The response of [`Bearer`](crate::Bearer).
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
        // The issuer is being asked for a key.
        Pending {
            pending: Pending,
            // Taken when the decision comes. Boxed, so that the future of those who need not wait is small.
            waiting: Option<Box<Waiting<S, B>>>,
        },
        // Let through.
        Admitted {
            #[pin]
            future: F,
            span: Span,
        },
        // Refused; taken when it is polled.
        Denied { response: Option<Response<R>> },
    }
}

struct Waiting<S, B> {
    admission: Admission,
    service: S,
    request: Request<B>,
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: RefusalBody,
{
    pub(crate) fn admitted(future: S::Future, span: Span) -> Self {
        Self {
            state: State::Admitted { future, span },
        }
    }

    pub(crate) fn denied(denied: &Denied) -> Self {
        Self {
            state: State::Denied {
                response: Some(denied.respond()),
            },
        }
    }

    pub(crate) fn pending(
        pending: Pending,
        admission: Admission,
        service: S,
        request: Request<B>,
    ) -> Self {
        let waiting = Some(Box::new(Waiting {
            admission,
            service,
            request,
        }));
        Self {
            state: State::Pending { pending, waiting },
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
                StateProjection::Pending { pending, waiting } => {
                    let result = ready!(Pin::new(pending).poll(cx));
                    let Waiting {
                        admission,
                        mut service,
                        mut request,
                    } = *waiting.take().expect("polled after completion");
                    let next = match admission.admit(result, &mut request) {
                        Ok(span) => State::Admitted {
                            future: service.call(request),
                            span,
                        },
                        Err(denied) => State::Denied {
                            response: Some(denied.respond()),
                        },
                    };
                    state.set(next);
                }
                StateProjection::Admitted { future, span } => {
                    let _entered = span.enter();
                    return future.poll(cx);
                }
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
