//! Advice on a filter while it is typed: what may come next, and what the events say of what is there.
//!
//! The bar asks at each key through an [`AdviceHandle`]; the answer, made on a thread of its own, comes as
//! [`Advice`] and is replaced by better ones while counting goes on. Nothing here changes the filter.

mod candidates;
mod census;
mod fields;
mod listing;
mod notes;
mod spelling;
mod thread;
mod walk;
mod words;

pub use thread::{AdviceHandle, spawn_advice};

use std::ops::Range;
use std::sync::Arc;

use crate::filter::{EvalContext, Filter, Note, What, expand_saved, expected, parse};
use crate::store::Snapshot;
use candidates::Candidates;
use census::Census;
use notes::Notes;

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

impl AdviceRequest {
    /// What `text` means with the saved filters that it names.
    fn filter(&self, text: &str) -> Option<Filter> {
        parse(&self.expanded(text)?).filter
    }

    fn expanded(&self, text: &str) -> Option<String> {
        let find = |name: &str| {
            let saved = self.saved.iter().find(|(known, _)| known == name);
            saved.map(|(_, text)| text.clone())
        };
        expand_saved(text, &find).ok()
    }

    /// What is asked beside the value at the cursor, with the saved filters that are named there.
    fn rest(&self) -> Option<Filter> {
        let (before, after) = self.text.split_at_checked(self.cursor)?;
        let (before, after) = (self.expanded(before)?, self.expanded(after)?);
        match expected(&format!("{before}{after}"), before.len()).what {
            What::Value { rest, .. } => Some(rest),
            _ => None,
        }
    }
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

/// Candidates before they are cut to what is shown.
#[derive(Debug, Default)]
struct Found {
    candidates: Vec<Candidate>,
    /// More that are not even among those.
    unlisted: u64,
    is_estimate: bool,
}

/// Answers one question at a time, a chunk at a time: the thread does it in slices, a command to the end.
pub struct Advisor {
    snapshot: Arc<Snapshot>,
    context: Arc<EvalContext>,
    census: Census,
    request: AdviceRequest,
    span: Range<usize>,
    candidates: Candidates,
    notes: Notes,
    is_counted: bool,
    is_done: bool,
}

impl Default for Advisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Advisor {
    pub fn new() -> Self {
        let (snapshot, context) = (Arc::default(), Arc::default());
        Self {
            notes: Notes::new(&AdviceRequest::default(), &snapshot, &context),
            snapshot,
            context,
            census: Census::new(),
            request: AdviceRequest::default(),
            span: 0..0,
            candidates: Candidates::Nothing,
            is_counted: true,
            is_done: true,
        }
    }

    /// The events that the next question is about, and the moment at which filters are judged.
    pub fn see(&mut self, snapshot: Arc<Snapshot>, context: impl Into<Arc<EvalContext>>) {
        self.snapshot = snapshot;
        self.context = context.into();
    }

    /// Begins with another question; what is known of fields stays known.
    pub fn ask(&mut self, request: AdviceRequest) {
        self.census.set_snapshot(&self.snapshot);
        let expected = expected(&request.text, request.cursor);
        self.span = expected.span.clone();
        self.candidates = if request.is_accepted {
            Candidates::Nothing
        } else {
            Candidates::new(expected, &request, &self.snapshot, &self.context)
        };
        self.notes = Notes::new(&request, &self.snapshot, &self.context);
        self.request = request;
        (self.is_counted, self.is_done) = (false, false);
    }

    /// Looks at one more chunk; false when the answer is complete.
    pub fn advance(&mut self) -> bool {
        if !self.is_counted {
            self.is_counted = !self.candidates.step(&mut self.census);
            return true;
        }
        if self.is_done {
            return false;
        }
        let (candidates, cursor) = (&self.candidates, self.request.cursor);
        let may_become = |span: &Range<usize>, census: &Census| {
            span.start < cursor && cursor <= span.end && candidates.may_become_something(census)
        };
        self.is_done = !self.notes.step(&mut self.census, &may_become);
        !self.is_done
    }

    /// Begins with another question and answers it to the end.
    pub fn answer(&mut self, request: AdviceRequest) -> Advice {
        self.ask(request);
        while self.advance() {}
        self.advice()
    }

    /// True once the candidates are counted and only notes are left.
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// The answer as far as it is known.
    pub fn advice(&self) -> Advice {
        let Found { mut candidates, unlisted, is_estimate } = self.candidates.found(&self.census);
        let beyond = candidates.len().saturating_sub(MAX_CANDIDATES);
        candidates.truncate(MAX_CANDIDATES);
        // What is there already is no news.
        let there = self.request.text.get(self.span.clone());
        if let [only] = candidates.as_slice()
            && Some(only.insert.as_str()) == there
        {
            candidates.clear();
        }
        Advice {
            id: self.request.id,
            candidates,
            hidden: beyond.saturating_add(usize::try_from(unlisted).unwrap_or(usize::MAX)),
            notes: self.notes.found().to_vec(),
            is_estimate,
            is_done: self.is_done,
            span: self.span.clone(),
            title: self.candidates.title(),
        }
    }
}

#[cfg(test)]
mod tests;
