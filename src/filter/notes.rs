//! Notes: what a valid filter may not mean, each with the edit that makes it mean the other thing.
//!
//! Made from the text alone by `check` and [`super::Reading`]; what only the events can tell is said elsewhere
//! (FILTER: notes).

use super::ast::{Comparison, Op, Operand, Scalar, Span};
use super::display::value_text;
use super::error::{Fix, Note, said};
use super::glob::Glob;
use super::kinds;
use super::lexer::{self, Kind, Token};
use super::parser;
use super::pieces::Pieces;
use super::run;
use super::typed::NumberTest;
use super::value::{DURATIONS, SIZES};
use crate::event::{Column, Field, FieldKind};

/// More notes than this help nobody.
pub(super) const MAX_NOTES: usize = 8;

pub(super) fn note(code: &'static str, span: Span, message: String, fix: Option<Fix>) -> Note {
    Note { code, span, message: said(&message), fix, only_without_matches: false }
}

/// N-MIXED: or stands beside and, both without brackets, in `span`; `reading` is the whole filter's.
pub(super) fn mixed(text: &str, tokens: &[Token], span: Span, reading: &str) -> Note {
    let is_inside = |token: &&Token| span.start <= token.span.start && token.span.end <= span.end;
    let inside: Vec<Token> = tokens.iter().filter(is_inside).cloned().collect();
    let chains = or_chains(&Pieces::of_tokens(text, &inside));
    let fix = Fix::new(span.clone(), with_brackets(text, &span, &chains, &Pieces::of_tokens(text, &inside)));
    let is_right = parser::parse(&fix.apply(text)).errors.is_empty();
    let message = if is_right {
        format!("reads as  {reading} · Tab puts ( ) around the or part")
    } else {
        format!("reads as  {reading}")
    };
    note("N-MIXED", chains.first().cloned().unwrap_or(span), message, is_right.then_some(fix))
}

/// From the first to the last of the terms that or joins directly.
fn or_chains(pieces: &Pieces) -> Vec<Span> {
    let mut chains: Vec<Span> = Vec::new();
    for (or, _) in pieces.operators.iter().filter(|(_, is_or)| *is_or) {
        let right = pieces.terms.partition_point(|term| term.start < or.end);
        let left = right.checked_sub(1).and_then(|left| pieces.terms.get(left));
        let (Some(left), Some(right)) = (left, pieces.terms.get(right)) else { continue };
        match chains.last_mut() {
            Some(chain) if chain.end == left.end => chain.end = right.end,
            _ => chains.push(left.start..right.end),
        }
    }
    chains
}

/// The text of `span` with each of `chains` in brackets and the words that brackets would make operators of in
/// quotes.
fn with_brackets(text: &str, span: &Span, chains: &[Span], pieces: &Pieces) -> String {
    let mut marks: Vec<(usize, &str)> = Vec::new();
    for chain in chains {
        marks.extend([(chain.start, "("), (chain.end, ")")]);
    }
    for word in &pieces.soft_words {
        marks.extend([(word.start, "\""), (word.end, "\"")]);
    }
    // A bracket that opens stands before a quote that does, and one that closes after.
    marks.sort_by_key(|(at, mark)| (*at, *mark == ")"));
    let mut out = String::new();
    let mut at = span.start;
    for (place, mark) in marks {
        out.push_str(&text[at..place]);
        out.push_str(mark);
        at = place;
    }
    out.push_str(&text[at..span.end]);
    out
}

/// N-OR: the soft operator at `at` was read as a word; `tokens` are settled. In a sentence, as in `x is not a function`,
/// nobody means an operator by `not`.
pub(super) fn soft_word(text: &str, tokens: &[Token], at: usize) -> Option<Note> {
    let span = tokens[at].span.clone();
    let word = text[span.clone()].to_lowercase();
    let side = |token: Option<&Token>| {
        token.filter(|token| token.kind == Kind::Word).map(|token| &text[token.span.clone()])
    };
    let before = side(at.checked_sub(1).and_then(|before| tokens.get(before)));
    let after = side(tokens.get(at + 1));
    let is_operator = |word: &str| ["and", "or"].iter().any(|known| known.eq_ignore_ascii_case(word));
    if word == "not" && before.is_some_and(|before| !is_operator(before)) {
        return None;
    }
    let until_next = || span.start..tokens.get(at + 1).map_or(span.end, |next| next.span.start);
    let (advice, fix) = match (word.as_str(), before, after) {
        ("or", Some(before), Some(after)) => {
            (format!("For either of the two write  {before} || {after}"), Fix::new(span.clone(), "||"))
        }
        ("not", _, Some(after)) => {
            let takes_minus = after.starts_with(lexer::may_be_negated);
            let sign = if takes_minus { "-" } else { "NOT " };
            (format!("To leave out what follows write  {sign}{after}"), Fix::new(until_next(), sign))
        }
        ("and", Some(_), Some(_)) => ("Leave it out to look for both".to_owned(), Fix::new(until_next(), "")),
        _ => (format!("To look for it write  \"{word}\""), Fix::new(span.clone(), format!("\"{word}\""))),
    };
    let message = format!("read as the word \"{word}\". {advice}");
    Some(Note { only_without_matches: word != "not", ..note("N-OR", span, message, Some(fix)) })
}

/// N-SLASH: a word like `/a|b/` is no regular expression here.
pub(super) fn slash(scalar: &Scalar) -> Option<Note> {
    let text = &scalar.text;
    let inside = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))?;
    if scalar.is_quoted || !is_like_regexp(inside) {
        return None;
    }
    let start = scalar.span.start;
    let message = format!("this is text. For a regular expression write ~{text}");
    Some(note("N-SLASH", scalar.span.clone(), message, Some(Fix::new(start..start, "~"))))
}

/// Whether what stands between slashes is more than a path.
pub(super) fn is_like_regexp(inside: &str) -> bool {
    inside.contains(['|', '\\', '[', '(', '^', '$', '+']) || inside.contains(".*")
}

/// N-HAS: a word that is the name of a field, which elsewhere asks for the events that have it.
pub(super) fn field_name(text: &str, scalar: &Scalar) -> Option<Note> {
    let field = Field::find(&scalar.text).filter(|_| !scalar.is_quoted)?;
    let is_always_there =
        matches!(field.column, Column::Predicate | Column::Inst | Column::Level | Column::Lag)
            || matches!(field.kind, FieldKind::Type);
    if is_always_there {
        return None;
    }
    let term = format!("has:{}", field.name);
    let message = format!("looking for the text. For events that have it: {term}");
    // In a sentence it is a word like any other.
    let is_alone = text.trim() == scalar.text;
    let found = note("N-HAS", scalar.span.clone(), message, Some(Fix::new(scalar.span.clone(), term)));
    Some(Note { only_without_matches: !is_alone, ..found })
}

/// N-OR: `not(level:error)` is one word, as `foo(bar)` is.
pub(super) fn glued(text: &str, scalar: &Scalar) -> Option<Note> {
    let (word, rest) = scalar.text.split_once('(').filter(|_| !scalar.is_quoted)?;
    let advice = match word.to_ascii_lowercase().as_str() {
        "not" => "To leave out what is in the brackets write",
        "and" | "or" => "To join what is in the brackets write",
        _ => return None,
    };
    let at = scalar.span.start + word.len();
    let fix = Fix::new(at..at, " ");
    let is_right = parser::parse(&fix.apply(text)).errors.is_empty();
    let message = format!("read as one word. {advice}  {word} ({rest}");
    is_right.then(|| note("N-OR", scalar.span.clone(), message, Some(fix)))
}

/// N-LIST: a name with a comma is one value, where a list may be meant.
pub(super) fn several(written: &Comparison, scalar: &Scalar) -> Option<Note> {
    let error = kinds::several(written, scalar, |_| true)?;
    let (list, fix) = (error.fix.as_ref()?.text.clone(), error.fix);
    let message = format!("{} is one value; for any of several write {}{list}", scalar.text, written.field);
    Some(Note { only_without_matches: true, ..note("N-LIST", scalar.span.clone(), message, fix) })
}

/// N-PLACE: a file with a line behind it, as stacks and lists write places; the line is a field of its own.
pub(super) fn place(written: &Comparison, scalar: &Scalar) -> Option<Note> {
    let mut parts = scalar.text.split(':');
    let (file, line) = (parts.next()?, parts.next()?);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if scalar.is_quoted || file.is_empty() || !is_number(line) || !parts.all(is_number) {
        return None;
    }
    // In brackets it can be left out as a whole.
    let term = format!("({}:{file} line:{line})", written.field);
    let message = format!("the line is no part of the file; for this place write {term}");
    let span = written.field_span.start..scalar.span.end;
    Some(note("N-PLACE", scalar.span.clone(), message, Some(Fix::new(span, term))))
}

/// N-CODE: `code:1006` asks for a status, which has no such number; N-STATUS: none is 0 either.
pub(super) fn status(written: &Comparison, scalar: &Scalar, number: &NumberTest) -> Option<Note> {
    /// The first code that a WebSocket closes with.
    const FIRST_CLOSE: f64 = 1_000.0;
    let (low, high) = (number.bounds.low.near, number.bounds.high.near);
    if low.is_finite() && low >= FIRST_CLOSE {
        let meant = format!("close-code{}{}", written.op_text, scalar.text);
        let message = format!("no status is that. For the code that a WebSocket closed with write  {meant}");
        let fix = Fix::new(written.field_span.clone(), "close-code");
        return Some(note("N-CODE", written.field_span.clone(), message, Some(fix)));
    }
    if (low, high) != (0.0, 0.0) || written.op == Op::Ne {
        return None;
    }
    let meant = "(is:failed no:status)";
    let message = format!("no status is that. For requests without an answer write  {meant}");
    let fix = Fix::new(written.field_span.start..scalar.span.end, meant);
    let is_alone = matches!(written.operand, Operand::Scalar(_));
    Some(note("N-STATUS", scalar.span.clone(), message, is_alone.then_some(fix)))
}

/// N-UNIT: a number without a unit; N-SPACE: the unit stands apart and is a word.
pub(super) fn unit(text: &str, scalar: &Scalar, reading: String) -> Note {
    let after = text[scalar.span.end..].trim_start_matches(run::is_space);
    let word = &after[..after.find(|c: char| run::is_space(c) || c == ')').unwrap_or(after.len())];
    let is_duration = DURATIONS.iter().any(|(unit, _)| reading.ends_with(unit));
    let units: &[(&str, f64)] = if is_duration { &DURATIONS } else { &SIZES };
    if after.len() < text.len() - scalar.span.end
        && units.iter().any(|(unit, _)| unit.eq_ignore_ascii_case(word))
    {
        let whole = format!("{}{word}", scalar.text);
        let message = format!(
            "{} is read as {reading}, and {word} as a word. With its unit write  {whole}",
            scalar.text
        );
        let end = text.len() - after.len() + word.len();
        return note(
            "N-SPACE",
            scalar.span.start..end,
            message,
            Some(Fix::new(scalar.span.start..end, whole)),
        );
    }
    let message = format!("{} is read as {reading}", scalar.text);
    note("N-UNIT", scalar.span.clone(), message, Some(Fix::new(scalar.span.clone(), reading)))
}

/// A value asked of a field that has at most one.
#[derive(Debug)]
pub(super) struct OnlyValue {
    pub(super) field: &'static str,
    pub(super) value: String,
    /// Of the term, if it stands by itself.
    pub(super) span: Option<Span>,
}

/// N-NEVER: two values asked of a field that has one.
pub(super) fn never(text: &str, first: &OnlyValue, second: &OnlyValue) -> Note {
    let item = |value: &OnlyValue| value_text(&Glob::literal(value.value.as_str()).to_text());
    let list = format!("{} in ({}, {})", first.field, item(first), item(second));
    let fix = first.span.clone().zip(second.span.clone()).filter(|(one, other)| one.end <= other.start);
    let fix = fix.map(|(one, other)| {
        let between = &text[one.end..other.start];
        let kept = match lexer::tokens(between).last() {
            Some(Token { kind: Kind::And(_), span }) => &between[..span.start],
            _ => between,
        };
        Fix::new(one.start..other.end, format!("{list}{}", kept.trim_end()))
    });
    // A term alone in brackets would leave them empty.
    let fix = fix.filter(|fix| parser::parse(&fix.apply(text)).errors.is_empty());
    let span = second.span.clone().unwrap_or(0..text.len());
    note("N-NEVER", span, format!("no event can be both; write {list}"), fix)
}
