//! The values an event has for a field, as text that a filter can ask for.
//!
//! Read by whoever counts values. Where a value lies and which part of it counts is the same as when a filter is
//! evaluated. Fields whose values are not worth listing (levels, spans, times) have none here.

use std::borrow::Cow;

use super::check::{data_paths, subject};
use super::data::{Part, part_of};
use super::eval::route;
use super::run;
use super::text::is_path;
use super::typed::Subject;
use crate::event::leaves::{leaves, text_of};
use crate::event::{Chunk, Column, DataPath, EventRef, Field, FieldKind, Symbol, json};

/// Leading hexadecimal digits of a group that are enough to ask for it.
const GROUP_DIGITS: usize = 4;
/// Values looked at in one event: an array can hold any number.
const MAX_IN_EVENT: usize = 64;

/// Where a field's values lie.
#[derive(Clone, Debug)]
pub struct Values {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Column(Column),
    /// In the data: the first of the paths that exists, or all of them.
    Paths(Vec<Vec<String>>, bool, Part),
}

impl Values {
    /// The values of a built-in field or of a path in the data; `typed` is the beginning of the one wanted, which
    /// decides what part of a URL counts. `None` where there is nothing to list.
    pub fn of(field: &str, typed: &str) -> Option<Self> {
        let (path, len) = run::field(field)?;
        if len != field.len() {
            return None;
        }
        let owned = |paths: &[DataPath]| -> Vec<Vec<String>> {
            paths.iter().map(|path| path.iter().map(|part| (*part).to_owned()).collect()).collect()
        };
        let url = || vec![vec!["url".to_owned()]];
        let source = match subject(&path) {
            Subject::Data(path) => Source::Paths(data_paths(path), false, Part::Whole),
            Subject::Field(field) => match field.column {
                Column::First(paths) => Source::Paths(owned(paths), false, url_part(field, typed)),
                Column::Each(paths) => Source::Paths(owned(paths), true, Part::Whole),
                Column::Host => Source::Paths(url(), false, Part::Host),
                Column::Path => Source::Paths(url(), false, Part::Path),
                column @ (Column::Id
                | Column::Ns
                | Column::Type
                | Column::Subtype
                | Column::Session
                | Column::User
                | Column::Tab
                | Column::Endpoint
                | Column::Route
                | Column::Source
                | Column::Message
                | Column::Status
                | Column::Group) => Source::Column(column),
                _ => return None,
            },
        };
        Some(Self { source })
    }

    /// The column of names the values come from, by row; see [`Values::of_name`].
    pub fn names<'c>(&self, chunk: &'c Chunk) -> Option<&'c [Symbol]> {
        let Source::Column(column) = self.source else { return None };
        Some(match column {
            Column::Id => chunk.ids(),
            Column::Ns => chunk.nss(),
            Column::Type => chunk.kinds(),
            Column::Subtype => chunk.subtypes(),
            Column::Session => chunk.sessions(),
            Column::User => chunk.users(),
            Column::Tab => chunk.tabs(),
            Column::Endpoint | Column::Route => chunk.endpoints(),
            Column::Source => chunk.sources(),
            _ => return None,
        })
    }

    /// The value that a name of the column stands for.
    pub fn of_name<'n>(&self, name: &'n str) -> Option<&'n str> {
        match self.source {
            Source::Column(Column::Route) => route(name),
            _ => Some(name).filter(|name| !name.is_empty()),
        }
    }

    /// Gives `visit` each value of `event`, at most 64.
    pub fn each(&self, event: EventRef<'_>, mut visit: impl FnMut(&str)) {
        match &self.source {
            Source::Column(Column::Message) => visit(event.msg()),
            Source::Column(Column::Status) => {
                if let Some(status) = event.status() {
                    visit(&status.to_string());
                }
            }
            Source::Column(Column::Group) => {
                if let Some(group) = event.group() {
                    visit(&format!("{group:016x}")[..GROUP_DIGITS]);
                }
            }
            Source::Column(_) => {
                let name = self.names(event.chunk()).map(|names| names[event.row()]);
                let text = name.map_or("", |name| event.chunk().names().get(name));
                if let Some(value) = self.of_name(text) {
                    visit(value);
                }
            }
            Source::Paths(paths, each, part) => in_data(event.json(), paths, *each, *part, &mut visit),
        }
    }
}

fn in_data(event: &str, paths: &[Vec<String>], each: bool, part: Part, visit: &mut impl FnMut(&str)) {
    let mut left = MAX_IN_EVENT;
    let mut visit_all = |value: &str| {
        for leaf in leaves(value).take(left) {
            left -= 1;
            let text: Cow<'_, str> = text_of(leaf.value);
            if let Some(value) = part_of(&text, part).filter(|value| !value.is_empty()) {
                visit(value);
            }
        }
        left == 0
    };
    for path in paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if json::any_at(event, &path, &mut visit_all).is_some() && !each {
            return;
        }
    }
}

/// As filters do: a value that begins as a path does is compared with what comes after the host.
fn url_part(field: &Field, typed: &str) -> Part {
    if field.kind == FieldKind::Url && is_path(typed) { Part::AfterHost } else { Part::Whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::samples::chunk;

    #[test]
    fn an_event_has_the_values_a_filter_would_find() {
        let chunk = chunk(&[
            r#"{"type":"metric","subtype":"api-call","url":"https://a.example/x/7?q=1","method":"GET",
               "status":404,"context":{"tags":["a","b"],"n":null},"element-id":"save","element-class":"big",
               "items":[{"sku":"a-1"},[{"sku":"x"}],{"sku":"b-2"}]}"#,
        ]);
        for (field, typed, expected) in [
            ("status", "", vec!["404"]),
            ("method", "", vec!["GET"]),
            ("subtype", "", vec!["api-call"]),
            ("route", "", vec!["/x/:id"]),
            ("host", "", vec!["a.example"]),
            ("path", "", vec!["/x/7"]),
            ("url", "", vec!["https://a.example/x/7?q=1"]),
            ("url", "/", vec!["/x/7?q=1"]),
            ("element", "", vec!["save", "big"]),
            ("context.tags", "", vec!["a", "b"]),
            ("context.n", "", vec![]),
            ("items.sku", "", vec!["a-1", "b-2"]),
            ("@items.2.sku", "", vec!["b-2"]),
            ("user", "", vec![]),
        ] {
            let mut found = Vec::new();
            let values = Values::of(field, typed).expect("has values");
            values.each(chunk.event(0), |value| found.push(value.to_owned()));
            assert_eq!(found, expected, "{field}");
        }
        assert!(Values::of("level", "").is_none() && Values::of("a b", "").is_none());
    }
}
