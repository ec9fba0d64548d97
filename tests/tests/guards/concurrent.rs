//! Many requests at once through one service.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use countersign::{PathTenant, Principal};
use countersign_testing::TestIssuer;
use tokio::task::JoinSet;

use crate::support::{API, ask, machine, trusting};

const REQUESTS: usize = 400;

/// What becomes of a caller: status, and whom the handler took it for.
type Expected = (u16, String);

/// Callers of many organizations, with good tokens and bad ones. Every third has a key that has to be asked for.
fn callers(issuer: &TestIssuer) -> Vec<(String, Expected)> {
    let token = |number: usize| {
        let organization = format!("org_{}", number % 7);
        let client = format!("client_{number}");
        let token = issuer.service_principal(&client).with_audience(API);
        let expected = (200, format!("{client} of {organization}"));
        (token.with_organization(&organization), expected)
    };
    let mut callers: Vec<_> = (0..REQUESTS)
        .map(|number| match (number % 4, token(number)) {
            (0, (token, _)) => (token.tampered().mint(), (401, String::new())),
            (1, (token, _)) => (token.expired().mint(), (401, String::new())),
            (_, (token, expected)) => (token.mint(), expected),
        })
        .collect();
    issuer.publish_next();
    issuer.sign_with_next();
    for number in (0..REQUESTS).step_by(3) {
        let (token, expected) = token(number);
        callers[number] = (token.mint(), expected);
    }
    callers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_many_requests_at_once_is_answered_as_itself() {
    let issuer = TestIssuer::serve()
        .await
        .with_algorithm(countersign::Algorithm::ES256);
    let authenticator = trusting(&issuer).await;
    let whoami = async |caller: Principal, tenant: PathTenant| {
        tokio::task::yield_now().await;
        format!("{} of {}", caller.client().unwrap(), tenant.id())
    };
    let app = Router::new()
        .route("/orgs/{org_id}", get(whoami))
        .layer(authenticator.layer());
    let callers = Arc::new(callers(&issuer));
    // A round for tokens that nobody has seen, and one for those that are known by then.
    for _ in 0..2 {
        let mut tasks = JoinSet::new();
        for number in 0..REQUESTS {
            let (app, callers) = (app.clone(), callers.clone());
            tasks.spawn(async move {
                let (token, expected) = &callers[number];
                let path = format!("GET /orgs/org_{}", number % 7);
                let answer = ask(&app, &path, token).await;
                assert_eq!(answer.status, expected.0, "{number}: {answer:?}");
                if answer.status == 200 {
                    assert_eq!(answer.body, expected.1);
                }
                // The same token, and another organization in the path.
                let other = format!("GET /orgs/org_{}", (number + 1) % 7);
                let answer = ask(&app, &other, token).await;
                let expected = if expected.0 == 200 { 404 } else { 401 };
                assert_eq!(answer.status, expected, "{number}: {answer:?}");
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    }
    let fetches = issuer.fetches().keys;
    assert!((2..=3).contains(&fetches), "{fetches}: one for all");
    assert!(authenticator.verify(&machine(&issuer).mint()).await.is_ok());
}
