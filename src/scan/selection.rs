//! A filter as the pass uses it: one chunk after the other, or several at once.
//!
//! Made by whoever has a filter for a [`super::Scan`]. Each thread has a copy of the filter of its own, for its caches;
//! threads are there for the length of a slice, and share nothing but what is looked at next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::scanned::Scanned;
use crate::event::Chunk;
use crate::filter::{Bits, Matcher};
use crate::priority;
use crate::store::{Segment, Snapshot};

/// More would be more than a console may take of a machine whose owner waits for a page.
const MAX_THREADS: usize = 4;
/// The threads beside the scan's own give way to whoever draws what was found.
const NICENESS: i32 = 5;

/// Sets the last to those of the rows that match.
pub type Select = Box<dyn FnMut(&Chunk, &Bits, &mut Bits) + Send>;

/// A filter on its way through the ring.
pub struct Selection {
    /// Tells this filter's matches from those of others.
    pub id: u64,
    /// One for each thread; none lets everything through.
    selects: Vec<Select>,
}

/// A chunk that was not looked at, and what a wider filter found in it.
pub(super) type Unseen<'s> = (&'s Segment, Option<&'s Scanned>);

impl Selection {
    pub fn everything(id: u64) -> Self {
        Self { id, selects: Vec::new() }
    }

    /// By whatever it is, one for each thread.
    pub fn of(id: u64, selects: Vec<Select>) -> Self {
        Self { id, selects }
    }

    /// By a filter; one that reads texts may look at chunks on so many threads.
    pub fn matching(id: u64, matcher: Matcher, threads: usize) -> Self {
        if matcher.filter().is_all() {
            return Self::everything(id);
        }
        let threads = if matcher.reads_text() { threads.max(1) } else { 1 };
        let selects = vec![matcher; threads].into_iter().map(select).collect();
        Self { id, selects }
    }

    /// How many threads are of use here.
    pub fn threads() -> usize {
        thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MAX_THREADS)
    }

    pub(super) fn is_everything(&self) -> bool {
        self.selects.is_empty()
    }

    /// What looks at a single chunk.
    pub(super) fn select(&mut self) -> Option<&mut Select> {
        self.selects.first_mut()
    }

    /// Looks at chunks in their order, as long as `goes_on` says so. Gives those that were looked at: the first so many.
    pub(super) fn look_at(
        &mut self,
        unseen: &[Unseen<'_>],
        snapshot: &Snapshot,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Vec<Scanned> {
        let next = AtomicUsize::new(0);
        // What is taken is looked at to its end, so that there are no holes.
        let work = |select: &mut Select| {
            let mut seen = Vec::new();
            while goes_on() {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((segment, wider)) = unseen.get(at) else { break };
                let mut scanned = Scanned::new(segment);
                scanned.look(select, snapshot, *wider);
                seen.push((at, scanned));
            }
            seen
        };
        let Some((own, others)) = self.selects.split_first_mut() else { return Vec::new() };
        let mut seen = thread::scope(|scope| {
            let help = |select| {
                let work = || {
                    priority::give_way(NICENESS);
                    work(select)
                };
                // Where the system gives no thread the others look at more.
                thread::Builder::new().name("scan".into()).spawn_scoped(scope, work).ok()
            };
            let useful = unseen.len().saturating_sub(1);
            let helpers: Vec<_> = others.iter_mut().take(useful).filter_map(help).collect();
            let mut seen = work(own);
            for helper in helpers {
                // A panic goes on here.
                seen.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            seen
        });
        seen.sort_unstable_by_key(|(at, _)| *at);
        seen.into_iter().map(|(_, scanned)| scanned).collect()
    }
}

/// A matcher as the pass uses it.
fn select(mut matcher: Matcher) -> Select {
    Box::new(move |chunk, rows, out| matcher.eval_within(chunk, rows, out))
}
