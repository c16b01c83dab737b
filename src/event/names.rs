//! Names that repeat (ids, sessions, endpoints …) stored once and passed around as numbers.
//!
//! A decoder builds a small table for each batch; the store, sole owner of the ring's table, maps those into
//! its own. Readers hold [`Names`], which only ever grows, so looking a name up never waits for anyone.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The number of a name in one [`Names`] table; [`Symbol::NONE`] stands for an absent field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

impl Symbol {
    /// No name: the field was not sent.
    pub const NONE: Self = Self(0);
    /// Stands for every name that came after the table was full.
    pub const OTHER: Self = Self(1);

    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// Text shown for [`Symbol::OTHER`].
const OTHER: &str = "(other)";

/// An append-only table of names, readable from any thread while its owner adds to it.
#[derive(Debug)]
pub struct Names(boxcar::Vec<Arc<str>>);

impl Names {
    fn new() -> Self {
        let names = boxcar::Vec::new();
        names.push(Arc::from(""));
        names.push(Arc::from(OTHER));
        Self(names)
    }

    /// The text of `symbol`; empty for [`Symbol::NONE`] and for numbers of another table.
    pub fn get(&self, symbol: Symbol) -> &str {
        self.0.get(symbol.0 as usize).map_or("", |name| &**name)
    }

    /// How many symbols there are, the two reserved ones included; symbols are `0..len`.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// True if nothing has been interned yet.
    pub fn is_empty(&self) -> bool {
        self.len() <= 2
    }
}

/// The one writer of a [`Names`] table.
#[derive(Debug)]
pub struct Interner {
    names: Arc<Names>,
    index: FxHashMap<Arc<str>, Symbol>,
    capacity: usize,
    overflowed: u64,
}

impl Interner {
    /// An empty table that takes at most `capacity` names; what comes after becomes [`Symbol::OTHER`] and is
    /// counted.
    pub fn new(capacity: usize) -> Self {
        Self { names: Arc::new(Names::new()), index: FxHashMap::default(), capacity, overflowed: 0 }
    }

    /// The symbol of `name`; the empty name is [`Symbol::NONE`].
    pub fn intern(&mut self, name: &str) -> Symbol {
        if name.is_empty() {
            return Symbol::NONE;
        }
        if let Some(&symbol) = self.index.get(name) {
            return symbol;
        }
        if self.index.len() >= self.capacity {
            self.overflowed += 1;
            return Symbol::OTHER;
        }
        let shared: Arc<str> = Arc::from(name);
        let number = self.names.0.push(Arc::clone(&shared));
        let symbol = Symbol(u32::try_from(number).expect("capacity is far below 2^32"));
        self.index.insert(shared, symbol);
        symbol
    }

    /// The symbol `name` already has, without adding it.
    pub fn find(&self, name: &str) -> Option<Symbol> {
        self.index.get(name).copied()
    }

    /// The table that readers hold.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// How often a name did not fit any more.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol_and_a_full_table_says_other() {
        let mut interner = Interner::new(2);
        let first = interner.intern("browser/api-call");
        assert_eq!(interner.intern("browser/api-call"), first);
        assert_eq!(interner.names().get(first), "browser/api-call");
        assert_eq!(interner.intern(""), Symbol::NONE);
        interner.intern("second");
        assert_eq!(interner.intern("third"), Symbol::OTHER);
        assert_eq!(interner.names().get(Symbol::OTHER), "(other)");
        assert_eq!(interner.overflowed(), 1);
        assert_eq!(interner.intern("second"), interner.find("second").expect("kept"));
    }

    #[test]
    fn readers_see_names_added_later() {
        let mut interner = Interner::new(10);
        let names = Arc::clone(interner.names());
        let symbol = interner.intern("late");
        assert_eq!(names.get(symbol), "late");
        assert_eq!(names.get(Symbol(99)), "");
    }
}
