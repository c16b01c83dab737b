//! The search for a regular expression in every value of the events of a chunk.
//!
//! Called by `eval`. As with words the JSON is searched as one text, with a laxer expression that cannot reach out of
//! a string; each value that comes up is tested with the one that was typed.

use regex::Regex;

use super::bits::Bits;
use super::hits::{Holds, Place, each_row_with, in_runs, mark_escapes, place, take_odd};
use super::messages::{Messages, Which};
use super::relaxed::{Keep, Relaxed};
use super::symbols::{self, SymbolTable};
use super::typed::Pattern;
use super::words::COLUMNS;
use crate::event::Chunk;
use crate::event::leaves::{is_user_agent, leaves, string_end, string_start, text_of};

/// A regular expression in any value but the user-agent.
#[derive(Clone, Debug)]
pub(super) struct Everywhere {
    original: Regex,
    /// `None` if the JSON must be looked at value by value.
    lax: Option<Relaxed>,
    /// For the texts of a chunk, where they have been made.
    lined: Option<Relaxed>,
    made: Messages,
    table: SymbolTable,
}

impl Everywhere {
    pub(super) fn new(pattern: &Pattern) -> Self {
        Self {
            original: pattern.regex.clone(),
            lax: Relaxed::new(pattern, Keep::InsideStrings),
            lined: Relaxed::new(pattern, Keep::Lines),
            made: Messages::regexp(pattern, Which::Made),
            table: SymbolTable::default(),
        }
    }

    /// Adds to `out` the rows of `mask` in which a value matches.
    pub(super) fn eval(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let original = &self.original;
        self.table.update(chunk.names(), |name| original.is_match(name));
        for column in COLUMNS {
            symbols::fill(column(chunk), &self.table, mask, out);
        }
        let mut wanted = mask.clone();
        wanted.and_not(out);
        if let Some(texts) = chunk.texts()
            && let Some(lined) = &self.lined
        {
            let odd = take_odd(texts, &mut wanted);
            let holds = |value: &str, _| self.original.is_match(value);
            let holds = (!lined.is_proof).then_some(&holds as Holds<'_>);
            let find = |text: &[u8], from| lined.place_at(text, from);
            wanted = in_runs(&texts.values, &wanted, find, holds, out);
            wanted.or(&odd);
        }
        self.made.eval(chunk, &wanted, out);
        wanted.and_not(out);
        if wanted.is_empty() {
            return;
        }
        let by_value = match &self.lax {
            Some(lax) => self.in_json(lax, chunk, wanted, out),
            None => wanted,
        };
        for row in &by_value {
            if self.is_in_values(chunk.event(row).json()) {
                out.insert(row);
            }
        }
    }

    /// Searches the JSON of the `wanted` rows as one text; what is left are rows that must be looked at by value.
    fn in_json(&self, lax: &Relaxed, chunk: &Chunk, mut wanted: Bits, out: &mut Bits) -> Bits {
        let (mut escaped, mut by_value) = (Bits::new(), Bits::new());
        mark_escapes(chunk, &wanted, &mut escaped, &mut by_value);
        if lax.misses_escaped {
            escaped.and_not(&by_value);
            for row in &escaped {
                match self.is_in_escaped(chunk.event(row).json()) {
                    Some(true) => out.insert(row),
                    Some(false) => {}
                    None => by_value.insert(row),
                }
            }
            wanted.and_not(out);
        }
        wanted.and_not(&by_value);
        let find = |json: &[u8], from| lax.find_at(json, from);
        each_row_with(chunk, &wanted, find, |row, bytes, hit| {
            let place = if hit.end > bytes.len() { Place::Unclear } else { place(bytes, &hit, false) };
            match place {
                Place::Nothing(resume) => return Some(resume),
                Place::Unclear => by_value.insert(row),
                Place::Value(value) => {
                    let is_match = lax.is_proof
                        || std::str::from_utf8(&bytes[value.clone()])
                            .is_ok_and(|text| self.original.is_match(&text_of(text)));
                    if !is_match {
                        return Some(value.end);
                    }
                    out.insert(row);
                }
            }
            None
        });
        by_value
    }

    fn is_in_values(&self, json: &str) -> bool {
        leaves(json).any(|leaf| !is_user_agent(leaf.key) && self.original.is_match(&text_of(leaf.value)))
    }

    /// Whether a string with an escape matches; `None` if it takes a walk over the row to tell.
    fn is_in_escaped(&self, json: &str) -> Option<bool> {
        let bytes = json.as_bytes();
        let mut from = 0;
        while let Some(found) = memchr::memchr(b'\\', &bytes[from..]) {
            let at = from + found;
            let (open, close) = (string_start(bytes, at)?, string_end(bytes, at)?);
            match place(bytes, &(open + 1..open + 1), true) {
                Place::Value(value) if self.original.is_match(&text_of(&json[value.clone()])) => {
                    return Some(true);
                }
                Place::Unclear => return None,
                Place::Value(_) | Place::Nothing(_) => from = close + 1,
            }
        }
        Some(false)
    }
}
