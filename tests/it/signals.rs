//! Signal stages as a user sets them: what passes, what is changed, and that the books say so.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Program;
use crate::sinks::table;

const PATIENCE: Duration = Duration::from_secs(20);

/// A program with a file sink beside `settings`, and what that has written.
pub(crate) struct Recorded {
    pub(crate) program: Program,
    folder: tempfile::TempDir,
}

impl Recorded {
    pub(crate) fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { program: Program::with_settings(&settings_of(folder.path(), settings), &["serve"]), folder }
    }

    /// Reads other settings; gives what was said to that.
    fn reload(&self, settings: &str) -> String {
        fs::write(self.program.settings(), settings_of(self.folder.path(), settings)).expect("written");
        self.program.signal("HUP");
        self.program.complaint()
    }

    /// The file's events, all that were acked.
    pub(crate) fn events(&self) -> Vec<Value> {
        events_of(self.folder.path())
    }

    /// `/healthz`, whose sums must hold.
    pub(crate) fn health(&self) -> Value {
        let health = self.program.health();
        let of = |path: &str| {
            health.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}: {health}"))
        };
        let sum = |path: &str| -> u64 {
            let parts = health.pointer(path).and_then(Value::as_object).expect("reasons");
            parts.values().filter_map(Value::as_u64).sum()
        };
        let known = of("/ingest/accepted") + of("/ingest/duplicate") + sum("/ingest/rejected");
        assert_eq!(of("/ingest/received"), known);
        assert_eq!(
            of("/ingest/accepted") + of("/ring/own"),
            of("/ring/live") + of("/ring/evicted"),
            "{health}"
        );
        for (name, _) in health["sinks"].as_object().expect("sinks") {
            let known = ["delivered", "queued", "filtered", "sampled", "limited"];
            let known: u64 = known.iter().map(|part| of(&format!("/sinks/{name}/{part}"))).sum();
            let dropped = sum(&format!("/sinks/{name}/dropped"));
            assert_eq!(of(&format!("/sinks/{name}/offered")), known + dropped, "{health}");
        }
        health
    }

    /// Ends the program; the file's events.
    pub(crate) fn end(self) -> Vec<Value> {
        self.program.signal("TERM");
        let Self { program, folder } = self;
        assert_eq!(program.wait().code(), Some(143));
        events_of(folder.path())
    }

    pub(crate) fn until(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let health = self.health();
            if holds(&health) {
                return health;
            }
            assert!(start.elapsed() < PATIENCE, "{health}");
            std::thread::yield_now();
        }
    }
}

fn events_of(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("rec")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
}

fn settings_of(folder: &Path, settings: &str) -> String {
    let file = folder.join("rec");
    format!("{settings}\n[sinks.rec]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\n", file.display())
}

/// Of the parts of `signal` those that are not zero.
fn signal(health: &Value) -> Value {
    let parts = health["signal"].as_object().expect("parts").iter().filter(|(_, count)| **count != 0);
    parts.map(|(name, count)| (name.clone(), count.clone())).collect::<serde_json::Map<_, _>>().into()
}

const MIXED: &str = r#"[{"type":"error","subtype":"javascript","message":"a"},{"type":"analytics","subtype":"click"},
    {"type":"metric","subtype":"scroll","message":"b"},{"type":"log","id":"app/login","message":"c"},5]"#;

#[test]
fn what_does_not_pass_is_counted_by_stage_and_seen_by_the_ring_alone_or_not_at_all() {
    let stages = "[signal]\nmin-level = \"info\"\nmin-levels = { \"app/*\" = \"trace\" }\n\
        ids = { disallow = \"browser/perf*\" }\n";
    for (ring, live, rejected) in [
        ("all", 5, serde_json::json!({"not an object": 1})),
        ("passing", 3, serde_json::json!({"not an object": 1, "min-level": 1, "id": 1})),
    ] {
        let recorded = Recorded::start(&format!("{stages}ring = \"{ring}\"\n"));
        recorded.program.post(MIXED);
        let health = recorded.until(|health| health["sinks"]["rec"]["queued"] == 0);
        let kept: Vec<_> = recorded.events().iter().map(|event| event["id"].clone()).collect();
        assert_eq!(kept, ["browser/javascript", "app/login", "taillight/bad-event"], "{ring}");
        let expected = serde_json::json!({ "passed": 3, "min_level": 1, "id": 1 });
        assert_eq!(signal(&health), expected, "{ring}");
        assert_eq!(health["sinks"]["rec"]["offered"], 3);
        assert_eq!(health["ring"]["live"], live, "{ring}: the bad event is shown too");
        assert_eq!(health["ingest"]["rejected"], rejected, "{ring}");
    }
}

#[test]
fn samples_limits_namespaces_and_filters_are_stages_too() {
    let recorded = Recorded::start(
        "[signal]\nnamespaces = { disallow = \"noise(.*)\" }\nfilter = \"not has:secretive\"\n\
         samples = { \"never/*\" = 0 }\nlimits = [\"3 per minute\", \"1000 per hour\"]\n",
    );
    recorded.program.post(
        r#"[{"type":"log","id":"noise.x/y"},{"type":"log","secretive":1},{"type":"log","id":"never/a"},
            {"type":"log"},{"type":"log"},{"type":"log"},{"type":"log"},{"type":"log"}]"#,
    );
    let health = recorded.until(|health| health["sinks"]["rec"]["queued"] == 0);
    let expected = serde_json::json!({ "passed": 3, "namespace": 1, "filter": 1, "sample": 1, "limit": 2 });
    assert_eq!(signal(&health), expected);
    assert_eq!((&health["ring"]["live"], &health["sinks"]["rec"]["offered"]), (&8.into(), &3.into()));
}

#[test]
fn a_sample_by_session_keeps_whole_sessions() {
    let recorded = Recorded::start("[signal]\nsample = 0.5\nsample-by = \"session\"\n");
    let event = |number: usize| format!(r#"{{"type":"log","session-id":"s{}"}}"#, number % 20);
    let body: Vec<_> = (0..200).map(event).collect();
    recorded.program.post(&format!("[{}]", body.join(",")));
    recorded.until(|health| health["sinks"]["rec"]["queued"] == 0);
    let mut sessions = std::collections::BTreeMap::<String, usize>::new();
    for event in recorded.events() {
        *sessions.entry(event["session"].as_str().expect("a session").to_owned()).or_default() += 1;
    }
    assert!(sessions.len() > 3 && sessions.len() < 17, "{sessions:?}");
    assert!(sessions.values().all(|events| *events == 10), "{sessions:?}");
}

#[test]
fn numbered_events_keep_their_numbers_and_are_acked_whether_they_pass_or_not() {
    for ring in ["all", "passing"] {
        let recorded =
            Recorded::start(&format!("[signal]\nids = {{ allow = \"app/*\" }}\nring = \"{ring}\"\n"));
        let mut socket = recorded.program.client("c1");
        let events = r#"[{"type":"log"},{"id":"app/a"},{"type":"log"},{"id":"app/b"}]"#;
        assert_eq!(socket.batch(1, events), [serde_json::json!({"t":"ack","seq":4})]);
        let numbers: Vec<_> = recorded.events().iter().map(|event| event["cseq"].clone()).collect();
        assert_eq!(numbers, [2, 4], "{ring}");
        // The same again is a repeat, whether it passed or not.
        assert_eq!(socket.batch(1, events), [serde_json::json!({"t":"ack","seq":4})]);
        assert_eq!(recorded.health()["ingest"]["duplicate"], 4, "{ring}");
    }
}

#[test]
fn events_are_changed_enriched_and_redacted_before_anything_sees_them() {
    let recorded = Recorded::start(
        "[signal]\nenrich = { region = \"eu\", machine = \"host\", home = \"env:HOME\" }\nredact = [\"iban\"]\n\
         [[signal.transforms]]\nwhen = \"type:log\"\nrename = { \"ctx.mail\" = \"email\" }\n\
         mask = \"ctx.email\"\ndrop = \"user-id\"\nset = { level = \"error\" }\n",
    );
    let mut socket = recorded.program.client("c1");
    socket.batch(
        1,
        r#"[{"type":"log","message":"m","user-id":"u","ctx":{"mail":"a@b.c"},"iban":"DE1"},{"type":"log"},
            {"type":"metric","region":"us"}]"#,
    );
    let events = recorded.events();
    let data = &events[0]["data"];
    let expected: (&Value, &Value, &Value) = (&"a@***".into(), &"eu".into(), &"[redacted]".into());
    assert_eq!((&data["ctx"]["email"], &data["region"], &data["iban"]), expected);
    assert_eq!((&events[0]["level"], &events[0]["msg"]), (&"error".into(), &"m".into()));
    assert!(events[0].get("user").is_none() && data.get("user-id").is_none());
    assert!(events[1].get("user").is_none(), "what only the connection knew is dropped too: {}", events[1]);
    assert!(data["machine"].as_str().is_some_and(|host| !host.is_empty()));
    assert!(data["home"].as_str().is_some_and(|home| home.starts_with('/')));
    assert_eq!((&events[2]["data"]["region"], &events[2]["user"]), (&"us".into(), &"user-9".into()));
    assert_eq!(recorded.health()["signal"]["changed"], 3);
}

#[test]
fn secrets_stay_on_the_screen_unless_a_second_switch_lets_them_out() {
    const ERROR: &str =
        r#"{"type":"error","message":"no Bearer hunter2hunter2","password":"hunter2","user-id":"u-1"}"#;
    let on_screen = "[signal]\nsecrets-on-screen = true\n";
    let recorded = Recorded::start(on_screen);
    (0..5).for_each(|_| drop(recorded.program.post(ERROR)));
    // An alert quotes the message, and is an event too.
    let health = recorded.until(|health| health["sinks"]["rec"]["delivered"] == 6);
    assert_eq!(health["scrubbed"]["redacted"], 10, "{health}");
    let written = || fs::read_to_string(recorded.folder.path().join("rec")).expect("there");
    assert!(written().contains("alert firing") && !written().contains("hunter2"), "{}", written());
    let exported = || {
        let output = recorded.program.command(&["export", "--user", "u-1"]);
        String::from_utf8(output.stdout).expect("text")
    };
    // Theirs is what quotes them, too.
    assert_eq!((exported().lines().count(), exported().contains("hunter2")), (6, false));
    let shown = recorded.program.command(&["config"]).stdout;
    let shown = String::from_utf8(shown).expect("text");
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("secrets-on-screen = true").contains("config.toml"), "{shown}");
    assert!(line("secrets-outside = false").ends_with("# default"), "{shown}");
    // What memory has is let out from now on.
    recorded.reload(&format!("{on_screen}secrets-outside = true\n"));
    let has_secret = |line: &&str| line.contains("Bearer hunter2hunter2");
    assert_eq!(exported().lines().filter(has_secret).count(), 6, "{}", exported());
    recorded.program.post(ERROR);
    recorded.until(|health| health["sinks"]["rec"]["delivered"] == 7);
    assert!(written().contains("\"password\":\"hunter2\""), "{}", written());
    recorded.reload("");
    let before = written().matches("hunter2").count();
    recorded.program.post(ERROR);
    recorded.until(|health| health["sinks"]["rec"]["delivered"] == 8);
    assert_eq!(written().matches("hunter2").count(), before);
    let tail = Program::with_settings(on_screen, &["tail", "--format", "jsonl"]);
    tail.post(ERROR);
    let line = tail.line();
    assert!(line.contains("[redacted]") && !line.contains("hunter2"), "{line}");
}

#[test]
fn a_hangup_changes_the_stages_and_a_mistake_leaves_them() {
    let recorded = Recorded::start("[signal]\nlimits = \"2 per hour\"\n");
    let post = |count: usize| {
        let events = vec![r#"{"type":"log","iban":"DE1"}"#; count].join(",");
        recorded.program.post(&format!("[{events}]"));
        recorded.until(|health| health["sinks"]["rec"]["queued"] == 0)
    };
    assert_eq!(signal(&post(3)), serde_json::json!({ "passed": 2, "limit": 1 }));
    let said = recorded.reload("[signal]\nlimits = \"many\"\n");
    assert!(said.contains("signal: limits is a list, each a limit such as"), "{said}");
    assert_eq!(signal(&post(1)), serde_json::json!({ "passed": 2, "limit": 2 }), "as before");
    // The drawing of the mistake, and that it changed nothing.
    (0..3).for_each(|_| drop(recorded.program.complaint()));
    let said = recorded.reload("[signal]\nmin-level = \"warn\"\nredact = \"iban\"\nring = \"passing\"\n");
    assert!(said.contains("settings read again"), "{said}");
    assert_eq!(signal(&post(1)), serde_json::json!({ "passed": 2, "limit": 2, "min_level": 1 }));
    let said = recorded.reload("[signal]\nredact = \"iban\"\n");
    assert!(said.contains("settings read again"), "{said}");
    post(1);
    let ibans: Vec<_> = recorded.events().iter().map(|event| event["data"]["iban"].clone()).collect();
    assert_eq!(ibans, ["DE1", "DE1", "[redacted]"]);
}

#[test]
fn the_document_has_every_key_of_the_stages() {
    let tables = table("## The keys of `[signal]`", taillight::pipeline::SIGNAL)
        + &table("## The keys of `[[signal.transforms]]`", taillight::pipeline::TRANSFORM);
    let (start, path) = ("## The keys of `[signal]`", "docs/signals.md");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let document = fs::read_to_string(&path).expect("readable");
    let at = document.find(start).unwrap_or(document.len());
    if std::env::var_os("TAILLIGHT_DOCS").is_some() {
        return fs::write(path, format!("{}{tables}", &document[..at])).expect("writable");
    }
    assert_eq!(document[at..], tables, "TAILLIGHT_DOCS=write cargo test --test it signals writes it");
}
