//! Those who fetch, or wait for a fetch, end before it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::http::Response;
use countersign::{BoxFuture, Fetch, FetchFailure, FetchRequest, HttpFetch};
use countersign_testing::FakeClock;
use futures_util::{FutureExt, poll};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::server::{Answer, Origin, json};
use crate::world::{KEYS, MINUTE, SECOND, World, ask, good_keys, meanwhile, token};

/// The issuer has a new key, and holds the answer back that has it.
async fn rotated_and_slow() -> (World, String) {
    let mut world = World::new().await;
    world.issuer.rotate();
    let keys = Answer::Held(json(world.issuer.jwks_json()));
    world.origin.answer(KEYS, keys).await;
    let new = token(&world.issuer);
    (world, new)
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_its_fetch_to_those_who_wait_with_it() {
    let (world, new) = rotated_and_slow().await;
    let asked = world.origin.requests();
    let mut first = Box::pin(world.ask(&new));
    let mut second = Box::pin(world.ask(&new));
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    meanwhile("a fetch", || world.origin.requests() == asked + 2).await;
    drop(first);
    world.serves("after the cancellation").await;
    world.origin.release();
    assert_eq!(second.await.status, 200);
    assert_eq!(world.origin.requests(), asked + 2, "one fetch for both");
}

#[tokio::test]
async fn a_request_whose_task_panics_while_it_waits_leaves_its_fetch_to_the_others() {
    let (world, new) = rotated_and_slow().await;
    let asked = world.origin.requests();
    let mut tasks = JoinSet::new();
    let (app, of_the_first) = (world.app(), new.clone());
    tasks.spawn(async move {
        let mut waiting = Box::pin(ask(&app, &of_the_first));
        assert!(poll!(&mut waiting).is_pending());
        panic!("the task of a request that waits");
    });
    assert!(tasks.join_next().await.unwrap().unwrap_err().is_panic());
    let mut second = Box::pin(world.ask(&new));
    assert!(poll!(&mut second).is_pending());
    meanwhile("a fetch", || world.origin.requests() == asked + 2).await;
    world.serves("after the panic").await;
    world.origin.release();
    assert_eq!(second.await.status, 200);
    assert_eq!(world.origin.requests(), asked + 2, "one fetch for both");
}

/// Panics while this is 1: at once, and while it is 2: when it is waited for.
#[derive(Debug)]
struct Brittle(HttpFetch, Arc<AtomicUsize>);

impl Fetch for Brittle {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        match self.1.load(Ordering::SeqCst) {
            1 => panic!("a client that panics at once"),
            2 => Box::pin(async { panic!("a client that panics in its future") }),
            _ => self.0.fetch(request),
        }
    }
}

#[tokio::test]
async fn a_client_that_panics_is_a_failed_fetch_and_the_next_one_may_succeed() {
    for way in [1, 2] {
        let clock = FakeClock::new();
        let origin = Origin::start(clock.clone()).await;
        let mood = Arc::new(AtomicUsize::new(0));
        let fetch = Brittle(HttpFetch::builder().build().unwrap(), mood.clone());
        let mut world = World::around(origin, clock, Some(Arc::new(fetch))).await;
        world.issuer.rotate();
        world.origin.answer(KEYS, good_keys(&world.issuer)).await;
        let new = token(&world.issuer);

        mood.store(way, Ordering::SeqCst);
        assert_eq!(world.ask(&new).await.status, 503);
        assert_eq!(world.last_error(), Some(FetchFailure::Panicked));
        world.serves("after the panic").await;
        for _ in 0..4 {
            world.clock.advance(5 * MINUTE).await;
            world.serves("after the refresh panicked, too").await;
        }
        mood.store(0, Ordering::SeqCst);
        let is_fetched = || world.last_error().is_none();
        world.until("the next fetch", is_fetched).await;
        assert_eq!(world.ask(&new).await.status, 200);
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_runtime_that_shuts_down_in_the_middle_of_a_fetch_leaves_keys_that_can_be_used_elsewhere() {
    let clock = FakeClock::new();
    let (servers, first, second) = (runtime(), runtime(), runtime());
    let origin = servers.block_on(Origin::start(clock.clone()));
    let (mut world, new) = first.block_on(async {
        let mut world = World::around(origin, clock, None).await;
        world.issuer.rotate();
        world.origin.answer(KEYS, Answer::Silence(Vec::new())).await;
        let new = token(&world.issuer);
        let asked = world.origin.requests();
        let mut waiting = Box::pin(world.ask(&new));
        assert!(poll!(&mut waiting).is_pending());
        meanwhile("a fetch", || world.origin.requests() == asked + 2).await;
        drop(waiting);
        (world, new)
    });
    drop(first);
    assert_eq!(world.last_error(), Some(FetchFailure::Cancelled));

    second.block_on(async {
        world.serves("in another runtime").await;
        world.origin.answer(KEYS, good_keys(&world.issuer)).await;
        world.clock.advance(5 * SECOND).await;
        assert_eq!(world.ask(&new).await.status, 200);
        // Nobody refreshes in the background any more: requests do, when they have to.
        world.clock.advance(66 * MINUTE).await;
        assert_eq!(world.ask(&new).await.status, 200);
    });
}

#[test]
fn a_request_without_any_runtime_is_decided_where_its_key_is_known_and_unavailable_where_it_is_not()
{
    let clock = FakeClock::new();
    let first = runtime();
    let world = first.block_on(async {
        let origin = Origin::start(clock.clone()).await;
        World::around(origin, clock, None).await
    });
    drop(first);
    let status = |token: &str| {
        let answered = world.ask(token).now_or_never();
        answered.map(|answered| answered.status)
    };
    assert_eq!(status(world.seen()), Some(200));
    world.issuer.rotate();
    assert_eq!(status(&token(&world.issuer)), Some(503));
}
