//! Events in: what is acked is stored once, what is wrong costs itself only, and the books balance throughout.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::harness::Program;

/// The two sums that must hold at every moment.
fn check_books(health: &Value) {
    let number = |path: &str| {
        health.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {health}"))
    };
    let rejected: u64 =
        health["ingest"]["rejected"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
    let taken = number("/ingest/accepted") + number("/ingest/duplicate") + rejected;
    assert_eq!(number("/ingest/received"), taken, "{health}");
    let kept = number("/ring/live") + number("/ring/evicted");
    assert_eq!(number("/ingest/accepted") + number("/ring/own"), kept, "{health}");
}

fn books(program: &Program) -> (u64, u64, u64) {
    let health = program.health();
    check_books(&health);
    let ingest = |name: &str| health["ingest"][name].as_u64().expect("a number");
    (ingest("received"), ingest("accepted"), ingest("duplicate"))
}

#[test]
fn a_batch_is_acked_and_a_repeat_is_a_duplicate() {
    let program = Program::start(&["serve"]);
    let mut socket = program.client("c1");
    let events = r#"[{"type":"log","message":"a"},{"type":"log","message":"b"}]"#;
    assert_eq!(socket.batch(1, events), [serde_json::json!({"t":"ack","seq":2})]);
    assert_eq!(socket.batch(1, events), [serde_json::json!({"t":"ack","seq":2})]);
    assert_eq!(books(&program), (4, 2, 2));
}

#[test]
fn a_new_connection_of_the_same_page_is_told_what_was_taken() {
    let program = Program::start(&["serve"]);
    program.client("c1").batch(1, r#"[{"type":"log"},{"type":"log"}]"#);
    let mut again = program.socket();
    assert_eq!(again.hello("c1", 1)["acked"], 2);
    assert_eq!(again.hello("c1", 9)["acked"], 8, "what the page no longer has will never come");
}

#[test]
fn an_urgent_event_may_overtake_and_is_acked_when_the_numbers_meet() {
    let program = Program::start(&["serve"]);
    let mut socket = program.client("c1");
    socket.send(r#"{"t":"urgent","seq":3,"events":[{"type":"error","message":"now"}]}"#);
    assert_eq!(socket.receive()["seq"], 0);
    assert_eq!(socket.batch(1, r#"[{"type":"log"},{"type":"log"}]"#)[0]["seq"], 3);
    socket.send(r#"{"t":"gap","from":4,"to":10,"count":7,"reason":"buffer full"}"#);
    assert_eq!(socket.receive()["seq"], 10);
    let health = program.health();
    check_books(&health);
    assert_eq!((&health["ring"]["own"], &health["client"]["gap_events"]), (&1.into(), &7.into()));
}

#[test]
fn what_a_page_left_behind_is_posted_and_each_missing_number_counts_once() {
    let program = Program::start(&["serve"]);
    let batch =
        r#"{"t":"batch","client":"c1","session":"s1","seq":1,"events":[{"type":"log"},{"type":"log"}]}"#;
    let gap = |from, to, count| {
        format!(
            r#"{{"t":"gap","client":"c1","session":"s1","from":{from},"to":{to},"count":{count},"reason":"full"}}"#
        )
    };
    for body in [batch, &gap(3, 6, 4), batch, &gap(3, 6, 4), &gap(5, 9, 5)] {
        assert_eq!(program.post(body).status, 202, "{body}");
    }
    assert_eq!(program.socket().hello("c1", 1)["acked"], 9);
    let health = program.health();
    check_books(&health);
    assert_eq!(
        (&health["ring"]["own"], &health["client"]["gaps"], &health["client"]["gap_events"]),
        (&2.into(), &2.into(), &7.into())
    );
    assert_eq!((&health["ingest"]["accepted"], &health["ingest"]["duplicate"]), (&2.into(), &2.into()));
    let nameless = program.post(r#"{"t":"gap","from":1,"to":2}"#);
    assert_eq!(nameless.status, 202, "an event like any other");
    assert_eq!(program.post(r#"{"t":"gap","client":"c1","from":9,"to":3}"#).status, 400);
}

#[test]
fn one_bad_event_costs_only_itself() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.client("c1");
    let events = r#"[{"type":"log","message":"one"},17,{"type":"log","message":"\ud800 three"},{"type":["log"],"message":{"a":1}},{"message":1e400}]"#;
    let answers = socket.batch(1, events);
    assert_eq!(
        answers[0],
        serde_json::json!({"t":"nack","seq":1,"rejected":[{"index":1,"reason":"not an object"}]})
    );
    assert_eq!(answers[1]["seq"], 5, "a refused event's number is used up");
    let printed: Vec<Value> = (0..4).map(|_| program.event()).collect();
    let last = program.line();
    assert_eq!(printed[0]["msg"], "one");
    assert_eq!(
        (&printed[1]["id"], &printed[1]["data"]["raw"]),
        (&"taillight/bad-event".into(), &"17".into())
    );
    assert_eq!(printed[2]["msg"], "\u{fffd} three");
    assert_eq!(printed[3]["data"]["type"][0], "log", "a field of another type stays in the data");
    assert!(
        last.contains(r#""data":{"message":1e400,"#),
        "a number no column can hold stays as written: {last}"
    );
    assert_eq!(books(&program), (5, 4, 0));
}

#[test]
fn a_raw_control_character_costs_nothing() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.client("c1");
    let events =
        "[{\"message\":\"one\"},{\"message\":\"a\tb\u{1b}[2J\",\"list\":[\"}\n\"]},{\"message\":\"three\"}]";
    assert_eq!(socket.batch(1, events)[0]["seq"], 3);
    let printed: Vec<Value> = (0..3).map(|_| program.event()).collect();
    assert_eq!((&printed[0]["msg"], &printed[2]["msg"]), (&"one".into(), &"three".into()));
    assert_eq!(
        (&printed[1]["msg"], &printed[1]["data"]["list"][0]),
        (&"a\tb\u{1b}[2J".into(), &"}\n".into())
    );
    assert_eq!(program.health()["scrubbed"]["repaired"], 1);
    assert!(socket.batch(4, "[{\"message\":\"a\tb\"},{\"message\":\"b\t\",}]")[0]["t"] != "ack");
}

#[test]
fn what_is_kept_of_unreadable_events_holds_no_secret() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.client("c1");
    socket.batch(1, r#"[["password","hunter2"],"Bearer hunter2"]"#);
    program.post("{\"password\":\"hun\"ter2\",\"a\":1}\n{\"type\":\"log\"}\n");
    let kept: Vec<Value> = (0..3).map(|_| program.event()).collect();
    for (event, raw) in kept.iter().zip([
        r#"["password","[redacted]"]"#,
        r#""Bearer [redacted]""#,
        r#"{"password":"[redacted]","a":1}"#,
    ]) {
        assert_eq!((&event["id"], &event["data"]["raw"]), (&"taillight/bad-event".into(), &raw.into()));
        assert!(!event.to_string().contains("ter2"), "{event}");
    }
}

#[test]
fn a_broken_frame_ends_its_own_connection_and_is_counted() {
    let program = Program::start(&["serve"]);
    let mut other = program.client("other");
    for (nth, bytes) in [
        // Not masked; a reserved bit; two opcodes that mean nothing; a piece of a message that never began.
        &[0x81, 2, b'h', b'i'][..],
        &[0xc1, 0x80, 0, 0, 0, 0],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x8b, 0x80, 0, 0, 0, 0],
        &[0x80, 0x80, 0, 0, 0, 0],
    ]
    .into_iter()
    .enumerate()
    {
        let mut socket = program.client(&format!("broken-{nth}"));
        std::io::Write::write_all(socket.0.get_mut(), bytes).expect("sent");
        assert_eq!(socket.close_code(), Some(1002), "{bytes:?}");
        let health = program.health();
        assert_eq!(health["closed"]["protocol"], nth as u64 + 1);
        assert_eq!(health["frames"]["broken"], nth as u64 + 1);
    }
    let mut cut_off = program.client("cut-off");
    std::io::Write::write_all(cut_off.0.get_mut(), &[0x81, 0xfe, 0x10, 0, 1, 2, 3, 4, b'x']).expect("sent");
    cut_off.0.get_mut().shutdown(std::net::Shutdown::Write).expect("half closed");
    while cut_off.0.read().is_ok() {}
    let health = program.health();
    assert_eq!((&health["closed"]["protocol"], &health["frames"]["broken"]), (&5.into(), &6.into()));
    drop(program.client("gone"));
    assert_eq!(other.batch(1, r#"[{"type":"log"}]"#)[0]["seq"], 1, "the others are served as before");
    assert_eq!(program.health()["frames"]["broken"], 6, "a page that is gone broke nothing");
}

#[test]
fn a_close_is_answered_with_its_code() {
    let program = Program::start(&["serve"]);
    for code in [1000, 4999] {
        let mut socket = program.client("leaving");
        let frame = CloseFrame { code: code.into(), reason: "bye".into() };
        socket.0.close(Some(frame)).expect("sent");
        assert_eq!(socket.close_code(), Some(code));
    }
    let mut socket = program.client("leaving");
    socket.0.close(None).expect("sent");
    assert!(matches!(socket.0.read(), Ok(Message::Close(None))));
}

#[test]
fn a_hello_with_members_of_other_types_costs_no_event() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = program.socket();
    socket.send(r#"{"t":"hello","v":1,"client":"c1","session":["x"],"user":42,"tab":7,"load":"no","page":null,"next":"1"}"#);
    assert_eq!(socket.receive()["t"], "welcome");
    assert_eq!(socket.batch(1, r#"[{"type":"log","message":"kept"}]"#)[0]["seq"], 1);
    let event = program.event();
    assert_eq!(
        (&event["user"], &event["tab"], &event["session"]),
        (&"42".into(), &"7".into(), &"conn-1".into())
    );
    for (frame, told) in [
        (r#"{"t":"gap"}"#, "`gap` needs `from`, a whole number; numbers count from 1 and rise"),
        (r#"{"t":"gap","from":9,"to":3}"#, "`gap` needs `to`, a whole number; numbers count from 1 and rise"),
        (
            r#"{"t":"batch","seq":0,"events":[{}]}"#,
            "`batch` needs `seq`, a whole number; numbers count from 1 and rise",
        ),
    ] {
        socket.send(frame);
        assert_eq!(socket.receive()["message"], told, "{frame}");
    }
}

#[test]
fn bodies_are_one_event_an_array_lines_or_an_envelope() {
    let program = Program::start(&["serve"]);
    let array = program.post(r#"[{"type":"log"},"no",{"type":"log"}]"#);
    let expected = serde_json::json!({"accepted":2,"rejected":[{"index":1,"reason":"not an object"}]});
    assert_eq!(serde_json::from_str::<Value>(&array.body).expect("JSON"), expected);
    for (body, accepted, rejected) in [
        (r#"{"type":"log"}"#, 1, 0),
        ("{\n \"type\": \"log\"\n}\n", 1, 0),
        ("{\"type\":\"log\"}\n\nnot json\n{\"type\":\"log\"}\n", 2, 1),
        ("[]", 0, 0),
        (
            r#"{"t":"batch","client":"b1","session":"s","seq":1,"events":[{"type":"log"},{"type":"log"}]}"#,
            2,
            0,
        ),
        (
            r#"{"t":"batch","client":"b1","session":"s","seq":2,"events":[{"type":"log"},{"type":"log"}]}"#,
            1,
            0,
        ),
    ] {
        let answer: Value = serde_json::from_str(&program.post(body).body).expect("JSON");
        assert_eq!(answer["accepted"], accepted, "{body}");
        assert_eq!(answer["rejected"].as_array().map(Vec::len), Some(rejected), "{body}");
    }
    for (body, status) in [("[{\"type\":\"log\"}", 400), ("[{\"a\":1}] x", 400)] {
        assert_eq!(program.post(body).status, status, "{body}");
    }
    assert_eq!(program.request("POST", "/v1/events", &[("Content-Type", "image/png")], "{}").status, 415);
    assert_eq!(books(&program).2, 1);
}

#[test]
fn a_frame_that_is_not_understood_is_answered_and_the_connection_goes_on() {
    let program = Program::start(&["serve"]);
    let mut socket = program.socket();
    for (frame, code) in [
        ("not json", "syntax"),
        (r#"{"t":"dance"}"#, "type"),
        (r#"{"t":"batch","seq":1}"#, "missing"),
        (r#"{"t":"batch","seq":1,"events":[{"a":1},]}"#, "syntax"),
        (r#"{"t":"batch","seq":1,"events":[{"a":1}]}"#, "hello"),
    ] {
        socket.send(frame);
        let answer = socket.receive();
        assert_eq!((&answer["t"], &answer["code"]), (&"error".into(), &code.into()), "{frame}");
    }
    socket.hello("c1", 1);
    assert_eq!(socket.batch(1, r#"[{"type":"log"}]"#)[0]["seq"], 1);
    assert_eq!(program.health()["frames"]["broken"], 5);
}

#[test]
fn a_message_over_a_mebibyte_is_closed_with_its_code_and_costs_nothing_else() {
    let program = Program::start(&["serve"]);
    let mut other = program.client("quiet");
    let mut socket = program.client("loud");
    let huge = format!(r#"{{"t":"batch","seq":1,"events":[{{"message":"{}"}}]}}"#, "x".repeat(1024 * 1024));
    // The server may close while the rest is still being written.
    let _ = socket.0.send(Message::text(huge));
    assert_eq!(socket.close_code(), Some(1009));
    assert_eq!(other.batch(1, r#"[{"type":"log"}]"#)[0]["seq"], 1);
    assert_eq!(program.health()["closed"]["too_big"], 1);
    let body = format!(r#"{{"message":"{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(program.post(&body).status, 413);
}

#[test]
fn endless_empty_frames_and_floods_of_pings_are_cut_off() {
    let program = Program::start(&["serve"]);
    let mut socket = program.client("c1");
    for _ in 0..400 {
        if socket.0.send(Message::Ping(Vec::new().into())).is_err() {
            break;
        }
    }
    assert_eq!(socket.close_code(), Some(1008));
    let mut endless = program.client("c2");
    let stream = endless.0.get_mut();
    // A text frame that is not final, then continuations without content, masked with zeros (RFC 6455 §5.2).
    let mut bytes = vec![0x01, 0x80, 0, 0, 0, 0];
    bytes.extend([0x00, 0x80, 0, 0, 0, 0].repeat(400_000));
    let _ = std::io::Write::write_all(stream, &bytes);
    assert_eq!(endless.close_code(), Some(1008));
    let health = program.health();
    assert_eq!((&health["closed"]["control"], &health["closed"]["no_progress"]), (&1.into(), &1.into()));
}

#[test]
fn the_ring_evicts_and_the_books_still_balance() {
    let program = Program::start(&["serve", "--retain", "10"]);
    let mut socket = program.client("c1");
    for batch in 0..5 {
        socket.batch(1 + batch * 4, r#"[{"type":"log"},{"type":"log"},{"type":"log"},null]"#);
    }
    let health = program.health();
    check_books(&health);
    assert_eq!((&health["ring"]["live"], &health["ring"]["evicted"]), (&10.into(), &10.into()));
    assert_eq!(health["connections"], 1);
}

#[test]
fn secrets_are_gone_before_anything_is_printed() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    program.post(r#"{"type":"log","message":"hi","context":{"apiKey":"sk-123","deep":{"Set-Cookie":"a=b"}},"password":"hunter2"}"#);
    let line = program.line();
    for secret in ["sk-123", "a=b", "hunter2"] {
        assert!(!line.contains(secret), "{line}");
    }
    assert_eq!(line.matches("[redacted]").count(), 3, "{line}");
    assert_eq!(program.health()["scrubbed"]["redacted"], 3);
}
