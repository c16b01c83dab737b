//! Numbers with units and ranges of them, as typed.
//!
//! Called by `check`; it says what is wrong with a value but does not know the field it is for.

use std::fmt;

/// What a number measures, which decides its base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Plain,
    /// In microseconds.
    Duration,
    /// In bytes.
    Size,
}

/// A number as it is compared: from 2^53 on floats have gaps, and ids of 64 bits have none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Number {
    /// The nearest float; numbers are in the order of these first.
    pub(super) near: f64,
    /// What a whole number is beyond that.
    beyond: i128,
}

/// Below this every whole number is a float.
const FIRST_GAP: f64 = 9_007_199_254_740_992.0;

impl From<f64> for Number {
    fn from(near: f64) -> Self {
        Self { near, beyond: 0 }
    }
}

impl Number {
    /// The number written as `digits`, to which `near` is the nearest float.
    pub(super) fn written(digits: &str, near: f64) -> Self {
        if near.abs() < FIRST_GAP {
            return near.into();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates beyond what any digits can be read as"
        )]
        let beyond = digits.parse::<i128>().map_or(0, |whole| whole.saturating_sub(near as i128));
        Self { near, beyond }
    }

    /// The number as many times as a unit has base units.
    pub(super) fn times(self, unit: f64) -> Self {
        if unit == 1.0 { self } else { (self.near * unit).into() }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A float alone is written with as few digits as tell it from other floats.
        let is_whole = (FIRST_GAP..1e38).contains(&self.near.abs());
        #[expect(clippy::cast_possible_truncation, reason = "up to 1e38")]
        if is_whole { (self.near as i128).saturating_add(self.beyond).fmt(f) } else { self.near.fmt(f) }
    }
}

/// A number in the base unit of its measure, with its canonical text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: Number,
    pub(super) text: String,
    pub(super) measure: Measure,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadQuantity {
    NotANumber,
    /// The unit at this byte is unknown.
    Unit(usize),
}

/// Units with their sizes in the base unit, in the order messages name them.
pub(super) const DURATIONS: [(&str, f64); 6] =
    [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 6e7), ("h", 3.6e9), ("d", 8.64e10)];
pub(super) const SIZES: [(&str, f64); 7] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

impl Measure {
    pub(super) fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Plain => &[],
            Self::Duration => &DURATIONS,
            Self::Size => &SIZES,
        }
    }

    fn unit(self, name: &str) -> Option<(&'static str, f64)> {
        let name = if name == "µs" || name == "μs" { "us" } else { name };
        self.units().iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
    }
}

/// Splits a decimal number from what follows it; no exponents, no infinities.
fn split_number(text: &str) -> Option<(Number, &str)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let len = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let digits = &text[..text.len() - unsigned.len() + len];
    let starts_with_digit = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let number = digits.parse().ok().filter(|number: &f64| number.is_finite() && starts_with_digit)?;
    Some((Number::written(digits, number), &unsigned[len..]))
}

/// Reads `text` as a quantity of `measure`; without a unit it is in `own_unit`.
///
/// # Errors
/// If it does not begin with a number or the unit is unknown.
pub(super) fn quantity(text: &str, measure: Measure, own_unit: &str) -> Result<Quantity, BadQuantity> {
    let (number, unit) = split_number(text).ok_or(BadQuantity::NotANumber)?;
    if measure == Measure::Plain {
        let is_number = unit.is_empty();
        let plain = Quantity { value: number, text: number.to_string(), measure };
        return if is_number { Ok(plain) } else { Err(BadQuantity::NotANumber) };
    }
    let named = if unit.is_empty() { own_unit } else { unit };
    let (name, size) = measure.unit(named).ok_or(BadQuantity::Unit(text.len() - unit.len()))?;
    Ok(Quantity { value: number.times(size), text: format!("{number}{name}"), measure })
}

/// Reads a number with any unit or none, for fields of which nothing is known.
pub(super) fn any_quantity(text: &str) -> Option<Quantity> {
    quantity(text, Measure::Plain, "")
        .or_else(|_| quantity(text, Measure::Duration, "ms"))
        .or_else(|_| quantity(text, Measure::Size, "B"))
        .ok()
}

/// `a..b`, `a..` or `..b`; `None` if there are no two dots or nothing beside them.
pub(super) fn range(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (low, high) = text.split_once("..")?;
    let side = |side: &'_ str| (!side.is_empty()).then_some(());
    match (side(low), side(high)) {
        (None, None) => None,
        (from, to) => Some((from.map(|()| low), to.map(|()| high))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units_and_a_canonical_text() {
        for (text, measure, own, expected) in [
            ("200", Measure::Duration, "ms", Ok((200_000.0, "200ms"))),
            ("1.5s", Measure::Duration, "ms", Ok((1_500_000.0, "1.5s"))),
            ("2M", Measure::Duration, "ms", Ok((120_000_000.0, "2m"))),
            ("200msec", Measure::Duration, "ms", Err(BadQuantity::Unit(3))),
            ("4kb", Measure::Size, "B", Ok((4000.0, "4kB"))),
            ("1KIB", Measure::Size, "B", Ok((1024.0, "1KiB"))),
            ("5", Measure::Size, "kB", Ok((5000.0, "5kB"))),
            ("-1", Measure::Plain, "", Ok((-1.0, "-1"))),
            ("4oo", Measure::Plain, "", Err(BadQuantity::NotANumber)),
            ("inf", Measure::Plain, "", Err(BadQuantity::NotANumber)),
            ("1.2.3", Measure::Plain, "", Err(BadQuantity::NotANumber)),
            (".", Measure::Duration, "ms", Err(BadQuantity::NotANumber)),
        ] {
            let found = quantity(text, measure, own).map(|quantity| (quantity.value, quantity.text));
            assert_eq!(found, expected.map(|(value, text)| (Number::from(value), text.to_owned())), "{text}");
        }
    }

    #[test]
    fn whole_numbers_of_64_bits_are_told_apart() {
        let number = |text: &str| quantity(text, Measure::Plain, "").expect(text).value;
        let rising = [
            "-9223372036854775808",
            "-9007199254740994",
            "-9007199254740993",
            "-9007199254740992",
            "0",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "9223372036854775807",
            "18446744073709551614",
            "18446744073709551615",
            "18446744073709551616",
        ];
        for (at, text) in rising.iter().enumerate() {
            for (other_at, other) in rising.iter().enumerate() {
                let order = number(text).partial_cmp(&number(other));
                assert_eq!(order, Some(at.cmp(&other_at)), "{text} {other}");
            }
            assert_eq!(number(text).to_string(), *text);
        }
    }

    #[test]
    fn ranges_may_lack_one_end() {
        assert_eq!(range("1..2"), Some((Some("1"), Some("2"))));
        assert_eq!(range("1.5.."), Some((Some("1.5"), None)));
        assert_eq!(range("..2"), Some((None, Some("2"))));
        assert_eq!((range(".."), range("1.5")), (None, None));
    }
}
