//! The parts of a request, each alone: `cargo bench --manifest-path crates/bench/Cargo.toml`.

use std::hint::black_box;
use std::time::Duration;

use axum::body::Body;
use countersign::{
    Algorithm, Authenticator, Clock, Decision, DenialKind, Denied, Issuer, Jwks, Refusal,
    SystemClock, TokenCache,
};
use countersign_bench::Error;
use countersign_bench::case::Case;
use countersign_bench::systems::authenticator;
use countersign_bench::world::{AUDIENCE, World};
use countersign_token::{CheckedToken, CompactToken, UnverifiedToken};
use criterion::{BatchSize, Criterion};
use http::Request;

fn main() -> Result<(), Error> {
    let world = World::new()?;
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    token(&mut criterion, &world)?;
    request(&mut criterion, &world)?;
    criterion.final_summary();
    Ok(())
}

/// The way of a token that was not seen before, step by step.
fn token(criterion: &mut Criterion, world: &World) -> Result<(), Error> {
    let text = world.token(Case::ValidAgain, 0);
    let issuer = world.issuer().trusted_for(AUDIENCE);
    let now = SystemClock::new().unix_time();
    let suite = authenticator(world, TokenCache::disabled())?;
    let jwks = suite.jwks(world.issuer().name()).ok_or("it is trusted")?;
    let compact = CompactToken::decode(text)?;
    let kid = checked(&compact, &issuer, now)?.key_id().map(str::to_owned);
    let kid = kid.as_deref();
    let key = key(&jwks, kid)?;
    let verified = checked(&compact, &issuer, now)?.verify(&key)?;

    criterion.bench_function("split and decode", |bench| {
        bench.iter(|| CompactToken::decode(black_box(text)).is_ok());
    });
    criterion.bench_function("read header and payload", |bench| {
        bench.iter(|| UnverifiedToken::read(black_box(&compact)).is_ok());
    });
    criterion.bench_function("check without cryptography", |bench| {
        let read = || UnverifiedToken::read(&compact);
        bench.iter_batched(
            read,
            |token| token.and_then(|token| issuer.check(token, now)).is_ok(),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("look the key up", |bench| {
        bench.iter(|| jwks.key(black_box(kid), Algorithm::RS256));
    });
    criterion.bench_function("check the signature", |bench| {
        bench.iter_batched(
            || checked(&compact, &issuer, now),
            |token| token.and_then(|token| token.verify(&key)).is_ok(),
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("make the claims", |bench| {
        bench.iter(|| black_box(&verified).claims());
    });
    Ok(())
}

fn checked<'t>(
    compact: &'t CompactToken<'t>,
    issuer: &'t Issuer,
    now: Duration,
) -> Result<CheckedToken<'t>, Refusal> {
    issuer.check(UnverifiedToken::read(compact)?, now)
}

fn key(jwks: &Jwks, kid: Option<&str>) -> Result<countersign_jwks::TrustedKey, Error> {
    match jwks.key(kid, Algorithm::RS256) {
        countersign_jwks::Lookup::Found(key) => Ok(key),
        other => Err(format!("the key is there, and not {other:?}").into()),
    }
}

/// What the layer decides at once, and a denial.
fn request(criterion: &mut Criterion, world: &World) -> Result<(), Error> {
    let suite = authenticator(world, TokenCache::default())?;
    let good = world.request::<()>(Case::ValidAgain, 0)?;
    if denied(&suite, &good).is_some() {
        return Err("a good token is refused".into());
    }
    criterion.bench_function("decide: seen before", |bench| {
        bench.iter(|| suite.decide(black_box(&good)));
    });
    let garbage = world.request::<()>(Case::Garbage, 0)?;
    criterion.bench_function("decide: garbage", |bench| {
        bench.iter(|| suite.decide(black_box(&garbage)));
    });
    let none = Request::new(());
    criterion.bench_function("decide: no credential", |bench| {
        bench.iter(|| suite.decide(black_box(&none)));
    });
    let denied = denied(&suite, &garbage).ok_or("garbage is refused")?;
    assert_eq!(denied.kind(), DenialKind::InvalidToken(Refusal::Malformed));
    criterion.bench_function("answer: denied", |bench| {
        bench.iter(|| black_box(&denied).respond::<Body>());
    });
    Ok(())
}

fn denied(suite: &Authenticator, request: &Request<()>) -> Option<Denied> {
    match suite.decide(request) {
        Decision::Ready(decided) => decided.err(),
        Decision::Pending(_) => None,
    }
}
