//! What a page did just before an event: the last click or navigation of its session, and the requests since.
//!
//! Often the whole answer to why something failed. Looks at everything kept of its page load, whatever the filter.

use std::ops::Range;

use super::format;
use super::theme::Theme;
use super::view::View;
use crate::event::{EventRef, Family, Flags, Timestamp};
use crate::scan::Moment;

/// Events looked back at, and for how long.
const MAX_EVENTS: u64 = 5_000;
const MAX_MS: i64 = 30_000;
/// Events that arrived later and may have happened earlier: a page sends its errors at once, and the request that caused one
/// with the next batch.
const MAX_LATER: u64 = 500;
/// Requests that are told.
const MAX_REQUESTS: usize = 3;
/// Columns of one of them, and of the click.
const MAX_STEP: usize = 44;

/// `3.4s  click #save "Save" → POST /api/orders 500 (3,421ms) → this`; `None` where nothing came before.
pub(super) fn of(at: Moment, event: EventRef<'_>, view: &View<'_>) -> Option<String> {
    let theme = view.theme;
    let (after, before) = (at.ordinal.saturating_add(1), at.ordinal.saturating_sub(MAX_EVENTS));
    // Of what arrived later all; of what arrived before, what is since the last click.
    let late: Vec<_> = happened(after..after.saturating_add(MAX_LATER), at.inst, event, view).collect();
    let mut click = late.iter().copied().filter(|other| is_action(*other)).max_by_key(|other| other.inst());
    let is_request = |other: &EventRef<'_>| other.flags().has(Flags::REQUEST);
    let mut requests: Vec<_> = late.into_iter().filter(is_request).collect();
    for other in happened(before..at.ordinal, at.inst, event, view) {
        if is_action(other) {
            click = click.filter(|known| known.inst() >= other.inst()).or(Some(other));
            break;
        }
        requests.extend(Some(other).filter(is_request));
    }
    requests.retain(|request| click.is_none_or(|click| request.inst() >= click.inst()));
    // The latest, but those that failed before others.
    requests.sort_by_key(|request| std::cmp::Reverse((request.flags().has(Flags::FAILED), request.inst())));
    requests.truncate(MAX_REQUESTS);
    requests.sort_by_key(|request| request.inst());
    let first = click.or(requests.first().copied())?;
    let ago = u64::try_from(at.inst.since(first.inst())).unwrap_or(0);
    let mut steps: Vec<String> =
        click.into_iter().map(|click| theme.gate.plain_capped(click.msg(), MAX_STEP)).collect();
    for request in requests {
        let step = told(request, theme);
        // The same again says nothing more.
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
    steps.push("this".to_owned());
    let ago = format::duration(crate::event::Micros(ago.saturating_mul(1_000)), theme.glyphs);
    Some(format!("{ago}  {}", steps.join(&format!(" {} ", theme.glyphs.arrow))))
}

/// The last click or navigation before a request began, as it is told.
pub(super) fn cause(ordinal: u64, request: EventRef<'_>, view: &View<'_>) -> Option<String> {
    let took = request.duration().map_or(0, |span| i64::try_from(span.0 / 1_000).unwrap_or(i64::MAX));
    let began = Timestamp(request.inst().0.saturating_sub(took));
    let before = ordinal.saturating_sub(MAX_EVENTS)..ordinal;
    let action = happened(before, began, request, view).find(|other| is_action(*other))?;
    Some(view.theme.gate.plain_capped(action.msg(), MAX_STEP))
}

fn is_action(event: EventRef<'_>) -> bool {
    event.family() == Family::Analytics && matches!(event.subtype(), "user-action" | "navigation")
}

/// What happened in the page load of `event` up to `until`, of the events `among`: the last to arrive first.
fn happened<'v>(
    among: Range<u64>,
    until: Timestamp,
    event: EventRef<'v>,
    view: &View<'v>,
) -> impl Iterator<Item = EventRef<'v>> {
    let snapshot = view.snapshot;
    let is_known = !event.session().is_empty();
    let all = among.start.max(snapshot.first)..among.end.min(snapshot.end);
    let kept = all.rev().take_while(move |_| is_known).map_while(|ordinal| snapshot.event(ordinal));
    kept.take_while(move |other| until.since(other.inst()) <= MAX_MS).filter(move |other| {
        let is_of_load = event.load().is_none() || other.load() == event.load();
        let is_same = (other.session(), other.tab()) == (event.session(), event.tab());
        until.since(other.inst()) >= 0 && is_of_load && is_same
    })
}

fn told(request: EventRef<'_>, theme: &Theme) -> String {
    let status = match request.status() {
        Some(status) => format!(" {status}"),
        None if request.flags().has(Flags::FAILED) => " failed".to_owned(),
        None if request.is_aborted() => " aborted".to_owned(),
        None => String::new(),
    };
    let took = request.duration().map(|span| format!(" ({})", format::millis(span, theme.glyphs)));
    let endpoint = theme.gate.plain_capped(&request.shown_endpoint(), MAX_STEP);
    format!("{endpoint}{status}{}", took.unwrap_or_default())
}
