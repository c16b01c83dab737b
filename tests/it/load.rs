//! `load`: what it sends arrives, what it prints is true, and what it cannot reach it names.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, accept_hdr};

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
fn pages_that_have_nothing_more_to_send_stay_to_the_end() {
    let program = Program::start(&["serve"]);
    let url = format!("http://127.0.0.1:{}", program.port);
    let home = tempfile::tempdir().expect("a temporary folder");
    let args = ["load", "--connections", "100", "--rate", "20", "--for", "500ms", "--url", &url];
    let mut load = command(home.path()).args(args).stdout(Stdio::null()).spawn().expect("runs");
    // One is due every 50 ms, so most never are.
    let all_stay = std::iter::from_fn(|| Some(program.health()))
        .take_while(|_| load.try_wait().expect("known").is_none())
        .any(|health| health["ingest"]["accepted"].as_u64() >= Some(5) && health["connections"] == 100);
    assert!(all_stay, "{}", program.health());
    assert!(load.wait().expect("ends").success());
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
        let reason = "onnection refused";
        assert!(text(&output.stderr).matches(reason).count() <= 1, "told once: {output:?}");
    }
}

/// An ingestor that takes nothing of the first `refusals` batches, then all; the numbers of those it saw.
fn reluctant(listener: &TcpListener, refusals: usize) -> Vec<u64> {
    let (stream, _) = listener.accept().expect("a connection");
    #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
    let choose = |_: &Request, mut answer: Response| {
        answer.headers_mut().insert("sec-websocket-protocol", "taillight.v1".parse().expect("valid"));
        Ok(answer)
    };
    let mut socket = accept_hdr(stream, choose).expect("a handshake");
    let (mut seen, mut next) = (Vec::new(), 1);
    while let Ok(message) = socket.read() {
        let Message::Text(text) = message else { continue };
        let frame: Value = serde_json::from_str(text.as_str()).expect("JSON");
        let answer = match (frame["t"].as_str(), frame["seq"].as_u64()) {
            (Some("hello"), _) => r#"{"t":"welcome","v":1,"acked":0}"#.to_owned(),
            (_, Some(seq)) => {
                seen.push(seq);
                if seen.len() <= refusals {
                    r#"{"t":"throttle","ms":20}"#.to_owned()
                } else {
                    if seq <= next {
                        next = next.max(seq + frame["events"].as_array().expect("events").len() as u64);
                    }
                    format!(r#"{{"t":"ack","seq":{}}}"#, next - 1)
                }
            }
            _ => continue,
        };
        if socket.send(Message::text(answer)).is_err() {
            break;
        }
    }
    seen
}

#[test]
fn what_it_is_told_to_hold_back_it_sends_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let ingestor = std::thread::spawn(move || reluctant(&listener, 3));
    let output =
        load(&["--connections", "1", "--rate", "500", "--batch", "10", "--for", "300ms", "--url", &url]);
    let seen = ingestor.join().expect("ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("lost 0\n"), "{output:?}");
    assert!(text(&output.stderr).contains("told to wait"), "{output:?}");
    let again = seen.iter().filter(|seq| **seq == 1).count();
    assert!(again >= 2, "the first batch is sent again until it is taken: {seen:?}");
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

#[test]
fn a_signal_ends_it_early_and_what_was_sent_is_reported() {
    let program = Program::start(&["serve"]);
    let url = format!("http://127.0.0.1:{}", program.port);
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut child = command(home.path())
        .args(["load", "--connections", "2", "--rate", "1000", "--for", "10m", "--url", &url])
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let start = Instant::now();
    while program.health()["ingest"]["accepted"] == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing arrives");
    }
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
    let mut said = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    let sent = said.lines().next().and_then(|line| line.strip_prefix("sent ")).expect("a report");
    assert_eq!(program.health()["ingest"]["accepted"].to_string(), sent, "{said}");
    assert!(said.contains("\nlost 0\n"), "{said}");
}
