//! Few tokens and many: what a look-up among many costs, and a cache that has to let go of one for each that it takes.

use axum::Router;
use axum::body::Body;
use countersign::TokenCache;
use http::{Request, StatusCode};

use super::{Asked, Point};
use crate::Error;
use crate::measure::{cpu_time, median};
use crate::routed::answer_all;
use crate::systems::{authenticator, map_router, router};
use crate::world::{World, bearer, mint, request, usual_token};

/// Every request brings a token that was seen before.
pub const HITS: &str = "tokens: all hits";
/// The same, with a layer that looks the header up in a map: the least that a cache costs.
pub const MAP_HITS: &str = "tokens: all hits of a map";
/// No request brings a token that was seen before.
pub const MISSES: &str = "tokens: all misses";

/// As many as there are at most.
pub const MANY: usize = 100_000;

/// What they are set against.
pub const FEW: usize = 1000;

/// Room for all tokens.
const ROOM: TokenCache = TokenCache::new(512 * 1024 * 1024);

/// CPU time of a request, one thread.
pub fn measure(world: &World, rounds: usize) -> Result<Vec<Point>, Error> {
    eprintln!("signing {MANY} tokens");
    let token = usual_token(world.issuer());
    let tokens = mint(MANY, |_| token.clone());
    let mut points = misses(world, &tokens)?;
    points.extend(hits(world, &tokens, rounds)?);
    Ok(points)
}

fn hits(world: &World, tokens: &[String], rounds: usize) -> Result<Vec<Point>, Error> {
    let (mut all, mut map) = (Vec::new(), Vec::new());
    for at in [1, 10, 100, FEW, 10_000, MANY] {
        let tokens = &tokens[..at];
        all.push(Asked::new(at, suite(world, ROOM)?, tokens)?);
        let headers = tokens.iter().map(|token| bearer(token));
        let known = map_router(headers.collect::<Result<Vec<_>, _>>()?);
        map.push(Asked::new(at, known, tokens)?);
    }
    for _ in 0..rounds {
        for asked in all.iter_mut().chain(&mut map) {
            asked.batch()?;
        }
    }
    let all = all.into_iter().map(|asked| asked.point(HITS));
    let map = map.into_iter().map(|asked| asked.point(MAP_HITS));
    Ok(all.chain(map).collect())
}

/// A router that sees all tokens takes turns with new ones that see the first few. The cache is as by default, which is too
/// small for all: after a fifth of them it is full.
fn misses(world: &World, tokens: &[String]) -> Result<Vec<Point>, Error> {
    let many = suite(world, TokenCache::default())?;
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for part in tokens.chunks(FEW) {
        let few = suite(world, TokenCache::default())?;
        for (times, router, tokens) in
            [(&mut short, &few, &tokens[..FEW]), (&mut long, &many, part)]
        {
            let requests = tokens
                .iter()
                .map(|token| Ok(request(bearer(token)?)))
                .collect::<Result<Vec<Request<Body>>, Error>>()?;
            let work = || answer_all(router, requests, StatusCode::OK);
            times.push(cpu_time(FEW, work)?);
        }
    }
    Ok(vec![
        Point::new(MISSES, FEW, median(short), "ns"),
        Point::new(MISSES, MANY, median(long), "ns"),
    ])
}

fn suite(world: &World, cache: TokenCache) -> Result<Router, Error> {
    Ok(router().layer(authenticator(world, cache)?.layer()))
}
