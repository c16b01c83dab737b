//! Lines written, read back and written again; lines of others; lines that are none.

use proptest::prelude::*;

use super::*;
use crate::event::line;
use crate::wire::{Body, decode_body, gap_note};

fn decoder() -> LineDecoder {
    LineDecoder::new(Timestamp(1_800_000_000_000), Redactor::default())
}

fn written(chunk: &Chunk) -> Vec<String> {
    let write = |event| {
        let mut out = String::new();
        line::write(event, &mut out);
        out
    };
    chunk.events().map(write).collect()
}

fn read(lines: &[String]) -> Chunk {
    let mut decoder = decoder();
    lines.iter().for_each(|line| decoder.push(line.as_bytes()));
    assert_eq!(decoder.end_file(), Skipped::default());
    decoder.take()
}

/// The chunk a page's events become on the live way in.
fn live(body: &str) -> Chunk {
    let sender = Sender {
        session: "s-1".to_owned(),
        user: "u-1".to_owned(),
        tab: "t-1".to_owned(),
        load: Some(2),
        origin: "http://localhost:5173".to_owned(),
        source: "browser",
        recv: Timestamp(1_704_067_200_123),
        offset_ms: 0,
        ..Sender::default()
    };
    let Ok(Body::Bare(batch)) = decode_body(body, &sender, &Redactor::default()) else {
        panic!("not bare: {body}")
    };
    let mut chunk = batch.chunk;
    chunk.number_from(41);
    chunk
}

/// What a reader of either chunk can tell of its events, beside the line itself.
fn columns(chunk: &Chunk) -> Vec<String> {
    let of = |event: crate::event::EventRef<'_>| {
        let marks = Flags::FAILED | Flags::SLOW | Flags::CACHED | Flags::REQUEST | Flags::OWN;
        format!(
            "{} {} {} {:?} {:?} {} {:?}",
            event.ns(),
            event.kind(),
            event.subtype(),
            event.family(),
            event.severity(),
            event.flags().0 & (marks | Flags::REDACTED | Flags::CUT).0,
            event.msg(),
        )
    };
    chunk.events().map(of).collect()
}

#[test]
fn what_was_written_reads_back_as_the_same_event_and_the_same_bytes() {
    for body in [
        r#"{"type":"metric","subtype":"api-call","url":"http://localhost:5173/api/users/42?x=1","method":"get","status":404,"durationMs":61.537,"timestamp":1704067202000}"#,
        r#"{"type":"error","subtype":"network","url":"https://api.example.com/data","severity":"high","message":"a\u202eb\n\"c\"","session-id":"other","user-id":7}"#,
        r#"{"type":"log","level":"warning","message":"w","id":":app/login","ns":"app.sub","context":{"user-id":"x","password":"p"}}"#,
        r#"{"source":null,"user-id":null,"server-recv-time":null,"browser-timestamp":null,"timestamp":null}"#,
        r#"{"duration-ms":9007199254740.993,"load":-1,"tab":5,"cached?":true,"message":""}"#,
        r#"{"duration-ms":1e400,"status":"503","url":"/a","message":["x"],"timestamp":12}"#,
        "{}",
        "{ \n\t}",
        "[1]",
    ] {
        let first = live(body);
        let lines = written(&first);
        let second = read(&lines);
        assert_eq!(written(&second), lines, "{body}");
        assert_eq!(columns(&second), columns(&first), "{body}");
    }
}

#[test]
fn a_long_event_stays_as_it_was_cut() {
    let body = format!(r#"{{"message":"{}","note":"{}"}}"#, "m".repeat(20_000), "n".repeat(60_000));
    let first = live(&body);
    let lines = written(&first);
    assert_eq!(written(&read(&lines)), lines);
    assert!(read(&lines).event(0).flags().has(Flags::CUT));
}

#[test]
fn an_event_of_taillights_own_stays_its_own() {
    let gap = crate::wire::Gap { from: 1, to: 4, count: 3, reason: "buffer full".into() };
    let sender = Sender { recv: Timestamp(1_704_067_200_000), ..Sender::default() };
    let first = gap_note(&gap, &sender, &Redactor::default()).chunk;
    let mut numbered = first;
    numbered.number_from(1);
    let again = read(&written(&numbered));
    assert_eq!(columns(&again), columns(&numbered));
    assert_eq!(written(&again), written(&numbered));
}

#[test]
fn only_a_line_with_both_times_and_an_object_is_ours() {
    const OURS: &str = r#"{"inst":"2024-01-01T00:00:00.000Z","recv":"2024-01-01T00:00:01.000Z","seq":9,"data":{"message":"m"}}"#;
    for (line, is_ours) in [
        (OURS.to_owned(), true),
        (OURS.replace("{\"message\":\"m\"}", "[]"), false),
        (OURS.replace("\"inst\"", "\"inst2\""), false),
        (OURS.replace("2024-01-01T00:00:01.000Z", "yesterday"), false),
        (OURS.replace("\"seq\":9,", ""), true),
    ] {
        let chunk = read(std::slice::from_ref(&line));
        let recv = if is_ours { 1_704_067_201_000 } else { 1_800_000_000_000 };
        assert_eq!(chunk.event(0).recv(), Timestamp(recv), "{line}");
    }
}

#[test]
fn lines_of_others_are_read_as_posted_and_numbered_on() {
    let mut decoder = decoder();
    for line in [
        "\u{feff}{\"type\":\"log\",\"message\":\"a\",\"token\":\"secret-1\"}",
        r#"{"inst":"2024-01-01T00:00:00.000Z","recv":"2024-01-01T00:00:01.000Z","seq":70,"data":{}}"#,
        "{\"type\":\"error\",\"message\":\"b\",\"timestamp\":1704067202000}\r",
    ] {
        decoder.push(line.as_bytes());
    }
    let chunk = decoder.take();
    let seen: Vec<_> = chunk.events().map(|event| (event.seq(), event.msg(), event.inst().0)).collect();
    assert_eq!(
        seen,
        [(1, "a", 1_800_000_000_000), (70, "", 1_704_067_200_000), (71, "b", 1_704_067_202_000)]
    );
    assert!(chunk.event(0).json().contains(r#""token":"[redacted]""#));
    assert!(chunk.event(0).flags().has(Flags::REDACTED));
}

#[test]
fn what_was_taken_out_is_counted_now_or_was_when_it_was_written() {
    let mut decoder = decoder();
    decoder.push(br#"{"type":"log","token":"secret-1"}"#);
    let ours = r#"{"inst":"2024-01-01T00:00:00.000Z","recv":"2024-01-01T00:00:01.000Z","data":{"token":"[redacted]","a":"?pwd=[redacted]","_cut":{}}}"#;
    decoder.push(ours.as_bytes());
    let counted = decoder.scrubbed();
    assert_eq!((counted.redacted, counted.cut, counted.repaired), (3, 1, 0));
    assert_eq!(decoder.scrubbed(), ScrubCount::default());
}

#[test]
fn unreadable_lines_are_counted_and_the_first_ten_named() {
    let mut decoder = decoder();
    decoder.push(b"{}");
    decoder.push(b"");
    decoder.push(b"{\"a\":");
    decoder.push(b"[1]");
    decoder.push(b"\xff{}");
    decoder.push_too_long();
    decoder.push(&[b' '; MAX_LINE_BYTES + 1]);
    (0..20).for_each(|_| decoder.push(b"nonsense"));
    let skipped = decoder.end_file();
    assert_eq!((skipped.count, skipped.first.len()), (25, 10));
    assert_eq!(
        skipped.first[..5],
        [
            (3, BadLine::NotJson),
            (4, BadLine::NotObject),
            (5, BadLine::NotUtf8),
            (6, BadLine::TooLong),
            (7, BadLine::TooLong)
        ]
    );
    assert_eq!(decoder.take().len(), 1);
    decoder.push(b"1");
    assert_eq!(decoder.end_file().first, [(1, BadLine::NotObject)], "each file counts from one");
}

#[test]
fn how_long_a_socket_was_open_is_not_slow() {
    let socket = |action: &str| {
        format!(
            r#"{{"type":"log","subtype":"websocket","action":"{action}","url":"ws://h/live","duration-ms":60000}}"#
        )
    };
    let chunk = live(&format!("[{},{}]", socket("open"), socket("close")));
    let slow: Vec<bool> = chunk.events().map(|event| event.flags().has(Flags::SLOW)).collect();
    assert_eq!(slow, [true, false]);
}

#[test]
fn durations_read_exactly() {
    for (text, us) in [
        ("0", Some(0)),
        ("61.5", Some(61_500)),
        ("9007199254740993.001", Some(9_007_199_254_740_993_001)),
        ("1e3", Some(1_000_000)),
        ("1.23456", Some(1_235)),
        ("-1", None),
        ("18446744073709551615", None),
        ("\"12.5\"", Some(12_500)),
    ] {
        assert_eq!(duration(text), us.map(Micros), "{text}");
    }
}

#[test]
fn a_chunk_is_full_at_its_rows_or_its_bytes() {
    let mut by_rows = decoder();
    (0..CHUNK_ROWS - 1).for_each(|_| by_rows.push(b"{}"));
    assert!(!by_rows.is_full());
    by_rows.push(b"{}");
    assert!(by_rows.is_full());
    let mut by_bytes = decoder();
    let long = format!("{{\"a\":[{}0]}}", "0,".repeat(400_000));
    (0..3).for_each(|_| by_bytes.push(long.as_bytes()));
    assert!(by_bytes.is_full());
    by_bytes.take();
    assert!(!by_bytes.is_full());
}

/// Values a page may put anywhere, well-typed or not.
fn value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-10.0..1e9_f64).prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
        any::<Vec<char>>().prop_map(|chars| chars.into_iter().collect::<String>().into()),
        Just(serde_json::json!({"user-id": "nested", "a": [1, "x"]})),
    ]
}

fn event() -> impl Strategy<Value = String> {
    const NAMES: [&str; 24] = [
        "type",
        "subtype",
        "level",
        "id",
        "ns",
        "message",
        "stack",
        "severity",
        "url",
        "method",
        "status",
        "status-code",
        "timestamp",
        "duration-ms",
        "session-id",
        "userId",
        "tab",
        "load",
        "source",
        "data",
        "context",
        "server-recv-time",
        "browser-timestamp",
        "other",
    ];
    const WORDS: [&str; 8] =
        ["error", "metric", "api-call", "warn", "taillight", "taillight/gap", "/api/users/7", "high"];
    let word = proptest::sample::select(&WORDS[..]).prop_map(serde_json::Value::from);
    let member = (proptest::sample::select(&NAMES[..]), prop_oneof![value(), word]);
    proptest::collection::vec(member, 0..10).prop_map(|members| {
        let members: serde_json::Map<String, serde_json::Value> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        serde_json::Value::Object(members).to_string()
    })
}

proptest! {
    #[test]
    fn any_event_keeps_its_line(body in event()) {
        let first = live(&body);
        let lines = written(&first);
        let second = read(&lines);
        prop_assert_eq!(written(&second), lines);
        prop_assert_eq!(second.event(0).msg(), first.event(0).msg());
    }

    #[test]
    fn no_line_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..200), body in event(), cut in 0_usize..400) {
        let mut decoder = decoder();
        decoder.push(&line);
        let mut whole = written(&live(&body)).remove(0).into_bytes();
        let at = cut % whole.len();
        whole[at] = line.first().copied().unwrap_or(b'0');
        decoder.push(&whole);
        whole.truncate(at);
        decoder.push(&whole);
        decoder.take().events().for_each(|event| line::write(event, &mut String::new()));
    }
}
