//! Secrets inside running text: Bearer tokens, JWTs, card numbers, URL user-info and secret URL parameters.
//!
//! Called by the scrubbing with the unescaped text of one string. It only says where they are.

use std::ops::{ControlFlow, Range};

use memchr::{memchr_iter, memchr2_iter, memmem};

use super::cards;
use super::keys::{Keys, Verdict, is_key_byte, is_parameter_byte};
use super::percent::{Decoded, LEVELS};

/// What stands where a secret stood.
pub(super) const MARK: &str = "[redacted]";

/// The shortest text with a Bearer token, which is shorter than a card number or a JWT; most strings are below.
const MIN_LONG_SHAPE: usize = "bearer ".len() + MIN_BEARER;

/// A Bearer token shorter than this is a word (`bearer of news`).
const MIN_BEARER: usize = 4;

/// What follows the word in messages about the scheme itself and in `WWW-Authenticate`.
const BEARER_WORDS: &[&str] = &[
    "token",
    "tokens",
    "auth",
    "authentication",
    "authorization",
    "scheme",
    "realm",
    "error",
    "header",
    "with",
];

/// Bytes that may stand before the comma of a `data:` URL.
const MAX_DATA_HEAD: usize = 128;

/// Base64 letters after `eyJ` in the shortest header, `{"alg":"none"}` without padding, less some slack.
const MIN_JWT_HEADER: usize = 10;

/// Appends where `text` holds secrets: in order, never overlapping nor touching.
pub(super) fn find(text: &str, keys: &Keys, found: &mut Vec<Range<usize>>) {
    if !keys.knows_shapes {
        return;
    }
    let bytes = text.as_bytes();
    let first = found.len();
    if bytes.len() >= MIN_LONG_SHAPE {
        let _ = cards::scan(bytes, |range| {
            found.push(range);
            ControlFlow::Continue(())
        });
        jwts(bytes, found);
        bearers(bytes, found);
    }
    in_urls(bytes, keys, first, found);
    if let Some(text) = Decoded::new(bytes) {
        in_escaped_urls(text, keys, first, found);
    }
}

fn in_urls(bytes: &[u8], keys: &Keys, first: usize, found: &mut Vec<Range<usize>>) {
    user_infos(bytes, found);
    merge(found, first);
    let others = found.len();
    parameters(bytes, keys, first, found);
    if found.len() > others {
        merge(found, first);
    }
}

/// Looks at a URL that is a parameter of another as at the other, and at one within that. What was found before may
/// reach into what is found there, as it does in the text itself.
fn in_escaped_urls(mut text: Decoded, keys: &Keys, first: usize, found: &mut Vec<Range<usize>>) {
    for _ in 0..LEVELS {
        if !text.decode() {
            return;
        }
        for range in &mut found[first..] {
            *range = text.within(range);
        }
        in_urls(&text.bytes, keys, first, found);
        for range in &mut found[first..] {
            *range = text.raw(range);
        }
    }
}

/// Sorts what was found from `first` on, and joins what overlaps or touches.
pub(super) fn merge(found: &mut Vec<Range<usize>>, first: usize) {
    if found.len() - first < 2 {
        return;
    }
    found[first..].sort_unstable_by_key(|range| (range.start, range.end));
    let mut kept = first;
    for index in first + 1..found.len() {
        if found[index].start <= found[kept].end {
            found[kept].end = found[kept].end.max(found[index].end);
        } else {
            kept += 1;
            found[kept] = found[index].clone();
        }
    }
    found.truncate(kept + 1);
}

fn run_of(bytes: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_part(**byte)).count()
}

/// RFC 7519 and 7516 in compact form: `eyJ` (base64 of `{"`), a dot, further parts.
fn jwts(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    for hit in memchr_iter(b'J', bytes) {
        let Some(hit) = hit.checked_sub(2).filter(|hit| *hit >= from && bytes[*hit..].starts_with(b"ey"))
        else {
            continue;
        };
        let header = hit + run_of(&bytes[hit..], is_key_byte);
        let rest = run_of(&bytes[header..], |byte| is_key_byte(byte) || byte == b'.' || byte == b'=');
        if header - hit >= 3 + MIN_JWT_HEADER && bytes.get(header) == Some(&b'.') && rest > 1 {
            let before = bytes[from..hit].iter().rev().take_while(|byte| is_key_byte(**byte)).count();
            found.push(hit - before..header + rest);
            from = header + rest;
        } else {
            from = header;
        }
    }
}

/// RFC 6750: the scheme in any case, space, then the token, which alone is taken.
fn bearers(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let mut done = 0;
    for at in memchr2_iter(b'b', b'B', bytes) {
        let is_scheme = bytes.get(at..at + 6).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer"));
        if !is_scheme || at < done || at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
            continue;
        }
        let space = at + 6;
        let plain = run_of(&bytes[space..], |byte| byte == b' ');
        let start = space + if bytes[space..].starts_with(b"%20") { 3 } else { plain };
        let end = start + run_of(&bytes[start..], is_token);
        done = end;
        let word = bytes[start..end].trim_ascii();
        let bare = word.strip_suffix(b"=").or_else(|| word.strip_suffix(b".")).unwrap_or(word);
        let is_word = BEARER_WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(bare));
        if start > space && word.len() >= MIN_BEARER && !is_word {
            found.push(start..end);
        }
    }
}

/// RFC 3986 `scheme://userinfo@host`: everything between the slashes and the last `@` before the host ends.
fn user_infos(bytes: &[u8], found: &mut Vec<Range<usize>>) {
    if memchr::memchr(b'@', bytes).is_none() {
        return;
    }
    for at in memmem::find_iter(bytes, b"://") {
        let start = at + 3;
        let authority = &bytes[start..start + run_of(&bytes[start..], |byte| !ends_authority(byte))];
        let Some(len) = memchr::memrchr(b'@', authority) else { continue };
        if len > 0 && &authority[..len] != MARK.as_bytes() {
            found.push(start..start + len);
        }
    }
}

/// What cannot stand in the authority part of a URL.
pub(super) fn ends_authority(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b"/?#\\\"<>".contains(&byte)
}

/// What may stand before a parameter's name; the beginning of the text counts too, and that of a value.
pub(super) fn leads_parameter(byte: u8) -> bool {
    matches!(byte, b'?' | b'&' | b'#' | b'=')
}

/// Whether a parameter's name may follow `before`.
fn is_led(before: &[u8]) -> bool {
    match before {
        [] => true,
        [head @ .., b','] => {
            let is_part = |byte: &&u8| !ends_value(**byte);
            let part = head.iter().rev().take(MAX_DATA_HEAD).take_while(is_part).count();
            memmem::find(&head[head.len() - part..], b"data:").is_some()
        }
        [.., lead] => leads_parameter(*lead),
    }
}

/// `name=value` of a query, a fragment or a form body; the value alone is taken. A secret of another shape (those
/// from `first` on) that reaches over the value's end belongs to it, and what follows that too.
fn parameters(bytes: &[u8], keys: &Keys, first: usize, found: &mut Vec<Range<usize>>) {
    let others = first..found.len();
    let mut done = 0;
    for equals in memchr_iter(b'=', bytes) {
        if equals < done {
            continue;
        }
        let name = bytes[done..equals].iter().rev().take_while(|byte| is_parameter_byte(**byte)).count();
        let start = equals - name;
        if name == 0 || !is_led(&bytes[..start]) || keys.judge(&bytes[start..equals]) != Verdict::Secret {
            continue;
        }
        done = equals + 1 + run_of(&bytes[equals + 1..], |byte| !ends_value(byte));
        let is_empty = done == equals + 1;
        while !is_empty && let Some(other) = reaching_over(&found[others.clone()], done) {
            done = other + run_of(&bytes[other..], |byte| !ends_value(byte));
        }
        let value = equals + 1..done;
        if !value.is_empty() && &bytes[value.clone()] != MARK.as_bytes() {
            found.push(value);
        }
    }
}

/// Where the range ends that starts up to `at` and ends after it; `sorted` ranges do not overlap.
fn reaching_over(sorted: &[Range<usize>], at: usize) -> Option<usize> {
    let next = sorted.get(sorted.partition_point(|range| range.end <= at))?;
    (next.start <= at).then_some(next.end)
}

fn ends_value(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b"&#\"<>".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::keys::Rules;
    use super::*;

    fn scrubbed(text: &str) -> String {
        let mut found = Vec::new();
        find(text, &Keys::new(&Rules::default()), &mut found);
        let mut out = text.to_owned();
        for range in found.into_iter().rev() {
            out.replace_range(range, "#");
        }
        out
    }

    #[test]
    fn shapes_are_taken_and_words_are_left() {
        for (text, expected) in [
            ("Authorization: Bearer abc.DEF-123_~+/==", "Authorization: Bearer #"),
            ("bearer   abcd, x", "bearer   #, x"),
            ("BEARER%20abcd", "BEARER%20#"),
            ("Bearer token is missing", "Bearer token is missing"),
            ("Bearer realm=\"api\"", "Bearer realm=\"api\""),
            ("the bearer of news", "the bearer of news"),
            ("forbearer abcdef", "forbearer abcdef"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln!", "jwt #!"),
            ("eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn", "#"),
            ("x4111111111111111eyJhbGciOiJkaXIifQ.e", "#"),
            ("eyJ.x eyJhbGciOiJkaXIifQ eyJhbGciOiJkaXIifQ.", "eyJ.x eyJhbGciOiJkaXIifQ eyJhbGciOiJkaXIifQ."),
            ("Bearer 4111 1111 1111 1111 left", "Bearer # left"),
            ("https://bob:pa@ss@host/a@b", "https://#@host/a@b"),
            ("ws://key@h", "ws://#@h"),
            ("http://@h http://a/b@c", "http://@h http://a/b@c"),
            ("at f@https://a/b.js\ng@https://c", "at f@https://a/b.js\ng@https://c"),
            ("https://[redacted]@h", "https://[redacted]@h"),
            ("/a?x=1&access_token=a%20b&y=2", "/a?x=1&access_token=#&y=2"),
            ("/cb#id-token=abc&state=1", "/cb#id-token=#&state=1"),
            ("password=hunter2&user=bob", "password=#&user=bob"),
            ("/a?apiKey=[redacted]", "/a?apiKey=[redacted]"),
            ("/a?apiKey=[redacted]x", "/a?apiKey=#"),
            ("/a?access%5Ftoken=a&y=2", "/a?access%5Ftoken=#&y=2"),
            ("/a?%74oken=a%26b&y=2", "/a?%74oken=#&y=2"),
            ("/a?next=/x?token=abc", "/a?next=/x?token=#"),
            ("/a?next=%2Fx%3Ftoken%3Dabc%26a=1", "/a?next=%2Fx%3Ftoken%3D#%26a=1"),
            (
                "/a?next=%252Fx%253F%2574oken%253Dab%2525c%2526a&b=1",
                "/a?next=%252Fx%253F%2574oken%253D#%2526a&b=1",
            ),
            ("/a?next=token%3Dabc&b=1", "/a?next=token%3D#&b=1"),
            ("/a?next=token=abc", "/a?next=token=#"),
            ("/a?to=https%3A%2F%2Fbob%3Apw%40host%2Fx", "/a?to=https%3A%2F%2F#%40host%2Fx"),
            ("/a?to=https%3A//b@b:p%40w@host", "/a?to=https%3A//#@host"),
            (
                "/a?%74oken=[redacted]&next=%3Ftoken%3D[redacted]",
                "/a?%74oken=[redacted]&next=%3Ftoken%3D[redacted]",
            ),
            ("data:text/plain;charset=utf-8,token=abc&x=1", "data:text/plain;charset=utf-8,token=#&x=1"),
            ("one,token=abc", "one,token=abc"),
            (
                "/a?next=%2Fx%3Ftokens%3Dabc&mail=bob%40example.com",
                "/a?next=%2Fx%3Ftokens%3Dabc&mail=bob%40example.com",
            ),
            ("/a?token= b", "/a?token= b"),
            ("?token=://&@x", "?token=#"),
            ("let token=abc", "let token=abc"),
            ("/a?my.token=1&tokens=2&phone=3", "/a?my.token=1&tokens=2&phone=3"),
            ("Unexpected token < in JSON", "Unexpected token < in JSON"),
        ] {
            assert_eq!(scrubbed(text), expected, "{text}");
        }
    }

    #[test]
    fn ranges_come_in_order_and_apart() {
        let text = "?token=4111111111111111&pwd=eyJhbGciOiJkaXIifQ.e Bearer eyJhbGciOiJkaXIifQ.e";
        let mut found = Vec::new();
        found.push(0..1);
        find(text, &Keys::new(&Rules::default()), &mut found);
        assert_eq!(found.len(), 4);
        assert!(found[1..].windows(2).all(|pair| pair[0].end < pair[1].start), "{found:?}");
    }
}
