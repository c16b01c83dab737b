//! Every vector that real encoders wrote reads as it was meant, and what no reader should take is refused.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../tests/it/fixtures/sente/vectors.jsonl");

/// The recordings of real clients, by name.
pub(super) const RECORDINGS: [(&str, &str); 15] = [
    ("a-nbb-basic", include_str!("../../../tests/it/fixtures/sente/frames/a-nbb-basic.jsonl")),
    ("a-nbb-handshakes", include_str!("../../../tests/it/fixtures/sente/frames/a-nbb-handshakes.jsonl")),
    ("b-scittle-bundle", include_str!("../../../tests/it/fixtures/sente/frames/b-scittle-bundle.jsonl")),
    (
        "c-browser-reconn-default",
        include_str!("../../../tests/it/fixtures/sente/frames/c-browser-reconn-default.jsonl"),
    ),
    (
        "c-log-routing-feedback-storm.head60",
        include_str!("../../../tests/it/fixtures/sente/frames/c-log-routing-feedback-storm.head60.jsonl"),
    ),
    (
        "c-log-routing-sender",
        include_str!("../../../tests/it/fixtures/sente/frames/c-log-routing-sender.jsonl"),
    ),
    ("c-nbb-reconn-queue", include_str!("../../../tests/it/fixtures/sente/frames/c-nbb-reconn-queue.jsonl")),
    (
        "d-doc-full-allfixed",
        include_str!("../../../tests/it/fixtures/sente/frames/d-doc-full-allfixed.jsonl"),
    ),
    ("d-doc-full-plain", include_str!("../../../tests/it/fixtures/sente/frames/d-doc-full-plain.jsonl")),
    ("d-doc-full-urgent", include_str!("../../../tests/it/fixtures/sente/frames/d-doc-full-urgent.jsonl")),
    ("d-doc-outage", include_str!("../../../tests/it/fixtures/sente/frames/d-doc-outage.jsonl")),
    ("e-sente-edn", include_str!("../../../tests/it/fixtures/sente/frames/e-sente-edn.jsonl")),
    ("e-sente-msgpack", include_str!("../../../tests/it/fixtures/sente/frames/e-sente-msgpack.jsonl")),
    ("e-sente-nopong", include_str!("../../../tests/it/fixtures/sente/frames/e-sente-nopong.jsonl")),
    ("e-sente-v1", include_str!("../../../tests/it/fixtures/sente/frames/e-sente-v1.jsonl")),
];

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON"))
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// The bytes of a vector, and whether they are text.
fn wire(vector: &Value) -> (Vec<u8>, bool) {
    match vector["wire"].as_str() {
        Some(text) => (text.as_bytes().to_vec(), true),
        None => (bytes_of(vector["wire_hex"].as_str().expect("bytes")), false),
    }
}

/// What clients sent in a recording, frame by frame, and whether it was text.
pub(super) fn sent(recording: &str) -> Vec<(Vec<u8>, bool)> {
    let is_in = |line: &Value| line["ev"] == "frame" && line["dir"] == "in";
    lines(recording)
        .filter(is_in)
        .map(|line| {
            let data = line["data"].as_str().expect("data");
            if line["op"] == "text" { (data.as_bytes().to_vec(), true) } else { (bytes_of(data), false) }
        })
        .collect()
}

fn heard(frame: &[u8], is_text: bool) -> Heard {
    let sender = Sender { source: "sente", ..Sender::default() };
    static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);
    hear(frame, is_text, &sender, &REDACTOR, &mut Folder::default())
}

/// Equal, with numbers compared as numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn every_vector_reads_as_it_was_meant() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for vector in lines(VECTORS).filter(|vector| vector["expect_error"] != true) {
        let (frame, is_text) = wire(&vector);
        let (payload, packing) = packer::unpack(&frame, is_text);
        let packer = match vector["format"].as_str() {
            Some("msgpack") => Packer::Msgpack,
            Some("transit-json" | "transit-json-verbose") => Packer::Transit,
            _ => Packer::Edn,
        };
        if vector["kind"] == "frame" && packing.packer != packer {
            wrong.push(format!("{}: taken for {:?}", vector["id"], packing.packer));
        }
        let json = value(&payload.expect("unpacked"), packer);
        let got: Result<Value, _> = json.map(|json| serde_json::from_str(&json).expect("JSON"));
        if !got.as_ref().is_ok_and(|got| same(got, &vector["meaning"])) {
            wrong.push(format!("{}: {} is {got:?}, not {}", vector["id"], vector["wire"], vector["meaning"]));
        }
        read += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(read, 284);
}

#[test]
fn every_frame_has_the_envelope_it_was_given() {
    let mut frames = 0;
    for vector in lines(VECTORS).filter(|vector| vector["envelope"].is_array()) {
        let (frame, is_text) = wire(&vector);
        let (payload, packing) = packer::unpack(&frame, is_text);
        let transcript = transcribe(payload.as_deref().expect("unpacked"), packing).expect("a frame");
        let expected = vector["envelope"].as_array().expect("messages");
        assert_eq!(transcript.messages.len(), expected.len(), "{}", vector["id"]);
        for (message, expected) in transcript.messages.iter().zip(expected) {
            assert_eq!(message.id, expected["event"], "{}", vector["id"]);
            assert_eq!(message.callback.as_deref(), expected["cb"].as_str(), "{}", vector["id"]);
            if let Some(events) = expected["n_events"].as_u64().filter(|_| message.id.starts_with("log/")) {
                assert_eq!(message.events.len() as u64, events, "{}", vector["id"]);
            }
        }
        assert!(transcript.pieces.iter().all(|piece| piece.fault.is_none()), "{}", vector["id"]);
        frames += 1;
    }
    assert!(frames > 50, "{frames}");
}

#[test]
fn what_no_reader_should_take_is_refused_and_kept_as_text() {
    let mut refused = 0;
    for vector in lines(VECTORS).filter(|vector| vector["expect_error"] == true) {
        let (frame, is_text) = wire(&vector);
        let Heard { batch, .. } = heard(&frame, is_text);
        assert_eq!((batch.offered, batch.rejected.len()), (1, 1), "{}", vector["id"]);
        let event = batch.chunk.event(0);
        assert_eq!(event.id(), "taillight/bad-event");
        let raw = event.get(&["raw"]).and_then(json::text).expect("the text");
        let wire = vector["wire"].as_str().expect("text");
        assert!(raw.split("[redacted]").all(|part| wire.contains(part)), "{raw}");
        refused += 1;
    }
    assert_eq!(refused, 5);
}

#[test]
fn a_stale_cache_costs_its_own_frame_and_not_the_next() {
    let stale = heard(br#"[["^0",[["^ ","^1","^2","~:message","x"]]],null]"#, true);
    assert_eq!((stale.batch.offered, stale.batch.rejected.len()), (1, 1));
    assert!(stale.broken.is_some());
    // Here the id is new and readable, but what the events refer to is not.
    let frame = br#"["~:log/urgent",[["^ ","~:type","~:log"],["^ ","^9",1],["^ ","^1","^2"]]]"#;
    let stale = heard(frame, true);
    assert_eq!((stale.batch.offered, stale.batch.rejected.len()), (3, 3));
    let good = heard(br#"["~:log/urgent",[["^ ","~:type","~:log"]]]"#, true);
    assert_eq!((good.batch.offered, good.batch.rejected.len(), good.batch.chunk.len()), (1, 0, 1));
}

#[test]
fn everything_recorded_is_read() {
    let mut frames = 0;
    for (name, recording) in RECORDINGS {
        for (frame, is_text) in sent(recording) {
            let heard = heard(&frame, is_text);
            // The recording itself is cut there, at 4,000 of 3,035,810 characters.
            let is_cut = name == "d-doc-outage" && frame.len() == 4_000;
            let refused = usize::from(is_cut);
            assert_eq!(heard.batch.rejected.len(), refused, "{name}: {}", String::from_utf8_lossy(&frame));
            assert!(heard.broken.is_none());
            frames += 1;
        }
    }
    assert!(frames > 150, "{frames}");
}

/// What a secret is made of in the frames below; nothing else there has it.
const CANARY: &str = "ZQ";

#[test]
fn nothing_that_is_kept_of_what_cannot_be_read_holds_a_secret() {
    let packed = |value: &rmpv::Value| {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, value).expect("memory");
        bytes
    };
    let keyword = |name: &str| rmpv::Value::Ext(0, name.as_bytes().to_vec());
    let event = |key: rmpv::Value| {
        let secret = (key, rmpv::Value::from("ZQ \"ZQ\" ZQ"));
        rmpv::Value::Map(vec![(keyword("type"), "log".into()), secret, ("b".into(), "c".into())])
    };
    let events =
        vec![event(keyword("password")), event("api-key".into()), event(rmpv::Value::Ext(8, vec![1]))];
    let message = rmpv::Value::Array(vec![keyword("log/batch"), rmpv::Value::Array(events)]);
    let texts = [
        r#"[:log/batch [{:a 1 :password "ZQ \"ZQ" :b #bad} {:token {:x "ZQ"} :y [}] {:user/secret :ZQ :b}]]"#,
        r#"[:log/batch [{:a 1}] {:password "ZQ" :b}]"#,
        r#"[:my/own {:password "ZQ" :text "x"}]"#,
        r##"[:log/batch [{:a 1}] #_{:password "ZQ"##,
        r#"[[:x/y {:a 1}] {:password "ZQ" :b}]"#,
        r#"[:log/batch ["x" [{:password "ZQ"}] :a]]"#,
        r#"["~:log/batch",[["^ ","~:password","ZQ","~:a","^X"],["^ ","^0","ZQ","~:b",1],["^ ","^1",["ZQ"]]]]"#,
        r#"{"event":"log/batch","data":[{"password":"ZQ","a":nul}]}"#,
        r#"[["^0",[["^ ","^1","ZQ"]]],null]"#,
    ];
    let frames = texts.iter().map(|text| (text.as_bytes().to_vec(), true)).chain([(packed(&message), false)]);
    for (frame, is_text) in frames {
        for end in 0..=frame.len() {
            let heard = heard(&frame[..end], is_text);
            let shown = format!("{:?} {:?} {:?}", heard.batch.chunk, heard.unknown, heard.broken);
            assert!(!shown.contains(CANARY), "{} became {shown}", String::from_utf8_lossy(&frame[..end]));
        }
    }
}

/// Reading ends, and the books balance, whatever the bytes are.
fn check_books(frame: &[u8], is_text: bool) {
    let Heard { batch, .. } = heard(frame, is_text);
    let own = batch.chunk.flags().iter().filter(|flags| flags.has(crate::event::Flags::OWN)).count();
    let accepted = batch.chunk.len() - own;
    assert!(accepted + batch.rejected.len() <= batch.offered as usize);
    for event in batch.chunk.events() {
        serde_json::from_str::<&serde_json::value::RawValue>(event.json()).expect("JSON");
    }
}

/// The recorded frames, one of each that differ in more than numbers.
fn kinds_of_frames() -> Vec<(Vec<u8>, bool)> {
    let mut seen = BTreeSet::new();
    let all = RECORDINGS.iter().flat_map(|(_, recording)| sent(recording));
    let kinds: Vec<_> = all
        .filter(|(frame, _)| {
            seen.insert(frame.iter().filter(|byte| !byte.is_ascii_digit()).copied().collect::<Vec<_>>())
        })
        .collect();
    assert!(kinds.len() > 40, "{}", kinds.len());
    kinds
}

#[test]
fn every_prefix_of_the_recordings_ends_in_a_value_or_an_error() {
    for (frame, is_text) in kinds_of_frames() {
        for end in 0..frame.len() {
            check_books(&frame[..end], is_text);
        }
    }
}

#[test]
fn every_flipped_byte_of_the_recordings_ends_in_a_value_or_an_error() {
    for (nth, (mut frame, is_text)) in kinds_of_frames().into_iter().enumerate() {
        for at in 0..frame.len() {
            let flip = 1 << ((at + nth) % 8);
            frame[at] ^= flip;
            check_books(&frame, is_text);
            frame[at] ^= flip;
        }
    }
}

mod random {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_text: bool) {
            check_books(&bytes, is_text);
        }

        #[test]
        fn no_text_makes_it_fall(
            text in r#"[+-]?\[(:log/batch |"~:log/batch",)?\[?([\[\](){}",:\\#^~;a-e0-9. \n']|#object\[|#_|nil|"\^ "|"~#set"|\{:a ){0,40}"#,
        ) {
            check_books(text.as_bytes(), true);
        }

        #[test]
        fn no_messagepack_makes_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut frame = vec![0x92, 0xc7, 0x09, 0x00];
            frame.extend(b"log/batch");
            frame.extend(bytes);
            check_books(&frame, false);
        }
    }
}
