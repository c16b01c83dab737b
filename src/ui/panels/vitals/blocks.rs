//! The blocks of the vitals screen: their columns, their rows as cells, and the filter terms behind the rows.
//!
//! Made anew for each frame and each key from the tables and, for what those do not hold, the newest events.

use std::sync::Arc;

use super::super::table::{Align, Cell, Column, cell, or_none, plain, term as term_of};
use super::{phases, what};
use crate::event::Micros;
use crate::stats::{
    Fields, FunnelRow, MAX_LOADS, MAX_SESSIONS, MetricRow, OTHER, PageRow, Rating, StepRow, TimingRow, Vital,
    VitalRow,
};
use crate::ui::format::{self, counted};
use crate::ui::tabs;
use crate::ui::theme::Theme;
use crate::ui::view::View;

/// Columns of the bars of features and funnels.
const BAR: u16 = 24;
/// Separates the name of a funnel from that of its step in a row's name; no name is looked up by it.
const STEP: char = '\0';

/// Which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    Vitals,
    Load,
    Rendering,
    Metrics,
    Pages,
    Features,
    Funnels,
}

impl Id {
    /// Whether all its rows are always shown: it has few.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Self::Vitals | Self::Load)
    }

    /// Whether it stands on the left where there are two columns.
    pub(super) fn is_left(self) -> bool {
        matches!(self, Self::Vitals | Self::Load | Self::Pages)
    }
}

/// A titled table of few rows.
pub(super) struct Block<'a> {
    pub(super) id: Id,
    pub(super) title: String,
    /// At the right end of the divider.
    pub(super) note: String,
    pub(super) columns: &'static [Column],
    pub(super) rows: Vec<Row<'a>>,
    /// What would fill it, where it has no rows.
    pub(super) empty: &'static str,
}

/// One row: its name within the block, and what is shown.
pub(super) struct Row<'a> {
    pub(super) name: Arc<str>,
    pub(super) cells: Vec<Cell<'a>>,
}

const VITALS: [Column; 9] = [
    plain("vital", Align::Left, (5, 6), 0),
    plain("now", Align::Right, (6, 7), 0),
    plain("rating", Align::Left, (10, 10), 0),
    plain("p75", Align::Right, (6, 7), 0),
    plain("rating", Align::Left, (10, 10), 100),
    plain("good", Align::Right, (5, 6), 60),
    plain("poor", Align::Right, (5, 6), 60),
    plain("loads", Align::Left, (8, 8), 50),
    plain("what it was", Align::Rest, (0, 0), 76),
];
const LOAD: [Column; 3] = [
    plain("", Align::Left, (12, 12), 0),
    plain("", Align::Right, (8, 8), 0),
    plain("", Align::Rest, (0, 0), 0),
];
const RENDERING: [Column; 7] = [
    plain("component", Align::Left, (18, 28), 0),
    plain("renders", Align::Right, (7, 7), 0),
    plain("p50", Align::Right, (5, 7), 50),
    plain("p99", Align::Right, (5, 7), 0),
    plain("max", Align::Right, (5, 7), 50),
    plain("total", Align::Right, (6, 7), 60),
    plain("last 60s", Align::Rest, (0, 0), 70),
];
const METRICS: [Column; 8] = [
    plain("metric", Align::Left, (18, 28), 0),
    plain("count", Align::Right, (6, 7), 0),
    plain("last", Align::Right, (7, 7), 0),
    plain("min", Align::Right, (7, 7), 70),
    plain("p50", Align::Right, (7, 7), 50),
    plain("p99", Align::Right, (7, 7), 60),
    plain("max", Align::Right, (7, 7), 70),
    plain("unit", Align::Rest, (0, 0), 50),
];
const PAGES: [Column; 7] = [
    plain("page", Align::Rest, (0, 0), 0),
    plain("loads", Align::Right, (5, 6), 50),
    plain("LCP", Align::Right, (7, 8), 0),
    plain("INP", Align::Right, (7, 8), 0),
    plain("CLS", Align::Right, (6, 7), 60),
    plain("FCP", Align::Right, (7, 8), 70),
    plain("TTFB", Align::Right, (7, 8), 60),
];
const FEATURES: [Column; 5] = [
    plain("feature", Align::Left, (18, 28), 0),
    plain("count", Align::Right, (6, 7), 0),
    plain("sessions", Align::Right, (8, 8), 0),
    plain("last", Align::Right, (5, 7), 50),
    plain("", Align::Rest, (0, 0), 60),
];
const FUNNELS: [Column; 6] = [
    plain("funnel", Align::Left, (12, 12), 50),
    plain("step", Align::Left, (14, 15), 0),
    plain("events", Align::Right, (6, 7), 60),
    plain("sessions", Align::Right, (8, 8), 0),
    plain("went on", Align::Right, (7, 7), 0),
    plain("", Align::Rest, (0, 0), 60),
];

/// All blocks, in the order the keys go through them; that of the pages only where there are several.
pub(super) fn of<'a>(view: &View<'a>) -> Vec<Block<'a>> {
    let mut blocks = vec![vitals(view), load(view), rendering(view), metrics(view)];
    if view.tables.vitals.pages.len() > 1 {
        blocks.push(pages(view));
    }
    blocks.extend([features(view), funnels(view)]);
    blocks
}

/// What is said where there is nothing: `yet`, unless the filter may hide it.
fn none_of(view: &View<'_>, yet: &'static str) -> &'static str {
    if view.is_filtered { "none matches" } else { yet }
}

fn vitals<'a>(view: &View<'a>) -> Block<'a> {
    let rows = &view.tables.vitals.vitals;
    let loads = rows.iter().map(|row| row.loads).max().unwrap_or(0);
    let newest = if loads >= MAX_LOADS { "the newest " } else { "" };
    let rows = match loads {
        0 => Vec::new(),
        _ => rows.iter().map(|row| vital_row(row, view)).collect(),
    };
    Block {
        id: Id::Vitals,
        title: match loads {
            0 => "web vitals".to_owned(),
            loads => format!("web vitals, now against p75 of {newest}{}", counted(loads as u64, "page load")),
        },
        note: "good / needs work / poor".to_owned(),
        columns: &VITALS,
        rows,
        empty: none_of(
            view,
            "no web vitals yet: taillight's client sends them; others: metric(\"LCP\", 2310, \"ms\")",
        ),
    }
}

fn vital_row<'a>(row: &'a VitalRow, view: &View<'a>) -> Row<'a> {
    let theme = view.theme;
    let vital = row.vital;
    let (good, poor) = vital.limits();
    let none = || cell(theme.glyphs.none, theme.dim);
    let [now, rating] = match row.now {
        Some((value, ..)) => rated(vital, value, theme),
        None => [none(), cell("", theme.dim)],
    };
    let [p75, p75_rating] = match row.now {
        Some(_) => rated(vital, row.p75, theme),
        None => [none(), cell("", theme.dim)],
    };
    let event = row.now.and_then(|(_, _, ordinal)| view.snapshot.event(ordinal));
    let what = match (row.now, event) {
        (None, _) => String::new(),
        (Some(_), None) => "its event is no longer kept".to_owned(),
        (Some(_), Some(event)) => what::of(vital, event, theme),
    };
    Row {
        name: Arc::from(vital.name()),
        cells: vec![
            cell(vital.name(), theme.title),
            now,
            rating,
            p75,
            p75_rating,
            cell(limit(vital, good), theme.dim),
            cell(limit(vital, poor), theme.dim),
            cell(history(row, theme), theme.text),
            cell(or_none(&what, theme).to_owned(), theme.dim),
        ],
    }
}

/// A value and the word for it, both in the colour of its rating.
fn rated<'a>(vital: Vital, value: f64, theme: &Theme) -> [Cell<'a>; 2] {
    let (word, style) = match vital.rating(value) {
        Rating::Good => ("good", theme.good),
        Rating::NeedsWork => ("needs work", theme.warn),
        Rating::Poor => ("poor", theme.error),
    };
    [cell(value_text(vital, value), style), cell(word, style)]
}

fn value_text(vital: Vital, value: f64) -> String {
    match vital {
        Vital::Cls => format!("{value:.2}"),
        Vital::Inp if value < 10_000.0 => format!("{value:.0}ms"),
        _ if value < 1e6 => format!("{:.2}s", value / 1_000.0),
        _ => format!("{:.0}s", value / 1_000.0),
    }
}

/// A threshold, without digits that say nothing: `2.5s`, `200ms`, `0.1`.
fn limit(vital: Vital, value: f64) -> String {
    match vital {
        Vital::Cls => value.to_string(),
        Vital::Inp => format!("{value}ms"),
        _ => format!("{}s", value / 1_000.0),
    }
}

/// The newest loads, drawn against the limit of what is poor: a row of low blocks is good.
fn history(row: &VitalRow, theme: &Theme) -> String {
    if row.history.is_empty() {
        return String::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
    let whole = |value: f64| (value * 1_000.0).clamp(0.0, 1e15) as u64;
    let mut values: Vec<u64> = row.history.iter().map(|value| whole(*value)).collect();
    values.push(whole(row.vital.limits().1));
    let mut line = format::sparkline(&values, theme.glyphs);
    line.pop();
    line
}

fn load<'a>(view: &View<'a>) -> Block<'a> {
    let theme = view.theme;
    let newest = view.tables.vitals.page_load;
    let event = newest.and_then(|(_, ordinal)| view.snapshot.event(ordinal));
    let phases = event.map(|event| phases::of(event, theme)).unwrap_or_default();
    let title = match event {
        Some(event) => {
            let url = event.get(&["url"]).and_then(crate::event::json::text).unwrap_or_default();
            let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
            let path = theme.gate.plain_capped(path.unwrap_or(&url), 40);
            let load = tabs::load(&view.snapshot.loads, event.tab(), event.load(), theme.glyphs);
            format!("newest page load, {load}  {path}")
        }
        None => "newest page load".to_owned(),
    };
    let rows = phases.into_iter().map(|phase| Row {
        name: Arc::from(phase.name.as_str()),
        cells: vec![
            cell(phase.name, theme.text),
            cell(millis(phase.took, theme), if phase.took.0 == 0 { theme.dim } else { theme.text }),
            cell(phase.bar, theme.accent),
        ],
    });
    Block {
        id: Id::Load,
        title,
        note: event.map(|event| phases::resources(event, theme)).unwrap_or_default(),
        columns: &LOAD,
        rows: rows.collect(),
        empty: match (newest, event) {
            (None, _) => {
                none_of(view, "no page load yet: a metric of subtype page-load with timing.* fills this")
            }
            (Some(_), None) => "the newest page-load event is no longer kept",
            (Some(_), Some(_)) => "the newest page-load event has no timing.*",
        },
    }
}

/// A phase that did not happen took `0ms`; only a real one is told in microseconds.
fn millis(span: Micros, theme: &Theme) -> String {
    if span.0 == 0 { "0ms".to_owned() } else { format::millis(span, theme.glyphs) }
}

fn rendering<'a>(view: &View<'a>) -> Block<'a> {
    let tables = &view.tables.vitals;
    let end = view.tables.span.map_or(view.now, |(_, last)| last.min(view.now));
    let components = tables.components.iter().map(|row| timing_row(row, "", end, view));
    let long = tables.long_tasks.iter().map(|row| timing_row(row, "long tasks", end, view));
    Block {
        id: Id::Rendering,
        title: "main thread and rendering".to_owned(),
        note: match &tables.long_tasks {
            Some(tasks) => {
                format!("{} blocked by long tasks", format::duration(tasks.total, view.theme.glyphs))
            }
            None => String::new(),
        },
        columns: &RENDERING,
        rows: long.chain(components).collect(),
        empty: none_of(
            view,
            "nothing yet: metrics of subtype render with component and render-time-ms, and long-task, fill this",
        ),
    }
}

fn timing_row<'a>(
    row: &'a TimingRow,
    title: &'static str,
    end: crate::event::Timestamp,
    view: &View<'_>,
) -> Row<'a> {
    let theme = view.theme;
    let took = |span: Micros| cell(format::duration(span, theme.glyphs), theme.text);
    let name = if title.is_empty() { cell(&*row.name, theme.text) } else { cell(title, theme.title) };
    Row {
        name: Arc::clone(&row.name),
        cells: vec![
            name,
            cell(format::count_short(row.latency.count), theme.text),
            took(row.latency.p50),
            took(row.latency.p99),
            took(row.latency.max),
            took(row.total),
            cell(format::sparkline(&row.pulse.until(end), theme.glyphs), theme.accent),
        ],
    }
}

fn metrics<'a>(view: &View<'a>) -> Block<'a> {
    Block {
        id: Id::Metrics,
        title: "custom metrics".to_owned(),
        note: String::new(),
        columns: &METRICS,
        rows: view.tables.vitals.metrics.iter().map(|row| metric_row(row, view)).collect(),
        empty: none_of(view, "none yet: taillight.metric(\"cart.items\", 4, \"items\") makes one"),
    }
}

fn metric_row<'a>(row: &'a MetricRow, view: &View<'_>) -> Row<'a> {
    let theme = view.theme;
    let number = |value| cell(number_text(value), theme.text);
    Row {
        name: Arc::clone(&row.name),
        cells: vec![
            cell(&*row.name, theme.text),
            cell(format::count_short(row.count), theme.text),
            number(row.last),
            number(row.min),
            number(row.p50),
            number(row.p99),
            number(row.max),
            cell(&*row.unit, theme.dim),
        ],
    }
}

/// A number in at most seven columns: `9`, `0.25`, `-1,204`, `12.3M`, `1e-9`.
fn number_text(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    if size >= 1e15 || (size > 0.0 && size < 0.001) {
        return format!("{value:.0e}");
    }
    if size >= 1_000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 10^15")]
        return format!("{sign}{}", format::count_short(size.round() as u64));
    }
    let digits = if size >= 100.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn pages<'a>(view: &View<'a>) -> Block<'a> {
    let pages = &view.tables.vitals.pages;
    Block {
        id: Id::Pages,
        title: format!("by page, p75 of {}", counted(pages.len() as u64, "page")),
        note: "~ needs work  ! poor".to_owned(),
        columns: &PAGES,
        rows: pages.iter().map(|row| page_row(row, view)).collect(),
        empty: "",
    }
}

fn page_row<'a>(row: &'a PageRow, view: &View<'_>) -> Row<'a> {
    let theme = view.theme;
    let page = if row.page.is_empty() { "?" } else { &*row.page };
    let mut cells = vec![cell(page, theme.text), cell(format::count_short(row.loads as u64), theme.text)];
    cells.extend(Vital::ALL.iter().zip(row.p75).map(|(vital, p75)| {
        let Some(value) = p75 else { return cell(format!("{} ", theme.glyphs.none), theme.dim) };
        let (mark, style) = match vital.rating(value) {
            Rating::Good => (' ', theme.text),
            Rating::NeedsWork => ('~', theme.warn),
            Rating::Poor => ('!', theme.error),
        };
        cell(format!("{}{mark}", value_text(*vital, value)), style)
    }));
    Row { name: Arc::clone(&row.page), cells }
}

fn features<'a>(view: &View<'a>) -> Block<'a> {
    let theme = view.theme;
    let features = &view.tables.vitals.features;
    let top = features.first().map_or(0, |row| row.count);
    let rows = features.iter().map(|row| Row {
        name: Arc::clone(&row.name),
        cells: vec![
            cell(&*row.name, theme.text),
            cell(format::count_short(row.count), theme.text),
            cell(sessions(row.sessions), theme.text),
            cell(format::age(view.now.since(row.last)), theme.dim),
            cell(format::bar(row.count, top, BAR, theme.glyphs), theme.accent),
        ],
    });
    Block {
        id: Id::Features,
        title: "feature use".to_owned(),
        note: String::new(),
        columns: &FEATURES,
        rows: rows.collect(),
        empty: none_of(
            view,
            "none yet: taillight.track(\"export-data\"), or analytics events with a feature, fill this",
        ),
    }
}

fn funnels<'a>(view: &View<'a>) -> Block<'a> {
    let funnels = &view.tables.vitals.funnels;
    Block {
        id: Id::Funnels,
        title: "conversion funnels".to_owned(),
        note: if funnels.is_empty() { "" } else { "went on: of the sessions in the step before" }.to_owned(),
        columns: &FUNNELS,
        rows: funnels.iter().flat_map(|funnel| step_rows(funnel, view)).collect(),
        empty: none_of(
            view,
            "none yet: analytics events of subtype conversion with funnel and step fill this",
        ),
    }
}

fn step_rows<'a>(funnel: &'a FunnelRow, view: &View<'_>) -> Vec<Row<'a>> {
    let theme = view.theme;
    let top = funnel.steps.first().map_or(0, |step| step.sessions);
    let mut before: Option<&StepRow> = None;
    let row = |step: &'a StepRow| {
        let went_on = match before.zip(step.went_on) {
            Some((before, count)) => format::percent(count as u64, before.sessions as u64),
            None => String::new(),
        };
        let title = if before.is_none() { &*funnel.name } else { "" };
        before = Some(step);
        Row {
            name: Arc::from(format!("{}{STEP}{}", funnel.name, step.name)),
            cells: vec![
                cell(title, theme.title),
                cell(&*step.name, theme.text),
                cell(format::count_short(step.count), theme.dim),
                cell(sessions(step.sessions), theme.text),
                cell(went_on, theme.text),
                cell(format::bar(step.sessions as u64, top as u64, BAR, theme.glyphs), theme.accent),
            ],
        }
    };
    funnel.steps.iter().map(row).collect()
}

fn sessions(count: usize) -> String {
    let more = if count >= MAX_SESSIONS { "+" } else { "" };
    format!("{}{more}", format::count(count as u64))
}

/// The filter term that finds the events of a row; `None` for what no term can name.
pub(super) fn term(block: &Block<'_>, row: usize, view: &View<'_>) -> Option<String> {
    let tables = &view.tables.vitals;
    let name = &*block.rows.get(row)?.name;
    if name == OTHER {
        return None;
    }
    let either = |fields: Fields, name: &str, own: Fields, field: &str| {
        let both = [(own, field), (Fields::NAME, "name")];
        any_of(
            both.iter()
                .filter(|(flag, _)| fields.has(*flag))
                .map(|(_, field)| term_of(field, name))
                .collect(),
        )
    };
    match block.id {
        Id::Vitals => either(tables.vitals.get(row)?.fields, name, Fields::VITAL, "vital"),
        Id::Load => Some(term_of("subtype", "page-load")),
        Id::Rendering if name.is_empty() => Some(term_of("subtype", "long-task")),
        Id::Rendering => Some(term_of("component", name)),
        Id::Metrics => Some(term_of("name", name)),
        Id::Pages => page_term(tables.pages.get(row)?),
        Id::Features => either(tables.features.get(row)?.fields, name, Fields::FEATURE, "feature"),
        Id::Funnels => {
            let (funnel, step) = name.split_once(STEP)?;
            let is_named = funnel != OTHER && step != OTHER;
            is_named.then(|| format!("({} {})", term_of("funnel", funnel), term_of("step", step)))
        }
    }
}

/// A page in every form its events wrote it: with a query or a fragment behind it, too.
fn page_term(row: &PageRow) -> Option<String> {
    let mut terms = Vec::new();
    if row.page.is_empty() {
        return Some("(no:page no:url)".to_owned());
    }
    for (flag, field) in [(Fields::PAGE, "page"), (Fields::URL, "url")] {
        if row.fields.has(flag) {
            let exact = term_of(field, &row.page);
            let open = exact.strip_suffix('"').unwrap_or(&exact).to_owned();
            if row.fields.has(Fields::TAIL) {
                terms.extend([format!("{open}?*\""), format!("{open}#*\"")]);
            }
            terms.insert(0, exact);
        }
    }
    any_of(terms)
}

fn any_of(terms: Vec<String>) -> Option<String> {
    match terms.len() {
        0 => None,
        1 => terms.into_iter().next(),
        _ => Some(format!("({})", terms.join(" or "))),
    }
}
