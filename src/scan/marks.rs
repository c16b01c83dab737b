//! What the user marked: a moment in time, and pinned events with a copy of each, which outlives the ring's.
//!
//! Owned by the console, read by filters that ask for pins and by exports of them.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::event::{Chunk, Timestamp};
use crate::filter::Filter;
use crate::store::{Segment, Snapshot};

/// Events that can be pinned at once, and bytes of their text; at a bound pins are refused, not forgotten.
const MAX_PINS: usize = 1_000;
const MAX_PINNED_BYTES: usize = 16 * 1024 * 1024;

/// What the user marked.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// `since:mark`
    pub mark: Option<Timestamp>,
    /// `is:marked`: arrival numbers of pinned events.
    pub pinned: FxHashSet<u64>,
    /// A chunk of its own for each pinned event, in the order of arrival.
    kept: Arc<[Segment]>,
    /// The state of the ring they are copies of.
    remapped: u64,
    rebuilt: u64,
}

/// What became of a wish to pin an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    Pinned,
    Unpinned,
    /// There are as many as there may be.
    TooMany,
    /// They hold as many bytes as they may.
    TooLarge,
}

impl Marks {
    /// Pins the event in `row` of `chunk`, which is or was at `ordinal` of the ring, or lets go of it.
    pub fn toggle(&mut self, (chunk, row): (&Chunk, usize), ordinal: u64) -> Pin {
        let seq = chunk.event(row).seq();
        if self.pinned.remove(&seq) {
            self.kept = self.kept.iter().filter(|kept| seq_of(kept) != seq).cloned().collect();
            return Pin::Unpinned;
        }
        if self.pinned.len() >= MAX_PINS {
            return Pin::TooMany;
        }
        let bytes = |segment: &Segment| segment.chunk.event(0).json().len();
        let held: usize = self.kept.iter().map(bytes).sum();
        if held + chunk.event(row).json().len() > MAX_PINNED_BYTES {
            return Pin::TooLarge;
        }
        self.pinned.insert(seq);
        let mut kept = self.kept.to_vec();
        kept.push(copy(chunk, row, ordinal));
        kept.sort_by_key(|kept| kept.base);
        self.kept = kept.into();
        Pin::Pinned
    }

    /// The pinned events, in the order of arrival.
    pub fn kept(&self) -> &Arc<[Segment]> {
        &self.kept
    }

    /// The same for [`super::Scan::keep`]: none where `filter` does not ask for pins.
    pub fn kept_for(&self, filter: &Filter) -> Arc<[Segment]> {
        if filter.depends().pins { Arc::clone(&self.kept) } else { Arc::from([]) }
    }

    /// Brings the copies up to date with the ring; gives how many were let go, because a person was forgotten and they are
    /// no longer there.
    pub fn follow(&mut self, snapshot: &Snapshot) -> usize {
        let is_rebuilt = self.rebuilt != snapshot.rebuilt;
        if !is_rebuilt && self.remapped == snapshot.remapped {
            return 0;
        }
        (self.rebuilt, self.remapped) = (snapshot.rebuilt, snapshot.remapped);
        if self.kept.is_empty() {
            return 0;
        }
        let before = self.kept.len();
        self.kept = if is_rebuilt {
            // Whose the others were nobody can tell any more.
            found_again(&self.pinned, snapshot)
        } else {
            self.kept.iter().map(|kept| refreshed(kept, snapshot)).collect()
        };
        self.pinned = self.kept.iter().map(seq_of).collect();
        before - self.kept.len()
    }
}

fn seq_of(kept: &Segment) -> u64 {
    kept.chunk.event(0).seq()
}

fn copy(chunk: &Chunk, row: usize, ordinal: u64) -> Segment {
    Segment { base: ordinal, chunk: Arc::new(chunk.retain(|other| other == row)) }
}

/// The copy as the ring has the event by now.
fn refreshed(kept: &Segment, snapshot: &Snapshot) -> Segment {
    match snapshot.event(kept.base) {
        Some(event) if event.mapped().is_some() => copy(event.chunk(), event.row(), kept.base),
        _ => kept.clone(),
    }
}

/// The events of these arrival numbers, wherever they are in the ring.
fn found_again(seqs: &FxHashSet<u64>, snapshot: &Snapshot) -> Arc<[Segment]> {
    let all = (snapshot.first..snapshot.end).filter_map(|ordinal| Some((ordinal, snapshot.event(ordinal)?)));
    let pinned = all.filter(|(_, event)| seqs.contains(&event.seq()));
    pinned.map(|(ordinal, event)| copy(event.chunk(), event.row(), ordinal)).collect()
}
