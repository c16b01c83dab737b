//! What is wrong with a filter, where, and what to write instead.
//!
//! Made by the lexer, parser and check; shown by the filter bar and, through [`FilterError::with_caret`], by the
//! commands. Messages speak of what the user wrote, never of the parser.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

/// A mistake in a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// Stable, for tests and for looking it up: `E-ENUM`.
    pub code: &'static str,
    /// The marked bytes of the text; empty where something is missing.
    pub span: Range<usize>,
    /// First marked cell, from 1.
    pub column: usize,
    /// Marked cells, at least 1.
    pub len: usize,
    pub message: String,
    /// An edit that mends it.
    pub fix: Option<Fix>,
    /// Typing on at the end of the text can still make it right.
    pub unfinished: bool,
}

/// Replace these bytes of the text with this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub span: Range<usize>,
    pub text: String,
}

impl Fix {
    pub fn new(span: Range<usize>, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// `text` with the edit made.
    pub fn apply(&self, text: &str) -> String {
        let (before, after) = (text.get(..self.span.start), text.get(self.span.end..));
        [before.unwrap_or(text), &self.text, after.unwrap_or("")].concat()
    }
}

/// A filter that applies but may not mean what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Stable: `N-MIXED`.
    pub code: &'static str,
    pub span: Range<usize>,
    pub message: String,
    pub fix: Option<Fix>,
    /// Worth saying only if no event matches.
    pub only_without_matches: bool,
}

impl FilterError {
    pub(super) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span, column: 0, len: 0, message: said(&message.into()), fix: None, unfinished: false }
    }

    /// The same mistake in other words.
    pub(super) fn saying(mut self, message: &str) -> Self {
        self.message = said(message);
        self
    }

    pub(super) fn with_fix(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.fix = Some(Fix::new(span, text));
        self
    }

    pub(super) fn unfinished_if(mut self, unfinished: bool) -> Self {
        self.unfinished = unfinished;
        self
    }

    /// Counts the cells of `text` up to and under the span.
    pub(super) fn place_in(&mut self, text: &str) {
        Self::place_all(std::slice::from_mut(self), text);
    }

    /// Sorts `errors` by place and places them in `text`, in one walk over it.
    pub(super) fn place_all(errors: &mut [Self], text: &str) {
        errors.sort_by_key(|error| error.span.start);
        let cells = |range: Range<usize>| text.get(range).map_or(0, |part| printable(part).width());
        let (mut at, mut column) = (0, 1);
        for error in errors {
            column += cells(at..error.span.start);
            at = error.span.start;
            error.column = column;
            error.len = cells(error.span.clone()).max(1);
        }
    }

    /// The caret line to go under the text: `       ^~~`.
    pub fn caret_line(&self) -> String {
        format!("{}^{}", " ".repeat(self.column - 1), "~".repeat(self.len - 1))
    }

    /// What is wrong, the filter, and a caret under the place.
    pub fn with_caret(&self, text: &str) -> String {
        format!("{}\n    {}\n    {}", self.message, printable(text), self.caret_line())
    }
}

/// A message as it can be shown: it quotes what was typed, or pasted.
pub(super) fn said(message: &str) -> String {
    message.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// `text` without control characters, each of which becomes one cell.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_mistake_also_after_wide_characters() {
        let text = "日本 level:wran";
        let mut error = FilterError::new("E-ENUM", 13..17, "unknown level");
        error.place_in(text);
        assert_eq!((error.column, error.len), (12, 4));
        let expected = "unknown level\n    日本 level:wran\n               ^~~~";
        assert_eq!(error.with_caret(text), expected);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut error = FilterError::new("E-NOVAL", 5..5, "x");
        error.place_in("a\u{1b}[m:");
        assert!(!error.with_caret("a\u{1b}[m:").contains('\u{1b}'));
        let quoted = FilterError::new("E-NUM", 0..1, "`4\u{1b}[m` is no number\nof any kind");
        assert_eq!(quoted.message, "`4\u{fffd}[m` is no number\nof any kind");
    }

    #[test]
    fn a_fix_replaces_its_span() {
        assert_eq!(Fix::new(6..10, "warn").apply("level:wran x"), "level:warn x");
        assert_eq!(Fix::new(90..95, "warn").apply("a"), "awarn");
    }
}
