//! A chunk in the making with names of its own.
//!
//! Used by whoever makes events: `wire` for each batch and recording, and tests. The store's ring appends to its
//! chunks without it, for they share one table of names.

use std::sync::Arc;

use super::chunk::{Chunk, EventRef};
use super::mapped::Mapped;
use super::names::{Interner, Symbol};
use super::page_load::PageLoad;
use super::row::{Row, RowOf};

/// A chunk that grows row by row, and the writer of its names.
#[derive(Debug)]
pub struct ChunkBuilder {
    chunk: Chunk,
    interner: Interner,
}

impl Default for ChunkBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkBuilder {
    pub fn new() -> Self {
        let interner = Interner::new(usize::MAX);
        Self { chunk: Chunk::new(Arc::clone(interner.names())), interner }
    }

    /// See [`Chunk::reserve`].
    pub fn reserve(&mut self, rows: usize, json: usize, text: usize) {
        self.chunk.reserve(rows, json, text);
    }

    /// The symbol of `name` in this builder's own table; the empty name is [`Symbol::NONE`].
    pub fn symbol(&mut self, name: &str) -> Symbol {
        self.interner.intern(name)
    }

    /// Adds `row`, whose names are from [`ChunkBuilder::symbol`].
    pub fn push_named(&mut self, row: &RowOf<'_, Symbol>) {
        self.chunk.push(row);
    }

    /// Places the event added last by what source maps made of it.
    pub fn map_last(&mut self, mapped: Arc<Mapped>) {
        if let Some(row) = self.chunk.len().checked_sub(1) {
            self.chunk.set_mapped(row, mapped, 0);
        }
    }

    /// Notes what the event added last says of its page load: parts of `json`, the text that it was added with.
    pub fn note_page_load(&mut self, json: &str, load: &PageLoad<'_>) {
        self.chunk.note_page_load(json, load);
    }

    pub fn push(&mut self, row: &Row<'_>) {
        let named = row.clone().named(|name| self.interner.intern(name));
        self.chunk.push(&named);
    }

    /// The row added last.
    pub fn last(&self) -> Option<EventRef<'_>> {
        Some(self.chunk.event(self.chunk.len().checked_sub(1)?))
    }

    pub fn len(&self) -> usize {
        self.chunk.len()
    }

    pub fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    pub fn finish(self) -> Chunk {
        self.chunk
    }
}
