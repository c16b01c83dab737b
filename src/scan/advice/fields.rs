//! Fields that fit what is typed of a name.
//!
//! Called by the advice.

use super::Candidate;
use crate::event::{FIELDS, Field, FieldKind};

/// What a kind of field takes, in a few words.
fn kind_words(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text | FieldKind::Url => "text: contains",
        FieldKind::Name | FieldKind::Type | FieldKind::Signal => "name: is",
        FieldKind::Number => "number",
        FieldKind::Status => "number, 5xx",
        FieldKind::Duration => "duration, ms",
        FieldKind::Size => "size, bytes",
        FieldKind::Bool => "true or false",
        FieldKind::Level | FieldKind::Severity => "in order",
        FieldKind::Group => "first digits",
        FieldKind::Load => "number, 0 is newest",
        FieldKind::Time => "clock time",
        FieldKind::Age => "span back from now",
        FieldKind::Moment => "time or moment",
        FieldKind::Is => "is",
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

/// A name as names are compared: without case, `-`, `_`.
fn fold(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Built-in fields whose name or alias begins with `typed`, then those that hold it.
pub(super) fn built_in(typed: &str, takes_operator: bool) -> Vec<Candidate> {
    let typed = fold(typed);
    let fits =
        |field: &Field, test: fn(&str, &str) -> bool| field.names().any(|name| test(&fold(name), &typed));
    let begins = FIELDS.iter().filter(|field| fits(field, |name, typed| name.starts_with(typed)));
    let holds = FIELDS.iter().filter(|field| {
        fits(field, |name, typed| name.contains(typed)) && !fits(field, |name, typed| name.starts_with(typed))
    });
    let candidate = |field: &Field| Candidate {
        insert: format!("{}{}", field.name, if takes_operator { usual_operator(field.kind) } else { "" }),
        label: field.name.to_owned(),
        detail: kind_words(field.kind).to_owned(),
        count: None,
    };
    begins.chain(holds).map(candidate).collect()
}
