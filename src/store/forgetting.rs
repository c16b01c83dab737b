//! A person's events taken out of everything that is kept.
//!
//! Numbers cannot be taken back one by one: percentiles of events that were evicted long ago would have to be known.
//! So everything is counted anew from the events that are left, and nothing that was made of theirs stays.

use std::sync::Arc;

use super::Store;
use crate::event::{Person, Timestamp};
use crate::stats::{Loads, Tables};

impl Store {
    /// Lets go of every event of `who`, and counts anew without them; gives how many there were.
    pub fn forget(&mut self, who: &Person) -> u64 {
        let gone = self.ring.remove(|event| who.has(event));
        self.ledger.forgotten += gone;
        self.tables = Tables::default();
        self.loose.clear();
        self.loads = Loads::default();
        if let Person::Session(session) = who {
            Arc::make_mut(&mut self.lost).remove(session.as_str());
        }
        self.known = None;
        self.count_from(self.ring.first());
        // The next snapshot shows nothing of before.
        self.remapped += 1;
        self.rebuilt += 1;
        (self.is_regrouped, self.is_loads_stale) = (true, true);
        (self.rows_at, self.shown_loads_at) = (Timestamp(i64::MAX), Timestamp(i64::MAX));
        gone
    }
}
