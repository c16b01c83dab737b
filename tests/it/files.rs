//! Recorded files: read plain, packed and damaged, written back, summed up.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Program, command};

const PLAIN_ZST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/plain.jsonl.zst");

/// A folder that is home and working directory of the commands run in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).expect("writable");
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("readable")
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, b"")
    }

    fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = command(self.path())
            .current_dir(self.path())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that reads no input may be gone before it was given any.
        let _ = child.stdin.take().expect("piped").write_all(input);
        child.wait_with_output().expect("ends")
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// What `tail --format jsonl` prints of some events of a page, and of one posted by hand.
fn recorded() -> String {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.client("c1");
    socket.batch(
        1,
        r#"[{"type":"metric","subtype":"api-call","url":"http://localhost:5173/api/users/42?x=1","method":"get","status":404,"durationMs":61.537,"timestamp":1704067202000},
            {"type":"error","subtype":"network","url":"https://api.example.com/data","severity":"high","message":"a\u202eb\n","stack":"Error\n  at f (app.js:1:2)"},
            {"type":"log","level":"warning","message":"w","id":":app/login","ns":"app.sub","context":{"user-id":7,"password":"p"}},
            {"source":null,"timestamp":12,"n":1e400,"deep":[[[{"a":"\u007f"}]]]},
            5]"#,
    );
    program.post("{\n \"type\": \"log\",\n \"message\": \"over\\tlines\"\n}");
    (0..6).map(|_| program.line() + "\n").collect()
}

#[test]
fn what_tail_recorded_is_exported_byte_for_byte() {
    let folder = Folder::new();
    let recorded = recorded();
    folder.put("a.jsonl", &recorded);
    let printed = folder.run(&["export", "--from", "a.jsonl"]);
    assert_eq!(
        (out(&printed), said(&printed), printed.status.code()),
        (recorded.clone(), String::new(), Some(0))
    );
    let written = folder.run(&["export", "--from", "a.jsonl", "-o", "b.jsonl"]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    assert_eq!(said(&written), format!("wrote 6 events, {} bytes, to `b.jsonl`\n", recorded.len()));
    assert_eq!(folder.text("b.jsonl"), recorded);
    let both = folder.run_with(&["export", "--from", "b.jsonl", "-"], recorded.as_bytes());
    assert_eq!(out(&both), recorded.repeat(2));
}

#[test]
fn plain_events_are_read_as_posted_and_stay_the_same_from_then_on() {
    let folder = Folder::new();
    folder.put(
        "plain.jsonl",
        "{\"type\":\"log\",\"message\":\"hi\",\"token\":\"t\",\"timestamp\":1704067202000}\n",
    );
    let first = out(&folder.run(&["export", "--from", "plain.jsonl"]));
    let event: Value = serde_json::from_str(&first).expect("one line");
    assert_eq!((&event["inst"], &event["seq"]), (&json!("2024-01-01T00:00:02.000Z"), &json!(1)));
    assert_eq!((&event["source"], &event["data"]["token"]), (&json!("browser"), &json!("[redacted]")));
    assert_eq!(event.get("session"), None);
    assert_eq!(out(&folder.run_with(&["export", "--from", "-"], first.as_bytes())), first);
}

#[test]
fn broken_lines_are_skipped_and_named() {
    let folder = Folder::new();
    let long = "x".repeat(1024 * 1024 + 1);
    folder.put("a.jsonl", format!("{{}}\n{{\"a\":\n\n[1]\n\"{long}\"\n{{}}"));
    folder.put("b.jsonl", [&b"\xff\n"[..], &b"nonsense\n".repeat(11), b"{}"].concat());
    let output = folder.run(&["export", "--from", "a.jsonl", "--from", "b.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output).lines().count(), 3);
    let said = said(&output);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines[0],
        "taillight: `a.jsonl`: skipped 3 unreadable lines: 2 (not JSON), 4 (not an object), 5 (over 1 MiB)"
    );
    assert!(
        lines[1]
            .starts_with("taillight: `b.jsonl`: skipped 12 unreadable lines: 1 (not UTF-8), 2 (not JSON)")
    );
    assert!(lines[1].ends_with("10 (not JSON), …"), "{said}");
}

#[test]
fn packed_files_are_unpacked_by_their_names() {
    let folder = Folder::new();
    let zst = folder.run(&["export", "--from", PLAIN_ZST]);
    assert_eq!(out(&zst).lines().count(), 3);
    assert!(
        said(&zst).contains("plain.jsonl.zst`: skipped 1 unreadable line: 3 (not JSON)"),
        "{}",
        said(&zst)
    );
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&zst.stdout).expect("packed");
    let gz = packer.finish().expect("packed");
    folder.put("a.jsonl.gz", &gz);
    assert_eq!(out(&folder.run(&["export", "--from", "a.jsonl.gz"])), out(&zst));
    folder.put("torn.gz", &gz[..gz.len() / 2]);
    let whole = std::fs::read(PLAIN_ZST).expect("readable");
    folder.put("torn.zst", &whole[..whole.len() / 2]);
    for name in ["torn.gz", "torn.zst"] {
        let torn = folder.run(&["export", "--from", name]);
        assert_eq!(torn.status.code(), Some(4));
        assert!(said(&torn).contains(&format!("cannot read `{name}`: it is cut off")), "{}", said(&torn));
    }
}

#[test]
fn of_a_recording_that_is_cut_off_the_numbers_before_the_cut_are_told() {
    let folder = Folder::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    for number in 0..10_000 {
        writeln!(packer, "{{\"type\":\"log\",\"message\":\"{number}\"}}").expect("packed");
    }
    let whole = packer.finish().expect("packed");
    folder.put("torn.jsonl.gz", &whole[..whole.len() / 2]);
    let torn = folder.run(&["stats", "--from", "torn.jsonl.gz", "--json"]);
    assert_eq!(torn.status.code(), Some(4), "numbers of a part are not taken for all");
    let numbers: Value = serde_json::from_str(&out(&torn)).expect("JSON");
    let events = numbers["events"].as_u64().expect("a number");
    assert!((4_000..6_000).contains(&events), "{events}");
    assert!(said(&torn).contains("`torn.jsonl.gz`: it is cut off"), "{}", said(&torn));
    folder.put("none.jsonl.gz", &whole[..8]);
    let none = folder.run(&["stats", "--from", "none.jsonl.gz", "--json"]);
    assert_eq!((none.status.code(), out(&none)), (Some(4), String::new()));
}

#[test]
fn a_stream_is_unpacked_by_its_first_bytes() {
    let folder = Folder::new();
    let zst = std::fs::read(PLAIN_ZST).expect("readable");
    let plain = folder.run_with(&["export", "--from", "-"], &zst);
    assert_eq!(out(&plain).lines().count(), 3, "{}", said(&plain));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&plain.stdout).expect("packed");
    let gz = packer.finish().expect("packed");
    assert_eq!(out(&folder.run_with(&["export", "--from", "-"], &gz)), out(&plain));
    // Shorter than what tells the packings apart.
    assert_eq!(out(&folder.run_with(&["export", "--from", "-"], b"{}")).lines().count(), 1);
}

#[test]
fn an_export_is_not_called_packed_without_being_it() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n");
    for name in ["x.jsonl.gz", "x.jsonl.ZST"] {
        for force in [&[][..], &["--force"]] {
            let refused = folder.run(&[&["export", "--from", "a.jsonl", "-o", name][..], force].concat());
            let expected = format!(
                "taillight: `{name}` would not be packed: leave its ending out, and pack the file that is written\n"
            );
            assert_eq!((refused.status.code(), said(&refused)), (Some(2), expected));
        }
        assert!(!folder.path().join(name).exists());
    }
}

#[test]
fn what_the_settings_leave_out_is_left_out_unless_told_otherwise() {
    let folder = Folder::new();
    folder.put("c.toml", "[export]\nleave-out = [\"user-id\", \"session-id\"]\n");
    folder.put("a.jsonl", "{\"type\":\"log\",\"user-id\":\"u-1\",\"session-id\":\"s-1\"}\n");
    let export = |more: &[&str]| {
        let args = [&["export", "--from", "a.jsonl", "--config", "c.toml"][..], more].concat();
        out(&folder.run(&args))
    };
    let has = |text: &str| (text.contains("u-1"), text.contains("s-1"));
    assert_eq!(has(&export(&[])), (false, false));
    assert_eq!(has(&export(&["--leave-out", "session-id"])), (true, false));
    assert_eq!(has(&export(&["--leave-out", "nothing"])), (true, true));
    // Who asks for their own has all of it.
    assert_eq!(has(&export(&["--user", "u-1"])), (true, true));
    assert_eq!(has(&export(&["--user", "u-1", "--leave-out", "session-id"])), (true, false));
    folder.run(&["export", "--from", "a.jsonl", "--config", "c.toml", "-o", "b.jsonl"]);
    assert_eq!(has(&folder.text("b.jsonl")), (false, false));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_exit_code_four() {
    let folder = Folder::new();
    folder.put("fine.jsonl", "{}\n");
    for (name, why) in [("none.jsonl", "No such file"), (".", "directory")] {
        for command in ["export", "stats"] {
            let output = folder.run(&[command, "--from", "fine.jsonl", name]);
            assert_eq!(output.status.code(), Some(4));
            let said = said(&output);
            assert!(
                said.starts_with(&format!("taillight: cannot read `{name}`: ")) && said.contains(why),
                "{said}"
            );
        }
    }
    let output = folder.run(&["export", "--from", "fine.jsonl", "none.jsonl", "-o", "out.jsonl"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(!folder.path().join("out.jsonl").exists(), "half an export is none");
}

#[test]
fn an_existing_file_is_never_written_over() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n");
    let output = folder.run(&["export", "--from", "a.jsonl", "-o", "a.jsonl"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        said(&output),
        "taillight: `a.jsonl` exists already: choose another name, or write over it with `--force`\n"
    );
    assert_eq!(folder.text("a.jsonl"), "{}\n");
}

#[test]
fn exports_and_the_client_write_over_a_file_only_when_told_to() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n");
    for args in [&["client", "-o", "out"][..], &["export", "--from", "a.jsonl", "-o", "out"]] {
        folder.put("out", "mine");
        let refused = folder.run(args);
        assert_eq!((refused.status.code(), folder.text("out")), (Some(4), "mine".to_owned()), "{args:?}");
        assert!(said(&refused).contains("`out` exists already") && said(&refused).contains("--force"));
        let written = folder.run(&[args, &["--force"]].concat());
        assert_eq!(written.status.code(), Some(0), "{}", said(&written));
        assert_ne!(folder.text("out"), "mine", "{args:?}");
    }
    assert!(said(&folder.run(&["export", "--from", "a.jsonl", "-o", "b"])).starts_with("wrote 1 event, "));
}

#[test]
fn an_interrupted_export_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut child = command(folder.path())
        .current_dir(folder.path())
        .args(["export", "--from", "-", "-o", "out.jsonl"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).expect("readable").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"{}\n").expect("writable");
    while names().is_empty() {
        assert!(child.try_wait().expect("known").is_none(), "it waits for more input");
        std::thread::yield_now();
    }
    // Signals are listened for before there is a file.
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    assert_eq!(names(), Vec::<String>::new());
    drop(input);
}

#[test]
fn a_stream_is_filtered_as_the_file_would_be() {
    let folder = Folder::new();
    let line = |ms: u64, load: u64| {
        format!("{{\"type\":\"log\",\"message\":\"{load}\",\"load\":{load},\"timestamp\":{ms}}}\n")
    };
    let text = [line(1_704_067_200_000, 1), line(1_704_067_290_000, 1), line(1_704_067_300_000, 2)].concat();
    folder.put("a.jsonl", &text);
    for (filter, expected) in [("since:1m", 2), ("since:reload", 1), ("load:-1", 2), ("level:info", 3)] {
        let file = folder.run(&["export", "--from", "a.jsonl", "-f", filter]);
        let stream = folder.run_with(&["export", "--from", "-", "-f", filter], text.as_bytes());
        let messages = |output: &Output| -> Vec<Value> {
            let lines = out(output);
            lines
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["msg"].take())
                .collect()
        };
        assert_eq!(messages(&file).len(), expected, "{filter}");
        assert_eq!(messages(&stream), messages(&file), "{filter}");
    }
}

#[test]
fn assertions_decide_how_stats_end() {
    let folder = Folder::new();
    let run = |assertions: &[&str]| {
        let args = assertions.iter().flat_map(|text| ["--assert", text]);
        folder.run(&["stats", "--json", "--from", PLAIN_ZST].into_iter().chain(args).collect::<Vec<_>>())
    };
    let fine = run(&["p50(GET /api/users/:id) < 100ms", "errors(GET *) <= 1"]);
    assert_eq!((fine.status.code(), said(&fine).lines().count()), (Some(0), 1), "{}", said(&fine));
    let broken = run(&["count(GET *) = 2", "max(GET /api/users/:id) < 300ms", "errors(GET *) = 0"]);
    assert_eq!(broken.status.code(), Some(1));
    let lines = said(&broken);
    let failed: Vec<_> = lines.lines().filter(|line| line.contains("assertion")).collect();
    assert_eq!(
        failed,
        [
            "taillight: assertion failed: max(GET /api/users/:id) < 300ms: GET localhost:5173/api/users/:id has 900 ms over 2 requests",
            "taillight: assertion failed: errors(GET *) = 0: GET localhost:5173/api/users/:id has 1 of 2",
        ]
    );
    assert!(serde_json::from_slice::<Value>(&broken.stdout).is_ok(), "the report is whole all the same");
    let mistaken = run(&["p99(GET /a) <> 3ms"]);
    assert_eq!(mistaken.status.code(), Some(2));
    assert_eq!(
        said(&mistaken),
        "taillight: assert: compare with < <= > >= = or !=, like p99(GET /api/users) < 300ms\n    \
         p99(GET /a) <> 3ms\n                ^~\n"
    );
}

#[test]
fn nothing_is_exit_code_one_and_no_file() {
    let folder = Folder::new();
    for args in [
        &["export", "--from", "-"][..],
        &["export", "--from", "-", "-o", "out.jsonl"],
        &["stats", "--from", "-"],
        &["stats", "--from", "-", "--json"],
    ] {
        assert_eq!(folder.run(args).status.code(), Some(1), "{args:?}");
    }
    assert!(!folder.path().join("out.jsonl").exists());
}

#[test]
fn nothing_takes_the_place_of_what_is_no_file() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n");
    folder.put("old.jsonl", "old");
    std::fs::create_dir(folder.path().join("folder")).expect("made");
    std::os::unix::fs::symlink("/dev/null", folder.path().join("link")).expect("linked");
    for name in ["folder", "link", "/dev/null"] {
        for force in [&[][..], &["--force"]] {
            let output = folder.run(&[&["export", "--from", "a.jsonl", "-o", name][..], force].concat());
            let expected = format!(
                "taillight: `{name}` is no file that another could take the place of: choose another name\n"
            );
            assert_eq!((output.status.code(), said(&output)), (Some(4), expected), "{force:?}");
        }
    }
    let output = folder.run(&["export", "--from", "a.jsonl", "-o", "old.jsonl", "--force"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(folder.text("old.jsonl").starts_with("{\"inst\""));
    let output = folder.run(&["client", "-o", "no/such/client.js"]);
    let expected = "taillight: cannot write `no/such/client.js`: No such file or directory (os error 2)\n";
    assert_eq!((output.status.code(), said(&output)), (Some(4), expected.to_owned()));
}

#[test]
fn the_client_is_written_as_its_file_is_called() {
    let folder = Folder::new();
    for (name, has) in [
        ("a.js", "})(self);"),
        ("a.mjs", "export const"),
        ("a.d.ts", "export function init("),
        ("a.d.mts", "export function init("),
    ] {
        assert_eq!(folder.run(&["client", "-o", name]).status.code(), Some(0), "{name}");
        assert!(folder.text(name).contains(has), "{name}");
    }
}

#[test]
fn a_full_standard_output_is_named() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n".repeat(2_000));
    for args in [
        &["export", "--from", "a.jsonl"][..],
        &["stats", "--from", "a.jsonl"],
        &["man"],
        &["--help"],
        &["-V"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there");
        let output =
            command(folder.path()).current_dir(folder.path()).args(args).stdout(full).output().expect("runs");
        let expected = "taillight: cannot write to standard output: No space left on device (os error 28)\n";
        assert_eq!((output.status.code(), said(&output)), (Some(4), expected.to_owned()), "{args:?}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = Folder::new();
    folder.put("a.jsonl", "{}\n".repeat(20_000));
    let mut child = command(folder.path())
        .current_dir(folder.path())
        .args(["export", "--from", "a.jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!((said(&output), output.status.code()), (String::new(), Some(0)));
}

#[test]
fn stats_are_the_object_of_the_contract() {
    let folder = Folder::new();
    let output = folder.run(&["stats", "--json", "--from", PLAIN_ZST]);
    let mut stats: Value = serde_json::from_str(&out(&output)).expect("one object");
    let groups = stats["groups"].take();
    assert_eq!(
        stats,
        json!({
            "events": 3,
            "levels": {"info": 2, "error": 1},
            "ids": {"browser/api-call": 2, "browser/javascript": 1},
            "endpoints": [{"endpoint": "GET localhost:5173/api/users/:id", "count": 2, "errors": 1, "p50": 61.695,
                "p90": 900, "p95": 900, "p99": 900, "p999": 900, "max": 900, "mean": 480.75}],
            "groups": null,
            "sessions": [
                {"session": "s-1", "user": "ada", "events": 2, "errors": 1,
                 "first": "2024-01-01T00:00:02.000Z", "last": "2024-01-01T00:00:03.000Z"},
                {"session": "s-2", "user": null, "events": 1, "errors": 1,
                 "first": "2024-01-01T00:00:04.000Z", "last": "2024-01-01T00:00:04.000Z"}],
            "time": {"first": "2024-01-01T00:00:02.000Z", "last": "2024-01-01T00:00:04.000Z"},
        })
    );
    let keys = ["group", "message", "count", "sessions", "first", "last"];
    let groups = groups.as_array().expect("a list");
    assert_eq!(groups.len(), 2);
    for group in groups {
        assert!(group.as_object().is_some_and(|group| group.len() == keys.len()), "{group}");
        assert!(keys.iter().all(|key| !group[key].is_null()), "{group}");
        assert_eq!(group["group"].as_str().map(str::len), Some(16));
    }
    let exported = out(&folder.run(&["export", "--from", PLAIN_ZST]));
    let again = folder.run_with(&["stats", "--json", "--from", "-"], exported.as_bytes());
    assert_eq!(out(&again), out(&output), "the export of a file says the same as the file");
}

#[test]
fn stats_for_people_are_aligned() {
    let folder = Folder::new();
    let text = out(&folder.run(&["stats", "--from", PLAIN_ZST]));
    for line in [
        "3 events from 2024-01-01T00:00:02.000Z to 2024-01-01T00:00:04.000Z",
        "     2  browser/api-call",
        "       2       1  61.695  900  900  ~900   ~900  900  480.75  GET localhost:5173/api/users/:id",
        "~ of fewer than 100 requests for p99, 1000 for p99.9: little more than their slowest",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} in\n{text}");
    }
}
