//! One line of text being edited: characters, words, ends. Used by the filter bar, the export path, the palette
//! and wherever a name is asked for.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::draw;
use super::theme::Theme;
use crate::event::gate::Gate;

/// Longest text that can be typed or pasted (FILTER: limits).
const MAX_CHARS: usize = 4_096;

/// The text and where the next character goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Editor {
    text: String,
    /// Byte position, always between two graphemes.
    cursor: usize,
}

impl Editor {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    pub(super) fn is_at_start(&self) -> bool {
        self.cursor == 0
    }

    /// The cursor's place, in bytes.
    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub(super) fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Replaces the text, with the cursor at byte `at` or the nearest place before it.
    pub(super) fn set_at(&mut self, text: &str, at: usize) {
        self.set(text);
        self.move_to(at);
    }

    /// Moves the cursor to byte `at` or the nearest place before it.
    pub(super) fn move_to(&mut self, at: usize) {
        let places = self.text.grapheme_indices(true).map(|(place, _)| place);
        let end = self.text.len();
        self.cursor =
            if at >= end { end } else { places.take_while(|place| *place <= at).last().unwrap_or(0) };
    }

    /// Inserts what fits of the first line of `text`.
    pub(super) fn insert(&mut self, text: &str) {
        let room = MAX_CHARS.saturating_sub(self.text.chars().count());
        let line = text.lines().next().unwrap_or("");
        let fitting: String = line.chars().filter(|c| !c.is_control()).take(room).collect();
        self.text.insert_str(self.cursor, &fitting);
        self.cursor += fitting.len();
    }

    /// How many bytes at the start are out of sight, so that what is before the cursor fits into `room` columns.
    pub(super) fn skip(&self, room: usize, gate: Gate) -> usize {
        let before = self.before_cursor();
        let over = gate.columns(before).saturating_sub(room);
        if over == 0 {
            return 0;
        }
        let mut places = before.grapheme_indices(true).map(|(at, _)| at);
        places.find(|at| gate.columns(&before[..*at]) >= over).unwrap_or(before.len())
    }

    /// Draws the text from column `x` of `row` on, scrolled so far that the cursor is in sight; gives the columns where the
    /// text ends and where the cursor is.
    pub(super) fn render(&self, row: Rect, buf: &mut Buffer, x: u16, theme: &Theme) -> (u16, u16) {
        let gate = theme.gate;
        let columns = |text: &str| u16::try_from(gate.columns(text)).unwrap_or(u16::MAX);
        // The cursor may stand behind the last letter.
        let room = row.right().saturating_sub(x.saturating_add(1));
        let (mut x, mut skip) = (x, self.skip(usize::from(room), gate));
        if skip > 0 {
            skip = self.skip(usize::from(room.saturating_sub(columns(theme.glyphs.cut))), gate);
            x = draw::text(buf, row, x, row.y, theme.glyphs.cut, theme.dim);
        }
        let line = gate.line(&self.text[skip..], usize::from(row.right().saturating_sub(x)));
        let end = draw::line(buf, row, x, row.y, &line, theme.text);
        let cursor = x.saturating_add(columns(&self.before_cursor()[skip..]));
        (end, cursor.min(row.right().saturating_sub(1)))
    }

    /// Takes a key; `false` if it means nothing to an editor.
    pub(super) fn on_key(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if is_control => self.cursor = 0,
            KeyCode::Char('e') if is_control => self.cursor = self.text.len(),
            KeyCode::Char('u') if is_control => self.remove(0, self.cursor),
            KeyCode::Char('k') if is_control => self.remove(self.cursor, self.text.len()),
            KeyCode::Char('w') if is_control => self.remove(self.word_start(), self.cursor),
            KeyCode::Char(character) if !is_control && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(character.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => self.remove(self.previous(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.next()),
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn previous(&self) -> usize {
        self.before_cursor().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next().map_or(0, str::len);
        self.cursor + next
    }

    fn word_start(&self) -> usize {
        let before = self.before_cursor().trim_end();
        before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, keys: &[(KeyCode, KeyModifiers)]) -> (String, usize) {
        let mut editor = Editor::new(text);
        for (code, modifiers) in keys {
            editor.on_key(KeyEvent::new(*code, *modifiers));
        }
        (editor.text, editor.cursor)
    }

    #[test]
    fn keys_edit_whole_graphemes_and_words() {
        let (plain, control) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        for (text, keys, expected) in [
            ("ab", vec![(KeyCode::Backspace, plain)], ("a", 1)),
            ("né", vec![(KeyCode::Left, plain), (KeyCode::Delete, plain)], ("n", 1)),
            ("a 👩‍👩‍👧", vec![(KeyCode::Backspace, plain)], ("a ", 2)),
            ("level:warn  url:/api ", vec![(KeyCode::Char('w'), control)], ("level:warn  ", 12)),
            ("ab", vec![(KeyCode::Home, plain), (KeyCode::Char('x'), plain)], ("xab", 1)),
            ("abc", vec![(KeyCode::Left, plain), (KeyCode::Char('k'), control)], ("ab", 2)),
            ("abc", vec![(KeyCode::Left, plain), (KeyCode::Char('u'), control)], ("c", 0)),
        ] {
            assert_eq!(after(text, &keys), (expected.0.to_owned(), expected.1), "{text}");
        }
    }

    #[test]
    fn what_is_pasted_is_one_line_and_bounded() {
        let mut editor = Editor::default();
        editor.insert("a\u{7}b\nc");
        assert_eq!(editor.text(), "ab");
        editor.insert(&"x".repeat(9_999));
        assert_eq!(editor.text().chars().count(), 4_096);
    }
}
