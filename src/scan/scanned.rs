//! One chunk on the way of a filter: which of its rows match, how far it was looked at and counted.
//!
//! Kept by `scan` for each chunk. Places that source maps tell of later are looked for in the chunks that have them; until
//! then such a chunk stays as it was, so that nothing is shown half done.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::rows::RowSet;
use super::{Scan, Select};
use crate::event::EventRef;
use crate::filter::Bits;
use crate::stats::Tables;
use crate::store::{Segment, Snapshot};

pub(super) struct Scanned {
    pub(super) segment: Segment,
    /// The same chunk with places that are known by now, to be looked at anew.
    placed: Option<Segment>,
    /// Rows looked at: the first so many.
    pub(super) done: usize,
    pub(super) rows: Arc<RowSet>,
    /// Rows whose matches are in the tables: the first so many.
    pub(super) counted: usize,
}

impl Scanned {
    pub(super) fn new(segment: &Segment) -> Self {
        Self { segment: segment.clone(), placed: None, done: 0, rows: Arc::default(), counted: 0 }
    }

    /// Whether `segment` is the same chunk with places that are not known here.
    pub(super) fn lacks_places_of(&self, segment: &Segment) -> bool {
        self.segment.chunk.mapped().len() != segment.chunk.mapped().len()
    }

    /// Goes on with the newer state of the chunk.
    pub(super) fn follow(&mut self, segment: &Segment) {
        if self.has_places() || self.lacks_places_of(segment) {
            self.placed = Some(segment.clone());
        } else {
            self.segment = segment.clone();
        }
    }

    /// Whether places became known in it that were not looked for.
    pub(super) fn has_places(&self) -> bool {
        self.placed.is_some()
    }

    /// Whether anything of it was not looked at.
    pub(super) fn is_behind(&self) -> bool {
        self.has_places() || self.done < self.segment.chunk.len()
    }

    /// Looks at the rows that were not looked at; of those of `wider` only at its matches.
    pub(super) fn look(&mut self, select: &mut Select, snapshot: &Snapshot, wider: Option<&Self>) {
        let mut mask = self.kept(snapshot, self.done);
        if let Some(wider) = wider.filter(|wider| !wider.lacks_places_of(&self.segment)) {
            let mut found = wider.rows.bits().clone();
            found.or(&Bits::of(wider.done..self.segment.chunk.len()));
            mask.and(&found);
        }
        if !mask.is_empty() {
            let mut found = Bits::new();
            select(&self.segment.chunk, &mask, &mut found);
            if !found.is_empty() {
                Arc::make_mut(&mut self.rows).add(&found);
            }
        }
        self.done = self.segment.chunk.len();
    }

    /// The same, or at all of its rows if places became known in it. `false` when the tables hold what does not match any
    /// more, and have to be made anew. What has to be looked at again of them is put into `loose`.
    #[must_use]
    pub(super) fn look_again(
        &mut self,
        select: &mut Select,
        snapshot: &Snapshot,
        tables: (&mut Tables, &mut FxHashSet<u64>),
    ) -> bool {
        if let Some(placed) = self.placed.take() {
            return self.look_anew(select, snapshot, placed, tables);
        }
        self.look(select, snapshot, None);
        true
    }

    /// The rows from `from` on that are not evicted.
    fn kept(&self, snapshot: &Snapshot, from: usize) -> Bits {
        let (base, rows) = (self.segment.base, self.segment.chunk.len());
        let evicted = usize::try_from(snapshot.first.saturating_sub(base)).unwrap_or(usize::MAX);
        Bits::of(from.max(evicted.min(rows))..rows)
    }

    fn look_anew(
        &mut self,
        select: &mut Select,
        snapshot: &Snapshot,
        placed: Segment,
        tables: (&mut Tables, &mut FxHashSet<u64>),
    ) -> bool {
        let before = std::mem::replace(&mut self.segment, placed);
        let kept = self.kept(snapshot, 0);
        let mut found = Bits::new();
        select(&self.segment.chunk, &kept, &mut found);
        let mut rows = RowSet::default();
        rows.add(&found);
        let had = std::mem::replace(&mut self.rows, Arc::new(rows));
        self.done = self.segment.chunk.len();
        self.recount(&before, had.bits(), &kept, tables)
    }

    /// Takes over into `tables` what has changed of rows that are counted already: `had` of them matched `before`. When the
    /// first and the last of a group were is not known without those that left it: such groups are `loose`.
    fn recount(
        &self,
        before: &Segment,
        had: &Bits,
        kept: &Bits,
        (tables, loose): (&mut Tables, &mut FxHashSet<u64>),
    ) -> bool {
        for row in kept.iter().take_while(|row| *row < self.counted) {
            let (event, ordinal) = (self.segment.chunk.event(row), self.segment.base + row as u64);
            let group = before.chunk.groups()[row];
            match (had.contains(row), self.rows.bits().contains(row)) {
                (true, false) => return false,
                (false, true) => tables.add(event, ordinal),
                (true, true) if group != self.segment.chunk.groups()[row] => {
                    let is_loose = tables.regroup(event, ordinal, group);
                    loose.extend(is_loose.then_some(group));
                }
                _ => {}
            }
        }
        true
    }

    /// The rows in the tables that are of `groups`, oldest first.
    pub(super) fn events_of<'s>(
        &'s self,
        groups: &'s FxHashSet<u64>,
    ) -> impl Iterator<Item = (u64, EventRef<'s>)> {
        let Segment { base, chunk } = &self.segment;
        let counted = self.rows.bits().iter().take_while(|row| *row < self.counted);
        let theirs = counted.filter(|row| groups.contains(&chunk.groups()[*row]));
        theirs.map(move |row| (base + row as u64, chunk.event(row)))
    }

    /// Adds the matches to `tables` that are not there yet; `false` if there are none.
    pub(super) fn count(&mut self, tables: &mut Tables) -> bool {
        let mut has_any = false;
        for row in self.rows.bits().iter_from(self.counted) {
            let event = self.segment.chunk.event(row);
            tables.add(event, self.segment.base + row as u64);
            has_any = true;
        }
        self.counted = self.done;
        has_any
    }
}

impl Scan {
    /// Looks anew at the chunks whose events were placed by source maps since they were looked at.
    pub fn see_places(&mut self) {
        for scanned in &mut self.segments {
            let segments = &self.snapshot.segments;
            let at = segments.partition_point(|segment| segment.base < scanned.segment.base);
            if let Some(segment) = segments.get(at).filter(|segment| segment.base == scanned.segment.base)
                && scanned.lacks_places_of(segment)
            {
                scanned.follow(segment);
            }
        }
    }
}
