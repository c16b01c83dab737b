//! `%XX` as URLs write it: text without such escapes, and which byte each of its bytes came from.
//!
//! Called by the search for shapes, which looks at every level of a URL within a URL, and by the pre-check. It knows
//! nothing of names or values.

use std::ops::Range;

use memchr::memchr;

/// How often a URL within URLs may be escaped and still be looked at; each level is one pass over the text.
pub(super) const LEVELS: usize = 8;

/// Bytes of one escape.
const ESCAPE: usize = 3;

/// Text without the outer levels of its escapes.
#[derive(Clone, Debug)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Where each byte came from, and the end of all.
    from: Vec<usize>,
}

impl Decoded {
    /// `raw` as it is, or `None` where no byte of it is escaped.
    pub(super) fn new(raw: &[u8]) -> Option<Self> {
        next_escape(raw, 0)?;
        Some(Self { bytes: raw.to_vec(), from: (0..=raw.len()).collect() })
    }

    /// Takes one more level of escapes out; gives whether there was one.
    pub(super) fn decode(&mut self) -> bool {
        let Some(first) = next_escape(&self.bytes, 0) else { return false };
        let (mut at, mut kept) = (first.0, first.0);
        let mut next = Some(first);
        while at < self.bytes.len() {
            self.from[kept] = self.from[at];
            self.bytes[kept] = self.bytes[at];
            match next {
                Some((escape, byte)) if escape == at => {
                    self.bytes[kept] = byte;
                    at += ESCAPE;
                    next = next_escape(&self.bytes, at);
                }
                _ => at += 1,
            }
            kept += 1;
        }
        self.from[kept] = self.from[at];
        self.bytes.truncate(kept);
        self.from.truncate(kept + 1);
        true
    }

    /// Takes out every level of escapes that is looked at.
    pub(super) fn decode_all(&mut self) {
        for _ in 0..LEVELS {
            if !self.decode() {
                return;
            }
        }
    }

    /// Where the bytes of `range` came from.
    pub(super) fn raw(&self, range: &Range<usize>) -> Range<usize> {
        self.from[range.start]..self.from[range.end]
    }

    /// The bytes that came from `raw`, those included that came from it in part.
    pub(super) fn within(&self, raw: &Range<usize>) -> Range<usize> {
        let start = self.from.partition_point(|from| *from <= raw.start).saturating_sub(1);
        start..self.from.partition_point(|from| *from < raw.end)
    }
}

/// The next escape from `from` on, and the byte that it stands for.
fn next_escape(bytes: &[u8], from: usize) -> Option<(usize, u8)> {
    let mut at = from;
    loop {
        at += memchr(b'%', bytes.get(at..)?)?;
        if let Some(byte) = hex(&bytes[at + 1..]) {
            return Some((at, byte));
        }
        at += 1;
    }
}

/// What two hexadecimal digits at the beginning of `bytes` stand for.
fn hex(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let [high, low, ..] = bytes else { return None };
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// What stands behind a `%` and its digits, for each number of times it may have been escaped (`2574` for `t`): the byte
/// that is meant, and the rest.
pub(super) fn meanings(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let byte = hex(rest)?;
        rest = &rest[2..];
        let meant = (byte, rest);
        if byte != b'%' {
            rest = &[];
        }
        Some(meant)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_taken_out_and_leads_back() {
        let raw = b"a%3Fb%253D%zz%2%25";
        let mut text = Decoded::new(raw).expect("escaped");
        assert!(text.decode());
        assert_eq!(text.bytes, b"a?b%3D%zz%2%");
        assert_eq!(&raw[text.raw(&(1..3))], b"%3Fb");
        assert!(text.decode());
        assert_eq!(text.bytes, b"a?b=%zz%2%");
        assert_eq!(&raw[text.raw(&(3..4))], b"%253D");
        assert_eq!(text.within(&(6..10)), 3..4, "a part of an escape is all of it");
        assert!(!text.decode());
        assert_eq!(text.raw(&(0..text.bytes.len())), 0..raw.len());
        assert!(Decoded::new(b"100% of %zz").is_none());
    }

    #[test]
    fn a_byte_may_be_escaped_any_number_of_times() {
        let meant = |text: &'static str| meanings(text.as_bytes()).map(|(byte, _)| byte).collect::<Vec<_>>();
        assert_eq!(meant("74oken"), b"t");
        assert_eq!(meant("252574"), b"%%t");
        assert_eq!(meant("25x"), b"%");
        assert_eq!(meant("zz"), b"");
        assert_eq!(meanings(b"253Ftoken").last(), Some((b'?', &b"token"[..])));
    }
}
