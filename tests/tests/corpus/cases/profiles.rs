//! Tokens that are not the access tokens of a vendor: by their type, as ID tokens, for lack of a claim.

use super::signer::ED25519;
use super::vendors::{self, Vendor};
use super::{Case, Draft, Group, issuer, key_set};
use countersign::Refusal::{Audience, Client, MalformedClaim, MissingClaim, NotAccessToken, Type};
use countersign::{Algorithm, ClaimsProfile};
use serde_json::{Value, json};
const TYPE: &str = "RFC 8725 §3.11: typ is one of an allow-list";
pub(super) const ID_TOKEN: &str = "RFC 8725 §3.12, RFC 9068 §4: an ID token is no access token";
pub(super) const REQUIRED: &str =
    "RFC 9068 §2.2 and the vendors' documentation: what an access token has";
pub(super) const CLAIM_TYPE: &str =
    "CVE-2026-25537: a claim of another type is refused, never ignored";
pub(super) const CLIENT: &str = "a client that is not listed";

/// Types of tokens that somebody signs and that are no access tokens, and spellings of those that are.
const FOREIGN: [&str; 26] = [
    "",
    "application/",
    "JOSE",
    "JOSE+JSON",
    "JWE",
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "oauth-authz-req+jwt",
    "token-introspection+jwt",
    "client-authentication+jwt",
    "entity-statement+jwt",
    "kb+jwt",
    "dc+sd-jwt",
    "vc+jwt",
    "passport",
    "at",
    "at jwt",
    "at+jwt ",
    " at+jwt",
    "at+jwt\0",
    "at+jwt; v=1",
    "at+jwt,JWT",
    "text/jwt",
    "application/application/jwt",
    "\u{430}t+jwt",
];

pub(super) fn groups() -> Vec<Group> {
    let mut groups: Vec<_> = vendors::all().iter().map(of_vendor).collect();
    let mut all = vendor("rfc9068");
    all.types = &["at+jwt"];
    let cases = FOREIGN.map(|typ| {
        let name = format!("typ: {typ:?}");
        Case::cheap(name, TYPE, all.good().header("typ", typ), Type)
    });
    groups.push(all.group().with(cases));
    groups
}

pub(super) fn vendor(preset: &str) -> Vendor {
    vendors::all()
        .into_iter()
        .find(|one| one.preset == preset)
        .unwrap()
}

impl Vendor {
    pub(super) fn group(&self) -> Group {
        let profile = ClaimsProfile::by_name(self.preset).unwrap();
        let issuer = issuer()
            .with_profile(profile)
            .with_clients(["app", "mch_1"]);
        Group::new("profiles", issuer, &key_set(&[ED25519.jwk()]), self.good())
    }

    /// A user's token.
    pub(super) fn good(&self) -> Draft {
        self.draft(&self.tokens[0])
    }

    pub(super) fn draft(&self, claims: &Value) -> Draft {
        let draft = Draft::new(&ED25519, Algorithm::Ed25519).claims(claims);
        draft.header("typ", self.types[0])
    }
}

fn of_vendor(vendor: &Vendor) -> Group {
    let mut cases = types(vendor);
    cases.extend(id_tokens(vendor));
    cases.extend(required(vendor));
    for claims in &vendor.tokens {
        let is_machine = *claims != vendor.tokens[0];
        cases.extend(of_wrong_types(vendor, claims, is_machine));
    }
    cases.extend(scopes(vendor));
    vendor.group().with(cases)
}

fn types(vendor: &Vendor) -> Vec<Case> {
    let preset = vendor.preset;
    let case = |typ: &str| {
        let draft = match typ {
            "" => vendor.good().without_header("typ"),
            typ => vendor.good().header("typ", typ),
        };
        Case::cheap(
            format!("{preset}: a token of type {typ:?}"),
            TYPE,
            draft,
            Type,
        )
    };
    let own = ["", "JWT", "at+jwt"]
        .into_iter()
        .filter(|typ| !vendor.types.contains(typ));
    let foreign = [
        "dpop+jwt",
        "logout+jwt",
        "JOSE",
        "application/application/jwt",
        "rt+jwt",
    ];
    own.chain(foreign).map(case).collect()
}

/// Three times: as it comes, then meant for the API, then without what tells it at once.
fn id_tokens(vendor: &Vendor) -> Vec<Case> {
    let preset = vendor.preset;
    let id_token = vendor.draft(&vendor.id_token).without_claim("jti");
    let for_the_app = id_token.clone().claim("aud", "app");
    let mut bare = id_token.clone();
    for mark in ["nonce", "at_hash", "c_hash"] {
        bare = bare.without_claim(mark);
    }
    let (marked, unmarked) = match preset {
        // The type alone marks an access token there; what else it needs an ID token lacks.
        "rfc9068" => (MissingClaim, Some(MissingClaim)),
        "keycloak" | "cognito" => (NotAccessToken, Some(NotAccessToken)),
        // Nothing but its hash tells it; its audience is another.
        "kinde" => (NotAccessToken, None),
        _ => (NotAccessToken, Some(MissingClaim)),
    };
    let mut cases = vec![
        Case::cheap(
            format!("{preset}: an ID token"),
            ID_TOKEN,
            for_the_app,
            Audience,
        ),
        Case::claims(
            format!("{preset}: an ID token meant for the API"),
            ID_TOKEN,
            id_token.clone(),
            marked,
        ),
    ];
    if let Some(refusal) = unmarked {
        let name = format!("{preset}: an ID token meant for the API, without nonce and hashes");
        cases.push(Case::claims(name, ID_TOKEN, bare, refusal));
    }
    if !vendor.types.contains(&"JWT") {
        let name = format!("{preset}: an ID token of its own type");
        cases.push(Case::cheap(
            name,
            ID_TOKEN,
            id_token.header("typ", "JWT"),
            Type,
        ));
    }
    cases
}

fn required(vendor: &Vendor) -> Vec<Case> {
    let preset = vendor.preset;
    let mut cases: Vec<_> = vendor
        .required
        .iter()
        .map(|name| {
            let refusal = match *name {
                "typ" | "token_use" => NotAccessToken,
                _ => MissingClaim,
            };
            Case::claims(
                format!("{preset}: no {name}"),
                REQUIRED,
                vendor.good().without_claim(name),
                refusal,
            )
        })
        .collect();
    let stranger = vendor.good().claim(vendor.names[0], "another-app");
    cases.push(Case::claims(
        format!("{preset}: another client"),
        CLIENT,
        stranger,
        Client,
    ));
    cases
}

/// Every name that the preset reads, in every type that is not a text, and empty.
fn of_wrong_types(vendor: &Vendor, claims: &Value, is_machine: bool) -> Vec<Case> {
    let whose = if is_machine { "machine" } else { "user" };
    let wrong = [
        json!(null),
        json!(5),
        json!(true),
        json!(""),
        json!(["app"]),
        json!({}),
    ];
    let twin = vendor.draft(claims);
    let mut cases = Vec::new();
    for name in vendor.names {
        for value in &wrong {
            let title = format!("{} ({whose}): {name} is {value}", vendor.preset);
            let draft = twin.clone().claim(name, value.clone());
            cases.push(
                Case::claims(title, CLAIM_TYPE, draft, MalformedClaim).with_twin(twin.clone()),
            );
        }
    }
    cases
}

fn scopes(vendor: &Vendor) -> Vec<Case> {
    let wrong = [
        json!(null),
        json!(5),
        json!(true),
        json!({}),
        json!([5]),
        json!(["a b"]),
        json!("a\tb"),
    ];
    let cases = wrong.into_iter().map(|value| {
        let title = format!("{}: {} is {value}", vendor.preset, vendor.scopes);
        let draft = vendor.good().claim(vendor.scopes, value);
        Case::claims(title, CLAIM_TYPE, draft, MalformedClaim)
    });
    cases.collect()
}
