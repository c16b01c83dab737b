//! JSON in the making: the one shape that EDN, Transit and MessagePack are read into.
//!
//! Filled by the readers of this folder, taken by `wire::sente`. What a value means as JSON is decided here where it
//! is the same for all three: text, keys that are no text, whole numbers too large for a browser, times, bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::instant;
use crate::event::json;
use crate::wire::skim;

/// A growing JSON text.
#[derive(Debug, Default)]
pub(super) struct Out {
    bytes: Vec<u8>,
}

impl Out {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    pub(super) fn split_off(&mut self, len: usize) -> Vec<u8> {
        self.bytes.split_off(len)
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Appends what is JSON already.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What was written from `mark` on.
    pub(super) fn since(&self, mark: usize) -> &str {
        self.slice(mark..self.bytes.len())
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &str {
        self.bytes.get(range).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or("")
    }

    /// The whole text. Only whole pieces of UTF-8 are ever appended, so nothing is replaced in practice.
    pub(super) fn into_text(self) -> String {
        String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// A text in quotes, escaped as JSON asks.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.push(b'"');
        self.inner(text);
        self.push(b'"');
    }

    /// The same without the quotes (RFC 8259 §7).
    pub(super) fn inner(&mut self, text: &[u8]) {
        let mut from = 0;
        while let Some(at) = skim::plain_end(text, from) {
            self.raw(&text[from..at]);
            self.escaped(text[at]);
            from = at + 1;
        }
        self.raw(&text[from..]);
    }

    /// One byte that may not stand bare in a JSON text.
    pub(super) fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' => self.raw(b"\\\""),
            b'\\' => self.raw(b"\\\\"),
            b'\n' => self.raw(b"\\n"),
            b'\r' => self.raw(b"\\r"),
            b'\t' => self.raw(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                self.raw(b"\\u00");
                self.push(HEX[usize::from(byte >> 4)]);
                self.push(HEX[usize::from(byte & 15)]);
            }
        }
    }

    /// A whole number, as a number where a browser would keep it, else as text (no digit is lost that way).
    pub(super) fn integer(&mut self, digits: &str) {
        if is_exact(digits) { self.raw(digits.as_bytes()) } else { self.text(digits.as_bytes()) }
    }

    /// A floating-point number; JSON has no word for those that are none.
    pub(super) fn float(&mut self, value: f64) {
        if value.is_nan() {
            self.raw(b"\"NaN\"");
        } else if value.is_infinite() {
            self.raw(if value > 0.0 { b"\"Inf\"" } else { b"\"-Inf\"" });
        } else {
            self.raw(format!("{value:?}").as_bytes());
        }
    }

    /// A point in time, in milliseconds since 1970; `null` for one no calendar has.
    pub(super) fn time(&mut self, ms: Option<i64>) {
        match ms.and_then(instant::text) {
            Some(time) => self.text(time.as_bytes()),
            None => self.raw(b"null"),
        }
    }

    /// Bytes, as base64.
    pub(super) fn binary(&mut self, bytes: &[u8]) {
        self.text(STANDARD.encode(bytes).as_bytes());
    }

    /// Opens `{"tag":NAME,"value":` for a value of a kind only the sender knows; close it with `}`.
    pub(super) fn tag(&mut self, name: &[u8]) {
        self.raw(b"{\"tag\":");
        self.text(name);
        self.raw(b",\"value\":");
    }

    /// Makes the value written from `mark` on a key: text stays, scalars are quoted, the rest becomes its JSON text as far as
    /// a key may be long.
    pub(super) fn make_key(&mut self, mark: usize) {
        let value = self.split_off(mark);
        match value.first() {
            Some(b'"') => self.raw(&value),
            Some(b'n') => self.raw(b"\"nil\""),
            Some(b'{' | b'[') => self.text(&short(spaced(&value))),
            _ => self.text(&value),
        }
    }
}

/// Bytes of a key that was a collection. Its quotes are escaped, those of keys in it once more, and so on: without a bound
/// each collection that is a key of a key would double it.
const MAX_KEY: usize = 256;

/// The text of a key, cut where it is long.
fn short(mut key: Vec<u8>) -> Vec<u8> {
    if key.len() > MAX_KEY {
        let text = String::from_utf8_lossy(&key);
        key = format!("{}…", &text[..text.floor_char_boundary(MAX_KEY)]).into_bytes();
    }
    key
}

/// JSON with a blank after each comma and colon between its values, as keys made of collections are written.
fn spaced(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + 8);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in json {
        out.push(*byte);
        if is_text {
            is_text = *byte != b'"' || is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
        } else if *byte == b'"' {
            is_text = true;
        } else if matches!(byte, b',' | b':') {
            out.push(b' ');
        }
    }
    out
}

/// Whether a browser writes the number with these digits: then nothing was lost before it was sent, and JSON's
/// readers keep it. From 2^53 on only some whole numbers are (ECMA-262, Number::toString).
fn is_exact(digits: &str) -> bool {
    const SAFE: u64 = 1 << 53;
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    if bare.len() <= 15 {
        return true;
    }
    if bare.parse::<u64>().is_ok_and(|value| value <= SAFE) {
        return true;
    }
    let Some(value) = json::number(bare).filter(|value| *value < 1e21) else { return false };
    let shortest = format!("{value:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else { return false };
    let mut written = mantissa.replace('.', "");
    let Ok(whole) = exponent.parse::<usize>() else { return false };
    if written.len() > whole + 1 {
        return false;
    }
    written.push_str(&"0".repeat(whole + 1 - written.len()));
    written == bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Out)) -> String {
        let mut out = Out::default();
        write(&mut out);
        out.into_text()
    }

    #[test]
    fn whole_numbers_stay_numbers_as_far_as_a_browser_goes() {
        for (digits, expected) in [
            ("0", "0"),
            ("-42", "-42"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "\"9007199254740993\""),
            ("12345678901234567000", "12345678901234567000"),
            ("100000000000000000000", "100000000000000000000"),
            ("9223372036854775807", "\"9223372036854775807\""),
            ("-9223372036854775808", "\"-9223372036854775808\""),
            ("1000000000000000000000", "\"1000000000000000000000\""),
        ] {
            assert_eq!(written(|out| out.integer(digits)), expected);
        }
    }

    #[test]
    fn a_key_is_text_whatever_it_was() {
        for (value, expected) in [
            ("\"a\"", "\"a\""),
            ("null", "\"nil\""),
            ("true", "\"true\""),
            ("3", "\"3\""),
            ("[1,{\"a\":\",:\\\"\"}]", r#""[1, {\"a\": \",:\\\"\"}]""#),
        ] {
            let key = written(|out| {
                out.raw(value.as_bytes());
                out.make_key(0);
            });
            assert_eq!(key, expected);
            assert!(serde_json::from_str::<String>(&key).is_ok());
        }
    }

    #[test]
    fn a_key_of_keys_stays_short() {
        let mut out = Out::default();
        out.raw(b"1");
        for _ in 0..200 {
            out.make_key(0);
            let key = out.split_off(0);
            out.raw(b"{");
            out.raw(&key);
            out.raw(b":1}");
            assert!(out.len() < 4 * MAX_KEY, "{}", out.len());
        }
        let json = out.into_text();
        assert!(
            serde_json::from_str::<serde_json::Value>(&json).is_ok_and(|value| value.is_object()),
            "{json}"
        );
    }

    #[test]
    fn text_is_escaped_as_json_asks() {
        let text = "a\"\\\n\r\t\0\u{1b}\u{7f}é🚨";
        let json = written(|out| out.text(text.as_bytes()));
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
    }
}
