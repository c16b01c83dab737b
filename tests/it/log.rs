//! What taillight says of itself: on standard error without a dashboard, and in its log file.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::harness::{Program, command};

/// The log once it says `text`.
fn log_with(path: &Path, text: &str) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let log = fs::read_to_string(path).expect("the log is there");
        if log.contains(text) {
            return log;
        }
        assert!(Instant::now() < end, "no {text:?} in\n{log}");
        std::thread::yield_now();
    }
}

#[test]
fn a_page_that_is_refused_is_told_where_its_developer_looks() {
    let program = Program::start(&["tail"]);
    for _ in 0..3 {
        program.request("POST", "/v1/events", &[("Origin", "https://shop.example")], "{}");
    }
    let said = program.complaint();
    assert!(said.starts_with("taillight: refused"), "{said}");
    assert!(
        said.contains("origin `https://shop.example` is not allowed; `--allow-origin https://shop.example`"),
        "{said}"
    );
    program.request("POST", "/v1/events", &[("Content-Type", "text/html")], "{}");
    let said = program.complaint();
    let expected = "taillight: not understood, from POST: send events as application/json, application/x-ndjson or text/plain";
    assert_eq!(said, expected);
    assert_eq!(program.health()["frames"]["broken"], 1, "what is not taken is counted");
}

#[test]
fn the_log_file_tells_the_course_of_things_and_is_its_users_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.log");
    let name = path.to_string_lossy();
    let program = Program::start(&["serve", "--log-file", &name]);
    log_with(&path, &format!("listens on http://127.0.0.1:{}\n", program.port));
    let hostile = "https://x.example/\u{9b}31m";
    program.raw(
        format!("POST /v1/events HTTP/1.1\r\nHost: evil.example\r\nOrigin: {hostile}\r\n\r\n").as_bytes(),
    );
    log_with(
        &path,
        " warn refused: host `evil.example` is not local; `--allow-host evil.example` lets it in\n",
    );
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(143));
    let log = log_with(&path, "taillight ends\n");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "{log:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_cannot_be_written_is_told_before_any_page_comes() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("folder");
    fs::create_dir(&folder).expect("made");
    let folder = folder.to_string_lossy();
    let cases = [
        ["--record", "/", "cannot record in `/`: file is the name of a file, which `/` is not"],
        ["--record", &folder, "cannot record in `"],
        ["--record", "/proc/no/such", "cannot record in `/proc/no/such`: cannot make the folder /proc/no"],
        ["--log-file", &folder, "cannot write the log file `"],
        ["--config", "/", "cannot read the settings file `/`: "],
    ];
    for [option, value, expected] in cases {
        for listening in ["serve", "tail"] {
            let output =
                command(home.path()).args([listening, "--port", "0", option, value]).output().expect("runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(4), "{option} {value}: {said}");
            assert!(said.starts_with(&format!("taillight: {expected}")), "{option} {value}: {said}");
        }
    }
}

#[test]
fn a_sink_that_cannot_deliver_says_so_while_it_runs() {
    let program = Program::with_settings("[sinks.file]\nfile = \"/proc/no/such/events.jsonl\"\n", &["tail"]);
    program.post(r#"{"type":"log"}"#);
    let said = program.complaint();
    assert!(
        said.starts_with("taillight: sink file does not deliver and tries again: cannot make the folder"),
        "{said}"
    );
}
