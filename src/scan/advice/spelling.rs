//! The value that was probably meant by one that no event has.
//!
//! Called by the notes. Only small slips count: case, dashes and two letters (FILTER: mistakes).

use super::walk::Count;
use crate::filter::distance;

/// Letters under which one edit is the most.
const SHORT: usize = 5;

/// The nearest of `known` to `typed`, of two equally near the one that more events have.
pub(super) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = (&'a str, Count)>,
) -> Option<(&'a str, Count)> {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let most = if typed.len() < SHORT { 1 } else { 2 };
    known
        .into_iter()
        .filter_map(|(word, count)| {
            let letters: Vec<char> = word.to_lowercase().chars().collect();
            let is_same = plain(&letters) == plain(&typed) && !plain(&typed).is_empty();
            let is_near = letters.len().abs_diff(typed.len()) <= most;
            let edits = match (is_same, is_near) {
                (true, _) => 0,
                (false, true) => distance(&typed, &letters),
                (false, false) => return None,
            };
            (edits <= most).then_some((edits, std::cmp::Reverse(count.events), word, count))
        })
        .min_by_key(|(edits, events, word, _)| (*edits, *events, *word))
        .map(|(_, _, word, count)| (word, count))
}

fn plain(letters: &[char]) -> Vec<char> {
    letters.iter().copied().filter(|c| !matches!(c, '-' | '_' | ' ' | '.' | '/')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slips_are_mended_by_what_most_events_have() {
        let known = ["browser/api-call", "browser/api_call", "browser/error", "user-12", "user-123"];
        let count = |events| Count { events, is_estimate: false };
        let known = || known.iter().zip([5, 9, 1, 1, 3]).map(|(text, events)| (*text, count(events)));
        for (typed, expected) in [
            ("browser/apicall", Some("browser/api_call")),
            ("browser/eror", Some("browser/error")),
            ("BROWSER/ERROR", Some("browser/error")),
            ("user-1", Some("user-12")),
            ("user-1x", Some("user-12")),
            ("analytics", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known()).map(|(text, _)| text), expected, "{typed}");
        }
    }
}
