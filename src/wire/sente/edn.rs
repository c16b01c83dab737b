//! EDN as clients print it, read straight into JSON text.
//!
//! Called by `wire::sente` for text frames. What a Clojure printer writes is not always EDN: host objects stand in it
//! as unquoted text, keywords may hold blanks, control characters come raw. This reader takes all of that
//! (`edn::object`, `edn::map` hold the two parts that need a second look) and is never strict for its own sake.
//! It recurses to a bounded depth, reads a bounded number of bytes twice, and has no panic.

mod map;
mod object;

use std::borrow::Cow;

use super::envelope::{Element, Fault, Peek, Source};
use super::instant;
use super::out::Out;
use crate::wire::skim;
use object::Choice;

/// Collections within collections that are followed; no app prints more than a handful.
const MAX_DEPTH: u32 = 200;

/// A position in a text of EDN.
#[derive(Debug)]
pub(super) struct Edn<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: u32,
    /// Whether the blanks last skipped held a comma: printers put one after each pair and nowhere else.
    comma: bool,
    /// Where the host objects of the element that is read were taken to end, in the order met.
    choices: Vec<Choice>,
    next_choice: usize,
    /// What closes each sequence that was entered.
    entered: Vec<u8>,
    /// Bytes that may still be read a second time; what would need more is unreadable.
    spare: usize,
}

/// What ends a keyword, a symbol or a number (0 in this table: part of it; 2: part of it, to be escaped in JSON).
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = 2;
        byte += 1;
    }
    classes[b'\\' as usize] = 2;
    let ends = b" ,\t\n\r\x0b\x0c\"()[]{}";
    let mut at = 0;
    while at < ends.len() {
        classes[ends[at] as usize] = 1;
        at += 1;
    }
    classes
};

impl<'t> Edn<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            comma: false,
            choices: Vec::new(),
            next_choice: 0,
            entered: Vec::new(),
            spare: text.len().saturating_mul(4) + 64 * 1024,
        }
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, what })
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        match self.spare.checked_sub(bytes) {
            Some(rest) => self.spare = rest,
            None => return self.fault("too much of it is unclear"),
        }
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips blanks, comments and discarded values; gives the byte that follows.
    fn space(&mut self) -> Result<Option<u8>, Fault> {
        self.comma = false;
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Some(b',') => {
                    self.comma = true;
                    self.at += 1;
                }
                Some(b';') => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                Some(b'#') if self.bytes.get(self.at + 1) == Some(&b'_') => {
                    let (start, comma) = (self.at, self.comma);
                    self.at += 2;
                    if let Err(fault) = self.discard() {
                        self.at = start;
                        return Err(fault);
                    }
                    self.comma |= comma;
                }
                next => return Ok(next),
            }
        }
    }

    /// Reads a value and forgets it.
    fn discard(&mut self) -> Result<(), Fault> {
        self.deeper(|edn| edn.value_into(&mut Out::default()))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    fn value_into(&mut self, out: &mut Out) -> Result<(), Fault> {
        let Some(byte) = self.space()? else { return self.fault("it ends too early") };
        match byte {
            b'"' => self.string(out),
            b':' => self.keyword(out, ""),
            b'{' => self.deeper(|edn| edn.map(out, "")),
            b'[' => self.deeper(|edn| edn.sequence(out, b']')),
            b'(' => self.deeper(|edn| edn.sequence(out, b')')),
            b'0'..=b'9' | b'-' | b'+' => {
                self.number(out);
                Ok(())
            }
            b'#' => self.deeper(|edn| edn.dispatch(out)),
            b'\\' => self.character(out),
            b'^' => {
                self.at += 1;
                self.discard()?;
                self.deeper(|edn| edn.value_into(out))
            }
            b'}' | b']' | b')' => self.fault("a bracket closes what was not opened"),
            _ => {
                self.symbol(out);
                Ok(())
            }
        }
    }

    /// The end of the token at `from`, and whether it can stand in JSON as it is.
    fn token_end(&self, from: usize) -> (usize, bool) {
        let (mut at, mut seen) = (from, 0);
        while let Some(byte) = self.bytes.get(at) {
            match CLASSES[usize::from(*byte)] {
                1 => break,
                class => seen |= class,
            }
            at += 1;
        }
        (at, seen == 0)
    }

    /// A keyword without its colon; `ns` is the namespace that its map lends it.
    fn keyword(&mut self, out: &mut Out, ns: &str) -> Result<(), Fault> {
        let (end, is_plain) = self.token_end(self.at + 1);
        let name = &self.bytes[self.at + 1..end];
        out.push(b'"');
        let name = if ns.is_empty() {
            name
        } else if let Some(bare) = name.strip_prefix(b"_/") {
            bare
        } else if memchr::memchr(b'/', name).is_some() {
            name
        } else {
            out.inner(ns.as_bytes());
            out.push(b'/');
            name
        };
        if is_plain {
            out.raw(name)
        } else {
            out.inner(name)
        }
        out.push(b'"');
        self.at = end;
        Ok(())
    }

    fn symbol(&mut self, out: &mut Out) {
        let (end, _) = self.token_end(self.at);
        match &self.bytes[self.at..end] {
            b"nil" => out.raw(b"null"),
            word @ (b"true" | b"false") => out.raw(word),
            name => out.text(name),
        }
        self.at = end;
    }

    fn number(&mut self, out: &mut Out) {
        let (end, _) = self.token_end(self.at);
        let token = &self.text[self.at..end];
        if !number(token, out) {
            out.text(token.as_bytes());
        }
        self.at = end;
    }

    /// A string: printers escape only a few characters, so that all others come as they are.
    fn string(&mut self, out: &mut Out) -> Result<(), Fault> {
        let start = self.at;
        let (mut from, mut at) = (start + 1, start + 1);
        out.push(b'"');
        loop {
            let Some(special) = skim::plain_end(self.bytes, at) else {
                return self.fault("a string has no end");
            };
            at = special;
            match (self.bytes[at], self.bytes.get(at + 1)) {
                (b'"', _) => {
                    out.raw(&self.bytes[from..at]);
                    out.push(b'"');
                    self.at = at + 1;
                    return Ok(());
                }
                (b'\\', Some(b'"' | b'\\' | b'/' | b'n' | b'r' | b't' | b'b' | b'f')) => at += 2,
                (b'\\', Some(b'u')) if self.is_hex(at + 2) => at += 6,
                (b'\\', _) => {
                    out.raw(&self.bytes[from..at]);
                    let (character, end) = octal(self.bytes, at + 1);
                    match character {
                        Some(character) => out.inner(character.encode_utf8(&mut [0; 4]).as_bytes()),
                        None => out.escaped(b'\\'),
                    }
                    (from, at) = (end, end);
                }
                (control, _) => {
                    out.raw(&self.bytes[from..at]);
                    out.escaped(control);
                    (from, at) = (at + 1, at + 1);
                }
            }
        }
    }

    fn is_hex(&self, from: usize) -> bool {
        self.bytes.get(from..from + 4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    /// A vector, list or set.
    fn sequence(&mut self, out: &mut Out, close: u8) -> Result<(), Fault> {
        self.at += 1;
        out.push(b'[');
        let mut is_first = true;
        loop {
            match self.space()? {
                Some(byte) if byte == close => {
                    self.at += 1;
                    out.push(b']');
                    return Ok(());
                }
                _ if is_first => is_first = false,
                _ => out.push(b','),
            }
            self.value_into(out)?;
        }
    }

    /// `\a`, `\newline`, `\u00e9`, or any one character as it is.
    fn character(&mut self, out: &mut Out) -> Result<(), Fault> {
        let Some(first) = self.text.get(self.at + 1..).and_then(|rest| rest.chars().next()) else {
            return self.fault("a character is missing");
        };
        let mut end = self.at + 1 + first.len_utf8();
        if first.is_alphanumeric() {
            end = self.token_end(end).0;
        }
        let name = &self.text[self.at + 1..end];
        match named(name) {
            Some(character) => out.text(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.text(name.as_bytes()),
        }
        self.at = end;
        Ok(())
    }

    /// Whatever begins with `#`.
    fn dispatch(&mut self, out: &mut Out) -> Result<(), Fault> {
        match self.bytes.get(self.at + 1) {
            Some(b'{') => {
                self.at += 1;
                self.sequence(out, b'}')
            }
            Some(b'(') => {
                self.at += 1;
                self.sequence(out, b')')
            }
            Some(b'"') => self.regex(out),
            Some(b'#') => {
                let (end, _) = self.token_end(self.at + 2);
                out.text(&self.bytes[self.at + 2..end]);
                self.at = end;
                Ok(())
            }
            Some(b'\'') => {
                let (end, _) = self.token_end(self.at + 2);
                out.text(&self.bytes[self.at..end]);
                self.at = end;
                Ok(())
            }
            Some(b':') => self.namespaced(out),
            Some(b'^') => {
                self.at += 2;
                self.discard()?;
                self.value_into(out)
            }
            _ => self.tagged(out),
        }
    }

    /// `#"…"`, whose backslashes are the expression's own.
    fn regex(&mut self, out: &mut Out) -> Result<(), Fault> {
        let from = self.at + 2;
        let mut at = from;
        loop {
            let rest = self.bytes.get(at..).unwrap_or(&[]);
            match memchr::memchr2(b'"', b'\\', rest).map(|more| at + more) {
                Some(found) if self.bytes[found] == b'"' => {
                    out.text(&self.bytes[from..found]);
                    self.at = found + 1;
                    return Ok(());
                }
                Some(found) => at = found + 2,
                None => return self.fault("a pattern has no end"),
            }
        }
    }

    /// `#:ns{…}`, as printers write a map whose keys share a namespace.
    fn namespaced(&mut self, out: &mut Out) -> Result<(), Fault> {
        let (end, _) = self.token_end(self.at + 2);
        let ns = self.text[self.at + 2..end].trim_start_matches(':');
        self.at = end;
        match self.space()? {
            Some(b'{') => self.map(out, ns),
            _ => self.fault("a namespace without its map"),
        }
    }

    fn tagged(&mut self, out: &mut Out) -> Result<(), Fault> {
        let (end, _) = self.token_end(self.at + 1);
        let tag = &self.bytes[self.at + 1..end];
        match tag {
            b"" => return self.fault("a tag without a name"),
            b"object" if self.bytes.get(end) == Some(&b'[') => return self.object(out, end + 1),
            _ => self.at = end,
        }
        match tag {
            b"js" | b"queue" | b"uuid" => self.value_into(out),
            b"inst" => {
                let mark = out.len();
                self.value_into(out)?;
                let ms = crate::event::json::text(out.since(mark)).and_then(|text| instant::parse(&text));
                out.truncate(mark);
                out.time(ms);
                Ok(())
            }
            _ => {
                out.tag(tag);
                self.value_into(out)?;
                out.push(b'}');
                Ok(())
            }
        }
    }
}

/// Writes the number that `token` is; `false`, and nothing written, if it is none.
fn number(token: &str, out: &mut Out) -> bool {
    let token = token.strip_prefix('+').unwrap_or(token);
    let bare = token.strip_prefix('-').unwrap_or(token);
    let whole = bare.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 || (whole > 1 && bare.starts_with('0')) {
        return false;
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match &bare[whole..] {
        "" => out.integer(token),
        "N" => out.text(&token.as_bytes()[..token.len() - 1]),
        rest if rest.strip_prefix('/').is_some_and(is_digits) => out.text(token.as_bytes()),
        rest => {
            let (rest, is_decimal) = rest.strip_suffix('M').map_or((rest, false), |rest| (rest, true));
            let (fraction, exponent) =
                rest.split_once(['e', 'E']).map_or((rest, None), |(f, e)| (f, Some(e)));
            let is_fraction = fraction.is_empty()
                || fraction.strip_prefix('.').is_some_and(|digits| digits.is_empty() || is_digits(digits));
            let is_exponent =
                exponent.is_none_or(|digits| is_digits(digits.strip_prefix(['+', '-']).unwrap_or(digits)));
            match (is_fraction && is_exponent, is_decimal) {
                (false, _) => return false,
                (true, true) => out.text(&token.as_bytes()[..token.len() - 1]),
                (true, false) => {
                    // Clojure also writes `1.`, which JSON does not know.
                    let point = token.find('.').filter(|_| fraction == ".");
                    out.raw(&token.as_bytes()[..point.map_or(token.len(), |point| point + 1)]);
                    if let Some(point) = point {
                        out.push(b'0');
                        out.raw(&token.as_bytes()[point + 1..]);
                    }
                }
            }
        }
    }
    true
}

/// The character of up to three octal digits at `at`, and where it ends.
fn octal(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let rest = if rest.first() == Some(&b'o') { &rest[1..] } else { rest };
    let digits = rest.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if digits == 0 {
        return (None, at);
    }
    let value = rest[..digits].iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0'));
    (char::from_u32(value), bytes.len() - rest.len() + digits)
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "newline" => '\n',
        "space" => ' ',
        "tab" => '\t',
        "return" => '\r',
        "backspace" => '\u{8}',
        "formfeed" => '\u{c}',
        _ => {
            let digits = name.strip_prefix('u').filter(|digits| digits.len() == 4)?;
            return u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        }
    })
}

impl<'t> Source<'t> for Edn<'t> {
    fn peek(&mut self) -> Result<Peek, Fault> {
        Ok(match self.space()? {
            None => Peek::End,
            Some(b']' | b')' | b'}') => Peek::Close,
            Some(b'[' | b'(') => Peek::Sequence,
            Some(b'#') if self.bytes.get(self.at + 1) == Some(&b'{') => Peek::Sequence,
            Some(b':') => Peek::Name,
            Some(b'"') => Peek::Text,
            Some(b'{') => Peek::Map,
            _ => Peek::Other,
        })
    }

    fn enter(&mut self) -> Result<(), Fault> {
        let (close, opening) = match self.byte() {
            Some(b'#') => (b'}', 2),
            Some(b'(') => (b')', 1),
            _ => (b']', 1),
        };
        self.entered.push(close);
        self.at += opening;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        if self.byte() != self.entered.pop() {
            return self.fault("a bracket closes what was not opened");
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.tried(out)
    }

    fn element(&mut self, out: &mut Out) -> Element<'t> {
        let (start, mark) = (self.at, out.len());
        match self.tried(out) {
            Ok(()) => Element::Read(self.text[start..self.at].into()),
            Err(fault) => {
                out.truncate(mark);
                self.depth = 0;
                let is_resumed = self.resume(start, fault.at);
                Element::Broken { raw: self.text[start..self.at].into(), reason: fault.what, is_resumed }
            }
        }
    }

    fn rest(&self) -> Cow<'t, str> {
        self.text.get(self.at..).unwrap_or("").into()
    }

    fn is_spoiled(&self) -> bool {
        false
    }
}

#[cfg(test)]
#[path = "edn_tests.rs"]
mod tests;
