use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How long requests in flight may take to finish.
const GRACE: Duration = Duration::from_secs(30);

/// SIGTERM and Ctrl-C, heard from the start on, so that none is lost while the program gets ready.
#[derive(Clone)]
pub(crate) struct Signals {
    stopped: watch::Receiver<bool>,
}

impl Signals {
    #[expect(clippy::disallowed_methods, reason = "a program owns its tasks")]
    pub(crate) fn listen() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            // Nobody listening any more is fine: the program is ending.
            let _ = stop.send(true);
            stop.closed().await;
        });
        Ok(Self { stopped })
    }

    pub(crate) async fn received(mut self) {
        // An error means that the task is gone, and with it the runtime.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }

    #[expect(clippy::disallowed_methods, reason = "a program waits in real time")]
    pub(crate) async fn grace_is_over(self) {
        self.received().await;
        tracing::info!("stopping");
        tokio::time::sleep(GRACE).await;
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
