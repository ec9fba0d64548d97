//! The bare check of a signature, which no system that verifies can do without: the floor.

use std::ops::Range;
use std::rc::Rc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::Value;

use crate::Error;
use crate::case::Case;
use crate::system::System;
use crate::world::World;

/// Its name in reports.
pub const NAME: &str = "signature";

/// What is signed, and the signature.
pub type Signed = (Vec<u8>, Vec<u8>);

/// aws-lc-rs with a key that was parsed once.
#[derive(Debug)]
pub struct BareCheck(ParsedPublicKey);

impl BareCheck {
    /// With the world's key.
    pub fn new(world: &World) -> Result<Self, Error> {
        let set: Value = serde_json::from_str(&world.jwks()?)?;
        let number = |name| {
            let text = set["keys"][0][name]
                .as_str()
                .ok_or("the issuer's key is RSA")?;
            Ok::<_, Error>(URL_SAFE_NO_PAD.decode(text)?)
        };
        let components = RsaPublicKeyComponents {
            n: number("n")?,
            e: number("e")?,
        };
        let key = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?;
        Ok(Self(key))
    }

    /// Whether the signature is good.
    pub fn is_good(&self, (message, signature): &Signed) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// What of a token is signed, and its signature.
pub fn signed(token: &str) -> Result<Signed, Error> {
    let (message, signature) = token.rsplit_once('.').ok_or("the token is a JWS")?;
    Ok((message.into(), URL_SAFE_NO_PAD.decode(signature)?))
}

/// The check as a system. Good signatures are the floor of both valid cases, bad ones of their own.
struct Signature {
    check: BareCheck,
    world: Rc<World>,
    good: bool,
    signed: Vec<Signed>,
}

pub(super) fn make(world: &Rc<World>) -> Result<Box<dyn System>, Error> {
    Ok(Box::new(Signature {
        check: BareCheck::new(world)?,
        world: world.clone(),
        good: true,
        signed: Vec::new(),
    }))
}

impl System for Signature {
    fn name(&self) -> &'static str {
        NAME
    }

    fn expected(&self, case: Case) -> Option<StatusCode> {
        match case {
            Case::ValidFirst | Case::ValidAgain | Case::BadSignature => Some(case.expected()),
            _ => None,
        }
    }

    fn answer(&mut self, case: Case) -> Result<StatusCode, Error> {
        let signed = signed(self.world.token(case, 0))?;
        Ok(if self.check.is_good(&signed) {
            StatusCode::OK
        } else {
            StatusCode::UNAUTHORIZED
        })
    }

    fn start(&mut self, case: Case) -> Result<(), Error> {
        self.good = case != Case::BadSignature;
        Ok(())
    }

    fn load(&mut self, case: Case, numbers: Range<usize>) -> Result<(), Error> {
        self.signed = numbers
            .map(|number| signed(self.world.token(case, number)))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        for signed in self.signed.drain(..) {
            if self.check.is_good(&signed) != self.good {
                return Err("judges otherwise all of a sudden".into());
            }
        }
        Ok(())
    }
}
