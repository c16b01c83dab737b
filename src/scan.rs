//! Which events a filter lets through: a pass that goes newest first, can be interrupted, and resumes.
//!
//! Its thread (see [`spawn`]) sees each new snapshot and each new filter, and publishes [`Matches`] every few
//! milliseconds; the console draws from them. A chunk is looked at once for each filter, its later rows as they
//! come. Nothing here reads the clock but the thread's loop, which is told how long a slice may take.

mod context;
mod matches;
mod thread;

pub use context::{Clock, context_of, learn_loads};
pub use matches::{MatchSegment, Matches, Rows};
pub use thread::{ScanHandle, select, spawn};

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::event::Chunk;
use crate::stats::Tables;
use crate::store::{Segment, Snapshot};

/// Adds to the list the rows of a range that match, in rising order.
pub type Select = Box<dyn FnMut(&Chunk, Range<usize>, &mut Vec<u16>) + Send>;

/// A filter on its way through the ring; `select` is `None` for everything.
pub struct Selection {
    /// Tells this filter's matches from those of others.
    pub id: u64,
    pub select: Option<Select>,
}

/// The pass over one snapshot after the other.
pub struct Scan {
    selection: Selection,
    snapshot: Arc<Snapshot>,
    /// Oldest first; covers the newest chunks first and grows backwards.
    segments: VecDeque<Scanned>,
    tables: Tables,
}

struct Scanned {
    segment: Segment,
    /// Rows looked at: the first so many.
    done: usize,
    rows: Arc<Vec<u16>>,
}

impl Scan {
    pub fn new() -> Self {
        let everything = Selection { id: 0, select: None };
        Self {
            selection: everything,
            snapshot: Arc::default(),
            segments: VecDeque::new(),
            tables: Tables::default(),
        }
    }

    /// Starts over with another filter.
    pub fn set_selection(&mut self, selection: Selection) {
        self.selection = selection;
        self.segments.clear();
        self.tables = Tables::default();
    }

    /// Goes on with a newer snapshot; what was looked at stays looked at.
    pub fn set_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        if self.selection.select.is_some() {
            let first = snapshot.segments.first().map_or(u64::MAX, |segment| segment.base);
            while self.segments.front().is_some_and(|scanned| scanned.segment.base < first) {
                self.segments.pop_front();
            }
            self.follow(&snapshot);
        }
        self.snapshot = snapshot;
    }

    /// Looks at one more chunk; `false` when there is nothing left to look at.
    pub fn advance(&mut self) -> bool {
        let Some(select) = &mut self.selection.select else { return false };
        // New rows at the end come first: they are what a person is looking at.
        let behind =
            self.segments.iter_mut().rev().find(|scanned| scanned.done < scanned.segment.chunk.len());
        if let Some(scanned) = behind {
            scanned.look(select, &self.snapshot, &mut self.tables);
            return true;
        }
        let next = match self.segments.front() {
            Some(oldest) => self.snapshot.segments.iter().rfind(|segment| segment.base < oldest.segment.base),
            None => self.snapshot.segments.last(),
        };
        let Some(segment) = next else { return false };
        let mut scanned = Scanned { segment: segment.clone(), done: 0, rows: Arc::default() };
        scanned.look(select, &self.snapshot, &mut self.tables);
        self.segments.push_front(scanned);
        true
    }

    /// What was found so far.
    pub fn matches(&mut self) -> Matches {
        let snapshot = Arc::clone(&self.snapshot);
        if self.selection.select.is_none() {
            return Matches::everything(self.selection.id, snapshot);
        }
        let looked_at: u64 = self.segments.iter().map(|scanned| scanned.done as u64).sum();
        let evicted_in_view = snapshot.segments.first().map_or(0, |oldest| snapshot.first - oldest.base);
        let is_whole = self.segments.front().is_some_and(|first| first.segment.base <= snapshot.first);
        let found: Vec<_> = self
            .segments
            .iter()
            .map(|scanned| (scanned.segment.clone(), Arc::clone(&scanned.rows)))
            .collect();
        let hidden = if is_whole { evicted_in_view } else { 0 };
        let tables = Arc::new(self.tables.rows(|ordinal| Some(Arc::from(snapshot.event(ordinal)?.msg()))));
        Matches::of(self.selection.id, snapshot, found, looked_at.saturating_sub(hidden), tables)
    }

    /// Takes over the newer state of chunks already seen, and chunks that came after them.
    fn follow(&mut self, snapshot: &Snapshot) {
        let Some(newest) = self.segments.back().map(|scanned| scanned.segment.base) else { return };
        for segment in snapshot.segments.iter().filter(|segment| segment.base >= newest) {
            if segment.base == newest {
                if let Some(last) = self.segments.back_mut() {
                    last.segment = segment.clone();
                }
            } else {
                self.segments.push_back(Scanned { segment: segment.clone(), done: 0, rows: Arc::default() });
            }
        }
    }
}

impl Default for Scan {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanned {
    fn look(&mut self, select: &mut Select, snapshot: &Snapshot, tables: &mut Tables) {
        let chunk = &self.segment.chunk;
        let rows = Arc::make_mut(&mut self.rows);
        let before = rows.len();
        let evicted = usize::try_from(snapshot.first.saturating_sub(self.segment.base)).unwrap_or(usize::MAX);
        let from = self.done.max(evicted.min(chunk.len()));
        select(chunk, from..chunk.len(), rows);
        self.done = chunk.len();
        for row in &rows[before..] {
            tables.add(chunk.event(usize::from(*row)), self.segment.base + u64::from(*row));
        }
    }
}

#[cfg(test)]
mod tests;
