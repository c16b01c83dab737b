//! A filter over the whole ring, and one full frame of the console, each as a user meets it.
//!
//! Run with `cargo bench --bench scan`, or with `-- url` after it for the filters that hold `url`. Filters stand beside a plain pass over the same column or the same values, so
//! that the ratio says what the language costs. `tests/it/bench.rs` runs the bodies on a few events.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use regex::bytes::Regex;
use taillight::counters::Counters;
use taillight::event::{Chunk, Level, Timestamp, json};
use taillight::filter::{EvalContext, Matcher, parse};
use taillight::load::Pool;
use taillight::pipeline::Redactor;
use taillight::scan::{Matches, Scan, Selection};
use taillight::store::{Retention, Snapshot, Store, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Facts, Msg};
use taillight::wire::{Frame, Sender, decode_frame};

const EVENTS: usize = 1_000_000;
/// Enough that the best of them was hardly disturbed by what else the machine does.
const ROUNDS: usize = 20;
const NOW: i64 = 1_800_000_000_000;

const NAMES: [&str; 4] = ["id:browser/api-call", "user:user-7", "session:nobody", "user:user-7 level:error"];
const WORDS: [&str; 7] = ["quota", "timeout", "checkout", "invoice", "user-39", "nowhere", "e"];
/// Alternatives, anchors, classes around a literal, and none at all.
const PATTERNS: [&str; 8] = [
    "quota|timed? out",
    r"\bquota\b",
    "^Failed",
    r"orders/\d+",
    r"[a-z]+\.tsx:\d",
    r"^\d+\.5$",
    r"[0-9a-f]{8,}[g-z]",
    r"\w+ \w+ \w+",
];

/// Filters that are kept in force while events arrive.
pub(crate) const LIVE: [&str; 7] =
    ["duration>1s", "level>=warn", "quota", "e", "~/quota|timed? out/", "url:/api", "timing.ttfb>500"];

/// A ring of `events` realistic events.
pub(crate) fn ring(events: usize) -> Arc<Snapshot> {
    let snapshot = Arc::new(Feed::new(events).store.snapshot(Timestamp(NOW)));
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::clone(&snapshot));
    // As the scan's thread does when it has nothing better to do.
    while scan.prepare(&|| true) {}
    snapshot
}

/// A store and the events that go into it.
pub(crate) struct Feed {
    store: Store,
    pool: Pool,
    seq: u64,
}

impl Feed {
    /// With `events` events in its ring.
    pub(crate) fn new(events: usize) -> Self {
        let store = Store::new(Retention { events: events as u64, bytes: u64::MAX, ..Retention::default() });
        let mut feed = Self { store, pool: Pool::new(7), seq: 1 };
        while feed.seq <= events as u64 {
            feed.append((events as u64 - feed.seq + 1).min(1_000) as usize);
        }
        feed
    }

    fn append(&mut self, count: usize) {
        let sender =
            Sender { session: "s".into(), source: "browser", recv: Timestamp(NOW), ..Sender::default() };
        let mut frame = String::new();
        self.pool.batch(self.seq, self.seq as usize, count, NOW, &mut frame);
        let frame = decode_frame(&frame, &sender, &Redactor::default()).expect("the pool writes frames");
        let Frame::Batch { mut batch, .. } = frame else { panic!("a batch") };
        batch.chunk.number_from(self.seq);
        self.store.append(&batch.chunk, &Tally { accepted: count as u64, ..Tally::default() });
        self.seq += count as u64;
    }

    /// Nanoseconds an event costs a filter that is in force: `batches` of `count` events arrive one after the other.
    pub(crate) fn live(&mut self, filter: &str, batches: usize, count: usize) -> f64 {
        let mut scan = started(&Arc::new(self.store.snapshot(Timestamp(NOW))), filter);
        while scan.advance() {}
        let mut spent = Duration::ZERO;
        for _ in 0..batches {
            self.append(count);
            let snapshot = Arc::new(self.store.snapshot(Timestamp(NOW)));
            let start = Instant::now();
            scan.set_snapshot(snapshot);
            while scan.advance() {}
            black_box(scan.glance().total);
            spent += start.elapsed();
        }
        spent.as_secs_f64() * 1e9 / (batches * count) as f64
    }
}

/// One full pass of `filter`, as the scan's thread makes it: all matches, nothing counted yet.
pub(crate) fn pass(snapshot: &Arc<Snapshot>, filter: &str) -> Matches {
    looked(snapshot, filter).glance()
}

/// That, and the tables over the matches.
pub(crate) fn counted(snapshot: &Arc<Snapshot>, filter: &str) -> Matches {
    let mut scan = looked(snapshot, filter);
    while scan.advance() {}
    scan.matches()
}

fn looked(snapshot: &Arc<Snapshot>, filter: &str) -> Scan {
    let mut scan = started(snapshot, filter);
    while scan.look_on(&|| true) {}
    scan
}

fn started(snapshot: &Arc<Snapshot>, filter: &str) -> Scan {
    let filter = parse(filter).filter.expect("a filter");
    let matcher = Matcher::new(Arc::new(filter), EvalContext::default());
    let mut scan = Scan::new();
    scan.set_selection(Selection::matching(1, matcher, Selection::threads()));
    scan.set_snapshot(Arc::clone(snapshot));
    scan
}

/// A plain pass over the column a numeric filter reads.
pub(crate) fn plain_numbers(snapshot: &Snapshot) -> usize {
    let slow = |micros: &&u64| **micros != u64::MAX && **micros > 1_000_000;
    snapshot.segments.iter().map(|segment| segment.chunk.durations().iter().filter(slow).count()).sum()
}

/// A plain pass over the levels.
pub(crate) fn plain_levels(snapshot: &Snapshot) -> usize {
    let bad = |level: &&Level| **level >= Level::Warn;
    snapshot.segments.iter().map(|segment| segment.chunk.levels().iter().filter(bad).count()).sum()
}

/// A plain pass over the symbols of the signal ids.
pub(crate) fn plain_ids(snapshot: &Snapshot) -> usize {
    let count = |chunk: &Chunk| {
        let wanted = chunk.ids().first().copied();
        chunk.ids().iter().filter(|id| Some(**id) == wanted).count()
    };
    snapshot.segments.iter().map(|segment| count(&segment.chunk)).sum()
}

/// A plain search over the text that is kept, keys and signs included.
pub(crate) fn plain_json(snapshot: &Snapshot, needle: &Regex) -> usize {
    snapshot.segments.iter().map(|segment| plain_text(segment.chunk.json(), needle)).sum()
}

/// The texts a floor searches, one long text each, a line break after each value.
pub(crate) struct Texts {
    /// Every value of every event: what a word looks at. Keys and signs are not in it.
    values: String,
    messages: String,
}

pub(crate) fn texts(snapshot: &Snapshot) -> Texts {
    let mut texts = Texts { values: String::new(), messages: String::new() };
    for event in snapshot.segments.iter().flat_map(|segment| segment.chunk.events()) {
        push_values(event.json(), &mut texts.values);
        texts.messages.push_str(event.msg());
        texts.messages.push('\n');
    }
    texts
}

/// The values at `path`, a line break after each.
pub(crate) fn values_at(snapshot: &Snapshot, path: &[&str]) -> String {
    let mut out = String::new();
    for event in snapshot.segments.iter().flat_map(|segment| segment.chunk.events()) {
        if let Some(value) = event.get(path) {
            push_values(value, &mut out);
        }
    }
    out
}

/// A plain reading of numbers: how many of the lines of `text` are above `least`.
pub(crate) fn plain_parse(text: &str, least: f64) -> usize {
    text.lines().filter(|line| line.parse::<f64>().is_ok_and(|number| number > least)).count()
}

/// The values in `value` at any depth; events of the pool are not deep.
fn push_values(value: &str, out: &mut String) {
    match json::shape(value) {
        json::Shape::Object => json::members(value).for_each(|member| push_values(member.value, out)),
        json::Shape::Array => json::elements(value).for_each(|(_, element)| push_values(element, out)),
        _ => {
            out.push_str(value.trim_matches('"'));
            out.push('\n');
        }
    }
}

/// A plain search: how often `needle` is in `text`.
pub(crate) fn plain_text(text: &str, needle: &Regex) -> usize {
    needle.find_iter(text.as_bytes()).count()
}

/// One frame of the stream at `width` by `height`, drawn from nothing.
pub(crate) fn draw(app: &mut App, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    app.render(area, &mut buffer);
    buffer
}

/// A console that shows all of `snapshot`.
pub(crate) fn console(snapshot: &Arc<Snapshot>) -> App {
    let theme = Theme::new(Palette::Ansi, false);
    let mut app =
        App::new(Facts::default(), Arc::new(Counters::default()), theme, jiff::tz::TimeZone::UTC, "");
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::clone(snapshot));
    app.update(Msg::Tick(Timestamp(NOW)));
    app.update(Msg::Matches(Arc::new(scan.matches())));
    app
}

fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}

fn best<T>(mut run: impl FnMut() -> T) -> f64 {
    let times = (0..ROUNDS).map(|_| timed(&mut run));
    times.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e3
}

/// The best of two in turns: what else the machine does meets both.
fn best_of_both<S, T>(mut one: impl FnMut() -> S, mut other: impl FnMut() -> T) -> (f64, f64) {
    let mut least = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        least = (least.0.min(timed(&mut one)), least.1.min(timed(&mut other)));
    }
    (least.0.as_secs_f64() * 1e3, least.1.as_secs_f64() * 1e3)
}

/// Prints a filter's time beside its floor's, if it is one of those asked for.
#[expect(clippy::print_stdout, reason = "a bench reports")]
fn report(snapshot: &Arc<Snapshot>, filter: &str, floor: impl FnMut() -> usize) {
    if !is_asked_for(filter) {
        return;
    }
    let matched = pass(snapshot, filter).total;
    let (floor, took) = best_of_both(floor, || pass(snapshot, filter));
    let tables = best(|| counted(snapshot, filter)) - took;
    println!(
        "{filter:<26} {took:9.2} ms  floor {floor:8.2} ms  x{:<6.2} {matched:>8} match, tables {tables:.1} ms more",
        took / floor
    );
}

/// Whether `filter` holds what was given as an argument; without one all are asked for.
fn is_asked_for(filter: &str) -> bool {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    words.peek().is_none() || words.any(|word| filter.contains(&word))
}

/// The pattern of a case-blind search for `word`.
fn blind(word: &str) -> Regex {
    Regex::new(&format!("(?i-u){}", regex::escape(word))).expect("valid")
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let snapshot = ring(EVENTS);
    let texts = texts(&snapshot);
    println!(
        "{} events, {} MB accounted, {} MB of values, best of {ROUNDS} passes",
        snapshot.len(),
        snapshot.bytes / 1_000_000,
        texts.values.len() / 1_000_000
    );
    report(&snapshot, "duration>1s", || plain_numbers(&snapshot));
    report(&snapshot, "level>=warn", || plain_levels(&snapshot));
    for filter in NAMES {
        let levels = |snapshot| if filter.contains("level") { plain_levels(snapshot) } else { 0 };
        report(&snapshot, filter, || plain_ids(&snapshot) + levels(&snapshot));
    }
    for word in WORDS {
        let needle = blind(word);
        report(&snapshot, word, || plain_text(&texts.values, &needle));
    }
    for pattern in PATTERNS {
        let typed = pattern.replace('/', r"\/");
        let needle = Regex::new(&format!("(?im){pattern}")).expect("valid");
        report(&snapshot, &format!("~/{typed}/"), || plain_text(&texts.values, &needle));
        report(&snapshot, &format!("message~/{typed}/"), || plain_text(&texts.messages, &needle));
    }
    let needle = blind("quota");
    report(&snapshot, "message:quota", || plain_text(&texts.messages, &needle));
    for (field, word) in [("url", "/invoice"), ("url", "/api"), ("element-text", "cart")] {
        let (values, needle) = (values_at(&snapshot, &[field]), blind(word));
        report(&snapshot, &format!("{field}:{word}"), || plain_text(&values, &needle));
    }
    for (filter, path, least) in
        [("args.0.turn>4", &["args", "0", "turn"][..], 4.0), ("timing.ttfb>500", &["timing", "ttfb"], 500.0)]
    {
        let values = values_at(&snapshot, path);
        report(&snapshot, filter, || plain_parse(&values, least));
    }
    let needle = blind("stack");
    for filter in ["has:stack", "has:nothing", "has:timing.ttfb"] {
        report(&snapshot, filter, || plain_json(&snapshot, &needle));
    }
    let mut feed = Feed::new(EVENTS);
    for filter in LIVE.into_iter().filter(|filter| is_asked_for(filter)) {
        let costs = [1_000, 100].map(|count| feed.live(filter, 64_000 / count, count));
        println!(
            "live {filter:<24} {:6.0} ns an event in batches of 1,000, {:6.0} of 100",
            costs[0], costs[1]
        );
    }
    let mut app = console(&snapshot);
    println!("one frame at 200x60         {:8.2} ms", best(|| draw(&mut app, 200, 60)));
}
