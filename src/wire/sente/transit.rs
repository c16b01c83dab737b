//! Transit-JSON read into plain JSON, the compact form with its cache and the verbose one.
//!
//! Called by `wire::sente` for text that is JSON as a whole. Follows the Transit format specification; a reference to
//! a cache entry that was never sent spoils the frame, as nothing then says what its other references mean.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::envelope::{Element, Fault, Peek, Source};
use super::instant;
use super::out::Out;
use crate::event::json;
use crate::wire::skim;

/// Collections within collections that are followed.
const MAX_DEPTH: u32 = 200;
/// Entries after which the cache begins anew: two digits in base 44.
const MAX_CACHE: usize = 44 * 44;

/// A position in a text of Transit-JSON.
#[derive(Debug)]
pub(super) struct Transit<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: u32,
    cache: Vec<Cow<'t, str>>,
    is_spoiled: bool,
    /// Whether each sequence that was entered stands behind a tag.
    entered: Vec<bool>,
}

impl<'t> Transit<'t> {
    /// # Errors
    /// When `text` is not JSON.
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        serde_json::from_str::<&RawValue>(text)
            .map_err(|error| Fault { at: error.column(), what: "not JSON" })?;
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            cache: Vec::new(),
            is_spoiled: false,
            entered: Vec::new(),
        })
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, what })
    }

    /// The next byte that is neither blank nor a separator; the text is known to be JSON.
    fn space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r' | b',' | b':') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Whether `close` comes next; goes past it then.
    fn is_closed(&mut self, close: u8) -> bool {
        let is_closed = self.space() == Some(close);
        self.at += usize::from(is_closed);
        is_closed
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

    fn value_into(&mut self, out: &mut Out, is_key: bool) -> Result<(), Fault> {
        match self.space() {
            Some(b'"') => {
                let text = self.string(is_key)?;
                scalar(&text, out);
                Ok(())
            }
            Some(b'[') => self.deeper(|transit| transit.array(out)),
            Some(b'{') => self.deeper(|transit| transit.verbose(out)),
            Some(b'-' | b'0'..=b'9') => {
                let word = self.word();
                if word.contains(['.', 'e', 'E']) {
                    out.raw(word.as_bytes())
                } else {
                    out.integer(word)
                }
                Ok(())
            }
            Some(b't' | b'f' | b'n') => {
                out.raw(self.word().as_bytes());
                Ok(())
            }
            _ => self.fault("it ends too early"),
        }
    }

    fn word(&mut self) -> &'t str {
        let rest = &self.bytes[self.at..];
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\n' | b'\t' | b'\r');
        let end = self.at + rest.iter().position(is_end).unwrap_or(rest.len());
        let word = &self.text[self.at..end];
        self.at = end;
        word
    }

    /// The string here without its quotes, and where it ends.
    fn bare(&self) -> Result<(Cow<'t, str>, usize), Fault> {
        match skim::string_end(self.bytes, self.at + 1) {
            Some(end) => Ok((json::unescape(&self.text[self.at + 1..end - 1]), end)),
            None => self.fault("a string has no end"),
        }
    }

    /// The string here as its sender meant it: looked up, or remembered for later.
    fn string(&mut self, is_key: bool) -> Result<Cow<'t, str>, Fault> {
        let (text, end) = self.bare()?;
        if is_reference(&text) {
            let Some(known) = self.known(&text) else {
                self.is_spoiled = true;
                return self.fault("a reference to what was never sent");
            };
            self.at = end;
            return Ok(known);
        }
        self.at = end;
        let is_named =
            [":", "$", "#"].iter().any(|kind| text.strip_prefix('~').is_some_and(|t| t.starts_with(kind)));
        // The specification counts what browsers and the JVM call the length.
        let is_long = text.len() > 3 && (text.is_ascii() || text.encode_utf16().nth(3).is_some());
        if is_long && (is_key || is_named) {
            if self.cache.len() >= MAX_CACHE {
                self.cache.clear();
            }
            self.cache.push(text.clone());
        }
        Ok(text)
    }

    fn known(&self, reference: &str) -> Option<Cow<'t, str>> {
        let digit = |byte: u8| byte.checked_sub(48).map(usize::from).filter(|digit| *digit < 44);
        let index = match *reference.as_bytes() {
            [_, low] => digit(low)?,
            [_, high, low] => digit(high)? * 44 + digit(low)?,
            _ => return None,
        };
        self.cache.get(index).cloned()
    }

    /// A vector, a map in the compact form, or a tagged value.
    fn array(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.at += 1;
        let mut is_first = true;
        if self.space() == Some(b'"') {
            let first = self.string(false)?;
            if first == "^ " {
                return self.pairs(out, b']');
            }
            if let Some(tag) = first.strip_prefix("~#") {
                self.tagged(tag, out)?;
                return if self.is_closed(b']') {
                    Ok(())
                } else {
                    self.fault("a tag with more than its value")
                };
            }
            out.push(b'[');
            scalar(&first, out);
            is_first = false;
        } else {
            out.push(b'[');
        }
        while !self.is_closed(b']') {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            self.value_into(out, false)?;
        }
        out.push(b']');
        Ok(())
    }

    fn pairs(&mut self, out: &mut Out, close: u8) -> Result<(), Fault> {
        out.push(b'{');
        let mut is_first = true;
        while !self.is_closed(close) {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            let mark = out.len();
            self.value_into(out, true)?;
            out.make_key(mark);
            out.push(b':');
            if self.space() == Some(close) {
                return self.fault("a key without a value");
            }
            self.value_into(out, false)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// An object of the verbose form: a map, or one tag with its value.
    fn verbose(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.at += 1;
        if self.space() == Some(b'"') {
            let (first, end) = self.bare()?;
            if let Some(tag) = first.strip_prefix("~#") {
                self.at = end;
                self.tagged(tag, out)?;
                return if self.is_closed(b'}') {
                    Ok(())
                } else {
                    self.fault("a tag with more than its value")
                };
            }
        }
        self.pairs(out, b'}')
    }

    fn tagged(&mut self, tag: &str, out: &mut Out) -> Result<(), Fault> {
        match tag {
            "'" | "list" | "set" => self.value_into(out, false),
            "cmap" if self.space() == Some(b'[') => {
                self.at += 1;
                self.pairs(out, b']')
            }
            "ratio" => {
                let mark = out.len();
                self.value_into(out, false)?;
                let parts: Vec<String> = json::elements(out.since(mark))
                    .map(|(_, part)| json::text(part).unwrap_or(Cow::Borrowed(part)).into_owned())
                    .collect();
                out.truncate(mark);
                out.text(parts.join("/").as_bytes());
                Ok(())
            }
            _ => {
                out.tag(tag.as_bytes());
                self.value_into(out, false)?;
                out.push(b'}');
                Ok(())
            }
        }
    }

    /// The first string of the array here, looked up but not remembered.
    fn first(&mut self) -> Option<Cow<'t, str>> {
        let at = self.at;
        self.at += 1;
        let first = if self.space() == Some(b'"') { self.bare().ok() } else { None };
        self.at = at;
        let (text, _) = first?;
        if is_reference(&text) { self.known(&text) } else { Some(text) }
    }

    /// Past the value at `self.at`.
    fn skip(&mut self) {
        let mut open = 0_u32;
        loop {
            match self.space() {
                Some(b'"') => match skim::string_end(self.bytes, self.at + 1) {
                    Some(end) => self.at = end,
                    None => self.at = self.bytes.len(),
                },
                Some(b'[' | b'{') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b']' | b'}') => {
                    open = open.saturating_sub(1);
                    self.at += 1;
                }
                Some(_) => drop(self.word()),
                None => return,
            }
            if open == 0 {
                return;
            }
        }
    }
}

fn is_reference(text: &str) -> bool {
    text.starts_with('^') && text != "^ "
}

/// A value that is written as one string.
fn scalar(text: &str, out: &mut Out) {
    let Some(kind) = text.strip_prefix('~').and_then(|rest| rest.chars().next()) else {
        return out.text(text.as_bytes());
    };
    let rest = &text[1 + kind.len_utf8()..];
    match kind {
        ':' | '$' | 'u' | 'r' | 'c' | 'b' | 'n' | 'f' => out.text(rest.as_bytes()),
        '~' | '^' | '`' => out.text(&text.as_bytes()[1..]),
        '_' => out.raw(b"null"),
        '?' => out.raw(if rest == "t" { b"true" } else { b"false" }),
        'i' if is_whole(rest) => out.integer(rest),
        'd' => match rest.parse() {
            Ok(value) => out.float(value),
            Err(_) => out.text(rest.as_bytes()),
        },
        'm' => out.time(rest.parse().ok()),
        't' => out.time(instant::parse(rest)),
        'z' => out.text(rest.replace("INF", "Inf").as_bytes()),
        '#' => out.text(text.as_bytes()),
        _ => {
            out.tag(kind.encode_utf8(&mut [0; 4]).as_bytes());
            out.text(rest.as_bytes());
            out.push(b'}');
        }
    }
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && (digits == "0" || !digits.starts_with('0'))
}

impl<'t> Source<'t> for Transit<'t> {
    fn peek(&mut self) -> Result<Peek, Fault> {
        Ok(match self.space() {
            None => Peek::End,
            Some(b']' | b'}') => Peek::Close,
            Some(b'[') => match self.first().as_deref() {
                Some("^ ") => Peek::Map,
                Some(tag) if tag.starts_with("~#") && !matches!(tag, "~#list" | "~#set") => Peek::Other,
                _ => Peek::Sequence,
            },
            Some(b'{') => Peek::Map,
            Some(b'"') => {
                let (text, _) = self.bare()?;
                let text = if is_reference(&text) { self.known(&text) } else { Some(text) };
                // A reference that leads nowhere is told by whoever reads it.
                if text.is_none_or(|text| text.starts_with("~:")) { Peek::Name } else { Peek::Text }
            }
            Some(_) => Peek::Other,
        })
    }

    fn enter(&mut self) -> Result<(), Fault> {
        let is_tagged = self.first().is_some_and(|first| first.starts_with("~#"));
        self.at += 1;
        if is_tagged {
            self.space();
            self.string(false)?;
            if self.space() != Some(b'[') {
                return self.fault("a list without its elements");
            }
            self.at += 1;
        }
        self.entered.push(is_tagged);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.entered.pop() {
            Some(true) if !self.is_closed(b']') => self.fault("a tag with more than its value"),
            _ => Ok(()),
        }
    }

    fn value(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.value_into(out, false)
    }

    fn element(&mut self, out: &mut Out) -> Element<'t> {
        let (start, mark) = (self.at, out.len());
        let outcome = self.value_into(out, false);
        if let Err(fault) = outcome {
            out.truncate(mark);
            self.depth = 0;
            self.at = start;
            self.skip();
            let raw = self.text[start..self.at].into();
            return Element::Broken { raw, reason: fault.what, is_resumed: true };
        }
        Element::Read(self.text[start..self.at].into())
    }

    fn rest(&self) -> Cow<'t, str> {
        self.text.get(self.at..).unwrap_or("").into()
    }

    fn is_spoiled(&self) -> bool {
        self.is_spoiled
    }
}
