//! Regular expressions as typed: compiled with bounds, their mistakes told in the filter's own words.
//!
//! Called by `check`. The engine is linear in the text; what it leaves out for that is named.

use std::cell::Cell;

use regex::RegexBuilder;

use super::ast::{Regexp, Span};
use super::error::FilterError;
use super::typed::Pattern;

/// Of the compiled program and of the lazily built automaton, each, for all patterns of a filter together
/// (FILTER: grammar).
pub(super) const MAX_PROGRAM_BYTES: usize = 1 << 20;
pub(super) const MAX_NESTING: u32 = 64;
const MAX_PATTERNS: usize = 64;
/// Lax forms of a pattern, and what the automata of all of them may take together, and each: `\w` needs a megabyte to be
/// quick.
const FORMS: usize = 4;
const ROOM_OF_ALL: usize = 32 << 20;
const MAX_ROOM: usize = 2 << 20;

/// What the patterns of a filter may cost together, in microseconds: classes of characters are worked out before
/// the program's size is known, and a text of 4,096 characters could name a thousand of them.
const MAX_CLASS_COST: usize = 4_000;

/// What is left for the patterns of a filter.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// For each of them.
    program_bytes: usize,
    /// For the automaton of each lax form.
    room: usize,
    patterns: Cell<usize>,
    class_cost: Cell<usize>,
}

impl Budget {
    /// The budget of a filter that has `patterns`.
    pub(super) fn of(patterns: usize) -> Self {
        Self {
            program_bytes: MAX_PROGRAM_BYTES / patterns.clamp(1, MAX_PATTERNS),
            room: MAX_ROOM.min(ROOM_OF_ALL / (FORMS * patterns.clamp(1, MAX_PATTERNS))),
            patterns: Cell::new(MAX_PATTERNS),
            class_cost: Cell::new(MAX_CLASS_COST),
        }
    }

    /// Takes what `typed` needs.
    fn take(&self, typed: &Regexp) -> Result<(), FilterError> {
        let Some(patterns) = self.patterns.get().checked_sub(1) else {
            let message = format!("more than {MAX_PATTERNS} regular expressions in one filter");
            return Err(FilterError::new("E-RECOUNT", typed.span.clone(), message));
        };
        let Some(class_cost) = self.class_cost.get().checked_sub(class_cost(&typed.pattern)) else {
            let message = "too many classes like \\w or \\p{L} in the regular expressions of this filter: use . or \
                           a text";
            return Err(FilterError::new("E-RESIZE", typed.span.clone(), message));
        };
        self.patterns.set(patterns);
        self.class_cost.set(class_cost);
        Ok(())
    }
}

/// How long the classes of `pattern` take to work out, in microseconds, measured with case ignored.
fn class_cost(pattern: &str) -> usize {
    const NAMED: usize = 400;
    const WORD: usize = 50;
    const PLAIN: usize = 5;
    let bytes = pattern.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let cost = |(first, second): (&u8, &u8)| match (first, second) {
        (b'\\', b'p' | b'P') => NAMED,
        (b'\\', b'w' | b'W') => WORD,
        (b'-', b'-') | (b'&', b'&') | (b'~', b'~') => NAMED,
        (b'[', b'^') => WORD,
        (b'\\', b'd' | b'D' | b's' | b'S') | (b'[', _) => PLAIN,
        _ => 0,
    };
    pairs.map(cost).sum()
}

/// Compiles what was typed.
///
/// # Errors
/// If it is no regular expression, uses look-around or back-references, or compiles to more than 1 MiB.
pub(super) fn compile(typed: &Regexp, budget: &Budget) -> Result<Pattern, FilterError> {
    budget.take(typed)?;
    if let Some(error) = unsupported(typed) {
        return Err(error);
    }
    RegexBuilder::new(&typed.pattern)
        .case_insensitive(!typed.match_case)
        .size_limit(budget.program_bytes)
        .dfa_size_limit(budget.program_bytes)
        .nest_limit(MAX_NESTING)
        .build()
        .map(|regex| Pattern {
            source: with_escaped_slashes(&typed.pattern),
            match_case: typed.match_case,
            regex,
            room: budget.room,
        })
        .map_err(|error| explain(&error, typed))
}

/// A place in the pattern, for a pattern that was typed without escapes.
fn span_in(typed: &Regexp, at: usize, len: usize) -> Span {
    let is_verbatim = typed.span.len() == typed.pattern.len();
    if is_verbatim { typed.span.start + at..typed.span.start + at + len } else { typed.span.clone() }
}

/// Look-around and back-references, which the engine would call a syntax error.
fn unsupported(typed: &Regexp) -> Option<FilterError> {
    let mut chars = typed.pattern.char_indices();
    let mut in_class = false;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, escaped) = chars.next()?;
                if !in_class && matches!(escaped, '1'..='9') {
                    let message = format!("back-references like \\{escaped} are not supported");
                    return Some(FilterError::new("E-REBACK", span_in(typed, at, 2), message));
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest = &typed.pattern[at..];
                if let Some(open) =
                    ["(?=", "(?!", "(?<=", "(?<!"].into_iter().find(|open| rest.starts_with(open))
                {
                    let message =
                        format!("look-around {open}…) is not supported; to leave rows out use -field:text");
                    return Some(FilterError::new("E-RELOOK", span_in(typed, at, open.len()), message));
                }
            }
            _ => {}
        }
    }
    None
}

fn explain(error: &regex::Error, typed: &Regexp) -> FilterError {
    let whole = || typed.span.clone();
    let regex::Error::Syntax(report) = error else {
        let message = "this regular expression is too large: the limit is 1 MiB for all of a filter, so use \
                       smaller repetitions";
        return FilterError::new("E-RESIZE", whole(), message);
    };
    // The report is the pattern, a line with a caret under the place, and the reason.
    let reason =
        report.lines().rev().find_map(|line| line.trim().strip_prefix("error: ")).unwrap_or("not readable");
    let caret = report.lines().find(|line| line.contains('^') && line.trim_matches(['^', ' ']).is_empty());
    let at = caret
        .filter(|_| !typed.pattern.contains('\n'))
        .and_then(|line| line.find('^'))
        .and_then(|column| typed.pattern.char_indices().nth(column.checked_sub(REPORT_INDENT)?));
    let span = at.map_or_else(whole, |(at, c)| span_in(typed, at, c.len_utf8()));
    let what = match reason {
        "unclosed group" => "unclosed (",
        "unopened group" => "unopened )",
        "unclosed character class" => "unclosed [",
        "repetition operator missing expression" => "nothing to repeat",
        other => other,
    };
    FilterError::new("E-RE", span, format!("{what} in the regular expression"))
}

/// Spaces before the pattern in the engine's report.
const REPORT_INDENT: usize = 4;

/// `pattern` as it may stand between slashes.
fn with_escaped_slashes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    for c in pattern.chars() {
        if c == '/' && !is_escaped {
            out.push('\\');
        }
        out.push(c);
        is_escaped = c == '\\' && !is_escaped;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pattern: &str) -> Regexp {
        Regexp { pattern: pattern.to_owned(), match_case: false, span: 10..10 + pattern.len() }
    }

    #[test]
    fn mistakes_are_placed_and_named() {
        for (pattern, code, span, message) in [
            (r"users\/(\d+", "E-RE", 17..18, "unclosed ( in the regular expression"),
            ("a)", "E-RE", 11..12, "unopened ) in the regular expression"),
            ("*a", "E-RE", 10..11, "nothing to repeat in the regular expression"),
            (r"(a)\1", "E-REBACK", 13..15, r"back-references like \1 are not supported"),
            (
                "a(?<!b)",
                "E-RELOOK",
                11..15,
                "look-around (?<!…) is not supported; to leave rows out use -field:text",
            ),
        ] {
            let error = compile(&typed(pattern), &Budget::of(1)).expect_err(pattern);
            assert_eq!((error.code, error.span, error.message.as_str()), (code, span, message));
        }
        let code = |pattern: &str, patterns: usize| -> Option<&'static str> {
            compile(&typed(pattern), &Budget::of(patterns)).err().map(|error| error.code)
        };
        assert_eq!(code("(a{1000}){1000}", 1), Some("E-RESIZE"));
        assert_eq!((code(r"\w{20}", 1), code(r"\w{20}", 64)), (None, Some("E-RESIZE")));
        assert_eq!(code(&r"\pL".repeat(20), 1), Some("E-RESIZE"));
        assert_eq!(code(r"^/api/[^/]+/(users|orders)/\d+\?\w+=[\w-]+&\p{Lu}$", 4), None);
        let budget = Budget::of(100);
        let taken = (0..100).filter(|_| compile(&typed("a"), &budget).is_ok()).count();
        assert_eq!(taken, MAX_PATTERNS);
    }

    #[test]
    fn case_is_ignored_and_slashes_are_escaped_for_writing_back() {
        let pattern = compile(&typed(r"/Orders|\/users"), &Budget::of(1)).expect("valid");
        assert!(pattern.regex.is_match("/ORDERS"));
        assert_eq!(pattern.source, r"\/Orders|\/users");
    }
}
