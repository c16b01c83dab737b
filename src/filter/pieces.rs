//! The terms of a filter's text that stand side by side at the top, each with its place.
//!
//! Called by the edits that keys make and by the notes that offer one. It looks at the text alone, so a text with
//! mistakes has pieces too.

use super::ast::Span;
use super::lexer::{Kind, Token};
use super::parser;

/// A text taken apart.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Terms with their signs, groups with their brackets; from the left.
    pub(super) terms: Vec<Span>,
    /// Operators between terms, with whether each is an or.
    pub(super) operators: Vec<(Span, bool)>,
    /// The words among the terms that would be operators beside structure.
    pub(super) soft_words: Vec<Span>,
}

impl Pieces {
    /// Takes `text` apart.
    pub(super) fn of(text: &str) -> Self {
        Self::of_tokens(text, &parser::settled_tokens(text))
    }

    /// As [`Pieces::of`], for settled tokens of a part of `text`.
    pub(super) fn of_tokens(text: &str, tokens: &[Token]) -> Self {
        let mut pieces = Self::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token.kind {
                Kind::And(_) | Kind::Or(_) => {
                    pieces.operators.push((token.span.clone(), matches!(token.kind, Kind::Or(_))));
                    at += 1;
                }
                _ => {
                    let end = term_end(tokens, at);
                    pieces.terms.push(token.span.start..tokens[end - 1].span.end);
                    at = end;
                }
            }
        }
        let is_soft =
            |token: &&Token| token.kind == Kind::Word && is_operator_word(&text[token.span.clone()]);
        pieces.soft_words = tokens.iter().filter(is_soft).map(|token| token.span.clone()).collect();
        pieces
    }

    pub(super) fn has_or(&self) -> bool {
        self.operators.iter().any(|(_, is_or)| *is_or)
    }
}

fn is_operator_word(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

/// The token after the term that begins at `at`; always beyond `at`.
fn term_end(tokens: &[Token], mut at: usize) -> usize {
    while matches!(tokens.get(at).map(|token| &token.kind), Some(Kind::Not(_))) {
        at += 1;
    }
    match tokens.get(at).map(|token| &token.kind) {
        Some(Kind::Open) => group_end(tokens, at),
        Some(Kind::Field(_)) => {
            let is_value = |kind: &Kind| {
                matches!(
                    kind,
                    Kind::Value | Kind::Quoted(..) | Kind::Pattern(..) | Kind::List(..) | Kind::NoList
                )
            };
            at += 2;
            at += usize::from(tokens.get(at).is_some_and(|token| is_value(&token.kind)));
            at += usize::from(tokens.get(at).is_some_and(|token| token.kind == Kind::BadFlags));
            at.min(tokens.len())
        }
        Some(Kind::And(_) | Kind::Or(_)) | None => at,
        Some(Kind::AnyRegexp(..)) => {
            at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.kind == Kind::BadFlags))
        }
        Some(_) => at + 1,
    }
}

/// The token after the bracket that closes the one at `open`, or the end.
fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_keep_their_signs_and_brackets() {
        for (text, terms, operators) in [
            ("", vec![], 0),
            ("a -b:c", vec!["a", "-b:c"], 0),
            (
                "not url:/x and (a or b) status in (1, 2)",
                vec!["not url:/x", "(a or b)", "status in (1, 2)"],
                1,
            ),
            ("level:error or", vec!["level:error"], 1),
            ("url~/a b/x ((", vec!["url~/a b/x", "(("], 0),
            ("timeout or refused", vec!["timeout", "or", "refused"], 0),
            ("NOT", vec!["NOT"], 0),
            ("status:", vec!["status:"], 0),
        ] {
            let pieces = Pieces::of(text);
            let found: Vec<&str> = pieces.terms.iter().map(|span| &text[span.clone()]).collect();
            assert_eq!((found, pieces.operators.len()), (terms, operators), "{text}");
        }
    }
}
