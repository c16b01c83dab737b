//! The signals that ask the process to end, waited for on a thread of their own.

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::SIGXFSZ;
use tokio::signal::unix::{SignalKind, signal};

use super::code;

/// Runs `after` with the exit code that says which signal it was, once there is one.
///
/// # Errors
/// When the operating system gives no thread or no way to wait.
pub(super) fn watch(after: impl FnOnce(u8) + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Registered before this returns, so that no signal in between ends the process the hard way.
    let mut ending = runtime.block_on(async { Ending::register() })?;
    let wait = move || after(runtime.block_on(ending.next()));
    thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

/// As [`watch`], but a hangup is no end: `reload` runs at each.
///
/// # Errors
/// As [`watch`].
pub(super) fn watch_serving(
    reload: impl Fn() + Send + 'static,
    after: impl FnOnce(u8) + Send + 'static,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut ending = runtime.block_on(async { Ending::register() })?;
    let wait = move || {
        after(runtime.block_on(async {
            loop {
                match ending.next().await {
                    code::HUNG_UP => reload(),
                    code => return code,
                }
            }
        }));
    };
    thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

struct Ending {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Ending {
    fn register() -> io::Result<Self> {
        // Where a file may grow no further (ulimit -f), the write to it fails and says so.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => code::INTERRUPTED,
            _ = self.terminate.recv() => code::TERMINATED,
            _ = self.hangup.recv() => code::HUNG_UP,
        }
    }
}
