//! Makes JSON text harmless to print without changing what it says.
//!
//! Called by exports, recordings and `--format jsonl`. Expects text that is JSON already and checks nothing.

use std::fmt::Write;

use super::class;

/// Appends JSON text on one line, with C1, DEL, bidi, zero-width, line-separator characters and noncharacters
/// written as `\u` escapes (CONTRACT: Export).
///
/// This loses nothing: in JSON such characters stand only inside strings, where an escape means the same. Line
/// breaks stand only between tokens and become spaces.
pub fn push_json_escaped(out: &mut String, json: &str) {
    out.reserve(json.len());
    let mut copied = 0;
    let mut at = 0;
    // Nearly all JSON is plain ASCII, which this passes over without decoding.
    while let Some(step) = json.as_bytes()[at..].iter().position(|&byte| !(b' '..=b'~').contains(&byte)) {
        at += step;
        let Some(c) = json[at..].chars().next() else { break };
        let after = at + c.len_utf8();
        if !is_kept(c) {
            out.push_str(&json[copied..at]);
            push_replacement(out, c);
            copied = after;
        }
        at = after;
    }
    out.push_str(&json[copied..]);
}

/// The same for what stands in `out` from the byte `from` on, which is a character's first. Nearly all JSON needs nothing.
pub fn escape_json_from(out: &mut String, from: usize) {
    if !is_plain(&out.as_bytes()[from..]) {
        let json = out.split_off(from);
        push_json_escaped(out, &json);
    }
}

/// Appends `text` as a JSON string, quotes included, with the same escapes.
pub fn push_json_text(out: &mut String, text: &str) {
    let is_as_it_is = is_plain(text.as_bytes()) && memchr::memchr2(b'"', b'\\', text.as_bytes()).is_none();
    if is_as_it_is {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    push_json_escaped(out, &serde_json::to_string(text).expect("a string always encodes"));
}

/// Whether all of it is printable ASCII; looks at many bytes at once.
fn is_plain(bytes: &[u8]) -> bool {
    const AT_ONCE: usize = 32;
    let are_plain = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & (b' '..=b'~').contains(byte));
    let (many, rest) = bytes.as_chunks::<AT_ONCE>();
    many.iter().all(|bytes| are_plain(bytes)) && are_plain(rest)
}

fn is_kept(c: char) -> bool {
    c == '\t' || !(c < ' ' || class::is_unsafe_in_json(c))
}

fn push_replacement(out: &mut String, c: char) {
    if matches!(c, '\n' | '\r') {
        out.push(' ');
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dangerous_characters_become_escapes_and_others_stay() {
        for (json, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("\"é漢👩\u{301}❤\u{FE0F}\"", "\"é漢👩\u{301}❤\u{FE0F}\""),
            ("\"\x7F\u{9B}\"", r#""\u007f\u009b""#),
            ("\"\u{202E}x\u{200B}\u{200D}\u{2028}\"", r#""\u202ex\u200b\u200d\u2028""#),
            ("\"\u{E0001}\u{10FFFF}\u{FFFF}\"", r#""\udb40\udc01\udbff\udfff\uffff""#),
            ("{\"a\":\r\n\t1}", "{\"a\":  \t1}"),
            ("", ""),
        ] {
            let mut out = String::new();
            push_json_escaped(&mut out, json);
            assert_eq!(out, expected);
            let mut behind = "é".to_owned();
            behind.push_str(json);
            escape_json_from(&mut behind, "é".len());
            assert_eq!(behind.strip_prefix('é'), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(text in proptest::collection::vec(any::<char>(), 0..60)) {
            let text: String = text.into_iter().collect();
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let mut out = String::new();
            push_json_escaped(&mut out, &json);
            prop_assert!(!out.chars().any(|c| class::is_unsafe_in_json(c) || c == '\n'));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&out).unwrap(), vec![text]);
        }

        #[test]
        fn a_text_is_the_string_of_any_reader(text in prop_oneof!["[ -~]{0,80}", "\\PC{0,40}", ".{0,40}"]) {
            let (mut own, mut general) = ("x".to_owned(), "x".to_owned());
            push_json_text(&mut own, &text);
            push_json_escaped(&mut general, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(own, general);
        }
    }
}
