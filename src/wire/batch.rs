//! What a decoder hands on: a chunk in the making, and what had to be refused.
//!
//! Built by `wire::decode`, taken by `ingest`, which numbers, dedupes and submits it.

use std::sync::Arc;

use super::hello::Hello;
use crate::event::{Chunk, Timestamp};
use crate::pipeline::Reading;

/// Who sent a batch and when: everything an event may lack and its connection knows.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The session of events that bring none.
    pub session: String,
    pub user: String,
    pub tab: String,
    pub load: Option<i32>,
    /// Origin of the page (`http://localhost:5173`), left out of endpoints.
    pub origin: String,
    /// The protocol's name, `browser` for the native one.
    pub source: &'static str,
    pub recv: Timestamp,
    /// Added to a sender's time: arrival minus the sender's clock, 0 where they agree within a second.
    pub offset_ms: i64,
    /// How its events are read.
    pub reading: Arc<Reading>,
}

impl Sender {
    /// This sender after `hello`: what the hello leaves out stays as it was.
    #[must_use]
    pub fn introduced(mut self, hello: &Hello<'_>) -> Self {
        for (known, said) in
            [(&mut self.session, &hello.session), (&mut self.user, &hello.user), (&mut self.tab, &hello.tab)]
        {
            if let Some(said) = said.as_deref().filter(|said| !said.is_empty()) {
                said.clone_into(known);
            }
        }
        self.load = hello.load.or(self.load);
        if let Some(page) = hello.page.as_deref() {
            self.origin = origin_of(page).to_owned();
        }
        if let Some(now) = hello.now {
            self.offset_ms = clock_offset(self.recv, now);
        }
        self
    }
}

/// `scheme://host:port` of a page's address; empty where it has none (`file:`, `about:`).
pub(super) fn origin_of(page: &str) -> &str {
    let Some(host) = page.find("://").map(|at| at + 3) else { return "" };
    let end = page[host..].find(['/', '?', '#']).map_or(page.len(), |at| host + at);
    if end == host { "" } else { &page[..end] }
}

/// Arrival minus the sender's clock, where they differ by more than a second (CONTRACT: `inst`).
fn clock_offset(recv: Timestamp, sender_now: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and absurd clocks are ignored below")]
    let offset = recv.0.saturating_sub(sender_now as i64);
    // A clock that is off by more than ten years says nothing about the times it stamps.
    let is_plausible = sender_now.is_finite() && offset.unsigned_abs() < 10 * 365 * 86_400_000;
    if is_plausible && offset.abs() > 1_000 { offset } else { 0 }
}

/// An element that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Position in its batch, from 0.
    pub index: u32,
    pub reason: &'static str,
}

/// The events of one frame or body.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The events, and those taillight made about refused elements. Not yet numbered.
    pub chunk: Chunk,
    /// For each row of the chunk, the position in the batch it came from.
    pub index: Vec<u32>,
    pub rejected: Vec<Rejected>,
    /// How many elements were offered, refused ones included.
    pub offered: u32,
    pub scrubbed: ScrubCount,
}

/// How often the text of events had to be changed before it was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubCount {
    /// Values redacted.
    pub redacted: u64,
    /// Events with a lone surrogate, or a raw control character in a text.
    pub repaired: u64,
    /// Events with strings cut for size.
    pub cut: u64,
    /// Events kept whole of which a part is too deep or too wide to be laid out.
    pub flattened: u64,
}

impl Batch {
    /// Keeps only what came from positions for which `fresh` holds: rows and refusals.
    pub fn retain(&mut self, fresh: impl Fn(u32) -> bool) {
        self.chunk = self.chunk.retain(|row| fresh(self.index[row]));
        self.index.retain(|position| fresh(*position));
        self.rejected.retain(|rejected| fresh(rejected.index));
    }
}
