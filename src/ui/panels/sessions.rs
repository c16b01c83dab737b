//! Who is there: one row for each session, live or gone.
//!
//! Shown by the app as screen 4. Enter shows a session over time, `v` its events in the stream; below the list stand the
//! page loads of the session selected, side by side.

mod loads;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Panel;
use super::table::{Align, Cell, Column, List, Place, below, cell, or_none, plain, row_of, sorted, term};
use crate::event::{EventRef, MappedFrame};
use crate::stats::SessionRow;
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::tabs;
use crate::ui::view::{Request, View};
use crate::ui::whose;
use loads::SessionLoads;

const SESSION: usize = 1;
const USER: usize = 2;
const AGE: usize = 6;
const EVENTS: usize = 7;
const ERRORS: usize = 8;
const SLOW: usize = 10;
const LAST: usize = 12;

const COLUMNS: [Column; 14] = [
    plain("", Align::Right, (1, 1), 0),
    sorted("session", Align::Left, (12, 16), 0),
    sorted("user", Align::Left, (9, 12), 60).most(24),
    plain("load", Align::Left, (6, 6), 76),
    plain("page", Align::Left, (14, 16), 110),
    plain("browser", Align::Left, (16, 19), 132).most(20),
    sorted("age", Align::Right, (4, 4), 70),
    sorted("events", Align::Right, (6, 6), 0),
    sorted("err", Align::Right, (5, 5), 0),
    // The mark of what is new stands close to the errors.
    plain("", Align::Left, (1, 1), 0),
    sorted("slow", Align::Right, (5, 4), 76),
    plain("p99", Align::Right, (5, 5), 90),
    sorted("last", Align::Right, (4, 4), 0),
    plain("last event", Align::Rest, (0, 0), 50),
];

/// The height from which the loads of a session are shown.
const LOADS_FROM: u16 = 18;
/// The height from which there is a line for what the marks mean.
const LEGEND_FROM: u16 = 8;

/// The sessions screen.
#[derive(Debug)]
pub(in crate::ui) struct Sessions {
    list: List<Arc<str>>,
    loads: SessionLoads,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { list: List::new(&COLUMNS, LAST), loads: SessionLoads::default() }
    }
}

impl Panel for Sessions {
    fn arrive(&mut self) {
        self.list.reorder();
    }

    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let (_, keys) = self.arrange(view);
        if let Action::Raw | Action::Open | Action::Timeline = action {
            let session = self.list.selected().filter(|session| keys.contains(session)).or(keys.first());
            let Some(session) = session else { return Request::Ignored };
            // What has no session id is no course of events.
            if action == Action::Raw || session.is_empty() {
                let row = view.tables.sessions.iter().find(|row| row.session == *session);
                return Request::Drill { term: term_of(session), origin: row.map(|row| row.first) };
            }
            return Request::Timeline { session: Arc::clone(session), ordinal: None };
        }
        if self.list.on_action(action, &keys) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (places, keys) = self.arrange(view);
        let sessions = &view.tables.sessions;
        let legend_rows = u16::from(area.height >= LEGEND_FROM);
        let current = self.list.selected().filter(|session| keys.contains(session)).or(keys.first()).cloned();
        if let Some(session) = &current {
            self.loads.refresh(session, view);
        }
        let has_loads = current.is_some() && area.height >= LOADS_FROM;
        let loads_rows = if has_loads { self.loads.height() } else { 0 };
        // The list takes what it needs, and the loads stand right below it.
        let needed = u16::try_from(sessions.len()).unwrap_or(u16::MAX).saturating_add(3);
        let room = area.height - legend_rows - loads_rows;
        let table = Rect { height: if has_loads { needed.min(room) } else { room }, ..area };
        if let Some(session) = current.filter(|_| has_loads) {
            let rest = Rect { height: loads_rows, ..below(area, table.height) };
            self.loads.render(rest, buf, &session, view);
        }
        let live = format::count(view.snapshot.live.len() as u64);
        let note = format!("{}, {live} live", counted(sessions.len() as u64, "session"));
        let loads = &self.loads;
        self.list.render((table, &mut *buf), view.theme, (&places, &keys), &note, |index| {
            cells(&sessions[index], loads, view)
        });
        if sessions.is_empty() {
            let text =
                if view.is_filtered { view.no_match("sessions") } else { "no sessions so far".to_owned() };
            draw::text(buf, table, area.x.saturating_add(2), row_of(table, 2).y, &text, view.theme.dim);
        }
        if legend_rows > 0 {
            let row = row_of(area, area.height - 1);
            let line = view.theme.gate.line(&legend(view), usize::from(area.width.saturating_sub(4)));
            draw::line(buf, row, row.x.saturating_add(2), row.y, &line, view.theme.dim);
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("↵", "timeline"),
            ("v", "its events"),
            ("s", "only this one"),
            ("D", "ask the page"),
            ("-", "leave out"),
            ("o", "where it last failed"),
            ("< >", "sort"),
            ("i", "turn round"),
        ]
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        let is_listed = |session: &Arc<str>| view.tables.sessions.iter().any(|row| row.session == *session);
        self.list.selected().filter(|session| is_listed(session)).map(|session| term_of(session))
    }

    fn session(&mut self, view: &View<'_>) -> Option<Arc<str>> {
        let (_, keys) = self.arrange(view);
        self.list.selected().filter(|session| keys.contains(session)).or(keys.first()).cloned()
    }

    fn event<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let session = self.session(view)?;
        let row = view.tables.sessions.iter().find(|row| row.session == session)?;
        view.snapshot.event(row.last_ordinal)
    }

    /// Where its newest error happened; without one, the newest place that it tells of.
    fn source<'v>(&mut self, view: &View<'v>) -> Option<&'v MappedFrame> {
        let session = self.session(view)?;
        let newest = || {
            let placed = view.snapshot.segments.iter().rev().flat_map(|segment| {
                let rows = segment.chunk.mapped().rev();
                let kept = rows.filter(|(row, _)| segment.base + *row as u64 >= view.snapshot.first);
                kept.map(|(row, mapped)| (segment.chunk.event(row), mapped))
            });
            placed
                .filter(|(event, _)| event.session() == &*session)
                .filter_map(|(event, mapped)| Some((event, mapped.place()?)))
        };
        let error = newest().find(|(event, _)| event.group().is_some());
        error.or_else(|| newest().next()).map(|(_, place)| place)
    }

    fn on_click(&mut self, at: Position) -> bool {
        self.list.click(at)
    }
}

impl Sessions {
    fn arrange(&mut self, view: &View<'_>) -> (Vec<Place>, Vec<Arc<str>>) {
        let rows = &view.tables.sessions;
        let places = self.list.arrange(
            rows,
            |row| Arc::clone(&row.session),
            |column, a, b| match column {
                SESSION => a.session.cmp(&b.session),
                USER => a.user.cmp(&b.user),
                AGE => b.first.cmp(&a.first),
                EVENTS => b.events.cmp(&a.events),
                ERRORS => b.errors.cmp(&a.errors),
                SLOW => b.slow.cmp(&a.slow),
                _ => b.last.cmp(&a.last),
            },
        );
        let keys = places.iter().map(|place| Arc::clone(&rows[place.index].session)).collect();
        (places, keys)
    }
}

fn term_of(session: &str) -> String {
    if session.is_empty() { "no:session".to_owned() } else { term("session", session) }
}

fn cells<'a>(row: &'a SessionRow, loads: &SessionLoads, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let glyphs = theme.glyphs;
    let is_live = view.snapshot.live.contains_key(&row.session);
    let mark = match (row.session.is_empty(), is_live) {
        (true, _) => cell(glyphs.unknown, theme.dim),
        (false, true) => cell(glyphs.live, theme.good),
        (false, false) => cell(glyphs.gone, theme.dim),
    };
    let load = tabs::load(&view.snapshot.loads, &row.tab, row.load, glyphs);
    let latest = view.snapshot.event(row.last_ordinal);
    let page = latest.map(whose::page).unwrap_or_default();
    let browser = whose::browser(&row.session, latest, view);
    let p99 =
        loads.p99(&row.session).map_or_else(|| glyphs.none.to_owned(), |span| format::duration(span, glyphs));
    let session = if row.session.is_empty() { "?" } else { &row.session };
    let bad = |count: u64, style| cell(format::count_short(count), if count > 0 { style } else { theme.dim });
    vec![
        mark,
        cell(session, theme.text),
        cell(or_none(&row.user, theme).to_owned(), theme.text),
        cell(load, theme.text),
        cell(or_none(&page, theme).to_owned(), theme.dim),
        cell(browser.unwrap_or_else(|| glyphs.none.to_owned()), theme.dim),
        cell(format::age(view.now.since(row.first)), theme.dim),
        cell(format::count_short(row.events), theme.text),
        bad(row.errors, theme.error),
        cell(if loads.has_new(&row.session) { "N" } else { "" }, theme.accent),
        bad(row.slow, theme.warn),
        cell(p99, theme.text),
        cell(format::age(view.now.since(row.last)), theme.text),
        match view.snapshot.lost.contains(&row.session) {
            true => cell("connection lost", theme.warn),
            false => cell(&*row.last_msg, theme.text),
        },
    ]
}

fn legend(view: &View<'_>) -> String {
    let glyphs = view.theme.glyphs;
    let marks = format!(
        "{} live   {} gone   {} without a session id   N new errors in its page load",
        glyphs.live, glyphs.gone, glyphs.unknown
    );
    match view.tables.sessions_evicted {
        0 => marks,
        left => format!("{} left to make room {} {marks}", format::count(left), glyphs.dot),
    }
}
