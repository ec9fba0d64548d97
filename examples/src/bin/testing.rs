//! Tests of one's own handlers, without an authorization server, a network or waiting:
//! `cargo test -p countersign-examples --bin testing`, or the program itself, which ends with an error at the first
//! answer that differs.
#![expect(clippy::print_stdout)] // a program prints

use axum::{Json, Router, routing::get};
use countersign::{DelegatedUser, Scoped, scopes};
use countersign::{Tenant, TenantScope, TenantScoped, Unscoped};

scopes! {
    /// Read invoices.
    pub ReadInvoices = "invoices:read";
}

struct Invoices;
impl TenantScope for Invoices {
    type Scoped = Vec<String>;

    fn for_tenant(&self, tenant: &Tenant) -> Vec<String> {
        vec![format!("the only invoice of {}", tenant.id())]
    }
}

async fn list(_: Scoped<ReadInvoices>, invoices: TenantScoped<Invoices>) -> Json<Vec<String>> {
    Json(invoices.into_inner())
}

async fn whoami(caller: DelegatedUser) -> String {
    caller.user().to_owned()
}

/// What is tested. It comes without the authentication layer, so that a test can put another in its place.
fn app() -> Router {
    Router::new()
        .route("/orgs/{org_id}/invoices", get(list))
        .route("/whoami", get(whoami))
        .with_state(Unscoped::new(Invoices))
}

/// In a crate of your own: `#[cfg(test)]` on the module and `#[tokio::test]` on its tests. Here the program runs them as
/// well.
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode, header::AUTHORIZATION};
    use countersign::{Authenticator, Refusal};
    use countersign_testing::{FakeClock, TestIssuer, TokenBuilder};
    use countersign_testing::{anonymous, authenticated, delegated_user, service_principal};
    use tower::ServiceExt;

    use super::{Router, app};

    pub(super) type Error = Box<dyn std::error::Error>;
    type Answer = (StatusCode, String);

    const API: &str = "https://api.acme.example";
    const ACME: &str = "/orgs/org_acme/invoices";
    const GLOBEX: &str = "/orgs/org_globex/invoices";

    /// A handler and its guards need a principal, not a token.
    #[cfg_attr(test, tokio::test)]
    pub(super) async fn handlers_without_tokens() -> Result<(), Error> {
        let job = || authenticated(service_principal("org_acme", ["invoices:read"]));
        let writer = || authenticated(service_principal("org_acme", ["invoices:write"]));
        let ann = || authenticated(delegated_user("org_acme", "ann", ["profile"]));
        for (what, layer, path, status, text) in [
            ("acme's", job(), ACME, 200, "of org_acme"),
            ("globex's", job(), GLOBEX, 404, ""),
            ("another scope", writer(), ACME, 403, "insufficient_scope"),
            ("a user's app", ann(), "/whoami", 200, "ann"),
            ("a job is no user", job(), "/whoami", 403, "principal"),
            ("nobody", anonymous(), ACME, 401, ""),
        ] {
            let answer = get_from(app().layer(layer), path, None).await?;
            assert_answer(what, &answer, status, text);
        }
        let answer = get_from(app(), ACME, None).await?; // a forgotten layer is never a pass
        assert_answer("no layer at all", &answer, 500, "server_error");
        Ok(())
    }

    /// The whole service in this process, a good token for it in the making, and the clock of both.
    async fn service() -> Result<(Router, TokenBuilder, FakeClock), Error> {
        let clock = FakeClock::new();
        let issuer = TestIssuer::new("https://as.acme.example").with_clock(Arc::new(clock.clone()));
        let authenticator = Authenticator::builder()
            .issuer(issuer.trusted_for(API))
            .with_clock(Arc::new(clock.clone()))
            .build()
            .await?;
        let token = issuer
            .service_principal("m2m-acme")
            .with_audience(API)
            .with_organization("org_acme")
            .with_scopes(["invoices:read"]);
        Ok((app().layer(authenticator.layer()), token, clock))
    }

    #[cfg_attr(test, tokio::test)]
    pub(super) async fn a_token_through_the_real_layer() -> Result<(), Error> {
        let (service, token, _) = service().await?;
        let writer = token.clone().with_scopes(["invoices:write"]);
        for (what, token, path, status, text) in [
            ("acme's", Some(&token), ACME, 200, "of org_acme"),
            ("globex's", Some(&token), GLOBEX, 404, ""),
            ("another scope", Some(&writer), ACME, 403, "_scope"),
            ("no token", None, ACME, 401, ""),
        ] {
            let token = token.map(TokenBuilder::mint);
            let answer = get_from(service.clone(), path, token).await?;
            assert_answer(what, &answer, status, text);
        }
        Ok(())
    }

    /// An hour passes at once. The clocks may be 30 s apart, which is the default.
    #[cfg_attr(test, tokio::test)]
    pub(super) async fn a_token_expires() -> Result<(), Error> {
        let (service, token, clock) = service().await?;
        let token = token.with_lifetime(Duration::from_secs(3600)).mint();
        for (what, seconds, status, text) in [
            ("a new token", 0, 200, "of org_acme"),
            ("an hour and 29 s later", 3629, 200, "of org_acme"),
            ("one second more", 1, 401, "expired"),
        ] {
            clock.advance(Duration::from_secs(seconds)).await;
            let answer = get_from(service.clone(), ACME, Some(token.clone())).await?;
            assert_answer(what, &answer, status, text);
        }
        Ok(())
    }

    /// Each token is wrong in one thing, so that nothing else can be what refuses it.
    #[cfg_attr(test, tokio::test)]
    pub(super) async fn wrong_tokens() -> Result<(), Error> {
        let (service, good, _) = service().await?;
        let good = || good.clone();
        let stranger = TestIssuer::new("https://as.acme.example"); // of the same name, with another key
        for (token, refusal) in [
            (good().expired(), Refusal::Expired),
            (good().tampered(), Refusal::BadSignature),
            (good().signed_by(&stranger), Refusal::BadSignature),
            (good().unsigned(), Refusal::Malformed),
            (good().with_algorithm_name("HS256"), Refusal::Algorithm),
            (good().with_header("typ", "JWT"), Refusal::Type), // an ID token
            (good().with_audience("other"), Refusal::Audience),
            (good().with_claim("iss", "other"), Refusal::UnknownIssuer),
            (good().with_key_id("other"), Refusal::UnknownKey),
            (good().without_claim("exp"), Refusal::MissingClaim),
        ] {
            let answer = get_from(service.clone(), ACME, Some(token.mint())).await?;
            assert_answer(refusal.as_str(), &answer, 401, refusal.description());
        }
        Ok(())
    }

    /// One call, without a server.
    async fn get_from(app: Router, path: &str, token: Option<String>) -> Result<Answer, Error> {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = app.oneshot(request.body(Body::empty())?).await?;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 64 * 1024).await?;
        Ok((status, String::from_utf8(body.into())?))
    }

    fn assert_answer(what: &str, (status, body): &Answer, expected: u16, text: &str) {
        println!("{what}: {status}\n  {body}");
        assert_eq!(*status, expected, "{what}");
        assert!(body.contains(text), "{what}: {text:?} is not in {body:?}");
    }
}

#[cfg(not(test))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), tests::Error> {
    tests::handlers_without_tokens().await?;
    tests::a_token_through_the_real_layer().await?;
    tests::a_token_expires().await?;
    tests::wrong_tokens().await
}
