//! What a paste into the filter bar becomes: a filter, a phrase, or what was pasted.
//!
//! Called by the bar for a bracketed paste. Messages and stack lines are what people paste most, and they are full
//! of signs that would mean something (FILTER: paste).

use super::display::quoted;
use super::glob::Glob;
use super::lexer::{self, Kind};
use super::{MAX_CHARS, parse, run};

/// What to insert for a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// A valid filter with a comparison in it, as it is.
    Filter(String),
    /// Text with spaces, as one quoted phrase.
    Phrase(String),
    /// A word, as it is.
    Typed(String),
}

impl Pasted {
    /// The text to insert, whichever it is.
    pub fn text(&self) -> &str {
        match self {
            Self::Filter(text) | Self::Phrase(text) | Self::Typed(text) => text,
        }
    }
}

/// This says what to insert for the clipboard's text `clip`: only its first line that is not blank, without
/// control characters, and no more of it than a quarter of what a filter may be long.
pub fn pasted(clip: &str) -> Pasted {
    // Terminals send the ends of lines as they are typed.
    let line = clip.split(['\n', '\r']).find(|line| run::spaces(line) < line.len()).unwrap_or_default();
    let clean: String = line
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control())
        // Escaped, each character may take two.
        .take(MAX_CHARS / 4)
        .collect();
    let clean = clean.trim_matches(run::is_space);
    if is_filter(clean) {
        Pasted::Filter(clean.to_owned())
    } else if clean.contains(run::is_space) {
        Pasted::Phrase(quoted(&Glob::literal(clean).to_text()))
    } else {
        Pasted::Typed(clean.to_owned())
    }
}

/// Valid, with at least one comparison.
fn is_filter(text: &str) -> bool {
    let is_comparison = |kind: &Kind| matches!(kind, Kind::Field(_) | Kind::Signal);
    lexer::tokens(text).iter().any(|token| is_comparison(&token.kind)) && parse(text).errors.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{entries, text};
    use super::*;

    #[test]
    fn pastes_become_what_the_test_data_says() {
        for entry in entries("paste") {
            let clip = text(entry, "pasted");
            let found = pasted(&clip);
            let kind = match &found {
                Pasted::Filter(_) => "filter",
                Pasted::Phrase(_) => "quoted phrase",
                Pasted::Typed(_) => "as typed",
            };
            assert_eq!(kind, text(entry, "insert"), "{clip}");
            let filter = parse(found.text()).filter.unwrap_or_else(|| panic!("{clip}: {found:?}"));
            if kind == "quoted phrase" {
                let expected = quoted(&Glob::literal(clip.trim()).to_text());
                assert_eq!(filter.reads_as(), expected, "{clip}");
            }
        }
    }

    #[test]
    fn only_the_first_line_is_taken_and_it_is_clean() {
        for (clip, expected) in [
            ("level:error since:5m\nlevel:warn", Pasted::Filter("level:error since:5m".to_owned())),
            ("\n\n  a b*\u{1b}[31m\r\nc", Pasted::Phrase(r#""a b\\*[31m""#.to_owned())),
            ("\rline one\rline two", Pasted::Phrase("\"line one\"".to_owned())),
            ("\u{feff}user-1 ", Pasted::Typed("user-1".to_owned())),
            ("", Pasted::Typed(String::new())),
            ("status:4oo x", Pasted::Phrase("\"status:4oo x\"".to_owned())),
            ("a\tb", Pasted::Phrase("\"a b\"".to_owned())),
        ] {
            assert_eq!(pasted(clip), expected, "{clip:?}");
        }
        assert!(parse(pasted(&"\" ".repeat(9000)).text()).errors.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn what_goes_in_as_a_phrase_reads_as_one_text(clip in r#"[ab"'\\*(){}:/ \t-]{0,40}"#) {
            if let Pasted::Phrase(phrase) = pasted(&clip) {
                let filter = parse(&phrase).filter.expect("a phrase");
                proptest::prop_assert_eq!(filter.reads_as(), phrase);
            }
        }
    }
}
