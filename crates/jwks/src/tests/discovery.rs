//! From the issuer to its keys.

use super::keys::jwk;
use super::world::{ISSUER, Reply, World, s, word};
use crate::algorithm::Algorithm;
use crate::fetch::FetchFailure;
use crate::jwks::Jwks;
use crate::source::KeySource;

const ED: Algorithm = Algorithm::Ed25519;
const OPENID: &str = "https://acme.example/.well-known/openid-configuration";
const OAUTH: &str = "https://acme.example/.well-known/oauth-authorization-server";
const FIRST: &str = "https://acme.example/first";
const SECOND: &str = "https://keys.acme.example/second";

fn metadata(issuer: &str, jwks_uri: &str) -> Reply {
    Reply::json(serde_json::json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string())
}

async fn discovered(world: &World) -> Jwks {
    world.builder(KeySource::Discovery).build().await.unwrap()
}

#[tokio::test]
async fn keys_are_found_by_openid_metadata_and_else_by_oauth_metadata() {
    for (place, asked) in [
        (OPENID, vec![OPENID, FIRST]),
        (OAUTH, vec![OPENID, OAUTH, FIRST]),
    ] {
        let world = World::new();
        world.network.at(place, metadata(ISSUER, FIRST));
        world.network.at(FIRST, Reply::keys(&[jwk("a")]));
        let jwks = discovered(&world).await;
        assert_eq!(world.network.urls(), asked);
        assert_eq!(word(&jwks.key(Some("a"), ED)), "found");
        let requests = world.network.requests();
        assert_eq!(requests[0].accept, "application/json");
    }
}

#[tokio::test]
async fn only_a_404_leads_to_the_other_place() {
    for status in [400, 403, 410, 500] {
        let world = World::new();
        world.network.at(OPENID, Reply::status(status));
        world.network.at(OAUTH, metadata(ISSUER, FIRST));
        let builder = world.builder(KeySource::Discovery);
        let jwks = builder.start(crate::Start::Degraded).build().await.unwrap();
        super::world::settle().await;
        assert_eq!(jwks.status().last_error, Some(FetchFailure::Status(status)));
        assert_eq!(world.network.urls(), [OPENID], "{status}");
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_trusted_leads_nowhere() {
    let cases = [
        (
            metadata("https://evil.example", FIRST),
            false,
            FetchFailure::IssuerMismatch,
        ),
        (
            metadata("https://acme.example/", FIRST),
            false,
            FetchFailure::IssuerMismatch,
        ),
        (
            metadata(ISSUER, "http://acme.example/first"),
            false,
            FetchFailure::InsecureUrl,
        ),
        (metadata(ISSUER, SECOND), true, FetchFailure::OtherOrigin),
        (Reply::json("{}"), false, FetchFailure::Malformed),
        (
            metadata(ISSUER, FIRST).header(http::header::CONTENT_TYPE, "application/jwk-set+json"),
            false,
            FetchFailure::ContentType,
        ),
        (
            metadata(ISSUER, FIRST).body(vec![b' '; 256 * 1024 + 1]),
            false,
            FetchFailure::TooLarge,
        ),
        (Reply::status(302), false, FetchFailure::Redirect),
    ];
    for (reply, same_origin_only, expected) in cases {
        let world = World::new();
        world.network.at(OPENID, reply);
        world.network.at(FIRST, Reply::keys(&[jwk("a")]));
        world.network.at(SECOND, Reply::keys(&[jwk("a")]));
        let builder = world
            .builder(KeySource::Discovery)
            .same_origin_only(same_origin_only)
            .start(crate::Start::Degraded);
        let jwks = builder.build().await.unwrap();
        super::world::settle().await;
        assert_eq!(jwks.status().last_error, Some(expected));
        assert_eq!(world.network.urls(), [OPENID], "{expected}");
    }
}

#[tokio::test]
async fn the_discovered_url_is_kept_for_an_hour_and_then_discovered_anew() {
    let world = World::new();
    world.network.at(OPENID, metadata(ISSUER, FIRST));
    world
        .network
        .at(FIRST, Reply::keys(&[jwk("a")]).etag("\"first\""));
    let jwks = discovered(&world).await;
    world.network.at(OPENID, metadata(ISSUER, SECOND));
    world.network.at(SECOND, Reply::keys(&[jwk("b")]));

    world.clock.pass(s(3600)).await;
    let urls = world.network.urls();
    assert!(urls[1..].iter().all(|url| url == FIRST), "{urls:?}");
    world.clock.pass(s(260)).await;
    let later = &world.network.requests()[urls.len()..];
    assert_eq!([&*later[0].url, &*later[1].url], [OPENID, SECOND]);
    // The tag of the other URL's set was not sent along.
    assert_eq!(later[1].etag, None);
    assert_eq!(word(&jwks.key(Some("b"), ED)), "found");
}

#[tokio::test]
async fn a_failed_fetch_makes_the_url_be_discovered_anew() {
    let world = World::new();
    world.network.at(OPENID, metadata(ISSUER, FIRST));
    world.network.at(FIRST, Reply::keys(&[jwk("a")]));
    let jwks = discovered(&world).await;
    world.network.at(OPENID, metadata(ISSUER, SECOND));
    world.network.at(FIRST, Reply::status(404));
    world.network.at(SECOND, Reply::keys(&[jwk("b")]));

    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "unavailable");
    assert_eq!(word(&jwks.refresh_for(Some("b"), ED).await), "found");
    assert_eq!(world.network.urls()[2..], [FIRST, OPENID, SECOND]);
}

#[tokio::test]
async fn discovery_and_keys_share_one_deadline() {
    let world = World::new();
    world.network.at(OPENID, metadata(ISSUER, FIRST));
    world.network.at(FIRST, Reply::keys(&[jwk("a")]));
    world.network.hold();
    let builder = world.builder(KeySource::Discovery);
    let jwks = builder.start(crate::Start::Degraded).build().await.unwrap();
    world.clock.pass(s(3)).await;
    world.network.release();
    super::world::settle().await;
    assert!(jwks.is_ready());
    let requests = world.network.requests();
    assert_eq!((requests[0].deadline, requests[1].deadline), (s(5), s(2)));
}
