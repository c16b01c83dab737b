//! Tests of values in an event's JSON, found by path.
//!
//! Built by `plan`, run by `eval` for the rows that are left when the columns have had their say.

use super::bits::Bits;
use super::leaves::{leaves, text_of};
use super::text::{TextTest, same_text};
use super::typed::Bounds;
use super::value::Measure;
use crate::event::{Chunk, json};

/// Values at some paths, and what is asked of them.
#[derive(Debug)]
pub(super) struct DataLeaf {
    pub(super) paths: Vec<Vec<String>>,
    /// What the numbers at each path measure by its name.
    pub(super) units: Vec<Option<Measure>>,
    /// All paths count, not only the first that exists.
    pub(super) each: bool,
    pub(super) part: Part,
    pub(super) test: DataTest,
}

/// Which part of a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// Host and port of a URL.
    Host,
    /// Path of a URL, without the query.
    Path,
    /// Path, query and fragment of a URL.
    AfterHost,
}

#[derive(Debug)]
pub(super) enum DataTest {
    Present,
    Text(TextTest),
    /// Values that are numbers equal this one, other values pass the test.
    TextOrNumber(TextTest, f64),
    Number(Bounds, Measure),
    Bool(bool),
}

impl DataLeaf {
    /// Adds to `out` the rows of `mask` that pass.
    pub(super) fn eval(&self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let paths: Vec<Vec<&str>> =
            self.paths.iter().map(|path| path.iter().map(String::as_str).collect()).collect();
        for row in mask {
            let event = chunk.event(row).json();
            let mut values = paths
                .iter()
                .zip(&self.units)
                .filter_map(|(path, unit)| Some((json::path(event, path)?, *unit)));
            let passes = if self.each {
                values.any(|(value, unit)| self.holds(value, unit))
            } else {
                values.next().is_some_and(|(value, unit)| self.holds(value, unit))
            };
            if passes {
                out.insert(row);
            }
        }
    }

    /// True if the value passes, or any value in it.
    fn holds(&self, value: &str, unit: Option<Measure>) -> bool {
        if matches!(self.test, DataTest::Present) {
            return self.part == Part::Whole || part_of(&text_of(value), self.part).is_some();
        }
        leaves(value).any(|leaf| self.leaf_holds(leaf.value, unit))
    }

    fn leaf_holds(&self, value: &str, unit: Option<Measure>) -> bool {
        let text_holds =
            |test: &TextTest| part_of(&text_of(value), self.part).is_some_and(|text| test.holds(text));
        match &self.test {
            DataTest::Present => true,
            DataTest::Text(test) => text_holds(test),
            DataTest::TextOrNumber(test, number) => {
                let is_text = value.starts_with('"');
                json::number(value).is_some_and(|value| value == *number) || is_text && text_holds(test)
            }
            DataTest::Number(bounds, measure) => {
                json::number(value).is_some_and(|number| bounds.hold(number * scale(*measure, unit)))
            }
            DataTest::Bool(truth) => same_text(&text_of(value), if *truth { "true" } else { "false" }),
        }
    }
}

/// What a number in the data is multiplied with to be in the base unit: durations are sent in milliseconds, sizes
/// in bytes unless the name says kilobytes.
fn scale(measure: Measure, unit: Option<Measure>) -> f64 {
    match (measure, unit) {
        (Measure::Duration, _) | (Measure::Size, Some(Measure::Size)) => 1000.0,
        _ => 1.0,
    }
}

/// A part of a text; `None` if there is none.
fn part_of(text: &str, part: Part) -> Option<&str> {
    if part == Part::Whole {
        return Some(text);
    }
    let after_scheme = match text.find("://") {
        Some(at) if !text[..at].contains(['/', '?', '#']) => Some(&text[at + 3..]),
        _ => text.strip_prefix("//"),
    };
    let (host, after_host) = match after_scheme {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", text),
    };
    let found = match part {
        Part::Host => host.rsplit('@').next().unwrap_or(host),
        Part::Path => &after_host[..after_host.find(['?', '#']).unwrap_or(after_host.len())],
        Part::Whole | Part::AfterHost => return Some(after_host),
    };
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_parts() {
        for (url, host, path, after_host) in [
            (
                "https://u:p@api.example.com:8080/api/x?q=1#f",
                Some("api.example.com:8080"),
                Some("/api/x"),
                "/api/x?q=1#f",
            ),
            ("//cdn.example.com", Some("cdn.example.com"), None, ""),
            ("/api?next=http://x/y", None, Some("/api"), "/api?next=http://x/y"),
            ("", None, None, ""),
        ] {
            assert_eq!(part_of(url, Part::Host), host, "{url}");
            assert_eq!(part_of(url, Part::Path), path, "{url}");
            assert_eq!(part_of(url, Part::AfterHost), Some(after_host), "{url}");
        }
    }
}
