//! A pass over the matches that goes on from frame to frame, newest first, so that no frame waits for all of them.
//!
//! Used by panels that make more of the matches than their tables. What is not through says so in [`View::unfinished`],
//! and the next frame comes by itself.
//!
//! [`View::unfinished`]: super::view::View::unfinished

use std::sync::Arc;

use crate::event::EventRef;
use crate::scan::Matches;

/// Matches looked at in one frame, in whole chunks: that takes a millisecond or two.
const AT_ONCE: usize = 16_384;

/// How far a pass has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The newest are through, and worth showing.
    Begun,
    GoesOn,
    Through,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Gradual {
    matches: Arc<Matches>,
    /// Chunks that are still to be looked at: the oldest so many.
    left: usize,
}

impl Gradual {
    pub(super) fn new(matches: &Arc<Matches>) -> Self {
        Self { matches: Arc::clone(matches), left: matches.segments.len() }
    }

    pub(super) fn matches(&self) -> &Arc<Matches> {
        &self.matches
    }

    /// Hands the next matches to `take`, with where they are in the ring.
    pub(super) fn go_on(&mut self, mut take: impl FnMut(u64, EventRef<'_>)) -> Progress {
        let is_first = self.left == self.matches.segments.len();
        let mut seen = 0;
        while seen < AT_ONCE && self.left > 0 {
            self.left -= 1;
            let segment = &self.matches.segments[self.left];
            for (ordinal, row) in segment.ordinals() {
                take(ordinal, segment.chunk.event(row));
                seen += 1;
            }
        }
        match self.left {
            0 => Progress::Through,
            _ if is_first => Progress::Begun,
            _ => Progress::GoesOn,
        }
    }
}
