//! What stands between rows without being one: page loads, hot updates and, if asked for, clicks and navigations.
//!
//! They are there whatever the filter, and are not counted, selected or exported.

use std::sync::Arc;

use crate::config::Landmarks;
use crate::event::{Family, Timestamp};
use crate::scan::{At, Matches, Moment};
use crate::stats::{Break, BreakKind};
use crate::ui::tabs;
use crate::ui::view::View;

/// Between two rows; of more, the latest are shown.
const MAX_BREAKS: usize = 3;
const MAX_MARKS: usize = 3;
/// Events looked at for clicks in one frame.
const BUDGET: usize = 20_000;
const BLOCK: usize = 256;

impl Landmarks {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Loads => Self::Clicks,
            Self::Clicks => Self::Off,
            Self::Off => Self::Loads,
        }
    }

    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Loads => "landmarks: page loads and hot updates",
            Self::Clicks => "landmarks: page loads, hot updates, clicks and navigations, whatever the filter",
            Self::Off => "landmarks: none",
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interlude<'a> {
    /// With how many before it are not shown.
    Break(&'a Break, usize),
    Mark(At<'a>),
}

impl Interlude<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Self::Break(found, _) => found.at,
            Self::Mark(at) => at.moment.inst,
        }
    }
}

/// Finds what stands between two rows.
pub(super) struct Interludes<'a> {
    breaks: &'a [Arc<Break>],
    /// All events and those that are rows; none where clicks are not shown or are rows anyway.
    clicks: Option<(&'a Matches, &'a Matches)>,
    budget: usize,
}

impl<'a> Interludes<'a> {
    pub(super) fn new(shown: Landmarks, view: &View<'a>, everything: Option<&'a Matches>) -> Self {
        let breaks = if shown == Landmarks::Off { &[] } else { view.snapshot.loads.breaks() };
        let clicks = everything.filter(|_| shown == Landmarks::Clicks).map(|all| (all, &**view.matches));
        Self { breaks, clicks, budget: BUDGET }
    }

    /// What stands after the row of `after` and before that of `before`, in the order of time.
    pub(super) fn between(&mut self, after: Option<Moment>, before: Option<Moment>) -> Vec<Interlude<'a>> {
        let from = after.map_or(0, |after| self.breaks.partition_point(|found| found.at <= after.inst));
        let to = before
            .map_or(self.breaks.len(), |before| self.breaks.partition_point(|found| found.at <= before.inst));
        let breaks = self.breaks.get(from..to).unwrap_or_default();
        let mut loads = breaks.iter().rev().filter(|found| found.kind != BreakKind::Load);
        let mut found: Vec<_> =
            loads.by_ref().take(MAX_BREAKS).map(|found| Interlude::Break(found, 0)).collect();
        if let (Some(Interlude::Break(_, more)), left) = (found.last_mut(), loads.count()) {
            *more = left;
        }
        found.extend(self.marks(after, before).into_iter().map(Interlude::Mark));
        found.sort_by_key(Interlude::at);
        found
    }

    /// The latest clicks and navigations between two rows that are no rows themselves.
    fn marks(&mut self, after: Option<Moment>, before: Option<Moment>) -> Vec<At<'a>> {
        let Some((all, rows)) = self.clicks else { return Vec::new() };
        let start = after.map_or(0, |after| all.rank(after) + 1);
        let mut end = before.map_or(all.total, |before| all.rank(before));
        let mut found = Vec::new();
        while end > start && self.budget > 0 && found.len() < MAX_MARKS {
            let block = (end - start).min(BLOCK as u64);
            let events = all.window(end - block, BLOCK.min(usize::try_from(block).unwrap_or(BLOCK)));
            self.budget = self.budget.saturating_sub(events.len());
            let marks = events.into_iter().rev().filter(|at| is_landmark(*at) && !rows.has(at.moment));
            found.extend(marks.take(MAX_MARKS - found.len()));
            end -= block;
        }
        found
    }
}

fn is_landmark(at: At<'_>) -> bool {
    at.chunk.families()[at.row] == Family::Analytics
        && matches!(at.event().subtype(), "user-action" | "navigation")
}

/// What a divider says: on its left what begins, on its right in which load.
pub(super) fn title(found: &Break, more: usize, is_wide: bool, view: &View<'_>) -> (String, String) {
    let (theme, loads) = (view.theme, &view.snapshot.loads);
    let gate = theme.gate;
    let load = tabs::load(loads, &found.tab, found.load, theme.glyphs);
    let who = match (tabs::letter(loads, &found.tab), is_wide) {
        (' ', _) => gate.plain_capped(&found.session, 16),
        (letter, true) => format!("tab {letter}"),
        (_, false) => load.clone(),
    };
    let done = match found.kind {
        BreakKind::Load => "loaded",
        BreakKind::Reload => "reloaded",
        BreakKind::HotUpdate => "hot update",
    };
    let time = found.at.to_jiff().to_zoned_datetime(view.zone.clone());
    let time = time.strftime(if is_wide { "%H:%M:%S" } else { "%M:%S" }).to_string();
    let mut parts = vec![format!("{} {who} {done} {time}", theme.glyphs.reload)];
    if !found.page.is_empty() {
        parts.push(gate.plain_capped(&found.page, if is_wide { 40 } else { 20 }));
    }
    if !found.build.is_empty() {
        parts.push(format!("build {}", gate.plain_capped(&found.build, 12)));
    }
    if more > 0 {
        parts.push(format!("and {more} before"));
    }
    let right = if is_wide && load != theme.glyphs.none { format!("load {load}") } else { String::new() };
    (parts.join("  "), right)
}
