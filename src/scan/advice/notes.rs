//! What the events say of a filter: fields nobody has, values spelt otherwise, events lost to `!=` or to time.
//!
//! Called by the advice when its candidates are counted, one chunk at a time. Whoever says "no event" has looked at
//! all of them. Every fix leaves the rest of the text as it is.

use std::ops::Range;
use std::sync::Arc;

use super::AdviceRequest;
use super::census::Census;
use super::listing::Listing;
use super::spelling;
use super::walk::{Count, Counting, Goal, Walk};
use crate::event::{ChunkBuilder, FIELDS, Field, Row, Timestamp};
use crate::filter::{
    Asked, Bits, EvalContext, Filter, Fix, Matcher, Note, Values, in_has, is_sound, near_field_notes, parse,
    terms,
};
use crate::store::Snapshot;

/// Notes on their way.
pub(super) struct Notes {
    text: String,
    snapshot: Arc<Snapshot>,
    context: Arc<EvalContext>,
    terms: Vec<Asked>,
    /// The text's own notes for when nothing matches.
    own: Vec<Note>,
    /// The whole filter, with the saved ones in their places, unless it is none or lets everything through.
    whole: Option<Filter>,
    stage: Stage,
    found: Vec<Note>,
}

enum Stage {
    /// Which fields there are is needed for suggestions.
    Fields,
    /// The whole filter, fields, and what `!=` loses; what each count is of.
    First(Counting, Vec<First>),
    /// Terms by themselves and with a star, two counts for each of these terms.
    Alone(Counting, Vec<usize>),
    /// Spellings of these terms' values, the last at work.
    Spellings(Option<Box<Listing>>, Vec<usize>),
    Over,
}

/// Whether what is typed at a place may still become something that the census knows.
type MayBecome<'a> = &'a dyn Fn(&Range<usize>, &Census) -> bool;

/// What a count of the first stage is of.
enum First {
    Whole,
    /// With whether `has:` or `no:` asks for it.
    Field(Range<usize>, String, bool),
    Lost(usize),
}

fn number(count: Count) -> String {
    let digits = count.events.to_string();
    let mut out = String::from(if count.is_estimate { "~" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn note(code: &'static str, span: Range<usize>, message: String, fix: Option<Fix>) -> Note {
    Note { code, span, message, fix, only_without_matches: false }
}

impl Notes {
    pub(super) fn new(request: &AdviceRequest, snapshot: &Arc<Snapshot>, context: &Arc<EvalContext>) -> Self {
        let text = request.text.as_str();
        let parsed = parse(text);
        let is_empty = snapshot.is_empty();
        let whole = request.filter(text).filter(|filter| !filter.is_all());
        Self {
            text: text.to_owned(),
            snapshot: Arc::clone(snapshot),
            context: Arc::clone(context),
            terms: terms(text),
            own: parsed.notes.into_iter().filter(|note| note.only_without_matches).collect(),
            whole,
            stage: if is_empty { Stage::Over } else { Stage::Fields },
            found: if is_empty { near_field_notes(text) } else { Vec::new() },
        }
    }

    /// What there is to say so far.
    pub(super) fn found(&self) -> &[Note] {
        &self.found
    }

    /// Goes on by one chunk; false when everything is said. `may_become` holds for places in the text where what
    /// is typed may still become something that exists.
    pub(super) fn step(&mut self, census: &mut Census, may_become: MayBecome<'_>) -> bool {
        match &mut self.stage {
            Stage::Over => return false,
            Stage::Fields => {
                let is_needed = self.terms.iter().any(|term| !term.unknown.is_empty());
                if !is_needed || !census.step() {
                    self.first(census, may_become);
                }
            }
            Stage::First(counting, _) => {
                if !counting.step() {
                    self.after_first(census, may_become);
                }
            }
            Stage::Alone(counting, _) => {
                if !counting.step() {
                    self.after_alone();
                }
            }
            Stage::Spellings(listing, terms) => match (listing, terms.last()) {
                (Some(listing), Some(at)) => {
                    if !listing.step() {
                        let (at, found) = (*at, listing.found());
                        terms.pop();
                        self.spelt_otherwise(at, &found);
                        self.next_spelling();
                    }
                }
                _ => self.stage = Stage::Over,
            },
        }
        true
    }

    /// Takes a note; a fix that would make a mistake is left off.
    fn say(&mut self, mut note: Note) {
        note.fix = note.fix.filter(|fix| is_sound(&self.text, fix));
        self.found.push(note);
    }

    fn matcher(&self, filter: &Filter) -> Matcher {
        Matcher::new(Arc::new(filter.clone()), Arc::clone(&self.context))
    }

    fn counting(&self, filters: &[Filter]) -> Counting {
        let matchers: Vec<Matcher> = filters.iter().map(|filter| self.matcher(filter)).collect();
        Counting::new(&self.snapshot, None, matchers, Goal::Found)
    }

    fn first(&mut self, census: &Census, may_become: MayBecome<'_>) {
        let mut asked = Vec::new();
        let mut filters = Vec::new();
        if let Some(whole) = &self.whole {
            asked.push(First::Whole);
            filters.push(whole.clone());
        }
        for (at, term) in self.terms.iter().enumerate() {
            for (span, name) in term.unknown.iter().filter(|(span, _)| !may_become(span, census)) {
                if let Some(filter) = parse(&format!("has:{}", in_has(name))).filter {
                    let is_in_has = self.text.get(span.clone()) != Some(&term.field);
                    asked.push(First::Field(span.clone(), name.clone(), is_in_has));
                    filters.push(filter);
                }
            }
            if let Some(filter) = term.lacking().filter(|_| term.is_excluding && !term.is_negated) {
                asked.push(First::Lost(at));
                filters.push(filter);
            }
        }
        self.stage = Stage::First(self.counting(&filters), asked);
        self.dropped();
    }

    fn after_first(&mut self, census: &Census, may_become: MayBecome<'_>) {
        let Stage::First(counting, asked) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        let mut matches_none = false;
        for (at, asked) in asked.into_iter().enumerate() {
            let count = counting.count(at);
            match asked {
                First::Whole => matches_none = count.events == 0,
                First::Field(span, name, is_in_has) if count.events == 0 => {
                    self.say(no_field(span, &name, is_in_has, census));
                }
                First::Lost(term) if count.events > 0 => self.lost(term, count),
                First::Field(..) | First::Lost(_) => {}
            }
        }
        if !matches_none {
            return;
        }
        self.found.append(&mut self.own);
        let mut filters = Vec::new();
        let mut asked = Vec::new();
        for (at, term) in self.terms.iter().enumerate() {
            let Some(value) = term.whole_value().filter(|value| !may_become(&value.span, census)) else {
                continue;
            };
            let starred =
                term.starred().and_then(|starred| self.with_value(term, value.span.clone(), &starred));
            filters.push(term.filter.clone());
            filters.push(starred.unwrap_or_else(|| term.filter.clone()));
            asked.push(at);
        }
        self.stage = Stage::Alone(self.counting(&filters), asked);
    }

    /// The term alone with another value.
    fn with_value(&self, term: &Asked, span: Range<usize>, value: &str) -> Option<Filter> {
        let before = self.text.get(term.span.start..span.start)?;
        parse(&format!("{before}{value}")).filter
    }

    fn after_alone(&mut self) {
        let Stage::Alone(counting, asked) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        let mut left = Vec::new();
        for (at, term) in asked.into_iter().enumerate() {
            let (alone, starred) = (counting.count(2 * at), counting.count(2 * at + 1));
            let asked = &self.terms[term];
            match (asked.value.as_ref().zip(asked.starred()), alone.events, starred.events) {
                (Some((value, with_star)), 0, 1..) => {
                    let before = self.text.get(asked.span.start..value.span.start).unwrap_or_default();
                    let typed = self.text.get(asked.span.clone()).unwrap_or_default();
                    let message =
                        format!("{typed} matches no event; {before}{with_star} matches {}", number(starred));
                    let fix = Fix::new(value.span.clone(), with_star);
                    self.say(note("N-STAR", value.span.clone(), message, Some(fix)));
                }
                (_, 0, 0) => left.push(term),
                _ => {}
            }
        }
        left.reverse();
        self.stage = Stage::Spellings(None, left);
        self.next_spelling();
    }

    /// Begins with the values of the next term that has any to list.
    fn next_spelling(&mut self) {
        let Stage::Spellings(listing, left) = &mut self.stage else { return };
        *listing = None;
        while let Some(at) = left.last() {
            if let Some(values) = Values::of(&self.terms[*at].field, "") {
                *listing = Some(Box::new(Listing::new(Walk::new(&self.snapshot), None, values, "")));
                return;
            }
            left.pop();
        }
    }

    fn spelt_otherwise(&mut self, at: usize, found: &[super::listing::Listed]) {
        let term = &self.terms[at];
        let Some(value) = &term.value else { return };
        let known = found.iter().filter(|listed| !listed.is_cut);
        let Some(near) = spelling::nearest(&value.text, known.map(|listed| (&*listed.text, listed.count)))
        else {
            return;
        };
        let (text, count) = near;
        let message = format!("no event has this {}. Did you mean {text}? ({})", term.field, number(count));
        let fix = Fix::new(value.span.clone(), term.written(text));
        self.say(note("N-VALUE", value.span.clone(), message, Some(fix)));
    }

    fn lost(&mut self, at: usize, count: Count) {
        let term = &self.terms[at];
        let Some(instead) = term.left_out(&self.text) else { return };
        let message = format!(
            "also hides {} events without {}; to keep them write {instead}",
            number(count),
            term.field
        );
        let fix = Fix::new(term.span.clone(), instead);
        self.say(note("N-NE", term.span.clone(), message, Some(fix)));
    }

    /// Says where a filter asks for events that are not kept any more.
    fn dropped(&mut self) {
        let Some(oldest) = self.snapshot.event(self.snapshot.first).filter(|_| self.snapshot.first > 0)
        else {
            return;
        };
        let before = moment_before(oldest.inst());
        for at in 0..self.terms.len() {
            let term = &self.terms[at];
            let name = Field::find(&term.field).map_or("", |field| field.name);
            let is_back = name == "since" || name == "time" || name == "age" && term.op.starts_with('<');
            // Loads are counted by number: which of them was dropped cannot be told by time.
            let is_reload =
                term.value.as_ref().is_some_and(|value| value.text.eq_ignore_ascii_case("reload"));
            if !is_back || is_reload || term.is_negated {
                continue;
            }
            let mut passed = Bits::new();
            self.matcher(&term.filter).eval(&before, 0..1, &mut passed);
            if !passed.is_empty() {
                let time = self.context.zone.to_datetime(oldest.inst().to_jiff()).strftime("%H:%M:%S");
                let message = format!("events before {time} were dropped (buffer full)");
                self.found.push(note("N-OLD", term.span.clone(), message, None));
            }
        }
    }
}

/// An event just before the oldest that is kept.
fn moment_before(oldest: Timestamp) -> crate::event::Chunk {
    let inst = oldest.plus_ms(-1);
    let mut builder = ChunkBuilder::new();
    builder.push(&Row { inst, recv: inst, ..Row::default() });
    builder.finish()
}

/// No event has the field; the nearest that some have is offered.
fn no_field(span: Range<usize>, name: &str, is_in_has: bool, census: &Census) -> Note {
    let counts = census.fields();
    let built_in =
        FIELDS.iter().zip(counts).flat_map(|(field, count)| field.names().map(move |name| (name, count)));
    let seen = census.paths().map(|(seen, count)| (&*seen.text, count));
    let near = spelling::nearest(name, built_in.chain(seen)).filter(|_| name.chars().nth(2).is_some());
    match near {
        Some((near, count)) => {
            let events = if count.events == 1 { "event" } else { "events" };
            let message =
                format!("no event has a field {name}. Did you mean {near}? ({} {events})", number(count));
            let written = if is_in_has { in_has(near) } else { near.to_owned() };
            note("N-FIELD", span.clone(), message, Some(Fix::new(span, written)))
        }
        None => note("N-FIELD", span, format!("no event has a field {name}"), None),
    }
}
