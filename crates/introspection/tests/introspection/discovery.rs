//! Where the endpoint is, when the metadata says it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign_jwks::{BoxFuture, Fetch, FetchFailure, FetchRequest};
use countersign_token::Issuer;
use http::Response;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::world::{API, ISSUER, Reply, World, nudge, s, word};

/// An issuer's metadata, with the addresses at which it was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata(Arc<Mutex<(Value, Vec<String>)>>);

impl Metadata {
    fn of(document: Value) -> Self {
        Self(Arc::new(Mutex::new((document, Vec::new()))))
    }

    fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Fetch for Metadata {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let mut state = self.0.lock().unwrap();
        let is_openid = request.url.contains("openid");
        state.1.push(request.url);
        match &state.0 {
            Value::Null => return Box::pin(async { Err(FetchFailure::Connect) }),
            document if document["hangs"] == true => {
                let metadata = self.clone();
                return Box::pin(async move {
                    while metadata.0.lock().unwrap().0["hangs"] == true {
                        tokio::task::yield_now().await;
                    }
                    Ok(metadata.answer(is_openid))
                });
            }
            _ => {}
        }
        drop(state);
        let answered = self.answer(is_openid);
        Box::pin(async { Ok(answered) })
    }
}

impl Metadata {
    fn set(&self, document: Value) {
        self.0.lock().unwrap().0 = document;
    }

    fn answer(&self, is_openid: bool) -> Response<Bytes> {
        let response = Response::builder().header(CONTENT_TYPE, "application/json");
        let response = match &self.0.lock().unwrap().0 {
            // Only OAuth's place, as of a server that is no OpenID provider.
            document if document["oauth_only"] == true && is_openid => {
                response.status(404).body(Bytes::new())
            }
            document => response.body(document.to_string().into()),
        };
        response.unwrap()
    }
}

fn world_of(issuer: Issuer, metadata: &Metadata) -> World {
    World::discovering(issuer, Arc::new(metadata.clone()))
}

fn document(endpoint: &str) -> Value {
    json!({"issuer": ISSUER, "introspection_endpoint": endpoint})
}

#[tokio::test]
async fn the_endpoint_is_looked_up_once_and_again_after_an_hour_or_a_failure() {
    let metadata = Metadata::of(document("https://as.acme.test/one"));
    let world = world_of(Issuer::new(ISSUER, API), &metadata);
    assert!(
        metadata.asked().is_empty(),
        "not before there is a question"
    );
    for token in ["a", "b", "c"] {
        assert_eq!(word(&world.ask(token).await), "inactive");
        assert_eq!(world.wire.last().url, "https://as.acme.test/one");
    }
    let place = "https://as.acme.test/.well-known/openid-configuration";
    assert_eq!(metadata.asked(), [place]);

    metadata.set(document("https://as.acme.test/two"));
    world.wire.answer("c2", Reply::Status(400, None));
    assert_eq!(word(&world.ask("c2").await), "unavailable for 5 s");
    assert_eq!(word(&world.ask("c3").await), "inactive");
    assert_eq!(metadata.asked().len(), 1, "it was found a moment ago");
    for (moved, reply) in [
        Reply::Status(400, None),
        Reply::Status(403, None),
        Reply::Status(404, None),
        Reply::Status(308, None),
        Reply::Content("text/html", b"moved".into()),
    ]
    .into_iter()
    .enumerate()
    {
        for early in 0..3 {
            let token = format!("d{moved}{early}");
            world.wire.answer(&token, reply.clone());
            assert_eq!(word(&world.ask(&token).await), "unavailable for 5 s");
        }
        assert_eq!(word(&world.ask(&format!("e{moved}")).await), "inactive");
        assert_eq!(
            metadata.asked().len(),
            1 + moved,
            "no caller has it looked for all the time"
        );
        world.clock.advance(s(60)).await;
        let token = format!("f{moved}");
        world.wire.answer(&token, reply);
        assert_eq!(word(&world.ask(&token).await), "unavailable for 5 s");
        assert_eq!(word(&world.ask(&format!("g{moved}")).await), "inactive");
        assert_eq!(world.wire.last().url, "https://as.acme.test/two");
        assert_eq!(metadata.asked().len(), 2 + moved);
    }

    metadata.set(document("https://as.acme.test/three"));
    world.clock.advance(s(3601)).await;
    assert_eq!(word(&world.ask("h").await), "inactive");
    assert_eq!(
        world.wire.last().url,
        "https://as.acme.test/two",
        "nobody waits for it"
    );
    assert_eq!(word(&world.ask("i").await), "inactive");
    assert_eq!(world.wire.last().url, "https://as.acme.test/three");
    assert_eq!(metadata.asked().len(), 7);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_looked_for_once_a_minute() {
    let metadata = Metadata::of(document("https://as.acme.test/one"));
    let world = world_of(Issuer::new(ISSUER, API), &metadata);
    assert_eq!(word(&world.ask("a").await), "inactive");
    metadata.set(document("https://as.acme.test/two"));
    let gone = Reply::Failed(FetchFailure::Connect);
    world.wire.answer("b", gone.clone());
    world.wire.answer("c", gone);
    world.clock.advance(s(59)).await;
    assert_eq!(word(&world.ask("b").await), "unavailable for 1 s");
    assert_eq!(word(&world.ask("a2").await), "inactive");
    assert_eq!(metadata.asked().len(), 1, "it was found a minute ago");
    world.clock.advance(s(1)).await;
    assert_eq!(word(&world.ask("c").await), "unavailable for 1 s");
    assert_eq!(word(&world.ask("d").await), "inactive");
    assert_eq!(world.wire.last().url, "https://as.acme.test/two");
    assert_eq!(metadata.asked().len(), 2);
}

#[tokio::test]
async fn metadata_that_is_away_lets_no_caller_have_the_place_forgotten() {
    let (hangs, elsewhere) = (json!({"hangs": true}), json!({"issuer": "https://x.test"}));
    for away in [Value::Null, hangs, elsewhere, json!({"issuer": ISSUER})] {
        let metadata = Metadata::of(document("https://as.acme.test/one"));
        let world = world_of(Issuer::new(ISSUER, API), &metadata);
        world.activate("known", "m2m", s(24 * 3600));
        assert_eq!(word(&world.ask("known").await), "m2m");
        metadata.set(away.clone());
        for minute in 1..=100 {
            world.clock.advance(s(60)).await;
            for token in 0..3 {
                let token = format!("made-up-{minute}-{token}");
                world.wire.answer(&token, Reply::Status(403, None));
                assert_eq!(word(&world.ask(&token).await), "unavailable for 5 s");
                assert_eq!(word(&world.ask_anew("known").await), "m2m", "{away}");
            }
            let new = format!("new-{minute}");
            assert_eq!(word(&world.ask(&new).await), "inactive", "{away}");
            assert_eq!(metadata.asked().len(), 1 + minute, "{away}");
        }
    }
}

#[tokio::test]
async fn a_place_that_is_not_found_again_is_asked_for_a_day() {
    let metadata = Metadata::of(document("https://as.acme.test/one"));
    let world = world_of(Issuer::new(ISSUER, API), &metadata);
    assert_eq!(word(&world.ask("a").await), "inactive");
    metadata.set(Value::Null);
    for hour in 1..=24 {
        world.clock.advance(s(3600)).await;
        assert_eq!(word(&world.ask(&format!("b{hour}")).await), "inactive");
    }
    world.clock.advance(s(1)).await;
    let asked = world.wire.asked();
    assert_eq!(word(&world.ask("c").await), "unavailable for 1 s");
    assert_eq!(world.wire.asked(), asked);
    metadata.set(document("https://as.acme.test/two"));
    assert_eq!(word(&world.ask("d").await), "inactive");
    assert_eq!(world.wire.last().url, "https://as.acme.test/two");
}

#[tokio::test]
async fn where_no_place_is_known_one_question_looks_and_the_others_wait_for_it() {
    let metadata = Metadata::of(json!({"hangs": true}));
    let world = world_of(Issuer::new(ISSUER, API), &metadata);
    let tokens: Vec<_> = (0..5).map(|token| format!("token-{token}")).collect();
    let mut waiting: Vec<_> = tokens
        .iter()
        .map(|token| Box::pin(world.ask(token)))
        .collect();
    for one in &mut waiting {
        assert!(nudge(one).await.is_none());
    }
    metadata.set(document("https://as.acme.test/one"));
    for one in waiting {
        assert_eq!(word(&one.await), "inactive");
    }
    assert_eq!((metadata.asked().len(), world.wire.asked()), (1, 5));
}

#[tokio::test]
async fn metadata_is_also_looked_for_where_oauth_has_it() {
    let mut document = document("https://as.acme.test/one");
    document["oauth_only"] = true.into();
    let metadata = Metadata::of(document);
    let world = world_of(Issuer::new(ISSUER, API), &metadata);
    assert_eq!(word(&world.ask("a").await), "inactive");
    assert_eq!(metadata.asked().len(), 2);
}

#[tokio::test]
async fn metadata_that_leads_nowhere_or_elsewhere_is_a_failure_and_no_token_is_sent() {
    let same_origin = Issuer::new(ISSUER, API).with_same_origin_keys();
    for (issuer, document) in [
        (Issuer::new(ISSUER, API), Value::Null),
        (Issuer::new(ISSUER, API), json!({"issuer": ISSUER})),
        (Issuer::new(ISSUER, API), json!([])),
        (
            Issuer::new(ISSUER, API),
            document("http://as.acme.test/introspect"),
        ),
        (
            Issuer::new(ISSUER, API),
            document("http://127.0.0.1/introspect"),
        ),
        (Issuer::new(ISSUER, API), document("/introspect")),
        (
            Issuer::new(ISSUER, API),
            json!({"issuer": "https://as.globex.test", "introspection_endpoint": "https://as.globex.test/i"}),
        ),
        (same_origin, document("https://elsewhere.test/introspect")),
    ] {
        let metadata = Metadata::of(document.clone());
        let world = world_of(issuer, &metadata);
        assert_eq!(
            word(&world.ask("a").await),
            "unavailable for 1 s",
            "{document}"
        );
        assert_eq!(world.wire.asked(), 0, "{document}");
    }
}
