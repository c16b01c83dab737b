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
