//! A pass over the matches, at most once a second, that goes on from frame to frame, newest first, so that no frame
//! waits for all of them.
//!
//! Used by panels that make more of the matches than their tables. What is not through says so in [`View::under_way`],
//! and the next frame comes by itself. A panel that is drawn no more holds no events: its pass begins anew.

use std::sync::{Arc, Weak};

use super::view::View;
use crate::event::{EventRef, Timestamp};
use crate::scan::{MatchSegment, Matches};
use crate::stats::Loads;

/// Matches looked at in one frame, in whole chunks: that takes a millisecond or two.
const AT_ONCE: usize = 16_384;
/// What was made is made anew after so many milliseconds.
const REFRESH_MS: i64 = 1_000;

/// How far a pass has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The newest are through, and worth showing.
    Begun,
    GoesOn,
    Through,
}

/// The passes of one panel; `K` is what they are made for, `P` what one of them collects.
#[derive(Debug)]
pub(super) struct Gradual<K, P> {
    made: Option<Made<K>>,
    kept: Option<Kept<P>>,
}

/// A pass between two frames.
#[derive(Debug)]
struct Kept<P> {
    pass: P,
    matches: Weak<Matches>,
    left: usize,
}

/// For what the last pass was made, and when.
#[derive(Debug)]
struct Made<K> {
    key: K,
    filter: u64,
    is_done: bool,
    /// When the snapshot was taken, and up to which event.
    at: Timestamp,
    end: u64,
}

/// A pass in a frame.
#[derive(Debug)]
pub(super) struct Way<P> {
    pub(super) pass: P,
    matches: Arc<Matches>,
    /// Chunks that are still to be looked at: the oldest so many.
    left: usize,
}

impl<K, P> Default for Gradual<K, P> {
    fn default() -> Self {
        Self { made: None, kept: None }
    }
}

impl<K: PartialEq, P> Gradual<K, P> {
    /// The pass to go on with: the one under way, or a new one if another `key` or filter is asked for, or if a second
    /// has passed and events came, or time alone `ages` what was made.
    pub(super) fn due(
        &mut self,
        key: K,
        ages: bool,
        view: &View<'_>,
        begin: impl FnOnce() -> P,
    ) -> Option<Way<P>> {
        self.due_over(key, ages, view, || (begin(), Arc::clone(view.matches)))
    }

    /// The same, where a new pass says what it goes over.
    pub(super) fn due_over(
        &mut self,
        key: K,
        ages: bool,
        view: &View<'_>,
        begin: impl FnOnce() -> (P, Arc<Matches>),
    ) -> Option<Way<P>> {
        let (filter, is_done, at) = (view.matches.id, view.matches.is_done(), view.snapshot.at);
        let end = view.snapshot.end;
        // One for something else is given up.
        let kept = self.kept.take();
        if let Some(made) = &self.made
            && (&made.key, made.filter, made.is_done) == (&key, filter, is_done)
        {
            let age = at.since(made.at);
            let is_still = made.end == end && (!ages || age == 0);
            match kept {
                Some(Kept { pass, matches, left }) => {
                    if let Some(matches) = matches.upgrade() {
                        return Some(Way { pass, matches, left });
                    }
                }
                None if is_still || (1..REFRESH_MS).contains(&age) => return None,
                None => {}
            }
        }
        self.made = Some(Made { key, filter, is_done, at, end });
        let (pass, matches) = begin();
        Some(Way { pass, left: matches.segments.len(), matches })
    }

    /// Keeps `way` for the next frame, if there is more of it.
    pub(super) fn keep(&mut self, way: Way<P>, progress: Progress, view: &View<'_>) {
        if progress != Progress::Through {
            let Way { pass, matches, left } = way;
            self.kept = Some(Kept { pass, matches: Arc::downgrade(&matches), left });
            view.under_way.borrow_mut().push(matches);
        } else if let Some(made) = &mut self.made {
            // The next one a second after this one is done, however long it took.
            made.at = view.snapshot.at;
        }
    }
}

impl<P> Way<P> {
    /// Hands the next matches to `take`, the newest first, with where they are in the ring and the page loads of that
    /// moment.
    pub(super) fn go_on(&mut self, mut take: impl FnMut(&mut P, u64, EventRef<'_>, &Loads)) -> Progress {
        self.go_on_by_chunk(|pass, segment, loads| {
            for (ordinal, row) in segment.ordinals().rev() {
                take(pass, ordinal, segment.chunk.event(row), loads);
            }
        })
    }

    /// The same chunk by chunk.
    pub(super) fn go_on_by_chunk(&mut self, mut take: impl FnMut(&mut P, &MatchSegment, &Loads)) -> Progress {
        let is_first = self.left == self.matches.segments.len();
        let mut seen = 0;
        while seen < AT_ONCE && self.left > 0 {
            self.left -= 1;
            let segment = &self.matches.segments[self.left];
            take(&mut self.pass, segment, &self.matches.snapshot.loads);
            seen += segment.len();
        }
        match self.left {
            0 => Progress::Through,
            _ if is_first => Progress::Begun,
            _ => Progress::GoesOn,
        }
    }
}
