//! The events a filter lets through, as far as the pass has come: immutable, addressed by position.
//!
//! Made by the scan, drawn by the console, written by exports.

use std::sync::{Arc, OnceLock};

use super::rows::RowSet;
use crate::event::{Chunk, EventRef, Timestamp};
use crate::stats::TableRows;
use crate::store::{Segment, Snapshot};

/// Which rows of a chunk match.
#[derive(Clone, Debug)]
pub enum Rows {
    /// All from this row on.
    From(usize),
    /// These.
    Some(Arc<RowSet>),
}

/// The matches of one chunk.
#[derive(Clone, Debug)]
pub struct MatchSegment {
    pub base: u64,
    pub chunk: Arc<Chunk>,
    pub rows: Rows,
    /// Rows that were evicted: the first so many.
    evicted: usize,
    /// Matches among those.
    skip: usize,
    /// Matches in the chunks before this one.
    before: u64,
    /// The earliest and the latest time of the chunk.
    pub(super) span: (Timestamp, Timestamp),
    /// The matching rows by time, once they were asked for; none where arrival is that order.
    pub(super) by_time: OnceLock<Option<Box<[u16]>>>,
}

/// What matches, oldest first, and how far the pass has come.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// Which filter these are of.
    pub id: u64,
    pub snapshot: Arc<Snapshot>,
    pub segments: Arc<[MatchSegment]>,
    pub total: u64,
    /// Events looked at, of `snapshot.len()`.
    pub scanned: u64,
    /// Tables over the matches, as they were last made: see `is_counted`.
    pub tables: Arc<TableRows>,
    /// Whether the tables are over all of these; else they lag, or are those of the filter before.
    pub is_counted: bool,
}

impl MatchSegment {
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::From(row) => self.chunk.len() - row,
            Rows::Some(rows) => rows.len() - self.skip,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ordinal past the chunk's last row.
    pub fn end(&self) -> u64 {
        self.base + self.chunk.len() as u64
    }

    /// The row of match `at`, in the order of arrival.
    pub(super) fn row(&self, at: usize) -> usize {
        match &self.rows {
            Rows::From(row) => row + at,
            Rows::Some(rows) => rows.row(self.skip + at),
        }
    }

    /// Whether `row` matches and is still there.
    pub(super) fn has(&self, row: usize) -> bool {
        match &self.rows {
            Rows::From(first) => row >= *first,
            Rows::Some(rows) => row >= self.evicted && rows.bits().contains(row),
        }
    }

    /// The matches in the order of arrival: their rows.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = usize> {
        let (all, some) = match &self.rows {
            Rows::From(first) => (Some(*first..self.chunk.len()), None),
            Rows::Some(rows) => (None, Some(rows.bits().iter_from(self.evicted))),
        };
        all.into_iter().flatten().chain(some.into_iter().flatten())
    }

    /// The matches in the order of arrival: where they are in the ring, and their rows.
    pub fn ordinals(&self) -> impl DoubleEndedIterator<Item = (u64, usize)> {
        self.rows().map(|row| (self.base + row as u64, row))
    }

    /// How many matches lie below `row`.
    fn position(&self, row: usize) -> usize {
        match &self.rows {
            Rows::From(first) => row.saturating_sub(*first),
            Rows::Some(rows) => rows.rank(row).saturating_sub(self.skip),
        }
    }
}

impl Matches {
    /// Every event of `snapshot`.
    pub fn everything(id: u64, snapshot: Arc<Snapshot>) -> Self {
        let tables = Arc::clone(&snapshot.tables);
        let scanned = snapshot.len();
        let found = snapshot.segments.iter().map(|segment| {
            let first = usize::try_from(snapshot.first.saturating_sub(segment.base)).unwrap_or(usize::MAX);
            (segment.clone(), Rows::From(first.min(segment.chunk.len())))
        });
        let (segments, total) = numbered(found, snapshot.first);
        Self { id, snapshot, segments, total, scanned, tables, is_counted: true }
    }

    /// The rows found in each chunk, without those evicted since; of chunks that are not of the ring all.
    pub(super) fn of(
        id: u64,
        snapshot: Arc<Snapshot>,
        found: impl Iterator<Item = (Segment, Rows)>,
        scanned: u64,
        (tables, is_counted): (Arc<TableRows>, bool),
    ) -> Self {
        let (segments, total) = numbered(found, snapshot.first);
        Self { id, scanned: scanned.min(snapshot.len()), snapshot, segments, total, tables, is_counted }
    }

    /// Whether the pass has seen every event of the snapshot.
    pub fn is_done(&self) -> bool {
        self.scanned >= self.snapshot.len()
    }

    /// Whether nothing of it is still to come.
    pub fn is_whole(&self) -> bool {
        self.is_done() && self.is_counted
    }

    /// The match at `position`, counted from the oldest, with its ordinal.
    pub fn nth(&self, position: u64) -> Option<(u64, EventRef<'_>)> {
        let (segment, at) = self.locate(position)?;
        let row = segment.row(at);
        Some((segment.base + row as u64, segment.chunk.event(row)))
    }

    /// The chunk and row of the match at `position`, to hold on to it.
    pub fn hold(&self, position: u64) -> Option<(Arc<Chunk>, usize)> {
        let (segment, at) = self.locate(position)?;
        Some((Arc::clone(&segment.chunk), segment.row(at)))
    }

    /// The position of the match with `ordinal`, or where it would stand.
    pub fn position(&self, ordinal: u64) -> Result<u64, u64> {
        let index =
            self.segments.partition_point(|segment| segment.base + segment.chunk.len() as u64 <= ordinal);
        let Some(segment) = self.segments.get(index) else { return Err(self.total) };
        let row = usize::try_from(ordinal.saturating_sub(segment.base)).unwrap_or(usize::MAX);
        let at = segment.position(row);
        let position = segment.before + at as u64;
        let is_there = ordinal >= segment.base && at < segment.len() && segment.row(at) == row;
        if is_there { Ok(position) } else { Err(position) }
    }

    /// All matches, oldest first, with their ordinals.
    pub fn iter(&self) -> impl Iterator<Item = (u64, EventRef<'_>)> {
        self.segments
            .iter()
            .flat_map(|segment| segment.ordinals().map(|(ordinal, row)| (ordinal, segment.chunk.event(row))))
    }

    fn locate(&self, position: u64) -> Option<(&MatchSegment, usize)> {
        if position >= self.total {
            return None;
        }
        let index =
            self.segments.partition_point(|segment| segment.before + segment.len() as u64 <= position);
        let segment = self.segments.get(index)?;
        Some((segment, usize::try_from(position - segment.before).ok()?))
    }
}

/// Rows of events before `first` do not count any more.
fn numbered(found: impl Iterator<Item = (Segment, Rows)>, first: u64) -> (Arc<[MatchSegment]>, u64) {
    let mut before = 0;
    let segments = found
        .map(|(segment, rows)| {
            let evicted = usize::try_from(first.saturating_sub(segment.base)).unwrap_or(usize::MAX);
            let skip = match &rows {
                Rows::From(_) => 0,
                Rows::Some(rows) => rows.rank(evicted),
            };
            let (base, chunk, span) = (segment.base, segment.chunk.clone(), segment.chunk.order().span);
            let by_time = OnceLock::new();
            let found = MatchSegment { base, chunk, rows, evicted, skip, before, span, by_time };
            before += found.len() as u64;
            found
        })
        .collect();
    (segments, before)
}
