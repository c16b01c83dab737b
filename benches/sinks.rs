//! What six sinks, and what alerts cost the ingest: frames decoded and submitted with them and without, side by side.
//!
//! `cargo bench --bench sinks` prints the rate with none, with each sink alone, with all six and with four alerts, their
//! ratios, and what threads of each kind took of the processor; `tests/it/bench.rs` runs the same on a few events. The
//! sinks are real: files in a folder, TCP connections that are read, datagrams. What they cannot keep up with they drop and
//! count. Their far ends, which would stand on another machine, are a process of their own that gives way to everything.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use taillight::alerts::{self, Rule};
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::ingest::ack::ClientKey;
use taillight::ingest::{Intake, Numbered};
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
/// Of each kind, in turn, so that what else the machine does meets all of them.
const ROUNDS: usize = 5;
/// Threads by their names; the last are all that are none of the others, of which those that pack end meanwhile.
const THREADS: [&str; 4] = ["ingest", "store", "sinks", "others"];
/// Nanoseconds in what the system counts a whole process by, on Linux everywhere.
const TICK: f64 = 1e7;
/// What the far ends of the sinks are started with.
const FAR_ENDS: &str = "far-ends";

/// What the ingest has to do beside taking events into the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// The rules of [`RULES`] and the one that is there by default.
    Alerts,
    /// All six.
    Sinks,
    /// One of the six.
    Sink(usize),
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
    /// Processor time by [`THREADS`], in nanoseconds an event.
    pub(crate) cpu: [f64; THREADS.len()],
    pub(crate) sinks: Vec<Report>,
}

/// Where the sinks that send write to: a listener that reads whatever comes, and a socket that nobody reads.
pub(crate) struct FarEnds {
    tcp: SocketAddr,
    udp: SocketAddr,
    _udp: Option<UdpSocket>,
    process: Option<Child>,
}

impl FarEnds {
    /// In this process.
    pub(crate) fn here() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let (tcp, udp) = (listener.local_addr().expect("bound"), socket.local_addr().expect("bound"));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut sunk = vec![0; 1 << 20];
                    while stream.read(&mut sunk).is_ok_and(|read| read > 0) {}
                });
            }
        });
        Self { tcp, udp, _udp: Some(socket), process: None }
    }

    /// In another process, which is this program too.
    fn apart() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new("nice");
        let process = process.args(["-n", "19"]).arg(program).arg(FAR_ENDS);
        let mut process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut said = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut address = || said.next().expect("a line").expect("read").parse().expect("an address");
        Self { tcp: address(), udp: address(), _udp: None, process: Some(process) }
    }

    /// What this process does when it is the other one; ends with whoever started it.
    #[expect(clippy::print_stdout, reason = "the answer to whoever started it")]
    fn stand() {
        let here = Self::here();
        println!("{}\n{}", here.tcp, here.udp);
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    }
}

impl Drop for FarEnds {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }
}

/// Six sinks that write into `folder` and to `ends`.
fn six(folder: &std::path::Path, ends: &FarEnds) -> Vec<Setting> {
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
    let FarEnds { tcp, udp, .. } = ends;
    vec![
        file("one"),
        file("two"),
        to("three", "tcp", tcp.to_string(), Vec::new()),
        to("four", "tcp", tcp.to_string(), errors),
        to("five", "udp", udp.to_string(), Vec::new()),
        to("six", "udp", udp.to_string(), sample),
    ]
}

fn settings(beside: Beside, folder: &std::path::Path, ends: &FarEnds) -> Vec<Setting> {
    match beside {
        Beside::Nothing | Beside::Alerts => Vec::new(),
        Beside::Sinks => six(folder, ends),
        Beside::Sink(which) => vec![six(folder, ends).swap_remove(which)],
    }
}

/// Nanoseconds that threads of each kind have run so far.
#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn cpu() -> [f64; THREADS.len()] {
    let mut spent = [0.0; THREADS.len()];
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let ran = read("schedstat").split(' ').next().and_then(|ran| ran.parse::<u64>().ok());
        if let Some(kind) = THREADS.iter().position(|name| *name == read("comm").trim()) {
            spent[kind] += ran.unwrap_or_default() as f64;
        }
    }
    let process = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: the twelfth and thirteenth are what ran for it and in the system for it.
    let counted = process.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let all: f64 = counted.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * TICK;
    let named: f64 = spent.iter().sum();
    spent[THREADS.len() - 1] = (all - named).max(0.0);
    spent
}

/// Decodes and submits `batches` batches of `events` events from two senders at once.
pub(crate) fn round(beside: Beside, batches: usize, events: usize, ends: &FarEnds) -> Round {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (runtime, sinking) = (
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SENDERS)
            .thread_name(THREADS[0])
            .enable_all()
            .build()
            .expect("threads"),
        Outlets::runtime().expect("threads"),
    );
    let sinks = Arc::new(Outlets::new(Some(sinking.handle().clone())));
    sinks.replace(settings(beside, folder.path(), ends));
    let retention = Retention { events: 100_000, ..Retention::default() };
    let (handle, storing) =
        store::spawn(retention, Arc::new(Published::new(Snapshot::default()))).expect("a thread");
    let (dirty, counters) = (Arc::new(Notify::new()), Arc::new(Counters::default()));
    let intake = Arc::new(Intake::new(handle, Arc::clone(&sinks), None, dirty, counters));
    intake.set_alerts(&if beside == Beside::Alerts { rules() } else { Vec::new() });
    let frames = frames(events);
    let (start, before) = (Instant::now(), cpu());
    let senders: Vec<_> = (1..=SENDERS as u64)
        .map(|client| {
            runtime.spawn(send(Arc::clone(&intake), Arc::clone(&frames), batches / SENDERS, client))
        })
        .collect();
    senders.into_iter().for_each(|sender| runtime.block_on(sender).expect("no panic"));
    let accepted = runtime.block_on(intake.store().ledger()).expect("running").accepted;
    let (took, after) = (start.elapsed(), cpu());
    let sinks = runtime.block_on(sinks.stop());
    drop(intake);
    runtime.shutdown_timeout(Duration::from_secs(1));
    sinking.shutdown_timeout(Duration::from_secs(1));
    storing.join().expect("no panic");
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let accepted_f = accepted as f64;
    let cpu = std::array::from_fn(|kind| (after[kind] - before[kind]) / accepted_f);
    Round { rate: accepted_f / took.as_secs_f64(), accepted, cpu, sinks }
}

async fn send(intake: Arc<Intake>, frames: Arc<Vec<String>>, batches: usize, client: u64) {
    let sender = Sender { source: "browser", recv: NOW, ..Sender::default() };
    let redactor = Redactor::default();
    let client = ClientKey::from_bits(client);
    let mut first = 1;
    for frame in frames.iter().cycle().take(batches) {
        let Ok(Frame::Batch { batch, .. }) = decode_frame(frame, &sender, &redactor) else { continue };
        let numbered = Numbered { client, first };
        first += u64::from(batch.offered);
        intake.submit(*batch, Some(numbered)).await.expect("taken");
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

/// What is measured, with its name.
const KINDS: [(&str, Beside); 9] = [
    ("none", Beside::Nothing),
    ("file", Beside::Sink(0)),
    ("file again", Beside::Sink(1)),
    ("tcp", Beside::Sink(2)),
    ("tcp, errors", Beside::Sink(3)),
    ("udp", Beside::Sink(4)),
    ("syslog, 0.1", Beside::Sink(5)),
    ("all six", Beside::Sinks),
    ("four alerts", Beside::Alerts),
];

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    if std::env::args().any(|word| word == FAR_ENDS) {
        return FarEnds::stand();
    }
    // `cargo bench --bench sinks -- file udp` measures those two beside nothing.
    let is_asked = |name: &str| std::env::args().any(|word| word == name);
    let asked = KINDS.iter().any(|(name, _)| is_asked(name));
    let is_one = |(name, beside): &&(&str, Beside)| !asked || *beside == Beside::Nothing || is_asked(name);
    let kinds: Vec<_> = KINDS.iter().filter(is_one).collect();
    let ends = FarEnds::apart();
    let rounds: Vec<Vec<Round>> = (0..ROUNDS)
        .map(|_| kinds.iter().map(|(_, beside)| round(*beside, BATCHES, BATCH, &ends)).collect())
        .collect();
    let all = (BATCHES * BATCH) as u64;
    assert!(
        rounds.iter().flatten().all(|round| round.accepted == all),
        "every event is taken, whatever is beside"
    );
    println!("the middle of {ROUNDS} rounds of {} events; cpu in ns an event\n", BATCHES * BATCH);
    let [ingest, store, sinks, others] = THREADS;
    println!("{:12} {:>9} {:>6} {ingest:>7} {store:>7} {sinks:>7} {others:>7}", "", "events/s", "ratio");
    for (kind, (name, _)) in kinds.iter().enumerate() {
        let of = |what: &dyn Fn(&[Round]) -> f64| middle(rounds.iter().map(|round| what(round)).collect());
        let cpu: [f64; THREADS.len()] = std::array::from_fn(|thread| of(&|round| round[kind].cpu[thread]));
        let [ingest, store, sinks, others] = cpu;
        println!(
            "{name:12} {:9.0} {:6.2} {ingest:7.0} {store:7.0} {sinks:7.0} {others:7.0}",
            of(&|round| round[kind].rate),
            of(&|round| round[kind].rate / round[0].rate),
        );
    }
    println!("\nwhat became of the events of sinks in the last round:");
    for ((kind, _), round) in kinds.iter().zip(rounds.last().into_iter().flatten()) {
        for sink in &round.sinks {
            let counts = &sink.counts;
            println!(
                "    {kind:12} {:5} offered {} delivered {} filtered {} sampled {} dropped {}",
                sink.name,
                counts.offered,
                counts.delivered,
                counts.filtered,
                counts.sampled,
                counts.dropped_in_all()
            );
        }
    }
}
