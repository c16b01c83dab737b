//! A checked filter: fields looked up, values read, nothing left that can be wrong.
//!
//! Made by `check`, printed by `display`, compiled by `plan`. It holds no state and no time.

use regex::Regex;

use super::glob::Glob;
use super::moment::{Clock, Moment};
use super::value::{Measure, Number};
use crate::event::Field;

#[derive(Clone, Debug)]
pub(super) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Term(Term),
}

#[derive(Clone, Debug)]
pub(super) enum Term {
    /// A word or phrase, looked for in every value.
    Anywhere(Glob),
    AnywhereRegexp(Pattern),
    /// `is:slow`, by its place in [`crate::event::IS`].
    Is(usize),
    /// `has:x`, or `no:x` if not wanted.
    Presence(Subject, bool),
    Compare(Compare),
}

/// What a comparison looks at.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Field(&'static Field),
    /// A path in the event's data.
    Data(Vec<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Compare {
    pub(super) subject: Subject,
    /// `!=`, `!~`: there is a value and none passes.
    pub(super) is_negated: bool,
    /// Holds if any of them does; more than one only in a list.
    pub(super) tests: Vec<Test>,
    pub(super) is_list: bool,
}

/// A regular expression with its source.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    pub(super) match_case: bool,
    pub(super) regex: Regex,
    /// Bytes that the automaton of each lax form may take.
    pub(super) room: usize,
}

/// A test of one value. Numbers beside text compare with values that are numbers.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Contains(String, Option<Number>),
    Is(String, Option<Number>),
    /// The whole value, in the same case.
    Same(String),
    Like(Glob),
    Regexp(Pattern),
    /// `type:metric/api-call`
    TypePair(Glob, Glob),
    Number(NumberTest),
    Bool(bool),
    /// Fingerprints from and to, ends included, with the digits typed.
    Group(u64, u64, String),
    /// `session:latest`
    LatestSession,
    /// `time:`, from and to.
    Clock(ClockTest),
    /// `since:` and `until:`.
    Moment(Moment),
}

#[derive(Clone, Debug)]
pub(super) struct NumberTest {
    pub(super) bounds: Bounds,
    pub(super) measure: Measure,
    pub(super) sign: Sign,
    /// The canonical text of the value, with its unit.
    pub(super) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct ClockTest {
    pub(super) from: Option<Clock>,
    pub(super) to: Option<Clock>,
    pub(super) sign: Sign,
    pub(super) text: String,
}

/// A sign between a field and a number or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Is,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// An interval of numbers whose ends belong to it unless they are open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: Number,
    pub(super) low_open: bool,
    pub(super) high: Number,
    pub(super) high_open: bool,
}

impl Bounds {
    pub(super) fn between(low: impl Into<Number>, high: impl Into<Number>) -> Self {
        Self { low: low.into(), low_open: false, high: high.into(), high_open: false }
    }

    pub(super) fn by_sign(sign: Sign, value: impl Into<Number>) -> Self {
        let value = value.into();
        let all = Self::between(f64::NEG_INFINITY, f64::INFINITY);
        match sign {
            Sign::Is => Self::between(value, value),
            Sign::Lt => Self { high: value, high_open: true, ..all },
            Sign::Le => Self { high: value, ..all },
            Sign::Gt => Self { low: value, low_open: true, ..all },
            Sign::Ge => Self { low: value, ..all },
        }
    }

    pub(super) fn hold(&self, value: impl Into<Number>) -> bool {
        let value = value.into();
        let is_above = if self.low_open { value > self.low } else { value >= self.low };
        let is_below = if self.high_open { value < self.high } else { value <= self.high };
        is_above && is_below
    }

    /// The same interval in whole numbers, both ends included; empty if the first is above the second.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, which is what an end beyond the range means"
    )]
    pub(super) fn to_integers(self) -> (i64, i64) {
        // 1.005 ms are 1004.9999999999999 µs in binary, and 1005 were meant.
        let settle = |end: f64| if (end - end.round()).abs() < 1e-6 { end.round() } else { end };
        let (low, high) = (settle(self.low.near), settle(self.high.near));
        let low = if self.low_open { low.floor() as i64 } else { low.ceil() as i64 };
        let high = if self.high_open { high.ceil() as i64 } else { high.floor() as i64 };
        let low = low.saturating_add(i64::from(self.low_open));
        (low, high.saturating_sub(i64::from(self.high_open)))
    }
}

impl Expr {
    /// The terms, from the left.
    pub(super) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::terms).collect(),
            Self::Not(inner) => inner.terms(),
            Self::Term(term) => vec![term],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_bounds_hold_for_the_same_whole_numbers() {
        for sign in [Sign::Is, Sign::Lt, Sign::Le, Sign::Gt, Sign::Ge] {
            for value in [3.0, 3.5, -2.5, 0.0] {
                let bounds = Bounds::by_sign(sign, value);
                let (low, high) = bounds.to_integers();
                for number in -5_i32..6 {
                    let expected = bounds.hold(f64::from(number));
                    assert_eq!(
                        (low..=high).contains(&i64::from(number)),
                        expected,
                        "{number} {sign:?} {value}"
                    );
                }
            }
        }
    }
}
