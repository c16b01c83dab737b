//! MessagePack with Sente's extensions and key cache, read into JSON.
//!
//! Called by `wire::sente` for binary frames. It reads value by value and keeps none, so that a frame of a million
//! empty values costs no more than its bytes (<https://github.com/msgpack/msgpack/blob/master/spec.md>).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::envelope::{Element, Fault, Peek, Source};
use super::out::Out;

/// Collections within collections that are followed.
const MAX_DEPTH: u32 = 200;
/// Keys that are remembered: an index has one byte.
const MAX_KEYS: usize = 256;

/// Sente's extension types.
mod ext {
    pub(super) const KEYWORD: i8 = 0;
    pub(super) const SYMBOL: i8 = 1;
    pub(super) const CHAR: i8 = 2;
    pub(super) const RATIO: i8 = 3;
    pub(super) const SET: i8 = 4;
    pub(super) const CACHED_KEY: i8 = 8;
    pub(super) const UUID: i8 = 9;
    /// MessagePack's own.
    pub(super) const TIMESTAMP: i8 = -1;
}

/// What a value begins with.
#[derive(Clone, Copy, Debug)]
enum Head<'t> {
    Nil,
    Bool(bool),
    /// Wide enough for both 64-bit kinds.
    Integer(i128),
    Float(f64),
    Text(&'t [u8]),
    Binary(&'t [u8]),
    Array(usize),
    Map(usize),
    Ext(i8, &'t [u8]),
}

/// A position in a frame.
#[derive(Debug)]
pub(super) struct Msgpack<'t> {
    bytes: &'t [u8],
    at: usize,
    depth: u32,
    /// Map keys as JSON, in the order in which they were first sent.
    keys: Vec<String>,
    /// Elements still to come of each array that was entered.
    entered: Vec<usize>,
}

impl<'t> Msgpack<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, keys: Vec::new(), entered: Vec::new() }
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, what })
    }

    fn take(&mut self, count: usize) -> Result<&'t [u8], Fault> {
        let end = self.at.saturating_add(count);
        let Some(taken) = self.bytes.get(self.at..end) else { return self.fault("it ends too early") };
        self.at = end;
        Ok(taken)
    }

    /// A big-endian number of `count` bytes, at most 8.
    fn number(&mut self, count: usize) -> Result<u64, Fault> {
        Ok(self.take(count)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn length(&mut self, count: usize) -> Result<usize, Fault> {
        let length = self.number(count)?;
        usize::try_from(length).or_else(|_| self.fault("it ends too early"))
    }

    fn signed(&mut self, count: u32) -> Result<Head<'t>, Fault> {
        let shift = 64 - 8 * count;
        #[expect(clippy::cast_possible_wrap, reason = "the sign bit is what is read")]
        Ok(Head::Integer(i128::from((self.number(count as usize)? << shift) as i64 >> shift)))
    }

    fn extension(&mut self, length: usize) -> Result<Head<'t>, Fault> {
        let kind = self.number(1)? as i8;
        Ok(Head::Ext(kind, self.take(length)?))
    }

    fn head(&mut self) -> Result<Head<'t>, Fault> {
        let marker = self.take(1)?[0];
        let low = usize::from(marker & 0x0f);
        Ok(match marker {
            0x00..=0x7f => Head::Integer(i128::from(marker)),
            0x80..=0x8f => Head::Map(low),
            0x90..=0x9f => Head::Array(low),
            0xa0..=0xbf => Head::Text(self.take(usize::from(marker & 0x1f))?),
            0xc0 => Head::Nil,
            0xc1 => return self.fault("a byte that MessagePack does not use"),
            0xc2 | 0xc3 => Head::Bool(marker == 0xc3),
            0xc4..=0xc6 => {
                let length = self.length(1 << (marker - 0xc4))?;
                Head::Binary(self.take(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (marker - 0xc7))?;
                self.extension(length)?
            }
            0xca => Head::Float(f64::from(f32::from_bits(self.number(4)? as u32))),
            0xcb => Head::Float(f64::from_bits(self.number(8)?)),
            0xcc..=0xcf => Head::Integer(i128::from(self.number(1 << (marker - 0xcc))?)),
            0xd0..=0xd3 => self.signed(1 << (marker - 0xd0))?,
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.length(1 << (marker - 0xd9))?;
                Head::Text(self.take(length)?)
            }
            0xdc | 0xdd => Head::Array(self.length(2 << (marker - 0xdc))?),
            0xde | 0xdf => Head::Map(self.length(2 << (marker - 0xde))?),
            0xe0..=0xff => Head::Integer(i128::from(marker) - 256),
        })
    }

    fn value_into(&mut self, out: &mut Out) -> Result<(), Fault> {
        let head = self.head()?;
        match head {
            Head::Nil => out.raw(b"null"),
            Head::Bool(value) => out.raw(if value { b"true" } else { b"false" }),
            Head::Integer(value) => out.integer(&value.to_string()),
            Head::Float(value) => out.float(value),
            Head::Text(text) => out.text(String::from_utf8_lossy(text).as_bytes()),
            Head::Binary(bytes) => out.binary(bytes),
            Head::Array(count) => return self.deeper(|this| this.array(count, out)),
            Head::Map(count) => return self.deeper(|this| this.map(count, out)),
            Head::Ext(kind, payload) => return self.deeper(|this| this.ext(kind, payload, out)),
        }
        Ok(())
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

    fn array(&mut self, count: usize, out: &mut Out) -> Result<(), Fault> {
        out.push(b'[');
        for nth in 0..count {
            if nth > 0 {
                out.push(b',');
            }
            self.value_into(out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn map(&mut self, count: usize, out: &mut Out) -> Result<(), Fault> {
        out.push(b'{');
        for nth in 0..count {
            if nth > 0 {
                out.push(b',');
            }
            let (mark, at) = (out.len(), self.at);
            let is_named = matches!(self.head()?, Head::Text(_) | Head::Ext(ext::KEYWORD, _));
            self.at = at;
            self.value_into(out)?;
            out.make_key(mark);
            if is_named && self.keys.len() < MAX_KEYS {
                self.keys.push(out.since(mark).to_owned());
            }
            out.push(b':');
            self.value_into(out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn ext(&mut self, kind: i8, payload: &'t [u8], out: &mut Out) -> Result<(), Fault> {
        match kind {
            ext::KEYWORD | ext::SYMBOL | ext::CHAR | ext::UUID => {
                out.text(String::from_utf8_lossy(payload).as_bytes());
            }
            ext::CACHED_KEY => {
                let key = payload.first().and_then(|index| self.keys.get(usize::from(*index)));
                let Some(key) = key else { return self.fault("a key that was never sent") };
                out.raw(key.as_bytes());
            }
            ext::SET | ext::RATIO => return self.within(payload, |this| this.packed(kind, out)),
            ext::TIMESTAMP => out.time(timestamp(payload)),
            _ => {
                let mut hex = String::with_capacity(2 * payload.len());
                for byte in payload {
                    let _ = write!(hex, "{byte:02x}");
                }
                out.raw(format!("{{\"ext\":{kind},\"hex\":\"{hex}\"}}").as_bytes());
            }
        }
        Ok(())
    }

    /// Reads what is packed inside an extension; the key cache goes on through it.
    fn within<T>(
        &mut self,
        payload: &'t [u8],
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (bytes, at) = (std::mem::replace(&mut self.bytes, payload), std::mem::replace(&mut self.at, 0));
        let outcome = read(self);
        let is_whole = self.at == self.bytes.len();
        (self.bytes, self.at) = (bytes, at);
        if outcome.is_ok() && !is_whole {
            return self.fault("an extension that is longer than its value");
        }
        outcome
    }

    fn packed(&mut self, kind: i8, out: &mut Out) -> Result<(), Fault> {
        if kind == ext::SET {
            return self.value_into(out);
        }
        let (Head::Integer(over), Head::Integer(under)) = (self.head()?, self.head()?) else {
            return self.fault("a ratio that is not of whole numbers");
        };
        out.text(format!("{over}/{under}").as_bytes());
        Ok(())
    }

    /// Counts one element of the array that was entered last.
    fn begin(&mut self) -> Result<(), Fault> {
        match self.entered.last_mut() {
            Some(0) => self.fault("it ends too early"),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Milliseconds since 1970 (MessagePack, timestamp extension type).
fn timestamp(payload: &[u8]) -> Option<i64> {
    let (nanos, seconds) = match payload.len() {
        4 => (0, i64::from(u32::from_be_bytes(payload.try_into().ok()?))),
        8 => {
            let both = u64::from_be_bytes(payload.try_into().ok()?);
            (both >> 34, i64::try_from(both & 0x3_ffff_ffff).ok()?)
        }
        12 => {
            let (nanos, seconds) = payload.split_at(4);
            (
                u64::from(u32::from_be_bytes(nanos.try_into().ok()?)),
                i64::from_be_bytes(seconds.try_into().ok()?),
            )
        }
        _ => return None,
    };
    seconds.checked_mul(1000)?.checked_add(i64::try_from(nanos / 1_000_000).ok()?)
}

impl<'t> Source<'t> for Msgpack<'t> {
    fn peek(&mut self) -> Result<Peek, Fault> {
        match self.entered.last() {
            Some(0) => return Ok(Peek::Close),
            None if self.at == self.bytes.len() && self.at > 0 => return Ok(Peek::End),
            _ => {}
        }
        let at = self.at;
        let head = self.head();
        self.at = at;
        Ok(match head? {
            Head::Array(_) => Peek::Sequence,
            Head::Map(_) => Peek::Map,
            Head::Ext(ext::KEYWORD, _) => Peek::Name,
            Head::Text(_) => Peek::Text,
            _ => Peek::Other,
        })
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.begin()?;
        match self.head()? {
            Head::Array(count) => {
                self.entered.push(count);
                Ok(())
            }
            _ => self.fault("not a message"),
        }
    }

    fn leave(&mut self) -> Result<(), Fault> {
        self.entered.pop();
        Ok(())
    }

    fn value(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.begin()?;
        self.value_into(out)
    }

    fn element(&mut self, out: &mut Out) -> Element<'t> {
        let (start, mark) = (self.at, out.len());
        match self.value(out) {
            Ok(()) => Element::Read(Cow::Borrowed("")),
            Err(fault) => {
                out.truncate(mark);
                let raw = self.bytes.get(start..).unwrap_or(&[]);
                let raw = String::from_utf8_lossy(&raw[..raw.len().min(4_096)]);
                Element::Broken { raw, reason: fault.what, is_resumed: false }
            }
        }
    }

    fn rest(&self) -> Cow<'t, str> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        String::from_utf8_lossy(&rest[..rest.len().min(4_096)])
    }

    fn is_spoiled(&self) -> bool {
        false
    }
}
