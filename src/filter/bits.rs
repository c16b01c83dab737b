//! A set of the rows of one chunk, as 4,096 bits.
//!
//! The matcher fills it, `scan` and panels iterate it. It knows nothing of events.

use std::ops::Range;

const WORDS: usize = Bits::CAPACITY / 64;

/// Rows 0 to 4,095 of a chunk, each in or out.
#[derive(Clone, PartialEq, Eq)]
pub struct Bits([u64; WORDS]);

impl std::fmt::Debug for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Default for Bits {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(rows: I) -> Self {
        let mut bits = Self::new();
        for row in rows {
            bits.insert(row);
        }
        bits
    }
}

impl Bits {
    /// The most rows a chunk has (ARCHITECTURE: core types).
    pub const CAPACITY: usize = 4096;
    /// Words of the set, see [`Bits::words`].
    pub const WORDS: usize = WORDS;

    /// The empty set.
    pub const fn new() -> Self {
        Self([0; WORDS])
    }

    /// The rows of `rows` below [`Bits::CAPACITY`].
    pub fn of(rows: Range<usize>) -> Self {
        let mut bits = Self::new();
        let end = rows.end.min(Self::CAPACITY);
        if rows.start >= end {
            return bits;
        }
        let (first, last) = (rows.start / 64, (end - 1) / 64);
        bits.0[first..=last].fill(u64::MAX);
        bits.0[first] &= u64::MAX << (rows.start % 64);
        bits.0[last] &= u64::MAX >> (63 - (end - 1) % 64);
        bits
    }

    /// The rows as bits: row 0 is the lowest of the first word.
    pub fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// Adds `row`; rows from [`Bits::CAPACITY`] on cannot be held and are left out.
    pub fn insert(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub fn remove(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    pub fn contains(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub fn clear(&mut self) {
        self.0 = [0; WORDS];
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many rows are in the set.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Adds each of `rows` for which `holds`, a word at a time, so that a plain test becomes straight code.
    pub fn fill(&mut self, rows: Range<usize>, holds: impl Fn(usize) -> bool) {
        let end = rows.end.min(Self::CAPACITY);
        let mut row = rows.start;
        while row < end {
            let stop = (row / 64 * 64 + 64).min(end);
            let mut word = 0;
            for here in row..stop {
                word |= u64::from(holds(here)) << (here % 64);
            }
            self.0[row / 64] |= word;
            row = stop;
        }
    }

    /// Adds each of `rows` whose value in `column` passes. Sixty-four rows are tested before their bits are put
    /// together, which compiles to vector code where [`Bits::fill`] does not. Rows past the column are left out.
    pub fn fill_from<T: Copy>(&mut self, rows: Range<usize>, column: &[T], holds: impl Fn(T) -> bool) {
        let end = rows.end.min(column.len()).min(Self::CAPACITY);
        let start = rows.start.min(end);
        let full = start.next_multiple_of(64)..end / 64 * 64;
        if full.is_empty() {
            return self.fill(start..end, |row| holds(column[row]));
        }
        self.fill(start..full.start, |row| holds(column[row]));
        let words = &mut self.0[full.start / 64..full.end / 64];
        for (word, values) in words.iter_mut().zip(column[full.clone()].as_chunks::<64>().0) {
            *word |= pack(&values.map(|value| u8::from(holds(value))));
        }
        self.fill(full.end..end, |row| holds(column[row]));
    }

    /// Keeps what is also in `other`.
    pub fn and(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Adds what is in `other`.
    pub fn or(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Removes what is in `other`.
    pub fn and_not(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// The smallest range that holds every row of the set; `0..0` if there are none.
    pub fn span(&self) -> Range<usize> {
        match (self.iter().next(), self.iter().next_back()) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    }

    /// The rows in rising order; from the back, the newest first.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// As [`Bits::iter`], without the rows below `row`.
    pub fn iter_from(&self, row: usize) -> Iter<'_> {
        let front = (row / 64).min(WORDS - 1);
        let cut = if row < Self::CAPACITY { u64::MAX << (row % 64) } else { 0 };
        let high = if front == WORDS - 1 { 0 } else { self.0[WORDS - 1] };
        Iter { words: &self.0, front, back: WORDS - 1, low: self.0[front] & cut, high }
    }
}

/// Sixty-four bytes of 0 or 1 as bits, the first the lowest.
fn pack(lanes: &[u8; 64]) -> u64 {
    // The product has in its highest byte the lowest bits of all eight bytes, and no carries.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bytes = [0; 8];
    for (byte, lanes) in bytes.iter_mut().zip(lanes.as_chunks::<8>().0) {
        *byte = (u64::from_le_bytes(*lanes).wrapping_mul(GATHER) >> 56) as u8;
    }
    u64::from_le_bytes(bytes)
}

impl<'a> IntoIterator for &'a Bits {
    type Item = usize;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`Bits::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    words: &'a [u64; WORDS],
    front: usize,
    back: usize,
    /// What is left of the words at `front` and `back`; only `low` counts once they meet.
    low: u64,
    high: u64,
}

impl Iterator for Iter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.low == 0 {
            if self.front >= self.back {
                return None;
            }
            self.front += 1;
            self.low = if self.front == self.back { self.high } else { self.words[self.front] };
        }
        let bit = self.low.trailing_zeros() as usize;
        self.low &= self.low - 1;
        Some(self.front * 64 + bit)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<usize> {
        loop {
            let is_last = self.front >= self.back;
            let word = if is_last { &mut self.low } else { &mut self.high };
            if *word != 0 {
                let bit = 63 - word.leading_zeros() as usize;
                *word &= !(1 << bit);
                return Some(self.back * 64 + bit);
            }
            if is_last {
                return None;
            }
            self.back -= 1;
            self.high = self.words[self.back];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(bits: &Bits) -> Vec<bool> {
        (0..Bits::CAPACITY).map(|row| bits.contains(row)).collect()
    }

    proptest! {
        #[test]
        fn a_set_of_bits_is_a_vec_of_bools(
            a in prop::collection::vec(0..Bits::CAPACITY, 0..200),
            b in prop::collection::vec(0..Bits::CAPACITY, 0..200),
            range in (0..5000usize, 0..5000usize),
            fronts in prop::collection::vec(any::<bool>(), 0..300),
        ) {
            let (left, right): (Bits, Bits) = (a.iter().copied().collect(), b.iter().copied().collect());
            let (x, y) = (model(&left), model(&right));
            let check = |bits: &Bits, expected: &dyn Fn(usize) -> bool| {
                let expected: Vec<usize> = (0..Bits::CAPACITY).filter(|row| expected(*row)).collect();
                assert_eq!(bits.iter().collect::<Vec<_>>(), expected);
                assert_eq!(bits.iter().rev().collect::<Vec<_>>(), expected.iter().rev().copied().collect::<Vec<_>>());
                assert_eq!((bits.count(), bits.is_empty()), (expected.len(), expected.is_empty()));
                let span = expected.first().map_or(0..0, |first| *first..expected[expected.len() - 1] + 1);
                assert_eq!(bits.span(), span);
            };
            let mut both = left.clone();
            both.and(&right);
            check(&both, &|row| x[row] && y[row]);
            let mut any = left.clone();
            any.or(&right);
            check(&any, &|row| x[row] || y[row]);
            let mut rest = left.clone();
            rest.and_not(&right);
            check(&rest, &|row| x[row] && !y[row]);
            check(&Bits::of(range.0..range.1), &|row| (range.0..range.1).contains(&row));
            let column: Vec<u16> = (0..4_000).map(|row| row * 7 % 13).collect();
            let mut filled = Bits::new();
            filled.fill_from(range.0..range.1, &column, |value| value > 5);
            check(&filled, &|row| (range.0..range.1).contains(&row) && row < 4_000 && column[row] > 5);
            let from = range.0.min(range.1);
            prop_assert_eq!(
                left.iter_from(from).collect::<Vec<_>>(),
                left.iter().filter(|row| *row >= from).collect::<Vec<_>>()
            );
            let mut mixed = left.iter();
            let mut taken: Vec<usize> = fronts
                .iter()
                .map_while(|front| if *front { mixed.next() } else { mixed.next_back() })
                .collect();
            taken.extend(mixed);
            taken.sort_unstable();
            prop_assert_eq!(taken, left.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn rows_beyond_the_capacity_are_left_out() {
        let mut bits = Bits::new();
        bits.insert(Bits::CAPACITY);
        bits.remove(Bits::CAPACITY);
        assert!(bits.is_empty() && !bits.contains(Bits::CAPACITY));
    }
}
