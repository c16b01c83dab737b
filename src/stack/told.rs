//! Every place of code that an event tells of: its stack, causes and parts, its location, its scripts, its initiator.
//!
//! `maps` asks for what to map; the detail shows it in the same order. Senders write these in a few ways, which are all
//! read here; what is none of them is passed over.

use std::borrow::Cow;

use super::plain::replayed;
use super::{Frame, Relation, frames, read, traces};
use crate::event::json::{self, Shape};

/// Frames kept of one trace.
const FRAMES: usize = 64;
/// Traces kept of one event: an error, 5 causes and 10 parts are what the browser client sends.
const TOLD: usize = 16;

/// One place in a script, as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    pub function: String,
    /// URL or path, with query, without position.
    pub file: String,
    /// From 1; 0 where it is not said.
    pub line: u32,
    /// From 1; 0 where it is not said.
    pub column: u32,
    /// Characters from the beginning of the script, where that is told instead of a line.
    pub offset: Option<u32>,
    pub is_async: bool,
}

impl From<Frame<'_>> for Spot {
    fn from(frame: Frame<'_>) -> Self {
        let Frame { function, file, line, column, is_async } = frame;
        Self { function: function.to_owned(), file: file.to_owned(), line, column, offset: None, is_async }
    }
}

/// The places of one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub relation: Relation,
    /// Name and message of a cause or part; of the error itself as its stack tells them.
    pub head: String,
    /// From the top.
    pub spots: Vec<Spot>,
}

/// All traces of the event whose JSON is `event`, the error's own first; none for an event that tells of no code.
pub fn told(event: &str) -> Vec<Told> {
    let [stack, location, scripts, initiator] =
        json::get_all(event, ["stack", "location", "scripts", "initiator"]);
    let text = stack.and_then(json::text).unwrap_or_default();
    let mut found: Vec<_> = traces(&text)
        .into_iter()
        .map(|trace| Told {
            relation: trace.relation,
            head: trace.head.to_owned(),
            spots: trace.frames.into_iter().take(FRAMES).map(Spot::from).collect(),
        })
        .collect();
    let own = &mut found[0];
    if own.spots.is_empty() {
        own.spots.extend(location.and_then(spot_of));
    }
    if own.spots.is_empty() {
        own.spots = scripts.into_iter().flat_map(items).filter_map(spot_of).take(FRAMES).collect();
    }
    if own.spots.is_empty() {
        own.spots = initiator.map(spots_of).unwrap_or_default();
    }
    found.extend(beside(event).map(|(relation, value)| thrown(value, relation)));
    found.retain(|told| told.relation == Relation::Thrown || !told.spots.is_empty() || !told.head.is_empty());
    found.truncate(TOLD);
    if found.iter().all(|told| told.spots.is_empty()) { Vec::new() } else { found }
}

/// What was thrown beside the error whose JSON is `event`: its parts with what caused each, and what caused the error.
pub fn beside(event: &str) -> impl Iterator<Item = (Relation, &str)> {
    let [errors, causes] = json::get_all(event, ["errors", "causes"]);
    let parts = errors.into_iter().flat_map(items).flat_map(|part| {
        let caused = chain(part).map(|cause| (Relation::Cause, cause));
        std::iter::once((Relation::Part, part)).chain(caused)
    });
    let causes = causes.into_iter().flat_map(items).chain(chain(event));
    let all = parts.chain(causes.map(|cause| (Relation::Cause, cause)));
    all.filter(|(_, value)| json::shape(value) != Shape::Null)
}

/// What caused `error`, what caused that, and so on, up to where it comes back to its beginning: the client ends there
/// with a word of its own, once it has told the error again.
fn chain(error: &str) -> impl Iterator<Item = &str> {
    let says = |error| json::get_all(error, ["message", "stack"]);
    let beginning = says(error);
    let is_error = move |cause| beginning != [None, None] && says(cause) == beginning;
    let causes = std::iter::successors(json::get(error, "cause"), |cause| json::get(cause, "cause"));
    causes.take_while(move |cause| *cause != r#""[circular]""# && !is_error(cause)).take(TOLD)
}

/// What was thrown, in a line: name and message, a text as it is, anything else as its JSON.
pub fn head(value: &str) -> String {
    let text = || json::text(value).map_or_else(|| value.to_owned(), Cow::into_owned);
    named(value).unwrap_or_else(text)
}

/// The elements of an array; none of anything else.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let array = Some(value).filter(|value| json::shape(value) == Shape::Array);
    array.into_iter().flat_map(json::elements).map(|(_, element)| element)
}

/// The stack of the first of `errors`, an array as [`told`] reads it.
pub fn first_part(errors: &str) -> Option<Cow<'_, str>> {
    stack_of(items(errors).next()?)
}

/// `{name, message, stack}`, a stack as text, or whatever else was thrown.
fn thrown(value: &str, relation: Relation) -> Told {
    let stack = stack_of(value).unwrap_or_default();
    let spots = spots_of_text(&stack);
    let first = traces(&stack)[0].head.to_owned();
    let head = match named(value) {
        Some(head) => head,
        None if first.is_empty() && spots.is_empty() => head(value),
        None => first,
    };
    Told { relation, head, spots }
}

/// A stack as text, or that of an object which has one.
fn stack_of(value: &str) -> Option<Cow<'_, str>> {
    match json::shape(value) {
        Shape::Text => json::text(value),
        Shape::Object => json::get(value, "stack").and_then(json::text),
        _ => None,
    }
}

/// What was thrown with its stack, as one text.
pub fn whole(value: &str) -> String {
    let (head, stack) = (head(value), stack_of(value).unwrap_or_default());
    if stack.starts_with(&head) {
        stack.into_owned()
    } else {
        format!("{head}\n{stack}").trim_end().to_owned()
    }
}

/// Name and message of an error.
fn named(value: &str) -> Option<String> {
    let [name, message] =
        json::get_all(value, ["name", "message"]).map(|value| value.and_then(json::text).unwrap_or_default());
    let parts: Vec<_> = [&*name, &*message].into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// A stack as text, an object that has one, or one place, as `url:line:column` too.
fn spots_of(value: &str) -> Vec<Spot> {
    let Some(stack) = stack_of(value) else { return spot_of(value).into_iter().collect() };
    match read::bare(&stack) {
        Some(frame) => vec![Spot::from(frame)],
        None => spots_of_text(&stack),
    }
}

fn spots_of_text(stack: &str) -> Vec<Spot> {
    frames(stack).take(FRAMES).map(Spot::from).collect()
}

/// `{url, line, column}`, `{file, line, col, function}`, `{url, function, position}`.
fn spot_of(object: &str) -> Option<Spot> {
    if json::shape(object) != Shape::Object {
        return None;
    }
    let [url, file, function] = json::get_all(object, ["url", "file", "function"])
        .map(|value| value.and_then(json::text).unwrap_or_default());
    let [line, column, col, position] =
        json::get_all(object, ["line", "column", "col", "position"]).map(number);
    let offset = position.filter(|_| line.is_none());
    let file = replayed(if url.is_empty() { &file } else { &url });
    if file.is_empty() || line.is_none() && offset.is_none() {
        return None;
    }
    Some(Spot {
        function: Cow::into_owned(function),
        file: file.to_owned(),
        line: line.unwrap_or(0),
        column: column.or(col).unwrap_or(0),
        offset,
        is_async: false,
    })
}

fn number(value: Option<&str>) -> Option<u32> {
    let number = value.and_then(json::number)?;
    // LoAF says -1 where it does not know.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by the filter")]
    Some(number).filter(|number| (0.0..4e9).contains(number)).map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_telling_is_read() {
        for (event, expected) in [
            (r#"{"stack":"Error: a\n at f (http://x/a.js:1:2)"}"#, vec![("Error: a", "f", 1, 2, None)]),
            (
                r#"{"message":"a","location":{"url":"http://x/w.js","line":3,"column":4}}"#,
                vec![("", "", 3, 4, None)],
            ),
            (
                r#"{"stack":"","errors":[{"name":"Error","message":"b","stack":"f@http://x/a.js:1:2"},"g@http://x/b.js:3:4"]}"#,
                vec![("Error: b", "f", 1, 2, None), ("", "g", 3, 4, None)],
            ),
            (
                r#"{"stack":"f@http://x/a.js:1:2","causes":[{"message":"b","stack":"g@http://x/b.js:3:4"}]}"#,
                vec![("", "f", 1, 2, None), ("b", "g", 3, 4, None)],
            ),
            (
                r#"{"stack":"f@http://x/a.js:1:2","cause":{"message":"b","stack":"g@http://x/b.js:3:4","cause":{"message":"c","stack":"h@http://x/c.js:5:6","cause":"[circular]"}}}"#,
                vec![("", "f", 1, 2, None), ("b", "g", 3, 4, None), ("c", "h", 5, 6, None)],
            ),
            (
                r#"{"message":"a","stack":"f@http://x/a.js:1:2","cause":{"message":"b","stack":"g@http://x/b.js:3:4","cause":{"message":"a","stack":"f@http://x/a.js:1:2","cause":"[circular]"}}}"#,
                vec![("", "f", 1, 2, None), ("b", "g", 3, 4, None)],
            ),
            (
                r#"{"message":"a","stack":"f@http://x/a.js:1:2","cause":{"message":"a","stack":"f@http://x/a.js:1:2","cause":"[circular]"}}"#,
                vec![("", "f", 1, 2, None)],
            ),
            (
                r#"{"scripts":[{"url":"http://x/a.js","function":"tick","position":77},{"url":"","position":-1}]}"#,
                vec![("", "tick", 0, 0, Some(77))],
            ),
            (r#"{"initiator":"at f (http://x/a.js:1:2)"}"#, vec![("", "f", 1, 2, None)]),
            (
                r#"{"initiator":{"file":"http://x/a.js","line":1,"col":2,"function":"load"}}"#,
                vec![("", "load", 1, 2, None)],
            ),
            (r#"{"initiator":{"stack":"@http://x/a.js:1:2"}}"#, vec![("", "", 1, 2, None)]),
            (r#"{"initiator":"http://x:80/a.js?t=1:2:3"}"#, vec![("", "", 2, 3, None)]),
            (r#"{"initiator":"f@http://x:80/a.js:2:3"}"#, vec![("", "f", 2, 3, None)]),
            (r#"{"initiator":"http://x:80/@fs/src/a.ts:2:3"}"#, vec![("", "", 2, 3, None)]),
            (
                r#"{"location":{"url":"about://React/Server/file:///shop/a.js?14","line":21,"column":11}}"#,
                vec![("", "", 21, 11, None)],
            ),
            (r#"{"location":{"url":"about://React/Server/?14","line":21,"column":11}}"#, vec![]),
            (r#"{"initiator":"http://localhost:5173"}"#, vec![]),
            (r#"{"initiator":"http://localhost:5173/a.js"}"#, vec![]),
            (r#"{"initiator":"fetch","location":"x","scripts":7,"causes":[null],"cause":3}"#, vec![]),
        ] {
            let found = told(event);
            let places: Vec<_> = found
                .iter()
                .filter_map(|told| {
                    let spot = told.spots.first()?;
                    Some((&*told.head, &*spot.function, spot.line, spot.column, spot.offset))
                })
                .collect();
            assert_eq!(places, expected, "{event}");
        }
    }

    #[test]
    fn what_has_no_frames_is_told_by_what_it_says() {
        let error = r#"{"stack":"f@http://x/a.js:1:2","errors":["just a string",{"name":"RangeError","message":"p","cause":{"code":42}},null],
            "cause":{"message":"b","cause":"[circular]"},"causes":["why", 7]}"#;
        let heads: Vec<_> = told(error).into_iter().map(|told| (told.relation, told.head)).collect();
        let expected = [
            (Relation::Thrown, ""),
            (Relation::Part, "just a string"),
            (Relation::Part, "RangeError: p"),
            (Relation::Cause, r#"{"code":42}"#),
            (Relation::Cause, "why"),
            (Relation::Cause, "7"),
            (Relation::Cause, "b"),
        ];
        assert_eq!(heads, expected.map(|(relation, head)| (relation, head.to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn any_json_is_read(stack in "(at |@|http://x/a.js|:[0-9]{1,9}|\n|.){0,30}", line in proptest::prelude::any::<f64>()) {
            let line = serde_json::json!(line);
            let event = serde_json::json!({"stack": stack, "errors": [{"stack": stack}, stack], "location": {"url": stack, "line": line},
                "scripts": [{"url": stack, "position": line}], "cause": {"stack": stack}}).to_string();
            proptest::prop_assert!(told(&event).len() <= TOLD);
        }
    }
}
