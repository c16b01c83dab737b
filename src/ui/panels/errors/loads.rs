//! In which page loads groups were met: how often in each of the last eight, and which have not come back.
//!
//! Made from the matches at most once a second, of very many over several frames.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{EventRef, Symbol, Timestamp};
use crate::stats::Loads;
use crate::ui::gradual::{Gradual, Progress};
use crate::ui::view::View;

/// Loads counted apart, the newest last.
pub(super) const LOADS: usize = 8;
/// How long a page must have run before what it has not met is said to be gone (UX: errors).
const QUIET_MS: i64 = 30_000;
const REFRESH_MS: i64 = 1_000;

/// By group.
#[derive(Debug, Default)]
pub(super) struct GroupLoads {
    counts: FxHashMap<u64, [u64; LOADS]>,
    gone: FxHashSet<u64>,
    made: Option<(u64, bool, Timestamp, u64)>,
    reading: Option<Reading>,
}

/// A pass that goes on.
#[derive(Debug)]
struct Reading {
    way: Gradual,
    counts: FxHashMap<u64, [u64; LOADS]>,
    /// How many loads ago one was, by session, tab and number.
    known: FxHashMap<(Symbol, Symbol, i32), Option<u32>>,
}

impl GroupLoads {
    /// Brings it up to date where it is more than a second old or of another filter.
    pub(super) fn refresh(&mut self, view: &View<'_>) {
        let (filter, is_done, at) = (view.matches.id, view.matches.is_done(), view.snapshot.at);
        let end = view.snapshot.end;
        let is_asked = self.made.is_some_and(|(own, was_done, ..)| (own, was_done) == (filter, is_done));
        if is_asked && self.reading.is_some() {
            return self.go_on(view);
        }
        let is_fresh = self
            .made
            .is_some_and(|(.., made, up_to)| up_to == end || (1..REFRESH_MS).contains(&at.since(made)));
        if is_asked && is_fresh {
            return;
        }
        self.made = Some((filter, is_done, at, end));
        self.gone = view.snapshot.loads.gone_groups(view.now, QUIET_MS).collect();
        let (counts, known) = <_>::default();
        self.reading = Some(Reading { way: Gradual::new(view.matches), counts, known });
        self.go_on(view);
    }

    /// Counts on, and shows what there is at the beginning and at the end.
    fn go_on(&mut self, view: &View<'_>) {
        let Some(mut reading) = self.reading.take() else { return };
        let snapshot = Arc::clone(&reading.way.matches().snapshot);
        let Reading { way, counts, known } = &mut reading;
        let progress = way.go_on(|_, event| count(event, &snapshot.loads, known, counts));
        if progress == Progress::Through {
            self.counts = std::mem::take(counts);
            // The next one a second after this one is done, however long it took.
            if let Some((.., at, _)) = &mut self.made {
                *at = view.snapshot.at;
            }
            return;
        }
        if progress == Progress::Begun {
            self.counts.clone_from(counts);
        }
        view.unfinished.set(true);
        self.reading = Some(reading);
    }

    /// How often in each of the last loads.
    pub(super) fn counts(&self, group: u64) -> [u64; LOADS] {
        self.counts.get(&group).copied().unwrap_or_default()
    }

    /// Whether it was met in the load before and not in this one, which has run for a while.
    pub(super) fn is_gone(&self, group: u64) -> bool {
        self.gone.contains(&group)
    }
}

/// Counts an event of a group in its load.
fn count(
    event: EventRef<'_>,
    loads: &Loads,
    known: &mut FxHashMap<(Symbol, Symbol, i32), Option<u32>>,
    counts: &mut FxHashMap<u64, [u64; LOADS]>,
) {
    let (chunk, row) = (event.chunk(), event.row());
    let group = chunk.groups()[row];
    if group == 0 {
        return;
    }
    let ask = || loads.loads_back(event.session(), event.tab(), event.load(), event.inst());
    let back = match event.load() {
        Some(load) => *known.entry((chunk.sessions()[row], chunk.tabs()[row], load)).or_insert_with(ask),
        None => ask(),
    };
    let back = usize::try_from(back.unwrap_or(0)).unwrap_or(usize::MAX);
    if let Some(count) =
        (LOADS - 1).checked_sub(back).and_then(|at| counts.entry(group).or_default().get_mut(at))
    {
        *count += 1;
    }
}
