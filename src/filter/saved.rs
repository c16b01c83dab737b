//! `saved:name` replaced by the text it stands for, so that the text stays the whole truth.
//!
//! Called by the bar on Enter and by commands, before the text is parsed. Where saved filters are kept is the
//! caller's business.

use super::ast::{Comparison, Op, Span};
use super::error::FilterError;
use super::lexer::{self, Kind};
use super::{MAX_CHARS, parse};
use crate::event::json;

/// The code of everything that is wrong with `saved:`.
pub(super) const CODE: &str = "E-SAVED";
/// Saved filters may name others, at most this deep.
const MAX_DEPTH: usize = 8;

/// This replaces every `saved:name` in `text` by what `find` knows under that name, in brackets.
///
/// # Errors
/// If there is no such saved filter (one of a similar name is offered), if a saved one is mistaken, if they name
/// each other in a circle or more than eight deep, or if the result is longer than a filter may be.
pub fn expand_saved(text: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<String, FilterError> {
    expand(text, find, &mut Vec::new()).map_err(|mut error| {
        error.place_in(text);
        error
    })
}

/// Depth is bounded by [`MAX_DEPTH`].
fn expand(
    text: &str,
    find: &dyn Fn(&str) -> Option<String>,
    open: &mut Vec<String>,
) -> Result<String, FilterError> {
    let mut out = String::new();
    let mut at = 0;
    for (name, span) in references(text)? {
        let refuse = |message: String| Err(FilterError::new(CODE, span.clone(), message));
        let Some(saved) = find(&name) else { return Err(unknown(&name, &span, find)) };
        if open.contains(&name) || open.len() == MAX_DEPTH {
            return refuse(format!(
                "the saved filter `{name}` names itself, or others more than {MAX_DEPTH} deep"
            ));
        }
        open.push(name.clone());
        let inner = expand(saved.trim(), find, open)
            .or_else(|error| refuse(format!("the saved filter `{name}` is mistaken: {}", error.message)))?;
        open.pop();
        if let Some(error) = parse(&inner).errors.first() {
            return refuse(format!("the saved filter `{name}` is mistaken: {}", error.message));
        }
        out.push_str(&text[at..span.start]);
        out.push_str(&if inner.is_empty() { "(*)".to_owned() } else { format!("({inner})") });
        at = span.end;
        if out.chars().nth(MAX_CHARS).is_some() {
            return refuse(format!(
                "with the saved filter `{name}` this is longer than {MAX_CHARS} characters"
            ));
        }
    }
    out.push_str(&text[at..]);
    Ok(out)
}

/// The names asked for, each with the place of its whole term.
fn references(text: &str) -> Result<Vec<(String, Span)>, FilterError> {
    let tokens = lexer::tokens(text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Kind::Field(path) = &token.kind else { continue };
        if !is_saved(path) || tokens.get(at + 1).map(|token| &token.kind) != Some(&Kind::Op(Op::Has)) {
            continue;
        }
        let Some(value) = tokens.get(at + 2) else { continue };
        let name = match &value.kind {
            Kind::Value => text[value.span.clone()].to_owned(),
            Kind::Quoted(name, true) => name.clone(),
            // No value yet, or an open quote, which the parser reports.
            Kind::List(..) => {
                let message = "saved: takes one name, like saved:api-trouble";
                return Err(FilterError::new(CODE, value.span.clone(), message));
            }
            _ => continue,
        };
        found.push((name, token.span.start..value.span.end));
    }
    Ok(found)
}

/// For a `saved:name` that nobody replaced: it waits for Enter, which replaces it.
pub(super) fn not_replaced(written: &Comparison) -> FilterError {
    let span = written.field_span.start..written.operand_span.end;
    let message = "saved: is replaced by the saved filter on Enter, in the console";
    FilterError::new(CODE, span, message).unfinished_if(true)
}

/// True for the name before the colon of `saved:name`.
pub(super) fn is_saved(path: &[String]) -> bool {
    matches!(path, [name] if json::same_name(name.strip_prefix('@').unwrap_or(name), "saved"))
}

fn unknown(name: &str, span: &Span, find: &dyn Fn(&str) -> Option<String>) -> FilterError {
    let meant = similar(name).find(|name| find(name).is_some());
    let hint = meant
        .as_ref()
        .map_or_else(|| ". F lists them".to_owned(), |meant| format!(". Did you mean saved:{meant}?"));
    let error = FilterError::new(CODE, span.clone(), format!("no filter is saved as `{name}`{hint}"));
    match meant {
        Some(meant) => error.with_fix(span.clone(), format!("saved:{meant}")),
        None => error,
    }
}

/// Names one slip away: a letter missing, doubled, wrong, or two swapped. The caller can only be asked for whole
/// names, so they are made and tried.
fn similar(name: &str) -> impl Iterator<Item = String> {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    // A longer name is no slip of a name that people type.
    let letters: Vec<char> = name.chars().take(40).collect();
    let count = letters.len();
    let make = |at: usize, drop: usize, put: &[char]| {
        letters[..at].iter().chain(put).chain(&letters[at + drop..]).collect::<String>()
    };
    let mut names = vec![name.to_lowercase()];
    names.extend((1..count).map(|at| make(at - 1, 2, &[letters[at], letters[at - 1]])));
    names.extend((0..count).map(|at| make(at, 1, &[])));
    for letter in LETTERS.chars() {
        names.extend((0..count).map(|at| make(at, 1, &[letter])));
        names.extend((0..=count).map(|at| make(at, 0, &[letter])));
    }
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<String> {
        let text = match name {
            "api-trouble" => "url:/api status>=400 or is:slow",
            "mine" => "-saved:api-trouble user:me",
            "nothing" => " ",
            "loop" => "saved:loop2",
            "loop2" => "a saved:loop",
            "broken" => "level:wran",
            _ => return None,
        };
        Some(text.to_owned())
    }

    #[test]
    fn names_are_replaced_by_their_text_in_brackets() {
        for (text, expected) in [
            ("level:error", "level:error"),
            ("saved:api-trouble -x", "(url:/api status>=400 or is:slow) -x"),
            ("-saved:mine", "-(-(url:/api status>=400 or is:slow) user:me)"),
            ("saved:\"nothing\"", "(*)"),
            ("\"saved:mine\" saved:", "\"saved:mine\" saved:"),
        ] {
            assert_eq!(expand_saved(text, &known).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_told() {
        for (text, column, message, fix) in [
            ("x saved:api-trubble", 3, "no filter is saved as `api-trubble`. F lists them", None),
            (
                "x saved:api-truoble",
                3,
                "no filter is saved as `api-truoble`. Did you mean saved:api-trouble?",
                Some("x saved:api-trouble"),
            ),
            ("saved:MINE", 1, "no filter is saved as `MINE`. Did you mean saved:mine?", Some("saved:mine")),
            (
                "saved:broken",
                1,
                "the saved filter `broken` is mistaken: unknown level `wran`. Did you mean warn? (trace debug info warn error fatal report)",
                None,
            ),
            ("saved:(mine)", 7, "saved: takes one name, like saved:api-trouble", None),
        ] {
            let error = expand_saved(text, &known).expect_err(text);
            assert_eq!((error.column, error.message.as_str()), (column, message));
            assert_eq!(error.fix.map(|fix| fix.apply(text)).as_deref(), fix);
        }
        assert!(expand_saved("saved:loop", &known).expect_err("a circle").message.contains("names itself"));
        let many = expand_saved(&"saved:api-trouble ".repeat(200), &known).expect_err("too long");
        assert!(many.message.contains("longer than 4096 characters"));
    }
}
