//! The single values in an event's JSON: strings, numbers and booleans at any depth, with the key each is under.
//!
//! Read by filters, and by what is kept for them of a chunk. One pass over the bytes, no recursion; null is absent, as everywhere.

use std::borrow::Cow;

use super::json;

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The key before it, still escaped; elements of an array are under the array's.
    pub key: &'a str,
    /// Its exact text, quotes included.
    pub value: &'a str,
}

/// The leaves of a value's text, in the order written; a single value is its own leaf.
pub fn leaves(text: &str) -> Leaves<'_> {
    Leaves { text, at: 0, key: "" }
}

/// See [`leaves`].
#[derive(Clone, Debug)]
pub struct Leaves<'a> {
    text: &'a str,
    at: usize,
    key: &'a str,
}

fn is_structure(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\n' | b'\t' | b'\r')
}

impl<'a> Iterator for Leaves<'a> {
    type Item = Leaf<'a>;

    fn next(&mut self) -> Option<Leaf<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            let skipped = bytes.get(self.at..)?.iter().position(|byte| !is_structure(*byte))?;
            let start = self.at + skipped;
            if bytes[start] != b'"' {
                let len = bytes[start..].iter().position(|byte| is_structure(*byte) || *byte == b'"');
                self.at = len.map_or(bytes.len(), |len| start + len.max(1));
                let value = self.text.get(start..self.at)?;
                if value != "null" {
                    return Some(Leaf { key: self.key, value });
                }
                continue;
            }
            let end = string_end(bytes, start + 1)?;
            self.at = end + 1;
            let value = self.text.get(start..=end)?;
            if ends_key(bytes, end) {
                self.key = &value[1..value.len() - 1];
            } else {
                return Some(Leaf { key: self.key, value });
            }
        }
    }
}

/// The text of a leaf, unescaped.
pub fn text_of(value: &str) -> Cow<'_, str> {
    json::text(value).unwrap_or(Cow::Borrowed(value))
}

/// True if the string whose closing quote is at `quote` is a key.
pub fn ends_key(bytes: &[u8], quote: usize) -> bool {
    bytes[quote + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The closing quote of a string of which `from` is no escaped character.
pub fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// The opening quote of the string that holds `at`, if `at` is in a string and no quote itself.
pub fn string_start(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        let quote = memchr::memrchr(b'"', bytes.get(..end)?)?;
        if !is_escaped(bytes, quote) {
            return Some(quote);
        }
        end = quote;
    }
}

/// True if an odd number of backslashes stands right before `at`.
pub fn is_escaped(bytes: &[u8], at: usize) -> bool {
    bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// True for the key whose values words do not search (FILTER: meaning).
pub fn is_user_agent(key: &str) -> bool {
    json::same_name(key, "user-agent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_come_with_their_keys_from_every_depth() {
        let event = r#" {"a":"x\"y", "b" : {"c":[1,"z",null,{"d":true}]},"e":{} , "f":-1.5e3}"#;
        let found: Vec<_> = leaves(event).map(|leaf| (leaf.key, leaf.value)).collect();
        assert_eq!(found, [("a", r#""x\"y""#), ("c", "1"), ("c", r#""z""#), ("d", "true"), ("f", "-1.5e3")]);
        assert_eq!(leaves("12").map(|leaf| leaf.value).collect::<Vec<_>>(), ["12"]);
    }

    #[test]
    fn a_string_is_found_from_its_middle() {
        let bytes = br#"{"k":"a\\\"bc","d":1}"#;
        let at = bytes.iter().position(|byte| *byte == b'b').expect("there");
        assert_eq!((string_start(bytes, at), string_end(bytes, at)), (Some(5), Some(13)));
        assert!(ends_key(bytes, 3) && !ends_key(bytes, 13));
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends_without_a_panic(input in r#"[a"\\{}\[\]:,0né ]{0,60}"#) {
            for leaf in leaves(&input) {
                let _ = text_of(leaf.value);
            }
        }
    }
}
