//! Something wrong in a settings file: where, what is allowed, and a drawing of the place.

use std::fmt;
use std::ops::Range;

/// Something wrong in a file; the file's other settings count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// `line 3, column 8`, if it has a place.
    pub place: String,
    pub message: String,
    /// The line with a caret under the place, to be shown where there is room.
    pub drawing: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

/// Columns of a line that are drawn.
const MAX_SHOWN: usize = 100;

impl Complaint {
    /// A complaint about the bytes at `span` of `text`, or about all of it.
    pub(super) fn new(text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let message = message.into();
        let Some(at) = span.map(|span| span.start).filter(|at| text.is_char_boundary(*at)) else {
            return Self { place: String::new(), message, drawing: String::new() };
        };
        let (line, column, start) = place_of(text, at);
        let shown = crate::event::gate::plain_capped(text[start..].lines().next().unwrap_or(""), MAX_SHOWN);
        let drawing = format!("    {shown}\n    {}^", " ".repeat((column - 1).min(MAX_SHOWN)));
        Self { place: format!("line {line}, column {column}"), message, drawing }
    }
}

/// Line and column of the byte `at`, both from 1, and where the line starts.
fn place_of(text: &str, at: usize) -> (usize, usize, usize) {
    let line = text[..at].matches('\n').count() + 1;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    (line, text[start..at].chars().count() + 1, start)
}

/// The line of the byte `at`, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}
