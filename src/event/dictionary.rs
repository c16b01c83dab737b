//! The values of one path and form while the events of a chunk are taken apart: each different one once, with its rows.
//!
//! Filled by `shred`, added to [`Runs`] when all events are read. Pages say the same again and again, so that most of
//! what is searched is searched once for many events. Which value a row holds is looked up and never guessed.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::runs::{Form, Run, Runs, small};
use super::texts::BETWEEN;

/// Values in the making.
#[derive(Debug, Default)]
pub(super) struct Dictionary<'c> {
    /// Each different value with [`BETWEEN`] behind it.
    text: String,
    ends: Vec<u32>,
    known: FxHashMap<Cow<'c, str>, u32>,
    /// What was pushed: the row, and which value it is.
    held: Vec<(u16, u32)>,
}

impl<'c> Dictionary<'c> {
    /// `row` holds `value`; rows come in rising order.
    pub(super) fn push(&mut self, row: u16, value: Cow<'c, str>) {
        // What the row before said is the likeliest.
        let last = self.held.last().map(|(_, which)| *which).filter(|last| self.value(*last) == value);
        let which = last.or_else(|| self.known.get(&value).copied()).unwrap_or_else(|| self.add(value));
        self.held.push((row, which));
    }

    fn add(&mut self, value: Cow<'c, str>) -> u32 {
        let which = small(self.ends.len());
        self.text.push_str(&value);
        self.text.push(char::from(BETWEEN));
        self.ends.push(small(self.text.len()));
        self.known.insert(value, which);
        which
    }

    fn begin(&self, which: u32) -> usize {
        which.checked_sub(1).map_or(0, |before| self.ends[before as usize] as usize)
    }

    fn value(&self, which: u32) -> &str {
        &self.text[self.begin(which)..self.ends[which as usize] as usize - 1]
    }

    /// Bytes of text, different values, and values in all.
    pub(super) fn size(&self) -> [usize; 3] {
        [self.text.len(), self.ends.len(), self.held.len()]
    }

    /// Adds what there is as a run of `runs`; without values there is an empty one that is not kept.
    pub(super) fn finish(&self, path: Option<u16>, form: Form, runs: &mut Runs) -> Run {
        let (start, first, rows) = (runs.text.len(), runs.firsts.len(), runs.rows.len());
        runs.text.push_str(&self.text);
        let mut next = vec![0; self.ends.len()];
        self.held.iter().for_each(|(_, which)| next[*which as usize] += 1);
        let mut place = rows;
        for next in &mut next {
            runs.firsts.push(small(place));
            place += std::mem::replace(next, place);
        }
        runs.rows.resize(place, 0);
        for (row, which) in &self.held {
            let place = &mut next[*which as usize];
            runs.rows[*place] = *row;
            *place += 1;
        }
        let run = Run { path, form, bytes: start..runs.text.len(), values: first..runs.firsts.len() };
        if !run.values.is_empty() {
            runs.all.push(run.clone());
        }
        run
    }
}
