//! A regular expression made laxer, so that it can be searched for in much text at once.
//!
//! Built by `everywhere`, `messages` and `data` from what was typed. Wherever the original matches in one of the texts that
//! were put together, the lax one matches too; what it finds is then tested with the original. It asks nothing of
//! what is around a match, and can be kept from reaching across the quotes of JSON.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition,
};

use super::regexp::{MAX_NESTING, MAX_PROGRAM_BYTES};
use super::typed::Pattern;
use crate::event::BETWEEN;

/// A lax form of a regular expression.
#[derive(Clone, Debug)]
pub(super) struct Relaxed {
    pub(super) regex: Regex,
    /// A match of it is a match of the original.
    pub(super) is_proof: bool,
    /// The original may match text with characters that JSON escapes, which this one never does.
    pub(super) misses_escaped: bool,
    /// A match is short, so that one that reaches too far costs little.
    pub(super) is_short: bool,
}

/// Bytes of a lax form as text, in which classes are written out: reading them again takes a quarter millisecond for
/// each `\w`.
const MAX_PATTERN: usize = 64 * 1024;
/// A filter has at most 64 patterns, each with four lax forms: their programs together stay below 48 MiB.
const SHARE: usize = 6;

/// Bytes of a match that is short: about the length of a message.
const SHORT: usize = 128;

/// Which characters the lax form never matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// None are left out.
    Everything,
    /// Quotes, backslashes and control characters: what a JSON string cannot hold as it is.
    InsideStrings,
    /// What stands between the values of [`crate::event::Texts`]. The ends of a text are the ends of a value there, so
    /// that anchors stay.
    Lines,
}

impl Relaxed {
    /// `None` if every text would match, or the lax form gets too large.
    pub(super) fn new(typed: &Pattern, keep: Keep) -> Option<Self> {
        let hir = ParserBuilder::new()
            .case_insensitive(!typed.match_case)
            .nest_limit(MAX_NESTING)
            .build()
            .parse(typed.regex.as_str())
            .ok()?;
        let mut work = Work { keep, has_looks: false, has_lost: false };
        let lax = work.relax(&hir);
        if lax.properties().minimum_len() == Some(0) && (keep != Keep::Lines || work.has_looks) {
            return None;
        }
        let is_short = lax.properties().maximum_len().is_some_and(|longest| longest <= SHORT);
        let pattern = lax.to_string();
        if pattern.len() > MAX_PATTERN {
            return None;
        }
        let regex = RegexBuilder::new(&pattern)
            .line_terminator(BETWEEN)
            .size_limit(MAX_PROGRAM_BYTES / SHARE)
            .dfa_size_limit(typed.room)
            .build()
            .ok()?;
        Some(Self { regex, is_proof: !work.has_looks, misses_escaped: work.has_lost, is_short })
    }
}

impl Relaxed {
    /// A place in the first text, of those that lie beside each other from `from` on, in which there is a match. Asking
    /// where that begins and ends would cost as much again.
    pub(super) fn place_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        self.regex.shortest_match_at(text, from).map(|end| end..end)
    }

    /// The first match that begins at `from` or later.
    pub(super) fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        self.regex.find_at(text, from).map(|hit| hit.range())
    }
}

struct Work {
    keep: Keep,
    has_looks: bool,
    has_lost: bool,
}

impl Work {
    /// Depth is bounded by the limit of nesting.
    fn relax(&mut self, hir: &Hir) -> Hir {
        match hir.kind() {
            HirKind::Empty => Hir::empty(),
            HirKind::Look(look) => self.relax_look(*look),
            HirKind::Literal(literal) => {
                let has_foreign = match self.keep {
                    Keep::Everything => false,
                    Keep::InsideStrings => literal.0.iter().any(|byte| is_escaped_in_json(*byte)),
                    Keep::Lines => literal.0.contains(&BETWEEN),
                };
                self.has_lost |= has_foreign;
                if has_foreign { Hir::fail() } else { hir.clone() }
            }
            HirKind::Class(class) => self.relax_class(class),
            HirKind::Repetition(repetition) => {
                let sub = Box::new(self.relax(&repetition.sub));
                Hir::repetition(Repetition { sub, ..repetition.clone() })
            }
            HirKind::Capture(capture) => self.relax(&capture.sub),
            HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| self.relax(part)).collect()),
            HirKind::Alternation(parts) => {
                Hir::alternation(parts.iter().map(|part| self.relax(part)).collect())
            }
        }
    }

    fn relax_look(&mut self, look: Look) -> Hir {
        match look {
            Look::Start if self.keep == Keep::Lines => Hir::look(Look::StartLF),
            Look::End if self.keep == Keep::Lines => Hir::look(Look::EndLF),
            // These mean the lines within a value.
            Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF => {
                self.has_looks = true;
                Hir::empty()
            }
            word if self.keep == Keep::Lines => Hir::look(word),
            _ => {
                self.has_looks = true;
                Hir::empty()
            }
        }
    }

    fn relax_class(&mut self, class: &Class) -> Hir {
        let foreign: &[(u8, u8)] = match self.keep {
            Keep::Everything => return Hir::class(class.clone()),
            Keep::InsideStrings => &[(0, 0x1f), (b'"', b'"'), (b'\\', b'\\')],
            Keep::Lines => &[(BETWEEN, BETWEEN)],
        };
        let left = match class {
            Class::Unicode(class) => {
                let range =
                    |(from, to): &(u8, u8)| ClassUnicodeRange::new(char::from(*from), char::from(*to));
                let mut left = class.clone();
                left.difference(&ClassUnicode::new(foreign.iter().map(range)));
                Class::Unicode(left)
            }
            Class::Bytes(class) => {
                let range = |(from, to): &(u8, u8)| ClassBytesRange::new(*from, *to);
                let mut left = class.clone();
                left.difference(&ClassBytes::new(foreign.iter().map(range)));
                Class::Bytes(left)
            }
        };
        self.has_lost |= left != *class;
        Hir::class(left)
    }
}

/// Whether JSON must escape the character that is this byte.
fn is_escaped_in_json(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(pattern: &str) -> Pattern {
        let regex = regex::RegexBuilder::new(pattern).case_insensitive(true).build().expect("valid");
        Pattern { source: pattern.to_owned(), match_case: false, regex, room: 1 << 20 }
    }

    #[test]
    fn what_a_lax_form_proves_and_misses() {
        for (pattern, is_proof, misses_escaped) in [
            ("quota|timed? out", true, false),
            (r"\bquota\b", false, false),
            ("^Failed", false, false),
            ("a.b", true, true),
            (r"say \x22hi\x22|x", true, true),
            (r"[^a-z]x", true, true),
            (r"(?-u:\w)x", true, false),
        ] {
            let lax = Relaxed::new(&typed(pattern), Keep::InsideStrings).expect(pattern);
            assert_eq!((lax.is_proof, lax.misses_escaped), (is_proof, misses_escaped), "{pattern}");
        }
        for pattern in ["a*", "^$", "", r"\b"] {
            assert!(Relaxed::new(&typed(pattern), Keep::InsideStrings).is_none(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn where_the_original_matches_so_does_the_lax_form(
            pattern in r#"(\^|\\b)?[ab."é]{1,3}(\[\^a\]|x?|\|b)?(\$|\\B)?"#,
            text in "[abxé ]{0,8}",
        ) {
            let original = typed(&pattern);
            let Some(lax) = Relaxed::new(&original, Keep::InsideStrings) else { return Ok(()) };
            let around = format!("{{\"k\":\"{text}\",\"n\":1}}");
            let within = 6..6 + text.len();
            if original.regex.is_match(&text) {
                let found = lax.regex.find_iter(around.as_bytes()).any(|hit| hit.start() >= within.start && hit.end() <= within.end);
                prop_assert!(found, "{} in {}", pattern, around);
            }
        }
    }
}
