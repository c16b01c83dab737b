//! Which parts of a shown text a filter's terms hit, to underline them.
//!
//! Asked for by the rows and the detail pane, for the text they are about to draw. Terms that leave events out
//! show nothing.

use std::ops::Range;

use regex::{Regex, bytes};

use super::Filter;
use super::glob::Glob;
use super::text;
use super::typed::{Expr, Term, Test};

/// Terms beyond these are not underlined: a text is searched once for each.
const MAX_FINDERS: usize = 32;

/// Texts over this are not underlined: no row is that wide, and looking for them is dear.
const MAX_TEXT_BYTES: usize = 512;

/// The texts and patterns a filter looks for.
#[derive(Clone, Debug, Default)]
pub struct Highlighter {
    finders: Vec<Finder>,
}

#[derive(Clone, Debug)]
enum Finder {
    Text(bytes::Regex),
    Pattern(Regex),
}

impl Filter {
    /// This finds what the words, `contains`, wildcards and regular expressions of the filter hit.
    pub fn highlighter(&self) -> Highlighter {
        let mut finders = Vec::new();
        if let Some(expr) = &self.expr {
            collect(expr, true, &mut finders);
        }
        Highlighter { finders }
    }
}

/// Adds the finders of the terms that must hold. Depth is bounded by the parser.
fn collect(expr: &Expr, is_wanted: bool, out: &mut Vec<Finder>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => {
            for part in parts {
                collect(part, is_wanted, out);
            }
        }
        Expr::Not(inner) => collect(inner, !is_wanted, out),
        Expr::Term(term) if is_wanted => {
            let found = match term {
                Term::Anywhere(glob) => vec![finder(glob)],
                Term::AnywhereRegexp(pattern) => vec![Some(Finder::Pattern(pattern.regex.clone()))],
                Term::Compare(compare) if !compare.is_negated => compare.tests.iter().map(of_test).collect(),
                _ => vec![],
            };
            let room = MAX_FINDERS - out.len();
            out.extend(found.into_iter().flatten().take(room));
        }
        Expr::Term(_) => {}
    }
}

fn of_test(test: &Test) -> Option<Finder> {
    match test {
        Test::Contains(text, _) => finder(&Glob::literal(text)),
        Test::Like(glob) => finder(glob),
        Test::Regexp(pattern) => Some(Finder::Pattern(pattern.regex.clone())),
        _ => None,
    }
}

/// `None` if there is nothing to look for but stars, or too much.
fn finder(glob: &Glob) -> Option<Finder> {
    // `browser(.*)` is `browser` and what is under it.
    let stem = match glob.pieces.as_slice() {
        [stem, end] if stem.ends_with("(.") && end == ")" => Some(Glob::literal(&stem[..stem.len() - 2])),
        _ => None,
    };
    let glob = stem.as_ref().unwrap_or(glob);
    let len: usize = glob.pieces.iter().map(String::len).sum();
    (1..=MAX_TEXT_BYTES).contains(&len).then(|| Finder::Text(text::finder(glob)))
}

impl Highlighter {
    /// True if nothing is ever hit.
    pub fn is_empty(&self) -> bool {
        self.finders.is_empty()
    }

    /// The bytes of `text` that are hit: sorted, apart from each other, at character boundaries.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        for finder in &self.finders {
            match finder {
                Finder::Text(finder) => hits.extend(finder.find_iter(text.as_bytes()).map(|hit| hit.range())),
                Finder::Pattern(finder) => hits.extend(finder.find_iter(text).map(|hit| hit.range())),
            }
        }
        hits.retain(|hit| !hit.is_empty());
        hits.sort_by_key(|hit| hit.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for hit in hits {
            match merged.last_mut() {
                Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
                _ => merged.push(hit),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{parse, props};
    use super::*;

    #[test]
    fn what_the_filter_looks_for_is_marked_and_what_it_leaves_out_is_not() {
        const TEXT: &str = "GET /api/users failed: Größe, Failed";
        for (filter, expected) in [
            ("failed", vec!["failed", "Failed"]),
            ("url:/api -message:failed", vec!["/api"]),
            ("not (-failed level:error)", vec!["failed", "Failed"]),
            ("GRÖSSE or größe", vec!["Größe"]),
            ("url:*/a*ers", vec!["/api/users"]),
            ("~/\\/\\w+/", vec!["/api/users"]),
            ("\"/api\" api/users", vec!["/api/users"]),
            ("ns:GET(.*)", vec!["GET"]),
            ("message!=failed url!~get", vec![]),
            ("status>=400 message=failed * ~/x*/", vec![]),
        ] {
            let highlighter = parse(filter).filter.expect(filter).highlighter();
            let found: Vec<&str> = highlighter.spans(TEXT).into_iter().map(|span| &TEXT[span]).collect();
            assert_eq!(found, expected, "{filter}");
        }
        assert!(parse("status>=400 -x").filter.expect("valid").highlighter().is_empty());
    }

    #[test]
    fn a_filter_of_very_many_words_underlines_the_first() {
        let highlighter = parse(&"w ".repeat(2000)).filter.expect("words").highlighter();
        assert_eq!(highlighter.finders.len(), MAX_FINDERS);
    }

    proptest! {
        #[test]
        fn spans_are_sorted_and_apart(filter in props::filters(), text in "[a-zA-Zé/:. ſ]{0,60}") {
            let Some(filter) = parse(&filter).filter else { return Ok(()) };
            let mut end = None;
            for span in filter.highlighter().spans(&text) {
                prop_assert!(end.is_none_or(|end| span.start > end) && !span.is_empty());
                prop_assert!(text.get(span.clone()).is_some());
                end = Some(span.end);
            }
        }
    }
}
