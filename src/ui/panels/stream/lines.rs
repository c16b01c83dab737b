//! Which lines stand on the screen: from the selected row up and down, or from the newest row up.
//!
//! Made anew for each frame. The selected row keeps its line; rows that the ring let go of stay as long as they are
//! on the screen.

use std::sync::Arc;

use super::entries::{Entry, Walk};
use super::interludes::{Interlude, Interludes};
use crate::event::Chunk;
use crate::scan::{Matches, Moment};

/// One line of the screen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// The `nth` line of a row.
    Row {
        entry: Entry<'a>,
        nth: usize,
        is_selected: bool,
    },
    Between(Interlude<'a>),
}

/// A row that was on the screen, and is kept for as long as it is held there.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    moment: Moment,
    chunk: Arc<Chunk>,
    row: usize,
}

/// What the lines are made of.
pub(super) struct Composer<'a, 'b> {
    pub(super) matches: &'a Matches,
    pub(super) walk: Walk<'a>,
    pub(super) between: Interludes<'a>,
    /// How many lines a row takes.
    pub(super) lines_of: &'b dyn Fn(&Entry<'a>) -> usize,
    /// Rows of the frame before that the ring let go of since.
    pub(super) kept: &'a [Kept],
}

impl<'a> Composer<'a, '_> {
    /// The newest lines, at most `height` of them.
    pub(super) fn following(&mut self, height: usize) -> Vec<Line<'a>> {
        let newest = self.walk.up(self.matches.total, height + 1);
        let mut above: Vec<_> =
            self.between(newest.first().map(|entry| entry.last.moment), None).into_iter().rev().collect();
        above.truncate(height);
        self.upwards(&newest, height, &mut above);
        above.reverse();
        above
    }

    /// The lines around `selected`, which has line `line` or, where less is above it, one further up; and its line.
    pub(super) fn around(
        &mut self,
        selected: Entry<'a>,
        is_selected: bool,
        line: usize,
        height: usize,
    ) -> (Vec<Line<'a>>, usize) {
        let mut above = Vec::new();
        let before = self.walk.up(selected.from, line + 1);
        let mut entries = self.gone(|moment| moment < selected.first.moment);
        entries.extend(before);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.last.moment));
        let previous = entries.first().map(|entry| entry.last.moment);
        above.extend(self.between(previous, Some(selected.last.moment)).into_iter().rev());
        above.truncate(line);
        self.upwards(&entries, line, &mut above);
        above.reverse();
        let line = above.len();
        let mut lines = above;
        self.row(&selected, is_selected, &mut lines);
        self.downwards(&selected, height, &mut lines);
        lines.truncate(height);
        (lines, line)
    }

    /// Adds lines upwards from the end, nearest first, until there are `height`.
    fn upwards(&mut self, entries: &[Entry<'a>], height: usize, lines: &mut Vec<Line<'a>>) {
        for (at, entry) in entries.iter().enumerate() {
            if lines.len() >= height {
                break;
            }
            let mut block =
                self.between(entries.get(at + 1).map(|next| next.last.moment), Some(entry.last.moment));
            self.row(entry, false, &mut block);
            lines.extend(block.into_iter().rev());
        }
        lines.truncate(height);
    }

    fn downwards(&mut self, selected: &Entry<'a>, height: usize, lines: &mut Vec<Line<'a>>) {
        let room = height.saturating_sub(lines.len());
        let after = self.walk.down(selected.to, room);
        let is_all = after.len() < room;
        let mut entries = self.gone(|moment| moment > selected.last.moment);
        entries.extend(after);
        entries.sort_by_key(|entry| entry.last.moment);
        let mut previous = selected.last.moment;
        for entry in entries {
            if lines.len() >= height {
                return;
            }
            lines.extend(self.between(Some(previous), Some(entry.last.moment)));
            self.row(&entry, false, lines);
            previous = entry.last.moment;
        }
        if is_all {
            lines.extend(self.between(Some(previous), None));
        }
    }

    fn row(&self, entry: &Entry<'a>, is_selected: bool, lines: &mut Vec<Line<'a>>) {
        let count = (self.lines_of)(entry).max(1);
        lines.extend((0..count).map(|nth| Line::Row { entry: *entry, nth, is_selected }));
    }

    fn between(&mut self, after: Option<Moment>, before: Option<Moment>) -> Vec<Line<'a>> {
        self.between.between(after, before).into_iter().map(Line::Between).collect()
    }

    /// Rows of the frame before that are kept nowhere else, in the order of time.
    fn gone(&self, is_wanted: impl Fn(Moment) -> bool) -> Vec<Entry<'a>> {
        let first = self.matches.snapshot.first;
        let kept = self.kept.iter().filter(|kept| kept.moment.ordinal < first && is_wanted(kept.moment));
        kept.map(|kept| {
            let rank = self.matches.rank(kept.moment);
            Entry::apart(kept.moment, &kept.chunk, kept.row, rank)
        })
        .collect()
    }
}

/// The rows among `lines`, to be kept for the next frame.
pub(super) fn keep(lines: &[Line<'_>]) -> Vec<Kept> {
    let rows = lines.iter().filter_map(|line| match line {
        Line::Row { entry, nth: 0, is_selected: false } => Some(entry.last),
        _ => None,
    });
    rows.map(|at| Kept { moment: at.moment, chunk: Arc::clone(at.chunk), row: at.row }).collect()
}

/// Which event stands on which line.
pub(super) fn placed(lines: &[Line<'_>]) -> Vec<(Moment, u16)> {
    let rows = (0..).zip(lines).filter_map(|(y, line)| match line {
        Line::Row { entry, nth: 0, .. } => Some((entry.last.moment, y)),
        _ => None,
    });
    rows.collect()
}
