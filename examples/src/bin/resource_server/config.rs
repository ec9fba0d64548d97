use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use countersign::AuthenticatorConfig;
use serde_json::Value;

/// The program's configuration: where to listen, and everything of the authenticator.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) authenticator: AuthenticatorConfig,
}

impl Config {
    /// Reads it, or returns every problem, one on each line.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut table: Value =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;

        let mut problems = String::new();
        let listen = match table
            .as_object_mut()
            .and_then(|table| table.remove("listen"))
        {
            None => Err("listen: is missing, such as \"127.0.0.1:8080\""),
            Some(value) => value
                .as_str()
                .and_then(|address| address.parse().ok())
                .ok_or("listen: must be an address with a port, such as \"127.0.0.1:8080\""),
        };
        if table.get("resource").is_none() {
            problems.push_str("resource: is missing, such as \"https://api.acme.test\"\n");
        }
        match (listen, AuthenticatorConfig::from_value(table)) {
            (Ok(listen), Ok(authenticator)) if problems.is_empty() => Ok(Self {
                listen,
                authenticator,
            }),
            (listen, authenticator) => {
                for problem in [
                    listen.err().map(String::from),
                    authenticator.err().map(|error| error.to_string()),
                ]
                .into_iter()
                .flatten()
                {
                    // Writing to a string cannot fail.
                    let _ = writeln!(problems, "{problem}");
                }
                Err(problems.trim_end().to_owned())
            }
        }
    }
}
