//! Compiled tests of one piece of text, blind to case unless asked otherwise.
//!
//! Built by `plan`, applied by `eval` and `words`. They allocate nothing while matching.

use regex::Regex;
use regex::bytes;

use super::glob::Glob;

/// A test of text.
#[derive(Clone, Debug)]
pub(super) enum TextTest {
    /// The text, and what finds it.
    Contains(String, bytes::Regex),
    Is(String),
    Same(String),
    /// A wildcard pattern, with whether it begins as a path does.
    Like(Regex, bool),
    Regexp(Regex),
}

impl TextTest {
    pub(super) fn contains(text: &str) -> Self {
        Self::Contains(text.to_owned(), finder(&Glob::literal(text)))
    }

    /// The whole text against a wildcard pattern. `foo(.*)` is `foo` and what is under it, `foo.…`.
    pub(super) fn like(glob: &Glob) -> Self {
        let (pieces, tail) = match glob.pieces.as_slice() {
            [stem, end] if stem.ends_with("(.") && end == ")" => {
                (vec![regex::escape(&stem[..stem.len() - 2])], r"(?:\..*)?")
            }
            pieces => (pieces.iter().map(|piece| regex::escape(piece)).collect(), ""),
        };
        let pattern = format!("(?is)^{}{tail}$", pieces.join(".*"));
        let regex = Regex::new(&pattern).expect("escaped text of at most 4,096 characters compiles");
        Self::Like(regex, is_path(&glob.pieces[0]))
    }

    /// True if what was written is a path.
    pub(super) fn is_path(&self) -> bool {
        match self {
            Self::Like(_, is_path) => *is_path,
            Self::Contains(text, _) | Self::Is(text) | Self::Same(text) => is_path(text),
            Self::Regexp(_) => false,
        }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Contains(_, finder) => finder.is_match(text.as_bytes()),
            Self::Is(whole) => same_text(whole, text),
            Self::Same(whole) => whole == text,
            Self::Like(regex, _) | Self::Regexp(regex) => regex.is_match(text),
        }
    }
}

/// True if a value for a URL begins as a path does; after `//` comes a host.
pub(super) fn is_path(value: &str) -> bool {
    value.starts_with('/') && !value.starts_with("//")
}

/// Finds text that holds the pieces in this order. ASCII letters are folded as such, which is the faster search;
/// other letters by Unicode.
pub(super) fn finder(glob: &Glob) -> bytes::Regex {
    let escaped: Vec<String> =
        glob.pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| regex::escape(piece)).collect();
    let flags = if glob.pieces.iter().all(|piece| piece.is_ascii()) { "(?is-u)" } else { "(?is)" };
    bytes::Regex::new(&format!("{flags}{}", escaped.join(".*?")))
        .expect("escaped text of at most 4,096 characters compiles")
}

/// Equal but for case.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    if a.is_ascii() || b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_and_blind_to_case() {
        for (pattern, text, expected) in [
            ("sess-4*", "SESS-456", true),
            ("sess-4*", "x-sess-4", false),
            ("*.tsx", "UserList.tsx", true),
            ("browser(.*)", "browser", true),
            ("browser(.*)", "browser.api-call", true),
            ("browser(.*)", "browsers", false),
            ("a.c*", "abc", false),
            (r"\*", "*", true),
        ] {
            assert_eq!(TextTest::like(&Glob::parse(pattern)).holds(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn letters_of_every_script_are_folded() {
        assert!(TextTest::contains("größe").holds("DIE GRÖßE"));
        assert!(TextTest::Is("Ä".to_owned()).holds("ä"));
        assert!(!TextTest::Is("k".to_owned()).holds("\u{212a}"), "ASCII folds as ASCII");
    }

    #[test]
    fn the_longest_values_compile() {
        for text in ["ſ".repeat(4096), "a*".repeat(2048), "k".repeat(4096)] {
            let glob = Glob::parse(&text);
            assert!(!TextTest::like(&glob).holds("x"));
            assert!(!finder(&glob).is_match(b"x"));
        }
    }
}
