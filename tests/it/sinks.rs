//! Sinks as a user sets them, each against the real thing: a listener, a folder, a full disk, a restart, a reload.

mod faults;
mod otlp;
mod postgres;
mod promises;
mod server;
mod webhook;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use taillight::options::Key;

use crate::harness::{Program, Socket, command, tool};

const PATIENCE: Duration = Duration::from_secs(20);

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a number, not {value}"))
}

/// The sink of that name in `/healthz`; the sums of all sinks and of the ring must hold.
fn sink(program: &Program, name: &str) -> Value {
    let health = program.health();
    for (name, sink) in health["sinks"].as_object().expect("sinks") {
        let dropped: u64 = sink["dropped"].as_object().expect("reasons").values().map(number).sum();
        let known = ["delivered", "queued", "filtered", "sampled", "limited"].map(|part| number(&sink[part]));
        assert_eq!(number(&sink["offered"]), known.iter().sum::<u64>() + dropped, "{name}: {sink}");
    }
    let of = |path: &str| number(health.pointer(path).unwrap_or(&Value::Null));
    assert_eq!(of("/ingest/accepted") + of("/ring/own"), of("/ring/live") + of("/ring/evicted"));
    health["sinks"][name].clone()
}

/// Asks again until `holds`, which it must in time.
fn until(program: &Program, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let sink = sink(program, name);
        if holds(&sink) {
            return sink;
        }
        assert!(start.elapsed() < PATIENCE, "{sink}");
        std::thread::yield_now();
    }
}

fn delivered(count: u64) -> impl Fn(&Value) -> bool {
    move |sink| sink["delivered"] == count
}

fn events(count: usize) -> String {
    let events: Vec<_> =
        (0..count).map(|number| format!(r#"{{"type":"log","message":"m {number}"}}"#)).collect();
    format!("[{}]", events.join(","))
}

fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    let (stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("settable");
    BufReader::new(stream)
}

#[test]
fn tcp_gets_every_event_as_a_line_and_reconnects() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let settings = format!(
        "[sinks.lines]\ntype = \"tcp\"\naddress = \"{address}\"\nmin-level = \"info\"\nretry-first = \"1ms\"\n"
    );
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(r#"[{"type":"log","message":"one\nline"},{"type":"analytics","subtype":"click"}]"#);
    let mut reader = accept(&listener);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&event["msg"], &event["id"]), (&"one\nline".into(), &"browser/log".into()));
    assert_eq!(number(&until(&program, "lines", delivered(1))["filtered"]), 1);
    drop(reader);
    // The next batch finds the connection closed and opens another one.
    program.post(r#"{"type":"log","message":"two"}"#);
    let mut line = String::new();
    accept(&listener).read_line(&mut line).expect("a line");
    assert!(line.contains("\"msg\":\"two\""), "{line}");
}

#[test]
fn syslog_messages_are_counted_over_tcp_and_one_a_datagram_over_udp() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("settable");
    let settings = format!(
        "[sinks.tcp]\naddress = \"{}\"\nformat = \"syslog\"\nfacility = \"local3\"\n\
         [sinks.udp]\naddress = \"{}\"\nformat = \"syslog\"\n",
        listener.local_addr().expect("bound"),
        socket.local_addr().expect("bound")
    );
    let program = Program::with_settings(&settings, &["serve"]);
    let large = "x".repeat(2_000);
    program.post(&format!(
        r#"[{{"type":"error","message":"bad\u001b[31m"}},{{"type":"log","message":"{large}"}},{{"type":"log","message":"last"}}]"#
    ));
    let mut reader = accept(&listener);
    for (priority, part) in [("<155>1 ", "bad␛[31m {"), ("<158>1 ", "xxx"), ("<158>1 ", "last")] {
        let mut length = Vec::new();
        reader.read_until(b' ', &mut length).expect("a length");
        let length: usize = String::from_utf8_lossy(&length).trim().parse().expect("a number");
        let mut message = vec![0; length];
        reader.read_exact(&mut message).expect("all of it");
        let message = String::from_utf8(message).expect("text");
        assert!(message.starts_with(priority) && message.contains(part), "{message}");
        let head: Vec<_> = message.split(' ').take(7).collect();
        assert!(
            head[1].ends_with('Z')
                && head[3] == "taillight"
                && head[5].starts_with("browser/")
                && head[6] == "-"
        );
    }
    let mut datagram = [0; 4_096];
    for (priority, part) in [("<11>1 ", "bad"), ("<14>1 ", "last")] {
        let length = socket.recv(&mut datagram).expect("a datagram");
        let message = String::from_utf8_lossy(&datagram[..length]);
        assert!(message.starts_with(priority) && message.contains(part), "{message}");
    }
    let stands = until(&program, "udp", delivered(2));
    assert_eq!(number(&stands["dropped"]["size"]), 1);
}

#[test]
fn the_console_prints_a_line_for_people_and_the_data() {
    let program = Program::with_settings("[sinks.console]\n", &["serve"]);
    program.post(r#"{"type":"error","subtype":"javascript","message":"no \u001b[2J x","severity":"high","timestamp":1704067201000}"#);
    let line = program.line();
    let (time, rest) = line.split_at(19);
    assert_eq!(rest, " ERROR [browser.javascript] no ␛[2J x", "{time}");
    let data = program.line();
    assert!(data.starts_with("  {:severity \"high\", :source \"browser\", "), "{data}");
}

#[test]
fn a_sink_that_takes_nothing_withholds_acks_only_where_nothing_may_be_dropped() {
    // Nothing listens there yet.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "[sinks.waits]\ntype = \"tcp\"\naddress = \"{free}\"\nmode = \"blocking\"\nbuffer = 1\nretry-longest = \"50ms\"\n\
         [sinks.drops]\ntype = \"tcp\"\naddress = \"{free}\"\nbuffer = 3\nbatch-events = 1\nretry-longest = \"50ms\"\n\
         [sinks.slides]\ntype = \"tcp\"\naddress = \"{free}\"\nmode = \"sliding\"\nbuffer = 3\nretry-longest = \"50ms\"\n\
         [sinks.file]\nfolder = \"{}\"\nmode = \"dropping\"\n",
        folder.path().display()
    );
    let program = Program::with_settings(&settings, &["serve"]);
    let mut socket = program.socket();
    assert_eq!(socket.hello("c1", 1)["level"], "seen");
    socket.send(&format!(r#"{{"t":"batch","seq":1,"events":{}}}"#, events(20)));
    until(&program, "file", delivered(20));
    assert_eq!(program.health()["ring"]["live"], 20, "the ring goes on");
    let stands = sink(&program, "drops");
    assert_eq!(number(&stands["queued"]) + number(&stands["dropped"]["dropping"]), 20);
    assert_eq!(number(&sink(&program, "waits")["queued"]), 20);
    assert!(is_silent(&mut socket), "no ack yet");
    let listener = TcpListener::bind(free).expect("still free");
    let reading = std::thread::spawn(move || (0..3).map(|_| accept(&listener)).collect::<Vec<_>>());
    assert_eq!(socket.receive(), serde_json::json!({"t":"ack","seq":20}));
    until(&program, "waits", delivered(20));
    until(&program, "slides", |sink| sink["queued"] == 0);
    until(&program, "drops", |sink| sink["queued"] == 0);
    drop(reading.join());
}

/// Whether nothing has come that was not read.
fn is_silent(socket: &mut Socket) -> bool {
    let stream = socket.0.get_mut();
    stream.set_nonblocking(true).expect("settable");
    let nothing = stream.peek(&mut [0]);
    stream.set_nonblocking(false).expect("settable");
    nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The client's number of every line, all of which must be whole.
fn numbers(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).expect("readable");
    assert!(text.is_empty() || text.ends_with('\n'), "a torn end");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a whole line"));
    lines.map(|line| number(&line["cseq"])).collect()
}

#[test]
fn what_was_acked_is_in_the_file_and_known_after_the_process_was_killed() {
    for level in ["written", "synced"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rec.jsonl");
        let settings = format!(
            "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nack = \"{level}\"\nmin-free = 1\n",
            path.display()
        );
        let (mut acked, mut duplicates) = (0, 0);
        for round in 0..4 {
            let program = Program::with_settings(&settings, &["serve"]);
            let mut socket = program.socket();
            let welcome = socket.hello("c1", acked + 1);
            assert_eq!(
                (&welcome["level"], &welcome["acked"]),
                (&level.into(), &acked.into()),
                "round {round}"
            );
            // The last batch of the round before comes again, as if its ack had been lost.
            if acked > 0 {
                assert_eq!(socket.batch(acked - 4, &events(5)).last().expect("an ack")["seq"], acked);
                duplicates = number(&program.health()["ingest"]["duplicate"]);
            }
            for _ in 0..10 {
                let answers = socket.batch(acked + 1, &events(5));
                acked = number(&answers.last().expect("an ack")["seq"]);
                assert!(numbers(&path).contains(&acked), "acked and not written");
            }
            program.signal("KILL");
            program.wait();
        }
        assert_eq!((acked, duplicates), (200, 5));
        assert_eq!(numbers(&path), (1..=200).collect::<Vec<_>>());
    }
}

#[test]
fn a_recording_is_what_open_reads_and_holds_everything_sent_to_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rec.jsonl");
    let program = Program::with_settings("", &["serve", "--record", path.to_str().expect("text")]);
    assert_eq!(program.client("c1").batch(1, &events(300))[0]["seq"], 300);
    program.post(&events(50));
    assert_eq!(sink(&program, "record")["mode"], "blocking");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(143));
    let output =
        command(folder.path()).arg("stats").arg("--from").arg(&path).arg("--json").output().expect("runs");
    let stats: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(stats["events"], 350);
}

/// A small disk in the place of a folder, until it is dropped.
pub(crate) struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// `None` where none may be mounted.
    pub(crate) fn of(folder: &'a Path, options: &str) -> Option<Self> {
        let mut mount = Command::new(tool(&["mount"])?);
        let mount = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        crate::harness::missed("no tmpfs can be mounted")
    }

    fn grow(&self, options: &str) {
        let mut mount = Command::new("mount");
        let status = mount.args(["-o", &format!("remount,{options}")]).arg(self.0).status();
        assert!(status.expect("runs").success());
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Not while something on it is open.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_loses_and_tears_nothing_and_is_written_to_again_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::of(folder.path(), "size=256k") else { return };
    let path = folder.path().join("rec.jsonl");
    let settings = format!(
        "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nretry-longest = \"50ms\"\nmode = \"dropping\"\n",
        path.display()
    );
    let program = Program::with_settings(&settings, &["serve"]);
    let mut socket = program.client("c1");
    let batches: u64 = 20;
    for batch in 0..batches {
        assert_eq!(socket.batch(1 + batch * 100, &events(100)).len(), 1, "nothing is refused");
    }
    let stands = until(&program, "rec", |sink| sink["state"] == "retrying");
    assert!(stands["last_error"].as_str().is_some_and(|why| why.contains("No space left")), "{stands}");
    assert!(number(&stands["queued"]) > 0 && number(&stands["errors"]) > 0);
    let written = numbers(&path);
    assert_eq!(written.len() as u64, number(&sink(&program, "rec")["delivered"]), "whole batches only");
    disk.grow("size=16m");
    until(&program, "rec", delivered(batches * 100));
    assert_eq!(numbers(&path), (1..=batches * 100).collect::<Vec<_>>());
    drop(program);
}

#[test]
fn what_a_sink_still_has_at_the_end_is_tried_for_a_while_and_then_told() {
    let reading = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = reading.local_addr().expect("bound");
    // Nothing listens there any more.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let settings = format!(
        "[sinks.late]\ntype = \"tcp\"\naddress = \"{address}\"\nbatch-age = \"1h\"\nsummaries = false\n\
         [sinks.down]\ntype = \"tcp\"\naddress = \"{free}\"\ndrain = \"200ms\"\nsummaries = false\n"
    );
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(&events(7));
    until(&program, "down", |sink| sink["state"] == "retrying");
    assert_eq!(number(&sink(&program, "late")["queued"]), 7, "it waits for more");
    let start = Instant::now();
    program.signal("TERM");
    let lines: Vec<_> = accept(&reading).lines().map_while(Result::ok).collect();
    assert_eq!(lines.len(), 7, "{lines:?}");
    let told = "sink down: 7 events not delivered (cannot connect to ";
    while !program.complaint().contains(told) {}
    assert_eq!(program.wait().code(), Some(143));
    assert!(start.elapsed() < PATIENCE, "the end was waited for");
}

#[test]
fn a_hangup_reads_the_settings_again_and_a_mistake_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let section = |name: &str, more: &str| {
        let file = folder.path().join(name);
        format!("[sinks.{name}]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\n{more}", file.display())
    };
    let program = Program::with_settings(&section("a", ""), &["serve"]);
    let mut socket = program.client("c1");
    let mut next = 1;
    let mut send = |count| {
        socket.batch(next, &events(count));
        next += count as u64;
    };
    let reload = |settings: &str, told: &str| {
        fs::write(program.settings(), settings).expect("written");
        program.signal("HUP");
        let said = program.complaint();
        assert!(said.contains(told), "{said}");
    };
    send(10);
    reload(&(section("a", "batch-events = 7\n") + &section("b", "")), "settings read again; sinks: a, b");
    send(20);
    reload(
        "[sinks.a]\ntype = \"file\"\nmode = \"sometimes\"\n",
        "line 3, column 1: sinks.a: mode is \"blocking\", \"dropping\" or \"sliding\"",
    );
    while !program.complaint().contains("settings stay as they were") {}
    send(30);
    reload(&section("b", ""), "settings read again; sinks: b");
    send(40);
    assert_eq!(numbers(&folder.path().join("a")), (1..=60).collect::<Vec<_>>());
    assert_eq!(numbers(&folder.path().join("b")), (11..=100).collect::<Vec<_>>());
    assert_eq!(number(&sink(&program, "b")["delivered"]), 90);
    assert_eq!(program.health()["ring"]["live"], 100);
}

#[test]
fn a_project_may_set_no_sinks_and_secrets_are_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".taillight.toml"), "[sinks.tcp]\naddress = \"127.0.0.1:9\"\n")
        .expect("written");
    let output = command(folder.path()).current_dir(folder.path()).arg("config").output().expect("runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("[sinks.NAME] does not count: this file comes with the repository"), "{said}");
    assert!(!String::from_utf8(output.stdout).expect("text").contains("[sinks]"));
}

#[test]
fn every_settings_block_of_the_documents_is_one() {
    for document in [
        include_str!("../../README.md"),
        include_str!("../../docs/sinks.md"),
        include_str!("../../docs/signals.md"),
        include_str!("../../docs/alerts.md"),
    ] {
        let blocks: Vec<&str> =
            document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        for block in blocks {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("config.toml");
            fs::write(&path, block).expect("written");
            let mut config = command(folder.path());
            let output = config
                .current_dir(folder.path())
                .args(["config", "--config", "config.toml"])
                .output()
                .expect("runs");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{block}");
            let listing = String::from_utf8_lossy(&output.stdout).into_owned();
            for name in block.lines().filter_map(|line| line.strip_prefix("[sinks.")?.strip_suffix(']')) {
                assert!(listing.contains(&format!("\n{name}.type = ")), "{name}: {listing}");
            }
        }
    }
}

/// A table of keys as the documents have it.
pub(crate) fn table(title: &str, keys: &[Key]) -> String {
    let row = |key: &Key| {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        format!("| `{}` | {default} | {}. {} |\n", key.name, key.kind.allowed().replace('|', "\\|"), key.help)
    };
    format!(
        "{title}\n\n| key | default | allowed, and what it does |\n| --- | --- | --- |\n{}\n",
        keys.iter().map(row).collect::<String>()
    )
}

/// The tables of keys as the document has them.
fn tables() -> String {
    let mut text = table("## What a sink takes", taillight::pipeline::SELECTION);
    text += &table("## How it takes it", taillight::sinks::DISPATCH);
    for kind in taillight::sinks::KINDS {
        text += &table(&format!("## `{}`: {}", kind.name, kind.about), kind.keys);
    }
    text
}

#[test]
fn the_document_has_every_key_of_every_sink() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sinks.md");
    let document = fs::read_to_string(&path).expect("readable");
    let start = document.find("## What a sink takes").expect("the tables");
    if std::env::var_os("TAILLIGHT_DOCS").is_some() {
        return fs::write(path, format!("{}{}", &document[..start], tables())).expect("writable");
    }
    assert_eq!(document[start..], tables(), "TAILLIGHT_DOCS=write cargo test --test it sinks writes it");
}
