//! sente-lite and Sente clients, played from their recordings: what they send is stored, and what they are answered is
//! what their own server answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taillight::wire::sente::{Packer, value};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Program, Socket, command};
use crate::pty::Terminal;

/// The recordings of real clients, and how many of the events in each can be read.
const RECORDINGS: [(&str, &str); 15] = [
    ("a-nbb-basic", include_str!("fixtures/sente/frames/a-nbb-basic.jsonl")),
    ("a-nbb-handshakes", include_str!("fixtures/sente/frames/a-nbb-handshakes.jsonl")),
    ("b-scittle-bundle", include_str!("fixtures/sente/frames/b-scittle-bundle.jsonl")),
    ("c-browser-reconn-default", include_str!("fixtures/sente/frames/c-browser-reconn-default.jsonl")),
    ("c-log-routing-storm", include_str!("fixtures/sente/frames/c-log-routing-feedback-storm.head60.jsonl")),
    ("c-log-routing-sender", include_str!("fixtures/sente/frames/c-log-routing-sender.jsonl")),
    ("c-nbb-reconn-queue", include_str!("fixtures/sente/frames/c-nbb-reconn-queue.jsonl")),
    ("d-doc-full-allfixed", include_str!("fixtures/sente/frames/d-doc-full-allfixed.jsonl")),
    ("d-doc-full-plain", include_str!("fixtures/sente/frames/d-doc-full-plain.jsonl")),
    ("d-doc-full-urgent", include_str!("fixtures/sente/frames/d-doc-full-urgent.jsonl")),
    ("d-doc-outage", include_str!("fixtures/sente/frames/d-doc-outage.jsonl")),
    ("e-sente-edn", include_str!("fixtures/sente/frames/e-sente-edn.jsonl")),
    ("e-sente-msgpack", include_str!("fixtures/sente/frames/e-sente-msgpack.jsonl")),
    ("e-sente-nopong", include_str!("fixtures/sente/frames/e-sente-nopong.jsonl")),
    ("e-sente-v1", include_str!("fixtures/sente/frames/e-sente-v1.jsonl")),
];

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// The message of a recorded frame.
fn recorded(line: &Value) -> Message {
    let data = line["data"].as_str().expect("data");
    if line["op"] == "text" { Message::text(data) } else { Message::binary(bytes_of(data)) }
}

/// What a frame says, in whatever packing.
fn meaning(message: &Message) -> Value {
    let (bytes, packer) = match message {
        Message::Text(text) if text.contains("[\"~") => (text.as_bytes(), Packer::Transit),
        Message::Text(text) => (text.as_bytes(), Packer::Edn),
        Message::Binary(bytes) => (&bytes[..], Packer::Msgpack),
        other => panic!("{other:?}"),
    };
    serde_json::from_str(&value(bytes, packer).unwrap_or_else(|what| panic!("{what}: {message:?}")))
        .expect("JSON")
}

/// One recorded connection.
#[derive(Default)]
struct Connection {
    target: String,
    origin: Option<String>,
    sent: Vec<Message>,
    answered: Vec<Message>,
}

fn connections(recording: &str) -> Vec<Connection> {
    let mut found: Vec<Connection> = Vec::new();
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let name = format!("{}", line["conn"]);
        match line["ev"].as_str() {
            Some("open") => {
                let origin = line["headers"]["origin"].as_str().map(str::to_owned);
                let target = line["url"].as_str().expect("a URL").to_owned();
                open.insert(name, found.len());
                found.push(Connection { target, origin, ..Connection::default() });
            }
            Some("frame") => {
                let connection = &mut found[open[&name]];
                let frames =
                    if line["dir"] == "in" { &mut connection.sent } else { &mut connection.answered };
                frames.push(recorded(&line));
            }
            _ => {}
        }
    }
    found
}

/// How many answers a client expects to `frame` (each ping, callback and subscription one).
fn asks(frame: &Value, is_sente: bool) -> usize {
    let id = if is_sente { &frame[0][0] } else { &frame[0] };
    let is_channel = matches!(id.as_str(), Some("sente-lite/subscribe" | "sente-lite/unsubscribe"));
    usize::from(if is_sente { frame[1].is_string() } else { is_channel || *id == "chsk/ws-ping" })
}

/// Plays one connection; gives everything it was answered.
fn play(port: u16, connection: &Connection) -> Vec<Message> {
    let origin = connection.origin.as_deref();
    let headers: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
    let mut socket = Socket::open_at(port, &connection.target, &headers).expect("let in");
    let is_sente = connection.target.contains("client-id=");
    let mut answers = vec![socket.message()];
    let mut expected = 1;
    for frame in &connection.sent {
        // The recording itself is cut there.
        if frame.len() != 4_000 {
            expected += asks(&meaning(frame), is_sente);
        }
        socket.0.send(frame.clone()).expect("sendable");
    }
    // Answers come in order, so that of a last question ends them.
    let last = if is_sente { "[[:chsk/ws-ping] \"last\"]" } else { "[:chsk/ws-ping]" };
    socket.send(last);
    while answers.len() < expected + 1 {
        answers.push(socket.message());
    }
    answers.pop();
    socket.0.close(None).expect("closable");
    answers
}

/// A frame with what each server chooses for itself left out: the name of the client, its token and the extras.
fn compared(frame: &Message) -> Value {
    let mut meaning = meaning(frame);
    let handshake = if meaning[0].is_array() { &mut meaning[0] } else { &mut meaning };
    if handshake[0] == "chsk/handshake" {
        handshake[1] = json!([]);
    }
    meaning
}

/// Whether a frame is one that answers a client; the recorded servers also tried out others.
fn is_answer(meaning: &Value) -> bool {
    let is_handshake = meaning[0] == "chsk/handshake" || meaning[0][0] == "chsk/handshake";
    let is_callback = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_reply = meaning[1].as_str().is_some_and(is_callback)
        && (meaning[0] == "pong" || meaning[0] == json!({ "ok": true }));
    is_handshake || is_reply || meaning[0] == "sente-lite/subscribed"
}

#[test]
fn every_recording_is_answered_as_its_own_server_answered_it() {
    let mut compared_answers = 0;
    for (name, recording) in RECORDINGS {
        let program = Program::start(&["serve"]);
        for connection in connections(recording) {
            // What the recorder tried on purpose, to see what clients do with it, is not played.
            if name == "a-nbb-handshakes" && connection.target != "/chsk?hs=real" {
                continue;
            }
            let ours = play(program.port, &connection);
            let mut ours: Vec<Value> = ours.iter().map(compared).collect();
            let readable = |frame: &&Message| match frame {
                Message::Text(text) => {
                    text.starts_with('[')
                        && !text.contains("bad")
                        && value(text.as_bytes(), Packer::Edn).is_ok()
                }
                Message::Binary(bytes) => bytes.first() == Some(&0x92),
                _ => false,
            };
            let theirs = connection.answered.iter().filter(readable).map(compared).filter(is_answer);
            for answer in theirs {
                let at = ours.iter().position(|our| *our == answer);
                let at = at.unwrap_or_else(|| panic!("{name}: {answer} was not answered, but {ours:?}"));
                ours.remove(at);
                compared_answers += 1;
            }
            // What is left was asked for and not answered by the recorded server, on purpose.
            assert!(ours.iter().all(is_answer), "{name}: {ours:?}");
        }
        let health = program.health();
        check_books(&health, name);
    }
    assert!(compared_answers > 25, "{compared_answers}");
}

fn check_books(health: &Value, name: &str) {
    let number = |pointer: &str| health.pointer(pointer).and_then(Value::as_u64).expect("a number");
    let reasons = health["ingest"]["rejected"].as_object().expect("reasons");
    let rejected: u64 = reasons.values().filter_map(Value::as_u64).sum();
    assert_eq!(rejected, u64::from(name == "d-doc-outage"), "{name}: {health}");
    let taken = number("/ingest/accepted") + number("/ingest/duplicate") + rejected;
    assert_eq!(number("/ingest/received"), taken);
    assert_eq!(
        number("/ingest/accepted") + number("/ring/own"),
        number("/ring/live") + number("/ring/evicted")
    );
    if name == "c-log-routing-storm" {
        assert!(number("/ingest/duplicate") > 20, "the storm is folded: {health}");
    }
}

#[test]
fn a_batch_in_edn_is_printed_like_any_other() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket =
        Socket::open_at(program.port, "/chsk", &[("origin", "http://localhost:5173")]).expect("let in");
    assert!(socket.message().to_string().starts_with("[:chsk/handshake [\"conn-1\" nil "));
    socket.send(
        r#"[:log/batch [{:type :metric, :subtype :api-call, :url "http://localhost:5173/api/users/7", :method "GET", :duration-ms 234, :status 200, :cached? false, :timestamp 1704067200000, :session-id "sess-456", :user-id nil}]]"#,
    );
    let event = program.event();
    for (key, expected) in [
        ("id", json!("browser/api-call")),
        ("session", json!("sess-456")),
        ("duration", json!(234)),
        ("status", json!(200)),
        ("source", json!("sente")),
        ("endpoint", json!("GET /api/users/:id")),
        ("inst", json!("2024-01-01T00:00:00.000Z")),
    ] {
        assert_eq!(event[key], expected, "{event}");
    }
    assert_eq!(event["data"]["cached?"], json!(false));
    assert_eq!(event["data"]["timestamp"], json!(1_704_067_200_000_i64));
}

#[test]
fn log_entries_keep_their_own_names_and_say_their_text() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = Socket::open_at(program.port, "/", &[]).expect("let in");
    let publish = |entry: &str| {
        format!(
            "[:sente-lite/publish {{:channel-id \"log-routing\", :data {entry}, :exclude-sender? false}}]"
        )
    };
    socket.send(&publish("{:ns \"app.core\", :coords [16 1], :level :warn, :id :app.core/rate-limit, :data {:msg \"Rate limit exceeded\", :data {:requests 100}}, :timestamp 1795469126526, :source \"my-client\"}"));
    let event = program.event();
    assert_eq!((&event["level"], &event["id"]), (&json!("warn"), &json!("app.core/rate-limit")));
    assert_eq!((&event["msg"], &event["source"]), (&json!("Rate limit exceeded"), &json!("my-client")));
    assert_eq!((&event["session"], &event["data"]["coords"]), (&json!("conn-1"), &json!([16, 1])));
    socket.send("[:log/entry {:channel \"log-routing\", :log {:level :error, :ns \"a.b\", :data {:error #error {:cause \"boom\"}}}}]");
    let event = program.event();
    assert_eq!((&event["id"], &event["msg"]), (&json!("log/entry"), &json!("boom")));
    socket.send("[:platform-info/update {:runtime :scittle, :platform \"Linux\", :url \"http://localhost:5173/cart\"}]");
    let event = program.event();
    assert_eq!((&event["id"], &event["data"]["platform"]), (&json!("platform-info/update"), &json!("Linux")));
    socket
        .send("[:log/batch [{:type :metric, :subtype :api-call, :url \"http://localhost:5173/api/users\"}]]");
    assert_eq!(program.event()["endpoint"], json!("GET /api/users"), "the page's own host is left out");
}

#[test]
fn the_packer_of_the_url_is_the_handshakes() {
    let program = Program::start(&["serve"]);
    let handshake = |query: &str| {
        let target = format!("/chsk?app=demo&client-id=cid-1&csrf-token=x{query}");
        Socket::open_at(program.port, &target, &[]).expect("let in").message()
    };
    assert!(handshake("").to_string().starts_with("[[:chsk/handshake [\"conn-1\" nil nil]] nil]"));
    assert!(handshake("&packer=transit").to_string().starts_with("[[\"~:chsk/handshake\",["));
    let Message::Binary(packed) = handshake("&packer=msgpack") else { panic!("text") };
    assert!(packed.starts_with(&bytes_of("9292c70e006368736b2f68616e647368616b65")));
    let Message::Binary(packed) = handshake("&packer=gzip") else { panic!("text") };
    assert!(packed.starts_with(b"\0[[:chsk/handshake"));
}

#[test]
fn the_session_is_the_events_own_or_the_clients_or_the_connections() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = Socket::open_at(program.port, "/chsk?client-id=cid%2D7", &[]).expect("let in");
    socket.send(r#"[["~:log/batch",[["^ ","~:type","~:log","~:message","a"],["^ ","^1","^2","^3","b","~:session-id","s-1"]]],null]"#);
    assert_eq!((&program.event()["session"], &program.event()["session"]), (&json!("cid-7"), &json!("s-1")));
    let mut socket = Socket::open_at(program.port, "/any/path", &[]).expect("let in");
    socket.send("[:log/urgent [{:type :error, :message \"c\"}]]");
    assert_eq!(program.event()["session"], json!("conn-2"));
}

#[test]
fn three_megabytes_are_taken_whole_and_seventeen_are_not() {
    let program = Program::start(&["serve"]);
    let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
    let text = "x".repeat(850);
    let event = |nth| format!("{{:type :log, :subtype :console, :level :warn, :message \"{nth} {text}\"}} ");
    let frame = format!("[:log/batch [{}]]", (0..3_338).map(event).collect::<String>());
    assert!(frame.len() > 3_000_000);
    socket.send(&frame);
    socket.send("[:chsk/ws-ping]");
    socket.message();
    assert_eq!(socket.message().to_string(), "[:chsk/ws-pong]");
    assert_eq!(program.health()["ingest"]["accepted"], 3_338);
    let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
    socket.message();
    // It is refused by its length, while the rest of it is still on its way.
    let _ = socket.0.send(Message::text(" ".repeat(17 * 1024 * 1024)));
    assert!(matches!(socket.close_code(), Some(1009) | None));
    assert_eq!(program.health()["closed"]["too_big"], 1);
}

#[test]
fn a_storm_of_any_event_is_folded_and_every_book_has_its_true_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("events.jsonl").display().to_string();
    let program = Program::start(&["serve", "--record", &file]);
    let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
    socket.message();
    // Of three seconds 500 each, in one frame, and between them clicks nobody would call a storm.
    let event = |nth: i64| {
        let at = 1_704_067_200_000 + nth * 2;
        let click = match nth % 100 {
            0 => format!("{{:type :analytics :subtype :user-action :action :click :timestamp {at}}}"),
            _ => String::new(),
        };
        format!(
            "{{:type :error :subtype :console :message \"again\" :timestamp {at} :user-id \"u-1\" :session-id \"s-1\"}} {click}"
        )
    };
    socket.send(&format!("[:log/batch [{}]]", (0..1_500).map(event).collect::<String>()));
    socket.send("[:chsk/ws-ping]");
    assert_eq!(socket.message().to_string(), "[:chsk/ws-pong]");
    let ingest = program.health()["ingest"].take();
    assert_eq!(
        (&ingest["received"], &ingest["accepted"], &ingest["duplicate"]),
        (&json!(1_515), &json!(45), &json!(1_470)),
        "{ingest}"
    );
    socket.0.close(None).expect("closable");
    assert!(matches!(socket.close_code(), Some(1005) | None));
    program.signal("TERM");
    program.wait();
    let exported = |filter: &str| {
        let output = command(folder.path()).args(["export", "--from", &file, "-f", filter]).output();
        let output = String::from_utf8(output.expect("runs").stdout).expect("text");
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>()
    };
    let notes = exported("id:taillight/repeated session:s-1 user:u-1");
    let counts: Vec<&Value> = notes.iter().map(|note| &note["data"]["count"]).collect();
    assert_eq!(counts, [490; 3], "{notes:?}");
    assert_eq!(
        (&notes[1]["data"]["of"], &notes[1]["msg"], &notes[1]["inst"]),
        (
            &json!("browser/console"),
            &json!("repeated 490 more times within a second: again"),
            &json!("2024-01-01T00:00:01.998Z")
        )
    );
    assert_eq!(exported("id:browser/console").len() + 3 * 490, 1_500);
    assert_eq!(exported("id:browser/user-action").len(), 15);
}

#[test]
fn what_is_wrong_or_unknown_is_counted_and_costs_nothing_else() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
    socket.message();
    socket.send("[:my/own {:a 1}]");
    socket.send("[:sente-lite/publish {:channel-id \"chat\", :data 1}]");
    socket.send("not edn ]]] {");
    socket.send("[:log/batch [{:message \"a\"} {:b} 5 {:message \"c\"}]]");
    let events: Vec<Value> = (0..5).map(|_| program.event()).collect();
    let text = |at: usize| events[at]["msg"].as_str().unwrap_or_default().to_owned();
    assert!(text(0).contains("not a message") && text(0).contains("not edn ]]] {"), "{}", text(0));
    assert_eq!((text(1).as_str(), text(4).as_str()), ("a", "c"));
    assert_eq!(events[2]["data"]["raw"], json!("{:b}"));
    assert_eq!(events[3]["data"]["reason"], json!("not an object"));
    let health = program.health();
    assert_eq!((&health["frames"]["unknown"], &health["frames"]["broken"]), (&json!(2), &json!(1)));
    assert_eq!((&health["ingest"]["accepted"], &health["ring"]["own"]), (&json!(2), &json!(3)));
    socket.send("[:chsk/ws-ping]");
    assert_eq!(socket.message().to_string(), "[:chsk/ws-pong]", "nothing was said about any of it");
}

#[test]
fn messages_that_nobody_knows_stand_on_the_health_screen() {
    let (mut terminal, port) = Terminal::console_with(&[], 120, 50);
    let mut socket = Socket::open_at(port, "/chsk", &[]).expect("let in");
    socket.message();
    socket.send("[:my/own {:password \"hunter2\" :a 1}]");
    socket.send("[:my/own {:password \"hunter2\" :a 2}]");
    socket.send("[:sente-lite/publish {:channel-id \"chat\", :data \"hi\"}]");
    socket.send("[:chsk/ws-ping]");
    socket.message();
    terminal.press("6");
    let title = "messages of ids that mean nothing here";
    let screen =
        terminal.wait("the messages", |screen| screen.contains(title) && screen.contains("my/own ×2 {"));
    let below: Vec<&str> = screen.split(title).nth(1).unwrap_or_default().lines().collect();
    assert!(
        below[1].contains("conn-1     sente-lite/publish chat ×1 {\"channel-id\":\"chat\",\"data\":\"hi\"}"),
        "{screen}"
    );
    assert!(below[2].contains("conn-1     my/own ×2 {\"password\":\"[redacted]\",\"a\":2}"), "{screen}");
    terminal.press("q");
    terminal.end();
}

#[test]
fn a_client_that_stays_silent_is_greeted_in_the_next_packing() {
    let program = Program::start(&["serve"]);
    let open = || {
        let mut socket = Socket::open_at(program.port, "/chsk?client-id=silent", &[]).expect("let in");
        let greeting = socket.message().to_string();
        (socket, greeting)
    };
    let (mut socket, greeting) = open();
    assert!(greeting.starts_with("[[:chsk/handshake "), "{greeting}");
    // Nothing is said to it either; the end of this wait is the client giving up.
    socket.0.get_ref().set_read_timeout(Some(Duration::from_secs(6))).expect("settable");
    assert!(socket.0.read().is_err());
    drop(socket);
    let start = Instant::now();
    let (mut socket, greeting) = loop {
        // It is known only once the connection's end has been seen.
        let (socket, greeting) = open();
        if greeting.starts_with("[[\"~:chsk/handshake\"") {
            break (socket, greeting);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{greeting}");
    };
    socket.send("[[\"~:chsk/ws-ping\"],\"abc\"]");
    assert_eq!(socket.message().to_string(), "[\"pong\",\"abc\"]", "after {greeting}");
    assert_eq!(program.health()["frames"]["unknown"], 1, "Health says that another packing is tried");
    drop(socket);
    assert!(open().1.starts_with("[[\"~:chsk/handshake\""), "what it was heard in stays");
}

/// How long an allocator may take to give memory back.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(20);

/// Resident memory of a process, in MiB.
#[cfg(target_os = "linux")]
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("readable");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_message_leaves_no_memory_with_its_connection() {
    const LARGE: usize = 15 * 1024 * 1024;
    let program = Program::start(&["serve"]);
    let open = || {
        let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
        socket.message();
        let mut ask = |text: &str| {
            socket.send(text);
            socket.send("[:chsk/ws-ping]");
            assert_eq!(socket.message().to_string(), "[:chsk/ws-pong]");
        };
        ask(&format!("[:log/batch [] \"{}\"]", "x".repeat(LARGE)));
        ask("[:log/batch [{:message \"small\"}]]");
        socket
    };
    // What the allocator keeps for itself is there after the first.
    drop(open());
    let before = resident(program.pid());
    let sockets: Vec<Socket> = (0..12).map(|_| open()).collect();
    // Kept, they would be 180 MiB for as long as they are open; what the allocator keeps it gives back a little later.
    let start = Instant::now();
    loop {
        let after = resident(program.pid());
        if after < before + 110 {
            break;
        }
        let sockets = sockets.len();
        assert!(start.elapsed() < PATIENCE, "{before} MiB, and {after} MiB with {sockets} connections");
        program.health();
    }
    assert_eq!(program.health()["ingest"]["accepted"], 13);
}

#[test]
fn what_is_kept_of_unreadable_events_holds_no_secret() {
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let mut socket = Socket::open_at(program.port, "/chsk", &[]).expect("let in");
    socket.message();
    socket.send("[:log/batch [{:password \"hunter2\" :b #bad} {:message \"end\"}]]");
    let event = program.event();
    assert_eq!(event["data"]["raw"], json!("{:password \"[redacted]\" :b #bad}"));
    assert_eq!(program.event()["msg"], "end");
}

#[test]
fn who_may_connect_is_the_same_on_every_path() {
    let program = Program::start(&["serve"]);
    let open = |target: &str, origin| Socket::open_at(program.port, target, &[("origin", origin)]).map(drop);
    for target in ["/chsk", "/ws", "/"] {
        assert_eq!(open(target, "https://evil.example"), Err(403));
        assert_eq!(open(target, "null"), Err(403));
        assert_eq!(open(&format!("{target}?k=AAAAAAAAAAAAAAAA"), "http://localhost:1"), Err(403));
        assert_eq!(open(&format!("{target}?k={}", program.key()), "https://evil.example"), Ok(()));
        assert_eq!(open(target, "http://localhost:1"), Ok(()));
    }
}
