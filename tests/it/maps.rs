//! Stacks of real browsers and the maps they lead to: recorded ones, hostile ones, and the thread between.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taillight::counters::{Counter, Counters};
use taillight::event::{Mapped, Timestamp};
use taillight::maps::{
    self, Allowed, Loader, Lookup, MapsHandle, Options, Refusal, Rewrites, Root, Script, Text,
};
use taillight::pipeline::Redactor;
use taillight::pipeline::fingerprint::{Evidence, Scratch, fingerprint};
use taillight::published::Published;
use taillight::stack;
use taillight::store::{self, Retention, Snapshot, StoreHandle, StoreMsg, Tally};
use taillight::wire::LineDecoder;

/// The folder with the recorded page's script, its map and its sources.
fn project() -> Root {
    Root::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/maps"))
}

/// Where the recorded page's scripts were.
const RECORDED: &str = "http://127.0.0.1:21801/dist/";

pub(crate) fn recorded() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/maps/stacks.json")).expect("recorded stacks")
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// What is known of the recorded page: its own script, read from the project.
struct Recorded(Arc<Script>);

impl Recorded {
    fn new() -> Self {
        let rewrites = Rewrites(vec![(RECORDED.to_owned(), "dist/".to_owned())]);
        let script = Loader::new(None, project(), rewrites).load(&format!("{RECORDED}app.js"), None);
        Self(script.expect("a map beside the script"))
    }
}

impl Lookup for Recorded {
    fn script(&self, file: &str) -> Option<&Script> {
        file.ends_with("/dist/app.js").then_some(&*self.0)
    }
    fn refusal(&self, _: &str) -> Option<String> {
        None
    }
    fn path_of(&self, file: &str) -> String {
        file.to_owned()
    }
    fn local(&self, path: &str) -> Option<Arc<Path>> {
        project().file(path).map(Arc::from)
    }
    fn text(&self, _: &str) -> Option<Arc<Text>> {
        None
    }
    fn is_own(&self, path: &str) -> bool {
        stack::is_own(path)
    }
}

/// An event as a page sends it for what was recorded.
fn event_of(recorded: &Value) -> Value {
    let mut event = json!({"type": "error", "subtype": "javascript", "message": recorded["message"], "stack": recorded["stack"],
        "session-id": recorded["engine"]});
    if let Some(file) = recorded["filename"].as_str() {
        event["location"] = json!({"url": file, "line": recorded["lineno"], "column": recorded["colno"]});
    }
    event
}

fn mapped(event: &Value, known: &Recorded) -> Mapped {
    maps::resolve(&stack::told(&event.to_string()), known)
}

#[test]
fn every_recorded_stack_of_three_engines_is_read_to_its_last_line() {
    let mut engines = BTreeMap::new();
    for recorded in recorded() {
        let stack = text(&recorded, "stack");
        let lines = stack.lines().filter(|line| !line.trim().is_empty()).count();
        let heads = usize::from(text(&recorded, "engine") == "chromium" && lines > 0);
        assert_eq!(stack::frames(stack).count(), lines - heads, "{stack}");
        *engines.entry(text(&recorded, "engine").to_owned()).or_insert(0) += 1;
    }
    assert!(engines.len() == 3 && engines.values().all(|count| *count >= 10), "{engines:?}");
}

#[test]
fn every_own_frame_of_the_recordings_has_a_source() {
    let known = Recorded::new();
    let mut seen = 0;
    for recorded in recorded() {
        for frame in mapped(&event_of(&recorded), &known).traces.iter().flat_map(|trace| &trace.frames) {
            if frame.file.contains("app.js") {
                panic!("not mapped: {frame:?} of {recorded}");
            }
            seen += usize::from(frame.is_mapped);
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_same_error_of_three_engines_is_one_line_and_one_group() {
    let known = Recorded::new();
    for (says, file, line, function) in [
        (["reading 'rate'", "property \"rate\"", "o.rate"], "src/app/checkout.ts", 8, "applyDiscount"),
        (["card 4242 declined"; 3], "src/app/checkout.ts", 28, "charge"),
        (["order c-1001 rejected"; 3], "src/app/checkout.ts", 35, "submitOrder"),
        (["not a valid selector"; 3], "src/app/scenario.ts", 28, ""),
        (["a bare string"; 3], "src/app/scenario.ts", 22, ""),
    ] {
        let mut groups = BTreeMap::new();
        for recorded in recorded() {
            if !says.iter().any(|says| text(&recorded, "message").contains(says)) {
                continue;
            }
            let mapped = mapped(&event_of(&recorded), &known);
            let place = mapped.place().unwrap_or_else(|| panic!("no place: {recorded}"));
            assert_eq!((&*place.file, place.line), (file, line), "{recorded}");
            if !function.is_empty() {
                assert_eq!(&*place.function, function, "{recorded}");
            }
            let code = place.code.as_ref().expect("the map has its sources");
            assert!(code.first == line - 2 && code.lines.len() >= 4, "{code:?}");
            let evidence = Evidence {
                kind: "error",
                mapped: Some((&place.file, &place.function)),
                ..Evidence::default()
            };
            let group = fingerprint(&evidence, &mut Scratch::default());
            groups.insert(text(&recorded, "engine").to_owned(), group);
        }
        assert_eq!(groups.len(), 3, "{says:?}: {groups:?}");
        let mut distinct: Vec<_> = groups.values().collect();
        distinct.dedup();
        assert_eq!(distinct.len(), 1, "{says:?}: {groups:?}");
    }
}

/// What a server answers to a path: status line and headers, then the body.
pub(crate) type Answer = (String, Vec<u8>);

pub(crate) fn ok(headers: &str, body: impl Into<Vec<u8>>) -> Answer {
    (format!("200 OK\r\n{headers}"), body.into())
}

/// A development server: what it answers, and how often it was asked for what.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(stream, &*answer, &log));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str, &str) -> Option<Answer>, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
    let mut head = String::new();
    loop {
        head.clear();
        loop {
            let before = head.len();
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
            if head[before..].trim().is_empty() {
                break;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        log.lock().expect("not poisoned").push(path.clone());
        let Some((status, body)) = answer(&path, &head) else {
            // Says nothing more, and keeps the line open until the other side goes.
            let _ = reader.read_line(&mut head);
            return;
        };
        let written = write!(stream, "HTTP/1.1 {status}content-length: {}\r\n\r\n", body.len())
            .and_then(|()| stream.write_all(&body));
        if written.is_err() {
            return;
        }
    }
}

fn loader() -> Loader {
    Loader::new(Some(Allowed::default()), project(), Rewrites::default())
}

const MAP: &str = r#"{"version":3,"sources":["../src/a.ts"],"names":[],"mappings":"AACA","sourcesContent":["one\ntwo\nthree"]}"#;

#[test]
fn maps_are_found_wherever_a_script_says() {
    use base64::Engine as _;
    let inline = base64::engine::general_purpose::STANDARD.encode(MAP);
    let server = Server::start(move |path, _| {
        Some(match path {
            "/dist/beside.js" => ok("", "x()\n//# sourceMappingURL=app.js.map"),
            "/dist/inline.js" => {
                ok("", format!("x()\n//# sourceMappingURL=data:application/json;base64,{inline}"))
            }
            "/dist/header.js" => ok("SourceMap: /maps/a.map\r\n", "x()"),
            "/dist/moved.js" => ("302 Found\r\nLocation: /dist/beside.js\r\n".to_owned(), Vec::new()),
            "/dist/app.js.map" | "/maps/a.map" => ok("", MAP),
            "/dist/none.js" => ok("", "let a = 1"),
            _ => ("404 Not Found\r\n".to_owned(), Vec::new()),
        })
    });
    for script in ["beside", "inline", "header", "moved"] {
        let loaded = loader().load(&format!("{}/dist/{script}.js", server.address), None);
        let loaded = loaded.unwrap_or_else(|refusal| panic!("{script}: {refusal}"));
        let token = loaded.lookup(1, 1).expect(script);
        assert_eq!(
            (token.line, loaded.source(token.source).map(|source| source.0)),
            (1, Some("src/a.ts")),
            "{script}"
        );
    }
    let plain = loader().load(&format!("{}/dist/none.js", server.address), None).expect("a script");
    assert_eq!(
        (plain.has_map(), plain.path(), plain.text().map(Text::as_str)),
        (false, "dist/none.js", Some("let a = 1"))
    );
    let missing = loader().load(&format!("{}/dist/missing.js", server.address), None);
    assert_eq!(missing.err(), Some(Refusal::Status(404)));
}

#[test]
fn hostile_servers_cost_their_time_and_size_and_nothing_is_asked_elsewhere() {
    let elsewhere = Server::start(|_, _| Some(ok("", MAP)));
    let other = elsewhere.address.clone();
    let server = Server::start(move |path, _| {
        let to = |place: &str| (format!("302 Found\r\nLocation: {place}\r\n"), Vec::new());
        Some(match path {
            "/elsewhere.js" => to(&format!("{other}/a.js")),
            "/file.js" => to("file:///etc/passwd"),
            "/loop.js" => to("/loop.js"),
            "/map-elsewhere.js" => ok("", format!("//# sourceMappingURL={other}/a.map")),
            "/map-on-disk.js" => ok("", "//# sourceMappingURL=file:///etc/passwd"),
            "/header-elsewhere.js" => ok(&format!("SourceMap: {other}/a.map\r\n"), "x"),
            "/map-moved.js" => ok("", "//# sourceMappingURL=moved.map"),
            "/moved.map" => to(&format!("{other}/a.map")),
            "/big.js" => ok("", vec![b' '; maps::MAX_BYTES + 1]),
            "/no-map.js" => ok("", "//# sourceMappingURL=no.map"),
            "/no.map" => ok("", "<!doctype html>"),
            _ => return None,
        })
    });
    let silent = format!("{}/silent.js", server.address);
    let slow = thread::spawn(move || {
        let begun = Instant::now();
        (loader().load(&silent, None).err(), begun.elapsed())
    });
    for (script, expected) in [
        ("elsewhere", Refusal::Elsewhere),
        ("file", Refusal::Elsewhere),
        ("loop", Refusal::NoAnswer("it redirects without end".to_owned())),
        ("map-elsewhere", Refusal::Elsewhere),
        ("map-on-disk", Refusal::Elsewhere),
        ("header-elsewhere", Refusal::Elsewhere),
        ("map-moved", Refusal::Elsewhere),
        ("big", Refusal::TooBig),
    ] {
        let loaded = loader().load(&format!("{}/{script}.js", server.address), None);
        assert_eq!(loaded.err(), Some(expected), "{script}");
    }
    let no_map = loader().load(&format!("{}/no-map.js", server.address), None);
    assert!(matches!(no_map, Err(Refusal::NoMap(_))), "{no_map:?}");
    for script in [
        "http://example.com/a.js",
        "http://10.0.0.1/a.js",
        "file:///etc/passwd",
        "ftp://localhost/a",
        "no address",
    ] {
        let refused = loader().load(script, None).err();
        assert!(matches!(refused, Some(Refusal::NotAllowed | Refusal::NotInRoot)), "{script}: {refused:?}");
    }
    assert_eq!(elsewhere.asked(), [] as [String; 0], "another origin was asked");
    let (refused, took) = slow.join().expect("no panic");
    assert_eq!(refused, Some(Refusal::TooSlow));
    assert!(took < maps::MAX_TIME * 3, "{took:?}");
}

/// Store and maps as they run in the program, without a port.
pub(crate) struct Running {
    store: StoreHandle,
    handle: MapsHandle,
    news: Receiver<()>,
    snapshots: Arc<Published<Snapshot>>,
    pub(crate) counters: Arc<Counters>,
    decoder: LineDecoder,
    /// When the next events are sent, in milliseconds.
    now: i64,
}

impl Running {
    pub(crate) fn start(root: Root) -> Self {
        let snapshots = Arc::new(Published::new(Snapshot::default()));
        let (store, _) = store::spawn(Retention::default(), Arc::clone(&snapshots)).expect("a thread");
        let (told, news) = channel();
        let (tell, counters) = (store.clone(), Arc::new(Counters::default()));
        let options = Options { allowed: Some(Allowed::default()), root, ..Options::default() };
        let (handle, _) = maps::spawn(options, Arc::clone(&counters), move |mappings| {
            tell.send_blocking(StoreMsg::Map(mappings)) && told.send(()).is_ok()
        })
        .expect("a thread");
        let eyes = handle.clone();
        let weak = Arc::downgrade(&snapshots);
        snapshots.on_change(move || eyes.see(weak.upgrade().expect("still there").get()));
        let decoder = LineDecoder::new(Timestamp(1_700_000_000_000), Redactor::default());
        Self { store, handle, news, snapshots, counters, decoder, now: 1_700_000_001_000 }
    }

    pub(crate) fn send(&mut self, events: &[Value]) {
        events.iter().for_each(|event| self.decoder.push(event.to_string().as_bytes()));
        let chunk = Arc::new(self.decoder.take());
        let tally = Tally { accepted: chunk.len() as u64, ..Tally::default() };
        assert!(self.store.send_blocking(StoreMsg::Append { chunk, tally, permit: None }));
        assert!(self.store.send_blocking(StoreMsg::Tick(Timestamp(self.now))));
        self.now += 2_000;
    }

    /// Waits until everything sent before is in the snapshot.
    fn settle(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // The first answer comes before the snapshot that was asked for is published, the second after it.
        for _ in 0..2 {
            runtime.block_on(self.store.ledger()).expect("all before is done");
        }
    }

    /// The snapshot once all `events` of it are placed.
    pub(crate) fn placed(&self, events: u64) -> Arc<Snapshot> {
        let mut now = self.now - 1_000;
        loop {
            self.news.recv_timeout(Duration::from_secs(20)).expect("places within 20 s");
            now += 1_000;
            assert!(self.store.send_blocking(StoreMsg::Tick(Timestamp(now))));
            self.settle();
            let snapshot = self.snapshots.get();
            let count = (0..snapshot.end)
                .filter(|at| snapshot.event(*at).is_some_and(|event| event.mapped().is_some()))
                .count();
            if count as u64 >= events {
                return snapshot;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
    }
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/maps").join(path))
        .expect(path)
}

#[test]
fn events_move_to_the_group_of_their_source_and_every_count_stays_right() {
    let server = Server::start(|path, _| {
        Some(match path {
            "/dist/app.js" | "/dist/app.js.map" => ok("ETag: \"1\"\r\n", fixture(&path[1..])),
            _ => ("404 Not Found\r\n".to_owned(), Vec::new()),
        })
    });
    let mut running = Running::start(Root::default());
    let all = recorded();
    let of = |says: &[&str]| -> Vec<Value> {
        let found = all.iter().filter(|one| says.iter().any(|says| text(one, "message").contains(says)));
        found
            .map(|one| {
                serde_json::from_str(
                    &event_of(one).to_string().replace("http://127.0.0.1:21801", &server.address),
                )
                .expect("JSON")
            })
            .collect()
    };
    let rates = of(&["reading 'rate'", "property \"rate\"", "o.rate"]);
    let cards = of(&["card 4242 declined"]);
    assert_eq!((rates.len(), cards.len()), (6, 3));
    let events: Vec<Value> = rates.iter().chain(&cards).cloned().collect();
    let hash = |event: &Value| {
        let evidence = Evidence {
            kind: "error",
            message: text(event, "message"),
            stack: text(event, "stack"),
            ..Evidence::default()
        };
        fingerprint(&evidence, &mut Scratch::default())
    };
    let mut raw: Vec<_> = events.iter().map(hash).collect();
    raw.sort_unstable();
    raw.dedup();
    assert!(raw.len() > 2, "raw stacks differ by engine");
    running.send(&events);
    let snapshot = running.placed(9);
    let mut groups: Vec<_> = snapshot.tables.groups.iter().map(|row| (row.count, row.sessions)).collect();
    groups.sort_unstable();
    assert_eq!(groups, [(3, 3), (6, 3)]);
    assert_eq!(snapshot.tables.groups.iter().map(|row| row.count).sum::<u64>(), 9);
    for ordinal in 0..9 {
        let event = snapshot.event(ordinal).expect("kept");
        let place = event.place().expect("mapped");
        assert_eq!((&*place.file, place.line), ("src/app/checkout.ts", if ordinal < 6 { 8 } else { 28 }));
    }
    for path in ["/dist/app.js", "/dist/app.js.map"] {
        assert_eq!(server.asked().iter().filter(|asked| *asked == path).count(), 1, "once for all of them");
    }
    assert_eq!(running.counters.get(Counter::PlacesMapped), 9);

    // An export carries the place, and reads back to the same event.
    let mut line = String::new();
    taillight::event::line::write(snapshot.event(0).expect("kept"), &mut line);
    let written: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (&written["data"]["file"], &written["data"]["line"]),
        (&json!("src/app/checkout.ts"), &json!(8))
    );
    let mut again = LineDecoder::new(Timestamp(0), Redactor::default());
    again.push(line.as_bytes());
    let chunk = again.take();
    let event = chunk.event(0);
    assert_eq!(event.place().map(|place| (&*place.file, place.line)), Some(("src/app/checkout.ts", 8)));
    assert_eq!(event.group(), snapshot.event(0).and_then(|event| event.group()));
    let whole = |mapped: &Mapped| -> Vec<(String, u32, bool)> {
        let frames = mapped.traces.iter().flat_map(|trace| &trace.frames);
        frames.map(|frame| (frame.file.to_string(), frame.line, frame.is_own)).collect()
    };
    let before = snapshot.event(0).and_then(|event| event.mapped()).map(|mapped| whole(mapped));
    assert!(before.as_ref().is_some_and(|frames| frames.len() > 2), "{before:?}");
    assert_eq!(event.mapped().map(|mapped| whole(mapped)), before, "every frame comes back");
    let mut twice = String::new();
    taillight::event::line::write(event, &mut twice);
    assert_eq!(twice, line);
}

/// A bundle of one line whose only place leads to line `line` of `src/shop.ts`.
pub(crate) fn bundle(line: usize) -> (String, String) {
    let content = (1..=60).map(|number| format!("line {number}\\n")).collect::<String>();
    // A VLQ of the line: five bits at a time, the sign first.
    let mut value = (line - 1) << 1;
    let mut vlq = String::new();
    loop {
        let digit = (value & 31) | if value > 31 { 32 } else { 0 };
        vlq.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[digit]));
        value >>= 5;
        if value == 0 {
            break;
        }
    }
    let map = format!(
        r#"{{"version":3,"sources":["src/shop.ts"],"names":[],"mappings":"AA{vlq}A","sourcesContent":["{content}"]}}"#
    );
    ("x()\n//# sourceMappingURL=app.js.map".to_owned(), map)
}

#[test]
fn a_rebuild_is_asked_for_again_and_does_not_split_the_group() {
    let build = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&build);
    let server = Server::start(move |path, head| {
        let number = now.load(Ordering::SeqCst);
        let (script, map) = bundle(if number < 3 { 10 } else { 20 });
        let tag = format!("\"{}\"", number.max(2));
        Some(match path {
            "/app.js" if head.contains(&tag) => ("304 Not Modified\r\n".to_owned(), Vec::new()),
            "/app.js" => ok(&format!("ETag: {tag}\r\n"), script),
            "/app.js.map" => ok("", map),
            _ => ("404 Not Found\r\n".to_owned(), Vec::new()),
        })
    });
    let mut running = Running::start(Root::default());
    let error = |load: u32, column: u32| {
        json!({"type": "error", "subtype": "javascript", "message": format!("Uncaught Error: no cart {load}"), "session-id": "s",
            "tab": "t", "load": load, "stack": format!("Error: no cart {load}\n    at a (http://{}/app.js:1:{column})", &server.address[7..])})
    };
    running.send(&[error(1, 3)]);
    running.placed(1);
    build.store(2, Ordering::SeqCst);
    running.send(&[error(2, 3)]);
    running.placed(2);
    assert_eq!(
        server.asked(),
        ["/app.js", "/app.js.map", "/app.js"],
        "unchanged: asked by its tag, not read again"
    );
    build.store(3, Ordering::SeqCst);
    running.send(&[error(3, 3)]);
    let snapshot = running.placed(3);
    let lines: Vec<_> = (0..3).filter_map(|at| Some(snapshot.event(at)?.place()?.line)).collect();
    assert_eq!(lines, [10, 10, 20], "each by the map of its own build");
    assert_eq!(snapshot.tables.groups.len(), 1, "{:?}", snapshot.tables.groups);
    assert_eq!(snapshot.tables.groups[0].count, 3);
    let new: Vec<_> = snapshot.loads.new_groups().collect();
    assert!(new.is_empty(), "met in an earlier load; what the raw stacks were is forgotten: {new:?}");
}

#[test]
fn errors_of_functions_without_a_name_are_told_apart_by_what_they_say() {
    let server = Server::start(|path, _| {
        let (script, map) = bundle(10);
        Some(ok("", if path.ends_with(".map") { map } else { script }))
    });
    let mut running = Running::start(Root::default());
    let error = |message: &str| {
        json!({"type": "error", "subtype": "javascript", "message": message,
            "stack": format!("Error: {message}\n    at {}/app.js:1:3", server.address)})
    };
    running.send(&["no cart 1", "no cart 2", "no price"].map(error));
    let snapshot = running.placed(3);
    let mut groups: Vec<_> = snapshot.tables.groups.iter().map(|row| row.count).collect();
    groups.sort_unstable();
    assert_eq!(groups, [1, 2]);
}

#[test]
fn long_tasks_and_initiators_are_placed_too() {
    let server = Server::start(|path, _| {
        let (script, map) = bundle(10);
        Some(ok("", if path.ends_with(".map") { map } else { script }))
    });
    let mut running = Running::start(Root::default());
    let script = format!("{}/app.js", server.address);
    running.send(&[
        json!({"type": "metric", "subtype": "long-task", "duration-ms": 300, "scripts": [{"url": script, "function": "tick", "position": 2}]}),
        json!({"type": "metric", "subtype": "long-animation-frame", "duration-ms": 90, "scripts": [{"url": "", "position": -1}, {"url": script, "position": 2}]}),
        json!({"type": "metric", "subtype": "resource", "url": "/b.css", "initiator": format!("{script}:1:3")}),
        json!({"type": "log", "level": "debug", "message": "Trace", "stack": format!("Trace\n    at load ({script}:1:3)")}),
        json!({"type": "metric", "subtype": "api-call", "url": "/a", "method": "GET", "status": 200, "initiator": format!("load@{script}:1:3")}),
        json!({"type": "log", "level": "info", "message": "nothing to place"}),
    ]);
    let snapshot = running.placed(5);
    for ordinal in 0..5 {
        let event = snapshot.event(ordinal).expect("kept");
        let place = event.place().unwrap_or_else(|| panic!("{}: {:?}", event.json(), event.mapped()));
        assert_eq!((&*place.file, place.line), ("src/shop.ts", 10));
    }
    assert_eq!(snapshot.event(4).and_then(|event| event.group()), None, "a good request is in no group");
    assert!(snapshot.tables.groups.is_empty());
}

#[test]
fn what_cannot_be_had_says_why_and_holds_up_nothing() {
    let server = Server::start(|path, _| {
        if path == "/silent.js" { None } else { Some(("404 Not Found\r\n".to_owned(), Vec::new())) }
    });
    let mut running = Running::start(Root::default());
    let error = |script: &str| json!({"type": "error", "message": "x", "stack": format!("f@{script}:1:3\ng@http://example.com/lib.js:1:1")});
    running.send(&[
        error(&format!("{}/silent.js", server.address)),
        error(&format!("{}/gone.js", server.address)),
        error("https://prod.example.com/app.js"),
    ]);
    let snapshot = running.placed(2);
    let note = |at| snapshot.event(at).and_then(|event| event.mapped()?.note.clone()).unwrap_or_default();
    assert!(note(1).contains("the answer was 404"), "{}", note(1));
    assert!(note(2).contains("only local pages"), "{}", note(2));
    assert!(snapshot.event(1).is_some_and(|event| event.place().is_none()), "not mapped");
    assert!(snapshot.event(0).is_some_and(|event| event.mapped().is_none()), "waits for a silent server");
}
