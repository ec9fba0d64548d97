//! Tokens that are worth nothing to whoever steals them: each is bound to its client's key (DPoP, RFC 9449), and counts
//! only with a fresh proof of that key for that very request.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use axum::{Router, routing::get};
use countersign::{Authenticator, Clock, Dpop, DpopNonces, Issuer, Principal, SystemClock};
use countersign_testing::{DpopKey, TestIssuer};
use reqwest::{Client, RequestBuilder, Response};

type Error = Box<dyn std::error::Error>;

const API: &str = "https://api.acme.example";

async fn whoami(caller: Principal) -> String {
    caller.client().unwrap_or("nobody").to_owned()
}

/// The API, which accepts bound tokens only and asks for its own nonces in their proofs. Its URL.
async fn serve(issuer: &TestIssuer) -> Result<String, Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?); // as clients know it, whatever `Host` says
    // Several machines share a secret (`DpopNonces::with_secret`) and a store of proofs (`with_replay_store`).
    let dpop = Dpop::required(&url).with_nonces(DpopNonces::random());
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .with_dpop(dpop)
        .build()
        .await?;
    let app: Router = Router::new()
        .route("/whoami", get(whoami))
        .layer(authenticator.layer());
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

/// A call with a token and a proof of the key, and the nonce of the last answer, if there was one.
fn call(http: &Client, url: &str, token: &str, key: &DpopKey, nonce: &str) -> RequestBuilder {
    let mut proof = key.proof("GET", url, token, SystemClock::new().unix_time());
    if !nonce.is_empty() {
        proof = proof.with_nonce(nonce);
    }
    let request = http.get(url).header("dpop", proof.mint());
    request.header("authorization", format!("DPoP {token}"))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let url = format!("{}/whoami", serve(&issuer).await?);
    let http = Client::builder().no_proxy().build()?; // it is all on loopback
    let (key, thief) = (DpopKey::new(), DpopKey::new());
    let bound = issuer.service_principal("m2m-acme").with_audience(API);
    let (unbound, bound) = (bound.mint(), bound.bound_to(&key).mint());

    let first = call(&http, &url, &bound, &key, "").send().await?;
    let nonce = header(&first, "dpop-nonce");
    let good = call(&http, &url, &bound, &key, &nonce);
    let again = good.try_clone().ok_or("a request without a body")?;
    let mut as_expected = answered("without a nonce", first, 401).await?;
    for (what, request, status) in [
        ("with the nonce", good, 200),
        ("the same proof again", again, 401),
        (
            "a thief's proof",
            call(&http, &url, &bound, &thief, &nonce),
            401,
        ),
        (
            "a thief, as a bearer",
            http.get(&url).bearer_auth(&bound),
            401,
        ),
        (
            "a bearer's token",
            http.get(&url).bearer_auth(&unbound),
            401,
        ),
    ] {
        as_expected &= answered(what, request.send().await?, status).await?;
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}

fn header(answer: &Response, name: &str) -> String {
    let value = answer.headers().get(name).map(|value| value.to_str());
    value.and_then(Result::ok).unwrap_or_default().to_owned()
}

/// Prints an answer, and tells whether its status is the expected one.
async fn answered(what: &str, answer: Response, status: u16) -> Result<bool, Error> {
    let challenge = header(&answer, "www-authenticate");
    let answered = answer.status();
    println!("{what}: {answered} {}\n  {challenge}", answer.text().await?);
    Ok(answered == status)
}
