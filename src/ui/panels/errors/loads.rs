//! In which page loads groups were met: how often in each of the last eight, and which have not come back.
//!
//! Made from the matches at most once a second.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Symbol, Timestamp};
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
}

impl GroupLoads {
    /// Brings it up to date where it is more than a second old or of another filter.
    pub(super) fn refresh(&mut self, view: &View<'_>) {
        let (filter, is_done, at) = (view.matches.id, view.matches.is_done(), view.snapshot.at);
        let end = view.snapshot.end;
        let is_fresh = self.made.is_some_and(|(own, was_done, made, up_to)| {
            (own, was_done) == (filter, is_done)
                && (up_to == end || (1..REFRESH_MS).contains(&at.since(made)))
        });
        if is_fresh {
            return;
        }
        self.made = Some((filter, is_done, at, end));
        let loads = &view.snapshot.loads;
        self.gone = loads.gone_groups(view.now, QUIET_MS).collect();
        self.counts.clear();
        let mut known: FxHashMap<(Symbol, Symbol, i32), Option<u32>> = FxHashMap::default();
        for (_, event) in view.matches.iter() {
            let (chunk, row) = (event.chunk(), event.row());
            let group = chunk.groups()[row];
            if group == 0 {
                continue;
            }
            let ask = || loads.loads_back(event.session(), event.tab(), event.load(), event.inst());
            let back = match event.load() {
                Some(load) => {
                    *known.entry((chunk.sessions()[row], chunk.tabs()[row], load)).or_insert_with(ask)
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

    /// How often in each of the last loads.
    pub(super) fn counts(&self, group: u64) -> [u64; LOADS] {
        self.counts.get(&group).copied().unwrap_or_default()
    }

    /// Whether it was met in the load before and not in this one, which has run for a while.
    pub(super) fn is_gone(&self, group: u64) -> bool {
        self.gone.contains(&group)
    }
}
