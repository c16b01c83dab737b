//! How a frame is packed: told by its first bytes, and by name where a client cannot speak first.
//!
//! Called by `wire::sente` for each frame and by `ingest` with the `packer` of a URL.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::GzDecoder;

use super::envelope::Fault;
use crate::event::json;

/// Bytes that a compressed frame may unfold to: as many as it may have uncompressed (CONTRACT: addresses).
const MAX_UNPACKED: u64 = 16 * 1024 * 1024;

/// A format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Packer {
    #[default]
    Edn,
    Transit,
    Msgpack,
}

/// A format and what is around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packing {
    pub packer: Packer,
    /// In Sente's gzip wrapper, which makes every frame binary.
    pub is_wrapped: bool,
    /// With the `+` or `-` of Sente up to 1.17.
    pub is_prefixed: bool,
}

impl Packing {
    /// Every name of a packing, as it may stand in `?packer=`.
    pub const NAMES: [(&str, Packer, bool); 8] = [
        ("edn", Packer::Edn, false),
        ("transit", Packer::Transit, false),
        ("transit-json", Packer::Transit, false),
        ("msgpack", Packer::Msgpack, false),
        ("gzip", Packer::Edn, true),
        ("gzip-edn", Packer::Edn, true),
        ("gzip-transit", Packer::Transit, true),
        ("gzip-msgpack", Packer::Msgpack, true),
    ];

    /// The packing of a name in [`Packing::NAMES`].
    pub fn named(name: &str) -> Option<Self> {
        let (_, packer, is_wrapped) = Self::NAMES.into_iter().find(|(known, ..)| *known == name)?;
        Some(Self { packer, is_wrapped, is_prefixed: false })
    }
}

/// Takes off what is around the values of a frame and tells their format.
pub(super) fn unpack(frame: &[u8], is_text: bool) -> (Result<Cow<'_, [u8]>, Fault>, Packing) {
    let fault = |what| Err(Fault { at: 0, what });
    if is_text {
        let (payload, packing) = sniff(frame);
        return (Ok(payload), packing);
    }
    let is_wrapped = matches!(frame.first(), Some(0 | 1));
    let payload = match frame.split_first() {
        Some((0, payload)) => Ok(Cow::Borrowed(payload)),
        Some((1, payload)) => match unfold(payload) {
            Some(payload) => Ok(payload.into()),
            None => fault("a gzip stream that does not unfold to 16 MiB or less"),
        },
        Some(_) => Ok(Cow::Borrowed(frame)),
        None => fault("an empty frame"),
    };
    let Ok(payload) = payload else {
        return (payload, Packing { is_wrapped, ..Packing::default() });
    };
    // MessagePack's short arrays; a bracket would be a small number there, which no message is.
    if matches!(payload.first(), Some(0x90..=0x9f | 0xdc | 0xdd)) {
        return (Ok(payload), Packing { packer: Packer::Msgpack, is_wrapped, is_prefixed: false });
    }
    let (text, packing) = sniff(&payload);
    (Ok(text.into_owned().into()), Packing { is_wrapped, ..packing })
}

fn unfold(stream: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    GzDecoder::new(stream).take(MAX_UNPACKED + 1).read_to_end(&mut payload).ok()?;
    (payload.len() as u64 <= MAX_UNPACKED).then_some(payload)
}

/// Tells EDN from JSON: a message begins with a keyword in the one and with a string in the other.
fn sniff(text: &[u8]) -> (Cow<'_, [u8]>, Packing) {
    let is_prefixed = matches!(text, [b'+' | b'-', b'[', ..]);
    let text = &text[usize::from(is_prefixed)..];
    let is_opening = |byte: &&u8| matches!(**byte, b'[' | b' ' | b'\n' | b'\t' | b'\r');
    let packer = match text.iter().find(|byte| !is_opening(byte)) {
        Some(b'"') => Packer::Transit,
        Some(b'{') if text.first() == Some(&b'{') => {
            if let Some(message) = object(text) {
                return (
                    message.into(),
                    Packing { packer: Packer::Transit, is_prefixed, ..Packing::default() },
                );
            }
            Packer::Edn
        }
        _ => Packer::Edn,
    };
    (Cow::Borrowed(text), Packing { packer, is_wrapped: false, is_prefixed })
}

/// `{"event":"log/batch","data":[…]}` as the message it means; written by hand, no client sends it.
fn object(text: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(text).ok()?;
    let [event, data] = json::get_all(text, ["event", "data"]);
    Some(format!("[{},{}]", event?, data.unwrap_or("null")).into_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_frame_tells_its_format() {
        for (frame, is_text, packer, is_wrapped, is_prefixed, payload) in [
            (&b"[:a/b 1]"[..], true, Packer::Edn, false, false, &b"[:a/b 1]"[..]),
            (b"+[[:a/b] \"x\"]", true, Packer::Edn, false, true, b"[[:a/b] \"x\"]"),
            (b"-[:a/b]", true, Packer::Edn, false, true, b"[:a/b]"),
            (b"-1", true, Packer::Edn, false, false, b"-1"),
            (b" [ [\"~:a/b\"]]", true, Packer::Transit, false, false, b" [ [\"~:a/b\"]]"),
            (b"{\"event\":\"a/b\",\"data\":[1]}", true, Packer::Transit, false, false, b"[\"a/b\",[1]]"),
            (b"{:event 1}", true, Packer::Edn, false, false, b"{:event 1}"),
            (b"\x92\x01\x02", false, Packer::Msgpack, false, false, b"\x92\x01\x02"),
            (b"\x00\x92\x01\x02", false, Packer::Msgpack, true, false, b"\x92\x01\x02"),
            (b"\x00[:a/b]", false, Packer::Edn, true, false, b"[:a/b]"),
            (b"[:a/b]", false, Packer::Edn, false, false, b"[:a/b]"),
        ] {
            let (unpacked, packing) = unpack(frame, is_text);
            assert_eq!(unpacked.expect("unpacked"), payload, "{frame:?}");
            assert_eq!(packing, Packing { packer, is_wrapped, is_prefixed }, "{frame:?}");
        }
        assert!(unpack(b"", false).0.is_err() && unpack(b"\x01nonsense", false).0.is_err());
    }

    #[test]
    fn a_gzip_stream_unfolds_to_so_much_and_no_more() {
        let fold = |payload: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(vec![1], flate2::Compression::fast());
            encoder.write_all(payload).expect("in memory");
            encoder.finish().expect("in memory")
        };
        let frame = fold(b"[[\"~:a/b\"],null]");
        let (unpacked, packing) = unpack(&frame, false);
        assert_eq!(unpacked.expect("unpacked"), &b"[[\"~:a/b\"],null]"[..]);
        assert_eq!((packing.packer, packing.is_wrapped), (Packer::Transit, true));
        let bomb = fold(&vec![b' '; 17 * 1024 * 1024]);
        assert!(bomb.len() < 200_000 && unpack(&bomb, false).0.is_err());
    }

    #[test]
    fn every_name_of_a_packing_is_known() {
        for (name, packer, is_wrapped) in Packing::NAMES {
            assert_eq!(Packing::named(name), Some(Packing { packer, is_wrapped, is_prefixed: false }));
        }
        assert_eq!(Packing::named("json"), None);
    }
}
