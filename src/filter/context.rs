//! What a filter's meaning needs beside the event: the time, the page loads, what is pinned, who is connected.
//!
//! Filled by whoever owns the matcher, from the store and the clock; read by `plan` and `eval`.

use jiff::tz::TimeZone;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::Timestamp;

/// The moment at which a filter is evaluated. The default knows nothing: no marks, no loads, nothing pinned.
#[derive(Clone, Debug)]
pub struct EvalContext {
    /// `since:5m` and `age<30s` count back from here.
    pub now: Timestamp,
    /// `since:start`.
    pub start: Timestamp,
    /// `since:mark`; without a mark it matches nothing.
    pub mark: Option<Timestamp>,
    /// `since:mark-a`, by name in lower case.
    pub marks: FxHashMap<Box<str>, Timestamp>,
    /// `since:hmr`: the last hot update.
    pub hmr: Option<Timestamp>,
    /// The newest load number of each tab.
    pub newest_loads: FxHashMap<LoadKey, i32>,
    /// For tabs that send no load numbers: when their loads started, oldest first. What names a tab that is not
    /// here counts by the loads of its session without a tab; where neither is known it belongs to the newest load.
    pub load_starts: FxHashMap<LoadKey, Vec<Timestamp>>,
    /// `session:latest`: the session whose page was loaded most recently.
    pub latest_session: Option<Box<str>>,
    /// `is:new`: fingerprints first seen in the newest load.
    pub new_groups: FxHashSet<u64>,
    /// `is:marked`: arrival numbers of pinned events.
    pub pinned: FxHashSet<u64>,
    /// `is:live`: sessions that are connected.
    pub live_sessions: FxHashSet<Box<str>>,
    /// In which clock times are meant.
    pub zone: TimeZone,
}

/// A tab: what page loads are counted by. Both are as sent, empty where nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LoadKey {
    pub tab: Box<str>,
    pub session: Box<str>,
}

impl EvalContext {
    /// When the loads of a tab started that have no numbers; empty where nothing is known.
    pub(super) fn starts_of(&self, session: &str, tab: &str) -> &[Timestamp] {
        let of = |tab: &str| self.load_starts.get(&LoadKey { tab: tab.into(), session: session.into() });
        of(tab).or_else(|| of("")).map_or(&[], Vec::as_slice)
    }
}

impl Default for EvalContext {
    fn default() -> Self {
        Self {
            now: Timestamp::default(),
            start: Timestamp::default(),
            mark: None,
            marks: FxHashMap::default(),
            hmr: None,
            newest_loads: FxHashMap::default(),
            load_starts: FxHashMap::default(),
            latest_session: None,
            new_groups: FxHashSet::default(),
            pinned: FxHashSet::default(),
            live_sessions: FxHashSet::default(),
            zone: TimeZone::UTC,
        }
    }
}
