//! The selected event: kept alive whatever becomes of the ring, and on its row whatever comes.

use std::sync::Arc;

use super::words::is_error;
use crate::event::Chunk;
use crate::scan::{Matches, Moment};
use crate::ui::view::View;

/// The selected event.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) moment: Moment,
    pub(super) chunk: Arc<Chunk>,
    pub(super) row: usize,
    /// The row of the screen it keeps.
    pub(super) line: u16,
    /// What came since it was selected.
    pub(super) since: Since,
    /// The event that was chosen: this one, or one that the filter has left out since.
    pub(super) chosen: Moment,
    /// The filter whose matches decided that; none where it is to be decided anew.
    pub(super) settled: Option<u64>,
    /// Nothing matches, so nothing is selected until something does.
    pub(super) is_out: bool,
}

/// What came since a moment of arrival.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    /// The first event that is new.
    newest: u64,
    /// How many are new, those that have left again too, and how many of them are errors.
    new: u64,
    errors: u64,
    /// Up to where they were counted, and of which filter's matches.
    counted: u64,
    filter: u64,
}

impl Since {
    pub(super) fn now(view: &View<'_>) -> Self {
        let newest = view.snapshot.end;
        Self { newest, new: 0, errors: 0, counted: newest, filter: view.matches.id }
    }

    /// How many matches are new, and how many of them are errors.
    pub(super) fn count(&mut self, matches: &Matches) -> (u64, u64) {
        if self.filter != matches.id {
            *self = Self { newest: self.newest, new: 0, errors: 0, counted: self.newest, filter: matches.id };
        }
        let place = |ordinal| matches.position(ordinal).unwrap_or_else(|near| near);
        for position in place(self.counted)..matches.total {
            let Some((ordinal, event)) = matches.nth(position) else { break };
            self.new += 1;
            self.errors += u64::from(is_error(event));
            self.counted = ordinal + 1;
        }
        (self.new, self.errors)
    }
}
