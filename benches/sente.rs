//! What reading a batch in EDN costs beside what serde_json needs for the same events as JSON.
//!
//! `cargo bench --bench sente` ends with the figures side by side; `tests/it/bench.rs` runs the same on a few events.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::Value;
use taillight::event::Timestamp;
use taillight::load::Pool;
use taillight::pipeline::Redactor;
use taillight::wire::sente::{Packer, hear, value};
use taillight::wire::{Folder, Frame, Sender, decode_frame};

const NOW: Timestamp = Timestamp(1_704_067_200_000);
const BATCH: usize = 100;
/// Enough that the fastest of them was hardly disturbed by what else the machine does.
const ROUNDS: usize = 2_000;

/// The same events as a page sends them natively, as their array alone, and as a Clojure printer writes them.
struct Frames {
    native: String,
    events: String,
    edn: String,
}

fn frames(events: usize) -> Frames {
    let mut native = String::new();
    Pool::new(1).batch(1, 0, events, NOW.0, &mut native);
    let frame: Value = serde_json::from_str(&native).expect("the pool writes JSON");
    let mut edn = "[:log/batch ".to_owned();
    print(&frame["events"], &mut edn);
    edn.push(']');
    Frames { native, events: frame["events"].to_string(), edn }
}

/// Prints `value` as `pr-str` does: keys and the words of types as keywords, pairs with commas.
fn print(value: &Value, out: &mut String) {
    const WORDS: [&str; 5] = ["type", "subtype", "level", "severity", "action"];
    match value {
        Value::Null => out.push_str("nil"),
        Value::Array(values) => {
            out.push('[');
            for (nth, value) in values.iter().enumerate() {
                out.push_str(if nth > 0 { " " } else { "" });
                print(value, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (nth, (key, value)) in members.iter().enumerate() {
                let _ = write!(out, "{}:{key} ", if nth > 0 { ", " } else { "" });
                match value.as_str().filter(|_| WORDS.contains(&&**key)) {
                    Some(word) => {
                        let _ = write!(out, ":{word}");
                    }
                    None => print(value, out),
                }
            }
            out.push('}');
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Reads the events with serde_json and no more; gives how many there were.
fn parse_json(frames: &Frames) -> usize {
    let events: Vec<Value> = serde_json::from_str(&frames.events).expect("JSON");
    black_box(&events).len()
}

/// Reads the frame in EDN; gives the bytes of JSON it became.
fn read_edn(frames: &Frames) -> usize {
    black_box(value(frames.edn.as_bytes(), Packer::Edn).expect("EDN")).len()
}

/// From a native frame to a chunk.
fn take_native(frames: &Frames, sender: &Sender, redactor: &Redactor) -> usize {
    match decode_frame(&frames.native, sender, redactor) {
        Ok(Frame::Batch { batch, .. }) => batch.chunk.len(),
        _ => 0,
    }
}

/// From a frame in EDN to a chunk.
fn take_edn(frames: &Frames, sender: &Sender, redactor: &Redactor) -> usize {
    hear(frames.edn.as_bytes(), true, sender, redactor, &mut Folder::default()).batch.chunk.len()
}

/// Microseconds a batch, of the fastest round of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    pub(crate) serde_json: f64,
    pub(crate) edn: f64,
    pub(crate) native_chunk: f64,
    pub(crate) edn_chunk: f64,
}

/// Reads the same `events` in turn, `rounds` times each.
pub(crate) fn compare(events: usize, rounds: usize) -> Costs {
    let frames = frames(events);
    let (sender, redactor) =
        (Sender { recv: NOW, source: "sente", ..Sender::default() }, Redactor::default());
    let mut fastest = [Duration::MAX; 4];
    let mut time = |at: usize, read: &dyn Fn() -> usize, expected: Option<usize>| {
        let start = Instant::now();
        let got = read();
        fastest[at] = fastest[at].min(start.elapsed());
        assert!(expected.is_none_or(|expected| expected == got), "{got} events");
    };
    for _ in 0..rounds {
        time(0, &|| parse_json(&frames), Some(events));
        time(1, &|| read_edn(&frames), None);
        time(2, &|| take_native(&frames, &sender, &redactor), Some(events));
        time(3, &|| take_edn(&frames, &sender, &redactor), Some(events));
    }
    let [serde_json, edn, native_chunk, edn_chunk] = fastest.map(|span| span.as_secs_f64() * 1e6);
    Costs { serde_json, edn, native_chunk, edn_chunk }
}

#[divan::bench]
fn serde_json_reads_the_events(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    bencher.bench_local(|| parse_json(&frames));
}

#[divan::bench]
fn edn_is_read(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    bencher.bench_local(|| read_edn(&frames));
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    divan::main();
    let costs = compare(BATCH, ROUNDS);
    println!(
        "a batch of {BATCH}: serde_json {:.0} µs, EDN {:.0} µs, ratio {:.2}; to a chunk: native {:.0} µs, EDN {:.0} µs",
        costs.serde_json,
        costs.edn,
        costs.edn / costs.serde_json,
        costs.native_chunk,
        costs.edn_chunk
    );
}
