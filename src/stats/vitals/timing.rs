//! How long something kept the page busy: its distribution, its sum, and when that was.
//!
//! Used for the renders of a component and for long tasks.

use std::sync::Arc;

use super::super::latency::{Latency, Quantiles};
use crate::event::{Micros, Timestamp};

/// Slots of a [`Pulse`], together one minute.
pub const SLOTS: usize = 8;
/// Milliseconds of a slot.
const SLOT_MS: i64 = 7_500;

/// What the vitals panel shows of the renders of a component, or of long tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimingRow {
    /// `(other)` for all that did not fit.
    pub name: Arc<str>,
    pub latency: Quantiles,
    /// All durations together.
    pub total: Micros,
    pub pulse: Pulse,
}

/// Microseconds of work in each eighth of a minute, for the last few of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse([(i64, u64); SLOTS]);

impl Pulse {
    fn add(&mut self, at: Timestamp, span: Micros) {
        let slot = at.0.div_euclid(SLOT_MS);
        let (held, sum) = &mut self.0[place_of(slot)];
        if slot > *held {
            (*held, *sum) = (slot, 0);
        }
        // What is older than its place's newest slot is over a minute old.
        if slot == *held {
            *sum = sum.saturating_add(span.0);
        }
    }

    /// Microseconds of the minute up to the slot of `end`, oldest first.
    pub fn until(&self, end: Timestamp) -> [u64; SLOTS] {
        let last = end.0.div_euclid(SLOT_MS);
        let mut slots = [0; SLOTS];
        for (sum, slot) in slots.iter_mut().rev().zip((0..).map(|back| last.saturating_sub(back))) {
            let held = self.0[place_of(slot)];
            if held.0 == slot {
                *sum = held.1;
            }
        }
        slots
    }
}

fn place_of(slot: i64) -> usize {
    usize::try_from(slot.rem_euclid(SLOTS as i64)).unwrap_or(0)
}

/// The durations of one thing.
#[derive(Debug, Default)]
pub(super) struct Timing {
    latency: Latency,
    total: Micros,
    pulse: Pulse,
}

impl Timing {
    pub(super) fn add(&mut self, at: Timestamp, span: Micros) {
        self.latency.record(span);
        self.total = Micros(self.total.0.saturating_add(span.0));
        self.pulse.add(at, span);
    }

    pub(super) fn row(&self, name: Arc<str>) -> TimingRow {
        TimingRow { name, latency: self.latency.quantiles(), total: self.total, pulse: self.pulse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_is_of_the_last_minute_in_any_order() {
        let adds = [(1_000, 1), (8_000, 2), (9_000, 3), (61_000, 4), (67_600, 5)];
        for turned in [false, true] {
            let mut pulse = Pulse::default();
            let mut adds = adds;
            if turned {
                adds.reverse();
            }
            adds.iter().for_each(|(at, us)| pulse.add(Timestamp(*at), Micros(*us)));
            assert_eq!(pulse.until(Timestamp(67_499)), [0, 0, 0, 0, 0, 0, 0, 4], "the first slots are gone");
            assert_eq!(pulse.until(Timestamp(67_600)), [0, 0, 0, 0, 0, 0, 4, 5]);
            assert_eq!(pulse.until(Timestamp(1_000_000)), [0; SLOTS]);
        }
        let mut extreme = Pulse::default();
        extreme.add(Timestamp(i64::MIN), Micros(1));
        extreme.add(Timestamp(i64::MAX), Micros(u64::MAX));
        assert_eq!(extreme.until(Timestamp(i64::MAX))[SLOTS - 1], u64::MAX);
    }
}
