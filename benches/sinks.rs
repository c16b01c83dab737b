//! What six sinks, and what alerts cost the ingest: frames decoded and submitted with them and without, side by side.
//!
//! `cargo bench --bench sinks` prints the rates and their ratios; `tests/it/bench.rs` runs the same on a few events. The
//! sinks are real: files, TCP connections that are read, datagrams. What they cannot keep up with they drop and count.

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use taillight::alerts::{self, Rule};
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::ingest::Intake;
use taillight::load::Pool;
use taillight::options::Value;
use taillight::pipeline::Redactor;
use taillight::published::Published;
use taillight::sinks::{Outlets, Report, Setting};
use taillight::store::{self, Retention, Snapshot};
use taillight::wire::{Frame, Sender, decode_frame};
use tokio::sync::Notify;

const NOW: Timestamp = Timestamp(1_704_067_200_000);
const BATCH: usize = 100;
const BATCHES: usize = 10_000;
const SENDERS: usize = 2;
/// One with and one without in turn, so that what else the machine does meets both.
const ROUNDS: usize = 5;

/// What the ingest has to do beside taking events into the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// The rules of [`RULES`] and the one that is there by default.
    Alerts,
    Sinks,
}

const RULES: &str = r#"
    [[alerts]]
    name = "slow endpoint"
    filter = "has:endpoint"
    by = "endpoint"
    measure = "p95"
    at-least = 100000
    [[alerts]]
    name = "failing"
    filter = "is:failed"
    of = "has:endpoint"
    measure = "share"
    at-least = 1.0
    [[alerts]]
    name = "loud"
    by = "session"
    measure = "rate"
    at-least = 1e9
"#;

fn rules() -> Vec<Rule> {
    let document = toml_edit::Document::parse(RULES).expect("TOML");
    let mut rules = alerts::usual();
    alerts::read(&mut rules, &document["alerts"], &|_| String::new(), &mut |_, said| panic!("{said}"));
    rules
}

/// What one round came to.
#[derive(Debug)]
pub(crate) struct Round {
    /// Events a second.
    pub(crate) rate: f64,
    pub(crate) accepted: u64,
    pub(crate) sinks: Vec<Report>,
}

/// Six sinks that write into `folder`, to a listener and to a socket nobody reads.
fn six(folder: &std::path::Path) -> (Vec<Setting>, UdpSocket) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (tcp, udp) = (listener.local_addr().expect("bound"), socket.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut sunk = vec![0; 1 << 16];
                while stream.read(&mut sunk).is_ok_and(|read| read > 0) {}
            });
        }
    });
    let text = |text: String| Value::Text(text);
    let make = |name: &str, kind: &str, values: Vec<(&'static str, Value)>| {
        let mut setting = Setting::new(name, kind);
        for (key, value) in values {
            setting.values.put(key, value);
        }
        setting
    };
    let file = |name: &str| {
        let file = folder.join(name).display().to_string();
        make(name, "file", vec![("file", text(file)), ("mode", text("dropping".to_owned()))])
    };
    let to = |name: &str, kind: &str, address: String, more: Vec<(&'static str, Value)>| {
        make(name, kind, [vec![("address", text(address))], more].concat())
    };
    let errors = vec![("filter", text("level>=warn or is:failed".to_owned()))];
    let sample = vec![("sample", Value::Real(0.1)), ("format", text("syslog".to_owned()))];
    let settings = vec![
        file("one"),
        file("two"),
        to("three", "tcp", tcp.to_string(), Vec::new()),
        to("four", "tcp", tcp.to_string(), errors),
        to("five", "udp", udp.to_string(), Vec::new()),
        to("six", "udp", udp.to_string(), sample),
    ];
    (settings, socket)
}

/// Decodes and submits `batches` batches of `events` events from two senders at once.
pub(crate) fn round(beside: Beside, batches: usize, events: usize) -> Round {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, _socket) = six(folder.path());
    let (runtime, sinking) = (
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SENDERS)
            .enable_all()
            .build()
            .expect("threads"),
        Outlets::runtime().expect("threads"),
    );
    let sinks = Arc::new(Outlets::new(Some(sinking.handle().clone())));
    sinks.replace(if beside == Beside::Sinks { settings } else { Vec::new() });
    let retention = Retention { events: 100_000, ..Retention::default() };
    let (handle, storing) =
        store::spawn(retention, Arc::new(Published::new(Snapshot::default()))).expect("a thread");
    let (dirty, counters) = (Arc::new(Notify::new()), Arc::new(Counters::default()));
    let intake = Arc::new(Intake::new(handle, Arc::clone(&sinks), None, dirty, counters));
    intake.set_alerts(&if beside == Beside::Alerts { rules() } else { Vec::new() });
    let frames = frames(events);
    let start = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| runtime.spawn(send(Arc::clone(&intake), Arc::clone(&frames), batches / SENDERS)))
        .collect();
    senders.into_iter().for_each(|sender| runtime.block_on(sender).expect("no panic"));
    let accepted = runtime.block_on(intake.store().ledger()).expect("running").accepted;
    let took = start.elapsed();
    let sinks = runtime.block_on(sinks.stop());
    drop(intake);
    runtime.shutdown_timeout(Duration::from_secs(1));
    sinking.shutdown_timeout(Duration::from_secs(1));
    storing.join().expect("no panic");
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    Round { rate: accepted as f64 / took.as_secs_f64(), accepted, sinks }
}

async fn send(intake: Arc<Intake>, frames: Arc<Vec<String>>, batches: usize) {
    let sender = Sender { source: "browser", recv: NOW, ..Sender::default() };
    let redactor = Redactor::default();
    for frame in frames.iter().cycle().take(batches) {
        let Ok(Frame::Batch { batch, .. }) = decode_frame(frame, &sender, &redactor) else { continue };
        intake.submit(*batch, None).await.expect("taken");
    }
}

fn frames(events: usize) -> Arc<Vec<String>> {
    let pool = Pool::new(1);
    let frame = |nth: usize| {
        let mut frame = String::new();
        pool.batch(1 + (nth * events) as u64, nth * events, events, NOW.0, &mut frame);
        frame
    };
    Arc::new((0..4).map(frame).collect())
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let (mut with_sinks, mut with_alerts, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let of = |beside| round(beside, BATCHES, BATCH);
        let [nothing, alerts, sinks] = [Beside::Nothing, Beside::Alerts, Beside::Sinks].map(of);
        with_sinks.push(sinks.rate / nothing.rate);
        with_alerts.push(alerts.rate / nothing.rate);
        ns.push(1e9 / alerts.rate - 1e9 / nothing.rate);
        println!(
            "{:.0} events/s, {:.0} with four alerts, {:.0} with six sinks; {} events each",
            nothing.rate, alerts.rate, sinks.rate, sinks.accepted
        );
        for sink in sinks.sinks {
            let counts = &sink.counts;
            println!(
                "    {:5} offered {} delivered {} filtered {} sampled {} dropped {}",
                sink.name,
                counts.offered,
                counts.delivered,
                counts.filtered,
                counts.sampled,
                counts.dropped_in_all()
            );
        }
    }
    let middle = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "in the middle: with six sinks {:.2} of the rate, with four alerts {:.2}",
        middle(&mut with_sinks),
        middle(&mut with_alerts)
    );
    println!("four alerts cost {:.0} ns an event", middle(&mut ns));
}
