//! The page loads of one session side by side, and the 99th percentile of each session on the screen.
//!
//! Made from the matches at most once a second: a pass over all of them takes milliseconds.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::table::row_of;
use crate::event::{EventRef, Micros, Symbol, Timestamp, json};
use crate::ui::draw;
use crate::ui::format;
use crate::ui::panels::stream::is_error;
use crate::ui::tabs;
use crate::ui::view::View;
use crate::ui::whose;

const REFRESH_MS: i64 = 1_000;
/// Loads that are told apart; the newest of them are shown.
const MAX_LOADS: usize = 16;
/// Columns of the names, of a load, and of the sparkline behind them.
const GUTTER: u16 = 14;
const COLUMN: u16 = 9;
const SPARK: u16 = 18;

/// One page load.
#[derive(Clone, Debug)]
struct Load {
    tab: Arc<str>,
    number: Option<i32>,
    at: Timestamp,
    build: Arc<str>,
    events: u64,
    errors: u64,
    /// Groups of errors that were never met before it.
    new: u64,
    /// Of its requests, until the percentile is worked out.
    durations: Vec<u64>,
    p99: Micros,
    /// Milliseconds.
    lcp: Option<f64>,
}

/// What was made last, and for what.
#[derive(Debug, Default)]
pub(super) struct SessionLoads {
    made: Option<(Arc<str>, u64, bool, Timestamp, u64)>,
    loads: Vec<Load>,
    /// By session: the 99th percentile of its requests.
    p99s: FxHashMap<Arc<str>, Micros>,
    /// The sessions that new groups were met in.
    fresh: FxHashSet<Arc<str>>,
}

impl SessionLoads {
    /// Brings it up to date for the session whose loads are shown and those in sight.
    pub(super) fn refresh(&mut self, session: &Arc<str>, in_sight: &[Arc<str>], view: &View<'_>) {
        let (filter, is_done, at) = (view.matches.id, view.matches.is_done(), view.snapshot.at);
        let end = view.snapshot.end;
        let is_fresh = self.made.as_ref().is_some_and(|(own, id, was_done, made, up_to)| {
            own == session
                && (*id, *was_done) == (filter, is_done)
                && (*up_to == end || (1..REFRESH_MS).contains(&at.since(*made)))
        });
        if is_fresh && in_sight.iter().all(|session| self.p99s.contains_key(session)) {
            return;
        }
        self.made = Some((Arc::clone(session), filter, is_done, at, end));
        let mut spans: FxHashMap<Arc<str>, Vec<u64>> =
            in_sight.iter().map(|session| (Arc::clone(session), Vec::new())).collect();
        self.loads.clear();
        let mut is_own: FxHashMap<Symbol, (bool, bool)> = FxHashMap::default();
        for (_, event) in view.matches.iter() {
            let symbol = event.chunk().sessions()[event.row()];
            let (is_shown, is_seen) = *is_own
                .entry(symbol)
                .or_insert_with(|| (event.session() == &**session, spans.contains_key(event.session())));
            let took = event.duration().filter(|_| !event.endpoint().is_empty());
            if let (true, Some(took)) = (is_seen, took) {
                spans.entry(Arc::from(event.session())).or_default().push(took.0);
            }
            if is_shown {
                self.add(event, took);
            }
        }
        self.p99s = spans.into_iter().map(|(session, spans)| (session, p99(spans))).collect();
        self.loads.sort_by_key(|load| load.at);
        for (tab, number) in view.snapshot.loads.first_met(session) {
            let own = self.loads.iter_mut().rfind(|load| load.number == number && *load.tab == *tab);
            own.into_iter().for_each(|load| load.new += 1);
        }
        self.fresh = view.snapshot.loads.new_in().cloned().collect();
        let breaks = view.snapshot.loads.breaks();
        for load in &mut self.loads {
            load.p99 = p99(std::mem::take(&mut load.durations));
            let is_its = |found: &&Arc<crate::stats::Break>| {
                found.tab == load.tab && *found.session == **session && found.load == load.number
            };
            if let Some(found) = breaks.iter().rfind(is_its).filter(|_| load.number.is_some()) {
                (load.at, load.build) = (found.at, Arc::clone(&found.build));
            }
        }
    }

    fn add(&mut self, event: EventRef<'_>, took: Option<Micros>) {
        let own =
            self.loads.iter_mut().rfind(|load| load.number == event.load() && *load.tab == *event.tab());
        let load = match own {
            Some(load) => load,
            None => {
                if self.loads.len() >= MAX_LOADS {
                    self.loads.remove(0);
                }
                self.loads.push(Load {
                    tab: Arc::from(event.tab()),
                    number: event.load(),
                    at: event.inst(),
                    build: Arc::from(""),
                    events: 0,
                    errors: 0,
                    new: 0,
                    durations: Vec::new(),
                    p99: Micros(0),
                    lcp: None,
                });
                let last = self.loads.len() - 1;
                &mut self.loads[last]
            }
        };
        load.at = load.at.min(event.inst());
        load.events += 1;
        load.errors += u64::from(is_error(event));
        load.durations.extend(took.map(|took| took.0));
        if event.subtype() == "web-vital" && load.lcp.is_none() {
            let text = |key: &str| event.get(&[key]).and_then(json::text);
            let is_lcp = ["vital", "name", "metric-name"]
                .iter()
                .any(|key| text(key).is_some_and(|name| name == "LCP"));
            load.lcp = event.get(&["value"]).and_then(json::number).filter(|_| is_lcp);
        }
    }

    pub(super) fn p99(&self, session: &str) -> Option<Micros> {
        self.p99s.get(session).copied().filter(|span| span.0 > 0)
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

/// What stands in a row for a load, and the number of it that a sparkline shows.
type Value = fn(&Load, &View<'_>) -> (String, Option<u64>);

const ROWS: [(&str, Value); 8] = [
    ("load", |load, view| {
        (tabs::load(&view.snapshot.loads, &load.tab, load.number, view.theme.glyphs), None)
    }),
    ("at", |load, view| {
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
    ("p99 requests", |load, view| took(load.p99, view)),
    ("LCP", |load, view| took(Micros::from_ms(load.lcp.unwrap_or(0.0)).unwrap_or_default(), view)),
];

fn took(span: Micros, view: &View<'_>) -> (String, Option<u64>) {
    match span {
        Micros(0) => (view.theme.glyphs.none.to_owned(), Some(0)),
        span => (format::duration(span, view.theme.glyphs), Some(span.0)),
    }
}

/// The 99th percentile; 0 of nothing.
fn p99(mut spans: Vec<u64>) -> Micros {
    let Some(last) = spans.len().checked_sub(1) else { return Micros(0) };
    let rank = (spans.len() * 99).div_ceil(100).saturating_sub(1).min(last);
    let (_, found, _) = spans.select_nth_unstable(rank);
    Micros(*found)
}
