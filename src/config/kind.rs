//! What a setting may be: the kinds of values, and reading one from TOML, from the environment or from a command.
//!
//! Called by the table of settings. It knows no setting; what it refuses it answers with what is allowed.

use toml_edit::Item;

use super::filters;
use super::table::is_reference;

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

/// Which texts are allowed, in words and as a check.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Stands behind "is", as in `an address such as 127.0.0.1`.
    pub what: &'static str,
    pub is_one: fn(&str) -> bool,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Flag,
    /// A whole number, both ends included.
    Number {
        from: u64,
        to: u64,
    },
    /// Bytes: a bare number is MiB.
    Size,
    Choice(&'static [&'static str]),
    /// Any of these words, in a list.
    Choices(&'static [&'static str]),
    Text(Check),
    /// A filter, which may name saved ones.
    Filter,
    List(Check),
    /// A table from names that are one to any text; typed as `FROM => TO`.
    Map(Check),
    /// Never written in a file itself: `env:NAME` or `file:PATH` say where it is.
    Secret,
}

const MIB: u64 = 1 << 20;

impl Kind {
    /// What is allowed, as it stands behind "is".
    pub fn allowed(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Number { from, to } if *to > u64::from(u32::MAX) => format!("a number of at least {from}"),
            Self::Number { from, to } => format!("a number from {from} to {to}"),
            Self::Size => "a size such as \"256MiB\", or a number of MiB".to_owned(),
            Self::Choice(words) => one_of(words),
            Self::Choices(words) => format!("a list of {}", words.join(", ")),
            Self::Text(check) | Self::Map(check) => check.what.to_owned(),
            Self::Filter => "a filter such as \"level>=warn\"".to_owned(),
            Self::List(check) => format!("a list, each {}", check.what),
            Self::Secret => "\"env:NAME\" or \"file:PATH\", where the secret itself is".to_owned(),
        }
    }

    /// Why `key` cannot be what was written, and the byte of its `text` that it is about, where it is about one.
    pub(super) fn refusal(&self, key: &str, text: Option<&str>) -> (String, Option<usize>) {
        let text = text.filter(|_| matches!(self, Self::Filter));
        match text.and_then(|text| filters::mistake(key, text)) {
            Some((message, at)) => (message, Some(at)),
            None => (format!("{key} is {}", self.allowed()), None),
        }
    }

    /// The value of a TOML item; `None` if it is none of this kind.
    pub(super) fn of_item(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Flag => item.as_bool().map(Value::Flag),
            Self::Number { .. } => self.checked(Value::Number(number(item)?)),
            Self::Size => match number(item) {
                Some(mib) => self.checked(Value::Number(mib.checked_mul(MIB)?)),
                None => self.of_text(item.as_str()?),
            },
            Self::Choice(_) | Self::Text(_) | Self::Filter => {
                self.checked(Value::Text(item.as_str()?.to_owned()))
            }
            Self::Secret => {
                let text = item.as_str()?;
                is_reference(text).then(|| Value::Text(text.to_owned()))
            }
            Self::Choices(_) | Self::List(_) => {
                let texts = item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned));
                self.checked(Value::List(texts.collect::<Option<_>>()?))
            }
            Self::Map(_) => {
                let pairs = item.as_table_like()?.iter();
                let pairs = pairs.map(|(name, item)| Some((name.to_owned(), item.as_str()?.to_owned())));
                self.checked(Value::Map(pairs.collect::<Option<_>>()?))
            }
        }
    }

    /// The value that a person typed, lists with commas; `None` if it is none of this kind.
    pub fn of_text(&self, text: &str) -> Option<Value> {
        let value = match self {
            Self::Flag => Value::Flag(match text.to_ascii_lowercase().as_str() {
                "true" | "on" | "yes" | "1" => true,
                "false" | "off" | "no" | "0" => false,
                _ => return None,
            }),
            Self::Number { .. } => Value::Number(text.replace(['_', ','], "").parse().ok()?),
            Self::Size => Value::Number(size(text)?),
            Self::Choice(_) | Self::Text(_) | Self::Filter | Self::Secret => Value::Text(text.to_owned()),
            Self::Choices(_) | Self::List(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::List(parts.map(str::to_owned).collect())
            }
            Self::Map(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let pair = |part: &str| {
                    part.split_once("=>").map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()))
                };
                Value::Map(parts.map(pair).collect::<Option<_>>()?)
            }
        };
        self.checked(value)
    }

    fn checked(&self, value: Value) -> Option<Value> {
        let is_fine = match (self, &value) {
            (Self::Number { from, to }, Value::Number(number)) => (from..=to).contains(&number),
            (Self::Size, Value::Number(bytes)) => *bytes > 0,
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Choices(words), Value::List(texts)) => {
                texts.iter().all(|text| words.contains(&text.as_str()))
            }
            (Self::Text(check), Value::Text(text)) => (check.is_one)(text),
            (Self::Filter, Value::Text(text)) => filters::mistake("", text).is_none(),
            (Self::List(check), Value::List(texts)) => texts.iter().all(|text| (check.is_one)(text)),
            (Self::Map(check), Value::Map(pairs)) => pairs.iter().all(|(name, _)| (check.is_one)(name)),
            (Self::Flag, Value::Flag(_)) | (Self::Secret, Value::Text(_)) => true,
            _ => false,
        };
        is_fine.then_some(value)
    }
}

fn number(item: &Item) -> Option<u64> {
    u64::try_from(item.as_integer()?).ok()
}

fn one_of(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(", "),
    }
}

/// Reads `64MiB`, `1gb`, `500000b`, and a bare number as MiB; `None` for what is no size, and for 0.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" | "k" => 1 << 10,
        "" | "mib" | "m" => MIB,
        "gib" | "g" => 1 << 30,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// A field of the settings that values can be put into and read from.
pub(super) trait Field {
    fn value(&self) -> Value;
    /// Takes a value that its setting's kind has let through; another kind's changes nothing.
    fn put(&mut self, value: Value);
}

impl Field for bool {
    fn value(&self) -> Value {
        Value::Flag(*self)
    }

    fn put(&mut self, value: Value) {
        if let Value::Flag(flag) = value {
            *self = flag;
        }
    }
}

impl Field for u64 {
    fn value(&self) -> Value {
        Value::Number(*self)
    }

    fn put(&mut self, value: Value) {
        if let Value::Number(number) = value {
            *self = number;
        }
    }
}

impl Field for u16 {
    fn value(&self) -> Value {
        Value::Number(u64::from(*self))
    }

    fn put(&mut self, value: Value) {
        if let Value::Number(number) = value {
            *self = u16::try_from(number).unwrap_or(*self);
        }
    }
}

impl Field for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn put(&mut self, value: Value) {
        if let Value::Text(text) = value {
            *self = text;
        }
    }
}

impl Field for Vec<String> {
    fn value(&self) -> Value {
        Value::List(self.clone())
    }

    fn put(&mut self, value: Value) {
        if let Value::List(list) = value {
            *self = list;
        }
    }
}

impl Field for Vec<(String, String)> {
    fn value(&self) -> Value {
        Value::Map(self.clone())
    }

    fn put(&mut self, value: Value) {
        if let Value::Map(pairs) = value {
            *self = pairs;
        }
    }
}

impl Field for std::net::IpAddr {
    fn value(&self) -> Value {
        Value::Text(self.to_string())
    }

    fn put(&mut self, value: Value) {
        if let Value::Text(text) = value {
            *self = text.parse().unwrap_or(*self);
        }
    }
}

/// A choice between words, as an enum.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Every choice with its word; the words of the setting's kind in the same order.
    const ALL: &'static [(&'static str, Self)];
}

impl<W: Word> Field for W {
    fn value(&self) -> Value {
        let word = W::ALL.iter().find(|(_, one)| one == self).map_or("", |(word, _)| word);
        Value::Text(word.to_owned())
    }

    fn put(&mut self, value: Value) {
        if let Value::Text(text) = value
            && let Some((_, one)) = W::ALL.iter().find(|(word, _)| *word == text)
        {
            *self = *one;
        }
    }
}

impl Value {
    /// This value as it would be written in a settings file.
    pub fn to_toml(&self) -> toml_edit::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => i64::try_from(*number).unwrap_or(i64::MAX).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(texts) => texts.iter().map(String::as_str).collect::<toml_edit::Array>().into(),
            Self::Map(pairs) => {
                let pairs = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str()));
                pairs.collect::<toml_edit::InlineTable>().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: Check =
        Check { what: "letters", is_one: |text| !text.is_empty() && text.chars().all(char::is_alphabetic) };

    #[test]
    fn values_are_read_from_files_and_from_what_is_typed() {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let list = |texts: &[&str]| Some(Value::List(texts.iter().map(|one| (*one).to_owned()).collect()));
        let map = |from: &str, to: &str| Some(Value::Map(vec![(from.to_owned(), to.to_owned())]));
        let port = Kind::Number { from: 0, to: 65_535 };
        for (kind, toml, typed, expected) in [
            (Kind::Flag, "true", "on", Some(Value::Flag(true))),
            (Kind::Flag, "1", "maybe", None),
            (port, "80", "80", Some(Value::Number(80))),
            (port, "65536", "65536", None),
            (port, "-1", "-1", None),
            (port, "\"80\"", "", None),
            (Kind::Number { from: 1, to: u64::MAX }, "1_000", "1,000", Some(Value::Number(1_000))),
            (Kind::Size, "256", "256", Some(Value::Number(256 << 20))),
            (Kind::Size, "\"1GiB\"", "1GiB", Some(Value::Number(1 << 30))),
            (Kind::Size, "0", "0", None),
            (Kind::Size, "\"much\"", "much", None),
            (Kind::Choice(&["a", "b"]), "\"b\"", "b", text("b")),
            (Kind::Choice(&["a", "b"]), "\"c\"", "c", None),
            (Kind::Choices(&["a", "b"]), "[\"b\", \"a\"]", "b, a", list(&["b", "a"])),
            (Kind::Choices(&["a", "b"]), "[\"c\"]", "c", None),
            (Kind::Text(LETTERS), "\"x\"", "x", text("x")),
            (Kind::Text(LETTERS), "\"1\"", "1", None),
            (Kind::List(LETTERS), "[]", "", list(&[])),
            (Kind::List(LETTERS), "[\"x\", 1]", "x, 1", None),
            (Kind::Map(LETTERS), "{ x = \"./1\" }", "x => ./1", map("x", "./1")),
            (Kind::Map(LETTERS), "{}", "", Some(Value::Map(Vec::new()))),
            (Kind::Map(LETTERS), "{ \"1\" = \"x\" }", "1 => x", None),
            (Kind::Map(LETTERS), "[\"x => y\"]", "x", None),
            (Kind::Map(LETTERS), "{ x = 1 }", "=> x", None),
        ] {
            let document: toml_edit::DocumentMut = format!("k = {toml}").parse().expect("toml");
            assert_eq!(kind.of_item(&document["k"]), expected, "{toml}");
            assert_eq!(kind.of_text(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_secret_is_no_part_of_a_file() {
        let document: toml_edit::DocumentMut = "a = \"env:X\"\nb = \"s3cret\"".parse().expect("toml");
        assert!(Kind::Secret.of_item(&document["a"]).is_some());
        assert_eq!(Kind::Secret.of_item(&document["b"]), None);
        assert!(Kind::Secret.of_text("s3cret").is_some());
    }

    #[test]
    fn sizes_read_their_units() {
        for (text, bytes) in [
            ("256MiB", Some(268_435_456)),
            ("1gb", Some(1_000_000_000)),
            ("7b", Some(7)),
            ("7", Some(7 << 20)),
            ("7 ", Some(7 << 20)),
            ("0", None),
            ("17592186044416", None),
            ("1x", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_said() {
        for (kind, expected) in [
            (Kind::Choice(&["a", "b", "c"]), "a, b or c"),
            (Kind::Number { from: 1, to: 60 }, "a number from 1 to 60"),
            (Kind::Number { from: 1, to: u64::MAX }, "a number of at least 1"),
            (Kind::List(LETTERS), "a list, each letters"),
        ] {
            assert_eq!(kind.allowed(), expected);
        }
    }
}
