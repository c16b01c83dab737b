//! The stream: every event the filter lets through, in the order of their time, newest at the bottom.
//!
//! Following shows the newest. Selecting holds: the selected event keeps its row on the screen while others come,
//! and stays even when the ring lets go of it.

mod entries;
mod held;
mod interludes;
mod lines;
mod row;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(in crate::ui) use words::{is_error, kind_word, row_text, term_of};

use super::Panel;
use crate::config::{Landmarks, Settings, Times};
use crate::event::{Chunk, EventRef, Timestamp};
use crate::scan::{Matches, Moment};
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::view::{Request, View};
use crate::ui::{draw, tabs, why};
use entries::{Entry, Walk};
use held::{Held, Since};
use interludes::{Interlude, Interludes};
use lines::{Composer, Kept, Line};
use row::{How, Row, Shown};

/// Rows looked through for the next error in one press, and at once; the press after goes on from there.
const SEARCH: u64 = 200_000;
const SEARCH_BLOCK: u64 = 4_096;

/// The stream's place and the event it holds.
#[derive(Debug)]
pub(in crate::ui) struct Stream {
    held: Option<Held>,
    /// Rows of the list when it was last drawn.
    height: u16,
    /// While one session is shown: its first event, which times count from.
    origin: Option<Timestamp>,
    times: Times,
    landmarks: Landmarks,
    is_folding: bool,
    is_wrapped: bool,
    shown: Shown,
    /// Which event stood on which line when it was last drawn.
    placed: Vec<(Moment, u16)>,
    /// What stood there while an event is held, and of which filter that was.
    kept: (u64, Vec<Kept>),
    whys: why::Known,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            held: None,
            height: 0,
            origin: None,
            times: Times::default(),
            landmarks: Landmarks::default(),
            is_folding: true,
            is_wrapped: false,
            shown: Shown::of(&Settings::default().stream_columns),
            placed: Vec::new(),
            kept: (0, Vec::new()),
            whys: why::Known::default(),
        }
    }
}

impl Stream {
    /// Takes over what is set, as far as it is another than `before`.
    pub(in crate::ui) fn obey(&mut self, before: Option<&Settings>, now: &Settings) {
        if before.is_none_or(|before| before.times != now.times) {
            self.times = now.times;
        }
        if before.is_none_or(|before| before.landmarks != now.landmarks) {
            self.landmarks = now.landmarks;
        }
        if before.is_none_or(|before| before.is_folding != now.is_folding) {
            self.is_folding = now.is_folding;
        }
        self.shown = Shown::of(&now.stream_columns);
    }

    fn how(&self) -> How {
        How { times: self.times, origin: self.origin, is_wrapped: self.is_wrapped, shown: self.shown }
    }

    fn shown(&self) -> Option<&Held> {
        self.held.as_ref().filter(|held| !held.is_out)
    }

    /// The selected event.
    pub(in crate::ui) fn selected(&self) -> Option<EventRef<'_>> {
        self.shown().map(|held| held.chunk.event(held.row))
    }

    /// Where the selected event stands.
    pub(in crate::ui) fn moment(&self) -> Option<Moment> {
        self.shown().map(|held| held.moment)
    }

    /// The chunk and row of the selected event.
    pub(in crate::ui) fn place(&self) -> Option<(&Arc<Chunk>, usize)> {
        self.shown().map(|held| (&held.chunk, held.row))
    }

    /// Another filter: what was chosen stays selected if it still matches, else the nearest older event that does.
    pub(in crate::ui) fn settle(&mut self, view: &View<'_>) {
        self.refresh(view);
        let Some(held) = &self.held else { return };
        let (chosen, line, matches) = (held.chosen, held.line, view.matches);
        if held.settled == Some(matches.id) || chosen.ordinal < view.snapshot.first {
            return;
        }
        // The pass goes from new to old: what is older than it has come may still match.
        // Pins that have left the ring stand before all others and are none of the pass.
        let mut looked_at = matches.segments.iter().filter(|segment| segment.end() > view.snapshot.first);
        let has_come_here = looked_at.next().is_some_and(|oldest| oldest.base <= chosen.ordinal);
        let near = matches.rank(chosen);
        let rank = match near {
            near if matches.has(chosen) => Some(near),
            near @ 1.. if has_come_here => Some(near - 1),
            _ if !matches.is_done() => return,
            _ => (matches.total > 0).then_some(0),
        };
        if let Some(rank) = rank {
            // Where rows below would stay empty the selected one moves down, as far as there are rows above it.
            let below = matches.total - 1 - rank;
            let lowest = u64::from(self.height.saturating_sub(1)).saturating_sub(below).min(rank);
            self.hold(rank, line.max(u16::try_from(lowest).unwrap_or(u16::MAX)), view);
        }
        if let Some(held) = &mut self.held {
            (held.chosen, held.settled, held.is_out) = (chosen, Some(matches.id), rank.is_none());
        }
    }

    /// What is known of the held event may have become more while it is still kept.
    fn refresh(&mut self, view: &View<'_>) {
        let Some(held) = &mut self.held else { return };
        let Some(segment) = view.snapshot.segment_of(held.moment.ordinal) else { return };
        let is_told = |chunk: &Chunk, row: usize| chunk.event(row).mapped().is_some();
        if let Ok(row) = usize::try_from(held.moment.ordinal - segment.base)
            && !is_told(&held.chunk, held.row)
            && is_told(&segment.chunk, row)
        {
            (held.chunk, held.row) = (Arc::clone(&segment.chunk), row);
        }
    }

    /// Chooses the event at `moment` again, wherever the filter leaves it.
    pub(in crate::ui) fn choose(&mut self, moment: Moment) {
        if let Some(held) = &mut self.held {
            (held.chosen, held.settled) = (moment, None);
        }
    }

    /// Shows times as offsets from `origin`, or as clock times.
    pub(in crate::ui) fn count_from(&mut self, origin: Option<Timestamp>) {
        self.origin = origin;
    }

    /// Lets go of the selection and follows; `true` if there was one.
    pub(in crate::ui) fn release(&mut self) -> bool {
        self.held.take().is_some()
    }

    /// Selects the event at `ordinal`, in the middle of the screen.
    pub(in crate::ui) fn select(&mut self, ordinal: u64, view: &View<'_>) {
        let Some(event) = view.snapshot.event(ordinal) else { return };
        let rank = view.matches.rank(Moment { inst: event.inst(), ordinal });
        self.hold(rank.min(view.matches.total.saturating_sub(1)), self.height / 2, view);
    }

    fn hold(&mut self, rank: u64, line: u16, view: &View<'_>) {
        let Some(at) = view.matches.by_time(rank) else { return };
        let since = self.held.as_ref().map_or_else(|| Since::now(view), |held| held.since);
        let settled = Some(view.matches.id);
        let (moment, chunk, row) = (at.moment, Arc::clone(at.chunk), at.row);
        self.held = Some(Held { moment, chunk, row, line, since, chosen: moment, settled, is_out: false });
    }

    /// Selects another row, on the line it stands on, or `moved` lines from where the selection was.
    fn move_to(&mut self, entry: &Entry<'_>, moved: i64, view: &View<'_>) {
        let here = self.placed.iter().find(|(moment, _)| *moment == entry.last.moment).map(|(_, line)| *line);
        let line = here.unwrap_or_else(|| {
            self.placed.clear();
            let line = self.held.as_ref().map_or(0, |held| i64::from(held.line)).saturating_add(moved);
            u16::try_from(line.clamp(0, i64::from(self.height.max(1)) - 1)).unwrap_or(0)
        });
        self.hold(entry.to - 1, line, view);
    }

    fn step(&mut self, step: i64, view: &View<'_>) {
        let Some(last) = view.matches.total.checked_sub(1) else { return };
        let count = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
        let mut walk = Walk::new(view.matches, self.is_folding);
        match self.entry(&mut walk, view).map(|(entry, _)| (entry.from, entry.to)) {
            None if step < 0 => self.hold(last, self.height.max(1) - 1, view),
            None => {}
            Some((_, to)) if step > 0 => {
                let after = walk.down(to, count);
                match after.last() {
                    Some(entry) => self.move_to(entry, i64::try_from(after.len()).unwrap_or(0), view),
                    None => drop(self.release()),
                }
            }
            Some((from, _)) => {
                let before = walk.up(from, count);
                if let Some(entry) = before.last() {
                    self.move_to(entry, -i64::try_from(before.len()).unwrap_or(0), view);
                }
            }
        }
    }

    /// The row of the selected event, and whether that is one; while a filter has left it out, the nearest row.
    fn entry<'s, 'a: 's>(&'s self, walk: &mut Walk<'a>, view: &View<'a>) -> Option<(Entry<'s>, bool)> {
        let held = self.shown()?;
        let rank = view.matches.rank(held.moment);
        if view.matches.has(held.moment) {
            return Some((walk.around(rank)?, true));
        }
        // What the filter leaves out is not shown; what the ring let go of is.
        if held.moment.ordinal < view.snapshot.first {
            return Some((Entry::apart(held.moment, &held.chunk, held.row, rank), true));
        }
        Some((walk.around(rank.min(view.matches.total.checked_sub(1)?))?, false))
    }

    /// The next error before or after the selection; without one, the newest.
    fn seek_error(&mut self, is_forward: bool, view: &View<'_>) {
        let here = self.shown().map(|held| (view.matches.rank(held.moment), view.matches.has(held.moment)));
        let found = match (here, is_forward) {
            (Some((here, is_there)), true) => error_after(view.matches, here + u64::from(is_there)),
            (here, _) => error_before(view.matches, here.map_or(view.matches.total, |(here, _)| here)),
        };
        if let Some(rank) = found {
            self.hold(rank, self.height / 2, view);
        }
    }

    /// The timeline at the selected event, or of the session that spoke last.
    fn timeline(&self, view: &View<'_>) -> Request {
        let newest = || Some(view.matches.by_time(view.matches.total.checked_sub(1)?)?.event());
        let Some(event) = self.selected().or_else(newest) else { return Request::Ignored };
        Request::Timeline { session: Arc::from(event.session()), ordinal: self.moment().map(|at| at.ordinal) }
    }

    /// What the divider says: which page load the first row is of, and of following.
    fn divider(
        &mut self,
        width: u16,
        is_kept: bool,
        first: Option<EventRef<'_>>,
        view: &View<'_>,
    ) -> [String; 2] {
        let (newer, dot) = (view.theme.glyphs.newer, view.theme.glyphs.dot);
        let load = || {
            let first = first?;
            let breaks = view.snapshot.loads.breaks();
            let end = breaks.partition_point(|found| found.at <= first.inst());
            let own = breaks[..end].iter().rfind(|found| *found.tab == *first.tab())?;
            Some(interludes::title(own, 0, width >= 100, view).0)
        };
        let Some(held) = self.held.as_mut().filter(|held| !held.is_out) else {
            let state = if view.is_frozen { "frozen".to_owned() } else { format!("following {newer}") };
            return [load().unwrap_or_default(), state];
        };
        let (new, errors) = held.since.count(view.matches);
        let dropped = if is_kept { "older rows were dropped   " } else { "" };
        let errors = if errors > 0 { format!(" {dot} {}", counted(errors, "error")) } else { String::new() };
        let right = format!("{dropped}{newer} {} new{errors} {dot} G follows", format::count(new));
        let left = if width >= 100 { "following paused: the selection is held" } else { "held" };
        [left.to_owned(), right]
    }

    /// Draws the rows; whether some are no longer kept, and the first of them.
    fn render_rows<'a>(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        view: &View<'a>,
    ) -> (bool, Option<EventRef<'a>>) {
        let everything = (view.is_filtered && self.landmarks == Landmarks::Clicks)
            .then(|| Matches::everything(0, Arc::clone(&view.matches.snapshot)));
        if self.held.is_none() || self.kept.0 != view.matches.id {
            self.kept = (view.matches.id, Vec::new());
        }
        let kept = std::mem::take(&mut self.kept.1);
        let mut whys = std::mem::take(&mut self.whys);
        let (height, how) = (usize::from(area.height), self.how());
        let mut composer = Composer {
            matches: view.matches,
            walk: Walk::new(view.matches, self.is_folding),
            between: Interludes::new(self.landmarks, view, everything.as_ref()),
            lines_of: &|entry| row::lines_of(entry, area.width, how, view),
            kept: &kept,
        };
        let selected = self.entry(&mut Walk::new(view.matches, self.is_folding), view);
        let (lines, line) = match selected {
            Some((entry, is_selected)) => {
                let line = self.held.as_ref().map_or(0, |held| usize::from(held.line));
                let line = line.min(height.saturating_sub(1));
                let (lines, line) = composer.around(entry, is_selected, line, height);
                (lines, Some(line))
            }
            None => (composer.following(height), None),
        };
        self.render_lines((area, buf), &lines, &mut whys, view);
        let first_kept = view.snapshot.first;
        let moments = || {
            lines.iter().filter_map(|line| match line {
                Line::Row { entry, .. } => Some(entry.last.moment),
                Line::Between(_) => None,
            })
        };
        let is_kept = moments().any(|moment| moment.ordinal < first_kept);
        let first = moments().next();
        let placed = lines::placed(&lines);
        let kept = if line.is_some() { lines::keep(&lines) } else { Vec::new() };
        drop(lines);
        self.whys = whys;
        self.placed = placed;
        self.kept.1 = kept;
        if let (Some(held), Some(line)) = (&mut self.held, line) {
            held.line = u16::try_from(line).unwrap_or(0);
        }
        (is_kept, first.and_then(|moment| view.snapshot.event(moment.ordinal)))
    }

    fn render_lines(
        &self,
        (area, buf): (Rect, &mut Buffer),
        lines: &[Line<'_>],
        whys: &mut why::Known,
        view: &View<'_>,
    ) {
        let how = self.how();
        let mut above = None;
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            let row = Rect { y, height: 1, ..area };
            match line {
                Line::Row { entry, nth, is_selected } => {
                    let placed = Row { entry, nth: *nth, is_selected: *is_selected, above };
                    row::render((row, &mut *buf), &placed, how, whys, view);
                    above = Some(entry.last.moment.inst);
                }
                Line::Between(Interlude::Break(found, more)) => {
                    let (left, right) = interludes::title(found, *more, area.width >= 100, view);
                    draw::rule(buf, row, &left, &right, view.theme.rule, view.theme.glyphs);
                }
                Line::Between(Interlude::Mark(at)) => render_mark(row, buf, at.event(), view),
            }
        }
        let is_looked_through = view.matches.scanned >= view.matches.snapshot.len();
        if view.is_filtered && view.matches.total == 0 && is_looked_through {
            // Below the dividers, and apart from them.
            let y = area.y.saturating_add(u16::try_from(lines.len() + 1).unwrap_or(u16::MAX));
            draw::text(buf, area, area.x.saturating_add(2), y, &view.no_match("events"), view.theme.dim);
        }
    }
}

/// A click or a navigation that is no row: dim, without a level.
fn render_mark(row: Rect, buf: &mut Buffer, event: EventRef<'_>, view: &View<'_>) {
    let theme = view.theme;
    let time = event.inst().to_jiff().to_zoned_datetime(view.zone.clone());
    let is_wide = row.width >= 100;
    let time = time.strftime(if is_wide { "%H:%M:%S%.3f" } else { "%M:%S%.3f" }).to_string();
    let kind = format::left(kind_word(event, is_wide), if is_wide { 9 } else { 4 }, theme.gate);
    let tab = tabs::letter(&view.snapshot.loads, event.tab());
    let text = format!("{time} {0}{0}{0} {kind} {tab} ", theme.glyphs.dot);
    let x = draw::text(buf, row, row.x + 1, row.y, &text, theme.dim);
    let line = theme.gate.line(&row_text(event), usize::from(row.right().saturating_sub(x + 1)));
    draw::line(buf, row, x, row.y, &line, theme.dim);
}

/// The rank of the first error at `from` or after it.
fn error_after(matches: &Matches, from: u64) -> Option<u64> {
    let end = matches.total.min(from.saturating_add(SEARCH));
    let mut starts = (from..end).step_by(SEARCH_BLOCK as usize);
    starts.find_map(|start| {
        let found = matches.window(start, SEARCH_BLOCK as usize);
        found.iter().position(|at| is_error(at.event())).map(|at| start + at as u64)
    })
}

/// The rank of the last error before `end`.
fn error_before(matches: &Matches, end: u64) -> Option<u64> {
    let lowest = end.saturating_sub(SEARCH);
    let mut end = end;
    while end > lowest {
        let start = end.saturating_sub(SEARCH_BLOCK).max(lowest);
        let found = matches.window(start, usize::try_from(end - start).unwrap_or(0));
        if let Some(at) = found.iter().rposition(|at| is_error(at.event())) {
            return Some(start + at as u64);
        }
        end = start;
    }
    None
}

impl Panel for Stream {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let page = i64::from(self.height.max(2)) - 1;
        match action {
            Action::Down => self.step(1, view),
            Action::Up => self.step(-1, view),
            Action::PageDown => self.step(page, view),
            Action::PageUp if self.held.is_none() => {
                self.hold(view.matches.total.saturating_sub(1 + u64::from(self.height)), 0, view);
            }
            Action::PageUp => self.step(-page, view),
            Action::Top => self.hold(0, 0, view),
            Action::Bottom => drop(self.release()),
            Action::NextError => self.seek_error(true, view),
            Action::PreviousError => self.seek_error(false, view),
            Action::Timeline => return self.timeline(view),
            Action::Times => {
                self.times = self.times.next();
                return Request::Said(self.times.said());
            }
            Action::Landmarks => {
                self.landmarks = self.landmarks.next();
                return Request::Said(self.landmarks.said());
            }
            Action::Fold => {
                self.is_folding = !self.is_folding;
                let said = ["repeats: each in its own row", "repeats: folded into one row"];
                return Request::Said(said[usize::from(self.is_folding)]);
            }
            Action::Wrap => {
                self.is_wrapped = !self.is_wrapped;
                return Request::Said(["long rows: cut", "long rows: wrapped"][usize::from(self.is_wrapped)]);
            }
            _ => return Request::Ignored,
        }
        Request::Done
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let list = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
        self.height = list.height;
        let (is_kept, first) = self.render_rows(list, buf, view);
        let [left, right] = self.divider(area.width, is_kept, first, view);
        draw::rule(buf, area, &left, &right, view.theme.rule, view.theme.glyphs);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.held.is_some() {
            return &[
                ("/", "filter"),
                ("↵", "detail"),
                ("+ -", "by value"),
                ("a", "around"),
                ("T", "timeline"),
                ("o", "editor"),
                ("y", "copy"),
                ("s", "session"),
                ("n N", "errors"),
                ("m", "pin"),
                ("e", "export"),
            ];
        }
        &[
            ("/", "filter"),
            ("N", "newest error"),
            ("↵", "detail"),
            ("p", "problems"),
            ("r", "load"),
            ("c", "clear"),
            ("a", "around"),
            ("S", "latest session"),
            ("L", "landmarks"),
            ("t", "times"),
            ("e", "export"),
            ("Space", "freeze"),
        ]
    }

    fn term(&self, _: &View<'_>) -> Option<String> {
        self.selected().map(term_of)
    }
}
