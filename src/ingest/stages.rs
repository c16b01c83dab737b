//! The signal stages applied to a batch: what goes to the ring, what to the sinks, what is counted.
//!
//! Held by the intake and called with its order locked, so that limits and samples see events in the order of their
//! numbers and repeats count against nothing. taillight's own events pass as they are. Every event passed or was
//! stopped by one stage: `passed` and the stages' counters add up to what was accepted and what is taillight's own.

use std::sync::Arc;

use crate::counters::{Counter, Counters};
use crate::event::{Chunk, Timestamp};
use crate::pipeline::{Reading, Rows, Selected, Signals, Stage};
use crate::sinks::Origin;
use crate::store::Tally;
use crate::wire;

/// The stages and where they count.
#[derive(Debug, Default)]
pub(super) struct Stages {
    pub(super) signals: Signals,
    /// How events that are changed are read again.
    pub(super) reading: Arc<Reading>,
    counters: Arc<Counters>,
}

/// What became of a batch.
pub(super) struct Staged {
    /// For ring and followers; not yet numbered.
    pub(super) chunk: Chunk,
    pub(super) origin: Option<Arc<Origin>>,
    /// The rows of it that are for the sinks.
    passing: Rows,
}

impl Stages {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, ..Self::default() }
    }

    /// Counts events of taillight's own that came another way.
    pub(super) fn count_own(&self, events: u64) {
        self.counters.add(Counter::SignalPassed, events);
    }

    /// Passes a chunk; what the ring is not to have is moved in `tally` from accepted to rejected, by stage.
    pub(super) fn pass(
        &mut self,
        mut chunk: Chunk,
        mut origin: Option<Arc<Origin>>,
        now: Timestamp,
        tally: &mut Tally,
    ) -> Staged {
        if self.signals.is_idle() {
            self.counters.add(Counter::SignalPassed, chunk.len() as u64);
            return Staged { chunk, origin, passing: Rows::All };
        }
        let Selected { rows: mut passing, stopped } = self.signals.select(&chunk, now);
        self.counters.add(Counter::SignalPassed, chunk.len() as u64 - stopped.iter().sum::<u64>());
        for (counter, stopped) in Counter::STAGES.into_iter().zip(stopped) {
            self.counters.add(counter, stopped);
        }
        if !self.signals.ring_sees_all()
            && let Rows::These(rows) = &passing
        {
            (chunk, origin) = these(&chunk, origin.as_deref(), rows);
            passing = Rows::All;
            for ((_, name), stopped) in
                Stage::ALL.into_iter().zip(stopped).filter(|(_, stopped)| *stopped > 0)
            {
                *tally.rejected.entry(name).or_default() += stopped;
                tally.accepted -= stopped;
            }
        }
        let rewritten = self.signals.rewrite(&chunk);
        if !rewritten.is_empty() {
            self.counters.add(Counter::SignalChanged, rewritten.len() as u64);
            chunk = wire::rewrite(&chunk, &rewritten, &self.reading);
        }
        Staged { chunk, origin, passing }
    }
}

impl Staged {
    /// What goes to the ring, and what of it goes to the sinks.
    pub(super) fn split(self) -> (Arc<Chunk>, Arc<Chunk>, Option<Arc<Origin>>) {
        let ring = Arc::new(self.chunk);
        match &self.passing {
            Rows::All => (Arc::clone(&ring), ring, self.origin),
            Rows::These(rows) => {
                let (passing, origin) = these(&ring, self.origin.as_deref(), rows);
                (ring, Arc::new(passing), origin)
            }
        }
    }
}

/// These rows of a chunk, with their numbers.
fn these(chunk: &Chunk, origin: Option<&Origin>, rows: &[u32]) -> (Chunk, Option<Arc<Origin>>) {
    let is_one = |row: usize| rows.binary_search(&u32::try_from(row).unwrap_or(u32::MAX)).is_ok();
    let numbers = origin.map(|origin| {
        let numbers = rows.iter().filter_map(|row| origin.numbers.get(*row as usize)).copied().collect();
        Arc::new(Origin { client: origin.client, numbers })
    });
    (chunk.retain(is_one), numbers)
}
