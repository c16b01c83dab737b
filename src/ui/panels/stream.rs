//! The stream: every event the filter lets through, one row each, newest at the bottom.
//!
//! Following shows the newest. Selecting holds: the selected event keeps its row on the screen while others come,
//! and stays even when the ring lets go of it. Order is that of arrival.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Panel;
use crate::event::{Chunk, EventRef, Flags, Level, Timestamp};
use crate::filter::term_for;
use crate::ui::keys::Action;
use crate::ui::theme::{Theme, level_word};
use crate::ui::view::{Request, View};
use crate::ui::{draw, format, source, tabs, why};

/// Rows looked through for the next error in one press; the press after goes on from there.
const SEARCH: u64 = 200_000;

/// The stream's place and the event it holds.
#[derive(Debug, Default)]
pub(in crate::ui) struct Stream {
    held: Option<Held>,
    /// Rows of the list when it was last drawn.
    height: u16,
    /// While one session is shown: its first event, which times count from.
    origin: Option<Timestamp>,
}

/// The selected event, kept alive whatever becomes of the ring.
#[derive(Debug)]
struct Held {
    ordinal: u64,
    chunk: Arc<Chunk>,
    row: usize,
    /// The row of the screen it keeps.
    line: u16,
    /// The newest event when it was selected: what came since is counted.
    newest: u64,
    /// Errors among what came since, and up to where they were counted.
    errors: u64,
    counted: u64,
    /// Of which filter's matches they were counted.
    filter: u64,
    /// The event that was chosen: this one, or one that the filter has left out since.
    chosen: u64,
    /// The filter whose matches decided that.
    settled: u64,
    /// Nothing matches, so nothing is selected until something does.
    is_out: bool,
}

impl Stream {
    /// The selected event.
    pub(in crate::ui) fn selected(&self) -> Option<EventRef<'_>> {
        self.held.as_ref().filter(|held| !held.is_out).map(|held| held.chunk.event(held.row))
    }

    /// The selected event's arrival number.
    pub(in crate::ui) fn ordinal(&self) -> Option<u64> {
        self.held.as_ref().filter(|held| !held.is_out).map(|held| held.ordinal)
    }

    /// The chunk and row of the selected event.
    pub(in crate::ui) fn place(&self) -> Option<(&Arc<Chunk>, usize)> {
        self.held.as_ref().filter(|held| !held.is_out).map(|held| (&held.chunk, held.row))
    }

    /// Another filter: what was chosen stays selected if it still matches, else the nearest older event that does.
    pub(in crate::ui) fn settle(&mut self, view: &View<'_>) {
        self.refresh(view);
        let Some(held) = &self.held else { return };
        let (chosen, line, matches) = (held.chosen, held.line, view.matches);
        if held.settled == matches.id || chosen < view.snapshot.first {
            return;
        }
        // The pass goes from new to old: what is older than it has come may still match.
        let has_come_here = matches.segments.first().is_some_and(|oldest| oldest.base <= chosen);
        let position = match matches.position(chosen) {
            Ok(position) => Some(position),
            Err(near) if has_come_here && near > 0 => Some(near - 1),
            Err(_) if !matches.is_done() => return,
            Err(_) => (matches.total > 0).then_some(0),
        };
        if let Some(position) = position {
            // Where rows below would stay empty the selected one moves down, as far as there are rows above it.
            let below = matches.total - 1 - position;
            let lowest = u64::from(self.height.saturating_sub(1)).saturating_sub(below).min(position);
            self.hold(position, line.max(u16::try_from(lowest).unwrap_or(u16::MAX)), view);
        }
        if let Some(held) = &mut self.held {
            (held.chosen, held.settled, held.is_out) = (chosen, matches.id, position.is_none());
        }
    }

    /// What is known of the held event may have become more while it is still kept.
    fn refresh(&mut self, view: &View<'_>) {
        let Some(held) = &mut self.held else { return };
        let Some(segment) = view.snapshot.segment_of(held.ordinal) else { return };
        let is_told = |chunk: &Chunk, row: usize| chunk.event(row).mapped().is_some();
        if let Ok(row) = usize::try_from(held.ordinal - segment.base)
            && !is_told(&held.chunk, held.row)
            && is_told(&segment.chunk, row)
        {
            (held.chunk, held.row) = (Arc::clone(&segment.chunk), row);
        }
    }

    /// Chooses the event at `ordinal` again, wherever the filter leaves it.
    pub(in crate::ui) fn choose(&mut self, ordinal: u64) {
        if let Some(held) = &mut self.held {
            (held.chosen, held.settled) = (ordinal, u64::MAX);
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
        let position = view.matches.position(ordinal).unwrap_or_else(|near| near);
        self.hold(position, self.height / 2, view);
    }

    fn hold(&mut self, position: u64, line: u16, view: &View<'_>) {
        let Some((chunk, row)) = view.matches.hold(position) else { return };
        let Some((ordinal, _)) = view.matches.nth(position) else { return };
        let newest = self.held.as_ref().map_or(view.snapshot.end, |held| held.newest);
        let before = self.held.as_ref().map(|held| (held.errors, held.counted, held.filter));
        let (errors, counted, filter) = before.unwrap_or((0, newest, view.matches.id));
        let (chosen, settled, is_out) = (ordinal, view.matches.id, false);
        self.held = Some(Held {
            ordinal,
            chunk,
            row,
            line,
            newest,
            errors,
            counted,
            filter,
            chosen,
            settled,
            is_out,
        });
    }

    fn step(&mut self, step: i64, view: &View<'_>) {
        let Some(last) = view.matches.total.checked_sub(1) else { return };
        let height = self.height.max(1);
        match &self.held {
            None if step < 0 => self.hold(last, height - 1, view),
            None => {}
            Some(held) => {
                let here = view.matches.position(held.ordinal).unwrap_or_else(|near| near.saturating_sub(1));
                let target = here.saturating_add_signed(step).min(last);
                if step > 0 && here == last {
                    self.release();
                    return;
                }
                let moved = i64::try_from(target).unwrap_or(0) - i64::try_from(here).unwrap_or(0);
                let line = (i64::from(held.line) + moved).clamp(0, i64::from(height) - 1);
                self.hold(target, u16::try_from(line).unwrap_or(0), view);
            }
        }
    }

    /// The next error before or after the selection; without one, the newest.
    fn seek_error(&mut self, forward: bool, view: &View<'_>) {
        let is_error = |position: u64| {
            let event = view.matches.nth(position).map(|(_, event)| event);
            event.is_some_and(|event| event.level() >= Level::Error || event.flags().has(Flags::FAILED))
        };
        let here =
            self.held.as_ref().map(|held| view.matches.position(held.ordinal).unwrap_or_else(|near| near));
        let found = match (here, forward) {
            (Some(here), true) => (here + 1..view.matches.total.min(here + SEARCH)).find(|at| is_error(*at)),
            (here, _) => {
                let before = here.unwrap_or(view.matches.total);
                (before.saturating_sub(SEARCH)..before).rev().find(|at| is_error(*at))
            }
        };
        if let Some(position) = found {
            self.hold(position, self.height / 2, view);
        }
    }

    /// The timeline at the selected event, or of the session that spoke last.
    fn timeline(&self, view: &View<'_>) -> Request {
        let newest = || view.matches.nth(view.matches.total.checked_sub(1)?).map(|(_, event)| event);
        let Some(event) = self.selected().or_else(newest) else { return Request::Ignored };
        let ordinal = self.held.as_ref().map(|held| held.ordinal);
        Request::Timeline { session: Arc::from(event.session()), ordinal }
    }

    /// What the divider says of following.
    fn divider(&mut self, width: u16, view: &View<'_>) -> (String, String) {
        let glyphs = view.theme.glyphs;
        let Some(held) = &mut self.held else {
            return (String::new(), format!("following {}", glyphs.newer));
        };
        if held.filter != view.matches.id {
            (held.filter, held.errors, held.counted) = (view.matches.id, 0, held.newest);
        }
        let from = view.matches.position(held.newest).unwrap_or_else(|near| near);
        let new = view.matches.total.saturating_sub(from);
        let start = view.matches.position(held.counted).unwrap_or_else(|near| near);
        for position in start..view.matches.total {
            let Some((ordinal, event)) = view.matches.nth(position) else { break };
            held.errors += u64::from(event.level() >= Level::Error || event.flags().has(Flags::FAILED));
            held.counted = ordinal + 1;
        }
        let dropped = if held.ordinal < view.snapshot.first { "older rows were dropped   " } else { "" };
        let errors = if held.errors > 0 {
            format!(" {} {} errors", glyphs.dot, format::count(held.errors))
        } else {
            String::new()
        };
        let (newer, dot) = (glyphs.newer, glyphs.dot);
        let right = format!("{dropped}{newer} {} new{errors} {dot} G follows", format::count(new));
        let left = if width >= 100 { "following paused: the selection is held" } else { "held" };
        (left.to_owned(), right)
    }

    fn render_rows(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let height = u64::from(area.height);
        let (first, above, selected_line) = match &self.held {
            None => (view.matches.total.saturating_sub(height), 0, None),
            Some(held) => {
                let line = u64::from(held.line.min(area.height.saturating_sub(1)));
                // Gone from the ring or the filter, it keeps its row and the list goes on around it.
                let here = view.matches.position(held.ordinal).unwrap_or_else(|near| near);
                // Rows that the ring let go of leave their places empty, so that nothing moves.
                let missing = if view.snapshot.first > 0 { line.saturating_sub(here) } else { 0 };
                let line = if missing > 0 { line } else { line.min(here) };
                (here.saturating_sub(line), missing, Some(line))
            }
        };
        let above = u16::try_from(above).unwrap_or(u16::MAX);
        let selected_line = selected_line.and_then(|line| u16::try_from(line).ok());
        if let (Some(held), Some(line)) = (&mut self.held, selected_line) {
            held.line = line;
        }
        let is_out = self.held.as_ref().is_some_and(|held| view.matches.position(held.ordinal).is_err());
        // What the filter leaves out is not shown; what the ring let go of is.
        let is_gone = self.held.as_ref().is_some_and(|held| held.ordinal < view.snapshot.first);
        let is_apart = is_out && is_gone;
        let selected_line = selected_line.filter(|_| !is_out || is_gone);
        let mut position = first;
        for line in above..area.height {
            let row = Rect { y: area.y + line, height: 1, ..area };
            let is_selected = selected_line == Some(line);
            if is_selected && is_apart {
                if let Some(held) = self.held.take() {
                    self.render_row(row, buf, held.chunk.event(held.row), true, view);
                    self.held = Some(held);
                }
                continue;
            }
            let Some((_, event)) = view.matches.nth(position) else { break };
            self.render_row(row, buf, event, is_selected, view);
            position += 1;
        }
    }

    fn render_row(
        &mut self,
        row: Rect,
        buf: &mut Buffer,
        event: EventRef<'_>,
        is_selected: bool,
        view: &View<'_>,
    ) {
        let theme = view.theme;
        let base = if is_selected { theme.selection } else { theme.text };
        if is_selected {
            buf.set_style(row.intersection(buf.area), base);
        }
        let is_wide = row.width >= 100;
        let style = |own: ratatui::style::Style| if is_selected { base } else { own };
        let mark = match (view.pins.contains(&event.seq()), is_selected) {
            (true, _) => theme.glyphs.pinned,
            (false, true) => theme.glyphs.selected,
            (false, false) => " ",
        };
        let mut x = draw::text(buf, row, row.x, row.y, mark, style(theme.accent));
        let time = match self.origin {
            Some(origin) => offset(event.inst().since(origin), if is_wide { 12 } else { 9 }),
            None => {
                let local = event.inst().to_jiff().to_zoned_datetime(view.zone.clone());
                local.strftime(if is_wide { "%H:%M:%S%.3f" } else { "%M:%S%.3f" }).to_string()
            }
        };
        x = draw::text(buf, row, x, row.y, &time, style(theme.dim));
        let level = style(theme.level(event.level()));
        x = draw::text(buf, row, x + 1, row.y, level_word(event.level()), level);
        let kind = format::left(kind_word(event, is_wide), if is_wide { 9 } else { 4 }, theme.gate);
        x = draw::text(buf, row, x + 1, row.y, &kind, style(theme.dim));
        let loads = &view.snapshot.loads;
        let tab = match tabs::letter(loads, event.tab()) {
            ' ' => String::new(),
            _ if is_wide => tabs::load(loads, event.tab(), event.load(), theme.glyphs),
            letter => letter.to_string(),
        };
        let tab = format::left(&tab, if is_wide { 5 } else { 1 }, theme.gate);
        x = draw::text(buf, row, x + 1, row.y, &tab, style(theme.dim));
        let right = self.render_numbers(row, buf, event, is_selected, theme);
        let rest = Rect { x: x + 1, width: right.saturating_sub(x + 2), ..row };
        let text_style = if event.level() >= Level::Warn { level } else { style(theme.text) };
        render_text(rest, buf, event, (text_style, style(theme.dim)), view);
    }

    /// Status and duration at the right end; gives the column they begin at.
    fn render_numbers(
        &self,
        row: Rect,
        buf: &mut Buffer,
        event: EventRef<'_>,
        is_selected: bool,
        theme: &Theme,
    ) -> u16 {
        let is_failed = event.flags().has(Flags::FAILED);
        let status = match event.status() {
            Some(status) => status.to_string(),
            None if is_failed => "fail".to_owned(),
            None => String::new(),
        };
        let duration = event.duration().map(|span| format::millis(span, theme.glyphs)).unwrap_or_default();
        if status.is_empty() && duration.is_empty() {
            return render_place(row, buf, event, is_selected, theme);
        }
        let text = format!("{status:>4} {duration:>9} ");
        let x = row.right().saturating_sub(u16::try_from(theme.gate.columns(&text)).unwrap_or(15));
        let own = if is_failed || event.flags().has(Flags::SLOW) { theme.warn } else { theme.text };
        let own = if is_failed { theme.error } else { own };
        draw::text(buf, row, x, row.y, &text, if is_selected { theme.selection } else { own });
        x
    }
}

/// Where in the sources it happened, at the right end; gives the column it begins at.
fn render_place(row: Rect, buf: &mut Buffer, event: EventRef<'_>, is_selected: bool, theme: &Theme) -> u16 {
    let Some(place) = source::short_place(event) else { return row.right() };
    let most = usize::from(row.width / 3);
    let place = theme.gate.plain_capped(&place, most);
    let x = row.right().saturating_sub(u16::try_from(theme.gate.columns(&place) + 1).unwrap_or(30));
    draw::text(buf, row, x, row.y, &place, if is_selected { theme.selection } else { theme.dim });
    x
}

/// What happened, with what the filter looks for underlined; where no column shows that, why the row is here.
fn render_text(
    area: Rect,
    buf: &mut Buffer,
    event: EventRef<'_>,
    (style, aside): (ratatui::style::Style, ratatui::style::Style),
    view: &View<'_>,
) {
    let theme = view.theme;
    let mut line = theme.gate.line(row_text(event), usize::from(area.width));
    let mut hits = Vec::new();
    if !view.highlighter.is_empty() {
        let text = line.text();
        hits = draw::hits(&text, view.highlighter.spans(&text));
    }
    let why = if hits.is_empty() { why::of(event, view.highlighter, theme.glyphs.cut) } else { None };
    let Some(why) = why.filter(|_| !view.highlighter.is_empty()) else {
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
    line = theme.gate.line(row_text(event), usize::from(start.saturating_sub(area.x + 2)));
    draw::line(buf, area, area.x, area.y, &line, style);
    let x = draw::text(buf, area, start, area.y, &name, aside);
    draw::line(buf, area, x, area.y, &excerpt, aside);
    let text = excerpt.text();
    for (at, columns) in draw::hits(&text, view.highlighter.spans(&text)) {
        draw::restyle(buf, area, (x + at, area.y), columns, theme.matched);
    }
}

impl Panel for Stream {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let page = i64::from(self.height.max(2)) - 1;
        match action {
            Action::Down => self.step(1, view),
            Action::Up => self.step(-1, view),
            Action::PageDown => self.step(page, view),
            Action::PageUp if self.held.is_none() => {
                self.hold(view.matches.total.saturating_sub(1 + self.height as u64), 0, view)
            }
            Action::PageUp => self.step(-page, view),
            Action::Top => self.hold(0, 0, view),
            Action::Bottom => drop(self.release()),
            Action::NextError => self.seek_error(true, view),
            Action::PreviousError => self.seek_error(false, view),
            Action::Timeline => return self.timeline(view),
            _ => return Request::Ignored,
        }
        Request::Done
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (left, right) = self.divider(area.width, view);
        draw::rule(buf, area, &left, &right, view.theme.rule, view.theme.glyphs);
        let list = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
        self.height = list.height;
        self.render_rows(list, buf, view);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("/", "filter"),
            ("↵", "detail"),
            ("+ -", "by value"),
            ("a", "around"),
            ("r", "load"),
            ("c", "clear"),
            ("p", "problems"),
            ("s", "session"),
            ("N", "newest error"),
            ("F", "saved"),
            ("e", "export"),
        ]
    }

    fn term(&self, _: &View<'_>) -> Option<String> {
        self.selected().map(term_of)
    }
}

/// The filter term that keeps what is most telling of an event: its group, its endpoint, what a log says, else its id.
pub(super) fn term_of(event: EventRef<'_>) -> String {
    match (event.group(), event.endpoint(), event.kind()) {
        (Some(group), ..) => format!("group:{group:016x}"),
        (None, "", "log") if !event.msg().is_empty() => term_for("message", event.msg()),
        (None, "", _) => term_for("id", event.id()),
        (None, endpoint, _) => term_for("endpoint", endpoint),
    }
}

/// Seconds since the session began, as in `+10.841`, right-aligned to `width`.
fn offset(ms: i64, width: usize) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    let ms = ms.unsigned_abs();
    let text = format!("{sign}{}.{:03}", ms / 1000, ms % 1000);
    format!("{text:>width$}")
}

/// What happened, in one short word, shorter still where there is little room.
pub(super) fn kind_word(event: EventRef<'_>, is_wide: bool) -> &str {
    const WORDS: [(&str, &str, &str); 14] = [
        ("api-call", "api", "api"),
        ("javascript", "js", "js"),
        ("network", "net", "net"),
        ("page-load", "load", "load"),
        ("user-action", "click", "clk"),
        ("long-task", "longtask", "task"),
        ("console", "console", "con"),
        ("promise", "promise", "prom"),
        ("resource", "resource", "res"),
        ("render", "render", "rndr"),
        ("custom", "custom", "cust"),
        ("visibility", "page", "page"),
        ("feature-usage", "feature", "feat"),
        ("conversion", "funnel", "conv"),
    ];
    let own = if event.subtype().is_empty() {
        event.id().rsplit('/').next().unwrap_or("")
    } else {
        event.subtype()
    };
    let known = WORDS.iter().find(|(subtype, ..)| *subtype == own);
    known.map_or(own, |(_, long, short)| if is_wide { long } else { short })
}

/// A request's own message says less than its method and route, which the columns do not show.
pub(super) fn row_text(event: EventRef<'_>) -> &str {
    let is_plain_request = event.flags().has(Flags::REQUEST) && event.level() < Level::Warn;
    if is_plain_request { event.endpoint() } else { event.msg() }
}
