use countersign_jwks::{Algorithm, KeySource, RefreshPolicy, Start};
use countersign_token::{
    ClaimPath, ClaimValue, ClaimsProfile, Issuer, Microservices, OrganizationForm, OrganizationId,
    ScopeHierarchy, TokenType, TokenTypes,
};
use serde_json::Value;

use super::table::Table;
use crate::error::Problem;

/// Stands in for a missing name, so that the other settings are checked all the same.
const UNNAMED: &str = "https://unnamed.invalid";

/// Reads one `[[issuers]]` table. What cannot be read is noted and left at its default.
pub(super) fn issuer(path: String, value: Value, problems: &mut Vec<Problem>) -> Issuer {
    if !value.is_object() {
        problems.push(Problem::new(path, "must be a table"));
        return Issuer::new(UNNAMED, UNNAMED);
    }
    let mut table = Table::new(path, value, problems);
    let name = table.required_string("issuer");
    let mut issuer = Issuer::new(name.as_deref().unwrap_or(UNNAMED), UNNAMED);
    if !table.has("audiences") {
        table.note("audiences", "is missing");
    } else if let Some(audiences) = table.strings("audiences") {
        issuer = issuer.with_audiences(audiences);
    }
    issuer = what_is_accepted(issuer, &mut table);
    issuer = whose_keys(issuer, &mut table);
    issuer = who_may_call(issuer, &mut table);
    issuer = when_valid(issuer, &mut table);
    table.finish();
    issuer
}

fn what_is_accepted(mut issuer: Issuer, table: &mut Table<'_>) -> Issuer {
    if let Some(profile) = profile(table) {
        issuer = issuer.with_profile(profile);
    }
    if let Some(algorithms) = table.parsed_elements("algorithms", algorithm) {
        issuer = issuer.with_algorithms(algorithms);
    }
    if let Some(types) = table.parsed_elements("token_types", token_type) {
        issuer = issuer.with_token_types(types.into_iter().collect::<TokenTypes>());
    }
    if let Some(mut claims) = table.table("required_claims") {
        for (name, value) in claims.rest() {
            match claim_value(&value) {
                Ok(value) => issuer = issuer.with_required_claim(name, value),
                Err(message) => {
                    claims.note(&name, message);
                }
            }
        }
    }
    if let Some(mut scopes) = table.table("scope_hierarchy") {
        let mut hierarchy = ScopeHierarchy::new();
        for scope in scopes.names() {
            let implied = scopes.strings(&scope).unwrap_or_default();
            match hierarchy
                .clone()
                .implies(&scope, implied.iter().map(String::as_str))
            {
                Ok(larger) => hierarchy = larger,
                Err(error) => {
                    scopes.note(&scope, error.to_string());
                }
            }
        }
        issuer = issuer.with_scope_hierarchy(hierarchy);
    }
    issuer
}

fn profile(table: &mut Table<'_>) -> Option<ClaimsProfile> {
    let named = table.parsed("profile", |value| {
        let name = value.as_str().unwrap_or_default();
        ClaimsProfile::by_name(name)
            .ok_or_else(|| format!("must be one of {}", ClaimsProfile::NAMES.join(", ")))
    });
    let overrides = [
        "organization_claims",
        "organization_form",
        "scope_claims",
        "machine_scope_claims",
        "client_claims",
        "user_claim",
    ];
    let is_overridden = overrides.iter().any(|name| table.has(name));
    if named.is_none() && !is_overridden {
        return None;
    }
    let mut profile = named.unwrap_or_else(ClaimsProfile::rfc9068);
    if let Some(claims) = table.parsed_elements("organization_claims", claim_path) {
        profile = profile.with_organization_claims(claims);
    }
    if let Some(form) = table.parsed("organization_form", organization_form) {
        profile = profile.with_organization_form(form);
    }
    if let Some(claims) = table.parsed_elements("scope_claims", claim_path) {
        profile = profile.with_scope_claims(claims);
    }
    if let Some(claims) = table.parsed_elements("machine_scope_claims", claim_path) {
        profile = profile.with_machine_scope_claims(claims);
    }
    if let Some(claims) = table.parsed_elements("client_claims", claim_path) {
        profile = profile.with_client_claims(claims);
    }
    if let Some(claim) = table.parsed("user_claim", claim_path) {
        profile = profile.with_user_claim(claim);
    }
    Some(profile)
}

fn whose_keys(mut issuer: Issuer, table: &mut Table<'_>) -> Issuer {
    if let Some(source) = table.parsed("keys", key_source) {
        issuer = issuer.with_keys(source);
    }
    if let Some(start) = table.parsed("start", |value| match value.as_str() {
        Some("required") => Ok(Start::Required),
        Some("degraded") => Ok(Start::Degraded),
        _ => Err("must be \"required\" or \"degraded\"".into()),
    }) {
        issuer = issuer.with_start(start);
    }
    if table.flag("same_origin_keys") {
        issuer = issuer.with_same_origin_keys();
    }
    if let Some(mut refresh) = table.table("refresh") {
        let policy = refresh_policy(&mut refresh);
        refresh.finish();
        issuer = issuer.with_refresh_policy(policy);
    }
    issuer
}

fn refresh_policy(table: &mut Table<'_>) -> RefreshPolicy {
    let mut policy = RefreshPolicy::default();
    for (name, setting) in [
        ("time_to_live_seconds", &mut policy.time_to_live),
        ("min_time_to_live_seconds", &mut policy.min_time_to_live),
        ("max_time_to_live_seconds", &mut policy.max_time_to_live),
        ("stale_grace_seconds", &mut policy.stale_grace),
        ("max_backoff_seconds", &mut policy.max_backoff),
        ("start_wait_seconds", &mut policy.start_wait),
    ] {
        if let Some(seconds) = table.seconds(name) {
            *setting = seconds;
        }
    }
    policy
}

fn who_may_call(mut issuer: Issuer, table: &mut Table<'_>) -> Issuer {
    let mut rules = 0;
    if let Some(organizations) = table.strings("organizations") {
        issuer = issuer.with_organizations(organizations);
        rules += 1;
    }
    if let Some(organization) = table.parsed("fixed_organization", |value| {
        value
            .as_str()
            .and_then(OrganizationId::new)
            .ok_or_else(|| "must be a string that is not empty".into())
    }) {
        issuer = issuer.with_fixed_organization(organization);
        rules += 1;
    }
    if table.flag("dangerous_any_organization") {
        issuer = issuer.dangerous_any_organization();
        rules += 1;
    }
    if rules > 1 {
        table.note(
            "organizations",
            "cannot stand beside fixed_organization or dangerous_any_organization",
        );
    }
    if let Some(clients) = table.strings("clients") {
        issuer = issuer.with_clients(clients);
    }
    if let Some(microservices) = table.parsed("microservices", microservices) {
        issuer = issuer.with_microservices(microservices);
    }
    issuer
}

fn when_valid(mut issuer: Issuer, table: &mut Table<'_>) -> Issuer {
    if let Some(leeway) = table.seconds("leeway_seconds") {
        issuer = issuer.with_leeway(leeway);
    }
    if let Some(age) = table.seconds("max_age_seconds") {
        issuer = issuer.with_max_age(age);
    }
    if let Some(lifetime) = table.seconds("max_lifetime_seconds") {
        issuer = issuer.with_max_lifetime(lifetime);
    }
    issuer
}

pub(super) fn algorithm(value: &Value) -> Result<Algorithm, String> {
    value
        .as_str()
        .and_then(Algorithm::from_name)
        .ok_or_else(|| {
            let names = Algorithm::ALL.map(Algorithm::name);
            format!("{value} must be one of {}", names.join(", "))
        })
}

fn token_type(value: &Value) -> Result<TokenType, String> {
    match value.as_str() {
        Some("absent") => Some(TokenType::Absent),
        Some(typ) => TokenType::from_typ(typ),
        None => None,
    }
    .ok_or_else(|| format!("{value} must be one of absent, JWT, at+jwt"))
}

fn claim_path(value: &Value) -> Result<ClaimPath, String> {
    match value {
        Value::String(name) if !name.is_empty() => return Ok(name.as_str().into()),
        Value::Array(names) => {
            if let [Value::String(outer), Value::String(inner)] = names.as_slice() {
                return Ok([outer.as_str(), inner.as_str()].into());
            }
        }
        _ => {}
    }
    Err("must be a claim's name, or an array of an outer and an inner name".into())
}

fn claim_value(value: &Value) -> Result<ClaimValue, String> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Bool(flag) => Ok((*flag).into()),
        _ => Err("must be a string, true or false".into()),
    }
}

fn organization_form(value: &Value) -> Result<OrganizationForm, String> {
    match value.as_str() {
        Some("identifier") => Ok(OrganizationForm::Identifier),
        Some("membership_alias") => Ok(OrganizationForm::MembershipAlias),
        Some("membership_id") => Ok(OrganizationForm::MembershipId),
        _ => Err("must be one of identifier, membership_alias, membership_id".into()),
    }
}

/// The text of a table with exactly this member, which is a string that is not empty.
fn only_member<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let text = members.get(name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

fn key_source(value: &Value) -> Result<KeySource, String> {
    if value.as_str() == Some("discovery") {
        Ok(KeySource::Discovery)
    } else if let Some(url) = only_member(value, "url") {
        Ok(KeySource::url(url))
    } else if let Some(file) = only_member(value, "file") {
        Ok(KeySource::file(file))
    } else {
        Err("must be \"discovery\", { url = \"…\" } or { file = \"…\" }".into())
    }
}

fn microservices(value: &Value) -> Result<Microservices, String> {
    let rule = match value {
        Value::String(word) => match word.as_str() {
            "none" => Some(Microservices::None),
            "all" => Some(Microservices::All),
            _ => None,
        },
        Value::Object(members) if members.len() == 1 => {
            members.get("clients").and_then(|clients| {
                let clients = clients.as_array()?.iter().map(Value::as_str);
                clients
                    .collect::<Option<Vec<_>>>()
                    .map(Microservices::clients)
            })
        }
        Value::Object(members) if members.len() == 2 => members
            .get("claim")
            .and_then(Value::as_str)
            .zip(
                members
                    .get("value")
                    .and_then(|value| claim_value(value).ok()),
            )
            .map(|(claim, value)| Microservices::claim(claim, value)),
        _ => None,
    };
    rule.ok_or_else(|| {
        "must be \"none\", \"all\", { clients = [\"…\"] } or { claim = \"…\", value = \"…\" }"
            .into()
    })
}
