//! The axum layer around the validator for RFC 9068, its keys discovered on loopback before anything is measured.
//! Twice: with the back end that it comes with, in pure Rust, and with one on aws-lc-rs as a user can plug it in.

use std::rc::Rc;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum::body::Body;
use huskarl_axum::layers::ValidatorLayer;
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::DefaultJwsVerifierPlatform;
use huskarl_resource_server::core::crypto::KeyMatchStrength;
use huskarl_resource_server::core::crypto::verifier::{
    CreateVerifierError, JwsVerifier, JwsVerifierPlatform, KeyMatch, VerifyError,
};
use huskarl_resource_server::core::jwk::{PublicJwk, PublicKey};
use huskarl_resource_server::core::platform::MaybeSendBoxFuture;
use huskarl_resource_server::core::server_metadata::AuthorizationServerMetadata;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;

use super::open::router;
use crate::Error;
use crate::routed::Routed;
use crate::system::System;
use crate::world::{AUDIENCE, World};

pub(super) const NAME: &str = "huskarl-axum";
pub(super) const WITH_AWS_LC: &str = "huskarl-axum+aws-lc-rs";

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    system(NAME, world, DefaultJwsVerifierPlatform::default().into())
}

pub(super) fn with_aws_lc(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    system(WITH_AWS_LC, world, Arc::new(AwsLc))
}

fn system(
    name: &'static str,
    world: &Rc<World>,
    platform: Arc<dyn JwsVerifierPlatform>,
) -> Result<Box<dyn System>, Error> {
    let system = Routed::<_, Body>::new(name, world, move |world| {
        let validator = validator(world.issuer().name(), platform.clone());
        let validator = world.block_on(validator)?;
        let layer = ValidatorLayer::builder().validator(validator).build();
        Ok(router().layer(layer.authenticated()))
    })?;
    Ok(Box::new(system))
}

async fn validator(
    issuer: &str,
    platform: Arc<dyn JwsVerifierPlatform>,
) -> Result<Rfc9068Validator, Error> {
    let client = ReqwestClient::builder().build().await?;
    let metadata = AuthorizationServerMetadata::oidc_fetch()
        .http_client(&client)
        .issuer(issuer)
        .call()
        .await?;
    Ok(Rfc9068Validator::builder_from_metadata(&metadata)
        .jwks_source(client)
        .jws_verifier_platform(platform)
        .audience(AUDIENCE)
        .build()
        .await?)
}

const RS256: &[&str] = &["RS256"];

/// Makes verifiers of RSA keys, parsed once.
#[derive(Debug)]
struct AwsLc;

#[derive(Debug)]
struct AwsLcKey {
    kid: Option<String>,
    key: ParsedPublicKey,
}

impl JwsVerifierPlatform for AwsLc {
    fn create_verifier_from_jwk(
        &self,
        jwk: PublicJwk,
    ) -> MaybeSendBoxFuture<'static, Result<Arc<dyn JwsVerifier>, CreateVerifierError>> {
        Box::pin(async move {
            let unsupported = || CreateVerifierError::UnsupportedKey {
                source: VerifyError::NoMatchingKey.into(),
            };
            let PublicKey::Rsa(rsa) = jwk.key else {
                return Err(unsupported());
            };
            let components = RsaPublicKeyComponents { n: rsa.n, e: rsa.e };
            let key = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
            Ok(Arc::new(AwsLcKey {
                kid: jwk.kid,
                key: key.map_err(|_| unsupported())?,
            }) as Arc<dyn JwsVerifier>)
        })
    }

    fn supported_signature_algorithms(&self) -> &[&str] {
        RS256
    }
}

impl JwsVerifier for AwsLcKey {
    fn key_match(&self, key_match: &KeyMatch<'_>) -> Option<KeyMatchStrength> {
        key_match.strength_for(RS256, self.kid.as_deref())
    }

    fn verify<'a>(
        &'a self,
        input: &'a [u8],
        signature: &'a [u8],
        _: &'a KeyMatch<'a>,
    ) -> MaybeSendBoxFuture<'a, Result<(), VerifyError>> {
        let verified = self.key.verify_sig(input, signature);
        Box::pin(async move { verified.map_err(|_| VerifyError::SignatureMismatch) })
    }
}
