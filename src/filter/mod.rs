//! The filter language: one line of text that says which events are wanted.
//!
//! The bar, the commands, the sinks and the settings parse filters here and evaluate them with a [`Matcher`], one
//! chunk at a time. Nothing here reads the clock, the store or the screen: what a filter needs of them comes in
//! an [`EvalContext`], and the meaning of a filter depends on its text alone.
//!
//! ```text
//! filter     = [ or ]                                     empty means everything
//! or         = and { ( OR | || | or ) and }
//! and        = unary { [ AND | && | and ] unary }         side by side is and
//! unary      = { NOT | - | ! | not } primary
//! primary    = "(" or ")" | comparison | phrase | ~/re/ | :ns/name | word
//! comparison = field ( : | = | == | != | < | <= | > | >= | ~ | !~ | in | contains | matches ) value
//! ```
//!
//! `and`, `or` and `not` in lower case are operators only beside structure, else they are words.
//!
//! Whoever takes a filter as an option reads it once and keeps a matcher:
//!
//! ```
//! use std::sync::Arc;
//! use taillight::event::ChunkBuilder;
//! use taillight::filter::{self, EvalContext, Matcher};
//!
//! let refused = filter::read("level:wran since:5m").expect_err("a mistake");
//! assert!(refused.ends_with("    level:wran since:5m\n          ^~~~"));
//!
//! let filter = Arc::new(filter::read("level>=warn -url:/health").expect("a filter"));
//! // What it needs beside the events: the clock, marks, page loads. This one needs nothing of the kind.
//! assert!(!filter.depends().any());
//! let mut matcher = Matcher::new(filter, EvalContext::default());
//! let (chunk, mut rows) = (ChunkBuilder::new().finish(), Vec::new());
//! matcher.pick(&chunk, &mut rows);
//! let one_by_one = chunk.events().filter(|event| matcher.matches(*event)).count();
//! assert_eq!(one_by_one, rows.len());
//! ```

mod asked;
mod ast;
mod bits;
mod by_path;
mod check;
mod complete;
mod context;
mod data;
mod display;
mod edit;
mod error;
mod eval;
mod everywhere;
mod foreign;
mod glob;
mod highlight;
mod hits;
mod kinds;
mod lexer;
mod lexical;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod meaning_tests;
mod messages;
mod midway;
#[cfg(test)]
mod mistakes;
mod moment;
mod narrower;
mod needle;
mod notes;
mod numbers;
mod operators;
mod parser;
mod paste;
mod pieces;
mod places;
mod plan;
#[cfg(test)]
mod props;
mod regexp;
mod relaxed;
mod run;
#[cfg(test)]
mod samples;
mod saved;
mod suggest;
mod symbols;
mod terms;
mod text;
mod times;
mod typed;
mod typing;
mod unbounded;
mod value;
mod values;
#[cfg(test)]
mod vectors;
mod words;

use std::fmt;

pub use asked::{Asked, AskedValue, in_has, is_sound, near_field_notes, terms};
pub use bits::Bits;
pub use complete::{Expected, What, expected, near_field, path_text, unit_of};
pub use context::{EvalContext, LoadKey};
pub use edit::{append, drop_last, has, negate, switch, toggle};
pub use error::{FilterError, Fix, Note};
pub use eval::Matcher;
pub use highlight::Highlighter;
pub use midway::while_typing_at;
pub use operators::operators;
pub use paste::{Pasted, pasted};
pub use saved::expand_saved;
pub use suggest::{distance, nearest};
pub use terms::{exact_term_for, term_for};
pub use typing::{State, Typing, while_typing};
pub use values::Values;

use display::Style;
use notes::MAX_NOTES;
use typed::{Expr, Subject, Term, Test};

use crate::event::FieldKind;

/// Longest filter, in characters (FILTER: grammar).
pub const MAX_CHARS: usize = 4096;

/// A filter that can be evaluated; it never changes and can be shared.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    /// `None` for everything.
    expr: Option<Expr>,
}

/// What came of a text.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// `None` if there is any error.
    pub filter: Option<Filter>,
    /// From the left; only the first is worth showing in full.
    pub errors: Vec<FilterError>,
    /// What may not mean what was meant; the filter applies.
    pub notes: Vec<Note>,
}

/// Reads a filter. The empty text is everything.
pub fn parse(text: &str) -> Parsed {
    let reading = Reading::of(text, None);
    let filter = reading.errors.is_empty().then(|| reading.filter.clone());
    Parsed { filter, errors: reading.errors, notes: reading.notes }
}

/// Reads a filter that is an option or a setting.
///
/// # Errors
/// The first mistake: what is wrong, the filter, and a caret under the place.
pub fn read(text: &str) -> Result<Filter, String> {
    let parsed = parse(text);
    match parsed.errors.first() {
        Some(error) => Err(error.with_caret(text)),
        None => Ok(parsed.filter.unwrap_or_default()),
    }
}

/// Reads a filter of the settings for a place where nothing is known but the event.
///
/// # Errors
/// The first mistake; asking about now, marks, page loads or saved filters is one too.
pub fn read_of_event(text: &str) -> Result<Filter, FilterError> {
    let parsed = parse(text);
    if let Some(error) = parsed.errors.into_iter().next() {
        let is_saved = error.code == saved::CODE;
        let instead = "here no saved filter is known: write what it says in its place";
        return Err(if is_saved { error.saying(instead) } else { error });
    }
    let filter = parsed.filter.unwrap_or_default();
    if filter.depends().any() {
        let message = "here a filter can only ask about the event itself, not about now, marks or page loads";
        let mut error = FilterError::new("E-EVENT", 0..text.len(), message);
        error.place_in(text);
        return Err(error);
    }
    Ok(filter)
}

/// The first mistake of a filter of the settings in itself: which filters are saved is not known yet.
pub fn own_mistake(text: &str) -> Option<FilterError> {
    parse(text).errors.into_iter().find(|error| error.code != saved::CODE)
}

impl Filter {
    /// The filter that every event passes.
    pub fn all() -> Self {
        Self::default()
    }

    pub fn is_all(&self) -> bool {
        self.expr.is_none()
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How the filter was understood: `level >= warn AND NOT url contains /health`.
    pub fn reads_as(&self) -> String {
        match &self.expr {
            Some(expr) => prose(expr),
            None => "(everything)".to_owned(),
        }
    }
}

/// What beside the events a filter's matches depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depends {
    /// They change as time goes by: `since:5m`, `age<30s`, `since:today`.
    pub clock: bool,
    /// They change with page loads, marks, pins, groups or connections: `since:reload`, `is:new`.
    pub context: bool,
    /// Of those, on pins: `is:marked`.
    pub pins: bool,
}

impl Depends {
    /// Whether anything beside the events matters.
    pub fn any(self) -> bool {
        self.clock || self.context
    }
}

impl Filter {
    /// What must make the caller evaluate anew, with [`Matcher::set_context`].
    pub fn depends(&self) -> Depends {
        let mut depends = Depends::default();
        for term in self.expr.iter().flat_map(Expr::terms) {
            match term {
                Term::Is(place) => {
                    let name = crate::event::IS[*place].0;
                    depends.context |= matches!(name, "live" | "marked" | "new");
                    depends.pins |= name == "marked";
                }
                Term::Compare(compare) => {
                    for test in &compare.tests {
                        depends.context |= matches!(test, Test::LatestSession | Test::Moment(_));
                        depends.clock |= matches!(test, Test::Moment(_) | Test::Clock(_));
                    }
                    if let Subject::Field(field) = compare.subject {
                        depends.context |= field.kind == FieldKind::Load;
                        depends.clock |= field.kind == FieldKind::Age;
                    }
                }
                _ => {}
            }
        }
        depends
    }
}

impl fmt::Display for Filter {
    /// Canonical text, which parses to the same reading.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| display::write(expr, Style::Filter, f))
    }
}

fn prose(expr: &Expr) -> String {
    let mut out = String::new();
    display::write(expr, Style::Prose, &mut out).expect("writing to a string does not fail");
    out
}

/// Everything known of a text; what is mistaken in it is left out of the filter.
#[derive(Debug, Default)]
struct Reading {
    filter: Filter,
    errors: Vec<FilterError>,
    notes: Vec<Note>,
    /// See [`check::Checked::is_open`].
    is_open: bool,
}

impl Reading {
    /// Reads `text` without the term that ends at byte `leave_out`.
    fn of(text: &str, leave_out: Option<usize>) -> Self {
        if let Some((limit, _)) = text.char_indices().nth(MAX_CHARS) {
            let message = format!("longer than {MAX_CHARS} characters");
            let mut error = FilterError::new("E-LONG", limit..text.len(), message);
            error.place_in(text);
            return Self { errors: vec![error], ..Self::default() };
        }
        let syntax = parser::parse(text);
        let checked = check::check(&syntax, text, leave_out);
        let mut errors = syntax.errors;
        errors.extend(checked.errors);
        FilterError::place_all(&mut errors, text);
        let filter = Filter { text: text.to_owned(), expr: checked.expr };
        let mut notes = checked.notes;
        if errors.is_empty() && leave_out.is_none() {
            let tokens = &syntax.tokens;
            // A list is not mixed with anything.
            let mixed = || Some(notes::mixed(text, tokens, syntax.mixed?, &filter.reads_as()));
            let list = foreign::either(text, tokens).or_else(mixed);
            let span = list.as_ref().and_then(|note| Some(note.fix.as_ref()?.span.clone()));
            let is_outside =
                |at: &usize| span.as_ref().is_none_or(|span| !span.contains(&tokens[*at].span.start));
            let soft_words = syntax.soft_words.into_iter().filter(is_outside);
            let soft_words = soft_words.filter_map(|at| notes::soft_word(text, tokens, at));
            notes.extend(list);
            notes.extend(soft_words.take(MAX_NOTES));
            // What a sentence means says more than what its words do.
            if let Some(sentence) = foreign::sentence(text, tokens) {
                let inside = |note: &Note| {
                    sentence.span.start <= note.span.start && note.span.end <= sentence.span.end
                };
                notes.retain(|note| !inside(note));
                notes.insert(0, sentence);
            }
        }
        notes.truncate(MAX_NOTES);
        Self { filter, errors, notes, is_open: checked.is_open }
    }
}
