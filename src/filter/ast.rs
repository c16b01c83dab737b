//! A filter as written: terms and how they are joined, before names and values are looked up.
//!
//! Built by the parser, turned into the typed tree by the check.

use std::ops::Range;

pub(super) type Span = Range<usize>;

/// An operator between a field and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// `:`, which contains or is, by the kind of field.
    Has,
    /// `=`
    Eq,
    /// `==`, the whole value in the same case.
    Same,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `~` and `matches`
    Match,
    /// `!~`
    NoMatch,
    /// The word `contains`.
    Contains,
    /// The word `in`, with a list.
    In,
    /// `not in`
    NotIn,
}

impl Op {
    pub(super) const SIGNS: [(&str, Self); 10] = [
        (":", Self::Has),
        ("=", Self::Eq),
        ("==", Self::Same),
        ("!=", Self::Ne),
        ("<", Self::Lt),
        ("<=", Self::Le),
        (">", Self::Gt),
        (">=", Self::Ge),
        ("~", Self::Match),
        ("!~", Self::NoMatch),
    ];

    pub(super) fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }

    /// Looks into text, so that numbers do not have it.
    pub(super) fn is_for_text(self) -> bool {
        matches!(self, Self::Match | Self::NoMatch | Self::Contains)
    }

    pub(super) fn takes_regex(self) -> bool {
        matches!(self, Self::Match | Self::NoMatch)
    }
}

/// Text of a value; what was in quotes is unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) is_quoted: bool,
    pub(super) span: Span,
}

/// `/pattern/flags`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regexp {
    pub(super) pattern: String,
    pub(super) match_case: bool,
    /// Where the pattern is, without its slashes.
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Scalar(Scalar),
    Regexp(Regexp),
    List(Vec<Scalar>),
}

/// `field op value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The parts of the path; one for a plain name.
    pub(super) path: Vec<String>,
    /// As typed.
    pub(super) field: String,
    pub(super) field_span: Span,
    pub(super) op: Op,
    /// As typed.
    pub(super) op_text: String,
    pub(super) op_span: Span,
    pub(super) operand: Operand,
    pub(super) operand_span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// A word or a quoted phrase.
    Text(Scalar),
    /// `~/re/`
    AnyRegexp(Regexp),
    /// `:ns/name`, without the colon.
    Signal(String),
    Comparison(Comparison),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// A term and where it is, signs not included.
    Term(Term, Span),
}
