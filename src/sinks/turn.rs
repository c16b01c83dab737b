//! The turn of one set of settings at a sink: what its runner takes from the outlet, and what it books there.
//!
//! Given by [`super::Outlets`] to the runner. A turn that is relieved, because the sink is set otherwise, takes nothing
//! more and leaves what it could not write to the next one, which begins once it is over: no two runners of a sink ever
//! write at once.

use std::sync::Arc;
use std::time::Instant;

use super::dispatch::Dispatch;
use super::outlet::{Manner, Outlet, Shift, Visit};
use super::piece::Batch;
use super::report::{Dropped, State};
use crate::event::{Person, gate};

/// Columns of an error that are kept.
const MAX_ERROR: usize = 300;

/// What a runner does next.
pub(super) enum Next {
    Write(Batch),
    Rest(Visit),
}

/// What a runner holds.
#[derive(Clone)]
pub(super) struct Turn {
    outlet: Arc<Outlet>,
    number: u64,
    manner: Arc<Manner>,
}

/// Until when things are done, once a turn ends.
struct End {
    /// No try begins after that.
    tries: Instant,
    /// A write that has begun is given up.
    writes: Instant,
}

impl Turn {
    /// The newest turn at `outlet`.
    pub(super) fn of(outlet: &Arc<Outlet>) -> Self {
        let inner = outlet.lock();
        let (number, manner) = (outlet.shift.borrow().turn, Arc::clone(&inner.manner));
        drop(inner);
        Self { outlet: Arc::clone(outlet), number, manner }
    }

    pub(super) fn dispatch(&self) -> &Dispatch {
        &self.manner.dispatch
    }

    /// Waits until the turn before is over.
    pub(super) async fn begins(&self) {
        // The sender lives as long as this outlet.
        let _ = self.outlet.over.subscribe().wait_for(|over| *over + 1 >= self.number).await;
    }

    fn is_relieved(&self) -> bool {
        self.outlet.shift.borrow().turn > self.number
    }

    fn end_by(&self, shift: &Shift) -> Option<End> {
        if shift.turn == self.number {
            return shift.deadline.map(|deadline| End { tries: deadline, writes: deadline });
        }
        let writes = shift.since + self.dispatch().drain;
        Some(End {
            tries: shift.since,
            writes: shift.deadline.map_or(writes, |deadline| deadline.min(writes)),
        })
    }

    /// Waits until no try may begin any more.
    pub(super) async fn tries_end(&self) {
        self.ends(|end| end.tries).await;
    }

    /// Waits until a write that has begun is to be given up.
    pub(super) async fn writes_end(&self) {
        self.ends(|end| end.writes).await;
    }

    async fn ends(&self, which: impl Fn(&End) -> Instant) {
        let mut shift = self.outlet.shift.subscribe();
        loop {
            let end = self.end_by(&shift.borrow_and_update());
            let at = end.map(|end| which(&end));
            tokio::select! {
                () = tokio::time::sleep_until(at.unwrap_or_else(Instant::now).into()), if at.is_some() => return,
                // The sender lives as long as this outlet.
                _ = shift.changed() => {}
            }
        }
    }

    /// Whether no try may begin any more, for whoever may find no runtime to wait in.
    pub(super) fn is_over(&self) -> bool {
        self.end_by(&self.outlet.shift.borrow()).is_some_and(|end| end.tries <= Instant::now())
    }

    /// The next events to be written; waits for them, and for more of them as long as the batch may age. `None` once
    /// the turn is relieved, or the outlet is closed and its queue is empty.
    pub(super) async fn next(&self) -> Option<Next> {
        let dispatch = self.dispatch();
        loop {
            let news = self.outlet.news.notified();
            let due = {
                let mut inner = self.outlet.lock();
                if self.is_relieved() {
                    return None;
                }
                if let Some(visit) = inner.visits.pop_front() {
                    return Some(Next::Rest(visit));
                }
                let is_full = inner.queued >= dispatch.batch_events as u64
                    || inner.queued_bytes >= dispatch.batch_bytes as u64;
                let due = inner.queue.front().map(|front| front.since + dispatch.batch_age);
                match due {
                    None if inner.is_closed => return None,
                    None => None,
                    Some(due) if is_full || inner.is_closed || due <= Instant::now() => {
                        return Some(Next::Write(inner.take(dispatch.batch_events, dispatch.batch_bytes)));
                    }
                    Some(due) => Some(due),
                }
            };
            match due {
                Some(due) => drop(tokio::time::timeout_at(due.into(), news).await),
                None => news.await,
            }
        }
    }

    /// Waits for somebody who asks for a rest.
    pub(super) async fn visitor(&self) -> Visit {
        loop {
            let news = self.outlet.news.notified();
            if let Some(visit) = self.outlet.lock().visits.pop_front() {
                return visit;
            }
            news.await;
        }
    }

    /// Takes the events of `who` out of a batch that is being tried.
    pub(super) fn forget(&self, batch: &mut Batch, who: &Person) {
        let gone = batch.forget(who) as u64;
        let mut inner = self.outlet.lock();
        inner.in_flight -= gone;
        inner.forget(gone);
        self.outlet.settle(inner);
    }

    /// Books the events of `batch` as delivered, but for those too large.
    pub(super) fn delivered(&self, batch: &Batch, too_large: u64) {
        let mut inner = self.outlet.lock();
        let events = batch.len() as u64;
        let too_large = too_large.min(events);
        inner.in_flight -= events;
        inner.counts.delivered += events - too_large;
        inner.counts.drop_for(Dropped::Size, too_large);
        inner.state = State::Running;
        let now = Instant::now();
        for piece in &batch.pieces {
            let micros =
                u64::try_from(now.saturating_duration_since(piece.since).as_micros()).unwrap_or(u64::MAX);
            inner.latency.saturating_record_n(micros.max(1), piece.len() as u64);
        }
        self.outlet.settle(inner);
    }

    /// Books the events of `batch` as dropped.
    pub(super) fn dropped(&self, batch: &Batch, why: Dropped) {
        let mut inner = self.outlet.lock();
        inner.in_flight -= batch.len() as u64;
        inner.counts.drop_for(why, batch.len() as u64);
        self.outlet.settle(inner);
    }

    /// Leaves `batch`, which could not be written in time, to the next turn. Without one it is booked as undelivered, and
    /// never acked: its clients still have it.
    pub(super) fn leave(&self, batch: Batch) {
        let mut inner = self.outlet.lock();
        inner.in_flight -= batch.len() as u64;
        if self.is_relieved() {
            inner.give_back(batch);
        } else {
            inner.counts.drop_for(Dropped::Undelivered, batch.len() as u64);
        }
    }

    /// Books a try that failed.
    pub(super) fn failed(&self, state: State, why: &str) {
        let mut inner = self.outlet.lock();
        inner.counts.errors += 1;
        inner.state = state;
        inner.last_error = Some(gate::plain_capped(why, MAX_ERROR));
    }

    /// The turn is over; with the last one ends the outlet.
    pub(super) fn end(self) {
        if !self.is_relieved() {
            self.outlet.end();
        }
        self.outlet.over.send_replace(self.number);
    }
}
