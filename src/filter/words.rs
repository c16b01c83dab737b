//! The search for a word in every value of the events of a chunk.
//!
//! Called by `eval`. The JSON of a chunk is one text, so it is searched as one and hits are mapped to rows; only
//! rows in which escapes or structure could mislead are looked at value by value. Names are looked up by symbol.

use regex::bytes::Regex;

use super::bits::Bits;
use super::glob::Glob;
use super::hits::{Holds, Place, each_row_with, in_made, in_runs, mark_escapes, place, take_odd};
use super::needle::Needle;
use super::symbols::{self, SymbolTable};
use super::text;
use crate::event::leaves::{is_user_agent, leaves, text_of};
use crate::event::{Chunk, Symbol};

/// One word, phrase, or pattern of pieces.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// The longest piece.
    needle: Needle,
    /// All pieces, if there are several.
    pieces: Option<Regex>,
    table: SymbolTable,
    how: Search,
}

/// How the JSON can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// In rows with a backslash only: the word holds what JSON must escape.
    Escaped,
    /// As one text. `is_sure`: a hit can only be inside a string.
    Text { is_sure: bool },
}

/// Columns whose values need not be in the JSON, nor in the texts made of it.
pub(super) const COLUMNS: [fn(&Chunk) -> &[Symbol]; 9] = [
    Chunk::ids,
    Chunk::nss,
    Chunk::kinds,
    Chunk::subtypes,
    Chunk::sessions,
    Chunk::users,
    Chunk::tabs,
    Chunk::endpoints,
    Chunk::sources,
];

impl Words {
    pub(super) fn new(glob: &Glob) -> Self {
        let pieces = glob.pieces.iter().filter(|piece| !piece.is_empty());
        let longest = pieces.clone().max_by_key(|piece| piece.len()).map_or("", String::as_str);
        let how = if longest.contains(|c: char| c.is_ascii_control() || matches!(c, '"' | '\\')) {
            Search::Escaped
        } else {
            Search::Text { is_sure: needs_string(longest) }
        };
        let pieces = (pieces.count() != 1).then(|| text::finder(glob));
        Self { needle: Needle::new(longest), pieces, table: SymbolTable::default(), how }
    }

    /// Adds to `out` the rows of `mask` in which a value holds the word.
    pub(super) fn eval(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let texts = chunk.texts().filter(|_| !self.needle.has_between());
        self.needle.tune(texts.map_or(chunk.json(), |texts| &texts.values.text).as_bytes());
        self.in_names(chunk, mask, out);
        let mut wanted = mask.clone();
        wanted.and_not(out);
        if wanted.is_empty() {
            return;
        }
        let find = |text: &[u8], from| self.needle.find_at(text, from);
        if let Some(texts) = texts {
            let odd = take_odd(texts, &mut wanted);
            let holds = |value: &str, _| self.holds(value);
            let holds = self.pieces.as_ref().map(|_| &holds as Holds<'_>);
            let mut rest = in_runs(&texts.values, &wanted, find, holds, out);
            rest.or(&odd);
            return self.by_value(chunk, &rest, out);
        }
        let is_whole = self.pieces.is_none();
        in_made(chunk, &wanted, find, |message, is_inside| is_inside && is_whole || self.holds(message), out);
        wanted.and_not(out);
        let (mut escaped, mut by_value) = (Bits::new(), Bits::new());
        mark_escapes(chunk, &wanted, &mut escaped, &mut by_value);
        match self.how {
            Search::Escaped => by_value = escaped,
            Search::Text { is_sure } => {
                wanted.and_not(&by_value);
                self.in_json(chunk, &wanted, is_sure, out, &mut by_value);
            }
        }
        self.by_value(chunk, &by_value, out);
    }

    fn by_value(&self, chunk: &Chunk, rows: &Bits, out: &mut Bits) {
        for row in rows {
            let event = chunk.event(row);
            if self.is_in_values(event.json()) || chunk.made_span(row).is_some() && self.holds(event.msg()) {
                out.insert(row);
            }
        }
    }

    fn holds(&self, text: &str) -> bool {
        match &self.pieces {
            Some(pieces) => pieces.is_match(text.as_bytes()),
            None => self.needle.is_in(text.as_bytes()),
        }
    }

    fn in_names(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let (needle, pieces) = (&self.needle, &self.pieces);
        self.table.update(chunk.names(), |name| match pieces {
            Some(pieces) => pieces.is_match(name.as_bytes()),
            None => needle.is_in(name.as_bytes()),
        });
        if self.table.has_any() {
            for column in COLUMNS {
                symbols::fill(column(chunk), &self.table, mask, out);
            }
        }
    }

    fn is_in_values(&self, json: &str) -> bool {
        leaves(json).any(|leaf| !is_user_agent(leaf.key) && self.holds(&text_of(leaf.value)))
    }

    /// Searches the JSON of the `wanted` rows as one text; where a hit proves nothing the row goes to `by_value`.
    fn in_json(&self, chunk: &Chunk, wanted: &Bits, is_sure: bool, out: &mut Bits, by_value: &mut Bits) {
        each_row_with(
            chunk,
            wanted,
            |json, from| self.needle.find_at(json, from),
            |row, bytes, hit| {
                if hit.end > bytes.len() {
                    return Some(hit.start + 1);
                }
                if self.pieces.is_some() {
                    by_value.insert(row);
                    return None;
                }
                match place(bytes, &hit, is_sure) {
                    Place::Value(_) => out.insert(row),
                    Place::Unclear => by_value.insert(row),
                    Place::Nothing(resume) => return Some(resume),
                }
                None
            },
        );
    }
}

/// True if `word` cannot be found in JSON outside of strings, where only numbers, `true`, `false`, `null` and
/// signs are.
fn needs_string(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let has_foreign = lower.chars().any(|c| !c.is_ascii_alphanumeric() && !"{}[],:+-. ".contains(c));
    let mut letters = lower.split(|c: char| !c.is_ascii_alphabetic()).filter(|run| !run.is_empty());
    has_foreign || letters.any(|run| !["true", "false", "null"].iter().any(|literal| literal.contains(run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_literals_and_signs_can_be_outside_of_strings() {
        for (word, expected) in [
            ("timeout", true),
            ("user", true),
            ("404", false),
            ("rue", false),
            ("null,", false),
            ("x1", true),
            ("é", true),
            ("1e5", false),
            ("/", true),
        ] {
            assert_eq!(needs_string(word), expected, "{word}");
        }
    }
}
