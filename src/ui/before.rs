//! What a page did just before an event: the last click or navigation of its session, and the requests since.
//!
//! Often the whole answer to why something failed. Looks at everything kept, whatever the filter.

use super::format;
use super::theme::Theme;
use super::view::View;
use crate::event::{EventRef, Family, Flags};
use crate::scan::Moment;

/// Events looked back at, and for how long.
const MAX_EVENTS: u64 = 5_000;
const MAX_MS: i64 = 30_000;
/// Requests that are told.
const MAX_REQUESTS: usize = 3;
/// Columns of one of them, and of the click.
const MAX_STEP: usize = 44;

/// `3.4s  click #save "Save" → POST /api/orders 500 (3,421ms) → this`; `None` where nothing came before.
pub(super) fn of(at: Moment, event: EventRef<'_>, view: &View<'_>) -> Option<String> {
    if event.session().is_empty() {
        return None;
    }
    let theme = view.theme;
    let (mut requests, mut click) = (Vec::new(), None);
    let lowest = at.ordinal.saturating_sub(MAX_EVENTS).max(view.snapshot.first);
    for ordinal in (lowest..at.ordinal).rev() {
        let Some(other) = view.snapshot.event(ordinal) else { break };
        let ago = at.inst.since(other.inst());
        if ago > MAX_MS {
            break;
        }
        if ago < 0 || (other.session(), other.tab()) != (event.session(), event.tab()) {
            continue;
        }
        if other.family() == Family::Analytics && matches!(other.subtype(), "user-action" | "navigation") {
            click = Some(other);
            break;
        }
        if other.flags().has(Flags::REQUEST) {
            requests.push(other);
        }
    }
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

fn told(request: EventRef<'_>, theme: &Theme) -> String {
    let status = match request.status() {
        Some(status) => format!(" {status}"),
        None if request.flags().has(Flags::FAILED) => " failed".to_owned(),
        None => String::new(),
    };
    let took = request.duration().map(|span| format!(" ({})", format::millis(span, theme.glyphs)));
    let endpoint = theme.gate.plain_capped(request.endpoint(), MAX_STEP);
    format!("{endpoint}{status}{}", took.unwrap_or_default())
}
