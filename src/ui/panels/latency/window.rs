//! Which requests the latency screen is about, and which they are compared with.
//!
//! Made from the matches at most once a second. Of very many a frame shows what was counted of the newest; those that
//! follow go on from there.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::config::{Baseline, Window};
use crate::event::{EventRef, Flags, Micros, Symbol, Timestamp};
use crate::stats::{EndpointRow, Endpoints, Loads};
use crate::ui::gradual::{Gradual, Progress};
use crate::ui::view::View;

/// Columns of the sparkline.
pub(super) const SPARK: usize = 8;
/// Endpoints that get one: as many as are told apart.
const MAX_SPARKS: usize = 1_000;
/// Both sides of a comparison have at least so many requests (UX: latency).
const MIN_TO_COMPARE: u64 = 5;
/// What was made is made anew after so many milliseconds.
const REFRESH_MS: i64 = 1_000;

impl Window {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Load => Self::Minute,
            Self::Minute => Self::Five,
            Self::Five => Self::All,
            Self::All => Self::Load,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Load => "this load",
            Self::Minute => "1 m",
            Self::Five => "5 m",
            Self::All => "all",
        }
    }

    fn ms(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60_000),
            Self::Five => Some(300_000),
            Self::Load | Self::All => None,
        }
    }
}

impl Baseline {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Previous => Self::Mark,
            Self::Mark => Self::None,
            Self::None => Self::Previous,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Previous => "load before",
            Self::Mark => "before the mark",
            Self::None => "none",
        }
    }
}

/// An endpoint in the window and before.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) now: Arc<EndpointRow>,
    pub(super) before: Option<Arc<EndpointRow>>,
    /// The longest duration in each part of the last minute, or of the last five, in microseconds.
    pub(super) spark: [u64; SPARK],
    /// Tenths of requests a minute.
    pub(super) rate: u64,
}

impl Line {
    /// The 99th percentiles before and now, where both are of enough requests.
    pub(super) fn p99s(&self) -> Option<(Micros, Micros)> {
        let (now, before) = (self.now.latency, self.before.as_ref()?.latency);
        (now.count.min(before.count) >= MIN_TO_COMPARE).then_some((before.p99, now.p99))
    }

    /// How much longer the 99th percentile has become, in microseconds.
    pub(super) fn change(&self) -> Option<i64> {
        let (before, now) = self.p99s()?;
        Some(now.0.cast_signed().saturating_sub(before.0.cast_signed()))
    }
}

/// What the screen shows.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) window: Window,
    pub(super) baseline: Baseline,
    /// Failed requests are left out of percentiles.
    pub(super) is_without_failures: bool,
    pub(super) lines: Vec<Line>,
    /// Whether there is anything to compare with.
    pub(super) has_before: bool,
    made: Option<Made>,
    reading: Option<Reading>,
}

/// A pass that goes on.
#[derive(Debug)]
struct Reading {
    way: Gradual,
    pass: Pass,
}

/// For what, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    window: Window,
    baseline: Baseline,
    is_without_failures: bool,
    filter: u64,
    is_done: bool,
    is_filtered: bool,
    mark: Option<Timestamp>,
    /// When the snapshot was taken, and up to which event.
    at: Timestamp,
    end: u64,
}

impl Compared {
    /// Brings the lines up to date, at most once a second unless something else was asked for.
    pub(super) fn refresh(&mut self, view: &View<'_>) {
        let wanted = Made {
            window: self.window,
            baseline: self.baseline,
            is_without_failures: self.is_without_failures,
            filter: view.matches.id,
            is_done: view.matches.is_done(),
            is_filtered: view.is_filtered,
            mark: view.mark,
            at: view.snapshot.at,
            end: view.snapshot.end,
        };
        if let Some(made) = self.made {
            let age = wanted.at.since(made.at);
            let is_asked = Made { at: wanted.at, end: wanted.end, ..made } == wanted;
            // Requests leave a minute by themselves.
            let is_still = made.end == wanted.end && (self.window.ms().is_none() || age == 0);
            if is_asked && self.reading.is_some() {
                return self.go_on(view);
            }
            if is_asked && (is_still || (1..REFRESH_MS).contains(&age)) {
                return;
            }
        }
        self.made = Some(wanted);
        let pass = Pass::new((self.window, self.baseline), self.is_without_failures, view);
        self.reading = Some(Reading { way: Gradual::new(view.matches), pass });
        self.go_on(view);
    }

    /// Counts on, and shows what there is at the beginning and at the end.
    fn go_on(&mut self, view: &View<'_>) {
        let Some(mut reading) = self.reading.take() else { return };
        let Reading { way, pass } = &mut reading;
        let loads = Arc::clone(&way.matches().snapshot);
        let progress = way.go_on(|ordinal, event| pass.take(event, ordinal, &loads.loads));
        if progress != Progress::GoesOn {
            self.show(pass, view);
        }
        if progress == Progress::Through {
            // The next one a second after this one is done, however long it took.
            self.made = self.made.map(|made| Made { at: view.snapshot.at, ..made });
        } else {
            view.unfinished.set(true);
            self.reading = Some(reading);
        }
    }

    fn show(&mut self, pass: &mut Pass, view: &View<'_>) {
        let before = pass.before.rows();
        let earlier: FxHashMap<&str, &Arc<EndpointRow>> =
            before.iter().map(|row| (&*row.name, row)).collect();
        // Of everything, the tables know what the ring let go of, too.
        let (now, span) = match self.window {
            Window::All if !self.is_without_failures => {
                (Arc::clone(&view.tables.endpoints), view.tables.span.map(|(first, _)| first))
            }
            _ => (pass.now.rows(), pass.first),
        };
        let length = self.window.ms().unwrap_or(i64::MAX);
        let length = span.map_or(0, |first| view.now.since(first)).min(length).max(1_000).unsigned_abs();
        self.has_before = !before.is_empty();
        self.lines = now
            .iter()
            .map(|row| Line {
                now: Arc::clone(row),
                before: earlier.get(&*row.name).map(|row| Arc::clone(row)),
                spark: pass.sparks.get(&*row.name).copied().unwrap_or_default(),
                rate: row.count.saturating_mul(600_000) / length,
            })
            .collect();
    }
}

/// One pass over the matches.
#[derive(Debug)]
struct Pass {
    window: Window,
    baseline: Baseline,
    is_without_failures: bool,
    mark: Option<Timestamp>,
    end: Timestamp,
    /// How many loads ago one was, by session, tab and number.
    back: FxHashMap<(Symbol, Symbol, i32), Option<u32>>,
    now: Endpoints,
    before: Endpoints,
    first: Option<Timestamp>,
    sparks: FxHashMap<Arc<str>, [u64; SPARK]>,
    names: FxHashMap<Symbol, Arc<str>>,
}

/// Counts a request; how long it took counts unless it failed and failures are left out.
fn add(endpoints: &mut Endpoints, event: EventRef<'_>, ordinal: u64, is_without_failures: bool) {
    if is_without_failures && event.flags().has(Flags::FAILED) {
        endpoints.count(event);
    } else {
        endpoints.add(event, ordinal);
    }
}

impl Pass {
    fn new((window, baseline): (Window, Baseline), is_without_failures: bool, view: &View<'_>) -> Self {
        Self {
            window,
            baseline,
            is_without_failures,
            mark: view.mark,
            end: view.now,
            back: FxHashMap::default(),
            now: Endpoints::default(),
            before: Endpoints::default(),
            first: None,
            sparks: FxHashMap::default(),
            names: FxHashMap::default(),
        }
    }

    /// Counts an event if it is a request.
    fn take(&mut self, event: EventRef<'_>, ordinal: u64, loads: &Loads) {
        let symbol = event.chunk().endpoints()[event.row()];
        if symbol.is_none() {
            return;
        }
        let age = self.end.since(event.inst());
        let needs_load = self.window == Window::Load || self.baseline == Baseline::Previous;
        let back = if needs_load { self.back(event, loads) } else { None };
        let is_now = match self.window.ms() {
            Some(length) => age <= length,
            None => self.window == Window::All || back.is_none_or(|back| back == 0),
        };
        let is_before = match self.baseline {
            Baseline::Previous => back == Some(1),
            Baseline::Mark => self.mark.is_some_and(|mark| event.inst() < mark),
            Baseline::None => false,
        };
        if is_now {
            self.spark(symbol, event, age);
            if self.window != Window::All || self.is_without_failures {
                self.first = Some(self.first.map_or(event.inst(), |first| first.min(event.inst())));
                add(&mut self.now, event, ordinal, self.is_without_failures);
            }
        }
        if is_before {
            add(&mut self.before, event, ordinal, self.is_without_failures);
        }
    }

    fn back(&mut self, event: EventRef<'_>, loads: &Loads) -> Option<u32> {
        let ask = || loads.loads_back(event.session(), event.tab(), event.load(), event.inst());
        let Some(load) = event.load() else { return ask() };
        let (chunk, row) = (event.chunk(), event.row());
        *self.back.entry((chunk.sessions()[row], chunk.tabs()[row], load)).or_insert_with(ask)
    }

    fn spark(&mut self, symbol: Symbol, event: EventRef<'_>, age: i64) {
        let length = if self.window == Window::Five { 300_000 } else { 60_000 };
        let (Some(took), true) = (event.duration(), age < length) else { return };
        if self.names.len() >= MAX_SPARKS && !self.names.contains_key(&symbol) {
            return;
        }
        let name = self.names.entry(symbol).or_insert_with(|| Arc::from(event.endpoint()));
        let slots = self.sparks.entry(Arc::clone(name)).or_default();
        let slot =
            SPARK - 1 - usize::try_from(age.max(0) * SPARK as i64 / length).unwrap_or(0).min(SPARK - 1);
        slots[slot] = slots[slot].max(took.0);
    }
}
