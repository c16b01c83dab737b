//! The search for a word in every value of the events of a chunk.
//!
//! Called by `eval`. The JSON of a chunk is one text, so it is searched as one and hits are mapped to rows; only
//! rows in which escapes or structure could mislead are looked at value by value. Names are looked up by symbol.

use regex::bytes::Regex;

use super::bits::Bits;
use super::glob::Glob;
use super::leaves::{ends_key, is_escaped, is_user_agent, leaves, string_end, string_start, text_of};
use super::symbols::{self, SymbolTable};
use super::text;
use crate::event::{Chunk, EventRef, Symbol};

/// One word, phrase, or pattern of pieces.
#[derive(Debug)]
pub(super) struct Words {
    finder: Regex,
    table: SymbolTable,
    how: Search,
}

/// How the JSON can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Value by value: pieces may be far apart.
    Values,
    /// In rows with a backslash only: the word holds what JSON must escape.
    Escaped,
    /// As one text. `is_sure`: a hit can only be inside a string. `has_slash`: some encoders escape it.
    Text { is_sure: bool, has_slash: bool },
}

/// Columns whose values need not be in the JSON.
const COLUMNS: [fn(&Chunk) -> &[Symbol]; 7] =
    [Chunk::ids, Chunk::nss, Chunk::sessions, Chunk::users, Chunk::tabs, Chunk::endpoints, Chunk::sources];

impl Words {
    pub(super) fn new(glob: &Glob) -> Self {
        let pieces: Vec<&String> = glob.pieces.iter().filter(|piece| !piece.is_empty()).collect();
        let how = match pieces.as_slice() {
            [only] if only.contains(|c: char| c.is_ascii_control() || matches!(c, '"' | '\\')) => {
                Search::Escaped
            }
            [only] => Search::Text { is_sure: needs_string(only), has_slash: only.contains('/') },
            _ => Search::Values,
        };
        Self { finder: text::finder(glob), table: SymbolTable::default(), how }
    }

    /// Adds to `out` the rows of `mask` in which a value holds the word.
    pub(super) fn eval(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let finder = &self.finder;
        self.table.update(chunk.names(), |name| finder.is_match(name.as_bytes()));
        if self.table.has_any() {
            for column in COLUMNS {
                symbols::fill(column(chunk), &self.table, mask, out);
            }
        }
        for row in mask {
            let event = chunk.event(row);
            if !out.contains(row) && is_made(event) && self.finder.is_match(event.msg().as_bytes()) {
                out.insert(row);
            }
        }
        let mut wanted = mask.clone();
        wanted.and_not(out);
        let mut by_value = Bits::new();
        match self.how {
            Search::Values => by_value = wanted.clone(),
            Search::Escaped => mark(chunk, &wanted, b"\\", &mut by_value),
            Search::Text { is_sure, has_slash } => {
                mark(chunk, &wanted, b"\\u", &mut by_value);
                if has_slash {
                    mark(chunk, &wanted, b"\\/", &mut by_value);
                }
                wanted.and_not(&by_value);
                self.search_text(chunk, &wanted, is_sure, out, &mut by_value);
            }
        }
        for row in &by_value {
            if self.is_in_values(chunk.event(row).json()) {
                out.insert(row);
            }
        }
    }

    fn is_in_values(&self, json: &str) -> bool {
        leaves(json)
            .any(|leaf| !is_user_agent(leaf.key) && self.finder.is_match(text_of(leaf.value).as_bytes()))
    }

    /// Searches the JSON of the `wanted` rows as one text; where a hit proves nothing the row goes to `by_value`.
    fn search_text(&self, chunk: &Chunk, wanted: &Bits, is_sure: bool, out: &mut Bits, by_value: &mut Bits) {
        each_row_with(
            chunk,
            wanted,
            |json, from| self.finder.find_at(json, from).map(|hit| hit.range()),
            |row, bytes, hit| {
                if !is_sure {
                    by_value.insert(row);
                    return None;
                }
                match judge(bytes, hit.start, hit.end) {
                    Ok(()) => {
                        out.insert(row);
                        None
                    }
                    Err(resume) => Some(resume),
                }
            },
        );
    }
}

/// Marks the `wanted` rows whose JSON holds `sign`.
fn mark(chunk: &Chunk, wanted: &Bits, sign: &[u8], out: &mut Bits) {
    let finder = memchr::memmem::Finder::new(sign);
    let find = |json: &[u8], from: usize| {
        let at = from + finder.find(&json[from..])?;
        Some(at..at + sign.len())
    };
    each_row_with(chunk, wanted, find, |row, _, _| {
        out.insert(row);
        None
    });
}

/// Sparse sets are searched row by row: below this part of the span, searching between the rows costs more.
const SPARSE: usize = 4;

/// Calls `found` with each hit of `find` that lies in one `wanted` row: the row, its bytes and the place in them.
/// It says from where in the row to search on; `None` is done with the row.
fn each_row_with(
    chunk: &Chunk,
    wanted: &Bits,
    find: impl Fn(&[u8], usize) -> Option<std::ops::Range<usize>>,
    mut found: impl FnMut(usize, &[u8], std::ops::Range<usize>) -> Option<usize>,
) {
    let span = wanted.span();
    if span.is_empty() {
        return;
    }
    let ends = chunk.json_ends();
    let start_of = |row: usize| if row == 0 { 0 } else { ends[row - 1] as usize };
    let all = chunk.json().as_bytes();
    if wanted.count() * SPARSE < span.len() {
        for row in wanted {
            let bytes = &all[start_of(row)..ends[row] as usize];
            let mut from = 0;
            while from < bytes.len()
                && let Some(hit) = find(bytes, from)
            {
                let Some(next) = found(row, bytes, hit) else { break };
                from = next;
            }
        }
        return;
    }
    let text = &all[..ends[span.end - 1] as usize];
    let mut row = span.start;
    let mut from = start_of(row);
    while from < text.len()
        && let Some(hit) = find(text, from)
    {
        while ends[row] as usize <= hit.start {
            row += 1;
        }
        let (start, end) = (start_of(row), ends[row] as usize);
        // A hit across two rows is none; the search goes on inside the second.
        let resume = if hit.end > end {
            Some(hit.start - start + 1)
        } else if wanted.contains(row) {
            found(row, &text[start..end], hit.start - start..hit.end - start)
        } else {
            None
        };
        from = resume.map_or(end, |at| start + at);
    }
}

/// A hit inside a string: fine, or from where to search on because it is in a key, in the user-agent, or begins
/// in the middle of an escape.
fn judge(bytes: &[u8], start: usize, end: usize) -> Result<(), usize> {
    if is_escaped(bytes, start) {
        return Err(start + 1);
    }
    let Some(close) = string_end(bytes, end) else { return Err(bytes.len()) };
    if ends_key(bytes, close) {
        return Err(close + 1);
    }
    let is_of_user_agent =
        string_start(bytes, start).and_then(|open| key_before(bytes, open)).is_some_and(is_user_agent);
    if is_of_user_agent { Err(close + 1) } else { Ok(()) }
}

/// The key of the value that begins at `open`; elements of arrays have none here.
fn key_before(bytes: &[u8], open: usize) -> Option<&str> {
    let before = bytes[..open].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let start = string_start(bytes, before.len())?;
    std::str::from_utf8(&before[start + 1..]).ok()
}

/// True if the event's message is not a part of its JSON.
fn is_made(event: EventRef<'_>) -> bool {
    let (json, msg) = (event.json().as_bytes().as_ptr_range(), event.msg().as_bytes().as_ptr_range());
    let is_inside = json.start <= msg.start && msg.end <= json.end;
    !event.msg().is_empty() && !is_inside
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
