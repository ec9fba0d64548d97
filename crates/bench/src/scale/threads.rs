//! One thread and two: whether what they share holds them up.

use std::sync::Barrier;
use std::thread;

use axum::Router;
use axum::body::Body;
use countersign::TokenCache;
use http::{Request, StatusCode};

use super::Point;
use crate::Error;
use crate::measure::{float, median, now};
use crate::routed::answer_all;
use crate::systems::{BareCheck, authenticator, map_router, noop_router, router, signed};
use crate::world::{World, bearer, joined, mint, request, usual_token};

/// Series of the points: the floors, and the suite.
pub const CHECK: &str = "threads: bare signature check";
/// A layer that does nothing.
pub const NOOP: &str = "threads: noop";
/// A layer that looks the header up in a map, other ones on each thread: the least that a cache costs.
pub const MAP: &str = "threads: map";
/// The suite, a token that it has not seen.
pub const FIRST: &str = "threads: first sight";
/// The suite, tokens that it has seen, other ones on each thread.
pub const AGAIN: &str = "threads: seen before";
/// The suite, one token that it has seen, the same on all threads.
pub const SAME: &str = "threads: seen before, one token";

/// Distinct tokens of a thread.
const TOKENS: usize = 500;

/// Requests of a thread in a batch where no signature is checked: some milliseconds, beside which the start of a thread
/// is little.
const QUICK: usize = 6000;

enum Work {
    Check(BareCheck),
    Router(Router),
}

/// What is done by one thread and by two.
struct Subject<'a> {
    series: &'static str,
    /// Each thread's.
    tokens: [&'a [String]; 2],
    requests: usize,
    /// Made anew for each batch.
    work: Box<dyn Fn() -> Result<Work, Error> + 'a>,
}

/// Requests per second by one thread and by two.
pub fn measure(world: &World, rounds: usize) -> Result<Vec<Point>, Error> {
    let token = usual_token(world.issuer());
    let tokens = mint(2 * TOKENS, |_| token.clone());
    let mut rates = Vec::new();
    let subjects = subjects(world, &tokens)?;
    for _ in 0..rounds {
        for (number, subject) in subjects.iter().enumerate() {
            for threads in [1, 2] {
                rates.push((number, threads, rate(subject, threads)?));
            }
        }
    }
    let mut points = Vec::new();
    for (number, subject) in subjects.iter().enumerate() {
        for threads in [1, 2] {
            let of_both = rates
                .iter()
                .filter(|rate| (rate.0, rate.1) == (number, threads));
            let rate = median(of_both.map(|rate| rate.2).collect());
            points.push(Point::new(subject.series, threads, rate, "per second"));
        }
    }
    Ok(points)
}

fn subjects<'a>(world: &'a World, tokens: &'a [String]) -> Result<[Subject<'a>; 6], Error> {
    let (one, other) = tokens.split_at(TOKENS);
    let own = [one, other];
    let same = [&one[..1], &one[..1]];
    let suite = move || -> Result<Work, Error> {
        let layer = authenticator(world, TokenCache::default())?.layer();
        Ok(Work::Router(router().layer(layer)))
    };
    let Work::Router(seen) = suite()? else {
        return Err("the suite is a router".into());
    };
    answer_all(&seen, requests(tokens, tokens.len())?, StatusCode::OK)?;
    let seen_before = || {
        let seen = seen.clone();
        move || Ok(Work::Router(seen.clone()))
    };
    let check = || Ok(Work::Check(BareCheck::new(world)?));
    let noop = || Ok(Work::Router(noop_router()));
    let headers = tokens.iter().map(|token| bearer(token));
    let known = map_router(headers.collect::<Result<Vec<_>, _>>()?);
    let map = move || Ok(Work::Router(known.clone()));
    Ok([
        Subject::new(CHECK, own, TOKENS, check),
        Subject::new(NOOP, own, QUICK, noop),
        Subject::new(MAP, own, QUICK, map),
        Subject::new(FIRST, own, TOKENS, suite),
        Subject::new(AGAIN, own, QUICK, seen_before()),
        Subject::new(SAME, same, QUICK, seen_before()),
    ])
}

impl<'a> Subject<'a> {
    fn new(
        series: &'static str,
        tokens: [&'a [String]; 2],
        requests: usize,
        work: impl Fn() -> Result<Work, Error> + 'a,
    ) -> Self {
        Self {
            series,
            tokens,
            requests,
            work: Box::new(work),
        }
    }
}

/// Requests per second of so many threads together.
fn rate(subject: &Subject<'_>, threads: usize) -> Result<f64, Error> {
    let work = (subject.work)()?;
    let start = Barrier::new(threads);
    let (work, start, requests) = (&work, &start, subject.requests);
    thread::scope(|scope| {
        let threads: Vec<_> = subject.tokens[..threads]
            .iter()
            .map(|tokens| scope.spawn(move || alone(work, tokens, requests, start)))
            .collect();
        threads.into_iter().map(joined).sum()
    })
}

/// Requests per second of one thread, which makes its requests itself: memory that is freed by another thread than took
/// it is a matter of its own.
fn alone(work: &Work, tokens: &[String], count: usize, start: &Barrier) -> Result<f64, Error> {
    match work {
        Work::Check(check) => {
            let signed = tokens.iter().map(|token| signed(token));
            let signed = signed.collect::<Result<Vec<_>, _>>();
            start.wait();
            let start = now();
            if !signed?.iter().all(|one| check.is_good(one)) {
                return Err("a good signature is refused".into());
            }
            Ok(float(tokens.len()) / start.elapsed().as_secs_f64())
        }
        Work::Router(router) => {
            let requests = requests(tokens, count);
            start.wait();
            let start = now();
            answer_all(router, requests?, StatusCode::OK)?;
            Ok(float(count) / start.elapsed().as_secs_f64())
        }
    }
}

fn requests(tokens: &[String], count: usize) -> Result<Vec<Request<Body>>, Error> {
    let tokens = tokens.iter().cycle().take(count);
    tokens.map(|token| Ok(request(bearer(token)?))).collect()
}
