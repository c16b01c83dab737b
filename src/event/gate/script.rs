//! Words that mix look-alike scripts: Latin with Cyrillic or Greek, as in a forged `paypal`.
//!
//! Asked by the cutter at the start of each word. It judges letters, never changes them.

/// The scripts whose letters pass for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Greek,
}

/// Characters of a word looked at together; a longer word is judged in pieces of this many.
const WORD: usize = 64;

/// The word at the start of a text: how many bytes it has, and the scripts foreign to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub len: usize,
    foreign: [Option<Script>; 2],
}

impl Word {
    /// Reads the word a text starts with; its length is 0 where there is none.
    pub(super) fn at(text: &str) -> Self {
        let mut counts = [0_usize; 3];
        let mut len = 0;
        for c in text.chars().take(WORD).take_while(|&c| is_word_char(c)) {
            len += c.len_utf8();
            if let Some(script) = of(c) {
                counts[script as usize] += 1;
            }
        }
        let [latin, cyrillic, greek] = counts;
        let foreign = if latin == 0 || cyrillic + greek == 0 {
            [None; 2]
        } else if latin < cyrillic + greek {
            [Some(Script::Latin), None]
        } else {
            [Some(Script::Cyrillic), Some(Script::Greek)]
        };
        Self { len, foreign }
    }

    /// Whether this letter of the word belongs to its minority.
    pub(super) fn is_foreign(&self, letter: char) -> bool {
        let script = of(letter);
        script.is_some() && self.foreign.contains(&script)
    }
}

/// Whether the word that a text goes on with is ASCII as far as it is looked at, so that none of its letters is foreign.
pub(super) fn is_ascii_word(text: &str) -> bool {
    text.chars().take(WORD).take_while(|c| is_word_char(*c)).all(|c| c.is_ascii())
}

/// Whether a character continues a word: letters, digits and the marks on them.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36F}')
}

fn of(c: char) -> Option<Script> {
    let script = match c {
        'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{2AF}' | '\u{1E00}'..='\u{1EFF}' | '\u{FF21}'..='\u{FF5A}' => {
            Script::Latin
        }
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Script::Greek,
        '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{A640}'..='\u{A69F}' => Script::Cyrillic,
        _ => return None,
    };
    c.is_alphabetic().then_some(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_minority_of_a_mixed_word_is_foreign() {
        for (text, foreign) in [
            ("paypal.com", ""),
            ("p\u{430}ypal.com", "\u{430}"),
            ("\u{440}p\u{438}\u{432}\u{435}\u{442}", "p"),
            ("\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442} hello", ""),
            ("\u{3BF}k", "\u{3BF}"),
            ("é\u{301}a", ""),
            ("user_\u{438}\u{43C}\u{44F}", ""),
            ("µs", ""),
        ] {
            let word = Word::at(text);
            let found: String = text[..word.len].chars().filter(|&c| word.is_foreign(c)).collect();
            assert_eq!(found, foreign, "{text}");
        }
        assert_eq!(Word::at(" a").len, 0);
        assert_eq!(Word::at(&"x".repeat(1000)).len, WORD);
    }
}
