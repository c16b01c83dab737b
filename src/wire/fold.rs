//! An event that is sent again and again: after a few of a kind within a second the rest is counted.
//!
//! One [`Folder`] a connection of `wire::sente`, held by `ingest` and asked by `wire::decode` before an event is kept. A
//! logger that is wired to log its own sending writes a thousand equal entries in half a second, and a console that is
//! watched by what writes to it does the same; they would push everything else out of sight. The second is that of the
//! events' own times, for a page sends what it gathered in one go. What is folded counts as duplicate, and an event
//! `taillight/repeated` says how many there were.

use std::hash::Hasher as _;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHasher};

use super::batch::{Batch, ScrubCount, Sender};
use super::own;
use crate::event::{EventRef, Timestamp};
use crate::pipeline::Redactor;

/// Events of a kind that are kept as they are within [`WINDOW_MS`]: nobody clicks that fast.
const KEPT: u64 = 10;
const WINDOW_MS: i64 = 1_000;
/// Kinds that are told apart at a time; with one more those met once are forgotten, and while there are too many
/// that repeat, further ones are kept as they are.
const KINDS: usize = 256;
/// Characters of a message that are told.
const MAX_SHOWN: usize = 200;

/// What repeats on one connection.
#[derive(Debug, Default)]
pub struct Folder {
    kinds: FxHashMap<u64, Kind>,
    /// What is counted out and not yet said.
    done: Vec<Kind>,
}

/// What is to become of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Kept,
    /// Kept, and the last of its kind that is: [`Folder::name`] is to be told what it is.
    KeptLast(u64),
    Folded,
}

/// Equal events of about a second.
#[derive(Debug)]
struct Kind {
    /// When the first of them arrived.
    arrived: Timestamp,
    /// Their own times.
    first: Timestamp,
    last: Timestamp,
    times: u64,
    name: Name,
}

/// What the events of a kind are and whose.
#[derive(Debug, Default)]
struct Name {
    id: String,
    text: String,
    session: String,
    user: String,
}

/// The event about what was folded.
#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) at: Timestamp,
    pub(super) msg: String,
    pub(super) data: String,
    pub(super) session: String,
    pub(super) user: String,
}

impl Folder {
    /// What is to become of the event whose JSON is `json`, which happened at `inst` and arrived at `now`.
    pub(super) fn judge(&mut self, json: &str, inst: Timestamp, now: Timestamp) -> Verdict {
        let hash = hash_of(json);
        if let Some(kind) = self.kinds.get_mut(&hash) {
            let (first, last) = (kind.first.min(inst), kind.last.max(inst));
            if last.since(first) >= WINDOW_MS {
                let over = std::mem::replace(kind, Kind::new(inst, now));
                self.done.extend(Some(over).filter(Kind::has_folded));
                return Verdict::Kept;
            }
            (kind.first, kind.last) = (first, last);
            kind.times += 1;
            return match kind.times {
                ..KEPT => Verdict::Kept,
                KEPT => Verdict::KeptLast(hash),
                _ => Verdict::Folded,
            };
        }
        if self.kinds.len() >= KINDS {
            self.kinds.retain(|_, kind| kind.times > 1);
        }
        if self.kinds.len() < KINDS {
            self.kinds.insert(hash, Kind::new(inst, now));
        }
        Verdict::Kept
    }

    /// Remembers what the kind of a [`Verdict::KeptLast`] is, as `event` says it; no more secrets are told than it tells.
    pub(super) fn name(&mut self, hash: u64, event: EventRef<'_>, redactor: &Redactor) {
        if let Some(kind) = self.kinds.get_mut(&hash) {
            kind.name = Name {
                id: event.id().to_owned(),
                text: redactor.excerpt(event.msg(), MAX_SHOWN).0,
                session: event.session().to_owned(),
                user: event.user().to_owned(),
            };
        }
    }

    /// Counts out the kinds whose second is over by `now`; with `all`, all of them.
    pub(super) fn settle(&mut self, now: Timestamp, all: bool) {
        let is_over =
            |_: &u64, kind: &mut Kind| all || now.since(kind.arrived) >= WINDOW_MS || now < kind.arrived;
        let over = self.kinds.extract_if(is_over).map(|(_, kind)| kind);
        self.done.extend(over.filter(Kind::has_folded));
        self.done.sort_by(|a, b| (a.first, &a.name.text).cmp(&(b.first, &b.name.text)));
    }

    /// The events about what was folded in seconds that are over by `now`; with `all`, about all of it.
    pub fn notes(&mut self, now: Timestamp, all: bool, sender: &Sender) -> Option<Batch> {
        self.settle(now, all);
        let notes: Vec<Repeat> = self.done.drain(..).map(Kind::note).collect();
        if notes.is_empty() {
            return None;
        }
        let index = vec![0; notes.len()];
        let chunk = own::repeats(&notes, sender);
        Some(Batch { chunk, index, rejected: Vec::new(), offered: 0, scrubbed: ScrubCount::default() })
    }
}

impl Kind {
    fn new(inst: Timestamp, now: Timestamp) -> Self {
        Self { arrived: now, first: inst, last: inst, times: 1, name: Name::default() }
    }

    fn has_folded(&self) -> bool {
        self.times > KEPT
    }

    fn note(self) -> Repeat {
        let Name { id, text, session, user } = self.name;
        let folded = self.times - KEPT;
        let data = serde_json::json!({
            "type": "log", "count": folded, "of": id, "message-of": text,
            "first": self.first.0, "last": self.last.0,
        });
        let noun = if folded == 1 { "time" } else { "times" };
        let what = if text.is_empty() { &id } else { &text };
        let msg = format!("repeated {folded} more {noun} within a second: {what}");
        Repeat { at: self.last, msg, data: data.to_string(), session, user }
    }
}

/// A hash of everything but when it was.
fn hash_of(json: &str) -> u64 {
    const STAMP: &[u8] = b"\"timestamp\":";
    let mut hasher = FxHasher::default();
    let mut rest = json.as_bytes();
    while let Some(at) = memmem::find(rest, STAMP) {
        hasher.write(&rest[..at]);
        rest = &rest[at + STAMP.len()..];
        rest = &rest[memchr::memchr2(b',', b'}', rest).unwrap_or(rest.len())..];
    }
    hasher.write(rest);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str, timestamp: i64) -> String {
        format!(r#"{{"type":"log","message":"{text}","timestamp":{timestamp}}}"#)
    }

    /// How many of the events, each with its own time and its arrival, are kept.
    fn kept(folder: &mut Folder, events: impl Iterator<Item = (String, i64, i64)>) -> usize {
        let is_kept = |(event, inst, now): &(String, i64, i64)| {
            folder.settle(Timestamp(*now), false);
            folder.judge(event, Timestamp(*inst), Timestamp(*now)) != Verdict::Folded
        };
        events.filter(is_kept).count()
    }

    /// What the events about what was folded say they count.
    fn told(folder: &mut Folder) -> Vec<u64> {
        let batch = folder.notes(Timestamp(i64::MAX / 2), true, &Sender::default());
        let counts = batch.iter().flat_map(|batch| batch.chunk.events());
        counts
            .map(|note| note.get(&["count"]).and_then(|count| count.parse().ok()).expect("a count"))
            .collect()
    }

    #[test]
    fn a_storm_is_folded_and_its_count_is_true() {
        let mut folder = Folder::default();
        assert_eq!(kept(&mut folder, (0..1_000).map(|at| (event("sent", at), at / 2, at / 2))), 10);
        assert!(folder.notes(Timestamp(999), false, &Sender::default()).is_none());
        let batch = folder.notes(Timestamp(1_000), false, &Sender::default()).expect("a note");
        let note = batch.chunk.event(0);
        assert_eq!(
            (note.id(), note.inst(), note.get(&["count"])),
            ("taillight/repeated", Timestamp(499), Some("990"))
        );
        assert!(folder.notes(Timestamp(5_000), true, &Sender::default()).is_none());
    }

    #[test]
    fn a_second_is_that_of_the_events_whenever_they_arrive() {
        for (apart, kept_of_a_hundred, counts) in [
            (200, 100, vec![]),
            (100, 100, vec![]),
            // Twenty of each second, in one frame.
            (50, 50, vec![10; 5]),
            (0, 10, vec![90]),
        ] {
            let mut folder = Folder::default();
            let events = (0..100).map(|at| (event("same", at * apart), 7_000 + at * apart, 20_000));
            assert_eq!(kept(&mut folder, events), kept_of_a_hundred, "{apart}");
            assert_eq!(told(&mut folder), counts, "{apart}");
        }
    }

    #[test]
    fn times_that_run_backwards_make_no_difference() {
        let mut folder = Folder::default();
        assert_eq!(kept(&mut folder, (0..500).map(|at| (event("same", at), 5_000 - at, 9_000))), 10);
        assert_eq!(told(&mut folder), [490]);
    }

    #[test]
    fn what_differs_in_more_than_its_time_is_kept() {
        let mut folder = Folder::default();
        assert_eq!(kept(&mut folder, (0..100).map(|at| (event(&at.to_string(), 5), 5, 0))), 100);
        assert!(told(&mut folder).is_empty());
    }

    #[test]
    fn a_storm_among_many_others_is_folded_too() {
        let mut folder = Folder::default();
        let text = |at: i64| if at % 20 == 0 { "same".to_owned() } else { at.to_string() };
        let events = (0..2_000).map(|at| (event(&text(at), 0), 0, 0));
        assert_eq!(kept(&mut folder, events), 1_900 + 10);
        assert!(folder.kinds.len() <= KINDS);
        assert_eq!(told(&mut folder), [90]);
    }
}
