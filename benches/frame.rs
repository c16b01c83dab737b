//! From a key press in the filter bar to a painted frame with the newest matches, while events keep coming.
//!
//! Run with `cargo bench --bench frame`, or with `-- draws` behind it for full draws alone, `-- stalled` for keys and sinks
//! beside a sink that takes nothing. Store, scan and app are those of the console, each on its thread; the terminal is a
//! buffer, whose changes are worked out as a terminal's are. `tests/it/bench.rs` types over a few events.

use std::hint::black_box;
use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::load::Pool;
use taillight::options::Value;
use taillight::pipeline::Redactor;
use taillight::published::Published;
use taillight::scan::{self, Clock, Marks, Matches, ScanHandle};
use taillight::sinks::{Outlets, Packet, Report, Setting};
use taillight::store::{self, Retention, Snapshot, StoreHandle, StoreMsg, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Effect, Facts, Msg};
use taillight::wire::{Frame, Sender, decode_frame};

const EVENTS: usize = 1_000_000;
const PER_SECOND: usize = 50_000;
const NOW: i64 = 1_800_000_000_000;
/// How often the listener publishes.
const TICK: Duration = Duration::from_millis(16);
const AREA: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };
/// Nobody waits longer; something hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is typed, and taken back, key by key.
pub(crate) const TYPED: [&str; 10] = [
    "quota",
    "checkout",
    "timeout level:error",
    "duration>1s",
    "level>=warn",
    "~/quota|timed? out/",
    "message~/^Failed/",
    "user:user-7 invoice",
    "url:/invoice",
    "timing.ttfb>500",
];

/// What became of one key that changed the filter: how long each step took, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// What was in the bar then.
    text: String,
    /// Until the app had taken it and the scan had the new filter.
    taken: Duration,
    /// Until the newest matches were there.
    found: Duration,
    /// Until they were drawn.
    drawn: Duration,
    /// From the key on until the count was exact, over all events of the moment.
    pub(crate) exact: Duration,
}

impl Typed {
    /// From the key on until a frame showed the newest matches.
    pub(crate) fn painted(&self) -> Duration {
        self.taken + self.found + self.drawn
    }

    /// Each step with its name.
    fn steps(&self) -> [(&'static str, Duration); 3] {
        [("taken", self.taken), ("found", self.found), ("drawn", self.drawn)]
    }
}

/// A store that is filled, and may be fed on.
pub(crate) struct Source {
    pub(crate) store: StoreHandle,
    snapshots: Arc<Published<Snapshot>>,
    pool: Pool,
    seq: u64,
    /// Where what arrives goes too.
    sinks: Arc<Outlets>,
}

impl Source {
    pub(crate) fn new(events: usize) -> Self {
        let snapshots = Arc::new(Published::new(Snapshot::default()));
        let retention = Retention { events: events as u64, bytes: u64::MAX, ..Retention::default() };
        let (store, _) = store::spawn(retention, Arc::clone(&snapshots)).expect("a thread");
        let mut source = Self { store, snapshots, pool: Pool::new(7), seq: 1, sinks: Arc::default() };
        while source.seq <= events as u64 {
            source.append(1_000.min(events));
        }
        source.tick();
        source
    }

    /// Adds `count` made-up events.
    fn append(&mut self, count: usize) {
        let mut frame = String::new();
        self.pool.batch(self.seq, self.seq as usize, count, self.now().0, &mut frame);
        self.take(&frame, count);
    }

    /// A thousand events a second have been coming since [`NOW`].
    fn now(&self) -> Timestamp {
        Timestamp(NOW + self.seq as i64)
    }

    /// As the listener does: a frame of `count` events is decoded and they are sent to the store.
    pub(crate) fn take(&mut self, frame: &str, count: usize) {
        let sender = Sender { session: "s".into(), source: "browser", recv: self.now(), ..Sender::default() };
        let frame = decode_frame(frame, &sender, &Redactor::default()).expect("a frame");
        let Frame::Batch { mut batch, .. } = frame else { panic!("a batch") };
        batch.chunk.number_from(self.seq);
        self.seq += count as u64;
        let tally = Tally { accepted: count as u64, ..Tally::default() };
        let chunk = Arc::new(batch.chunk);
        // A page that gets no ack keeps its events; what it has sent is here already.
        drop(self.sinks.offer(&Packet::of(Arc::clone(&chunk)), self.now()));
        let message = StoreMsg::Append { chunk, tally, permit: None };
        assert!(self.store.send_blocking(message));
    }

    fn tick(&self) {
        assert!(self.store.send_blocking(StoreMsg::Tick(self.now())));
    }

    /// Feeds `per_second` events until told to stop.
    fn feed(mut self, per_second: usize, is_done: &AtomicBool) {
        let begun = Instant::now();
        for round in 1_u32.. {
            if is_done.load(Ordering::Relaxed) {
                return;
            }
            if per_second > 0 {
                self.append(per_second * TICK.as_millis() as usize / 1_000);
            }
            self.tick();
            thread::sleep((TICK * round).saturating_sub(begun.elapsed()));
        }
    }
}

/// The console without its terminal.
struct Console {
    app: App,
    scan: ScanHandle,
    matches: Arc<Published<Matches>>,
    news: Receiver<()>,
    painted: Buffer,
}

impl Console {
    /// Shows what is in `snapshots`, and shows each to `beside` too.
    fn new(
        snapshots: &Arc<Published<Snapshot>>,
        beside: impl Fn(Arc<Snapshot>) + Send + Sync + 'static,
    ) -> Self {
        let matches = Arc::new(Published::new(Matches::default()));
        let marks = Arc::new(Published::new(Marks::default()));
        let clock = Clock { start: Timestamp(NOW), zone: jiff::tz::TimeZone::UTC, marks };
        let (scan, _) = scan::spawn(clock, Arc::clone(&matches)).expect("a thread");
        let (eyes, seen): (_, Weak<_>) = (scan.clone(), Arc::downgrade(snapshots));
        snapshots.on_change(move || {
            if let Some(snapshots) = seen.upgrade() {
                eyes.see(snapshots.get());
                beside(snapshots.get());
            }
        });
        let (sender, news) = sync_channel(1);
        matches.on_change(move || {
            let _ = sender.try_send(());
        });
        scan.see(snapshots.get());
        let theme = Theme::new(Palette::Ansi, false);
        let zone = jiff::tz::TimeZone::UTC;
        let app = App::new(Facts::default(), Arc::new(Counters::default()), theme, zone, "");
        Self { app, scan, matches, news, painted: Buffer::empty(AREA) }
    }

    fn paint(&mut self) {
        let mut next = Buffer::empty(AREA);
        self.app.render(AREA, &mut next);
        black_box(self.painted.diff(&next).len());
        self.painted = next;
    }

    /// Waits for matches that `is_wanted`, and takes them over.
    fn wait_for(&mut self, is_wanted: impl Fn(&Matches) -> bool) {
        let begun = Instant::now();
        loop {
            let matches = self.matches.get();
            if is_wanted(&matches) {
                self.app.update(Msg::Matches(matches));
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no matches");
            let _ = self.news.recv_timeout(PATIENCE);
        }
    }

    /// Presses a key; measures it if it changed what is shown.
    fn press(&mut self, code: KeyCode) -> Option<Typed> {
        let begun = Instant::now();
        let effects = self.app.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        let (wanted, filter) = effects.into_iter().find_map(|effect| match effect {
            Effect::SetFilter { id, filter } => Some((id, filter)),
            _ => None,
        })?;
        let text = filter.to_string();
        self.scan.select(wanted, filter);
        let taken = begun.elapsed();
        self.wait_for(|matches| matches.id == wanted);
        let found = begun.elapsed() - taken;
        self.paint();
        let drawn = begun.elapsed() - taken - found;
        self.wait_for(|matches| matches.id == wanted && matches.is_done());
        let exact = begun.elapsed();
        self.paint();
        Some(Typed { text, taken, found, drawn, exact })
    }
}

/// Types each of `texts` into the bar and takes it back, over `events` events while `per_second` more arrive.
pub(crate) fn type_over(events: usize, per_second: usize, texts: &[&str]) -> Vec<Typed> {
    type_beside(Source::new(events), per_second, texts.iter().copied(), |_| (), || true)
}

/// Types what `texts` gives, over what is in `source`, while `beside` sees every snapshot. `goes_on` is asked before each
/// key but those of the first text.
pub(crate) fn type_beside<'a>(
    source: Source,
    per_second: usize,
    texts: impl Iterator<Item = &'a str>,
    beside: impl Fn(Arc<Snapshot>) + Send + Sync + 'static,
    goes_on: impl Fn() -> bool,
) -> Vec<Typed> {
    let kept = source.seq - 1;
    let mut console = Console::new(&source.snapshots, beside);
    source.tick();
    console.wait_for(|matches| matches.snapshot.end == kept);
    let is_done = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&is_done);
    let feeding = thread::spawn(move || source.feed(per_second, &is_over));
    let mut typed = Vec::new();
    typed.extend(console.press(KeyCode::Char('/')));
    let keys = texts.enumerate().flat_map(|(number, text)| {
        let keys = text.chars().map(KeyCode::Char).chain(text.chars().map(|_| KeyCode::Backspace));
        keys.enumerate().map(move |(nth, key)| (number, nth, key))
    });
    for (number, nth, key) in keys {
        if number > 0 && !goes_on() {
            break;
        }
        // People do not type in step with the store.
        thread::sleep(Duration::from_micros(7_000 + nth as u64 * 1_700 % 16_000));
        typed.extend(console.press(key));
    }
    is_done.store(true, Ordering::Relaxed);
    feeding.join().expect("no panic");
    console.scan.stop();
    typed
}

/// Says of `typed` how long they took, step by step, and which took longest.
#[expect(clippy::print_stdout, reason = "a bench reports")]
pub(crate) fn report(typed: &[Typed], what: &str) {
    let say = |what: &str, times: Vec<Duration>| {
        let mut times = times;
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&mut times, share));
        println!("{what:42} p50 {p50:6.2} ms   p99 {p99:6.2} ms   longest {most:6.2} ms");
    };
    say(&format!("{} keys {what}", typed.len()), typed.iter().map(Typed::painted).collect());
    for (step, name) in
        ["until it is taken", "until matches are found", "until they are drawn"].iter().enumerate()
    {
        say(&format!("    {name}"), typed.iter().map(|one| one.steps()[step].1).collect());
    }
    say("    key press to the exact count", typed.iter().map(|one| one.exact).collect());
    let mut slowest: Vec<_> = typed.iter().collect();
    slowest.sort_unstable_by_key(|one| std::cmp::Reverse(one.painted()));
    for one in slowest.iter().take(5) {
        let steps = one.steps().map(|(name, time)| format!("{name} {:.2}", time.as_secs_f64() * 1e3));
        println!("    {:6.2} ms for `{}`: {}", one.painted().as_secs_f64() * 1e3, one.text, steps.join(", "));
    }
}

/// Screens that are drawn: what they are called, and the keys that lead to them from the stream.
pub(crate) const DRAWN: [(&str, &str); 7] = [
    ("stream, following", "1G"),
    ("stream, held", "N"),
    ("errors", "2"),
    ("latency", "3"),
    ("sessions", "4"),
    ("vitals", "5"),
    ("timeline", "1T"),
];

/// How long each of `frames` full draws of each screen took, over `events` events.
pub(crate) fn draw_over(events: usize, frames: usize) -> Vec<(&'static str, Vec<Duration>)> {
    let source = Source::new(events);
    let mut console = Console::new(&source.snapshots, |_| ());
    console.wait_for(|matches| matches.snapshot.len() == events as u64);
    let mut measure = |(what, keys): (&'static str, &str)| {
        for key in keys.chars() {
            console.app.update(Msg::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)));
        }
        let one = |_| {
            let begun = Instant::now();
            console.paint();
            begun.elapsed()
        };
        // The first frame of a screen makes what later ones keep for a second.
        (what, (0..=frames).map(one).skip(1).collect())
    };
    // A round before the one that counts: until then the scan is still putting values together for later filters.
    DRAWN.into_iter().for_each(|screen| drop(measure(screen)));
    let drawn = DRAWN.into_iter().map(&mut measure).collect();
    console.scan.stop();
    drawn
}

/// What stands beside three sinks that are as they should be: none, or one that takes nothing, by its mode.
pub(crate) const STALLED: [(&str, Option<&str>); 4] = [
    ("three sinks", None),
    ("and a stalled one, dropping", Some("dropping")),
    ("and a stalled one, sliding", Some("sliding")),
    ("and a stalled one, blocking", Some("blocking")),
];

/// Types over `events` events while `per_second` arrive and go to a file, over TCP and over UDP; beside them is a
/// collector that never answers, where `stalled` says in which mode. Gives how the sinks were at the end, too.
pub(crate) fn type_beside_stalled(
    events: usize,
    per_second: usize,
    texts: &[&str],
    stalled: Option<&str>,
) -> (Vec<Typed>, Vec<Report>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (tcp, silent) = (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    let (tcp, silent) = (tcp.expect("a port"), silent.expect("a port"));
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let [tcp_at, silent_at] = [&tcp, &silent].map(|listener| listener.local_addr().expect("bound"));
    thread::spawn(move || {
        let mut sunk = vec![0; 1 << 20];
        let (mut stream, _) = tcp.accept().expect("a connection");
        while stream.read(&mut sunk).is_ok_and(|read| read > 0) {}
    });
    let set = |kind: &str, values: &[(&'static str, String)]| {
        let mut setting = Setting::new(kind, kind);
        values.iter().for_each(|(key, value)| setting.values.put(key, Value::Text(value.clone())));
        setting.values.put("drain", Value::Span(if kind == "otlp" { 0 } else { 6_000 }));
        setting
    };
    let file = folder.path().join("rec.jsonl").display().to_string();
    let mut settings = vec![
        set("file", &[("file", file), ("mode", "dropping".to_owned())]),
        set("tcp", &[("address", tcp_at.to_string())]),
        set("udp", &[("address", udp.local_addr().expect("bound").to_string())]),
    ];
    settings.extend(
        stalled.map(|mode| {
            set("otlp", &[("endpoint", format!("http://{silent_at}")), ("mode", mode.to_owned())])
        }),
    );
    let sinking = Outlets::runtime().expect("threads");
    let sinks = Arc::new(Outlets::new(Some(sinking.handle().clone())));
    let mut source = Source::new(events);
    sinks.replace(settings);
    source.sinks = Arc::clone(&sinks);
    let typed = type_beside(source, per_second, texts.iter().copied(), |_| (), || true);
    let reports = sinking.block_on(sinks.stop());
    // The stalled one waits for an answer still, and has none from now on.
    drop(silent);
    sinking.shutdown_timeout(PATIENCE);
    (typed, reports)
}

/// The duration that `share` of them do not exceed, in milliseconds.
pub(crate) fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
    times[at - 1].as_secs_f64() * 1e3
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let is_asked = |what: &str| std::env::args().any(|arg| arg == what);
    if is_asked("stalled") {
        return typing_beside_stalled();
    }
    if !is_asked("draws") {
        typing();
    }
    println!("full draws at {}x{} over {EVENTS} events", AREA.width, AREA.height);
    for (what, mut times) in draw_over(EVENTS, 300) {
        let [p50, p99] = [0.5, 0.99].map(|share| quantile(&mut times, share));
        println!("{what:20} p50 {p50:6.2} ms   p99 {p99:6.2} ms");
    }
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn typing() {
    let typed = type_over(EVENTS, PER_SECOND, &TYPED);
    println!("key press to a painted frame over {EVENTS} events, {PER_SECOND} events/s arriving");
    report(&typed, "");
}

/// Of each kind, in turn, so that what else the machine does meets all of them.
const ROUNDS: usize = 7;

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn typing_beside_stalled() {
    const KEPT: usize = 100_000;
    const ARRIVING: usize = 5_000;
    let round = || STALLED.map(|(_, mode)| type_beside_stalled(KEPT, ARRIVING, &TYPED, mode));
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    println!(
        "{ROUNDS} rounds over {KEPT} events, {ARRIVING} events/s arriving; p99 of deliveries is the middle of the rounds"
    );
    for (kind, (name, _)) in STALLED.iter().enumerate() {
        let middle = |sink: usize| {
            let p99 = rounds.iter().map(|round| round[kind].1[sink].p99.expect("delivered"));
            let mut p99: Vec<f64> = p99.collect();
            p99.sort_unstable_by(f64::total_cmp);
            p99[p99.len() / 2]
        };
        let mut painted: Vec<_> =
            rounds.iter().flat_map(|round| round[kind].0.iter().map(Typed::painted)).collect();
        let keys = painted.len();
        let frame = quantile(&mut painted, 0.99);
        let [file, tcp, udp] = [0, 1, 2].map(middle);
        println!(
            "{name:28} file {file:6.2} ms  tcp {tcp:6.2} ms  udp {udp:6.2} ms   {keys} keys to their frames {frame:6.2} ms"
        );
    }
    println!("\nthe sinks at the end of the last round:");
    for sink in rounds.last().into_iter().flatten().flat_map(|(_, reports)| reports) {
        let (counts, dropped) = (&sink.counts, sink.counts.dropped_in_all());
        println!(
            "    {:4} {:9} offered {} delivered {} dropped {dropped}",
            sink.name, sink.mode, counts.offered, counts.delivered
        );
    }
}
