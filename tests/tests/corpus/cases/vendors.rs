//! A good token of each preset, and what its claims are.

use serde_json::{Value, json};

/// One preset.
pub(super) struct Vendor {
    pub(super) preset: &'static str,
    /// The `typ` values accepted; an empty one is its absence. The first is the one used.
    pub(super) types: &'static [&'static str],
    /// A user's token, and a machine's where there is any.
    pub(super) tokens: Vec<Value>,
    /// Claims that name somebody, besides `sub` and `jti`.
    pub(super) names: &'static [&'static str],
    /// The claim that scopes of the user's token are in.
    pub(super) scopes: &'static str,
    /// What is refused as no access token, or as lacking something, if it is left out of the user's token.
    pub(super) required: &'static [&'static str],
    /// An ID token, with `aud` for the API.
    pub(super) id_token: Value,
}

fn app(sub: &str) -> Value {
    json!({"sub": sub, "client_id": "app", "scope": "a"})
}

fn with(mut claims: Value, name: &str, value: &str) -> Value {
    claims[name] = json!(value);
    claims
}

pub(super) fn all() -> Vec<Vendor> {
    [
        near_rfc9068(),
        with_client_id(),
        with_other_names(),
        of_large_clouds(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn near_rfc9068() -> [Vendor; 3] {
    [
        Vendor {
            preset: "rfc9068",
            types: &["at+jwt"],
            tokens: vec![app("ann"), app("app")],
            names: &["client_id", "org_id"],
            scopes: "scope",
            required: &["client_id", "sub", "iat", "jti"],
            id_token: json!({"sub": "ann", "azp": "app", "nonce": "n", "at_hash": "h"}),
        },
        Vendor {
            preset: "workos",
            types: &["JWT", "at+jwt", ""],
            tokens: vec![app("ann"), app("app")],
            names: &["client_id", "org_id"],
            scopes: "scope",
            required: &["client_id", "sub"],
            id_token: json!({"sub": "ann", "nonce": "n", "email": "ann@acme.test"}),
        },
        Vendor {
            preset: "auth0",
            types: &["JWT", "at+jwt"],
            tokens: vec![app("ann"), app("app@clients")],
            names: &["client_id", "azp", "org_id"],
            scopes: "scope",
            required: &["client_id", "sub"],
            id_token: json!({"sub": "ann", "nonce": "n", "nickname": "ann", "org_id": "org_acme"}),
        },
    ]
}

fn with_client_id() -> [Vendor; 3] {
    [
        Vendor {
            preset: "scalekit",
            types: &["JWT"],
            tokens: vec![app("ann"), app("app")],
            names: &["client_id", "oid"],
            scopes: "scopes",
            required: &["client_id", "sub"],
            id_token: json!({"sub": "ann", "azp": "app", "oid": "org_acme", "at_hash": "h", "c_hash": "h"}),
        },
        Vendor {
            preset: "hydra",
            types: &["JWT"],
            tokens: vec![app("ann"), app("app")],
            names: &["client_id"],
            scopes: "scp",
            required: &["client_id", "sub"],
            id_token: json!({"sub": "ann", "nonce": "n", "at_hash": "h", "sid": "s"}),
        },
        Vendor {
            preset: "zitadel",
            types: &["JWT", "at+jwt"],
            tokens: vec![app("ann")],
            names: &["client_id", "azp", "urn:zitadel:iam:user:resourceowner:id"],
            scopes: "scope",
            required: &["client_id", "sub", "jti"],
            id_token: json!({"sub": "ann", "client_id": "app", "azp": "app", "nonce": "n", "at_hash": "h"}),
        },
    ]
}

fn with_other_names() -> [Vendor; 3] {
    [
        Vendor {
            preset: "kinde",
            types: &["JWT"],
            tokens: vec![
                json!({"sub": "ann", "azp": "app"}),
                json!({"azp": "app", "gty": ["client_credentials"]}),
            ],
            names: &["azp", "org_code"],
            scopes: "scope",
            required: &["azp", "sub"],
            id_token: json!({"sub": "ann", "azp": "app", "at_hash": "h", "org_codes": ["org_acme"]}),
        },
        Vendor {
            preset: "clerk",
            types: &["JWT", "at+jwt"],
            tokens: vec![app("ann"), json!({"sub": "mch_1"})],
            names: &["client_id", "org_id"],
            scopes: "scp",
            required: &["client_id", "sub"],
            id_token: json!({"sub": "ann", "nonce": "n", "org_id": "org_acme"}),
        },
        Vendor {
            preset: "keycloak",
            types: &["JWT", "at+jwt"],
            tokens: vec![
                json!({"sub": "ann", "typ": "Bearer", "azp": "app"}),
                json!({"sub": "svc", "typ": "Bearer", "azp": "app", "client_id": "app"}),
            ],
            names: &["azp", "client_id", "clientId"],
            scopes: "scope",
            required: &["azp", "sub", "typ"],
            id_token: json!({"sub": "ann", "typ": "ID", "azp": "app", "nonce": "n", "at_hash": "h"}),
        },
    ]
}

fn of_large_clouds() -> [Vendor; 3] {
    [
        Vendor {
            preset: "okta",
            types: &["JWT", ""],
            tokens: vec![
                json!({"sub": "ann@acme.test", "cid": "app", "uid": "ann"}),
                json!({"sub": "app", "cid": "app"}),
            ],
            names: &["cid", "uid"],
            scopes: "scp",
            required: &["cid", "uid"],
            id_token: json!({"sub": "ann", "nonce": "n", "at_hash": "h", "idp": "i"}),
        },
        Vendor {
            preset: "entra",
            types: &["JWT"],
            tokens: vec![
                json!({"sub": "pairwise", "azp": "app", "oid": "ann", "scp": "a"}),
                json!({"sub": "app-object", "azp": "app", "idtyp": "app"}),
            ],
            names: &["azp", "appid", "tid"],
            scopes: "scp",
            required: &["azp", "oid"],
            id_token: json!({"sub": "pairwise", "oid": "ann", "tid": "t", "nonce": "n"}),
        },
        Vendor {
            preset: "cognito",
            types: &["JWT", ""],
            tokens: vec![
                with(app("ann"), "token_use", "access"),
                with(app("app"), "token_use", "access"),
            ],
            names: &["client_id"],
            scopes: "scope",
            required: &["client_id", "sub", "token_use"],
            id_token: json!({"sub": "ann", "token_use": "id", "cognito:username": "ann"}),
        },
    ]
}
