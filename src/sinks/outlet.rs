//! One sink from the side of those who offer: its selection, its queue and its books, which change together.
//!
//! [`super::Outlets`] offers, the sink's runner takes by [`super::turn`]. Where the sink is set otherwise, queue and books
//! go on under the new settings. The lock is held for the length of a look at a chunk's columns, never while anything is
//! written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Notify, oneshot, watch};

use super::AckLevel;
use super::dispatch::{Dispatch, Mode};
use super::piece::{self, Batch, Packet, Piece};
use super::report::{Counts, Dropped, Report, State};
use crate::event::{Person, Timestamp};
use crate::pipeline::{Rows, Selector, Stage};

/// Latencies are told apart up to an hour.
const MAX_LATENCY_US: u64 = 3_600_000_000;

/// How a sink is set, as far as its outlet is concerned.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) kind: &'static str,
    pub(super) dispatch: Dispatch,
    /// What an ack waits for where the mode is `blocking`.
    pub(super) ack: AckLevel,
}

/// A sink's way in.
pub(super) struct Outlet {
    pub(super) name: String,
    pub(super) inner: Mutex<Inner>,
    /// There is something to take, or nothing more to come.
    pub(super) news: Notify,
    /// How many events have left the queue for good.
    settled: watch::Sender<u64>,
    /// Whose turn it is to take, and for how long.
    pub(super) shift: watch::Sender<Shift>,
    /// How many turns are over.
    pub(super) over: watch::Sender<u64>,
    ended: watch::Sender<bool>,
}

/// Whose turn it is to take from an outlet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    /// One turn for each time the sink was set.
    pub(super) turn: u64,
    /// When it was given.
    pub(super) since: Instant,
    /// Until when the queue is written out, once the outlet is closed.
    pub(super) deadline: Option<Instant>,
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

pub(super) struct Inner {
    pub(super) manner: Arc<Manner>,
    selector: Selector,
    pub(super) queue: VecDeque<Piece>,
    pub(super) queued: u64,
    pub(super) queued_bytes: u64,
    pub(super) in_flight: u64,
    /// Events that ever entered the queue.
    entered: u64,
    /// Events that were forgotten while others waited or were written, some of which may have come before them: only
    /// once none is left they count as gone.
    forgotten: u64,
    pub(super) counts: Counts,
    pub(super) latency: Histogram<u64>,
    pub(super) state: State,
    is_paused: bool,
    pub(super) is_closed: bool,
    /// Whether the user has taken the sink out of the settings, and with it the promise that acks wait for it.
    is_withdrawn: bool,
    pub(super) last_error: Option<String>,
    /// Those who wait for a rest; each waits, so there are few.
    pub(super) visits: VecDeque<Visit>,
}

impl Outlet {
    /// An empty one, whose first turn begins.
    pub(super) fn new(name: String, manner: Manner, seed: u64) -> Self {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_US, 2).expect("the bounds are in order");
        let inner = Inner {
            selector: Selector::new(manner.dispatch.selection.clone(), seed),
            manner: Arc::new(manner),
            queue: VecDeque::new(),
            queued: 0,
            queued_bytes: 0,
            in_flight: 0,
            entered: 0,
            forgotten: 0,
            counts: Counts::default(),
            latency,
            state: State::Idle,
            is_paused: false,
            is_closed: false,
            is_withdrawn: false,
            last_error: None,
            visits: VecDeque::new(),
        };
        Self {
            name,
            inner: Mutex::new(inner),
            news: Notify::new(),
            settled: watch::Sender::new(0),
            shift: watch::Sender::new(Shift { turn: 1, since: Instant::now(), deadline: None }),
            over: watch::Sender::new(0),
            ended: watch::Sender::new(false),
        }
    }

    /// Goes on in another manner: the turn that was ends, and the next one begins after it with what is left.
    pub(super) fn set(&self, manner: Manner, seed: u64) {
        let mut inner = self.lock();
        inner.selector = Selector::new(manner.dispatch.selection.clone(), seed);
        inner.manner = Arc::new(manner);
        (inner.state, inner.last_error) = (State::Idle, None);
        self.shift.send_modify(|shift| {
            shift.turn += 1;
            shift.since = Instant::now();
        });
        drop(inner);
        self.news.notify_one();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn manner(&self) -> Arc<Manner> {
        Arc::clone(&self.lock().manner)
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
            return inner.due();
        }
        let rows = inner.select(packet, now, chosen);
        let has_news = inner.enter(packet, rows, at);
        let due = inner.due();
        self.settle(inner);
        if has_news {
            self.news.notify_one();
        }
        due
    }

    /// The number up to which the queue must have been left before anything that was taken until now may be acked, if that
    /// is not so already; one that is never reached once nothing more is taken.
    pub(super) fn due(&self) -> Option<u64> {
        self.lock().due()
    }

    /// Waits until the queue was left up to `upto`; `false` if the sink ends before, unless nobody asks for it any more.
    pub(super) async fn settled(&self, upto: u64) -> bool {
        let (mut settled, mut ended) = (self.settled.subscribe(), self.ended.subscribe());
        tokio::select! {
            reached = settled.wait_for(|settled| *settled >= upto) => reached.is_ok(),
            _ = ended.wait_for(|ended| *ended) => *self.settled.borrow() >= upto || self.lock().is_withdrawn,
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
        inner.forget(gone);
        if inner.state != State::Stopped {
            inner.visits.push_back(Visit { who: who.clone(), begun, over });
        }
        self.settle(inner);
        self.news.notify_one();
        (begins, end)
    }

    pub(super) fn settle(&self, mut inner: MutexGuard<'_, Inner>) {
        if inner.queued + inner.in_flight == 0 {
            inner.forgotten = 0;
        }
        let settled = inner.settled();
        drop(inner);
        self.settled.send_if_modified(|known| std::mem::replace(known, settled) != settled);
    }

    pub(super) fn set_paused(&self, is_paused: bool) {
        self.lock().is_paused = is_paused;
    }

    /// Takes nothing more; what waits is written as long as the sink's drain.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.is_closed = true;
        let deadline = Instant::now() + inner.manner.dispatch.drain;
        self.shift.send_modify(|shift| shift.deadline = Some(deadline));
        drop(inner);
        self.news.notify_one();
    }

    /// The same for good: nobody's ack waits for it beyond its end.
    pub(super) fn withdraw(&self) {
        self.lock().is_withdrawn = true;
        self.close();
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

    pub(super) fn has_ended(&self) -> bool {
        *self.ended.borrow()
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
            kind: inner.manner.kind,
            mode: inner.manner.dispatch.mode.name(),
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
    /// Events that are gone for good and before which none is left.
    fn settled(&self) -> u64 {
        self.entered - self.queued - self.in_flight - self.forgotten
    }

    fn due(&self) -> Option<u64> {
        let Manner { dispatch, ack, .. } = &*self.manner;
        if dispatch.mode != Mode::Blocking {
            return None;
        }
        if self.is_closed {
            return Some(u64::MAX);
        }
        let slack = if *ack == AckLevel::Seen { dispatch.buffer } else { 0 };
        let upto = self.entered.saturating_sub(slack);
        (upto > self.settled()).then_some(upto)
    }

    /// Books so many events of a person, which are in no queue any more.
    pub(super) fn forget(&mut self, events: u64) {
        self.forgotten += events;
        self.counts.drop_for(Dropped::Forgotten, events);
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
    fn enter(&mut self, packet: &Packet, mut rows: Rows, at: Instant) -> bool {
        let manner = Arc::clone(&self.manner);
        let dispatch = &manner.dispatch;
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

    /// Puts back in front what was taken and not written.
    pub(super) fn give_back(&mut self, batch: Batch) {
        for piece in batch.pieces.into_iter().rev() {
            self.queued += piece.len() as u64;
            self.queued_bytes += piece.bytes() as u64;
            self.queue.push_front(piece);
        }
    }

    pub(super) fn take(&mut self, events: usize, bytes: usize) -> Batch {
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
