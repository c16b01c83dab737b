//! Which part of a path, a message or a file name is an id, and which is a word that someone chose.
//!
//! `endpoint` asks it for every segment of a URL and `fingerprint` for the tokens of a message. It never allocates.

/// What a byte can make of the segment it stands in; the bits of a whole segment are put together with `|`.
pub(super) const DIGIT: u8 = 1;
/// A letter of hex digits.
pub(super) const HEX: u8 = 2;
/// Any other letter.
pub(super) const LETTER: u8 = 4;
/// `-` and `_`.
pub(super) const JOINT: u8 = 8;
/// `. , : +`, which stand in numbers and dates.
pub(super) const POINT: u8 = 16;
/// `@ %`, which stand in e-mail addresses; `;`, which begins a parameter.
pub(super) const MARK: u8 = 32;
/// Controls and space, which stand in no URL.
pub(super) const BAD: u8 = 64;
/// `/ ? #`, which end a segment.
pub(super) const END: u8 = 128;

/// The bits of each byte; other printable and non-ASCII bytes have none.
pub(super) const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => HEX,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'-' | b'_' => JOINT,
            b'.' | b',' | b':' | b'+' => POINT,
            b'@' | b'%' | b';' => MARK,
            0..=b' ' | 0x7f => BAD,
            b'/' | b'?' | b'#' => END,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Segments up to this long that hold no digit and no mark are words.
pub(super) const WORD_MAX: usize = 15;
/// Longer than any word of a route; what is longer is a title, a token or an attack.
const SEGMENT_MAX: usize = 64;
/// "hex of 16 or more" (CONTRACT.md 1, endpoint).
const HEX_MIN: usize = 16;
/// Shorter opaque ids cannot be told from words with numbers (`oauth2-v2-callback`).
const OPAQUE_MIN: usize = 20;
/// In 20 random letters and digits of base64url these are 5 on average, in chosen names 2 at most.
const OPAQUE_CHANGES: usize = 3;

/// The bits of a whole text.
pub(super) fn classes(text: &str) -> u8 {
    text.bytes().fold(0, |seen, byte| seen | CLASS[usize::from(byte)])
}

/// Whether a path segment whose bytes have the classes `seen` is an id:
/// - a number, a date, a range, a list: digits and `- _ . , : +` only, save short versions like `1.1`;
/// - an ISO date with a time;
/// - a UUID; hex of 16 or more;
/// - an e-mail address, also with `%40`;
/// - base64url of 20 or more in which letters and digits change sides 3 times without a joint between; a JWT;
/// - anything over 64 bytes or with a control character or a space in it.
pub(super) fn is_id(segment: &str, seen: u8) -> bool {
    let bytes = segment.as_bytes();
    if seen & BAD != 0 || bytes.len() > SEGMENT_MAX {
        return true;
    }
    if seen & MARK != 0 && is_email(segment) {
        return true;
    }
    if seen & DIGIT == 0 {
        return seen == HEX && bytes.len() >= HEX_MIN;
    }
    if seen & (HEX | LETTER) == 0 {
        return seen & !(DIGIT | JOINT | POINT) == 0 && !is_version(bytes);
    }
    is_random(bytes, seen) || is_instant(bytes)
}

/// Whether a run of letters, digits and joints is an id that a machine made.
pub(super) fn is_random(bytes: &[u8], seen: u8) -> bool {
    if seen & !(DIGIT | HEX) == 0 {
        return bytes.len() >= HEX_MIN;
    }
    is_uuid(bytes) || is_opaque(bytes, seen)
}

/// `1.1` and `2.0` name an interface, not a thing.
fn is_version(bytes: &[u8]) -> bool {
    matches!(bytes, [b'0'..=b'9', b'.', b'0'..=b'9'])
}

/// RFC 9562 §4, in hex of either case.
fn is_uuid(bytes: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes.len() == 36 && bytes.iter().enumerate().all(fits)
}

fn is_opaque(bytes: &[u8], seen: u8) -> bool {
    if bytes.len() < OPAQUE_MIN {
        return false;
    }
    // RFC 7519: a JWT begins with base64url of `{"`.
    if bytes.starts_with(b"eyJ") && seen & !(DIGIT | HEX | LETTER | JOINT | POINT) == 0 {
        return true;
    }
    if seen & !(DIGIT | HEX | LETTER | JOINT) != 0 {
        return false;
    }
    let changes = |pair: &&[u8]| {
        let [a, b] = [CLASS[usize::from(pair[0])], CLASS[usize::from(pair[1])]];
        (a | b) & JOINT == 0 && (a == DIGIT) != (b == DIGIT)
    };
    bytes.windows(2).filter(changes).count() >= OPAQUE_CHANGES
}

/// `2026-01-31T10:20:30Z` and what else goes on with a time.
fn is_instant(bytes: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        4 | 7 => *byte == b'-',
        10 => matches!(byte, b'T' | b't'),
        _ => byte.is_ascii_digit(),
    };
    bytes.len() > 12 && bytes.iter().take(13).enumerate().all(fits)
}

/// Something, `@` or `%40`, something, a dot, something.
fn is_email(segment: &str) -> bool {
    let halves = segment.split_once('@').or_else(|| segment.split_once("%40"));
    halves.is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.rsplit_once('.').is_some_and(|(name, top)| !name.is_empty() && !top.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_words() {
        for (segment, expected) in [
            ("42", true),
            ("-42", true),
            ("2026-01-31", true),
            ("2026-01-31T10:20:30.123Z", true),
            ("20260131", true),
            ("10.5", true),
            ("1.1", false),
            ("1,2,3", true),
            ("v1", false),
            ("users", false),
            ("2fa", false),
            ("-", false),
            ("e3b0c44298fc1c14", true),
            ("e3b0c44298fc1c1", false),
            ("deadbeefdeadbeef", true),
            ("123e4567-e89b-12d3-a456-426614174000", true),
            ("123E4567-E89B-12D3-A456-426614174000", true),
            ("123e4567-e89b-12d3-a456-42661417400g", true),
            ("bob@example.com", true),
            ("bob%40example.com", true),
            ("@types", false),
            ("@scope@1.2", false),
            ("2026-01-31T10%3A20%3A30Z", true),
            ("V1StGXR8_Z5jdHi6B-myT", true),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", true),
            ("eyJhbGciOiJIUzI1NiJ9.e30.abc", true),
            ("get-user-preferences-v2-beta", false),
            ("getUserPreferencesByAccountId", false),
            ("oauth2-callback-v2-login", false),
            ("hello%20world", false),
            ("a b", true),
            ("café", false),
        ] {
            assert_eq!(is_id(segment, classes(segment)), expected, "{segment}");
        }
        let long = "word-".repeat(13);
        assert!(is_id(&long, classes(&long)));
    }
}
