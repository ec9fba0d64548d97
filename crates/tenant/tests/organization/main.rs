//! The application's record of an organization, its aliases, and who acts for others.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod acting;
mod directory;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

/// Status and body of the answer to a GET request.
async fn get(app: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 16)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
