//! Summaries that close: each endpoint's minute, and each session once nothing more comes of it.
//!
//! Filled by `ingest` with what arrives, asked once a second for what has closed; that goes to the sinks. A minute takes
//! what is late until two minutes after its end, a session closes half an hour after its last event; at the end of the
//! program everything closes. Bounded: what does not fit any more is summed up under `(other)`, or for sessions closes
//! the one that was silent for longest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;

use crate::event::{Chunk, EventRef, Flags, Level, Timestamp};

const MINUTE_MS: i64 = 60_000;
/// How long after its end a minute takes what is late.
const LATE_MS: i64 = 120_000;
const SILENCE_MS: i64 = 30 * MINUTE_MS;
/// Windows open at once, 20 KiB each.
const MAX_WINDOWS: usize = 1_000;
const MAX_SESSIONS: usize = 10_000;
const OTHER: &str = "(other)";
/// A minute in microseconds: longer requests count as that long (CONTRACT: latency).
const MAX_US: u64 = 60_000_000;

/// One endpoint's requests of one minute; times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointWindow {
    pub endpoint: String,
    pub start: Timestamp,
    pub count: u64,
    /// Answered with 400 or more, or not at all.
    pub errors: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    /// Closed before its time.
    pub is_partial: bool,
}

/// One session from its first event to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    pub session: String,
    pub user: String,
    pub start: Timestamp,
    pub last: Timestamp,
    pub events: u64,
    /// Of level error and above.
    pub errors: u64,
    /// Closed before its time.
    pub is_partial: bool,
}

/// What has closed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closed {
    pub windows: Vec<EndpointWindow>,
    pub sessions: Vec<SessionSummary>,
}

impl Closed {
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.sessions.is_empty()
    }
}

/// Everything that is open.
#[derive(Debug, Default)]
pub struct Windows {
    minutes: BTreeMap<i64, FxHashMap<Box<str>, Window>>,
    /// In all minutes together.
    open: usize,
    sessions: FxHashMap<Arc<str>, Open>,
    /// Sessions by when they were last heard of.
    silence: BTreeSet<(Timestamp, Arc<str>)>,
    /// Sessions that had to go for others.
    pushed_out: Vec<SessionSummary>,
}

#[derive(Debug)]
struct Window {
    durations: Histogram<u64>,
    errors: u64,
    sum: u64,
    min: u64,
    max: u64,
}

#[derive(Debug)]
struct Open {
    summary: SessionSummary,
    heard: Timestamp,
}

impl Windows {
    /// Counts the events of `chunk`, all but taillight's own.
    pub fn observe(&mut self, chunk: &Chunk, now: Timestamp) {
        let mut from = 0;
        // Events of one session come together, so it is looked for once.
        for run in chunk.sessions().chunk_by(|a, b| a == b) {
            self.sessions_of(chunk, from..from + run.len(), now);
            from += run.len();
        }
        for (row, endpoint) in chunk.endpoints().iter().enumerate() {
            if !endpoint.is_none() {
                self.request(chunk.event(row), now);
            }
        }
    }

    fn request(&mut self, event: EventRef<'_>, now: Timestamp) {
        let (endpoint, Some(duration)) = (event.endpoint(), event.duration()) else { return };
        // A clock that is ahead has no minutes of its own.
        let minute = event.inst().0.min(now.0).div_euclid(MINUTE_MS);
        if is_closed(minute, now) {
            return;
        }
        let is_full = self.open >= MAX_WINDOWS;
        let windows = self.minutes.entry(minute).or_default();
        let name = if is_full && !windows.contains_key(endpoint) { OTHER } else { endpoint };
        if !windows.contains_key(name) {
            windows.insert(name.into(), Window::new());
            self.open += 1;
        }
        if let Some(window) = windows.get_mut(name) {
            window.count(duration.0, event.flags().has(Flags::FAILED));
        }
    }

    fn sessions_of(&mut self, chunk: &Chunk, rows: std::ops::Range<usize>, now: Timestamp) {
        let events = rows.map(|row| chunk.event(row)).filter(|event| !event.flags().has(Flags::OWN));
        let mut events = events.peekable();
        let Some(first) = events.peek().copied().filter(|event| !event.session().is_empty()) else { return };
        let name = first.session();
        if !self.sessions.contains_key(name) {
            self.make_room();
            let name: Arc<str> = name.into();
            self.silence.insert((now, Arc::clone(&name)));
            self.sessions.insert(name, Open::new(first, now));
        }
        let Some((name, _)) = self.sessions.get_key_value(name) else { return };
        let name = Arc::clone(name);
        let Some(open) = self.sessions.get_mut(&name) else { return };
        if open.heard != now {
            self.silence.remove(&(open.heard, Arc::clone(&name)));
            self.silence.insert((now, name));
            open.heard = now;
        }
        events.for_each(|event| open.count(event));
    }

    fn make_room(&mut self) {
        if self.sessions.len() < MAX_SESSIONS {
            return;
        }
        let gone = self.silence.pop_first().and_then(|(_, name)| self.sessions.remove(&name));
        let summary = gone.map(|open| SessionSummary { is_partial: true, ..open.summary });
        self.pushed_out.extend(summary);
    }

    /// What has closed by `now`, in the order of time.
    pub fn close(&mut self, now: Timestamp) -> Closed {
        let (mut windows, mut sessions) = (Vec::new(), std::mem::take(&mut self.pushed_out));
        while let Some(first) = self.minutes.first_entry().filter(|first| is_closed(*first.key(), now)) {
            self.open -= first.get().len();
            let minute = *first.key();
            windows.extend(summed(minute, first.remove(), false));
        }
        while let Some((heard, _)) = self.silence.first()
            && now.since(*heard) >= SILENCE_MS
            && let Some((_, name)) = self.silence.pop_first()
        {
            sessions.extend(self.sessions.remove(&name).map(|open| open.summary));
        }
        Closed { windows, sessions }
    }

    /// Everything that is open, closed before its time.
    pub fn close_all(&mut self) -> Closed {
        let Self { minutes, sessions, mut pushed_out, .. } = std::mem::take(self);
        let windows =
            minutes.into_iter().flat_map(|(minute, windows)| summed(minute, windows, true)).collect();
        let mut sessions: Vec<_> = sessions.into_values().map(|open| open.summary).collect();
        sessions.sort_by(|a, b| (a.last, &a.session).cmp(&(b.last, &b.session)));
        pushed_out.extend(sessions.into_iter().map(|summary| SessionSummary { is_partial: true, ..summary }));
        Closed { windows, sessions: pushed_out }
    }
}

/// Whether a minute takes nothing more.
fn is_closed(minute: i64, now: Timestamp) -> bool {
    minute.saturating_add(1).saturating_mul(MINUTE_MS).saturating_add(LATE_MS) <= now.0
}

/// By endpoint's name.
fn summed(minute: i64, windows: FxHashMap<Box<str>, Window>, is_partial: bool) -> Vec<EndpointWindow> {
    let mut windows: Vec<_> = windows
        .into_iter()
        .map(|(endpoint, window)| EndpointWindow { is_partial, ..window.summed(minute, &endpoint) })
        .collect();
    windows.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    windows
}

impl Open {
    fn new(event: EventRef<'_>, now: Timestamp) -> Self {
        let summary = SessionSummary {
            session: event.session().to_owned(),
            user: event.user().to_owned(),
            start: event.inst(),
            last: event.inst(),
            events: 0,
            errors: 0,
            is_partial: false,
        };
        Self { summary, heard: now }
    }

    fn count(&mut self, event: EventRef<'_>) {
        let summary = &mut self.summary;
        summary.start = summary.start.min(event.inst());
        summary.last = summary.last.max(event.inst());
        summary.events += 1;
        summary.errors += u64::from(event.level() >= Level::Error && event.level() != Level::Report);
        if summary.user.is_empty() {
            event.user().clone_into(&mut summary.user);
        }
    }
}

impl Window {
    fn new() -> Self {
        let durations = Histogram::new_with_bounds(1, MAX_US, 2).expect("the bounds are in order");
        Self { durations, errors: 0, sum: 0, min: u64::MAX, max: 0 }
    }

    fn count(&mut self, us: u64, is_failed: bool) {
        self.errors += u64::from(is_failed);
        self.sum = self.sum.saturating_add(us);
        (self.min, self.max) = (self.min.min(us), self.max.max(us));
        self.durations.saturating_record(us.clamp(1, MAX_US));
    }

    #[expect(clippy::cast_precision_loss, reason = "below 285 years")]
    fn summed(&self, minute: i64, endpoint: &str) -> EndpointWindow {
        let ms = |us: u64| us as f64 / 1000.0;
        // The histogram knows a value to two digits only, the smallest and the largest exactly.
        let quantile = |q| ms(self.durations.value_at_quantile(q).clamp(self.min, self.max));
        EndpointWindow {
            endpoint: endpoint.to_owned(),
            start: Timestamp(minute * MINUTE_MS),
            count: self.durations.len(),
            errors: self.errors,
            sum: ms(self.sum),
            min: ms(self.min),
            max: ms(self.max),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            is_partial: false,
        }
    }
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
