//! Tests of where in the sources an event happened, as source maps say, or its stack where they say nothing: `file:`,
//! `line:`, `col:`.
//!
//! Built by `plan` beside a test of what the event itself says, which counts where no map had a say; run by `eval`.

use super::bits::Bits;
use super::data::DataTest;
use super::text::TextTest;
use super::value::Number;
use crate::event::{Chunk, MappedFrame};

/// What is asked of a place.
#[derive(Clone, Debug)]
pub(super) struct PlaceLeaf {
    pub(super) part: PlacePart,
    pub(super) test: DataTest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlacePart {
    File,
    Line,
    Column,
}

impl PlacePart {
    /// The part that the field of this name is about.
    pub(super) fn of(field: &str) -> Option<Self> {
        match field {
            "file" => Some(Self::File),
            "line" => Some(Self::Line),
            "col" => Some(Self::Column),
            _ => None,
        }
    }
}

impl PlaceLeaf {
    /// A file whose name contains `word`.
    pub(super) fn file_with(word: &str) -> Self {
        Self { part: PlacePart::File, test: DataTest::Text(TextTest::contains(word)) }
    }

    /// Adds to `out` the rows of `mask` that pass.
    pub(super) fn eval(&self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        for (row, mapped) in chunk.mapped() {
            if mask.contains(row) && mapped.place().is_some_and(|place| self.holds(place)) {
                out.insert(row);
            }
        }
    }

    fn holds(&self, place: &MappedFrame) -> bool {
        let number = match self.part {
            PlacePart::File => {
                return match &self.test {
                    DataTest::Present => true,
                    DataTest::Text(test) | DataTest::TextOrNumber(test, _) => test.holds(&place.file),
                    DataTest::Number(..) | DataTest::Bool(_) => false,
                };
            }
            PlacePart::Line => place.line,
            PlacePart::Column => place.column,
        };
        match &self.test {
            DataTest::Present => number > 0,
            DataTest::Text(test) => test.holds(&number.to_string()),
            DataTest::TextOrNumber(_, wanted) => Number::from(f64::from(number)) == *wanted,
            DataTest::Number(bounds, _) => bounds.hold(f64::from(number)),
            DataTest::Bool(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples;
    use super::super::{EvalContext, Matcher, parse};
    use super::*;
    use crate::event::{Mapped, MappedTrace, Relation};

    #[test]
    fn the_mapped_place_wins_over_what_the_event_says() {
        let chunk = samples::chunk(&[
            r#"{"type":"error","file":"app.js","line":1,"mapped":{"file":"src/cart.ts","line":42,"column":7,"function":"f"}}"#,
            r#"{"type":"error","location":{"file":"http://x/app.js","line":42}}"#,
            r#"{"type":"log","message":"src/cart.ts"}"#,
        ]);
        let cases: [(&str, &[usize]); 14] = [
            ("file:cart", &[0]),
            ("file:app.js", &[1]),
            ("file:src/*.ts", &[0]),
            ("-file:cart", &[1, 2]),
            ("file!=app.js", &[0, 1]),
            ("line:42", &[0, 1]),
            ("line:1", &[]),
            ("line:40..50 file:cart", &[0]),
            ("col:7", &[0]),
            ("has:file", &[0, 1]),
            ("no:line", &[2]),
            ("is:mapped", &[0]),
            ("-is:mapped", &[1, 2]),
            ("cart.ts", &[0, 2]),
        ];
        for (text, expected) in cases {
            let filter = parse(text).filter.expect(text);
            let mut out = Bits::new();
            Matcher::new(Arc::new(filter), EvalContext::default()).eval(&chunk, 0..chunk.len(), &mut out);
            assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn the_place_that_a_stack_tells_is_found_as_lists_show_it() {
        let mut chunk = samples::chunk(&[r#"{"type":"error","message":"x"}"#, r#"{"type":"log"}"#]);
        let frame = MappedFrame { file: "src/shipping.ts".into(), line: 42, ..MappedFrame::default() };
        let trace = MappedTrace { relation: Relation::Thrown, head: "".into(), frames: vec![frame] };
        chunk.set_mapped(0, Arc::new(Mapped { traces: vec![trace], top: Some((0, 0)), note: None }), 0);
        for (text, expected) in [
            ("file:shipping.ts line:42", &[0][..]),
            ("-file:shipping.ts", &[1]),
            ("line:41", &[]),
            ("has:file", &[0]),
            ("is:mapped", &[]),
        ] {
            let filter = parse(text).filter.expect(text);
            let mut out = Bits::new();
            Matcher::new(Arc::new(filter), EvalContext::default()).eval(&chunk, 0..chunk.len(), &mut out);
            assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
