//! The groups of errors that are new: first met in what is still the newest page load of its tab.
//!
//! Kept by the app beside the matches on screen, read by the header, the errors and the stream. It comes from
//! everything that arrived, as `is:new` does, so a filter never makes an old error look new. At most as many as
//! [`Loads`] tells apart.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::event::Level;
use crate::stats::{GroupRow, Loads};
use crate::store::Snapshot;

/// The fingerprints of new groups.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// What they were taken from.
    loads: Arc<Loads>,
    rows: Arc<[GroupRow]>,
    groups: FxHashSet<u64>,
    errors: usize,
}

impl Fresh {
    /// Takes over what is known of page loads and groups, if that has changed.
    pub(super) fn see(&mut self, snapshot: &Snapshot) {
        let (loads, rows) = (&snapshot.loads, &snapshot.tables.groups);
        let is_same = Arc::ptr_eq(&self.loads, loads);
        if is_same && Arc::ptr_eq(&self.rows, rows) {
            return;
        }
        if !is_same {
            self.loads = Arc::clone(loads);
            self.groups = loads.new_groups().collect();
        }
        self.rows = Arc::clone(rows);
        let is_warning = |row: &&GroupRow| row.level == Level::Warn && row.status.is_none();
        let warnings = rows.iter().filter(|row| self.groups.contains(&row.group)).filter(is_warning);
        self.errors = self.groups.len() - warnings.count();
    }

    pub(super) fn groups(&self) -> &FxHashSet<u64> {
        &self.groups
    }

    /// How many of them are of errors and failed requests: a warning is no trouble to run to.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }
}
