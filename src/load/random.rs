//! Randomness that a seed repeats: the same seed gives the same events.
//!
//! Used by the generators only; nothing secret is made from it.

/// A stream of numbers (splitmix64, https://prng.di.unimi.it/splitmix64.c).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but not including 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to but not including `end`, which is above 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of `choices`, which is not empty.
    pub(super) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        let last = choices.len().saturating_sub(1);
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or(last);
        &choices[at]
    }

    /// Milliseconds as requests take them: lognormal around `median_ms`, to a tenth.
    pub(super) fn duration_ms(&mut self, median_ms: f64) -> f64 {
        // Box-Muller; 1 − unit is never 0. A sigma of 0.6 puts p99 at four times the median.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        ((median_ms * (0.6 * normal).exp()) * 10.0).round() / 10.0
    }

    /// Milliseconds until the next of events that come at random, `mean_ms` apart; at least 1.
    pub(super) fn gap_ms(&mut self, mean_ms: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a few times the mean")]
        let gap = (-mean_ms * (1.0 - self.unit()).ln()) as i64;
        gap.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_spreads() {
        let numbers = |seed| (0..50).map(|_| Random::new(seed).below(1_000)).collect::<Vec<_>>();
        assert_eq!(numbers(7), numbers(7));
        let mut random = Random::new(7);
        let mut durations: Vec<f64> = (0..2_001).map(|_| random.duration_ms(100.0)).collect();
        durations.sort_by(f64::total_cmp);
        assert!((90.0..110.0).contains(&durations[1_000]), "{}", durations[1_000]);
        assert!((300.0..550.0).contains(&durations[1_980]), "{}", durations[1_980]);
    }
}
