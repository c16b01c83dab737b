//! The output gate: everything that came from outside passes here before a terminal, a title or a log shows it.
//!
//! Called by `ui` for cells and panes, by `tail` and error messages for plain text, by exports for JSON. Controls
//! and invisible characters are shown, never obeyed and never dropped; text is cut to cells that no terminal can
//! get wrong by more than the cell. It reads only as much of a text as the columns asked for can show.
//! The rules are the table in SECURITY.md section 6.

mod class;
mod cutter;
mod escape;
mod row;
mod script;
#[cfg(test)]
mod tests;
mod wrap;

use std::borrow::Cow;
use std::ops::ControlFlow;

pub use escape::{escape_json_from, push_json_escaped, push_json_text};

use cutter::Cutter;
use row::Row;

/// Bytes of a text that are looked at as a whole before it is taken cell by cell.
const MAX_SIMPLE: usize = 1_024;

/// How a part of a line is to stand out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PartStyle {
    #[default]
    Plain,
    /// Put in by the gate for something harmless: `␛`, `␤`, `<9B>`, `+7`, `…`.
    Dim,
    /// Worth a second look: what hides or reorders text, and letters of another script inside a word.
    Reversed,
}

/// A run of text in one style, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub style: PartStyle,
}

/// One row of safe text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub parts: Vec<Part>,
    /// Terminal columns of all parts together.
    pub columns: usize,
    /// More text followed than the row, or for the last row of [`Gate::lines`] the page, could hold.
    pub is_cut: bool,
}

impl Line {
    /// This line's text without its styles.
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

/// How text is shown on this terminal. The default suits a UTF-8 terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Print nothing but ASCII, as a terminal that does not read UTF-8 would take parts of other letters for
    /// control characters: `^[` for `␛`, `...` for `…`, `<U+00E9>` for `é`.
    pub ascii: bool,
    /// Show emoji sequences as their parts too, for terminals that measure them differently.
    pub strict_cells: bool,
}

impl Gate {
    /// The text in one row of at most `max_columns` columns: `␤` for line breaks, one space for a tab, `…` at the
    /// end if there is more.
    pub fn line(self, text: &str, max_columns: usize) -> Line {
        if let Some(line) = self.simple_line(text, max_columns) {
            return line;
        }
        self.fill(&mut Cutter::new(self, text), max_columns)
    }

    /// The text wrapped to rows of at most `width` columns, broken where it has line breaks and between words
    /// where possible; spaces vanish where a row turns.
    ///
    /// At `max_lines` rows the last one ends in `…` and is marked as cut. No rows if either limit is 0, one empty
    /// row for empty text. A wide character where `width` is 1 shows as `…`.
    pub fn lines(self, text: &str, width: usize, max_lines: usize) -> Vec<Line> {
        wrap::lines(self, text, width, max_lines)
    }

    /// The whole text in one line without styles: `␤` for line breaks, one space for a tab.
    pub fn plain(self, text: &str) -> Cow<'_, str> {
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut cutter = Cutter::new(self, text);
        while let Some(cell) = cutter.next() {
            out.push_str(cell.text);
        }
        Cow::Owned(out)
    }

    /// As [`Gate::plain`], cut to `max_columns` columns with `…`.
    pub fn plain_capped(self, text: &str, max_columns: usize) -> String {
        self.line(text, max_columns).text()
    }

    /// The columns [`Gate::plain`] takes; reads the whole text.
    pub fn columns(self, text: &str) -> usize {
        if self.is_simple(text) {
            return text.chars().count();
        }
        let mut columns = 0;
        let mut cutter = Cutter::new(self, text);
        while let Some(cell) = cutter.next() {
            columns += cell.columns;
        }
        columns
    }

    /// Calls `visit` with each cell of the one-line form: its text, columns (more than 2 only for ASCII notation
    /// such as `<U+202E>`) and style, until that breaks. Text that passed the gate gives its own cells again.
    pub fn cells(self, text: &str, mut visit: impl FnMut(&str, usize, PartStyle) -> ControlFlow<()>) {
        if self.is_simple(text) {
            let ends = text.char_indices().map(|(at, c)| at..at + c.len_utf8());
            let _ = ends.into_iter().try_for_each(|cell| visit(&text[cell], 1, PartStyle::Plain));
            return;
        }
        let mut cutter = Cutter::new(self, text);
        while let Some(cell) = cutter.next() {
            if visit(cell.text, cell.columns, cell.style).is_break() {
                return;
            }
        }
    }

    /// Whether each character is a cell of one column: most of what is drawn, which needs no closer look.
    fn is_simple(self, text: &str) -> bool {
        text.len() <= MAX_SIMPLE && text.chars().all(|c| class::is_simple(c, self.ascii))
    }

    /// [`Gate::line`] where each character in sight is a cell of one column; `None` where one is not.
    fn simple_line(self, text: &str, max_columns: usize) -> Option<Line> {
        if max_columns == 0 {
            return None;
        }
        let (mut columns, mut end) = (0, 0);
        for c in text.chars() {
            if !class::is_simple(c, self.ascii) {
                return None;
            }
            if columns == max_columns {
                return script::is_ascii_word(&text[end..]).then(|| self.cut_simple(text, max_columns));
            }
            columns += 1;
            end += c.len_utf8();
        }
        let part = Part { text: text.to_owned(), style: PartStyle::Plain };
        let parts = if text.is_empty() { Vec::new() } else { vec![part] };
        Some(Line { parts, columns, is_cut: false })
    }

    fn cut_simple(self, text: &str, max_columns: usize) -> Line {
        let (mark, width) = self.ellipsis(max_columns);
        let mut line = Line { is_cut: true, ..Line::default() };
        let Some(room) = max_columns.checked_sub(width) else { return line };
        let kept: String = text.chars().take(room).collect();
        let styled = [(kept, PartStyle::Plain), (mark.to_owned(), PartStyle::Dim)];
        let parts = styled.into_iter().filter(|(text, _)| !text.is_empty());
        line.parts = parts.map(|(text, style)| Part { text, style }).collect();
        line.columns = max_columns;
        line
    }

    fn fill(self, cutter: &mut Cutter<'_>, max_columns: usize) -> Line {
        let mut row = Row::default();
        let mut is_cut = false;
        while let Some(cell) = cutter.next() {
            if !row.fit(&cell, max_columns) {
                let (mark, columns) = self.ellipsis(max_columns);
                row.cut(mark, columns, max_columns);
                is_cut = true;
                break;
            }
        }
        let mut line = row.take(usize::MAX);
        line.is_cut = is_cut;
        line
    }

    /// The mark of something left out, and its columns.
    fn ellipsis(self, max_columns: usize) -> (&'static str, usize) {
        if !self.ascii {
            return ("\u{2026}", 1);
        }
        let columns = max_columns.min(3);
        (&"..."[..columns], columns)
    }
}

/// The text safe to print in a message, title or log line: [`Gate::plain`] of the default gate.
pub fn plain(text: &str) -> Cow<'_, str> {
    Gate::default().plain(text)
}

/// As [`plain`], cut to `max_columns` columns with `…`.
pub fn plain_capped(text: &str, max_columns: usize) -> String {
    Gate::default().plain_capped(text, max_columns)
}
