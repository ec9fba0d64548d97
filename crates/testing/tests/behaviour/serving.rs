use countersign_testing::TestIssuer;
use tokio::io::AsyncReadExt;

use crate::http::{connect, get, send};

#[tokio::test]
async fn both_places_of_the_metadata_name_the_issuer_and_its_keys() {
    let issuer = TestIssuer::serve().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let answer = get(issuer.name(), path, "").await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let metadata = answer.json();
        assert_eq!(metadata["issuer"], issuer.name());
        assert_eq!(metadata["jwks_uri"], issuer.jwks_url());
        assert_eq!(
            metadata["token_endpoint"],
            format!("{}/token", issuer.name())
        );
    }
    assert_eq!(issuer.fetches().discovery, 2);
}

#[tokio::test]
async fn the_key_set_has_an_etag_until_it_changes() {
    let issuer = TestIssuer::serve().await.with_cache_control("max-age=60");
    let answer = get(issuer.name(), "/jwks", "").await.unwrap();
    assert_eq!(answer.body, issuer.jwks_json());
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    let tag = answer.header("etag").unwrap().to_owned();

    let known = format!("if-none-match: \"other\", {tag}\r\n");
    let answer = get(issuer.name(), "/jwks", &known).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    assert_eq!(answer.header("etag"), Some(tag.as_str()));
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));

    issuer.rotate();
    let answer = get(issuer.name(), "/jwks", &known).await.unwrap();
    assert_eq!(answer.status, 200);
    let fetches = issuer.fetches();
    assert_eq!((fetches.keys, fetches.not_modified), (3, 1));
}

#[tokio::test]
async fn other_paths_and_methods_are_not_served() {
    let issuer = TestIssuer::serve().await;
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/jwks/", 404),
        ("POST", "/jwks", 405),
        ("GET", "/token", 405),
    ] {
        let answer = send(issuer.name(), method, path, "", "").await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_server_ends_with_the_last_clone_of_its_issuer() {
    let issuer = TestIssuer::serve().await;
    let name = issuer.name().to_owned();
    let mut open = connect(&name).await.unwrap();
    let token = issuer.token();
    drop(issuer);
    assert_eq!(get(&name, "/", "").await.unwrap().status, 404);

    drop(token);
    let mut buffer = [0; 16];
    assert!(matches!(open.read(&mut buffer).await, Ok(0) | Err(_)));
    for _ in 0..1000 {
        if connect(&name).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the port is still open");
}
