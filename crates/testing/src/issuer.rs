use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_jwks::{Algorithm, Clock, KeySource, SystemClock};
use countersign_token::Issuer;
use http::HeaderValue;
use tokio::net::TcpListener;

use crate::client::Client;
use crate::fault::{Endpoint, Fault, Faults};
use crate::fetches::{Counters, Fetches};
use crate::keys::SigningKey;
use crate::mint::TokenBuilder;
use crate::ring::KeyRing;
use crate::server::Server;

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
    shared: Arc<Shared>,
    /// Ends with the last clone. `None`: in this process only.
    server: Option<Arc<Server>>,
}

/// What the issuer and its server have in common.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) counters: Counters,
    keys: Mutex<KeyRing>,
    state: Mutex<State>,
}

/// What can be set while it runs.
pub(crate) struct State {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clients: Vec<Client>,
    pub(crate) default_audience: Option<String>,
    pub(crate) cache_control: Option<HeaderValue>,
    pub(crate) faults: Faults,
}

impl Shared {
    fn new(name: String) -> Self {
        Self {
            name,
            counters: Counters::default(),
            keys: Mutex::default(),
            state: Mutex::new(State {
                clock: Arc::new(SystemClock::new()),
                clients: Vec::new(),
                default_audience: None,
                cache_control: None,
                faults: Faults::default(),
            }),
        }
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.state().clock.clone()
    }

    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/jwks", self.name)
    }
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

    /// Signs with this algorithm from now on, with a key of its own. Keys already used stay published.
    ///
    /// Without it the issuer has one RS256 key.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        self.shared.keys().choose(algorithm);
        self
    }

    /// Takes `iat` and `exp` from this clock, and the time of [`Fault::Slow`]. Default: the machine's.
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

/// Its keys.
impl TestIssuer {
    /// Where a served issuer publishes its keys.
    pub fn jwks_url(&self) -> String {
        self.shared.jwks_url()
    }

    /// The key set that it publishes now.
    pub fn jwks_json(&self) -> Vec<u8> {
        self.shared.keys().json()
    }

    /// The key set that it publishes now, as fixed keys.
    pub fn key_source(&self) -> KeySource {
        KeySource::json(self.jwks_json())
    }

    /// The `kid` of the key that signs.
    pub fn key_id(&self) -> String {
        self.signing_key().kid().to_owned()
    }

    /// Replaces the signing key by a new one of its algorithm at once, in the key set as well: the worst that an
    /// issuer does to those who keep its keys.
    pub fn rotate(&self) {
        let key = self.new_key();
        self.shared.keys().replace_current(key);
    }

    /// Publishes the key that [`sign_with_next`](Self::sign_with_next) will sign with. It stays the same if there
    /// is one already.
    pub fn publish_next(&self) {
        if !self.shared.keys().has_next() {
            let key = self.new_key();
            self.shared.keys().publish_next(key);
        }
    }

    /// Signs with the next key from now on. The key until now stays published.
    ///
    /// # Panics
    ///
    /// If no next key was published.
    pub fn sign_with_next(&self) {
        assert!(
            self.shared.keys().sign_with_next(),
            "publish_next() comes before sign_with_next()"
        );
    }

    /// Withdraws the keys that were signed with before [`sign_with_next`](Self::sign_with_next).
    pub fn retire_previous(&self) {
        self.shared.keys().retire_previous();
    }

    /// Publishes this text as the key set instead, whatever becomes of the keys. It need not be a key set.
    pub fn publish(&self, jwks: impl Into<Vec<u8>>) {
        self.shared.keys().publish_instead(Some(jwks.into()));
    }

    /// Publishes its own keys again, after [`publish`](Self::publish).
    pub fn publish_own_keys(&self) {
        self.shared.keys().publish_instead(None);
    }

    pub(crate) fn signing_key(&self) -> Arc<SigningKey> {
        self.shared.keys().current()
    }

    /// Made without the lock, so that the server goes on meanwhile.
    fn new_key(&self) -> Arc<SigningKey> {
        let algorithm = self.signing_key().algorithm();
        Arc::new(SigningKey::generate(algorithm))
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
}

/// Its server.
impl TestIssuer {
    /// Lets everything it serves go wrong like this from now on; `None`: nothing any more.
    ///
    /// # Panics
    ///
    /// If the status is not one from 200 to 599.
    pub fn set_fault(&self, fault: Option<Fault>) {
        check(fault.as_ref());
        self.shared.state().faults.set(fault);
    }

    /// Lets one endpoint go wrong like this from now on, over what [`set_fault`](Self::set_fault) says for all;
    /// `None`: no longer.
    ///
    /// # Panics
    ///
    /// If the status is not one from 200 to 599.
    pub fn set_fault_at(&self, endpoint: Endpoint, fault: Option<Fault>) {
        check(fault.as_ref());
        self.shared.state().faults.set_at(endpoint, fault);
    }

    /// How often it was asked until now.
    pub fn fetches(&self) -> Fetches {
        self.shared.counters.read()
    }

    /// Serves metadata and keys with this `Cache-Control`. Default: none.
    ///
    /// # Panics
    ///
    /// If it is no header value.
    #[must_use]
    pub fn with_cache_control(self, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("Cache-Control is a header value");
        self.shared.state().cache_control = Some(value);
        self
    }

    /// Hands out tokens to this client at the token endpoint, with any of these scopes: those it asks for, or all.
    /// One without organization is a microservice.
    #[must_use]
    pub fn with_client(
        self,
        id: &str,
        secret: &str,
        organization: Option<&str>,
        scopes: &[&str],
    ) -> Self {
        self.shared
            .state()
            .clients
            .push(Client::new(id, secret, organization, scopes));
        self
    }

    /// The audience of tokens that were asked for without `resource` and `audience`. Default: such a request is
    /// refused.
    #[must_use]
    pub fn with_default_audience(self, audience: &str) -> Self {
        self.shared.state().default_audience = Some(audience.to_owned());
        self
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

fn check(fault: Option<&Fault>) {
    if let Some(Fault::Status(status)) = fault {
        assert!((200..600).contains(status), "{status} is no final status");
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
