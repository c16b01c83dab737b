//! One session over time: lanes of what the page did, and below them the list of its events.
//!
//! Opened with `T` at an event or for a session. It draws the matching events of that session, the newest 5,000 of
//! them, and follows the end until the cursor is moved; the cursor is an event and stays at it.

mod axis;
mod lanes;
mod layout;
#[cfg(test)]
mod tests;
mod track;

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Panel;
use super::stream::{kind_word, row_text, term_of};
use super::table::{Align, Cell, Column, WIDE, cell, clock, draw_row, or_none, place, plain, row_of};
use crate::event::{EventRef, Flags, Symbol, Timestamp};
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::tabs;
use crate::ui::theme::level_word;
use crate::ui::view::{Request, View};
use crate::ui::whose;
use axis::{Axis, Zoom};
use lanes::{Scene, Strip, marks};
use layout::Layout;
use track::{Entry, Lane, MAX_EVENTS, Track, Tracker};

/// The list of events.
const EVENTS: [Column; 6] = [
    plain("", Align::Right, (10, 10), 0),
    plain("", Align::Left, (8, 13), 0),
    plain("", Align::Rest, (0, 0), 0),
    plain("", Align::Right, (4, 6), 60),
    plain("", Align::Right, (8, 9), 50),
    plain("", Align::Left, (0, 17), 100),
];

/// Where the keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Lanes,
    List,
}

/// The timeline.
#[derive(Debug, Default)]
pub(in crate::ui) struct Timeline {
    session: Arc<str>,
    /// Its symbol, once looked up.
    symbol: Option<Symbol>,
    tracker: Tracker,
    /// The event the cursor is at, and when that was; none while it follows the end.
    cursor: Option<(u64, Timestamp)>,
    zoom: Zoom,
    pane: Pane,
    /// The lane the keys stay in; none for all.
    lane: Option<Lane>,
    /// The earliest beginning seen: offsets must not change when old events leave.
    origin: Option<Timestamp>,
    /// A page load and its beginning, from which the offsets on screen count.
    zero: Option<(Option<i32>, Timestamp)>,
    /// Where the window began when it was last drawn.
    from: i64,
    /// Rows of the list when it was last drawn.
    height: usize,
}

impl Panel for Timeline {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let track = self.track(view);
        let page = isize::try_from(self.height.max(2) - 1).unwrap_or(isize::MAX);
        let whole = self.whole(&track);
        match (action, self.pane) {
            (Action::Right, _) => self.step(&track, 1, |timeline, entry| timeline.is_in_lane(entry)),
            (Action::Left, _) => self.step(&track, -1, |timeline, entry| timeline.is_in_lane(entry)),
            (Action::NextError, _) => self.step(&track, 1, |_, entry| entry.is_error()),
            (Action::PreviousError, _) => self.step(&track, -1, |_, entry| entry.is_error()),
            (Action::Down, Pane::List) => self.step(&track, 1, |_, _| true),
            (Action::Up, Pane::List) => self.step(&track, -1, |_, _| true),
            (Action::Down, Pane::Lanes) => self.step_lane(1),
            (Action::Up, Pane::Lanes) => self.step_lane(-1),
            (Action::PageDown, _) => self.step(&track, page, |_, _| true),
            (Action::PageUp, _) => self.step(&track, -page, |_, _| true),
            (Action::Top, _) => self.cursor = track.entries.first().map(|entry| (entry.ordinal, entry.end)),
            (Action::Bottom, _) => self.cursor = None,
            (Action::Fold, _) => self.zoom = self.zoom.step(-1, whole),
            (Action::ZoomOut, _) => self.zoom = self.zoom.step(1, whole),
            (Action::NextPane | Action::PreviousPane, pane) => {
                self.pane = if pane == Pane::Lanes { Pane::List } else { Pane::Lanes };
            }
            (Action::Open, _) => {
                let entry = self.position(&track).map(|at| &track.entries[at]).or(track.entries.last());
                return entry.map_or(Request::Done, |entry| Request::Show { ordinal: entry.ordinal });
            }
            _ => return Request::Ignored,
        }
        Request::Done
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let track = self.track(view);
        let Some((first, last)) = track.span() else {
            draw::rule(buf, area, &self.name(), "", view.theme.rule, view.theme.glyphs);
            let text = if view.is_filtered {
                view.no_match("events of this session")
            } else {
                "no event of this session is kept".to_owned()
            };
            let row = row_of(area, 1);
            draw::text(buf, row, row.x.saturating_add(2), row.y, &text, view.theme.dim);
            return;
        };
        let origin = self.origin.map_or(first, |origin| origin.min(first));
        self.origin = Some(origin);
        let zero = self.zero(&track, origin);
        let layout = Layout::of(area);
        let span = self.zoom.span(last.since(origin));
        let axis = match self.cursor {
            Some((_, at)) => {
                Axis::around(at.since(origin).max(0), self.from, span, layout.width(), zero.since(origin))
            }
            None => Axis::following(last.since(origin), span, layout.width(), zero.since(origin)),
        };
        self.from = axis.from;
        let (theme, is_frozen) = (view.theme, view.is_frozen);
        let scene = Scene { entries: &track.entries, axis, origin, zero, is_frozen, theme };
        self.render_head(area, buf, &scene, &track, view);
        self.render_lanes(&layout, buf, &scene);
        lanes::render_legend(layout.legend, buf, theme);
        self.render_list(&layout, buf, &scene, &track);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.pane {
            Pane::Lanes => &[
                ("← →", "event"),
                ("⇧← ⇧→", "error"),
                ("z Z", "zoom"),
                ("↑ ↓", "lane"),
                ("Tab", "list"),
                ("↵", "open"),
                ("G", "follow"),
                ("Esc", "back"),
            ],
            Pane::List => &[
                ("↑ ↓", "event"),
                ("⇧← ⇧→", "error"),
                ("z Z", "zoom"),
                ("Tab", "lanes"),
                ("↵", "open"),
                ("G", "follow"),
                ("Esc", "back"),
            ],
        }
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        let (ordinal, _) = self.cursor?;
        view.snapshot.event(ordinal).map(term_of)
    }

    fn session(&mut self, _: &View<'_>) -> Option<Arc<str>> {
        Some(Arc::clone(&self.session))
    }

    fn event<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let track = self.track(view);
        let entry = self.position(&track).map(|at| &track.entries[at]).or(track.entries.last())?;
        view.snapshot.event(entry.ordinal)
    }
}

/// What a panel asks for to show the timeline at the event `ordinal`, as long as that is kept.
pub(super) fn request(ordinal: u64, view: &View<'_>) -> Request {
    let event = view.snapshot.event(ordinal);
    event.map_or(Request::Done, |event| Request::Timeline {
        session: Arc::from(event.session()),
        ordinal: Some(ordinal),
    })
}

impl Timeline {
    /// Shows `session` from its end, or at the event `ordinal` of the ring.
    pub(in crate::ui) fn open(&mut self, session: &Arc<str>, ordinal: Option<u64>, view: &View<'_>) {
        let at = ordinal.and_then(|ordinal| Some((ordinal, view.snapshot.event(ordinal)?.inst())));
        *self = Self { session: Arc::clone(session), cursor: at, ..Self::default() };
    }

    fn track<'a>(&mut self, view: &View<'a>) -> Track<'a> {
        let names = view.matches.segments.last().map(|segment| segment.chunk.names());
        if self.symbol.is_none() {
            self.symbol = names.and_then(|names| track::symbol_of(names, &self.session));
        }
        self.symbol.map(|symbol| self.tracker.track(view.matches, symbol)).unwrap_or_default()
    }

    /// The beginning of the page load in which it was opened, or of the newest one while the end is followed.
    fn zero(&mut self, track: &Track<'_>, origin: Timestamp) -> Timestamp {
        let at = self.position(track);
        if let (Some(_), Some((_, zero))) = (at, self.zero) {
            return zero;
        }
        let Some(entry) = at.map_or(track.entries.last(), |at| track.entries.get(at)) else { return origin };
        let load = entry.event.load();
        let is_begun = |other: &&Entry<'_>| other.start <= entry.end && other.event.subtype() == "page-load";
        let known = match track.entries.iter().filter(is_begun).map(|load| load.start).max() {
            Some(start) => start,
            // Its event is filtered out, was never sent, or has left by now.
            None => {
                let of_load =
                    track.entries.iter().filter(|other| load.is_some() && other.event.load() == load);
                let begun = of_load.map(|other| other.start).min().unwrap_or(origin);
                self.zero.filter(|(other, _)| *other == load).map_or(begun, |(_, zero)| zero.min(begun))
            }
        };
        self.zero = Some((load, known));
        known
    }

    /// Milliseconds from its beginning to its last event.
    fn whole(&self, track: &Track<'_>) -> i64 {
        track.span().map_or(0, |(first, last)| last.since(self.origin.unwrap_or(first)))
    }

    fn is_in_lane(&self, entry: &Entry<'_>) -> bool {
        self.lane.is_none_or(|lane| entry.is_in(lane))
    }

    /// The place of the cursor; where its event is gone, that of the next one in time.
    fn position(&self, track: &Track<'_>) -> Option<usize> {
        let (ordinal, at) = self.cursor?;
        let last = track.entries.len().checked_sub(1)?;
        Some(track.entries.partition_point(|entry| (entry.end, entry.ordinal) < (at, ordinal)).min(last))
    }

    /// Moves the cursor over `step` of the events that count; past the last one it follows the end.
    fn step(&mut self, track: &Track<'_>, step: isize, counts: impl Fn(&Self, &Entry<'_>) -> bool) {
        let here = self.position(track);
        let times = step.unsigned_abs();
        let found = if step > 0 {
            let Some(here) = here else { return };
            let mut after = track.entries[here + 1..].iter().filter(|entry| counts(self, entry));
            match after.nth(times - 1) {
                None if times == 1 && here + 1 < track.entries.len() => return,
                found => found,
            }
        } else {
            let before = here.unwrap_or(track.entries.len());
            let mut before = track.entries[..before].iter().rev().filter(|entry| counts(self, entry));
            let first = track.entries.first().filter(|_| times > 1);
            let Some(found) = before.nth(times.saturating_sub(1)).or(first) else { return };
            Some(found)
        };
        self.cursor = found.map(|entry| (entry.ordinal, entry.end));
    }

    /// All lanes, then each from top to bottom, and round again.
    fn step_lane(&mut self, step: isize) {
        let count = Lane::ALL.len() + 1;
        let here = self.lane.map_or(0, |lane| lane as usize + 1);
        let next = here.cast_signed().saturating_add(step).rem_euclid(count.cast_signed()).cast_unsigned();
        self.lane = next.checked_sub(1).map(|at| Lane::ALL[at]);
    }

    fn name(&self) -> String {
        if self.session.is_empty() {
            "events without a session id".to_owned()
        } else {
            self.session.to_string()
        }
    }

    /// Who and where, and which part of the time is on screen.
    fn render_head(
        &self,
        area: Rect,
        buf: &mut Buffer,
        scene: &Scene<'_, '_>,
        track: &Track<'_>,
        view: &View<'_>,
    ) {
        let theme = view.theme;
        let is_wide = area.width >= WIDE;
        let mut parts = vec![self.name()];
        if let Some(event) = track.entries.last().map(|entry| entry.event) {
            if !event.tab().is_empty() || event.load().is_some() {
                parts.push(tabs::load(&view.snapshot.loads, event.tab(), event.load(), theme.glyphs));
            }
            parts.push(theme.gate.plain_capped(event.user(), 24));
            let page = if is_wide { whose::page(event) } else { String::new() };
            parts.push(theme.gate.plain_capped(&page, 40));
        }
        parts.retain(|part| !part.is_empty());
        let whole = self.whole(track);
        let (from, span) = (scene.axis.from, scene.axis.span);
        let shown = if span < whole {
            format!("{} of {}", axis::length(span), axis::length(whole))
        } else {
            axis::length(whole)
        };
        let at = |ms: i64| clock(scene.origin.plus_ms(ms), view.zone);
        let right = if is_wide {
            format!("{} {} {}  {shown}", at(from), theme.glyphs.cut, at(scene.axis.end().min(whole)))
        } else {
            shown
        };
        draw::rule(buf, area, &parts.join("  "), &right, theme.rule, theme.glyphs);
    }

    fn render_lanes(&self, layout: &Layout, buf: &mut Buffer, scene: &Scene<'_, '_>) {
        let theme = scene.theme;
        let cursor = self.cursor.and_then(|(_, at)| scene.axis.column(scene.since(at)));
        let ticks = scene.axis.ticks();
        let labels = layout.over(layout.labels);
        // A label that would be cut says something else.
        let fits = |(column, label): &&(u16, String)| {
            usize::from(*column) + label.len() <= usize::from(labels.width)
        };
        for (column, label) in ticks.iter().filter(|_| labels.height > 0).filter(fits) {
            let row = labels;
            draw::text(buf, row, row.x.saturating_add(*column), row.y, label, theme.dim);
        }
        for (row, tick) in [(layout.top, marks(theme).tick_down), (layout.bottom, marks(theme).tick_up)] {
            let row = layout.over(row);
            for column in 0..row.width.min(scene.axis.width) * row.height.min(1) {
                let is_tick = ticks.iter().any(|(at, _)| *at == column);
                let (mark, style) = match cursor == Some(column) {
                    true => (marks(theme).cursor, theme.accent),
                    false => (if is_tick { tick } else { marks(theme).line }, theme.rule),
                };
                draw::text(buf, row, row.x + column, row.y, mark, style);
            }
        }
        let requests = self.requests(scene, layout.requests);
        let mut rows = layout.rows(requests.len());
        for lane in layout.lanes() {
            let Some(row) = rows.next() else { break };
            let (strip, number) = scene.lane(*lane);
            let number = number.map(|number| format!(" {number}")).unwrap_or_default();
            let is_own = self.lane == Some(*lane);
            self.render_lane(layout, (row, &mut *buf), (lane.name(), &number), is_own, scene);
            strip.draw((layout.over(row), &mut *buf), cursor, theme);
            if *lane != Lane::Net {
                continue;
            }
            for (name, strip) in &requests {
                let Some(row) = rows.next() else { break };
                let label = theme.gate.line(name, usize::from(layout.gutter.saturating_sub(4)));
                draw::line(buf, row, row.x.saturating_add(3), row.y, &label, theme.text);
                strip.draw((layout.over(row), &mut *buf), cursor, theme);
            }
        }
    }

    fn render_lane(
        &self,
        layout: &Layout,
        (row, buf): (Rect, &mut Buffer),
        (name, number): (&str, &str),
        is_own: bool,
        scene: &Scene<'_, '_>,
    ) {
        let theme = scene.theme;
        let style = if is_own { theme.accent } else { theme.title };
        if is_own {
            draw::text(buf, row, row.x, row.y, theme.glyphs.selected, theme.accent);
        }
        let x = draw::text(buf, row, row.x.saturating_add(1), row.y, name, style);
        let label = Rect { width: layout.gutter, ..row };
        draw::text(buf, label, x, row.y, number, theme.dim);
    }

    /// Endpoints with requests on screen, failed ones and long ones first chosen, in the order of their names.
    fn requests(&self, scene: &Scene<'_, '_>, room: usize) -> Vec<(String, Strip)> {
        let mut found: Vec<(Cow<'_, str>, Vec<&Entry<'_>>)> = Vec::new();
        let (from, to) = (scene.axis.from, scene.axis.end());
        let seen = scene.entries.iter().filter(|entry| {
            entry.lane == Lane::Net && scene.since(entry.end) >= from && scene.since(entry.start) <= to
        });
        for entry in seen {
            let name = entry.event.shown_endpoint();
            match found.iter_mut().find(|(other, _)| *other == name) {
                Some((_, entries)) => entries.push(entry),
                None => found.push((name, vec![entry])),
            }
        }
        let weight = |entries: &[&Entry<'_>]| {
            let is_at_cursor =
                entries.iter().any(|entry| self.cursor.is_some_and(|(ordinal, _)| ordinal == entry.ordinal));
            let failed = entries.iter().filter(|entry| entry.is_error()).count();
            let time =
                entries.iter().fold(0_i64, |sum, entry| sum.saturating_add(entry.end.since(entry.start)));
            (is_at_cursor, failed, time)
        };
        found.sort_by_cached_key(|(name, entries)| (std::cmp::Reverse(weight(entries)), name.clone()));
        found.truncate(room);
        // By route, then by method: what belongs together stands together.
        let parts = |name: &str| {
            let (method, route) = name.split_once(' ').unwrap_or(("", name));
            (route.to_owned(), method.to_owned())
        };
        found.sort_by_cached_key(|(name, _)| parts(name));
        found.into_iter().map(|(name, entries)| (name.into_owned(), scene.bars(&entries))).collect()
    }

    fn render_list(&mut self, layout: &Layout, buf: &mut Buffer, scene: &Scene<'_, '_>, track: &Track<'_>) {
        let theme = scene.theme;
        let area = layout.list;
        let at = self.position(track);
        let dot = theme.glyphs.dot;
        let place_now = match at {
            Some(at) => format!("at {}", scene.offset(track.entries[at].end)),
            None if scene.is_frozen => "frozen".to_owned(),
            None => format!("following {}", theme.glyphs.newer),
        };
        let lane = self.lane.map(|lane| format!(" {dot} keys stay in {}", lane.name())).unwrap_or_default();
        let focus = if self.pane == Pane::List { format!("{} ", theme.glyphs.folded) } else { String::new() };
        let left = format!("{focus}{place_now}{lane}");
        let right = if track.total > MAX_EVENTS as u64 {
            format!("the newest {} of {}", format::count(MAX_EVENTS as u64), counted(track.total, "event"))
        } else {
            counted(track.total, "event")
        };
        draw::rule(buf, area, &left, &right, theme.rule, theme.glyphs);
        let height = usize::from(area.height.saturating_sub(1));
        self.height = height;
        let last = track.entries.len().saturating_sub(height);
        let top = at.map_or(last, |at| at.saturating_sub(height / 2).min(last));
        for (y, entry) in (1..area.height).zip(track.entries.iter().enumerate().skip(top)) {
            let (number, entry) = entry;
            let row = row_of(area, y);
            let is_selected = at == Some(number);
            draw_row(
                (row, &mut *buf),
                theme,
                &place(&EVENTS, row),
                &cells(entry, scene, row.width >= WIDE),
                [is_selected, false],
            );
        }
    }
}

fn cells<'a>(entry: &Entry<'a>, scene: &Scene<'_, 'a>, is_wide: bool) -> Vec<Cell<'a>> {
    let theme = scene.theme;
    let event = entry.event;
    let level = theme.level(event.level());
    let is_failed = event.flags().has(Flags::FAILED);
    let status = match event.status() {
        Some(status) => status.to_string(),
        None if is_failed => "fail".to_owned(),
        None => String::new(),
    };
    let took = event.duration().map(|span| format::millis(span, theme.glyphs)).unwrap_or_default();
    let numbers = if is_failed { theme.error } else { theme.text };
    let began = match entry.start < entry.end {
        true => format!("began {}", scene.offset(entry.start)),
        false => String::new(),
    };
    let text = row_text(event);
    let text = if text.is_empty() {
        cell(or_none("", theme), theme.dim)
    } else {
        cell(text, if event.level() >= crate::event::Level::Warn { level } else { theme.text })
    };
    vec![
        cell(scene.offset(entry.end), theme.dim),
        cell(format!("{} {}", level_word(event.level()), kind_word(event, is_wide)), level),
        text,
        cell(status, numbers),
        cell(took, numbers),
        cell(began, theme.dim),
    ]
}
