use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use countersign_jwks::{BoxFuture, Clock};
use tokio::sync::watch;

/// 2027-01-15 08:00:00 UTC, where every new [`FakeClock`] starts.
const START: Duration = Duration::from_secs(1_800_000_000);

/// How often [`Advanced`] steps aside: a task that was woken may wake another, and that one a third.
const YIELDS: u32 = 64;

/// A clock that stands still until a test moves it. Clones are one clock.
///
/// Give it to the code under test and to the [`TestIssuer`](crate::TestIssuer), so that both live in one time:
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use countersign_bearer::{Authenticator, DenialKind};
/// use countersign_testing::{FakeClock, TestIssuer};
/// use countersign_token::Refusal;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FakeClock::new();
/// let issuer = TestIssuer::new("https://as.acme.test").with_clock(Arc::new(clock.clone()));
/// let authenticator = Authenticator::builder()
///     .issuer(issuer.trusted_for("https://api.acme.test"))
///     .with_clock(Arc::new(clock.clone()))
///     .build()
///     .await?;
///
/// let token = issuer.service_principal("m2m-acme").with_audience("https://api.acme.test").mint();
/// assert!(authenticator.verify(&token).await.is_ok());
///
/// clock.advance(Duration::from_secs(2 * 60 * 60)).await;
/// let denied = authenticator.verify(&token).await.unwrap_err();
/// assert_eq!(denied.kind(), DenialKind::InvalidToken(Refusal::Expired));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FakeClock(Arc<Inner>);

struct Inner {
    monotonic: watch::Sender<Duration>,
    /// The wall clock is the monotonic one with this difference, in nanoseconds.
    offset: Mutex<i128>,
}

impl FakeClock {
    /// A clock at 2027-01-15 08:00:00 UTC whose monotonic time is zero.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            monotonic: watch::Sender::new(Duration::ZERO),
            offset: Mutex::new(nanoseconds(START)),
        }))
    }

    /// Moves both the wall clock and the monotonic one, and wakes those who sleep until then.
    ///
    /// The clock has moved when this returns. Awaiting what it returns is optional: it lets the tasks that were
    /// woken run. They may still be waiting for something real afterwards, such as an answer from the network.
    ///
    /// A sleeper that sleeps again starts from the new time, so that something periodic happens once, however
    /// long the step. Advance by its period to have it happen each time.
    pub fn advance(&self, duration: Duration) -> Advanced {
        self.0.monotonic.send_modify(|now| *now += duration);
        Advanced { yields: YIELDS }
    }

    /// Sets the wall clock to this time since the Unix epoch, as an administrator does. Nobody is woken.
    pub fn set_unix_time(&self, time: Duration) {
        let monotonic = nanoseconds(self.monotonic());
        *self.offset() = nanoseconds(time) - monotonic;
    }

    /// Lets the wall clock jump by so many seconds, backwards if negative. Nobody is woken.
    pub fn jump_unix(&self, seconds: i64) {
        *self.offset() += i128::from(seconds) * 1_000_000_000;
    }

    fn offset(&self) -> MutexGuard<'_, i128> {
        self.0.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn unix_time(&self) -> Duration {
        let offset = *self.offset();
        let time = u128::try_from(offset + nanoseconds(self.monotonic())).unwrap_or(0);
        Duration::new(
            u64::try_from(time / 1_000_000_000).unwrap_or(u64::MAX),
            u32::try_from(time % 1_000_000_000).unwrap_or(0),
        )
    }

    fn monotonic(&self) -> Duration {
        *self.0.monotonic.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        let mut now = self.0.monotonic.subscribe();
        let deadline = self.monotonic().saturating_add(duration);
        Box::pin(async move {
            if now.wait_for(|now| *now >= deadline).await.is_err() {
                // The clock is gone: its time does not come.
                pending::<()>().await;
            }
        })
    }
}

impl fmt::Debug for FakeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeClock")
            .field("unix_time", &self.unix_time())
            .field("monotonic", &self.monotonic())
            .finish()
    }
}

/// What [`FakeClock::advance`] returns: the clock has moved already, and awaiting this lets other tasks run.
#[derive(Debug)]
pub struct Advanced {
    yields: u32,
}

impl Future for Advanced {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yields == 0 {
            return Poll::Ready(());
        }
        self.yields -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}
