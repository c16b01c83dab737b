//! The quick way through an event: one look at every byte finds its members and checks that they are JSON.
//!
//! Called by `wire::decode` for each event of a batch without secrets. It takes less than JSON is: whatever is
//! unusual (an escape in a key, deep nesting, anything wrong) it leaves to serde_json, whose word counts.

use super::raw::{Extent, Raw, RawEvent};

/// Reads the object whose `{` is at `at` into `event`, which must be empty; gives the position past its `}`.
///
/// `None` says that this object has to be read in another way; `event` may then hold some of its members.
pub(super) fn object<'a>(text: &'a str, at: usize, event: &mut RawEvent<'a>) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = space(bytes, past(bytes, at, b'{')?);
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let start = past(bytes, at, b'"')?;
        let (key_end, value, slot) = match event.keys.guess(bytes, start) {
            Some((end, slot)) => (end, space(bytes, end + 2), slot),
            None => {
                let end = plain_end(bytes, start)?;
                event.extent.names |= end - start;
                (end, value_start(bytes, end)?, event.keys.learn(&bytes[start..end]))
            }
        };
        let (end, is_plain) = match *bytes.get(value)? {
            b'"' => match plain_end(bytes, value + 1)? {
                end if bytes[end] == b'"' => (end + 1, true),
                end => (string_end(bytes, end)?, false),
            },
            b'{' | b'[' => (nested_end(bytes, value, &mut event.extent)?, false),
            _ => (word_end(bytes, value)?, false),
        };
        match slot {
            Some(slot) if is_plain => event.fields.set(slot, Raw::Plain(text.get(value + 1..end - 1)?)),
            Some(slot) => event.fields.set(slot, Raw::Json(text.get(value..end)?)),
            None => event.members.push((text.get(start..key_end)?, text.get(value..end)?)),
        }
        at = space(bytes, end);
        match bytes.get(at)? {
            b',' => {
                event.extent.separators += 1;
                at = space(bytes, at + 1);
            }
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn past(bytes: &[u8], at: usize, expected: u8) -> Option<usize> {
    (*bytes.get(at)? == expected).then_some(at + 1)
}

/// The first position at or after `at` that is not JSON white space.
pub(super) fn space(bytes: &[u8], at: usize) -> usize {
    // Clients write none, so one comparison is all there is to most calls.
    if bytes.get(at).is_none_or(|byte| *byte > b' ') { at } else { past_space(bytes, at) }
}

fn past_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the value of the key starts whose closing quote is at `key_end`.
fn value_start(bytes: &[u8], key_end: usize) -> Option<usize> {
    let colon = space(bytes, past(bytes, key_end, b'"')?);
    Some(space(bytes, past(bytes, colon, b':')?))
}

/// The position past the object or array at `at`. What is open is a bit each, so that depth costs no memory.
fn nested_end(bytes: &[u8], mut at: usize, extent: &mut Extent) -> Option<usize> {
    // 1 below the bits of what is open: 1 for an object, 0 for an array.
    let mut open = 1_u64;
    loop {
        let first = *bytes.get(at)?;
        if let b'{' | b'[' = first {
            open = open.checked_mul(2)? | u64::from(first == b'{');
            extent.levels |= open;
            at = space(bytes, at + 1);
            // Brackets and braces close with the code two after the one that opens.
            if bytes.get(at) != Some(&(first + 2)) {
                at = member_start(bytes, at, open, extent)?;
                continue;
            }
        } else {
            at = if first == b'"' { string_end(bytes, at + 1)? } else { word_end(bytes, at)? };
        }
        loop {
            at = space(bytes, at);
            let close = if open & 1 == 1 { b'}' } else { b']' };
            match *bytes.get(at)? {
                b',' => {
                    extent.separators += 1;
                    break;
                }
                byte if byte == close => open >>= 1,
                _ => return None,
            }
            at += 1;
            if open == 1 {
                return Some(at);
            }
        }
        at = member_start(bytes, space(bytes, at + 1), open, extent)?;
    }
}

/// Where the value of the next member or element starts, which itself starts at `at`.
fn member_start(bytes: &[u8], at: usize, open: u64, extent: &mut Extent) -> Option<usize> {
    if open & 1 == 0 {
        return Some(at);
    }
    let end = string_end(bytes, past(bytes, at, b'"')?)? - 1;
    extent.names |= end - at - 1;
    value_start(bytes, end)
}

/// The position past the number, truth or null at `at`.
fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let word = |word: &[u8]| bytes[at..].starts_with(word).then_some(at + word.len());
    match bytes.get(at)? {
        b'-' | b'0'..=b'9' => number_end(bytes, at),
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => None,
    }
}

/// The position past the quote of the string whose content starts at `at`.
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = plain_end(bytes, at)?;
        match (bytes[at], bytes.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => at += 2,
            (b'\\', Some(b'u')) if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
            _ => return None,
        }
    }
}

/// The first position at or after `at` of a quote, a backslash or a control character (RFC 8259 §7).
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    // Two words a turn: most keys and many values end within it, so that the loop hardly ever surprises the processor.
    while let Some([low, high]) = words(bytes, at) {
        let found = u128::from(specials(high)) << 64 | u128::from(specials(low));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 16;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes.get(at..)?.iter().position(is_special).map(|more| at + more)
}

/// The 16 bytes at `at`, if they are there.
fn words(bytes: &[u8], at: usize) -> Option<[u64; 2]> {
    let (words, _) = bytes.get(at..)?.first_chunk::<16>()?.as_chunks();
    Some([u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])])
}

/// The high bit of the first byte that ends plain text is set and none before it; later bits say nothing.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    // Bit 1 changed, the quote is the first code after the controls.
    (below(word ^ (ONES * 2), 0x21) | equal(b'\\')) & (ONES << 7)
}

/// The position past the number at `at` (RFC 8259 §6).
fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| Some(digits_end(bytes, from)).filter(|end| *end > from);
    let whole = if bytes[at] == b'-' { at + 1 } else { at };
    let mut end = digits(whole)?;
    if bytes[whole] == b'0' && end > whole + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let is_signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = digits(end + 1 + usize::from(is_signed))?;
    }
    Some(end)
}

/// The first position at or after `at` that is no digit.
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        // A digit is 0 to 9 above `0`; with 0x76 added, what is more reaches the high bit.
        let above = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'0'));
        let others = (((above & (ONES * 0x7f)) + ONES * 0x76) | above) & (ONES << 7);
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_digit = |at: &usize| bytes.get(*at).is_some_and(u8::is_ascii_digit);
    (at..).find(|at| !is_digit(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::event::bounds;

    /// What `object` takes must be JSON to serde_json, end where it says, and have the members it found.
    fn check(text: &str) -> Option<usize> {
        let mut event = RawEvent::default();
        let end = object(text, 0, &mut event)?;
        assert!(event.extent.may_be_beyond() || !bounds::is_beyond(&text[..end]), "{text}");
        let judged: &RawValue = serde_json::from_str(&text[..end]).expect("JSON");
        let expected = RawEvent::of(judged.get());
        assert_eq!((event.members, event.fields), (expected.members, expected.fields), "{text}");
        Some(end)
    }

    #[test]
    fn what_events_look_like_is_taken_as_a_whole() {
        for text in [
            "{}",
            "{ }",
            r#"{"type":"log","message":"a \"b\" \u00e9\n","user-id":42}"#,
            " \t{\r\n\"a\" : -0.5e+10 , \"b\" : [ {\"c\":[[]]} , null ] , \"d\":{} }".trim_start(),
            r#"{"t":true,"f":false,"n":null,"z":0,"e":1E5,"long":"0123456789012345678901234567890é"}"#,
        ] {
            assert_eq!(check(text), Some(text.len()), "{text}");
            assert_eq!(check(&format!("{text},{text}")), Some(text.len()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_judge() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"a":1"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":1e}"#,
            r#"{"a":+1}"#,
            r#"{"a":tru}"#,
            r#"{"a":nullx}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            r#"{"a":"\"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"01234567\u{1}\"}",
            r#"{"a":[1,}"#,
            r#"{"a":[1}]"#,
            r#"{"a":{"b":1]}"#,
            r#"{"a":{"b"}}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":[,]}"#,
            r#"{"a":{1:2}}"#,
            r#"{"\u0061":1}"#,
        ] {
            assert_eq!(check(text), None, "{text}");
        }
    }

    #[test]
    fn nesting_is_followed_as_far_as_there_are_bits() {
        let nested = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(&nested(63)), Some(nested(63).len()));
        assert_eq!(check(&nested(64)), None);
    }

    #[test]
    fn what_may_be_beyond_the_bounds_is_told_and_what_is_far_from_them_is_not() {
        let array = |elements: usize| format!(r#"{{"a":[{}1]}}"#, "1,".repeat(elements - 1));
        let members = |members: usize| format!(r#"{{"o":{{{}"z":1}}}}"#, r#""k":1,"#.repeat(members - 1));
        let named = |bytes: usize| format!(r#"{{"o":{{"{}":1}}}}"#, "n".repeat(bytes));
        let own = |bytes: usize| format!(r#"{{"{}":1}}"#, "n".repeat(bytes));
        let nested =
            |levels: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
        for (text, may_be) in [
            (nested(bounds::DEPTH), false),
            (nested(bounds::DEPTH + 1), true),
            (members(bounds::MEMBERS), false),
            (members(bounds::MEMBERS + 1), true),
            (array(bounds::MEMBERS), false),
            (array(bounds::ELEMENTS + 1), true),
            (named(bounds::NAME - 1), false),
            (named(bounds::NAME + 1), true),
            (own(bounds::NAME - 1), false),
            (own(bounds::NAME + 1), true),
        ] {
            let mut event = RawEvent::default();
            assert_eq!(object(&text, 0, &mut event), Some(text.len()));
            assert_eq!(event.extent.may_be_beyond(), may_be, "{}", &text[..text.len().min(60)]);
            assert!(may_be || !bounds::is_beyond(&text));
        }
    }

    proptest! {
        #[test]
        fn it_never_takes_what_is_not_json(
            text in r#"\{("[a-z\\"é\n]{0,12}" ?: ?("[ -~é\x00-\x20]{0,20}"|-?[0-9.eE+-]{1,8}|true|nul|[\[{][0-9,:\[\]{}" a]{0,8}[\]}]),?){0,3}\}"#,
        ) {
            check(&text);
        }

        #[test]
        fn strings_end_where_each_byte_says(text in "[ -~é\x00-\x20\"\\\\]{0,40}", from in 0_usize..8) {
            let bytes = text.as_bytes();
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let from = from.min(bytes.len());
            let expected = bytes[from..].iter().position(is_special).map(|more| from + more);
            prop_assert_eq!(plain_end(bytes, from), expected);
        }
    }
}
