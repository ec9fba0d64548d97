use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use countersign_bearer::Validity;
use countersign_jwks::Clock;
use countersign_revocation::{FeedFailure, Revocation, RevocationFeed, RevocationPublisher};
use futures_util::StreamExt;

use crate::world::{
    Answer, ISSUER, LONG, Raw, Served, breathe, caught_up, change, check, events, everything,
    follow, list, list_by, meanwhile, quick, refuses, source, user,
};

#[tokio::test]
async fn what_the_publisher_knew_and_what_it_learns_is_refused_by_the_follower() {
    let origin = list();
    origin.revoke(user(&origin, "ann")).unwrap();
    let server = Served::publishing(&RevocationPublisher::new(origin.clone())).await;
    let feed = follow(&server.url());
    feed.caught_up(LONG).await.unwrap();
    assert_eq!(check(&feed, "ann"), Validity::Revoked);
    assert_eq!(check(&feed, "bob"), Validity::Valid);
    origin.revoke(user(&origin, "bob")).unwrap();
    refuses(&feed, "bob").await;
    let status = feed.status();
    assert!(status.current && !status.old, "{status:?}");
    assert_eq!((status.added, status.refused, status.failures), (2, 0, 0));
}

#[tokio::test]
async fn thousands_of_entries_come_whole_and_so_does_more_than_is_kept_of_late() {
    let origin = list();
    let all = |from: u32| (from..from + 3000).map(|n| format!("user {n}"));
    let revoke = |from| {
        let some = all(from).map(|name| user(&origin, &name));
        origin.record(some, countersign_revocation::Origin::BY_HAND);
    };
    revoke(0);
    let server = Served::publishing(&RevocationPublisher::new(origin.clone())).await;
    let feed = follow(&server.url());
    feed.caught_up(LONG).await.unwrap();
    revoke(3000);
    let has_all = || feed.list().status().not_befores == 6000;
    meanwhile("all have come", has_all).await;
    let names = |list: &countersign_revocation::RevocationList| -> HashSet<_> {
        list.entries().1.iter().map(Revocation::to_json).collect()
    };
    assert_eq!(names(feed.list()), names(&origin));
}

#[tokio::test]
async fn a_follower_catches_up_with_a_publisher_that_was_away_and_forgets_nothing_by_one_that_forgot()
 {
    let origin = list();
    let publisher = RevocationPublisher::new(origin.clone());
    let mut server = Served::publishing(&publisher).await;
    let (address, url) = (server.address, server.url());
    let feed = follow(&url);
    feed.caught_up(LONG).await.unwrap();
    origin.revoke(user(&origin, "ann")).unwrap();
    refuses(&feed, "ann").await;

    drop(server);
    publisher.close();
    meanwhile("it breaks", || feed.status().last_failure.is_some()).await;
    origin.revoke(user(&origin, "bob")).unwrap();
    let publisher = RevocationPublisher::new(origin.clone());
    server = Served::at(
        address,
        Router::new().route("/", publisher.dangerous_open_route()),
    )
    .await;
    refuses(&feed, "bob").await;

    drop(server);
    publisher.close();
    meanwhile("it breaks again", || !feed.status().current).await;
    let forgetful = list();
    let publisher = RevocationPublisher::new(forgetful.clone());
    let _server = Served::at(
        address,
        Router::new().route("/", publisher.dangerous_open_route()),
    )
    .await;
    meanwhile("it is back", || feed.status().current).await;
    forgetful.revoke(user(&forgetful, "cleo")).unwrap();
    refuses(&feed, "cleo").await;
    for name in ["ann", "bob"] {
        assert_eq!(check(&feed, name), Validity::Revoked, "{name}");
    }
}

#[tokio::test]
async fn a_follower_says_where_it_was_and_goes_on_from_there() {
    let list = list();
    let (ann, bob) = (user(&list, "ann"), user(&list, "bob"));
    let first = everything(&[&ann], 7) + &change(8, &bob);
    let server = Raw::new(Answer::Ended(events(&first))).await;
    let feed = follow(&server.url);
    refuses(&feed, "bob").await;
    let cleo = change(9, &user(&list, "cleo")) + &caught_up(9);
    server.answer(Answer::Held(events(&cleo)));
    refuses(&feed, "cleo").await;
    let heads = server.heads();
    assert!(!heads[0].contains("last-event-id"), "{}", heads[0]);
    let head = heads.last().unwrap();
    assert!(
        head.contains("last-event-id: 00000000000000aa-8\r\n"),
        "{head}"
    );
    assert!(head.contains("accept: text/event-stream\r\n"), "{head}");
}

#[tokio::test]
async fn lists_that_follow_each_other_come_to_rest() {
    let (one, other) = (list(), list());
    let first = Served::publishing(&RevocationPublisher::new(one.clone())).await;
    let second = Served::publishing(&RevocationPublisher::new(other.clone())).await;
    let feeds = [
        RevocationFeed::start(one.clone(), quick(), source(&second.url())),
        RevocationFeed::start(other.clone(), quick(), source(&first.url())),
    ];
    for feed in &feeds {
        feed.caught_up(LONG).await.unwrap();
    }
    one.revoke(user(&one, "ann")).unwrap();
    other.revoke(user(&other, "bob")).unwrap();
    for feed in &feeds {
        refuses(feed, "ann").await;
        refuses(feed, "bob").await;
    }
    for _ in 0..50 {
        breathe().await;
    }
    assert_eq!((one.sequence(), other.sequence()), (2, 2));
}

#[tokio::test]
async fn there_are_so_many_places_and_one_is_free_when_a_follower_is_gone() {
    let origin = list();
    let publisher = RevocationPublisher::new(origin).with_max_followers(1);
    let server = Served::publishing(&publisher).await;
    let first = follow(&server.url());
    first.caught_up(LONG).await.unwrap();
    let second = follow(&server.url());
    let refused = Some(FeedFailure::Status(503));
    meanwhile("there is no place", || {
        second.status().last_failure == refused
    })
    .await;
    drop(first);
    second.caught_up(LONG).await.unwrap();
}

#[tokio::test]
async fn the_credential_is_asked_for_with_each_connection() {
    async fn guard(request: Request, next: Next) -> Response {
        match request.headers().get("authorization") {
            Some(value) if value == "Bearer 3" => next.run(request).await,
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
    let publisher = RevocationPublisher::new(list());
    let app = Router::new()
        .route("/", publisher.dangerous_open_route())
        .layer(from_fn(guard));
    let server = Served::new(app).await;
    let attempts = std::sync::atomic::AtomicU32::new(0);
    let credential = move || {
        let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            let value = HeaderValue::from_str(&format!("Bearer {attempt}")).unwrap();
            (attempt > 0).then_some(value)
        }
    };
    let authorized = source(&server.url()).with_authorization(credential);
    let feed = RevocationFeed::start(list(), quick(), authorized);
    feed.caught_up(LONG).await.unwrap();
    assert_eq!(feed.status().failures, 3);

    let stranger = follow(&server.url());
    let refused = Some(FeedFailure::Status(401));
    meanwhile("it is refused", || {
        stranger.status().last_failure == refused
    })
    .await;
}

#[test]
fn a_feed_over_plain_http_from_elsewhere_is_refused() {
    for url in [
        "http://feed.acme.test/",
        "https://user:pass@feed.acme.test/",
        "feed",
        "ftp://127.0.0.1/",
    ] {
        let source =
            countersign_revocation::ServerSentEvents::with_client(url, crate::world::http());
        assert!(source.is_err(), "{url}");
    }
}

#[tokio::test]
async fn only_the_vendors_own_services_are_told() {
    const API: &str = "https://api.acme.test";
    let issuer = countersign_testing::TestIssuer::new("https://as.acme.test");
    let trusted = issuer.trusted_for(API);
    let trusted =
        trusted.with_microservices(countersign_token::Microservices::clients(["billing"]));
    let authenticator = countersign_bearer::Authenticator::builder().issuer(trusted);
    let authenticator = authenticator.build().await.unwrap();
    let publisher = RevocationPublisher::new(list());
    let bare: Router = Router::new().route("/", publisher.route());
    let guarded = bare.clone().layer(authenticator.layer());
    let of = |client: &str| issuer.service_principal(client).with_audience(API).mint();
    let user = issuer
        .delegated_user("billing", "ann")
        .with_audience(API)
        .mint();
    for (app, token, status) in [
        (&guarded, of("billing"), 200),
        (&guarded, of("m2m-acme"), 403),
        (&guarded, user, 403),
        (&guarded, "x".to_owned(), 401),
        (&bare, of("billing"), 500),
    ] {
        let request =
            axum::http::Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(app.clone(), request)
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_it_was_opened_with() {
    const API: &str = "https://api.acme.test";
    let clock = countersign_testing::FakeClock::new();
    let issuer = countersign_testing::TestIssuer::new(ISSUER).with_clock(Arc::new(clock.clone()));
    let microservices = countersign_token::Microservices::clients(["billing"]);
    let trusted = issuer.trusted_for(API).with_microservices(microservices);
    let authenticator = countersign_bearer::Authenticator::builder()
        .issuer(trusted)
        .with_clock(Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    for is_revoked in [false, true] {
        let list = list_by(Arc::new(clock.clone()));
        let publisher = RevocationPublisher::new(list.clone());
        let app: Router = Router::new().route("/", publisher.route());
        let token = issuer.service_principal("billing").with_audience(API);
        let token = token.with_lifetime(Duration::from_secs(600)).mint();
        let request = axum::http::Request::get("/")
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::empty())
            .unwrap();
        let app = app.layer(authenticator.layer());
        let answer = tower::ServiceExt::oneshot(app, request).await.unwrap();
        let mut stream = answer.into_body().into_data_stream();
        let first = stream.next().await.unwrap().unwrap();
        assert!(first.starts_with(b"event: reset"));
        list.revoke(user(&list, "ann")).unwrap();
        let told = stream.next().await.unwrap().unwrap();
        assert!(told.windows(3).any(|bytes| bytes == b"ann"));
        if is_revoked {
            let now = clock.unix_time() + Duration::from_secs(1);
            let billing = Revocation::client(ISSUER, "billing", now).unwrap();
            list.revoke(billing).unwrap();
        } else {
            clock.advance(Duration::from_secs(600)).await;
        }
        list.revoke(user(&list, "bob")).unwrap();
        assert!(stream.next().await.is_none(), "bob is told to nobody");
    }
}
