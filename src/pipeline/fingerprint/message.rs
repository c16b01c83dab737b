//! A message without what changes from one time to the next.
//!
//! [`super::fingerprint`] hashes the result; panes may show it as the name of a group. One pass, bounded.

use super::super::segment::{CLASS, DIGIT, HEX, JOINT, LETTER, classes, is_random};

/// Of the message, in bytes; what sets two problems apart is said before that.
const READ_MAX: usize = 1_024;
/// A quoted value may be this long; an apostrophe without a partner this near is a letter.
const QUOTED_MAX: usize = 256;
/// Longer than any error class name in use.
const CLASS_NAME_MAX: usize = 64;
/// Hex of a short commit or colour with a digit in it; shorter ones may be words.
const SHORT_HEX: usize = 7;
/// What stands for a number or an id.
const VALUE: char = '#';

/// What engines put before a message when nobody caught the error.
const PREFIXES: [&str; 5] = [
    "Uncaught (in promise) ",
    "Uncaught ",
    "uncaught exception: ",
    "Unhandled Promise Rejection: ",
    "Unhandled rejection ",
];
const QUOTES: [(char, char); 5] = [('\'', '\''), ('"', '"'), ('`', '`'), ('“', '”'), ('‘', '’')];

/// This replaces what is in `out` with `message` without its engine prefix and error class, in which numbers, ids,
/// e-mail addresses and URLs are `#`, quoted values `'#'`, and runs of white space one space.
///
/// Only the first 1,024 bytes count.
pub fn normalise_message(message: &str, out: &mut String) {
    out.clear();
    let mut rest = without_prefix(&message[..message.floor_char_boundary(READ_MAX)]);
    while let Some(first) = rest.chars().next() {
        let plain = plain_words(rest);
        if plain > 0 {
            out.push_str(&rest[..plain]);
            rest = &rest[plain..];
            continue;
        }
        let used = if first.is_ascii_alphanumeric() && !is_url(rest) {
            push_token(rest, out)
        } else if first.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            first.len_utf8()
        } else if let Some(length) = quoted(rest, first, out) {
            out.push_str("'#'");
            length
        } else if is_url(rest) {
            out.push(VALUE);
            word_end(rest)
        } else if first == '@' && out.ends_with(|last: char| last.is_alphanumeric() || last == VALUE) {
            push_email(rest, out)
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[used..];
    }
    out.truncate(out.trim_end().len());
}

/// How many bytes `rest` begins with that stay as they are whatever follows: words of letters with one space between.
fn plain_words(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut words) = (0, 0);
    loop {
        let (start, mut seen) = (at, 0);
        while let Some(class) = bytes.get(at).map(|byte| CLASS[usize::from(*byte)])
            && class & (DIGIT | HEX | LETTER | JOINT) != 0
        {
            seen |= class;
            at += 1;
        }
        // Of hex digits alone it may be an id.
        let is_word = seen & LETTER != 0 && seen & DIGIT == 0 && bytes[start].is_ascii_alphabetic();
        if !is_word || is_url(&rest[start..]) {
            return words;
        }
        words = at;
        if bytes.get(at) != Some(&b' ') {
            return words;
        }
        at += 1;
    }
}

fn without_prefix(message: &str) -> &str {
    let message = message.trim_start();
    let prefixed = || PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix));
    let message = if message.starts_with(['U', 'u']) { prefixed().unwrap_or(message) } else { message };
    match message.split_once(':') {
        Some((name, rest)) if is_error_class(name) => rest,
        _ if is_error_class(message.trim_end()) => "",
        _ => message,
    }
}

fn is_error_class(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte);
    name.len() <= CLASS_NAME_MAX
        && name.bytes().all(is_name)
        && (name.ends_with("Error") || name.ends_with("Exception"))
}

/// The length of the quoted value that begins `rest`; a quote inside a word (`can't`) begins none.
fn quoted(rest: &str, first: char, before: &str) -> Option<usize> {
    let (open, close) = QUOTES.iter().find(|(open, _)| *open == first)?;
    if open == close && before.ends_with(|last: char| last.is_alphanumeric()) {
        return None;
    }
    let start = open.len_utf8();
    let inner = &rest[start..rest.floor_char_boundary(start + QUOTED_MAX)];
    let ends_word =
        |(at, _): &(usize, &str)| !rest[start + at + close.len_utf8()..].starts_with(char::is_alphanumeric);
    let (length, _) = inner.match_indices(*close).find(ends_word)?;
    Some(start + length + close.len_utf8())
}

pub(super) fn is_url(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b'h' | b'w' | b'b', ..])
        && ["http://", "https://", "ws://", "wss://", "blob:"].iter().any(|scheme| rest.starts_with(scheme))
}

fn word_end(rest: &str) -> usize {
    rest.find(|end: char| end.is_whitespace() || "\"'`()<>,;”’".contains(end)).unwrap_or(rest.len())
}

/// Pushes the run of letters, digits and joints that begins `rest`, ids and digits replaced; returns its length.
fn push_token(rest: &str, out: &mut String) -> usize {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let length = rest.bytes().position(|byte| !is_inner(byte)).unwrap_or(rest.len());
    let token = &rest[..length];
    let seen = classes(token);
    if seen & DIGIT == 0 {
        let is_value = seen == HEX && is_random(token.as_bytes(), seen);
        if is_value {
            out.push(VALUE)
        } else {
            out.push_str(token)
        }
        return length;
    }
    let is_short_hex = seen & (LETTER | JOINT) == 0 && seen & HEX != 0 && length >= SHORT_HEX;
    if is_short_hex || token.starts_with("0x") || is_random(token.as_bytes(), seen) {
        push_value(out);
        return length;
    }
    for byte in token.bytes() {
        if byte.is_ascii_digit() {
            push_value(out);
        } else {
            out.push(char::from(byte));
        }
    }
    length
}

/// Pushes `#` once for `1`, `1.5`, `1,234.5`, `10:30` and `2026-01-31`.
fn push_value(out: &mut String) {
    let joined = out.trim_end_matches(['.', ',', ':', '-']);
    if joined.len() + 1 >= out.len() && joined.ends_with(VALUE) {
        out.truncate(joined.len());
    } else {
        out.push(VALUE);
    }
}

/// Takes back the word before the `@` that begins `rest`, and passes what follows it.
fn push_email(rest: &str, out: &mut String) -> usize {
    let is_local = |letter: char| letter.is_alphanumeric() || "._%+-#".contains(letter);
    out.truncate(out.trim_end_matches(is_local).len());
    out.push(VALUE);
    word_end(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_out_and_what_is_said_stays() {
        for (message, expected) in [
            ("user 42 is missing", "user # is missing"),
            ("Uncaught TypeError: x is not a function", "x is not a function"),
            ("Uncaught (in promise) Error: no", "no"),
            ("Unhandled Promise Rejection: TypeError: Load failed", "Load failed"),
            ("TypeError: x", "x"),
            ("TypeError", ""),
            ("com.acme.OrderException: late", "late"),
            ("Note: x", "Note: x"),
            ("can't read 'name' of \"a b\"", "can't read '#' of '#'"),
            ("cannot find module `x` and “y”", "cannot find module '#' and '#'"),
            ("don't stop, it's fine", "don't stop, it's fine"),
            ("took 1,234.56ms at 10:30 on 2026-01-31", "took #ms at # on #"),
            ("item42 of 7.", "item# of #."),
            ("order 123e4567-e89b-12d3-a456-426614174000 gone", "order # gone"),
            ("commit 9f8b2c4 at 0x1F", "commit # at #"),
            ("token V1StGXR8_Z5jdHi6B-myT expired", "token # expired"),
            ("failed https://x.test/a/1?b=2 (retry)", "failed # (retry)"),
            ("no bob.smith@example.com, here", "no #, here"),
            ("  a \n\t b  ", "a b"),
            ("faded decade", "faded decade"),
            ("größer als 3 €", "größer als # €"),
            ("'", "'"),
            ("", ""),
        ] {
            let mut out = String::from("left over");
            normalise_message(message, &mut out);
            assert_eq!(out, expected, "{message}");
        }
    }

    #[test]
    fn only_the_beginning_counts() {
        let mut out = String::new();
        normalise_message(&"é ".repeat(1_000_000), &mut out);
        assert!(out.len() <= READ_MAX);
    }

    proptest::proptest! {
        #[test]
        fn any_digits_are_the_same(a in 0u64.., b in 0u64.., words in "[a-z]{1,8}") {
            let (mut left, mut right) = (String::new(), String::new());
            normalise_message(&format!("{words} {a} {words}"), &mut left);
            normalise_message(&format!("{words} {b} {words}"), &mut right);
            proptest::prop_assert_eq!(left, right);
        }

        #[test]
        fn any_text_is_read(message in "(.|\n|['\"`“@#:0-9]|http://){0,300}") {
            normalise_message(&message, &mut String::new());
        }
    }
}
