//! Events that are kept and learn where in the sources they happened.
//!
//! `maps` sends these over the store's own channel. Rows get their places, and groups their right sizes: an event
//! leaves the group that its raw stack gave it for the one of its mapped place.

use std::sync::Arc;

use super::Store;
use crate::event::Mapped;

/// What became known of one event.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Its place in the ring.
    pub ordinal: u64,
    /// Its number of arrival: another event may have its place by now.
    pub seq: u64,
    pub mapped: Arc<Mapped>,
    /// Its fingerprint from now on; 0 if that stays.
    pub group: u64,
}

impl Store {
    /// Takes over what became known of events; those that are no longer kept stay counted as they were.
    pub fn map(&mut self, mappings: &[Mapping]) {
        for Mapping { ordinal, seq, mapped, group } in mappings {
            let Some((chunk, row)) = self.ring.row_mut(*ordinal) else { continue };
            if chunk.seqs()[row] != *seq {
                continue;
            }
            let before = chunk.groups()[row];
            chunk.set_mapped(row, Arc::clone(mapped), if before == 0 { 0 } else { *group });
            self.remapped += 1;
            let event = chunk.event(row);
            let now = chunk.groups()[row];
            if now == before {
                continue;
            }
            self.is_regrouped = true;
            let is_loose = self.tables.regroup(event, *ordinal, before);
            let is_there = self.tables.has_group(before);
            if is_loose && is_there {
                self.loose.insert(before);
            }
            if !is_there {
                self.loads.forget(before);
                self.is_loads_stale = true;
            }
            if !self.loads.knows(event) {
                self.loads.add(event);
                self.is_loads_stale = true;
            }
        }
    }

    /// Looks again at the groups whose first or latest event left them: once for all of them, when their rows are made.
    pub(super) fn refit(&mut self) {
        let loose = std::mem::take(&mut self.loose);
        if !loose.is_empty() {
            self.tables.refit(self.ring.events_of(&loose));
        }
    }
}
