//! What a sink that may drop nothing has not written is acked to nobody: not by a welcome, not with a repeat, not after the
//! sink was set otherwise.

use std::fs;
use std::io::BufRead;
use std::net::TcpListener;

use serde_json::Value;

use super::{Disk, accept, delivered, events, is_silent, number, numbers, until};
use crate::harness::{Program, Socket};

/// An address where nobody listens, until somebody does.
fn free() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound")
}

fn to(address: std::net::SocketAddr) -> String {
    format!(
        "[sinks.rec]\ntype = \"tcp\"\naddress = \"{address}\"\nmode = \"blocking\"\nbuffer = 1\nsummaries = false\n\
         retry-longest = \"20ms\"\n"
    )
}

fn hang_up(program: &Program, settings: &str) {
    fs::write(program.settings(), settings).expect("written");
    program.signal("HUP");
    while !program.complaint().contains("settings read again; sinks: ") {}
}

/// The page comes back and sends everything again that was not acked to it.
fn again(program: &Program, next: u64, count: usize) -> Socket {
    let mut socket = program.socket();
    assert_eq!(socket.hello("c1", next)["acked"], next - 1, "nothing is written");
    socket.send(&format!(r#"{{"t":"batch","seq":{next},"events":{}}}"#, events(count)));
    socket
}

/// Reads up to the ack of `upto`.
fn acked(socket: &mut Socket, upto: u64) {
    loop {
        let answer = socket.receive();
        assert!(answer["t"] == "ack" && number(&answer["seq"]) <= upto, "{answer}");
        if answer["seq"] == upto {
            return;
        }
    }
}

/// The messages of so many lines.
fn lines(listener: &TcpListener, count: usize) -> Vec<String> {
    let lines = accept(listener).lines().take(count).map(|line| line.expect("text"));
    let events = lines.map(|line| serde_json::from_str::<Value>(&line).expect("JSON"));
    events.map(|event| event["msg"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_welcome_leaves_out_what_is_not_written_and_its_repeat_is_acked_once_it_is() {
    let address = free();
    let program = Program::with_settings(&to(address), &["serve"]);
    let mut first = program.client("c1");
    first.send(&format!(r#"{{"t":"batch","seq":1,"events":{}}}"#, events(20)));
    until(&program, "rec", |sink| sink["state"] == "retrying");
    assert!(is_silent(&mut first));
    drop(first);
    let mut second = again(&program, 1, 20);
    assert!(is_silent(&mut second));
    let listener = TcpListener::bind(address).expect("still free");
    acked(&mut second, 20);
    let messages: Vec<String> = (0..20).map(|number| format!("m {number}")).collect();
    assert_eq!(lines(&listener, 20), messages);
    until(&program, "rec", delivered(20));
    assert_eq!(program.socket().hello("c1", 1)["acked"], 20, "now it is written");
    let books = &program.health()["ingest"];
    assert_eq!((&books["accepted"], &books["duplicate"]), (&20.into(), &20.into()));
}

#[test]
fn what_a_sink_could_not_write_goes_where_its_new_settings_say_and_is_acked_then() {
    let program = Program::with_settings(&to(free()), &["serve"]);
    let mut first = program.client("c1");
    first.send(&format!(r#"{{"t":"batch","seq":1,"events":{}}}"#, events(20)));
    until(&program, "rec", |sink| sink["state"] == "retrying");
    hang_up(&program, &to(free()));
    until(&program, "rec", |sink| sink["state"] == "retrying");
    let mut other = program.client("c2");
    other.send(&format!(r#"{{"t":"batch","seq":1,"events":{}}}"#, events(5)));
    until(&program, "rec", |sink| sink["queued"] == 25);
    let mut second = again(&program, 1, 20);
    assert!(is_silent(&mut first) && is_silent(&mut other));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    assert!(is_silent(&mut second));
    hang_up(&program, &to(listener.local_addr().expect("bound")));
    let messages: Vec<String> = (0..20).chain(0..5).map(|number| format!("m {number}")).collect();
    assert_eq!(lines(&listener, 25), messages);
    acked(&mut first, 20);
    acked(&mut second, 20);
    acked(&mut other, 5);
    let stands = until(&program, "rec", delivered(25));
    assert_eq!(stands["dropped"]["undelivered"], 0, "{stands}");
}

#[test]
fn a_recording_moves_off_a_full_disk_without_losing_or_doubling_an_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_disk) = Disk::of(folder.path(), "size=256k") else { return };
    let room = tempfile::tempdir().expect("a folder");
    let [full, roomy] = [folder.path(), room.path()].map(|folder| folder.join("rec.jsonl"));
    let settings = |file: &std::path::Path| {
        format!(
            "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nretry-longest = \"20ms\"\n",
            file.display()
        )
    };
    let program = Program::with_settings(&settings(&full), &["serve"]);
    let mut first = program.client("c1");
    for batch in 0..20 {
        first.send(&format!(r#"{{"t":"batch","seq":{},"events":{}}}"#, 1 + batch * 100, events(100)));
    }
    let stands = until(&program, "rec", |sink| sink["state"] == "retrying");
    assert!(stands["last_error"].as_str().is_some_and(|why| why.contains("No space left")), "{stands}");
    let written = numbers(&full).len() as u64;
    assert!(written > 0 && written.is_multiple_of(100) && written < 2_000, "{written}");
    acked(&mut first, written);
    assert!(is_silent(&mut first));
    drop(first);
    let mut second = again(&program, written + 1, 2_000 - usize::try_from(written).expect("small"));
    assert!(is_silent(&mut second));
    hang_up(&program, &settings(&roomy));
    acked(&mut second, 2_000);
    assert_eq!(numbers(&full), (1..=written).collect::<Vec<_>>());
    assert_eq!(numbers(&roomy), (written + 1..=2_000).collect::<Vec<_>>());
    let stands = until(&program, "rec", delivered(2_000));
    assert_eq!(stands["dropped"]["undelivered"], 0, "{stands}");
    let welcome = program.socket().hello("c1", 1);
    assert_eq!((&welcome["acked"], &welcome["level"]), (&2_000.into(), &"written".into()));
}

#[test]
fn a_sink_that_is_taken_out_with_events_left_is_told_and_acks_go_on_without_it() {
    let program = Program::with_settings(&(to(free()) + "drain = \"100ms\"\n"), &["serve"]);
    let mut socket = program.client("c1");
    socket.send(&format!(r#"{{"t":"batch","seq":1,"events":{}}}"#, events(20)));
    until(&program, "rec", |sink| sink["state"] == "retrying");
    hang_up(&program, "");
    acked(&mut socket, 20);
    let told = "sink rec: 20 events not delivered (cannot connect to ";
    while !program.complaint().contains(told) {}
    assert_eq!(socket.batch(21, &events(5)).last().expect("an ack")["seq"], 25);
}
