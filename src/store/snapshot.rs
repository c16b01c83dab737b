//! What readers see of the store: one moment, immutable.
//!
//! Made by the store, shared by scan, console and `/healthz`. Holding one keeps its chunks alive.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::ledger::Ledger;
use super::ring::Segment;
use crate::event::{EventRef, Timestamp};
use crate::stats::{Loads, TableRows};

/// A session with open connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveSession {
    pub connections: u32,
    /// When a connection last opened or closed.
    pub changed: Timestamp,
}

/// What became of a page's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Here,
    Gone,
    /// Gone without a word: nothing was heard any more.
    Lost,
}

/// The store at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub at: Timestamp,
    /// Oldest first. Rows of the first one below `first` are evicted already.
    pub segments: Arc<[Segment]>,
    /// Ordinals of the events kept: `first..end`.
    pub first: u64,
    pub end: u64,
    /// Accounted bytes of the events kept.
    pub bytes: u64,
    pub ledger: Ledger,
    /// Over everything that arrived, evicted events included; up to a quarter second old.
    pub tables: Arc<TableRows>,
    /// True while `tables` lag behind the events.
    pub is_stale: bool,
    /// Sessions with an open connection.
    pub live: Arc<FxHashMap<Arc<str>, LiveSession>>,
    /// Sessions without one whose last was lost.
    pub lost: Arc<FxHashSet<Arc<str>>>,
    /// The browsers of sessions, as in `Chrome 126 · macOS`; of those that connected.
    pub agents: Arc<FxHashMap<Arc<str>, Arc<str>>>,
    /// Page loads and tabs, over everything that arrived; up to a quarter second old where there are many sessions.
    pub loads: Arc<Loads>,
    /// Over the last five seconds.
    pub events_per_s: u64,
    /// Rises whenever events already kept were placed by source maps: what was found in them may differ now.
    pub remapped: u64,
    /// Rises whenever events were taken out of the middle: places of others are not what they were.
    pub rebuilt: u64,
}

impl Snapshot {
    /// How many events are kept.
    pub fn len(&self) -> u64 {
        self.end - self.first
    }

    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The segment that holds `ordinal`, if it is kept.
    pub fn segment_of(&self, ordinal: u64) -> Option<&Segment> {
        if ordinal < self.first || ordinal >= self.end {
            return None;
        }
        self.segments.get(self.segments.partition_point(|segment| segment.end() <= ordinal))
    }

    /// The event at `ordinal`, if it is kept.
    pub fn event(&self, ordinal: u64) -> Option<EventRef<'_>> {
        let segment = self.segment_of(ordinal)?;
        Some(segment.chunk.event(usize::try_from(ordinal - segment.base).ok()?))
    }
}
