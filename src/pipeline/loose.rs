//! Secrets in text that no reader took: broken JSON, EDN, Transit, MessagePack, forms, headers.
//!
//! Called for what is kept of a frame or an event that could not be read. The names are those of `keys`, the shapes
//! those of `shapes`; only where a value begins and ends is guessed here, and where that is unclear more is taken
//! rather than less. It says where secrets are and changes nothing. Each byte is looked at a bounded number of times.

use std::ops::Range;

use super::escape::Plain;
use super::keys::{Keys, MAX_KEY, Verdict, is_key_byte};
use super::percent::Decoded;
use super::shapes::{self, MARK};

/// Appends where `text` holds secrets: in order, never overlapping nor touching.
pub(super) fn find(text: &str, keys: &Keys, found: &mut Vec<Range<usize>>) {
    let first = found.len();
    values(text.as_bytes(), keys, found);
    if let Some(mut url) = Decoded::new(text.as_bytes()) {
        url.decode_all();
        let escaped = found.len();
        values(&url.bytes, keys, found);
        for range in &mut found[escaped..] {
            *range = url.raw(range);
        }
    }
    shapes::find(text, keys, found);
    if memchr::memchr(b'\\', text.as_bytes()).is_some() {
        let mut plain = Plain::default();
        plain.read(text);
        let escaped = found.len();
        shapes::find(&plain.text, keys, found);
        for range in &mut found[escaped..] {
            *range = plain.raw(range.start)..plain.raw(range.end);
        }
    }
    shapes::merge(found, first);
}

/// How a key is told from what precedes and follows it; the value before it ends in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `key: value`, `:key value`, `"~:key","value"`.
    Colon,
    /// `key=value`.
    Equals,
}

/// Bytes of values that are looked at for each byte of text; where more would be needed the rest is taken.
const PATIENCE: usize = 8;

/// Appends the values of secret names.
fn values(bytes: &[u8], keys: &Keys, found: &mut Vec<Range<usize>>) {
    let (mut at, mut has_context, mut looked_at) = (0, false, 0);
    while let Some(name) = Name::next(bytes, at) {
        at = name.at.end;
        has_context |= name.is_context();
        let is_secret = name.is_code || name.verdict(bytes, keys, has_context) == Verdict::Secret;
        let Some(lead) = is_secret.then(|| name.lead(bytes)).flatten() else { continue };
        let value = match lead.style {
            // Lengths stand before packed values, and a key may be a number there: where this one ends, nothing says.
            None => lead.end..bytes.len(),
            Some(style) => value(bytes, lead.end, style),
        };
        looked_at += value.len();
        let is_last = value.end == bytes.len() || looked_at > PATIENCE * bytes.len();
        let value = if is_last { value.start..bytes.len() } else { value };
        let inner = &bytes[value.clone()];
        if lead.is_sure {
            at = value.end.max(at);
        }
        if !matches!(inner, b"" | b"null" | b"nil") && inner != MARK.as_bytes() {
            found.push(value);
        }
        if is_last {
            return;
        }
    }
}

/// What stands between a key and its value.
struct Lead {
    end: usize,
    /// `None` where nothing says how the value ends.
    style: Option<Style>,
    /// Whether the name is a key by all signs; else it may be a value, and what follows a key.
    is_sure: bool,
}

/// A word that may be a key.
struct Name {
    at: Range<usize>,
    /// Its letters, escapes resolved; of a longer word the beginning.
    letters: [u8; MAX_KEY + 2],
    len: usize,
    /// A number of Transit's or MessagePack's cache, which may stand for any key.
    is_code: bool,
}

impl Name {
    fn next(bytes: &[u8], from: usize) -> Option<Self> {
        let mut at = from;
        loop {
            if let Some(end) = code_end(bytes, at) {
                return Some(Self { at: at..end, letters: [0; MAX_KEY + 2], len: 0, is_code: true });
            }
            if letter(bytes, at).is_some() {
                break;
            }
            at += 1;
            if at >= bytes.len() {
                return None;
            }
        }
        let mut name = Self { at: at..at, letters: [0; MAX_KEY + 2], len: 0, is_code: false };
        while let Some((letter, len)) = letter(bytes, name.at.end) {
            if let Some(slot) = name.letters.get_mut(name.len) {
                *slot = letter;
                name.len += 1;
            }
            name.at.end += len;
        }
        Some(name)
    }

    fn letters(&self) -> &[u8] {
        &self.letters[..self.len]
    }

    fn is_context(&self) -> bool {
        let letters = self.letters().iter().filter(|byte| !matches!(byte, b'-' | b'_'));
        letters.map(u8::to_ascii_lowercase).eq(b"context".iter().copied())
    }

    /// What the name says about its value; `has_context` stands for being inside one.
    fn verdict(&self, bytes: &[u8], keys: &Keys, has_context: bool) -> Verdict {
        let judge = |letters: &[u8]| match keys.judge(letters) {
            Verdict::Personal if has_context => Verdict::Secret,
            verdict => verdict,
        };
        let verdict = judge(self.letters());
        // The first letter may belong to an escape, `\npassword`, or be a length in packed text.
        let before = self.at.start.checked_sub(1).map(|before| bytes[before]);
        match before {
            Some(b'\\' | 0x80..) if verdict != Verdict::Secret && self.len > 1 => judge(&self.letters()[1..]),
            _ => verdict,
        }
    }

    /// What leads to the value, if the name is a key.
    fn lead(&self, bytes: &[u8]) -> Option<Lead> {
        let end = self.at.end + usize::from(bytes.get(self.at.end) == Some(&b'?'));
        if self.is_code && bytes[self.at.start] != b'^' {
            return Some(Lead { end, style: None, is_sure: true });
        }
        let closed = quotes_end(bytes, end);
        let next = blank_end(bytes, closed);
        let follows = *bytes.get(next)?;
        let (is_closed, is_apart) = (closed > end, next > closed);
        let is_keyword = is_keyword(bytes, self.at.start);
        let is_quoted = is_closed && self.at.start > 0 && is_quote(bytes[self.at.start - 1]);
        // The name of a form's part stands behind `name=`; an empty line leads to its value.
        let is_part = bytes[closed..next].iter().filter(|byte| **byte == b'\n').count() > 1;
        let is_string_key = is_quoted && (is_part || !stands_as_value(bytes, self.at.start));
        let sure = |style, end| {
            let end = skip(bytes, end, |byte| matches!(byte, b':' | b'=' | b'>'));
            Some(Lead { end: blank_end(bytes, end), style: Some(style), is_sure: true })
        };
        let unsure = || {
            let end = blank_end(bytes, skip(bytes, next, |byte| byte == b','));
            Some(Lead { end, style: Some(Style::Colon), is_sure: false })
        };
        match follows {
            _ if is_keyword && is_apart && !is_bracket_close(follows) => unsure(),
            b'=' => sure(Style::Equals, next),
            b':' => sure(Style::Colon, next),
            // An element, `<name>value`.
            b'>' if self.at.start > 0 && bytes[self.at.start - 1] == b'<' => sure(Style::Colon, next),
            // A form's `user[name]=value`.
            b']' if bytes.get(next + 1) == Some(&b'=') => sure(Style::Equals, next + 1),
            _ if is_bracket_close(follows) => None,
            b',' if is_keyword || is_string_key => unsure(),
            _ if is_keyword && !is_key_byte(follows) => unsure(),
            // A string as a key of EDN.
            _ if is_string_key && is_apart => unsure(),
            // A symbol as a key.
            b'"' | b'\\' if is_apart => unsure(),
            0x80.. | 0..0x20 | 0x7f if !is_apart => Some(Lead { end: next, style: None, is_sure: true }),
            _ => None,
        }
    }
}

/// The letter of a name at `at`, and how many bytes it is written in: `\u0061` is one, however often it was escaped.
fn letter(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let first = *bytes.get(at)?;
    if is_key_byte(first) {
        return Some((first, 1));
    }
    let slashes = skip(bytes, at, |byte| byte == b'\\') - at;
    let digits = bytes.get(at + slashes + 1..at + slashes + 5)?;
    if slashes == 0 || bytes[at + slashes] != b'u' {
        return None;
    }
    let unit = u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    let letter = u8::try_from(unit).ok().filter(|letter| is_key_byte(*letter))?;
    Some((letter, slashes + 5))
}

/// The end of what refers to a cache: `^1` between quotes in Transit, an extension of type 8 in MessagePack, whose
/// first byte is no UTF-8.
fn code_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with("\u{fffd}\u{8}".as_bytes()) {
        return Some(at + 4);
    }
    let is_digit = |byte: &u8| (b'0'..=b'[').contains(byte);
    if rest.first() != Some(&b'^') || at == 0 || !is_quote(bytes[at - 1]) {
        return None;
    }
    let digits = rest[1..].iter().take(2).take_while(|byte| is_digit(byte)).count();
    (digits > 0).then_some(at + 1 + digits)
}

/// Whether the word at `start` is a keyword: `:name`, `:ns/name`, `~:name`.
fn is_keyword(bytes: &[u8], start: usize) -> bool {
    let is_part = |byte: &&u8| is_key_byte(**byte) || b"./*+!?$&<>=".contains(byte);
    let ns = bytes[..start].iter().rev().take(MAX_KEY).take_while(is_part).count();
    // What begins with a digit is the port of an address.
    bytes[..start - ns].last() == Some(&b':')
        && (ns == 0 || bytes[start - 1] == b'/' && bytes[start - ns].is_ascii_alphabetic())
}

/// Whether the quoted word at `start` stands behind a colon or an equals sign.
fn stands_as_value(bytes: &[u8], start: usize) -> bool {
    let is_between = |byte: &&u8| is_quote(**byte) || byte.is_ascii_whitespace();
    let between = bytes[..start].iter().rev().take_while(is_between).count();
    between > 0 && matches!(bytes[..start - between].last(), Some(b':' | b'='))
}

fn is_word(byte: u8) -> bool {
    is_key_byte(byte) || matches!(byte, b'.' | b'/')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'\\')
}

fn is_bracket_close(byte: u8) -> bool {
    matches!(byte, b'}' | b']' | b')')
}

fn is_bracket(byte: u8) -> bool {
    is_bracket_close(byte) || matches!(byte, b'{' | b'[' | b'(')
}

fn skip(bytes: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> usize {
    from + bytes[from.min(bytes.len())..].iter().take_while(|byte| is_part(**byte)).count()
}

/// Past the quotes at `at`, each with the backslashes before it.
fn quotes_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let slashes = skip(bytes, at, |byte| byte == b'\\');
        match bytes.get(slashes) {
            Some(b'"' | b'\'' | b'`') => at = slashes + 1,
            _ => return at,
        }
    }
}

/// Past the white space at `at`, written as it is or as escapes.
fn blank_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let slashes = skip(bytes, at, |byte| byte == b'\\');
        match bytes.get(slashes) {
            Some(b' ' | b'\t' | b'\n' | b'\r') if slashes == at => at += 1,
            Some(b'n' | b't' | b'r') if slashes > at => at = slashes + 1,
            _ => return at,
        }
    }
}

/// The value that begins at `start`, without its quotes.
fn value(bytes: &[u8], start: usize, style: Style) -> Range<usize> {
    let mut at = start;
    // A tag of EDN stands before its value; before a value that is left out or describes the next stand two.
    let mut values = 1;
    while let Some(b'#' | b'^' | b'@') = bytes.get(at) {
        values += usize::from(bytes[at] == b'^' || bytes.get(at + 1) == Some(&b'_'));
        let tag = skip(bytes, at + 1, |byte| is_word(byte) || byte == b':');
        at = blank_end(bytes, tag.max(at + 1));
    }
    let slashes = skip(bytes, at, |byte| byte == b'\\');
    match bytes.get(slashes) {
        _ if values > 1 => start..open_end(bytes, at, style),
        Some(quote @ (b'"' | b'\'' | b'`')) => {
            let inner = if at == start { slashes + 1 } else { start };
            inner..quoted_end(bytes, slashes + 1, *quote, slashes - at, style)
        }
        Some(b'{' | b'[' | b'(') if slashes == at => {
            let end = nested_end(bytes, at);
            start..if is_over(bytes, end, style) { end } else { open_end(bytes, end, style) }
        }
        _ => start..open_end(bytes, at, style),
    }
}

/// Where the text ends that `quote` with so many backslashes opened: at the first such quote after which something
/// else begins. Quotes within are escaped once more, or were forgotten.
fn quoted_end(bytes: &[u8], from: usize, quote: u8, slashes: usize, style: Style) -> usize {
    let mut at = from;
    while let Some(more) = memchr::memchr(quote, &bytes[at..]) {
        let end = at + more;
        let before = bytes[from..end].iter().rev().take_while(|byte| **byte == b'\\').count();
        if before % (2 * (slashes + 1)) <= slashes && is_over(bytes, end + 1, style) {
            return end - before.min(slashes);
        }
        at = end + 1;
    }
    bytes.len()
}

/// Past the bracket that closes the one at `at`, or the end of all.
fn nested_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(more) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
                    at = (at + more + 1).min(bytes.len());
                    if bytes[at - 1] == b'"' {
                        break;
                    }
                    at = (at + 1).min(bytes.len());
                }
            }
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Where a value without quotes ends: before the next key, or at the end of all.
fn open_end(bytes: &[u8], mut at: usize, style: Style) -> usize {
    let is_end = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'&') || is_bracket(byte);
    while at < bytes.len() {
        let is_escaped = bytes[at] == b'\\' && blank_end(bytes, at) > at;
        if (is_end(bytes[at]) || is_escaped) && is_over(bytes, at, style) {
            // The next value of a cookie is a part of it.
            if at == 0 || bytes[at - 1] != b';' {
                return at;
            }
        }
        at = between_end(bytes, at).max(at + 1);
    }
    bytes.len()
}

/// Past what stands between a value and the next key: blanks, commas, brackets and quotes.
fn between_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        let next = blank_end(bytes, skip(bytes, at, |byte| matches!(byte, b',' | b'&') || is_bracket(byte)));
        if next == at {
            // A quote opens the next key, or closes a text that the value stood in.
            let quotes = if at > from { quotes_end(bytes, at) } else { at };
            if quotes == at {
                return at;
            }
            at = quotes;
            continue;
        }
        at = next;
    }
}

/// Whether a value may end at `end`: nothing but brackets and such follows, or a key does.
fn is_over(bytes: &[u8], end: usize, style: Style) -> bool {
    let start = between_end(bytes, end);
    if start >= bytes.len() {
        return true;
    }
    if start == end {
        return false;
    }
    match (bytes[start], bytes.get(start + 1)) {
        (b':', Some(next)) => return next.is_ascii_alphabetic(),
        (b'~', Some(b':')) => return true,
        (b'^', Some(next)) if is_quote(bytes[start - 1]) => return (b' '..=b'[').contains(next),
        (first, _) if !first.is_ascii_alphabetic() && first != b'_' => return false,
        _ => {}
    }
    let name = skip(bytes, start, is_word);
    let quoted = quotes_end(bytes, name);
    let colon = if quoted > name { blank_end(bytes, quoted) } else { name };
    match bytes.get(colon) {
        Some(b':') => name - start <= MAX_KEY,
        Some(b'=') => {
            let is_value =
                bytes.get(colon + 1).is_some_and(|next| !next.is_ascii_whitespace() && *next != b'=');
            style == Style::Equals && is_value && name - start <= MAX_KEY
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "loose_tests.rs"]
mod tests;
