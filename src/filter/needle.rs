//! The search for one word in much text, blind to case.
//!
//! Used by `words`, `messages` and `data`, on the text of a whole chunk at a time. ASCII words are found by three of
//! their bytes, those that are rarest in the text at hand; other words by a regular expression.

use std::ops::Range;

use aho_corasick::packed::Searcher;
use regex::bytes::Regex;

use super::glob::Glob;
use super::text;
use crate::event::BETWEEN;

/// Bytes of a word that are looked for at once: more would be more patterns, fewer would be found too often.
const WINDOW: usize = 3;
/// Windows of a word that are considered.
const CHOICES: usize = 24;
/// Bytes of text from which the rarest window is taken.
const SAMPLE: usize = 32 * 1024;
/// Places it is taken from.
const PIECES: usize = 16;

/// A word to look for.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    word: String,
    how: How,
    /// Bytes of text the window was chosen by.
    sampled: usize,
}

#[derive(Clone, Debug)]
enum How {
    /// Where the window begins in the word.
    Window(Searcher, usize),
    Regexp(Regex),
}

impl Needle {
    pub(super) fn new(word: &str) -> Self {
        let how = match window(word, 0).filter(|_| word.is_ascii()) {
            Some(searcher) => How::Window(searcher, 0),
            None => How::Regexp(text::finder(&Glob::literal(word))),
        };
        Self { word: word.to_owned(), how, sampled: 0 }
    }

    /// Adapts to text like `text`; worth calling before each search, as it does nothing most times.
    pub(super) fn tune(&mut self, text: &[u8]) {
        let How::Window(searcher, at) = &mut self.how else { return };
        let len = text.len().min(SAMPLE);
        if self.word.len() <= WINDOW || len < 4 * self.sampled.max(WINDOW) {
            return;
        }
        self.sampled = len;
        // From all over the text: what lies together is alike.
        let step = text.len().div_ceil(PIECES).max(1);
        let pieces: Vec<&[u8]> =
            text.chunks(step).map(|piece| &piece[..piece.len().min(SAMPLE / PIECES)]).collect();
        let last = (self.word.len() - WINDOW).min(CHOICES);
        let choices = (0..=last).filter_map(|at| Some((window(&self.word, at)?, at)));
        let count = |searcher: &Searcher| -> usize {
            pieces.iter().map(|piece| searcher.find_iter(piece).count()).sum()
        };
        let rarest = choices.min_by_key(|(searcher, _)| count(searcher));
        if let Some(rarest) = rarest {
            (*searcher, *at) = rarest;
        }
    }

    /// The first place of the word that begins at `from` or later.
    pub(super) fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let (searcher, window) = match &self.how {
            How::Window(searcher, window) => (searcher, *window),
            How::Regexp(regex) => return regex.find_at(text, from).map(|hit| hit.range()),
        };
        let mut at = from + window;
        while at < text.len() {
            let found = searcher.find_in(text, (at..text.len()).into())?.start();
            let place = found - window..found - window + self.word.len();
            if text.get(place.clone())?.eq_ignore_ascii_case(self.word.as_bytes()) {
                return Some(place);
            }
            at = found + 1;
        }
        None
    }

    /// Whether the word holds what stands between values in [`crate::event::Texts`].
    pub(super) fn has_between(&self) -> bool {
        self.word.as_bytes().contains(&BETWEEN)
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.find_at(text, 0).is_some()
    }
}

/// A searcher for what `word` has at `at`, in every case; `None` where this machine has no fast one.
fn window(word: &str, at: usize) -> Option<Searcher> {
    let bytes = word.as_bytes();
    let end = bytes.len().min(at + WINDOW);
    let mut variants = vec![Vec::with_capacity(WINDOW)];
    for byte in bytes.get(at..end).filter(|bytes| bytes.len() > 1)? {
        let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
        let uppers = variants.clone();
        variants.iter_mut().for_each(|variant| variant.push(lower));
        if lower != upper {
            variants.extend(uppers.into_iter().map(|mut variant| {
                variant.push(upper);
                variant
            }));
        }
    }
    Searcher::new(variants)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_is_found_where_it_is(
            word in "[abAB/é0 k]{1,7}",
            text in "[abAB/é0 kK\u{212a}]{0,80}",
            from in any::<prop::sample::Index>(),
            sample in "[abAB]{0,40}",
        ) {
            let mut needle = Needle::new(&word);
            needle.tune(sample.as_bytes());
            let from = from.index(text.len() + 1);
            let plain = text::finder(&Glob::literal(word)).find_at(text.as_bytes(), from).map(|hit| hit.range());
            prop_assert_eq!(needle.find_at(text.as_bytes(), from), plain);
        }
    }
}
