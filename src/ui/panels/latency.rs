//! How long requests took, one row for each endpoint, with the spread and the slowest of the one selected.
//!
//! Shown by the app as screen 3. Enter goes from the table into the list of slowest requests, Back returns.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::spread::{self, Bar};
use super::table::{
    Align, Cell, Column, List, Place, below, cell, clock, draw_row, height_above, or_none, place, plain,
    row_of, sorted, term,
};
use super::{Panel, timeline};
use crate::event::EventRef;
use crate::stats::{EndpointRow, Slow};
use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::view::{Request, View};

const ROUTE: usize = 1;
const COUNT: usize = 2;
const ERRORS: usize = 3;
const P50: usize = 4;
const P90: usize = 5;
const P99: usize = 6;

const COLUMNS: [Column; 8] = [
    plain("method", Align::Left, (6, 6), 0),
    sorted("route", Align::Rest, (0, 0), 0),
    sorted("count", Align::Right, (6, 7), 0),
    sorted("err%", Align::Right, (4, 5), 50),
    sorted("p50", Align::Right, (5, 7), 60),
    sorted("p90", Align::Right, (5, 7), 70),
    sorted("p99", Align::Right, (6, 7), 0),
    sorted("max", Align::Right, (5, 7), 60),
];

const SLOWEST: [Column; 5] = [
    plain("at", Align::Left, (12, 12), 0),
    plain("took", Align::Right, (8, 8), 0),
    plain("code", Align::Left, (4, 4), 50),
    plain("session", Align::Left, (10, 20), 60),
    plain("message", Align::Rest, (0, 0), 0),
];

/// A 99th percentile of fewer says little (UX M5).
const MIN_FOR_P99: u64 = 100;
/// The height from which a table has a row to say so.
const LEGEND_FROM: u16 = 5;
const LEGEND: &str = "~ p99 of fewer than 100 requests: little more than the slowest of them";
/// The height from which the table and its endpoint's detail stand together.
const BOTH_FROM: u16 = 14;
/// What stands for the endpoints that did not fit; no event carries it.
const OTHER: &str = "(other)";

/// The latency screen.
#[derive(Debug)]
pub(in crate::ui) struct Latency {
    list: List<Arc<str>>,
    /// The place among the slowest requests, by ordinal, while the keys go there.
    slowest: Option<Cursor<u64>>,
}

impl Default for Latency {
    fn default() -> Self {
        Self { list: List::new(&COLUMNS, P99), slowest: None }
    }
}

impl Panel for Latency {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let (_, keys) = self.arrange(view);
        let current = self.current(&keys, view);
        if current.is_none() {
            self.slowest = None;
        }
        if action == Action::Timeline {
            let chosen = self.slowest.as_ref().and_then(Cursor::selected).copied();
            let slowest = || Some(kept(current.as_ref()?, view).first()?.0.ordinal);
            let ordinal = chosen.or_else(slowest);
            return ordinal.map_or(Request::Ignored, |ordinal| timeline::request(ordinal, view));
        }
        if let (Some(cursor), Some(endpoint)) = (&mut self.slowest, &current) {
            let kept: Vec<u64> = kept(endpoint, view).iter().map(|(slow, _)| slow.ordinal).collect();
            let step = match action {
                Action::Back => {
                    self.slowest = None;
                    return Request::Done;
                }
                Action::Open => {
                    let ordinal = cursor.selected().copied().filter(|ordinal| kept.contains(ordinal));
                    return ordinal.map_or(Request::Done, |ordinal| Request::Show { ordinal });
                }
                Action::Down => 1,
                Action::Up => -1,
                Action::PageDown | Action::Bottom => isize::MAX,
                Action::PageUp | Action::Top => isize::MIN,
                _ => return Request::Ignored,
            };
            cursor.step(&kept, step);
            return Request::Done;
        }
        if action == Action::Open {
            let Some(endpoint) = current else { return Request::Ignored };
            let mut cursor = Cursor::default();
            let first = kept(&endpoint, view).first().map(|(slow, _)| slow.ordinal);
            first.into_iter().for_each(|ordinal| cursor.select(ordinal));
            self.list.select(Arc::clone(&endpoint.name));
            self.slowest = Some(cursor);
            return Request::Done;
        }
        if self.list.on_action(action, &keys) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (places, keys) = self.arrange(view);
        let current = self.current(&keys, view);
        let table_rows = match (area.height >= BOTH_FROM, &self.slowest) {
            (true, _) => height_above(area, keys.len()),
            (false, Some(_)) => 0,
            (false, None) => area.height,
        };
        let endpoints = &view.tables.endpoints;
        let has_few = endpoints.iter().any(|row| is_few(row));
        let legend_rows = u16::from(has_few && table_rows >= LEGEND_FROM);
        let table = Rect { height: table_rows - legend_rows, ..area };
        if legend_rows > 0 {
            let row = row_of(area, table.height);
            let line = view.theme.gate.line(LEGEND, usize::from(area.width.saturating_sub(4)));
            draw::line(buf, row, row.x.saturating_add(2), row.y, &line, view.theme.dim);
        }
        let note = counted(endpoints.len() as u64, "endpoint");
        self.list.render((table, &mut *buf), view.theme, (&places, &keys), &note, |index| {
            cells(&endpoints[index], view)
        });
        match current {
            Some(endpoint) => self.render_detail(below(area, table_rows), buf, &endpoint, view),
            None => {
                let text =
                    if view.is_filtered { "no requests among the matches" } else { "no requests so far" };
                draw::text(buf, table, area.x.saturating_add(2), row_of(table, 2).y, text, view.theme.dim);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.slowest.is_some() {
            &[("↵", "show it in the stream"), ("T", "timeline"), ("Esc", "back to the table")]
        } else {
            &[
                ("↵", "slowest requests"),
                ("T", "timeline"),
                ("+", "keep only"),
                ("-", "leave out"),
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
}

impl Latency {
    fn arrange(&mut self, view: &View<'_>) -> (Vec<Place>, Vec<Arc<str>>) {
        let rows = &view.tables.endpoints;
        let places = self.list.arrange(
            rows,
            |row| Arc::clone(&row.name),
            |column, a, b| match column {
                ROUTE => split(&a.name).1.cmp(split(&b.name).1),
                COUNT => b.count.cmp(&a.count),
                // Shares compared as whole numbers: a/b > c/d where a·d > c·b.
                ERRORS => (u128::from(b.errors) * u128::from(a.count))
                    .cmp(&(u128::from(a.errors) * u128::from(b.count))),
                P50 => b.latency.p50.cmp(&a.latency.p50),
                P90 => b.latency.p90.cmp(&a.latency.p90),
                P99 => b.latency.p99.cmp(&a.latency.p99),
                _ => b.latency.max.cmp(&a.latency.max),
            },
        );
        let keys = places.iter().map(|place| Arc::clone(&rows[place.index].name)).collect();
        (places, keys)
    }

    /// The selected endpoint while it is listed, else the first.
    fn current(&self, keys: &[Arc<str>], view: &View<'_>) -> Option<Arc<EndpointRow>> {
        let selected = self.list.selected().filter(|name| keys.contains(name));
        let name = selected.or(keys.first())?;
        view.tables.endpoints.iter().find(|row| row.name == *name).cloned()
    }

    fn render_detail(&mut self, area: Rect, buf: &mut Buffer, endpoint: &EndpointRow, view: &View<'_>) {
        let theme = view.theme;
        draw::rule(buf, area, &endpoint.name, "", theme.rule, theme.glyphs);
        let facts = row_of(area, 1);
        let line = theme.gate.line(&summary(endpoint, view), usize::from(area.width.saturating_sub(2)));
        draw::line(buf, facts, facts.x.saturating_add(1), facts.y, &line, theme.text);
        let body = below(area, 2);
        // The list's rule and at least as many rows of it as of bars.
        let bars = spread::merged(&endpoint.bars, usize::from(body.height.saturating_sub(1) / 2));
        let bar_rows = u16::try_from(bars.len()).unwrap_or(0);
        render_bars(Rect { height: bar_rows.min(body.height), ..body }, buf, &bars, view);
        self.render_slowest(below(body, bar_rows), buf, endpoint, view);
    }

    fn render_slowest(&mut self, area: Rect, buf: &mut Buffer, endpoint: &EndpointRow, view: &View<'_>) {
        let theme = view.theme;
        draw::rule(buf, area, "slowest requests", "", theme.rule, theme.glyphs);
        let kept = kept(endpoint, view);
        let keys: Vec<u64> = kept.iter().map(|(slow, _)| slow.ordinal).collect();
        let body = below(area, 1);
        let height = usize::from(body.height);
        let (top, selected) = match &mut self.slowest {
            Some(cursor) => (cursor.scroll(&keys, height), cursor.position(&keys)),
            None => (0, None),
        };
        if kept.is_empty() {
            draw::text(buf, body, body.x.saturating_add(2), body.y, "none of them is still kept", theme.dim);
        }
        let placed = place(&SLOWEST, body);
        for (y, (at, (slow, event))) in (0..body.height).zip(kept.iter().enumerate().skip(top)) {
            let marks = [selected == Some(at), false];
            draw_row((row_of(body, y), &mut *buf), theme, &placed, &slow_cells(*slow, *event, view), marks);
        }
    }
}

/// Whether there is a 99th percentile that says little.
fn is_few(row: &EndpointRow) -> bool {
    (1..MIN_FOR_P99).contains(&row.latency.count)
}

/// Method and route of an endpoint's name.
fn split(name: &str) -> (&str, &str) {
    name.split_once(' ').unwrap_or(("", name))
}

/// The slowest requests that are still in the ring, slowest first.
fn kept<'a>(endpoint: &EndpointRow, view: &View<'a>) -> Vec<(Slow, EventRef<'a>)> {
    endpoint.slowest.iter().filter_map(|slow| Some((*slow, view.snapshot.event(slow.ordinal)?))).collect()
}

fn cells<'a>(row: &'a EndpointRow, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let (method, route) = split(&row.name);
    let latency = &row.latency;
    let took = |span, style| {
        let is_known = latency.count > 0;
        let text = if is_known { format::duration(span, theme.glyphs) } else { theme.glyphs.none.to_owned() };
        cell(text, if is_known { style } else { theme.dim })
    };
    vec![
        cell(method, theme.text),
        cell(route, theme.text),
        cell(format::count_short(row.count), theme.text),
        cell(format::percent(row.errors, row.count), if row.errors > 0 { theme.error } else { theme.dim }),
        took(latency.p50, theme.text),
        took(latency.p90, theme.text),
        // Grey is not seen on every terminal, so there is a sign beside it.
        if is_few(row) {
            cell(format!("~{}", format::duration(latency.p99, theme.glyphs)), theme.dim)
        } else {
            took(latency.p99, theme.text)
        },
        took(latency.max, theme.text),
    ]
}

fn summary(endpoint: &EndpointRow, view: &View<'_>) -> String {
    let glyphs = view.theme.glyphs;
    let latency = &endpoint.latency;
    let mut facts = vec![counted(endpoint.count, "request")];
    if latency.count > 0 {
        facts.push(format!("mean {}", format::duration(latency.mean, glyphs)));
        facts.push(format!("fastest {}", format::duration(latency.min, glyphs)));
    }
    facts.push(format!("errors {}", format::count(endpoint.errors)));
    if latency.over_range > 0 {
        facts.push(format!("{} over 60s, which count as 60s", format::count(latency.over_range)));
    }
    if latency.count < MIN_FOR_P99 {
        facts.push("p99 needs 100 requests".to_owned());
    }
    facts.join(&format!(" {} ", glyphs.dot))
}

fn render_bars(area: Rect, buf: &mut Buffer, bars: &[Bar], view: &View<'_>) {
    let theme = view.theme;
    let top = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    // Sign, limit, and the count behind the bar.
    let room = area.width.saturating_sub(20).min(60);
    for (y, bar) in (0..area.height).zip(bars) {
        let row = row_of(area, y);
        let sign = if bar.is_open { ">" } else { theme.glyphs.at_most };
        let limit = format::right(&format::duration(bar.limit, theme.glyphs), 5, theme.gate);
        let label = format!("{} {limit} ", format::right(sign, 2, theme.gate));
        let x = draw::text(buf, row, row.x.saturating_add(2), row.y, &label, theme.dim);
        let x =
            draw::text(buf, row, x, row.y, &format::bar(bar.count, top, room, theme.glyphs), theme.accent);
        if bar.count > 0 {
            draw::text(buf, row, x.saturating_add(1), row.y, &format::count(bar.count), theme.text);
        }
    }
}

fn slow_cells<'a>(slow: Slow, event: EventRef<'a>, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let status = event.status().map_or(theme.glyphs.none.to_owned(), |status| status.to_string());
    let is_failed = event.flags().has(crate::event::Flags::FAILED);
    let session = match event.session() {
        "" => cell("?", theme.dim),
        session => cell(session, theme.text),
    };
    let message = match event.msg() {
        "" => cell(or_none("", theme), theme.dim),
        message => cell(message, theme.text),
    };
    vec![
        cell(clock(event.inst(), view.zone), theme.dim),
        cell(format::millis(slow.duration, theme.glyphs), theme.text),
        cell(status, if is_failed { theme.error } else { theme.text }),
        session,
        message,
    ]
}
