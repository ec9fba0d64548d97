use countersign_bearer::AuthenticatorConfig;
use countersign_token::ClaimsProfile;
use serde_json::{Map, Value};
use url::{Host, Url};

/// The input is a configuration in JSON. Any other format of `serde` comes as the same tree of values.
pub fn configuration(input: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    let read = AuthenticatorConfig::from_value(value.clone());
    let again = serde_json::from_value::<AuthenticatorConfig>(value.clone());
    match read {
        Err(error) => {
            assert!(!error.problems().is_empty());
            let lines: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
            assert_eq!(error.to_string(), lines.join("\n"));
            let again = again.expect_err("one configuration, two answers");
            assert_eq!(again.to_string(), error.to_string());
        }
        Ok(config) => {
            let builder = again.expect("one configuration, two answers");
            assert_eq!(format!("{config:?}"), format!("{builder:?}"));
            assert_eq!(config.into_builder().check(), Ok(()));
            let settings = value.as_object().expect("a table was read");
            check_settings(settings);
            check_unknown_is_refused(settings);
        }
    }
}

/// What a configuration that was accepted must say.
fn check_settings(settings: &Map<String, Value>) {
    let issuers = settings["issuers"].as_array().expect("issuers");
    assert!(!issuers.is_empty());
    let mut names: Vec<_> = issuers.iter().map(|one| text(&one["issuer"])).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|one, next| one < next), "a name twice");
    for issuer in issuers {
        check_issuer(issuer);
        if issuers.len() > 1 {
            check_organizations_are_said(issuer);
        }
    }
    if let Some(realm) = settings.get("realm") {
        assert!(
            text(realm)
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte))
        );
    }
    if let Some(resource) = settings.get("resource") {
        let resource = Url::parse(text(resource)).expect("a URL");
        assert!(resource.query().is_none() && resource.fragment().is_none());
    }
}

fn check_issuer(issuer: &Value) {
    assert!(!text(&issuer["issuer"]).is_empty());
    let audiences = issuer["audiences"].as_array().expect("audiences");
    assert!(!audiences.is_empty());
    assert!(audiences.iter().all(|audience| !text(audience).is_empty()));
    if let Some(algorithms) = issuer.get("algorithms") {
        let algorithms = algorithms.as_array().expect("algorithms");
        assert!(!algorithms.is_empty());
        for name in algorithms {
            let is_asymmetric = ["RS", "PS", "ES", "Ed"].iter().any(|kind| {
                let name = text(name);
                name.starts_with(kind)
            });
            assert!(is_asymmetric, "{name}");
        }
    }
    if let Some(profile) = issuer.get("profile") {
        assert!(ClaimsProfile::NAMES.contains(&text(profile)));
    }
    if let Some(leeway) = issuer.get("leeway_seconds") {
        assert!(
            leeway
                .as_f64()
                .is_some_and(|leeway| (0.0..=300.0).contains(&leeway))
        );
    }
    match issuer.get("keys") {
        None => check_is_secure(text(&issuer["issuer"])),
        Some(Value::String(word)) => {
            assert_eq!(word, "discovery");
            check_is_secure(text(&issuer["issuer"]));
        }
        Some(source) => {
            if let Some(url) = source.get("url") {
                check_is_secure(text(url));
            } else {
                assert!(!text(&source["file"]).is_empty());
            }
        }
    }
}

/// With several issuers, nobody speaks for just any organization unless it was said.
fn check_organizations_are_said(issuer: &Value) {
    let profile = issuer.get("profile").map_or("rfc9068", text);
    let profile = ClaimsProfile::by_name(profile).expect("one of the names");
    let is_overridden = issuer.get("organization_claims").is_some();
    let says = |name: &str| issuer.get(name).is_some();
    assert!(
        is_overridden
            || !profile.yields_organizations()
            || says("organizations")
            || says("fixed_organization")
            || issuer["dangerous_any_organization"] == true
    );
}

/// Keys come by TLS, or from this machine.
fn check_is_secure(url: &str) {
    let url = Url::parse(url).expect("a URL");
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback));
    assert!(url.username().is_empty() && url.password().is_none());
}

/// A setting that nobody knows is refused, in the whole and in each issuer.
fn check_unknown_is_refused(settings: &Map<String, Value>) {
    let mut general = settings.clone();
    general.insert("no_such_setting".into(), Value::Null);
    let mut of_an_issuer = settings.clone();
    of_an_issuer["issuers"][0]["no_such_setting"] = Value::Null;
    for (settings, path) in [
        (general, "no_such_setting"),
        (of_an_issuer, "issuers[0].no_such_setting"),
    ] {
        let error = AuthenticatorConfig::from_value(settings.into()).expect_err("unknown");
        let paths: Vec<_> = error.problems().iter().map(|one| &one.path).collect();
        assert_eq!(paths, [path]);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text was read")
}
