//! Tokens bound to the client's certificate (mTLS, RFC 8705): each counts only on a connection whose client has proven that
//! it holds the key of that very certificate.
#![expect(clippy::print_stdout, clippy::disallowed_methods)] // a program prints and spawns

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{Extension, Router, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign::{Authenticator, ClientCertificate, ClientCertificates, Issuer, Principal};
use countersign_testing::TestIssuer;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::{server::conn::auto, service::TowerToHyperService};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto, server::WebPkiClientVerifier};

type Error = Box<dyn std::error::Error>;
type Root = CertifiedIssuer<'static, KeyPair>;

const API: &str = "https://api.acme.example";

async fn whoami(caller: Principal) -> String {
    caller.client().unwrap_or("nobody").to_owned()
}

/// Stands in for who issues certificates to the server and to its clients.
fn root() -> Result<Root, Error> {
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(root, KeyPair::generate()?)?)
}

fn certificate(root: &Root, name: &str) -> Result<(rcgen::Certificate, KeyPair), Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![name.into()])?.signed_by(&key, root)?;
    Ok((certificate, key))
}

/// TLS that asks clients for a certificate. Those without are served as well, and their bound tokens refused.
fn tls(root: &Root) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()?;
    let (certificate, key) = certificate(root, "localhost")?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key.into())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves one connection: whichever certificate it was opened with goes with each of its requests.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, app: Router) -> Result<(), Error> {
    let stream = acceptor.accept(stream).await?;
    let chain = stream.get_ref().1.peer_certificates();
    let app = match chain.and_then(|chain| chain.first()) {
        Some(der) => app.layer(Extension(ClientCertificate::new(der.to_vec()))),
        None => app,
    };
    let http = auto::Builder::new(TokioExecutor::new());
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    connection.await.map_err(|error| error.to_string().into())
}

/// The API, which accepts bound tokens only. Its URL.
async fn start(issuer: &TestIssuer, root: &Root) -> Result<String, Error> {
    let authenticator = Authenticator::builder()
        .issuer(Issuer::new(issuer.name(), API))
        .with_client_certificates(ClientCertificates::required())
        .build()
        .await?;
    let app: Router = Router::new()
        .route("/whoami", get(whoami))
        .layer(authenticator.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}/whoami", listener.local_addr()?.port());
    let acceptor = tls(root)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                // A client that breaks its connection off is no news.
                let _ = serve(stream, acceptor, app).await;
            });
        }
    });
    Ok(url)
}

/// A client that has this certificate, or none.
fn client(root: &Root, own: Option<&(rcgen::Certificate, KeyPair)>) -> Result<Client, Error> {
    let roots = [Certificate::from_der(root.der())?];
    let mut builder = Client::builder().no_proxy().tls_certs_only(roots);
    if let Some((certificate, key)) = own {
        let pem = certificate.pem() + &key.serialize_pem();
        builder = builder.identity(Identity::from_pem(pem.as_bytes())?);
    }
    Ok(builder.build()?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let issuer = TestIssuer::serve().await; // stands in for your authorization server
    let root = root()?;
    let url = start(&issuer, &root).await?;
    let (own, anothers) = (
        certificate(&root, "m2m-acme")?,
        certificate(&root, "thief")?,
    );

    // What an authorization server puts into a token that it gives to the client with that certificate.
    let thumbprint = BASE64.encode(digest(&SHA256, own.0.der()));
    let unbound = issuer.service_principal("m2m-acme").with_audience(API);
    let bound = unbound
        .clone()
        .with_claim("cnf", serde_json::json!({ "x5t#S256": thumbprint }));
    let (unbound, bound) = (unbound.mint(), bound.mint());
    let mut as_expected = true;
    for (what, certificate, token, status) in [
        ("its own certificate", Some(&own), &bound, 200),
        ("a thief's certificate", Some(&anothers), &bound, 401),
        ("no certificate", None, &bound, 401),
        ("a bearer's token", Some(&own), &unbound, 401),
    ] {
        let request = client(&root, certificate)?.get(&url).bearer_auth(token);
        let answer = request.send().await?;
        as_expected &= answer.status() == status;
        println!("{what}: {}\n  {}", answer.status(), answer.text().await?);
    }
    let check = std::env::args().any(|argument| argument == "--check");
    std::process::exit(i32::from(check && !as_expected));
}
