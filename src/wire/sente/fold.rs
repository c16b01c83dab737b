//! A log entry that is sent again and again: after a few of a kind within a second the rest is counted.
//!
//! One [`Folder`] a connection, held by `ingest`. A logger that is wired to log its own sending writes a thousand
//! equal entries in half a second; they would push everything else out of sight. What is folded counts as
//! duplicate, and an event `taillight/repeated` says how many there were.

use std::hash::{Hash as _, Hasher as _};

use rustc_hash::FxHasher;

use crate::event::{Chunk, Timestamp, json};
use crate::wire::batch::{Batch, ScrubCount, Sender};
use crate::wire::own;

/// Entries of a kind that are kept as they are within [`WINDOW_MS`]: nobody clicks that fast.
const KEPT: u64 = 10;
const WINDOW_MS: i64 = 1_000;
/// Kinds that are told apart at a time; with one more, the one that began first is counted out.
const KINDS: usize = 8;

/// What repeats on one connection.
#[derive(Debug, Default)]
pub struct Folder {
    kinds: Vec<Kind>,
    /// What is counted out and not yet said.
    done: Vec<Kind>,
}

/// Equal entries of about a second.
#[derive(Debug)]
struct Kind {
    hash: u64,
    began: Timestamp,
    last: Timestamp,
    times: u64,
    id: String,
    text: String,
}

impl Folder {
    /// Whether `entry`, a JSON object that arrived at `now`, is one too many of its kind.
    pub(super) fn folds(&mut self, entry: &str, now: Timestamp) -> bool {
        let hash = hash_of(entry);
        self.settle(now, false);
        if let Some(kind) = self.kinds.iter_mut().find(|kind| kind.hash == hash) {
            kind.times += 1;
            kind.last = now;
            if kind.times == KEPT + 1 {
                (kind.id, kind.text) = shown(entry);
            }
            return kind.times > KEPT;
        }
        if self.kinds.len() >= KINDS {
            let oldest = self.kinds.remove(0);
            self.count_out(oldest);
        }
        let (id, text) = (String::new(), String::new());
        self.kinds.push(Kind { hash, began: now, last: now, times: 1, id, text });
        false
    }

    fn settle(&mut self, now: Timestamp, all: bool) {
        let is_over = |kind: &Kind| all || now.since(kind.began) >= WINDOW_MS || now < kind.began;
        while let Some(at) = self.kinds.iter().position(is_over) {
            let kind = self.kinds.remove(at);
            self.count_out(kind);
        }
    }

    fn count_out(&mut self, kind: Kind) {
        if kind.times > KEPT {
            self.done.push(kind);
        }
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
    let mut hasher = FxHasher::default();
    for member in json::members(entry).filter(|member| member.key != "timestamp") {
        (member.key, member.value).hash(&mut hasher);
    }
    hasher.finish()
}

/// The id and the text of an entry, cut short.
fn shown(entry: &str) -> (String, String) {
    let cut = |text: std::borrow::Cow<'_, str>| text.chars().take(200).collect::<String>();
    let data = json::get(entry, "data").unwrap_or("");
    let [id, ns, msg] = [json::get(entry, "id"), json::get(entry, "ns"), json::get(data, "msg")]
        .map(|value| value.and_then(json::text).map(cut).unwrap_or_default());
    (if id.is_empty() { ns } else { id }, msg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, timestamp: i64) -> String {
        format!(r#"{{"ns":"a.b","id":"a/sent","data":{{"msg":"{text}"}},"timestamp":{timestamp}}}"#)
    }

    #[test]
    fn a_storm_is_folded_and_its_count_is_true() {
        let mut folder = Folder::default();
        let kept = (0..1_000).filter(|at| !folder.folds(&entry("sent", *at), Timestamp(*at / 2))).count();
        assert_eq!(kept, 10);
        assert!(folder.notes(Timestamp(999), false, &Sender::default()).is_none());
        let batch = folder.notes(Timestamp(1_000), false, &Sender::default()).expect("a note");
        let event = batch.chunk.event(0);
        assert_eq!(event.id(), "taillight/repeated");
        assert_eq!(event.msg(), "repeated 990 more times within a second: sent");
        assert_eq!(event.get(&["count"]), Some("990"));
        assert!(folder.notes(Timestamp(5_000), true, &Sender::default()).is_none());
    }

    #[test]
    fn what_differs_in_more_than_its_time_is_kept() {
        let mut folder = Folder::default();
        assert!((0..100).all(|at| !folder.folds(&entry(&at.to_string(), 5), Timestamp(0))));
        let mut folder = Folder::default();
        assert!((0..100).all(|at| !folder.folds(&entry("same", 5), Timestamp(at * 200))));
        assert!(folder.notes(Timestamp(0), true, &Sender::default()).is_none());
    }
}
