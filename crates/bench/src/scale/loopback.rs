//! Over loopback HTTP: a server of one thread, and a client of another that keeps its connections and sends one request
//! after another on each. The client does less for a request than the server, so that the server is what is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use countersign::TokenCache;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::Point;
use crate::Error;
use crate::measure::{float, median, now};
use crate::systems::{authenticator, map_router, noop_router, router};
use crate::world::{World, bearer, joined, mint, usual_token};

/// A router without a layer.
pub const BARE: &str = "loopback HTTP: bare";
/// With one that does nothing.
pub const NOOP: &str = "loopback HTTP: noop";
/// With one that looks the header up in a map: the least that a cache costs.
pub const MAP: &str = "loopback HTTP: map";
/// With the suite's, all tokens seen before.
pub const AGAIN: &str = "loopback HTTP: seen before";

const CONNECTIONS: usize = 16;

/// A server's part of a round.
const TURN: Duration = Duration::from_millis(200);

struct Served {
    series: &'static str,
    connections: Vec<Connection>,
    rates: Vec<f64>,
}

struct Connection {
    stream: TcpStream,
    request: Arc<[u8]>,
}

/// Requests per second.
pub fn measure(world: &World, rounds: usize) -> Result<Vec<Point>, Error> {
    let suite = authenticator(world, TokenCache::default())?;
    let token = usual_token(world.issuer());
    let tokens = mint(CONNECTIONS, |_| token.clone());
    let headers = tokens.iter().map(|token| bearer(token));
    let routers = [
        (BARE, router()),
        (NOOP, noop_router()),
        (MAP, map_router(headers.collect::<Result<Vec<_>, _>>()?)),
        (AGAIN, router().layer(suite.layer())),
    ];
    let listeners = routers
        .iter()
        .map(|_| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut servers = Vec::new();
    let mut addresses = Vec::new();
    for (listener, (series, router)) in listeners.into_iter().zip(routers) {
        listener.set_nonblocking(true)?;
        addresses.push((series, listener.local_addr()?));
        servers.push((listener, router));
    }
    let (end, ended) = oneshot::channel();
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(servers, ended));
        let points = world.block_on(ask(addresses, &tokens, rounds));
        // Dropped is as good as sent.
        drop(end);
        joined(server)?;
        points
    })
}

fn serve(
    servers: Vec<(std::net::TcpListener, Router)>,
    ended: oneshot::Receiver<()>,
) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (listener, router) in servers {
            let listener = TcpListener::from_std(listener)?;
            tasks.spawn(async move { axum::serve(listener, router).await });
        }
        let _ = ended.await;
        Ok(())
    })
}

async fn ask(
    addresses: Vec<(&'static str, SocketAddr)>,
    tokens: &[String],
    rounds: usize,
) -> Result<Vec<Point>, Error> {
    let mut all = Vec::new();
    for (series, address) in addresses {
        let mut served = Served {
            series,
            connections: connect(address, tokens).await?,
            rates: Vec::new(),
        };
        // Tokens are seen, connections and memory warm.
        served.turn().await?;
        served.rates.clear();
        all.push(served);
    }
    for round in 0..rounds {
        // Who comes first changes, too.
        let first = round % all.len();
        let (later, sooner) = all.split_at_mut(first);
        for served in sooner.iter_mut().chain(later) {
            served.turn().await?;
        }
    }
    let points = all.into_iter().map(|served| {
        let rate = median(served.rates);
        Point::new(served.series, CONNECTIONS, rate, "per second")
    });
    Ok(points.collect())
}

async fn connect(address: SocketAddr, tokens: &[String]) -> Result<Vec<Connection>, Error> {
    let mut connections = Vec::new();
    for token in tokens {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request =
            format!("GET / HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
        connections.push(Connection {
            stream,
            request: request.into_bytes().into(),
        });
    }
    Ok(connections)
}

impl Served {
    async fn turn(&mut self) -> Result<(), Error> {
        let start = now();
        let mut tasks = JoinSet::new();
        for connection in self.connections.drain(..) {
            tasks.spawn(connection.converse(start + TURN));
        }
        let mut count = 0;
        while let Some(done) = tasks.join_next().await {
            let (connection, requests) = done??;
            self.connections.push(connection);
            count += requests;
        }
        self.rates
            .push(float(count) / start.elapsed().as_secs_f64());
        Ok(())
    }
}

impl Connection {
    async fn converse(mut self, until: Instant) -> Result<(Self, usize), Error> {
        let mut answer = Vec::with_capacity(1024);
        let mut count = 0;
        while now() < until {
            self.stream.write_all(&self.request).await?;
            answer.clear();
            // The answer has no body.
            while !answer.ends_with(b"\r\n\r\n") {
                if self.stream.read_buf(&mut answer).await? == 0 {
                    return Err("the server hung up".into());
                }
            }
            if !answer.starts_with(b"HTTP/1.1 200 ") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
            count += 1;
        }
        Ok((self, count))
    }
}
