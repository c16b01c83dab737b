//! `/taillight.cljs` in the real Scittle, over a stand-in for sente-lite's client, in headless Chromium.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::{Browser, chromium, serve};
use crate::harness::Program;

/// Longest wait for a page to have done everything; only a failing test gets that far.
const PATIENCE: Duration = Duration::from_secs(90);
const CLIENT: &str = include_str!("fixtures/sente/client_scittle.cljs");

/// Scittle as npm has it. Without it the test is skipped, which is a failure where `CI` is set.
#[expect(clippy::print_stderr, reason = "a skipped test says so in one line")]
fn scittle() -> Option<String> {
    let file = "target/npm/node_modules/scittle/dist/scittle.js";
    let found = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).ok();
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{file} is not there");
        eprintln!("skipped: {file} is not there (npm install --prefix target/npm scittle@0.8.33)");
    }
    found
}

/// A page of `html` with Scittle and the stand-in beside it; gives its port.
fn page(scittle: String, html: &str, url: &str) -> u16 {
    let socket = format!("{}/chsk", url.replace("http:", "ws:"));
    let html = html.replace("__TAILLIGHT__", url).replace("__SOCKET__", &socket);
    let telemetry = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/taillight.cljs");
    serve(vec![
        ("/scittle.js", scittle),
        ("/client_scittle.cljs", CLIENT.to_owned()),
        ("/taillight.cljs", std::fs::read_to_string(telemetry).expect("the client")),
        ("/", html),
    ])
}

/// What must come: id, level, and the start of the message.
const EXPECTED: [(&str, &str, &str); 16] = [
    ("browser/log", "info", "Application started"),
    ("browser/custom", "debug", "export-data"),
    ("browser/custom", "info", "cart-size = 3 items"),
    ("browser/render", "info", "UserList rendered in 45 ms"),
    ("browser/log", "debug", "xxxx"),
    ("browser/console", "error", "a console error Error: the inner one"),
    ("browser/console", "error", "fetch failed as it should"),
    ("browser/console", "warn", "warned from the page"),
    ("browser/user-action", "debug", "click #logo"),
    ("browser/page-load", "info", "page-load"),
    ("browser/long-task", "info", "long-task"),
    ("browser/api-call", "info", "GET /ok 200"),
    ("browser/api-call", "info", "POST /missing 404"),
    ("browser/network", "error", "TypeError: Failed to fetch"),
    ("browser/promise", "error", "Error: rejected from the page"),
    ("browser/javascript", "error", "Uncaught"),
];

fn is(event: &Value, (id, level, message): &(&str, &str, &str)) -> bool {
    let starts = event["msg"].as_str().is_some_and(|text| text.starts_with(message));
    event["id"] == *id && event["level"] == *level && starts
}

#[test]
fn what_a_page_in_scittle_does_is_what_tail_prints() {
    let (Some(chromium), Some(scittle)) = (chromium(), scittle()) else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let url = format!("http://127.0.0.1:{}", program.port);
    let port = page(scittle, include_str!("fixtures/sente/page.html"), &url);
    let _browser = Browser::open(&chromium, &format!("http://localhost:{port}/"));
    let start = Instant::now();
    let mut events: Vec<Value> = Vec::new();
    while let Some(missing) = EXPECTED.iter().find(|one| !events.iter().any(|event| is(event, one))) {
        assert!(start.elapsed() < PATIENCE, "no {missing:?}: {events:#?}");
        events.extend(program.event_within(Duration::from_secs(1)));
    }
    for event in &events {
        assert!(event["session"].as_str().is_some_and(|session| session.starts_with("sess-")), "{event}");
        assert_eq!((&event["user"], &event["source"]), (&json!("user-7"), &json!("sente")), "{event}");
    }
    check_data(|at| &events.iter().find(|event| is(event, &EXPECTED[at])).expect("was awaited")["data"]);
    let uncaught = events.iter().filter(|event| event["id"] == "browser/javascript").count();
    assert_eq!(uncaught, 1, "{events:#?}");
    let health = program.health();
    assert_eq!((&health["frames"]["broken"], &health["frames"]["unknown"]), (&json!(0), &json!(0)));
    assert_eq!(health["ingest"]["rejected"], json!({}), "{health}");
}

/// What was sanitised, cut, and made text of.
fn check_data<'e>(find: impl Fn(usize) -> &'e Value) {
    let context = &find(0)["context"];
    assert_eq!((&context["node"], &context["phone"]), (&json!("[object HTMLDivElement]"), &Value::Null));
    let long = find(4);
    assert_eq!(long["message"].as_str().map(str::len), Some(500));
    assert_eq!((&long["email"], &long["token"]), (&json!("ann@***"), &Value::Null));
    assert!(find(5)["stack"].is_string());
    assert_eq!(find(8)["element-class"], json!("big red"));
    assert!(find(15)["message"].as_str().is_some_and(|text| text.contains("uncaught from the page")));
}

#[test]
fn what_happens_without_taillight_comes_later_and_once() {
    let (Some(chromium), Some(scittle)) = (chromium(), scittle()) else { return };
    // A port that is free now and refuses until taillight takes it.
    let port = TcpListener::bind(("127.0.0.1", 0)).expect("a free port").local_addr().expect("bound").port();
    let page = page(scittle, include_str!("fixtures/sente/words.html"), &format!("http://127.0.0.1:{port}"));
    let browser = Browser::open(&chromium, &format!("http://localhost:{page}/"));
    browser.debugger().wait_for("window.spoken >= 200");
    let program = Program::start_on(port, &["tail", "--format", "jsonl"]);
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    let start = Instant::now();
    while told.len() < 400 {
        assert!(start.elapsed() < PATIENCE, "{} of 400 came", told.len());
        let Some(event) = program.event_within(Duration::from_secs(1)) else { continue };
        assert_ne!(event["id"], "browser/console", "the client warned: {event}");
        if let Some(word) = event["msg"].as_str().filter(|text| text.starts_with("word ")) {
            *told.entry(word.to_owned()).or_default() += 1;
        }
    }
    assert!(told.values().all(|times| *times == 1), "{told:?}");
}

#[test]
fn shares_are_kept_and_told_and_errors_do_not_wait() {
    let (Some(chromium), Some(scittle)) = (chromium(), scittle()) else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let url = format!("http://127.0.0.1:{}", program.port);
    let port = page(scittle, include_str!("fixtures/sente/choices.html"), &url);
    let browser = Browser::open(&chromium, &format!("http://localhost:{port}/"));
    // Nothing flushes the page but its batch of a thousand: what comes now did not wait.
    let urgent: Vec<Value> =
        (0..4).map(|_| program.event_within(PATIENCE).expect("an urgent event")).collect();
    let said: Vec<&Value> = urgent.iter().map(|event| &event["msg"]).collect();
    assert_eq!(said, ["error 0", "error 1", "error 2", "of high severity"]);
    assert!(urgent.iter().all(|event| event["data"]["sampled"].is_null()), "errors are always kept");
    browser.debugger().wait_for("!!window.flushed && window.flushed()");
    let mut shared = Vec::new();
    loop {
        let event = program.event_within(PATIENCE).expect("what waited");
        if event["msg"] == "the last that waits" {
            break;
        }
        shared.push(event);
    }
    assert_eq!(shared.len(), 20, "half of forty, and no click: {shared:#?}");
    for event in &shared {
        assert_eq!(
            (&event["id"], &event["data"]["sampled"]),
            (&json!("browser/custom"), &json!(0.5)),
            "{event}"
        );
    }
}

#[test]
fn what_found_no_room_without_taillight_is_counted_and_told() {
    let (Some(chromium), Some(scittle)) = (chromium(), scittle()) else { return };
    let port = TcpListener::bind(("127.0.0.1", 0)).expect("a free port").local_addr().expect("bound").port();
    let page = page(scittle, include_str!("fixtures/sente/little.html"), &format!("http://127.0.0.1:{port}"));
    let browser = Browser::open(&chromium, &format!("http://localhost:{page}/"));
    browser.debugger().wait_for("window.spoken === true");
    let program = Program::start_on(port, &["tail", "--format", "jsonl"]);
    let mut words = Vec::new();
    let told = loop {
        let event = program.event_within(PATIENCE).expect("words, and what was dropped");
        match event["msg"].as_str().and_then(|text| text.strip_prefix("word ")) {
            Some(word) => words.push(word.parse::<usize>().expect("a number")),
            None => break event,
        }
    };
    let dropped = told["data"]["dropped"].as_u64().expect("a number");
    assert_eq!(told["msg"], format!("{dropped} events dropped while offline"));
    assert_eq!((words.len() as u64 + dropped, told["level"].as_str()), (200, Some("warn")), "{words:?}");
    assert!((30..=50).contains(&words.len()), "{words:?}");
    // The newest are those that are kept.
    assert!(words.iter().eq((200 - words.len()..200).collect::<Vec<_>>().iter()), "{words:?}");
}

/// What the buttons of `docs/sente-demo.html` do, by their ids.
const DEMO: [(&str, (&str, &str, &str)); 9] = [
    ("throw", ("browser/javascript", "error", "Uncaught")),
    ("reject", ("browser/promise", "error", "Error: rejected by the demo")),
    ("fetch", ("browser/api-call", "info", "GET /")),
    ("fail", ("browser/network", "error", "TypeError: Failed to fetch")),
    ("warn", ("browser/console", "warn", "the demo warns")),
    ("log", ("browser/log", "info", "a line of the demo's own")),
    ("track", ("browser/custom", "debug", "export-data")),
    ("metric", ("browser/custom", "info", "cart-size = ")),
    ("slow", ("browser/long-task", "info", "long-task")),
];

#[test]
fn every_button_of_the_demo_page_does_what_it_says() {
    let (Some(chromium), Some(scittle)) = (chromium(), scittle()) else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sente-demo.html");
    // As its own words ask for it to be served, with a copy of Scittle that needs no network, and on this port.
    let mut html = std::fs::read_to_string(demo).expect("the demo page");
    for (written, here) in [
        ("https://cdn.jsdelivr.net/npm/scittle@0.8.33/dist/scittle.js", "/scittle.js".to_owned()),
        ("127.0.0.1:8245", format!("127.0.0.1:{}", program.port)),
    ] {
        assert!(html.contains(written), "{written}");
        html = html.replace(written, &here);
    }
    let port = serve(vec![("/scittle.js", scittle), ("/sente_lite.cljs", CLIENT.to_owned()), ("/", html)]);
    let browser = Browser::open(&chromium, &format!("http://localhost:{port}/"));
    let is_loaded = |event: &Value| event["id"] == "browser/page-load";
    while !is_loaded(&program.event_within(PATIENCE).expect("the page load")) {}
    let mut debugger = browser.debugger();
    let mut events: Vec<Value> = Vec::new();
    let start = Instant::now();
    for (id, expected) in &DEMO {
        debugger.wait_for(&format!("document.getElementById('{id}').click() === undefined"));
        let is_click =
            |event: &Value| event["id"] == "browser/user-action" && event["data"]["element-id"] == *id;
        while !events.iter().any(|event| is(event, expected)) || !events.iter().any(is_click) {
            assert!(start.elapsed() < PATIENCE, "{id}: no {expected:?}: {events:#?}");
            events.extend(program.event_within(Duration::from_secs(1)));
        }
    }
    assert!(events.iter().all(|event| event["user"] == "demo"), "{events:#?}");
    let health = program.health();
    assert_eq!((&health["frames"]["broken"], &health["frames"]["unknown"]), (&json!(0), &json!(0)));
}
