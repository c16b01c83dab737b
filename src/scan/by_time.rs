//! Matches in the order of their events' time, which is the order they are shown in.
//!
//! Nothing is sorted as a whole: a chunk knows the order of its own rows, and where a moment stands among all is the
//! sum of where it stands in each. Chunks of one stretch of time rarely overlap, so most answer by their span alone.

use std::sync::Arc;

use super::matches::{MatchSegment, Matches};
use crate::event::{Chunk, EventRef, Timestamp};

/// A place in the order of time: when it happened, then when it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub inst: Timestamp,
    pub ordinal: u64,
}

impl Moment {
    /// Before every event of `inst`.
    pub fn before(inst: Timestamp) -> Self {
        Self { inst, ordinal: 0 }
    }

    /// After every event of `inst`.
    fn after(inst: Timestamp) -> Self {
        Self { inst, ordinal: u64::MAX }
    }
}

/// An event and where it is.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub moment: Moment,
    pub chunk: &'a Arc<Chunk>,
    pub row: usize,
}

impl<'a> At<'a> {
    pub fn event(self) -> EventRef<'a> {
        self.chunk.event(self.row)
    }
}

impl MatchSegment {
    /// The row of match `at`, in the order of time.
    fn row_by_time(&self, at: usize) -> usize {
        let rows = self.by_time.get_or_init(|| {
            let order = self.chunk.order().rows()?;
            let is_match = |row: &u16| self.has(usize::from(*row));
            Some(order.iter().copied().filter(is_match).collect())
        });
        rows.as_ref().map_or_else(|| self.row(at), |rows| usize::from(rows[at]))
    }

    fn at(&self, at: usize) -> At<'_> {
        let row = self.row_by_time(at);
        At { moment: self.moment(row), chunk: &self.chunk, row }
    }

    fn moment(&self, row: usize) -> Moment {
        Moment { inst: self.chunk.insts()[row], ordinal: self.base + row as u64 }
    }

    /// How many of its matches come before `moment`.
    fn rank(&self, moment: Moment) -> usize {
        if moment.inst < self.span.0 {
            return 0;
        }
        if moment.inst > self.span.1 {
            return self.len();
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.moment(self.row_by_time(middle)) < moment {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Matches {
    /// How many matches come before `moment`.
    pub fn rank(&self, moment: Moment) -> u64 {
        self.segments.iter().map(|segment| segment.rank(moment) as u64).sum()
    }

    /// Whether the event of `moment` is among the matches.
    pub fn has(&self, moment: Moment) -> bool {
        self.position(moment.ordinal).is_ok()
    }

    /// The match at `rank` in the order of time.
    pub fn by_time(&self, rank: u64) -> Option<At<'_>> {
        self.window(rank, 1).pop()
    }

    /// At most `count` matches from `rank` on, in the order of time.
    pub fn window(&self, rank: u64, count: usize) -> Vec<At<'_>> {
        let Some(start) = self.select(rank).filter(|_| count > 0) else { return Vec::new() };
        let mut ahead: Vec<&MatchSegment> =
            self.segments.iter().filter(|segment| segment.span.1 >= start.inst).collect();
        ahead.sort_by_key(|segment| segment.span.0);
        let mut found: Vec<At<'_>> = Vec::new();
        for segment in ahead {
            // Whatever begins after the last one wanted has none of them.
            if found.len() >= count
                && found.get(count - 1).is_none_or(|last| segment.span.0 > last.moment.inst)
            {
                break;
            }
            let from = segment.rank(start);
            found.extend((from..segment.len()).take(count).map(|at| segment.at(at)));
            found.sort_by_key(|at| at.moment);
            found.truncate(count);
        }
        found
    }

    /// The moment of the match at `rank`.
    fn select(&self, rank: u64) -> Option<Moment> {
        if rank >= self.total {
            return None;
        }
        let spans = || self.segments.iter().map(|segment| segment.span);
        let low = spans().map(|(first, _)| first.0).min()?;
        let high = spans().map(|(_, last)| last.0).max()?;
        let inst = least(low, high, |inst| self.rank(Moment::after(Timestamp(inst))) > rank);
        let inst = Timestamp(inst);
        let end = self.snapshot.end.cast_signed();
        let ordinal = least(0, end, |ordinal| {
            self.rank(Moment { inst, ordinal: ordinal.cast_unsigned().saturating_add(1) }) > rank
        });
        Some(Moment { inst, ordinal: ordinal.cast_unsigned() })
    }
}

/// The least number between both for which `holds`, which must hold for `high` and for all above where it begins to.
fn least(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while low < high {
        let middle = i64::midpoint(low, high);
        // Rounds towards zero: below that it might stand still at `high`.
        let middle = if middle == high { high - 1 } else { middle };
        if holds(middle) { high = middle } else { low = middle.saturating_add(1) }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Scan, Selection};
    use super::*;
    use crate::event::{ChunkBuilder, Row};
    use crate::store::{Retention, Store, Tally};

    fn row(inst: i64) -> Row<'static> {
        Row {
            inst: Timestamp(inst),
            id: "a/b",
            ns: "a",
            kind: "log",
            session: "s",
            source: "browser",
            ..Row::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ranks_and_windows_are_those_of_a_sorted_list(
            mut times in prop::collection::vec(prop_oneof![0_i64..40, 0_i64..40, -9..1_000_000_000_000_i64], 0..300),
            // The ring's chunks hold 4,096 rows: many events make several of them.
            copies in prop_oneof![Just(1_usize), Just(60)],
            retain in 1_u64..9_000,
            every in 1_usize..4,
            moments in prop::collection::vec((-20_i64..60, 0_u64..400), 8),
            starts in prop::collection::vec((0_u64..400, 0_usize..80), 8),
        ) {
            times = times.iter().cycle().take(times.len() * copies).copied().collect();
            let mut store = Store::new(Retention { events: retain, bytes: u64::MAX, ..Retention::default() });
            for batch in times.chunks(700) {
                let mut builder = ChunkBuilder::new();
                batch.iter().for_each(|at| builder.push(&row(*at)));
                store.append(&builder.finish(), &Tally::default());
            }
            let mut scan = Scan::new();
            if every > 1 {
                scan.set_selection(Selection::of(1, vec![Box::new(move |_, rows, out| {
                    rows.iter().filter(|row| row % every == 0).for_each(|row| out.insert(row));
                })]));
            }
            scan.set_snapshot(Arc::new(store.snapshot(Timestamp(0))));
            while scan.advance() {}
            let matches = scan.matches();
            let mut sorted: Vec<Moment> = matches.iter().map(|(ordinal, event)| Moment { inst: event.inst(), ordinal }).collect();
            sorted.sort_unstable();
            for (inst, ordinal) in moments {
                let moment = Moment { inst: Timestamp(inst), ordinal };
                prop_assert_eq!(matches.rank(moment), sorted.partition_point(|other| *other < moment) as u64);
            }
            for (start, count) in starts {
                let found: Vec<Moment> = matches.window(start, count).iter().map(|at| at.moment).collect();
                let expected: Vec<Moment> = sorted.iter().skip(usize::try_from(start).unwrap()).take(count).copied().collect();
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!(matches.by_time(matches.total).is_none(), true);
        }
    }
}
