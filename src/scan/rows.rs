//! The rows of a chunk that match: in or out, with how many come before each.
//!
//! Filled by the scan as rows come, addressed by position through `matches`. It is of one size however many match, so a
//! pass that finds much costs no more than one that finds little.

use crate::filter::Bits;

/// A set of rows, ordered.
#[derive(Clone, Debug)]
pub struct RowSet {
    bits: Bits,
    /// By word of the set: its rows in the words before.
    before: [u16; Bits::WORDS],
    len: u16,
}

impl Default for RowSet {
    fn default() -> Self {
        Self { bits: Bits::new(), before: [0; Bits::WORDS], len: 0 }
    }
}

impl RowSet {
    pub fn bits(&self) -> &Bits {
        &self.bits
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds what is in `rows`.
    pub(super) fn add(&mut self, rows: &Bits) {
        self.bits.or(rows);
        self.len = 0;
        for (before, word) in self.before.iter_mut().zip(self.bits.words()) {
            *before = self.len;
            self.len += word.count_ones() as u16;
        }
    }

    /// How many of its rows are below `row`.
    pub(super) fn rank(&self, row: usize) -> usize {
        let Some(word) = self.bits.words().get(row / 64) else { return self.len() };
        let below = word & !(u64::MAX << (row % 64));
        usize::from(self.before[row / 64]) + below.count_ones() as usize
    }

    /// The row that has `nth` others below it, which must be below [`RowSet::len`].
    pub(super) fn row(&self, nth: usize) -> usize {
        let number = self.before.partition_point(|before| usize::from(*before) <= nth).saturating_sub(1);
        let mut word = self.bits.words()[number];
        for _ in usize::from(self.before[number])..nth {
            word &= word.wrapping_sub(1);
        }
        number * 64 + word.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_and_rows_are_those_of_a_sorted_list(
            sparse in prop::collection::btree_set(0..Bits::CAPACITY, 0..300),
            dense in 0..Bits::CAPACITY,
            rows in prop::collection::vec(0..Bits::CAPACITY + 70, 20),
        ) {
            let mut set = RowSet::default();
            set.add(&sparse.iter().copied().collect());
            set.add(&Bits::of(dense..dense + 100));
            let sorted: Vec<usize> = set.bits().iter().collect();
            prop_assert_eq!(set.len(), sorted.len());
            for (nth, row) in sorted.iter().enumerate() {
                prop_assert_eq!((set.row(nth), set.rank(*row)), (*row, nth));
            }
            for row in rows {
                prop_assert_eq!(set.rank(row), sorted.partition_point(|other| *other < row));
            }
        }
    }
}
