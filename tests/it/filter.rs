//! The filter language from outside: every text ends, and quickly.

use std::fs;
use std::path::Path;

use taillight::event::{FIELDS, FieldKind};
use taillight::filter::parse;

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
