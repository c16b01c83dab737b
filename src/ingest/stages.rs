//! The signal stages applied to a batch: what goes to the ring, what to the sinks, what is counted.
//!
//! Held by the intake and called with its order locked, so that limits and samples see events in the order of their
//! numbers and repeats count against nothing. taillight's own events pass as they are. Every event passed or was
//! stopped by one stage: `passed` and the stages' counters add up to what was accepted and what is taillight's own.

use std::sync::Arc;

use crate::counters::{Counter, Counters};
use crate::event::{Chunk, EventRef, Flags, Timestamp};
use crate::pipeline::{Reading, Redactor, Rewritten, Rows, Scrub, Selected, Signals, Stage};
use crate::sinks::Origin;
use crate::store::Tally;
use crate::wire;

/// The stages and where they count.
#[derive(Debug, Default)]
pub(super) struct Stages {
    pub(super) signals: Signals,
    /// How events that are changed are read again.
    pub(super) reading: Arc<Reading>,
    /// What takes secrets out of what leaves memory, where memory has them.
    pub(super) hiding: Option<Arc<Redactor>>,
    counters: Arc<Counters>,
}

/// A batch on its ways.
pub(super) struct Split {
    pub(super) ring: Arc<Chunk>,
    pub(super) outside: Arc<Chunk>,
    pub(super) passing: Arc<Chunk>,
    pub(super) origin: Option<Arc<Origin>>,
}

/// What became of a batch.
pub(super) struct Staged {
    /// For ring and followers; not yet numbered.
    chunk: Chunk,
    /// The same events for everybody else, where those have other texts.
    outside: Option<Chunk>,
    origin: Option<Arc<Origin>>,
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
            let outside = self.hidden(&chunk, tally);
            return Staged { chunk, outside, origin, passing: Rows::All };
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
        let outside = self.hidden(&chunk, tally);
        Staged { chunk, outside, origin, passing }
    }

    /// `chunk` as it may leave memory, where that is not as it is.
    fn hidden(&self, chunk: &Chunk, tally: &mut Tally) -> Option<Chunk> {
        let redactor = self.hiding.as_ref()?;
        let mut redacted = 0;
        let hidden = |(row, event): (usize, EventRef<'_>)| match redactor.hide(event.json()) {
            Scrub::Changed { text, what } if what.redacted > 0 && !event.flags().has(Flags::OWN) => {
                redacted += u64::from(what.redacted);
                Some(Rewritten {
                    row,
                    json: text,
                    added_from: None,
                    forgets_user: false,
                    forgets_session: false,
                })
            }
            _ => None,
        };
        let rewritten: Vec<_> = chunk.events().enumerate().filter_map(hidden).collect();
        tally.redacted += redacted;
        (!rewritten.is_empty()).then(|| wire::rewrite(chunk, &rewritten, &self.reading))
    }
}

impl Staged {
    /// Gives the events their numbers from `first` on; how many there are.
    pub(super) fn number_from(&mut self, first: u64) -> u64 {
        self.chunk.number_from(first);
        self.outside.iter_mut().for_each(|chunk| chunk.number_from(first));
        self.chunk.len() as u64
    }

    /// What goes to the ring, what to those who follow, and what of it to the sinks.
    pub(super) fn split(self) -> Split {
        let ring = Arc::new(self.chunk);
        let outside = self.outside.map_or_else(|| Arc::clone(&ring), Arc::new);
        let (passing, origin) = match &self.passing {
            Rows::All => (Arc::clone(&outside), self.origin),
            Rows::These(rows) => {
                let (passing, origin) = these(&outside, self.origin.as_deref(), rows);
                (Arc::new(passing), origin)
            }
        };
        Split { ring, outside, passing, origin }
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
