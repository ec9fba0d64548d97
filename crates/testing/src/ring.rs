use std::sync::Arc;

use countersign_jwks::{Algorithm, Algorithms};
use serde_json::json;

use crate::keys::SigningKey;

/// The keys of one issuer: which sign, which are published, and which come next.
#[derive(Default)]
pub(crate) struct KeyRing {
    /// Empty until it is asked for; RSA keys are slow to make.
    current: Option<Arc<SigningKey>>,
    /// In the order of the key set; the current one is among them.
    published: Vec<Arc<SigningKey>>,
    next: Option<Arc<SigningKey>>,
    previous: Vec<Arc<SigningKey>>,
    /// A key set to publish instead.
    override_set: Option<Vec<u8>>,
}

impl KeyRing {
    /// The key that signs, an RS256 key unless another algorithm was chosen.
    pub(crate) fn current(&mut self) -> Arc<SigningKey> {
        match &self.current {
            Some(key) => key.clone(),
            None => self.choose(Algorithm::RS256),
        }
    }

    /// Signs with this algorithm from now on, with the key there is or a new one.
    pub(crate) fn choose(&mut self, algorithm: Algorithm) -> Arc<SigningKey> {
        let next = self.next.as_ref().map(|next| next.kid());
        let retired = |key: &&Arc<SigningKey>| {
            Some(key.kid()) == next || self.previous.iter().any(|old| old.kid() == key.kid())
        };
        let existing = self
            .published
            .iter()
            .find(|key| key.algorithm() == algorithm && !retired(key))
            .cloned();
        let key = existing.unwrap_or_else(|| {
            let key = Arc::new(SigningKey::generate(algorithm));
            self.published.push(key.clone());
            key
        });
        self.current = Some(key.clone());
        key
    }

    /// Puts `key` in the place of the current one, in the key set as well.
    pub(crate) fn replace_current(&mut self, key: Arc<SigningKey>) {
        let old = self.current();
        self.published.retain(|one| one.kid() != old.kid());
        self.published.push(key.clone());
        self.current = Some(key);
    }

    pub(crate) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    pub(crate) fn publish_next(&mut self, key: Arc<SigningKey>) {
        self.published.push(key.clone());
        self.next = Some(key);
    }

    /// Whether there was a next key to sign with.
    pub(crate) fn sign_with_next(&mut self) -> bool {
        let Some(next) = self.next.take() else {
            return false;
        };
        let current = self.current();
        self.previous.push(current);
        self.current = Some(next);
        true
    }

    pub(crate) fn retire_previous(&mut self) {
        for old in std::mem::take(&mut self.previous) {
            self.published.retain(|one| one.kid() != old.kid());
        }
    }

    pub(crate) fn publish_instead(&mut self, set: Option<Vec<u8>>) {
        self.override_set = set;
    }

    pub(crate) fn algorithms(&mut self) -> Algorithms {
        self.current();
        self.published.iter().map(|key| key.algorithm()).collect()
    }

    /// The key set as published.
    pub(crate) fn json(&mut self) -> Vec<u8> {
        if let Some(set) = &self.override_set {
            return set.clone();
        }
        self.current();
        let keys: Vec<_> = self.published.iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys }).to_string().into_bytes()
    }
}
