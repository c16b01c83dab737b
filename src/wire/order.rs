//! The keys of a batch and which came after which: pages write the members of their events in the same order again
//! and again.
//!
//! `wire::skim` asks for the key that is likely to come, so that most keys are one comparison instead of a search for
//! their end and one for their meaning. A guess that is wrong costs that comparison and nothing else.

use super::raw::Slot;

/// Keys that are remembered; those of events that differ more are read as if they were met for the first time.
const MOST: usize = 64;
/// Guesses for what comes after a key.
const GUESSES: usize = 2;
/// The place of an event's beginning.
const START: u8 = 0;
/// The place of every key that is not remembered.
const OTHER: u8 = 1;
/// Bytes of a key that is remembered, with the quote and colon that follow it.
const LONGEST: usize = size_of::<u128>();

/// One key.
#[derive(Clone, Copy, Debug, Default)]
struct Key {
    /// Its bytes, the closing quote and the colon, the first one lowest.
    bytes: u128,
    /// The bits of those.
    mask: u128,
    len: usize,
    slot: Option<Slot>,
    /// Places of what came after it, the last one first.
    next: [u8; GUESSES],
}

/// See the file's head.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    all: Vec<Key>,
    /// Place of the key before.
    before: u8,
}

impl Default for Keys {
    fn default() -> Self {
        // No text has these bytes, so the first two fit nowhere.
        let nowhere = Key { bytes: u128::MAX, mask: u128::MAX, ..Key::default() };
        Self { all: vec![nowhere; 2], before: START }
    }
}

impl Keys {
    /// An event begins.
    pub(super) fn begin(&mut self) {
        self.before = START;
    }

    /// The end and the meaning of the key whose text starts at `start`, if it is one of those guessed; its quote and a
    /// colon follow.
    // Nearly all there is to a key, so it goes where keys are read.
    #[inline]
    pub(super) fn guess(&mut self, text: &[u8], start: usize) -> Option<(usize, Option<Slot>)> {
        let there = u128::from_le_bytes(*text.get(start..)?.first_chunk::<LONGEST>()?);
        let [last, other] = self.all[usize::from(self.before)].next;
        let fits = |key: &&Key| (there ^ key.bytes) & key.mask == 0;
        if let Some(key) = Some(&self.all[usize::from(last)]).filter(fits) {
            self.before = last;
            return Some((start + key.len, key.slot));
        }
        let key = Some(&self.all[usize::from(other)]).filter(fits)?;
        let found = (start + key.len, key.slot);
        self.all[usize::from(self.before)].next = [other, last];
        self.before = other;
        Some(found)
    }

    /// The meaning of `key`, which was not guessed, and is from now on where it fits.
    pub(super) fn learn(&mut self, key: &[u8]) -> Option<Slot> {
        let slot = Slot::of(key);
        let place = self.place(key, slot);
        if place != OTHER {
            let next = &mut self.all[usize::from(self.before)].next;
            *next = [place, next[0]];
        }
        self.before = place;
        slot
    }

    /// The place of `key`.
    fn place(&mut self, key: &[u8], slot: Option<Slot>) -> u8 {
        if key.len() + 2 > LONGEST {
            return OTHER;
        }
        let mut text = [0; LONGEST];
        text[..key.len()].copy_from_slice(key);
        text[key.len()..key.len() + 2].copy_from_slice(b"\":");
        let bytes = u128::from_le_bytes(text);
        let known = self.all.iter().position(|known| known.bytes == bytes).unwrap_or(self.all.len());
        if known >= MOST {
            return OTHER;
        }
        if known == self.all.len() {
            let mask = u128::MAX >> (8 * (LONGEST - 2 - key.len()));
            self.all.push(Key { bytes, mask, len: key.len(), slot, next: [START; GUESSES] });
        }
        u8::try_from(known).unwrap_or(OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads events of which only the keys are left, each closed by a quote and a colon; says which keys of the last one
    /// were guessed.
    fn guessed(texts: &[&str]) -> Vec<bool> {
        let mut keys = Keys::default();
        let mut found = Vec::new();
        for text in texts {
            keys.begin();
            found.clear();
            let bytes = [text.as_bytes(), &[b' '; LONGEST]].concat();
            let mut at = 0;
            while at < text.len() {
                let end = at + bytes[at..].iter().position(|byte| *byte == b'"').unwrap();
                let key = &bytes[at..end];
                let guess = keys.guess(&bytes, at);
                match guess {
                    Some(guess) => assert_eq!(guess, (end, Slot::of(key)), "{text}"),
                    None => assert_eq!(keys.learn(key), Slot::of(key), "{text}"),
                }
                found.push(guess.is_some());
                at = end + 2;
            }
        }
        found
    }

    #[test]
    fn what_came_before_is_guessed_and_nothing_else() {
        assert_eq!(guessed(&["type\":url\":"]), [false, false]);
        assert_eq!(guessed(&["type\":url\":", "type\":url\":"]), [true, true]);
        assert_eq!(guessed(&["type\":url\":", "type\":level\":", "type\":url\":"]), [true, true]);
        assert_eq!(guessed(&["type\":url\":", "types\":", "type\":ur\":"]), [true, false]);
        let long = "a-key-of-15-bt0\":a\":";
        assert_eq!(guessed(&[long, long]), [false, true]);
        assert_eq!(guessed(&["a-key-of-14-by\":a\":", "a-key-of-14-by\":a\":"]), [true, true]);
        assert_eq!(guessed(&["\":\":", "\":\":"]), [true, true]);
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let many: String = (0..500).map(|nth| format!("k{nth}\":")).collect();
        let found = guessed(&[&many, &many]);
        assert!(found[..MOST - 2].iter().all(|is_guessed| *is_guessed));
        assert!(!found[MOST..].contains(&true));
    }
}
