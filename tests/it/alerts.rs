//! Alerts and summaries as a user meets them: rules in the settings, events in, what sinks, books and screen say.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use taillight::alerts::{Firing, usual};
use taillight::counters::Counter;
use taillight::event::Timestamp;
use taillight::sinks::{Counts, Report, State};
use taillight::ui::Msg;

use crate::harness::{command, post_to};
use crate::pty::Terminal;
use crate::signals::Recorded;
use crate::sinks::table;
use crate::ui::Console;

const ERROR: &str = r#"{"type":"error","subtype":"javascript","message":"cannot read x of undefined 42"}"#;

fn holds(health: &Value) -> bool {
    health["alerts"].as_array().is_some_and(|alerts| !alerts.is_empty())
}

#[test]
fn the_same_error_five_times_is_told_once_and_causes_nothing_more() {
    let recorded = Recorded::start("");
    (0..4).for_each(|_| drop(recorded.program.post(ERROR)));
    recorded.program.post(r#"{"type":"error","subtype":"javascript","message":"something else entirely"}"#);
    assert_eq!(recorded.health()["alerts"], json!([]));
    recorded.program.post(ERROR);
    let health = recorded.until(holds);
    let alert = &health["alerts"][0];
    assert_eq!((&alert["name"], &alert["value"]), (&"same error".into(), &5.0.into()));
    recorded.until(|health| health["sinks"]["rec"]["delivered"] == 7);
    let events = recorded.events();
    let told: Vec<_> = events.iter().filter(|event| event["id"] == "taillight/alert").collect();
    let [told] = told.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (&told["data"]["state"], &told["data"]["alert-group"]),
        (&"firing".into(), &events[0]["group"])
    );
    assert_eq!(told["msg"], "alert firing: same error, 5 in 5m: cannot read x of undefined 42");
    // More of it, and the alert's own event, which is an error too, change nothing.
    (0..20).for_each(|_| drop(recorded.program.post(ERROR)));
    let health = recorded.until(|health| health["alerts"][0]["value"] == 25.0);
    assert_eq!((&health["ring"]["own"], &health["sinks"]["rec"]["offered"]), (&1.into(), &27.into()));
    assert_eq!(health["signal"]["passed"], 27);
}

#[test]
fn an_alert_begins_ends_and_goes_to_the_sinks_it_names_whatever_they_select() {
    let recorded = Recorded::start(
        "[[alerts]]\nname = \"same error\"\nenabled = false\n[[alerts]]\nname = \"low\"\nfilter = \"level:warn\"\n\
         at-least = 2\nwindow = \"1s\"\nsinks = [\"console\"]\n\
         [sinks.console]\nmin-level = \"report\"\ndata = false\n",
    );
    recorded
        .program
        .post(r#"[{"type":"log","level":"warn"},{"type":"log","level":"warn","message":"low \u001b[2J"}]"#);
    let began = recorded.program.line();
    assert!(began.ends_with("ERROR [taillight] alert firing: low, 2 in 1s: low ␛[2J"), "{began}");
    let ended = recorded.program.line();
    assert!(ended.ends_with("INFO [taillight] alert ended: low, 0 in 1s: low ␛[2J"), "{ended}");
    let health = recorded.until(|health| health["sinks"]["console"]["delivered"] == 2);
    assert_eq!(health["sinks"]["rec"]["offered"], 2, "other sinks do not get it");
    assert_eq!((&health["ring"]["own"], &health["alerts"]), (&2.into(), &json!([])));
}

#[test]
fn shares_percentiles_and_rates_are_measured_by_what_is_counted_apart() {
    let recorded = Recorded::start(
        "[[alerts]]\nname = \"slow\"\nby = \"endpoint\"\nmeasure = \"p95\"\nat-least = 800\nmin-events = 5\n\
         [[alerts]]\nname = \"failing\"\nfilter = \"is:failed\"\nof = \"has:endpoint\"\nmeasure = \"share\"\n\
         at-least = 0.5\nmin-events = 10\n",
    );
    let call = |path: &str, status: u16, ms: u32| {
        format!(
            r#"{{"type":"metric","subtype":"api-call","url":"{path}","method":"GET","status":{status},"duration-ms":{ms}}}"#
        )
    };
    let mut calls: Vec<_> = (0..5).map(|_| call("/slow", 200, 900)).collect();
    calls.extend((0..4).map(|_| call("/quick", 200, 5)));
    recorded.program.post(&format!("[{}]", calls.join(",")));
    let health = recorded.until(holds);
    let told = |health: &Value| -> Vec<(String, String, f64)> {
        let one = |alert: &Value| {
            let text = |name: &str| alert[name].as_str().expect("text").to_owned();
            (text("name"), text("key"), alert["value"].as_f64().expect("a number"))
        };
        health["alerts"].as_array().expect("alerts").iter().map(one).collect()
    };
    assert_eq!(told(&health), [("slow".to_owned(), "GET /slow".to_owned(), 900.0)]);
    let failed: Vec<_> = (0..11).map(|_| call("/quick", 500, 5)).collect();
    recorded.program.post(&format!("[{}]", failed.join(",")));
    let health = recorded.until(|health| health["alerts"].as_array().is_some_and(|alerts| alerts.len() == 2));
    assert_eq!(told(&health)[1], ("failing".to_owned(), String::new(), 0.55));
}

#[test]
fn an_alert_that_holds_when_its_rule_is_set_otherwise_is_told_to_have_ended() {
    let low = |at_least: u32| {
        format!("[[alerts]]\nname = \"low\"\nfilter = \"level:warn\"\nat-least = {at_least}\n")
    };
    let recorded = Recorded::start(&low(2));
    recorded.program.post(r#"[{"type":"log","level":"warn"},{"type":"log","level":"warn","message":"low"}]"#);
    recorded.until(holds);
    let page = recorded.program.request("GET", "/metrics", &[], "").body;
    assert!(page.contains("taillight_alerts_firing{alert=\"low\"} 1"), "{page}");
    assert!(page.contains("taillight_alerts_firing{alert=\"same error\"} 0"), "{page}");
    let settings = recorded.program.settings();
    let text = fs::read_to_string(&settings).expect("readable").replace(&low(2), &low(3));
    fs::write(settings, text).expect("written");
    recorded.program.signal("HUP");
    let health = recorded.until(|health| !holds(health));
    assert_eq!(health["alerts"], json!([]));
    recorded.until(|health| health["sinks"]["rec"]["delivered"] == 4);
    let events = recorded.events();
    let told: Vec<_> = events.iter().filter(|event| event["id"] == "taillight/alert").collect();
    let [began, ended] = told.as_slice() else { panic!("{events:?}") };
    assert_eq!((&began["data"]["state"], &began["data"]["by-settings"]), (&"firing".into(), &false.into()));
    assert_eq!((&ended["data"]["state"], &ended["data"]["by-settings"]), (&"ended".into(), &true.into()));
    assert_eq!(ended["msg"], "alert ended, by other settings: low, 2 in 5m: low");
}

#[test]
fn summaries_close_in_their_time_and_what_is_late_is_counted_in() {
    let recorded = Recorded::start(
        "[signal]\nsummary-window = \"2s\"\nsummary-late = \"5s\"\nsummary-silence = \"1s\"\n",
    );
    let call = |late: i64| {
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let at = i64::try_from(at.as_millis()).expect("fits") - late;
        format!(
            r#"{{"type":"metric","subtype":"api-call","url":"/api/users/7","method":"GET","status":200,"duration-ms":20,"timestamp":{at},"session-id":"s-1"}}"#
        )
    };
    // One that is two seconds late is counted in a window that has ended, one that is a minute late in none.
    recorded.program.post(&format!("[{},{},{}]", call(0), call(2_000), call(60_000)));
    let closed =
        |health: &Value| health["sinks"]["rec"]["delivered"].as_u64().is_some_and(|count| count >= 5);
    recorded.until(closed);
    let of = |id: &str| -> Vec<Value> {
        recorded.events().into_iter().filter(|event| event["id"] == id).collect()
    };
    recorded.until(|_| {
        let counts = of("taillight/endpoint-window");
        counts.iter().filter_map(|one| one["data"]["count"].as_u64()).sum::<u64>() == 2
    });
    let windows = of("taillight/endpoint-window");
    assert!(windows.iter().all(|one| one["data"]["window-ms"] == 2_000 && one["data"]["partial"] == false));
    assert!(
        windows[0]["msg"]
            .as_str()
            .is_some_and(|msg| msg.starts_with("GET /api/users/:id: ") && msg.contains(" in 2 s, p50 20 ms")),
        "{windows:?}"
    );
    let sessions = of("taillight/session-summary");
    let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert_eq!((&session["session"], &session["data"]["count"]), (&"s-1".into(), &3.into()));
    assert_eq!((&session["data"]["partial"], &session["data"]["sessions"]), (&false.into(), &1.into()));
}

#[test]
fn minutes_and_sessions_are_summed_up_for_the_sinks_that_take_them_at_the_end_at_the_latest() {
    let folder = tempfile::tempdir().expect("a folder");
    let without = folder.path().join("without");
    let recorded = Recorded::start(&format!(
        "[sinks.without]\ntype = \"file\"\nfile = \"{}\"\nmin-free = 1\nsummaries = false\n",
        without.display()
    ));
    let mut socket = recorded.program.client("c1");
    socket.batch(
        1,
        r#"[{"type":"metric","subtype":"api-call","url":"/api/users/7","method":"GET","status":200,"duration-ms":20},
            {"type":"metric","subtype":"api-call","url":"/api/users/8","method":"GET","status":500,"duration-ms":80},
            {"type":"error","message":"no"}]"#,
    );
    assert_eq!(recorded.events().len(), 3);
    drop(socket);
    let events = recorded.end();
    let of = |id: &str| events.iter().filter(|event| event["id"] == id).collect::<Vec<_>>();
    // The two may be on either side of a full minute.
    let windows = of("taillight/endpoint-window");
    let sum = |name: &str| windows.iter().filter_map(|one| one["data"][name].as_f64()).sum::<f64>();
    assert_eq!((sum("count"), sum("errors"), sum("sum")), (2.0, 1.0, 100.0), "{windows:?}");
    assert_eq!(
        (&windows[0]["data"]["endpoint"], &windows[0]["data"]["partial"]),
        (&"GET /api/users/:id".into(), &true.into())
    );
    assert_eq!(windows.iter().filter_map(|one| one["data"]["max"].as_f64()).fold(0.0, f64::max), 80.0);
    let sessions = of("taillight/session-summary");
    let [session] = sessions.as_slice() else { panic!("{events:?}") };
    assert_eq!((&session["session"], &session["user"]), (&"sess-1".into(), &"user-9".into()));
    assert_eq!((&session["data"]["count"], &session["data"]["errors"]), (&3.into(), &1.into()));
    let seqs: Vec<_> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert!(seqs.is_sorted() && seqs.first() == Some(&1) && seqs.last() == Some(&(events.len() as u64)));
    assert_eq!(fs::read_to_string(without).expect("there").lines().count(), 3);
}

#[test]
fn what_is_wrong_with_an_alert_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, expected) in [
        ("[[alerts]]\nname = \"x\"", "alerts: `x` needs at-least"),
        (
            "[[alerts]]\nname = \"x\"\nat-least = 1\nfilter = \"level>=\"",
            "line 4, column 18: alerts: filter: level>= needs a value, like level>=warn\n    filter = \"level>=\"\n                     ^",
        ),
        (
            "[[alerts]]\nname = \"x\"\nat-least = 1\nsinks = \"hook\"",
            "is sent to the sink `hook`, which is not set",
        ),
        ("[alerts]\nname = \"x\"", "alerts are tables: [[alerts]]"),
    ] {
        fs::write(folder.path().join("c.toml"), text).expect("written");
        let mut config = command(folder.path());
        let output =
            config.current_dir(folder.path()).args(["config", "--config", "c.toml"]).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected) && said.contains("line"), "{text}: {said}");
        // What is there by default stays.
        assert!(String::from_utf8_lossy(&output.stdout).contains("name = \"same error\""));
    }
}

#[test]
fn header_health_and_errors_show_what_holds() {
    let mut console = Console::with_a_shop();
    let groups = |console: &mut Console| {
        console.keys("2");
        let screen = console.screen(120, 36);
        let rows = screen.lines().skip(4).take_while(|line| !line.trim().is_empty());
        rows.filter(|row| !row.contains("! alert")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(groups(&mut console).iter().all(|row| !row.contains('!')));
    let snapshot = Arc::clone(&console.app.matches().snapshot);
    let group = |ordinal| snapshot.event(ordinal).and_then(|event| event.group());
    let first = groups(&mut console).remove(0);
    let is_first = |group: u64| first.contains(&format!(" {:04x} ", group >> 48));
    let failed = (snapshot.first..snapshot.end)
        .find(|ordinal| group(*ordinal).is_some_and(is_first))
        .expect("an event of the first group");
    let firing = Firing {
        rule: Arc::new(usual().remove(0)),
        key: String::new(),
        // As the alert knew it; the event has another one by now.
        group: Some((1, failed)),
        since: Timestamp(1_769_869_900_000),
        value: 7.0,
        example: "it \u{1b}[2J broke".to_owned(),
        user: String::new(),
        session: String::new(),
    };
    console.send(Msg::Alerts(Arc::new(vec![firing])));
    let marked: Vec<_> = groups(&mut console).into_iter().filter(|row| row.contains('!')).collect();
    let [marked] = marked.as_slice() else { panic!("{marked:?}") };
    assert!(
        group(failed).is_some_and(|group| marked.contains(&format!(" {:04x} ", group >> 48))),
        "{marked}"
    );
    let selected = console.screen(120, 36).contains("! alert same error: 7 in 5m since");
    assert!(selected, "{}", console.screen(120, 36));
    assert!(console.screen(120, 36).lines().next().is_some_and(|header| header.contains("! 1 alert")));
    console.keys("6");
    let health = console.screen(120, 36);
    assert!(health.contains("! same error  7 in 5m  it ␛[2J broke"), "{health}");
    console.send(Msg::Alerts(Arc::default()));
    assert!(!console.screen(120, 36).contains("alert"));
}

/// A sink whose numbers add up.
fn report(name: &str, kind: &'static str, state: State, last_error: Option<&str>) -> Report {
    let counts = Counts {
        offered: 48_210,
        delivered: 47_000,
        filtered: 800,
        sampled: 100,
        limited: 50,
        dropped: [200, 0, 0, 0, 10, 0, 0, 0],
        errors: if last_error.is_some() { 7 } else { 0 },
    };
    let last_error = last_error.map(str::to_owned);
    let (p50, p99) = (Some(0.8), Some(214.0));
    Report { name: name.to_owned(), kind, mode: "dropping", state, counts, queued: 50, p50, p99, last_error }
}

#[test]
fn health_with_sinks_alerts_and_stages_is_whole_at_every_size() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (width, height) in [(80, 24), (120, 36), (200, 60)] {
            let mut console = Console::with_a_shop();
            for (stage, events) in Counter::STAGES.into_iter().zip([120, 0, 3, 0, 44_000, 17]) {
                console.counters.add(stage, events);
            }
            console.counters.add(Counter::SignalPassed, 4_070);
            console.counters.add(Counter::SignalChanged, 12);
            let down = "cannot connect: error connecting to server: Connection refused (os error 111)";
            let sinks = [
                report("file", "file", State::Running, None),
                report("postgres", "postgres", State::Retrying, Some(down)),
                report("a-sink-with-a-long-name", "otlp", State::Paused, None),
                report("slack", "slack", State::Idle, None),
            ];
            assert!(sinks.iter().all(Report::is_balanced));
            console.send(Msg::Sinks(Arc::from(sinks)));
            let firing = |key: &str, example: &str, value| Firing {
                rule: Arc::new(usual().remove(0)),
                key: key.to_owned(),
                group: None,
                since: Timestamp(1_769_869_900_000),
                value,
                example: example.to_owned(),
                user: String::new(),
                session: String::new(),
            };
            console.send(Msg::Alerts(Arc::new(vec![
                firing("", "Cannot read properties of undefined (reading 'price')", 7.0),
                firing("GET /api/users/:id", "", 12.0),
            ])));
            console.keys("6");
            insta::assert_snapshot!(
                format!("health-handlers-{width}x{height}"),
                console.screen(width, height)
            );
        }
    });
}

#[test]
fn an_alert_rings_the_bell_and_notifies_the_terminal_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    let text =
        "[[alerts]]\nname = \"low\"\nfilter = \"level:warn\"\nat-least = 2\nbell = true\nnotify = true\n";
    fs::write(&path, text).expect("written");
    let path = path.to_str().expect("text");
    let (mut terminal, port) = Terminal::console_with(&["--config", path], 80, 24);
    let warn = r#"{"type":"log","level":"warn","message":"low; \u001b]0;x\u0007 disk"}"#;
    post_to(port, &format!("[{warn},{warn}]"));
    let said = "taillight: low, 2 in 5m: low, ␛]0,x␇ disk";
    let said = said.trim_start_matches("taillight: ");
    terminal.wait_for_bytes(&format!(
        "\u{7}\u{1b}]9;taillight: {said}\u{1b}\\\u{1b}]777;notify;taillight;{said}\u{1b}\\"
    ));
    terminal.wait("the alert in the header", |screen| screen.contains("! 1 alert"));
}

#[test]
fn the_document_has_every_key_of_alerts() {
    let tables = table("## The keys of `[[alerts]]`", taillight::alerts::ALERT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md");
    let document = fs::read_to_string(&path).expect("readable");
    let at = document.find("## The keys of `[[alerts]]`").unwrap_or(document.len());
    if std::env::var_os("TAILLIGHT_DOCS").is_some() {
        return fs::write(path, format!("{}{tables}", &document[..at])).expect("writable");
    }
    assert_eq!(document[at..], tables, "TAILLIGHT_DOCS=write cargo test --test it alerts writes it");
}
