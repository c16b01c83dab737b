//! The alerts that hold, and which groups of errors they are about.
//!
//! Kept by the app beside the matches on screen, read by the header, the errors and the health screen. A group that
//! source maps have given another fingerprint since is found by the event that the alert saw last.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::alerts::{Board, Firing};
use crate::store::Snapshot;

/// What is told.
#[derive(Debug, Default)]
pub(super) struct Alerted {
    board: Arc<Board>,
    /// Places on the board.
    groups: FxHashMap<u64, usize>,
}

impl Alerted {
    pub(super) fn take(&mut self, board: Arc<Board>, snapshot: &Snapshot) {
        self.board = board;
        self.see(snapshot);
    }

    /// Looks for the groups anew.
    pub(super) fn see(&mut self, snapshot: &Snapshot) {
        self.groups.clear();
        for (place, firing) in self.board.iter().enumerate() {
            let Some((group, ordinal)) = firing.group else { continue };
            let group = snapshot.event(ordinal).and_then(|event| event.group()).unwrap_or(group);
            // The first rule that tells of a group speaks for it.
            self.groups.entry(group).or_insert(place);
        }
    }

    /// In the order of the rules, the oldest first.
    pub(super) fn firing(&self) -> &[Firing] {
        &self.board
    }

    /// The one that is about this group of errors.
    pub(super) fn about(&self, group: u64) -> Option<&Firing> {
        self.board.get(*self.groups.get(&group)?)
    }
}
