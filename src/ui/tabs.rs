//! Tabs by letters: `A` is the first one that an event came from, on every screen.
//!
//! Used wherever a tab or a page load is named; the letters themselves are given out by the store.

use super::theme::Glyphs;
use crate::stats::Loads;

/// The letter of a tab: blank for none, `+` once the alphabet is used up.
pub(super) fn letter(loads: &Loads, tab: &str) -> char {
    if tab.is_empty() { ' ' } else { loads.letter(tab).unwrap_or('+') }
}

/// `A·7`: a tab and the number of its page load, as far as they are known.
pub(super) fn load(loads: &Loads, tab: &str, load: Option<i32>, glyphs: &Glyphs) -> String {
    match (letter(loads, tab), load) {
        (' ', None) => glyphs.none.to_owned(),
        (' ', Some(load)) => load.to_string(),
        (letter, None) => letter.to_string(),
        (letter, Some(load)) => format!("{letter}{}{load}", glyphs.dot),
    }
}
