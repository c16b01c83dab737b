//! The groups of errors that are new: first met in what is still the newest page load of its tab.
//!
//! Kept by the app beside the matches on screen, read by the header, the errors and the stream. It comes from
//! everything that arrived, as `is:new` does, so a filter never makes an old error look new. At most as many as
//! [`Loads`] tells apart.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::stats::Loads;

/// The fingerprints of new groups.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// What they were taken from.
    loads: Arc<Loads>,
    groups: FxHashSet<u64>,
}

impl Fresh {
    /// Takes over what is known of page loads, if that has changed.
    pub(super) fn see(&mut self, loads: &Arc<Loads>) {
        if !Arc::ptr_eq(&self.loads, loads) {
            self.loads = Arc::clone(loads);
            self.groups = loads.new_groups().collect();
        }
    }

    pub(super) fn groups(&self) -> &FxHashSet<u64> {
        &self.groups
    }
}
