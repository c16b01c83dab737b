//! Which rows of a chunk have JSON escapes: where the text as kept and the text as meant may differ.
//!
//! Asked for by searches over a chunk's whole text, which look at other rows as they are. Made at the first question
//! and kept by the chunk until it grows.

use std::ops::Range;

/// Rows with escapes, in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escapes {
    /// With any backslash.
    pub any: Vec<u32>,
    /// With `\u` or `\/`, which may stand for characters that need no escape.
    pub needless: Vec<u32>,
}

impl Escapes {
    /// Reads the `rows` of a text whose rows end at `ends`.
    pub fn of(text: &str, ends: &[u32], rows: Range<usize>) -> Self {
        let mut found = Self::default();
        if rows.is_empty() {
            return found;
        }
        let bytes = &text.as_bytes()[..ends[rows.end - 1] as usize];
        let mut row = rows.start;
        let mut at = if row == 0 { 0 } else { ends[row - 1] as usize };
        while let Some(found_at) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
            at += found_at;
            while ends[row] as usize <= at {
                row += 1;
            }
            let number = u32::try_from(row).unwrap_or(u32::MAX);
            if found.any.last() != Some(&number) {
                found.any.push(number);
            }
            if matches!(bytes.get(at + 1), Some(b'u' | b'/')) {
                found.needless.push(number);
                at = ends[row] as usize;
            } else {
                at += 2;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_by_their_escapes() {
        let rows = [r#"{"a":1}"#, r#"{"a":"x\ny"}"#, r#"{"a":"\\u0041"}"#, r#"{"a":"\n\u0041\/"}"#, "{}"];
        let text = rows.concat();
        let mut end = 0;
        let ends: Vec<u32> = rows
            .iter()
            .map(|row| {
                end += row.len() as u32;
                end
            })
            .collect();
        let found = Escapes::of(&text, &ends, 0..5);
        assert_eq!((found.any, found.needless), (vec![1, 2, 3], vec![3]));
        assert_eq!(Escapes::of(&text, &ends, 2..3).any, [2]);
        assert_eq!(Escapes::of(&text, &ends, 2..2), Escapes::default());
    }
}
