//! Tokens taken back before they expire. The machines of a service tell each other what was revoked: here they follow
//! the first of them over HTTP; with `--redis URL` they meet at a broker.
//!
//! `revocation --check` is three machines in one program; `revocation ISSUER [--follow URL | --redis URL]` is one
//! machine, for as many processes as you like.
//!
//! A list lives in memory. That of a machine without a feed is empty again after a restart, and whoever begins to
//! follow it then learns as little; a broker keeps what was revoked. See "Revocation" in `docs/deployment.md`.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints, spawns and waits

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::{Json, Router, middleware::from_extractor, routing::get};
use countersign::{Authenticator, FeedSettings, Issuer, Microservice, Microservices, WhenOld};
use countersign::{Clock, RedisRevocations, RedisStream, Revocation, RevocationFeed};
use countersign::{RevocationList, RevocationPublisher, ServerSentEvents, ServicePrincipal};
use countersign_testing::TestIssuer;
use reqwest::Client;

type Error = Box<dyn std::error::Error + Send + Sync>;

const API: &str = "https://api.acme.example";

/// How a machine learns what was revoked elsewhere.
enum Feed {
    /// It does not: the others follow it.
    None,
    /// From another machine.
    Follow(String),
    /// With all others, from a broker.
    Redis(String),
}

async fn whoami(caller: ServicePrincipal) -> String {
    format!("{} is in", caller.client().unwrap_or("a machine"))
}

/// For the vendor's own tools: revokes on this machine and, through it, on all.
async fn revoke(
    State(list): State<RevocationList>,
    Json(revocation): Json<Revocation>,
) -> Result<(), StatusCode> {
    let revoked = list.revoke(revocation);
    revoked.map_err(|_| StatusCode::INSUFFICIENT_STORAGE)?;
    Ok(())
}

/// One machine, on a free port. Its URL. It takes no request before it knows what was revoked.
async fn serve(issuer: &str, feed: Feed) -> Result<String, Error> {
    let list = RevocationList::new();
    let mut settings = FeedSettings::default();
    settings.when_old = WhenOld::Refuse; // better no answer than a wrong one
    settings.max_backoff = Duration::from_millis(250);

    // Who runs the tools is listed, since a token that names no organization makes nobody one of ours.
    let trusted = Issuer::new(issuer, API).with_microservices(Microservices::clients(["ops"]));
    let builder = Authenticator::builder().issuer(trusted);
    let limit = Duration::from_secs(10);
    let builder = match feed {
        Feed::None => builder.with_revocations(Arc::new(list.clone())),
        Feed::Follow(url) => {
            let token_endpoint = format!("{issuer}/token");
            let source = ServerSentEvents::new(url)?.with_authorization(move || {
                let token_endpoint = token_endpoint.clone();
                async move { credential(&token_endpoint).await.ok() }
            });
            let feed = RevocationFeed::start(list.clone(), settings, source);
            feed.caught_up(limit).await?;
            builder.with_revocations(Arc::new(feed))
        }
        Feed::Redis(url) => {
            let stream = RedisStream::open(&url)?;
            let revocations = RedisRevocations::start(list.clone(), settings, stream);
            revocations.feed().caught_up(limit).await?;
            builder.with_revocations(Arc::new(revocations))
        }
    };
    let feed = RevocationPublisher::new(list.clone()).route();
    let app = Router::new()
        .route("/revocations", feed.post(revoke))
        .route_layer(from_extractor::<Microservice>()) // it names clients and users, and says who is let in
        .route("/", get(whoami))
        .layer(builder.build().await?.layer())
        .with_state(list);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(url)
}

/// The machines' own token, to follow each other with.
async fn credential(token_endpoint: &str) -> Result<HeaderValue, Error> {
    #[derive(serde::Deserialize)]
    struct Answer {
        access_token: String,
    }

    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let request = http()?.post(token_endpoint).form(&form);
    let answer = request.basic_auth("ops", Some("secret")).send().await?;
    let answer: Answer = answer.error_for_status()?.json().await?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", answer.access_token))?;
    value.set_sensitive(true);
    Ok(value)
}

fn http() -> Result<Client, Error> {
    let http = Client::builder().no_proxy();
    Ok(http.timeout(Duration::from_secs(5)).build()?)
}

/// The status of a request to a machine with this token.
async fn ask(http: &Client, machine: &str, token: &str) -> Result<StatusCode, Error> {
    let answer = http.get(machine).bearer_auth(token).send().await?;
    Ok(answer.status())
}

/// Three machines; the first revokes, and the others have a second to refuse.
async fn show() -> Result<bool, Error> {
    let issuer = TestIssuer::serve() // stands in for your authorization server
        .await
        .with_client("ops", "secret", None, &[]);
    let first = serve(issuer.name(), Feed::None).await?;
    let feed = || Feed::Follow(format!("{first}/revocations"));
    let machines = [
        &first,
        &serve(issuer.name(), feed()).await?,
        &serve(issuer.name(), feed()).await?,
    ];
    let token = |client: &str, id: &str| {
        let token = issuer.service_principal(client).with_audience(API);
        token.with_claim("jti", id).mint()
    };
    let stolen = token("m2m-acme", "stolen");
    let same_client = token("m2m-acme", "another");
    let other_client = token("m2m-globex", "a third");
    let ops = issuer.microservice("ops").with_audience(API).mint();

    let now = countersign::SystemClock::new().unix_time();
    let hour = Duration::from_secs(3600);
    let later = Duration::from_secs(1); // what was issued in this very second counts as issued before
    let by_id = Revocation::token(issuer.name(), "stolen", now + hour)?;
    let by_client = Revocation::client(issuer.name(), "m2m-acme", now + later)?;
    let mut as_expected = true;
    let http = http()?;
    for (what, revocation, expected) in [
        ("nothing revoked", None, [200, 200, 200]),
        ("the token revoked", Some(by_id), [401, 200, 200]),
        ("its client revoked", Some(by_client), [401, 401, 200]),
    ] {
        if let Some(revocation) = revocation {
            let request = http.post(format!("{first}/revocations")).json(&revocation);
            let answer = request.bearer_auth(&ops).send().await?;
            answer.error_for_status()?;
        }
        for machine in machines {
            let mut answered = Vec::new();
            for _ in 0..20 {
                answered.clear();
                for token in [&stolen, &same_client, &other_client] {
                    answered.push(ask(&http, machine, token).await?.as_u16());
                }
                if answered == expected {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            println!("{what}: {machine} answers {answered:?}");
            as_expected &= answered == expected;
        }
    }
    // Nobody but the vendor's tools reads the feed or writes to it.
    let feed = format!("{first}/revocations");
    let nosy = ask(&http, &feed, &other_client).await?;
    println!("a customer reads the feed: {nosy}");
    Ok(as_expected && nosy == StatusCode::FORBIDDEN)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (issuer, feed) = match arguments[..] {
        [] | ["--check"] => std::process::exit(i32::from(!show().await?)),
        [issuer] => (issuer, Feed::None),
        [issuer, "--follow", url] => (issuer, Feed::Follow(url.to_owned())),
        [issuer, "--redis", url] => (issuer, Feed::Redis(url.to_owned())),
        _ => {
            return Err("usage: revocation [--check | ISSUER [--follow URL | --redis URL]]".into());
        }
    };
    let url = serve(issuer, feed).await?;
    println!("{}", serde_json::json!({ "listening": url }));
    std::future::pending().await
}
