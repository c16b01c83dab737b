//! Chunks that were let go, kept for their memory until no reader holds them any more.
//!
//! Owned by the ring. While a console draws, a snapshot holds the last chunk most of the time, and it is copied as often;
//! asking the system for that memory each time would cost as much as the copy, and leave holes behind.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::event::Chunk;

/// Readers hold two or three snapshots at a time; what is more is given back to the system.
const MOST: usize = 4;

/// Each with the ordinal of its first row.
#[derive(Debug, Default)]
pub(super) struct Spares(VecDeque<(u64, Arc<Chunk>)>);

impl Spares {
    /// Keeps `chunk`; the oldest makes room.
    pub(super) fn put(&mut self, base: u64, chunk: Arc<Chunk>) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((base, chunk));
    }

    /// A chunk that nobody holds: an earlier copy of the one that begins at `base`, or one without rows.
    pub(super) fn take(&mut self, base: u64) -> Option<Chunk> {
        let is_free = |(_, chunk): &(u64, Arc<Chunk>)| Arc::strong_count(chunk) == 1;
        let is_same = |spare: &(u64, Arc<Chunk>)| spare.0 == base && is_free(spare);
        let at = self.0.iter().rposition(is_same).or_else(|| self.0.iter().position(is_free))?;
        let (of, chunk) = self.0.remove(at)?;
        let chunk = Arc::into_inner(chunk)?;
        Some(if of == base { chunk } else { chunk.cleared() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Row};

    fn chunk(rows: usize) -> Arc<Chunk> {
        let mut builder = ChunkBuilder::new();
        for _ in 0..rows {
            builder.push(&Row { json: "{}", ..Row::default() });
        }
        Arc::new(builder.finish())
    }

    #[test]
    fn what_a_reader_holds_is_not_used_again() {
        let (mut spares, held) = (Spares::default(), chunk(1));
        spares.put(0, Arc::clone(&held));
        assert!(spares.take(0).is_none());
        drop(held);
        assert_eq!(spares.take(0).map(|chunk| chunk.len()), Some(1));
        assert!(spares.take(0).is_none(), "it was taken");
    }

    #[test]
    fn an_earlier_copy_of_the_same_rows_is_preferred() {
        let mut spares = Spares::default();
        for (base, rows) in [(0, 5), (7, 1), (7, 2), (9, 3)] {
            spares.put(base, chunk(rows));
        }
        assert_eq!(spares.take(7).map(|chunk| chunk.len()), Some(2), "the latest of them");
        assert_eq!(spares.take(8).map(|chunk| chunk.len()), Some(0), "the rows of others are gone");
    }

    #[test]
    fn there_are_few() {
        let mut spares = Spares::default();
        (0..9).for_each(|base| spares.put(base, chunk(1)));
        assert_eq!(std::iter::from_fn(|| spares.take(99)).count(), MOST);
    }
}
