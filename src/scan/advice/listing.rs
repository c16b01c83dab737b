//! The values that events have for a field, counted under the rest of the filter.
//!
//! Called by the advice, one chunk at a time. Names are counted by their number in the table; anything else by its
//! text, of which only the beginning is kept and of which only so many are told apart.

use rustc_hash::FxHashMap;

use super::walk::{Count, Stop, Walk};
use crate::event::{Names, Symbol};
use crate::filter::{Bits, Matcher, Values};

/// Texts told apart; what comes after counts as hidden.
const MAX_TEXTS: usize = 4_096;
/// Bytes kept of a text; a longer one is asked for by its beginning.
const MAX_BYTES: usize = 160;

/// A pass that counts values.
pub(super) struct Listing {
    walk: Walk,
    rest: Option<Matcher>,
    values: Values,
    /// In lower case.
    typed: String,
    texts: FxHashMap<Box<str>, Seen>,
    /// By symbol, for columns of names.
    symbols: Vec<u64>,
    names: Option<std::sync::Arc<Names>>,
    untracked: u64,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    count: u64,
    /// The event it was last seen in, so that one counts once.
    last: u64,
    is_cut: bool,
}

/// A value with its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) text: String,
    /// There is more of it.
    pub(super) is_cut: bool,
    /// It begins with what is typed; others only hold it.
    pub(super) begins: bool,
    pub(super) count: Count,
}

impl Listing {
    /// `rest` is `None` for all events.
    pub(super) fn new(walk: Walk, rest: Option<Matcher>, values: Values, typed: &str) -> Self {
        Self {
            walk,
            rest,
            values,
            typed: typed.to_lowercase(),
            texts: FxHashMap::default(),
            symbols: Vec::new(),
            names: None,
            untracked: 0,
        }
    }

    /// Looks at one more chunk; false when there is no need to.
    pub(super) fn step(&mut self) -> bool {
        // Names of all events are a plain pass over a column, so that one is never cut short.
        let is_cheap = self.rest.is_none() && self.names.is_some();
        if self.walk.is_enough() && !is_cheap {
            return false;
        }
        let Some(Stop { base, chunk, rows }) = self.walk.next() else { return false };
        let mut mask = Bits::of(rows.clone());
        if let Some(rest) = &mut self.rest {
            rest.eval(&chunk, rows, &mut mask);
        }
        if let Some(column) = self.values.names(&chunk) {
            self.names = Some(std::sync::Arc::clone(chunk.names()));
            for row in &mask {
                self.count_symbol(column[row]);
            }
            return true;
        }
        let values = self.values.clone();
        for row in &mask {
            values.each(chunk.event(row), |text| self.count_text(text, base + row as u64));
        }
        true
    }

    fn count_symbol(&mut self, symbol: Symbol) {
        let at = symbol.0 as usize;
        if at >= self.symbols.len() {
            self.symbols.resize(at + 1, 0);
        }
        self.symbols[at] += 1;
    }

    fn count_text(&mut self, text: &str, ordinal: u64) {
        if !self.typed.is_empty() && self.fit(text).is_none() {
            return;
        }
        let key = beginning(text);
        let is_cut = key.len() < text.len();
        if let Some(seen) = self.texts.get_mut(key) {
            seen.count += u64::from(seen.last != ordinal);
            seen.last = ordinal;
            seen.is_cut |= is_cut;
        } else if key.is_empty() {
            // Nothing of it can be typed.
        } else if self.texts.len() < MAX_TEXTS {
            self.texts.insert(key.into(), Seen { count: 1, last: ordinal, is_cut });
        } else {
            self.untracked += 1;
        }
    }

    /// Whether a value begins with what is typed, or at least holds it.
    fn fit(&self, text: &str) -> Option<bool> {
        let lower = text.to_lowercase();
        lower.contains(&self.typed).then(|| lower.starts_with(&self.typed))
    }

    /// Values that were not told apart.
    pub(super) fn untracked(&self) -> u64 {
        self.untracked
    }

    /// The values found so far that fit, in no order.
    pub(super) fn found(&self) -> Vec<Listed> {
        let listed = |text: &str, count: u64, is_cut| {
            let begins = self.fit(text)?;
            Some(Listed { text: text.to_owned(), is_cut, begins, count: self.walk.project(count) })
        };
        let mut found: Vec<Listed> =
            self.texts.iter().filter_map(|(text, seen)| listed(text, seen.count, seen.is_cut)).collect();
        let Some(names) = &self.names else { return found };
        for (symbol, count) in (0..).map(Symbol).zip(&self.symbols) {
            if *count > 0
                && symbol != Symbol::OTHER
                && let Some(text) = self.values.of_name(names.get(symbol))
            {
                let key = beginning(text);
                found.extend(listed(key, *count, key.len() < text.len()).filter(|_| !key.is_empty()));
            }
        }
        merge(found)
    }
}

/// Adds up those that have the same text: endpoints share routes.
fn merge(mut found: Vec<Listed>) -> Vec<Listed> {
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found.dedup_by(|next, kept| {
        let is_same = next.text == kept.text;
        if is_same {
            kept.count.events += next.count.events;
            kept.is_cut |= next.is_cut;
        }
        is_same
    });
    found
}

/// What of a text can stand in one line of a filter.
fn beginning(text: &str) -> &str {
    let text = &text[..text.floor_char_boundary(MAX_BYTES)];
    let is_writable = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    &text[..text.find(|c| !is_writable(c)).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_text_is_kept() {
        assert_eq!(beginning("a\nb\tc"), "a\nb\tc");
        assert_eq!(beginning("a\u{1b}[31mb"), "a");
        assert_eq!(beginning(&"é".repeat(200)).len(), MAX_BYTES);
    }
}
