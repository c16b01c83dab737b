//! How any numbers are spread: exact while few are different, to two percent after that.
//!
//! Used for custom metrics, which may be negative, fractional or of any size; durations have `Latency`. The same
//! numbers give the same answers in whatever order they came. Bounded: 256 different values exactly, about 2,100
//! ranges beyond.

use std::collections::BTreeMap;

/// Different values that are kept as they are.
const MAX_EXACT: usize = 256;
/// Each range ends this much higher than the one before, so its middle is within two percent of all in it.
const GROWTH: f64 = 1.04;
/// Numbers nearer to zero count as zero once ranges are used.
const SMALLEST: f64 = 1e-3;
/// The range of 10^15; larger numbers count into it.
const LAST: i16 = 1_057;

/// A distribution of finite numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    count: u64,
    min: f64,
    max: f64,
    spread: Spread,
}

#[derive(Clone, Debug)]
enum Spread {
    /// By the number, as [`ordered`].
    Exact(BTreeMap<u64, u64>),
    /// By [`range_of`] the number.
    Ranges(BTreeMap<i16, u64>),
}

impl Default for Spread {
    fn default() -> Self {
        Self::Exact(BTreeMap::new())
    }
}

impl Values {
    /// Adds `value`, which must be finite.
    pub(super) fn add(&mut self, value: f64) {
        // Zero has two signs but is one value.
        let value = value + 0.0;
        (self.min, self.max) =
            if self.count == 0 { (value, value) } else { (self.min.min(value), self.max.max(value)) };
        self.count += 1;
        match &mut self.spread {
            Spread::Exact(values) => {
                *values.entry(ordered(value)).or_default() += 1;
                if values.len() > MAX_EXACT {
                    let mut ranges = BTreeMap::new();
                    for (bits, count) in &*values {
                        *ranges.entry(range_of(unordered(*bits))).or_default() += count;
                    }
                    self.spread = Spread::Ranges(ranges);
                }
            }
            Spread::Ranges(ranges) => *ranges.entry(range_of(value)).or_default() += 1,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Exact; 0 of nothing.
    pub(super) fn min(&self) -> f64 {
        self.min
    }

    /// Exact; 0 of nothing.
    pub(super) fn max(&self) -> f64 {
        self.max
    }

    /// The smallest value that at least `percent` of all are not above; 0 of nothing.
    pub(super) fn percentile(&self, percent: u64) -> f64 {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        let mut has_rank = |count: &u64| {
            seen += u128::from(*count);
            seen >= rank
        };
        let found = match &self.spread {
            Spread::Exact(values) => {
                values.iter().find(|(_, count)| has_rank(count)).map(|(bits, _)| unordered(*bits))
            }
            Spread::Ranges(ranges) => {
                ranges.iter().find(|(_, count)| has_rank(count)).map(|(range, _)| middle_of(*range))
            }
        };
        found.unwrap_or_default().clamp(self.min, self.max)
    }
}

/// A number's bits, turned so that they stand in the order of the numbers.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

fn range_of(value: f64) -> i16 {
    if value.abs() < SMALLEST {
        return 0;
    }
    let range = ((value.abs() / SMALLEST).ln() / GROWTH.ln()).ceil().clamp(1.0, f64::from(LAST));
    #[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
    let range = range as i16;
    if value < 0.0 { -range } else { range }
}

fn middle_of(range: i16) -> f64 {
    if range == 0 {
        return 0.0;
    }
    let end = SMALLEST * GROWTH.powi(i32::from(range.abs()));
    (2.0 * end / (1.0 + GROWTH)).copysign(f64::from(range))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Values {
        let mut all = Values::default();
        values.iter().for_each(|value| all.add(*value));
        all
    }

    #[test]
    fn few_values_are_exact() {
        let all = of(&[9.0, -3.0, 0.0, -0.0, 4.0]);
        assert_eq!((all.count(), all.min(), all.max()), (5, -3.0, 9.0));
        assert_eq!(
            [0, 20, 50, 60, 80, 99].map(|percent| all.percentile(percent)),
            [-3.0, -3.0, 0.0, 0.0, 4.0, 9.0]
        );
        assert_eq!(of(&[]).percentile(50), 0.0);
    }

    proptest! {
        #[test]
        fn many_values_are_within_two_percent_in_any_order(
            mut values in prop::collection::vec(prop_oneof![-1e6..-1e-2_f64, Just(0.0), 1e-2..1e12_f64], 1..900),
            percent in 0_u64..=100,
        ) {
            let mut turned = values.clone();
            turned.reverse();
            let answer = of(&values).percentile(percent);
            prop_assert_eq!(of(&turned).percentile(percent), answer);
            values.sort_by(f64::total_cmp);
            let rank = (values.len() * usize::try_from(percent).expect("small")).div_ceil(100).max(1);
            let exact = values[rank - 1];
            prop_assert!((answer - exact).abs() <= exact.abs() * 0.0201, "{} for {}", answer, exact);
        }

        #[test]
        fn no_finite_number_is_too_much(values in prop::collection::vec(any::<f64>(), 0..700)) {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let all = of(&values);
            for value in &values {
                prop_assert!(unordered(ordered(*value)) == *value);
            }
            prop_assert!((all.min()..=all.max()).contains(&all.percentile(99)));
        }
    }
}
