//! Tables of keys for the structured sections of the settings: what a key may be, its default, its line of help.
//!
//! `pipeline`, `sinks` and `alerts` each have a table and read their part of the settings with it; `config` shows what
//! came of it. Nothing here knows a single key. What cannot be used is a complaint with its place and what is allowed.

mod kind;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Item, TableLike};

pub use kind::{Check, Kind, Wrong, span_ms, span_text};
pub use value::{Secret, Value};

use crate::filter::nearest;

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in the settings; empty where nothing is set by default.
    pub default: &'static str,
    pub help: &'static str,
}

/// Shorthand for a table's rows.
pub const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, help }
}

/// Takes what is wrong: the bytes of the settings' text it is about, if it has a place, and what is allowed.
pub type Complain<'a> = dyn FnMut(Option<Range<usize>>, String) + 'a;

/// What is set for the keys of some tables, defaults included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    values: BTreeMap<&'static str, Value>,
    written: Vec<&'static str>,
}

impl Values {
    /// The defaults of `tables`; of keys that stand in two, the later table's.
    pub fn defaults(tables: &[&'static [Key]]) -> Self {
        let mut values = BTreeMap::new();
        for key in tables.iter().copied().flatten().filter(|key| !key.default.is_empty()) {
            values.insert(key.name, key.kind.default(key.default));
        }
        Self { values, written: Vec::new() }
    }

    /// Reads `table`, which may have the keys of `tables`; `skip` names those that others read.
    pub fn read(
        tables: &[&'static [Key]],
        table: &dyn TableLike,
        skip: &[&str],
        complain: &mut Complain<'_>,
    ) -> Self {
        let mut values = Self::defaults(tables);
        for (name, item) in table.iter().filter(|(name, _)| !skip.contains(name)) {
            let span = table.key(name).and_then(toml_edit::Key::span);
            match tables.iter().copied().flatten().find(|key| key.name == name) {
                None => complain(span, unknown(name, tables, skip)),
                Some(key) => match key.kind.read(item) {
                    Ok(value) => values.put(key.name, value),
                    // What a filter may be is said by what is wrong with it.
                    Err(Wrong { why, at: Some(at) }) => complain(place_in(item, at), format!("{name}{why}")),
                    Err(Wrong { why, .. }) => {
                        complain(span, format!("{name} is {}{why}", key.kind.allowed()));
                    }
                },
            }
        }
        values
    }

    /// Puts the time `name` of `table` at the nearer end of what is allowed, and says so, where it is beyond.
    pub fn keep_within(
        &mut self,
        table: &dyn TableLike,
        (name, least, most): (&'static str, u64, u64),
        complain: &mut Complain<'_>,
    ) {
        let Some(item) = table.get(name) else { return };
        let inside = self.number(name).clamp(least, most);
        if inside != self.number(name) {
            let message = format!(
                "{name} is a time from {} to {}: {} counts",
                span_text(least),
                span_text(most),
                span_text(inside)
            );
            complain(span_of(table, name, item), message);
            self.put(name, Value::Span(inside));
        }
    }

    /// Sets one key, as a file would.
    pub fn put(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
        self.written.push(name);
    }

    /// Every key that has a value: its value as it would be written, and whether a file says so.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, String, bool)> {
        self.values.iter().map(|(name, value)| (*name, value.to_string(), self.written.contains(name)))
    }

    /// Whether a file sets `name`.
    pub fn is_written(&self, name: &str) -> bool {
        self.written.contains(&name)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// `false` where there is no such flag.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Flag(true)))
    }

    /// Counts, bytes and, for spans, milliseconds; 0 where there is none.
    pub fn number(&self, name: &str) -> u64 {
        match self.get(name) {
            Some(Value::Number(number) | Value::Size(number) | Value::Span(number)) => *number,
            _ => 0,
        }
    }

    /// A span as a duration.
    pub fn span(&self, name: &str) -> std::time::Duration {
        std::time::Duration::from_millis(self.number(name))
    }

    /// A share or other number with decimals.
    pub fn real(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Value::Real(real)) => Some(*real),
            _ => None,
        }
    }

    /// Empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    pub fn list(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    pub fn map(&self, name: &str) -> &[(String, Value)] {
        match self.get(name) {
            Some(Value::Map(map)) => map,
            _ => &[],
        }
    }

    /// What is wrong with the secrets that are named, by key.
    pub fn lost_secrets(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.values.iter().filter_map(|(name, value)| match value {
            Value::Secret(secret) => Some((*name, secret.reveal().err()?)),
            _ => None,
        })
    }

    pub fn secret(&self, name: &str) -> Option<&Secret> {
        match self.get(name) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }
}

fn unknown(name: &str, tables: &[&'static [Key]], skip: &[&str]) -> String {
    let known = tables.iter().copied().flatten().map(|key| key.name).chain(skip.iter().copied());
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("unknown key {name}. Did you mean {meant}?"),
        None => format!("unknown key {name}; known are {}", known.join(", ")),
    }
}

/// Where `item` of `table` stands in the text.
pub fn span_of(table: &dyn TableLike, name: &str, item: &Item) -> Option<Range<usize>> {
    table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span())
}

/// Where byte `at` of the text that `item` is stands in the file: itself where the text is written there as it is, the
/// beginning of the value where it has escapes or lines.
pub fn place_in(item: &Item, at: usize) -> Option<Range<usize>> {
    let span = item.span()?;
    let is_as_written = item.as_str().is_some_and(|text| text.len() + 2 == span.len());
    let place = if is_as_written { span.start + 1 + at } else { span.start };
    Some(place..place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Key] = &[
        key("buffer", Kind::Count { from: 1, to: 100 }, "10", "events that may wait"),
        key("mode", Kind::Word(&["blocking", "dropping"]), "\"dropping\"", "what happens when it is full"),
        key("url", Kind::Secret, "", "where to"),
    ];

    fn read(text: &str) -> (Values, Vec<String>) {
        let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
        let mut said = Vec::new();
        let values = Values::read(&[TABLE], document.as_table(), &["type"], &mut |span, message| {
            said.push(format!("{:?} {message}", span.map(|span| span.start)));
        });
        (values, said)
    }

    #[test]
    fn what_is_written_counts_and_the_rest_has_its_default() {
        let (values, said) = read("type = \"x\"\nbuffer = 5\nurl = \"env:HOOK\"");
        assert!(said.is_empty(), "{said:?}");
        assert_eq!((values.number("buffer"), values.text("mode")), (5, "dropping"));
        let shown: Vec<_> = values.shown().collect();
        assert_eq!(
            shown,
            [
                ("buffer", "5".to_owned(), true),
                ("mode", "\"dropping\"".to_owned(), false),
                ("url", "\"••••••\"".to_owned(), true)
            ]
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_place_and_what_is_allowed() {
        for (text, expected) in [
            ("bufer = 5", "Some(0) unknown key bufer. Did you mean buffer?"),
            ("buffer = 500", "Some(0) buffer is a number from 1 to 100"),
            ("mode = \"blokking\"", "Some(0) mode is \"blocking\" or \"dropping\""),
            (
                "url = \"https://secret\"",
                "Some(0) url is \"env:NAME\" or \"file:PATH\", where the secret itself is",
            ),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
    }
}
