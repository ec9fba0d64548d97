use std::sync::Arc;
use std::time::Duration;

use countersign_jwks::Clock;
use countersign_testing::FakeClock;
use tokio::task::JoinSet;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn both_clocks_move_together_and_only_when_told_to() {
    let clock = FakeClock::new();
    let start = clock.unix_time();
    let clone: Arc<dyn Clock> = Arc::new(clock.clone());
    assert_eq!(
        (clock.monotonic(), clock.unix_time()),
        (Duration::ZERO, start)
    );
    clock.advance(SECOND / 4);
    assert_eq!(
        (clone.monotonic(), clone.unix_time()),
        (SECOND / 4, start + SECOND / 4)
    );
}

#[test]
fn the_wall_clock_can_be_set_without_the_other() {
    let clock = FakeClock::new();
    let start = clock.unix_time();
    clock.advance(SECOND);
    clock.jump_unix(-3600);
    assert_eq!(clock.unix_time() + 3600 * SECOND, start + SECOND);
    clock.set_unix_time(5 * SECOND);
    assert_eq!(clock.unix_time(), 5 * SECOND);
    clock.advance(SECOND);
    assert_eq!(
        (clock.unix_time(), clock.monotonic()),
        (6 * SECOND, 2 * SECOND)
    );
    clock.jump_unix(-3600);
    assert_eq!(clock.unix_time(), Duration::ZERO);
}

#[tokio::test]
async fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
    let clock = FakeClock::new();
    let mut tasks = JoinSet::new();
    for seconds in [2, 1, 0] {
        let sleep = clock.sleep(seconds * SECOND);
        tasks.spawn(async move {
            sleep.await;
            seconds
        });
    }
    let mut woken = Vec::new();
    for step in 0..3 {
        if step > 0 {
            clock.advance(SECOND).await;
        }
        woken.push(tasks.join_next().await.unwrap().unwrap());
        tokio::task::yield_now().await;
        assert!(tasks.try_join_next().is_none());
    }
    assert_eq!(woken, [0, 1, 2]);
}

#[tokio::test]
async fn awaiting_an_advance_lets_chains_of_tasks_run() {
    let clock = FakeClock::new();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    let sleep = clock.sleep(SECOND);
    tasks.spawn(async move {
        sleep.await;
        sender.send(1).unwrap();
    });
    let (done, is_done) = tokio::sync::oneshot::channel();
    tasks.spawn(async move {
        done.send(receiver.recv().await.unwrap()).unwrap();
    });
    clock.advance(SECOND).await;
    let mut is_done = is_done;
    assert_eq!(is_done.try_recv(), Ok(1));
}

#[tokio::test]
async fn a_sleeper_outlives_its_clock_without_waking() {
    let sleep = FakeClock::new().sleep(SECOND);
    tokio::select! {
        () = sleep => panic!("nobody moved the clock"),
        () = async { for _ in 0..10 { tokio::task::yield_now().await } } => {}
    }
}
