//! Frames of sente-lite and Sente as real encoders wrote them, changed and put together: the fuzzer's judge reads them.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

#[path = "../../fuzz/frames.rs"]
mod judge;

/// The vectors' frames and values, as bytes.
static VECTORS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let lines = include_str!("fixtures/sente/vectors.jsonl").lines();
    lines
        .map(|line| {
            let vector: Value = serde_json::from_str(line).expect("JSON");
            let hex = |hex: &str| {
                (0..hex.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
                    .collect()
            };
            match vector["wire_hex"].as_str() {
                Some(digits) => hex(digits),
                None => vector["wire"].as_str().expect("text").as_bytes().to_vec(),
            }
        })
        .collect()
});

/// One change of a frame.
#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index),
    Put(prop::sample::Index, Vec<u8>),
    Flip(prop::sample::Index, u8),
    /// A part of another one.
    Splice(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    /// A part of itself again and again.
    Again(prop::sample::Index, u8, u16),
}

fn change() -> impl Strategy<Value = Change> {
    let tokens = prop::sample::select(vec![
        "[", "]", "{", "}", "(", ")", "#", "#object[", "#js ", "#:a{", "#_", "^", "\"", "\\", ":", ",", " ",
        "~:", "^0", "[\"^ \",", "~#", "##", "#\"", ";", "\\u00e9", "1e999", "-", "nil", "\0", "\u{1b}", "\n",
        "é",
    ]);
    let token = tokens.prop_map(|token| token.as_bytes().to_vec());
    let bytes = prop::collection::vec(any::<u8>(), 1..5);
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Change::Cut),
        (at(), prop_oneof![3 => token, 1 => bytes]).prop_map(|(at, what)| Change::Put(at, what)),
        (at(), any::<u8>()).prop_map(|(at, with)| Change::Flip(at, with)),
        (at(), at(), at()).prop_map(|(which, from, to)| Change::Splice(which, from, to)),
        (at(), 1_u8.., 1_u16..300).prop_map(|(at, length, times)| Change::Again(at, length, times)),
    ]
}

fn apply(frame: &mut Vec<u8>, change: &Change) {
    let place = |at: &prop::sample::Index, frame: &[u8]| at.index(frame.len() + 1);
    match change {
        Change::Cut(at) => frame.truncate(place(at, frame)),
        Change::Put(at, what) => {
            let at = place(at, frame);
            frame.splice(at..at, what.iter().copied());
        }
        Change::Flip(at, with) => {
            let at = place(at, frame);
            if let Some(byte) = frame.get_mut(at) {
                *byte ^= with;
            }
        }
        Change::Splice(which, from, to) => {
            let other = which.get(&VECTORS);
            let (at, from) = (place(to, frame), from.index(other.len() + 1));
            frame.splice(at..at, other[from..].iter().copied());
        }
        Change::Again(at, length, times) => {
            let at = place(at, frame);
            let part = frame[at..(at + usize::from(*length)).min(frame.len())].to_vec();
            frame.splice(at..at, part.repeat(usize::from(*times)));
        }
    }
}

/// Maps that are keys of maps, as deep as a reader goes and deeper, in each format.
#[test]
fn keys_within_keys_cost_no_more_than_their_bytes() {
    for depth in [10, 60, 150, 10_000] {
        let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let edn = nested("{", " 1}");
        let transit = nested("[\"~#cmap\",[", ",1]]");
        let msgpack = [vec![0x81; depth], vec![1; depth + 1]].concat();
        let event = [b"\x92\xc7\x09\x00log/batch\x91".to_vec(), msgpack].concat();
        for (kind, frame) in [
            (1, format!("[:log/batch [{edn}]]").into_bytes()),
            (1, format!("[\"~:log/batch\",[{transit}]]").into_bytes()),
            (0, event),
        ] {
            judge::any(&[vec![kind], frame].concat());
        }
    }
}

#[test]
fn what_the_fuzzer_starts_from_and_has_found_passes_its_judge() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/sente");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        judge::any(&std::fs::read(entry.path()).expect("readable"));
        read += 1;
    }
    assert!(read > 30, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn vectors_with_changes_pass_the_fuzzers_judge(
        which in any::<prop::sample::Index>(),
        kind in any::<u8>(),
        changes in prop::collection::vec(change(), 0..5),
    ) {
        let mut frame = which.get(&VECTORS).clone();
        changes.iter().for_each(|change| apply(&mut frame, change));
        frame.insert(0, kind);
        judge::any(&frame);
    }
}
