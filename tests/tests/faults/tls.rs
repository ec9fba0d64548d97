//! A redirect that gives up TLS.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use countersign::{Algorithm, Authenticator, Fetch, FetchFailure, HttpFetch, KeySource};
use countersign_testing::{FakeClock, TestIssuer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{self, Origin, response};
use crate::world::{KEYS, app, ask, good_keys, token};

type Shown = Arc<Mutex<Vec<u8>>>;

/// A server for `localhost` whose answer can be changed, and the root that vouches for it.
async fn serve(tasks: &mut JoinSet<()>, shown: Shown) -> (u16, String) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let host = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let host = host.signed_by(&key, &root).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![host.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = shown.lock().unwrap().clone();
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, root.pem())
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_not_followed() {
    let clock = FakeClock::new();
    let issuer = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256);
    let issuer = issuer.with_clock(Arc::new(clock.clone()));
    let shown = Shown::new(Mutex::new(server::json(issuer.jwks_json())));
    let mut tasks = JoinSet::new();
    let (port, root) = serve(&mut tasks, shown.clone()).await;
    let client = HttpFetch::builder().with_root_certificates(root).build();
    let fetch: Arc<dyn Fetch> = Arc::new(client.unwrap());
    let url = format!("https://localhost:{port}/keys");
    let trusted = issuer
        .trusted_for(crate::world::API)
        .with_keys(KeySource::url(url));
    let builder = Authenticator::builder().issuer(trusted).with_fetch(fetch);
    let builder = builder.with_clock(Arc::new(clock.clone()));
    let authenticator = builder.build().await.unwrap();
    let app = app(&authenticator);
    let seen = token(&issuer);
    assert_eq!(ask(&app, &seen).await.status, StatusCode::OK);

    // Who listens in on the network answers there, with keys of its own.
    issuer.rotate();
    let mut plain = Origin::start(clock.clone()).await;
    plain.answer(KEYS, good_keys(&issuer)).await;
    let redirect = format!("302 Found\r\nLocation: {}", plain.url(KEYS));
    *shown.lock().unwrap() = response(&redirect, "");
    assert_eq!(ask(&app, &token(&issuer)).await.status, 503);
    let status = authenticator.status().remove(0).1;
    assert_eq!(status.last_error, Some(FetchFailure::Redirect));
    assert_eq!(plain.connections(), 0);
    assert_eq!(ask(&app, &seen).await.status, StatusCode::OK);
}
