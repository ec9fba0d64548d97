//! The issuer that all systems trust, its keys, and a token for each case.

use std::fmt;
use std::future::Future;
use std::thread::{self, ScopedJoinHandle};

use countersign_testing::{TestIssuer, TokenBuilder};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request};
use tokio::runtime::{Builder, Runtime};

use crate::Error;
use crate::case::Case;

/// The API that the tokens are for.
pub const AUDIENCE: &str = "https://api.acme.example";

/// A scope that the tokens grant, for systems that insist on one.
pub const SCOPE: &str = "invoices:read";

/// How many distinct tokens there are for [`Case::ValidFirst`]: more can't be asked for at once.
pub const DISTINCT_TOKENS: usize = 200;

/// What is the same for all systems: a runtime of this thread, an RS256 issuer of 2,048 bits on loopback, tokens.
///
/// The issuer's server answers only inside of [`block_on`](Self::block_on), so that nothing runs beside a measurement.
pub struct World {
    runtime: Runtime,
    issuer: TestIssuer,
    distinct: Vec<String>,
    again: String,
    bad_signature: String,
    expired: String,
    wrong_audience: String,
    unknown_issuer: String,
    garbage: String,
}

impl World {
    /// Makes the keys and signs the tokens: about half a second.
    pub fn new() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let issuer = runtime.block_on(TestIssuer::serve());
        let stranger = TestIssuer::new("https://stranger.example");
        let token = usual_token(&issuer);
        let again = token.mint();
        Ok(Self {
            distinct: (0..DISTINCT_TOKENS).map(|_| token.mint()).collect(),
            bad_signature: token.clone().tampered().mint(),
            expired: token.clone().expired().mint(),
            wrong_audience: token.with_audience("https://other.acme.example").mint(),
            unknown_issuer: usual_token(&stranger).mint(),
            garbage: again.replace('.', "-"),
            again,
            runtime,
            issuer,
        })
    }

    /// The issuer, which publishes its keys on loopback.
    pub fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }

    /// The published key set.
    pub fn jwks(&self) -> Result<String, Error> {
        Ok(String::from_utf8(self.issuer.jwks_json())?)
    }

    /// The token of a case; of [`Case::ValidFirst`], the one of this number.
    pub fn token(&self, case: Case, number: usize) -> &str {
        match case {
            Case::ValidFirst => &self.distinct[number],
            Case::ValidAgain => &self.again,
            Case::BadSignature => &self.bad_signature,
            Case::Expired => &self.expired,
            Case::WrongAudience => &self.wrong_audience,
            Case::UnknownIssuer => &self.unknown_issuer,
            Case::Garbage => &self.garbage,
        }
    }

    /// The request of a case: `GET /` with that token.
    pub fn request<B: Default>(&self, case: Case, number: usize) -> Result<Request<B>, Error> {
        Ok(request(bearer(self.token(case, number))?))
    }

    /// Runs a future and, while it waits, the issuer's server and whatever systems have started.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// For systems that ask for the runtime in the middle of a request.
    pub fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }
}

/// `GET /` with this `Authorization`.
pub fn request<B: Default>(authorization: HeaderValue) -> Request<B> {
    let mut request = Request::new(B::default());
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("api.acme.example"));
    headers.insert(AUTHORIZATION, authorization);
    request
}

/// The `Authorization` of a token.
pub fn bearer(token: &str) -> Result<HeaderValue, Error> {
    Ok(HeaderValue::try_from(format!("Bearer {token}"))?)
}

/// Signs tokens on two threads, some thousands a second. `token` is told which one it is about.
pub fn mint(count: usize, token: impl Fn(usize) -> TokenBuilder + Sync) -> Vec<String> {
    let token = &token;
    thread::scope(|scope| {
        let halves = [0..count / 2, count / 2..count];
        let halves = halves.map(|half| {
            scope.spawn(move || half.map(|number| token(number).mint()).collect::<Vec<_>>())
        });
        halves.into_iter().flat_map(joined).collect()
    })
}

/// What a thread returns; its panic goes on here.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A token of a user's app in the shape of RFC 9068, of some 870 bytes like that of a real authorization server.
pub fn usual_token(issuer: &TestIssuer) -> TokenBuilder {
    issuer
        .delegated_user("app-3f9c2b71", "user-7d1e40aa95c2")
        .with_audience(AUDIENCE)
        .with_organization("org_2c7f01d9")
        .with_scopes([SCOPE, "invoices:write", "customers:read", "offline_access"])
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
