//! A source's text, with marks along its lines, so that the lines around a place are found without counting from the top.
//!
//! Made by `load` and by the thread's cache of local files; asked by `resolve`.

use std::sync::OnceLock;

/// Every so many lines there is a mark: a text of line breaks alone costs an eighth of itself more.
const EVERY: usize = 32;

/// The text of a source or script; its marks are set when it is first asked for lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text {
    text: Box<str>,
    /// Where lines 1, 33, 65 and so on begin, in bytes.
    marks: OnceLock<Box<[u32]>>,
}

impl Text {
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), marks: OnceLock::new() }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.marks.get().map_or(0, |marks| marks.len() * 4)
    }

    /// The lines from number `first` on, from 1, without their ends; none where there are not so many.
    pub fn lines_from(&self, first: u32) -> std::str::Lines<'_> {
        self.start_of(first).map_or("", |start| &self.text[start..]).lines()
    }

    fn start_of(&self, line: u32) -> Option<usize> {
        let before = usize::try_from(line.checked_sub(1)?).ok()?;
        let marks = self.marks.get_or_init(|| self.mark());
        let start = *marks.get(before / EVERY)? as usize;
        match before % EVERY {
            0 => Some(start),
            more => {
                Some(start + memchr::memchr_iter(b'\n', &self.text.as_bytes()[start..]).nth(more - 1)? + 1)
            }
        }
    }

    fn mark(&self) -> Box<[u32]> {
        let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
        let starts =
            breaks.skip(EVERY - 1).step_by(EVERY).map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
        std::iter::once(0).chain(starts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn lines_are_found_as_if_counted(text in "([a-zé]{0,3}\r?\n){0,100}[a-z]{0,3}", line in 0..110_u32) {
            let marked = Text::new(&text);
            let found: Vec<_> = marked.lines_from(line).collect();
            let counted: Vec<_> = match line {
                0 => Vec::new(),
                line => text.lines().skip(line as usize - 1).collect(),
            };
            proptest::prop_assert_eq!(found, counted);
        }
    }
}
