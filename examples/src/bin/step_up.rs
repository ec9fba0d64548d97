//! A payment wants more than a token: a user who authenticated strongly, and not long ago (RFC 9470). Who did not is
//! told what is wanted, so that the app can send the user to authenticate again.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::time::Duration;

use axum::{Router, routing::get, routing::post};
use countersign::{Authenticator, Clock, DelegatedUser, Issuer, SystemClock, require_acr};
use countersign_testing::TestIssuer;

const API: &str = "https://api.acme.example";

async fn balance(caller: DelegatedUser) -> String {
    format!("the balance of {}", caller.user())
}

async fn pay(caller: DelegatedUser) -> String {
    format!("paid by {}", caller.user())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .build()
        .await?;
    let payments = Router::new().route("/payments", post(pay)).route_layer(
        require_acr("phr")
            .or_acr("mfa")
            .and_max_age(Duration::from_secs(300)),
    );
    let app: Router = Router::new()
        .route("/balance", get(balance))
        .merge(payments)
        .layer(authenticator.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    let now = SystemClock::new().unix_time().as_secs();
    let ann = issuer.delegated_user("bank-app", "ann").with_audience(API);
    let with = |acr: &str, ago: u64| {
        let token = ann.clone().with_claim("acr", acr);
        token.with_claim("auth_time", now - ago).mint()
    };
    let (password, stale, fresh) = (with("pwd", 10), with("mfa", 3600), with("mfa", 10));
    let http = reqwest::Client::builder().no_proxy().build()?; // it is all on loopback
    let mut as_expected = true;
    for (what, request, token, status) in [
        (
            "the balance, by password",
            http.get(format!("{url}/balance")),
            &password,
            200,
        ),
        (
            "a payment, by password",
            http.post(format!("{url}/payments")),
            &password,
            401,
        ),
        (
            "a payment, an hour later",
            http.post(format!("{url}/payments")),
            &stale,
            401,
        ),
        (
            "a payment, after a second factor",
            http.post(format!("{url}/payments")),
            &fresh,
            200,
        ),
    ] {
        let answer = request.bearer_auth(token).send().await?;
        as_expected &= answer.status() == status;
        let challenge = answer.headers().get("www-authenticate").cloned();
        println!("{what}: {} {challenge:?}", answer.status());
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}
