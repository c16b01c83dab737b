//! How much a map would take to be read, told from its text before anything of it is kept.
//!
//! Called by `maps::table`; pure. The `sourcemap` crate makes an object of whatever a map lists, and puts its `sourceRoot`
//! before each of its sources: a text of 10 MiB could take gigabytes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::table::Refusal;

/// Values in the whole of a map; one of 10 MiB that somebody needs has a third of them.
const MAX_VALUES: usize = 1_000_000;
/// Bytes that putting `sourceRoot` before every source may take.
const MAX_ROOTS: usize = 64 * 1024 * 1024;

/// Looks through the text of a map.
///
/// # Errors
/// When it is no JSON, or would take too much.
pub(super) fn check(map: &[u8]) -> Result<(), Refusal> {
    // A first line may keep the text from being a script, `)]}'` (ECMA-426 §6).
    let map = match map.first() {
        Some(b')' | b']' | b'}' | b'\'') => memchr::memchr(b'\n', map).map_or(&[][..], |end| &map[end..]),
        _ => map,
    };
    let mut weight = Weight::default();
    let read = Value { weight: &mut weight, is_root: false }
        .deserialize(&mut serde_json::Deserializer::from_slice(map));
    match read {
        _ if weight.is_too_much() => Err(Refusal::TooMuch),
        Ok(()) => Ok(()),
        Err(error) => Err(Refusal::NoMap(error.to_string())),
    }
}

#[derive(Debug, Default)]
struct Weight {
    values: usize,
    /// Bytes of the longest `sourceRoot`.
    root: usize,
}

impl Weight {
    fn is_too_much(&self) -> bool {
        self.values > MAX_VALUES || self.root.saturating_mul(self.values) > MAX_ROOTS
    }
}

/// A value that is counted and forgotten.
struct Value<'w> {
    weight: &'w mut Weight,
    /// It is what `sourceRoot` says.
    is_root: bool,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.weight.values += 1;
        if self.weight.values > MAX_VALUES {
            return Err(D::Error::custom("too many values"));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a map")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.is_root {
            self.weight.root = self.weight.root.max(text.len());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Value { weight: &mut *self.weight, is_root: false })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(is_root) = members.next_key_seed(Key)? {
            members.next_value_seed(Value { weight: &mut *self.weight, is_root })?;
        }
        Ok(())
    }
}

/// The name of a member: whether it is `sourceRoot`, however that is escaped.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = bool;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == "sourceRoot")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_gigabytes_is_refused_before_it_does() {
        let sources = |count: usize| vec!["\"\""; count].join(",");
        let rooted = |key: &str, root: usize, count: usize| {
            format!(
                r#"{{"version":3,"{key}":"{}","sources":[{}],"mappings":""}}"#,
                "r".repeat(root),
                sources(count)
            )
        };
        for (what, map, expected) in [
            ("a usual one", rooted("sourceRoot", 30, 20_000), Ok(())),
            (
                "a long root for each of many",
                rooted("sourceRoot", 3_000_000, 1_000_000 - 5),
                Err(Refusal::TooMuch),
            ),
            (
                "the same with its name escaped",
                rooted("source\\u0052oot", 1_000_000, 100),
                Err(Refusal::TooMuch),
            ),
            (
                "in a section",
                format!(r#"{{"sections":[{{"map":{}}}]}}"#, rooted("sourceRoot", 1_000_000, 100)),
                Err(Refusal::TooMuch),
            ),
            (
                "behind a first line",
                format!(")]}}'\n{}", rooted("sourceRoot", 1_000_000, 100)),
                Err(Refusal::TooMuch),
            ),
            ("endless sources", rooted("sourceRoot", 0, 1_000_001), Err(Refusal::TooMuch)),
            (
                "endless names",
                format!(r#"{{"names":[{}]}}"#, vec!["0"; 1_000_001].join(",")),
                Err(Refusal::TooMuch),
            ),
            (
                "what nobody reads",
                format!(r#"{{"x":[{}]}}"#, vec!["[]"; 1_000_001].join(",")),
                Err(Refusal::TooMuch),
            ),
        ] {
            assert_eq!(check(map.as_bytes()), expected, "{what}");
        }
        assert!(matches!(check(b"<!doctype html>"), Err(Refusal::NoMap(_))));
        assert!(matches!(check("[".repeat(10_000).as_bytes()), Err(Refusal::NoMap(_))));
    }
}
