//! The sole owner of what has arrived: ring, tables and ledger, fed by messages, read through snapshots.
//!
//! `ingest` and recordings send [`StoreMsg`]s over one bounded channel; the store publishes a [`Snapshot`] when a
//! tick says so. Time comes in with the messages; nobody outside ever waits for the store or locks it.

mod forgetting;
mod ledger;
mod mapping;
mod ring;
mod snapshot;
mod spares;
mod thread;

pub use ledger::{Ledger, Tally};
pub use mapping::Mapping;
pub use ring::{Retention, Segment};
pub use snapshot::{LiveSession, Presence, Snapshot};
pub use thread::{StoreHandle, StoreMsg, spawn};

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Chunk, Symbol, Timestamp};
use crate::stats::{Loads, TableRows, Tables};
use ring::Ring;

/// Tables are made anew at most this often: quantiles of a thousand endpoints cost milliseconds.
const TABLES_EVERY: Duration = Duration::from_millis(250);
/// What is known of page loads is copied as soon as it changes while there is no more of it: that costs some ten
/// microseconds.
const FEW_LOADS: usize = 500;
/// Seconds of arrivals the rate in the header is taken over.
const RATE_SECONDS: i64 = 5;

/// Sessions whose browsers are known.
const MAX_AGENTS: usize = 4_000;
/// Sessions remembered as lost; at the bound those before are taken for gone.
const MAX_LOST: usize = 4_000;

/// Everything kept in memory.
#[derive(Debug)]
pub struct Store {
    ring: Ring,
    tables: Tables,
    ledger: Ledger,
    rows: Arc<TableRows>,
    rows_at: Timestamp,
    live: Arc<FxHashMap<Arc<str>, LiveSession>>,
    lost: Arc<FxHashSet<Arc<str>>>,
    /// The browsers of sessions, live or gone.
    agents: Arc<FxHashMap<Arc<str>, Arc<str>>>,
    loads: Loads,
    /// Session, tab and load that `loads` knows: those of the last event, for the next has nearly always the same.
    known: Option<(Symbol, Symbol, Option<i32>)>,
    /// What snapshots have of it: a copy from when it last changed, or a little before where it is large.
    shown_loads: Arc<Loads>,
    shown_loads_at: Timestamp,
    is_loads_stale: bool,
    /// Events by second of arrival, newest last.
    arrivals: Vec<(i64, u64)>,
    remapped: u64,
    rebuilt: u64,
    /// Groups were changed without an event more.
    is_regrouped: bool,
    /// Those of them whose first or latest event may be another's by now.
    loose: FxHashSet<u64>,
}

impl Store {
    pub fn new(retention: Retention) -> Self {
        Self {
            ring: Ring::new(retention),
            tables: Tables::default(),
            ledger: Ledger::default(),
            rows: Arc::new(TableRows::default()),
            rows_at: Timestamp(0),
            live: Arc::default(),
            lost: Arc::default(),
            agents: Arc::default(),
            loads: Loads::default(),
            known: None,
            shown_loads: Arc::default(),
            shown_loads_at: Timestamp(0),
            is_loads_stale: false,
            arrivals: Vec::new(),
            remapped: 0,
            rebuilt: 0,
            is_regrouped: false,
            loose: FxHashSet::default(),
        }
    }

    /// Takes the events of one batch, with what was counted on the way in.
    pub fn append(&mut self, chunk: &Chunk, tally: &Tally) {
        self.ledger.add(tally);
        let first = self.ring.end();
        self.ring.append(chunk);
        self.count_from(first);
        self.ring.evict();
        if let Some(last) = chunk.recvs().last() {
            self.count_arrivals(last.0 / 1000, chunk.len() as u64);
        }
    }

    /// Counts the events from `first` on.
    fn count_from(&mut self, first: u64) {
        for (ordinal, event) in self.ring.events_from(first) {
            self.tables.add(event, ordinal);
            let place =
                (event.chunk().sessions()[event.row()], event.chunk().tabs()[event.row()], event.load());
            let is_known = self.known == Some(place) || self.loads.knows_place(event);
            self.known = Some(place);
            if !is_known || self.loads.is_news(event) {
                self.loads.add(event);
                self.is_loads_stale = true;
            }
        }
    }

    /// A page's connection opened or closed.
    pub fn note_session(&mut self, session: &str, presence: Presence, at: Timestamp) {
        let all = Arc::make_mut(&mut self.live);
        let live = all.entry(Arc::from(session)).or_default();
        let is_here = presence == Presence::Here;
        live.connections = if is_here { live.connections + 1 } else { live.connections.saturating_sub(1) };
        live.changed = at;
        let is_last = live.connections == 0;
        if is_last {
            all.remove(session);
        }
        if is_last && presence == Presence::Lost {
            let lost = Arc::make_mut(&mut self.lost);
            if lost.len() >= MAX_LOST {
                lost.clear();
            }
            lost.insert(Arc::from(session));
        } else if self.lost.contains(session) {
            Arc::make_mut(&mut self.lost).remove(session);
        }
    }

    /// The browser of a session. At the bound those of sessions that are gone are forgotten; should that not do, the
    /// new one is.
    pub fn note_agent(&mut self, session: &str, agent: &Arc<str>) {
        if agent.is_empty() || self.agents.get(session) == Some(agent) {
            return;
        }
        let agents = Arc::make_mut(&mut self.agents);
        if agents.len() >= MAX_AGENTS {
            agents.retain(|session, _| self.live.contains_key(session));
        }
        if agents.len() < MAX_AGENTS {
            agents.insert(Arc::from(session), Arc::clone(agent));
        }
    }

    /// A tab of `session` connected, which is a page load where nothing else tells of one.
    pub fn note_connection(&mut self, session: &str, tab: &str, at: Timestamp) {
        self.loads.opened(session, tab, at);
        self.known = None;
        self.is_loads_stale = true;
    }

    /// What readers see at `now`.
    pub fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        self.ledger.aged += self.ring.evict_old(now);
        if self.is_loads_stale && (self.loads.len() < FEW_LOADS || is_due(self.shown_loads_at, now)) {
            self.shown_loads = Arc::new(self.loads.clone());
            (self.shown_loads_at, self.is_loads_stale) = (now, false);
        }
        let is_stale = self.is_regrouped || self.rows.events != self.tables.events();
        if is_stale && is_due(self.rows_at, now) {
            self.refit();
            let ring = &self.ring;
            self.rows = Arc::new(self.tables.rows(|ordinal| Some(Arc::from(&*ring.event(ordinal)?.said()))));
            (self.rows_at, self.is_regrouped) = (now, false);
        }
        Snapshot {
            at: now,
            segments: self.ring.segments(),
            first: self.ring.first(),
            end: self.ring.end(),
            bytes: self.ring.bytes(),
            ledger: self.ledger(),
            is_stale: self.is_regrouped || self.rows.events != self.tables.events(),
            tables: Arc::clone(&self.rows),
            live: Arc::clone(&self.live),
            lost: Arc::clone(&self.lost),
            agents: Arc::clone(&self.agents),
            loads: Arc::clone(&self.shown_loads),
            events_per_s: self.rate(now),
            remapped: self.remapped,
            rebuilt: self.rebuilt,
        }
    }

    /// The ledger at this moment; it always balances.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        ledger.live = self.ring.end() - self.ring.first();
        ledger.evicted = self.ring.first();
        ledger.beyond = self.tables.beyond();
        ledger
    }

    fn count_arrivals(&mut self, second: i64, events: u64) {
        match self.arrivals.last_mut() {
            Some((last, count)) if *last == second => *count += events,
            _ => {
                self.arrivals.retain(|(old, _)| second - old <= RATE_SECONDS && *old < second);
                self.arrivals.push((second, events));
            }
        }
    }

    /// Events a second over the last five full seconds.
    fn rate(&self, now: Timestamp) -> u64 {
        let this_second = now.0 / 1000;
        let is_counted = |second: i64| second < this_second && this_second - second <= RATE_SECONDS;
        let events: u64 =
            self.arrivals.iter().filter(|(second, _)| is_counted(*second)).map(|(_, n)| n).sum();
        events.div_ceil(RATE_SECONDS.unsigned_abs())
    }
}

/// Whether what was made at `made` is old enough at `now` to be made anew; time that goes back makes everything old.
fn is_due(made: Timestamp, now: Timestamp) -> bool {
    let age = now.since(made);
    age < 0 || age >= i64::try_from(TABLES_EVERY.as_millis()).unwrap_or(250)
}

#[cfg(test)]
mod tests;
