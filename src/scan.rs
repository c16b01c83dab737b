//! Which events a filter lets through: a pass that goes newest first, can be interrupted, and resumes.
//!
//! Its thread (see [`spawn`]) sees each new snapshot and each new filter, and publishes [`Matches`] every few
//! milliseconds; the console draws from them. A chunk is looked at once for each filter, its later rows as they
//! come, several chunks at once where their text is read. Nothing here reads the clock but the thread's loop, which is
//! told how long a slice may take.

mod advice;
mod by_time;
mod context;
mod marks;
mod matches;
mod rows;
mod scanned;
mod selection;
mod thread;

pub use advice::{Advice, AdviceHandle, AdviceRequest, Advisor, Candidate, MAX_CANDIDATES, spawn_advice};
pub use by_time::{At, Moment};
pub use context::{Clock, context_of, context_with, learn_loads};
pub use marks::{Marks, Pin};
pub use matches::{MatchSegment, Matches, Rows};
pub use rows::RowSet;
pub use selection::{Select, Selection};
pub use thread::{ScanHandle, spawn};

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::filter::Bits;
use crate::stats::{TableRows, Tables};
use crate::store::{Segment, Snapshot};
use scanned::Scanned;
use selection::Unseen;

/// The pass over one snapshot after the other.
pub struct Scan {
    selection: Selection,
    snapshot: Arc<Snapshot>,
    /// Events that are shown although the ring lets go of them, if the selection lets them through: see [`Scan::keep`].
    kept: Arc<[Segment]>,
    /// Oldest first; covers the newest chunks first and grows backwards.
    segments: VecDeque<Scanned>,
    /// What wider selections found, oldest first: of these chunks only their matches can match.
    wider: VecDeque<Scanned>,
    tables: Tables,
    /// Groups of `tables` whose first or latest event may be another's by now.
    loose: FxHashSet<u64>,
    /// Whether `tables` hold what their rows do not.
    has_news: bool,
    /// Whether `tables` were begun anew and say less than their rows until all is counted again.
    is_recounting: bool,
    /// Chunks that begin before this are ready for text filters, and the next one as far as this.
    ready: u64,
    ready_parts: usize,
    /// The rows of `tables` as last made.
    table_rows: Arc<TableRows>,
}

impl Scan {
    pub fn new() -> Self {
        Self {
            selection: Selection::everything(0),
            snapshot: Arc::default(),
            kept: Arc::from([]),
            segments: VecDeque::new(),
            wider: VecDeque::new(),
            tables: Tables::default(),
            loose: FxHashSet::default(),
            has_news: false,
            is_recounting: false,
            ready: 0,
            ready_parts: 0,
            table_rows: Arc::default(),
        }
    }

    /// Starts over with another filter.
    pub fn set_selection(&mut self, selection: Selection) {
        self.segments.clear();
        self.wider.clear();
        self.start(selection);
    }

    /// From the next selection on these events, each in a chunk of its own and in the order of arrival, are among the
    /// matches after they have left the ring, too. Tables do not count them.
    pub fn keep(&mut self, kept: Arc<[Segment]>) {
        self.kept = kept;
    }

    /// Starts over with a filter that lets through nothing which the one before did not: what that has looked at is
    /// narrowed, the rest is looked at as ever.
    pub fn narrow(&mut self, selection: Selection) {
        if self.selection.is_everything() {
            return self.set_selection(selection);
        }
        let first = self.segments.front().map_or(u64::MAX, |oldest| oldest.segment.base);
        self.wider.retain(|wider| wider.segment.base < first);
        self.wider.append(&mut self.segments);
        self.start(selection);
    }

    fn start(&mut self, selection: Selection) {
        self.selection = selection;
        let mut is_match = |kept: &Segment| {
            let Some(select) = self.selection.select() else { return false };
            let mut found = Bits::new();
            select(&kept.chunk, &Bits::of(0..1), &mut found);
            !found.is_empty()
        };
        self.kept = self.kept.iter().filter(|kept| is_match(kept)).cloned().collect();
        self.forget_tables();
    }

    /// Begins the tables anew. The rows of those before are shown until then: nothing flickers with every key.
    fn forget_tables(&mut self) {
        self.tables = Tables::default();
        self.loose.clear();
        (self.has_news, self.is_recounting) = (true, false);
    }

    /// Goes on with a newer snapshot; what was looked at stays looked at, but for the newest chunk if places became known
    /// in it: see [`Scan::see_places`] for the others.
    pub fn set_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.rebuilt != self.snapshot.rebuilt {
            self.segments.clear();
            self.wider.clear();
            self.forget_tables();
            self.table_rows = Arc::default();
            (self.ready, self.ready_parts) = (0, 0);
        }
        if !self.selection.is_everything() {
            let first = snapshot.segments.first().map_or(u64::MAX, |segment| segment.base);
            for found in [&mut self.segments, &mut self.wider] {
                while found.front().is_some_and(|scanned| scanned.segment.base < first) {
                    found.pop_front();
                }
            }
            self.follow(&snapshot);
        }
        self.snapshot = snapshot;
    }

    /// Does one more piece of work; `false` when there is none left. Chunks are looked at before anything is
    /// counted, so that all matches are known as soon as can be.
    pub fn advance(&mut self) -> bool {
        self.look() || self.count()
    }

    /// As [`Scan::advance`], looking at chunks as [`Scan::look_on`] does.
    pub fn advance_on(&mut self, goes_on: &(dyn Fn() -> bool + Sync)) -> bool {
        self.look_on(goes_on) || self.count()
    }

    /// Looks at one more chunk; `false` when every event was looked at.
    pub fn look(&mut self) -> bool {
        self.look_at_news() || self.look_back(1, &|| true)
    }

    /// As [`Scan::look`], but goes on with chunks before those that were looked at as long as `goes_on` says so, several at
    /// once where that is of use.
    pub fn look_on(&mut self, goes_on: &(dyn Fn() -> bool + Sync)) -> bool {
        self.look_at_news() || self.look_back(usize::MAX, goes_on)
    }

    /// Looks at what came since in one of the chunks that were looked at: it is what a person is looking at.
    fn look_at_news(&mut self) -> bool {
        let Some(select) = self.selection.select() else { return false };
        let behind = self.segments.iter_mut().rev().find(|scanned| scanned.is_behind());
        let Some(scanned) = behind else { return false };
        self.has_news |= scanned.has_places();
        if !scanned.look_again(select, &self.snapshot, (&mut self.tables, &mut self.loose)) {
            self.recount();
        }
        true
    }

    /// Looks at no more than so many of the chunks before those, newest first; `false` when there are none. Nothing of them is
    /// in the tables yet.
    fn look_back(&mut self, at_most: usize, goes_on: &(dyn Fn() -> bool + Sync)) -> bool {
        let first = self.segments.front().map_or(u64::MAX, |oldest| oldest.segment.base);
        let unseen = self.snapshot.segments.partition_point(|segment| segment.base < first);
        if unseen == 0 || self.selection.is_everything() {
            return false;
        }
        let wider = |segment: &Segment| {
            let at = self.wider.binary_search_by_key(&segment.base, |wider| wider.segment.base).ok();
            at.map(|at| &self.wider[at])
        };
        let unseen = self.snapshot.segments[..unseen].iter().rev().take(at_most);
        let unseen: Vec<Unseen<'_>> = unseen.map(|segment| (segment, wider(segment))).collect();
        let seen = self.selection.look_at(&unseen, &self.snapshot, goes_on);
        seen.into_iter().for_each(|scanned| self.segments.push_front(scanned));
        true
    }

    /// Begins the tables anew.
    fn recount(&mut self) {
        self.tables = Tables::default();
        self.loose.clear();
        self.is_recounting = true;
        self.segments.iter_mut().for_each(|scanned| scanned.counted = 0);
    }

    /// Adds the matches of one more chunk to the tables.
    fn count(&mut self) -> bool {
        let behind = self.segments.iter_mut().rev().filter(|scanned| scanned.counted < scanned.done);
        for scanned in behind {
            if scanned.count(&mut self.tables) {
                self.has_news = true;
                return true;
            }
        }
        self.is_recounting = false;
        false
    }

    /// Reads from one more full chunk a part of what filters of text and data will ask of it, as long as `goes_on` says so;
    /// `false` when all are ready. For when there is nothing better to do: the first such filter would have to.
    pub fn prepare(&mut self, goes_on: &dyn Fn() -> bool) -> bool {
        let (_, full) = self.snapshot.segments.split_last().unzip();
        let full: &[Segment] = full.unwrap_or_default();
        let Some(next) = full.get(full.partition_point(|segment| segment.base < self.ready)) else {
            return false;
        };
        match self.ready_parts {
            0 => _ = next.chunk.escapes(),
            1 => _ = next.chunk.shapes(),
            2 => _ = next.chunk.order(),
            _ => {
                next.chunk.make_texts(goes_on);
                if !goes_on() {
                    return true;
                }
                self.ready = next.end();
            }
        }
        self.ready_parts = (self.ready_parts + 1) % 4;
        true
    }

    /// What was found so far, with tables over what was counted so far.
    pub fn matches(&mut self) -> Matches {
        self.make_tables();
        self.glance()
    }

    /// Makes the rows of the tables anew: with a thousand endpoints that takes milliseconds.
    pub(crate) fn make_tables(&mut self) {
        if self.has_old_tables() {
            let loose = std::mem::take(&mut self.loose);
            if !loose.is_empty() {
                self.tables.refit(self.segments.iter().flat_map(|scanned| scanned.events_of(&loose)));
            }
            let snapshot = &self.snapshot;
            let message = |ordinal| Some(Arc::from(&*snapshot.event(ordinal)?.said()));
            self.table_rows = Arc::new(self.tables.rows(message));
            self.has_news = false;
        }
    }

    /// Whether the tables' rows lack something that was counted.
    pub(crate) fn has_old_tables(&self) -> bool {
        self.has_news && !self.is_recounting
    }

    /// What was found so far, with the tables as they were last made.
    pub fn glance(&self) -> Matches {
        let snapshot = Arc::clone(&self.snapshot);
        if self.selection.is_everything() {
            return Matches::everything(self.selection.id, snapshot);
        }
        let looked_at: u64 = self.segments.iter().map(|scanned| scanned.done as u64).sum();
        let evicted_in_view = snapshot.segments.first().map_or(0, |oldest| snapshot.first - oldest.base);
        let is_whole = self.segments.front().is_some_and(|first| first.segment.base <= snapshot.first);
        let found = |scanned: &Scanned| (scanned.segment.clone(), Rows::Some(Arc::clone(&scanned.rows)));
        let found = self.outlived().chain(self.segments.iter().map(found));
        let hidden = if is_whole { evicted_in_view } else { 0 };
        let is_counted = !self.has_news
            && !self.is_recounting
            && self.segments.iter().all(|scanned| scanned.counted == scanned.done);
        let tables = (Arc::clone(&self.table_rows), is_counted);
        Matches::of(self.selection.id, snapshot, found, looked_at.saturating_sub(hidden), tables)
    }

    /// What is kept of events that the ring has let go of.
    fn outlived(&self) -> impl Iterator<Item = (Segment, Rows)> {
        let gone = self.kept.iter().filter(|kept| kept.base < self.snapshot.first);
        gone.map(|kept| (kept.clone(), Rows::From(0)))
    }

    /// Takes over the newer state of chunks already seen, and chunks that came after them.
    fn follow(&mut self, snapshot: &Snapshot) {
        let Some(newest) = self.segments.back().map(|scanned| scanned.segment.base) else { return };
        for segment in snapshot.segments.iter().filter(|segment| segment.base >= newest) {
            if segment.base == newest {
                if let Some(last) = self.segments.back_mut() {
                    last.follow(segment);
                }
            } else {
                self.segments.push_back(Scanned::new(segment));
            }
        }
    }
}

impl Default for Scan {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
