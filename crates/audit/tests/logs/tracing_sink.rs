//! Events as `tracing` has them.

use countersign_audit::{Audit, TracingSink};

use crate::reports::Log;
use crate::support::{LONG, World, make_events, send, with_token};

#[tokio::test]
async fn an_event_goes_to_the_subscriber_with_its_fields() {
    let (log, _guard) = Log::listen();
    let world = World::new().await;
    let audit = Audit::builder().sink(TracingSink::new()).build().unwrap();
    let app = axum::Router::new()
        .route("/orgs/{org_id}", axum::routing::get(async || ()))
        .layer(world.authenticator.layer())
        .layer(audit.layer());
    let token = world.reader().mint();
    send(&app, with_token("/orgs/org_acme", &token)).await;
    make_events(&audit, 1);
    audit.shutdown(LONG).await;

    let mut lines = log.lines();
    lines.retain(|line| line.contains("countersign::audit"));
    assert_eq!(lines.len(), 2, "{lines:?}");
    for field in [
        "INFO countersign::audit:",
        r#"decision="allowed""#,
        r#"principal_kind="service_principal""#,
        r#"client="m2m-acme""#,
        r#"organization="org_acme""#,
        r#"scopes_granted="[\"invoices:read\"]""#,
        r#"matched_path="/orgs/{org_id}""#,
        "status=200",
        r#"method="GET""#,
    ] {
        assert!(lines[0].contains(field), "{field} in {}", lines[0]);
    }
    for absent in ["client", "denial", "scopes_needed", "peer"] {
        assert!(!lines[1].contains(absent), "{absent} in {}", lines[1]);
    }
}
