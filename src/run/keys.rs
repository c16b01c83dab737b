//! The keys of the terminal, read on a thread of their own, which can be asked to leave them to another program.
//!
//! The console holds the reins; a read cannot be interrupted, so the thread looks for a key a few times a second.

use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::background::Late;
use super::console::Input;

/// How long the thread looks for a key before it looks whether it is to stop: how long an editor waits to start.
const LOOK: Duration = Duration::from_millis(100);

/// Whether keys are read.
#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    /// The thread has seen that and reads nothing.
    is_idle: bool,
}

/// The way to the reading thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

impl Keys {
    /// Starts to read; the thread ends with the process, or once nobody takes keys any more. An answer that is `late` is
    /// no key.
    pub(super) fn read(sender: SyncSender<Input>, mut late: Late) -> io::Result<Self> {
        let keys = Self::default();
        let inside = keys.clone();
        let read = move || {
            loop {
                inside.wait_until_open();
                match crossterm::event::poll(LOOK) {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(_) => return,
                }
                let Ok(event) = crossterm::event::read() else { return };
                if late.takes(&event, Instant::now()) {
                    continue;
                }
                if sender.send(Input::Terminal(event)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("keys".into()).spawn(read)?;
        Ok(keys)
    }

    /// Leaves the keys to another program, from the return of this on.
    pub(super) fn close(&self) {
        let mut gate = self.lock();
        gate.is_closed = true;
        // A thread that has ended, or waits to hand on a key, reads nothing either.
        let is_reading = |gate: &mut Gate| !gate.is_idle;
        drop(
            self.gate
                .1
                .wait_timeout_while(gate, 5 * LOOK, is_reading)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Takes the keys back.
    pub(super) fn open(&self) {
        self.lock().is_closed = false;
        self.gate.1.notify_all();
    }

    fn wait_until_open(&self) {
        let mut gate = self.lock();
        if gate.is_closed {
            gate.is_idle = true;
            self.gate.1.notify_all();
            gate =
                self.gate.1.wait_while(gate, |gate| gate.is_closed).unwrap_or_else(PoisonError::into_inner);
            gate.is_idle = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
