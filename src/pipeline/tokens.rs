//! JSON text as a flat stream of keys, values and brackets with their positions.
//!
//! Called by the scrubbing and by the cutting of long events, which copy the text around what they change. It
//! never recurses and never fails: text that is not JSON just ends the stream.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A member's name; the range is what stands between its quotes.
    Key,
    /// A string value; the range is what stands between its quotes.
    Text,
    /// A number, `true` or `false`.
    Scalar,
    Null,
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

/// The tokens of `text`, in order.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    /// Skips what is left of an object or array whose bracket was just read, and says where it ends.
    pub(super) fn skip_container(&mut self) -> usize {
        let mut depth = 1usize;
        while depth > 0 {
            match self.next().map(|token| token.kind) {
                Some(Kind::Open) => depth += 1,
                Some(Kind::Close) => depth -= 1,
                Some(_) => {}
                None => return self.bytes.len(),
            }
        }
        self.at
    }

    fn string(&mut self) -> Option<Token> {
        let start = self.at + 1;
        let mut from = start;
        let end = loop {
            let found = from + memchr::memchr2(b'"', b'\\', self.bytes.get(from..)?)?;
            if self.bytes[found] == b'"' {
                break found;
            }
            from = found + 2;
        };
        self.at = end + 1;
        let next = self.bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        let kind = if next == Some(&b':') { Kind::Key } else { Kind::Text };
        Some(Token { kind, at: start..end })
    }

    fn scalar(&mut self) -> Token {
        let start = self.at;
        let rest = &self.bytes[start + 1..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}[{\"".contains(byte);
        self.at = start + 1 + rest.iter().position(ends).unwrap_or(rest.len());
        let kind = if self.bytes[start] == b'n' { Kind::Null } else { Kind::Scalar };
        Token { kind, at: start..self.at }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let kind = match *self.bytes.get(self.at)? {
                b'"' => {
                    let token = self.string();
                    if token.is_none() {
                        self.at = self.bytes.len();
                    }
                    return token;
                }
                b'{' | b'[' => Kind::Open,
                b'}' | b']' => Kind::Close,
                b',' | b':' | b' ' | b'\n' | b'\t' | b'\r' => {
                    self.at += 1;
                    continue;
                }
                _ => return Some(self.scalar()),
            };
            self.at += 1;
            return Some(Token { kind, at: self.at - 1..self.at });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_values_and_positions_are_exact() {
        let text = r#"{ "a" : "b\"c", "d":[1.50,null,{}], "e":true}"#;
        let found: Vec<_> = Tokens::new(text).map(|token| (token.kind, &text[token.at])).collect();
        assert_eq!(
            found,
            [
                (Kind::Open, "{"),
                (Kind::Key, "a"),
                (Kind::Text, r#"b\"c"#),
                (Kind::Key, "d"),
                (Kind::Open, "["),
                (Kind::Scalar, "1.50"),
                (Kind::Null, "null"),
                (Kind::Open, "{"),
                (Kind::Close, "}"),
                (Kind::Close, "]"),
                (Kind::Key, "e"),
                (Kind::Scalar, "true"),
                (Kind::Close, "}"),
            ]
        );
    }

    #[test]
    fn a_container_is_skipped_to_its_own_bracket() {
        let text = r#"[{"a":["}]"]},1]"#;
        let mut tokens = Tokens::new(text);
        tokens.next();
        tokens.next();
        assert_eq!(&text[tokens.skip_container()..], ",1]");
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends_the_stream(input in r#"["\\{}\[\],:a 1é]{0,60}"#) {
            for token in Tokens::new(&input) {
                proptest::prop_assert!(input.get(token.at).is_some());
            }
        }
    }
}
