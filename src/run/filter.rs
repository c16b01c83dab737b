//! Filters from the command line: checked before anything starts, then applied to one chunk after the other.
//!
//! Called by every command that takes one. What depends on page loads or on who is connected is judged by what the
//! command itself has seen so far.

use std::sync::Arc;

use super::Usage;
use crate::config::Saved;
use crate::event::{Chunk, Timestamp};
use crate::filter::{EvalContext, Filter, Matcher, expand_saved, read};
use crate::scan;
use crate::stats::Loads;

/// The filter of `text`, with saved filters in the place of their names, or the error as the shell shows it (FILTER:
/// messages), exit code 2.
pub(super) fn checked(text: &str, saved: &[Saved]) -> anyhow::Result<Arc<Filter>> {
    let find = |name: &str| saved.iter().find(|one| one.name == name).map(|one| one.text.clone());
    let refuse = |shown: String| Usage(format!("filter: {shown}"));
    let expanded = expand_saved(text, &find).map_err(|error| refuse(error.with_caret(text)))?;
    Ok(Arc::new(read(&expanded).map_err(refuse)?))
}

/// A filter at work on chunks that come in order.
pub(super) struct Sieve {
    matcher: Option<Matcher>,
    context: EvalContext,
    loads: Loads,
}

impl Sieve {
    /// The sieve of `text`; without one everything passes.
    ///
    /// # Errors
    /// As [`checked`].
    pub(super) fn new(text: Option<&str>, saved: &[Saved], start: Timestamp) -> anyhow::Result<Self> {
        let filter = checked(text.unwrap_or_default(), saved)?;
        let context =
            EvalContext { now: start, start, zone: jiff::tz::TimeZone::system(), ..EvalContext::default() };
        let matcher = (!filter.is_all()).then(|| Matcher::new(filter, context.clone()));
        Ok(Self { matcher, context, loads: Loads::default() })
    }

    /// Sets what `since:mark` counts from.
    pub(super) fn set_mark(&mut self, mark: Option<Timestamp>) {
        self.context.mark = mark;
        if let Some(matcher) = &mut self.matcher {
            matcher.set_context(self.context.clone());
        }
    }

    /// Whether what passes depends on what [`Sieve::learn`] is told.
    pub(super) fn depends(&self) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.filter().depends().any())
    }

    /// Takes note of the page loads and sessions of `chunk`, and of the time.
    pub(super) fn learn(&mut self, chunk: &Chunk, now: Timestamp) {
        let Some(matcher) = &mut self.matcher else { return };
        if !matcher.filter().depends().any() {
            return;
        }
        let mut has_news = false;
        for event in chunk.events() {
            if !self.loads.knows(event) {
                self.loads.add(event);
                has_news = true;
            }
        }
        if has_news {
            scan::learn_loads(&mut self.context, &self.loads);
        }
        if !has_news && !matcher.filter().depends().clock {
            return;
        }
        self.context.now = now;
        matcher.set_context(self.context.clone());
    }

    /// Adds the rows of `chunk` that pass to `rows`, in rising order.
    pub(super) fn pick(&mut self, chunk: &Chunk, rows: &mut Vec<usize>) {
        let Some(matcher) = &mut self.matcher else {
            rows.extend(0..chunk.len());
            return;
        };
        matcher.pick(chunk, rows);
    }
}
