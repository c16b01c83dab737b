//! Messages for the mistakes that are seen in the text alone: open quotes, stray signs, operators of other tools.
//!
//! Called by the parser, which decides what is left out; the tables here decide what is said.

use super::ast::Span;
use super::display::quoted;
use super::error::FilterError;
use super::lexer::Kind;
use super::run;
use crate::event::{Field, Level, SUBTYPES, Severity, TYPES};

pub(super) fn open_quote(text: &str, span: &Span) -> FilterError {
    let quote = &text[span.start..=span.start];
    let message = format!("this quote is never closed: add {quote} at the end");
    FilterError::new("E-QUOTE", span.start..span.start + 1, message)
        .with_fix(text.len()..text.len(), quote)
        .unfinished_if(true)
}

pub(super) fn open_regexp(text: &str, slash: usize) -> FilterError {
    let slash = if text[slash..].starts_with('/') { slash } else { slash + 1 };
    let message = "this regular expression is never closed: add / at the end";
    FilterError::new("E-RECLOSE", slash..slash + 1, message)
        .with_fix(text.len()..text.len(), "/")
        .unfinished_if(true)
}

pub(super) fn empty_list(span: Span) -> FilterError {
    FilterError::new("E-EMPTY", span, "this list is empty: put values in it, like (404, 500)")
}

/// Operators of other tools and slips, with what they are here.
const OPERATORS: [(&str, &str); 20] = [
    (">>", ">"),
    ("<<", "<"),
    ("=>", ">="),
    ("=<", "<="),
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("≥", ">="),
    ("≤", "<="),
    ("≠", "!="),
    ("=~", "~"),
    ("~=", "~"),
    ("~~", "~"),
    (":=", "="),
    (":==", "=="),
    (":>", ">"),
    (":>=", ">="),
    (":<", "<"),
    (":<=", "<="),
    (":~", "~"),
];

pub(super) fn bad_operator(typed: &str, span: Span) -> FilterError {
    match OPERATORS.iter().find(|(known, _)| *known == typed) {
        Some((_, meant)) => {
            let message = format!("`{typed}` is not an operator here. Did you mean {meant} ?");
            FilterError::new("E-OP", span.clone(), message).with_fix(span, *meant)
        }
        None => {
            let message = format!("`{typed}` is not an operator here: use one of : = == != < <= > >= ~ !~");
            FilterError::new("E-OP", span, message)
        }
    }
}

/// The message for a token that is a mistake by itself.
pub(super) fn mistake(kind: &Kind, text: &str, span: Span) -> FilterError {
    let typed = &text[span.clone()];
    match kind {
        Kind::LoneSign => {
            FilterError::new("E-NOTEND", span, format!("`{typed}` needs something to leave out"))
                .unfinished_if(true)
        }
        Kind::Pipe => FilterError::new(
            "E-PIPE",
            span.clone(),
            "`|` pipelines are not supported. For either/or write ||. \
             For counts and percentiles open Errors (2) or Latency (3)",
        )
        .with_fix(span.clone(), "||")
        // It may become `||`.
        .unfinished_if(span.end == text.len()),
        Kind::Keyword => keyword(text, span),
        Kind::Aggregate => aggregate(typed, span.clone()),
        Kind::BadFlags => FilterError::new(
            "E-REFLAG",
            span,
            format!("`{typed}` is no flag: after the last / only c (match case) may stand; inside write \\/"),
        ),
        _ if typed == "~" => loose_pattern(text, span),
        _ => FilterError::new(
            "E-NOFIELD",
            span.clone(),
            format!(
                "`{typed}` needs a field before it, like status=404. To search for this text, put it in quotes"
            ),
        )
        .with_fix(with_run(text, &span), quoted(&text[with_run(text, &span)]))
        // It may become `<Tag`.
        .unfinished_if(typed == "<" && span.end == text.len()),
    }
}

/// `~timeout`
fn loose_pattern(text: &str, sign: Span) -> FilterError {
    let whole = with_run(text, &sign);
    let pattern = &text[sign.end..whole.end];
    let message = "`~` needs a field before it, like url~/users/. To look in any value write ~/text/";
    let edit = match pattern.is_empty() || pattern.contains('/') {
        true => quoted(&text[whole.clone()]),
        false => format!("~/{pattern}/"),
    };
    // It may become `~/x/`.
    let is_last = sign.end == text.len();
    FilterError::new("E-NOFIELD", sign, message).with_fix(whole, edit).unfinished_if(is_last)
}

/// A sign with the run it belongs to.
fn with_run(text: &str, sign: &Span) -> Span {
    sign.start..sign.end + run::bare(&text[sign.end..], run::Ends::Space).len()
}

/// `GET, POST`: the run at `start`, and those after it as long as commas stand between.
pub(super) fn loose_items(text: &str, start: usize) -> Span {
    let mut end = start;
    loop {
        let at = end + run::spaces(&text[end..]);
        let item = run::bare(&text[at..], run::Ends::Space);
        if item.is_empty() {
            return start..end;
        }
        end = at + item.len();
        if !item.ends_with(',') {
            return start..end;
        }
    }
}

fn aggregate(typed: &str, span: Span) -> FilterError {
    let (name, rest) = typed.split_once('(').unwrap_or((typed, ""));
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let field = if Field::find(inside).is_some() { inside } else { "duration" };
    let after = if after.is_empty() { ">200ms" } else { after };
    let message = format!(
        "`{name}(…)` is an aggregate, not a filter. Percentiles and counts are in Latency (3); here write {field}{after}"
    );
    FilterError::new("E-AGG", span.clone(), message).with_fix(span, format!("{field}{after}"))
}

/// `:error`: the fields that have such a value are named, the ordered ones first.
fn keyword(text: &str, span: Span) -> FilterError {
    let typed = &text[span.clone()];
    let word = typed.trim_start_matches(':');
    let fields: Vec<String> = [
        ("level", Level::parse(word).is_some()),
        ("type", TYPES.contains(&word)),
        ("severity", Severity::parse(word).is_some()),
        ("subtype", SUBTYPES.contains(&word)),
    ]
    .into_iter()
    .filter(|(_, takes)| *takes)
    .map(|(field, _)| format!("{field}:{word}"))
    .collect();
    let is_known = !fields.is_empty();
    let ways = if is_known { fields.join(" or ") } else { format!("subtype:{word} or id:{word}") };
    let message = format!("`{typed}` is a keyword, but of which field? Write {ways}");
    // `:browser` may become `:browser/api-call`; a word that has a meaning already is taken as meant.
    let error = FilterError::new("E-KEYWORD", span.clone(), message)
        .unfinished_if(!is_known && span.end == text.len());
    match fields.first() {
        Some(first) => error.with_fix(span, first.clone()),
        None => error,
    }
}
