//! The test of the messages of a chunk.
//!
//! Called by `eval` and `everywhere`. Messages that were made lie side by side and are searched as they are; those that
//! lie here and there in the JSON are put together first: starting a search costs more than a message is long.

use std::ops::Range;

use super::bits::Bits;
use super::hits::{Holds, each_value, in_made, in_values, take_odd};
use super::needle::Needle;
use super::relaxed::{Keep, Relaxed};
use super::text::TextTest;
use super::typed::Pattern;
use crate::event::{Chunk, Texts};

/// Stands between two messages: no text holds it, and so no match reaches across.
const BETWEEN: u8 = 0xff;

/// A test of messages, with room to put them together.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    which: Which,
    test: TextTest,
    search: Option<Search>,
    /// For the messages of a chunk that have been put together, where `search` is a regular expression.
    lined: Option<Relaxed>,
    text: Vec<u8>,
    /// The row of each message in `text` and where it ends.
    ends: Vec<(usize, usize)>,
}

/// Which messages are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those that are no part of the event's JSON.
    Made,
}

/// Rows of which it is quicker to look at each than to search the messages of all.
const FEW: usize = 64;

#[derive(Clone, Debug)]
enum Search {
    Word(Needle),
    Regexp(Relaxed),
}

impl Search {
    /// Whether text without anything between the messages can be searched: what reaches across is short.
    fn may_reach_across(&self) -> bool {
        match self {
            Self::Word(_) => true,
            Self::Regexp(lax) => lax.is_short,
        }
    }
}

impl Messages {
    /// Messages that hold `word`.
    pub(super) fn contain(word: &str) -> Self {
        Self::new(TextTest::contains(word), Which::All, Some(Search::Word(Needle::new(word))))
    }

    pub(super) fn regexp(pattern: &Pattern, which: Which) -> Self {
        let lax = Relaxed::new(pattern, Keep::Everything);
        let lined = match which {
            Which::All => Relaxed::new(pattern, Keep::Lines),
            Which::Made => None,
        };
        let new = Self::new(TextTest::Regexp(pattern.regex.clone()), which, lax.map(Search::Regexp));
        Self { lined, ..new }
    }

    /// Any other test.
    pub(super) fn pass(test: TextTest) -> Self {
        Self::new(test, Which::All, None)
    }

    fn new(test: TextTest, which: Which, search: Option<Search>) -> Self {
        Self { which, test, search, lined: None, text: Vec::new(), ends: Vec::new() }
    }

    /// Adds to `out` the rows of `mask` that have a message which passes.
    pub(super) fn eval(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let Some(texts) = chunk.texts().filter(|_| self.which == Which::All && mask.count() >= FEW) else {
            return self.search_json(chunk, mask, out);
        };
        let mut wanted = mask.clone();
        let odd = take_odd(texts, &mut wanted);
        self.in_texts(texts, &wanted, out);
        self.one_by_one(chunk, &odd, out);
    }

    /// Searches messages that have been put together, each different one once.
    fn in_texts(&mut self, texts: &Texts, wanted: &Bits, out: &mut Bits) {
        let (runs, messages) = (&texts.values, &texts.messages);
        let bytes = messages.bytes.clone();
        match (&mut self.search, &self.lined) {
            (Some(Search::Word(needle)), _) if !needle.has_between() => {
                needle.tune(&runs.text.as_bytes()[bytes.clone()]);
                in_values(runs, bytes, wanted, |text, from| needle.find_at(text, from), None, out);
            }
            (_, Some(lined)) => {
                let holds = |message: &str, _| self.test.holds(message);
                let holds = (!lined.is_proof).then_some(&holds as Holds<'_>);
                in_values(runs, bytes, wanted, |text, from| lined.place_at(text, from), holds, out);
            }
            _ => each_value(runs, messages, wanted, |message| self.test.holds(message), out),
        }
    }

    fn one_by_one(&self, chunk: &Chunk, rows: &Bits, out: &mut Bits) {
        let messages = rows.iter().map(|row| (row, chunk.event(row).msg()));
        let passing = messages.filter(|(_, msg)| !msg.is_empty() && self.test.holds(msg));
        passing.for_each(|(row, _)| out.insert(row));
    }

    fn search_json(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        match &mut self.search {
            Some(Search::Word(needle)) => needle.tune(chunk.made_text().as_bytes()),
            Some(Search::Regexp(_)) => {}
            None => return self.one_by_one(chunk, mask, out),
        }
        let is_apart = self.search.as_ref().is_some_and(Search::may_reach_across);
        if is_apart {
            self.search_made(chunk, mask, out);
        }
        if !is_apart || self.which == Which::All {
            self.put_together(chunk, mask, is_apart);
            self.search_text(out);
        }
    }

    fn search_made(&self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let holds = |is_proof: bool| {
            move |message: &str, is_inside: bool| is_inside && is_proof || self.test.holds(message)
        };
        match &self.search {
            Some(Search::Word(needle)) => {
                in_made(chunk, mask, |text, from| needle.find_at(text, from), holds(true), out);
            }
            Some(Search::Regexp(lax)) => {
                let find = |text: &[u8], from| lax.find_at(text, from);
                in_made(chunk, mask, find, holds(lax.is_proof), out);
            }
            None => {}
        }
    }

    /// Copies the messages that are to be looked at, without those that were made if they were searched already.
    fn put_together(&mut self, chunk: &Chunk, mask: &Bits, is_made_done: bool) {
        self.text.clear();
        self.ends.clear();
        for row in mask {
            let is_made = chunk.made_span(row).is_some();
            if if is_made { is_made_done } else { self.which == Which::Made } {
                continue;
            }
            let message = chunk.event(row).msg();
            if !message.is_empty() {
                self.text.extend_from_slice(message.as_bytes());
                self.ends.push((row, self.text.len()));
                self.text.push(BETWEEN);
            }
        }
    }

    fn search_text(&self, out: &mut Bits) {
        match &self.search {
            Some(Search::Word(needle)) => {
                self.each_hit(|text, from| needle.find_at(text, from), |_| true, out);
            }
            Some(Search::Regexp(lax)) => {
                let find = |text: &[u8], from| lax.find_at(text, from);
                let holds = |text: &[u8]| {
                    lax.is_proof || std::str::from_utf8(text).is_ok_and(|text| self.test.holds(text))
                };
                self.each_hit(find, holds, out);
            }
            None => {}
        }
    }

    /// Adds the row of each message in which there is a hit and that `holds`.
    fn each_hit(
        &self,
        find: impl Fn(&[u8], usize) -> Option<Range<usize>>,
        holds: impl Fn(&[u8]) -> bool,
        out: &mut Bits,
    ) {
        let mut messages = self.ends.iter();
        let mut start = 0;
        while let Some(hit) = find(&self.text, start) {
            let Some((row, end)) = messages.find(|(_, end)| hit.start <= *end) else { return };
            let before = memchr::memrchr(BETWEEN, &self.text[..*end]);
            if holds(&self.text[before.map_or(0, |before| before + 1)..*end]) {
                out.insert(*row);
            }
            start = end + 1;
        }
    }
}
