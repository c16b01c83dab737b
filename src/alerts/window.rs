//! What happened in the last so many minutes, for one alert and one key.
//!
//! Time is cut into parts, a sixtieth of the window each; what is older than the window leaves with its part. Durations
//! are kept as they are, the newest of them where there are too many.

use std::collections::VecDeque;

use super::rule::Measure;

/// Parts of a window.
const PARTS: u64 = 60;
/// Durations kept of one key.
const MAX_DURATIONS: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// Number of a part, and what fell into it: events, and events they are a share of.
    parts: VecDeque<(i64, u64, u64)>,
    /// When, and how long in microseconds.
    durations: VecDeque<(i64, u64)>,
}

impl Window {
    /// Counts events at `now`: those that are meant, and those that they are a share of.
    pub(super) fn add(&mut self, now: i64, window_ms: u64, meant: u64, of: u64) {
        let part = now.div_euclid(part_ms(window_ms));
        match self.parts.back_mut() {
            Some((last, all, of_all)) if *last >= part => {
                *all += meant;
                *of_all += of;
            }
            _ => self.parts.push_back((part, meant, of)),
        }
    }

    pub(super) fn add_duration(&mut self, now: i64, micros: u64) {
        if self.durations.len() >= MAX_DURATIONS {
            self.durations.pop_front();
        }
        self.durations.push_back((now, micros));
    }

    /// Forgets what is older than the window; `true` if nothing is left.
    pub(super) fn forget(&mut self, now: i64, window_ms: u64) -> bool {
        let (part, window) = (part_ms(window_ms), i64::try_from(window_ms).unwrap_or(i64::MAX));
        while self.parts.front().is_some_and(|(number, ..)| (number + 1).saturating_mul(part) + window <= now)
        {
            self.parts.pop_front();
        }
        while self.durations.front().is_some_and(|(at, _)| at.saturating_add(window) <= now) {
            self.durations.pop_front();
        }
        self.parts.is_empty()
    }

    /// The measure, and of how many events; `None` where there is nothing to measure.
    #[expect(clippy::cast_precision_loss, reason = "counts of a window are far below 2^53")]
    pub(super) fn value(&self, measure: Measure, window_ms: u64) -> (Option<f64>, u64) {
        let count: u64 = self.parts.iter().map(|(_, meant, _)| meant).sum();
        match measure {
            Measure::Count => (Some(count as f64), count),
            Measure::Rate => (Some(count as f64 * 1000.0 / window_ms.max(1) as f64), count),
            Measure::Share => {
                let of: u64 = self.parts.iter().map(|(.., of)| of).sum();
                ((of > 0).then(|| count as f64 / of as f64), of)
            }
            Measure::Percentile(q) => {
                let mut all: Vec<u64> = self.durations.iter().map(|(_, micros)| *micros).collect();
                if all.is_empty() {
                    return (None, 0);
                }
                // The nearest rank: the smallest value that so many are at most.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and the length"
                )]
                let rank = ((q * all.len() as f64).ceil() as usize).clamp(1, all.len()) - 1;
                let (_, micros, _) = all.select_nth_unstable(rank);
                (Some(*micros as f64 / 1000.0), self.durations.len() as u64)
            }
        }
    }
}

fn part_ms(window_ms: u64) -> i64 {
    i64::try_from(window_ms.div_ceil(PARTS)).unwrap_or(i64::MAX).max(1)
}
