//! Real pages in headless Chromium, from another port than taillight's: what they do is what `tail` prints, and
//! nothing is lost or told twice when taillight, the connection or the page goes away.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::harness::{Program, tool};

/// Longest wait for a page to have done everything; only a failing test gets that far.
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn what_a_page_does_is_what_tail_prints() {
    for name in chromium().into_iter().chain(firefox()) {
        let program = Program::start(&["tail", "--format", "jsonl"]);
        let tag = format!(r#"<script src="http://127.0.0.1:{}/taillight.js"></script>"#, program.port);
        check_page(&name, &program, vec![("/", include_str!("fixtures/page.html").replace("__TAG__", &tag))]);
    }
}

#[test]
fn minified_by_its_user_the_client_tells_the_same() {
    let (Some(chromium), Some(uglify)) = (chromium(), tool(&["uglifyjs"])) else { return };
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/taillight.js");
    let output = Command::new(uglify)
        .arg(client)
        .args(["--compress", "passes=3,inline=1", "--mangle"])
        .output()
        .expect("uglifyjs runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let script = String::from_utf8(output.stdout).expect("text");
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let url = format!("http://127.0.0.1:{}/", program.port);
    let tag = format!(r#"<script src="/taillight.js" data-url="{url}"></script>"#);
    let page = include_str!("fixtures/page.html").replace("__TAG__", &tag);
    check_page(&chromium, &program, vec![("/taillight.js", script), ("/", page)]);
}

/// Opens the page in the browser `name` and checks what it tells.
fn check_page(name: &str, program: &Program, files: Vec<(&'static str, String)>) {
    let page = serve(files);
    let browser = Browser::open(name, &format!("http://localhost:{page}/"));
    let events = events_until(program, &EXPECTED);
    drop(browser);
    check_plain(&events, page);
    let health = program.health();
    assert_eq!(health["frames"]["broken"], 0, "{name}: {health}");
    assert_eq!(health["ingest"]["rejected"], serde_json::json!({}), "{name}: {health}");
}

/// What must be true of every event, and of some in particular.
fn check_plain(events: &[Value], page: u16) {
    for event in events {
        assert!(event["session"].is_string() && event["tab"].is_string(), "{event}");
        assert_eq!(event["load"], 1, "{event}");
        let text = event.to_string();
        assert!(!text.contains("/v1/") && !text.contains("typed-secret"), "{event}");
    }
    let find = |wanted: &Expected| events.iter().find(|event| wanted.is(event)).expect("was awaited");
    let thrown = find(&EXPECTED[0]);
    assert_eq!(thrown["level"], "error");
    assert!(
        thrown["data"]["stack"].as_str().is_some_and(|stack| stack.contains("failInCheckout")),
        "{thrown}"
    );
    assert!(thrown["group"].is_string(), "{thrown}");
    let broken = find(&EXPECTED[4]);
    assert_eq!(broken["endpoint"], "GET /broken", "the page's own host is left out");
    assert!(broken["duration"].as_f64().is_some_and(|ms| ms > 0.0), "{broken}");
    assert!(broken["data"]["url"].as_str().is_some_and(|url| url.contains(&page.to_string())), "{broken}");
    let load = find(&EXPECTED[7]);
    assert!(load["data"]["timing"]["fully-loaded"].as_f64().is_some_and(|ms| ms > 0.0), "{load}");
}

/// An event that must come: its id, its status, and what its message holds.
pub(crate) struct Expected {
    id: &'static str,
    status: Option<u64>,
    message: &'static str,
}

pub(crate) const fn expected(id: &'static str, status: Option<u64>, message: &'static str) -> Expected {
    Expected { id, status, message }
}

const EXPECTED: [Expected; 9] = [
    expected("browser/javascript", None, "uncaught from the page"),
    expected("browser/promise", None, "rejected from the page"),
    expected("browser/api-call", Some(200), "/ok"),
    expected("browser/api-call", Some(404), "/missing"),
    expected("browser/api-call", Some(500), "/broken"),
    expected("browser/console", None, "warned from the page"),
    expected("browser/console", None, "console error from the page 42"),
    expected("browser/page-load", None, "page-load"),
    expected("browser/user-action", None, "save-button"),
];

impl Expected {
    fn is(&self, event: &Value) -> bool {
        let has_message = event["msg"].as_str().is_some_and(|msg| msg.contains(self.message));
        event["id"] == self.id && has_message && self.status.is_none_or(|status| event["status"] == status)
    }
}

#[test]
fn every_recorder_tells_its_event_once() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let tag = format!(r#"<script src="http://127.0.0.1:{}/taillight.js"></script>"#, program.port);
    let page = serve(vec![("/", include_str!("fixtures/everything.html").replace("__TAG__", &tag))]);
    let browser = Browser::open(&chromium, &format!("http://localhost:{page}/"));
    let events = events_until(&program, &EVERYTHING);
    drop(browser);
    for event in &events {
        let text = event.to_string();
        assert!(
            !text.contains("/v1/") && !text.contains("-secret") && !text.contains("perf-entry"),
            "{event}"
        );
        let failed = event["msg"].as_str().is_some_and(|msg| msg.starts_with("check failed"));
        assert!(!failed, "the page noticed the client: {event}");
    }
    for wanted in &EVERYTHING {
        let count = events.iter().filter(|event| wanted.is(event)).count();
        assert!(count == 1 || wanted.id == "browser/web-vital", "{} {}: {count}", wanted.id, wanted.message);
    }
    let of = |id: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["id"] == id).map(|event| &event["data"]).collect()
    };
    let loop_count: u64 = of("browser/javascript")
        .iter()
        .filter(|data| data["message"] == "the loop")
        .map(|data| data["count"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(loop_count, 2_000, "a burst is folded without losing count");
    let api = of("browser/api-call")
        .into_iter()
        .find(|data| data["operation"] == "mutation AddToCart")
        .expect("named");
    assert!(api["timing"]["waiting"].is_number() && api["total-ms"].is_number(), "{api}");
    let is_named = |task: &&Value| task["scripts"].to_string().contains("blockTheThread");
    assert!(of("browser/long-task").iter().any(is_named), "{:#?}", of("browser/long-task"));
    let finals: Vec<_> = of("browser/web-vital").into_iter().filter(|data| data["final"] == true).collect();
    for vital in ["FCP", "TTFB", "LCP", "CLS"] {
        let told = finals.iter().filter(|data| data["vital"] == vital).count();
        assert_eq!(told, 1, "{vital}: {finals:?}");
    }
    assert!(finals.iter().all(|data| data["rating"].is_string() && data["metric-name"] == data["vital"]));
    let is_timed = |name: &str| {
        let data = finals.iter().find(|data| data["vital"] == name).expect("told");
        data["timing"]
            .as_object()
            .is_some_and(|parts| parts.len() == 4 && parts.values().all(Value::is_number))
    };
    assert!(is_timed("LCP") && is_timed("TTFB"), "{finals:?}");
    let load = &of("browser/page-load")[0];
    assert!(
        load["timing"]["server-response"].is_number() && load["resources"]["total-size-kb"].is_number(),
        "{load}"
    );
    assert_eq!(program.health()["frames"]["broken"], 0);
}

const EVERYTHING: [Expected; 18] = [
    expected("browser/log", None, "checks passed: 18"),
    expected("browser/javascript", None, "uncaught from the page"),
    expected("browser/promise", None, "All promises were rejected"),
    expected("browser/api-call", Some(200), "POST /graphql"),
    expected("browser/api-call", Some(404), "GET /missing"),
    expected("browser/api-call", None, "GET /slow aborted"),
    expected("browser/network", None, "Failed to fetch"),
    expected("browser/network", None, "WebSocket failed to connect"),
    expected("browser/beacon", None, "sendBeacon"),
    expected("browser/resource", None, "/missing.png"),
    expected("browser/csp", None, "policy.png"),
    expected("browser/navigation", None, "/everything/cart"),
    expected("browser/user-action", None, "submit"),
    expected("browser/render", None, "UserList rendered in 45"),
    expected("browser/feature-usage", None, "export-data"),
    expected("browser/conversion", None, "signup: email-verified"),
    expected("browser/log", None, "just before leaving"),
    expected("browser/web-vital", None, "CLS"),
];

#[test]
fn what_was_recorded_without_taillight_comes_after_a_reload_and_once() {
    let Some(chromium) = chromium() else { return };
    let gate = Gate::new();
    let page = client_page(gate.port, "");
    let _browser = Browser::open(&chromium, &format!("http://localhost:{page}/offline"));
    gate.wait_for_tries(4);
    let program = Program::start(&["tail", "--format", "jsonl"]);
    gate.lead_to(program.port);
    let events = words_until(&program, 6);
    for load in [1, 2] {
        for n in 1..=3 {
            let told: Vec<_> = events.iter().filter(|e| e["msg"] == format!("load{load} {n}")).collect();
            assert_eq!(told.len(), 1, "{events:#?}");
            assert_eq!(told[0]["load"], load);
        }
    }
}

#[test]
fn cuts_and_a_restart_under_load_lose_nothing() {
    let Some(chromium) = chromium() else { return };
    let gate = Gate::new();
    let page = client_page(gate.port, "");
    let mut browser = None;
    let mut seen = HashSet::<String>::new();
    let mut runs = 0;
    while seen.len() < 500 {
        let program = Program::start(&["tail", "--format", "jsonl"]);
        gate.lead_to(program.port);
        browser.get_or_insert_with(|| Browser::open(&chromium, &format!("http://localhost:{page}/stream")));
        let words =
            |event: &Value| event["msg"].as_str().filter(|msg| msg.starts_with("stream ")).map(String::from);
        let (mut events, mut own): (Vec<Value>, HashSet<String>) = Default::default();
        // A cut every 60 events; the last process is left alone.
        while seen.union(&own).count() < 500 && (own.len() < 60 || runs == 4) {
            let next = program.event_within(PATIENCE);
            events.push(next.unwrap_or_else(|| panic!("{} of 500 came", seen.union(&own).count())));
            own.extend(events.last().and_then(words));
        }
        cut(&gate, &program, &mut events);
        for words in events.iter().filter_map(words) {
            assert_eq!(
                events.iter().filter(|event| event["msg"] == words).count(),
                1,
                "told once by a process"
            );
            seen.insert(words);
        }
        runs += 1;
    }
    assert!(runs > 2, "the load outlived the restarts");
}

/// Cuts the page off and brings `events` up to what was accepted by then: an acknowledged event is not sent again,
/// so a process that ends before it has printed one loses it. Returns the health of that moment.
fn cut(gate: &Gate, program: &Program, events: &mut Vec<Value>) -> Value {
    gate.lead_to(0);
    let start = Instant::now();
    while program.health()["connections"] != 0 {
        assert!(start.elapsed() < PATIENCE, "a connection outlived the cut");
        std::thread::yield_now();
    }
    let health = program.health();
    let live = health["ring"]["live"].as_u64().expect("a number");
    while (events.len() as u64) < live {
        events.push(program.event_within(PATIENCE).expect("what was accepted"));
    }
    health
}

#[test]
fn the_books_balance_over_restarts_and_a_full_buffer() {
    let Some(chromium) = chromium() else { return };
    let gate = Gate::new();
    let off = "load,vitals,tasks,user,scroll,visibility,online,navigation,console,csp,fetch,timing";
    let page = client_page(gate.port, &format!(r#"data-off="{off}""#));
    let mut browser = None;
    let (mut seen, mut dropped) = (HashSet::<u64>::new(), HashSet::<u64>::new());
    let mut books = None;
    let mut cuts = 0;
    while books.is_none() {
        let program = Program::start(&["tail", "--format", "jsonl"]);
        gate.lead_to(program.port);
        browser.get_or_insert_with(|| Browser::open(&chromium, &format!("http://localhost:{page}/ledger")));
        let mut events: Vec<Value> = Vec::new();
        while events.len() < 700 && events.last().is_none_or(|event| event["msg"] != "books") {
            events.push(program.event_within(PATIENCE).expect("the page goes on"));
        }
        let health = cut(&gate, &program, &mut events);
        cuts += 1;
        let term = |name: &str| health["ingest"][name].as_u64().expect("a number");
        assert_eq!(term("received"), term("accepted") + term("duplicate"), "{health}");
        let mut own = HashSet::<u64>::new();
        for event in &events {
            let words = event["msg"].as_str().expect("a message");
            let number = |key: &str| event["data"][key].as_u64().expect("a number");
            if event["id"] == "taillight/gap" {
                dropped.extend(number("from")..=number("to"));
            } else if let Some(n) = words.strip_prefix("ledger ") {
                assert!(own.insert(n.parse().expect("a number")), "one process told {n} twice");
            } else {
                assert_eq!(words, "books", "{event}");
                books = Some(event["data"]["context"].clone());
            }
        }
        seen.extend(own);
    }
    let books = books.expect("the loop ends with them");
    let term = |name: &str| books[name].as_u64().expect("a number");
    assert_eq!(term("recorded"), 12_000, "{books}");
    assert_eq!(term("acked"), 12_000, "nothing is buffered any more: {books}");
    assert!(term("gaps") > 0, "the buffer was never full: {books}");
    assert_eq!(dropped.len() as u64, term("gaps"), "taillight was told of every gap: {books}");
    assert!((1..=12_000).all(|n| seen.contains(&n) || dropped.contains(&n)), "neither here nor a gap");
    // What was on its way when the connection was cut may have come and still be dropped by the page later.
    assert!(seen.intersection(&dropped).count() <= cuts * 400, "at most four batches of a cut are both");
}

#[test]
fn a_page_killed_in_mid_batch_leaves_whole_events_without_a_hole() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let page = client_page(program.port, "");
    let mut browser = Browser::open(&chromium, &format!("http://localhost:{page}/killed"));
    let mut numbers: Vec<u64> = Vec::new();
    while let Some(event) =
        program.event_within(if numbers.len() < 200 { PATIENCE } else { Duration::from_secs(1) })
    {
        numbers
            .extend(event["msg"].as_str().and_then(|msg| msg.strip_prefix("killed ")?.parse::<u64>().ok()));
        if numbers.len() == 200 {
            browser.close();
        }
    }
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    assert_eq!(program.health()["frames"]["broken"], 0);
}

#[test]
fn a_click_becomes_inp_and_a_page_back_from_the_cache_goes_on() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let page = client_page(program.port, "");
    let browser = Browser::open(&chromium, &format!("http://localhost:{page}/back"));
    let mut events = events_until(&program, &[expected("browser/log", None, "waits for a click 1")]);
    // Its button fills the window; the click keeps the thread busy, then leads to a page that leads back.
    browser.debugger().click(100, 100);
    events.extend(events_until(&program, &[expected("browser/log", None, "back from the cache 1")]));
    let of = |vital: &str, kind: &str| -> Vec<Value> {
        let is_it = |data: &&Value| {
            data["vital"] == vital && data["navigation-type"] == kind && data["final"] == true
        };
        events.iter().map(|event| &event["data"]).filter(is_it).cloned().collect()
    };
    let inp = of("INP", "navigate");
    assert!(inp.len() == 1 && inp[0]["value"].as_f64() >= Some(120.0), "{events:#?}");
    assert_eq!(inp[0]["element"], "button#all", "{inp:?}");
    assert_eq!(of("FCP", "back-forward-cache").len(), 1, "{events:#?}");
    for words in ["waits for a click 1", "just left 1", "back from the cache 1"] {
        let told: Vec<_> = events.iter().filter(|event| event["msg"] == words).collect();
        assert!(told.len() == 1 && told[0]["load"] == 1, "{words}: {told:?}");
    }
}

#[test]
fn requests_that_a_reload_ends_are_aborted_and_no_errors() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let page = client_page(program.port, "");
    let _browser = Browser::open(&chromium, &format!("http://localhost:{page}/pending"));
    let events = events_until(&program, &[expected("browser/log", None, "reloaded 1")]);
    let mut of: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let query = event["data"]["url"].as_str()?.split_once("/silent?")?.1;
            Some((query, event["id"].as_str()?, event["load"].as_u64()?, event["data"]["aborted"].as_bool()))
        })
        .collect();
    of.sort_unstable();
    let aborted = |query| (query, "browser/api-call", 1, Some(true));
    assert_eq!(of, [aborted("fetch"), aborted("xhr")], "{events:#?}");
}

#[test]
fn nothing_is_recorded_before_consent() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let page = client_page(program.port, "data-consent");
    let _browser = Browser::open(&chromium, &format!("http://localhost:{page}/consent"));
    let mut events = events_until(&program, &[expected("browser/log", None, "with consent 1")]);
    while let Some(event) = program.event_within(Duration::from_secs(1)) {
        events.push(event);
    }
    assert!(!events.iter().any(|event| event.to_string().contains("without consent")), "{events:#?}");
}

#[test]
fn a_page_in_an_error_loop_stays_alive_and_is_folded() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let page = client_page(program.port, "");
    let _browser = Browser::open(&chromium, &format!("http://localhost:{page}/loop"));
    let events = events_until(&program, &[expected("browser/log", None, "after the loop")]);
    let of_loop: Vec<_> = events.iter().filter(|event| event["msg"] == "the loop").collect();
    let count: u64 = of_loop.iter().map(|event| event["data"]["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(count, 100_000);
    assert!(of_loop.len() < 100, "{}", of_loop.len());
    let alive = &events.iter().find(|event| event["msg"] == "after the loop").expect("was awaited")["data"]["context"];
    assert_eq!(alive["rounds"], 20, "a timer of the page came between any two rounds");
    assert!(alive["frames"].as_u64() > Some(0), "frames were drawn: {alive}");
}

/// The events up to the moment where all of `wanted` have come.
pub(crate) fn events_until(program: &Program, wanted: &[Expected]) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let start = Instant::now();
    while let Some(missing) = wanted.iter().find(|one| !events.iter().any(|event| one.is(event))) {
        assert!(start.elapsed() < PATIENCE, "no {} {}: {events:#?}", missing.id, missing.message);
        events.extend(program.event_within(Duration::from_secs(1)));
    }
    // What comes late may be a repeat, so a moment of silence ends it.
    while let Some(event) = program.event_within(Duration::from_millis(1_500)) {
        assert!(start.elapsed() < PATIENCE, "no end");
        events.push(event);
    }
    events
}

/// The log lines of a page until `count` have come and no more come.
fn words_until(program: &Program, count: usize) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let start = Instant::now();
    loop {
        match program.event_within(Duration::from_secs(2)) {
            Some(event) if event["id"] == "browser/log" => events.push(event),
            Some(_) => {}
            None if events.len() >= count => return events,
            None => {}
        }
        assert!(start.elapsed() < PATIENCE, "{events:#?}");
    }
}

pub(crate) fn chromium() -> Option<String> {
    tool(&["chromium", "chromium-browser", "google-chrome"])
}

fn firefox() -> Option<String> {
    tool(&["firefox-esr", "firefox"])
}

/// A browser without a window, with a profile of its own; its helper processes go with it.
pub(crate) struct Browser {
    child: Child,
    profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn open(name: &str, url: &str) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(name);
        if name.starts_with("firefox") {
            command.args(["--headless", "--no-remote", "--profile"]).arg(profile.path());
            command.env("HOME", profile.path());
        } else {
            command
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
                .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
                .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
                .arg(format!("--user-data-dir={}", profile.path().display()));
        }
        let child = command
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        Self { child, profile }
    }

    /// Chromium's debugging socket of the one page that is open.
    pub(crate) fn debugger(&self) -> Debugger {
        let file = self.profile.path().join("DevToolsActivePort");
        let start = Instant::now();
        let port: u16 = loop {
            assert!(start.elapsed() < PATIENCE, "no debugging port");
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some(port) = text.lines().next().and_then(|line| line.parse().ok()) {
                break port;
            }
            std::thread::yield_now();
        };
        let connect = || TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
        let mut list = BufReader::new(connect());
        list.get_mut()
            .write_all(format!("GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes())
            .expect("writable");
        let targets = String::from_utf8(body_of(&mut list).expect("an answer")).expect("text");
        let targets: Vec<Value> = serde_json::from_str(&targets).expect("a list");
        let page = targets.iter().find(|target| target["type"] == "page").expect("one page");
        let url = page["webSocketDebuggerUrl"].as_str().expect("an address");
        Debugger(tokio_tungstenite::tungstenite::client(url, connect()).expect("the handshake").0)
    }

    fn close(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.close();
    }
}

/// Real input, which no page can make itself.
pub(crate) struct Debugger(WebSocket<TcpStream>);

impl Debugger {
    fn call(&mut self, method: &str, params: Value) {
        let message = serde_json::json!({ "id": 1, "method": method, "params": params });
        self.0.send(Message::text(message.to_string())).expect("sendable");
        while !self.0.read().expect("an answer").to_text().expect("text").contains(r#""id":1"#) {}
    }

    /// Asks the page until `expression` is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        let ask = serde_json::json!({ "expression": expression, "returnByValue": true });
        let message = serde_json::json!({ "id": 2, "method": "Runtime.evaluate", "params": ask }).to_string();
        let mut is_true = false;
        while !is_true {
            assert!(start.elapsed() < PATIENCE, "never {expression}");
            self.0.send(Message::text(message.clone())).expect("sendable");
            let mut answer = String::new();
            while !answer.contains(r#""id":2"#) {
                answer = self.0.read().expect("an answer").to_text().expect("text").to_owned();
            }
            is_true = answer.contains(r#""value":true"#);
            std::thread::yield_now();
        }
    }

    fn click(&mut self, x: u32, y: u32) {
        for kind in ["mousePressed", "mouseReleased"] {
            let params =
                serde_json::json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", params);
        }
    }
}

/// A port that leads to taillight, or nowhere: its connections are cut whenever that changes.
struct Gate {
    port: u16,
    to: Arc<AtomicU16>,
    tries: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let gate = Self { port, to: Arc::default(), tries: Arc::default(), open: Arc::default() };
        let (to, tries, open) = (Arc::clone(&gate.to), Arc::clone(&gate.tries), Arc::clone(&gate.open));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                tries.fetch_add(1, Ordering::Relaxed);
                let target = to.load(Ordering::Relaxed);
                if target == 0 {
                    continue;
                }
                let Ok(inner) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let both = [&stream, &inner].map(|one| one.try_clone().expect("another handle"));
                let mut open = open.lock().expect("not poisoned");
                if to.load(Ordering::Relaxed) != target {
                    continue; // led elsewhere meanwhile
                }
                open.extend(both);
                drop(open);
                pipe(&stream, &inner);
                pipe(&inner, &stream);
            }
        });
        gate
    }

    fn lead_to(&self, port: u16) {
        let mut open = self.open.lock().expect("not poisoned");
        self.to.store(port, Ordering::Relaxed);
        for stream in open.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn wait_for_tries(&self, count: u16) {
        let start = Instant::now();
        while self.tries.load(Ordering::Relaxed) < count {
            assert!(start.elapsed() < PATIENCE, "the page does not try");
            std::thread::yield_now();
        }
    }
}

fn pipe(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
    std::thread::spawn(move || {
        // Ends with either side; the other pipe learns it from the shutdown.
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// Serves the page that speaks to `port` with the client as it stands in the repository; gives the page's port.
fn client_page(port: u16, attributes: &str) -> u16 {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/taillight.js");
    let html = include_str!("fixtures/client.html")
        .replace("__URL__", &format!("http://127.0.0.1:{port}/"))
        .replace("__MORE__", attributes);
    let script = std::fs::read_to_string(client).expect("the client");
    serve(vec![("/taillight.js", script), ("/", html)])
}

/// Serves `files` (the last for every other path of one segment) and answers of every status; gives the port.
pub(crate) fn serve(files: Vec<(&'static str, String)>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let files = Arc::new(files);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let files = Arc::clone(&files);
            std::thread::spawn(move || answer(&stream, &files));
        }
    });
    port
}

fn answer(mut stream: &TcpStream, files: &[(&'static str, String)]) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    body_of(&mut reader)?;
    let path = request.split(' ').nth(1)?.split('?').next()?;
    let file = files.iter().find(|(name, _)| *name == path).or(files.last());
    let (status, kind, body) = match path {
        "/ok" | "/graphql" | "/slow" => ("200 OK", "application/json", "{}"),
        "/broken" => ("500 Internal Server Error", "text/plain", "broken"),
        "/silent" => {
            reader.read_line(&mut request).ok();
            return None;
        }
        "/drip" => {
            // The rest never comes: the page gives it up.
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nfirst").ok()?;
            reader.read_line(&mut request).ok();
            return None;
        }
        "/bye" => (
            "200 OK",
            "text/html",
            "<script>if (location.hash) setTimeout(() => history.back(), 500)</script>",
        ),
        "/missing" | "/missing.png" => ("404 Not Found", "text/plain", "nothing"),
        _ if path.ends_with(".js") => ("200 OK", "text/javascript; charset=utf-8", file?.1.as_str()),
        _ => ("200 OK", "text/html; charset=utf-8", file?.1.as_str()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

/// Reads the rest of a head, and the body as long as it says.
fn body_of(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn the_clients_own_tests_pass() {
    let Some(node) = tool(&["node"]) else { return };
    let output = Command::new(node)
        .args(["--test", "tests/client/"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
