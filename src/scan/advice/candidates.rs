//! What may come at the cursor, counted chunk by chunk.
//!
//! The first half of an answer; the notes are the other.

use std::cmp::Reverse;
use std::sync::Arc;

use super::census::Census;
use super::listing::{Listed, Listing};
use super::walk::{Count, Counting, Goal, Walk};
use super::words::{Word, words};
use super::{AdviceRequest, Candidate, Found, MAX_CANDIDATES, fields};
use crate::filter::{EvalContext, Expected, Filter, Matcher, Values, What, parse, unit_of};
use crate::store::Snapshot;

/// Filters of before that are offered for an empty bar (FILTER: completion).
const MAX_RECENT: usize = 5;
/// Words counted at once; saved filters beyond are not offered.
const MAX_WORDS: usize = 64;

/// Candidates on their way.
pub(super) enum Candidates {
    Nothing,
    /// Of this field, and whether its name may go on.
    Operators(String, bool),
    Fields {
        typed: String,
        takes_operator: bool,
    },
    /// Whole filters with their details, then fields.
    Whole(Vec<(Candidate, bool)>, Box<Counting>),
    Values(Box<Choices>),
}

/// Values on their way.
pub(super) struct Choices {
    expected: Expected,
    field: String,
    op: String,
    typed: String,
    words: Vec<Word>,
    counting: Counting,
    listing: Option<Listing>,
    is_empty: bool,
}

/// `None` for a filter that lets everything through.
fn matcher(filter: &Filter, context: &Arc<EvalContext>) -> Option<Matcher> {
    (!filter.is_all()).then(|| Matcher::new(Arc::new(filter.clone()), Arc::clone(context)))
}

/// A filter that was saved or used before may be none any more; then it has no matches.
fn whole(text: &str, request: &AdviceRequest, context: &Arc<EvalContext>) -> (Matcher, bool) {
    let filter = request.filter(text);
    let is_filter = filter.is_some();
    // Every event has a level.
    let filter = filter.or_else(|| parse("no:level").filter).unwrap_or_default();
    (Matcher::new(Arc::new(filter), Arc::clone(context)), is_filter)
}

impl Candidates {
    pub(super) fn new(
        expected: Expected,
        request: &AdviceRequest,
        snapshot: &Arc<Snapshot>,
        context: &Arc<EvalContext>,
    ) -> Self {
        match expected.what.clone() {
            What::Nothing => Self::Nothing,
            What::Empty => Self::filters(request, snapshot, context),
            What::Field { typed, takes_operator } => Self::Fields { typed, takes_operator },
            What::Operator { field } => {
                let may_go_on = request.text.get(expected.span.clone()) == Some(field.as_str());
                Self::Operators(field, may_go_on)
            }
            What::Value { field, op, typed, rest } => {
                let rest = request.rest().unwrap_or(rest);
                let words = words(&field, &op, request, context).into_iter().take(MAX_WORDS);
                let lower = typed.to_lowercase();
                let words: Vec<Word> =
                    words.filter(|word| word.text.to_lowercase().starts_with(&lower)).collect();
                let matchers = words.iter().map(|word| {
                    let is_saved = field.eq_ignore_ascii_case("saved");
                    let text = if is_saved { word.detail.clone() } else { term(&field, &op, &word.text) };
                    whole(&text, request, context).0
                });
                let counting = Counting::new(
                    snapshot,
                    matcher(&rest, context),
                    matchers.collect::<Vec<_>>(),
                    Goal::Enough,
                );
                // Spans and sizes hardly repeat: the words are round ones.
                let is_listed = !field.eq_ignore_ascii_case("saved") && unit_of(&field).is_none();
                let listing = Values::of(&field, &typed)
                    .filter(|_| is_listed)
                    .map(|values| Listing::new(Walk::new(snapshot), matcher(&rest, context), values, &typed));
                let is_empty = snapshot.is_empty();
                Self::Values(Box::new(Choices {
                    expected,
                    field,
                    op,
                    typed,
                    words,
                    counting,
                    listing,
                    is_empty,
                }))
            }
        }
    }

    /// Saved filters and the last ones.
    fn filters(request: &AdviceRequest, snapshot: &Arc<Snapshot>, context: &Arc<EvalContext>) -> Self {
        let saved = request.saved.iter().map(|(name, text)| (name, text.clone(), text));
        let recent =
            request.recent.iter().take(MAX_RECENT).map(|text| (text, "used before".to_owned(), text));
        let (candidates, matchers): (Vec<_>, Vec<_>) = saved
            .take(MAX_WORDS)
            .chain(recent)
            .map(|(label, detail, text)| {
                let (matcher, is_filter) = whole(text, request, context);
                let candidate = Candidate { insert: text.clone(), label: label.clone(), detail, count: None };
                ((candidate, is_filter), matcher)
            })
            .unzip();
        let counting = Counting::new(snapshot, None, matchers, Goal::Enough);
        Self::Whole(candidates, Box::new(counting))
    }

    /// What they are, for the frame around them.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Operators(field, _) => field.clone(),
            Self::Fields { .. } => "field".to_owned(),
            Self::Whole(..) => "filters".to_owned(),
            Self::Values(choices) => choices.field.clone(),
        }
    }

    /// Counts one more chunk; false when there is nothing left to count.
    pub(super) fn step(&mut self, census: &mut Census) -> bool {
        match self {
            Self::Nothing => false,
            Self::Operators(..) | Self::Fields { .. } => census.step(),
            Self::Whole(_, counting) => counting.step() || census.step(),
            Self::Values(choices) => {
                // Both, so that neither waits for the other to end.
                let counts = choices.counting.step();
                let lists = choices.listing.as_mut().is_some_and(Listing::step);
                counts || lists
            }
        }
    }

    /// What was found so far, best first.
    pub(super) fn found(&self, census: &Census) -> Found {
        match self {
            Self::Nothing => Found::default(),
            Self::Operators(field, may_go_on) => {
                let mut found = fields::operators(field);
                if *may_go_on {
                    found.candidates.extend(fields::names_after(census, field));
                }
                found
            }
            Self::Fields { typed, takes_operator } => fields::names(census, typed, *takes_operator),
            Self::Whole(candidates, counting) => {
                let mut found = fields::names(census, "", true);
                let whole = candidates.iter().enumerate().map(|(at, (candidate, is_filter))| {
                    let count = is_filter.then(|| counting.count(at).events);
                    Candidate { count, ..candidate.clone() }
                });
                found.candidates.splice(0..0, whole);
                found
            }
            Self::Values(choices) => choices.found(),
        }
    }

    /// True if what is typed is the beginning of something, so that it is too early to complain about it.
    pub(super) fn may_become_something(&self, census: &Census) -> bool {
        match self {
            Self::Fields { typed, .. } => fields::may_become_name(census, typed),
            Self::Values(choices) => choices.may_become_value(),
            Self::Nothing | Self::Operators(..) | Self::Whole(..) => false,
        }
    }
}

/// The term that a word makes with a field and an operator; what is left out is counted as what has it.
fn term(field: &str, op: &str, text: &str) -> String {
    let is_list = op.starts_with(char::is_alphabetic);
    let op = if is_list || op == "!=" { ":" } else { op };
    format!("{field}{op}{text}")
}

/// A value on its way into the list.
#[derive(Clone, Debug, Default)]
struct Ranked {
    /// Begins with what is typed, tells events apart, its events, and its place among words: more is better.
    order: (bool, bool, u64, Reverse<usize>),
    /// `None` while there are no events at all.
    count: Option<Count>,
    text: String,
    detail: String,
    /// `None` if it is still to be written.
    insert: Option<String>,
    is_cut: bool,
}

/// Numbers with the events on their side of the order; what is no number is dropped.
fn summed_up(found: Vec<Listed>, op: &str) -> Vec<Listed> {
    let number = |listed: Listed| Some((listed.text.parse::<f64>().ok().filter(|n| n.is_finite())?, listed));
    let mut numbers: Vec<(f64, Listed)> = found.into_iter().filter_map(number).collect();
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    if op.starts_with('>') {
        numbers.reverse();
    }
    let mut sum = 0;
    for (_, listed) in &mut numbers {
        let own = listed.count.events;
        listed.count.events = if op.ends_with('=') { sum + own } else { sum };
        sum += own;
    }
    numbers.into_iter().map(|(_, listed)| listed).filter(|listed| listed.count.events > 0).collect()
}

impl Choices {
    fn found(&self) -> Found {
        let mut ranked = self.ranked_words();
        let words = ranked.len();
        for listed in self.listed() {
            let is_word = |word: &Ranked| word.text.eq_ignore_ascii_case(&listed.text);
            if !ranked[..words].iter().any(is_word) {
                ranked.push(Ranked {
                    order: (listed.begins, true, listed.count.events, Reverse(usize::MAX)),
                    count: Some(listed.count),
                    text: listed.text,
                    is_cut: listed.is_cut,
                    ..Ranked::default()
                });
            }
        }
        ranked.sort_by(|a, b| b.order.cmp(&a.order).then_with(|| a.text.cmp(&b.text)));
        let total = ranked.len() as u64 + self.listing.as_ref().map_or(0, Listing::untracked);
        let is_estimate = ranked.iter().any(|value| value.count.is_some_and(|count| count.is_estimate));
        let candidates = ranked.into_iter().filter_map(|value| {
            let insert = value.insert.or_else(|| self.written(&value.text, value.is_cut))?;
            let label = if value.is_cut { format!("{}…", value.text) } else { value.text };
            Some(Candidate {
                insert,
                label,
                detail: value.detail,
                count: value.count.map(|count| count.events),
            })
        });
        let candidates: Vec<Candidate> = candidates.take(MAX_CANDIDATES).collect();
        let unlisted = total.saturating_sub(candidates.len() as u64);
        Found { candidates, unlisted, is_estimate }
    }

    fn ranked_words(&self) -> Vec<Ranked> {
        let is_order = self.op.starts_with(['<', '>']);
        let all = self.counting.under().events;
        let ranked = self.words.iter().enumerate().filter_map(|(at, word)| {
            let count = self.counting.count(at);
            // What leaves nothing out, or everything, is no help, so it comes last.
            let tells_apart = !is_order || (1..all).contains(&count.events);
            let order = (true, tells_apart, count.events, Reverse(at));
            (word.is_always || count.events > 0 || self.is_empty).then(|| Ranked {
                order,
                count: (!self.is_empty).then_some(count),
                text: word.text.clone(),
                detail: word.detail.clone(),
                insert: self.expected.insertion_of_word(&word.text),
                is_cut: false,
            })
        });
        ranked.collect()
    }

    /// The values found, with the events that the operator would let through.
    fn listed(&self) -> Vec<Listed> {
        let mut found = self.listing.as_ref().map(Listing::found).unwrap_or_default();
        if self.op.starts_with(['<', '>']) {
            found = summed_up(found, &self.op);
        }
        found
    }

    /// A value as it goes into the text, if the field takes it.
    fn written(&self, text: &str, is_cut: bool) -> Option<String> {
        let insert =
            if is_cut { self.expected.insertion_of_start(text) } else { self.expected.insertion(text) }?;
        let bare = insert.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&insert);
        parse(&term(&self.field, &self.op, bare.strip_prefix("id:").unwrap_or(bare))).filter.map(|_| insert)
    }

    fn may_become_value(&self) -> bool {
        self.words.iter().any(|word| word.text.len() > self.typed.len())
            || self.listing.iter().flat_map(Listing::found).any(|listed| listed.begins)
    }
}
