//! Layers in layers, and guards in guards.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::middleware::map_request;
use axum::routing::{get, post};
use countersign::{
    Authenticator, Clock, DenialKind, Dpop, MemoryReplayStore, Principal, ProofRefusal,
    ReplayStore, SystemClock, Tenant, protect, require,
};
use countersign_testing::{DpopKey, TestIssuer};

use crate::support::{
    API, Read, Write, ask, issuer, machine, send, status, trusting, trusting_with,
};

async fn issuer_of(caller: Principal) -> String {
    caller.issuer().to_owned()
}

#[tokio::test]
async fn a_layer_that_is_put_twice_is_as_strict_as_once() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let strict = || authenticator.layer();
    let optional = || authenticator.layer().optional();
    let router = || Router::new().route("/", get(issuer_of));
    let (good, bad) = (machine(&issuer).mint(), machine(&issuer).tampered().mint());
    for (way, app) in [
        ("strict, strict", router().layer(strict()).layer(strict())),
        (
            "optional inside",
            router().layer(optional()).layer(strict()),
        ),
        (
            "optional outside",
            router().layer(strict()).layer(optional()),
        ),
        (
            "optional twice",
            router().layer(optional()).layer(optional()),
        ),
    ] {
        let answer = ask(&app, "GET /", &good).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (200, issuer.name()),
            "{way}"
        );
        assert_eq!(status(&app, "GET /", &bad).await, 401, "{way}");
        assert_eq!(status(&app, "GET /", "").await, 401, "{way}");
    }
}

#[tokio::test]
async fn two_authenticators_around_one_route_must_both_let_a_caller_through() {
    let (acme, globex) = (issuer(), TestIssuer::new("https://as.globex.test"));
    let both = {
        let one = |issuer: &TestIssuer| issuer.trusted_for(API).dangerous_any_organization();
        let builder = Authenticator::builder().issuer(one(&acme));
        builder.issuer(one(&globex)).build().await.unwrap()
    };
    let acme_only = trusting(&acme).await;
    let router = || Router::new().route("/", get(issuer_of));
    let of_acme = machine(&acme).mint();
    let of_globex = machine(&globex).mint();
    for (way, app) in [
        (
            "the narrow one inside",
            router().layer(acme_only.layer()).layer(both.layer()),
        ),
        (
            "the narrow one outside",
            router().layer(both.layer()).layer(acme_only.layer()),
        ),
    ] {
        assert_eq!(
            ask(&app, "GET /", &of_acme).await.body,
            acme.name(),
            "{way}"
        );
        assert_eq!(status(&app, "GET /", &of_globex).await, 401, "{way}");
        assert_eq!(status(&app, "GET /", "").await, 401, "{way}");
    }
}

#[tokio::test]
async fn a_layer_that_is_put_twice_takes_a_proof_once_and_for_one_request() {
    let (issuer, key) = (issuer(), DpopKey::new());
    let store: Arc<dyn ReplayStore> = Arc::new(MemoryReplayStore::new(100));
    let proving = async || {
        let dpop = Dpop::allowed(API).with_replay_store(store.clone());
        trusting_with(&issuer, |builder| builder.with_dpop(dpop)).await
    };
    let (one, other) = (proving().await, proving().await);
    let router = || Router::new().route("/", get(issuer_of));
    let token = machine(&issuer).bound_to(&key).mint();
    let proof = || {
        let now = SystemClock::new().unix_time();
        key.proof("GET", &format!("{API}/"), &token, now).mint()
    };
    let ask = async |app: &Router, proof: &str| {
        let request = Request::get("/")
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof);
        send(app, request.body(Body::empty()).unwrap()).await
    };
    let replayed = Some(DenialKind::InvalidProof(ProofRefusal::Replayed));
    let optional = || one.layer().optional();
    for (way, app) in [
        ("twice", router().layer(one.layer()).layer(one.layer())),
        (
            "optional outside",
            router().layer(one.layer()).layer(optional()),
        ),
        (
            "optional inside",
            router().layer(optional()).layer(one.layer()),
        ),
    ] {
        let proof = proof();
        assert_eq!(ask(&app, &proof).await.status, 200, "{way}");
        assert_eq!(ask(&app, &proof).await.kind, replayed, "{way}");
    }
    // What one authenticator remembers for a request is nothing to another: their store tells it as used.
    let app = router().layer(one.layer()).layer(other.layer());
    assert_eq!(ask(&app, &proof()).await.kind, replayed);
    // Nor is it for another proof that is put in its place, which counts once.
    let second = proof();
    let put = second.clone();
    let app = router()
        .layer(one.layer())
        .layer(map_request(move |mut request: Request<Body>| {
            let put = put.parse().unwrap();
            request.headers_mut().insert("dpop", put);
            std::future::ready(request)
        }))
        .layer(one.layer());
    assert_eq!(ask(&app, &proof()).await.status, 200);
    assert_eq!(ask(&app, &proof()).await.kind, replayed);
}

/// Guards of routers in routers, with the layer outside of all.
async fn app_of_routers(issuer: &TestIssuer) -> Router {
    let authenticator = trusting(issuer).await;
    let plain = async || "in";
    let writers = Router::new()
        .route("/write", post(plain))
        .route("/write/{org_id}", post(async |_: Tenant| "in"))
        .route_layer(require::<Write>());
    let readers = Router::new()
        .route("/read", get(plain))
        .nest("/deep", writers.clone())
        .fallback(plain)
        .route_layer(require::<Read>());
    Router::new()
        .nest("/readers", readers)
        .merge(writers)
        .route("/open-to-all-callers", get(plain))
        .fallback(plain)
        .layer(authenticator.layer())
}

#[tokio::test]
async fn guards_add_up_along_the_way_in_and_leave_the_rest_alone() {
    let issuer = issuer();
    let app = app_of_routers(&issuer).await;
    let caller = |scopes: &[&str]| machine(&issuer).with_scopes(scopes).mint();
    let callers = [
        caller(&[]),
        caller(&["invoices:read"]),
        caller(&["invoices:write"]),
        caller(&["invoices:read", "invoices:write"]),
    ];
    for (request, expected) in [
        ("GET /readers/read", [403, 200, 403, 200]),
        ("POST /readers/deep/write", [403, 403, 403, 200]),
        ("POST /readers/deep/write/org_acme", [403, 403, 403, 200]),
        ("POST /readers/deep/write/org_other", [403, 403, 403, 404]),
        ("POST /write", [403, 403, 200, 200]),
        ("POST /write/org_acme", [403, 403, 200, 200]),
        ("POST /write/org_other", [403, 403, 404, 404]),
        ("GET /open-to-all-callers", [200; 4]),
        // `route_layer` guards routes and no fallback; the layer of authentication guards both.
        ("GET /readers/unknown", [200; 4]),
        ("GET /unknown", [200; 4]),
    ] {
        assert_eq!(status(&app, request, "").await, 401, "{request}");
        for (number, (token, expected)) in callers.iter().zip(expected).enumerate() {
            let status = status(&app, request, token).await;
            assert_eq!(status, expected, "{request}, caller {number}");
        }
    }
}

#[tokio::test]
async fn a_protected_router_within_another_router_protects_its_own_and_nothing_else() {
    let issuer = issuer();
    let authenticator = trusting(&issuer).await;
    let inner: Router = protect(Router::new(), authenticator.layer())
        .route("/late", get(async || "in"))
        .into_router();
    let app = Router::new()
        .nest("/v1", inner.clone())
        .nest("/v2", Router::new().nest("/deep", inner))
        .route("/whoami", get(issuer_of));
    for path in ["GET /v1/late", "GET /v2/deep/late"] {
        assert_eq!(status(&app, path, "").await, 401, "{path}");
        let good = status(&app, path, &machine(&issuer).mint()).await;
        assert_eq!(good, 200, "{path}");
    }
    assert_eq!(status(&app, "GET /whoami", "").await, 500);
}
