//! `forget` and `export --user` as their user runs them: over the socket of a running taillight, and over files.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Program, command};

const PATIENCE: Duration = Duration::from_secs(20);

/// Events of three users, `rounds` of each, with something to fill a file.
fn events(rounds: usize) -> String {
    let filling = "x".repeat(200);
    let one = |number: usize| {
        let user = ["user-1", "user-2", "user-10"][number % 3];
        format!(
            r#"{{"type":"metric","subtype":"api-call","url":"http://localhost/of/{user}","method":"GET","status":200,"duration-ms":5,"user-id":"{user}","session-id":"sess-{user}","about":"user-2","fill":"{filling}","n":{number}}}"#
        )
    };
    format!("[{}]", (0..rounds * 3).map(one).collect::<Vec<_>>().join(","))
}

fn settings(folder: &Path, more: &str) -> String {
    let file = folder.join("rec.jsonl");
    format!("[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\n{more}", file.display())
}

/// How many lines of the recording, packed files too, are about `user`; `None` while a file is being packed.
fn count(folder: &Path, user: &str) -> Option<usize> {
    let mut count = 0;
    let mut names = std::collections::HashSet::new();
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("rec.") {
            continue;
        }
        // Both are there until the packed one is whole.
        if !names.insert(name.trim_end_matches(".gz").to_owned()) {
            return None;
        }
        let mut text = String::new();
        let file = fs::File::open(entry.path()).ok()?;
        if name.ends_with(".gz") {
            flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).ok()?;
        } else {
            std::io::BufReader::new(file).read_to_string(&mut text).ok()?;
        }
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        count += lines.filter(|line| line["user"] == user).count();
    }
    Some(count)
}

/// Asks again while files are being packed.
fn has(folder: &Path, user: &str, expected: usize) {
    let start = Instant::now();
    while count(folder, user) != Some(expected) {
        assert!(start.elapsed() < PATIENCE, "{user}: {:?} and not {expected}", count(folder, user));
        std::thread::yield_now();
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text)
}

fn number(health: &Value, path: &str) -> u64 {
    health.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {health}"))
}

#[test]
fn a_user_is_removed_from_memory_numbers_and_files_and_nobody_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    // Files so small that most of them are closed and packed.
    let more = "rotate-bytes = 10000\nkeep-files = 1000\nbatch-events = 10\n[sinks.away]\ntype = \"udp\"\naddress = \"127.0.0.1:9\"\n";
    let program = Program::with_settings(&settings(folder.path(), more), &["serve"]);
    let mut socket = program.client("c1");
    assert_eq!(socket.batch(1, &events(100))[0]["seq"], 300);
    has(folder.path(), "user-2", 100);
    let (code, text) = said(&program.command(&["forget", "--user", "user-2"]));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("memory (pid {}): 100 events removed", program.pid())), "{text}");
    assert!(text.contains("sink away") && text.contains("cannot be taken back"), "{text}");
    let removed: u64 = text
        .lines()
        .filter(|line| line.starts_with("sink rec, ") && line.contains("rec.") && line.contains(".jsonl"))
        .filter_map(|line| line.rsplit(": ").next()?.split(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(removed, 100, "{text}");
    for (user, expected) in [("user-1", 100), ("user-2", 0), ("user-10", 100)] {
        has(folder.path(), user, expected);
    }
    let health = program.health();
    assert_eq!((number(&health, "/ring/live"), number(&health, "/ring/evicted_for/request")), (200, 100));
    assert_eq!(
        number(&health, "/ingest/accepted") + number(&health, "/ring/own"),
        number(&health, "/ring/live") + number(&health, "/ring/evicted")
    );
    let start = Instant::now();
    loop {
        let page = program.request("GET", "/metrics", &[], "").body;
        if page.contains("endpoint=\"localhost/of/user-1\"") && !page.contains("of/user-2") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{page}");
    }
    // A second time there is nothing, and the files are written on.
    assert_eq!(said(&program.command(&["forget", "--user", "user-2"])).0, Some(1));
    assert_eq!(socket.batch(301, &events(10))[0]["seq"], 330);
    has(folder.path(), "user-1", 110);
    has(folder.path(), "user-2", 10);
    assert!(said(&program.command(&["forget", "--session", "sess-user-2"])).1.contains("10 events removed"));
    has(folder.path(), "user-1", 110);
    has(folder.path(), "user-2", 0);
}

#[test]
fn a_users_events_are_given_out_once_each_from_memory_and_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = settings(folder.path(), "");
    let export =
        |program: &Program, more: &[&str]| program.command(&[&["export", "--user", "user-2"], more].concat());
    let program = Program::with_settings(&text, &["serve", "--retain", "30"]);
    assert_eq!(program.client("c1").batch(1, &events(20))[0]["seq"], 60);
    // Ten are in memory still, all twenty in the file.
    let output = export(&program, &[]);
    let lines: Vec<(Value, Option<u64>)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| (line["user"].clone(), line["data"]["n"].as_u64()))
        .collect();
    let expected: Vec<_> = (0..20).map(|n| (Value::from("user-2"), Some(n * 3 + 1))).collect();
    assert_eq!(lines, expected);
    let (code, text) = said(&export(&program, &["--format", "csv", "-f", "n>=30"]));
    assert_eq!((code, text.lines().count()), (Some(0), 11), "{text}");
    let copy = folder.path().join("theirs.jsonl");
    let path = copy.to_str().expect("text");
    let (_, text) = said(&export(&program, &["-o", path]));
    assert!(text.contains("wrote 20 events"), "{text}");
    assert_eq!(fs::metadata(&copy).expect("there").permissions().mode() & 0o777, 0o600);
    program.command(&["forget", "--user", "user-2"]);
    assert_eq!(said(&export(&program, &[])).0, Some(1));
}

#[test]
fn without_a_running_taillight_the_files_of_the_settings_are_seen_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::with_settings(&settings(folder.path(), ""), &["serve"]);
    assert_eq!(program.client("c1").batch(1, &events(5))[0]["seq"], 15);
    let home = tempfile::tempdir().expect("a folder");
    let to = home.path().join(".config/taillight/config.toml");
    fs::create_dir_all(to.parent().expect("a folder")).expect("made");
    fs::copy(program.settings(), &to).expect("copied");
    // Another user's home: nothing runs there, and the file belongs to the one that does.
    let run = |args: &[&str]| said(&command(home.path()).args(args).output().expect("runs"));
    let (code, text) = run(&["forget", "--user", "user-1"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("written to by another process"), "{text}");
    program.signal("TERM");
    program.wait();
    let (code, text) = run(&["export", "--user", "user-1", "-f", "n>=3"]);
    assert_eq!((code, text.lines().count()), (Some(0), 4), "{text}");
    let (code, text) = run(&["forget", "--user", "user-1"]);
    assert_eq!(code, Some(0), "{text}");
    // Five events and the summary of their session.
    assert!(text.contains("6 lines removed") && text.contains("no taillight is running"), "{text}");
    let file = folder.path().join("rec.jsonl");
    let file = file.to_str().expect("text");
    let (code, text) = run(&["forget", "--session", "sess-user-2", "--from", file]);
    assert_eq!(code, Some(0), "{text}");
    has(folder.path(), "user-2", 0);
    has(folder.path(), "user-10", 6);
    for (args, expected) in [
        (&["forget"][..], Some(2)),
        (&["forget", "--user", ""], Some(2)),
        (&["forget", "--user", "a", "--session", "b"], Some(2)),
        (&["forget", "--user", "a", "--from", "/nowhere.jsonl"], Some(4)),
        (&["export"], Some(2)),
        (&["stats"], Some(2)),
    ] {
        assert_eq!(run(args).0, expected, "{args:?}");
    }
}

#[test]
fn events_that_taillight_did_not_write_are_given_out_and_removed_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("raw.jsonl");
    let text = "{\"type\":\"log\",\"user-id\":\"zz\",\"message\":\"a\"}\n{\"type\":\"log\",\"user-id\":\"yy\"}\n\
                {\"type\":\"log\",\"data\":{\"user-id\":\"zz\"},\"token\":\"t\"}";
    fs::write(&path, text).expect("written");
    let from = path.to_str().expect("text");
    let run = |args: &[&str]| said(&command(folder.path()).args(args).output().expect("runs"));
    let (code, out) = run(&["export", "--user", "zz", "--from", from]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let all = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!((code, all("user"), all("seq")), (Some(0), vec!["zz".into(); 2], vec![1.into(), 2.into()]));
    assert_eq!(lines[1]["data"]["token"], "[redacted]");
    let (code, out) = run(&["forget", "--user", "zz", "--from", from]);
    assert!(code == Some(0) && out.contains("2 lines removed"), "{out}");
    assert_eq!(fs::read_to_string(&path).expect("readable"), "{\"type\":\"log\",\"user-id\":\"yy\"}\n");
}

#[test]
fn packed_files_that_are_named_are_cleaned_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let text = "{\"session-id\":\"s\"}\n{\"session-id\":\"t\"}\n";
    let file = fs::File::create(path("x.jsonl.gz")).expect("made");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, text.as_bytes()).expect("packed");
    packer.finish().expect("packed");
    fs::write(path("x.jsonl.zst"), "").expect("written");
    let run = |command_line: &[&str], name: &str| {
        let path = path(name);
        let args = [command_line, &["--session", "s", "--from", &path]].concat();
        said(&command(folder.path()).args(args).output().expect("runs"))
    };
    assert_eq!(run(&["export"], "x.jsonl.gz").1.lines().count(), 1);
    let (code, out) = run(&["forget"], "x.jsonl.gz");
    assert!(code == Some(0) && out.contains("1 line removed"), "{out}");
    let mut left = String::new();
    let file = fs::File::open(path("x.jsonl.gz")).expect("there");
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut left).expect("packed");
    assert_eq!(left, "{\"session-id\":\"t\"}\n");
    for command_line in ["forget", "export"] {
        let (code, out) = run(&[command_line], "x.jsonl.zst");
        assert!(code == Some(2) && out.contains("unpack it first"), "{out}");
    }
}

#[test]
fn a_link_that_is_named_stands_for_what_it_leads_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, link) = (folder.path().join("far/x.jsonl"), folder.path().join("link.jsonl"));
    fs::create_dir(folder.path().join("far")).expect("made");
    fs::write(&file, "{\"session-id\":\"s\"}\n{\"session-id\":\"t\"}\n").expect("written");
    std::os::unix::fs::symlink(&file, &link).expect("linked");
    let run = |command_line: &str| {
        let args = [command_line, "--session", "s", "--from", link.to_str().expect("UTF-8")];
        said(&command(folder.path()).args(args).output().expect("runs"))
    };
    assert_eq!(run("export").1.lines().count(), 1);
    let (code, out) = run("forget");
    assert!(code == Some(0) && out.contains("1 line removed") && out.contains("far/x.jsonl"), "{out}");
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&file).expect("readable"), "{\"session-id\":\"t\"}\n");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_given_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = folder.path().join("address");
    // Nothing listens there.
    fs::write(&address, "postgres://u@127.0.0.1:1/db").expect("written");
    let database = format!("[sinks.db]\ntype = \"postgres\"\nurl = \"file:{}\"\n", address.display());
    let text = database + &settings(folder.path(), "");
    let program = Program::with_settings(&text, &["serve", "--retain", "30"]);
    assert_eq!(program.client("c1").batch(1, &events(20))[0]["seq"], 60);
    let holds = |output: &Output, lines: usize| {
        assert_eq!(output.status.code(), Some(4));
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), lines);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("not given out, for it could not be read: sink db: cannot connect"), "{told}");
    };
    holds(&program.command(&["export", "--user", "user-2"]), 20);
    program.signal("TERM");
    program.wait();
    // Another user's home, where the same settings are.
    let config = folder.path().join("config.toml");
    fs::write(&config, &text).expect("written");
    let config = config.to_str().expect("text");
    let home = tempfile::tempdir().expect("a folder");
    let run = command(home.path()).args(["export", "--user", "user-2", "--config", config]).output();
    // And the summary of their session.
    holds(&run.expect("runs"), 21);
}

#[test]
fn the_socket_is_its_users_alone_and_leaves_with_the_program() {
    let program = Program::start(&["serve"]);
    let folder = program.state().join("run");
    let socket = folder.join(format!("{}.sock", program.pid()));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&socket)), (0o700, 0o600));
    // One of a process that was killed is no obstacle, and leaves.
    let old = folder.join("999999999.sock");
    drop(std::os::unix::net::UnixListener::bind(&old).expect("bound"));
    assert_eq!(said(&program.command(&["forget", "--user", "nobody"])).0, Some(1));
    assert!(!old.exists());
    program.signal("TERM");
    program.wait();
    assert!(!socket.exists());
}

#[test]
fn events_leave_memory_by_age() {
    let program = Program::start(&["serve", "--retain-for", "100ms"]);
    program.post(&events(10));
    let start = Instant::now();
    loop {
        let health = program.health();
        if number(&health, "/ring/live") == 0 {
            assert_eq!(number(&health, "/ring/evicted_for/age"), 30);
            assert_eq!(number(&health, "/ring/evicted"), 30);
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{health}");
        std::thread::yield_now();
    }
}
