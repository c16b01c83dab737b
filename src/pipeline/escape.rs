//! The text of a JSON string without its escapes, and which raw byte each of its bytes came from.
//!
//! Called by the scrubbing and the cutting, which look at the plain text but change the raw one.

/// Raw bytes of an escaped lone surrogate, and of `\ufffd`, which takes its place.
pub(super) const UNIT: usize = 6;

/// One escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Escape {
    character: char,
    /// Raw bytes, the backslash included.
    len: usize,
    is_lone: bool,
}

/// Plain text with its way back to the raw text.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pub(super) text: String,
    /// Raw positions of surrogate escapes without their other half.
    pub(super) lone: Vec<usize>,
    /// Plain and raw position just past each escape, ascending.
    points: Vec<(usize, usize)>,
}

impl Plain {
    /// Takes what stands between a string's quotes; what was held before is dropped, its memory is used again.
    pub(super) fn read(&mut self, inner: &str) {
        self.text.clear();
        self.lone.clear();
        self.points.clear();
        let mut at = 0;
        while let Some(found) = next_escape(inner, at) {
            self.text.push_str(&inner[at..found]);
            let escape = escape_at(&inner[found..]);
            if escape.is_lone {
                self.lone.push(found);
            }
            self.text.push(escape.character);
            at = found + escape.len;
            self.points.push((self.text.len(), at));
        }
        self.text.push_str(&inner[at..]);
    }

    /// The raw position of the character that begins at plain position `at`.
    pub(super) fn raw(&self, at: usize) -> usize {
        let after = self.points.partition_point(|(plain, _)| *plain <= at);
        let (plain, raw) = after.checked_sub(1).map_or((0, 0), |index| self.points[index]);
        raw + (at - plain)
    }
}

/// The last raw position up to `at` that splits neither a character nor an escape nor a surrogate pair.
pub(super) fn floor(inner: &str, at: usize) -> usize {
    let mut done = 0;
    while let Some(found) = next_escape(inner, done).filter(|found| *found < at) {
        let end = found + escape_at(&inner[found..]).len;
        if end > at {
            return found;
        }
        done = end;
    }
    inner.floor_char_boundary(at)
}

fn next_escape(inner: &str, from: usize) -> Option<usize> {
    memchr::memchr(b'\\', &inner.as_bytes()[from..]).map(|at| from + at)
}

/// Reads the escape that `rest` begins with.
fn escape_at(rest: &str) -> Escape {
    let Some(letter) = rest[1..].chars().next() else {
        return Escape { character: char::REPLACEMENT_CHARACTER, len: 1, is_lone: false };
    };
    let character = match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode_at(rest),
        other => other,
    };
    Escape { character, len: 1 + letter.len_utf8(), is_lone: false }
}

fn unicode_at(rest: &str) -> Escape {
    let unit = |at: usize| {
        let digits = rest.get(at..at + UNIT)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    match (unit(0), unit(UNIT)) {
        (None, _) => Escape { character: char::REPLACEMENT_CHARACTER, len: 2, is_lone: false },
        (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
            let scalar = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            let character = char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
            Escape { character, len: 2 * UNIT, is_lone: false }
        }
        (Some(unit), _) => match char::from_u32(unit) {
            Some(character) => Escape { character, len: UNIT, is_lone: false },
            None => Escape { character: char::REPLACEMENT_CHARACTER, len: UNIT, is_lone: true },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json;

    #[test]
    fn lone_halves_are_told_from_pairs() {
        let mut plain = Plain::default();
        for (inner, lone) in [
            (r"\ud83d\ude00", &[][..]),
            (r"a\ud83dx\ude00", &[1, 8]),
            (r"\ud83d\ud83d\ude00", &[0]),
            (r"\udE00\uD83D", &[0, 6]),
            (r"\ud83d\\ude00", &[0]),
            (r"\\ud83d", &[]),
        ] {
            plain.read(inner);
            assert_eq!(plain.lone, lone, "{inner}");
        }
    }

    #[test]
    fn cuts_never_split_an_escape() {
        let inner = r"é\\\n\ud83d\ude00x";
        let ends: Vec<_> = (0..=inner.len()).map(|at| floor(inner, at)).collect();
        assert_eq!(ends, [0, 0, 2, 2, 4, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 18, 19]);
    }

    proptest::proptest! {
        #[test]
        fn plain_text_is_what_json_says_and_leads_back(inner in r#"([a\\unté/]|\\u[0d][089][3d]d){0,20}"#) {
            let mut plain = Plain::default();
            plain.read(&inner);
            proptest::prop_assert_eq!(&*json::unescape(&inner), &plain.text);
            for (at, character) in plain.text.char_indices() {
                let raw = plain.raw(at);
                let mut one = Plain::default();
                one.read(&inner[raw..]);
                proptest::prop_assert_eq!(one.text.chars().next(), Some(character));
            }
            for at in 0..=inner.len() {
                let _ = floor(&inner, at);
            }
        }
    }
}
