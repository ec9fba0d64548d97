use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use aws_lc_rs::rand::SystemRandom;
use base64_simd::URL_SAFE_NO_PAD;
use http::HeaderValue;

/// Nonces for DPoP proofs that need no memory: each is the time it was made at, signed with a secret. It is accepted
/// for 5 minutes (fixed); a client gets a new one with the denial that refuses an old one.
#[derive(Clone)]
pub struct DpopNonces {
    key: Arc<Key>,
}

/// The least a secret must have, in bytes.
const MIN_SECRET_BYTES: usize = 32;

const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The seconds since the epoch.
const TIME_BYTES: usize = 8;

impl DpopNonces {
    /// With a secret of this process alone: other machines accept other nonces.
    ///
    /// # Panics
    ///
    /// If the system has no randomness.
    pub fn random() -> Self {
        // Without randomness there is no TLS either; a secret that could be guessed must not be.
        let key =
            Key::generate(HMAC_SHA256, &SystemRandom::new()).expect("the system has randomness");
        Self { key: Arc::new(key) }
    }

    /// With a secret that all machines of a service share. `None` if it has less than 32 bytes.
    pub fn with_secret(secret: &[u8]) -> Option<Self> {
        (secret.len() >= MIN_SECRET_BYTES).then(|| Self {
            key: Arc::new(Key::new(HMAC_SHA256, secret)),
        })
    }

    /// A nonce of `now`, the time since the Unix epoch.
    pub(super) fn issue(&self, now: Duration) -> HeaderValue {
        let time = now.as_secs().to_be_bytes();
        let nonce = [&time, sign(&self.key, &time).as_ref()].concat();
        let text = URL_SAFE_NO_PAD.encode_to_string(nonce);
        // base64url is text that a header takes; an empty one would be asked for again.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Whether it is one of ours and not too old.
    pub(super) fn accept(&self, nonce: &str, now: Duration) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode_to_vec(nonce) else {
            return false;
        };
        let Some((time, tag)) = bytes.split_first_chunk::<TIME_BYTES>() else {
            return false;
        };
        let is_ours = verify(&self.key, time, tag).is_ok();
        let made_at = u64::from_be_bytes(*time);
        let is_young = made_at <= now.as_secs() && now.as_secs() - made_at <= LIFETIME.as_secs();
        is_ours && is_young
    }
}

impl fmt::Debug for DpopNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DpopNonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn a_nonce_is_accepted_for_five_minutes_where_the_secret_is_the_same() {
        let ours = DpopNonces::with_secret(&[7; 32]).unwrap();
        let nonce = ours.issue(NOW);
        let nonce = nonce.to_str().unwrap();
        assert!(ours.accept(nonce, NOW));
        assert!(ours.accept(nonce, NOW + Duration::from_secs(300)));
        assert!(!ours.accept(nonce, NOW + Duration::from_secs(301)));
        assert!(!ours.accept(nonce, NOW.checked_sub(Duration::from_secs(1)).unwrap()));
        let same_secret = DpopNonces::with_secret(&[7; 32]).unwrap();
        assert!(same_secret.accept(nonce, NOW));
        assert!(!DpopNonces::random().accept(nonce, NOW));
        assert!(DpopNonces::with_secret(&[7; 31]).is_none());
    }

    #[test]
    fn what_is_no_nonce_of_ours_is_not_accepted() {
        let ours = DpopNonces::random();
        let nonce = ours.issue(NOW);
        let nonce = nonce.to_str().unwrap();
        let later = format!("B{}", &nonce[1..]);
        for other in [
            "",
            "A",
            "AAAAAAAAAAA",
            &nonce[..nonce.len() - 1],
            &later,
            &format!("{nonce}AA"),
        ] {
            assert!(!ours.accept(other, NOW), "{other}");
        }
    }
}
