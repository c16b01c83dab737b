//! Sinks that stall, fail and panic: what each mode keeps, what others notice, and that the books hold.

mod changes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc};

use super::*;
use crate::event::{Chunk, ChunkBuilder, Level, Msg, Row, Timestamp};
use crate::options::{Kind as Type, Value, key};

const PATIENCE: Duration = Duration::from_secs(20);

fn chunk(first: u64, count: u64) -> Packet {
    chunk_of(first, count, |_| "s")
}

fn chunk_of(first: u64, count: u64, session: fn(u64) -> &'static str) -> Packet {
    let mut builder = ChunkBuilder::new();
    for seq in first..first + count {
        builder.push(&Row {
            seq,
            level: if seq % 2 == 0 { Level::Error } else { Level::Info },
            id: "a/b",
            ns: "a.b",
            session: session(seq),
            source: "browser",
            msg: Msg::Text("m"),
            ..Row::default()
        });
    }
    let chunk: Chunk = builder.finish();
    Packet::of(std::sync::Arc::new(chunk))
}

/// The far end of a probe: what it was given, and how many batches it may take.
struct Far {
    written: mpsc::UnboundedReceiver<u64>,
    may: Arc<Semaphore>,
}

impl Far {
    async fn next(&mut self) -> u64 {
        tokio::time::timeout(PATIENCE, self.written.recv()).await.expect("in time").expect("open")
    }

    async fn take(&mut self, count: usize) -> Vec<u64> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(self.next().await);
        }
        all
    }
}

type Near = (mpsc::UnboundedSender<u64>, Arc<Semaphore>);

static PROBES: Mutex<Option<HashMap<String, Near>>> = Mutex::new(None);

/// A sink that waits for leave, then does what its `does` says over the event numbered `at`.
struct Probe {
    options: Options,
    near: Near,
}

#[derive(Clone)]
struct Options {
    name: String,
    does: String,
    at: u64,
}

impl Sink for Probe {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let probes = PROBES.lock().expect("unpoisoned");
        let near = probes.as_ref().and_then(|probes| probes.get(&options.name).cloned()).expect("a probe");
        Ok(Self { options: options.clone(), near })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        self.near.1.acquire().await.expect("open").forget();
        let mut written = Written::default();
        for (done, item) in batch.items().enumerate() {
            if item.event.seq() == self.options.at {
                match self.options.does.as_str() {
                    "fail" => {
                        let (why, after) = ("down".to_owned(), Some(PATIENCE));
                        return Err(SinkError::Retry { why, after, done, too_large: 0 });
                    }
                    "block" => {
                        let _ = self.near.0.send(item.event.seq());
                        tokio::task::block_in_place(|| {
                            while self.near.1.try_acquire().is_err() {
                                std::thread::yield_now();
                            }
                        });
                        let (why, after) = ("gave up".to_owned(), Some(PATIENCE));
                        return Err(SinkError::Retry { why, after, done, too_large: 0 });
                    }
                    "panic" => panic!("over event {}", self.options.at),
                    "refuse" => return Err(SinkError::fatal("no")),
                    "size" => {
                        written.too_large += 1;
                        continue;
                    }
                    "retry" => {
                        self.options.does.clear();
                        let (why, after) = ("later".to_owned(), Some(Duration::ZERO));
                        return Err(SinkError::Retry { why, after, done, too_large: 0 });
                    }
                    _ => {}
                }
            }
            let _ = self.near.0.send(item.event.seq());
        }
        Ok(written)
    }
}

const PROBE_KEYS: &[Key] = &[
    key("probe", Type::Text(crate::options::Check::ANY), "", "its name"),
    key("does", Type::Text(crate::options::Check::ANY), "", "what it does"),
    key("at", Type::Count { from: 0, to: u64::MAX }, "0", "over which event"),
];
static PROBE: Kind = Kind {
    name: "probe",
    about: "",
    unit: "event",
    keys: PROBE_KEYS,
    build: |values| {
        let (name, does) = (values.text("probe").to_owned(), values.text("does").to_owned());
        Ok(Build::of::<Probe>(Options { name, does, at: values.number("at") }))
    },
};

/// A probe named `name` that may take `batches` batches, and its setting.
fn probe(name: &str, batches: usize, values: &[(&'static str, Value)]) -> (Far, Setting) {
    let (sender, written) = mpsc::unbounded_channel();
    let may = Arc::new(Semaphore::new(batches));
    let mut probes = PROBES.lock().expect("unpoisoned");
    probes.get_or_insert_default().insert(name.to_owned(), (sender, Arc::clone(&may)));
    let mut setting = Setting {
        name: name.to_owned(),
        kind: &PROBE,
        values: Values::defaults(&[crate::pipeline::SELECTION, DISPATCH, PROBE_KEYS]),
    };
    setting.values.put("probe", Value::Text(name.to_owned()));
    setting.values.put("drain", Value::Span(0));
    setting.values.put("retry-first", Value::Span(1));
    for (key, value) in values {
        setting.values.put(key, value.clone());
    }
    (Far { written, may }, setting)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn runtime() -> Runtime {
    Outlets::runtime().expect("threads")
}

/// The report of `name`, whose sum must hold.
fn report(outlets: &Outlets, name: &str) -> Report {
    let report = outlets.reports().into_iter().find(|report| report.name == name).expect("there");
    assert!(report.is_balanced(), "{report:?}");
    report
}

/// Asks again until `holds`, which it must in time.
async fn until(outlets: &Outlets, name: &str, holds: impl Fn(&Report) -> bool) {
    let holds = async {
        while !holds(&report(outlets, name)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.expect("in time");
}

const MANY: usize = Semaphore::MAX_PERMITS;

#[test]
fn a_stalled_sink_keeps_what_its_mode_says_and_others_get_everything() {
    let runtime = runtime();
    runtime.block_on(async {
        for (mode, first, last) in
            [("dropping", 1, 1_024), ("sliding", 8_977, 10_000), ("blocking", 1, 10_000)]
        {
            let outlets = Outlets::new(Some(runtime.handle().clone()));
            let buffer =
                [("buffer", Value::Number(1_024)), ("mode", text(mode)), ("batch-events", Value::Number(10))];
            let (mut stalled, setting) = probe(&format!("stalled-{mode}"), 0, &buffer);
            let name = setting.name.clone();
            let (mut quick, quick_setting) =
                probe(&format!("quick-{mode}"), MANY, &[("mode", text("blocking"))]);
            outlets.replace(vec![setting, quick_setting.clone()]);
            // The first ten are in flight, whatever the mode.
            let mut open = Vec::new();
            open.push(outlets.offer(&chunk(100_001, 10), Timestamp(0)));
            while report(&outlets, &name).queued < 10 || outlets.has_waiting(&name) {
                tokio::task::yield_now().await;
            }
            for batch in 0..100 {
                open.push(outlets.offer(&chunk(1 + batch * 100, 100), Timestamp(0)));
            }
            assert_eq!(quick.take(10_010).await.last(), Some(&10_000));
            let kept = last - first + 1;
            let stands = report(&outlets, &name);
            assert_eq!((stands.counts.offered, stands.queued), (10_010, kept + 10), "{mode}");
            assert_eq!(stands.counts.dropped_in_all(), 10_000 - kept, "{mode}");
            // Acks are withheld from the batch on that does not fit the buffer, and only where nothing is dropped.
            let withheld = open.iter().filter(|tickets| tickets.waits_for(&name)).count();
            assert_eq!(withheld, if mode == "blocking" { 90 } else { 0 });
            stalled.may.add_permits(MANY / 2);
            let got = stalled.take(usize::try_from(kept).expect("small") + 10).await;
            assert_eq!((got[10], *got.last().expect("some")), (first, last), "{mode}");
            assert!(got[10..].is_sorted() && got[..10].is_sorted());
            for tickets in open {
                assert!(tickets.settled().await);
            }
            // Booked once the sink has answered, which is after the last event was seen.
            while report(&outlets, &quick_setting.name).counts.delivered < 10_010 {
                tokio::task::yield_now().await;
            }
            outlets.stop().await;
        }
    });
}

#[test]
fn acks_wait_for_all_that_came_before_and_end_with_the_sinks() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let (mut far, setting) =
            probe("promise", 0, &[("mode", text("blocking")), ("buffer", Value::Number(1))]);
        outlets.replace(vec![setting]);
        assert!(outlets.due().is_empty(), "nothing is under way");
        // A repeat of what is still being written brings no events of its own.
        let (first, repeat) =
            (outlets.offer(&chunk(1, 5), Timestamp(0)), outlets.offer(&chunk(6, 0), Timestamp(0)));
        assert!(first.waits_for("promise") && repeat.waits_for("promise"));
        far.may.add_permits(1);
        assert!(first.settled().await && repeat.settled().await);
        assert_eq!(far.take(5).await, [1, 2, 3, 4, 5]);

        let unwritten = outlets.offer(&chunk(6, 5), Timestamp(0));
        let asked = outlets.due();
        outlets.stop().await;
        assert!(!unwritten.settled().await && !asked.settled().await);
        let late = outlets.offer(&chunk(11, 1), Timestamp(0));
        assert!(!late.settled().await && !outlets.due().settled().await);
        assert_eq!(report(&outlets, "promise").counts.dropped[Dropped::Undelivered as usize], 6);
    });
}

#[test]
fn a_write_that_outlives_its_runtime_is_the_end_of_its_sink() {
    let runtime = runtime();
    let outlets = Outlets::new(Some(runtime.handle().clone()));
    let (mut far, setting) = probe("outlives", 1, &[("does", text("block")), ("at", Value::Number(1))]);
    runtime.block_on(async {
        outlets.replace(vec![setting]);
        let _ = outlets.offer(&chunk(1, 1), Timestamp(0));
        assert_eq!(far.next().await, 1);
        // It is not waited for any longer.
        outlets.stop().await;
    });
    runtime.shutdown_timeout(Duration::from_millis(10));
    far.may.add_permits(1);
    let begun = Instant::now();
    while report(&outlets, "outlives").state != State::Stopped {
        assert!(begun.elapsed() < PATIENCE, "it never ended");
        std::thread::yield_now();
    }
    assert_eq!(report(&outlets, "outlives").counts.dropped[Dropped::Undelivered as usize], 1);
}

#[test]
fn a_sink_that_panics_loses_the_batch_it_was_over_and_goes_on() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let one = ("batch-events", Value::Number(1));
        let (mut far, setting) =
            probe("panics", MANY, &[("does", text("panic")), ("at", Value::Number(5)), one]);
        let (mut other, other_setting) = probe("calm", MANY, &[]);
        outlets.replace(vec![setting, other_setting]);
        let _ = outlets.offer(&chunk(1, 10), Timestamp(0));
        assert_eq!(far.take(9).await, [1, 2, 3, 4, 6, 7, 8, 9, 10]);
        assert_eq!(other.take(10).await, (1..=10).collect::<Vec<_>>());
        outlets.stop().await;
        let stands = report(&outlets, "panics");
        assert_eq!((stands.counts.delivered, stands.counts.dropped[Dropped::Panic as usize]), (9, 1));
        assert_eq!(stands.last_error.as_deref(), Some("panicked: over event 5"));
        assert_eq!(report(&outlets, "calm").counts.delivered, 10);
    });
}

#[test]
fn what_was_done_before_a_failure_is_not_done_again_and_refusals_are_counted() {
    let runtime = runtime();
    runtime.block_on(async {
        for (does, delivered, reason, errors) in [
            ("retry", vec![1, 2, 3, 4, 5, 6, 7, 8], None, 1),
            ("refuse", vec![1, 2, 3, 4], Some(Dropped::Refused), 1),
            ("size", vec![1, 2, 3, 4, 6, 7, 8], Some(Dropped::Size), 0),
        ] {
            let outlets = Outlets::new(Some(runtime.handle().clone()));
            let values = [("does", text(does)), ("at", Value::Number(5)), ("drain", Value::Span(20_000))];
            let (mut far, setting) = probe(&format!("does-{does}"), MANY, &values);
            let name = setting.name.clone();
            outlets.replace(vec![setting]);
            let _ = outlets.offer(&chunk(1, 8), Timestamp(0));
            outlets.stop().await;
            let got = far.take(delivered.len()).await;
            assert_eq!(got, delivered, "{does}");
            let stands = report(&outlets, &name);
            assert_eq!(
                (stands.queued, stands.counts.errors, stands.state),
                (0, errors, State::Stopped),
                "{does}"
            );
            let dropped = reason.map_or(0, |reason| stands.counts.dropped[reason as usize]);
            assert_eq!(dropped, stands.counts.dropped_in_all(), "{does}");
        }
    });
}

#[test]
fn selections_pauses_and_the_end_are_in_the_books() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let (mut far, setting) =
            probe("errors", 1, &[("min-level", text("error")), ("batch-events", Value::Number(3))]);
        outlets.replace(vec![setting]);
        let _ = outlets.offer(&chunk(1, 10), Timestamp(0));
        assert_eq!(far.take(3).await, [2, 4, 6]);
        assert!(outlets.set_paused("errors", true) && !outlets.set_paused("nobody", true));
        let _ = outlets.offer(&chunk(11, 7), Timestamp(0));
        assert_eq!(report(&outlets, "errors").state, State::Paused);
        outlets.set_paused("errors", false);
        let _ = outlets.offer_to(&chunk(18, 1), &["errors".to_owned()], Timestamp(0));
        let _ = outlets.offer_to(&chunk(19, 1), &["nobody".to_owned()], Timestamp(0));
        outlets.stop().await;
        let counts = report(&outlets, "errors").counts;
        assert_eq!((counts.offered, counts.delivered, counts.filtered), (18, 3, 5));
        let of = |reason: Dropped| counts.dropped[reason as usize];
        assert_eq!((of(Dropped::Paused), of(Dropped::Undelivered)), (7, 3));
    });
}

#[test]
fn a_batch_waits_for_more_until_it_is_old_enough() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let age = [("batch-age", Value::Span(3_600_000)), ("batch-events", Value::Number(4))];
        let (mut far, setting) = probe("aging", MANY, &age);
        outlets.replace(vec![setting]);
        for first in 1..=3 {
            let _ = outlets.offer(&chunk(first, 1), Timestamp(0));
        }
        assert_eq!(report(&outlets, "aging").queued, 3);
        let _ = outlets.offer(&chunk(4, 1), Timestamp(0));
        assert_eq!(far.take(4).await, [1, 2, 3, 4]);
    });
}

#[test]
fn every_kind_has_defaults_of_its_kind_and_a_build_or_a_reason() {
    for kind in KINDS {
        let setting = Setting::new("x", kind.name);
        let built = (kind.build)(&setting.values);
        assert!(built.is_ok() || built.err().is_some_and(|why| why.contains("is missing")), "{}", kind.name);
        assert!(kind.keys.iter().all(|key| !key.help.is_empty()));
        Dispatch::of(&setting.values);
    }
}

#[test]
fn sections_are_read_with_reasons_for_what_is_left_out() {
    for (text, names, said) in [
        ("[sinks.console]\n[sinks.files]\ntype = \"file\"", vec!["console", "files"], vec![]),
        ("[sinks.fil]", vec![], vec!["there is no type of sink `fil`"]),
        ("[sinks.tcp]", vec![], vec!["sinks.tcp: address is missing"]),
        (
            "[sinks.tcp]\naddress = \"nowhere\"",
            vec![],
            vec!["sinks.tcp: address is an address", "is left out"],
        ),
        ("[sinks.file]\nmode = \"sliding\"\nack = \"synced\"", vec![], vec!["needs mode = \"blocking\""]),
        ("[sinks.file]\nfolder = \"a\"\nfile = \"b\"", vec![], vec!["set folder or file, not both"]),
        ("[sinks.\"a b\"]\ntype = \"console\"", vec![], vec!["is no name for a sink"]),
        (
            "[sinks.console]\nfilter = \"since:5m\"",
            vec![],
            vec!["only ask about the event itself", "is left out"],
        ),
        (
            "[sinks.console]\nlimits = \"5 per moon\"",
            vec![],
            vec!["limits is a list, each a limit", "is left out"],
        ),
        ("[sinks]\nfile = 3", vec![], vec!["sinks.file is a table"]),
    ] {
        let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
        let table = document.get("sinks").and_then(toml_edit::Item::as_table_like).expect("a table");
        let mut complaints = Vec::new();
        let settings = read(table, &mut |span, message| {
            assert!(span.is_some(), "{message}");
            complaints.push(message);
        });
        assert_eq!(settings.iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert_eq!(complaints.len(), said.len(), "{text}: {complaints:?}");
        for (complaint, part) in complaints.iter().zip(said) {
            assert!(complaint.contains(part), "{text}: {complaint}");
        }
    }
}

#[test]
fn a_sink_rests_for_a_visitor_once_its_write_has_ended_and_then_goes_on() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let one = ("batch-events", Value::Number(1));
        let nobody = Person::User("nobody".to_owned());
        let (mut far, setting) = probe("visited", 0, &[one, ("drain", Value::Span(20_000))]);
        outlets.replace(vec![setting]);
        let _ = outlets.offer(&chunk(1, 1), Timestamp(0));
        // Until it is being written.
        while outlets.has_waiting("visited") {
            tokio::task::yield_now().await;
        }
        let _ = outlets.offer(&chunk(2, 1), Timestamp(0));
        let busy = outlets
            .alone("visited", &nobody, Duration::from_millis(20))
            .await
            .expect_err("it is being written");
        assert!(busy.contains("in the middle of a write"), "{busy}");
        far.may.add_permits(1);
        let alone = outlets.alone("visited", &nobody, PATIENCE).await.expect("the first is written");
        assert_eq!(far.take(1).await, [1]);
        far.may.add_permits(MANY / 2);
        let _ = outlets.offer(&chunk(3, 2), Timestamp(0));
        tokio::task::yield_now().await;
        assert_eq!((report(&outlets, "visited").queued, far.written.try_recv().is_err()), (3, true));
        drop(alone);
        assert_eq!(far.take(3).await, [2, 3, 4]);
        assert!(outlets.alone("another", &nobody, PATIENCE).await.is_err());
        outlets.stop().await;
        assert!(outlets.alone("visited", &nobody, PATIENCE).await.is_ok(), "what has ended writes nothing");
    });
}

#[test]
fn a_person_leaves_queue_and_batch_of_a_sink_that_is_down_and_others_stay() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let more = [("batch-events", Value::Number(4)), ("does", text("fail")), ("at", Value::Number(1))];
        let (mut far, setting) = probe("down", MANY, &more);
        outlets.replace(vec![setting]);
        let theirs = |seq: u64| if seq % 2 == 1 { "theirs" } else { "s" };
        let _ = outlets.offer(&chunk_of(1, 10, theirs), Timestamp(0));
        until(&outlets, "down", |report| report.state == State::Retrying).await;
        assert_eq!(report(&outlets, "down").queued, 10);
        let who = Person::Session("theirs".to_owned());
        let alone = outlets.alone("down", &who, PATIENCE).await.expect("between two tries");
        let stands = report(&outlets, "down");
        assert_eq!((stands.queued, stands.counts.dropped[Dropped::Forgotten as usize]), (5, 5));
        // Its next try is without what it failed over.
        drop(alone);
        assert_eq!(far.take(5).await, [2, 4, 6, 8, 10]);
        outlets.stop().await;
        assert_eq!(report(&outlets, "down").counts.delivered, 5);
    });
}
