//! Trace and span ids of events: the client's own where it has some, else made from what belongs together.
//!
//! The client's are `trace-id` and `span-id`, or a `traceparent` (W3C Trace Context §3.2). Without them the spans of one
//! page load share a trace, and the same event has the same ids each time it is sent.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::{EventRef, json};

/// 16, 8 and 8 bytes; the last is empty where no parent is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) trace: Vec<u8>,
    pub(super) span: Vec<u8>,
    pub(super) parent: Vec<u8>,
}

/// The client's ids of `event`, if it has any.
pub(super) fn sent(event: EventRef<'_>) -> Option<Ids> {
    let text = |path: &[&str]| event.get(path).and_then(json::text);
    let hex = |name: &str, bytes: usize| {
        let value = text(&[name]).or_else(|| text(&["context", name]))?;
        id(&value, bytes)
    };
    let parent = hex("parent-span-id", 8).unwrap_or_default();
    if let Some(trace) = hex("trace-id", 16) {
        return Some(Ids { trace, span: hex("span-id", 8).unwrap_or_else(|| made_span(event)), parent });
    }
    let header = text(&["traceparent"]).or_else(|| text(&["context", "traceparent"]))?;
    let mut parts = header.split('-').skip(1);
    let (trace, span) = (id(parts.next()?, 16)?, id(parts.next()?, 8)?);
    Some(Ids { trace, span, parent })
}

/// Ids for a span that brings none.
pub(super) fn made(event: EventRef<'_>) -> Ids {
    let load = (event.session(), event.tab(), event.load());
    let trace = [hash(&(1_u8, load)), hash(&(2_u8, load))].concat();
    Ids { trace, span: made_span(event), parent: Vec::new() }
}

fn made_span(event: EventRef<'_>) -> Vec<u8> {
    hash(&(event.session(), event.inst().0, event.recv().0, event.seq(), event.id())).to_vec()
}

/// Never zero, which would be no id.
fn hash(of: &impl Hash) -> [u8; 8] {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    (hasher.finish() | 1).to_be_bytes()
}

/// Lower or upper case hex of exactly `bytes` bytes that are not all zero.
fn id(hex: &str, bytes: usize) -> Option<Vec<u8>> {
    if hex.len() != bytes * 2 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let id: Option<Vec<u8>> =
        (0..bytes).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()).collect();
    id.filter(|id| id.iter().any(|byte| *byte != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hex_of_their_length_and_not_zero() {
        assert_eq!(id("00f067aa0ba902b7", 8), Some(vec![0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]));
        for text in [
            "00f067aa0ba902b",
            "00f067aa0ba902bg",
            "0000000000000000",
            "00f067aa0ba902b7b7",
            "ä0f067aa0ba902",
        ] {
            assert_eq!(id(text, 8), None, "{text}");
        }
    }
}
