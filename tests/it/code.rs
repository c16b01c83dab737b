//! From a stack to code on the screen without a browser: folded, raw, in the editor, after hot updates, in `tail` and
//! `open`, and beside hostile maps.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taillight::counters::Counter;
use taillight::maps::{self, Allowed, Loader, Refusal, Rewrites, Root};

use crate::harness::{Program, post_to};
use crate::maps::{Answer, Running, Server, bundle, ok, recorded, text};
use crate::pty::Terminal;
use crate::sources::{console, editor};

#[path = "../../fuzz/code.rs"]
mod judge;

/// A map without sources, of a script of three lines: the user's own code, a library's, the user's own again.
const MAP: &str = r#"{"version":3,"names":[],"mappings":"AASA;ACTA;ACCA",
    "sources":["../src/shop.ts","../node_modules/lib/x.js","../src/main.ts"]}"#;

/// A project whose sources are on this machine alone.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("made");
    let lines: String = (1..=60).map(|number| format!("shop line {number}\n")).collect();
    fs::write(folder.path().join("src/shop.ts"), lines).expect("written");
    fs::write(folder.path().join("src/main.ts"), "main line 1\nmain line 2\n").expect("written");
    folder
}

/// The server of its bundle.
fn served() -> Server {
    Server::start(|path, _| {
        Some(match path {
            "/dist/app.js" => ok("", "buy()\nlib()\nmain()\n//# sourceMappingURL=app.js.map"),
            "/dist/app.js.map" => ok("", MAP),
            _ => ("404 Not Found\r\n".to_owned(), Vec::new()),
        })
    })
}

fn error(address: &str) -> Value {
    let stack = format!(
        "Error: no cart\n    at buy ({address}/dist/app.js:1:1)\n    at lib ({address}/dist/app.js:2:1)\n    at main ({address}/dist/app.js:3:1)"
    );
    json!({"type": "error", "subtype": "javascript", "message": "no cart", "session-id": "s", "stack": stack})
}

fn quit(mut terminal: Terminal) {
    terminal.press("q");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn the_code_of_a_local_file_is_shown_folded_out_raw_and_opened() {
    let (project, server) = (project(), served());
    let editor = editor(project.path());
    let (mut terminal, port) = console(project.path(), editor.to_str().expect("UTF-8"));
    post_to(port, &error(&server.address).to_string());
    terminal.wait("the place in the row", |screen| screen.contains("shop.ts:10"));
    terminal.press("N\r");
    for part in [
        "src/shop.ts:10:1",
        "8 │ shop line 8",
        "▸   10 │ shop line 10",
        "12 │ shop line 12",
        "1 library frame (lib)",
    ] {
        terminal.wait(part, |screen| screen.contains(part));
    }
    let screen = terminal.wait("the other own frame", |screen| screen.contains("main line 2"));
    assert!(screen.contains("source-mapped") && screen.contains("2 of 3 frames are yours"), "{screen}");
    assert!(!screen.contains("shop line 13") && !screen.contains("x.js"), "{screen}");
    terminal.press("z");
    terminal.wait("the library's frame", |screen| screen.contains("node_modules/lib/x.js:1:1"));
    terminal.press("z");
    terminal.wait("it folded again", |screen| screen.contains("1 library frame (lib)"));
    terminal.press("v");
    terminal.wait("the raw stack", |screen| {
        screen.contains("at lib (http://127.0.0.1") && !screen.contains("shop line 10")
    });
    terminal.press("v");
    terminal.wait("the code again", |screen| screen.contains("shop line 10"));
    terminal.press("o");
    let screen = terminal.wait("the editor", |screen| screen.contains("the editor was told: /"));
    assert!(screen.contains("cursor(10,1)") && screen.contains("/src/shop.ts"), "{screen}");
    terminal.press("\r");
    terminal.wait("the dashboard again", |screen| screen.contains("shop line 10"));
    quit(terminal);
}

#[test]
fn a_recording_has_the_mapped_stack_and_its_files_open_in_the_editor() {
    let project = project();
    let editor = editor(project.path());
    let frame = |file: &str, line: u32, is_own: bool| json!({"file": file, "line": line, "column": 3, "function": "buy", "own": is_own, "mapped": true});
    let mapped = json!({"file": "src/shop.ts", "line": 10, "column": 3, "function": "buy",
        "stack": [{"head": "Error: no cart", "frames": [frame("src/shop.ts", 10, true), frame("node_modules/lib/x.js", 1, false), frame("../../etc/passwd", 2, true)]}]});
    let line = json!({"inst": "2026-01-31T14:32:15.000Z", "level": "error", "id": "browser/javascript", "msg": "no cart", "seq": 1,
        "recv": "2026-01-31T14:32:15.000Z", "data": {"type": "error", "subtype": "javascript", "message": "no cart", "mapped": mapped}});
    let file = project.path().join("recorded.jsonl");
    fs::write(&file, format!("{line}\n")).expect("written");
    let args = [
        "open",
        file.to_str().expect("UTF-8"),
        "--root",
        project.path().to_str().expect("UTF-8"),
        "--editor",
        editor.to_str().expect("UTF-8"),
    ];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_taillight"), &args, 120, 40);
    terminal.wait("the place in the row", |screen| screen.contains("shop.ts:10"));
    terminal.press("N\r");
    let screen = terminal.wait("the stack", |screen| screen.contains("1 library frame (lib)"));
    assert!(screen.contains("src/shop.ts:10:3") && screen.contains("etc/passwd:2:3"), "{screen}");
    terminal.press("o");
    let screen = terminal.wait("the editor", |screen| screen.contains("the editor was told: /"));
    assert!(screen.contains("cursor(10,3)") && screen.contains("/src/shop.ts"), "{screen}");
    terminal.press("\r");
    terminal.wait("the dashboard again", |screen| screen.contains("1 library frame"));
    quit(terminal);
}

#[test]
fn tail_prints_errors_with_their_place_and_in_the_group_of_it() {
    let server = served();
    let program = Program::start(&["tail", "--format", "jsonl", "-f", "file:shop.ts or message:after"]);
    program.post(&error(&server.address).to_string());
    program.post(r#"{"type":"log","level":"info","message":"after"}"#);
    let event = program.event();
    let data = &event["data"];
    assert_eq!((&data["file"], &data["line"]), (&json!("src/shop.ts"), &json!(10)), "{event}");
    assert_eq!(data["mapped"]["stack"][0]["frames"][1]["file"], "node_modules/lib/x.js", "{event}");
    assert_eq!(program.event()["data"]["message"], "after", "in the order of arrival");
    // Another message and another bundle at the same place: the same group.
    let other = error(&server.address).to_string().replace("no cart", "other words");
    program.post(&other);
    assert_eq!(program.event()["group"], event["group"]);
}

#[test]
fn a_page_keeps_the_maps_of_its_code_until_it_loads_code_anew() {
    let build = Arc::new(AtomicUsize::new(10));
    let now = Arc::clone(&build);
    let server = Server::start(move |path, head| {
        let line = now.load(Ordering::SeqCst);
        let tag = if path.starts_with("/app.js") { format!("\"{line}\"") } else { "\"stays\"".to_owned() };
        let answer = |(script, map): (String, String)| -> Answer {
            if path.contains(".map") {
                ok("", map)
            } else if head.contains(&format!("if-none-match: {tag}")) {
                ("304 Not Modified\r\n".to_owned(), Vec::new())
            } else {
                ok(&format!("ETag: {tag}\r\n"), script)
            }
        };
        Some(match path {
            "/src/cart.ts?t=2" => answer((bundle(30).0.replace("app.js.map", "new.map"), String::new())),
            "/src/new.map" => ok("", bundle(30).1),
            _ if path.starts_with("/app.js") => answer(bundle(line)),
            _ => answer(bundle(20)),
        })
    });
    let mut running = Running::start(Root::default());
    let mut number = 0;
    let mut error = |file: &str, load: u32| {
        number += 1;
        let stack = format!("Error: {number}\n    at a (http://{}{file}:1:3)", &server.address[7..]);
        json!({"type": "error", "subtype": "javascript", "message": format!("no {file} {number}"), "session-id": "s", "tab": "t", "load": load, "stack": stack})
    };
    let update = |subtype: &str, message: &str, load: u32| json!({"type": "log", "subtype": subtype, "level": "debug", "message": message, "session-id": "s", "tab": "t", "load": load});
    running.send(&[error("/src/cart.ts?t=1", 1), error("/app.js", 1), error("/lib/lib.js", 1)]);
    running.placed(3);

    build.store(40, Ordering::SeqCst);
    running.send(&[
        update("console", "[vite] hot updated: /src/cart.ts", 1),
        error("/src/cart.ts?t=2", 1),
        error("/src/cart.ts?t=1", 1),
        error("/app.js", 1),
        error("/src/cart.ts", 1),
        error("/src/cart.ts?t=0", 1),
    ]);
    running.placed(8);
    running.send(&[
        error("/app.js", 2),
        error("/lib/lib.js", 2),
        error("/app.js", 1),
        error("/src/cart.ts", 2),
    ]);
    running.placed(12);

    build.store(50, Ordering::SeqCst);
    running.send(&[update("hmr", "replaced", 2), error("/app.js", 2), error("/lib/lib.js", 2)]);
    let snapshot = running.placed(14);
    let lines: Vec<_> = (0..16)
        .map(|at| snapshot.event(at).and_then(|event| event.place()).map(|place| place.line))
        .collect();
    let (first, vite) = ([Some(20), Some(10), Some(20)], [None, Some(30), Some(20), Some(10), None, None]);
    let (reload, other) = ([Some(40), Some(20), Some(10), Some(20)], [None, Some(50), Some(20)]);
    assert_eq!(lines, [&first[..], &vite, &reload, &other].concat());
    for ordinal in [7, 8] {
        let mapped = snapshot.event(ordinal).and_then(|event| event.mapped().cloned()).expect("looked at");
        let note = mapped.note.as_deref().expect("why it is as the browser told it");
        assert!(note.ends_with("its code was replaced before its map was asked for"), "{note}");
    }
    let asked = server.asked();
    let count = |path: &str| asked.iter().filter(|asked| *asked == path).count();
    let scripts = [
        "/src/cart.ts?t=0",
        "/src/cart.ts?t=1",
        "/src/cart.ts?t=2",
        "/src/cart.ts",
        "/app.js",
        "/lib/lib.js",
    ];
    assert_eq!(scripts.map(count), [0, 1, 1, 1, 3, 3], "{asked:?}");
    let maps = ["/src/new.map", "/app.js.map", "/lib/app.js.map"].map(count);
    assert_eq!(maps, [1, 3, 1], "the map of what stayed is not read again: {asked:?}");
}

/// What a hostile server says of a script.
fn hostile(path: &str) -> Option<Answer> {
    let script = |map: &str| ok("", format!("x()\n//# sourceMappingURL={map}"));
    let sections = |map: &str, levels: usize| {
        (0..levels).fold(map.to_owned(), |map, _| {
            format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}}]}}"#)
        })
    };
    let flat = |source: &str, mappings: &str| {
        format!(r#"{{"version":3,"sources":["{source}"],"mappings":"{mappings}"}}"#)
    };
    Some(match path {
        "/huge.js" => ok("", vec![b' '; maps::MAX_BYTES + 1]),
        "/round.js" => ("302 Found\r\nLocation: /round.js\r\n".to_owned(), Vec::new()),
        "/away.js" => ("302 Found\r\nLocation: http://example.com/\r\n".to_owned(), Vec::new()),
        "/deep.js" => script("deep.map"),
        "/deep.map" => ok("", sections("{}", 100)),
        "/wide.js" => script("wide.map"),
        "/wide.map" => ok("", flat("src/wide.ts", &format!("AAAA{}", ",CAAC".repeat(1_000_000)))),
        "/negative.js" => script("negative.map"),
        "/negative.map" => ok("", flat("src/negative.ts", "AADA,CADA")),
        "/outside.js" => script("outside.map"),
        "/outside.map" => ok("", flat("../../../../../etc/passwd", "AAAA")),
        "/long-name.js" => script("long-name.map"),
        "/long-name.map" => ok("", flat(&"n".repeat(5_000_000), "AAAA")),
        _ => return None,
    })
}

#[test]
fn beside_hostile_maps_every_key_is_answered() {
    let project = tempfile::tempdir().expect("a folder");
    let server = Server::start(|path, _| hostile(path));
    let (mut terminal, port) = console(project.path(), "true");
    let error = |script: &str| {
        let stack = format!("Error: of {script}\n    at f ({}/{script}.js:1:1)", server.address);
        json!({"type": "error", "subtype": "javascript", "message": format!("of {script}"), "session-id": "s", "stack": stack})
    };
    // What never answers keeps both loading threads for their five seconds each.
    let scripts =
        ["silent-1", "silent-2", "huge", "round", "away", "deep", "wide", "negative", "long-name", "outside"];
    post_to(port, &Value::from(scripts.map(error).to_vec()).to_string());
    terminal.wait("the errors", |screen| screen.contains("of outside") && screen.contains("of silent-1"));
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    let mut keys = 0;
    while !server.asked().iter().any(|path| path == "/outside.map") || keys < 60 {
        for (pressed, shown) in [("2", "sort: new"), ("6", "received"), ("1", "of outside")] {
            let at = Instant::now();
            terminal.press(pressed);
            terminal.wait(pressed, |screen| screen.contains(shown));
            longest = longest.max(at.elapsed());
            keys += 1;
        }
        assert!(begun.elapsed() < maps::MAX_TIME * 12, "{:?}", server.asked());
    }
    // In a debug build, beside other tests: far from what a loading map may take.
    assert!(longest < maps::MAX_TIME / 2, "{longest:?}");
    terminal
        .wait("what could be mapped", |screen| screen.contains("passwd:1") && screen.contains("wide.ts:1"));
    terminal.press("N\r");
    let screen = terminal.wait("the stack", |screen| screen.contains("etc/passwd:1:1"));
    assert!(!screen.contains("root:") && !screen.contains("opens it"), "{screen}");
    terminal.press("o");
    terminal.wait("no file", |screen| screen.contains("is not in the project's folder"));
    quit(terminal);
}

#[test]
fn a_server_that_drips_costs_its_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || drip(stream))))
    });
    let loader = Loader::new(Some(Allowed::default()), Root::default(), Rewrites::default());
    let begun = Instant::now();
    assert_eq!(loader.load(&format!("{address}/a.js"), None).err(), Some(Refusal::TooSlow));
    assert!(begun.elapsed() < maps::MAX_TIME * 3, "{:?}", begun.elapsed());
}

/// One byte after the other, as long as anybody listens.
fn drip(mut stream: TcpStream) {
    // Reading what never comes is the pause between two bytes.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
    let mut bytes = [0; 1_024];
    let _ = stream.read(&mut bytes);
    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
    while sent.is_ok() {
        let _ = stream.read(&mut bytes);
        sent = stream.write_all(b" ");
    }
}

#[test]
fn an_event_that_needs_more_scripts_than_are_kept_is_placed_by_what_is_there() {
    let server = Server::start(|path, _| {
        let (script, map) = bundle(10);
        Some(ok("", if path.ends_with(".map") { map } else { script }))
    });
    let mut running = Running::start(Root::default());
    let error = |number: usize| {
        let frames: String =
            (0..60).map(|frame| format!("\n    at f ({}/{number}-{frame}.js:1:3)", server.address)).collect();
        json!({"type": "error", "message": format!("no {number}"), "stack": format!("Error: no{frames}")})
    };
    running.send(&(0..4).map(error).collect::<Vec<_>>());
    let snapshot = running.placed(4);
    for ordinal in 0..4 {
        let event = snapshot.event(ordinal).expect("kept");
        assert_eq!(event.place().map(|place| place.line), Some(10), "by its first frame");
    }
    assert_eq!(running.counters.get(Counter::MapsLoaded), 4 * 32, "a few scripts an event");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn recordings_with_changes_pass_the_fuzzers_judge(
        which in 0..1_000_usize, cut in 0.0..1.0_f64, put in "(at |@|:|;|,|A|/|\"|\\[|\\]|\\{|\\}|[0-9]|\n|é|\u{0}){0,6}", is_map in proptest::prelude::any::<bool>(),
    ) {
        let stacks = recorded();
        let map = include_str!("fixtures/maps/dist/app.js.map");
        let whole = if is_map { map } else { text(&stacks[which % stacks.len()], "stack") };
        let at = whole.floor_char_boundary((whole.len() as f64 * cut) as usize);
        judge::any(whole.as_bytes());
        judge::any(format!("{}{put}{}", &whole[..at], &whole[at..]).as_bytes());
        judge::any(&whole.as_bytes()[..at]);
    }
}
