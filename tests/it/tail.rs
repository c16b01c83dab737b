//! `tail`: what an event becomes in print, and how the command ends.

use std::process::Stdio;

use crate::harness::{Program, command};

#[test]
fn an_event_gets_the_columns_of_the_contract() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.client("c1");
    socket.batch(
        1,
        r#"[{"type":"metric","subtype":"api-call","url":"http://localhost:5173/api/users/42?x=1","method":"get","status":404,"durationMs":61.5,"timestamp":1704067202000},
            {"type":"error","subtype":"network","url":"https://api.example.com/data","method":"GET","message":"Failed to fetch","response-time-ms":3421,"session-id":"other"},
            {"type":"log","level":"warning","message":"w","id":":app/login","context":{"user-id":7}},
            {"type":"analytics","subtype":"user-action","action":"click","element-id":"save-button"},
            {"subtype":"custom","timestamp":12}]"#,
    );
    let api = program.event();
    assert_eq!(api["inst"], "2024-01-01T00:00:02.000Z");
    assert_eq!(api["id"], "browser/api-call");
    assert_eq!(api["level"], "info");
    assert_eq!(api["endpoint"], "GET /api/users/:id");
    assert_eq!(api["msg"], "GET /api/users/:id 404 in 61.5 ms");
    assert_eq!((&api["duration"], &api["status"]), (&61.5.into(), &404.into()));
    assert_eq!(
        (&api["session"], &api["user"], &api["tab"], &api["load"]),
        (&"sess-1".into(), &"user-9".into(), &"tab-1".into(), &3.into())
    );
    assert!(api["group"].is_string(), "a failed request is in a group");
    assert_eq!(api["data"]["browser-timestamp"], 1_704_067_202_000_u64);
    let network = program.event();
    assert_eq!(
        (&network["level"], &network["endpoint"]),
        (&"error".into(), &"GET api.example.com/data".into())
    );
    assert_eq!((&network["session"], &network["msg"]), (&"other".into(), &"Failed to fetch".into()));
    let log = program.event();
    assert_eq!((&log["id"], &log["level"], &log["user"]), (&"app/login".into(), &"warn".into(), &"7".into()));
    let click = program.event();
    assert_eq!((&click["level"], &click["msg"]), (&"debug".into(), &"click #save-button".into()));
    let odd = program.event();
    assert_eq!(odd["inst"], odd["recv"], "a time before 2000 is absurd");
    assert_eq!(odd["id"], "browser/custom");
}

#[test]
fn an_error_that_no_map_places_is_told_with_the_first_line_of_the_pages_own() {
    let program = Program::start(&["tail", "--color", "never"]);
    program.post(
        r#"{"type":"error","name":"TypeError","message":"no","stack":"TypeError: no\n at a (http://h/node_modules/r.js:1:2)\n at b (http://h/src/A.tsx:42:15)"}"#,
    );
    let line = program.line();
    assert!(line.ends_with("TypeError: no  http://h/src/A.tsx:42"), "{line}");
}

#[test]
fn it_ends_after_so_many_events() {
    let program = Program::start(&["tail", "-n", "2"]);
    program
        .post(r#"[{"type":"log","message":"a"},{"type":"log","message":"b"},{"type":"log","message":"c"}]"#);
    assert!(program.line().ends_with("a"));
    assert!(program.line().ends_with("b"));
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn it_ends_after_a_time_with_one_if_nothing_came() {
    assert_eq!(Program::start(&["tail", "--for", "50ms"]).wait().code(), Some(1));
}

#[test]
fn signals_end_it_with_their_codes() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let program = Program::start(&["tail"]);
        program.post(r#"{"type":"log","message":"seen"}"#);
        assert!(program.line().ends_with("seen"));
        program.signal(name);
        assert_eq!(program.wait().code(), Some(code), "{name}");
    }
}

#[test]
fn nothing_raw_reaches_the_terminal() {
    let program = Program::start(&["tail", "--color", "never"]);
    program.post(r#"{"type":"log","message":"a\u001b[31mred\u202e\u0007\nfake"}"#);
    let line = program.line();
    assert!(line.contains("red") && line.contains("fake"), "{line}");
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
}

#[test]
fn a_taken_port_says_who_holds_it_and_what_to_do() {
    let program = Program::start(&["serve"]);
    let home = tempfile::tempdir().expect("a folder");
    let output = command(home.path())
        .args(["serve", "--port", &program.port.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).expect("text");
    for part in [&program.port.to_string(), "--port 0", &format!("taillight (pid {})", program.pid())] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_wrong_option_is_named_with_exit_code_two() {
    let home = tempfile::tempdir().expect("a folder");
    let output = command(home.path()).args(["tail", "--colour", "red"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--colour"));
}

#[test]
fn a_filter_narrows_what_is_printed() {
    let program = Program::start(&["tail", "--format", "jsonl", "-f", "status>=500 or level>=error"]);
    program.post(
        r#"[{"type":"log","message":"calm"},{"type":"metric","subtype":"api-call","url":"/a","status":503},{"type":"error","message":"boom"}]"#,
    );
    assert_eq!(program.event()["status"], 503);
    assert_eq!(program.event()["msg"], "boom");
    let leaving_out = Program::start(&["tail", "-f", "-calm"]);
    leaving_out.post(r#"[{"type":"log","message":"calm"},{"type":"log","message":"loud"}]"#);
    assert!(leaving_out.line().ends_with("loud"));
}

#[test]
fn since_reload_is_the_newest_load_of_each_tab() {
    let program = Program::start(&["tail", "--format", "jsonl", "-f", "since:reload"]);
    let event = |load: i32, message: &str| {
        format!(r#"{{"type":"log","message":"{message}","session-id":"s","tab":"t","load":{load}}}"#)
    };
    program.post(&event(2, "second"));
    program.post(&event(1, "late from the first"));
    program.post(&event(3, "third"));
    assert_eq!(program.event()["msg"], "second");
    assert_eq!(program.event()["msg"], "third");
}

#[test]
fn it_can_wait_for_an_event_and_says_when_it_did_not_come() {
    let program = Program::start(&["tail", "--exit-on", "level>=error"]);
    program.post(r#"[{"type":"log","message":"before"},{"type":"error","message":"it"},{"type":"log","message":"after"}]"#);
    assert!(program.line().ends_with("before"));
    assert!(program.line().ends_with("it"));
    assert_eq!(program.wait().code(), Some(0));
    let waiting = Program::start(&["tail", "--exit-on", "level>=error", "--for", "300ms"]);
    waiting.post(r#"{"type":"log","message":"calm"}"#);
    assert_eq!(waiting.wait().code(), Some(124));
    // Within a number of events, too: the second of them is what is waited for, or nothing is.
    for (second, code) in [("error", 0), ("log", 124)] {
        let counted = Program::start(&["tail", "--exit-on", "level>=error", "-n", "2"]);
        counted.post(&format!(r#"[{{"type":"log"}},{{"type":"{second}"}},{{"type":"error"}}]"#));
        assert_eq!(counted.wait().code(), Some(code), "{second}");
    }
}

#[test]
fn check_says_how_a_filter_reads() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |args: &[&str]| {
        let output = command(home.path()).args(args).output().expect("runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    assert_eq!(
        run(&["check", "status:5xx -url:/health"]),
        (Some(0), "status = 5xx AND NOT url contains /health\n".into())
    );
    let (code, line) = run(&["check", "--json", "--typing", "status>=500 o"]);
    let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (code, &object["state"], &object["applied"]),
        (Some(0), &"hold".into(), &"status >= 500".into())
    );
    let (code, line) = run(&["check", "--json", "status=>400"]);
    let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (code, &object["ok"], &object["code"], &object["col"]),
        (Some(2), &false.into(), &"E-OP".into(), &7.into())
    );
}
