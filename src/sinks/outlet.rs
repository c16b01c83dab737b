//! One sink from the side of those who offer: its selection, its queue and its books, which change together.
//!
//! [`super::Outlets`] offers, the sink's runner takes. The lock is held for the length of a look at a chunk's columns,
//! never while anything is written.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Notify, oneshot, watch};

use super::AckLevel;
use super::dispatch::{Dispatch, Mode};
use super::piece::{self, Batch, Packet, Piece};
use super::report::{Counts, Dropped, Report, State};
use crate::event::{Person, Timestamp, gate};
use crate::pipeline::{Rows, Selector, Stage};

/// Columns of an error that are kept.
const MAX_ERROR: usize = 300;
/// Latencies are told apart up to an hour.
const MAX_LATENCY_US: u64 = 3_600_000_000;

/// A sink's way in.
pub(super) struct Outlet {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) dispatch: Dispatch,
    pub(super) ack: AckLevel,
    inner: Mutex<Inner>,
    /// There is something to take, or nothing more to come.
    news: Notify,
    /// How many events have left the queue for good.
    settled: watch::Sender<u64>,
    /// Until when the queue is written out, once it is closed.
    closing: watch::Sender<Option<Instant>>,
    ended: watch::Sender<bool>,
}

/// What the task of a sink does next.
pub(super) enum Next {
    Write(Batch),
    Rest(Visit),
}

/// A rest of a sink, so that somebody else can take what is of a person out of what it has written.
pub(super) struct Visit {
    /// Whose events are not to be written any more.
    pub(super) who: Person,
    /// Told when the sink is closed.
    begun: oneshot::Sender<()>,
    /// Ends, or is dropped, when it may go on.
    over: oneshot::Receiver<()>,
}

impl Visit {
    /// Waits until the sink may go on, but not for ever.
    pub(super) async fn rest(self, at_most: Duration) {
        if self.begun.send(()).is_ok() {
            drop(tokio::time::timeout(at_most, self.over).await);
        }
    }
}

struct Inner {
    selector: Selector,
    queue: VecDeque<Piece>,
    queued: u64,
    queued_bytes: u64,
    in_flight: u64,
    /// Events that ever entered the queue.
    entered: u64,
    counts: Counts,
    latency: Histogram<u64>,
    state: State,
    is_paused: bool,
    is_closed: bool,
    last_error: Option<String>,
    /// Those who wait for a rest; each waits, so there are few.
    visits: VecDeque<Visit>,
}

impl Outlet {
    pub(super) fn new(
        name: String,
        kind: &'static str,
        dispatch: Dispatch,
        ack: AckLevel,
        seed: u64,
    ) -> Self {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_US, 2).expect("the bounds are in order");
        let inner = Inner {
            selector: Selector::new(dispatch.selection.clone(), seed),
            queue: VecDeque::new(),
            queued: 0,
            queued_bytes: 0,
            in_flight: 0,
            entered: 0,
            counts: Counts::default(),
            latency,
            state: State::Idle,
            is_paused: false,
            is_closed: false,
            last_error: None,
            visits: VecDeque::new(),
        };
        Self {
            name,
            kind,
            dispatch,
            ack,
            inner: Mutex::new(inner),
            news: Notify::new(),
            settled: watch::Sender::new(0),
            closing: watch::Sender::new(None),
            ended: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_blocking(&self) -> bool {
        self.dispatch.mode == Mode::Blocking
    }

    /// Takes what is meant for this sink; of a packet that was `chosen` for it, everything within its limits. Gives what the ack of
    /// the packet has to wait for: see [`Outlet::due`].
    pub(super) fn offer(&self, packet: &Packet, now: Timestamp, at: Instant, chosen: bool) -> Option<u64> {
        let mut inner = self.lock();
        let offered = packet.chunk.len() as u64;
        inner.counts.offered += offered;
        if inner.is_closed || inner.is_paused {
            let why = if inner.is_closed { Dropped::Undelivered } else { Dropped::Paused };
            inner.counts.drop_for(why, offered);
            return self.due_of(&inner);
        }
        let rows = inner.select(packet, now, chosen);
        let has_news = inner.enter(packet, rows, at, &self.dispatch);
        let due = self.due_of(&inner);
        drop(inner);
        if has_news {
            self.news.notify_one();
        }
        due
    }

    /// The number up to which the queue must have been left before anything that was taken until now may be acked, if that
    /// is not so already; one that is never reached once nothing more is taken.
    pub(super) fn due(&self) -> Option<u64> {
        self.due_of(&self.lock())
    }

    fn due_of(&self, inner: &Inner) -> Option<u64> {
        if !self.is_blocking() {
            return None;
        }
        if inner.is_closed {
            return Some(u64::MAX);
        }
        let slack = if self.ack == AckLevel::Seen { self.dispatch.buffer } else { 0 };
        let upto = inner.entered.saturating_sub(slack);
        (upto > inner.settled()).then_some(upto)
    }

    /// Waits until the queue was left up to `upto`; `false` if the sink ends before.
    pub(super) async fn settled(&self, upto: u64) -> bool {
        let (mut settled, mut ended) = (self.settled.subscribe(), self.ended.subscribe());
        tokio::select! {
            reached = settled.wait_for(|settled| *settled >= upto) => reached.is_ok(),
            _ = ended.wait_for(|ended| *ended) => *self.settled.borrow() >= upto,
        }
    }

    /// Takes the events of `who` out of the queue, and asks for a rest once nothing is being written. The first end tells
    /// when it begins, or is closed where the sink has ended; the second ends it.
    pub(super) fn visit(&self, who: &Person) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((begun, begins), (end, over)) = (oneshot::channel(), oneshot::channel());
        let mut inner = self.lock();
        let gone = piece::forget(&mut inner.queue, who) as u64;
        inner.queued -= gone;
        inner.queued_bytes = inner.queue.iter().map(|piece| piece.bytes() as u64).sum();
        inner.counts.drop_for(Dropped::Forgotten, gone);
        if inner.state != State::Stopped {
            inner.visits.push_back(Visit { who: who.clone(), begun, over });
        }
        self.settle(inner);
        self.news.notify_one();
        (begins, end)
    }

    /// Waits for somebody who asks for a rest.
    pub(super) async fn visitor(&self) -> Visit {
        loop {
            let news = self.news.notified();
            if let Some(visit) = self.lock().visits.pop_front() {
                return visit;
            }
            news.await;
        }
    }

    /// Takes the events of `who` out of a batch that is being tried.
    pub(super) fn forget(&self, batch: &mut Batch, who: &Person) {
        let gone = batch.forget(who) as u64;
        let mut inner = self.lock();
        inner.in_flight -= gone;
        inner.counts.drop_for(Dropped::Forgotten, gone);
        self.settle(inner);
    }

    /// The next events to be written; waits for them, and for more of them as long as the batch may age. `None` once
    /// the outlet is closed and its queue is empty.
    pub(super) async fn next(&self) -> Option<Next> {
        loop {
            let news = self.news.notified();
            let due = {
                let mut inner = self.lock();
                if let Some(visit) = inner.visits.pop_front() {
                    return Some(Next::Rest(visit));
                }
                let dispatch = &self.dispatch;
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

    /// Books the events of `batch` as delivered, but for those too large.
    pub(super) fn delivered(&self, batch: &Batch, too_large: u64) {
        let mut inner = self.lock();
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
        self.settle(inner);
    }

    /// Books the events of `batch` as dropped. Those that are so at the end are never acked: their clients still have them.
    pub(super) fn dropped(&self, batch: &Batch, why: Dropped) {
        let mut inner = self.lock();
        inner.in_flight -= batch.len() as u64;
        inner.counts.drop_for(why, batch.len() as u64);
        if why != Dropped::Undelivered {
            self.settle(inner);
        }
    }

    fn settle(&self, inner: MutexGuard<'_, Inner>) {
        let settled = inner.settled();
        drop(inner);
        self.settled.send_replace(settled);
    }

    /// Books a try that failed.
    pub(super) fn failed(&self, state: State, why: &str) {
        let mut inner = self.lock();
        inner.counts.errors += 1;
        inner.state = state;
        inner.last_error = Some(gate::plain_capped(why, MAX_ERROR));
    }

    pub(super) fn set_paused(&self, is_paused: bool) {
        self.lock().is_paused = is_paused;
    }

    /// Takes nothing more; what waits is written until `deadline`.
    pub(super) fn close(&self, deadline: Instant) {
        self.lock().is_closed = true;
        self.closing.send_replace(Some(deadline));
        self.news.notify_one();
    }

    /// Waits until the time to write out the queue is over.
    pub(super) async fn expired(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives as long as this outlet.
        let deadline = closing.wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
        if let Some(deadline) = deadline {
            tokio::time::sleep_until(deadline.into()).await;
        }
    }

    /// Whether that time is over, for whoever may find no runtime to wait in.
    pub(super) fn is_expired(&self) -> bool {
        self.closing.borrow().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Nothing more is written: what still waits is booked as undelivered.
    pub(super) fn end(&self) {
        let mut inner = self.lock();
        let rest = inner.queued;
        inner.counts.drop_for(Dropped::Undelivered, rest);
        inner.queue.clear();
        inner.visits.clear();
        (inner.queued, inner.queued_bytes) = (0, 0);
        (inner.state, inner.is_closed) = (State::Stopped, true);
        drop(inner);
        self.ended.send_replace(true);
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) {
        // The sender lives as long as this outlet.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Goes on with the books of the sink it takes the place of.
    pub(super) fn succeed(&self, report: &Report) {
        let mut inner = self.lock();
        inner.counts.add(&report.counts);
    }

    #[cfg(test)]
    pub(super) fn has_waiting(&self) -> bool {
        self.lock().queued > 0
    }

    pub(super) fn report(&self) -> Report {
        let inner = self.lock();
        let quantile = |q| (!inner.latency.is_empty()).then(|| ms(inner.latency.value_at_quantile(q)));
        Report {
            name: self.name.clone(),
            kind: self.kind,
            mode: self.dispatch.mode.name(),
            state: if inner.is_paused { State::Paused } else { inner.state },
            counts: inner.counts.clone(),
            queued: inner.queued + inner.in_flight,
            p50: quantile(0.5),
            p99: quantile(0.99),
            last_error: inner.last_error.clone(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most an hour")]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

impl Inner {
    fn settled(&self) -> u64 {
        self.entered - self.queued - self.in_flight
    }

    fn select(&mut self, packet: &Packet, now: Timestamp, chosen: bool) -> Rows {
        if self.selector.is_all() {
            return Rows::All;
        }
        let selected = match chosen {
            true => self.selector.select_within_limits(&packet.chunk, now),
            false => self.selector.select(&packet.chunk, now),
        };
        for ((stage, _), stopped) in Stage::ALL.iter().zip(selected.stopped) {
            match stage {
                Stage::Sample => self.counts.sampled += stopped,
                Stage::Limit => self.counts.limited += stopped,
                Stage::MinLevel | Stage::Id | Stage::Namespace | Stage::Filter => {
                    self.counts.filtered += stopped
                }
            }
        }
        selected.rows
    }

    /// Queues these rows, as far as the mode allows; `false` if none of them.
    fn enter(&mut self, packet: &Packet, mut rows: Rows, at: Instant, dispatch: &Dispatch) -> bool {
        let left =
            |limit: u64, taken: u64| usize::try_from(limit.saturating_sub(taken)).unwrap_or(usize::MAX);
        let is_dropping = dispatch.mode == Mode::Dropping;
        if is_dropping {
            // What does not fit is not even looked at.
            let mut room = left(dispatch.buffer, self.queued);
            if self.queued_bytes >= dispatch.buffer_bytes && !self.queue.is_empty() {
                room = 0;
            }
            let dropped = piece::cut(packet, &mut rows, room);
            self.counts.drop_for(Dropped::Dropping, dropped as u64);
        }
        if piece::count(packet, &rows) == 0 {
            return false;
        }
        let mut piece = Piece::new(packet, rows, at);
        let bytes = if is_dropping {
            let room = left(dispatch.buffer_bytes, self.queued_bytes);
            let (fits, bytes) = piece.split(usize::MAX, room, self.queue.is_empty());
            self.counts.drop_for(Dropped::Dropping, piece.len() as u64);
            piece = fits;
            bytes
        } else {
            piece.bytes()
        };
        if piece.len() == 0 {
            return false;
        }
        self.push(piece, bytes);
        if dispatch.mode == Mode::Sliding {
            self.slide(dispatch);
        }
        true
    }

    fn push(&mut self, piece: Piece, bytes: usize) {
        self.entered += piece.len() as u64;
        self.queued += piece.len() as u64;
        self.queued_bytes += bytes as u64;
        self.queue.push_back(piece);
    }

    fn slide(&mut self, dispatch: &Dispatch) {
        while self.queued > dispatch.buffer || (self.queued_bytes > dispatch.buffer_bytes && self.queued > 1)
        {
            let Some(front) = self.queue.front_mut() else { return };
            self.queued_bytes -= front.pop() as u64;
            self.queued -= 1;
            self.counts.drop_for(Dropped::Sliding, 1);
            if front.len() == 0 {
                self.queue.pop_front();
            }
        }
    }

    fn take(&mut self, events: usize, bytes: usize) -> Batch {
        let (mut batch, mut left) = (Batch::default(), bytes);
        while batch.len() < events
            && let Some(front) = self.queue.front_mut()
        {
            let (split, taken) = front.split(events - batch.len(), left, batch.is_empty());
            if split.len() == 0 {
                break;
            }
            left = left.saturating_sub(taken);
            self.queued -= split.len() as u64;
            self.queued_bytes -= taken as u64;
            self.in_flight += split.len() as u64;
            batch.push(split);
            if front.len() == 0 {
                self.queue.pop_front();
            }
        }
        batch
    }
}
