//! The filter line: typed live, always showing what it does to the list.
//!
//! Owned by the app. It judges every key press with the filter language and says which filter to apply; a mistake
//! keeps the one in force and names it.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::draw;
use super::editor::Editor;
use super::format;
use super::theme::Theme;
use crate::filter::{Filter, Fix, State, Typing, parse, while_typing};
use crate::scan::Matches;

/// Filters remembered for ↑; the oldest leaves.
const MAX_HISTORY: usize = 100;

/// The line, the filter in force, and what was in force before.
#[derive(Debug)]
pub(super) struct FilterBar {
    editor: Editor,
    /// While the bar has the keys.
    is_editing: bool,
    typing: Typing,
    /// What everything is narrowed to, unless bypassed.
    applied: Arc<Filter>,
    is_bypassed: bool,
    /// The text before editing began, for Esc.
    before: String,
    history: Vec<String>,
    /// Which of the history ↑ went back to.
    recalled: Option<usize>,
}

/// What a key did to the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BarChange {
    Nothing,
    /// Another filter is in force.
    Applied,
}

impl FilterBar {
    pub(super) fn new(text: &str) -> Self {
        let mut bar = Self {
            editor: Editor::new(text),
            is_editing: false,
            typing: while_typing("", true),
            applied: Arc::default(),
            is_bypassed: false,
            before: String::new(),
            history: Vec::new(),
            recalled: None,
        };
        bar.judge(false);
        bar
    }

    pub(super) fn is_editing(&self) -> bool {
        self.is_editing
    }

    /// The filter in force; everything while bypassed.
    pub(super) fn in_force(&self) -> Arc<Filter> {
        if self.is_bypassed { Arc::default() } else { Arc::clone(&self.applied) }
    }

    /// The text of the filter in force, whether or not it is bypassed.
    pub(super) fn text(&self) -> &str {
        self.applied.text()
    }

    pub(super) fn edit(&mut self) {
        self.editor.text().clone_into(&mut self.before);
        self.is_editing = true;
        self.recalled = None;
        self.judge(true);
    }

    /// Puts `text` in force at once, as keys do that write filters.
    pub(super) fn replace(&mut self, text: &str) -> BarChange {
        self.remember();
        self.editor.set(text);
        self.is_bypassed = false;
        self.is_editing = false;
        self.judge(false)
    }

    /// Adds `term`, or takes it out again if it is the last one already.
    pub(super) fn toggle(&mut self, term: &str) -> BarChange {
        let text = self.applied.text().trim();
        let stripped = text.strip_suffix(term).filter(|rest| rest.is_empty() || rest.ends_with(' '));
        let next = match stripped {
            Some(rest) => rest.trim_end().to_owned(),
            None if text.is_empty() => term.to_owned(),
            // A top-level or must not take the new term into one of its sides.
            None if parse(text).filter.is_some_and(|filter| filter.reads_as().contains(" OR ")) => {
                format!("({text}) {term}")
            }
            None => format!("{text} {term}"),
        };
        self.replace(&next)
    }

    pub(super) fn bypass(&mut self) -> BarChange {
        self.is_bypassed = !self.is_bypassed && !self.applied.is_all();
        BarChange::Applied
    }

    pub(super) fn paste(&mut self, text: &str) -> BarChange {
        self.editor.insert(text);
        self.judge(true)
    }

    /// Takes a key while editing.
    pub(super) fn on_key(&mut self, key: KeyEvent) -> BarChange {
        match key.code {
            KeyCode::Enter => self.accept(),
            KeyCode::Esc => {
                let before = std::mem::take(&mut self.before);
                self.editor.set(&before);
                self.is_editing = false;
                self.judge(false)
            }
            KeyCode::Tab => match self.fix() {
                Some(fix) => {
                    let mended = fix.apply(self.editor.text());
                    self.editor.set(&mended);
                    self.judge(true)
                }
                None => BarChange::Nothing,
            },
            KeyCode::Up | KeyCode::Down => self.recall(key.code == KeyCode::Up),
            _ if self.editor.on_key(key) => {
                self.recalled = None;
                self.judge(true)
            }
            _ => BarChange::Nothing,
        }
    }

    /// Everything counts as finished now; a mistake keeps the bar open.
    fn accept(&mut self) -> BarChange {
        if parse(self.editor.text()).filter.is_none() {
            return self.judge(false);
        }
        self.is_editing = false;
        self.remember();
        self.judge(false)
    }

    fn remember(&mut self) {
        let text = self.editor.text().trim().to_owned();
        if text.is_empty() {
            return;
        }
        self.history.retain(|old| *old != text);
        self.history.push(text);
        if self.history.len() > MAX_HISTORY {
            self.history.remove(0);
        }
    }

    fn recall(&mut self, is_older: bool) -> BarChange {
        let at = match (self.recalled, is_older) {
            (None, true) => self.history.len().checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) => Some(at + 1).filter(|at| *at < self.history.len()),
            (None, false) => return BarChange::Nothing,
        };
        let text = at.and_then(|at| self.history.get(at)).cloned().unwrap_or_default();
        self.recalled = at;
        self.editor.set(&text);
        self.judge(true)
    }

    /// Judges the text; `is_open` while the cursor may still add to it.
    fn judge(&mut self, is_open: bool) -> BarChange {
        self.typing = while_typing(self.editor.text(), is_open && self.editor.is_at_end());
        if self.typing.state == State::Error || (!is_open && self.typing.error.is_some()) {
            return BarChange::Nothing;
        }
        self.applied = Arc::new(self.typing.applied.clone());
        BarChange::Applied
    }

    fn fix(&self) -> Option<Fix> {
        let error = self.typing.error.as_ref();
        let note = || parse(self.editor.text()).notes.into_iter().find_map(|note| note.fix);
        error.and_then(|error| error.fix.clone()).or_else(note)
    }

    /// The lines the bar takes: one, and one for its message while editing.
    pub(super) fn height(&self) -> u16 {
        if self.is_editing { 2 } else { 1 }
    }

    /// Draws the bar; gives the place of the cursor while editing.
    pub(super) fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        matches: &Matches,
        theme: &Theme,
    ) -> Option<Position> {
        let (status, style) = self.status(matches, theme);
        let width = theme.gate.columns(&status);
        let x = draw::text(buf, area, area.x, area.y, " / ", theme.accent);
        let is_blank = self.editor.text().is_empty() && !self.is_editing;
        let shown = if is_blank { "type / to filter" } else { self.editor.text() };
        let room = usize::from(area.width).saturating_sub(width + 6);
        let skip = self.scroll(room, theme);
        let line = theme.gate.line(&shown[skip..], room);
        draw::line(buf, area, x, area.y, &line, if is_blank { theme.dim } else { theme.text });
        let right = area.right().saturating_sub(u16::try_from(width).unwrap_or(u16::MAX).saturating_add(1));
        draw::text(buf, area, right.max(x), area.y, &status, style);
        if !self.is_editing {
            return None;
        }
        self.render_message(
            Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
            buf,
            skip,
            theme,
        );
        let column = theme.gate.columns(self.editor.before_cursor().get(skip..).unwrap_or(""));
        let x = x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
        Some(Position { x: x.min(area.right().saturating_sub(1)), y: area.y })
    }

    /// How many bytes of the text are left of the screen, so that the cursor stays on it.
    fn scroll(&self, room: usize, theme: &Theme) -> usize {
        let before = self.editor.before_cursor();
        let over = theme.gate.columns(before).saturating_sub(room.saturating_sub(1));
        if over == 0 || !self.is_editing {
            return 0;
        }
        before
            .char_indices()
            .map(|(at, _)| at)
            .find(|at| theme.gate.columns(&before[..*at]) >= over)
            .unwrap_or(0)
    }

    fn status(&self, matches: &Matches, theme: &Theme) -> (String, ratatui::style::Style) {
        let of = matches.snapshot.len();
        if self.is_bypassed {
            let text =
                format!("(off)  {} events {} f puts the filter back on", format::count(of), theme.glyphs.dot);
            return (text, theme.warn);
        }
        let marks = theme.glyphs;
        if self.typing.state == State::Error || (!self.is_editing && self.typing.error.is_some()) {
            // What is applied may leave out a term that was half typed, so its text is not what was written.
            let shown =
                if self.applied.is_all() { "everything".to_owned() } else { self.applied.to_string() };
            let shown = theme.gate.plain_capped(&shown, 40);
            return (format!("{} still showing: {shown}", marks.failed), theme.error);
        }
        if self.applied.is_all() && !self.is_editing {
            return (format!("{} events", format::count(of)), theme.dim);
        }
        let mark = match self.typing.state {
            State::Hold | State::Pending => marks.cut,
            State::Note => "!",
            _ => marks.ok,
        };
        let progress = if matches.is_done() { "" } else { " so far" };
        let hidden = of.saturating_sub(matches.total);
        let mut text = format!("{mark} {} of {}{progress}", format::count(matches.total), format::count(of));
        if hidden > 0 && !self.is_editing {
            text.push_str(&format!("   {} hidden  f shows all", format::count(hidden)));
        }
        (text, if self.typing.state == State::Note { theme.warn } else { theme.accent })
    }

    /// The caret under the mistake with what to write instead, or how the filter reads.
    fn render_message(&self, area: Rect, buf: &mut Buffer, skip: usize, theme: &Theme) {
        let text = self.editor.text();
        let fix = if self.fix().is_some() { "   Tab fixes it" } else { "" };
        if let Some(error) = &self.typing.error {
            let is_error = self.typing.state == State::Error;
            let style = if is_error { theme.error } else { theme.dim };
            let at = error.span.start.max(skip).min(text.len());
            let lead = theme.gate.columns(text.get(skip..at).unwrap_or("")) + 3;
            let caret = format!("^{}", "~".repeat(error.len.saturating_sub(1)));
            let message = format!("{caret}  {}{fix}", error.message);
            let width = theme.gate.columns(&message);
            let lead = lead.min(usize::from(area.width).saturating_sub(width + 1));
            let x = area.x.saturating_add(u16::try_from(lead).unwrap_or(0));
            let line = theme.gate.line(&message, usize::from(area.width));
            draw::line(buf, area, x, area.y, &line, style);
            return;
        }
        let parsed = parse(text);
        let note = parsed.notes.iter().find(|note| !note.only_without_matches);
        let (message, style) = match note {
            Some(note) => (format!("{}{fix}", note.message), theme.warn),
            None if self.applied.is_all() => {
                ("words, field:value, level>=warn, -leave-out   ? has all".to_owned(), theme.dim)
            }
            None => (format!("reads as  {}", self.applied.reads_as()), theme.dim),
        };
        let line = theme.gate.line(&message, usize::from(area.width).saturating_sub(4));
        draw::line(buf, area, area.x + 3, area.y, &line, style);
    }
}
