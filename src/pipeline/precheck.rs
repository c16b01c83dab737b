//! The quick look that tells whether any byte of a batch could need scrubbing, so that most batches skip it.
//!
//! Called with a whole batch and, where that is suspicious, with each event. It may be wrong in one direction
//! only: what scrubbing would change is always suspicious.
//!
//! Letters are compared with bit 0x20 set, which folds case for all of them at once and leaves a third of the
//! patterns; the vectorised search then handles all names together.

use std::ops::ControlFlow;

use aho_corasick::{AhoCorasick, Input, MatchKind, packed};

use super::cards;
use super::keys::{Keys, MAX_KEY, Verdict, is_key_byte};
use super::percent;
use super::shapes::{ends_authority, leads_parameter};

/// Bytes folded and searched at a time: small enough to stay in the first-level cache.
const BLOCK: usize = 4096;

/// Bytes repeated from one block in the next so that no name falls between two; names are at most this long.
const OVERLAP: usize = MAX_KEY * 2;

/// Bytes looked back from an `@` for the `://` of a URL; a longer way is suspicious as it is.
const USER_INFO: usize = 256;

/// Bytes of a secret's longest name in an escaped URL, where the digits of what leads it stand before it (`253F`).
const MAX_LED_KEY: usize = MAX_KEY + 2 * percent::LEVELS;

/// Bytes of `\uXXXX`, which can hide what stands before a run of digits.
const ESCAPE: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Sign {
    /// A piece of a secret's name.
    Name,
    /// `eyJ`, in this case only.
    Jwt,
    /// `\u00`: an ASCII letter written as an escape, so that names and shapes cannot be seen.
    Escape,
    /// `\ud8` to `\udf`: half of a surrogate pair.
    Surrogate,
    /// `:\/`: a URL whose slashes are escaped.
    Slash,
    /// `bearer`.
    Bearer,
}

/// The signs that do not depend on the names, as they look with bit 0x20 set.
const SIGNS: &[(&[u8], Sign)] = &[
    (b"eyj", Sign::Jwt),
    (b"|u00", Sign::Escape),
    (b"|ud", Sign::Surrogate),
    (b":|/", Sign::Slash),
    (b"bearer", Sign::Bearer),
];

#[derive(Clone, Debug)]
enum Engine {
    Vector(packed::Searcher),
    /// For machines without the instructions and for very many names.
    Automaton(AhoCorasick),
    /// Every text is suspicious; the last resort where neither can be built.
    Always,
}

/// A search for some of the patterns and what each of them means.
#[derive(Clone, Debug)]
struct Search {
    engine: Engine,
    signs: Vec<Sign>,
}

#[derive(Clone, Debug)]
pub(super) struct Precheck {
    searches: Vec<Search>,
}

/// Bytes of a pattern that the vectorised search can look at; one shorter pattern makes it look at fewer for all.
const PREFIX: usize = 4;

impl Precheck {
    pub(super) fn new(keys: &Keys) -> Self {
        Self::with(keys, |patterns| {
            let vector = packed::Config::new().builder().extend(patterns).build().map(Engine::Vector);
            vector.unwrap_or_else(|| automaton(patterns))
        })
    }

    /// Long patterns by themselves: with all their bytes looked at, hardly a place has to be looked at twice.
    fn with(keys: &Keys, engine: impl Fn(&[&[u8]]) -> Engine) -> Self {
        let names = keys.fragments();
        let names = names.iter().map(|name| (name.as_slice(), Sign::Name));
        let (long, short): (Vec<_>, Vec<_>) =
            SIGNS.iter().copied().chain(names).partition(|(pattern, _)| pattern.len() >= PREFIX);
        let searches = [long, short].into_iter().filter(|group| !group.is_empty()).map(|group| {
            let (patterns, signs): (Vec<_>, Vec<_>) = group.into_iter().unzip();
            Search { engine: engine(&patterns), signs }
        });
        Self { searches: searches.collect() }
    }

    pub(super) fn is_suspicious(&self, bytes: &[u8], keys: &Keys) -> bool {
        self.has_sign(bytes, keys) || has_address_sign(bytes) || has_card(bytes)
    }

    fn has_sign(&self, bytes: &[u8], keys: &Keys) -> bool {
        let mut folded = [0u8; BLOCK];
        let mut base = 0;
        loop {
            let block = &bytes[base..bytes.len().min(base + BLOCK)];
            for (out, byte) in folded.iter_mut().zip(block) {
                *out = byte | 0x20;
            }
            let folded = &folded[..block.len()];
            if self.searches.iter().any(|search| search.has_sign(folded, bytes, base, keys)) {
                return true;
            }
            if base + block.len() == bytes.len() {
                return false;
            }
            base += BLOCK - OVERLAP;
        }
    }
}

impl Search {
    /// Looks through `folded`, the block of `bytes` that begins at `base`.
    fn has_sign(&self, folded: &[u8], bytes: &[u8], base: usize, keys: &Keys) -> bool {
        if matches!(self.engine, Engine::Always) {
            return true;
        }
        let mut from = 0;
        while let Some((pattern, start)) = self.engine.find(folded, from) {
            if confirms(self.signs[pattern], bytes, base + start, keys) {
                return true;
            }
            // One further, not past the match: a refused piece must not hide one that overlaps it.
            from = start + 1;
        }
        false
    }
}

fn automaton(patterns: &[&[u8]]) -> Engine {
    let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns);
    built.map_or(Engine::Always, Engine::Automaton)
}

impl Engine {
    /// The number of the pattern found first at or after `from`, and where it starts.
    fn find(&self, folded: &[u8], from: usize) -> Option<(usize, usize)> {
        let span = from..folded.len();
        let hit = match self {
            Self::Vector(searcher) => searcher.find_in(folded, span.into()),
            Self::Automaton(automaton) => automaton.find(Input::new(folded).span(span)),
            Self::Always => None,
        }?;
        Some((hit.pattern().as_usize(), hit.start()))
    }
}

fn confirms(sign: Sign, bytes: &[u8], at: usize, keys: &Keys) -> bool {
    match sign {
        Sign::Bearer => true,
        Sign::Jwt => bytes[at..].starts_with(b"eyJ") || is_in_name(bytes, at, keys),
        Sign::Escape => bytes[at] == b'\\',
        Sign::Surrogate => {
            let is_high = |byte: &u8| matches!(byte, b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F');
            bytes[at] == b'\\' && bytes.get(at + 3).is_some_and(is_high)
        }
        Sign::Slash => bytes[at + 1] == b'\\',
        Sign::Name => is_in_name(bytes, at, keys),
    }
}

/// Whether the piece at `at` belongs to a secret's whole name that stands as a key or as a URL parameter. A name with
/// escaped letters has another sign.
fn is_in_name(bytes: &[u8], at: usize, keys: &Keys) -> bool {
    let before = bytes[..at].iter().rev().take(MAX_LED_KEY).take_while(|byte| is_key_byte(**byte)).count();
    let after = bytes[at..].iter().take(MAX_KEY).take_while(|byte| is_key_byte(**byte)).count();
    let (start, end) = (at - before, at + after);
    let tail = &bytes[end..];
    let tail = tail.strip_prefix(b"?").unwrap_or(tail);
    let is_closed = matches!(tail.first(), Some(b'"' | b'=' | b'%'));
    let (name, is_secret) = (&bytes[start..end], |name: &[u8]| keys.judge(name) != Verdict::Plain);
    is_closed
        && match start.checked_sub(1).map(|before| bytes[before]) {
            Some(b'%') => percent::meanings(name).any(|(_, rest)| is_secret(rest)),
            None | Some(b'"' | b',') => is_secret(name),
            Some(lead) => leads_parameter(lead) && is_secret(name),
        }
}

/// Whether a URL has user-info, or something escaped that hides it or the letter of a name.
fn has_address_sign(bytes: &[u8]) -> bool {
    memchr::memchr2_iter(b'@', b'%', bytes).any(|at| {
        if bytes[at] == b'@' {
            return follows_slashes(bytes, at);
        }
        match percent::meanings(&bytes[at + 1..]).last() {
            Some((b'@', _)) => follows_slashes(bytes, at),
            Some((byte, _)) => is_key_byte(byte),
            None => false,
        }
    })
}

/// Whether what stands at `at` comes after `://` with nothing between that ends a host; slashes may be escaped.
fn follows_slashes(bytes: &[u8], at: usize) -> bool {
    let mut back = at;
    while back > 0 {
        if at - back == USER_INFO {
            return true;
        }
        back -= 1;
        match bytes[back] {
            b'/' => return is_second_slash(&bytes[..back]),
            b'%' if percent::meanings(&bytes[back + 1..]).last().is_some_and(|(byte, _)| byte == b'/') => {
                return true;
            }
            // An escape such as \u4e2d may stand in user-info; the others end it.
            b'\\' if bytes[back + 1] == b'u' => {}
            byte if ends_authority(byte) => return false,
            _ => {}
        }
    }
    false
}

/// Whether `:/` stands at the end of `before`, or may stand there with something of it escaped.
fn is_second_slash(before: &[u8]) -> bool {
    matches!(before, [.., b':', b'/'] | [.., b'3', b'a' | b'A', b'/'] | [.., b'2', b'f' | b'F'] | [.., b'\\'])
}

fn has_card(bytes: &[u8]) -> bool {
    let flow = cards::runs(bytes, |run| {
        let lead = &bytes[run.start.saturating_sub(ESCAPE)..run.start];
        if lead.contains(&b'\\') && cards::has_enough_digits(&bytes[run.clone()]) {
            return ControlFlow::Break(());
        }
        cards::in_run(bytes, run, &mut |_| ControlFlow::Break(()))
    });
    flow.is_break()
}

#[cfg(test)]
mod tests {
    use super::super::keys::Rules;
    use super::*;

    fn engines(keys: &Keys) -> [Precheck; 2] {
        [Precheck::new(keys), Precheck::with(keys, automaton)]
    }

    #[test]
    fn signs_are_seen_and_look_alikes_pass() {
        let keys = Keys::new(&Rules::default());
        for (text, expected) in [
            (r#"{"PassWord":1}"#, true),
            (r#"{"API-KEY" : 1}"#, true),
            (r#"{"__token":1}"#, true),
            (r#"{"token?":1}"#, true),
            (r#"{"url":"/a?cvv=1"}"#, true),
            (r#"{"a":"password=1"}"#, true),
            (r#"{"url":"/a?access%5Ftoken=1"}"#, true),
            (r#"{"url":"/a?%74oken=1"}"#, true),
            (r#"{"url":"/a?next=%2Fx%3Ftoken%3Dabc"}"#, true),
            (r#"{"url":"/a?next=%252Fx%253Ftoken%253Dabc"}"#, true),
            (r#"{"url":"/a?next=token%3Dabc"}"#, true),
            (r#"{"url":"data:,token=abc"}"#, true),
            (r#"{"url":"/a?next=http%3A%2F%2Fbob:pw%40h"}"#, true),
            (r#"{"url":"/a?next=http%3A//bob%40h"}"#, true),
            (r#"{"url":"/a?next=http%3A\/\/bob@h"}"#, true),
            (r#"{"a":"BEARER x"}"#, true),
            (r#"{"a":"cookieyJhbGciOi"}"#, true),
            (r#"{"\u0061":1}"#, true),
            (r#"{"a":"\uD83D"}"#, true),
            (r#"{"a":"x:\/\/a"}"#, true),
            (r#"{"a":"x://\u4e2d:b@h"}"#, true),
            (r#"{"a":"4111 1111 1111 1111"}"#, true),
            (r#"{"a":"\n4111111111111111"}"#, true),
            (r#"{"a":"\u4e114111111111111111"}"#, true),
            (r#"{"message":"Unexpected token < in JSON"}"#, false),
            (r#"{"className":"card passive","tokens":[],"secretary":"x"}"#, false),
            (r#"{"stack":"f@https://a/b.js:1:2\ng@https://a/b.js:3:4"}"#, false),
            (r#"{"email":"bob@example.com","url":"https://a/react@18"}"#, false),
            (r#"{"url":"/a?mail=bob%40example.com&next=%2Fx%3Ftokens%3Dabc&q=a%20b%5B%5D&of=100%"}"#, false),
            (r#"{"timestamp":1704067200000,"t":234.40000000596046}"#, false),
            (r#"{"monkeyjs":"\\n \u4e2d"}"#, false),
            ("", false),
        ] {
            for precheck in engines(&keys) {
                assert_eq!(precheck.is_suspicious(text.as_bytes(), &keys), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_name_is_seen_wherever_the_blocks_part() {
        let keys = Keys::new(&Rules::default());
        let precheck = Precheck::new(&keys);
        for lead in BLOCK - 220..BLOCK + 20 {
            let text = format!("{}\"set-cookie\":1", " ".repeat(lead));
            assert!(precheck.is_suspicious(text.as_bytes(), &keys), "{lead}");
        }
    }

    #[test]
    fn the_vectorised_search_takes_the_default_names() {
        for search in Precheck::new(&Keys::new(&Rules::default())).searches {
            assert!(matches!(search.engine, Engine::Vector(_)));
            assert!(search.signs.len() <= 32, "more patterns need the slower wide variant: {search:?}");
        }
    }
}
