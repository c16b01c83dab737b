//! What the code must never do: who may import whom, which words stay out of which folders, how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Module → what it may name of the crate. Data flows down this table; nothing imports upward.
const IMPORTS: [(&str, &[&str]); 24] = [
    ("event", &[]),
    ("stack", &["event"]),
    ("priority", &[]),
    ("inbox", &[]),
    ("published", &[]),
    ("reach", &[]),
    ("counters", &["event"]),
    ("stats", &["event", "pipeline"]),
    ("filter", &["event"]),
    ("options", &["event", "filter"]),
    ("alerts", &["event", "filter", "options", "pipeline"]),
    ("config", &["alerts", "event", "filter", "ingest", "options", "pipeline", "sinks"]),
    ("pipeline", &["event", "filter", "options", "stack"]),
    ("sinks", &["event", "filter", "options", "pipeline", "priority", "reach"]),
    ("wire", &["event", "pipeline", "stack"]),
    ("store", &["event", "stats", "published"]),
    ("scan", &["event", "filter", "inbox", "priority", "stats", "store", "published"]),
    (
        "ingest",
        &["alerts", "event", "wire", "pipeline", "published", "reach", "sinks", "stats", "store", "counters"],
    ),
    ("recording", &["event", "wire", "pipeline", "filter", "stats", "store"]),
    (
        "ui",
        &[
            "alerts",
            "config",
            "counters",
            "event",
            "filter",
            "published",
            "scan",
            "sinks",
            "stack",
            "stats",
            "store",
        ],
    ),
    ("load", &["event"]),
    ("maps", &["counters", "event", "inbox", "pipeline", "priority", "reach", "stack", "store"]),
    ("cli", &["config", "event"]),
    (
        "run",
        &[
            "alerts",
            "cli",
            "config",
            "counters",
            "event",
            "filter",
            "ingest",
            "load",
            "maps",
            "options",
            "pipeline",
            "published",
            "recording",
            "scan",
            "sinks",
            "stack",
            "stats",
            "store",
            "ui",
            "wire",
        ],
    ),
];

/// Text that may stand only in the named modules.
const ONLY_IN: [(&str, &[&str]); 6] = [
    ("tokio::", &["ingest", "run", "load", "sinks", "store"]),
    ("ratatui::", &["ui"]),
    ("crossterm::", &["ui", "run"]),
    ("SystemTime::now", &["ingest"]),
    ("Instant::now", &["ingest", "run", "load", "maps", "sinks", "ui", "scan"]),
    ("std::fs", &["config", "ingest", "maps", "options", "run", "recording", "sinks"]),
];

/// Text that may stand nowhere outside tests.
const NEVER: [&str; 11] = [
    "unbounded_channel",
    ".unwrap()",
    "#[allow(",
    "todo!(",
    "unimplemented!(",
    "TODO",
    "FIXME",
    // These panic outside the buffer or let text from outside through; `ui::draw` is the one way to draw.
    "set_string(",
    "set_line(",
    "Paragraph",
    "Span::raw",
];

const MAX_LINES: usize = 600;
const MAX_FUNCTION: usize = 60;

struct Source {
    path: PathBuf,
    module: String,
    /// Without its tests.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&root, path));
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn source(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("readable");
    let relative = path.strip_prefix(root).expect("inside");
    let module = relative.iter().next().expect("a name").to_string_lossy().trim_end_matches(".rs").to_owned();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_test = stem == "tests" || stem.ends_with("_tests");
    let code = if is_test {
        String::new()
    } else {
        text.split("\n#[cfg(test)]\nmod ").next().unwrap_or("").to_owned()
    };
    let lines = text.lines().count();
    Source { path, module, code, lines }
}

fn fail(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut complaints = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = IMPORTS.iter().find(|(module, _)| *module == source.module) else {
            if !["main", "lib"].contains(&source.module.as_str()) {
                complaints.push(format!("{}: not in the table of imports", source.path.display()));
            }
            continue;
        };
        for (number, line) in source.code.lines().enumerate() {
            for piece in line.split("crate::").skip(1) {
                let named: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_fine = named.is_empty() || named == source.module || allowed.contains(&named.as_str());
                if !is_fine && !line.trim_start().starts_with("//") {
                    complaints.push(format!("{}:{}: imports {named}", source.path.display(), number + 1));
                }
            }
        }
    }
    fail(&complaints);
}

#[test]
fn words_stay_where_they_belong() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (number, line) in source.code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            let at = || format!("{}:{}", source.path.display(), number + 1);
            for (word, modules) in ONLY_IN {
                if line.contains(word) && !modules.contains(&source.module.as_str()) {
                    complaints.push(format!("{}: {word} outside {modules:?}", at()));
                }
            }
            for word in NEVER {
                if line.contains(word) {
                    complaints.push(format!("{}: {word}", at()));
                }
            }
        }
    }
    fail(&complaints);
}

#[test]
fn files_open_with_what_they_are_and_stay_short() {
    let mut complaints = Vec::new();
    for source in sources() {
        let text = fs::read_to_string(&source.path).expect("readable");
        if !text.starts_with("//! ") {
            complaints.push(format!("{}: does not open with //!", source.path.display()));
        }
        if source.lines > MAX_LINES {
            complaints.push(format!("{}: {} lines", source.path.display(), source.lines));
        }
        for (number, length) in long_functions(&source.code) {
            complaints.push(format!("{}:{number}: a function of {length} lines", source.path.display()));
        }
    }
    fail(&complaints);
}

/// Line numbers and lengths of functions over the limit, by the indentation rustfmt gives.
fn long_functions(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in code.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start();
        let is_start = words.split('(').next().is_some_and(|head| head.split(' ').any(|word| word == "fn"))
            && !words.starts_with("//");
        if is_start && open.is_none() && !words.ends_with(';') {
            open = Some((number, indent));
        }
        if let Some((start, start_indent)) = open
            && line.len() > start_indent
            && indent == start_indent
            && words.starts_with('}')
        {
            if number - start + 1 > MAX_FUNCTION {
                found.push((start + 1, number - start + 1));
            }
            open = None;
        }
    }
    found
}

#[test]
fn every_filter_of_the_readme_reads_without_a_mistake() {
    let readme = include_str!("../../README.md");
    let sheet =
        readme.split("## Filter").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("a cheat sheet");
    let filters: Vec<&str> = sheet.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(filters.len() > 20);
    for line in filters {
        let filter = line.split("  #").next().unwrap_or(line).trim();
        let parsed = taillight::filter::parse(filter);
        assert!(parsed.errors.is_empty(), "{filter}: {:?}", parsed.errors);
    }
}
