//! A filter over the whole ring, and one full frame of the console, each as a user meets it.
//!
//! Run with `cargo bench --bench scan`. Filters stand beside a plain pass over the same column or text, so that the
//! ratio says what the language costs. `tests/it/bench.rs` runs the bodies on a few events.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::filter::{EvalContext, Matcher, parse};
use taillight::load::Pool;
use taillight::pipeline::Redactor;
use taillight::scan::{Matches, Scan, Selection, select};
use taillight::store::{Retention, Snapshot, Store, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Facts, Msg};
use taillight::wire::{Frame, Sender, decode_frame};

const EVENTS: usize = 1_000_000;
const ROUNDS: usize = 5;
const NOW: i64 = 1_800_000_000_000;

/// The filters that are measured: a number, a name, a word, a regular expression.
pub(crate) const FILTERS: [&str; 4] = ["duration>1s", "level>=warn", "quota", "~/quota|timed? out/"];

/// A ring of `events` realistic events.
pub(crate) fn ring(events: usize) -> Arc<Snapshot> {
    let pool = Pool::new(7);
    let sender = Sender { session: "s".into(), source: "browser", recv: Timestamp(NOW), ..Sender::default() };
    let redactor = Redactor::default();
    let mut store = Store::new(Retention { events: events as u64, bytes: u64::MAX });
    let mut seq = 1;
    while seq <= events as u64 {
        let count = (events as u64 - seq + 1).min(1_000) as usize;
        let mut frame = String::new();
        pool.batch(seq, seq as usize, count, NOW, &mut frame);
        let frame = decode_frame(&frame, &sender, &redactor).expect("the pool writes frames");
        let Frame::Batch { mut batch, .. } = frame else { panic!("a batch") };
        batch.chunk.number_from(seq);
        store.append(&batch.chunk, &Tally { accepted: count as u64, ..Tally::default() });
        seq += count as u64;
    }
    Arc::new(store.snapshot(Timestamp(NOW)))
}

/// One full pass of `filter`, as the scan's thread makes it.
pub(crate) fn pass(snapshot: &Arc<Snapshot>, filter: &str) -> Matches {
    let filter = parse(filter).filter.expect("a filter");
    let matcher = Matcher::new(Arc::new(filter), EvalContext::default());
    let mut scan = Scan::new();
    scan.set_selection(Selection { id: 1, select: Some(select(matcher)) });
    scan.set_snapshot(Arc::clone(snapshot));
    while scan.advance() {}
    scan.matches()
}

/// A plain pass over the column a numeric filter reads.
pub(crate) fn plain_numbers(snapshot: &Snapshot) -> usize {
    let slow = |micros: &&u64| **micros != u64::MAX && **micros > 1_000_000;
    snapshot.segments.iter().map(|segment| segment.chunk.durations().iter().filter(slow).count()).sum()
}

/// A plain case-blind search over the text a word looks at.
pub(crate) fn plain_text(snapshot: &Snapshot, needle: &regex::bytes::Regex) -> usize {
    snapshot.segments.iter().map(|segment| needle.find_iter(segment.chunk.json().as_bytes()).count()).sum()
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

fn best<T>(mut run: impl FnMut() -> T) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    times.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e3
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let snapshot = ring(EVENTS);
    let needle = regex::bytes::Regex::new("(?i-u)quota").expect("valid");
    println!(
        "{} events, {} MB accounted, best of {ROUNDS} passes",
        snapshot.len(),
        snapshot.bytes / 1_000_000
    );
    println!("plain pass over durations   {:8.2} ms", best(|| plain_numbers(&snapshot)));
    println!("plain case-blind text pass  {:8.2} ms", best(|| plain_text(&snapshot, &needle)));
    for filter in FILTERS {
        let matched = pass(&snapshot, filter).total;
        println!(
            "filter {filter:<20} {:8.2} ms, {matched} match, tables included",
            best(|| pass(&snapshot, filter))
        );
    }
    let mut app = console(&snapshot);
    println!("one frame at 200x60         {:8.2} ms", best(|| draw(&mut app, 200, 60)));
}
