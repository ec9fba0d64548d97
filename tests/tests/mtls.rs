//! Tokens bound to a client certificate, over real TLS: the server asks for certificates, and hands the one that the
//! connection was opened with to the requests on it.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use countersign::{Authenticator, ClientCertificate, ClientCertificates, Principal};
use countersign_testing::TestIssuer;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const API: &str = "https://api.acme.test";

/// A certificate with its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// One root that vouches for the server and for every client.
struct Root {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Root {
    fn new() -> Outcome<Self> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    fn identity(&self, name: &str) -> Outcome<Identity> {
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec![name.into()])?.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }

    fn store(&self) -> Outcome<Arc<RootCertStore>> {
        let mut store = RootCertStore::empty();
        store.add(self.issuer.der().clone())?;
        Ok(Arc::new(store))
    }

    /// Asks clients for a certificate, and serves those who have none as well.
    fn server(&self) -> Outcome<TlsAcceptor> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.store()?, provider.clone())
            .allow_unauthenticated()
            .build()?;
        let Identity { certificate, key } = self.identity("localhost")?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn client(&self, identity: Option<&Identity>) -> Outcome<TlsConnector> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.store()?);
        let config = match identity {
            Some(Identity { certificate, key }) => {
                builder.with_client_auth_cert(vec![certificate.clone()], key.clone_key())?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// Serves until the runtime of the test ends.
#[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
async fn serve(acceptor: TlsAcceptor, app: Router) -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let certificates = stream.get_ref().1.peer_certificates();
            let certificate = certificates.and_then(|chain| chain.first());
            let app = match certificate {
                Some(der) => app
                    .clone()
                    .layer(Extension(ClientCertificate::new(der.to_vec()))),
                None => app.clone(),
            };
            tokio::spawn(async move {
                let service = TowerToHyperService::new(app);
                let connection = hyper::server::conn::http1::Builder::new();
                let _ = connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(port)
}

async fn status(port: u16, connector: &TlsConnector, token: &str) -> Outcome<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut stream = connector
        .connect(ServerName::try_from("localhost")?, stream)
        .await?;
    let request = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer)?;
    let status = answer.split(' ').nth(1);
    Ok(status.ok_or("no status line")?.to_owned())
}

#[tokio::test]
async fn a_bound_token_counts_on_a_connection_with_its_certificate_and_on_no_other() -> Outcome<()>
{
    let root = Root::new()?;
    let (ours, theirs) = (root.identity("ours")?, root.identity("theirs")?);
    let issuer = TestIssuer::new("https://as.acme.test");
    let thumbprint = BASE64.encode(digest(&SHA256, &ours.certificate));
    let token = || issuer.service_principal("m2m-acme").with_audience(API);
    let bound = token()
        .with_claim("cnf", json!({"x5t#S256": thumbprint}))
        .mint();
    let unbound = token().mint();
    let clients = [
        ("ours", root.client(Some(&ours))?),
        ("theirs", root.client(Some(&theirs))?),
        ("none", root.client(None)?),
    ];
    let modes = [
        (
            Some(ClientCertificates::allowed()),
            [200, 401, 401],
            [200, 200, 200],
        ),
        (
            Some(ClientCertificates::required()),
            [200, 401, 401],
            [401, 401, 401],
        ),
        (None, [401, 401, 401], [200, 200, 200]),
    ];
    for (mode, of_bound, of_unbound) in modes {
        let mut builder = Authenticator::builder().issuer(issuer.trusted_for(API));
        let name = format!("{mode:?}");
        if let Some(certificates) = mode {
            builder = builder.with_client_certificates(certificates);
        }
        let app = Router::new()
            .route("/", get(|_: Principal| async { "in" }))
            .layer(builder.build().await?.layer());
        let port = serve(root.server()?, app).await?;
        for (token, expected) in [(&bound, of_bound), (&unbound, of_unbound)] {
            for ((client, connector), expected) in clients.iter().zip(expected) {
                let status = status(port, connector, token).await?;
                assert_eq!(status, expected.to_string(), "{name}: certificate {client}");
            }
        }
    }
    Ok(())
}
