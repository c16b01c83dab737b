//! The events kept in memory, in order of arrival, bounded by number and by accounted bytes.
//!
//! Owned by the store. Chunks are sealed at 4,096 rows or 2 MiB of text; the last one grows in place unless a
//! snapshot still holds it, which costs a copy of at most that size, mostly of a few rows. Every event has an ordinal, its count of
//! predecessors since the start; eviction moves [`Ring::first`] and frees whole chunks.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::spares::Spares;
use crate::event::{Chunk, EventRef, Interner, Symbol, Timestamp};

/// Rows of a sealed chunk: bounds the copy-on-write, and one filter pass over it takes 10–160 µs.
const CHUNK_ROWS: usize = 4_096;
const CHUNK_BYTES: usize = 2 * 1024 * 1024;
/// Distinct names (sessions, users, endpoints …) kept apart for the life of the ring.
const MAX_NAMES: usize = 262_144;

/// How much is kept: whichever bound is met first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub events: u64,
    /// Accounted bytes: each event's text and 96 bytes, and what was made of them for searches.
    pub bytes: u64,
    /// How long an event is kept after it arrived, in milliseconds; `None` for as long as there is room.
    pub age_ms: Option<i64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { events: 1_000_000, bytes: 256 * 1024 * 1024, age_ms: None }
    }
}

/// A chunk and the ordinal of its first row.
#[derive(Clone, Debug)]
pub struct Segment {
    pub base: u64,
    pub chunk: Arc<Chunk>,
}

impl Segment {
    /// The ordinal past the last row.
    pub fn end(&self) -> u64 {
        self.base + self.chunk.len() as u64
    }
}

#[derive(Debug)]
pub(super) struct Ring {
    retention: Retention,
    segments: VecDeque<Segment>,
    interner: Interner,
    spares: Spares,
    first: u64,
    end: u64,
    /// Of the events.
    bytes: u64,
    /// What was made of them for searches.
    made: u64,
}

impl Ring {
    pub(super) fn new(retention: Retention) -> Self {
        let interner = Interner::new(MAX_NAMES);
        let segments = VecDeque::new();
        Self { retention, segments, interner, spares: Spares::default(), first: 0, end: 0, bytes: 0, made: 0 }
    }

    /// Ordinal of the oldest event kept; also how many were evicted.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Ordinal the next event will have.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Accounted bytes of the events kept, and of what was made of them for searches.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.saturating_add(self.made)
    }

    /// Readers make it of full chunks between two calls, so it is counted anew as chunks come and go.
    fn count_made(&mut self) {
        let texts = self.segments.iter().filter_map(|segment| segment.chunk.texts());
        self.made = texts.map(|texts| texts.bytes as u64).sum();
    }

    pub(super) fn segments(&self) -> Arc<[Segment]> {
        self.segments.iter().cloned().collect()
    }

    /// Copies the rows of `chunk` to the end. Call [`Ring::evict`] afterwards.
    pub(super) fn append(&mut self, chunk: &Chunk) {
        let remap = chunk.remap_into(&mut self.interner);
        self.append_renamed(chunk, &remap);
    }

    fn append_renamed(&mut self, chunk: &Chunk, remap: &[Symbol]) {
        let mut row = 0;
        while row < chunk.len() {
            let head = self.head();
            let most = chunk.len().min(row + CHUNK_ROWS - head.len());
            let upto = if head.bytes() + chunk.rows_bytes(row..most) <= CHUNK_BYTES {
                most
            } else {
                filled(head.bytes(), chunk, row..most)
            };
            head.extend(chunk, row..upto, remap);
            row = upto;
        }
        self.end += chunk.len() as u64;
        self.bytes += chunk.bytes() as u64;
    }

    /// Lets go of the oldest events until both bounds hold.
    pub(super) fn evict(&mut self) {
        while self.end - self.first > self.retention.events || self.bytes() > self.retention.bytes {
            let Some(oldest) = self.segments.front() else { return };
            let row = usize::try_from(self.first - oldest.base).expect("a row of a chunk");
            // As many at once as are too many; where it is their bytes, which differ, one by one.
            let surplus = (self.end - self.first).saturating_sub(self.retention.events).max(1);
            let rows = usize::try_from(surplus).unwrap_or(usize::MAX).min(oldest.chunk.len() - row);
            self.let_go(rows);
        }
    }

    /// Lets go of the oldest events that are too old at `now`; gives how many.
    pub(super) fn evict_old(&mut self, now: Timestamp) -> u64 {
        let Some(age) = self.retention.age_ms else { return 0 };
        let before = self.first;
        while let Some(oldest) = self.segments.front() {
            let row = usize::try_from(self.first - oldest.base).expect("a row of a chunk");
            // In the order of arrival, but for a clock that was set back meanwhile.
            let young = oldest.chunk.recvs()[row..].iter().position(|recv| now.since(*recv) <= age);
            let rows = young.unwrap_or(oldest.chunk.len() - row);
            self.let_go(rows);
            if young.is_some() {
                break;
            }
        }
        self.first - before
    }

    /// Lets go of the first `rows` events, which are of the first chunk.
    fn let_go(&mut self, rows: usize) {
        let Some(oldest) = self.segments.front() else { return };
        let row = usize::try_from(self.first - oldest.base).expect("a row of a chunk");
        self.bytes -= oldest.chunk.rows_bytes(row..row + rows) as u64;
        self.first += rows as u64;
        if self.first == oldest.end() {
            if let Some(Segment { base, chunk }) = self.segments.pop_front() {
                self.spares.put(base, chunk);
            }
            self.count_made();
        }
    }

    /// Takes out the events that `is_theirs`, with every name that only they had; what is left moves up to the end.
    /// Gives how many there were.
    pub(super) fn remove(&mut self, is_theirs: impl Fn(EventRef<'_>) -> bool) -> u64 {
        let theirs = self.events_from(self.first).filter(|(_, event)| is_theirs(*event)).count() as u64;
        let mut left = Self::new(self.retention);
        (left.first, left.end) = (self.first + theirs, self.first + theirs);
        for Segment { base, chunk } in &self.segments {
            let evicted = usize::try_from(self.first.saturating_sub(*base)).unwrap_or(usize::MAX);
            let kept = chunk.retain(|row| row >= evicted && !is_theirs(chunk.event(row)));
            let remap = kept.remap_used_into(&mut left.interner);
            left.append_renamed(&kept, &remap);
        }
        *self = left;
        theirs
    }

    pub(super) fn event(&self, ordinal: u64) -> Option<EventRef<'_>> {
        if ordinal < self.first || ordinal >= self.end {
            return None;
        }
        let at = self.segments.partition_point(|segment| segment.end() <= ordinal);
        let segment = self.segments.get(at)?;
        Some(segment.chunk.event(usize::try_from(ordinal - segment.base).ok()?))
    }

    /// The chunk and row of the event at `ordinal`, to be changed; a chunk that a snapshot holds is copied first.
    pub(super) fn row_mut(&mut self, ordinal: u64) -> Option<(&mut Chunk, usize)> {
        if ordinal < self.first || ordinal >= self.end {
            return None;
        }
        let at = self.segments.partition_point(|segment| segment.end() <= ordinal);
        let row = usize::try_from(ordinal - self.segments.get(at)?.base).ok()?;
        Some((self.own(at), row))
    }

    /// The events from `ordinal` on, with their ordinals.
    pub(super) fn events_from(&self, ordinal: u64) -> impl Iterator<Item = (u64, EventRef<'_>)> {
        let at = self.segments.partition_point(|segment| segment.end() <= ordinal);
        self.segments.range(at..).flat_map(move |segment| {
            let skip = usize::try_from(ordinal.saturating_sub(segment.base)).unwrap_or(usize::MAX);
            let numbered = segment.chunk.events().enumerate().skip(skip);
            numbered.map(|(row, event)| (segment.base + row as u64, event))
        })
    }

    /// The events that are kept of `groups`, with their ordinals: only a column is gone through.
    pub(super) fn events_of<'r>(
        &'r self,
        groups: &'r FxHashSet<u64>,
    ) -> impl Iterator<Item = (u64, EventRef<'r>)> {
        self.segments.iter().flat_map(move |Segment { base, chunk }| {
            let evicted = usize::try_from(self.first.saturating_sub(*base)).unwrap_or(usize::MAX);
            let rows = chunk.groups().iter().enumerate().skip(evicted);
            let theirs = rows.filter(|(_, group)| **group != 0 && groups.contains(group));
            theirs.map(move |(row, _)| (base + row as u64, chunk.event(row)))
        })
    }

    /// The chunk that takes the next row.
    fn head(&mut self) -> &mut Chunk {
        let is_full = self
            .segments
            .back()
            .is_none_or(|last| last.chunk.len() >= CHUNK_ROWS || last.chunk.bytes() >= CHUNK_BYTES);
        if is_full {
            let base = self.segments.back().map_or(self.end, Segment::end);
            let chunk = Arc::new(self.room(base));
            self.segments.push_back(Segment { base, chunk });
            self.count_made();
        }
        self.own(self.segments.len() - 1)
    }

    /// The chunk of the segment at `at`, to be changed; one that a reader holds is copied first.
    fn own(&mut self, at: usize) -> &mut Chunk {
        if Arc::get_mut(&mut self.segments[at].chunk).is_none() {
            let base = self.segments[at].base;
            let mut copy = self.room(base);
            copy.catch_up(&self.segments[at].chunk);
            let held = std::mem::replace(&mut self.segments[at].chunk, Arc::new(copy));
            self.spares.put(base, held);
        }
        Arc::make_mut(&mut self.segments[at].chunk)
    }

    /// A chunk with room for what one takes: empty, or an earlier copy of the one that begins at `base`.
    fn room(&mut self, base: u64) -> Chunk {
        let used = self.spares.take(base);
        let mut chunk = used.unwrap_or_else(|| Chunk::new(Arc::clone(self.interner.names())));
        // Events are much alike over time: what the last full chunk took is what this one will take.
        if let Some(full) = self.segments.iter().rev().find(|full| full.base < base) {
            let (json, text) = full.chunk.text_bytes();
            chunk.fit(full.chunk.len(), json + json / 16, text + text / 16);
        }
        chunk
    }
}

/// The end of those of `rows` that are added until there are bytes enough, of which there are `bytes`; at least one.
fn filled(mut bytes: usize, chunk: &Chunk, rows: Range<usize>) -> usize {
    let mut upto = rows.start;
    while upto < rows.end && (bytes < CHUNK_BYTES || upto == rows.start) {
        bytes += chunk.row_bytes(upto);
        upto += 1;
    }
    upto
}
