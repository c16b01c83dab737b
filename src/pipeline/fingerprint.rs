//! Which faults are the same: type, message without its particulars, and the top frame of the app's own code.
//!
//! Called by `wire::row` for events of level warn and above and for failed requests. The same fault has the same
//! fingerprint in every run and every browser tab; line numbers are left out so that an edit above it changes nothing.

use super::stack;

/// What a fingerprint is made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault<'a> {
    pub kind: &'a str,
    pub subtype: &'a str,
    pub message: &'a str,
    pub stack: &'a str,
    /// Of a request, else empty.
    pub endpoint: &'a str,
    pub status: Option<u16>,
}

/// Bytes of a message that take part: the rest of a long one is mostly data.
const MAX_MESSAGE: usize = 512;

/// The fingerprint, never 0.
pub fn fingerprint(fault: &Fault<'_>) -> u64 {
    let mut hash = Fnv::new();
    hash.part(fault.kind);
    hash.part(fault.subtype);
    if fault.message.is_empty() || !fault.endpoint.is_empty() {
        hash.part(fault.endpoint);
        hash.bytes(&fault.status.unwrap_or(0).to_le_bytes());
    }
    message(fault.message, &mut hash);
    if let Some(frame) = stack::frames(fault.stack).find(|frame| stack::is_own(*frame)) {
        hash.part(frame.function);
        hash.part(frame.file);
    }
    hash.finish()
}

/// Feeds the message without what differs from one occurrence to the next: numbers, ids, quoted values.
fn message(text: &str, hash: &mut Fnv) {
    let text = &text[..text.floor_char_boundary(MAX_MESSAGE)];
    // Browsers put this before the same words (Chromium "Uncaught X: m", Firefox "uncaught exception: m").
    let text = text.strip_prefix("Uncaught ").unwrap_or(text);
    let text = text.strip_prefix("uncaught exception: ").unwrap_or(text);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = if matches!(first, '"' | '\'' | '`') {
            quoted(rest, first).inspect(|_| hash.bytes(b"\"")).unwrap_or_else(|| plain(rest, hash))
        } else if first.is_ascii_alphanumeric() {
            word(rest, hash)
        } else {
            plain(rest, hash)
        };
        rest = &rest[taken..];
    }
}

/// Length of the quoted value at the start, if its quote closes on the same line and not far away.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let end = text[1..].find([quote, '\n'])? + 1;
    text[end..].starts_with(quote).then_some(end + 1)
}

fn plain(text: &str, hash: &mut Fnv) -> usize {
    let length = text.chars().next().map_or(0, char::len_utf8);
    hash.bytes(&text.as_bytes()[..length]);
    length
}

/// A run of letters, digits, `-` and `_`: one with a digit in it is a number or an id.
fn word(text: &str, hash: &mut Fnv) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let length = text.bytes().take_while(|byte| is_part(byte)).count();
    if text.bytes().take(length).any(|byte| byte.is_ascii_digit()) {
        hash.bytes(b"#");
    } else {
        hash.bytes(&text.as_bytes()[..length]);
    }
    length
}

/// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// A text and its end, so that two neighbours cannot run together.
    fn part(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    fn finish(self) -> u64 {
        // 0 and the highest number stand for "no group" and "every other group".
        self.0.clamp(1, u64::MAX - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str, stack: &str) -> u64 {
        fingerprint(&Fault { kind: "error", subtype: "javascript", message, stack, ..Fault::default() })
    }

    #[test]
    fn particulars_do_not_tell_faults_apart() {
        for (a, b) in [
            ("user 42 has no avatar", "user 7 has no avatar"),
            ("Cannot read 'x' of undefined", "Cannot read 'name' of undefined"),
            ("Uncaught TypeError: boom", "TypeError: boom"),
            ("order 0b5c3c9e-1f7d-4a53-9a51-2f1d3b1f2a11 lost", "order a5-77 lost"),
        ] {
            assert_eq!(error(a, ""), error(b, ""), "{a}");
        }
    }

    #[test]
    fn words_and_places_do() {
        assert_ne!(error("boom", ""), error("bang", ""));
        let at = |file| error("boom", &format!("E\n at f (http://h/{file}:1:1)"));
        assert_ne!(at("a.js"), at("b.js"));
        assert_eq!(at("a.js"), error("boom", "f@http://h/a.js:9:9"));
    }

    #[test]
    fn failed_requests_group_by_endpoint_and_status() {
        let request = |endpoint, status| {
            fingerprint(&Fault { kind: "metric", subtype: "api-call", endpoint, status, ..Fault::default() })
        };
        assert_eq!(request("GET /a", Some(500)), request("GET /a", Some(500)));
        assert_ne!(request("GET /a", Some(500)), request("GET /a", Some(404)));
        assert_ne!(request("GET /a", Some(500)), request("GET /b", Some(500)));
    }

    proptest::proptest! {
        #[test]
        fn any_message_has_one(message in ".{0,80}", stack in ".{0,80}") {
            let value = error(&message, &stack);
            proptest::prop_assert!(value != 0 && value != u64::MAX);
        }
    }
}
