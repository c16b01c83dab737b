//! The alerts that hold, and which groups of errors they are about.
//!
//! Kept by the app beside the matches on screen, read by the header, the errors and the health screen. A group that
//! source maps have given another fingerprint since is found by the event that the alert saw last.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::alerts::{Board, Firing};
use crate::store::Snapshot;

/// What is told.
#[derive(Debug, Default)]
pub(super) struct Alerted {
    board: Arc<Board>,
    groups: FxHashSet<u64>,
}

impl Alerted {
    pub(super) fn take(&mut self, board: Arc<Board>, snapshot: &Snapshot) {
        self.board = board;
        self.see(snapshot);
    }

    /// Looks for the groups anew.
    pub(super) fn see(&mut self, snapshot: &Snapshot) {
        self.groups.clear();
        for (group, ordinal) in self.board.iter().filter_map(|firing| firing.group) {
            self.groups.insert(snapshot.event(ordinal).and_then(|event| event.group()).unwrap_or(group));
        }
    }

    /// In the order of the rules, the oldest first.
    pub(super) fn firing(&self) -> &[Firing] {
        &self.board
    }

    pub(super) fn is_about(&self, group: u64) -> bool {
        self.groups.contains(&group)
    }
}
