//! The program at its bounds: what it does there, and that it counts it.
//!
//! Bounds of connections and messages are in `ingest` and `storm`, those of sinks in `sinks`.

use serde_json::Value;

use crate::harness::{command, get_from, post_to};
use crate::pty::Terminal;
use crate::sinks::Disk;

fn health(port: u16) -> Value {
    serde_json::from_str(&get_from(port, "/healthz")).expect("one line of JSON")
}

#[test]
fn a_frame_too_large_for_one_write_is_shown_in_parts_and_counted() {
    // More than 256 KiB of letters, once the details are below the list, which has the whole width then.
    let (width, height) = (1_400, 200);
    let (mut terminal, port) = Terminal::console_with(&[], width, height);
    let long = "x".repeat(usize::from(width));
    let events: Vec<String> = (0..height)
        .map(|number| format!(r#"{{"type":"log","level":"info","message":"row {number} {long}"}}"#))
        .collect();
    post_to(port, &format!("[{}]", events.join(",")));
    terminal.wait("rows", |screen| screen.contains(" row "));
    terminal.press("d");
    terminal.wait("every row", |screen| (190..=200).contains(&screen.matches(" row ").count()));
    terminal.press("6");
    terminal.wait("the count", |screen| screen.contains("frames skipped "));
    assert!(health(port)["screen"]["frames_skipped"].as_u64() > Some(0));
    let metrics = get_from(port, "/metrics");
    assert!(!metrics.contains("taillight_screen_frames_skipped_total 0"), "{metrics}");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn what_is_too_deep_is_kept_to_the_byte_shown_as_text_found_and_counted() {
    let (mut terminal, port) = Terminal::console_with(&[], 140, 120);
    let deep = format!("{}{{\"x\" : [1,\"needle\"]}}{}", "{\"in\":".repeat(20), "}".repeat(20));
    let event = format!(r#"{{"type":"log","level":"warn","message":"deep one","deep":{deep}}}"#);
    post_to(port, &event);
    post_to(port, r#"{"type":"log","level":"info","message":"a flat one","list":[{"a":[1,2,3]}]}"#);
    terminal.wait("both", |screen| screen.contains("deep one") && screen.contains("a flat one"));
    terminal.press("/needle\r");
    terminal.wait("the deep one alone", |screen| screen.contains("1 of 2") && !screen.contains("a flat one"));
    terminal.press("k");
    // The sixteenth level holds the rest as it was written.
    let rest = format!("\"in\": {}", &deep[6 * 15..deep.len() - 15]);
    terminal.wait("the rest on one line", |screen| screen.contains(&rest));
    terminal.press("\u{1b}6");
    terminal.wait("the count", |screen| screen.contains("1 flattened"));
    assert_eq!(health(port)["scrubbed"]["flattened"], 1);
    assert!(get_from(port, "/metrics").contains("taillight_events_flattened_total 1\n"));
    terminal.press("1e");
    terminal.wait("the question", |screen| screen.contains("the 1 event shown"));
    terminal.press("\u{15}out.jsonl\r");
    terminal.wait("the answer", |screen| screen.contains("wrote 1 event"));
    let written = std::fs::read_to_string(terminal.path("out.jsonl")).expect("written");
    assert!(written.contains(&deep), "{written}");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

/// Events as lines, each a little over a kilobyte.
fn lines(count: usize) -> String {
    let long = "x".repeat(1_024);
    (0..count).map(|number| format!("{{\"type\":\"log\",\"message\":\"m{number} {long}\"}}\n")).collect()
}

#[test]
fn an_export_stops_before_its_disk_is_full_and_what_there_is_can_be_read() {
    let (home, small) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let Some(_disk) = Disk::of(small.path(), "size=1m") else { return };
    let (from, to) = (home.path().join("all.jsonl"), small.path().join("out.jsonl"));
    std::fs::write(&from, lines(2_000)).expect("written");
    let export = |to: &std::path::Path| {
        command(home.path()).args(["export", "--from"]).arg(&from).arg("-o").arg(to).output().expect("runs")
    };
    let stopped = export(&to);
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(4), "{said}");
    assert!(
        said.contains("was not written, for an export takes at most nine tenths of what is free"),
        "{said}"
    );
    let part = small.path().join("out.jsonl.partial");
    let size = std::fs::metadata(&part).expect("kept").len();
    assert!((700 << 10..950 << 10).contains(&size), "{size}");
    let kept = command(home.path()).args(["stats", "--json", "--from"]).arg(&part).output().expect("runs");
    let kept: Value = serde_json::from_slice(&kept.stdout).expect("JSON");
    assert!(said.contains(&format!("The first {} events are in", kept["events"])), "{said}");
    assert!(!to.exists() && std::fs::read_dir(small.path()).expect("readable").count() == 1);
    std::fs::remove_file(part).expect("removed");

    let (mut terminal, port) = Terminal::console_with(&[], 160, 24);
    post_to(port, &lines(500));
    post_to(port, &lines(700));
    terminal.wait("all", |screen| screen.contains("1,200 events"));
    terminal.press("e");
    terminal.wait("the question", |screen| screen.contains("the 1,200 events shown"));
    terminal.press(&format!("\u{15}{}", to.display()));
    terminal.wait("the path is looked at", |screen| screen.contains("new file, folder writable"));
    terminal.press("\r");
    terminal.wait("the answer", |screen| screen.contains("an export takes at most nine tenths"));
    assert!(small.path().join("out.jsonl.partial").exists());
    assert_eq!(health(port)["export"]["stopped"], 1);
    assert!(get_from(port, "/metrics").contains("taillight_export_stopped_total 1\n"));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}
