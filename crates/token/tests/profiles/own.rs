use countersign_token::Refusal::{
    self, Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, UnknownKind,
};
use countersign_token::{ClaimPath, ClaimsProfile, MachineRule, TokenType};
use serde_json::{Value, json};

use crate::said::{Said, Vendor, with, without};

fn vendor(profile: ClaimsProfile) -> Vendor {
    Vendor::new("https://as.acme.test", "https://api.acme.test", profile)
}

/// RFC 9068 tokens, but for one thing that each test overrides.
fn machine() -> Value {
    json!({
        "iss": "https://as.acme.test",
        "aud": "https://api.acme.test",
        "exp": 1_900_003_600,
        "iat": 1_900_000_000,
        "jti": "1",
        "sub": "crawler",
        "client_id": "crawler",
    })
}

fn the_machine() -> Said {
    Said::machine("crawler", "crawler").with_id("1")
}

fn read(profile: &ClaimsProfile, payload: &Value) -> Result<Said, Refusal> {
    vendor(profile.clone()).read("at+jwt", payload)
}

#[test]
fn a_claim_may_stand_in_an_object_and_a_name_may_hold_dots_and_slashes() {
    let cases = [
        (
            ClaimPath::from(["ext", "org_id"]),
            json!({"ext": {"org_id": "acme"}}),
        ),
        (
            ClaimPath::from("ext.org_id"),
            json!({"ext.org_id": "acme", "ext": {"org_id": "other"}}),
        ),
        (
            ClaimPath::from("https://acme.test/org"),
            json!({"https://acme.test/org": "acme"}),
        ),
        (
            ClaimPath::from("urn:acme:org".to_owned()),
            json!({"urn:acme:org": "acme"}),
        ),
    ];
    for (path, claims) in cases {
        let profile = ClaimsProfile::rfc9068().with_organization_claims([path.clone()]);
        let mut payload = machine();
        payload
            .as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        assert_eq!(
            read(&profile, &payload),
            Ok(the_machine().of(["acme"])),
            "{path}"
        );
        assert_eq!(read(&profile, &machine()), Ok(the_machine()), "{path}");
    }
}

#[test]
fn what_a_nested_claim_should_stand_in_must_be_an_object_if_it_is_there() {
    let profile = ClaimsProfile::rfc9068().with_organization_claims([["ext", "org_id"].into()]);
    assert_eq!(
        read(&profile, &with(&machine(), "ext", json!({}))),
        Ok(the_machine())
    );
    for wrong in [
        json!(null),
        json!("acme"),
        json!(5),
        json!(true),
        json!([{"org_id": "acme"}]),
    ] {
        let payload = with(&machine(), "ext", wrong.clone());
        assert_eq!(read(&profile, &payload), Err(MalformedClaim), "{wrong}");
    }
    for wrong in [json!(null), json!(""), json!(5), json!(["acme"])] {
        let payload = with(&machine(), "ext", json!({"org_id": wrong}));
        assert_eq!(read(&profile, &payload), Err(MalformedClaim), "{payload}");
    }
}

#[test]
fn of_several_claims_the_first_that_is_there_counts_and_must_be_right() {
    let profile = ClaimsProfile::rfc9068()
        .with_organization_claims(["org_id".into(), "tenant".into()])
        .with_scope_claims(["scp".into(), "scope".into()]);
    let first = with(&with(&machine(), "org_id", "acme"), "scp", "a");
    let both = with(&with(&first, "tenant", "globex"), "scope", "b");
    let second = without(&without(&both, "org_id"), "scp");
    let expected = |organization, scope| Ok(the_machine().of([organization]).granted(scope));
    assert_eq!(read(&profile, &first), expected("acme", "a"));
    assert_eq!(read(&profile, &both), expected("acme", "a"));
    assert_eq!(read(&profile, &second), expected("globex", "b"));
    for name in ["org_id", "scp"] {
        let payload = with(&both, name, Value::Null);
        assert_eq!(read(&profile, &payload), Err(MalformedClaim), "{name}");
    }
}

fn decide_by_each<const N: usize>(cases: [(MachineRule, Value, Result<Said, Refusal>); N]) {
    for (rule, payload, expected) in cases {
        let profile = ClaimsProfile::rfc9068().with_machine_rule(rule.clone());
        assert_eq!(read(&profile, &payload), expected, "{rule:?}: {payload}");
    }
}

/// The same token, taken for a user's.
fn the_user() -> Said {
    Said::user("crawler", "crawler", "crawler").with_id("1")
}

#[test]
fn each_rule_about_the_client_needs_what_it_names() {
    let repeats = MachineRule::RepeatsClient {
        claims: vec!["cid".into()],
    };
    let suffixed = MachineRule::SubjectIsClientWith {
        suffix: "@m".into(),
    };
    let alone = MachineRule::SubjectIsClientWithout {
        claim: "uid".into(),
    };
    let of_suffix = Said::machine("crawler", "crawler@m").with_id("1");
    let payload = |claim, value| with(&machine(), claim, value);
    decide_by_each([
        (MachineRule::Never, machine(), Ok(the_user())),
        (MachineRule::SubjectIsClient, machine(), Ok(the_machine())),
        (repeats, payload("cid", json!("crawler")), Ok(the_machine())),
        (suffixed, payload("sub", json!("crawler@m")), Ok(of_suffix)),
        (alone.clone(), machine(), Ok(the_machine())),
        (alone.clone(), payload("uid", json!("ann")), Ok(the_user())),
        (alone, payload("uid", json!(null)), Err(MalformedClaim)),
    ]);
}

#[test]
fn each_rule_about_a_mark_needs_the_mark_in_its_own_type() {
    let is = MachineRule::ClaimIs {
        claim: ["ext", "is"].into(),
        value: true.into(),
    };
    let contains = MachineRule::ClaimContains {
        claim: ["ext", "has"].into(),
        value: "m".into(),
    };
    let starts = MachineRule::SubjectStartsWith {
        prefix: "m-".into(),
    };
    let of_prefix = Said::machine("m-1", "m-1").with_id("1");
    let prefixed = with(&machine(), "sub", "m-1");
    let ext = |ext: Value| with(&machine(), "ext", ext);
    decide_by_each([
        (is.clone(), ext(json!({"is": true})), Ok(the_machine())),
        (is.clone(), ext(json!({"is": false})), Ok(the_user())),
        (is, ext(json!({"is": "true"})), Err(MalformedClaim)),
        (
            starts.clone(),
            with(&prefixed, "client_id", "m-1"),
            Ok(of_prefix),
        ),
        // Such a machine is its own client, and nobody else's by a claim.
        (starts.clone(), prefixed, Err(Client)),
        (starts, machine(), Ok(the_user())),
        (
            contains.clone(),
            ext(json!({"has": ["a", "m"]})),
            Ok(the_machine()),
        ),
        (
            contains.clone(),
            ext(json!({"has": "m"})),
            Ok(the_machine()),
        ),
        (
            contains.clone(),
            ext(json!({"has": ["mm"]})),
            Ok(the_user()),
        ),
        (contains.clone(), machine(), Ok(the_user())),
        (contains, ext(json!({"has": [["m"]]})), Err(MalformedClaim)),
    ]);
}

#[test]
fn nobody_is_a_machine_for_want_of_both_subject_and_client() {
    let rules = [
        MachineRule::SubjectIsClient,
        MachineRule::SubjectIsClientWith {
            suffix: "@clients".into(),
        },
        MachineRule::SubjectIsClientWithout {
            claim: "uid".into(),
        },
    ];
    for rule in rules {
        let profile = ClaimsProfile::rfc9068()
            .with_required_claims([])
            .with_machine_rule(rule.clone());
        let neither = without(&without(&machine(), "sub"), "client_id");
        assert_eq!(read(&profile, &neither), Err(MissingClaim), "{rule:?}");
        let no_client = without(&machine(), "client_id");
        assert_eq!(read(&profile, &no_client), Err(MissingClaim), "{rule:?}");
    }
}

#[test]
fn a_mark_of_access_tokens_must_have_one_of_its_values_and_every_mark_must_be_there() {
    let profile = ClaimsProfile::rfc9068()
        .with_token_types([TokenType::Jwt])
        .with_access_token_mark("token_use", ["access".into(), "machine".into()])
        .with_access_token_mark("final", [true.into()]);
    let good = with(&with(&machine(), "token_use", "access"), "final", true);
    let read = |payload: &Value| vendor(profile.clone()).read("JWT", payload);
    assert_eq!(read(&good), Ok(the_machine()));
    assert_eq!(
        read(&with(&good, "token_use", "machine")),
        Ok(the_machine())
    );
    assert_eq!(
        read(&with(&good, "nonce", "n")),
        Ok(the_machine()),
        "it is marked"
    );
    let wrong = [
        with(&good, "token_use", "id"),
        with(&good, "token_use", true),
        with(&good, "token_use", json!(["access"])),
        without(&good, "token_use"),
        with(&good, "final", false),
        with(&good, "final", "true"),
        without(&good, "final"),
    ];
    for payload in wrong {
        assert_eq!(read(&payload), Err(NotAccessToken), "{payload}");
    }
}

#[test]
fn a_required_claim_may_have_any_value_but_must_be_there() {
    let profile =
        ClaimsProfile::rfc9068().with_required_claims(["plan".into(), ["ext", "region"].into()]);
    let good = with(
        &with(&machine(), "plan", Value::Null),
        "ext",
        json!({"region": 5}),
    );
    assert_eq!(read(&profile, &good), Ok(the_machine()));
    for payload in [
        without(&good, "plan"),
        without(&good, "ext"),
        with(&good, "ext", json!({})),
    ] {
        assert_eq!(read(&profile, &payload), Err(MissingClaim), "{payload}");
    }
}

#[test]
fn a_user_is_read_from_the_claim_that_says_so_alone() {
    let profile = ClaimsProfile::rfc9068().with_user_claim("uid");
    let user = with(&machine(), "sub", "pairwise");
    let expected = Said::user("crawler", "ann", "pairwise").with_id("1");
    assert_eq!(read(&profile, &with(&user, "uid", "ann")), Ok(expected));
    assert_eq!(read(&profile, &user), Err(MissingClaim));
    assert_eq!(read(&profile, &with(&user, "uid", "")), Err(MalformedClaim));
    assert_eq!(
        read(&profile, &machine()),
        Ok(the_machine()),
        "a machine has no user"
    );
}

#[test]
fn a_profile_that_knows_neither_refuses_as_unknown() {
    let profile = ClaimsProfile::entra().with_token_types([TokenType::AtJwt]);
    let payload = with(&machine(), "azp", "crawler");
    assert_eq!(read(&profile, &payload), Err(UnknownKind));
}

#[test]
fn marks_may_be_replaced_and_taken_away() {
    let marked = ClaimsProfile::cognito().with_token_types([TokenType::AtJwt]);
    assert_eq!(read(&marked, &machine()), Err(NotAccessToken));
    let other = [("use".into(), vec!["api".into(), "web".into()])];
    let replaced = marked.clone().with_access_token_marks(other);
    assert_eq!(read(&replaced, &machine()), Err(NotAccessToken));
    let payload = with(&machine(), "use", "web");
    assert_eq!(read(&replaced, &payload), Ok(the_machine()));
    let bare = marked.with_access_token_marks([]);
    assert_eq!(read(&bare, &machine()), Ok(the_machine()));
}

#[test]
fn a_client_may_be_required_or_not_where_nothing_else_needs_it() {
    let never = ClaimsProfile::new([TokenType::Jwt, TokenType::AtJwt])
        .with_machine_rule(MachineRule::Never);
    let nameless = without(&machine(), "client_id");
    let user = Said::user("", "crawler", "crawler")
        .without_client()
        .with_id("1");
    assert_eq!(read(&never, &nameless), Ok(user));
    let required = never.clone().with_client_required();
    assert_eq!(read(&required, &nameless), Err(MissingClaim));
    let optional = required.with_client_optional();
    assert!(read(&optional, &nameless).is_ok());
    // An ID token could be just like it.
    let decided = vendor(never.clone()).read("JWT", &nameless);
    assert_eq!(decided, Err(MissingClaim));
    let listed = vendor(never).with(|issuer| issuer.with_clients(["crawler"]));
    assert_eq!(listed.read("at+jwt", &nameless), Err(Client));
}

#[test]
fn a_machine_that_says_so_needs_no_client_and_no_subject() {
    let profile = ClaimsProfile::new([TokenType::Jwt]).with_machine_rule(MachineRule::ClaimIs {
        claim: "machine".into(),
        value: true.into(),
    });
    let vendor = vendor(profile);
    let nobody = without(&without(&machine(), "client_id"), "sub");
    assert_eq!(vendor.read("JWT", &nobody), Err(MissingClaim));
    let marked = with(&nobody, "machine", true);
    let said = Said::machine("", "").without_client().without_subject();
    assert_eq!(vendor.read("JWT", &marked), Ok(said.with_id("1")));
    let decided = vendor.read("JWT", &with(&nobody, "machine", false));
    assert_eq!(decided, Err(MissingClaim));
    let decided = vendor.read("JWT", &with(&marked, "nonce", "n"));
    assert_eq!(decided, Err(NotAccessToken));
}

#[test]
fn a_user_may_have_to_have_more_claims_than_a_machine() {
    let profile = ClaimsProfile::rfc9068()
        .with_user_required_claims(["consent".into(), ["ext", "plan"].into()]);
    assert_eq!(read(&profile, &machine()), Ok(the_machine()));
    let ann = with(&machine(), "sub", "ann");
    assert_eq!(read(&profile, &ann), Err(UnknownKind));
    let half = with(&ann, "consent", "1");
    assert_eq!(read(&profile, &half), Err(UnknownKind));
    let whole = with(&half, "ext", json!({"plan": "gold"}));
    let user = Said::user("crawler", "ann", "ann").with_id("1");
    assert_eq!(read(&profile, &whole), Ok(user));
    assert_eq!(
        read(&profile, &with(&half, "ext", "gold")),
        Err(MalformedClaim)
    );
}

#[test]
fn a_machine_may_be_one_by_having_no_subject() {
    let profile = ClaimsProfile::rfc9068()
        .with_required_claims([])
        .with_machine_rule(MachineRule::SubjectAbsent);
    let nobody = without(&machine(), "sub");
    let said = the_machine().without_subject();
    assert_eq!(read(&profile, &nobody), Ok(said));
    let ann = with(&machine(), "sub", "ann");
    let user = Said::user("crawler", "ann", "ann").with_id("1");
    assert_eq!(read(&profile, &ann), Ok(user));
    for nameless in [without(&nobody, "client_id"), without(&ann, "client_id")] {
        assert_eq!(read(&profile, &nameless), Err(MissingClaim));
    }
}

#[test]
fn an_audience_may_be_left_out_by_listed_machines_of_any_profile() {
    let aimless = without(&machine(), "aud");
    let listed = |profile| vendor(profile).with(|issuer| issuer.with_clients(["crawler"]));
    let optional = ClaimsProfile::rfc9068().with_audience_optional();
    let said = listed(optional.clone()).read("at+jwt", &aimless);
    assert_eq!(said, Ok(the_machine()));
    let ann = with(&aimless, "sub", "ann");
    let decided = listed(optional.clone()).read("at+jwt", &ann);
    assert_eq!(decided, Err(MissingClaim));
    let other = with(&machine(), "aud", "https://other.test");
    assert_eq!(
        listed(optional.clone()).read("at+jwt", &other),
        Err(Audience)
    );
    // A machine that is not its own client, and a user that has its client's name.
    let marked = optional.clone().with_machine_rule(MachineRule::ClaimIs {
        claim: "machine".into(),
        value: true.into(),
    });
    let of_another = with(&ann, "machine", true);
    let decided = listed(marked).read("at+jwt", &of_another);
    assert_eq!(decided, Err(MissingClaim));
    let users = optional.clone().with_machine_rule(MachineRule::Never);
    let decided = listed(users).read("at+jwt", &aimless);
    assert_eq!(decided, Err(MissingClaim));
    let strict = optional.with_audience_required();
    assert_eq!(listed(strict).read("at+jwt", &aimless), Err(MissingClaim));
}
