//! Wraps hostile text into rows for detail panes, without ratatui, whose own wrapping can panic on it.
//!
//! Called through [`Gate::lines`]. Line breaks are honoured, tabs go to stops of four columns, words stay whole
//! where a row can hold them. It reads no further than the rows asked for.

use super::cutter::{Cell, Cutter, Kind};
use super::row::Row;
use super::{Gate, Line, PartStyle};

/// Columns between tab stops (SECURITY.md section 6).
const TAB: usize = 4;

/// Wraps `text`; see [`Gate::lines`].
pub(super) fn lines(gate: Gate, text: &str, width: usize, max_lines: usize) -> Vec<Line> {
    if width == 0 || max_lines == 0 {
        return Vec::new();
    }
    let mut page = Page { width, max_lines, lines: Vec::new(), row: Row::default(), turn: Turn::default() };
    let mut cutter = Cutter::new(gate, text);
    let mut is_cut = false;
    while let Some(cell) = cutter.next() {
        if !page.add(&cell) {
            is_cut = true;
            break;
        }
    }
    page.finish(gate, is_cut)
}

/// Where the row in progress may be turned.
#[derive(Debug, Default)]
struct Turn {
    /// Cells before the last opportunity, 0 for none.
    at: usize,
    /// Something other than indentation stands in the row.
    has_text: bool,
    /// A space did not fit: the next text starts a row.
    is_due: bool,
    /// Further spaces that vanish at the turn that is due; past that many, spaces are content.
    swallow: usize,
}

struct Page {
    width: usize,
    max_lines: usize,
    lines: Vec<Line>,
    row: Row,
    turn: Turn,
}

impl Page {
    /// Lays out one cell; `false` when the page is full.
    fn add(&mut self, cell: &Cell<'_>) -> bool {
        match cell.kind {
            Kind::Break => self.end_row(self.row.len()),
            Kind::Tab => self.add_space(TAB - self.row.columns() % TAB),
            Kind::Text if cell.text == " " => self.add_space(1),
            Kind::Text if cell.is_breakable() => (0..cell.columns)
                .all(|at| self.add_text(&Cell { text: &cell.text[at..=at], columns: 1, ..*cell })),
            Kind::Text => self.add_text(cell),
        }
    }

    fn add_space(&mut self, columns: usize) -> bool {
        if self.turn.is_due && self.turn.swallow > 0 {
            self.turn.swallow -= 1;
            return true;
        }
        if self.turn.is_due && !self.end_row(self.row.len()) {
            return false;
        }
        let columns = columns.min(self.width);
        if self.row.columns() + columns > self.width {
            // The row turns here, so the space vanishes; but only if something follows.
            self.turn.is_due = true;
            self.turn.swallow = self.width;
            return true;
        }
        for _ in 0..columns {
            self.row.push(" ", 1, PartStyle::Plain);
        }
        if self.turn.has_text {
            self.turn.at = self.row.len();
        }
        true
    }

    fn add_text(&mut self, cell: &Cell<'_>) -> bool {
        if self.turn.is_due && !self.end_row(self.row.len()) {
            return false;
        }
        let is_wide = cell.columns > 1;
        if is_wide && cell.columns > self.width {
            return self.add_text(&Cell {
                text: "\u{2026}",
                columns: 1,
                style: PartStyle::Dim,
                kind: Kind::Text,
            });
        }
        if is_wide && self.turn.has_text {
            self.turn.at = self.row.len();
        }
        while self.row.columns() + cell.columns > self.width {
            let at = if self.turn.at > 0 { self.turn.at } else { self.row.len() };
            if !self.end_row(at) {
                return false;
            }
        }
        self.row.push(cell.text, cell.columns, cell.style);
        self.turn.has_text = true;
        if is_wide {
            self.turn.at = self.row.len();
        }
        true
    }

    /// Ends the row after its first `cells` cells; `false` if that was the last one there is room for.
    fn end_row(&mut self, cells: usize) -> bool {
        if self.lines.len() + 1 == self.max_lines {
            return false;
        }
        self.lines.push(self.row.take(cells));
        self.turn = Turn { has_text: self.row.len() > 0, ..Turn::default() };
        true
    }

    fn finish(mut self, gate: Gate, is_cut: bool) -> Vec<Line> {
        if is_cut {
            let (mark, columns) = gate.ellipsis(self.width);
            self.row.cut(mark, columns, self.width);
        }
        let mut last = self.row.take(usize::MAX);
        last.is_cut = is_cut;
        self.lines.push(last);
        self.lines
    }
}
