//! How the cost of a request grows: with threads, tokens and issuers, and what of it is left over loopback HTTP.

pub mod issuers;
pub mod loopback;
pub mod memory;
pub mod threads;
pub mod tokens;

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::measure::{cpu_time, median};
use crate::report::{Table, rounded};
use crate::routed::answer_all;
use crate::world::{bearer, request};

/// How many requests are timed at once.
const BATCH: usize = 500;

/// A value at a size.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Point {
    /// What grows, and what is measured meanwhile.
    pub series: String,
    /// How many: threads, tokens, issuers, connections.
    pub at: usize,
    /// The median over the rounds.
    pub value: f64,
    /// Of the value.
    pub unit: String,
}

impl Point {
    pub(crate) fn new(series: &str, at: usize, value: f64, unit: &str) -> Self {
        Self {
            series: series.to_owned(),
            at,
            value: rounded(value, 1),
            unit: unit.to_owned(),
        }
    }
}

/// The points as a table, each beside the first of its series.
pub fn table(points: &[Point]) -> String {
    let mut table = Table::new(1, ["series", "at", "value", "unit", "to the first"]);
    for point in points {
        let first = points.iter().find(|one| one.series == point.series);
        let ratio = first.map(|first| point.value / first.value);
        table.push([
            point.series.clone(),
            point.at.to_string(),
            format!("{:.0}", point.value),
            point.unit.clone(),
            format!("{:.3}", ratio.unwrap_or(f64::NAN)),
        ]);
    }
    table.markdown()
}

/// A router and the tokens that it is asked about, at random.
struct Asked {
    at: usize,
    router: Router,
    tokens: Vec<HeaderValue>,
    nanoseconds: Vec<f64>,
}

impl Asked {
    /// The router gets to see each token once.
    fn new(at: usize, router: Router, tokens: &[String]) -> Result<Self, Error> {
        let tokens = tokens
            .iter()
            .map(|token| bearer(token))
            .collect::<Result<Vec<_>, _>>()?;
        let requests = tokens.iter().map(|token| request::<Body>(token.clone()));
        answer_all(&router, requests, StatusCode::OK)?;
        Ok(Self {
            at,
            router,
            tokens,
            nanoseconds: Vec::new(),
        })
    }

    fn batch(&mut self) -> Result<(), Error> {
        let requests = (0..BATCH)
            .map(|_| {
                let token = &self.tokens[fastrand::usize(..self.tokens.len())];
                // Bytes of its own, as if they had come from the network a moment ago.
                Ok(request(HeaderValue::from_bytes(token.as_bytes())?))
            })
            .collect::<Result<Vec<Request<Body>>, Error>>()?;
        let work = || answer_all(&self.router, requests, StatusCode::OK);
        self.nanoseconds.push(cpu_time(BATCH, work)?);
        Ok(())
    }

    fn point(self, series: &str) -> Point {
        Point::new(series, self.at, median(self.nanoseconds), "ns")
    }
}
