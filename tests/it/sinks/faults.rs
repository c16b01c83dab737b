//! A file sink whose system calls fail, one after the other, and one whose process is killed in the middle of it all.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{events, number, numbers, until};
use crate::harness::{Program, Socket, tool};

fn recording(path: &Path, more: &str) -> String {
    format!(
        "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nretry-first = \"1ms\"\nretry-longest = \"20ms\"\n{more}",
        path.display()
    )
}

#[test]
fn a_system_call_that_fails_loses_tears_and_doubles_nothing() {
    let Some(strace) = tool(&["strace"]) else { return };
    // What fails, the how-manieth of it in each thread that writes, and the settings it takes.
    let table = [
        ("write:error=ENOSPC", 1, ""),
        ("write:error=ENOSPC", 3, ""),
        ("write:error=EIO", 2, ""),
        ("write:error=EINTR", 1, ""),
        ("openat:error=EMFILE", 1, ""),
        ("fdatasync:error=EIO", 1, "ack = \"synced\"\n"),
        ("rename,renameat,renameat2:error=EIO", 1, "rotate-bytes = 20000\ngzip = false\nkeep-files = 100\n"),
    ];
    for (fault, nth, more) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rec.jsonl");
        let inject = format!("inject={fault}:when={nth}");
        let traced = path.to_str().expect("text");
        let under = [strace.as_str(), "-D", "-f", "-qq", "-o", "/dev/null", "-P", traced, "-e", &inject];
        let program = Program::under(&under, &recording(&path, more), &["serve"]);
        let mut socket = program.client("c1");
        for batch in 0..10 {
            assert_eq!(
                socket.batch(1 + batch * 20, &events(20))[0]["seq"],
                (batch + 1) * 20,
                "{fault} {nth}"
            );
        }
        let stands = until(&program, "rec", |sink| sink["delivered"] == 200);
        // A call that was only interrupted is made again at once; others fail once in each thread that writes.
        let errors = number(&stands["errors"]);
        let is_told = if fault.ends_with("EINTR") { errors == 0 } else { errors > 0 || nth > 1 };
        assert!(is_told && stands["state"] == "running", "{fault} {nth}: {stands}");
        let mut written: Vec<u64> = Vec::new();
        for entry in fs::read_dir(folder.path()).expect("readable").flatten() {
            written.extend(numbers(&entry.path()));
        }
        written.sort_unstable();
        assert_eq!(written, (1..=200).collect::<Vec<_>>(), "{fault} {nth}");
    }
}

const CLIENTS: u64 = 20;
const BATCH: u64 = 25;
/// Batches that a client has sent and that are not acked.
const IN_FLIGHT: u64 = 4;

/// Events of client `name` from `first` on; each tells its own number.
fn numbered(name: &str, first: u64) -> String {
    let one = |number: u64| format!(r#"{{"type":"log","message":"{name} {number}"}}"#);
    format!("[{}]", (first..first + BATCH).map(one).collect::<Vec<_>>().join(","))
}

/// Sends until the connection breaks, from the first number on that was not acked; gives the last that was.
fn send(mut socket: Socket, name: &str, mut acked: u64, all: &AtomicU64) -> u64 {
    let mut next = acked + 1;
    loop {
        while next <= acked + BATCH * IN_FLIGHT {
            let frame = format!(r#"{{"t":"batch","seq":{next},"events":{}}}"#, numbered(name, next));
            if socket.0.send(Message::text(frame)).is_err() {
                return acked;
            }
            next += BATCH;
        }
        let Ok(answer) = socket.0.read() else { return acked };
        let Message::Text(text) = answer else { continue };
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["t"], "ack", "{answer}");
        let upto = number(&answer["seq"]);
        all.fetch_add(upto.saturating_sub(acked), Ordering::Relaxed);
        acked = acked.max(upto);
    }
}

/// `TAILLIGHT_KILL_ROUNDS=100 cargo test --test it killed` is the long form.
#[test]
fn everything_acked_to_twenty_pages_is_there_once_however_often_the_process_is_killed() {
    let rounds =
        std::env::var("TAILLIGHT_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rec.jsonl");
    let settings = recording(&path, "rotate-bytes = 1000000000\n");
    let names: Vec<String> = (0..CLIENTS).map(|client| format!("client-{client}")).collect();
    let mut acked = vec![0; names.len()];
    for round in 0..rounds {
        let program = Program::with_settings(&settings, &["serve"]);
        let all = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = names
            .iter()
            .zip(&acked)
            .map(|(name, acked)| {
                let (mut socket, name, all) = (program.socket(), name.clone(), Arc::clone(&all));
                let resumed = number(&socket.hello(&name, acked + 1)["acked"]);
                assert!(resumed >= *acked, "{name} was told {acked} and is now told {resumed}");
                std::thread::spawn(move || send(socket, &name, resumed, &all))
            })
            .collect();
        // Another moment in each round: after so many acks.
        let enough = 500 + (round * 7_919) % 4_000;
        while all.load(Ordering::Relaxed) < enough {
            std::thread::yield_now();
        }
        program.signal("KILL");
        program.wait();
        for (acked, client) in acked.iter_mut().zip(clients) {
            *acked = client.join().expect("no client fails");
        }
    }
    let text = fs::read_to_string(&path).expect("readable");
    let mut times: HashMap<(String, u64), u64> = HashMap::new();
    // The last line may be torn by the last kill; the next start would cut it off.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let line: Value = serde_json::from_str(line).expect("a whole line");
        let (name, own) = line["msg"].as_str().and_then(|text| text.split_once(' ')).expect("a name");
        assert_eq!(own.parse::<u64>(), Ok(number(&line["cseq"])), "{line}");
        *times.entry((name.to_owned(), number(&line["cseq"]))).or_default() += 1;
    }
    let mut doubled = 0;
    for (name, acked) in names.iter().zip(&acked) {
        let missing = (1..=*acked).filter(|number| !times.contains_key(&(name.clone(), *number))).count();
        assert_eq!(missing, 0, "{name}: acked up to {acked}");
        let own: u64 = times
            .iter()
            .filter(|((of, _), times)| of == name && **times > 1)
            .map(|(_, times)| times - 1)
            .sum();
        assert!(own <= rounds * BATCH * IN_FLIGHT, "{name}: {own} doubled");
        doubled += own;
    }
    let sum: u64 = acked.iter().sum();
    assert!(sum >= rounds * 500 / 2, "{sum} events acked in {rounds} rounds, {doubled} doubled");
}
