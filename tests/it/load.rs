//! `load`: what it sends arrives, what it prints is true, and what it cannot reach it names.

use std::process::Output;

use serde_json::Value;

use crate::harness::{Program, command};

fn load(args: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("a temporary folder");
    command(home.path()).arg("load").args(args).output().expect("runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn what_is_sent_is_acked_and_in_the_books() {
    let program = Program::start(&["serve"]);
    let url = format!("http://127.0.0.1:{}", program.port);
    let output =
        load(&["--connections", "2", "--rate", "0", "--batch", "50", "--for", "300ms", "--url", &url]);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let numbers = |line: &str| -> Vec<f64> { line.split(' ').filter_map(|word| word.parse().ok()).collect() };
    let wording: Vec<String> = lines
        .iter()
        .map(|line| {
            line.split(' ')
                .map(|word| if word.parse::<f64>().is_ok() { "N" } else { word })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(wording, ["sent N", "acked N", "lost N", "rate N events/s", "ack p50 N ms p99 N ms"]);
    assert_eq!((lines[1].strip_prefix("acked "), lines[2]), (lines[0].strip_prefix("sent "), "lost 0"));
    let delays = numbers(lines[4]);
    assert!(0.0 < delays[0] && delays[0] <= delays[1], "{delays:?}");
    let sent: u64 = lines[0].strip_prefix("sent ").and_then(|n| n.parse().ok()).expect("a number");
    assert!(sent >= 100, "{sent}");
    let health = program.health();
    assert_eq!((&health["ingest"]["accepted"], &health["ingest"]["received"]), (&sent.into(), &sent.into()));
}

#[test]
fn a_rate_is_kept_and_the_object_says_the_same_as_the_lines() {
    let program = Program::start(&["serve"]);
    let url = format!("ws://127.0.0.1:{}/v1/ws", program.port);
    let output = load(&[
        "--connections",
        "4",
        "--rate",
        "400",
        "--for",
        "500ms",
        "--batch",
        "10",
        "--json",
        "--url",
        &url,
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one object");
    // Each of four connections is due every 100 ms, the first time at once.
    assert!(report["sent"].as_u64().is_some_and(|sent| (40..=200).contains(&sent)), "{report}");
    assert_eq!((&report["lost"], &report["acked"]), (&0.into(), &report["sent"]));
    assert_eq!(program.health()["ingest"]["accepted"], report["sent"]);
}

#[test]
fn what_cannot_be_reached_is_named_with_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let nobody = format!("http://{free}");
    for (url, code, words) in [
        (nobody.as_str(), 3, ["cannot connect to", nobody.as_str(), "start `taillight`"]),
        ("ftp://x", 2, ["ftp://x", "no address", "http://HOST:PORT"]),
    ] {
        let output = load(&["--for", "1s", "--url", url]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        for word in words {
            assert!(text(&output.stderr).contains(word), "{output:?}");
        }
    }
}

#[test]
fn it_sends_to_the_port_it_is_given() {
    let program = Program::start(&["serve"]);
    let home = tempfile::tempdir().expect("a folder");
    let port = program.port.to_string();
    let args = ["load", "--port", &port, "--rate", "200", "--for", "200ms"];
    let output = crate::harness::command(home.path()).args(args).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(program.health()["ingest"]["accepted"].as_u64() > Some(0));
}
