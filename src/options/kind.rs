//! The kinds of values a key may have, and reading one from TOML.
//!
//! Called by [`super::Values::read`]. A value that is none of its kind is answered with what is allowed.

use toml_edit::Item;

use super::value::{Secret, Value};
use crate::event::Level;
use crate::filter;

/// What is wrong with a value, beyond what is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// From `: ` on, or nothing where there is no more to say.
    pub why: String,
    /// The byte of the text that it is about, where it is about one.
    pub at: Option<usize>,
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self { why, at: None }
    }
}

/// Which texts are allowed, in words and as a check that may say what is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Stands behind "is", as in `a filter such as "level>=error"`.
    pub what: &'static str,
    pub check: fn(&str) -> Result<(), String>,
}

impl Check {
    /// Any text that is not empty.
    pub const ANY: Self = Self { what: "text in quotes", check: |text| Self::when(!text.trim().is_empty()) };

    /// The answer of a check that has nothing to say beyond what is allowed.
    pub fn when(is_one: bool) -> Result<(), String> {
        if is_one { Ok(()) } else { Err(String::new()) }
    }
}

/// What a key may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Flag,
    /// A whole number, both ends included.
    Count {
        from: u64,
        to: u64,
    },
    /// A number from 0 to 1, or a percentage as text.
    Share,
    /// A number with decimals.
    Real,
    /// Bytes: `"64MiB"`, or a bare number of bytes.
    Size,
    /// A time: `"500ms"`, `"30s"`, `"5m"`, `"1h"`, `"30d"`, or a bare number of seconds.
    Span,
    Word(&'static [&'static str]),
    Level,
    Text(Check),
    /// A filter that looks at nothing but the event.
    Filter,
    /// A text, a number, or true or false.
    Scalar,
    /// One text or a list of them.
    List(Check),
    /// A table from names to values of one kind.
    Map {
        name: Check,
        value: &'static Kind,
    },
    /// Never written itself: `env:NAME` or `file:PATH` say where it is.
    Secret,
}

impl Kind {
    /// What is allowed, as it stands behind "is".
    pub fn allowed(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Count { from, to } if *to > u64::from(u32::MAX) => format!("a number of at least {from}"),
            Self::Count { from, to } => format!("a number from {from} to {to}"),
            Self::Share => "a share from 0 to 1, such as 0.1".to_owned(),
            Self::Real => "a number".to_owned(),
            Self::Size => "a size such as \"64MiB\"".to_owned(),
            Self::Span => "a time such as \"500ms\", \"30s\", \"5m\", \"1h\" or \"30d\"".to_owned(),
            Self::Word(words) => one_of(words),
            Self::Level => one_of(&Level::ALL.map(Level::name)),
            Self::Text(check) => check.what.to_owned(),
            Self::Filter => "a filter such as \"level>=error\"".to_owned(),
            Self::Scalar => "a text, a number, true or false".to_owned(),
            Self::List(check) => format!("a list, each {}", check.what),
            Self::Map { name, value } => format!("a table from {} to {}", name.what, value.allowed()),
            Self::Secret => "\"env:NAME\" or \"file:PATH\", where the secret itself is".to_owned(),
        }
    }

    /// The value of a TOML item.
    ///
    /// # Errors
    /// If it is none of this kind: what more there is to say than what is allowed.
    pub fn read(&self, item: &Item) -> Result<Value, Wrong> {
        let none = Wrong::default;
        match self {
            Self::Flag => item.as_bool().map(Value::Flag).ok_or_else(none),
            Self::Count { from, to } => {
                let number = item.as_integer().and_then(|number| u64::try_from(number).ok());
                number.filter(|number| (from..=to).contains(&number)).map(Value::Number).ok_or_else(none)
            }
            Self::Share => {
                let share = real(item).or_else(|| percentage(item.as_str()?));
                share.filter(|share| (0.0..=1.0).contains(share)).map(Value::Real).ok_or_else(none)
            }
            Self::Real => real(item).filter(|real| real.is_finite()).map(Value::Real).ok_or_else(none),
            Self::Size => match item.as_integer() {
                Some(bytes) => u64::try_from(bytes).ok(),
                None => item.as_str().and_then(size),
            }
            .map(Value::Size)
            .ok_or_else(none),
            Self::Span => match real(item) {
                Some(seconds) => ms_of(seconds * 1000.0),
                None => item.as_str().and_then(span_ms),
            }
            .map(Value::Span)
            .ok_or_else(none),
            Self::Word(words) => {
                let word = item.as_str().filter(|word| words.contains(word));
                word.map(|word| Value::Text(word.to_owned())).ok_or_else(none)
            }
            Self::Level => {
                let level = item.as_str().and_then(Level::parse);
                level.map(|level| Value::Text(level.name().to_owned())).ok_or_else(none)
            }
            Self::Text(check) => Ok(Value::Text(checked(check, item.as_str())?)),
            Self::Filter => {
                let text = item.as_str().ok_or_else(none)?;
                match filter::read_of_event(text) {
                    Ok(_) => Ok(Value::Text(text.to_owned())),
                    Err(error) => {
                        Err(Wrong { why: format!(": {}", error.message), at: Some(error.span.start) })
                    }
                }
            }
            Self::Scalar => scalar(item).ok_or_else(none),
            Self::List(check) => list(check, item),
            Self::Map { name, value } => map(name, value, item),
            Self::Secret => {
                Secret::read(item.as_str().unwrap_or_default()).map(Value::Secret).ok_or_else(none)
            }
        }
    }

    /// A default as a table writes it.
    ///
    /// # Panics
    /// If it is none of this kind, which a test of every table finds.
    pub(super) fn default(&self, text: &str) -> Value {
        let value: toml_edit::Value = text.parse().expect("a default is TOML");
        self.read(&Item::Value(value)).expect("a default is of its key's kind")
    }
}

fn real(item: &Item) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "nobody sets a share or a limit above 2^53")]
    item.as_float().or_else(|| item.as_integer().map(|number| number as f64))
}

fn scalar(item: &Item) -> Option<Value> {
    let text = item.as_str().map(|text| Value::Text(text.to_owned()));
    let flag = || item.as_bool().map(Value::Flag);
    let whole = || item.as_integer().and_then(|number| u64::try_from(number).ok()).map(Value::Number);
    let real = || real(item).filter(|real| real.is_finite()).map(Value::Real);
    text.or_else(flag).or_else(whole).or_else(real)
}

fn percentage(text: &str) -> Option<f64> {
    text.strip_suffix('%')?.trim().parse::<f64>().ok().map(|percent| percent / 100.0)
}

fn checked(check: &Check, text: Option<&str>) -> Result<String, String> {
    let text = text.ok_or_else(String::new)?;
    match (check.check)(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(why) if why.is_empty() => Err(why),
        Err(why) => Err(format!(": {why}")),
    }
}

fn list(check: &Check, item: &Item) -> Result<Value, Wrong> {
    if let Some(text) = item.as_str() {
        return Ok(Value::List(vec![checked(check, Some(text))?]));
    }
    let array = item.as_array().ok_or_else(Wrong::default)?;
    let texts: Result<_, _> = array.iter().map(|value| checked(check, value.as_str())).collect();
    Ok(Value::List(texts?))
}

fn map(name: &Check, kind: &Kind, item: &Item) -> Result<Value, Wrong> {
    let table = item.as_table_like().ok_or_else(Wrong::default)?;
    let read = |(key, item): (&str, &Item)| {
        checked(name, Some(key))?;
        kind.read(item)
            .map(|value| (key.to_owned(), value))
            .map_err(|_| Wrong::from(format!(": {key} is {}", kind.allowed())))
    };
    table.iter().map(read).collect::<Result<_, _>>().map(Value::Map)
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(", "),
    }
}

fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// The units of times, shortest first, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

pub fn span_ms(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let unit = UNITS.iter().find(|(name, _)| *name == unit || (unit.is_empty() && *name == "s"))?.1;
    #[expect(clippy::cast_precision_loss, reason = "a unit has at most eight digits")]
    ms_of(digits.trim().parse::<f64>().ok()? * unit as f64)
}

fn ms_of(ms: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
    (0.0..1e14).contains(&ms).then(|| ms.round() as u64)
}

/// A time in its largest unit that leaves no rest: `90s`, `5m`.
pub fn span_text(ms: u64) -> String {
    let unit = UNITS.iter().rev().find(|(_, unit)| ms.is_multiple_of(*unit) && ms > 0);
    let (name, unit) = unit.unwrap_or(&UNITS[1]);
    format!("{}{name}", ms / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_kind() {
        for (kind, toml, expected) in [
            (Kind::Flag, "true", Some(Value::Flag(true))),
            (Kind::Flag, "1", None),
            (Kind::Share, "0.1", Some(Value::Real(0.1))),
            (Kind::Share, "1", Some(Value::Real(1.0))),
            (Kind::Share, "\"25%\"", Some(Value::Real(0.25))),
            (Kind::Share, "1.5", None),
            (Kind::Size, "\"64MiB\"", Some(Value::Size(64 << 20))),
            (Kind::Size, "4096", Some(Value::Size(4096))),
            (Kind::Size, "\"64 apples\"", None),
            (Kind::Span, "\"1.5s\"", Some(Value::Span(1_500))),
            (Kind::Span, "30", Some(Value::Span(30_000))),
            (Kind::Span, "\"30d\"", Some(Value::Span(30 * 86_400_000))),
            (Kind::Span, "\"soon\"", None),
            (Kind::Scalar, "\"a\"", Some(Value::Text("a".to_owned()))),
            (Kind::Scalar, "false", Some(Value::Flag(false))),
            (Kind::Scalar, "7", Some(Value::Number(7))),
            (Kind::Scalar, "-1.5", Some(Value::Real(-1.5))),
            (Kind::Scalar, "nan", None),
            (Kind::Scalar, "[1]", None),
            (Kind::Level, "\"warning\"", Some(Value::Text("warn".to_owned()))),
            (Kind::Level, "\"loud\"", None),
            (Kind::List(Check::ANY), "\"one\"", Some(Value::List(vec!["one".to_owned()]))),
            (Kind::List(Check::ANY), "[\"a\", 3]", None),
            (
                Kind::Map { name: Check::ANY, value: &Kind::Share },
                "{ a = 0.5 }",
                Some(Value::Map(vec![("a".to_owned(), Value::Real(0.5))])),
            ),
            (Kind::Secret, "\"plain\"", None),
        ] {
            let document: toml_edit::DocumentMut = format!("k = {toml}").parse().expect("toml");
            assert_eq!(kind.read(&document["k"]).ok(), expected, "{toml}");
        }
    }

    #[test]
    fn times_are_written_in_their_largest_unit() {
        for (ms, text) in [(0, "0s"), (1, "1ms"), (90_000, "90s"), (300_000, "5m"), (86_400_000, "1d")] {
            assert_eq!(span_text(ms), text);
            assert_eq!(span_ms(text), Some(ms));
        }
    }
}
