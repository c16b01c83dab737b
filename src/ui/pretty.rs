//! JSON text laid out over lines, for the detail pane.
//!
//! Called with text that is known to be JSON; it never builds a tree and never recurses. The lines are as untrusted
//! as the text and pass the gate like everything else.

use crate::event::bounds::{self, DEPTH, ELEMENTS, MEMBERS, NAME};
use crate::event::json::text;
use crate::filter::path_text;

/// One line, with the path and the value of the member it shows if that is a single value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// As a filter names it, and the value without quotes; nothing for `null`.
    pub(super) field: Option<(String, String)>,
}

/// Columns of indentation for each level.
const INDENT: usize = 2;

/// At most `max_lines` lines of `json`; the rest is left out, and said so in the last line. What is beyond the bounds of an
/// event stands on one line as it was written; of a longer name its beginning is shown.
pub(super) fn lines(json: &str, max_lines: usize) -> Vec<Line> {
    let mut layout =
        Layout { lines: Vec::new(), line: Line::default(), depth: 0, max_lines, place: Vec::new() };
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() && layout.lines.len() < max_lines {
        let byte = bytes[at];
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'{' | b'[' => open(&layout, json, at),
            b'}' | b']' => {
                layout.depth = layout.depth.saturating_sub(1);
                layout.break_line();
                at + 1
            }
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            b',' | b':' => at + 1,
            _ => {
                at + 1 + bytes[at + 1..].iter().take_while(|next| !b",:{}[]\" \n\r\t".contains(next)).count()
            }
        };
        let token = json.get(at..end).unwrap_or("");
        layout.push(token);
        match byte {
            b',' if layout.next() => layout.break_line(),
            b',' => {
                layout.break_line();
                let rest = bounds::end_of(json, end);
                layout.line.text.push_str(json.get(end..rest).unwrap_or("").trim());
                at = rest;
                continue;
            }
            b':' => layout.line.text.push(' '),
            b'{' | b'[' if end == at + 1 => {
                layout.place.push(if byte == b'{' { Step::Key(None, 1) } else { Step::Index(0) });
                layout.depth += 1;
                layout.break_line();
            }
            b'{' | b'[' => {}
            b'}' | b']' => drop(layout.place.pop()),
            _ => layout.value(token),
        }
        at = end;
    }
    layout.finish(at < bytes.len())
}

struct Layout {
    lines: Vec<Line>,
    line: Line,
    depth: usize,
    max_lines: usize,
    /// Where in the JSON the next token stands.
    place: Vec<Step>,
}

/// One level of nesting.
enum Step {
    /// The member whose value comes next, `None` where a name comes, and which of the object's members it is, from 1.
    Key(Option<String>, usize),
    Index(usize),
}

impl Layout {
    fn break_line(&mut self) {
        let indent = " ".repeat(INDENT * self.depth);
        let line = std::mem::replace(&mut self.line, Line { text: indent, field: None });
        if !line.text.trim().is_empty() {
            self.lines.push(line);
        }
    }

    /// Adds a token to the line; of a long name its beginning.
    fn push(&mut self, token: &str) {
        let is_name = token.starts_with('"') && matches!(self.place.last(), Some(Step::Key(None, _)));
        match token.get(..token.floor_char_boundary(NAME + 1)) {
            Some(start) if is_name && token.len() > NAME + 2 => {
                self.line.text.push_str(start);
                self.line.text.push_str("...\"");
            }
            _ => self.line.text.push_str(token),
        }
    }

    /// Goes on to the next member or element; `false` if that is one too many to be laid out.
    fn next(&mut self) -> bool {
        match self.place.last_mut() {
            Some(Step::Key(name, number)) => {
                *name = None;
                *number += 1;
                *number <= MEMBERS
            }
            Some(Step::Index(index)) => {
                *index += 1;
                *index < ELEMENTS
            }
            None => true,
        }
    }

    /// Takes a string, number or literal: a name where one is due, else a value.
    fn value(&mut self, token: &str) {
        if let Some(Step::Key(name @ None, _)) = self.place.last_mut() {
            *name = Some(text(token).unwrap_or_default().into_owned());
        } else if token != "null" {
            let value = text(token).map_or_else(|| token.to_owned(), |text| text.into_owned());
            self.line.field = Some((self.path(), value));
        }
    }

    /// The path of the value that comes next, as it is written in a filter; empty where no filter can name it.
    fn path(&self) -> String {
        let part = |step: &Step| match step {
            Step::Index(index) => index.to_string(),
            Step::Key(name, _) => name.as_deref().map(known_as).unwrap_or_default().to_owned(),
        };
        let parts: Vec<String> = self.place.iter().map(part).collect();
        path_text(&parts.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default()
    }

    fn finish(mut self, is_cut: bool) -> Vec<Line> {
        self.depth = 0;
        self.break_line();
        self.lines.truncate(self.max_lines);
        if is_cut && let Some(last) = self.lines.last_mut() {
            *last = Line { text: "... more: v shows it raw".to_owned(), field: None };
        }
        self.lines
    }
}

/// A name as filters compare it: a `?` at its end does not count.
fn known_as(name: &str) -> &str {
    name.strip_suffix('?').unwrap_or(name)
}

/// An empty object or array stays on its line, and one that is too deep.
fn open(layout: &Layout, json: &str, at: usize) -> usize {
    if layout.depth == DEPTH {
        return (bounds::end_of(json, at + 1) + 1).min(json.len());
    }
    let rest = json[at + 1..].trim_start();
    let closes = if json.as_bytes()[at] == b'{' { rest.starts_with('}') } else { rest.starts_with(']') };
    if closes { json.len() - rest.len() + 1 } else { at + 1 }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str, max_lines: usize) -> Vec<String> {
        lines(json, max_lines).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn members_and_elements_get_a_line_each() {
        let json = r#"{"a":1,"b":{"c":[true,"x,{y}"],"d":{}},"e":[]}"#;
        let expected = [
            "{",
            "  \"a\": 1,",
            "  \"b\": {",
            "    \"c\": [",
            "      true,",
            "      \"x,{y}\"",
            "    ],",
            "    \"d\": {}",
            "  },",
            "  \"e\": []",
            "}",
        ];
        assert_eq!(texts(json, 100), expected);
    }

    #[test]
    fn single_values_know_their_path() {
        let json = r#"{"status":500,"a b":1,"e.f":[{"g":1}],"x":{"a b":{"c":[true,"x\"y"],"d":{},"n":null},"q\"":2,"e.f":3,"-":4},"h?":"t"}"#;
        let fields: Vec<_> = lines(json, 100).into_iter().filter_map(|line| line.field).collect();
        let expected = [
            ("status", "500"),
            ("\"a b\"", "1"),
            ("\"e.f\".0.g", "1"),
            ("x.\"a b\".c.0", "true"),
            ("x.\"a b\".c.1", "x\"y"),
            ("", "2"),
            ("x.\"e.f\"", "3"),
            ("x.\"-\"", "4"),
            ("h", "t"),
        ];
        let expected = expected.map(|(path, value)| (path.to_owned(), value.to_owned()));
        assert_eq!(fields, expected);
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let json = format!("[{}1]", "1,".repeat(1000));
        let lines = texts(&json, 10);
        assert_eq!(lines.len(), 10);
        assert!(lines[9].contains("more"));
    }

    #[test]
    fn what_is_too_deep_or_too_wide_stands_on_one_line_as_it_was_written() {
        let deep = format!("{}[1, {{\"b\":[]}}],2{}", "{\"a\":[".repeat(DEPTH / 2), "]}".repeat(DEPTH / 2));
        let shown = texts(&deep, 100);
        assert!(crate::event::bounds::is_beyond(&deep));
        assert_eq!(shown.len(), 2 * DEPTH + 2, "{shown:#?}");
        assert_eq!(shown.iter().filter(|line| line.trim() == "[1, {\"b\":[]}],").count(), 1, "{shown:#?}");
        let array = format!("[{}0]", "1, ".repeat(ELEMENTS + 1));
        let shown = texts(&array, 2_000);
        assert_eq!(shown.len(), ELEMENTS + 3, "{:#?}", &shown[ELEMENTS - 2..]);
        assert_eq!(shown[ELEMENTS + 1].trim(), "1, 0");
        let object = format!("{{\"o\":{{{}\"y\":{{\"z\":0}} }} }}", "\"k\":1,".repeat(MEMBERS));
        let shown = texts(&object, 2_000);
        assert_eq!(shown.len(), MEMBERS + 5, "{:#?}", &shown[MEMBERS - 2..]);
        assert_eq!(shown[MEMBERS + 2].trim(), "\"y\":{\"z\":0}");
        let name = "é".repeat(NAME);
        let shown = lines(&format!("{{\"{name}\":\"{name}\"}}"), 9);
        assert_eq!(shown[1].text.trim(), format!("\"{}...\": \"{name}\"", "é".repeat(NAME / 2)));
        assert_eq!(shown[1].field, Some((name.clone(), name)), "a filter can still name it");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_laid_out_without_a_panic(text in "[\\[\\]{},:\" a1é\\\\]{0,60}") {
            proptest::prop_assert!(lines(&text, 20).len() <= 20);
        }
    }
}
