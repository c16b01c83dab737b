//! Errors that are the same, one row for each group, and what is known of the one selected.
//!
//! Shown by the app as screen 2. It keeps the order and the place; the groups come from the tables.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::table::{
    Align, Cell, Column, List, Place, WIDE, below, cell, clock, height_above, or_none, plain, row_of, sorted,
};
use super::{Panel, timeline};
use crate::event::gate::Line;
use crate::event::{EventRef, Level, json};
use crate::stats::GroupRow;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::theme::level_word;
use crate::ui::view::{Request, View};
use crate::ui::{code_frame, draw};

const NEW: usize = 2;
const COUNT: usize = 3;
const SESSIONS: usize = 4;
const FIRST: usize = 5;

const COLUMNS: [Column; 9] = [
    plain("", Align::Left, (3, 3), 0),
    plain("grp", Align::Left, (4, 4), 50),
    sorted("new", Align::Left, (3, 3), 0),
    sorted("count", Align::Right, (6, 7), 0),
    sorted("sess", Align::Right, (6, 6), 60),
    sorted("first", Align::Right, (5, 5), 70),
    sorted("last", Align::Right, (5, 5), 0),
    plain("trend", Align::Left, (8, 8), 76),
    plain("message", Align::Rest, (0, 0), 0),
];

/// The height from which the selected group is shown below the table.
const DETAIL_FROM: u16 = 20;
/// Columns of the trend.
const TREND: usize = 8;
/// The group of everything that did not fit; no event carries it.
const OTHER: u64 = u64::MAX;
/// Sessions counted for a group; there may be more.
const MAX_SESSIONS: usize = 1_024;

/// The errors screen.
#[derive(Debug)]
pub(in crate::ui) struct Errors {
    list: List<u64>,
}

impl Default for Errors {
    fn default() -> Self {
        Self { list: List::new(&COLUMNS, NEW) }
    }
}

impl Panel for Errors {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let (_, keys) = self.arrange(view);
        if let Action::NextError | Action::PreviousError = action {
            let next = self.next_new(&keys, action == Action::NextError, view);
            next.into_iter().for_each(|key| self.list.select(key));
            return Request::Done;
        }
        if action == Action::Open {
            let Some(group) = self.current(&keys) else { return Request::Ignored };
            return term_of(group).map_or(Request::Done, |term| Request::Drill { term, origin: None });
        }
        if action == Action::Timeline {
            let group = self.current(&keys);
            let row = view.tables.groups.iter().find(|row| Some(row.group) == group);
            return row.map_or(Request::Ignored, |row| timeline::request(row.last_ordinal, view));
        }
        if self.list.on_action(action, &keys) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (places, keys) = self.arrange(view);
        let groups = &view.tables.groups;
        let table_rows =
            if area.height >= DETAIL_FROM { height_above(area, groups.len()) } else { area.height };
        let table = Rect { height: table_rows, ..area };
        let note = note(area.width, view);
        let all_sessions = all_sessions(view);
        self.list.render((table, &mut *buf), view.theme, (&places, &keys), &note, |index| {
            cells(&groups[index], all_sessions, view)
        });
        let current = self.current(&keys).and_then(|key| groups.iter().find(|row| row.group == key));
        match current {
            Some(group) => render_detail(below(area, table_rows), buf, group, view),
            None => {
                let text = if view.is_filtered { "no errors among the matches" } else { "no errors so far" };
                draw::text(buf, table, area.x.saturating_add(2), row_of(table, 2).y, text, view.theme.dim);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("↵", "its events"),
            ("T", "timeline"),
            ("n", "next new"),
            ("N", "new before"),
            ("< >", "sort"),
            ("i", "turn round"),
            ("-", "hide group"),
        ]
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        let selected = *self.list.selected()?;
        let is_listed = view.tables.groups.iter().any(|row| row.group == selected);
        term_of(selected).filter(|_| is_listed)
    }
}

impl Errors {
    fn arrange(&mut self, view: &View<'_>) -> (Vec<Place>, Vec<u64>) {
        let groups = &view.tables.groups;
        let places = self.list.arrange(
            groups,
            |row| row.group,
            |column, a, b| match column {
                NEW => is_new(b, view).cmp(&is_new(a, view)).then(b.last.cmp(&a.last)),
                COUNT => b.count.cmp(&a.count),
                SESSIONS => b.sessions.cmp(&a.sessions),
                FIRST => b.first.cmp(&a.first),
                _ => b.last.cmp(&a.last),
            },
        );
        let keys = places.iter().map(|place| groups[place.index].group).collect();
        (places, keys)
    }

    /// The new group after or before the selected one, round the end.
    fn next_new(&self, keys: &[u64], is_forward: bool, view: &View<'_>) -> Option<u64> {
        let selected = self.list.selected().and_then(|own| keys.iter().position(|key| key == own));
        let split = match (selected, is_forward) {
            (Some(at), true) => at + 1,
            (Some(at), false) => at,
            (None, _) => 0,
        };
        let (before, after) = keys.split_at(split);
        let mut round = after.iter().chain(before);
        let is_new = |key: &&u64| **key != OTHER && view.fresh.contains(key);
        if is_forward { round.find(is_new).copied() } else { round.rfind(is_new).copied() }
    }

    /// The selected group while it is listed, else the first.
    /// The latest event of the selected group, while it is kept.
    pub(in crate::ui) fn latest<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let (_, keys) = self.arrange(view);
        let group = self.current(&keys)?;
        let row = view.tables.groups.iter().find(|row| row.group == group)?;
        view.snapshot.event(row.last_ordinal)
    }

    fn current(&self, keys: &[u64]) -> Option<u64> {
        let selected = self.list.selected().filter(|key| keys.contains(key));
        selected.or(keys.first()).copied()
    }
}

fn term_of(group: u64) -> Option<String> {
    (group != OTHER).then(|| format!("group:{group:016x}"))
}

fn is_new(row: &GroupRow, view: &View<'_>) -> bool {
    row.group != OTHER && view.fresh.contains(&row.group)
}

/// How many groups there are and, where there is room, what the marks and trends mean.
fn note(width: u16, view: &View<'_>) -> String {
    let (dot, groups) = (view.theme.glyphs.dot, counted(view.tables.groups.len() as u64, "group"));
    match view.tables.span.filter(|_| width >= WIDE && !view.tables.groups.is_empty()) {
        Some((from, _)) => {
            let from = clock(from, view.zone);
            format!("N is new in its tab's newest load {dot} trend from {from} {dot} {groups}")
        }
        None => groups,
    }
}

/// When a group's events happened, of the time that all on screen took.
fn trend(row: &GroupRow, view: &View<'_>) -> String {
    let Some((from, to)) = view.tables.span else { return String::new() };
    format::sparkline(&row.trend.over(from, to.max(view.now), TREND), view.theme.glyphs)
}

fn cells<'a>(row: &'a GroupRow, all_sessions: u64, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let age = |at| format::age(view.now.since(at));
    let group =
        if row.group == OTHER { theme.glyphs.none.to_owned() } else { format!("{:04x}", row.group >> 48) };
    vec![
        match row.status {
            Some(status) => cell(status.to_string(), theme.level(row.level)),
            None => cell(level_word(row.level), theme.level(row.level)),
        },
        cell(group, theme.dim),
        cell(if is_new(row, view) { "N" } else { "" }, theme.accent),
        cell(format::count_short(row.count), theme.text),
        cell(sessions(row.sessions, all_sessions), theme.text),
        cell(age(row.first), theme.dim),
        cell(age(row.last), theme.text),
        cell(trend(row, view), if is_new(row, view) { theme.accent } else { theme.dim }),
        cell(message(row), if row.level >= Level::Error { theme.text } else { theme.dim }),
    ]
}

fn message(row: &GroupRow) -> &str {
    if row.group == OTHER { "all groups that came after 5,000 others" } else { &row.message }
}

/// `1/2`: the sessions a group was met in, of all there were.
fn sessions(count: usize, all: u64) -> String {
    let more = if count >= MAX_SESSIONS { "+" } else { "" };
    format!("{}{more}/{}", format::count_short(count as u64), format::count_short(all))
}

/// Sessions with an id, whatever the filter.
fn all_sessions(view: &View<'_>) -> u64 {
    view.snapshot.tables.sessions.iter().filter(|row| !row.session.is_empty()).count() as u64
}

/// The whole message, the numbers, and the stack of the latest occurrence while that is kept.
fn render_detail(area: Rect, buf: &mut Buffer, group: &GroupRow, view: &View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width.saturating_sub(2));
    let kind = theme.gate.plain_capped(or_none(&group.subtype, theme), 24);
    let title = match group.status {
        Some(status) => format!("{} {kind} {status}", level_word(group.level)),
        None => format!("{} {kind}", level_word(group.level)),
    };
    draw::rule(buf, area, &title, "", theme.rule, theme.glyphs);
    let dot = theme.glyphs.dot;
    let more = if group.sessions >= MAX_SESSIONS { " or more" } else { "" };
    let name = match group.group {
        OTHER => "other groups".to_owned(),
        group => format!("group {group:016x}"),
    };
    let counts = format!(
        "{name} {dot} {} {dot} {}{more}\nfirst {} {dot} last {}",
        counted(group.count, "event"),
        counted(group.sessions as u64, "session"),
        clock(group.first, view.zone),
        clock(group.last, view.zone),
    );
    let body = below(area, 1);
    let message_rows = usize::from(body.height / 2).max(1);
    let mut lines: Vec<_> = theme
        .gate
        .lines(message(group), width, message_rows)
        .into_iter()
        .map(|line| (line, theme.title))
        .collect();
    lines.extend(theme.gate.lines(&counts, width, 3).into_iter().map(|line| (line, theme.dim)));
    let latest = view.snapshot.event(group.last_ordinal);
    let said = latest.map(|event| event.msg()).filter(|said| *said != message(group));
    if let Some(said) = said {
        let said = format!("the latest says: {said}");
        lines.extend(theme.gate.lines(&said, width, 2).into_iter().map(|line| (line, theme.text)));
    }
    lines.push(Default::default());
    let room = usize::from(body.height).saturating_sub(lines.len());
    if let Some(mapped) = latest.and_then(|event| event.mapped()).filter(|mapped| !mapped.traces.is_empty()) {
        let rows = code_frame::rows(mapped, false, width, theme);
        lines.extend(rows.into_iter().take(room).map(|row| (row.line, row.style)));
        return draw_lines(body, buf, &lines);
    }
    let stack = latest.and_then(|event| event.get(&["stack"])).and_then(json::text);
    let text = match (&stack, latest) {
        (Some(stack), _) => stack,
        (None, Some(_)) => "its latest occurrence has no stack",
        (None, None) => "its latest occurrence is no longer kept",
    };
    let style = if stack.is_some() { theme.text } else { theme.dim };
    lines.extend(theme.gate.lines(text, width, room).into_iter().map(|line| (line, style)));
    draw_lines(body, buf, &lines);
}

fn draw_lines(body: Rect, buf: &mut Buffer, lines: &[(Line, Style)]) {
    for (y, (line, style)) in (0..body.height).zip(lines) {
        let row = row_of(body, y);
        draw::line(buf, row, row.x.saturating_add(1), row.y, line, *style);
    }
}
