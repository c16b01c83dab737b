//! The pages that are connected: what each has sent, how fast, how late, and how its clock stands.
//!
//! Written by `ingest`, each connection its own, read by the health panel. An entry leaves with its connection; there
//! are no more of them than connections may be open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Timestamp;

/// Full seconds that a rate is taken over.
const RATE_SECONDS: i64 = 5;

/// A connected page at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// `conn-7`
    pub connection: String,
    pub session: String,
    pub tab: String,
    /// Its address, as it was when it connected.
    pub page: String,
    pub events: u64,
    pub bytes: u64,
    /// How far the page's clock is ahead, in milliseconds; `None` where it did not say.
    pub ahead_ms: Option<i64>,
    /// How long the newest events had waited in the page, or were on their way.
    pub lag_ms: Option<i64>,
    /// Events the page had no room for.
    pub missing: u64,
    /// Events that stand for more, and the share that was sent of the newest.
    pub sampled: u64,
    pub share: Option<f64>,
    /// Events that waited in the page when it was last asked.
    pub buffered: Option<u64>,
    /// Events by second of arrival, newest last.
    arrivals: Vec<(i64, u64)>,
}

impl Page {
    /// Counts events that arrived.
    pub fn arrived(&mut self, at: Timestamp, events: u64) {
        self.events += events;
        let second = at.0.div_euclid(1_000);
        match self.arrivals.last_mut() {
            Some((last, count)) if *last == second => *count += events,
            _ => {
                self.arrivals.retain(|(old, _)| second - old <= RATE_SECONDS && *old < second);
                self.arrivals.push((second, events));
            }
        }
    }

    /// Events a second over the last full seconds.
    pub fn events_per_s(&self, now: Timestamp) -> u64 {
        let this = now.0.div_euclid(1_000);
        let counts = self.arrivals.iter().filter(|(at, _)| *at < this && this - at <= RATE_SECONDS);
        counts.map(|(_, count)| count).sum::<u64>().div_ceil(RATE_SECONDS.unsigned_abs())
    }
}

/// All connected pages, by the number of their connection.
#[derive(Debug, Default)]
pub struct Pages(Mutex<BTreeMap<u64, Arc<Mutex<Page>>>>);

impl Pages {
    /// Takes note of a connection until its entry is dropped.
    pub fn enter(self: &Arc<Self>, number: u64, connection: &str) -> Entry {
        let page = Page { connection: connection.to_owned(), ..Page::default() };
        let page = Arc::new(Mutex::new(page));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&page));
        Entry { pages: Arc::clone(self), number, page }
    }

    /// The pages that sent most of late, at most `most`, and how many there are.
    pub fn busiest(&self, now: Timestamp, most: usize) -> (Vec<Page>, usize) {
        let all: Vec<_> = {
            let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            pages.values().map(Arc::clone).collect()
        };
        let rate = |page: &Arc<Mutex<Page>>| {
            let page = page.lock().unwrap_or_else(PoisonError::into_inner);
            (page.events_per_s(now), page.events)
        };
        let mut rated: Vec<_> = all.iter().map(|page| (rate(page), page)).collect();
        // Stable: those alike stand in the order in which they came.
        rated.sort_by_key(|(rate, _)| std::cmp::Reverse(*rate));
        let page =
            |(_, page): (_, &Arc<Mutex<Page>>)| page.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (rated.into_iter().take(most).map(page).collect(), all.len())
    }
}

/// A connection's own entry.
#[derive(Debug)]
pub struct Entry {
    pages: Arc<Pages>,
    number: u64,
    page: Arc<Mutex<Page>>,
}

impl Entry {
    /// Changes what is known of the page.
    pub fn note(&self, change: impl FnOnce(&mut Page)) {
        change(&mut self.page.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.pages.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_come_first_and_leave_with_their_connection() {
        let pages = Arc::new(Pages::default());
        let entries: Vec<_> = (1..=3).map(|number| pages.enter(number, &format!("conn-{number}"))).collect();
        for (entry, events) in entries.iter().zip([10, 40, 40]) {
            entry.note(|page| page.arrived(Timestamp(5_500), events));
        }
        let names = |most| {
            let (pages, all) = pages.busiest(Timestamp(7_000), most);
            (pages.into_iter().map(|page| page.connection).collect::<Vec<_>>(), all)
        };
        assert_eq!(names(2), (vec!["conn-2".to_owned(), "conn-3".to_owned()], 3));
        drop(entries);
        assert_eq!(names(2), (Vec::new(), 0));
    }

    #[test]
    fn a_rate_is_over_full_seconds_and_falls_to_nothing() {
        let mut page = Page::default();
        for (ms, events) in [(1_000, 7), (1_900, 3), (2_000, 5), (3_000, 100)] {
            page.arrived(Timestamp(ms), events);
        }
        for (now, expected) in [(3_500, 3), (4_000, 23), (7_000, 21), (8_000, 20), (9_000, 0)] {
            assert_eq!(page.events_per_s(Timestamp(now)), expected, "{now}");
        }
        assert_eq!(page.events, 115);
    }
}
