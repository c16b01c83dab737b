//! The scrubbing of an event's JSON text before it is stored: secrets out, lone surrogates repaired, length bounded.
//!
//! Called by the decoders for every batch. It never fails and never recurses; what it does not change it copies
//! byte for byte.

use std::ops::Range;

use super::cut::{self, LIMIT};
use super::escape::{Plain, UNIT};
use super::keys::{Keys, Rules, Verdict};
use super::loose;
use super::precheck::Precheck;
use super::shapes::{self, MARK};
use super::tokens::{Kind, Tokens};
use crate::event::json;

/// Bytes looked at beyond what an excerpt can hold.
const EXCERPT_AHEAD: usize = 1024;

/// This is what scrubbing did to one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// How many secrets were replaced by `[redacted]`.
    pub redacted: u32,
    /// Whether a lone surrogate became U+FFFD.
    pub repaired: bool,
    /// Whether strings were cut because the event was over [`LIMIT`].
    pub cut: bool,
}

/// This is an event's text after scrubbing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scrub<'a> {
    /// Nothing was sensitive; the text is as it came.
    Clean(&'a str),
    Changed {
        text: String,
        what: Scrubbed,
    },
}

/// This is redaction with the user's rules, ready for use; made once, shared by all decoders.
#[derive(Clone, Debug)]
pub struct Redactor {
    keys: Keys,
    /// What counts in events.
    in_events: Keys,
    precheck: Precheck,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(&Rules::default())
    }
}

impl Redactor {
    /// This prepares the search for all names; extra keys that [`super::is_usable_key`] refuses are ignored.
    pub fn new(rules: &Rules) -> Self {
        let keys = Keys::new(rules);
        let precheck = Precheck::new(&keys);
        let in_events = if rules.is_off { Keys::none() } else { keys.clone() };
        Self { keys, in_events, precheck }
    }

    /// This says whether any event within `bytes` (a whole batch of JSON text, or one event) could need scrubbing.
    /// False positives are possible, false negatives are not. Length is not looked at: events over [`LIMIT`] go
    /// through [`Redactor::check`] in any case.
    pub fn is_suspicious(&self, bytes: &[u8]) -> bool {
        self.precheck.is_suspicious(bytes, &self.keys)
    }

    /// This scrubs one event, a JSON object's text, if it needs it.
    pub fn check<'a>(&self, raw: &'a str) -> Scrub<'a> {
        self.checked(raw, &self.in_events)
    }

    /// This does the same with the secrets out in any case, whatever is said of events.
    pub fn hide<'a>(&self, raw: &'a str) -> Scrub<'a> {
        self.checked(raw, &self.keys)
    }

    fn checked<'a>(&self, raw: &'a str, keys: &Keys) -> Scrub<'a> {
        if raw.len() <= LIMIT && !self.is_suspicious(raw.as_bytes()) {
            return Scrub::Clean(raw);
        }
        let mut text = String::new();
        let what = scrub(raw, keys, &mut text);
        if what == Scrubbed::default() { Scrub::Clean(raw) } else { Scrub::Changed { text, what } }
    }

    /// This gives the beginning of a text that could not be read, at most `chars` characters of it with the secrets out,
    /// and how many of those there were.
    pub fn excerpt(&self, raw: &str, chars: usize) -> (String, u32) {
        // Further than is kept, so that a secret is not overlooked because its end is missing.
        let raw = &raw[..raw.floor_char_boundary(chars.saturating_mul(4).saturating_add(EXCERPT_AHEAD))];
        let mut found = Vec::new();
        loose::find(raw, &self.keys, &mut found);
        let (mut out, mut copied) = (String::new(), 0);
        for range in &found {
            out.push_str(&raw[copied..range.start]);
            out.push_str(MARK);
            copied = range.end;
        }
        out.push_str(&raw[copied..]);
        if let Some((end, _)) = out.char_indices().nth(chars) {
            out.truncate(end);
        }
        (out, u32::try_from(found.len()).unwrap_or(u32::MAX))
    }

    /// This appends the scrubbed text of `raw`, a JSON object's text, to `out`.
    pub fn scrub(&self, raw: &str, out: &mut String) -> Scrubbed {
        scrub(raw, &self.in_events, out)
    }
}

fn scrub(raw: &str, keys: &Keys, out: &mut String) -> Scrubbed {
    let start = out.len();
    out.reserve(raw.len());
    let mut pass = Pass {
        keys,
        raw,
        out,
        copied: 0,
        what: Scrubbed::default(),
        plain: Plain::default(),
        found: Vec::new(),
    };
    pass.run();
    let mut what = pass.what;
    if out.len() - start > LIMIT
        && let Some(shorter) = cut::cut(&out[start..], keys)
    {
        out.truncate(start);
        out.push_str(&shorter);
        what.cut = true;
    }
    what
}

/// What the key just read says about the value that follows.
#[derive(Clone, Debug)]
enum Next {
    Plain,
    Secret,
    /// The name at this place stands before the value; it may be `context`.
    Named(Range<usize>),
}

struct Pass<'a> {
    keys: &'a Keys,
    raw: &'a str,
    out: &'a mut String,
    /// How much of `raw` has been dealt with.
    copied: usize,
    what: Scrubbed,
    plain: Plain,
    found: Vec<Range<usize>>,
}

impl Pass<'_> {
    fn run(&mut self) {
        let mut tokens = Tokens::new(self.raw);
        let mut next = Next::Plain;
        let mut depth = 0usize;
        // The depth just outside the outermost open `context`.
        let mut context: Option<usize> = None;
        while let Some(token) = tokens.next() {
            let before = std::mem::replace(&mut next, Next::Plain);
            match (token.kind, before) {
                (Kind::Key, _) => {
                    next = match self.judge(token.at.clone()) {
                        Verdict::Secret => Next::Secret,
                        Verdict::Personal if context.is_some() => Next::Secret,
                        _ => Next::Named(token.at.clone()),
                    };
                    self.text(token.at);
                }
                (Kind::Text, Next::Secret) if &self.raw[token.at.clone()] == MARK => {}
                (Kind::Text, Next::Secret) => self.hide(token.at.start - 1..token.at.end + 1),
                (Kind::Scalar, Next::Secret) => self.hide(token.at),
                (Kind::Open, Next::Secret) => {
                    let end = tokens.skip_container();
                    self.hide(token.at.start..end);
                }
                (Kind::Text, _) => self.text(token.at),
                (Kind::Open, before) => {
                    if let (Next::Named(key), None) = (before, context)
                        && json::same_name(&json::unescape(&self.raw[key]), "context")
                    {
                        context = Some(depth);
                    }
                    depth += 1;
                }
                (Kind::Close, _) => {
                    depth = depth.saturating_sub(1);
                    context = context.filter(|outside| *outside < depth);
                }
                (Kind::Scalar | Kind::Null, _) => {}
            }
        }
        self.out.push_str(&self.raw[self.copied..]);
    }

    fn judge(&self, key: Range<usize>) -> Verdict {
        let key = json::unescape(&self.raw[key]);
        self.keys.judge(key.as_bytes())
    }

    /// Replaces a whole value.
    fn hide(&mut self, value: Range<usize>) {
        self.replace(value, "\"[redacted]\"");
        self.what.redacted = self.what.redacted.saturating_add(1);
    }

    fn replace(&mut self, at: Range<usize>, with: &str) {
        self.out.push_str(&self.raw[self.copied..at.start]);
        self.out.push_str(with);
        self.copied = at.end;
    }

    /// Replaces what is secret or broken between a string's quotes.
    fn text(&mut self, at: Range<usize>) {
        let inner = &self.raw[at.clone()];
        let mut found = std::mem::take(&mut self.found);
        if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            shapes::find(inner, self.keys, &mut found);
            for range in &found {
                self.mark(at.start + range.start..at.start + range.end);
            }
        } else {
            let mut plain = std::mem::take(&mut self.plain);
            plain.read(inner);
            shapes::find(&plain.text, self.keys, &mut found);
            let mut lone = plain.lone.iter().map(|unit| at.start + unit).peekable();
            for range in &found {
                let range = at.start + plain.raw(range.start)..at.start + plain.raw(range.end);
                while let Some(unit) = lone.next_if(|unit| *unit < range.end) {
                    if unit < range.start {
                        self.repair(unit);
                    }
                }
                self.mark(range);
            }
            lone.for_each(|unit| self.repair(unit));
            self.plain = plain;
        }
        found.clear();
        self.found = found;
    }

    fn mark(&mut self, range: Range<usize>) {
        self.replace(range, MARK);
        self.what.redacted = self.what.redacted.saturating_add(1);
    }

    fn repair(&mut self, unit: usize) {
        self.replace(unit..unit + UNIT, "\\ufffd");
        self.what.repaired = true;
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
