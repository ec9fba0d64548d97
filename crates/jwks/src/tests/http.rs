//! `HttpFetch` against a real server on this machine.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::keys::{all, jwk, jwks};
use super::world::{ms, s, word};
use crate::algorithm::Algorithm;
use crate::fetch::{Fetch, FetchFailure, FetchRequest};
use crate::http::{HttpFetch, HttpFetchError};
use crate::jwks::Jwks;
use crate::policy::RefreshPolicy;
use crate::race::{First, race};
use crate::source::KeySource;

/// Answers each request with these bytes and keeps the connection open; yields the requests.
async fn server(response: Vec<u8>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, received) = mpsc::unbounded_channel();
    in_background(async move {
        while let Ok((stream, _)) = listener.accept().await {
            in_background(serve(stream, response.clone(), requests.clone()));
        }
    });
    (format!("http://{address}"), received)
}

#[expect(clippy::disallowed_methods, reason = "the server")]
fn in_background(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}

async fn serve(mut stream: TcpStream, response: Vec<u8>, requests: mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            let head = std::mem::take(&mut head);
            let _ = requests.send(String::from_utf8(head).unwrap().to_ascii_lowercase());
            // The client may hang up half-way; that is what some tests are about.
            let _ = stream.write_all(&response).await;
        }
    }
}

/// A server that hangs up on whoever connects.
async fn no_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    in_background(async move { while listener.accept().await.is_ok() {} });
    format!("https://{address}")
}

fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn json(body: &[u8]) -> Vec<u8> {
    response(
        "200 OK\r\nContent-Type: application/json\r\nETag: \"e\"",
        body,
    )
}

fn chunked(length: usize) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
    [head.as_slice(), chunk.as_bytes()].concat()
}

#[tokio::test]
async fn a_response_is_handed_on_as_it_came() {
    let (url, mut requests) = server(json(b"{}")).await;
    let fetch = HttpFetch::new().unwrap();
    let etag = "\"e\"".parse().unwrap();
    let request = FetchRequest::new(format!("{url}/keys?a=b#c"))
        .with_accept("application/jwk-set+json")
        .with_etag(Some(etag));
    let response = fetch.fetch(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["etag"], "\"e\"");
    assert_eq!(&response.body()[..], b"{}");

    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("get /keys?a=b http/1.1\r\n"),
        "{request}"
    );
    for header in [
        "accept: application/jwk-set+json\r\n",
        "if-none-match: \"e\"\r\n",
        "user-agent: countersign-jwks/",
    ] {
        assert!(request.contains(header), "{request}");
    }
    assert!(!request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn a_post_goes_by_the_same_rules() {
    let post = |url: String, max_bytes| {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("a/b"))]);
        let fetch = HttpFetch::new().unwrap();
        fetch.post(&url, headers, Bytes::from("c=d"), max_bytes, s(10))
    };
    let (url, mut requests) = server(json(b"{}")).await;
    let response = post(format!("{url}/introspect"), 2).await.unwrap();
    assert_eq!(&response.body()[..], b"{}");
    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("post /introspect http/1.1\r\n"),
        "{request}"
    );
    for header in ["content-type: a/b\r\n", "content-length: 3\r\n"] {
        assert!(request.contains(header), "{request}");
    }
    assert_eq!(
        post(url.clone(), 1).await.unwrap_err(),
        FetchFailure::TooLarge
    );
    let insecure = post("http://acme.example".to_owned(), 2).await;
    assert_eq!(insecure.unwrap_err(), FetchFailure::InsecureUrl);

    let redirect = {
        let head = format!("307 Temporary Redirect\r\nLocation: {url}/");
        self::response(&head, b"")
    };
    let (elsewhere, _requests) = server(redirect).await;
    let response = post(elsewhere, 2).await.unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (target, mut followed) = server(json(b"{}")).await;
    let redirect = response(&format!("302 Found\r\nLocation: {target}/"), b"");
    let (url, _requests) = server(redirect).await;
    let fetch = HttpFetch::new().unwrap();
    let response = fetch.fetch(FetchRequest::new(&url)).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert!(followed.try_recv().is_err());

    // A client that follows is found out by where it ended.
    let own = HttpFetch::from_client(reqwest::Client::builder().no_proxy().build().unwrap());
    let failure = own.fetch(FetchRequest::new(&url)).await.unwrap_err();
    assert_eq!(failure, FetchFailure::Redirect);
    assert!(followed.try_recv().is_ok());
}

#[tokio::test]
async fn a_body_is_cut_off_at_the_limit() {
    let request = |url: &str| FetchRequest::new(url).with_max_bytes(1000);
    let fetch = HttpFetch::new().unwrap();
    for (served, expected) in [
        (json(&[b'x'; 1000]), Ok(1000)),
        (json(&[b'x'; 1001]), Err(FetchFailure::TooLarge)),
        (chunked(1000), Ok(1000)),
        (chunked(1_000_000), Err(FetchFailure::TooLarge)),
        // It never ends, and is not waited for.
        (
            [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 2000]].concat(),
            Err(FetchFailure::TooLarge),
        ),
    ] {
        let (url, _requests) = server(served).await;
        let length = fetch.fetch(request(&url)).await;
        let length = length.map(|response| response.body().len());
        assert_eq!(length, expected);
    }
}

#[tokio::test]
async fn a_slow_body_is_given_up_at_the_deadline() {
    let mut half = json(b"{\"keys\": []}");
    half.truncate(half.len() - 3);
    let (url, _requests) = server(half).await;
    let fetch = HttpFetch::new().unwrap();
    let request = FetchRequest::new(&url).with_deadline(ms(50));
    assert_eq!(
        fetch.fetch(request).await.unwrap_err(),
        FetchFailure::Timeout
    );
}

#[tokio::test]
async fn what_cannot_be_reached_or_must_not_be_is_told_apart() {
    let fetch = HttpFetch::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (truncated, _requests) = server(b"HTTP/1.1 2".to_vec()).await;
    let tls = no_tls().await;
    for (url, deadline, expected) in [
        (closed.as_str(), 10_000, FetchFailure::Connect),
        (tls.as_str(), 10_000, FetchFailure::Connect),
        (truncated.as_str(), 50, FetchFailure::Timeout),
        ("http://acme.example/keys", 50, FetchFailure::InsecureUrl),
        ("keys", 50, FetchFailure::InsecureUrl),
    ] {
        let request = FetchRequest::new(url).with_deadline(ms(deadline));
        let failure = fetch.fetch(request).await.unwrap_err();
        assert_eq!(failure, expected, "{url}");
    }
}

#[tokio::test]
async fn a_proxy_is_not_asked_for_this_machine() {
    let (url, mut requests) = server(json(b"{}")).await;
    let (proxy, mut asked) = server(json(b"{}")).await;
    let fetch = HttpFetch::builder().with_proxy(&proxy).build().unwrap();
    let response = fetch.fetch(FetchRequest::new(&url)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(requests.try_recv().is_ok() && asked.try_recv().is_err());

    // The proxy is no TLS server behind a tunnel, so the fetch gets no further than to ask it.
    let fetching = fetch.fetch(FetchRequest::new("https://acme.example/keys"));
    let First::Right(Some(request)) = race(fetching, asked.recv()).await else {
        panic!("the proxy was not asked")
    };
    assert!(request.starts_with("connect acme.example:443"), "{request}");
}

#[test]
fn settings_that_cannot_work_are_refused_and_never_printed() {
    let builder = HttpFetch::builder;
    let proxy = builder().with_proxy("http://user:secret@[").build();
    assert_eq!(proxy.unwrap_err(), HttpFetchError::Proxy);
    for pem in [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let certificates = builder().with_root_certificates(pem).build();
        assert_eq!(
            certificates.unwrap_err(),
            HttpFetchError::Certificates,
            "{pem}"
        );
    }
    let shown = format!("{:?}", builder().with_proxy("http://user:secret@proxy"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn keys_come_over_the_network_with_nothing_configured_but_the_url() {
    let (url, _requests) = server(json(&jwks(&[jwk("a")]))).await;
    let jwks = Jwks::builder("any issuer", KeySource::url(&url), all())
        .with_policy(RefreshPolicy::default().with_start_wait(s(30)))
        .build()
        .await
        .unwrap();
    assert_eq!(word(&jwks.key(Some("a"), Algorithm::Ed25519)), "found");
}

#[tokio::test]
async fn a_fetch_may_be_shared_by_many_issuers() {
    let (url, _requests) = server(json(&jwks(&[jwk("a")]))).await;
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new().unwrap());
    for issuer in ["one", "two"] {
        let jwks = Jwks::builder(issuer, KeySource::url(&url), all())
            .with_fetch(Arc::clone(&fetch))
            .build()
            .await
            .unwrap();
        assert!(jwks.is_ready());
    }
}
