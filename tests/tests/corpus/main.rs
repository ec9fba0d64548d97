//! The negative corpus: what a resource server must refuse, and how.
//!
//! Every token is made for the run. A case says which denial it must meet; that it deviates from a token that is
//! accepted is checked with it, and so is what must not be done for its sake: a fetch, and cryptography where a
//! cheaper check decides. A case that a cheap check refuses is refused alike with a bad signature and with an unknown
//! key; one that only a verified token can fail is not told apart from any other while its signature is bad.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which may panic as tests may"
)]

mod cases;
mod judge;
mod trial;

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use tower::ServiceExt;

use cases::Group;
use judge::Judge;

static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(cases::groups);

#[tokio::test]
async fn everything_is_refused_for_its_own_reason_and_at_no_greater_cost_than_it_takes() {
    let mut wrong = Vec::new();
    let mut counts = BTreeMap::new();
    for group in &*GROUPS {
        *counts.entry(group.section).or_insert(0) += group.cases.len();
        wrong.extend(trial::of_group(group).await);
    }
    let total: usize = counts.values().sum();
    println!("corpus: {total} cases");
    for (section, count) in &counts {
        println!("  {section}: {count}");
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(total >= 400, "{total} cases");
}

#[test]
fn no_case_stands_there_twice() {
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    for group in &*GROUPS {
        for case in &group.cases {
            let name = format!("{}: {}", group.section, case.name);
            assert!(!case.rule.is_empty(), "{name} has no rule");
            if !seen.insert(name.clone()) {
                twice.push(name);
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

#[tokio::test]
async fn a_good_token_in_the_query_or_in_a_form_is_no_credential() {
    let group = GROUPS
        .iter()
        .find(|group| group.section == "credential")
        .unwrap();
    let token = group.good.as_ref().unwrap().text();
    let judge = Judge::of(group).await.unwrap();
    let app = Router::new()
        .fallback(async || "passed")
        .layer(judge.authenticator.layer());
    let form = format!("access_token={token}");
    let post = Request::post("/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let bearer = format!("Bearer {token}");
    let requests = [
        (Request::get(format!("/?{form}")).body(Body::empty()), 401),
        (Request::get(format!("/{token}")).body(Body::empty()), 401),
        (post.body(Body::from(form)), 401),
        (
            Request::get("/")
                .header(header::AUTHORIZATION, bearer)
                .body(Body::empty()),
            200,
        ),
    ];
    for (request, status) in requests {
        let request = request.unwrap();
        let how = format!("{} {}", request.method(), request.uri().path());
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{how}");
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        let told = challenge.is_some_and(|value| value == "Bearer realm=\"api\"");
        assert_eq!(
            told,
            status == 401,
            "{how}: no error code without a credential"
        );
    }
}
