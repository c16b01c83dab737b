//! How long something took, over many times: percentiles from an HDR histogram, the rest exact.
//!
//! Used for every endpoint. Two significant digits from 1 µs to 60 s (CONTRACT: latency histograms): 10 KiB each.

use hdrhistogram::Histogram;

use crate::event::Micros;

/// Longer times count as this in percentiles and are counted apart.
pub const MAX_LATENCY: Micros = Micros(60_000_000);

/// Bars of [`Spread::bars`]: powers of two from 64 µs, the last one takes everything from 60 s on.
pub const BARS: usize = 21;

/// The shares of [`Latency::spread`]'s curve, in ten-thousandths: closer together where requests are slow.
pub const CURVE: [u16; 24] = [
    0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 7_500, 8_000, 8_500, 9_000, 9_250, 9_500, 9_600,
    9_700, 9_800, 9_900, 9_925, 9_950, 9_975, 9_990, 9_999, 10_000,
];

/// The bounds of [`Spread::steps`]: those that histograms of web requests are usually cut at.
pub const STEPS: [Micros; 12] = [
    Micros(5_000),
    Micros(10_000),
    Micros(25_000),
    Micros(50_000),
    Micros(100_000),
    Micros(250_000),
    Micros(500_000),
    Micros(1_000_000),
    Micros(2_500_000),
    Micros(5_000_000),
    Micros(10_000_000),
    Micros(30_000_000),
];

/// A distribution in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How many durations fall under each of [`bar_limit`]'s bounds and above the one before.
    pub bars: [u32; BARS],
    /// The longest duration of each share in [`CURVE`].
    pub curve: [Micros; CURVE.len()],
    /// How many durations are not above each of [`STEPS`], nor above it by less than the histogram can tell.
    pub steps: [u64; STEPS.len()],
}

impl Default for Spread {
    fn default() -> Self {
        Self { bars: [0; BARS], curve: [Micros(0); CURVE.len()], steps: [0; STEPS.len()] }
    }
}

/// The upper bound of bar `bar`, which takes durations up to and including it.
pub fn bar_limit(bar: usize) -> Micros {
    if bar + 1 >= BARS { MAX_LATENCY } else { Micros(64 << bar) }
}

/// A distribution of durations.
#[derive(Clone, Debug)]
pub struct Latency {
    histogram: Histogram<u32>,
    sum_us: u128,
    min: Micros,
    max: Micros,
    over_range: u64,
}

/// What a panel shows of a [`Latency`]; zeros where nothing was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    pub count: u64,
    pub p50: Micros,
    pub p90: Micros,
    pub p95: Micros,
    pub p99: Micros,
    pub p999: Micros,
    /// Exact, unlike the percentiles.
    pub min: Micros,
    pub max: Micros,
    pub mean: Micros,
    pub sum: Micros,
    /// Times of over 60 s, which count as 60 s above.
    pub over_range: u64,
}

impl Default for Latency {
    fn default() -> Self {
        let histogram =
            Histogram::new_with_bounds(1, MAX_LATENCY.0, 2).expect("the bounds are constants that fit");
        Self { histogram, sum_us: 0, min: Micros(u64::MAX), max: Micros(0), over_range: 0 }
    }
}

impl Latency {
    pub fn record(&mut self, span: Micros) {
        self.histogram.saturating_record(span.0.clamp(1, MAX_LATENCY.0));
        self.sum_us += u128::from(span.0);
        self.min = self.min.min(span);
        self.max = self.max.max(span);
        self.over_range += u64::from(span > MAX_LATENCY);
    }

    pub fn quantiles(&self) -> Quantiles {
        let count = self.histogram.len();
        if count == 0 {
            return Quantiles::default();
        }
        // A histogram answers with the end of a bucket, which may lie beyond what was ever recorded.
        let at = |quantile| Micros(self.histogram.value_at_quantile(quantile)).clamp(self.min, self.max);
        Quantiles {
            count,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            min: self.min,
            max: self.max,
            mean: Micros(u64::try_from(self.sum_us / u128::from(count)).unwrap_or(u64::MAX)),
            sum: Micros(u64::try_from(self.sum_us).unwrap_or(u64::MAX)),
            over_range: self.over_range,
        }
    }

    /// The distribution in pieces.
    pub fn spread(&self) -> Spread {
        let Spread { mut bars, mut curve, mut steps } = Spread::default();
        let ends = STEPS.map(|step| self.histogram.highest_equivalent(step.0));
        let count = u128::from(self.histogram.len());
        let ranks = CURVE.map(|share| (count * u128::from(share)).div_ceil(10_000).max(1));
        let (mut bar, mut point, mut seen) = (0, 0, 0_u128);
        for value in self.histogram.iter_recorded() {
            let (limit, more) = (value.value_iterated_to(), value.count_since_last_iteration());
            while bar + 1 < BARS && limit > bar_limit(bar).0 {
                bar += 1;
            }
            bars[bar] = bars[bar].saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
            if let Some(step) = steps.get_mut(ends.partition_point(|end| *end < limit)) {
                *step += more;
            }
            seen += u128::from(more);
            while point < CURVE.len() && ranks[point] <= seen {
                curve[point] = Micros(limit).clamp(self.min, self.max);
                point += 1;
            }
        }
        if let (Some(last), true) = (curve.last_mut(), count > 0) {
            *last = self.max;
        }
        for step in 1..steps.len() {
            steps[step] += steps[step - 1];
        }
        Spread { bars, curve, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(values: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::default();
        values.into_iter().for_each(|value| latency.record(Micros(value)));
        latency
    }

    #[test]
    fn quantiles_of_nothing_are_zero() {
        assert_eq!(Latency::default().quantiles(), Quantiles::default());
    }

    #[test]
    fn long_times_count_as_sixty_seconds_and_are_marked() {
        let quantiles = recorded([1_000, 90_000_000]).quantiles();
        assert_eq!((quantiles.over_range, quantiles.max), (1, Micros(90_000_000)));
        assert!(quantiles.p99.0 >= 60_000_000, "{quantiles:?}");
        assert_eq!(quantiles.mean, Micros(45_000_500));
    }

    #[test]
    fn bars_hold_every_duration_once() {
        let latency = recorded([1, 64, 65, 1_000_000, 59_000_000, 80_000_000]);
        let Spread { bars, curve, .. } = latency.spread();
        assert_eq!(bars.iter().sum::<u32>(), 6);
        assert_eq!(bars[0], 2);
        assert_eq!(bars[BARS - 1], 2);
        let at = |share| curve[CURVE.iter().position(|own| *own == share).expect("a share")];
        assert_eq!((at(0), at(10_000)), (Micros(1), Micros(80_000_000)));
        assert!(at(5_000).0.abs_diff(65) <= 1 && at(6_000).0.abs_diff(1_000_000) < 10_000, "{curve:?}");
        assert_eq!(Latency::default().spread(), Spread::default());
    }

    #[test]
    fn a_step_holds_what_is_not_above_it() {
        let latency = recorded([1, 5_000, 100_000, 101_500, 30_000_000, 59_000_000]);
        let steps = latency.spread().steps;
        assert_eq!(steps, [2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 5]);
        assert_eq!(latency.quantiles().sum, Micros(1 + 5_000 + 100_000 + 101_500 + 30_000_000 + 59_000_000));
    }

    proptest::proptest! {
        #[test]
        fn percentiles_are_within_one_percent_of_exact(mut values in proptest::collection::vec(1_u64..60_000_000, 1..400)) {
            let quantiles = recorded(values.iter().copied()).quantiles();
            values.sort_unstable();
            for (share, answer) in [(0.5, quantiles.p50), (0.9, quantiles.p90), (0.99, quantiles.p99)] {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small counts")]
                let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
                let exact = values[rank - 1];
                proptest::prop_assert!(answer.0.abs_diff(exact) <= exact / 100 + 1, "{share}: {answer:?} for {exact}");
            }
            proptest::prop_assert_eq!(quantiles.max.0, *values.last().expect("not empty"));
        }
    }
}
