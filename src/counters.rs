//! What the doors refused and closed, counted, with the latest broken frames, and what else was left out on the way to the
//! user.
//!
//! Written by `ingest`, `maps` and `run`, read by `/healthz` and the health panel. Events themselves are counted in the store's
//! ledger, where the numbers always add up; these are about connections and frames.

mod pages;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use pages::{Entry, Page, Pages};

use crate::event::Timestamp;

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    RefusedHead,
    RefusedHost,
    RefusedOrigin,
    RefusedKey,
    RefusedToken,
    RefusedSlow,
    RefusedPending,
    RefusedConnections,
    ClosedTooBig,
    ClosedProtocol,
    ClosedNoProgress,
    ClosedControl,
    ClosedIdle,
    ClosedSlowReader,
    ClosedRecycled,
    FramesReceived,
    FramesBroken,
    MessagesUnknown,
    Gaps,
    GapEvents,
    Throttled,
    Backpressure,
    FramesSkipped,
    ExportsStopped,
    MapsLoaded,
    MapsRefused,
    PlacesMapped,
    PlacesLeft,
    SignalPassed,
    SignalMinLevel,
    SignalId,
    SignalNamespace,
    SignalFilter,
    SignalSample,
    SignalLimit,
    SignalChanged,
}

impl Counter {
    /// Every counter with its group and name, as `/healthz` and the health panel show them.
    pub const ALL: [(Self, &'static str, &'static str); 36] = [
        (Self::RefusedHead, "refused", "head"),
        (Self::RefusedHost, "refused", "host"),
        (Self::RefusedOrigin, "refused", "origin"),
        (Self::RefusedKey, "refused", "key"),
        (Self::RefusedToken, "refused", "token"),
        (Self::RefusedSlow, "refused", "slow"),
        (Self::RefusedPending, "refused", "pending"),
        (Self::RefusedConnections, "refused", "connections"),
        (Self::ClosedTooBig, "closed", "too_big"),
        (Self::ClosedProtocol, "closed", "protocol"),
        (Self::ClosedNoProgress, "closed", "no_progress"),
        (Self::ClosedControl, "closed", "control"),
        (Self::ClosedIdle, "closed", "idle"),
        (Self::ClosedSlowReader, "closed", "slow_reader"),
        (Self::ClosedRecycled, "closed", "recycled"),
        (Self::FramesReceived, "frames", "received"),
        (Self::FramesBroken, "frames", "broken"),
        (Self::MessagesUnknown, "frames", "unknown"),
        (Self::Gaps, "client", "gaps"),
        (Self::GapEvents, "client", "gap_events"),
        (Self::Throttled, "client", "throttled"),
        (Self::Backpressure, "client", "backpressure"),
        (Self::FramesSkipped, "screen", "frames_skipped"),
        (Self::ExportsStopped, "export", "stopped"),
        (Self::MapsLoaded, "maps", "loaded"),
        (Self::MapsRefused, "maps", "refused"),
        (Self::PlacesMapped, "places", "mapped"),
        (Self::PlacesLeft, "places", "left_unmapped"),
        (Self::SignalPassed, "signal", "passed"),
        (Self::SignalMinLevel, "signal", "min_level"),
        (Self::SignalId, "signal", "id"),
        (Self::SignalNamespace, "signal", "namespace"),
        (Self::SignalFilter, "signal", "filter"),
        (Self::SignalSample, "signal", "sample"),
        (Self::SignalLimit, "signal", "limit"),
        (Self::SignalChanged, "signal", "changed"),
    ];

    /// What each signal stage stopped, in the order in which they are asked.
    pub const STAGES: [Self; 6] = [
        Self::SignalMinLevel,
        Self::SignalId,
        Self::SignalNamespace,
        Self::SignalFilter,
        Self::SignalSample,
        Self::SignalLimit,
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

/// A request that was not let in, and what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The last time.
    pub at: Timestamp,
    /// How often the same was told since it is remembered.
    pub times: u64,
    /// Why, and what would let it in; not yet safe to show.
    pub message: String,
}

/// A message that was understood, of an id that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMessage {
    /// The last time.
    pub at: Timestamp,
    /// Who sent it last.
    pub from: String,
    /// How often since it is remembered.
    pub times: u64,
    pub id: String,
    /// The first characters of its data, not yet safe to show.
    pub start: String,
}

/// Unknown ids that are told apart; the one that was longest ago leaves.
const MAX_UNKNOWN: usize = 16;
/// Broken frames that are remembered; the oldest leaves.
const MAX_BROKEN: usize = 16;
/// Refusals that are told apart; the one that was longest ago leaves.
const MAX_REFUSED: usize = 8;
/// Characters remembered of each: an origin has at most 253 for its host.
const MAX_MESSAGE: usize = 400;
/// Characters remembered of each.
pub const MAX_START: usize = 120;

/// All counters of one running ingestor.
#[derive(Debug)]
pub struct Counters {
    values: [AtomicU64; Counter::ALL.len()],
    connections: AtomicU64,
    pages: Arc<Pages>,
    broken: Mutex<VecDeque<BrokenFrame>>,
    refused: Mutex<VecDeque<Refused>>,
    unknown: Mutex<VecDeque<UnknownMessage>>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            values: [const { AtomicU64::new(0) }; Counter::ALL.len()],
            connections: AtomicU64::new(0),
            pages: Arc::default(),
            broken: Mutex::default(),
            refused: Mutex::default(),
            unknown: Mutex::default(),
        }
    }
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

    /// The pages that are connected.
    pub fn pages(&self) -> &Arc<Pages> {
        &self.pages
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

    /// Counts a message of an unknown id and remembers its start.
    pub fn unknown(&self, at: Timestamp, from: &str, id: &str, text: &str) {
        self.add(Counter::MessagesUnknown, 1);
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let known = unknown.iter().position(|known| known.id == id);
        let times = known.and_then(|known| unknown.remove(known)).map_or(0, |known| known.times) + 1;
        if unknown.len() >= MAX_UNKNOWN {
            unknown.pop_front();
        }
        let start = text.chars().take(MAX_START).collect();
        unknown.push_back(UnknownMessage { at, from: from.to_owned(), times, id: id.to_owned(), start });
    }

    /// The messages of unknown ids, the one that was longest ago first.
    pub fn unknown_messages(&self) -> Vec<UnknownMessage> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Counts a refusal and remembers what was told.
    pub fn refuse(&self, counter: Counter, at: Timestamp, message: &str) {
        self.add(counter, 1);
        let message: String = message.chars().take(MAX_MESSAGE).collect();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let known = refused.iter().position(|known| known.message == message);
        let times = known.and_then(|known| refused.remove(known)).map_or(0, |known| known.times);
        if refused.len() >= MAX_REFUSED {
            refused.pop_front();
        }
        refused.push_back(Refused { at, times: times + 1, message });
    }

    /// The latest refusals, the one that was longest ago first.
    pub fn refusals(&self) -> Vec<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
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
        assert_eq!(Counter::refused("token"), Counter::RefusedToken);
    }

    #[test]
    fn the_same_refusal_is_remembered_once_with_its_last_time() {
        let counters = Counters::default();
        for number in 0..20 {
            let origin = format!("origin {}", number % 10);
            counters.refuse(Counter::RefusedOrigin, Timestamp(number), &origin);
        }
        counters.refuse(Counter::RefusedOrigin, Timestamp(20), "origin 5");
        let refused: Vec<_> = counters.refusals();
        assert_eq!(counters.get(Counter::RefusedOrigin), 21);
        assert_eq!((refused.len(), refused[0].message.as_str()), (MAX_REFUSED, "origin 2"));
        let last = Refused { at: Timestamp(20), times: 2, message: "origin 5".to_owned() };
        assert_eq!(refused.last(), Some(&last));
        counters.refuse(Counter::RefusedHost, Timestamp(21), &"x".repeat(5_000));
        assert_eq!(counters.refusals().last().map(|refused| refused.message.len()), Some(MAX_MESSAGE));
    }

    #[test]
    fn an_unknown_id_is_remembered_once_with_its_count() {
        let counters = Counters::default();
        for number in 0..40 {
            counters.unknown(
                Timestamp(number),
                "conn-1",
                &format!("my/id-{}", number % 20),
                &"x".repeat(500),
            );
        }
        counters.unknown(Timestamp(40), "conn-2", "my/id-19", "{}");
        let unknown = counters.unknown_messages();
        assert_eq!((unknown.len(), unknown[0].id.as_str()), (MAX_UNKNOWN, "my/id-4"));
        let last = unknown.last().expect("the last");
        assert_eq!((last.times, last.from.as_str(), last.start.as_str()), (2, "conn-2", "{}"));
        assert_eq!(counters.get(Counter::MessagesUnknown), 41);
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
