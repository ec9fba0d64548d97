//! The proofs that were presented, at one broker for all.

use std::time::{Duration, Instant};

use countersign::{ProofId, RedisReplayStore, Remembering, Replay, ReplayStore};
use tokio::net::TcpListener;

use crate::broker::{Broker, eventually};

const MINUTE: Duration = Duration::from_secs(60);

fn store(broker: &Broker) -> RedisReplayStore {
    // Machines that build something else meanwhile are slow.
    let store = RedisReplayStore::open(&broker.url()).unwrap();
    store.with_deadline(Duration::from_secs(5))
}

async fn present(store: &RedisReplayStore, proof: u8, lifetime: Duration) -> Replay {
    match store.remember(ProofId::new([proof; 32], "1"), lifetime) {
        Remembering::Ready(replay) => replay,
        Remembering::Pending(replay) => replay.await,
    }
}

#[tokio::test]
async fn a_proof_counts_once_whichever_machine_it_is_presented_to() {
    let broker = Broker::start().await;
    let (one, other) = (store(&broker), store(&broker));
    assert_eq!(present(&one, 1, MINUTE).await, Replay::Fresh);
    for store in [&one, &other] {
        assert_eq!(present(store, 1, MINUTE).await, Replay::Seen);
    }
    assert_eq!(present(&other, 2, MINUTE).await, Replay::Fresh);
    let elsewhere = store(&broker).with_prefix("another service:");
    assert_eq!(present(&elsewhere, 1, MINUTE).await, Replay::Fresh);
}

#[tokio::test]
async fn of_many_at_once_one_is_the_first() {
    let broker = Broker::start().await;
    let stores = [store(&broker), store(&broker)];
    let presented: Vec<_> = (0..100)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { present(&store, 7, MINUTE).await })
        })
        .collect();
    let mut fresh = 0;
    for one in presented {
        match one.await.unwrap() {
            Replay::Fresh => fresh += 1,
            Replay::Seen => {}
            Replay::Unavailable => panic!("the broker is there"),
        }
    }
    assert_eq!(fresh, 1);
}

#[tokio::test]
async fn a_proof_is_remembered_for_its_time_and_then_forgotten() {
    let broker = Broker::start().await;
    let store = store(&broker);
    let lifetime = Duration::from_millis(800);
    let begun = Instant::now();
    assert_eq!(present(&store, 1, lifetime).await, Replay::Fresh);
    eventually("it is forgotten", async || {
        (present(&store, 1, lifetime).await == Replay::Fresh).then_some(())
    })
    .await;
    assert!(begun.elapsed() + Duration::from_millis(50) >= lifetime);
    for lifetime in [Duration::ZERO, Duration::MAX] {
        assert_ne!(present(&store, 9, lifetime).await, Replay::Unavailable);
    }
}

#[tokio::test]
async fn a_broker_that_is_away_makes_it_unavailable_until_it_is_back_and_nothing_is_forgotten() {
    let mut broker = Broker::start().await;
    let store = RedisReplayStore::open(&broker.url()).unwrap();
    eventually("it is connected", async || {
        (present(&store, 1, MINUTE).await == Replay::Seen).then_some(())
    })
    .await;
    broker.kill().await;
    for proof in [1, 2, 3] {
        let begun = Instant::now();
        assert_eq!(present(&store, proof, MINUTE).await, Replay::Unavailable);
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
    broker.restart().await;
    eventually("it is back", async || {
        (present(&store, 1, MINUTE).await == Replay::Seen).then_some(())
    })
    .await;
    assert_eq!(present(&store, 4, MINUTE).await, Replay::Fresh);
}

#[tokio::test]
async fn a_broker_that_takes_the_connection_and_says_nothing_is_waited_for_within_bounds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let store = RedisReplayStore::open(&url).unwrap();
    let begun = Instant::now();
    assert_eq!(present(&store, 1, MINUTE).await, Replay::Unavailable);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}
