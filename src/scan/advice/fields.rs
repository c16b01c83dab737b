//! Fields and operators that fit what is typed.
//!
//! Called by the advice with what the census knows; it decides what goes into the text and in which order.

use std::cmp::Reverse;

use super::census::{Census, Seen, is_counted};
use super::{Candidate, Found};
use crate::event::{FIELDS, Field, FieldKind};
use crate::filter::{in_has, unit_of};

/// What a kind of field takes, in a few words.
fn kind_words(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text | FieldKind::Url => "text: contains",
        FieldKind::Name | FieldKind::Type | FieldKind::Signal => "name: is",
        FieldKind::Number => "number",
        FieldKind::Status => "number or 5xx",
        FieldKind::Duration => "duration, ms",
        FieldKind::Size => "size, bytes",
        FieldKind::Bool => "true or false",
        FieldKind::Level | FieldKind::Severity => "in order",
        FieldKind::Group => "first digits",
        FieldKind::Load => "number, 0 is newest",
        FieldKind::Time => "clock time",
        FieldKind::Age => "span back from now",
        FieldKind::Moment => "time or moment",
        FieldKind::Is => "what it is",
        FieldKind::Presence => "a field",
    }
}

/// The operator that is wanted most after a field of this kind.
fn usual_operator(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Level | FieldKind::Severity => ">=",
        FieldKind::Duration | FieldKind::Size => ">",
        FieldKind::Age => "<",
        _ => ":",
    }
}

/// The kind words of a path in the data, and its usual operator.
fn path_words(seen: &Seen) -> (&'static str, &'static str) {
    match (seen.has_text, seen.has_number, seen.has_bool) {
        (false, true, _) => match unit_of(&seen.text) {
            Some("kB") => ("size, kB", ">"),
            Some(_) => ("duration, ms", ">"),
            None => ("number", ":"),
        },
        (false, false, true) => ("true or false", ":"),
        (false, false, false) => ("object", ":"),
        _ => ("text: contains", ":"),
    }
}

/// A name as names are compared: without case, `-`, `_` and a leading `@`.
fn fold(name: &str) -> String {
    let name = name.strip_prefix('@').unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// 0 if `name` begins with what is typed, 1 if it holds it.
fn fit(name: &str, typed: &str) -> Option<u8> {
    let name = fold(name);
    let holds = || name.contains(typed).then_some(1);
    if name.starts_with(typed) { Some(0) } else { holds() }
}

/// Fields that fit `typed`: those that begin with it first, built-in ones before others, by count.
pub(super) fn names(census: &Census, typed: &str, takes_operator: bool) -> Found {
    let typed = fold(typed);
    let sign = |operator: &'static str| if takes_operator { operator } else { "" };
    let mut found = Vec::new();
    let mut is_estimate = false;
    for (field, count) in FIELDS.iter().zip(census.fields()) {
        // What `has:` asks for is a value, which predicates and moments are not.
        if !takes_operator && !is_counted(field) {
            continue;
        }
        let Some(fit) = field.names().filter_map(|name| fit(name, &typed)).min() else { continue };
        is_estimate |= count.is_estimate;
        let candidate = Candidate {
            insert: format!("{}{}", field.name, sign(usual_operator(field.kind))),
            label: field.name.to_owned(),
            detail: kind_words(field.kind).to_owned(),
            count: is_counted(field).then_some(count.events),
        };
        found.push(((fit, 0, Reverse(count.events)), candidate));
    }
    for (seen, count) in census.paths() {
        let last = seen.text.rsplit('.').next().unwrap_or(&seen.text);
        let Some(fit) = fit(&seen.text, &typed).min(fit(last, &typed)).or_else(|| fit(&seen.text, &typed))
        else {
            continue;
        };
        let (detail, operator) = path_words(seen);
        if takes_operator && detail == "object" {
            continue;
        }
        is_estimate |= count.is_estimate;
        let candidate = Candidate {
            insert: if takes_operator { format!("{}{operator}", seen.text) } else { in_has(&seen.text) },
            label: seen.text.clone(),
            detail: detail.to_owned(),
            count: Some(count.events),
        };
        found.push(((fit, 1, Reverse(count.events)), candidate));
    }
    found.sort_by_key(|(rank, _)| *rank);
    Found {
        candidates: found.into_iter().map(|(_, candidate)| candidate).collect(),
        unlisted: 0,
        is_estimate,
    }
}

/// Fields whose names begin with a whole name and go on.
pub(super) fn names_after(census: &Census, typed: &str) -> Vec<Candidate> {
    let short = fold(typed);
    let mut found = names(census, typed, true).candidates;
    found.retain(|candidate| {
        let name = fold(&candidate.label);
        name.starts_with(&short) && name.len() > short.len()
    });
    found
}

/// True if some name begins with `typed` and goes on.
pub(super) fn may_become_name(census: &Census, typed: &str) -> bool {
    let typed = fold(typed);
    let goes_on = |name: &str| {
        let name = fold(name);
        name.starts_with(&typed) && name.len() > typed.len()
    };
    FIELDS.iter().flat_map(Field::names).any(goes_on) || census.paths().any(|(seen, _)| goes_on(&seen.text))
}

type Words = &'static [(&'static str, &'static str)];

const FOR_TEXT: Words = &[
    (":", "contains"),
    ("=", "is, as a whole"),
    ("!=", "has one, and it is another"),
    ("~/", "matches a regular expression"),
    (" in (", "is any of"),
];
const FOR_NAMES: Words = &[
    (":", "is"),
    ("!=", "has one, and it is another"),
    (" in (", "is any of"),
    (" contains ", "contains"),
    ("~/", "matches a regular expression"),
];
const FOR_NUMBERS: Words = &[
    (">", "more than"),
    (">=", "at least"),
    ("<", "less than"),
    ("<=", "at most"),
    (":", "is, or a range like 1..5"),
    ("!=", "has one, and it is another"),
    (" in (", "is any of"),
];
const FOR_RANKS: Words =
    &[(">=", "this or above"), (":", "is"), ("<", "below"), ("!=", "is another"), (" in (", "is any of")];
const FOR_TIMES: Words = &[(":", "in this range"), (">=", "from"), ("<", "before")];
const FOR_CHOICES: Words = &[(":", "is"), ("!=", "has one, and it is another")];
const FOR_ONE: Words = &[(":", "")];
const FOR_DATA: Words = &[
    (":", "contains"),
    ("=", "is, as a whole"),
    (">", "more than"),
    ("<", "less than"),
    ("!=", "has one, and it is another"),
    ("~/", "matches a regular expression"),
    (" in (", "is any of"),
];

/// The operators a field takes, the most useful first.
pub(super) fn operators(field: &str) -> Found {
    let kind = Field::find(field).map(|field| field.kind);
    let words = match kind {
        None => FOR_DATA,
        Some(FieldKind::Text | FieldKind::Url) => FOR_TEXT,
        Some(FieldKind::Name | FieldKind::Type | FieldKind::Signal) => FOR_NAMES,
        Some(FieldKind::Level | FieldKind::Severity) => FOR_RANKS,
        Some(FieldKind::Bool | FieldKind::Group) => FOR_CHOICES,
        Some(FieldKind::Time) => FOR_TIMES,
        Some(FieldKind::Is | FieldKind::Presence | FieldKind::Moment) => FOR_ONE,
        Some(_) => FOR_NUMBERS,
    };
    let usual = kind.map_or(":", usual_operator);
    let mut words = words.to_vec();
    words.sort_by_key(|(operator, _)| *operator != usual);
    let doc = Field::find(field).map_or("", |field| field.doc);
    let candidate = |(operator, word): &(&str, &str)| Candidate {
        insert: format!("{field}{operator}"),
        label: operator.trim().trim_end_matches(['/', '(']).trim_end().to_owned(),
        detail: if word.is_empty() { doc } else { word }.to_owned(),
        count: None,
    };
    Found { candidates: words.iter().map(candidate).collect(), unlisted: 0, is_estimate: false }
}
