//! Matches as rows: one each, or one for a run of neighbours that say the same within two seconds.
//!
//! Walked from a place up or down, so that a frame costs what it shows and not what is kept. Bounded: a run ends at
//! a thousand events, and a frame looks at 20,000.

use std::sync::Arc;

use crate::event::{Chunk, EventRef};
use crate::scan::{At, Matches, Moment};

use super::words::row_text;

/// How far apart two of a run may be, in milliseconds (UX: repeats).
const RUN_MS: i64 = 2_000;
const MAX_RUN: u32 = 1_000;
const BUDGET: usize = 20_000;
/// Matches fetched at once, at the least.
const BLOCK: usize = 64;

/// One row's events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// The latest of them, which the row shows.
    pub(super) last: At<'a>,
    /// The earliest of them.
    pub(super) first: At<'a>,
    pub(super) times: u32,
    /// The ranks of its events.
    pub(super) from: u64,
    pub(super) to: u64,
}

impl<'a> Entry<'a> {
    fn one(at: At<'a>, rank: u64) -> Self {
        Self { last: at, first: at, times: 1, from: rank, to: rank + 1 }
    }

    /// An event that is no match, or none any more; it would stand at `rank`.
    pub(super) fn apart(moment: Moment, chunk: &'a Arc<Chunk>, row: usize, rank: u64) -> Self {
        let at = At { moment, chunk, row };
        Self { last: at, first: at, times: 1, from: rank, to: rank }
    }
}

/// Makes entries of matches.
pub(super) struct Walk<'a> {
    matches: &'a Matches,
    is_folding: bool,
    budget: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(matches: &'a Matches, is_folding: bool) -> Self {
        Self { matches, is_folding, budget: BUDGET }
    }

    /// At most `count` entries that end before `rank`, the nearest first.
    pub(super) fn up(&mut self, rank: u64, count: usize) -> Vec<Entry<'a>> {
        let (mut entries, mut end): (Vec<Entry<'a>>, u64) = (Vec::new(), rank.min(self.matches.total));
        while end > 0 && count > 0 && self.budget > 0 {
            let start = end - end.min(self.block(count) as u64);
            let found = self.matches.window(start, usize::try_from(end - start).unwrap_or(usize::MAX));
            for (nth, at) in found.into_iter().enumerate().rev() {
                let rank = start + nth as u64;
                let run = entries.last_mut().filter(|run| self.is_folding && folds(run, at, run.first));
                if let Some(run) = run {
                    (run.first, run.from, run.times) = (at, rank, run.times + 1);
                } else if entries.len() < count {
                    entries.push(Entry::one(at, rank));
                } else {
                    return entries;
                }
            }
            end = start;
        }
        entries
    }

    /// At most `count` entries that begin at `rank` or after it, in the order of time.
    pub(super) fn down(&mut self, rank: u64, count: usize) -> Vec<Entry<'a>> {
        let (mut entries, mut start): (Vec<Entry<'a>>, u64) = (Vec::new(), rank);
        while start < self.matches.total && count > 0 && self.budget > 0 {
            let found = self.matches.window(start, self.block(count));
            let next = start + found.len() as u64;
            for (at, rank) in found.into_iter().zip(start..) {
                let run = entries.last_mut().filter(|run| self.is_folding && folds(run, at, run.last));
                if let Some(run) = run {
                    (run.last, run.to, run.times) = (at, rank + 1, run.times + 1);
                } else if entries.len() < count {
                    entries.push(Entry::one(at, rank));
                } else {
                    return entries;
                }
            }
            start = next;
        }
        entries
    }

    /// The entry of the match at `rank`.
    pub(super) fn around(&mut self, rank: u64) -> Option<Entry<'a>> {
        let mut entry = self.up(rank + 1, 1).pop()?;
        let after = if self.is_folding { self.down(rank + 1, 1).pop() } else { None };
        if let Some(after) = after.filter(|after| folds(&entry, after.first, entry.last)) {
            (entry.last, entry.to) = (after.last, after.to);
            entry.times = entry.times.saturating_add(after.times);
        }
        Some(entry)
    }

    fn block(&mut self, count: usize) -> usize {
        let block = count.max(BLOCK).min(self.budget.max(1));
        self.budget = self.budget.saturating_sub(block);
        block
    }
}

/// Whether `at` belongs to the run of `entry`, whose nearest event is `near`.
fn folds(entry: &Entry<'_>, at: At<'_>, near: At<'_>) -> bool {
    let apart = near.moment.inst.since(at.moment.inst).abs();
    entry.times < MAX_RUN && apart <= RUN_MS && says_the_same(near.event(), at.event())
}

/// Whether two events are the same to a reader; what was measured is different each time.
fn says_the_same(a: EventRef<'_>, b: EventRef<'_>) -> bool {
    a.duration().is_none()
        && b.duration().is_none()
        && (a.level(), a.group(), a.status()) == (b.level(), b.group(), b.status())
        && a.subtype() == b.subtype()
        && (a.tab(), a.session()) == (b.tab(), b.session())
        && row_text(a) == row_text(b)
}
