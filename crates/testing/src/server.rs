use std::future::pending;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::endpoints;
use crate::fault::{Endpoint, Fault};
use crate::shared::Shared;

/// The tasks of a served issuer, which end when it is dropped.
pub(crate) struct Server {
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, shared: Arc<Shared>) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared));
        Self { _tasks: tasks }
    }
}

/// Owns the connections, so that they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if shared.state().faults.is_down() => {
                    shared.counters.count_dropped();
                    drop(stream);
                }
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, shared.clone()));
                }
                // The peer is gone already, or the process has no more file descriptors.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, shared.clone()));
    // An error is a peer that went away or a fault that wants the connection dropped.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error drops the connection.
async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<Response<Full<Bytes>>> {
    let endpoint = Endpoint::of(request.uri().path());
    if let Some(endpoint) = endpoint {
        shared.counters.count_request(endpoint);
    }
    let fault = shared.state().faults.at(endpoint);
    if let Some(fault) = fault
        && let Some(response) = fail(fault, &shared).await?
    {
        return Ok(response);
    }
    Ok(endpoints::answer(endpoint, request, shared).await)
}

/// What a fault makes of a request; `None`: the usual answer.
async fn fail(fault: Fault, shared: &Shared) -> io::Result<Option<Response<Full<Bytes>>>> {
    let response = match fault {
        Fault::Down => return Err(io::ErrorKind::ConnectionReset.into()),
        Fault::Hang => pending().await,
        Fault::Slow(time) => {
            let sleep = shared.clock().sleep(time);
            sleep.await;
            return Ok(None);
        }
        Fault::Status(status) => Response::builder().status(status).body(Full::default()),
        Fault::TooManyRequests(time) => Response::builder()
            .status(StatusCode::TOO_MANY_REQUESTS)
            .header(RETRY_AFTER, time.as_secs())
            .body(Full::default()),
        Fault::Body {
            content_type,
            bytes,
        } => Response::builder()
            .header(CONTENT_TYPE, content_type)
            .body(bytes.into()),
        Fault::Redirect(url) => Response::builder()
            .status(StatusCode::FOUND)
            .header(LOCATION, url)
            .body(Full::default()),
    };
    // What is no header value was asked for by the test; it sees a dropped connection.
    response.map(Some).map_err(io::Error::other)
}
