//! One issuer and many: each has its name, its keys and its customer's organization; the keys are the same everywhere, as
//! making a thousand takes minutes.

use axum::Router;
use countersign::{Authenticator, TokenCache};

use super::{Asked, Point};
use crate::Error;
use crate::systems::router;
use crate::world::{AUDIENCE, World, mint, usual_token};

/// Every request brings a token that was seen before.
pub const AGAIN: &str = "issuers: seen before";
/// No token is remembered.
pub const FIRST: &str = "issuers: first sight";

/// As many as there are at most.
pub const MANY: usize = 1000;

/// Of all issuers together.
const TOKENS: usize = 1000;

/// CPU time of a request, one thread.
pub fn measure(world: &World, rounds: usize) -> Result<Vec<Point>, Error> {
    let (mut again, mut first) = (Vec::new(), Vec::new());
    for issuers in [1, 10, 100, MANY] {
        let token = usual_token(world.issuer());
        let tokens = mint(TOKENS, |number| {
            let (name, organization) = names(number % issuers);
            let token = token.clone().with_claim("iss", name);
            token.with_organization(&organization)
        });
        let suite = |cache| suite(world, issuers, cache);
        again.push(Asked::new(issuers, suite(TokenCache::default())?, &tokens)?);
        first.push(Asked::new(
            issuers,
            suite(TokenCache::disabled())?,
            &tokens,
        )?);
    }
    for _ in 0..rounds {
        for asked in again.iter_mut().chain(&mut first) {
            asked.batch()?;
        }
    }
    let again = again.into_iter().map(|asked| asked.point(AGAIN));
    let first = first.into_iter().map(|asked| asked.point(FIRST));
    Ok(again.chain(first).collect())
}

fn names(number: usize) -> (String, String) {
    (
        format!("https://as-{number}.acme.example"),
        format!("org_{number:08}"),
    )
}

fn suite(world: &World, issuers: usize, cache: TokenCache) -> Result<Router, Error> {
    let mut builder = Authenticator::builder().with_token_cache(cache);
    for number in 0..issuers {
        let (name, organization) = names(number);
        builder = builder.issuer(
            countersign::Issuer::new(name, AUDIENCE)
                .with_organizations([organization])
                .with_keys(world.issuer().key_source()),
        );
    }
    let authenticator = world.block_on(builder.build())?;
    Ok(router().layer(authenticator.layer()))
}
