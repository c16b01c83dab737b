//! Which requests the latency screen is about, and which they are compared with.
//!
//! Made from the matches at most once a second. Of very many a frame shows what was counted of the newest; those that
//! follow go on from there.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::earlier::Earlier;
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

    /// What follows in `p99 +0.8s from 0.4s in the load before`.
    pub(super) fn spelled(self) -> &'static str {
        match self {
            Self::Previous => " in the load before",
            Self::Mark => " before the mark",
            Self::None => "",
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
    /// What the matches have of those that others are compared with.
    before: Arc<[Arc<EndpointRow>]>,
    way: Gradual<Asked, Pass>,
    earlier: Earlier,
}

/// What the lines are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    window: Window,
    baseline: Baseline,
    pub(super) is_without_failures: bool,
    is_filtered: bool,
    mark: Option<Timestamp>,
}

/// Whether a request is one that others are compared with; `loads_back` is only asked where that counts.
pub(super) fn is_before(asked: Asked, event: EventRef<'_>, loads_back: impl FnOnce() -> Option<u32>) -> bool {
    match asked.baseline {
        Baseline::Previous => loads_back() == Some(1),
        Baseline::Mark => asked.mark.is_some_and(|mark| event.inst() < mark),
        Baseline::None => false,
    }
}

/// How many loads ago one was, by session, tab and number.
#[derive(Debug, Default)]
pub(super) struct Ages(FxHashMap<(Symbol, Symbol, i32), Option<u32>>);

impl Ages {
    /// How many loads ago the load of an event was.
    pub(super) fn loads_back(&mut self, event: EventRef<'_>, loads: &Loads) -> Option<u32> {
        let ask = || loads.loads_back(event.session(), event.tab(), event.load(), event.inst());
        let Some(load) = event.load() else { return ask() };
        let (chunk, row) = (event.chunk(), event.row());
        *self.0.entry((chunk.sessions()[row], chunk.tabs()[row], load)).or_insert_with(ask)
    }
}

impl Compared {
    /// Brings the lines up to date, at most once a second unless something else was asked for.
    pub(super) fn refresh(&mut self, view: &View<'_>) {
        let asked = Asked {
            window: self.window,
            baseline: self.baseline,
            is_without_failures: self.is_without_failures,
            is_filtered: view.is_filtered,
            mark: view.marks.mark,
        };
        if self.earlier.refresh(asked, view) {
            self.compare();
        }
        let begin = || Pass::new(asked, view);
        // Requests leave a minute by themselves.
        let ages = self.window.ms().is_some();
        let Some(mut way) = self.way.due(asked, ages, view, begin) else { return };
        let progress = way.go_on(|pass, ordinal, event, loads| pass.take(event, ordinal, loads));
        // Shown at the beginning and at the end.
        if progress != Progress::GoesOn {
            self.show(&mut way.pass, view);
        }
        self.way.keep(way, progress, view);
    }

    fn show(&mut self, pass: &mut Pass, view: &View<'_>) {
        // Of everything, the tables know what the ring let go of, too.
        let (now, span) = match self.window {
            Window::All if !self.is_without_failures => {
                (Arc::clone(&view.tables.endpoints), view.tables.span.map(|(first, _)| first))
            }
            _ => (pass.now.rows(), pass.first),
        };
        let length = self.window.ms().unwrap_or(i64::MAX);
        let length = span.map_or(0, |first| view.now.since(first)).min(length).max(1_000).unsigned_abs();
        self.before = pass.before.rows();
        self.lines = now
            .iter()
            .map(|row| Line {
                now: Arc::clone(row),
                before: None,
                spark: pass.sparks.get(&*row.name).copied().unwrap_or_default(),
                rate: row.count.saturating_mul(600_000) / length,
            })
            .collect();
        self.compare();
    }

    /// Sets each line beside what came before it.
    fn compare(&mut self) {
        let before = self.earlier.rows().unwrap_or(&self.before);
        let by_name: FxHashMap<&str, &Arc<EndpointRow>> =
            before.iter().map(|row| (&*row.name, row)).collect();
        for line in &mut self.lines {
            line.before = by_name.get(&*line.now.name).map(|row| Arc::clone(row));
        }
    }
}

/// One pass over the matches.
#[derive(Debug)]
struct Pass {
    asked: Asked,
    end: Timestamp,
    ages: Ages,
    now: Endpoints,
    before: Endpoints,
    first: Option<Timestamp>,
    sparks: FxHashMap<Arc<str>, [u64; SPARK]>,
    names: FxHashMap<Symbol, Arc<str>>,
}

/// Counts a request; how long it took counts unless it failed and failures are left out.
pub(super) fn add(endpoints: &mut Endpoints, event: EventRef<'_>, ordinal: u64, is_without_failures: bool) {
    if is_without_failures && event.flags().has(Flags::FAILED) {
        endpoints.count(event);
    } else {
        endpoints.add(event, ordinal);
    }
}

impl Pass {
    fn new(asked: Asked, view: &View<'_>) -> Self {
        Self {
            asked,
            end: view.now,
            ages: Ages::default(),
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
        let Asked { window, baseline, is_without_failures, .. } = self.asked;
        let needs_load = window == Window::Load || baseline == Baseline::Previous;
        let back = if needs_load { self.ages.loads_back(event, loads) } else { None };
        let is_now = match window.ms() {
            Some(length) => age <= length,
            None => window == Window::All || back.is_none_or(|back| back == 0),
        };
        if is_now {
            self.spark(symbol, event, age);
            if window != Window::All || is_without_failures {
                self.first = Some(self.first.map_or(event.inst(), |first| first.min(event.inst())));
                add(&mut self.now, event, ordinal, is_without_failures);
            }
        }
        if is_before(self.asked, event, || back) {
            add(&mut self.before, event, ordinal, is_without_failures);
        }
    }

    fn spark(&mut self, symbol: Symbol, event: EventRef<'_>, age: i64) {
        let length = if self.asked.window == Window::Five { 300_000 } else { 60_000 };
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
