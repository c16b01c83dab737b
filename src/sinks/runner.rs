//! The task of one sink: takes batches, writes them, and decides what follows when that fails.
//!
//! Started by [`super::Outlets`]. A write that takes too long or panics costs this sink its connection and, for a
//! panic, the batch it was over; nobody else notices.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};

use super::outlet::Visit;
use super::piece::Batch;
use super::report::{Dropped, State};
use super::turn::{Next, Turn};
use super::{Sink, SinkError, Written};

/// Connecting or opening takes no longer (SECURITY: limits).
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// Longest that a sink rests for somebody else; then it goes on.
const REST_AT_MOST: Duration = Duration::from_secs(600);

/// What a try came to.
enum Outcome {
    Written(Written),
    Failed(SinkError),
    Panicked(String),
}

/// Writes what there is until the turn is relieved, or the outlet closed and empty, or the time is over.
pub(super) async fn run<S: Sink>(turn: Turn, options: S::Options) {
    turn.begins().await;
    let mut runner = Runner::<S> { turn, options, sink: None, panics: 0 };
    while let Some(next) = runner.turn.next().await {
        match next {
            Next::Write(batch) => {
                if !runner.deliver(batch).await {
                    break;
                }
            }
            Next::Rest(visit) => runner.rest(visit).await,
        }
    }
    let Runner { turn, sink, .. } = runner;
    // Whatever closing a sink may do, its end is told.
    let _ = std::panic::catch_unwind(AssertUnwindSafe(move || drop(sink)));
    turn.end();
}

struct Runner<S: Sink> {
    turn: Turn,
    options: S::Options,
    sink: Option<S>,
    /// One after the other.
    panics: u32,
}

impl<S: Sink> Runner<S> {
    /// Tries until `batch` is delivered or dropped; `false` once the time is over.
    async fn deliver(&mut self, mut batch: Batch) -> bool {
        let turn = self.turn.clone();
        let mut tries = 0_u32;
        loop {
            // A write that held its thread may come back when the runtime has no clock left to wait by.
            if turn.is_over() {
                turn.leave(batch);
                return false;
            }
            let outcome = tokio::select! {
                biased;
                () = turn.writes_end() => {
                    turn.leave(batch);
                    return false;
                }
                outcome = self.attempt(&batch) => outcome,
            };
            let Some(wait) = self.book(&mut batch, &mut tries, outcome) else { return true };
            if turn.is_over() {
                continue;
            }
            tokio::select! {
                () = turn.tries_end() => {}
                visit = turn.visitor() => {
                    turn.forget(&mut batch, &visit.who);
                    self.rest(visit).await;
                }
                () = sleep(wait) => {}
            }
            if batch.is_empty() {
                return true;
            }
        }
    }

    /// Books what a try came to; how long to wait before the next, if `batch` is to be tried again.
    fn book(&mut self, batch: &mut Batch, tries: &mut u32, outcome: Outcome) -> Option<Duration> {
        let turn = &self.turn;
        match outcome {
            Outcome::Written(written) => {
                self.panics = 0;
                turn.delivered(batch, written.too_large);
                if let Some(trouble) = written.trouble {
                    turn.failed(State::Running, &trouble);
                }
                None
            }
            Outcome::Failed(SinkError::Fatal { why }) => {
                turn.failed(State::Running, &why);
                turn.dropped(batch, Dropped::Refused);
                None
            }
            Outcome::Failed(SinkError::Retry { why, after, done, too_large }) => {
                if done > 0 {
                    turn.delivered(&batch.drop_first(done), too_large);
                    *tries = 0;
                }
                turn.failed(State::Retrying, &why);
                *tries = tries.saturating_add(1);
                if turn.dispatch().attempts > 0 && u64::from(*tries) >= turn.dispatch().attempts {
                    turn.dropped(batch, Dropped::Refused);
                    return None;
                }
                Some(after.unwrap_or_else(|| turn.dispatch().wait(*tries, draw())))
            }
            Outcome::Panicked(why) => {
                self.panics = self.panics.saturating_add(1);
                turn.failed(State::Restarting, &why);
                turn.dropped(batch, Dropped::Panic);
                *batch = Batch::default();
                Some(turn.dispatch().wait(self.panics, draw()))
            }
        }
    }

    /// Lets go of what it writes to, until the visit is over.
    async fn rest(&mut self, visit: Visit) {
        if let Some(sink) = self.sink.take() {
            // One that panics or hangs over its end is closed all the same.
            drop(timeout(OPEN_WITHIN, AssertUnwindSafe(sink.close()).catch_unwind()).await);
        }
        visit.rest(REST_AT_MOST).await;
    }

    async fn attempt(&mut self, batch: &Batch) -> Outcome {
        if self.sink.is_none() {
            let open = AssertUnwindSafe(S::open(&self.options)).catch_unwind();
            match timeout(OPEN_WITHIN, open).await {
                Ok(Ok(Ok(sink))) => self.sink = Some(sink),
                Ok(Ok(Err(SinkError::Fatal { why }))) => return Outcome::Failed(SinkError::retry(why)),
                Ok(Ok(Err(error))) => return Outcome::Failed(error),
                Ok(Err(panic)) => return Outcome::Failed(SinkError::retry(text_of(&*panic))),
                Err(_) => return Outcome::Failed(SinkError::retry("no connection within 5 s")),
            }
        }
        let Some(sink) = &mut self.sink else { return Outcome::Failed(SinkError::retry("not open")) };
        let write = AssertUnwindSafe(sink.write(batch)).catch_unwind();
        match timeout(self.turn.dispatch().timeout, write).await {
            Ok(Ok(Ok(written))) => Outcome::Written(written),
            Ok(Ok(Err(error))) => Outcome::Failed(error),
            Ok(Err(panic)) => {
                self.sink = None;
                Outcome::Panicked(text_of(&*panic))
            }
            Err(_) => {
                self.sink = None;
                let limit = self.turn.dispatch().timeout.as_millis();
                Outcome::Failed(SinkError::retry(format!("nothing was taken within {limit} ms")))
            }
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}

/// A number from 0 to 1 for the wait before a retry; without a source of randomness the whole wait.
fn draw() -> f64 {
    getrandom::u32().map_or(1.0, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}
