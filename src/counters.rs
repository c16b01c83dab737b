//! What the doors refused and closed, counted, with the latest broken frames.
//!
//! Written by `ingest`, read by `/healthz` and the health panel. Events themselves are counted in the store's
//! ledger, where the numbers always add up; these are about connections and frames.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::Timestamp;

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    RefusedHead,
    RefusedHost,
    RefusedOrigin,
    RefusedKey,
    RefusedSlow,
    RefusedPending,
    RefusedConnections,
    ClosedTooBig,
    ClosedProtocol,
    ClosedNoProgress,
    ClosedControl,
    ClosedIdle,
    ClosedSlowReader,
    FramesReceived,
    FramesBroken,
    Gaps,
    GapEvents,
    Throttled,
}

impl Counter {
    /// Every counter with its group and name, as `/healthz` and the health panel show them.
    pub const ALL: [(Self, &'static str, &'static str); 18] = [
        (Self::RefusedHead, "refused", "head"),
        (Self::RefusedHost, "refused", "host"),
        (Self::RefusedOrigin, "refused", "origin"),
        (Self::RefusedKey, "refused", "key"),
        (Self::RefusedSlow, "refused", "slow"),
        (Self::RefusedPending, "refused", "pending"),
        (Self::RefusedConnections, "refused", "connections"),
        (Self::ClosedTooBig, "closed", "too_big"),
        (Self::ClosedProtocol, "closed", "protocol"),
        (Self::ClosedNoProgress, "closed", "no_progress"),
        (Self::ClosedControl, "closed", "control"),
        (Self::ClosedIdle, "closed", "idle"),
        (Self::ClosedSlowReader, "closed", "slow_reader"),
        (Self::FramesReceived, "frames", "received"),
        (Self::FramesBroken, "frames", "broken"),
        (Self::Gaps, "client", "gaps"),
        (Self::GapEvents, "client", "gap_events"),
        (Self::Throttled, "client", "throttled"),
    ];

    /// The counter of a refusal by its name in [`Counter::ALL`].
    pub fn refused(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|(_, group, own)| *group == "refused" && *own == name)
            .map_or(Self::RefusedHead, |(counter, ..)| counter)
    }
}

/// A frame or request that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenFrame {
    pub at: Timestamp,
    /// Who sent it: `conn-7`, or the address of a request.
    pub from: String,
    pub reason: String,
    /// Its first characters, not yet safe to show.
    pub start: String,
}

/// Broken frames that are remembered; the oldest leaves.
const MAX_BROKEN: usize = 16;
/// Characters remembered of each.
const MAX_START: usize = 120;

/// All counters of one running ingestor.
#[derive(Debug, Default)]
pub struct Counters {
    values: [AtomicU64; Counter::ALL.len()],
    connections: AtomicU64,
    broken: Mutex<VecDeque<BrokenFrame>>,
}

impl Counters {
    pub fn add(&self, counter: Counter, by: u64) {
        self.values[counter as usize].fetch_add(by, Ordering::Relaxed);
    }

    pub fn get(&self, counter: Counter) -> u64 {
        self.values[counter as usize].load(Ordering::Relaxed)
    }

    /// Open WebSocket connections.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a broken frame and remembers its start.
    pub fn broken(&self, at: Timestamp, from: &str, reason: &str, text: &str) {
        self.add(Counter::FramesBroken, 1);
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.len() >= MAX_BROKEN {
            broken.pop_front();
        }
        let start = text.chars().take(MAX_START).collect();
        broken.push_back(BrokenFrame { at, from: from.to_owned(), reason: reason.to_owned(), start });
    }

    /// The latest broken frames, oldest first.
    pub fn broken_frames(&self) -> Vec<BrokenFrame> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_counter_once_in_order() {
        for (index, (counter, ..)) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, index);
        }
        assert_eq!(Counter::refused("origin"), Counter::RefusedOrigin);
    }

    #[test]
    fn only_the_latest_broken_frames_are_kept() {
        let counters = Counters::default();
        for number in 0..40 {
            counters.broken(Timestamp(number), "conn-1", "syntax", &"x".repeat(500));
        }
        let broken = counters.broken_frames();
        assert_eq!((broken.len(), broken[0].at, broken[0].start.len()), (16, Timestamp(24), 120));
        assert_eq!(counters.get(Counter::FramesBroken), 40);
    }
}
