//! What an event costs from its bytes in a frame to its place in the ring, beside reading the same bytes and no more.
//!
//! `cargo bench --bench ingest` ends with the two side by side; `tests/it/bench.rs` runs the same on a few events.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use divan::counter::ItemsCount;
use serde::Deserialize;
use taillight::event::{Chunk, ChunkBuilder, Timestamp};
use taillight::load::Pool;
use taillight::pipeline::Redactor;
use taillight::store::{Retention, Store, Tally};
use taillight::wire::{Frame, Sender, decode_frame};

const NOW: Timestamp = Timestamp(1_704_067_200_000);
const BATCH: usize = 1_000;
/// Enough that the fastest of them was hardly disturbed by what else the machine does.
const ROUNDS: usize = 300;
/// Events the ring holds: it is full after a third of the rounds, as it is after the first minutes of a busy day,
/// and from then on each event in is one out.
const KEPT: u64 = 100_000;
/// Different frames, so that no branch predictor learns one by heart.
const FRAMES: usize = 4;

/// The fields that decoding reads for columns and messages and nothing else, borrowed where the text allows it.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "reading them is what is measured")]
#[serde(rename_all = "kebab-case")]
struct Plain<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subtype: Cow<'a, str>,
    #[serde(borrow, default)]
    level: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    stack: Cow<'a, str>,
    #[serde(borrow, default)]
    severity: Cow<'a, str>,
    #[serde(borrow, default)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    status: Option<u16>,
    timestamp: Option<f64>,
    duration_ms: Option<f64>,
    #[serde(borrow, default)]
    session_id: Cow<'a, str>,
    #[serde(borrow, default)]
    user_id: Cow<'a, str>,
    #[serde(borrow, default)]
    tab: Cow<'a, str>,
    load: Option<i32>,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
    cached: Option<bool>,
    #[serde(borrow, default)]
    ns: Cow<'a, str>,
    status_code: Option<u16>,
    response_time_ms: Option<f64>,
    render_time_ms: Option<f64>,
    aborted: Option<bool>,
    server_recv_time: Option<f64>,
    browser_timestamp: Option<f64>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    element_id: Cow<'a, str>,
    #[serde(borrow, default)]
    element: Cow<'a, str>,
    #[serde(borrow, default)]
    element_class: Cow<'a, str>,
    #[serde(borrow, default)]
    element_text: Cow<'a, str>,
    #[serde(borrow, default)]
    metric_name: Cow<'a, str>,
    #[serde(borrow, default)]
    event_name: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    vital: Cow<'a, str>,
    value: Option<f64>,
    #[serde(borrow, default)]
    unit: Cow<'a, str>,
    #[serde(borrow, default)]
    component: Cow<'a, str>,
    #[serde(borrow, default)]
    funnel: Cow<'a, str>,
    #[serde(borrow, default)]
    step: Cow<'a, str>,
    #[serde(borrow, default)]
    feature: Cow<'a, str>,
    visible: Option<bool>,
    timing: Option<Timing>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
#[serde(rename_all = "kebab-case")]
struct Timing {
    fully_loaded: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct PlainFrame<'a> {
    #[serde(borrow)]
    events: Vec<Plain<'a>>,
}

fn frames(events: usize) -> Vec<String> {
    let pool = Pool::new(1);
    let frame = |nth: usize| {
        let mut out = String::new();
        pool.batch(1 + (nth * events) as u64, nth * events, events, NOW.0, &mut out);
        out
    };
    (0..FRAMES).map(frame).collect()
}

/// Reads the frame's fields; gives how many events had any.
fn parse(frame: &str) -> usize {
    let frame: PlainFrame<'_> = serde_json::from_str(frame).expect("the pool writes JSON");
    black_box(&frame.events).len()
}

/// An ingestor without its sockets, to which a page has introduced itself as the browser client does.
struct Ingest {
    sender: Sender,
    redactor: Redactor,
    store: Store,
}

impl Ingest {
    fn new() -> Self {
        let sender = Sender {
            session: "load-1".to_owned(),
            tab: "load-1".to_owned(),
            load: Some(1),
            origin: "http://localhost:5173".to_owned(),
            source: "browser",
            recv: NOW,
            ..Sender::default()
        };
        let retention = Retention { events: KEPT, ..Retention::default() };
        Self { sender, redactor: Redactor::default(), store: Store::new(retention) }
    }

    /// Looks the frame over for secrets; gives whether there may be any.
    fn look_over(&self, frame: &str) -> bool {
        self.redactor.is_suspicious(frame.as_bytes())
    }

    /// Makes a numbered chunk of the frame's events.
    fn decode(&self, frame: &str) -> Chunk {
        let frame = decode_frame(frame, &self.sender, &self.redactor).expect("the pool writes frames");
        let Frame::Batch { seq, mut batch } = frame else { return ChunkBuilder::new().finish() };
        batch.chunk.number_from(seq);
        batch.chunk
    }

    /// Takes the chunk's events into the ring; gives how many.
    fn keep(&mut self, chunk: &Chunk) -> usize {
        self.store.append(chunk, &Tally { accepted: chunk.len() as u64, ..Tally::default() });
        chunk.len()
    }

    /// Takes the frame's events into the ring; gives how many.
    fn take(&mut self, frame: &str) -> usize {
        let chunk = self.decode(frame);
        self.keep(&chunk)
    }
}

/// Nanoseconds an event, of the fastest round of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    pub(crate) plain: f64,
    pub(crate) stored: f64,
    /// Events in the ring's books afterwards.
    pub(crate) kept: u64,
}

/// Reads and stores frames of `events` events in turn, `rounds` times each.
pub(crate) fn compare(events: usize, rounds: usize) -> Costs {
    let frames = frames(events);
    let mut ingest = Ingest::new();
    let (mut plain, mut stored) = (Duration::MAX, Duration::MAX);
    for frame in frames.iter().cycle().take(rounds) {
        let start = Instant::now();
        assert_eq!(parse(frame), events);
        plain = plain.min(start.elapsed());
        let start = Instant::now();
        assert_eq!(ingest.take(frame), events);
        stored = stored.min(start.elapsed());
    }
    let an_event = |span: Duration| span.as_secs_f64() * 1e9 / events as f64;
    let ledger = ingest.store.ledger();
    Costs { plain: an_event(plain), stored: an_event(stored), kept: ledger.live + ledger.evicted }
}

#[divan::bench]
fn plain_parse(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    let mut turn = frames.iter().cycle();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| turn.next().map(|frame| parse(frame)));
}

/// Part of what decoding costs: the search of the whole frame for what redaction would change.
#[divan::bench]
fn looked_over(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    let mut turn = frames.iter().cycle();
    let ingest = Ingest::new();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| turn.next().map(|frame| ingest.look_over(frame)));
}

/// From a frame to a chunk of its own, redaction included.
#[divan::bench]
fn decoded(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    let mut turn = frames.iter().cycle();
    let ingest = Ingest::new();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| turn.next().map(|frame| ingest.decode(frame)));
}

/// From a decoded chunk into the ring and its tables.
#[divan::bench]
fn stored(bencher: divan::Bencher<'_, '_>) {
    let mut ingest = Ingest::new();
    let chunks: Vec<Chunk> = frames(BATCH).iter().map(|frame| ingest.decode(frame)).collect();
    let mut turn = chunks.iter().cycle();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| turn.next().map(|chunk| ingest.keep(chunk)));
}

#[divan::bench]
fn decoded_and_stored(bencher: divan::Bencher<'_, '_>) {
    let frames = frames(BATCH);
    let mut turn = frames.iter().cycle();
    let mut ingest = Ingest::new();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| turn.next().map(|frame| ingest.take(frame)));
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    divan::main();
    let costs = compare(BATCH, ROUNDS);
    println!(
        "an event: plain parse {:.0} ns, decoded and stored {:.0} ns, ratio {:.2}, {} events kept",
        costs.plain,
        costs.stored,
        costs.stored / costs.plain,
        costs.kept
    );
}
