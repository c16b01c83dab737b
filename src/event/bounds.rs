//! How much of an event's JSON is laid out: bounds of depth, members, elements and names. What is beyond is shown as text;
//! the data is kept as it came, and filters find what is in it all the same.
//!
//! Asked by `wire`, which counts such events, and by the detail. One pass over the bytes, no recursion.

use super::leaves::{ends_key, string_end};

/// Objects and arrays within each other, the event itself being the first (SECURITY: limits).
pub const DEPTH: usize = 16;
/// Members of one object.
pub const MEMBERS: usize = 256;
/// Elements of one array.
pub const ELEMENTS: usize = 1_000;
/// Bytes of a member's name, as it was written.
pub const NAME: usize = 128;

/// Whether anything in `json`, which is JSON, is beyond the bounds.
pub fn is_beyond(json: &str) -> bool {
    let bytes = json.as_bytes();
    // Of each level: what separates its parts, and how many of them there may be.
    let mut open = [(0, 0); DEPTH];
    let (mut depth, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let Some(end) = string_end(bytes, at + 1) else { return false };
                if end - at - 1 > NAME && ends_key(bytes, end) {
                    return true;
                }
                at = end;
            }
            b'{' | b'[' if is_empty(bytes, at) => {
                at += bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count() + 1;
            }
            b'{' | b'[' => {
                let Some(level) = open.get_mut(depth) else { return true };
                *level = (0, if *byte == b'{' { MEMBERS } else { ELEMENTS });
                depth += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => {
                if let Some((parts, most)) = depth.checked_sub(1).and_then(|level| open.get_mut(level)) {
                    *parts += 1;
                    if parts >= most {
                        return true;
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// Whether nothing is in the object or array that opens at `at`.
fn is_empty(bytes: &[u8], at: usize) -> bool {
    // Brackets and braces close with the code two after the one that opens.
    bytes[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&(bytes[at] + 2))
}

/// Where the object or array is closed in which `at` lies, outside of any string; the end where it is not.
pub fn end_of(json: &str, mut at: usize) -> usize {
    let (bytes, mut depth) = (json.as_bytes(), 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => match string_end(bytes, at + 1) {
                Some(end) => at = end,
                None => break,
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(members: usize) -> String {
        let members: Vec<String> = (0..members).map(|number| format!("\"k{number}\":\",\"")).collect();
        format!("{{{}}}", members.join(","))
    }

    fn array(elements: usize) -> String {
        format!("[{}]", vec!["\"],\\\"\""; elements].join(" , "))
    }

    #[test]
    fn each_bound_holds_to_the_last_one_that_fits() {
        let nested = |levels: usize, inside: &str| {
            format!("{}{inside}{}", "{\"a\":[".repeat(levels / 2), "]}".repeat(levels / 2))
        };
        let named = |bytes: usize| format!("{{\"{}\":1}}", "n".repeat(bytes));
        for (json, is_over) in [
            (nested(DEPTH, "1"), false),
            (nested(DEPTH, "{ }"), false),
            (nested(DEPTH, "[]"), false),
            (nested(DEPTH, "[1]"), true),
            (object(MEMBERS), false),
            (object(MEMBERS + 1), true),
            (format!("[{},{}]", object(MEMBERS), object(MEMBERS)), false),
            (array(ELEMENTS), false),
            (array(ELEMENTS + 1), true),
            (format!("{{\"a\":{},\"b\":{}}}", array(ELEMENTS), array(1)), false),
            (named(NAME), false),
            (named(NAME + 1), true),
            (format!("{{\"a\":\"{}\"}}", "v".repeat(5_000)), false),
            (String::new(), false),
            ("\"open".to_owned(), false),
        ] {
            assert_eq!(is_beyond(&json), is_over, "{}", &json[..json.len().min(80)]);
        }
    }

    #[test]
    fn the_end_is_that_of_the_innermost_one_around() {
        let json = r#"{"a":[1,{"b":"]}"},[2]],"c":3}"#;
        let after = |part: &str| json.find(part).expect("there") + part.len();
        assert_eq!(&json[end_of(json, after("[1,"))..], r#"],"c":3}"#);
        assert_eq!(&json[end_of(json, after("[2]]"))..], "}");
        assert_eq!(end_of("[1", 1), 2);
        assert_eq!(end_of("[\"1", 1), 3);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_through_without_a_panic(text in "[\\[\\]{},:\" a1é\\\\]{0,60}", at in 0_usize..60) {
            is_beyond(&text);
            proptest::prop_assert!(end_of(&text, at) <= text.len().max(at));
        }
    }
}
