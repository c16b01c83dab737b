//! Requests by endpoint: how many, how many failed, how long they took, which were slowest.
//!
//! Filled by `Tables`, read by the latency panel, `stats` and `/metrics`. Bounded: what comes after 1,000
//! endpoints is counted together, with its totals exact (SECURITY: limits).

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::latency::{Latency, Quantiles, Spread};
use crate::event::{EventRef, Flags, Micros, Symbol, of_socket};

/// Endpoints kept apart; the rest is `(other)`.
const MAX_ENDPOINTS: usize = 1_000;
/// Slowest requests remembered for each endpoint.
pub const SLOWEST: usize = 20;

/// One of the slowest requests of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slow {
    pub duration: Micros,
    /// Its place in the ring, see `store::Segment`.
    pub ordinal: u64,
}

/// What the latency panel shows of an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointRow {
    pub name: Arc<str>,
    /// Whether all of it were WebSockets, which have no method.
    pub is_socket: bool,
    /// Requests, those without a duration included.
    pub count: u64,
    /// Answers with 400 or more, and requests without an answer.
    pub errors: u64,
    pub latency: Quantiles,
    pub spread: Spread,
    /// How many endpoints were met before it.
    pub nth: usize,
    /// Requests that the page gave up, which have no latency.
    pub aborted: u64,
    /// Slowest first.
    pub slowest: Arc<[Slow]>,
}

impl EndpointRow {
    /// Its name as people read it.
    pub fn shown(&self) -> Cow<'_, str> {
        if self.is_socket { of_socket(&self.name).into() } else { (&*self.name).into() }
    }
}

/// All endpoints.
#[derive(Debug, Default)]
pub struct Endpoints {
    by_symbol: FxHashMap<Symbol, usize>,
    all: Vec<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    name: Arc<str>,
    is_socket: bool,
    nth: usize,
    count: u64,
    errors: u64,
    aborted: u64,
    latency: Latency,
    slowest: Vec<Slow>,
    /// The row made last, kept until something changes: quantiles cost microseconds each.
    row: Option<Arc<EndpointRow>>,
}

impl Endpoints {
    /// Adds `event`, whose place in the ring is `ordinal`, if it is a request.
    pub fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        if let Some(endpoint) = self.of(event) {
            endpoint.count(event);
            endpoint.time(event, ordinal);
        }
    }

    /// Counts `event` if it is a request, but not how long it took.
    pub fn count(&mut self, event: EventRef<'_>) {
        if let Some(endpoint) = self.of(event) {
            endpoint.count(event);
        }
    }

    fn of(&mut self, event: EventRef<'_>) -> Option<&mut Endpoint> {
        let symbol = event.chunk().endpoints()[event.row()];
        // Only page loads that failed have an endpoint: among requests they would make all its answers failures.
        if symbol.is_none() || event.subtype() == "page-load" {
            return None;
        }
        let index = match self.by_symbol.get(&symbol) {
            Some(index) => *index,
            None => self.insert(symbol, event),
        };
        self.all.get_mut(index)
    }

    fn insert(&mut self, symbol: Symbol, event: EventRef<'_>) -> usize {
        let is_full = self.all.len() >= MAX_ENDPOINTS && symbol != Symbol::OTHER;
        let symbol = if is_full { Symbol::OTHER } else { symbol };
        let is_other = symbol == Symbol::OTHER;
        if let Some(index) = self.by_symbol.get(&symbol) {
            return *index;
        }
        self.all.push(Endpoint {
            name: Arc::from(if is_other { "(other)" } else { event.endpoint() }),
            is_socket: !is_other,
            nth: self.all.len(),
            count: 0,
            errors: 0,
            aborted: 0,
            latency: Latency::default(),
            slowest: Vec::new(),
            row: None,
        });
        self.by_symbol.insert(symbol, self.all.len() - 1);
        self.all.len() - 1
    }

    /// Requests of all endpoints that did not fit.
    pub(super) fn other(&self) -> u64 {
        let other = self.by_symbol.get(&Symbol::OTHER).and_then(|index| self.all.get(*index));
        other.map_or(0, |endpoint| endpoint.count)
    }

    /// Rows by count, largest first, then by name.
    pub fn rows(&mut self) -> Arc<[Arc<EndpointRow>]> {
        let mut rows: Vec<_> = self.all.iter_mut().map(Endpoint::row).collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        rows.into()
    }
}

impl Endpoint {
    fn count(&mut self, event: EventRef<'_>) {
        self.row = None;
        self.is_socket = self.is_socket && event.is_socket();
        self.count += 1;
        self.errors += u64::from(event.flags().has(Flags::FAILED));
        self.aborted += u64::from(event.is_aborted());
    }

    fn time(&mut self, event: EventRef<'_>, ordinal: u64) {
        // How long until the page gave up says nothing of the answer.
        let Some(duration) = event.duration().filter(|_| !event.is_aborted()) else { return };
        self.latency.record(duration);
        let slow = Slow { duration, ordinal };
        if self.slowest.len() < SLOWEST || self.slowest.last().is_some_and(|last| slow > *last) {
            let at = self.slowest.partition_point(|other| *other > slow);
            self.slowest.insert(at, slow);
            self.slowest.truncate(SLOWEST);
        }
    }

    fn row(&mut self) -> Arc<EndpointRow> {
        let made = self.row.take().unwrap_or_else(|| {
            Arc::new(EndpointRow {
                name: Arc::clone(&self.name),
                is_socket: self.is_socket,
                count: self.count,
                errors: self.errors,
                latency: self.latency.quantiles(),
                spread: self.latency.spread(),
                nth: self.nth,
                aborted: self.aborted,
                slowest: self.slowest.as_slice().into(),
            })
        });
        self.row = Some(Arc::clone(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Row};

    #[test]
    fn a_page_load_that_failed_is_no_request_among_others() {
        let mut builder = ChunkBuilder::new();
        for subtype in ["api-call", "page-load"] {
            builder.push(&Row {
                subtype,
                endpoint: "GET /shop",
                status: Some(500),
                json: "{}",
                ..Row::default()
            });
        }
        let (chunk, mut endpoints) = (builder.finish(), Endpoints::default());
        chunk.events().zip(0..).for_each(|(event, ordinal)| endpoints.add(event, ordinal));
        let counts: Vec<_> = endpoints.rows().iter().map(|row| row.count).collect();
        assert_eq!(counts, [1]);
    }
}
