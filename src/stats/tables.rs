//! All tables together, filled one event at a time.
//!
//! The store owns one for everything, the scan one for what matches. Adding does not depend on order, so a scan
//! may go newest first; nothing is ever taken out again, so the tables outlive the ring's events.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::endpoints::{EndpointRow, Endpoints};
use super::groups::{GroupRow, Groups};
use super::sessions::{SessionRow, Sessions};
use super::totals::{TotalRows, Totals};
use super::vitals::{VitalRows, Vitals};
use crate::event::{EventRef, Family, Level, Symbol, Timestamp};

/// Counts and tables over a set of events.
#[derive(Debug, Default)]
pub struct Tables {
    events: u64,
    levels: [u64; Level::ALL.len()],
    ids: FxHashMap<Symbol, (Arc<str>, u64)>,
    span: Option<(Timestamp, Timestamp)>,
    endpoints: Endpoints,
    groups: Groups,
    sessions: Sessions,
    vitals: Vitals,
    totals: Totals,
}

/// What panels show: immutable, cheap to pass on.
#[derive(Clone, Debug, Default)]
pub struct TableRows {
    pub events: u64,
    /// By `Level as usize`.
    pub levels: [u64; Level::ALL.len()],
    /// Signal ids by count, largest first, then by name.
    pub ids: Arc<[(Arc<str>, u64)]>,
    /// Time of the first and the last event.
    pub span: Option<(Timestamp, Timestamp)>,
    pub endpoints: Arc<[Arc<EndpointRow>]>,
    pub groups: Arc<[GroupRow]>,
    pub sessions: Arc<[SessionRow]>,
    /// Sessions that left to make room.
    pub sessions_evicted: u64,
    pub vitals: Arc<VitalRows>,
    pub totals: Arc<TotalRows>,
}

/// What tables that are bounded could not keep apart, or had to let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Sessions that left to make room.
    pub sessions_evicted: u64,
    /// Events of groups, and requests of endpoints, that are counted as `(other)`.
    pub groups_other: u64,
    pub endpoints_other: u64,
}

impl Beyond {
    /// Each with its name and what it counts.
    pub fn all(&self) -> [(&'static str, u64, &'static str); 3] {
        [
            ("sessions_evicted", self.sessions_evicted, "Sessions that left to make room for newer ones."),
            ("groups_other", self.groups_other, "Events of groups that are not counted apart."),
            ("endpoints_other", self.endpoints_other, "Requests of endpoints that are not counted apart."),
        ]
    }
}

impl Tables {
    /// What did not fit.
    pub fn beyond(&self) -> Beyond {
        Beyond {
            sessions_evicted: self.sessions.evicted(),
            groups_other: self.groups.other(),
            endpoints_other: self.endpoints.other(),
        }
    }

    /// Adds `event`, whose place in the ring is `ordinal`. All events must share one table of names.
    pub fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        self.events += 1;
        self.levels[event.level() as usize] += 1;
        let id = event.chunk().ids()[event.row()];
        match self.ids.get_mut(&id) {
            Some((_, count)) => *count += 1,
            None => drop(self.ids.insert(id, (Arc::from(event.id()), 1))),
        }
        let inst = event.inst();
        self.span = Some(self.span.map_or((inst, inst), |(first, last)| (first.min(inst), last.max(inst))));
        self.endpoints.add(event, ordinal);
        self.groups.add(event, ordinal);
        self.sessions.add(event, ordinal);
        if matches!(event.family(), Family::Performance | Family::Analytics) {
            self.vitals.add(event, ordinal);
        }
        self.totals.add(event);
    }

    /// Moves `event`, which was added as one of the group `from`, to the group it has now; `true` if what is left of
    /// the other must be looked at again with [`Tables::refit`].
    pub fn regroup(&mut self, event: EventRef<'_>, ordinal: u64, from: u64) -> bool {
        let is_loose = self.groups.remove(event, ordinal, from);
        self.groups.add(event, ordinal);
        is_loose
    }

    /// Whether any event is in the group.
    pub fn has_group(&self, group: u64) -> bool {
        self.groups.has(group)
    }

    /// Looks again at groups that events were taken out of: `events` are all of them that are kept, oldest first.
    pub fn refit<'a>(&mut self, events: impl Iterator<Item = (u64, EventRef<'a>)>) {
        self.groups.refit(events);
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    /// The rows as they stand; `message` tells the event at an ordinal, while it is kept.
    pub fn rows(&mut self, message: impl Fn(u64) -> Option<Arc<str>>) -> TableRows {
        let mut ids: Vec<_> = self.ids.values().cloned().collect();
        ids.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        TableRows {
            events: self.events,
            levels: self.levels,
            ids: ids.into(),
            span: self.span,
            endpoints: self.endpoints.rows(),
            groups: self.groups.rows(),
            sessions: self.sessions.rows(message),
            sessions_evicted: self.sessions.evicted(),
            vitals: self.vitals.rows(),
            totals: Arc::new(self.totals.rows()),
        }
    }
}
