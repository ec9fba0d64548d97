//! Keys fetched over TLS from a server whose certificate only a root of one's own vouches for.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Authenticator, BuildError, Fetch, HttpFetch, HttpFetchBuilder, KeySource, RefreshPolicy,
};
use countersign_testing::TestIssuer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const API: &str = "https://api.acme.test";

/// A root of one's own, in PEM, and a server for `localhost` that it vouches for.
fn certificates() -> Result<(String, ServerConfig), Box<dyn std::error::Error>> {
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &root)?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
    Ok((root.pem(), config))
}

/// Answers every request with these keys; ends with the returned tasks.
#[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
async fn serve(config: ServerConfig, keys: Vec<u8>) -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/jwk-set+json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n",
                keys.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &keys].concat()).await;
            let _ = stream.shutdown().await;
        }
    });
    Ok(port)
}

async fn build(
    issuer: &TestIssuer,
    port: u16,
    client: HttpFetchBuilder,
) -> Result<Authenticator, Box<dyn std::error::Error>> {
    let fetch: Arc<dyn Fetch> = Arc::new(client.build()?);
    let trusted = issuer
        .trusted_for(API)
        .with_keys(KeySource::url(format!("https://localhost:{port}/jwks")))
        .with_refresh_policy(RefreshPolicy::default().with_start_wait(Duration::from_secs(5)));
    let builder = Authenticator::builder().issuer(trusted).with_fetch(fetch);
    Ok(builder.build().await?)
}

#[tokio::test]
async fn a_root_of_ones_own_is_trusted_where_it_was_given_and_nowhere_else()
-> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new("https://as.acme.test");
    let (root, config) = certificates()?;
    let port = serve(config, issuer.jwks_json()).await?;

    let with_root = HttpFetch::builder().with_root_certificates(root);
    let authenticator = build(&issuer, port, with_root).await?;
    let token = issuer
        .service_principal("m2m-acme")
        .with_audience(API)
        .mint();
    assert!(authenticator.verify(&token).await.is_ok());

    let refused = build(&issuer, port, HttpFetch::builder()).await;
    let error = refused.err().and_then(|error| error.downcast().ok());
    let error: Box<BuildError> = error.expect("an error of building");
    assert!(error.to_string().contains("connect"), "{error}");
    Ok(())
}
