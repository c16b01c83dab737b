//! Which errors the numbers of groups in a filter stand for, so that a person who reads it knows what is kept or left out.
//!
//! Used by the filter line and by what the footer says of keys that write such terms.

use std::sync::Arc;

use crate::event::gate::Gate;
use crate::stats::GroupRow;

/// Digits of a group's number, and those that tables show.
const DIGITS: usize = 16;
const SHOWN: usize = 4;
/// Columns of a group's message.
const MAX_MESSAGE: usize = 40;
/// Groups of one filter that are named.
const MAX_NAMED: usize = 8;

/// A group of a filter's text and what its errors say.
pub(super) type Named = (u64, Arc<str>);

/// The groups of `rows` whose numbers stand in `text`.
pub(super) fn groups(text: &str, rows: &[GroupRow]) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for (_, group) in numbers(text) {
        let is_here = found.iter().any(|(known, _)| *known == group) || found.len() >= MAX_NAMED;
        let row = rows.iter().filter(|_| !is_here).find(|row| row.group == group);
        found.extend(row.map(|row| (group, Arc::clone(&row.message))));
    }
    found
}

/// `text` with the messages of `named` in the place of most of their numbers: `-group:e7f3 (Failed to fetch)`.
pub(super) fn spelled(text: &str, named: &[Named], gate: Gate) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for (at, group) in numbers(text) {
        let Some((_, message)) = named.iter().find(|(known, _)| *known == group) else { continue };
        out.push_str(&text[from..at + SHOWN]);
        out.push_str(&format!(" ({})", gate.plain_capped(message, MAX_MESSAGE)));
        from = at + DIGITS;
    }
    out.push_str(&text[from..]);
    out
}

/// Where numbers of groups may stand in `text`, with the numbers: runs of just so many digits.
fn numbers(text: &str) -> impl Iterator<Item = (usize, u64)> {
    let mut from = 0;
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric()).map(move |run| {
        let at = from;
        // Whatever splits runs is one character, of which only the bytes matter.
        from += run.len();
        from += text[from..].chars().next().map_or(0, char::len_utf8);
        (at, run)
    });
    runs.filter(|(_, run)| run.len() == DIGITS)
        .filter_map(|(at, run)| Some((at, u64::from_str_radix(run, 16).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_groups_are_followed_by_what_they_stand_for() {
        let gate = Gate { ascii: false, strict_cells: false };
        let named: Vec<Named> =
            vec![(0x00ab_cdef_0123_4567, "Failed to fetch".into()), (1, "é\u{1b}[2J".into())];
        for (text, expected) in [
            ("-group:00abcdef01234567 é p", "-group:00ab (Failed to fetch) é p"),
            ("é group = 0000000000000001", "é group = 0000 (é␛[2J)"),
            (
                "group in (00abcdef01234567, 0000000000000002)",
                "group in (00ab (Failed to fetch), 0000000000000002)",
            ),
            ("00abcdef012345678", "00abcdef012345678"),
            ("", ""),
        ] {
            assert_eq!(spelled(text, &named, gate), expected, "{text}");
        }
    }
}
