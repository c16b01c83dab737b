//! A page load by phase: what its event says under `timing`, as bars one after the other.
//!
//! Called for the newest page-load event. Spans stand where the phase before ended; points are counted from the start
//! of the navigation, and their bars fill what lies between.

use crate::event::{EventRef, Micros, json};
use crate::ui::format;
use crate::ui::theme::Theme;

/// Phases shown; what an event has beyond them is in its detail.
const MAX_PHASES: usize = 12;
/// Columns of the longest bar.
const BAR: u64 = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Span,
    /// A span within the one that follows.
    Within,
    Point,
}

/// Names under `timing`, what they are called here, and what they measure, in the order of a navigation.
const KNOWN: [(&str, &str, Kind); 14] = [
    ("redirect", "redirect", Kind::Span),
    ("stalled", "stalled", Kind::Span),
    ("dns-lookup", "dns", Kind::Span),
    ("tcp-connect", "connect", Kind::Span),
    ("tls-handshake", "tls", Kind::Span),
    ("ttfb", "first byte", Kind::Point),
    ("waiting", "waiting", Kind::Within),
    ("server-response", "response", Kind::Span),
    ("first-paint", "first paint", Kind::Point),
    ("dom-interactive", "interactive", Kind::Point),
    ("dom-content-loaded", "dom ready", Kind::Point),
    ("dom-complete", "dom complete", Kind::Point),
    ("load-event", "load event", Kind::Span),
    ("fully-loaded", "loaded", Kind::Point),
];

/// One phase, ready to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) took: Micros,
    /// Blanks up to where it begins, and its bar.
    pub(super) bar: String,
}

/// The phases of a page-load event, as far as they were sent.
pub(super) fn of(event: EventRef<'_>, theme: &Theme) -> Vec<Phase> {
    let timing = event.get(&["timing"]).unwrap_or("{}");
    let read = |value| json::number(value).and_then(Micros::from_ms);
    let mut found: Vec<(String, Micros, Kind)> = KNOWN
        .iter()
        .filter_map(|(name, label, kind)| Some(((*label).to_owned(), read(json::get(timing, name)?)?, *kind)))
        .collect();
    let unknown = json::members(timing)
        .filter(|member| !KNOWN.iter().any(|(name, ..)| json::same_name(&json::unescape(member.key), name)));
    let named = unknown.filter_map(|member| {
        Some((json::unescape(member.key).into_owned(), read(member.value)?, Kind::Point))
    });
    found.extend(named.take(MAX_PHASES.saturating_sub(found.len())));
    let mut next = 0_u64;
    let placed: Vec<(u64, u64)> = found
        .iter()
        .map(|(_, took, kind)| {
            let start = next;
            let end = match kind {
                Kind::Span | Kind::Within => start.saturating_add(took.0),
                Kind::Point => start.max(took.0),
            };
            next = if *kind == Kind::Within { start } else { end };
            (start, end)
        })
        .collect();
    let end = placed.iter().map(|(_, end)| *end).max().unwrap_or(0);
    let column =
        |us: u64| usize::try_from(u128::from(us) * u128::from(BAR) / u128::from(end.max(1))).unwrap_or(0);
    let bars = placed.iter().map(|(from, to)| {
        let width = u16::try_from(BAR).unwrap_or(u16::MAX);
        " ".repeat(column(*from)) + &format::bar(to - from, end, width, theme.glyphs)
    });
    found.into_iter().zip(bars).map(|((name, took, _), bar)| Phase { name, took, bar }).collect()
}

/// `45 resources · 1.2 MB`; empty where that was not sent.
pub(super) fn resources(event: EventRef<'_>, theme: &Theme) -> String {
    let number = |name| {
        let number = json::number(event.get(&["resources", name])?)?.clamp(0.0, 1e15);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
        Some(number as u64)
    };
    let count = number("count").map(|count| format::counted(count, "resource"));
    let size = number("total-size-kb").map(|kb| format::bytes(kb * 1_000));
    count.into_iter().chain(size).collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot))
}
