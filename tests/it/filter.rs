//! The filter language from outside: every text ends, and quickly.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use taillight::event::{Chunk, FIELDS, FieldKind, Timestamp};
use taillight::filter::{EvalContext, Matcher, parse, read};
use taillight::pipeline::Redactor;
use taillight::wire::{Frame, Sender, decode_frame};

#[path = "../../fuzz/judge.rs"]
mod judge;

#[path = "../../benches/parse.rs"]
#[expect(dead_code, reason = "only the texts are read here")]
mod bench;

#[test]
fn the_seeds_of_the_fuzzer_pass_its_judge() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/filter");
    let mut seeds = 0;
    for entry in fs::read_dir(folder).expect("seeds").flatten() {
        judge::filter(&fs::read_to_string(entry.path()).expect("text"));
        seeds += 1;
    }
    assert!(seeds >= 20, "{seeds}");
}

#[test]
fn the_longest_and_worst_texts_pass_it_too() {
    for (_, text) in bench::texts() {
        assert!(bench::read(&text) > 0);
        // Cut where it is in the middle of something; the judge reads a text some thirty times.
        let part: String = text.chars().take(text.chars().count() / 4).collect();
        judge::filter(&part);
    }
}

/// The chunk of `events` as a browser's batch makes it.
fn decoded(events: &Value) -> Chunk {
    let frame = json!({ "t": "batch", "seq": 1, "events": events }).to_string();
    let recv = Timestamp(1_704_067_213_000);
    let sender = Sender { session: "s".into(), source: "browser", recv, ..Sender::default() };
    match decode_frame(&frame, &sender, &Redactor::default()) {
        Ok(Frame::Batch { batch, .. }) => batch.chunk,
        other => panic!("no batch: {other:?}"),
    }
}

#[test]
fn filters_of_every_field_and_operator_pick_their_events() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/filters.json")).expect("JSON");
    let chunk = decoded(&fixture["events"]);
    let number = |row: usize| {
        let event: Value = serde_json::from_str(chunk.event(row).json()).expect("JSON");
        event["n"].clone()
    };
    // The newest event is of this moment; the mark was set at the sixth.
    let (now, mark) = (Timestamp(1_704_067_213_000), Timestamp(1_704_067_205_000));
    let filters = fixture["filters"].as_array().expect("a list");
    let mut wrong = Vec::new();
    for case in filters {
        let text = case["text"].as_str().expect("text");
        let filter = Arc::new(read(text).unwrap_or_else(|refused| panic!("{refused}")));
        let canonical = Arc::new(read(&filter.to_string()).expect("canonical text reads"));
        for filter in [filter, canonical] {
            let context = EvalContext { now, mark: Some(mark), ..EvalContext::default() };
            let mut rows = Vec::new();
            Matcher::new(filter, context).pick(&chunk, &mut rows);
            let found: Vec<Value> = rows.into_iter().map(number).collect();
            if json!(found) != case["matches"] {
                wrong.push(format!("{text}: {}, not {}", json!(found), case["matches"]));
            }
        }
    }
    assert!(filters.len() >= 300 && wrong.is_empty(), "{}", wrong.join("\n"));
}

const REFERENCE: &str = include_str!("../../assets/filter.md");

/// The table of fields as the reference has it.
fn table_of_fields() -> String {
    let kind = |kind: FieldKind| match kind {
        FieldKind::Text | FieldKind::Url => "text",
        FieldKind::Name | FieldKind::Type | FieldKind::Signal | FieldKind::Group => "name",
        FieldKind::Number | FieldKind::Status | FieldKind::Load => "number",
        FieldKind::Duration | FieldKind::Age => "duration",
        FieldKind::Size => "size",
        FieldKind::Bool => "true or false",
        FieldKind::Level | FieldKind::Severity => "ordered",
        FieldKind::Time | FieldKind::Moment => "time",
        FieldKind::Is | FieldKind::Presence => "question",
    };
    let rows = FIELDS.iter().map(|field| {
        let aliases = field.aliases.iter().map(|alias| format!(", {alias}")).collect::<String>();
        let example = format!("{}:{}", field.name, field.examples[0]);
        format!("| {}{aliases} | {} | {} | {} |\n", field.name, kind(field.kind), field.doc, example)
    });
    format!("| field | kind | what it is | such as |\n|---|---|---|---|\n{}", rows.collect::<String>())
}

/// Set `TAILLIGHT_WRITE_REFERENCE` to have the table written into the file.
#[test]
fn the_reference_has_every_field() {
    let (begin, end) = ("<!-- fields -->\n", "<!-- /fields -->\n");
    let (before, rest) = REFERENCE.split_once(begin).expect("a mark");
    let (_, after) = rest.split_once(end).expect("a mark");
    let expected = [before, begin, &table_of_fields(), end, after].concat();
    if std::env::var_os("TAILLIGHT_WRITE_REFERENCE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/filter.md");
        fs::write(path, &expected).expect("written");
    } else {
        assert_eq!(REFERENCE, expected, "run it once with TAILLIGHT_WRITE_REFERENCE=1");
    }
}

#[test]
fn the_filters_of_the_reference_read_without_a_mistake() {
    let sheet =
        REFERENCE.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).expect("a sheet");
    for line in sheet.lines() {
        let filter = line.split("   ").next().unwrap_or(line).split("  ").next().unwrap_or(line).trim();
        let parsed = parse(filter);
        assert!(parsed.errors.is_empty(), "{filter}: {:?}", parsed.errors);
    }
    for field in FIELDS {
        let example = format!("{}:{}", field.name, field.examples[0]);
        assert!(parse(&example).errors.is_empty(), "{example}");
    }
}

#[test]
fn the_reference_names_every_mistake_and_note() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.join("filter"), sources.join("scan")];
    let mut codes = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("sources").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let source = fs::read_to_string(entry.path()).expect("text");
            let quoted = source.split('"').filter(|text| text.starts_with("E-") || text.starts_with("N-"));
            let is_code = |text: &str| text.len() > 2 && text[2..].chars().all(|c| c.is_ascii_uppercase());
            for code in quoted.filter(|text| is_code(text)) {
                assert!(REFERENCE.contains(code), "{code}");
                codes += 1;
            }
        }
    }
    assert!(codes > 30, "{codes}");
}

#[test]
fn help_prints_the_reference_and_the_help_of_commands() {
    let help = |topic: &[&str]| {
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_taillight"));
        let output = { program }.arg("help").args(topic).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, reference) = help(&["filter"]);
    assert_eq!((code, reference.contains("<!--")), (Some(0), false));
    assert!(reference.contains("| status, code | number |") && reference.contains("N-MIXED"), "{reference}");
    let (_, tail) = help(&["tail"]);
    assert!(tail.contains("Usage: taillight tail") && tail.contains("--exit-on"), "{tail}");
    let (_, all) = help(&[]);
    assert!(all.contains("Usage: taillight") && all.contains("help filter"), "{all}");
    assert_eq!(help(&["nope"]), (Some(2), String::new()));
}
