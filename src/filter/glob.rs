//! Text to look for, in which `*` stands for any characters.
//!
//! Made by the check from what was typed, compiled by `text`, printed by `display`. `\*` is a star; a backslash
//! is otherwise a plain character.

/// Pieces of text with "any characters" between them; one piece means there was no star.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    pub(super) pieces: Vec<String>,
}

impl Glob {
    /// Text without wildcards.
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// Reads `*` as a wildcard. Backslashes right before a star halve, and an odd one makes the star plain.
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = vec![];
        let mut piece = String::new();
        let mut backslashes = 0;
        for character in text.chars() {
            match character {
                '\\' => backslashes += 1,
                '*' => {
                    piece.extend(std::iter::repeat_n('\\', backslashes / 2));
                    if backslashes % 2 == 1 {
                        piece.push('*');
                    } else {
                        pieces.push(std::mem::take(&mut piece));
                    }
                    backslashes = 0;
                }
                other => {
                    piece.extend(std::iter::repeat_n('\\', std::mem::take(&mut backslashes)));
                    piece.push(other);
                }
            }
        }
        piece.extend(std::iter::repeat_n('\\', backslashes));
        pieces.push(piece);
        Self { pieces }
    }

    /// The text if there is no wildcard.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(super) fn has_star(&self) -> bool {
        self.pieces.len() > 1
    }

    /// The text that [`Glob::parse`] reads as this.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        for (number, piece) in self.pieces.iter().enumerate() {
            if number > 0 {
                double_trailing_backslashes(&mut out);
                out.push('*');
            }
            for character in piece.chars() {
                if character == '*' {
                    double_trailing_backslashes(&mut out);
                    out.push('\\');
                }
                out.push(character);
            }
        }
        out
    }
}

fn double_trailing_backslashes(out: &mut String) {
    let count = out.len() - out.trim_end_matches('\\').len();
    out.extend(std::iter::repeat_n('\\', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_split_and_escaped_stars_do_not() {
        for (text, pieces) in [
            ("abc", vec!["abc"]),
            ("a*b", vec!["a", "b"]),
            (r"a\*b", vec!["a*b"]),
            (r"a\\*b", vec![r"a\", "b"]),
            (r"C:\dir", vec![r"C:\dir"]),
            ("*", vec!["", ""]),
        ] {
            assert_eq!(Glob::parse(text).pieces, pieces, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_and_pieces_are_the_same_thing(text in r"[a\\*]{0,12}") {
            let glob = Glob::parse(&text);
            proptest::prop_assert_eq!(Glob::parse(&glob.to_text()), glob);
        }
    }
}
