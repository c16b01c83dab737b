//! What taillight itself tells, as events: alerts that begin or end, minutes and sessions that have closed.
//!
//! Made by the intake, which numbers and offers them. No alert looks at them, and no summary counts them.

use serde_json::json;

use crate::alerts::Change;
use crate::event::{ALERT, Level};
use crate::pipeline::{Redactor, Scrub};
use crate::stats::{Closed, EndpointWindow, SessionSummary};
use crate::wire::Note;

/// `taillight/alert`, of whom it quotes: what is said of somebody goes with them.
pub(super) fn alert(change: &Change) -> Note<'_> {
    let firing = &change.firing;
    let rule = &firing.rule;
    let (state, level) = if change.has_ended { ("ended", Level::Info) } else { ("firing", Level::Error) };
    // The example says more of a group than its fingerprint.
    let has_key = !firing.key.is_empty() && firing.group.is_none();
    let about = if has_key { format!(" ({})", firing.key) } else { String::new() };
    let example = if firing.example.is_empty() { String::new() } else { format!(": {}", firing.example) };
    let why = if change.is_replaced { ", by other settings" } else { "" };
    let data = json!({
        "type": "log",
        "alert": rule.name,
        "state": state,
        "by-settings": change.is_replaced,
        "key": firing.key,
        "alert-group": firing.group.map(|(group, _)| format!("{group:016x}")),
        "value": (firing.value * 1000.0).round() / 1000.0,
        "at-least": rule.at_least,
        "window-ms": rule.window_ms,
        "since": firing.since.to_string(),
        "example": firing.example,
    });
    let msg = format!("alert {state}{why}: {}{about}, {}{example}", rule.name, firing.measured());
    let (session, user) = (firing.session.as_str(), firing.user.as_str());
    Note { id: ALERT, level, msg, data: data.to_string(), session, user }
}

/// The same without what secrets an example may hold.
pub(super) fn hidden<'a>(note: &Note<'a>, redactor: &Redactor) -> Note<'a> {
    let data = match redactor.hide(&note.data) {
        Scrub::Clean(_) => note.data.clone(),
        Scrub::Changed { text, .. } => text,
    };
    let (msg, _) = redactor.excerpt(&note.msg, note.msg.len());
    Note { msg, data, ..note.clone() }
}

/// `taillight/endpoint-window` and `taillight/session-summary`
pub(super) fn summaries(closed: &Closed) -> Vec<Note<'_>> {
    closed.windows.iter().map(window).chain(closed.sessions.iter().map(session)).collect()
}

fn window(window: &EndpointWindow) -> Note<'_> {
    let data = json!({
        "type": "metric",
        "endpoint": window.endpoint,
        "start": window.start.to_string(),
        "window-ms": window.length_ms,
        "count": window.count,
        "errors": window.errors,
        "sum": window.sum,
        "min": window.min,
        "max": window.max,
        "p50": window.p50,
        "p90": window.p90,
        "p99": window.p99,
        "partial": window.is_partial,
    });
    let EndpointWindow { endpoint, count, p50, p99, .. } = window;
    let seconds = window.length_ms / 1000;
    let msg = format!("{endpoint}: {count} in {seconds} s, p50 {p50} ms, p99 {p99} ms");
    let (id, level) = ("taillight/endpoint-window", Level::Info);
    Note { id, level, msg, data: data.to_string(), session: "", user: "" }
}

fn session(summary: &SessionSummary) -> Note<'_> {
    let lasted = summary.last.since(summary.start);
    let data = json!({
        "type": "metric",
        "start": summary.start.to_string(),
        "last-activity": summary.last.to_string(),
        "lasted-ms": lasted,
        "sessions": summary.sessions,
        "count": summary.events,
        "errors": summary.errors,
        "partial": summary.is_partial,
    });
    let msg = format!("session of {} s: {} events, {} errors", lasted / 1000, summary.events, summary.errors);
    let (id, level) = ("taillight/session-summary", Level::Info);
    Note { id, level, msg, data: data.to_string(), session: &summary.session, user: &summary.user }
}
