//! A resource server that a team could deploy: `resource_server CONFIG.toml`.
//!
//! It prints one line of JSON on standard output when it is ready, `{"listening":"http://127.0.0.1:PORT"}`, and
//! logs to standard error (`RUST_LOG` says how much). Every problem of a bad configuration goes to standard
//! error, with exit status 2. On SIGTERM or Ctrl-C it finishes the requests in flight and exits with 0.

mod audit;
mod config;
mod introspection;
mod invoices;
mod revocation;
mod revoke;
mod routes;
mod shutdown;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use countersign::{Authenticator, AuthenticatorBuilder, BuildError, RevocationPublisher};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::revoke::Revoker;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    let mut arguments = std::env::args_os().skip(1);
    let path = match (arguments.next(), arguments.next()) {
        (Some(path), None) if !path.to_string_lossy().starts_with('-') => path,
        _ => {
            eprintln!("usage: resource_server CONFIG.toml");
            return ExitCode::from(2);
        }
    };
    let config = match Config::read(path.as_ref()) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(2);
        }
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started it waits for this line"
)]
async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let stop = shutdown::Signals::listen()?;
    let (authenticator, revoker, publisher) = tokio::select! {
        built = authenticator(config.authenticator, config.revocation) => built?,
        () = stop.clone().received() => return Ok(()),
    };
    let audit = config.audit.map(audit::Settings::build).transpose()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("listen: {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    let revocations = revoke::routes(revoker, publisher.as_ref());
    let mut app = routes::app(&authenticator, revocations)?;
    if let Some(audit) = &audit {
        app = app.layer(audit.layer()); // last, so that it is outermost
    }
    println!(
        "{}",
        serde_json::json!({ "listening": format!("http://{address}") })
    );
    tracing::info!(%address, "ready");

    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stopped.received().await;
        // Those who follow would be waited for.
        if let Some(publisher) = publisher {
            publisher.close();
        }
    });
    tokio::select! {
        result = server => result?,
        () = stop.grace_is_over() => tracing::warn!("requests were still in flight"),
    }
    if let Some(audit) = audit {
        audit.shutdown(Duration::from_secs(5)).await;
    }
    Ok(())
}

/// Who decides, and those that tell it what was revoked.
type Ready = (Authenticator, Option<Revoker>, Option<RevocationPublisher>);

async fn authenticator(
    mut builder: AuthenticatorBuilder,
    revocation: Option<revocation::Settings>,
) -> Result<Ready, Box<dyn std::error::Error>> {
    let (mut revoker, mut publisher) = (None, None);
    if let Some(settings) = revocation {
        let running = settings.start().await?;
        builder = builder.with_revocations(running.revocations);
        (revoker, publisher) = (running.revoker, running.publisher);
    }
    match builder.build().await {
        Ok(authenticator) => Ok((authenticator, revoker, publisher)),
        Err(error @ BuildError::Keys { .. }) => {
            Err(format!("{error} (start = \"degraded\" would start without)").into())
        }
        Err(error) => Err(error.into()),
    }
}
