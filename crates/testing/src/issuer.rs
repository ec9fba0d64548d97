use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::{Algorithm, Clock, KeySource};
use countersign_token::Issuer;
use tokio::net::TcpListener;

use crate::mint::TokenBuilder;
use crate::server::Server;
use crate::shared::Shared;

/// An authorization server for tests: it mints any token, and as [`serve`](Self::serve)d one it publishes its keys,
/// hands out tokens and fails on request.
///
/// Clones are one issuer: what is done to one, the `with_*` methods included, is done to all. Two issuers have
/// nothing in common, keys least of all. Keys are made when they are first needed.
///
/// ```
/// use countersign_bearer::Authenticator;
/// use countersign_testing::TestIssuer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::serve().await;
/// let authenticator = Authenticator::builder()
///     .issuer(issuer.trusted_for("https://api.acme.test"))
///     .build()
///     .await?;
///
/// let token = issuer.service_principal("m2m-acme").with_audience("https://api.acme.test");
/// assert!(authenticator.verify(&token.mint()).await.is_ok());
/// assert!(authenticator.verify(&token.expired().mint()).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestIssuer {
    pub(crate) shared: Arc<Shared>,
    /// Ends with the last clone. `None`: in this process only.
    server: Option<Arc<Server>>,
}

/// Making one, and what it is.
impl TestIssuer {
    /// An issuer of this name in this process only: it mints tokens and has keys, but no address.
    pub fn new(name: &str) -> Self {
        Self {
            shared: Arc::new(Shared::new(name.to_owned())),
            server: None,
        }
    }

    /// An issuer on a free port of 127.0.0.1, whose name is its address. It serves until its last clone (a
    /// [`TokenBuilder`] holds one) or the runtime ends.
    ///
    /// | path | |
    /// |---|---|
    /// | `/.well-known/openid-configuration`, `/.well-known/oauth-authorization-server` | metadata |
    /// | `/jwks` | the key set, with an `ETag` |
    /// | `/token` | client credentials, for those of [`with_client`](Self::with_client) |
    /// | `/introspect` | for the same, whether a token of this issuer is active: [opaque](TokenBuilder::mint_opaque) or not |
    ///
    /// # Panics
    ///
    /// If no port can be had.
    pub async fn serve() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port on 127.0.0.1");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared::new(format!("http://{address}")));
        Self {
            server: Some(Arc::new(Server::start(listener, shared.clone()))),
            shared,
        }
    }

    /// Signs with this algorithm from now on, with the key it has for it or a new one. Its other keys stay published.
    ///
    /// Without it the issuer has one RS256 key.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        self.shared.keys().choose(algorithm);
        self
    }

    /// Takes `iat` and `exp` from this clock, and the time of [`Fault::Slow`](crate::Fault::Slow). Default: the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        self.shared.state().clock = clock;
        self
    }

    /// The `iss`.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// This issuer as one to trust for an audience: the rest is up to the caller.
    ///
    /// A served issuer's keys are discovered; otherwise the keys are those it has now, and stay those. Accepted
    /// are the algorithms it has keys for now. The profile is that of RFC 9068, as for the tokens minted.
    pub fn trusted_for(&self, audience: &str) -> Issuer {
        let algorithms = self.shared.keys().algorithms();
        let keys = if self.server.is_some() {
            KeySource::Discovery
        } else {
            self.key_source()
        };
        Issuer::new(self.name(), audience)
            .with_algorithms(algorithms.iter())
            .with_keys(keys)
    }
}

/// Its tokens.
impl TestIssuer {
    /// A token of a customer organization's automation, in the shape of RFC 9068. It names no organization unless
    /// [told to](TokenBuilder::with_organization).
    pub fn service_principal(&self, client: &str) -> TokenBuilder {
        TokenBuilder::of_client(self.clone(), client, client)
    }

    /// A token of an app acting for a user.
    pub fn delegated_user(&self, client: &str, user: &str) -> TokenBuilder {
        TokenBuilder::of_client(self.clone(), client, user)
    }

    /// A token of one of the vendor's own services: a machine's without organization. The resource server makes a
    /// `Microservice` of it only if its issuer says so, as in
    /// `issuer.trusted_for(…).with_microservices(Microservices::All)`.
    pub fn microservice(&self, client: &str) -> TokenBuilder {
        self.service_principal(client)
    }

    /// A token with nothing but `iss`, `iat`, `exp` and `jti`, to build any other from.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self.clone())
    }

    /// The issuer without its server, for the server's own use.
    pub(crate) fn unserved(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            server: None,
        }
    }

    /// Time since the Unix epoch by the issuer's clock.
    pub(crate) fn now(&self) -> Duration {
        self.shared.clock().unix_time()
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer")
            .field("name", &self.shared.name)
            .field("served", &self.server.is_some())
            .finish_non_exhaustive()
    }
}
