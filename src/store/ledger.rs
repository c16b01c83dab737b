//! The books of the ring: what was offered, taken, refused, kept and let go.
//!
//! Every number reaches the store in the message that carries the events, so the sums hold at every moment
//! (SECURITY: the ledger): received = accepted + duplicate + rejected, and accepted + own = live + evicted.

use std::collections::BTreeMap;

use crate::stats::Beyond;

/// What one batch adds to the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub accepted: u64,
    pub duplicate: u64,
    /// By reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Events in the chunk that taillight made itself.
    pub own: u64,
    pub redacted: u64,
    pub repaired: u64,
    pub cut: u64,
    pub flattened: u64,
}

/// The books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub accepted: u64,
    pub duplicate: u64,
    /// By reason.
    pub rejected: BTreeMap<&'static str, u64>,
    pub own: u64,
    pub live: u64,
    pub evicted: u64,
    /// Of those, events that were too old, and that were removed because somebody asked for it.
    pub aged: u64,
    pub forgotten: u64,
    /// Values redacted, and events repaired or cut, before they were kept.
    pub redacted: u64,
    pub repaired: u64,
    pub cut: u64,
    /// Events kept whole of which a part is too deep or too wide to be laid out.
    pub flattened: u64,
    /// What the tables could not keep.
    pub beyond: Beyond,
}

impl Ledger {
    pub(super) fn add(&mut self, tally: &Tally) {
        self.accepted += tally.accepted;
        self.duplicate += tally.duplicate;
        self.own += tally.own;
        self.redacted += tally.redacted;
        self.repaired += tally.repaired;
        self.cut += tally.cut;
        self.flattened += tally.flattened;
        for (reason, count) in &tally.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
    }

    /// Everything that was offered.
    pub fn received(&self) -> u64 {
        self.accepted + self.duplicate + self.rejected.values().sum::<u64>()
    }
}
