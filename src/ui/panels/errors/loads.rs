//! In which page loads groups were met: how often in each of the last eight, and which have not come back.
//!
//! Made from the matches at most once a second, of very many over several frames.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{EventRef, Symbol};
use crate::stats::Loads;
use crate::ui::gradual::{Gradual, Progress};
use crate::ui::view::View;

/// Loads counted apart, the newest last.
pub(super) const LOADS: usize = 8;
/// How long a page must have run before what it has not met is said to be gone (UX: errors).
const QUIET_MS: i64 = 30_000;

/// By group.
#[derive(Debug, Default)]
pub(super) struct GroupLoads {
    counts: FxHashMap<u64, [u64; LOADS]>,
    gone: FxHashSet<u64>,
    way: Gradual<(), Pass>,
}

/// One pass over the matches.
#[derive(Debug, Default)]
struct Pass {
    counts: FxHashMap<u64, [u64; LOADS]>,
    /// How many loads ago one was, by session, tab and number.
    known: FxHashMap<(Symbol, Symbol, i32), Option<u32>>,
}

impl GroupLoads {
    /// Brings it up to date where it is more than a second old or of another filter.
    pub(super) fn refresh(&mut self, view: &View<'_>) {
        let Some(mut way) = self.way.due((), false, view, Pass::default) else { return };
        let progress = way.go_on(|pass, _, event, loads| pass.count(event, loads));
        if progress != Progress::GoesOn {
            self.counts.clone_from(&way.pass.counts);
            self.gone = view.snapshot.loads.gone_groups(view.now, QUIET_MS).collect();
        }
        self.way.keep(way, progress, view);
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

impl Pass {
    /// Counts an event of a group in its load.
    fn count(&mut self, event: EventRef<'_>, loads: &Loads) {
        let (chunk, row) = (event.chunk(), event.row());
        let group = chunk.groups()[row];
        if group == 0 {
            return;
        }
        let ask = || loads.loads_back(event.session(), event.tab(), event.load(), event.inst());
        let back = match event.load() {
            Some(load) => {
                *self.known.entry((chunk.sessions()[row], chunk.tabs()[row], load)).or_insert_with(ask)
            }
            None => ask(),
        };
        let back = usize::try_from(back.unwrap_or(0)).unwrap_or(usize::MAX);
        if let Some(count) =
            (LOADS - 1).checked_sub(back).and_then(|at| self.counts.entry(group).or_default().get_mut(at))
        {
            *count += 1;
        }
    }
}
