use std::sync::Arc;

use countersign_jwks::KeySource;

use crate::issuer::TestIssuer;
use crate::keys::SigningKey;

/// Its keys, and how they change.
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
