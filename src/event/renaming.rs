//! Names of a chunk carried over into another table, only as many as its events still have.
//!
//! Used by the ring when events are taken out of it: a name that only they had must not stay behind.

use super::chunk::Chunk;
use super::names::{Interner, Symbol};

impl Chunk {
    /// For each symbol that a row has, the symbol of the same name in `interner`; nothing for all others.
    pub(crate) fn remap_used_into(&self, interner: &mut Interner) -> Vec<Symbol> {
        let mut remap = vec![Symbol::NONE; self.names().len()];
        let columns = [
            self.ids(),
            self.nss(),
            self.kinds(),
            self.subtypes(),
            self.sessions(),
            self.users(),
            self.tabs(),
            self.endpoints(),
            self.sources(),
        ];
        for symbol in columns.into_iter().flatten() {
            let Some(to) = remap.get_mut(symbol.0 as usize).filter(|to| to.is_none()) else { continue };
            *to = match *symbol {
                reserved @ (Symbol::NONE | Symbol::OTHER) => reserved,
                symbol => interner.intern(self.names().get(symbol)),
            };
        }
        remap
    }
}
