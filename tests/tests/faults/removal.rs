//! An issuer is removed while many threads use its tokens.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use countersign::{Algorithm, Authenticator, Decision, DenialKind, Refusal};
use countersign_testing::TestIssuer;

use crate::world::{API, token};

const THREADS: usize = 16;
const ROUNDS: usize = 20;
/// Decisions that each thread makes after the removal.
const AFTERWARDS: usize = 50;

fn request(token: &str) -> Request<()> {
    let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
    request.body(()).unwrap()
}

/// Whether it passes; a refusal is for want of the issuer and nothing else.
fn passes(authenticator: &Authenticator, request: &Request<()>) -> bool {
    match authenticator.decide(request) {
        Decision::Ready(Ok(_)) => true,
        Decision::Ready(Err(denied)) => {
            let gone = DenialKind::InvalidToken(Refusal::UnknownIssuer);
            assert_eq!(denied.kind(), gone);
            false
        }
        Decision::Pending(_) => panic!("its keys are fixed"),
    }
}

/// Presents tokens, seen and unseen ones, until the removal has returned and for a while after.
fn present(
    authenticator: &Authenticator,
    tokens: &[Request<()>],
    is_removed: &AtomicBool,
    passed: &AtomicUsize,
) {
    let mut afterwards = 0;
    for request in tokens.iter().cycle() {
        // Asked before the decision begins: one that began earlier may still let its request through.
        let was_removed = is_removed.load(Ordering::SeqCst);
        let is_let_through = passes(authenticator, request);
        assert!(!(was_removed && is_let_through), "after the removal");
        passed.fetch_add(usize::from(is_let_through), Ordering::SeqCst);
        afterwards += usize::from(was_removed);
        if afterwards == AFTERWARDS {
            return;
        }
    }
}

#[tokio::test]
async fn once_an_issuer_is_removed_no_thread_lets_its_tokens_pass_whether_seen_before_or_not() {
    let issuer = TestIssuer::new("https://as.acme.test").with_algorithm(Algorithm::ES256);
    let builder = Authenticator::builder().issuer(issuer.trusted_for(API));
    let authenticator = builder.build().await.unwrap();
    let seen = request(&token(&issuer));
    for round in 0..ROUNDS {
        let (is_removed, passed) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let tokens = [&seen, &request(&token(&issuer)), &seen].map(Clone::clone);
                let (authenticator, is_removed, passed) = (&authenticator, &is_removed, &passed);
                scope.spawn(move || present(authenticator, &tokens, is_removed, passed));
            }
            // In the middle of it, at another moment in each round.
            while passed.load(Ordering::SeqCst) < 1 + round * THREADS {
                std::thread::yield_now();
            }
            assert!(authenticator.remove_issuer(issuer.name()));
            is_removed.store(true, Ordering::SeqCst);
        });
        assert!(passed.load(Ordering::SeqCst) > 0);
        let trusted = issuer.trusted_for(API);
        authenticator.set_issuer(trusted).await.unwrap();
    }
}
