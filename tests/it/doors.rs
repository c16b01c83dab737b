//! The filter at every door of the program, and all of its test data through the program itself.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::command;

const VECTORS: &str = include_str!("fixtures/filter.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).expect("JSON")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().expect(key)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().expect(key)
}

/// A run whose clock times are UTC, as in the test data.
fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder).current_dir(folder).env("TZ", "UTC").args(args).output().expect("runs")
}

fn check(folder: &TempDir, args: &[&str]) -> (Option<i32>, Value) {
    let output = run(folder.path(), &[&["check", "--json"], args].concat());
    let object = serde_json::from_slice(&output.stdout);
    (output.status.code(), object.unwrap_or_else(|_| panic!("{args:?}: {output:?}")))
}

#[test]
fn a_mistake_is_shown_in_the_same_way_at_every_door() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.jsonl"), "{}\n").expect("writable");
    let expected = "taillight: filter: unknown level `wran`. Did you mean warn? \
                    (trace debug info warn error fatal report)\n    level:wran since:5m\n          ^~~~\n";
    let wrong = "level:wran since:5m";
    for args in [
        &[wrong][..],
        &["--port", "0", wrong],
        &["tail", "-f", wrong],
        &["tail", "--filter", wrong],
        &["tail", "--exit-on", wrong],
        &["tail", "-f", "level:warn", "--exit-on", wrong],
        &["open", "a.jsonl", "-f", wrong],
        &["open", "missing.jsonl", "-f", wrong],
        &["export", "--from", "a.jsonl", "-f", wrong],
        &["export", "--from", "a.jsonl", "-f", wrong, "-o", "out.jsonl"],
        &["export", "--from", "missing.jsonl", "-f", wrong],
        &["stats", "--from", "a.jsonl", "-f", wrong],
        &["stats", "--from", "a.jsonl", "-f", wrong, "--json"],
        &["check", wrong],
    ] {
        let output = run(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(2), expected), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    assert!(!folder.path().join("out.jsonl").exists());
}

/// The sample as recorded JSONL: the context that filters need beside it is in the events and in `--mark`.
#[test]
fn good_filters_export_exactly_their_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let vectors = vectors();
    let lines: Vec<String> = list(&vectors, "events").iter().map(|event| format!("{event}\n")).collect();
    std::fs::write(folder.path().join("sample.jsonl"), lines.concat()).expect("writable");
    for good in list(&vectors, "good") {
        let filter = text(good, "text");
        // Between the seventh event and the eighth.
        let args =
            ["export", "--from", "sample.jsonl", "--mark", "2024-01-01T00:01:00.500Z", "--filter", filter];
        let output = run(folder.path(), &args);
        let out = String::from_utf8(output.stdout).expect("text");
        let numbers: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["data"]["n"].take())
            .collect();
        assert_eq!(&json!(numbers), &good["matches"], "{filter}");
        assert!(output.stderr.is_empty(), "{filter}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(i32::from(numbers.is_empty())), "{filter}");
        let (code, read) = check(&folder, &["--", filter]);
        assert_eq!((code, &read["reads_as"]), (Some(0), &good["reads_as"]), "{filter}");
    }
}

#[test]
fn bad_filters_are_told_with_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for bad in list(&vectors(), "bad") {
        let filter = text(bad, "text");
        let (code, said) = check(&folder, &["--", filter]);
        assert_eq!(
            (code, &said["ok"], &said["state"]),
            (Some(2), &json!(false), &json!("error")),
            "{filter}"
        );
        for key in ["message", "col", "len", "code"] {
            assert_eq!(said[key], bad[key], "{key} of {filter}");
        }
        let (_, typing) = check(&folder, &["--typing", "--", filter]);
        assert_eq!(typing["state"], bad["while_typing"], "{filter}");
    }
}

#[test]
fn the_list_changes_at_meaningful_moments_while_typing() {
    let folder = tempfile::tempdir().expect("a folder");
    for trace in list(&vectors(), "typing") {
        let mut applied = json!("(everything)");
        for step in list(trace, "steps") {
            let typed = text(step, "typed");
            let (code, found) = check(&folder, &["--typing", "--", typed]);
            let is_error = found["state"] == "error";
            // A mistake freezes the list: what applies is what applied before.
            if !is_error {
                applied = found["applied"].clone();
            }
            let message = if is_error { found["message"].clone() } else { json!("") };
            let found =
                json!({ "typed": typed, "state": found["state"], "applied": applied, "message": message });
            assert_eq!(&found, step);
            assert_eq!(code, Some(if is_error { 2 } else { 0 }), "{typed}");
        }
    }
}

#[test]
fn what_check_echoes_is_harmless() {
    let folder = tempfile::tempdir().expect("a folder");
    for filter in ["\u{1b}[31mx", "a\u{9b}31mx or \u{202e}y z", "\u{1b}[2J:er"] {
        for more in [&[][..], &["--typing"], &["--json"], &["--json", "--typing"]] {
            let output = run(folder.path(), &[&["check"][..], more, &["--", filter]].concat());
            let out = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
            assert!(!out.is_empty() && !out.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{more:?}: {out:?}");
        }
    }
}

#[test]
fn notes_say_how_or_was_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for mixed in list(&vectors(), "mixed_note") {
        let filter = text(mixed, "text");
        let output = run(folder.path(), &["check", "--", filter]);
        let out = String::from_utf8(output.stdout).expect("text");
        assert_eq!(out.contains("note: reads as"), mixed["note"] == true, "{filter}: {out}");
        assert_eq!(output.status.code(), Some(0));
    }
    let output = run(folder.path(), &["check", "levle:er"]);
    let out = String::from_utf8(output.stdout).expect("text");
    assert_eq!(out, "levle contains er\nnote: no built-in field is called levle. Did you mean level?\n");
    let (code, said) = check(&folder, &["é levle:er"]);
    assert_eq!((code, &said["ok"], &said["state"]), (Some(0), &json!(true), &json!("note")));
    assert_eq!((&said["code"], &said["col"], &said["len"]), (&json!("N-FIELD"), &json!(3), &json!(5)));
    assert_eq!(said["message"], "no built-in field is called levle. Did you mean level?");
}
