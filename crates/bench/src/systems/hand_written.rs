//! What one writes by oneself: an extractor around `jsonwebtoken`, keys parsed once, issuer, audience and time
//! checked.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::routing::get;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "hand_written";

/// Keys by `kid`, and what is asked of a token.
#[derive(Clone)]
struct Verifier(Arc<(HashMap<String, DecodingKey>, Validation)>);

/// What handlers of such a service are likely to want.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the work of reading them counts here")]
struct Claims {
    sub: String,
    client_id: String,
    org_id: Option<String>,
    scope: String,
}

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(NAME, world, |world| {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[world.issuer().name()]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        let mut keys = HashMap::new();
        for jwk in serde_json::from_str::<JwkSet>(&world.jwks()?)?.keys {
            let key = DecodingKey::from_jwk(&jwk)?;
            keys.insert(jwk.common.key_id.ok_or("the issuer names its keys")?, key);
        }
        let verifier = Verifier(Arc::new((keys, validation)));
        Ok(Router::new()
            .route("/", get(async |_: Claims| ()))
            .with_state(verifier))
    })?;
    Ok(Box::new(system))
}

impl<S> FromRequestParts<S> for Claims
where
    S: Sync,
    Verifier: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let verifier = Verifier::from_ref(state);
        let (keys, validation) = &*verifier.0;
        bearer_token(parts)
            .and_then(|token| {
                let kid = decode_header(token).ok()?.kid?;
                Some(decode(token, keys.get(&kid)?, validation).ok()?.claims)
            })
            .ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn bearer_token(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Bearer ")
}
