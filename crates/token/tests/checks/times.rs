use std::time::Duration;

use countersign_token::Refusal::{
    self, Expired, IssuedInFuture, LifetimeTooLong, MalformedClaim, MissingClaim, NotYetValid,
    TooOld,
};
use countersign_token::{Claims, Issuer};
use serde_json::{Value, json};

use crate::support::{NOW, World, seconds};

/// What becomes of a token with these of its times set; `null` leaves one out.
fn decide(world: &World, trusted: &Issuer, times: &Value) -> Result<(), Refusal> {
    let mut token = world.token();
    for (name, value) in times.as_object().unwrap() {
        token = match value {
            Value::Null => token.without_claim(name),
            value => token.with_claim(name, value.clone()),
        };
    }
    world.decide_by(trusted, &token.mint())
}

#[test]
fn a_time_of_another_type_or_out_of_range_is_refused_and_never_ignored() {
    let world = World::new();
    let values = [
        json!("1800000600"),
        json!(""),
        json!(true),
        json!([1_800_000_600]),
        json!({}),
        json!(-1),
        json!(-0.5),
        json!(253_402_300_800_u64),
        json!(253_402_300_799.5),
        json!(u64::MAX),
        json!(1e300),
    ];
    for name in ["exp", "nbf", "iat"] {
        let null = world.token().with_claim(name, Value::Null).mint();
        assert_eq!(world.decide(&null), Err(MalformedClaim), "{name}");
        for value in &values {
            let times = json!({name: value});
            let decided = decide(&world, &world.trusted(), &times);
            assert_eq!(decided, Err(MalformedClaim), "{times}");
        }
    }
    let without = json!({"exp": null});
    assert_eq!(
        decide(&world, &world.trusted(), &without),
        Err(MissingClaim)
    );
}

#[test]
fn each_time_is_compared_with_half_a_minute_of_leeway() {
    let world = World::new();
    let cases = [
        (json!({"exp": NOW + 1}), Ok(())),
        (json!({"exp": NOW}), Ok(())),
        (json!({"exp": NOW - 29}), Ok(())),
        (json!({"exp": 1_799_999_970.5}), Ok(())),
        (json!({"exp": NOW - 30}), Err(Expired)),
        (json!({"exp": 0}), Err(Expired)),
        (json!({"exp": 253_402_300_799_u64}), Ok(())),
        (json!({"nbf": 0}), Ok(())),
        (json!({"nbf": NOW}), Ok(())),
        (json!({"nbf": NOW + 30}), Ok(())),
        (json!({"nbf": 1_800_000_030.5}), Err(NotYetValid)),
        (json!({"nbf": NOW + 31}), Err(NotYetValid)),
        (json!({"iat": 0}), Ok(())),
        (json!({"iat": NOW + 30}), Ok(())),
        (json!({"iat": NOW + 31}), Err(IssuedInFuture)),
        (json!({"exp": NOW - 30, "nbf": NOW + 31}), Err(Expired)),
        (json!({"nbf": NOW + 31, "iat": NOW + 31}), Err(NotYetValid)),
    ];
    for (times, expected) in cases {
        assert_eq!(
            decide(&world, &world.trusted(), &times),
            expected,
            "{times}"
        );
    }
}

#[test]
fn the_leeway_is_as_configured() {
    let world = World::new();
    let none = world.trusted().with_leeway(Duration::ZERO);
    let most = world.trusted().with_leeway(seconds(300));
    let cases = [
        (&none, json!({"exp": NOW + 1}), Ok(())),
        (&none, json!({"exp": NOW}), Err(Expired)),
        (&none, json!({"nbf": NOW + 1}), Err(NotYetValid)),
        (&none, json!({"iat": NOW + 1}), Err(IssuedInFuture)),
        (&most, json!({"exp": NOW - 299}), Ok(())),
        (&most, json!({"exp": NOW - 300}), Err(Expired)),
        (&most, json!({"nbf": NOW + 300}), Ok(())),
        (&most, json!({"iat": NOW + 301}), Err(IssuedInFuture)),
    ];
    for (trusted, times, expected) in cases {
        assert_eq!(decide(&world, trusted, &times), expected, "{times}");
    }
}

#[test]
fn a_maximum_age_and_a_maximum_lifetime_hold_and_need_the_time_of_issue() {
    let world = World::new();
    // In RFC 9068 `iat` is required anyway; here it is not.
    let lenient = countersign_token::ClaimsProfile::rfc9068().with_required_claims([]);
    let trusted = world.trusted().with_profile(lenient);
    let aged = trusted.clone().with_max_age(seconds(600));
    let short = trusted.clone().with_max_lifetime(seconds(3600));
    let both = aged.clone().with_max_lifetime(seconds(3600));
    let cases = [
        (&trusted, json!({"iat": null}), Ok(())),
        (&aged, json!({"iat": NOW - 630}), Ok(())),
        (&aged, json!({"iat": NOW - 631}), Err(TooOld)),
        (&aged, json!({"iat": null}), Err(MissingClaim)),
        (&short, json!({"iat": NOW - 3000, "exp": NOW + 600}), Ok(())),
        (
            &short,
            json!({"iat": NOW - 3000, "exp": NOW + 601}),
            Err(LifetimeTooLong),
        ),
        (&short, json!({"iat": null}), Err(MissingClaim)),
        (
            &both,
            json!({"iat": NOW - 3001, "exp": NOW + 600}),
            Err(TooOld),
        ),
        (&both, json!({"exp": NOW + 3601}), Err(LifetimeTooLong)),
        (&both, json!({}), Ok(())),
    ];
    for (trusted, times, expected) in cases {
        assert_eq!(decide(&world, trusted, &times), expected, "{times}");
    }
}

#[test]
fn times_that_were_right_once_are_checked_again_by_the_same_rules() {
    let world = World::new();
    let trusted = world.trusted().with_max_age(seconds(7200));
    let claims = world.claims_by(&trusted, &world.token().mint()).unwrap();
    let later = |after: u64| trusted.still_accepts(&claims, seconds(NOW + after));
    assert_eq!(later(3629), Ok(()));
    assert_eq!(later(3630), Err(Expired));
    assert_eq!(
        trusted.still_accepts(&claims, seconds(NOW - 31)),
        Err(IssuedInFuture)
    );
    let endless = Claims::service_principal("https://as.acme.test", "m2m");
    assert_eq!(
        trusted.still_accepts(&endless, seconds(NOW)),
        Err(MissingClaim)
    );
}
