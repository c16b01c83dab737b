//! The language's test data: readings, mistakes and typing traces.

use std::sync::Arc;

use super::samples::{self, sample_context};
use super::{Bits, Matcher, State, parse, while_typing};
use crate::event::json;

pub(super) const VECTORS: &str = include_str!("../../tests/it/fixtures/filter.json");

/// The entries of one list of the test data.
pub(super) fn entries(list: &str) -> Vec<&'static str> {
    let found = json::get(VECTORS, list).expect(list);
    json::elements(found).map(|(_, entry)| entry).collect()
}

pub(super) fn text(entry: &str, key: &str) -> String {
    json::get(entry, key).and_then(json::text).expect(key).into_owned()
}

fn number(entry: &str, key: &str) -> usize {
    json::get(entry, key).and_then(|value| value.parse().ok()).expect(key)
}

#[test]
fn good_filters_read_as_they_should_and_so_does_their_canonical_text() {
    for entry in entries("good") {
        let typed = text(entry, "text");
        let parsed = parse(&typed);
        let filter = parsed.filter.unwrap_or_else(|| panic!("{typed}: {:?}", parsed.errors));
        assert_eq!(filter.reads_as(), text(entry, "reads_as"), "{typed}");
        let again = parse(&filter.to_string());
        let again = again.filter.unwrap_or_else(|| panic!("{typed} → {filter}: {:?}", again.errors));
        assert_eq!(again.reads_as(), filter.reads_as(), "{typed} → {filter}");
    }
}

#[test]
fn good_filters_match_the_sample_events_they_should() {
    let events = entries("events");
    let chunk = samples::chunk(&events);
    for entry in entries("good") {
        let typed = text(entry, "text");
        let filter = Arc::new(parse(&typed).filter.expect("good"));
        let mut out = Bits::new();
        Matcher::new(filter, sample_context()).eval(&chunk, 0..chunk.len(), &mut out);
        let found: Vec<usize> = out.iter().map(|row| number(events[row], "n")).collect();
        let expected: Vec<usize> = json::elements(json::get(entry, "matches").expect("matches"))
            .map(|(_, n)| n.parse().expect("a number"))
            .collect();
        assert_eq!(found, expected, "{typed}");
    }
}

#[test]
fn mistakes_are_told_where_they_are() {
    for entry in entries("bad") {
        let typed = text(entry, "text");
        let parsed = parse(&typed);
        assert!(parsed.filter.is_none(), "{typed}");
        let error = &parsed.errors[0];
        assert_eq!(error.message, text(entry, "message"), "{typed}");
        let found = (error.code, error.column, error.len);
        assert_eq!(
            found,
            (text(entry, "code").as_str(), number(entry, "col"), number(entry, "len")),
            "{typed}"
        );
        let typing = while_typing(&typed, true);
        assert_eq!(typing.state.name(), text(entry, "while_typing"), "{typed}");
    }
}

#[test]
fn the_list_changes_at_meaningful_moments_while_typing() {
    for entry in entries("typing") {
        let mut applied = "(everything)".to_owned();
        for (_, step) in json::elements(json::get(entry, "steps").expect("steps")) {
            let typed = text(step, "typed");
            let typing = while_typing(&typed, true);
            if typing.state != State::Error {
                applied = typing.applied.reads_as();
            }
            let message = typing.error.filter(|_| typing.state == State::Error).map(|error| error.message);
            let found = (typing.state.name(), applied.as_str(), message.unwrap_or_default());
            let expected = (text(step, "state"), text(step, "applied"), text(step, "message"));
            assert_eq!(found, (expected.0.as_str(), expected.1.as_str(), expected.2), "{typed}");
        }
    }
}

#[test]
fn or_beside_and_without_brackets_is_noted() {
    for entry in entries("mixed_note") {
        let typed = text(entry, "text");
        let is_noted = parse(&typed).notes.iter().any(|note| note.code == "N-MIXED");
        assert_eq!(is_noted, json::get(entry, "note") == Some("true"), "{typed}");
    }
}
