use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use countersign::{AuthenticatorBuilder, AuthenticatorConfig};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{audit, introspection, revocation};

/// The program's configuration: where to listen, what stands beside the authenticator, and everything of the
/// authenticator.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) authenticator: AuthenticatorBuilder,
    pub(crate) revocation: Option<revocation::Settings>,
    pub(crate) audit: Option<audit::Settings>,
}

impl Config {
    /// Reads it, or returns every problem, one on each line.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let at = |error: &dyn Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| at(&error))?;
        let mut table: Map<String, Value> = toml::from_str(&text).map_err(|error| at(&error))?;

        let mut problems = Vec::new();
        let listen = match table.remove("listen") {
            None => Err("listen: is missing, such as \"127.0.0.1:8080\""),
            Some(value) => value
                .as_str()
                .and_then(|address| address.parse().ok())
                .ok_or("listen: must be an address with a port, such as \"127.0.0.1:8080\""),
        };
        let listen = noted(listen, &mut problems);
        if !table.contains_key("resource") {
            problems.push("resource: is missing, such as \"https://api.acme.test\"".into());
        }
        let revocation: Option<revocation::Settings> =
            section(&mut table, "revocation", &mut problems);
        problems.extend(revocation.iter().flat_map(revocation::Settings::problems));
        let audit = section(&mut table, "audit", &mut problems);
        let introspection: Option<introspection::Settings> =
            section(&mut table, "introspection", &mut problems);
        #[cfg(feature = "redis")]
        let replay = section(&mut table, "replay", &mut problems);
        let authenticator = AuthenticatorConfig::from_value(Value::Object(table));
        let authenticator = noted(authenticator, &mut problems).and_then(|config| {
            let with_introspection = with_introspection(config, introspection);
            noted(with_introspection, &mut problems)
        });
        #[cfg(feature = "redis")]
        let authenticator = authenticator.and_then(|builder| {
            let with_store = with_replay_store(builder, replay);
            noted(with_store, &mut problems)
        });
        match (listen, authenticator) {
            (Some(listen), Some(authenticator)) if problems.is_empty() => Ok(Self {
                listen,
                authenticator,
                revocation,
                audit,
            }),
            _ => Err(problems.join("\n")),
        }
    }
}

fn with_introspection(
    config: AuthenticatorConfig,
    settings: Option<introspection::Settings>,
) -> Result<AuthenticatorBuilder, String> {
    let Some(settings) = settings else {
        return Ok(config.into_builder());
    };
    let issuer = config
        .issuer(&settings.issuer)
        .ok_or("introspection.issuer: must be the issuer of one of the issuers")?;
    let introspection = settings.build(issuer.clone())?;
    let builder = config.into_builder();
    Ok(builder.with_opaque_tokens(Arc::new(introspection)))
}

/// `[replay]`: where machines remember the DPoP proofs that any of them has seen.
#[cfg(feature = "redis")]
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    redis: String,
}

#[cfg(feature = "redis")]
fn with_replay_store(
    builder: AuthenticatorBuilder,
    settings: Option<Replay>,
) -> Result<AuthenticatorBuilder, String> {
    let Some(Replay { redis }) = settings else {
        return Ok(builder);
    };
    let store = countersign::RedisReplayStore::open(&redis);
    let store = store.map_err(|error| format!("replay.{error}"))?;
    let builder = builder.with_replay_store(Arc::new(store));
    builder.check().map_err(|error| error.to_string())?;
    Ok(builder)
}

/// A table of the file, if it is there.
fn section<T: DeserializeOwned>(
    table: &mut Map<String, Value>,
    name: &str,
    problems: &mut Vec<String>,
) -> Option<T> {
    let read = serde_json::from_value(table.remove(name)?);
    noted(read.map_err(|error| format!("{name}: {error}")), problems)
}

/// What was read; if it could not be, its problems are noted.
fn noted<T, E: Display>(read: Result<T, E>, problems: &mut Vec<String>) -> Option<T> {
    read.map_err(|error| problems.push(error.to_string())).ok()
}
