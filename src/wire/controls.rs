//! Raw control characters inside the strings of an event: JSON forbids them, and encoders written by hand send them.
//!
//! Called by `wire::decode` and `wire::frame` for text that serde_json refused; what is wrong with it otherwise stays
//! wrong.

use std::fmt::Write as _;

use serde_json::value::RawValue;

/// The object at `at` with its raw control characters escaped, and where it ends; `None` if that does not make it JSON.
pub(super) fn escaped(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text.get(at..).filter(|rest| rest.starts_with('{'))?;
    let (mut out, mut from) = (String::new(), 0);
    let (mut depth, mut is_string, mut is_escape) = (0_usize, false, false);
    for (nth, byte) in rest.bytes().enumerate() {
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' if is_string => is_escape = true,
            b'"' => is_string = !is_string,
            0..0x20 if is_string => {
                out.push_str(&rest[from..nth]);
                write!(out, "\\u{byte:04x}").expect("a string takes everything");
                from = nth + 1;
            }
            b'{' | b'[' if !is_string => depth += 1,
            b'}' | b']' if !is_string => {
                depth -= 1;
                if depth == 0 {
                    out.push_str(&rest[from..=nth]);
                    let is_mended = from > 0 && serde_json::from_str::<&RawValue>(&out).is_ok();
                    return is_mended.then_some((out, at + nth + 1));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_control_characters_spoil_is_mended() {
        for (text, expected) in [
            ("{\"a\":\"b\tc\"}, 1", Some(("{\"a\":\"b\\u0009c\"}", 11))),
            ("{\"a\":[{\"\n\":\"}\\\"\0\"}]}", Some(("{\"a\":[{\"\\u000a\":\"}\\\"\\u0000\"}]}", 20))),
            ("{\"a\":\"\\\t\"}", None),
            ("{\"a\":\"\t\",}", None),
            ("{\"a\":\"\t\"", None),
            ("{\n\"a\":1}", None),
            ("[\"\t\"]", None),
            ("", None),
        ] {
            let found = escaped(text, 0);
            assert_eq!(found.as_ref().map(|(text, end)| (text.as_str(), *end)), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at_without_a_panic(text in r#"[{}\[\]"\\a,:\x00-\x1fé]{0,40}"#, at in 0_usize..4) {
            escaped(&text, at);
        }
    }
}
