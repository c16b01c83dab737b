//! How long requests took, one row for each endpoint, with the curve, the spread and the slowest of the one selected.
//!
//! Shown by the app as screen 3. Enter goes from the table into the list of slowest requests and from there to the
//! session at that moment; Back returns.

mod curve;
mod detail;
mod earlier;
mod phases;
mod window;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::table::{
    Align, Cell, Column, List, Place, WIDE, below, cell, height_above, plain, row_of, sorted, term,
};
use super::{Panel, table, timeline};
use crate::config::{Baseline, Settings, Window};
use crate::event::EventRef;
use crate::stats::EndpointRow;
use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::view::{Request, View};
use window::{Compared, Line};

const ROUTE: usize = 1;
const COUNT: usize = 2;
const RATE: usize = 3;
const ERRORS: usize = 4;
const P50: usize = 5;
const P90: usize = 6;
const P99: usize = 7;
const P999: usize = 8;
const CHANGE: usize = 10;
/// The title of the change of the 99th percentile, and its name in the settings, which any keyboard can type.
const CHANGED: (&str, &str) = ("Δp99", "change");

const COLUMNS: [Column; 12] = [
    plain("method", Align::Left, (6, 6), 0),
    sorted("route", Align::Rest, (0, 0), 0),
    sorted("count", Align::Right, (6, 6), 0),
    sorted("/min", Align::Right, (5, 6), 110),
    sorted("err%", Align::Right, (4, 4), 50),
    sorted("p50", Align::Right, (5, 6), 60),
    sorted("p90", Align::Right, (5, 6), 90),
    sorted("p99", Align::Right, (6, 6), 0),
    sorted("p99.9", Align::Right, (6, 6), 110),
    sorted("max", Align::Right, (5, 6), 70),
    sorted(CHANGED.0, Align::Right, (6, 6), 64),
    plain("last 60s", Align::Left, (8, 8), 100),
];

/// What stands beside another screen.
const SIDE: [Column; 7] = [
    plain("", Align::Left, (6, 6), 0),
    plain("", Align::Rest, (0, 0), 0),
    plain("", Align::Right, (5, 5), 0),
    plain("", Align::Right, (6, 6), 0),
    plain("", Align::Right, (6, 6), 0),
    plain("", Align::Right, (6, 6), 0),
    plain("", Align::Left, (8, 8), 0),
];

/// A percentile of fewer says little (UX M5).
const MIN_FOR_P99: u64 = 100;
const MIN_FOR_P999: u64 = 1_000;
/// From this width on there is room for the baseline beside the window.
const NAMED: u16 = 70;
/// The height from which a table has a row to say so.
const LEGEND_FROM: u16 = 5;
const LEGEND: &str =
    "~ p99 of fewer than 100 and p99.9 of fewer than 1,000 requests: little more than the slowest of them";
/// The height from which the table and its endpoint's detail stand together.
const BOTH_FROM: u16 = 14;
/// What stands for the endpoints that did not fit; no event carries it.
const OTHER: &str = "(other)";

/// The latency screen.
#[derive(Debug)]
pub(in crate::ui) struct Latency {
    list: List<Arc<str>>,
    compared: Compared,
    /// The place among the slowest requests, by ordinal, while the keys go there.
    slowest: Option<Cursor<u64>>,
    known: detail::Known,
}

impl Default for Latency {
    fn default() -> Self {
        let (compared, known) = (Compared::default(), detail::Known::default());
        Self { list: List::new(&COLUMNS, P99), compared, slowest: None, known }
    }
}

impl Panel for Latency {
    fn arrive(&mut self) {
        self.list.reorder();
    }

    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        self.compared.refresh(view);
        let (_, keys) = self.arrange();
        let current = self.current(&keys).cloned();
        if current.is_none() {
            self.slowest = None;
        }
        match action {
            Action::Times => {
                self.compared.window = self.compared.window.next();
                return Request::Done;
            }
            Action::Baseline => {
                self.compared.baseline = self.compared.baseline.next();
                let has_none = self.compared.baseline == Baseline::Mark && view.marks.mark.is_none();
                return if has_none { Request::Said("no mark yet: c sets one") } else { Request::Done };
            }
            Action::Timeline => {
                let chosen = self.slowest.as_ref().and_then(Cursor::selected).copied();
                let slowest = || Some(detail::kept(&current.as_ref()?.now, view).first()?.0.ordinal);
                let ordinal = chosen.or_else(slowest);
                return ordinal.map_or(Request::Ignored, |ordinal| timeline::request(ordinal, view));
            }
            _ => {}
        }
        if let (Some(_), Some(line)) = (&self.slowest, &current) {
            return self.on_slowest(action, &line.now, view);
        }
        if let Action::Open | Action::NextPane | Action::PreviousPane = action {
            let Some(line) = current else { return Request::Ignored };
            let mut cursor = Cursor::default();
            let first = detail::kept(&line.now, view).first().map(|(slow, _)| slow.ordinal);
            first.into_iter().for_each(|ordinal| cursor.select(ordinal));
            self.list.select(Arc::clone(&line.now.name));
            self.slowest = Some(cursor);
            return Request::Done;
        }
        if self.list.on_action(action, &keys) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        self.compared.refresh(view);
        let (places, keys) = self.arrange();
        let current = self.current(&keys).cloned();
        let table_rows = match (area.height >= BOTH_FROM, &self.slowest) {
            (true, _) => height_above(area, keys.len()),
            (false, Some(_)) => 0,
            (false, None) => area.height,
        };
        let lines = &self.compared.lines;
        let has_few = lines.iter().any(|line| is_few(&line.now, MIN_FOR_P99));
        let legend_rows = u16::from(has_few && table_rows >= LEGEND_FROM);
        let table = Rect { height: table_rows - legend_rows, ..area };
        if legend_rows > 0 {
            let row = row_of(area, table.height);
            let line = view.theme.gate.line(LEGEND, usize::from(area.width.saturating_sub(4)));
            draw::line(buf, row, row.x.saturating_add(2), row.y, &line, view.theme.dim);
        }
        let note = self.note(area.width, view);
        self.list.render((table, &mut *buf), view.theme, (&places, &keys), &note, |index| {
            cells(&lines[index], view)
        });
        match current {
            Some(line) => {
                let against = (self.compared.window, self.compared.baseline);
                let panes = (&mut self.slowest, &mut self.known);
                detail::render((below(area, table_rows), buf), &line, against, panes, view);
            }
            None => {
                let text = match (self.compared.window, view.is_filtered) {
                    (Window::All, true) => view.no_match("requests"),
                    (Window::All, false) => "no requests so far".to_owned(),
                    (_, true) if view.is_typing => "no requests match in this window".to_owned(),
                    (_, true) => "none match in this window: t another, f all".to_owned(),
                    (_, false) => "none in this window: t shows another".to_owned(),
                };
                draw::text(buf, table, area.x.saturating_add(2), row_of(table, 2).y, &text, view.theme.dim);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.slowest.is_some() {
            &[
                ("↵", "its session at that moment"),
                ("Tab", "table"),
                ("t", "window"),
                ("b", "baseline"),
                ("Esc", "back"),
            ]
        } else {
            &[
                ("↵", "slowest requests"),
                ("t", "window"),
                ("b", "baseline"),
                ("T", "timeline"),
                ("+ -", "by endpoint"),
                ("< >", "sort"),
                ("i", "turn round"),
            ]
        }
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        let is_listed = |name: &Arc<str>| view.tables.endpoints.iter().any(|row| row.name == *name);
        let selected = self.list.selected().filter(|name| &***name != OTHER && is_listed(name));
        selected.map(|name| term("endpoint", name))
    }

    fn event<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let (_, keys) = self.arrange();
        let chosen = self.slowest.as_ref().and_then(Cursor::selected).copied();
        let slowest = || Some(detail::kept(&self.current(&keys)?.now, view).first()?.0.ordinal);
        view.snapshot.event(chosen.or_else(slowest)?)
    }

    fn on_click(&mut self, at: Position) -> bool {
        self.list.click(at)
    }
}

impl Latency {
    /// Takes over what is set, as far as it is another than `before`.
    pub(in crate::ui) fn obey(&mut self, before: Option<&Settings>, now: &Settings) {
        if before.is_none_or(|before| before.window != now.window) {
            self.compared.window = now.window;
        }
        if before.is_none_or(|before| before.baseline != now.baseline) {
            self.compared.baseline = now.baseline;
        }
        self.compared.is_without_failures = !now.has_failures;
        let is_fixed = |title: &str| ["method", "route"].contains(&title);
        self.list.show(|title| {
            let named = if title == CHANGED.0 { CHANGED.1 } else { title };
            is_fixed(title) || now.latency_columns.iter().any(|name| name == named)
        });
    }

    /// Draws the slowest endpoints of the window in a few rows beside another screen.
    pub(in crate::ui) fn render_side(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        self.compared.refresh(view);
        let theme = view.theme;
        let dot = theme.glyphs.dot;
        let title = format!("slowest endpoints, {} {dot} 3 shows all", self.compared.window.name());
        draw::rule(buf, area, &title, "", theme.rule, theme.glyphs);
        let mut lines: Vec<&Line> = self.compared.lines.iter().collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.now.latency.p99));
        let body = below(area, 1);
        let placed = table::place(&SIDE, body);
        for (y, line) in (0..body.height).zip(lines) {
            let mut all = cells(line, view);
            let keep = [0, ROUTE, COUNT, P50, P99, CHANGE, 11];
            let mut at = 0;
            all.retain(|_| {
                at += 1;
                keep.contains(&(at - 1))
            });
            table::draw_row((row_of(body, y), &mut *buf), theme, &placed, &all, [false; 2]);
        }
        if self.compared.lines.is_empty() {
            draw::text(buf, body, body.x.saturating_add(2), body.y, "none", theme.dim);
        }
    }

    fn arrange(&mut self) -> (Vec<Place>, Vec<Arc<str>>) {
        let rows = &self.compared.lines;
        let places = self.list.arrange(
            rows,
            |line| Arc::clone(&line.now.name),
            |column, a, b| {
                let change = b.change().cmp(&a.change());
                let rate = b.rate.cmp(&a.rate);
                let (a, b) = (&a.now, &b.now);
                match column {
                    ROUTE => split(&a.name).1.cmp(split(&b.name).1),
                    COUNT => b.count.cmp(&a.count),
                    RATE => rate,
                    // Shares compared as whole numbers: a/b > c/d where a·d > c·b.
                    ERRORS => (u128::from(b.errors) * u128::from(a.count))
                        .cmp(&(u128::from(a.errors) * u128::from(b.count))),
                    P50 => b.latency.p50.cmp(&a.latency.p50),
                    P90 => b.latency.p90.cmp(&a.latency.p90),
                    P99 => b.latency.p99.cmp(&a.latency.p99),
                    P999 => b.latency.p999.cmp(&a.latency.p999),
                    CHANGE => change,
                    _ => b.latency.max.cmp(&a.latency.max),
                }
            },
        );
        let keys = places.iter().map(|place| Arc::clone(&rows[place.index].now.name)).collect();
        (places, keys)
    }

    /// The selected endpoint while it is listed, else the first.
    fn current(&self, keys: &[Arc<str>]) -> Option<&Line> {
        let selected = self.list.selected().filter(|name| keys.contains(name));
        let name = selected.or(keys.first())?;
        self.compared.lines.iter().find(|line| line.now.name == *name)
    }

    /// A key among the slowest requests.
    fn on_slowest(&mut self, action: Action, endpoint: &EndpointRow, view: &View<'_>) -> Request {
        let Some(cursor) = &mut self.slowest else { return Request::Ignored };
        let kept: Vec<u64> = detail::kept(endpoint, view).iter().map(|(slow, _)| slow.ordinal).collect();
        let step = match action {
            Action::Back | Action::NextPane | Action::PreviousPane => {
                self.slowest = None;
                return Request::Done;
            }
            Action::Open => {
                let ordinal = cursor.selected().copied().filter(|ordinal| kept.contains(ordinal));
                return ordinal.map_or(Request::Done, |ordinal| timeline::request(ordinal, view));
            }
            Action::Down => 1,
            Action::Up => -1,
            Action::PageDown | Action::Bottom => isize::MAX,
            Action::PageUp | Action::Top => isize::MIN,
            _ => return Request::Ignored,
        };
        cursor.step(&kept, step);
        Request::Done
    }

    /// The window and the baseline with their keys, and how many endpoints there are.
    fn note(&self, width: u16, view: &View<'_>) -> String {
        let dot = view.theme.glyphs.dot;
        let (window, baseline) = (self.compared.window.name(), self.compared.baseline.name());
        let endpoints = counted(self.compared.lines.len() as u64, "endpoint");
        match width {
            WIDE.. => {}
            NAMED.. => return format!("t: {window} {dot} b: {baseline} {dot} {endpoints}"),
            _ => return format!("t: {window} {dot} {endpoints}"),
        }
        format!("t window: {window} {dot} b baseline: {baseline} {dot} {endpoints}")
    }
}

/// Whether there is a percentile that says little.
fn is_few(row: &EndpointRow, needed: u64) -> bool {
    (1..needed).contains(&row.latency.count)
}

/// Method and route of an endpoint's name.
fn split(name: &str) -> (&str, &str) {
    name.split_once(' ').unwrap_or(("", name))
}

fn cells<'a>(line: &'a Line, view: &View<'_>) -> Vec<Cell<'a>> {
    let (theme, row) = (view.theme, &*line.now);
    let shown = row.shown();
    let (method, route) = split(&shown);
    let latency = &row.latency;
    let took = |span, needed| {
        if latency.count == 0 {
            return cell(theme.glyphs.none, theme.dim);
        }
        let text = format::duration(span, theme.glyphs);
        // Grey is not seen on every terminal, so there is a sign beside it.
        if is_few(row, needed) { cell(format!("~{text}"), theme.dim) } else { cell(text, theme.text) }
    };
    let rate = match line.rate {
        100.. => format::count_short(line.rate / 10),
        tenths => format!("{}.{}", tenths / 10, tenths % 10),
    };
    let spark = match line.spark.iter().any(|slot| *slot > 0) {
        true => format::sparkline(&line.spark, theme.glyphs),
        false => String::new(),
    };
    vec![
        cell(method.to_owned(), theme.text),
        cell(route.to_owned(), theme.text),
        cell(format::count_short(row.count), theme.text),
        cell(rate, theme.text),
        cell(format::percent(row.errors, row.count), if row.errors > 0 { theme.error } else { theme.dim }),
        took(latency.p50, 0),
        took(latency.p90, 0),
        took(latency.p99, MIN_FOR_P99),
        took(latency.p999, MIN_FOR_P999),
        took(latency.max, 0),
        change(line, view),
        cell(spark, theme.accent),
    ]
}

/// How the 99th percentile has changed; `new` for what was not there before.
fn change<'a>(line: &Line, view: &View<'_>) -> Cell<'a> {
    let theme = view.theme;
    match line.p99s() {
        Some((before, now)) => {
            let text = format::change(before, now, theme.glyphs);
            let style = match (text.starts_with('+'), text.starts_with('-')) {
                (true, _) => theme.worse,
                (_, true) => theme.good,
                _ => theme.dim,
            };
            cell(text, style)
        }
        None => cell(theme.glyphs.none, theme.dim),
    }
}
