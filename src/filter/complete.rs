//! What may come next at a place in a filter's text: a field, an operator, a value, or nothing.
//!
//! Called at each key by whoever offers completions. It reads the text and the names of the built-in fields alone,
//! never fails and never changes the text; which values there are is for the caller to find out.

use std::ops::Range;

use super::lexer::{self, Kind};
use super::run;
use super::suggest::nearest;
use super::{Filter, MAX_CHARS};
use crate::event::{FIELDS, Field};

/// What may come at the cursor.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The bytes of the text that a candidate replaces.
    pub span: Range<usize>,
    pub what: What,
}

/// The kind of thing that may come.
#[derive(Clone, Debug)]
pub enum What {
    /// Nothing that can be known: inside a phrase or a regular expression, or after something finished.
    Nothing,
    /// The text is empty: a whole filter may come.
    Empty,
    /// A field's name or path.
    Field {
        /// What stands before the cursor of it.
        typed: String,
        /// False where a name stands for itself: after `has:` and where an operator follows already.
        takes_operator: bool,
    },
    /// An operator of this field.
    Operator { field: String },
    /// A value of this field.
    Value {
        field: String,
        /// The operator as it is written.
        op: String,
        /// What stands before the cursor of the value, without quotes.
        typed: String,
        /// What the filter asks of an event beside the term being typed.
        rest: Filter,
    },
}

impl Expected {
    fn nothing(at: usize) -> Self {
        Self { span: at..at, what: What::Nothing }
    }
}

/// What may come at byte `cursor` of `text`.
pub fn expected(text: &str, cursor: usize) -> Expected {
    let cursor = text.floor_char_boundary(cursor);
    if run::spaces(text) == text.len() {
        return Expected { span: 0..text.len(), what: What::Empty };
    }
    if text.chars().count() > MAX_CHARS {
        return Expected::nothing(cursor);
    }
    let tokens = lexer::tokens(text);
    let at_cursor = tokens.iter().find(|token| token.span.start < cursor && cursor <= token.span.end);
    match at_cursor.map(|token| (&token.kind, token.span.clone())) {
        Some((Kind::Word, span)) => Expected {
            what: What::Field { typed: text[span.start..cursor].to_owned(), takes_operator: true },
            span,
        },
        Some((Kind::Field(_), span)) => Expected {
            what: What::Field { typed: text[span.start..cursor].to_owned(), takes_operator: false },
            span,
        },
        _ => Expected::nothing(cursor),
    }
}

/// The built-in field whose name is nearest to `name`, if it is none itself and a small slip away from one.
pub fn near_field(name: &str) -> Option<&'static str> {
    if Field::find(name).is_some() {
        return None;
    }
    nearest(name, FIELDS.iter().flat_map(Field::names))
}
