//! When something happened, in a fixed number of slots that grow wider as the time between first and last does.
//!
//! Kept for each group of errors, drawn by the errors screen. It holds [`SLOTS`] counts and never more; which slots
//! there are follows from the earliest and the latest time alone, so the order of adding makes no difference.

use crate::event::Timestamp;

/// Four for each of eight columns, so that no slot is wider than half a column.
const SLOTS: usize = 32;
/// The narrowest slot is 2⁶ ms: no narrower one shows in eight columns.
const NARROWEST: u8 = 6;

/// Counts over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trend {
    /// A slot is 2^shift ms wide.
    shift: u8,
    /// The numbers of the first and the last slot in use, counted from 1970.
    first: i64,
    last: i64,
    slots: [u32; SLOTS],
}

impl Trend {
    /// Nothing yet, which begins at `at`.
    pub(super) fn new(at: Timestamp) -> Self {
        let first = at.0 >> NARROWEST;
        Self { shift: NARROWEST, first, last: first, slots: [0; SLOTS] }
    }

    /// Counts `more` at `at`; a slot stands at four billion.
    pub(super) fn add(&mut self, at: Timestamp, more: u64) {
        while !self.has_room(at) {
            self.widen();
        }
        let slot = at.0 >> self.shift;
        if slot < self.first {
            self.slots.rotate_right(index(self.first - slot));
            self.first = slot;
        }
        self.last = self.last.max(slot);
        let count = &mut self.slots[index(slot - self.first)];
        *count = count.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    }

    /// Takes back `less` of what was counted at `at`.
    pub(super) fn remove(&mut self, at: Timestamp, less: u64) {
        let slot = at.0 >> self.shift;
        if (self.first..=self.last).contains(&slot) {
            let count = &mut self.slots[index(slot - self.first)];
            *count = count.saturating_sub(u32::try_from(less).unwrap_or(u32::MAX));
        }
    }

    fn has_room(&self, at: Timestamp) -> bool {
        let slot = at.0 >> self.shift;
        index(self.last.max(slot) - self.first.min(slot)) < SLOTS
    }

    fn widen(&mut self) {
        let (first, last) = (self.first >> 1, self.last >> 1);
        let mut slots = [0_u32; SLOTS];
        for (number, count) in (self.first..=self.last).zip(self.slots) {
            let wide = &mut slots[index((number >> 1) - first)];
            *wide = wide.saturating_add(count);
        }
        *self = Self { shift: self.shift + 1, first, last, slots };
    }

    /// The counts in `columns` equal parts of the time from `from` to `to`; what lies outside is left out.
    pub fn over(&self, from: Timestamp, to: Timestamp, columns: usize) -> Vec<u64> {
        let mut out = vec![0; columns];
        let (from, to) = (i128::from(from.0), i128::from(to.0));
        let span = (to - from).max(0) + 1;
        for (number, count) in (self.first..=self.last).zip(self.slots) {
            let start = i128::from(number) << self.shift;
            let end = start + (1 << self.shift);
            if count == 0 || end <= from || start > to {
                continue;
            }
            let middle = i128::midpoint(start, end).clamp(from, to);
            let column = usize::try_from((middle - from) * columns as i128 / span).unwrap_or(usize::MAX);
            if let Some(total) = out.get_mut(column) {
                *total += u64::from(count);
            }
        }
        out
    }
}

/// A distance of slots, which [`Trend::has_room`] keeps small.
fn index(distance: i64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trend(times: &[i64]) -> Trend {
        let mut trend = Trend::new(Timestamp(times[0]));
        times.iter().for_each(|at| trend.add(Timestamp(*at), 1));
        trend
    }

    #[test]
    fn counts_stand_where_they_happened() {
        let found = trend(&[0, 10, 7_900, 79_000]);
        let over = |from, to, columns| found.over(Timestamp(from), Timestamp(to), columns);
        assert_eq!(over(0, 80_000, 8), [3, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(over(40_000, 80_000, 4), [0, 0, 0, 1]);
        assert_eq!(over(0, 0, 2), [2, 0]);
        assert_eq!(over(90_000, 80_000, 2), [0, 0]);
        assert!(over(0, 80_000, 0).is_empty());
    }

    #[test]
    fn what_happened_many_times_is_counted_and_taken_back_as_often() {
        let mut found = trend(&[0, 10]);
        found.add(Timestamp(10), 995);
        let all = |trend: &Trend| trend.over(Timestamp(0), Timestamp(63), 1);
        assert_eq!(all(&found), [997]);
        found.remove(Timestamp(10), 995);
        assert_eq!(all(&found), [2]);
        found.add(Timestamp(10), u64::MAX);
        assert_eq!(all(&found), [u64::from(u32::MAX)]);
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_and_nothing_is_lost(
            mut times in prop::collection::vec(
                prop_oneof![-100_000_i64..100_000, any::<i64>(), Just(i64::MIN), Just(i64::MAX)], 1..60)
        ) {
            let found = trend(&times);
            prop_assert_eq!(found.over(Timestamp(i64::MIN), Timestamp(i64::MAX), 1), [times.len() as u64]);
            times.reverse();
            prop_assert_eq!(trend(&times), found);
            times.sort_unstable();
            prop_assert_eq!(trend(&times), found);
        }
    }
}
