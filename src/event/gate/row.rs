//! A row under construction: cells that can be taken back, until it becomes a [`Line`].
//!
//! Filled by the one-line form and by wrapping. It holds what fits and knows nothing of text that does not.

use super::class;
use super::cutter::Cell;
use super::{Line, Part, PartStyle};

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where the cell's text starts.
    start: usize,
    columns: usize,
    style: PartStyle,
}

/// Cells in a row.
#[derive(Debug, Default)]
pub(super) struct Row {
    text: String,
    slots: Vec<Slot>,
    columns: usize,
}

impl Row {
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn push(&mut self, text: &str, columns: usize, style: PartStyle) {
        self.slots.push(Slot { start: self.text.len(), columns, style });
        self.text.push_str(text);
        self.columns += columns;
    }

    /// Adds a cell, or as much of its notation as fits; `false` if something was left out.
    pub(super) fn fit(&mut self, cell: &Cell<'_>, max_columns: usize) -> bool {
        let room = max_columns.saturating_sub(self.columns);
        if !cell.is_breakable() {
            if cell.columns <= room {
                self.push(cell.text, cell.columns, cell.style);
            }
            return cell.columns <= room;
        }
        let taken = room.min(cell.columns);
        for at in 0..taken {
            self.push(&cell.text[at..=at], 1, cell.style);
        }
        taken == cell.columns
    }

    /// Ends the row with `mark`, taking cells back until there is room for it.
    pub(super) fn cut(&mut self, mark: &str, columns: usize, max_columns: usize) {
        while self.columns + columns > max_columns
            && let Some(slot) = self.slots.pop()
        {
            self.columns -= slot.columns;
            self.text.truncate(slot.start);
        }
        if self.columns + columns <= max_columns {
            self.trim();
            self.push(mark, columns, PartStyle::Dim);
        }
    }

    /// Takes the first `cells` cells out as a line; the others move to the front.
    pub(super) fn take(&mut self, cells: usize) -> Line {
        let rest = self.slots.split_off(cells.min(self.slots.len()));
        let end = rest.first().map_or(self.text.len(), |slot| slot.start);
        let mut next = Self::default();
        for (index, slot) in rest.iter().enumerate() {
            let stop = rest.get(index + 1).map_or(self.text.len(), |slot| slot.start);
            next.push(&self.text[slot.start..stop], slot.columns, slot.style);
        }
        self.text.truncate(end);
        self.trim();
        let line = self.line();
        *self = next;
        line
    }

    /// Drops a non-joiner that has lost the letter it stood before.
    fn trim(&mut self) {
        let len = self.text.trim_end_matches(class::ZWNJ).len();
        self.text.truncate(len);
    }

    fn line(&self) -> Line {
        let mut parts: Vec<Part> = Vec::new();
        for (index, slot) in self.slots.iter().enumerate() {
            let stop = self.slots.get(index + 1).map_or(self.text.len(), |slot| slot.start);
            let text = &self.text[slot.start..stop];
            match parts.last_mut() {
                Some(last) if last.style == slot.style => last.text.push_str(text),
                _ => parts.push(Part { text: text.to_owned(), style: slot.style }),
            }
        }
        let columns = self.slots.iter().map(|slot| slot.columns).sum();
        Line { parts, columns, is_cut: false }
    }
}
