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
    }
}
