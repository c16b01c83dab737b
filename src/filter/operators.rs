//! Which parts of a text are operators and not words, to be drawn apart.
//!
//! Called by the bar for each frame; a text that is mistaken has operators too.

use std::ops::Range;

use super::lexer::Kind;
use super::{MAX_CHARS, parser};

/// The bytes of the ands, ors, nots and brackets of `text`, in order; none of a text that is too long to be one.
pub fn operators(text: &str) -> Vec<Range<usize>> {
    if text.len() > MAX_CHARS * 4 {
        return Vec::new();
    }
    let is_operator =
        |kind: &Kind| matches!(kind, Kind::Open | Kind::Close | Kind::And(_) | Kind::Or(_) | Kind::Not(_));
    let tokens = parser::parse(text).tokens;
    tokens.into_iter().filter(|token| is_operator(&token.kind)).map(|token| token.span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_only_look_like_operators_are_none() {
        for (text, expected) in [
            ("level:error or -is:slow", vec!["or", "-"]),
            ("(a || b) AND NOT c:d", vec!["(", "||", ")", "AND", "NOT"]),
            ("x is not a function or so", vec![]),
            ("not found level:error and y", vec!["and"]),
            ("status:(404, 500) foo(bar)", vec![]),
            ("level:error or (", vec!["or", "("]),
        ] {
            let found: Vec<&str> = operators(text).into_iter().map(|span| &text[span]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn they_stand_apart_in_any_text(text in super::super::props::pieces()) {
            let mut end = 0;
            for span in operators(&text) {
                proptest::prop_assert!(span.start >= end && text.get(span.clone()).is_some());
                end = span.end;
            }
        }
    }
}
