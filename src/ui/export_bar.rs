//! The line that asks where to export to: the path, edited in place, and how much goes there.
//!
//! Owned by the app; the writing itself is done by whoever runs the console.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::draw;
use super::editor::Editor;
use super::format;
use super::theme::Theme;
use crate::event::Timestamp;

/// The question, until it is answered.
#[derive(Debug)]
pub(super) struct ExportBar {
    editor: Editor,
}

/// What a key answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Cancel,
    Write(String),
}

impl ExportBar {
    /// Proposes a name made from the local time.
    pub(super) fn new(now: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        let local = now.to_jiff().to_zoned_datetime(zone.clone());
        let name = format!("taillight-{}.jsonl", local.strftime("%Y-%m-%dT%H%M%S"));
        Self { editor: Editor::new(&name) }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.editor.insert(text);
    }

    pub(super) fn on_key(&mut self, key: KeyEvent) -> Answer {
        match key.code {
            KeyCode::Esc => Answer::Cancel,
            KeyCode::Enter if !self.editor.text().trim().is_empty() => {
                Answer::Write(self.editor.text().trim().to_owned())
            }
            _ => {
                self.editor.on_key(key);
                Answer::Nothing
            }
        }
    }

    /// Draws the question into one row; gives the place of the cursor.
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer, events: u64, theme: &Theme) -> Position {
        let question = format!(" export {}, oldest first, to  ", format::counted(events, "event"));
        let x = draw::text(buf, area, area.x, area.y, &question, theme.accent);
        let room = usize::from(area.right().saturating_sub(x));
        let line = theme.gate.line(self.editor.text(), room);
        draw::line(buf, area, x, area.y, &line, theme.text);
        let column = theme.gate.columns(self.editor.before_cursor());
        let x = x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
        Position { x: x.min(area.right().saturating_sub(1)), y: area.y }
    }
}
