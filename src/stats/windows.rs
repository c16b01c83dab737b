//! Summaries that close: each endpoint's minute, and each session once nothing more comes of it.
//!
//! Filled by `ingest` with what arrives, asked once a second for what has closed; that goes to the sinks. How long a
//! minute is, how long after its end it takes what is late, and how long a session must be silent to be closed, is set
//! ([`SummaryTimes`]); at the end of the program everything closes. Bounded: what does not fit any more is summed up
//! under `(other)`, or for sessions closes the one that was silent for longest; of those, too, what is more than can be
//! told at once is one sum.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;

use crate::event::{Chunk, EventRef, Flags, Level, Person, Timestamp};
use crate::pipeline::SummaryTimes;

/// Windows open at once, 20 KiB each.
const MAX_WINDOWS: usize = 1_000;
const MAX_SESSIONS: usize = 10_000;
/// Sessions that had to go for others and are told each by itself; those beyond are summed up until the next look.
const MAX_PUSHED_OUT: usize = 1_000;
const OTHER: &str = "(other)";
/// A minute in microseconds: longer requests count as that long (CONTRACT: latency).
const MAX_US: u64 = 60_000_000;

/// One endpoint's requests of one minute, or as long as is set; times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointWindow {
    pub endpoint: String,
    pub start: Timestamp,
    pub length_ms: u64,
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

/// One session from its first event to its last, or several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    pub session: String,
    /// How many it sums up.
    pub sessions: u64,
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
    times: SummaryTimes,
    minutes: BTreeMap<i64, FxHashMap<Box<str>, Window>>,
    /// In all minutes together.
    open: usize,
    sessions: FxHashMap<Arc<str>, Open>,
    /// Sessions by when they were last heard of.
    silence: BTreeSet<(Timestamp, Arc<str>)>,
    /// Sessions that had to go for others.
    pushed_out: Vec<SessionSummary>,
    /// Those of them that are more than are told apart.
    crowd: Option<SessionSummary>,
    /// What other times have closed.
    cut_off: Vec<EndpointWindow>,
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
    /// Goes on with these times; what is open closes if minutes are of another length from now on.
    pub fn set_times(&mut self, times: SummaryTimes) {
        if times.window_ms != self.times.window_ms {
            let minutes = std::mem::take(&mut self.minutes);
            self.open = 0;
            let length = self.times.window_ms;
            self.cut_off
                .extend(minutes.into_iter().flat_map(|(minute, all)| summed(minute, length, all, true)));
        }
        self.times = times;
    }

    /// Leaves out the sessions of `who`, as if they had not been; gives how many there were.
    pub fn forget(&mut self, who: &Person) -> usize {
        let is_theirs = |one: &SessionSummary| who.is(&one.user, &one.session);
        let before = self.sessions.len() + self.pushed_out.len();
        self.pushed_out.retain(|one| !is_theirs(one));
        self.sessions.retain(|_, open| !is_theirs(&open.summary));
        let sessions = &self.sessions;
        self.silence.retain(|(_, name)| sessions.contains_key(name));
        before - self.sessions.len() - self.pushed_out.len()
    }

    /// Counts the events of `chunk`, all but taillight's own.
    pub fn observe(&mut self, chunk: &Chunk, now: Timestamp) {
        let mut from = 0;
        // Events of one session come together, so it is looked for once.
        for run in chunk.sessions().chunk_by(|a, b| a == b) {
            self.sessions_of(chunk, from..from + run.len(), now);
            from += run.len();
        }
        self.requests(chunk, now);
    }

    /// Each endpoint's window is looked for once, however many of the events are of it.
    fn requests(&mut self, chunk: &Chunk, now: Timestamp) {
        let length = ms(self.times.window_ms);
        // A clock that is ahead has no minutes of its own.
        let minute = |row: usize| chunk.insts()[row].0.min(now.0).div_euclid(length);
        let timed = chunk.endpoints().iter().zip(chunk.durations()).enumerate();
        let timed = timed.filter(|(_, (endpoint, duration))| !endpoint.is_none() && **duration != u64::MAX);
        let mut keyed: Vec<_> = timed.map(|(row, (endpoint, _))| (minute(row), *endpoint, row)).collect();
        keyed.sort_unstable();
        for run in keyed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (minute, _, first) = run[0];
            if self.is_closed(minute, now) {
                continue;
            }
            let window = self.window_of(minute, chunk.event(first).endpoint());
            for (.., row) in run {
                window.count(chunk.durations()[*row], chunk.flags()[*row].has(Flags::FAILED));
            }
        }
    }

    fn window_of(&mut self, minute: i64, endpoint: &str) -> &mut Window {
        let is_full = self.open + self.cut_off.len() >= MAX_WINDOWS;
        let windows = self.minutes.entry(minute).or_default();
        let name = if is_full && !windows.contains_key(endpoint) { OTHER } else { endpoint };
        if !windows.contains_key(name) {
            self.open += 1;
        }
        windows.entry(name.into()).or_insert_with(Window::new)
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
        let Some(open) = gone else { return };
        let summary = SessionSummary { is_partial: true, ..open.summary };
        if self.pushed_out.len() < MAX_PUSHED_OUT {
            self.pushed_out.push(summary);
            return;
        }
        match &mut self.crowd {
            Some(crowd) => crowd.add(&summary),
            None => {
                let (session, user) = (OTHER.to_owned(), String::new());
                self.crowd = Some(SessionSummary { session, user, ..summary });
            }
        }
    }

    /// What has closed by `now`, in the order of time.
    pub fn close(&mut self, now: Timestamp) -> Closed {
        let (mut windows, mut sessions) =
            (std::mem::take(&mut self.cut_off), std::mem::take(&mut self.pushed_out));
        sessions.extend(self.crowd.take());
        while let Some(minute) =
            self.minutes.keys().next().copied().filter(|minute| self.is_closed(*minute, now))
            && let Some(closed) = self.minutes.remove(&minute)
        {
            self.open -= closed.len();
            windows.extend(summed(minute, self.times.window_ms, closed, false));
        }
        while let Some((heard, _)) = self.silence.first()
            && now.since(*heard) >= ms(self.times.silence_ms)
            && let Some((_, name)) = self.silence.pop_first()
        {
            sessions.extend(self.sessions.remove(&name).map(|open| open.summary));
        }
        Closed { windows, sessions }
    }

    /// Everything that is open, closed before its time.
    pub fn close_all(&mut self) -> Closed {
        let new = Self { times: self.times, ..Self::default() };
        let Self { times, minutes, sessions, mut pushed_out, crowd, cut_off: mut windows, .. } =
            std::mem::replace(self, new);
        let length = times.window_ms;
        windows.extend(minutes.into_iter().flat_map(|(minute, all)| summed(minute, length, all, true)));
        pushed_out.extend(crowd);
        let mut sessions: Vec<_> = sessions.into_values().map(|open| open.summary).collect();
        sessions.sort_by(|a, b| (a.last, &a.session).cmp(&(b.last, &b.session)));
        pushed_out.extend(sessions.into_iter().map(|summary| SessionSummary { is_partial: true, ..summary }));
        Closed { windows, sessions: pushed_out }
    }

    /// Whether a minute takes nothing more.
    fn is_closed(&self, minute: i64, now: Timestamp) -> bool {
        let end = minute.saturating_add(1).saturating_mul(ms(self.times.window_ms));
        end.saturating_add(ms(self.times.late_ms)) <= now.0
    }
}

fn ms(span: u64) -> i64 {
    i64::try_from(span).unwrap_or(i64::MAX)
}

/// By endpoint's name; a minute is `length` milliseconds.
fn summed(
    minute: i64,
    length: u64,
    windows: FxHashMap<Box<str>, Window>,
    is_partial: bool,
) -> Vec<EndpointWindow> {
    let mut windows: Vec<_> = windows
        .into_iter()
        .map(|(endpoint, window)| EndpointWindow { is_partial, ..window.summed(minute, length, &endpoint) })
        .collect();
    windows.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    windows
}

impl Open {
    fn new(event: EventRef<'_>, now: Timestamp) -> Self {
        let summary = SessionSummary {
            session: event.session().to_owned(),
            sessions: 1,
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

impl SessionSummary {
    /// Takes another one in.
    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        (self.start, self.last) = (self.start.min(other.start), self.last.max(other.last));
        self.events += other.events;
        self.errors += other.errors;
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
    fn summed(&self, minute: i64, length: u64, endpoint: &str) -> EndpointWindow {
        let millis = |us: u64| us as f64 / 1000.0;
        // The histogram knows a value to two digits only, the smallest and the largest exactly.
        let quantile = |q| millis(self.durations.value_at_quantile(q).clamp(self.min, self.max));
        EndpointWindow {
            endpoint: endpoint.to_owned(),
            start: Timestamp(minute.saturating_mul(ms(length))),
            length_ms: length,
            count: self.durations.len(),
            errors: self.errors,
            sum: millis(self.sum),
            min: millis(self.min),
            max: millis(self.max),
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
