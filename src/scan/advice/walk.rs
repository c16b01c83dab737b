//! A walk over the events of a snapshot, newest chunk first, one chunk at a time.
//!
//! Used by everything the advice counts with; it can stop after any chunk.

use std::ops::Range;
use std::sync::Arc;

use crate::event::Chunk;
use crate::filter::{Bits, Matcher};
use crate::store::Snapshot;

/// Events after which a count may be a projection (FILTER: completion).
pub(super) const EXACT: u64 = 50_000;

/// A number of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) events: u64,
    /// Projected from the newest events.
    pub(super) is_estimate: bool,
}

/// Where a walk has come to.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    snapshot: Arc<Snapshot>,
    /// Segments still to come, the newest of them last.
    left: usize,
    looked_at: u64,
}

/// One chunk of a walk and the rows of it that are still kept.
pub(super) struct Stop {
    pub(super) base: u64,
    pub(super) chunk: Arc<Chunk>,
    pub(super) rows: Range<usize>,
}

impl Walk {
    pub(super) fn new(snapshot: &Arc<Snapshot>) -> Self {
        Self { snapshot: Arc::clone(snapshot), left: snapshot.segments.len(), looked_at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Stop> {
        self.left = self.left.checked_sub(1)?;
        let segment = &self.snapshot.segments[self.left];
        let evicted = usize::try_from(self.snapshot.first.saturating_sub(segment.base)).unwrap_or(usize::MAX);
        let rows = evicted.min(segment.chunk.len())..segment.chunk.len();
        self.looked_at += rows.len() as u64;
        Some(Stop { base: segment.base, chunk: Arc::clone(&segment.chunk), rows })
    }

    /// Every event was looked at.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Enough events were looked at for a projection.
    pub(super) fn is_enough(&self) -> bool {
        self.looked_at >= EXACT
    }

    /// What `found` events among those looked at say of all.
    pub(super) fn project(&self, found: u64) -> Count {
        project(found, self.looked_at, self.snapshot.len(), self.is_over())
    }
}

fn project(found: u64, looked_at: u64, all: u64, is_over: bool) -> Count {
    if is_over || looked_at == 0 || looked_at >= all {
        return Count { events: found, is_estimate: false };
    }
    let events = u128::from(found) * u128::from(all) / u128::from(looked_at);
    Count { events: u64::try_from(events).unwrap_or(u64::MAX), is_estimate: true }
}

/// How long counting goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Until enough events were looked at.
    Enough,
    /// Also then, for whatever was not found yet: to know that there is none.
    Found,
}

/// Counts the events that each of some filters lets through, among those another lets through.
pub(super) struct Counting {
    walk: Walk,
    rest: Option<Matcher>,
    tallies: Vec<Tally>,
    goal: Goal,
    /// Events that `rest` lets through.
    under: u64,
}

struct Tally {
    matcher: Matcher,
    found: u64,
    /// As it was when this was last counted.
    count: Count,
}

impl Counting {
    /// `rest` is `None` for all events.
    pub(super) fn new(
        snapshot: &Arc<Snapshot>,
        rest: Option<Matcher>,
        matchers: impl IntoIterator<Item = Matcher>,
        goal: Goal,
    ) -> Self {
        let tally = |matcher| Tally { matcher, found: 0, count: Count::default() };
        let tallies = matchers.into_iter().map(tally).collect();
        Self { walk: Walk::new(snapshot), rest, tallies, goal, under: 0 }
    }

    /// Looks at one more chunk; false when there is no need to.
    pub(super) fn step(&mut self) -> bool {
        let is_enough = self.walk.is_enough();
        let is_wanted = |tally: &Tally| !is_enough || self.goal == Goal::Found && tally.found == 0;
        if !self.tallies.iter().any(is_wanted) {
            return false;
        }
        let Some(Stop { chunk, rows, .. }) = self.walk.next() else { return false };
        let mut mask = Bits::of(rows.clone());
        if let Some(rest) = &mut self.rest {
            rest.eval(&chunk, rows.clone(), &mut mask);
        }
        self.under += mask.count() as u64;
        let mut passed = Bits::new();
        for tally in &mut self.tallies {
            if is_enough && (self.goal != Goal::Found || tally.found > 0) {
                continue;
            }
            if !mask.is_empty() {
                tally.matcher.eval(&chunk, rows.clone(), &mut passed);
                passed.and(&mask);
                tally.found += passed.count() as u64;
            }
            tally.count = self.walk.project(tally.found);
        }
        true
    }

    /// The events among which is counted.
    pub(super) fn under(&self) -> Count {
        self.walk.project(self.under)
    }

    /// What is known of the filter at `place`.
    pub(super) fn count(&self, place: usize) -> Count {
        self.tallies.get(place).map_or(Count::default(), |tally| tally.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_until_events_are_left_out() {
        for (found, looked_at, all, is_over, events, is_estimate) in [
            (10, 50, 50, true, 10, false),
            (10, 50, 50, false, 10, false),
            (10, 50, 200, false, 40, true),
            (0, 0, 200, false, 0, false),
        ] {
            let expected = Count { events, is_estimate };
            assert_eq!(project(found, looked_at, all, is_over), expected);
        }
    }
}
