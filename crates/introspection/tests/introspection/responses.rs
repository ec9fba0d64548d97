//! What is an answer, and what is none.

use countersign_introspection::IntrospectionPolicy;
use countersign_jwks::FetchFailure;
use serde_json::json;

use crate::world::{Reply, World, s, word};

const UNAVAILABLE: &str = "unavailable for 1 s";
/// Not asked about again for a while.
const UNSAID: &str = "unavailable for 5 s";

#[tokio::test]
async fn only_200_with_json_within_the_limit_is_an_answer() {
    let inactive = br#"{"active":false}"#.to_vec();
    let large = [inactive.as_slice(), &vec![b' '; 65 << 10]].concat();
    let largest = [
        inactive.as_slice(),
        &vec![b' '; (64 << 10) - inactive.len()],
    ]
    .concat();
    for (reply, expected) in [
        (
            Reply::Content("application/json", inactive.clone()),
            "inactive",
        ),
        (
            Reply::Content("Application/JSON; charset=utf-8", inactive.clone()),
            "inactive",
        ),
        (Reply::Content("application/json", largest), "inactive"),
        (Reply::Content("application/json", large), UNSAID),
        (Reply::Content("text/html", inactive.clone()), UNSAID),
        (Reply::Content("text/plain", inactive.clone()), UNSAID),
        (
            Reply::Content("application/jsonp", inactive.clone()),
            UNSAID,
        ),
        (
            Reply::Content("application/token-introspection+jwt", b"a.b.c".to_vec()),
            UNSAID,
        ),
        (Reply::Status(200, None), UNSAID),
        (Reply::Status(204, None), UNSAID),
        (Reply::Status(302, None), UNSAID),
        (Reply::Status(304, None), UNSAID),
        (Reply::Status(400, None), UNSAID),
        (Reply::Status(401, None), UNAVAILABLE),
        (Reply::Status(403, None), UNSAID),
        (Reply::Status(404, None), UNSAID),
        (Reply::Status(500, None), UNAVAILABLE),
        (Reply::Failed(FetchFailure::Connect), UNAVAILABLE),
        (Reply::Failed(FetchFailure::Timeout), UNAVAILABLE),
        // Not remembered.
        (Reply::Failed(FetchFailure::Interrupted), UNAVAILABLE),
        (Reply::Failed(FetchFailure::Redirect), UNSAID),
        (Reply::Failed(FetchFailure::TooLarge), UNSAID),
    ] {
        let world = World::new();
        world.wire.answer("token", reply.clone());
        let outcome = word(&world.ask("token").await);
        let of = match &reply {
            Reply::Content(content_type, body) => format!("{content_type}, {}", body.len()),
            Reply::Status(status, _) => status.to_string(),
            _ => "a failure".to_owned(),
        };
        assert_eq!(outcome, expected, "{of}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_makes_a_token_neither_good_nor_bad_and_stops_no_other() {
    let twice = r#"{"active":true,"active":true}"#;
    let as_text = r#"{"active":"true"}"#;
    for body in ["", "<p>sign in", "[]", "{}", as_text, twice, "\u{feff}{}"] {
        let world = World::new();
        let reply = Reply::Content("application/json", body.into());
        world.wire.answer("token", reply);
        world.activate("other", "m2m", s(3600));
        for _ in 0..10 {
            assert_eq!(
                word(&world.ask("token").await),
                "unavailable for 5 s",
                "{body}"
            );
        }
        assert_eq!(world.wire.asked(), 1, "{body}: not asked over and over");
        assert_eq!(word(&world.ask("other").await), "m2m", "{body}");
    }
    let world = World::new();
    let not_utf8 = Reply::Content(
        "application/json",
        b"{\"active\":true,\"a\":\"\xff\"}".into(),
    );
    world.wire.answer("token", not_utf8);
    assert_eq!(word(&world.ask("token").await), "unavailable for 5 s");
}

#[tokio::test]
async fn a_claim_that_breaks_a_rule_is_a_refusal() {
    for (changes, expected) in [
        (json!({"iss": "https://as.globex.test"}), "unknown_issuer"),
        (json!({"iss": null}), "malformed_claim"),
        (
            json!({"aud": "https://billing.acme.test"}),
            "wrong_audience",
        ),
        (
            json!({"token_type": "refresh_token"}),
            "not_an_access_token",
        ),
        (json!({"exp": 1_700_000_000}), "expired"),
        (json!({"exp": "never"}), "malformed_claim"),
        (json!({"sub": 5}), "malformed_claim"),
        (json!({"active": false}), "inactive"),
    ] {
        let world = World::new();
        let mut answer = world.answer("m2m", s(3600));
        for (name, value) in changes.as_object().unwrap() {
            answer[name] = value.clone();
        }
        world.wire.answer("token", Reply::Json(answer.to_string()));
        assert_eq!(word(&world.ask("token").await), expected, "{changes}");
    }
}

#[tokio::test]
async fn issuer_and_audience_may_be_left_out_where_that_was_said() {
    for (left_out, issuer_optional, audience_optional, expected) in [
        ("iss", false, true, "missing_claim"),
        ("iss", true, false, "m2m"),
        ("aud", true, false, "missing_claim"),
        ("aud", false, true, "m2m"),
    ] {
        let world = World::with(|mut builder| {
            if issuer_optional {
                builder = builder.with_issuer_optional();
            }
            if audience_optional {
                builder = builder.with_audience_optional();
            }
            builder
        });
        let mut answer = world.answer("m2m", s(3600));
        answer.as_object_mut().unwrap().remove(left_out);
        world.wire.answer("token", Reply::Json(answer.to_string()));
        assert_eq!(
            word(&world.ask("token").await),
            expected,
            "without {left_out}"
        );
    }
}

#[tokio::test]
async fn a_question_is_given_up_at_the_deadline_whatever_the_client() {
    let policy = IntrospectionPolicy::default().with_deadline(s(2));
    let world = World::with_policy(policy);
    world.wire.answer("token", Reply::Hang);
    let mut asking = Box::pin(world.ask("token"));
    assert!(crate::world::nudge(&mut asking).await.is_none());
    assert_eq!(world.wire.last().deadline, s(2));
    world.clock.advance(s(1)).await;
    assert!(crate::world::nudge(&mut asking).await.is_none());
    world.clock.advance(s(1)).await;
    assert_eq!(word(&asking.await), UNAVAILABLE);
}
