//! `/metrics`: what Prometheus itself makes of it, and that its sums are those of `/healthz`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use taillight::sinks::{Report, STATISTICS};
use taillight::ui::Msg;

use crate::harness::{Program, tool};
use crate::ui::Console;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a page with a hostile past has sent.
const EVENTS: &str = r#"[
  {"type":"error","subtype":"javascript","message":"a","severity":"high"},
  {"type":"error","subtype":"javascript","message":"b","severity":"high"},
  {"type":"error","subtype":"x\"} 1\nforged_total 7","message":"c"},
  {"type":"metric","subtype":"api-call","url":"http://localhost/api/users/42?token=1","method":"GET","status":200,"duration-ms":80},
  {"type":"metric","subtype":"api-call","url":"http://localhost/api/users/43","method":"GET","status":500,"duration-ms":700},
  {"type":"metric","subtype":"page-load","url":"http://localhost:5173/orders/17?x=1","duration-ms":1500},
  {"type":"metric","subtype":"web-vital","vital":"LCP","value":1250,"url":"http://localhost:5173/"},
  {"type":"metric","subtype":"web-vital","vital":"CLS","value":0.02,"url":"http://localhost:5173/"}
]"#;

fn page(program: &Program, accept: &str) -> String {
    let answer = program.request("GET", "/metrics", &[("Accept", accept)], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// The page once it tells of all that was posted: tables are up to a quarter of a second old.
fn settled(program: &Program, accept: &str, line: &str) -> String {
    let start = Instant::now();
    loop {
        let page = page(program, accept);
        if page.lines().any(|own| own == line) {
            return page;
        }
        assert!(start.elapsed() < PATIENCE, "no {line} in\n{page}");
        std::thread::yield_now();
    }
}

/// The number of a series.
fn value(page: &str, series: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in\n{page}"))
}

fn program(folder: &std::path::Path) -> Program {
    let settings = format!(
        "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nmin-level = \"error\"\n",
        folder.join("rec.jsonl").display()
    );
    Program::with_settings(&settings, &["serve"])
}

#[test]
fn every_number_is_that_of_the_books_and_no_label_forges_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(folder.path());
    program.post(EVENTS);
    program.post("{");
    let first = "app_errors_total{type=\"javascript\",severity=\"high\"} 2";
    let page = settled(&program, "*/*", first);
    for line in [
        "app_errors_total{type=\"x\\\"} 1␤forged_total 7\",severity=\"none\"} 1",
        "app_page_loads_total{url=\"/orders/:id\"} 1",
        "app_api_duration_seconds_bucket{endpoint=\"localhost/api/users/:id\",method=\"GET\",le=\"0.05\"} 0",
        "app_api_duration_seconds_bucket{endpoint=\"localhost/api/users/:id\",method=\"GET\",le=\"0.1\"} 1",
        "app_api_duration_seconds_bucket{endpoint=\"localhost/api/users/:id\",method=\"GET\",le=\"+Inf\"} 2",
        "app_api_duration_seconds_sum{endpoint=\"localhost/api/users/:id\",method=\"GET\"} 0.78",
        "app_api_errors_total{endpoint=\"localhost/api/users/:id\",method=\"GET\"} 1",
        "app_web_vital_p75_seconds{vital=\"LCP\"} 1.25",
        "app_web_vital_p75_score{vital=\"CLS\"} 0.02",
        "taillight_series_other_total 0",
        "taillight_groups_other_total 0",
    ] {
        assert!(page.lines().any(|own| own == line), "{line} is not in\n{page}");
    }
    assert!(!page.lines().any(|line| line.starts_with("forged_total")), "{page}");
    let ring = value(&page, "taillight_ring_events") + value(&page, "taillight_events_evicted_total");
    assert_eq!(
        value(&page, "taillight_events_accepted_total") + value(&page, "taillight_events_own_total"),
        ring
    );
    let of = |part: &str| value(&page, &format!("taillight_sink_{part}{{sink=\"rec\"}}"));
    let dropped: u64 = page
        .lines()
        .filter(|line| line.starts_with("taillight_sink_dropped_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    let known = of("delivered_total") + of("queued_events") + of("filtered_total") + of("sampled_total");
    assert_eq!(of("offered_total"), known + of("limited_total") + dropped);
    // Five of the pages, and the one that tells of what could not be read.
    assert_eq!(of("filtered_total"), 6);
    let refused = program.request("GET", "/metrics", &[("Origin", "http://localhost:5173")], "");
    assert_eq!(refused.status, 403, "a page may not read it");
}

#[test]
fn as_many_endpoints_and_errors_as_a_page_invents_stay_within_bounds() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(folder.path());
    let words: Vec<_> = (0..500_u32)
        .map(|n| format!("{}{}", (b'a' + (n / 26 % 26) as u8) as char, (b'a' + (n % 26) as u8) as char))
        .collect();
    let mut events = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let path = format!("{word}/{}", words[at / 26]);
        events.push(format!(r#"{{"type":"metric","subtype":"api-call","url":"http://localhost/{path}","method":"GET","status":200,"duration-ms":1}}"#));
        events.push(format!(r#"{{"type":"error","subtype":"kind-{at}","message":"m"}}"#));
        events.push(format!(r#"{{"type":"metric","subtype":"page-load","url":"http://localhost/{path}"}}"#));
    }
    program.post(&format!("[{}]", events.join(",")));
    let page = settled(&program, "*/*", "app_events_total{level=\"info\"} 1000");
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < 2_000, "{series} series");
    let all = |family: &str| -> u64 {
        let own = page.lines().filter(|line| line.starts_with(family));
        own.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    assert_eq!((all("app_errors_total{"), all("app_page_loads_total{")), (500, 500));
    assert_eq!(all("app_api_duration_seconds_count{"), 500);
    assert!(value(&page, "app_errors_total{type=\"(other)\",severity=\"none\"}") > 0);
}

/// The words of a text that `is_one`.
fn words(text: &str, is_one: impl Fn(&str) -> bool) -> BTreeSet<String> {
    text.split_whitespace().filter(|word| is_one(word)).map(str::to_owned).collect()
}

#[test]
fn health_healthz_and_metrics_name_the_same_statistics_of_a_sink() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(folder.path());
    program.post(EVENTS);
    let known = |word: &str| STATISTICS.iter().any(|statistic| statistic.name == word);
    let names: BTreeSet<String> = STATISTICS.iter().map(|statistic| statistic.name.to_owned()).collect();
    let mut console = Console::new(10);
    console.send(Msg::Sinks(Arc::from([Report { name: "rec".to_owned(), ..Report::default() }])));
    console.keys("6");
    let screen = console.screen(160, 60);
    let head = screen.lines().find(|line| line.contains("delivered")).expect("the head of the sinks' rows");
    assert_eq!(words(head, known), names, "{head}");
    assert_eq!(words(head, |word| !known(word)).into_iter().collect::<Vec<_>>(), ["mode", "name", "state"]);
    let health = program.health();
    let said = health["sinks"]["rec"].as_object().expect("the sink");
    let facts = ["type", "mode", "state", "last_error"];
    let said = said.keys().filter(|key| !facts.contains(&key.as_str()));
    let said: BTreeSet<String> = said.map(|key| key.trim_end_matches("_ms").to_owned()).collect();
    assert_eq!(said, names);
    let page = page(&program, "*/*");
    let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE taillight_sink_"));
    let families = families.filter_map(|line| line.split(' ').next()).filter(|family| *family != "state");
    let of = |family: &str| -> Vec<String> {
        match family {
            // A quantile each.
            "latency_seconds" => names.iter().filter(|name| name.starts_with('p')).cloned().collect(),
            family => vec![family.trim_end_matches("_total").trim_end_matches("_events").to_owned()],
        }
    };
    assert_eq!(families.flat_map(of).collect::<BTreeSet<_>>(), names);
    for name in names.iter().filter(|name| name.starts_with('p')) {
        let quantile = format!("quantile=\"0.{}\"", name[1..].trim_end_matches('0'));
        assert!(page.contains(&quantile), "{name}: {quantile} is not in\n{page}");
    }
}

#[test]
fn promtool_finds_nothing_to_say_of_it() {
    let Some(promtool) = tool(&["promtool"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(folder.path());
    program.post(EVENTS);
    let page = settled(&program, "text/plain", "app_page_loads_total{url=\"/orders/:id\"} 1");
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    check.stdin.take().expect("piped").write_all(page.as_bytes()).expect("writable");
    let said = check.wait_with_output().expect("ends");
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && text.trim().is_empty(), "{text}\n{page}");
}

/// A Prometheus of its own, gone with the value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of an answer; empty while nobody listens.
fn get(port: u16, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    stream.set_read_timeout(Some(PATIENCE)).expect("settable");
    let asked = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let mut answer = String::new();
    let read = stream.write_all(asked.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    read.map_or(String::new(), |_| answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned())
}

#[test]
fn prometheus_scrapes_it_and_answers_with_its_numbers() {
    let Some(prometheus) = tool(&["prometheus"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(folder.path());
    program.post(EVENTS);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let settings = folder.path().join("prometheus.yml");
    let text = format!(
        "scrape_configs:\n  - job_name: taillight\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n    \
         static_configs:\n      - targets: ['127.0.0.1:{}']\n",
        program.port
    );
    std::fs::write(&settings, text).expect("written");
    let child = Command::new(prometheus)
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Server(child.expect("prometheus runs"));
    let start = Instant::now();
    let ask = |query: &str| loop {
        let answer: Value =
            serde_json::from_str(&get(port, &format!("/api/v1/query?query={query}"))).unwrap_or_default();
        if let Some(value) = answer.pointer("/data/result/0/value/1").and_then(Value::as_str) {
            return value.to_owned();
        }
        assert!(start.elapsed() < PATIENCE, "no answer to {query}: {answer}");
        std::thread::yield_now();
    };
    assert_eq!(ask("up%3D%3D1"), "1");
    for (query, expected) in [
        ("app_errors_total%7Btype%3D%22javascript%22%7D", "2"),
        ("sum(app_page_loads_total)", "1"),
        ("app_api_duration_seconds_bucket%7Ble%3D%220.1%22%7D", "1"),
        ("taillight_events_accepted_total", "8"),
        ("taillight_sink_delivered_total", "3"),
    ] {
        assert_eq!(ask(query), expected, "{query}");
    }
}
