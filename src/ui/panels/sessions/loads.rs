//! The page loads of one session side by side, and the 99th percentile of each session's requests.
//!
//! Made from the matches at most once a second, of very many over several frames.

use std::cell::OnceCell;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::table::row_of;
use crate::event::{EventRef, Flags, Micros, Symbol, Timestamp, json};
use crate::stats::{Break, BreakKind};
use crate::ui::draw;
use crate::ui::format;
use crate::ui::gradual::{Gradual, Progress};
use crate::ui::panels::stream::is_error;
use crate::ui::tabs;
use crate::ui::view::View;
use crate::ui::whose;

/// Loads that are told apart: the newest so many.
const MAX_LOADS: usize = 16;
/// Requests that a percentile is made of: the newest so many.
const MAX_SPANS: usize = 16_384;
/// Columns of the names, of a load, and of the sparkline behind them.
const GUTTER: u16 = 14;
const COLUMN: u16 = 9;
const SPARK: u16 = 18;

/// One page load.
#[derive(Clone, Debug)]
struct Load {
    tab: Arc<str>,
    number: Option<i32>,
    /// When it began, or of which time its first event is.
    at: Timestamp,
    /// Whether it is numbered and nothing told when it began.
    is_undated: bool,
    build: Arc<str>,
    events: u64,
    errors: u64,
    /// Groups of errors that were never met before it.
    new: u64,
    spans: Spans,
    /// Milliseconds.
    lcp: Option<f64>,
}

/// How long requests took, in microseconds.
#[derive(Clone, Debug, Default)]
struct Spans {
    all: Vec<u64>,
    p99: OnceCell<Micros>,
}

impl Spans {
    fn add(&mut self, took: Micros) {
        if self.all.len() < MAX_SPANS {
            self.all.push(took.0);
            self.p99.take();
        }
    }

    /// The 99th percentile; 0 of nothing.
    fn p99(&self) -> Micros {
        *self.p99.get_or_init(|| {
            let mut spans = self.all.clone();
            let Some(last) = spans.len().checked_sub(1) else { return Micros(0) };
            let rank = (spans.len() * 99).div_ceil(100).saturating_sub(1).min(last);
            let (_, found, _) = spans.select_nth_unstable(rank);
            Micros(*found)
        })
    }
}

/// What was made last, and what is being made for the session whose loads are shown.
#[derive(Debug, Default)]
pub(super) struct SessionLoads {
    loads: Vec<Load>,
    spans: FxHashMap<Arc<str>, Spans>,
    /// The sessions that new groups were met in.
    fresh: FxHashSet<Arc<str>>,
    way: Gradual<Arc<str>, Pass>,
}

/// One pass over the matches, newest first.
#[derive(Debug)]
struct Pass {
    session: Arc<str>,
    /// The sessions of the table that were not met yet.
    listed: FxHashSet<Arc<str>>,
    spans: FxHashMap<Symbol, Met>,
    loads: Vec<Load>,
}

/// A session that was met.
#[derive(Debug)]
struct Met {
    /// Without one it is in no row of the table.
    name: Option<Arc<str>>,
    is_shown: bool,
    spans: Spans,
}

impl SessionLoads {
    /// Brings it up to date for the session whose loads are shown.
    pub(super) fn refresh(&mut self, session: &Arc<str>, view: &View<'_>) {
        let begin = || Pass {
            session: Arc::clone(session),
            listed: view.tables.sessions.iter().map(|row| Arc::clone(&row.session)).collect(),
            spans: FxHashMap::default(),
            loads: Vec::new(),
        };
        let Some(mut way) = self.way.due(Arc::clone(session), false, view, begin) else { return };
        let progress = way.go_on(|pass, _, event, _| pass.take(event));
        if progress != Progress::GoesOn {
            self.spans = way.pass.named(progress == Progress::Through);
            self.show(&way.pass, view);
        }
        self.way.keep(way, progress, view);
    }

    fn show(&mut self, pass: &Pass, view: &View<'_>) {
        self.fresh = view.snapshot.loads.new_in().cloned().collect();
        self.loads.clone_from(&pass.loads);
        self.loads.sort_by_key(|load| load.at);
        for (tab, number) in view.snapshot.loads.first_met(&pass.session) {
            let own = self.loads.iter_mut().rfind(|load| load.number == number && *load.tab == *tab);
            own.into_iter().for_each(|load| load.new += 1);
        }
        let breaks = view.snapshot.loads.breaks();
        for load in self.loads.iter_mut().filter(|load| load.number.is_some()) {
            let is_its = |found: &&Arc<Break>| {
                found.kind != BreakKind::HotUpdate
                    && found.tab == load.tab
                    && *found.session == *pass.session
                    && found.load == load.number
            };
            let begins = breaks.iter().rfind(is_its);
            load.is_undated = begins.is_none();
            if let Some(found) = begins {
                (load.at, load.build) = (found.at, Arc::clone(&found.build));
            }
        }
    }

    pub(super) fn p99(&self, session: &str) -> Option<Micros> {
        self.spans.get(session).map(Spans::p99).filter(|span| span.0 > 0)
    }

    /// Whether a group was met in this session that is new in its newest load.
    pub(super) fn has_new(&self, session: &str) -> bool {
        self.fresh.contains(session)
    }

    /// The rows that the table of loads has, its rule and a blank one included.
    pub(super) fn height(&self) -> u16 {
        let rows = u16::try_from(ROWS.len()).unwrap_or(u16::MAX);
        if self.loads.is_empty() { 0 } else { rows.saturating_add(2) }
    }

    /// Draws the newest loads side by side, each a column.
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer, session: &str, view: &View<'_>) {
        let theme = view.theme;
        let count = self.loads.len();
        let loads = format::counted(count as u64, "page load");
        let title = if session.is_empty() { "events without a session id" } else { session };
        let latest = view.tables.sessions.iter().find(|row| *row.session == *session);
        let latest = latest.and_then(|row| view.snapshot.event(row.last_ordinal));
        let browser = whose::browser(session, latest, view).unwrap_or_default();
        let page = latest.map(whose::page).unwrap_or_default();
        let parts = [title, &browser, &page, &loads].map(|part| theme.gate.plain_capped(part, 40));
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let title = parts.join("   ");
        draw::rule(buf, area, &title, "each column is one load", theme.rule, theme.glyphs);
        let room = area.width.saturating_sub(GUTTER + SPARK) / COLUMN;
        let shown = &self.loads[count - count.min(usize::from(room.max(1)))..];
        for (y, (name, value)) in (1..area.height).zip(ROWS) {
            let row = row_of(area, y);
            let style = if y == 1 { theme.title } else { theme.text };
            draw::text(buf, row, row.x.saturating_add(2), row.y, name, theme.dim);
            let mut x = row.x.saturating_add(GUTTER);
            let mut numbers = Vec::new();
            for load in shown {
                let (text, number) = value(load, view);
                let text = format::right(&text, usize::from(COLUMN) - 1, theme.gate);
                draw::text(buf, row, x, row.y, &text, style);
                x = x.saturating_add(COLUMN);
                numbers.extend(number);
            }
            if numbers.len() > 1 && numbers.iter().any(|number| *number > 0) {
                let spark = format::sparkline(&numbers, theme.glyphs);
                draw::text(buf, row, x.saturating_add(1), row.y, &spark, theme.accent);
            }
        }
    }
}

impl Pass {
    /// How long the requests of the sessions in the table took. At the end they are handed over: of very many a copy would
    /// hold the frame up.
    fn named(&mut self, is_through: bool) -> FxHashMap<Arc<str>, Spans> {
        let name = |met: &Met| met.name.clone();
        if is_through {
            let all = std::mem::take(&mut self.spans).into_values();
            return all.filter_map(|met| Some((name(&met)?, met.spans))).collect();
        }
        self.spans.values().filter_map(|met| Some((name(met)?, met.spans.clone()))).collect()
    }

    fn take(&mut self, event: EventRef<'_>) {
        let symbol = event.chunk().sessions()[event.row()];
        let met = self.spans.entry(symbol).or_insert_with(|| Met {
            name: self.listed.take(event.session()),
            is_shown: event.session() == &*self.session,
            spans: Spans::default(),
        });
        let took = event.duration().filter(|_| !event.endpoint().is_empty());
        if met.name.is_some() {
            took.into_iter().for_each(|took| met.spans.add(took));
        }
        // What taillight says of a session is of none of its loads.
        if met.is_shown && !event.flags().has(Flags::OWN) {
            self.add(event, took);
        }
    }

    /// Counts an event of the session that is shown in its load.
    fn add(&mut self, event: EventRef<'_>, took: Option<Micros>) {
        let is_its = |load: &Load| load.number == event.load() && *load.tab == *event.tab();
        let at = match self.loads.iter().position(is_its) {
            Some(at) => at,
            // Those before are older.
            None if self.loads.len() >= MAX_LOADS => return,
            None => {
                self.loads.push(Load {
                    tab: Arc::from(event.tab()),
                    number: event.load(),
                    at: event.inst(),
                    is_undated: false,
                    build: Arc::from(""),
                    events: 0,
                    errors: 0,
                    new: 0,
                    spans: Spans::default(),
                    lcp: None,
                });
                self.loads.len() - 1
            }
        };
        let load = &mut self.loads[at];
        load.at = load.at.min(event.inst());
        load.events += 1;
        load.errors += u64::from(is_error(event));
        took.into_iter().for_each(|took| load.spans.add(took));
        // The last one said is the final one.
        if event.subtype() == "web-vital" && load.lcp.is_none() {
            let text = |key: &str| event.get(&[key]).and_then(json::text);
            let is_lcp = ["vital", "name", "metric-name"]
                .iter()
                .any(|key| text(key).is_some_and(|name| name == "LCP"));
            load.lcp = event.get(&["value"]).and_then(json::number).filter(|_| is_lcp);
        }
    }
}

/// What stands in a row for a load, and the number of it that a sparkline shows.
type Value = fn(&Load, &View<'_>) -> (String, Option<u64>);

const ROWS: [(&str, Value); 8] = [
    ("load", |load, view| {
        (tabs::load(&view.snapshot.loads, &load.tab, load.number, view.theme.glyphs), None)
    }),
    ("at", |load, view| {
        if load.is_undated {
            return (view.theme.glyphs.none.to_owned(), None);
        }
        let at = load.at.to_jiff().to_zoned_datetime(view.zone.clone());
        (at.strftime("%H:%M:%S").to_string(), None)
    }),
    ("build", |load, view| match &*load.build {
        "" => (view.theme.glyphs.none.to_owned(), None),
        build => (view.theme.gate.plain_capped(build, 8), None),
    }),
    ("events", |load, _| (format::count_short(load.events), None)),
    ("errors", |load, _| (format::count_short(load.errors), Some(load.errors))),
    ("new groups", |load, _| (format::count_short(load.new), Some(load.new))),
    ("p99 requests", |load, view| took(load.spans.p99(), view)),
    ("LCP", |load, view| took(Micros::from_ms(load.lcp.unwrap_or(0.0)).unwrap_or_default(), view)),
];

fn took(span: Micros, view: &View<'_>) -> (String, Option<u64>) {
    match span {
        Micros(0) => (view.theme.glyphs.none.to_owned(), Some(0)),
        span => (format::duration(span, view.theme.glyphs), Some(span.0)),
    }
}
