//! How things stand, for the right end of the header: who is connected, how fast, what is wrong, how full memory is.
//!
//! Drawn by the screen in every frame. What is wrong is never left out where there is room for anything; the rest leaves in
//! the order of what matters less.

use super::format::{self, counted};
use super::theme::Theme;
use super::view::View;
use crate::config::Settings;
use crate::counters::{Counter, Refused};

/// From this width on words are whole.
const WIDE: u16 = 100;
/// Pages whose lag is looked at, the busiest ones.
const PAGES: usize = 12;
/// Later than this is worth a mark, in milliseconds.
const LATE_MS: i64 = 2_000;
/// A page that was not let in is told of for so long, in milliseconds.
const RECENT_MS: i64 = 60_000;
/// Blanks between two parts.
const GAP: usize = 2;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) text: String,
    pub(super) is_bad: bool,
    /// The least go first.
    weight: u8,
}

fn state(text: String, is_bad: bool, weight: u8) -> State {
    State { text, is_bad, weight }
}

/// All parts in the order they stand in.
pub(super) fn parts(view: &View<'_>, settings: &Settings, width: u16) -> Vec<State> {
    let (glyphs, is_wide) = (view.theme.glyphs, width >= WIDE);
    let mut parts = Vec::new();
    if let Some(recording) = &view.facts.recording {
        parts.push(state(view.theme.gate.plain_capped(recording, 30), false, 9));
        // Of a file one expects to see everything.
        let evicted = view.snapshot.first;
        if evicted > 0 {
            parts.push(state(format!("! {} evicted", format::count_short(evicted)), true, 8));
        }
    } else {
        let connections = view.counters.connections();
        let mark = if connections > 0 { glyphs.live } else { glyphs.gone };
        let tabs = if is_wide { counted(connections, "tab") } else { connections.to_string() };
        parts.push(state(format!("{mark} {tabs}"), false, 9));
        let rate = format::count_short(view.snapshot.events_per_s);
        parts.push(state(if is_wide { format!("{rate:>2} ev/s") } else { format!("{rate:>2}/s") }, false, 6));
    }
    let is_recent = |refused: &Refused| view.now.since(refused.at) < RECENT_MS;
    if view.counters.refusals().last().is_some_and(is_recent) {
        let more = if is_wide { ", 6 says why" } else { "" };
        parts.push(state(format!("! refused{more}"), true, 8));
    }
    let dropped = view.counters.get(Counter::GapEvents);
    if dropped > 0 {
        parts.push(state(format!("! {} dropped", format::count(dropped)), true, 8));
    }
    let alerts = view.alerted.firing().len() as u64;
    if alerts > 0 {
        parts.push(state(format!("! {}", counted(alerts, "alert")), true, 7));
    }
    let pages = view.counters.pages().busiest(view.now, PAGES).0;
    if let Some(lag) = pages.iter().filter_map(|page| page.lag_ms).max() {
        let is_late = lag > LATE_MS;
        let shown = if lag < 1_000 { format!("{}ms", lag.max(0)) } else { format::age(lag) };
        let (mark, name) = (if is_late { "! " } else { "" }, if is_wide { "lag " } else { "" });
        // Always as wide, or its neighbours would come and go with its digits.
        let wide = mark.len() + name.len() + 5;
        parts.push(state(
            format!("{:>wide$}", format!("{mark}{name}{shown}")),
            is_late,
            if is_late { 8 } else { 5 },
        ));
    }
    if view.facts.recording.is_some() {
        parts.push(state(format::bytes(view.snapshot.bytes), false, 4));
    } else {
        parts.push(state(format!("buf {}%", filled(view, settings)), false, 4));
        if width >= 120 {
            // Before anybody has come it is what a page needs.
            let weight = if view.counters.connections() == 0 { 5 } else { 3 };
            parts.push(state(view.facts.address.clone(), false, weight));
        }
    }
    parts
}

/// How much of what may be kept is: of the events or of the memory, whichever is nearer to its end.
fn filled(view: &View<'_>, settings: &Settings) -> u64 {
    let share = |kept: u64, most: u64| (u128::from(kept) * 100 / u128::from(most.max(1))).min(100);
    let events = share(view.snapshot.len(), settings.retain);
    let bytes = share(view.snapshot.bytes, settings.memory);
    u64::try_from(events.max(bytes)).unwrap_or(100)
}

/// The columns of parts that stand side by side.
pub(super) fn width(parts: &[State], theme: &Theme) -> usize {
    let columns: usize = parts.iter().map(|part| theme.gate.columns(&part.text)).sum();
    columns + GAP * parts.len().saturating_sub(1)
}

/// The columns of the parts that tabs are shortened for: who is connected, what is wrong and how fast it goes; and of those
/// that their titles even leave for, which is without the last.
pub(super) fn least(parts: &[State], theme: &Theme) -> [usize; 2] {
    [6, 7].map(|least| {
        let kept: Vec<_> = parts.iter().filter(|part| part.weight >= least).cloned().collect();
        width(&kept, theme)
    })
}

/// The parts that `room` holds: those that matter less leave.
pub(super) fn fitting(mut parts: Vec<State>, room: usize, theme: &Theme) -> Vec<State> {
    while parts.len() > 1 && width(&parts, theme) > room {
        let Some(least) = parts.iter().enumerate().min_by_key(|(_, part)| part.weight).map(|(at, _)| at)
        else {
            break;
        };
        parts.remove(least);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Palette;

    #[test]
    fn what_matters_less_leaves_first() {
        let theme = Theme::new(Palette::Mono, false);
        let parts =
            [("2 tabs", false, 9), ("38 ev/s", false, 6), ("! 2 alerts", true, 7), ("lag 12ms", false, 5)];
        let parts = parts.map(|(text, is_bad, weight)| state(text.to_owned(), is_bad, weight));
        for (room, expected) in [
            (80, "2 tabs  38 ev/s  ! 2 alerts  lag 12ms"),
            (37, "2 tabs  38 ev/s  ! 2 alerts  lag 12ms"),
            (36, "2 tabs  38 ev/s  ! 2 alerts"),
            (26, "2 tabs  ! 2 alerts"),
            (17, "2 tabs"),
            (0, "2 tabs"),
        ] {
            let texts = fitting(parts.to_vec(), room, &theme);
            let texts: Vec<_> = texts.iter().map(|part| part.text.as_str()).collect();
            assert_eq!(texts.join("  "), expected, "{room}");
        }
    }
}
