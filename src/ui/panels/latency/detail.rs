//! What is known of one endpoint: its numbers, its percentile curve beside its spread, and its slowest requests.
//!
//! Drawn by the latency screen below its table.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

use super::super::part;
use super::super::spread::{self, Bar};
use super::super::table::{Align, Cell, Column, below, cell, clock, draw_row, or_none, place, plain, row_of};
use super::curve;
use super::phases;
use super::window::Line;
use super::{MIN_FOR_P99, is_few};
use crate::config::{Baseline, Window};
use crate::event::{EventRef, Flags, Phases};
use crate::stats::{EndpointRow, Slow};
use crate::ui::before;
use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::tabs;
use crate::ui::view::View;

const SLOWEST: [Column; 6] = [
    plain("at", Align::Left, (12, 12), 0),
    plain("took", Align::Right, (8, 8), 0),
    plain("code", Align::Left, (4, 4), 50),
    plain("load", Align::Left, (5, 5), 60),
    plain("session", Align::Left, (10, 16), 80),
    plain("phases, in ms", Align::Rest, (0, 0), 0),
];

/// The newest requests of an endpoint whose phases are summed up.
const MAX_PHASED: usize = 1_000;
/// Matches looked at for them.
const MAX_LOOKED_AT: usize = 100_000;
/// From this width on the spread stands beside the curve.
const BESIDE: u16 = 100;

/// The shares of the phases of an endpoint's newest requests, as last worked out.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of: Option<(Arc<str>, u64, u64)>,
    said: Option<String>,
}

impl Shares {
    /// Worked out anew where there are other requests than before.
    fn said(&mut self, endpoint: &EndpointRow, view: &View<'_>) -> Option<&str> {
        let key = (Arc::clone(&endpoint.name), view.matches.id, endpoint.count);
        if self.of.as_ref() != Some(&key) {
            self.of = Some(key);
            self.said = phases::shares(&newest(&endpoint.name, view), view.theme);
        }
        self.said.as_deref()
    }
}

/// What the slowest requests came after, by ordinal: looked for once, for what came before an event does not change.
#[derive(Debug, Default)]
pub(super) struct Causes {
    known: FxHashMap<u64, String>,
}

/// More than a list shows; beyond it all are looked for again.
const MAX_CAUSES: usize = 256;

impl Causes {
    fn of(&mut self, ordinal: u64, request: EventRef<'_>, view: &View<'_>) -> &str {
        if self.known.len() >= MAX_CAUSES {
            self.known.clear();
        }
        self.known.entry(ordinal).or_insert_with(|| match before::cause(ordinal, request, view) {
            Some(cause) => format!("   after {cause}"),
            None => String::new(),
        })
    }
}

/// What is worked out now and then.
#[derive(Debug, Default)]
pub(super) struct Known {
    shares: Shares,
    causes: Causes,
}

fn newest(endpoint: &str, view: &View<'_>) -> Vec<Phases> {
    let total = view.matches.total;
    let from = total.saturating_sub(MAX_LOOKED_AT as u64);
    let newest = (from..total).rev().filter_map(|position| Some(view.matches.nth(position)?.1));
    let own = newest.filter(|event| event.endpoint() == endpoint).take(MAX_PHASED);
    own.filter_map(Phases::of).collect()
}

/// The slowest requests that are still in the ring, slowest first.
pub(super) fn kept<'a>(endpoint: &EndpointRow, view: &View<'a>) -> Vec<(Slow, EventRef<'a>)> {
    endpoint.slowest.iter().filter_map(|slow| Some((*slow, view.snapshot.event(slow.ordinal)?))).collect()
}

/// Draws everything of `line`, whose requests are those of this window, against those of that baseline.
pub(super) fn render(
    (area, buf): (Rect, &mut Buffer),
    line: &Line,
    (window, baseline): (Window, Baseline),
    (slowest, known): (&mut Option<Cursor<u64>>, &mut Known),
    view: &View<'_>,
) {
    let theme = view.theme;
    let before =
        line.before.as_ref().map(|row| format!(" {} {} before", theme.glyphs.dot, format::count(row.count)));
    let title = format!(
        "{}   {} in {}{}",
        theme.gate.plain_capped(&line.now.shown(), 60),
        counted(line.now.count, "request"),
        window.name(),
        before.unwrap_or_default()
    );
    // The curve has the requests before as a line.
    let legend = match line.before {
        Some(_) if area.width >= BESIDE => {
            format!("line: {} {} ", baseline.name(), theme.glyphs.dot)
        }
        _ => String::new(),
    };
    draw::rule(buf, area, &title, &format!("{legend}HDR, 2 digits"), theme.rule, theme.glyphs);
    let mut y = 1;
    for text in [
        Some(summary(line, baseline, area.width, view)),
        known.shares.said(&line.now, view).map(|said| format!("time went into: {said}")),
    ] {
        let Some(text) = text.filter(|_| y < area.height) else { continue };
        let facts = row_of(area, y);
        let text = theme.gate.line(&text, usize::from(area.width.saturating_sub(2)));
        draw::line(buf, facts, facts.x.saturating_add(1), facts.y, &text, theme.text);
        y += 1;
    }
    let body = below(area, y);
    let charts = charts((body, &mut *buf), line, view);
    render_slowest((below(body, charts), buf), &line.now, (slowest, &mut known.causes), view);
}

/// The curve and the spread; gives how many rows they took.
fn charts((body, buf): (Rect, &mut Buffer), line: &Line, view: &View<'_>) -> u16 {
    let theme = view.theme;
    let rows = body.height.saturating_sub(1) / 2;
    let has_curve = rows >= curve::LEAST.1 && body.width >= curve::LEAST.0 && line.now.latency.count > 0;
    if !has_curve {
        let bars = spread::merged(&line.now.spread.bars, usize::from(rows));
        let taken = u16::try_from(bars.len()).unwrap_or(0);
        render_bars(Rect { height: taken.min(body.height), ..body }, buf, &bars, view);
        return taken;
    }
    let rows = rows.min(12);
    let chart = Rect { height: rows, ..body };
    let left = if body.width >= BESIDE { part(body.width, 58) } else { body.width };
    curve::render(Rect { width: left, ..chart }, buf, &line.now, line.before.as_deref(), theme);
    if left < body.width {
        let bars = spread::merged(&line.now.spread.bars, usize::from(rows));
        let right = Rect { x: chart.x + left, width: body.width - left, ..chart };
        render_bars(right, buf, &bars, view);
    }
    rows
}

fn summary(line: &Line, baseline: Baseline, width: u16, view: &View<'_>) -> String {
    let glyphs = view.theme.glyphs;
    let endpoint = &*line.now;
    let latency = &endpoint.latency;
    let mut facts = Vec::new();
    if let Some((before, now)) = line.p99s() {
        let change = format::change(before, now, glyphs);
        // Where it is narrow the table's own rule says it.
        let then = if width >= BESIDE { baseline.spelled() } else { "" };
        facts.push(match change.as_str() {
            "=" => format!("p99 as {}", if then.is_empty() { "before" } else { then.trim_start() }),
            _ => format!("p99 {change} from {}{then}", format::duration(before, glyphs)),
        });
    } else if line.before.is_some() {
        facts.push("a change needs 5 requests on either side".to_owned());
    }
    if latency.count > 0 {
        facts.push(format!("mean {}", format::duration(latency.mean, glyphs)));
        facts.push(format!("fastest {}", format::duration(latency.min, glyphs)));
        facts.push(format!("p95 {}", format::duration(latency.p95, glyphs)));
    }
    facts.push(format!("errors {} of {}", format::count(endpoint.errors), format::count(endpoint.count)));
    if endpoint.aborted > 0 {
        facts.push(format!("{} aborted, not timed", format::count(endpoint.aborted)));
    }
    if latency.over_range > 0 {
        facts.push(format!("{} over 60s, which count as 60s", format::count(latency.over_range)));
    }
    if is_few(endpoint, MIN_FOR_P99) {
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

fn render_slowest(
    (area, buf): (Rect, &mut Buffer),
    endpoint: &EndpointRow,
    (slowest, causes): (&mut Option<Cursor<u64>>, &mut Causes),
    view: &View<'_>,
) {
    let theme = view.theme;
    let does = if slowest.is_some() { "Enter opens its session there" } else { "Tab goes there" };
    let right = format!("phases in ms {} {does}", theme.glyphs.dot);
    draw::rule(buf, area, "slowest requests", &right, theme.rule, theme.glyphs);
    let kept = kept(endpoint, view);
    let keys: Vec<u64> = kept.iter().map(|(slow, _)| slow.ordinal).collect();
    let body = below(area, 1);
    let height = usize::from(body.height);
    let (top, selected) = match slowest {
        Some(cursor) => (cursor.scroll(&keys, height), cursor.position(&keys)),
        None => (0, None),
    };
    if kept.is_empty() {
        let why =
            if endpoint.slowest.is_empty() { "none of them was timed" } else { "none of them is still kept" };
        draw::text(buf, body, body.x.saturating_add(2), body.y, why, theme.dim);
    }
    let placed = place(&SLOWEST, body);
    for (y, (at, (slow, event))) in (0..body.height).zip(kept.iter().enumerate().skip(top)) {
        let marks = [selected == Some(at), false];
        let cause = causes.of(slow.ordinal, *event, view);
        let cells = slow_cells(*slow, *event, cause, view);
        draw_row((row_of(body, y), &mut *buf), theme, &placed, &cells, marks);
    }
}

fn slow_cells<'a>(slow: Slow, event: EventRef<'a>, cause: &str, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let status = event.status().map_or(theme.glyphs.none.to_owned(), |status| status.to_string());
    let is_failed = event.flags().has(Flags::FAILED);
    let session = match event.session() {
        "" => cell("?", theme.dim),
        session => cell(session, theme.text),
    };
    // Without phases the message says at least what it was.
    let went_into = match Phases::of(event) {
        Some(told) => phases::said(&told, theme),
        None => or_none(event.msg(), theme).to_owned(),
    };
    vec![
        cell(clock(event.inst(), view.zone), theme.dim),
        cell(format::millis(slow.duration, theme.glyphs), theme.text),
        cell(status, if is_failed { theme.error } else { theme.text }),
        cell(tabs::load(&view.snapshot.loads, event.tab(), event.load(), theme.glyphs), theme.dim),
        session,
        cell(format!("{went_into}{cause}"), theme.dim),
    ]
}
