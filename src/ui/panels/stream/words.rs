//! What a row says of an event in few words, and the filter term that keeps what is most telling of it.
//!
//! Shared by the stream and the timeline.

use std::borrow::Cow;

use crate::event::{EventRef, Flags, Level};
use crate::filter::term_for;

/// The filter term that keeps what is most telling of an event: its group, its endpoint, what a log says, else its id.
pub(in crate::ui) fn term_of(event: EventRef<'_>) -> String {
    match (event.group(), event.endpoint(), event.kind()) {
        (Some(group), ..) => format!("group:{group:016x}"),
        (None, "", "log") if !event.msg().is_empty() => term_for("message", event.msg()),
        (None, "", _) => term_for("id", event.id()),
        (None, endpoint, _) => term_for("endpoint", endpoint),
    }
}

/// Subtypes, or last parts of ids, and their words: those of a wide row and of a narrow one.
const WORDS: [(&str, &str, &str); 22] = [
    ("api-call", "api", "api"),
    ("javascript", "js", "js"),
    ("network", "net", "net"),
    ("page-load", "load", "load"),
    ("user-action", "click", "clk"),
    ("long-task", "longtask", "task"),
    ("console", "console", "con"),
    ("promise", "promise", "prom"),
    ("resource", "resource", "res"),
    ("render", "render", "rndr"),
    ("web-vital", "web-vital", "vitl"),
    ("custom", "custom", "cust"),
    ("visibility", "page", "page"),
    ("navigation", "nav", "nav"),
    ("feature-usage", "feature", "feat"),
    ("conversion", "funnel", "conv"),
    // Taillight's own.
    ("alert", "alert", "alrt"),
    ("bad-event", "bad-event", "bad"),
    ("repeated", "repeated", "rep"),
    ("diagnostics", "page", "page"),
    ("endpoint-window", "endpoint", "endp"),
    ("session-summary", "session", "sess"),
];

/// What happened, in one short word, shorter still where there is little room.
pub(in crate::ui) fn kind_word(event: EventRef<'_>, is_wide: bool) -> &str {
    let own = if event.subtype().is_empty() {
        event.id().rsplit('/').next().unwrap_or("")
    } else {
        event.subtype()
    };
    let known = WORDS.iter().find(|(subtype, ..)| *subtype == own);
    known.map_or(own, |(_, long, short)| if is_wide { long } else { short })
}

/// A request's own message says less than its method and route, which the columns do not show; that the page gave it
/// up stands in no column.
pub(in crate::ui) fn row_text(event: EventRef<'_>) -> Cow<'_, str> {
    let is_plain_request = event.flags().has(Flags::REQUEST) && event.level() < Level::Warn;
    if is_plain_request && !event.is_aborted() { event.shown_endpoint() } else { event.said() }
}

/// An error, or a request that failed; an alert about them is not one more.
pub(in crate::ui) fn is_error(event: EventRef<'_>) -> bool {
    let flags = event.flags();
    (event.level() >= Level::Error && !flags.has(Flags::OWN)) || flags.has(Flags::FAILED)
}

#[cfg(test)]
mod tests {
    use super::WORDS;

    #[test]
    fn every_word_fits_its_column() {
        for (of, wide, narrow) in WORDS {
            assert!(wide.len() <= 9 && narrow.len() <= 4, "{of}: {wide}, {narrow}");
        }
    }
}
