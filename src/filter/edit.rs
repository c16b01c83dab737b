//! The edits that keys make in a filter's text: add a term, take it out again, drop the last one.
//!
//! Called by the filter bar and by the keys of the views. What a text means decides, not how it is written: each
//! edit is read back, and the plainest spelling that means the right thing is taken.

use super::ast::Span;
use super::display::quoted;
use super::parse;
use super::pieces::Pieces;
use super::typed::{Expr, Subject, Term};

/// This adds `term` to what `text` selects, so that only events pass that both let pass.
///
/// The text stays as it is if the term is already there. What is half typed in it is closed first; a text that
/// stays mistaken gets the term behind it. The result can be over [`super::MAX_CHARS`], which is for
/// [`super::parse`] to say.
pub fn append(text: &str, term: &str) -> String {
    let (text, term) = (closed(text.trim()), term.trim());
    if text.is_empty() || term.is_empty() {
        return if text.is_empty() { term.to_owned() } else { text };
    }
    let naive = format!("{text} {term}");
    let Some(wanted) = canonical(&format!("({text}) ({term})")) else { return naive };
    if is_there(&text, term).is_some() {
        return text;
    }
    let firm = with_quotes(&text, &Pieces::of(&text).soft_words);
    let grouped = [format!("{text} ({term})"), format!("({text}) {term}"), format!("({text}) ({term})")];
    [naive.clone(), format!("{firm} {term}")]
        .into_iter()
        .chain(grouped)
        .find(|candidate| canonical(candidate).as_ref() == Some(&wanted))
        .unwrap_or(naive)
}

/// This takes `term` out of `text` if it is there at the top, however it is written, and else adds it, in the place of
/// its opposite if that is there. What was there before a term that has several parts was added stays.
pub fn toggle(text: &str, term: &str) -> String {
    let (text, term) = (text.trim(), term.trim());
    if let Some(all) = is_there(text, term) {
        let rest = without(text, &last_of(text, term, &all));
        return if is_there(&rest, term).is_some() { without(text, &all) } else { rest };
    }
    match is_there(text, &negate(term)) {
        Some(spans) => append(&without(text, &spans), term),
        None => append(text, term),
    }
}

/// The same, where `term` is about `field`, of which an event has one value: what else is asked of it at the top leaves.
pub fn switch(text: &str, term: &str, field: &str) -> String {
    let text = text.trim();
    let pieces = Pieces::of(text);
    if has(text, term) || pieces.has_or() && pieces.terms.len() > 1 {
        return toggle(text, term);
    }
    let others: Vec<Span> =
        pieces.terms.into_iter().filter(|span| asks_for(&text[span.clone()], field)).collect();
    if others.is_empty() { append(text, term) } else { append(&without(text, &others), term) }
}

/// Whether `term` is there at the top of `text`, however it is written.
pub fn has(text: &str, term: &str) -> bool {
    is_there(text.trim(), term.trim()).is_some()
}

/// Whether a term is about what `field` is, or whether there is one.
fn asks_for(term: &str, field: &str) -> bool {
    let is_it = |subject: &Subject| matches!(subject, Subject::Field(one) if one.name == field);
    match parse(term).filter.and_then(|filter| filter.expr) {
        Some(Expr::Term(Term::Compare(compare))) => !compare.is_negated && is_it(&compare.subject),
        Some(Expr::Term(Term::Presence(subject, _))) => is_it(&subject),
        _ => false,
    }
}

/// This drops the last term of `text` that stands at the top, or what is left of an operator after it.
pub fn drop_last(text: &str) -> String {
    let pieces = Pieces::of(text);
    let last_term = pieces.terms.last().map_or(0, |span| span.start);
    match pieces.operators.last() {
        Some((operator, _)) if operator.start >= last_term => text[..operator.start].trim().to_owned(),
        Some((operator, _)) if text[operator.end..last_term].trim().is_empty() => {
            text[..operator.start].trim().to_owned()
        }
        _ => text[..last_term].trim().to_owned(),
    }
}

/// This turns a term into one that leaves out what it selects, and back.
pub fn negate(term: &str) -> String {
    let term = term.trim();
    let pieces = Pieces::of(term);
    let is_one = pieces.terms.len() == 1 && pieces.operators.is_empty();
    let positive = term.strip_prefix(['-', '!']).filter(|rest| is_one && canonical(rest).is_some());
    let Some(wanted) = canonical(&format!("NOT ({term})")) else { return format!("-{term}") };
    [positive.map(str::to_owned), Some(format!("-{term}")), Some(format!("-({term})"))]
        .into_iter()
        .flatten()
        .find(|candidate| canonical(candidate).as_ref() == Some(&wanted))
        .unwrap_or_else(|| format!("NOT ({term})"))
}

/// What a text means, as text; `None` if it is mistaken.
fn canonical(text: &str) -> Option<String> {
    parse(text).filter.map(|filter| filter.to_string())
}

/// [`canonical`], in one case where case means nothing.
fn meaning(text: &str) -> Option<String> {
    let text = canonical(text)?;
    let means_case = text.contains("==") || text.contains("~/");
    Some(if means_case { text } else { text.to_lowercase() })
}

/// Closes the quotes, brackets and patterns that are open at the end.
fn closed(text: &str) -> String {
    // A quote inside a bracket: the bracket is only seen once the quote is closed.
    const ROUNDS: usize = 3;
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let open: String = parse(&text)
            .errors
            .iter()
            .filter(|error| error.unfinished)
            .filter_map(|error| error.fix.as_ref())
            .filter(|fix| fix.span == (text.len()..text.len()))
            // What was opened last is closed first.
            .rev()
            .map(|fix| fix.text.as_str())
            .collect();
        if open.is_empty() {
            break;
        }
        text.push_str(&open);
    }
    text
}

/// Where the terms of `term` stand at the top of `text`; `None` if any is missing.
fn is_there(text: &str, term: &str) -> Option<Vec<Span>> {
    let mine = Pieces::of(text);
    if mine.has_or() && mine.terms.len() > 1 {
        return None;
    }
    let theirs = meanings(term);
    let mine: Vec<(Span, Option<String>)> =
        mine.terms.into_iter().map(|span| (span.clone(), meaning(&text[span]))).collect();
    let is_in = |wanted: &Option<String>| wanted.is_some() && mine.iter().any(|(_, have)| have == wanted);
    (!theirs.is_empty() && theirs.iter().all(is_in)).then(|| {
        mine.iter().filter(|(_, have)| theirs.contains(have)).map(|(span, _)| span.clone()).collect()
    })
}

/// What each term of `term` means; alternatives are one.
fn meanings(term: &str) -> Vec<Option<String>> {
    let pieces = Pieces::of(term);
    if pieces.has_or() {
        return vec![meaning(term)];
    }
    pieces.terms.into_iter().map(|span| meaning(&term[span])).collect()
}

/// Of the `spans` of `text` in which the terms of `term` stand, the last for each of them.
fn last_of(text: &str, term: &str, spans: &[Span]) -> Vec<Span> {
    let mut left: Vec<(&Span, Option<String>)> =
        spans.iter().map(|span| (span, meaning(&text[span.clone()]))).collect();
    let wanted = meanings(term).into_iter().rev();
    wanted
        .filter_map(|wanted| {
            let last = left.iter().rposition(|(_, have)| *have == wanted)?;
            Some(left.remove(last).0.clone())
        })
        .collect()
}

/// `text`, which has no or at the top, without the terms at `spans`.
fn without(text: &str, spans: &[Span]) -> String {
    let pieces = Pieces::of(text);
    let kept: Vec<&str> =
        pieces.terms.iter().filter(|span| !spans.contains(span)).map(|span| &text[span.clone()]).collect();
    let grouped: Vec<String> = kept.iter().map(|term| format!("({term})")).collect();
    let grouped = grouped.join(" ");
    let wanted = canonical(&grouped);
    let quoted_words: Vec<String> =
        kept.iter().map(|term| with_quotes(term, &Pieces::of(term).soft_words)).collect();
    [excised(text, &pieces, spans), kept.join(" "), quoted_words.join(" ")]
        .into_iter()
        .find(|candidate| canonical(candidate) == wanted)
        .unwrap_or(grouped)
}

/// `text` with the terms at `spans` cut out, each with the operator before it or, at the beginning, after it.
fn excised(text: &str, pieces: &Pieces, spans: &[Span]) -> String {
    let mut out = String::new();
    for (number, term) in pieces.terms.iter().enumerate() {
        if spans.contains(term) {
            continue;
        }
        if !out.is_empty() {
            // What stood between this term and the one before it, cut out or not.
            out.push_str(&text[pieces.terms[number - 1].end..term.start]);
        }
        out.push_str(&text[term.clone()]);
    }
    out
}

/// `text` with the words at `spans` in quotes, so that no structure beside them makes operators of them.
fn with_quotes(text: &str, spans: &[Span]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for span in spans {
        out.push_str(&text[at..span.start]);
        out.push_str(&quoted(&text[span.clone()]));
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::vectors::{entries, text as value};
    use super::*;

    #[test]
    fn keys_edit_the_text_as_the_test_data_says() {
        for entry in entries("keys") {
            let (text, term) = (value(entry, "text"), value(entry, "term"));
            assert_eq!(append(&text, &term), value(entry, "append"), "{text} + {term}");
            assert_eq!(toggle(&text, &term), value(entry, "toggle"), "{text} ± {term}");
        }
    }

    #[test]
    fn a_pattern_over_all_values_is_one_term_with_its_sign() {
        assert_eq!(toggle("~/a|b/ c:d", "c:d"), "~/a|b/");
        assert_eq!(toggle("~/a|b/ c:d", "~/a|b/"), "c:d");
        assert_eq!(drop_last("a ~/b/c"), "a");
        assert_eq!(negate("~/b/"), "-~/b/");
    }

    #[test]
    fn appending_keeps_what_the_text_meant() {
        for (text, term, expected) in [
            ("level:error or is:slow", "since:reload", "(level:error or is:slow) since:reload"),
            ("found not", "a:b", "found \"not\" a:b"),
            ("x or not", "a:b", "x \"or\" \"not\" a:b"),
            ("not found", "a:b", "not found a:b"),
            ("a", "b:c or d:e", "a (b:c or d:e)"),
            ("message:\"Cannot read", "a:b", "message:\"Cannot read\" a:b"),
            ("(level:error or url~/x", "a:b", "(level:error or url~/x/) a:b"),
            ("status>=400", "code>=400", "status>=400"),
            ("status:4oo", "a:b", "status:4oo a:b"),
            ("status", "~/x/", "status (~/x/)"),
            ("", " a:b ", "a:b"),
            ("a", "", "a"),
        ] {
            assert_eq!(append(text, term), expected, "{text} + {term}");
        }
    }

    #[test]
    fn toggling_finds_the_term_in_any_spelling() {
        for (text, term, expected) in [
            ("a:b and level>=warn c", "lvl >= warning", "a:b c"),
            ("level>=warn and c:d", "level>=warn", "c:d"),
            ("foo and level:error and bar", "level:error", "foo bar"),
            ("since:reload x since:reload", "since:reload", "x"),
            ("-user:a b", "NOT user:a", "b"),
            ("method:GET route:/x a", "route:/x method:get", "a"),
            ("method:GET method:GET route:/x", "method:GET route:/x", "method:GET"),
            ("a b a b c", "a b", "c"),
            ("(not) not found", "not found", "(not)"),
            ("level:error or is:slow", "is:slow", "(level:error or is:slow) is:slow"),
            ("since:reload", "since:reload", ""),
            ("a:b -user:x", "user:x", "a:b user:x"),
            ("user:x a:b", "-user:x", "a:b -user:x"),
        ] {
            let found = toggle(text, term);
            let is_same = canonical(&found) == canonical(expected);
            assert!(is_same, "{text} ± {term}: {found}, not {expected}");
        }
    }

    #[test]
    fn one_value_of_a_field_takes_the_place_of_another() {
        for (text, term, expected) in [
            ("session:a level:error", "session:latest", "level:error session:latest"),
            ("session:latest", "session:latest", ""),
            ("no:session timeout", "session=\"a b\"", "timeout session=\"a b\""),
            ("-session:a", "session:b", "-session:a session:b"),
            ("session:a or level:error", "session:b", "(session:a or level:error) session:b"),
            ("url:/session", "session:b", "url:/session session:b"),
            ("", "session:b", "session:b"),
        ] {
            assert_eq!(switch(text, term, "session"), expected, "{text} and {term}");
        }
    }

    #[test]
    fn the_last_term_is_dropped_with_its_operator() {
        for (text, expected) in [
            ("", ""),
            ("level:error", ""),
            ("level:error since:reload", "level:error"),
            ("(a or b) and -url:/x ", "(a or b)"),
            ("level:error or is:slow", "level:error"),
            ("level:error or", "level:error"),
            ("a (b c", "a"),
            ("not found", "not"),
            ("status in (1, 2) size>", "status in (1, 2)"),
        ] {
            assert_eq!(drop_last(text), expected, "{text}");
        }
    }

    #[test]
    fn negation_goes_both_ways() {
        for (term, expected) in [
            ("user:a", "-user:a"),
            ("-user:a", "user:a"),
            ("a:b c:d", "-(a:b c:d)"),
            ("a:b or c:d", "-(a:b or c:d)"),
            (":browser/x", "-:browser/x"),
            ("status in (1, 2)", "-status in (1, 2)"),
            ("-a:b c:d", "-(-a:b c:d)"),
        ] {
            assert_eq!(negate(term), expected, "{term}");
        }
    }

    proptest! {
        #[test]
        fn appending_is_and_and_toggling_twice_changes_nothing(
            text in super::super::props::filters(),
            term in super::super::props::filters(),
        ) {
            // What is mistaken alone may be right by chance between brackets, and then means something else.
            let (Some(_), Some(_)) = (canonical(&text), canonical(&term)) else { return Ok(()) };
            let Some(both) = canonical(&format!("({text}) ({term})")) else { return Ok(()) };
            let appended = append(&text, &term);
            if appended != text.trim() {
                prop_assert_eq!(canonical(&appended), Some(both), "{} + {} = {}", text, term, appended);
            }
            if is_there(text.trim(), term.trim()).is_none() {
                let twice = toggle(&appended, &term);
                prop_assert_eq!(canonical(&twice), canonical(&text), "{} ± {}: {}", text, term, twice);
            }
            let negated = negate(&term);
            prop_assert_eq!(canonical(&negated), canonical(&format!("NOT ({term})")), "{}", negated);
        }

        #[test]
        fn edits_of_any_text_end(text in super::super::props::pieces(), term in super::super::props::pieces()) {
            let mut rest = append(&text, &term);
            toggle(&text, &term);
            negate(&text);
            while !rest.is_empty() {
                let less = drop_last(&rest);
                prop_assert!(less.len() < rest.len());
                rest = less;
            }
        }
    }
}
