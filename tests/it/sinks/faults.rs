//! A file sink whose system calls fail, one after the other, and one whose process is killed in the middle of it all.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{PATIENCE, events, number, numbers, until};
use crate::harness::{Program, Socket, tool};

fn recording(path: &Path, more: &str) -> String {
    format!(
        "[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nretry-first = \"1ms\"\nretry-longest = \"20ms\"\n{more}",
        path.display()
    )
}

/// Batches of [`BIT`] events that a table's row is given.
const BATCHES: u64 = 40;
const BIT: u64 = 5;

/// What fails, of which calls of each thread that writes, and the settings it takes.
struct Fault {
    what: &'static [&'static str],
    when: &'static str,
    more: &'static str,
    is_told: bool,
}

const fn fault(what: &'static [&'static str], when: &'static str, more: &'static str) -> Fault {
    Fault { what, when, more, is_told: true }
}

/// Every other one of the first fifty, and those between, so that each of them fails once; and all in a row.
const ODD: &str = "1..49+2";
const EVEN: &str = "2..50+2";
const ALL: &str = "1..50";
const SYNCED: &str = "ack = \"synced\"\n";
const ROTATED: &str = "rotate-bytes = 2000\ngzip = false\nkeep-files = 1000\n";

const FAULTS: [Fault; 14] = [
    fault(&["write:error=ENOSPC"], ODD, ""),
    fault(&["write:error=ENOSPC"], EVEN, ""),
    fault(&["write:error=ENOSPC"], ALL, ""),
    fault(&["write:error=EIO"], ODD, ""),
    fault(&["write:error=EIO"], EVEN, ""),
    // A call that was only interrupted is made again at once.
    Fault { is_told: false, ..fault(&["write:error=EINTR"], ALL, "") },
    // What a failed write may have left cannot be cut off at once either.
    fault(&["write:error=EIO", "ftruncate:error=EIO"], ODD, ""),
    fault(&["openat:error=EMFILE"], ODD, ROTATED),
    fault(&["openat:error=ENOSPC"], EVEN, ROTATED),
    fault(&["fdatasync:error=EIO"], ODD, SYNCED),
    fault(&["fdatasync:error=EIO"], EVEN, SYNCED),
    fault(&["fdatasync:error=EIO", "ftruncate:error=EIO"], ODD, SYNCED),
    fault(&["rename,renameat,renameat2:error=EIO"], ODD, ROTATED),
    fault(&["rename,renameat,renameat2:error=ENOSPC"], ALL, ROTATED),
];

/// All that is in the files of a folder, whose lines must be whole.
fn all_numbers(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).expect("readable").flatten();
    let mut all: Vec<u64> = entries.flat_map(|entry| numbers(&entry.path())).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_system_call_that_fails_loses_tears_and_doubles_nothing() {
    let Some(strace) = tool(&["strace"]) else { return };
    for Fault { what, when, more, is_told } in FAULTS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rec.jsonl");
        let traced = path.to_str().expect("text");
        let injected: Vec<_> = what.iter().map(|what| format!("inject={what}:when={when}")).collect();
        let mut under = vec![strace.as_str(), "-D", "-f", "-qq", "-o", "/dev/null", "-P", traced];
        injected.iter().for_each(|inject| under.extend(["-e", inject]));
        let program = Program::under(&under, &recording(&path, more), &["serve"]);
        let mut socket = program.client("c1");
        for batch in 0..BATCHES {
            let acked = &socket.batch(1 + batch * BIT, &events(5))[0]["seq"];
            assert_eq!(acked, (batch + 1) * BIT, "{injected:?}");
            // Acked is written.
            assert_eq!(all_numbers(folder.path()).last(), Some(&((batch + 1) * BIT)), "{injected:?}");
        }
        let stands = until(&program, "rec", |sink| sink["delivered"] == BATCHES * BIT);
        assert_eq!(number(&stands["errors"]) > 0, is_told, "{injected:?}: {stands}");
        assert_eq!(stands["state"], "running", "{injected:?}: {stands}");
        assert_eq!(all_numbers(folder.path()), (1..=BATCHES * BIT).collect::<Vec<_>>(), "{injected:?}");
    }
}

/// A file may grow to a limit and no further: the system takes a part of the write that meets it, then none.
#[test]
fn a_write_that_is_taken_in_part_is_cut_off_and_made_again() {
    let Some(prlimit) = tool(&["prlimit"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rec.jsonl");
    let limit = |pid: &str, bytes: &str| {
        Command::new(&prlimit)
            .args(["--pid", pid, &format!("--fsize={bytes}:unlimited")])
            .status()
            .expect("runs")
    };
    let program = Program::with_settings(&recording(&path, "mode = \"dropping\"\n"), &["serve"]);
    let (pid, mut socket) = (program.pid().to_string(), program.client("c1"));
    let mut sent = 0;
    for step in 1..=12_u64 {
        // Within the lines that come now, at another byte each time.
        let is_at = fs::metadata(&path).map_or(0, |known| known.len());
        assert!(limit(&pid, &(is_at + 150 + step * 37).to_string()).success());
        assert_eq!(socket.batch(sent + 1, &events(20)).len(), 1, "nothing is refused");
        sent += 20;
        let stands = until(&program, "rec", |sink| sink["state"] == "retrying");
        assert!(stands["last_error"].as_str().is_some_and(|why| why.contains("File too large")), "{stands}");
        assert!(limit(&pid, "unlimited").success());
        until(&program, "rec", |sink| sink["delivered"] == sent);
        assert_eq!(numbers(&path), (1..=sent).collect::<Vec<_>>(), "step {step}");
    }
}

/// The number up to which a send, as strace shows it, acks.
fn ack_of(line: &str) -> Option<u64> {
    let rest = line.contains(r#"\"t\":\"ack\""#).then(|| line.split_once(r#"\"seq\":"#))??.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What the disk had been told to keep, when an ack was sent: a stand-in for the power cut that may come right then.
#[test]
fn an_ack_of_what_is_synced_leaves_after_the_disk_has_answered() {
    let Some(strace) = tool(&["strace"]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (path, trace) = (folder.path().join("rec.jsonl"), folder.path().join("trace"));
    let calls = "trace=write,writev,sendto,sendmsg,fdatasync,ftruncate";
    let to = trace.to_str().expect("text");
    let under = [strace.as_str(), "-D", "-f", "-q", "-yy", "-s", "100000", "-o", to, "-e", calls];
    let program = Program::under(&under, &recording(&path, SYNCED), &["serve"]);
    let mut socket = program.client("c1");
    // Four at a time, as a page does, so that one is written while another is acked.
    for first in (0..20).step_by(4) {
        for batch in first..first + 4 {
            socket.send(&format!(r#"{{"t":"batch","seq":{},"events":{}}}"#, 1 + batch * BIT, events(5)));
        }
        while number(&socket.receive()["seq"]) < (first + 4) * BIT {}
    }
    program.signal("TERM");
    program.wait();
    let start = Instant::now();
    let text = loop {
        let text = fs::read_to_string(&trace).unwrap_or_default();
        if text.contains("+++ exited with 143 +++") {
            break text;
        }
        assert!(start.elapsed() < PATIENCE, "the trace has no end");
        std::thread::yield_now();
    };
    // Numbers in the file as far as it is written, as far as it is on the disk, and those acked.
    let (mut written, mut synced, mut acked, mut acks) = (0, 0, 0, 0);
    let name = path.to_str().expect("text");
    for line in text.lines() {
        let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
        // A call that another thread's line stands in the midst of has two: it is over with the second.
        let is_over = !call.ends_with("<unfinished ...>");
        if call.starts_with("write(") && call.contains(name) {
            let numbers = call.split(r#"\"cseq\":"#).skip(1);
            let numbers = numbers.filter_map(|rest| rest.split(',').next()?.parse::<u64>().ok());
            written = numbers.max().unwrap_or(written);
        } else if call.starts_with("fdatasync(") && call.contains(name) && is_over
            || call.starts_with("<... fdatasync resumed>")
        {
            assert!(call.ends_with("= 0"), "{call}");
            synced = written;
        } else if let Some(upto) = ack_of(call) {
            assert!(upto <= synced, "{upto} was acked while the disk had {synced}: {call}");
            (acked, acks) = (upto, acks + 1);
        }
    }
    assert_eq!((acked, acks >= 5), (20 * BIT, true), "{acks} acks in the trace");
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
        std::env::var("TAILLIGHT_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
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
