//! Which names of a table pass a test, so that rows need only look their symbol up.
//!
//! Kept by the leaves of a plan. A table grows with the names and starts anew when a chunk has others.

use std::sync::Arc;

use super::bits::Bits;
use crate::event::{Names, Symbol};

/// One bool a symbol. [`Symbol::NONE`] and [`Symbol::OTHER`] never pass: the one is no name, the other any.
#[derive(Clone, Debug, Default)]
pub(super) struct SymbolTable {
    /// Held, not only compared: an address may be used again.
    names: Option<Arc<Names>>,
    passes: Vec<bool>,
    has_any: bool,
    /// Those that pass, as long as they are few enough to compare with one by one.
    few: Vec<Symbol>,
    is_few: bool,
}

/// Comparing with so many symbols is quicker than looking each row's up.
const FEW: usize = 4;

impl SymbolTable {
    /// Tests the names that are new since the last call.
    pub(super) fn update(&mut self, names: &Arc<Names>, test: impl Fn(&str) -> bool) {
        if !self.names.as_ref().is_some_and(|known| Arc::ptr_eq(known, names)) {
            self.names = Some(Arc::clone(names));
            self.passes.clear();
            self.has_any = false;
            self.few.clear();
        }
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let known = u32::try_from(self.passes.len()).unwrap_or(u32::MAX);
        for number in known..count {
            let symbol = Symbol(number);
            let is_name = !matches!(symbol, Symbol::NONE | Symbol::OTHER);
            let passes = is_name && test(names.get(symbol));
            if passes && self.few.len() <= FEW {
                self.few.push(symbol);
            }
            self.has_any |= passes;
            self.passes.push(passes);
        }
        self.is_few = self.few.len() <= FEW;
    }

    pub(super) fn has_any(&self) -> bool {
        self.has_any
    }

    pub(super) fn passes(&self, symbol: Symbol) -> bool {
        self.passes.get(symbol.0 as usize).copied().unwrap_or(false)
    }
}

/// Adds the rows of `mask` whose symbol in `column` passes.
pub(super) fn fill(column: &[Symbol], table: &SymbolTable, mask: &Bits, out: &mut Bits) {
    if !table.has_any {
        return;
    }
    let mut found = Bits::new();
    let span = mask.span();
    match table.few.as_slice() {
        [only] => found.fill_from(span, column, |symbol| symbol == *only),
        [a, b] => found.fill_from(span, column, |symbol| (symbol == *a) | (symbol == *b)),
        few if table.is_few => {
            for one in few {
                found.fill_from(span.clone(), column, |symbol| symbol == *one);
            }
        }
        _ => found.fill_from(span, column, |symbol| table.passes(symbol)),
    }
    found.and(mask);
    out.or(&found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Interner;

    #[test]
    fn names_are_tested_once_and_other_tables_start_anew() {
        let mut interner = Interner::new(2);
        let mut table = SymbolTable::default();
        let a = interner.intern("a");
        table.update(interner.names(), |name| name == "a");
        let b = interner.intern("b");
        let other = interner.intern("c");
        table.update(interner.names(), |_| true);
        assert_eq!(
            [a, b, other, Symbol::NONE].map(|symbol| table.passes(symbol)),
            [true, true, false, false]
        );
        table.update(Interner::new(9).names(), |_| true);
        assert!(!table.passes(a) && !table.has_any());
    }
}
