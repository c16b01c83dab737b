//! What a page load is: numbered by the client, told by its events, or a connection; over real connections.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::filter::{Matcher, parse};
use taillight::ingest::admission::Policy;
use taillight::ingest::{self, Door, Intake, Listeners};
use taillight::pipeline::Redactor;
use taillight::published::Published;
use taillight::scan::{Clock, Marks, Scan, Selection, context_of};
use taillight::store::{self, Retention, Snapshot, StoreHandle, StoreMsg};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};

use crate::harness::Socket;

/// An ingestor and its store, as the console runs them.
struct Console {
    port: u16,
    store: StoreHandle,
    snapshots: Arc<Published<Snapshot>>,
    _stop: watch::Sender<bool>,
    _runtime: Runtime,
}

impl Console {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runs");
        let listeners = runtime
            .block_on(async { Listeners::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0) })
            .expect("a free port");
        let port = listeners.address().port();
        let snapshots = Arc::new(Published::new(Snapshot::default()));
        let (store, _) = store::spawn(Retention::default(), Arc::clone(&snapshots)).expect("a thread");
        let dirty = Arc::new(Notify::new());
        let intake = Intake::new(store.clone(), Arc::default(), None, Arc::clone(&dirty), Arc::default());
        let door =
            Door::new(Policy::default(), Redactor::default(), intake, Arc::new(Counters::default()), dirty);
        let (stop, stopping) = watch::channel(false);
        runtime.spawn(ingest::serve(listeners, Arc::new(door), stopping));
        Self { port, store, snapshots, _stop: stop, _runtime: runtime }
    }

    /// A page that has said hello with these fields beside the needed ones.
    fn page(&self, client: &str, fields: &str) -> Socket {
        // Two loads in one millisecond would be one.
        let before = ingest::now();
        while ingest::now() == before {
            std::hint::spin_loop();
        }
        let mut socket = Socket::open(self.port);
        socket.send(&format!(r#"{{"t":"hello","v":1,"client":"{client}","next":1,{fields}}}"#));
        assert_eq!(socket.receive()["t"], "welcome");
        socket
    }

    /// The messages of the events that `filter` lets through, in order of arrival.
    fn shown(&self, filter: &str) -> Vec<String> {
        // The store answers after everything that was acked.
        assert!(self.store.send_blocking(StoreMsg::Tick(ingest::now())));
        let (done, answer) = tokio::sync::oneshot::channel();
        assert!(self.store.send_blocking(StoreMsg::Report(done)));
        let sent = answer.blocking_recv().expect("the books").accepted;
        let snapshot = loop {
            let snapshot = self.snapshots.get();
            if snapshot.ledger.accepted == sent {
                break snapshot;
            }
            std::thread::yield_now();
        };
        let marks = Arc::new(Published::new(Marks::default()));
        let clock = Clock { start: Timestamp(0), zone: jiff::tz::TimeZone::UTC, marks };
        let parsed = parse(filter).filter.expect("a filter");
        let matcher = Matcher::new(Arc::new(parsed), context_of(&snapshot, &clock));
        let mut scan = Scan::new();
        scan.set_selection(Selection::matching(1, matcher, 2));
        scan.set_snapshot(snapshot);
        while scan.advance() {}
        scan.matches().iter().map(|(_, event)| event.msg().to_owned()).collect()
    }
}

fn say(socket: &mut Socket, seq: u64, events: &str) {
    assert_eq!(socket.batch(seq, events).last().expect("an answer")["t"], "ack");
}

fn log(message: &str) -> String {
    format!(r#"[{{"type":"log","message":"{message}"}}]"#)
}

#[test]
fn a_reload_of_one_tab_leaves_the_other_as_it_is() {
    let console = Console::start();
    // Both tabs are of one session, as pages that keep its id in a cookie have it.
    let mut a = console.page("a1", r#""session":"s","tab":"a","load":4"#);
    let mut b = console.page("b1", r#""session":"s","tab":"b","load":1"#);
    say(&mut a, 1, &log("a before"));
    say(&mut b, 1, &log("b"));
    assert_eq!(console.shown("since:reload"), ["a before", "b"]);
    let mut again = console.page("a2", r#""session":"s","tab":"a","load":5"#);
    say(&mut again, 1, &log("a after"));
    assert_eq!(console.shown("since:reload"), ["b", "a after"]);
    assert_eq!(console.shown("load:0"), ["b", "a after"]);
    assert_eq!(console.shown("load:-1"), ["a before"]);
    let boom = r#"[{"type":"error","message":"boom"},{"type":"error","message":"bang"}]"#;
    say(&mut b, 2, r#"[{"type":"error","message":"boom"}]"#);
    assert_eq!(console.shown("is:new"), ["boom"]);
    let mut reloaded = console.page("b2", r#""session":"s","tab":"b","load":2"#);
    say(&mut reloaded, 1, boom);
    assert_eq!(console.shown("is:new"), ["bang"]);
    // A connection that broke is made anew; the page is the same.
    drop(again);
    let mut again = console.page("a2", r#""session":"s","tab":"a","load":5"#);
    say(&mut again, 2, &log("a again"));
    assert_eq!(console.shown("since:reload tab:a"), ["a after", "a again"]);
}

#[test]
fn a_client_without_load_numbers_is_reloaded_when_it_connects_again() {
    let console = Console::start();
    let mut old = console.page("o1", r#""session":"old""#);
    say(&mut old, 1, &log("first"));
    let mut other = console.page("x1", r#""session":"other""#);
    say(&mut other, 1, &log("other"));
    assert_eq!(console.shown("since:reload"), ["first", "other"]);
    assert_eq!(console.shown("session:latest"), ["other"]);
    drop(old);
    let mut old = console.page("o2", r#""session":"old""#);
    say(&mut old, 1, &log("second"));
    assert_eq!(console.shown("since:reload"), ["other", "second"]);
    assert_eq!(console.shown("load:-1"), ["first"]);
    assert_eq!(console.shown("session:latest"), ["first", "second"]);
}

#[test]
fn a_tab_without_numbers_is_reloaded_by_itself() {
    let console = Console::start();
    let mut a = console.page("a1", r#""session":"s","tab":"a""#);
    let mut b = console.page("b1", r#""session":"s","tab":"b""#);
    say(&mut a, 1, &log("a before"));
    say(&mut b, 1, &log("b"));
    assert_eq!(console.shown("since:reload"), ["a before", "b"]);
    let mut again = console.page("a2", r#""session":"s","tab":"a""#);
    say(&mut again, 1, &log("a after"));
    assert_eq!(console.shown("since:reload"), ["b", "a after"]);
    assert_eq!(console.shown("load:-1"), ["a before"]);
}

#[test]
fn page_load_events_say_when_a_load_began() {
    let console = Console::start();
    let now = ingest::now().0;
    let mut page = console.page("p1", r#""session":"s""#);
    let event = |ago: i64, message: &str, rest: &str| {
        format!(r#"{{"type":"metric","message":"{message}","timestamp":{}{rest}}}"#, now - ago)
    };
    let loaded = r#","subtype":"page-load","timing":{"fully-loaded":2000}"#;
    let events = [
        event(60_000, "before", ""),
        event(9_500, "while loading", ""),
        event(8_000, "loaded", loaded),
        event(20_000, "loaded before", loaded),
        event(7_000, "after", ""),
    ];
    say(&mut page, 1, &format!("[{}]", events.join(",")));
    assert_eq!(console.shown("since:reload"), ["while loading", "loaded", "after"]);
    assert_eq!(console.shown("load:-1"), ["before", "loaded before"]);
    // Where the page tells of its loads a connection is none.
    drop(page);
    let _again = console.page("p1", r#""session":"s""#);
    assert_eq!(console.shown("since:reload"), ["while loading", "loaded", "after"]);
}
