//! The requests that those of the window are compared with, where the filter bounds them in time: `since:reload` leaves out
//! what came before, which is just what is asked for.
//!
//! Kept by the latency screen beside its matches. It goes over all events as gradually as `window` goes over those.

use std::fmt;
use std::sync::Arc;

use super::window::{Ages, Asked, add, is_before};
use crate::filter::{Bits, Matcher};
use crate::scan::{MatchSegment, Matches, context_with};
use crate::stats::{EndpointRow, Endpoints, Loads};
use crate::ui::gradual::{Gradual, Progress};
use crate::ui::view::View;

/// What was found of them.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    way: Gradual<Asked, Pass>,
    rows: Option<Arc<[Arc<EndpointRow>]>>,
}

impl Earlier {
    /// Their endpoints; none where the filter bounds nothing and the matches have them.
    pub(super) fn rows(&self) -> Option<&Arc<[Arc<EndpointRow>]>> {
        self.rows.as_ref()
    }

    /// Brings them up to date, at most once a second; `true` if there is news.
    pub(super) fn refresh(&mut self, asked: Asked, view: &View<'_>) -> bool {
        let Some(filter) = view.filter.unbounded().filter(|_| view.is_filtered) else {
            return std::mem::take(self).rows.is_some();
        };
        let begin = || {
            let matcher = Matcher::new(Arc::new(filter), context_with(view.snapshot, view.marks, view.zone));
            let pass = Pass { asked, matcher, ages: Ages::default(), before: Endpoints::default() };
            (pass, Arc::new(Matches::everything(0, Arc::clone(&view.matches.snapshot))))
        };
        let Some(mut way) = self.way.due_over(asked, false, view, begin) else { return false };
        let progress = way.go_on_by_chunk(Pass::take);
        let is_news = progress != Progress::GoesOn;
        if is_news {
            self.rows = Some(way.pass.before.rows());
        }
        self.way.keep(way, progress, view);
        is_news
    }
}

/// One pass over all events.
struct Pass {
    asked: Asked,
    matcher: Matcher,
    ages: Ages,
    before: Endpoints,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Pass {
    /// Counts what of a chunk came before and is let through.
    fn take(&mut self, segment: &MatchSegment, loads: &Loads) {
        let mut rows = Bits::new();
        for (_, row) in segment.ordinals() {
            let event = segment.chunk.event(row);
            let is_request = !segment.chunk.endpoints()[row].is_none();
            if is_request && is_before(self.asked, event, || self.ages.loads_back(event, loads)) {
                rows.insert(row);
            }
        }
        if rows.is_empty() {
            return;
        }
        let mut found = Bits::new();
        self.matcher.eval_within(&segment.chunk, &rows, &mut found);
        for row in found.iter() {
            let ordinal = segment.base + row as u64;
            add(&mut self.before, segment.chunk.event(row), ordinal, self.asked.is_without_failures);
        }
    }
}
