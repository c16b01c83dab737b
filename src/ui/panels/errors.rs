//! Errors that are the same, one row for each group, and what is known of the one selected.
//!
//! Shown by the app as screen 2. It keeps the order and the place; the groups come from the tables. Tab goes to the
//! occurrences of the selected group, each of which opens in its session.

mod detail;
mod differs;
mod loads;
mod occurrences;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::table::{
    Align, Cell, Column, List, Place, WIDE, below, cell, height_above, plain, row_of, sorted,
};
use super::{Panel, table, timeline};
use crate::event::{EventRef, Level};
use crate::stats::GroupRow;
use crate::ui::cursor::Cursor;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::theme::level_word;
use crate::ui::view::{Request, View};
use crate::ui::{draw, place, whose};
use detail::Frames;
use differs::Differs;
use loads::GroupLoads;
use occurrences::Occurrences;

const NEW: usize = 2;
const COUNT: usize = 3;
const SESSIONS: usize = 4;
const FIRST: usize = 5;

const COLUMNS: [Column; 11] = [
    plain("", Align::Left, (3, 3), 0),
    plain("grp", Align::Left, (4, 4), 50),
    sorted("new", Align::Left, (3, 3), 0),
    sorted("count", Align::Right, (6, 7), 0),
    sorted("sess", Align::Right, (6, 6), 60),
    sorted("first", Align::Right, (5, 5), 70),
    sorted("last", Align::Right, (5, 5), 0),
    plain("trend", Align::Left, (8, 8), 90),
    plain("loads", Align::Left, (8, 8), 140),
    plain("where", Align::Left, (18, 22), 110),
    plain("message", Align::Rest, (0, 0), 0),
];

/// What stands beside another screen.
const SIDE: [Column; 5] = [
    plain("", Align::Left, (3, 3), 0),
    plain("", Align::Left, (1, 1), 0),
    plain("", Align::Right, (5, 5), 0),
    plain("", Align::Right, (4, 4), 0),
    plain("", Align::Rest, (0, 0), 0),
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
    loads: GroupLoads,
    occurrences: Occurrences,
    differs: Differs,
    frames: Frames,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            list: List::new(&COLUMNS, NEW),
            loads: GroupLoads::default(),
            occurrences: Occurrences::default(),
            differs: Differs::default(),
            frames: Frames::default(),
        }
    }
}

impl Panel for Errors {
    fn arrive(&mut self) {
        self.list.reorder();
    }

    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let (_, keys) = self.arrange(view);
        if let Action::NextError | Action::PreviousError = action {
            let next = self.next_new(&keys, action == Action::NextError, view);
            next.into_iter().for_each(|key| self.list.select(key));
            return Request::Done;
        }
        if let Action::Fold | Action::Raw = action {
            let asked = if action == Action::Raw { Frames::Raw } else { Frames::All };
            self.frames = asked.or_usual(self.frames);
            return Request::Done;
        }
        if let (Some(_), Some(group)) = (&self.occurrences.cursor, self.current(&keys)) {
            return self.on_occurrence(action, group, view);
        }
        if let Action::NextPane | Action::PreviousPane = action {
            let Some(group) = self.current(&keys) else { return Request::Ignored };
            self.list.select(group);
            let mut cursor = Cursor::default();
            let first = self.occurrences_of(group, view).first().copied();
            first.into_iter().for_each(|ordinal| cursor.select(ordinal));
            self.occurrences.cursor = Some(cursor);
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
        self.loads.refresh(view);
        let (places, keys) = self.arrange(view);
        let groups = &view.tables.groups;
        let table_rows =
            if area.height >= DETAIL_FROM { height_above(area, groups.len()) } else { area.height };
        let table = Rect { height: table_rows, ..area };
        let note = note(area.width, groups.iter().filter(|row| self.loads.is_gone(row.group)).count(), view);
        let (all_sessions, loads) = (all_sessions(view), &self.loads);
        self.list.render((table, &mut *buf), view.theme, (&places, &keys), &note, |index| {
            cells(&groups[index], all_sessions, loads, view)
        });
        let current = self.current(&keys).and_then(|key| groups.iter().find(|row| row.group == key));
        match current {
            Some(group) => {
                self.occurrences.find(group.group, group.count, view);
                let mark = mark(group, &self.loads, view);
                let differs = self.differs.find(group.group, group.count, view);
                let parts = (mark, differs, self.frames, &mut self.occurrences);
                detail::render((below(area, table_rows), buf), group, parts, view);
            }
            None => {
                let text =
                    if view.is_filtered { view.no_match("errors") } else { "no errors so far".to_owned() };
                draw::text(buf, table, area.x.saturating_add(2), row_of(table, 2).y, &text, view.theme.dim);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.occurrences.cursor.is_some() {
            return &[("↵", "its session at that moment"), ("Tab", "groups"), ("Esc", "back")];
        }
        &[
            ("↵", "its events"),
            ("Tab", "occurrences"),
            ("T", "timeline"),
            ("n", "next new"),
            ("N", "new before"),
            ("-", "hide group"),
            ("o", "editor"),
            ("z", "whole stack"),
            ("v", "raw stack"),
            ("< >", "sort"),
            ("i", "turn round"),
        ]
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        let selected = *self.list.selected()?;
        let is_listed = view.tables.groups.iter().any(|row| row.group == selected);
        term_of(selected).filter(|_| is_listed)
    }

    fn event<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let chosen = self.occurrences.cursor.as_ref().and_then(Cursor::selected).copied();
        chosen.and_then(|ordinal| view.snapshot.event(ordinal)).or_else(|| self.latest(view))
    }

    fn on_click(&mut self, at: Position) -> bool {
        self.list.click(at)
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

    /// Draws the new groups and the latest of the others in a few rows beside another screen.
    pub(in crate::ui) fn render_side(&self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let groups = &view.tables.groups;
        let title = format!("errors, new in this load first {} 2 shows all", theme.glyphs.dot);
        draw::rule(buf, area, &title, &counted(groups.len() as u64, "group"), theme.rule, theme.glyphs);
        let mut rows: Vec<&GroupRow> = groups.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((is_new(row, view), row.last)));
        let body = below(area, 1);
        let placed = table::place(&SIDE, body);
        for (y, row) in (0..body.height).zip(rows) {
            let level = match row.status {
                Some(status) => cell(status.to_string(), theme.level(row.level)),
                None => cell(level_word(row.level), theme.level(row.level)),
            };
            let cells = [
                level,
                cell(if is_new(row, view) { "N" } else { "" }, theme.accent),
                cell(format::count_short(row.count), theme.text),
                cell(format::age(view.now.since(row.last)), theme.dim),
                cell(message(row), theme.text),
            ];
            table::draw_row((row_of(body, y), &mut *buf), theme, &placed, &cells, [false; 2]);
        }
        if groups.is_empty() {
            draw::text(buf, body, body.x.saturating_add(2), body.y, "none", theme.dim);
        }
    }

    fn occurrences_of(&mut self, group: u64, view: &View<'_>) -> &[u64] {
        let count = view.tables.groups.iter().find(|row| row.group == group).map_or(0, |row| row.count);
        self.occurrences.find(group, count, view)
    }

    /// A key among the occurrences of `group`.
    fn on_occurrence(&mut self, action: Action, group: u64, view: &View<'_>) -> Request {
        let kept = self.occurrences_of(group, view).to_vec();
        let Some(cursor) = &mut self.occurrences.cursor else { return Request::Ignored };
        let step = match action {
            Action::Back | Action::NextPane | Action::PreviousPane => {
                self.occurrences.cursor = None;
                return Request::Done;
            }
            Action::Open | Action::Timeline => {
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

    /// The latest event of the selected group, while it is kept.
    pub(in crate::ui) fn latest<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let (_, keys) = self.arrange(view);
        let group = self.current(&keys)?;
        let row = view.tables.groups.iter().find(|row| row.group == group)?;
        view.snapshot.event(row.last_ordinal)
    }

    /// The selected group while it is listed, else the first.
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

/// `N` for what is new in its tab's newest load, `G` for what has not come back in it.
fn mark(row: &GroupRow, loads: &GroupLoads, view: &View<'_>) -> &'static str {
    match (is_new(row, view), loads.is_gone(row.group)) {
        (true, _) => "N",
        (false, true) => "G",
        (false, false) => "",
    }
}

/// Whether an alert about this group holds.
fn is_told(row: &GroupRow, view: &View<'_>) -> bool {
    row.group != OTHER && view.alerted.about(row.group).is_some()
}

/// How many groups there are and, where there is room, what the marks and trends mean.
fn note(width: u16, gone: usize, view: &View<'_>) -> String {
    let (dot, groups) = (view.theme.glyphs.dot, counted(view.tables.groups.len() as u64, "group"));
    match view.tables.span.filter(|_| width >= WIDE && !view.tables.groups.is_empty()) {
        Some((from, _)) => {
            let from = from.to_jiff().to_zoned_datetime(view.zone.clone()).strftime("%H:%M:%S").to_string();
            let gone = if gone > 0 { format!("G {gone} gone {dot} ") } else { String::new() };
            let told = view.tables.groups.iter().any(|row| is_told(row, view));
            let told = if told { format!("! alert {dot} ") } else { String::new() };
            format!("{told}N new in this load {dot} {gone}trend from {from} {dot} {groups}")
        }
        None => groups,
    }
}

/// When a group's events happened, of the time that all on screen took.
fn trend(row: &GroupRow, view: &View<'_>) -> String {
    let Some((from, to)) = view.tables.span else { return String::new() };
    format::sparkline(&row.trend.over(from, to.max(view.now), TREND), view.theme.glyphs)
}

fn cells<'a>(row: &'a GroupRow, all_sessions: u64, loads: &GroupLoads, view: &View<'_>) -> Vec<Cell<'a>> {
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
        match is_told(row, view) {
            true => cell(format!("!{}", mark(row, loads, view)), theme.worse),
            false => cell(mark(row, loads, view), theme.accent),
        },
        cell(format::count_short(row.count), theme.text),
        cell(sessions(row.sessions, all_sessions), theme.text),
        cell(age(row.first), theme.dim),
        cell(age(row.last), theme.text),
        cell(trend(row, view), if is_new(row, view) { theme.accent } else { theme.dim }),
        cell(format::sparkline(&loads.counts(row.group), theme.glyphs), theme.dim),
        cell(view.snapshot.event(row.last_ordinal).map(place_or_page).unwrap_or_default(), theme.dim),
        cell(message(row), if row.level >= Level::Error { theme.text } else { theme.dim }),
    ]
}

/// Where in the source; of a request that does not say that, the page that made it.
fn place_or_page(event: EventRef<'_>) -> String {
    let page = || if event.endpoint().is_empty() { String::new() } else { whose::page(event) };
    place::of(event).unwrap_or_else(page)
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
