//! A real page in headless Chromium with the one script tag, from another port: what it does is what `tail` prints.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Program, tool};

/// Longest wait for the page to have done everything; only a failing test gets that far.
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn what_a_page_does_is_what_tail_prints() {
    let Some(chromium) = tool(&["chromium", "chromium-browser", "google-chrome"]) else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let tag = format!(r#"<script src="http://127.0.0.1:{}/taillight.js"></script>"#, program.port);
    let page = serve_page(include_str!("fixtures/page.html").replace("__TAG__", &tag));
    let profile = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::open(&chromium, &format!("http://localhost:{page}/"), profile.path());
    let mut events: Vec<Value> = Vec::new();
    let is_complete =
        |events: &[Value]| EXPECTED.iter().all(|wanted| events.iter().any(|event| wanted.is(event)));
    let start = Instant::now();
    while !is_complete(&events) {
        assert!(start.elapsed() < PATIENCE, "not everything came: {events:#?}");
        if let Some(event) = program.event_within(Duration::from_secs(1)) {
            events.push(event);
        }
    }
    browser.close();
    check(&events, page);
    let health = program.health();
    assert_eq!(
        (&health["ingest"]["duplicate"], &health["frames"]["broken"]),
        (&0.into(), &0.into()),
        "{health}"
    );
    assert_eq!(health["ingest"]["rejected"], serde_json::json!({}), "{health}");
}

/// What must be true of every event, and of some in particular.
fn check(events: &[Value], page: u16) {
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

/// An event that must come: its id, and what its status or message holds.
struct Expected {
    id: &'static str,
    status: Option<u64>,
    message: &'static str,
}

const fn expected(id: &'static str, status: Option<u64>, message: &'static str) -> Expected {
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

/// Chromium without a window; its helper processes go with it.
struct Browser(Child);

impl Browser {
    fn open(chromium: &str, url: &str, profile: &std::path::Path) -> Self {
        let child = Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        Self(child)
    }

    fn close(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.close();
    }
}

/// Serves the page and its three answers until the test ends; gives the port.
fn serve_page(page: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let page = page.clone();
            std::thread::spawn(move || answer(stream, &page));
        }
    });
    port
}

fn answer(stream: TcpStream, page: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
        line.clear();
    }
    let (status, kind, body) = match request.split(' ').nth(1)? {
        "/ok" => ("200 OK", "application/json", "{}"),
        "/broken" => ("500 Internal Server Error", "text/plain", "broken"),
        "/" => ("200 OK", "text/html; charset=utf-8", page),
        _ => ("404 Not Found", "text/plain", "nothing"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
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
