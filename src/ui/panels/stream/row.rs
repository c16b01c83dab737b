//! One row of the stream: columns that line up, then what happened, then numbers or a place at the right end.
//!
//! Columns disappear in the order of UX (layout): bar, place, kind, milliseconds, tab; the text keeps what is left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::entries::Entry;
use super::words::{kind_word, row_text};
use crate::config::Times;
use crate::event::gate::Line;
use crate::event::{EventRef, Flags, Level, Micros, Timestamp};
use crate::stats::Break;
use crate::ui::theme::{Theme, level_word};
use crate::ui::view::View;
use crate::ui::{draw, format, place, tabs, why};

/// From these widths on rows have all columns, and have more than time, level and text.
const WIDE: u16 = 100;
const MIDDLE: u16 = 72;
/// A request of this long has a full bar (CONTRACT: is:slow).
const FULL_BAR: Micros = Micros(1_000_000);
/// Lines of a wrapped row.
const MAX_WRAPPED: usize = 12;
/// Earlier by so much than what had arrived before it, an event is late; less is sorted in silently (UX: lateness).
const LATE_MS: i64 = 250;

impl Times {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Clock => Self::SinceLoad,
            Self::SinceLoad => Self::Gap,
            Self::Gap => Self::Age,
            Self::Age => Self::Clock,
        }
    }

    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Clock => "times: clock",
            Self::SinceLoad => "times: since the page was loaded",
            Self::Gap => "times: since the row above",
            Self::Age => "times: how long ago",
        }
    }
}

/// How rows are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) times: Times,
    /// While one session is shown: its first event, which clock times give way to.
    pub(super) origin: Option<Timestamp>,
    pub(super) is_wrapped: bool,
    pub(super) shown: Shown,
}

/// Which columns are shown where there is room for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    time: bool,
    kind: bool,
    tab: bool,
    status: bool,
    bar: bool,
    place: bool,
}

impl Shown {
    /// By their names in the settings.
    pub(super) fn of(names: &[String]) -> Self {
        let [time, kind, tab, status, bar, place] = ["time", "kind", "tab", "status", "bar", "where"]
            .map(|name| names.iter().any(|shown| shown == name));
        Self { time, kind, tab, status, bar, place }
    }
}

/// A row's place among others.
pub(super) struct Row<'a, 'b> {
    pub(super) entry: &'b Entry<'a>,
    /// Which of its lines.
    pub(super) nth: usize,
    pub(super) is_selected: bool,
    /// The time of the row above.
    pub(super) above: Option<Timestamp>,
}

/// The columns of a row that is `width` wide: time, kind, tab, and the numbers at the right end with their bar.
struct Columns {
    time: u16,
    kind: u16,
    tab: u16,
    right: u16,
    bar: u16,
    has_status: bool,
    has_place: bool,
}

impl Columns {
    fn of(width: u16, shown: Shown) -> Self {
        let (time, kind, tab, right, bar) = match width {
            WIDE.. => (12, 9, 5, 22, 5),
            MIDDLE.. => (9, 4, 1, 20, 4),
            _ => (5, 0, 0, 0, 0),
        };
        let own = |is_shown: bool, width: u16| if is_shown { width } else { 0 };
        let right = match (shown.status, shown.bar) {
            (true, true) => right,
            (true, false) => right - bar,
            // The mark of what is new stays.
            (false, _) => right.min(2),
        };
        Self {
            time: own(shown.time, time),
            kind: own(shown.kind, kind),
            tab: own(shown.tab, tab),
            right,
            bar: own(shown.bar, bar),
            has_status: shown.status,
            has_place: shown.place,
        }
    }

    /// Columns before the text: mark, time, level, kind and tab, each with a blank.
    fn lead(&self) -> u16 {
        let own = |width: u16| if width > 0 { width + 1 } else { 0 };
        1 + own(self.time) + 4 + own(self.kind) + own(self.tab)
    }

    /// Columns the text has at least.
    fn text(&self, width: u16) -> u16 {
        width.saturating_sub(self.lead() + self.right + u16::from(self.right > 0))
    }
}

/// How many lines `entry` takes in rows of `width`.
pub(super) fn lines_of(entry: &Entry<'_>, width: u16, how: How, view: &View<'_>) -> usize {
    if !how.is_wrapped {
        return 1;
    }
    let room = usize::from(Columns::of(width, how.shown).text(width)).max(1);
    let text = row_text(entry.last.event());
    // Most rows are short: what fits even if every byte were a column needs no wrapping.
    if text.len() <= room && !text.contains('\n') { 1 } else { wrapped(&text, room, view).len().max(1) }
}

fn wrapped(text: &str, room: usize, view: &View<'_>) -> Vec<Line> {
    view.theme.gate.lines(text, room, MAX_WRAPPED)
}

/// Draws `row` into one line of the screen.
pub(super) fn render(
    (area, buf): (Rect, &mut Buffer),
    row: &Row<'_, '_>,
    how: How,
    whys: &mut why::Known,
    view: &View<'_>,
) {
    let (theme, event) = (view.theme, row.entry.last.event());
    let columns = Columns::of(area.width, how.shown);
    if row.is_selected {
        buf.set_style(area.intersection(buf.area), theme.selection);
    }
    let style = |own: Style| if row.is_selected { theme.selected(own) } else { own };
    if row.nth > 0 {
        let room = usize::from(columns.text(area.width)).max(1);
        if let Some(line) = wrapped(&row_text(event), room, view).get(row.nth) {
            draw::line(buf, area, area.x + columns.lead(), area.y, line, style(text_style(event, view)));
        }
        return;
    }
    let x = lead(area, buf, row, &columns, how, view);
    let right = if columns.right > 0 { right_end(area, buf, row, &columns, view) } else { area.right() };
    let x = x.min(right);
    let rest = Rect { x, width: right.saturating_sub(x + u16::from(columns.right > 0)), ..area };
    let rest = aside(rest, buf, row, view);
    if how.is_wrapped {
        let room = usize::from(columns.text(area.width)).max(1);
        if let Some(line) = wrapped(&row_text(event), room, view).first() {
            draw::line(buf, rest, rest.x, rest.y, line, style(text_style(event, view)));
        }
        return;
    }
    text(rest, buf, (event, whys), (style(text_style(event, view)), style(theme.dim)), view);
}

fn text_style(event: EventRef<'_>, view: &View<'_>) -> Style {
    if event.level() >= Level::Warn { view.theme.level(event.level()) } else { view.theme.text }
}

/// Mark, time, level, kind and tab; gives the column the text begins at.
fn lead(
    area: Rect,
    buf: &mut Buffer,
    row: &Row<'_, '_>,
    columns: &Columns,
    how: How,
    view: &View<'_>,
) -> u16 {
    let (theme, event) = (view.theme, row.entry.last.event());
    let style = |own: Style| if row.is_selected { theme.selected(own) } else { own };
    let mark = match (view.marks.pinned.contains(&event.seq()), row.is_selected) {
        (true, _) => theme.glyphs.pinned,
        (false, true) => theme.glyphs.selected,
        (false, false) => " ",
    };
    draw::text(buf, area, area.x, area.y, mark, style(theme.accent));
    let mut x = area.x + 1;
    if columns.time > 0 {
        let time = time_text(event, row.above, columns, how, view);
        let time = format!("{time:>width$}", width = usize::from(columns.time));
        draw::text(buf, area, x, area.y, &time, style(theme.dim));
        x += columns.time + 1;
    }
    let (word, own) = level(event, columns, theme);
    let own = if row.is_selected { theme.selected_sign(own) } else { own };
    draw::text(buf, area, x, area.y, &word, own);
    x += 4;
    if columns.kind > 0 {
        let kind = theme.gate.line(kind_word(event, columns.kind > 4), usize::from(columns.kind));
        draw::line(buf, area, x, area.y, &kind, style(theme.dim));
        x += columns.kind + 1;
    }
    if columns.tab > 0 {
        let loads = &view.snapshot.loads;
        let tab = match tabs::letter(loads, event.tab()) {
            ' ' => String::new(),
            _ if columns.tab > 1 => tabs::load(loads, event.tab(), event.load(), theme.glyphs),
            letter => letter.to_string(),
        };
        let tab = format::left(&tab, usize::from(columns.tab), theme.gate);
        draw::text(buf, area, x, area.y, &tab, style(theme.dim));
        x += columns.tab + 1;
    }
    x
}

/// The level's word; of a request that failed its status, where that has no column.
fn level(event: EventRef<'_>, columns: &Columns, theme: &Theme) -> (String, Style) {
    let has_column = columns.has_status && columns.right > 0;
    match event.status() {
        Some(status @ 100..=999) if !has_column && event.flags().has(Flags::FAILED) => {
            (status.to_string(), theme.error)
        }
        _ => (level_word(event.level()).to_owned(), theme.level(event.level())),
    }
}

fn time_text(
    event: EventRef<'_>,
    above: Option<Timestamp>,
    columns: &Columns,
    how: How,
    view: &View<'_>,
) -> String {
    let clock = |format: &str| {
        event.inst().to_jiff().to_zoned_datetime(view.zone.clone()).strftime(format).to_string()
    };
    let is_exact = columns.time > 5;
    match (how.times, how.origin) {
        (Times::Clock, Some(origin)) => offset(event.inst().since(origin), is_exact),
        (Times::Clock, None) if columns.time >= 12 => clock("%H:%M:%S%.3f"),
        (Times::Clock, None) if is_exact => clock("%M:%S%.3f"),
        (Times::Clock, None) => clock("%M:%S"),
        (Times::SinceLoad, _) => match load_start(event, view.snapshot.loads.breaks()) {
            Some(start) => offset(event.inst().since(start), is_exact),
            None => view.theme.glyphs.none.to_owned(),
        },
        (Times::Gap, _) => match above {
            Some(above) => offset(event.inst().since(above), is_exact),
            None => view.theme.glyphs.none.to_owned(),
        },
        (Times::Age, _) => format::age(view.now.since(event.inst())),
    }
}

/// When the page load of an event began, as far as that is known.
fn load_start(event: EventRef<'_>, breaks: &[std::sync::Arc<Break>]) -> Option<Timestamp> {
    let is_own = |found: &&std::sync::Arc<Break>| {
        *found.tab == *event.tab()
            && *found.session == *event.session()
            && found.kind != crate::stats::BreakKind::HotUpdate
            && match event.load() {
                Some(load) => found.load == Some(load),
                None => found.at <= event.inst(),
            }
    };
    breaks.iter().rfind(is_own).map(|found| found.at)
}

/// Seconds, as in `+10.841`, or `+10.8` where there is little room.
fn offset(ms: i64, is_exact: bool) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    let ms = ms.unsigned_abs();
    match (ms / 1000, is_exact) {
        (seconds @ 10_000.., _) => format!("{sign}{seconds}"),
        (seconds, true) => format!("{sign}{seconds}.{:03}", ms % 1000),
        (seconds @ 100.., false) => format!("{sign}{seconds}"),
        (seconds, false) => format!("{sign}{seconds}.{}", ms % 1000 / 100),
    }
}

/// Status, duration and a bar, or the place of an error, and the mark of what is new; gives where they begin.
fn right_end(area: Rect, buf: &mut Buffer, row: &Row<'_, '_>, columns: &Columns, view: &View<'_>) -> u16 {
    let (theme, event) = (view.theme, row.entry.last.event());
    let style = |own: Style| if row.is_selected { theme.selected(own) } else { own };
    let end = area.right().saturating_sub(2);
    let is_new = event.group().is_some_and(|group| view.fresh.contains(&group));
    if is_new {
        draw::text(buf, area, area.right().saturating_sub(1), area.y, "N", style(theme.accent));
    }
    let is_failed = event.flags().has(Flags::FAILED);
    let status = match event.status() {
        Some(status) => status.to_string(),
        None if is_failed => "fail".to_owned(),
        None => String::new(),
    };
    if columns.has_status && (!status.is_empty() || event.duration().is_some()) {
        let from = area.right().saturating_sub(columns.right);
        let own = if event.flags().has(Flags::SLOW) { theme.warn } else { theme.text };
        let own = if is_failed { theme.error } else { own };
        let took = event.duration().map(|span| format::millis(span, theme.glyphs)).unwrap_or_default();
        let numbers = format!("{status:>4} {took:>8} ");
        let x = draw::text(buf, area, from, area.y, &numbers, style(own));
        if let Some(span) = event.duration().filter(|span| columns.bar > 0 && span.0 > FULL_BAR.0 / 20) {
            let bar = format::bar(span.0, FULL_BAR.0, columns.bar, theme.glyphs);
            draw::text(buf, area, x, area.y, &bar, style(own));
        }
        // Where a request that was fine came from is not what one looks for.
        let is_wanted = area.width >= WIDE && (is_failed || !event.flags().has(Flags::REQUEST));
        let to = from.saturating_sub(1);
        return place_before(area, buf, row, to, columns.has_place && is_wanted, view).unwrap_or(from);
    }
    let is_wanted = columns.has_place && event.level() >= Level::Warn;
    let end = place_before(area, buf, row, end, is_wanted, view).or(is_new.then_some(end));
    end.unwrap_or(area.right())
}

/// The place of an event, if that `is_wanted`, up to the column `end`; gives where the text has to end then.
fn place_before(
    area: Rect,
    buf: &mut Buffer,
    row: &Row<'_, '_>,
    end: u16,
    is_wanted: bool,
    view: &View<'_>,
) -> Option<u16> {
    let theme = view.theme;
    let place = place::of(row.entry.last.event()).filter(|_| is_wanted)?;
    let place = theme.gate.line(&place, usize::from((area.width / 4).min(28)));
    let from = end.saturating_sub(u16::try_from(place.columns).unwrap_or(28));
    let style = if row.is_selected { theme.selected(theme.dim) } else { theme.dim };
    draw::line(buf, area, from, area.y, &place, style);
    Some(from.saturating_sub(1))
}

/// How often a run happened and how late an event came, at the right end of the text; gives what is left of it.
fn aside(rest: Rect, buf: &mut Buffer, row: &Row<'_, '_>, view: &View<'_>) -> Rect {
    let theme = view.theme;
    let mut parts = Vec::new();
    if let Some(late) = lateness(row.entry, view) {
        parts.push(format!("late {}", format::duration(late, theme.glyphs)));
    }
    if row.entry.times > 1 {
        parts.push(format!("{}{}", theme.glyphs.times, format::count(u64::from(row.entry.times))));
    }
    if parts.is_empty() || rest.width < 20 {
        return rest;
    }
    let text = parts.join(" ");
    let width = u16::try_from(theme.gate.columns(&text)).unwrap_or(0);
    let x = rest.right().saturating_sub(width);
    draw::text(
        buf,
        rest,
        x,
        rest.y,
        &text,
        if row.is_selected { theme.selected(theme.accent) } else { theme.accent },
    );
    Rect { width: rest.width - width.min(rest.width - 1) - 1, ..rest }
}

/// How long after it happened an event came, if others that happened later had come before it.
fn lateness(entry: &Entry<'_>, view: &View<'_>) -> Option<Micros> {
    let at = entry.last;
    let (inst, recv) = (at.moment.inst, at.event().recv());
    let late = recv.since(inst);
    // A recording may be of several sources, which were not heard one through the other.
    if late <= LATE_MS || view.facts.recording.is_some() {
        return None;
    }
    let bound = |at: Timestamp| at.min(recv);
    let in_chunk = at.chunk.insts()[..at.row].iter().map(|other| bound(*other)).max();
    let before = view.snapshot.segments.iter().take_while(|segment| segment.end() <= at.moment.ordinal);
    let newest = before.map(|segment| bound(segment.chunk.order().span.1)).chain(in_chunk).max()?;
    (newest.since(inst) > LATE_MS).then(|| Micros(late.unsigned_abs().saturating_mul(1_000)))
}

/// What happened, with what the filter looks for underlined; where no column shows that, why the row is here.
fn text(
    area: Rect,
    buf: &mut Buffer,
    (event, whys): (EventRef<'_>, &mut why::Known),
    (style, aside): (Style, Style),
    view: &View<'_>,
) {
    let theme = view.theme;
    let mut line = theme.gate.line(&row_text(event), usize::from(area.width));
    let mut hits = Vec::new();
    if !view.highlighter.is_empty() {
        let text = line.text();
        hits = draw::hits(&text, view.highlighter.spans(&text));
    }
    let Some(why) = whys.of(event, view).filter(|_| hits.is_empty()) else {
        draw::line(buf, area, area.x, area.y, &line, style);
        for (x, columns) in hits {
            draw::restyle(buf, area, (area.x + x, area.y), columns, theme.matched);
        }
        return;
    };
    let [open, close] = theme.glyphs.aside;
    let name = format!("{open}{}{close} ", theme.gate.plain(&why.name));
    let most = usize::from(area.width / 2).saturating_sub(theme.gate.columns(&name));
    let excerpt = theme.gate.line(&why.excerpt, most);
    let width = u16::try_from(theme.gate.columns(&name) + excerpt.columns).unwrap_or(u16::MAX);
    let start = area.right().saturating_sub(width).max(area.x);
    line = theme.gate.line(&row_text(event), usize::from(start.saturating_sub(area.x + 2)));
    draw::line(buf, area, area.x, area.y, &line, style);
    let x = draw::text(buf, area, start, area.y, &name, aside);
    draw::line(buf, area, x, area.y, &excerpt, aside);
    let text = excerpt.text();
    for (at, columns) in draw::hits(&text, view.highlighter.spans(&text)) {
        draw::restyle(buf, area, (x + at, area.y), columns, theme.matched);
    }
}
