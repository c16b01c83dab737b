//! What a filter means while the cursor stands in the middle of it.
//!
//! Called by the bar at each key. The text up to the cursor says whether the term there can still become right;
//! if so it is left out, whatever follows it, and the rest applies. At the end of the text this is
//! [`while_typing`].

use super::ast::Span;
use super::lexer::{Kind, Token};
use super::run::{self, Ends};
use super::typing::{State, Typing, while_typing};
use super::{Filter, FilterError, MAX_CHARS, Reading, parser};

/// Stands for the term that is left out; like a term it makes operators of the soft words beside it.
const PLACE: &str = "\"\"";

/// Judges `text` with the cursor at byte `cursor`; what is unfinished there is left out, and elsewhere an error.
pub fn while_typing_at(text: &str, cursor: usize) -> Typing {
    let Some((before, after)) = text.split_at_checked(cursor) else { return while_typing(text, false) };
    if run::spaces(after) == after.len() {
        return while_typing(before, true);
    }
    if text.chars().nth(MAX_CHARS).is_some() {
        return while_typing(text, false);
    }
    let tokens = parser::settled_tokens(text);
    let whole = Reading::of(text, None);
    let at_rest = || at_rest(text, cursor);
    let Some(start) = term_before(before).filter(|start| is_term(&tokens, *start)) else { return at_rest() };
    if whole.errors.is_empty() && term_end(&tokens, start) != cursor {
        return at_rest();
    }
    let here = while_typing(&before[start..], true);
    match here.state {
        State::Hold if whole.errors.iter().all(|error| is_open_around(error, text, cursor)) => {
            let applied = Reading::of(text, Some(cursor)).filter;
            Typing { state: State::Hold, applied, error: None }
        }
        State::Pending => {
            let takes_rest =
                |error: &FilterError| error.unfinished && (start..cursor).contains(&error.span.start);
            let end = if whole.errors.iter().any(|error| takes_rest(error) && error.code != "E-NOVAL") {
                text.len()
            } else {
                cursor + run::bare(after, Ends::Space).len()
            };
            without(text, cursor, start..end, here.error)
        }
        _ => at_rest(),
    }
}

/// `text` as it stands, but for what is open around the cursor.
fn at_rest(text: &str, cursor: usize) -> Typing {
    let mut typing = while_typing(text, false);
    let reading = Reading::of(text, None);
    if typing.state == State::Error && reading.errors.iter().all(|error| is_open_around(error, text, cursor))
    {
        typing.state = State::Pending;
    }
    typing
}

/// A bracket that is still to be closed, or an operator right before the cursor.
fn is_open_around(error: &FilterError, text: &str, cursor: usize) -> bool {
    let is_before = error.span.end <= cursor;
    let touches = || run::spaces(&text[error.span.end..cursor]) == cursor - error.span.end;
    is_before && (error.code == "E-LP" || matches!(error.code, "E-BINEND" | "E-NOTEND") && touches())
}

/// The text without the unfinished term at `span`.
fn without(text: &str, cursor: usize, span: Span, own: Option<FilterError>) -> Typing {
    let left = [&text[..span.start], PLACE, &text[span.end..]].concat();
    let place = span.start + PLACE.len();
    let reading = Reading::of(&left, Some(place));
    let back = |at: usize| if at < place { at } else { at - place + span.end };
    let moved = |mut error: FilterError| {
        error.span = back(error.span.start)..back(error.span.end);
        error.fix = error.fix.map(|fix| super::Fix::new(back(fix.span.start)..back(fix.span.end), fix.text));
        error.place_in(text);
        error
    };
    let mut errors = reading.errors.into_iter().map(moved);
    if let Some(error) = errors.find(|error| !is_open_around(error, text, cursor)) {
        return Typing { state: State::Error, applied: Filter::all(), error: Some(error) };
    }
    let own = own.map(|mut error| {
        let shift = |at: &Span| at.start + span.start..at.end + span.start;
        error.fix = error.fix.map(|fix| super::Fix::new(shift(&fix.span), fix.text));
        error.span = shift(&error.span);
        error.place_in(text);
        error
    });
    Typing { state: State::Pending, applied: reading.filter, error: own }
}

/// Where the term that the cursor touches begins, in the text before the cursor.
fn term_before(before: &str) -> Option<usize> {
    let tokens = parser::settled_tokens(before);
    let last = tokens.last()?;
    let is_waiting = matches!(last.kind, Kind::Op(_));
    if last.span.end != before.trim_end_matches(run::is_space).len()
        || last.span.end != before.len() && !is_waiting
    {
        return None;
    }
    let first = tokens.iter().rev().find(|token| !belongs_to_field(&token.kind))?;
    Some(first.span.start)
}

/// Whether the kind stands behind the name of a field, in the same term.
fn belongs_to_field(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Op(_)
            | Kind::BadOp
            | Kind::Value
            | Kind::Quoted(..)
            | Kind::Pattern(..)
            | Kind::List(..)
            | Kind::NoList
            | Kind::BadFlags
    )
}

/// Where the term ends that begins at `start`.
fn term_end(tokens: &[Token], start: usize) -> usize {
    let mut here = tokens.iter().skip_while(|token| token.span.start < start);
    let first = here.next().map_or(start, |token| token.span.end);
    here.take_while(|token| belongs_to_field(&token.kind)).last().map_or(first, |token| token.span.end)
}

/// Whether a term begins at `start`, and no sign.
fn is_term(tokens: &[Token], start: usize) -> bool {
    let token = tokens.iter().find(|token| token.span.start == start);
    token.is_some_and(|token| {
        !matches!(token.kind, Kind::Open | Kind::Close | Kind::And(_) | Kind::Or(_) | Kind::Not(_))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::props;
    use super::State::{Error, Hold, Pending, Valid};
    use super::*;

    #[test]
    fn the_term_at_the_cursor_is_left_out_and_the_rest_applies() {
        let mut wrong = Vec::new();
        for (text, state, applied) in [
            ("sta‸ level:error", Hold, "level = error"),
            ("a sta‸ b", Hold, "\"a\" AND \"b\""),
            ("timeo‸ level:error", Valid, "\"timeo\" AND level = error"),
            ("level:er‸ x", Pending, "\"x\""),
            ("-level:er‸ x", Pending, "\"x\""),
            ("a:b or level:er‸ x", Pending, "a contains b OR \"x\""),
            ("level:wa‸n x", Pending, "\"x\""),
            ("level:wr‸an x", Error, ""),
            ("level:error‸ x", Valid, "level = error AND \"x\""),
            ("lev‸el:error x", Valid, "level = error AND \"x\""),
            ("status:‸ level:error", Pending, "level = error"),
            ("status>=‸ is:slow", Pending, "is = slow"),
            ("status‸ >= 500", Valid, "status >= 500"),
            ("status:5x‸ x", Pending, "\"x\""),
            ("status:4‸ x", Pending, "\"x\""),
            ("status:4‸04 x", Valid, "status = 404 AND \"x\""),
            ("(sta‸ or level:error", Hold, "level = error"),
            ("(level:er‸ or is:slow", Pending, "is = slow"),
            ("(level:error or ‸) url:/x", Pending, "level = error AND url contains /x"),
            ("(level:error or sta‸) url:/x", Hold, "level = error AND url contains /x"),
            ("message:\"ab‸ level:error", Pending, "(everything)"),
            (
                "x message:\"a‸b level:error\" y",
                Valid,
                "\"x\" AND message contains \"ab level:error\" AND \"y\"",
            ),
            ("level:er‸ status:4oo", Error, ""),
            ("level:er‸ ", Pending, "(everything)"),
            ("a or‸ b", Valid, "\"a\" AND \"or\" AND \"b\""),
            ("a:b or‸ c", Valid, "a contains b OR \"c\""),
            ("‸level:wran", Error, ""),
            ("", State::Empty, "(everything)"),
        ] {
            let cursor = text.find('‸').unwrap_or(0);
            let typing = while_typing_at(&text.replace('‸', ""), cursor);
            let reading = if typing.state == Error { String::new() } else { typing.applied.reads_as() };
            if (typing.state, reading.as_str()) != (state, applied) {
                wrong.push(format!("{text}: {:?} {reading} {:?}", typing.state, typing.error));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    #[test]
    fn a_mistake_elsewhere_is_told_at_its_own_place() {
        let typing = while_typing_at("level:er status:4oo", 8);
        let error = typing.error.expect("a mistake");
        assert_eq!((error.code, error.column, error.len, error.span), ("E-NUM", 17, 3, 16..19));
        let typing = while_typing_at("x level:er y", 10);
        let error = typing.error.expect("unfinished");
        assert_eq!((error.code, error.column, error.len), ("E-ENUM", 9, 2));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_at_any_cursor(text in props::pieces(), cursor in 0usize..40) {
            let typing = while_typing_at(&text, cursor);
            if let Some(error) = &typing.error {
                prop_assert!(error.span.end <= text.len() && text.get(error.span.clone()).is_some());
            }
        }

        #[test]
        fn what_is_whole_is_held_or_left_out_but_never_an_error(text in props::filters(), cursor in 0usize..40) {
            prop_assume!(super::super::parse(&text).errors.is_empty());
            let state = while_typing_at(&text, cursor).state;
            prop_assert_ne!(state, State::Error);
        }
    }
}
