//! Advice on a filter while it is typed: what may come next, and what the events say of what is there.
//!
//! The bar asks at each key through an [`AdviceHandle`]; the answer, made on a thread of its own, comes as
//! [`Advice`] and is replaced by better ones while counting goes on. Nothing here changes the filter.

mod fields;
mod thread;

pub use thread::{AdviceHandle, spawn_advice};

use std::ops::Range;
use std::sync::Arc;

use crate::filter::Note;

/// Candidates shown at once; [`Advice::hidden`] counts the others (FILTER: completion).
pub const MAX_CANDIDATES: usize = 8;

/// A question: what may come at the cursor, and what is there to say of the text.
#[derive(Clone, Debug, Default)]
pub struct AdviceRequest {
    /// Comes back in the answer.
    pub id: u64,
    pub text: String,
    /// In bytes.
    pub cursor: usize,
    /// The text was accepted: nothing in it is unfinished, no candidates are wanted, only notes.
    pub is_accepted: bool,
    /// Saved filters by name, with their text.
    pub saved: Arc<[(String, String)]>,
    /// Filters accepted before, newest first, for an empty bar.
    pub recent: Arc<[String]>,
}

/// What could be said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// Of the [`AdviceRequest`] this answers.
    pub id: u64,
    /// Best first, at most [`MAX_CANDIDATES`].
    pub candidates: Vec<Candidate>,
    /// How many more there are.
    pub hidden: usize,
    /// What the events say of the text, and the text's own notes that are worth saying only if nothing matches.
    pub notes: Vec<Note>,
    /// Counts are projected from the newest events: show them with `~`.
    pub is_estimate: bool,
    /// Counting is over; no better answer to this request will come.
    pub is_done: bool,
    /// The bytes of the text that a candidate replaces.
    pub span: Range<usize>,
    /// What the candidates are: `field`, or the name of the field whose values they are.
    pub title: String,
}

/// Something that may come at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Goes in the place of [`Advice::span`], with the cursor behind it.
    pub insert: String,
    /// As it is shown; may hold any characters a page can send.
    pub label: String,
    /// A few words about it: `number`, `text: contains`.
    pub detail: String,
    /// Events that have it.
    pub count: Option<u64>,
}

impl Advice {
    /// `text` with a candidate in its place, and where the cursor goes.
    pub fn apply(&self, text: &str, candidate: &Candidate) -> (String, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let after = text.get(self.span.end..).unwrap_or("");
        let cursor = before.len() + candidate.insert.len();
        ([before, &candidate.insert, after].concat(), cursor)
    }
}
