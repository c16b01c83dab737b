//! A log entry that is sent again and again: after a few of a kind within a second the rest is counted.
//!
//! One [`Folder`] a connection, held by `ingest`. A logger that is wired to log its own sending writes a thousand
//! equal entries in half a second; they would push everything else out of sight. What is folded counts as
//! duplicate, and an event `taillight/repeated` says how many there were.

use std::borrow::Cow;
use std::hash::Hasher as _;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHasher};

use crate::event::{Chunk, Timestamp, json};
use crate::pipeline::Redactor;
use crate::wire::batch::{Batch, ScrubCount, Sender};
use crate::wire::own;

/// Entries of a kind that are kept as they are within [`WINDOW_MS`]: nobody clicks that fast.
const KEPT: u64 = 10;
const WINDOW_MS: i64 = 1_000;
/// Kinds that are told apart at a time; with one more those met once are forgotten, and while there are too many
/// that repeat, further ones are kept as they are.
const KINDS: usize = 256;
/// Characters of an id and of a message that are told.
const MAX_SHOWN: usize = 200;

/// What repeats on one connection.
#[derive(Debug, Default)]
pub struct Folder {
    kinds: FxHashMap<u64, Kind>,
    /// What is counted out and not yet said.
    done: Vec<Kind>,
}

/// Equal entries of about a second.
#[derive(Debug)]
struct Kind {
    began: Timestamp,
    last: Timestamp,
    times: u64,
    id: String,
    text: String,
}

impl Folder {
    /// Whether `entry`, a JSON object that arrived at `now`, is one too many of its kind.
    pub(super) fn folds(&mut self, entry: &str, now: Timestamp, redactor: &Redactor) -> bool {
        let hash = hash_of(entry);
        if let Some(kind) = self.kinds.get_mut(&hash) {
            kind.times += 1;
            kind.last = now;
            if kind.times == KEPT + 1 {
                (kind.id, kind.text) = shown(entry, redactor);
            }
            return kind.times > KEPT;
        }
        if self.kinds.len() >= KINDS {
            self.kinds.retain(|_, kind| kind.times > 1);
        }
        if self.kinds.len() < KINDS {
            let (id, text) = (String::new(), String::new());
            self.kinds.insert(hash, Kind { began: now, last: now, times: 1, id, text });
        }
        false
    }

    /// Counts out the kinds whose second is over by `now`; with `all`, all of them.
    pub(super) fn settle(&mut self, now: Timestamp, all: bool) {
        let is_over =
            |_: &u64, kind: &mut Kind| all || now.since(kind.began) >= WINDOW_MS || now < kind.began;
        let over = self.kinds.extract_if(is_over).map(|(_, kind)| kind);
        let from = self.done.len();
        self.done.extend(over.filter(|kind| kind.times > KEPT));
        self.done[from..].sort_by(|a, b| (a.began, &a.text).cmp(&(b.began, &b.text)));
    }

    /// The events about what was folded in seconds that are over by `now`; with `all`, about all of it.
    pub fn notes(&mut self, now: Timestamp, all: bool, sender: &Sender) -> Option<Batch> {
        self.settle(now, all);
        let notes: Vec<(String, String)> = self.done.drain(..).map(|kind| kind.note()).collect();
        if notes.is_empty() {
            return None;
        }
        let chunk: Chunk = own::repeats(&notes, sender);
        let index = vec![0; notes.len()];
        Some(Batch { chunk, index, rejected: Vec::new(), offered: 0, scrubbed: ScrubCount::default() })
    }
}

impl Kind {
    /// The message and the data of the event about it.
    fn note(self) -> (String, String) {
        let folded = self.times - KEPT;
        let data = serde_json::json!({
            "type": "log", "count": folded, "of": self.id, "message-of": self.text,
            "first": self.began.0, "last": self.last.0,
        });
        let noun = if folded == 1 { "time" } else { "times" };
        let what = if self.text.is_empty() { &self.id } else { &self.text };
        (format!("repeated {folded} more {noun} within a second: {what}"), data.to_string())
    }
}

/// A hash of everything but when it was.
fn hash_of(entry: &str) -> u64 {
    const STAMP: &[u8] = b"\"timestamp\":";
    let mut hasher = FxHasher::default();
    let mut rest = entry.as_bytes();
    while let Some(at) = memmem::find(rest, STAMP) {
        hasher.write(&rest[..at]);
        rest = &rest[at + STAMP.len()..];
        rest = &rest[memchr::memchr2(b',', b'}', rest).unwrap_or(rest.len())..];
    }
    hasher.write(rest);
    hasher.finish()
}

/// The id and the text of an entry, cut short and without secrets.
fn shown(entry: &str, redactor: &Redactor) -> (String, String) {
    let get = |object: &str, name| json::get(object, name).and_then(json::text).map(Cow::into_owned);
    let data = json::get(entry, "data").unwrap_or("");
    let id = get(entry, "id").filter(|id| !id.is_empty()).or_else(|| get(entry, "ns"));
    let cut = |text: Option<String>| redactor.excerpt(&text.unwrap_or_default(), MAX_SHOWN).0;
    (cut(id), cut(get(data, "msg")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, timestamp: i64) -> String {
        format!(r#"{{"ns":"a.b","id":"a/sent","data":{{"msg":"{text}"}},"timestamp":{timestamp}}}"#)
    }

    /// How many of the events, each with its arrival, are kept.
    fn kept(folder: &mut Folder, events: impl Iterator<Item = (String, i64)>) -> usize {
        let redactor = Redactor::default();
        let folds = |(event, at): &(String, i64)| {
            folder.settle(Timestamp(*at), false);
            !folder.folds(event, Timestamp(*at), &redactor)
        };
        events.filter(folds).count()
    }

    #[test]
    fn a_storm_is_folded_and_its_count_is_true() {
        let mut folder = Folder::default();
        let storm = (0..1_000).map(|at| (entry("sent password=x", at), at / 2));
        assert_eq!(kept(&mut folder, storm), 10);
        assert!(folder.notes(Timestamp(999), false, &Sender::default()).is_none());
        let batch = folder.notes(Timestamp(1_000), false, &Sender::default()).expect("a note");
        let event = batch.chunk.event(0);
        assert_eq!(event.id(), "taillight/repeated");
        assert_eq!(event.msg(), "repeated 990 more times within a second: sent password=[redacted]");
        assert_eq!(event.get(&["count"]), Some("990"));
        assert!(folder.notes(Timestamp(5_000), true, &Sender::default()).is_none());
    }

    #[test]
    fn what_differs_in_more_than_its_time_is_kept() {
        let mut folder = Folder::default();
        assert_eq!(kept(&mut folder, (0..100).map(|at| (entry(&at.to_string(), 5), 0))), 100);
        let mut folder = Folder::default();
        assert_eq!(kept(&mut folder, (0..100).map(|at| (entry("same", at), at * 200))), 100);
        assert!(folder.notes(Timestamp(0), true, &Sender::default()).is_none());
    }

    #[test]
    fn a_storm_among_many_others_is_folded_too() {
        let mut folder = Folder::default();
        let storm = |at| entry("same", at);
        let others = |at: i64| entry(&at.to_string(), at);
        let events = (0..2_000).map(|at| (if at % 20 == 0 { storm(at) } else { others(at) }, 0));
        assert_eq!(kept(&mut folder, events), 1_900 + 10);
        let batch = folder.notes(Timestamp(1_000), false, &Sender::default()).expect("a note");
        assert_eq!(batch.chunk.event(0).get(&["count"]), Some("90"));
        assert!(folder.kinds.len() <= KINDS);
    }
}
