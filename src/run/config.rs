//! `taillight config` and `taillight trust`: what is set and where it came from; whose project's file counts.
//!
//! Called by `run`. What is printed reads as a settings file again; mistakes in the files go to standard error.

use std::path::Path;

use super::kept::Kept;
use super::{Usage, code, print};
use crate::alerts::Rule;
use crate::config::{OwnKey, Owner, SECTIONS, SETTINGS, Saved, Settings};
use crate::event::gate;
use crate::options::Values;
use crate::pipeline::Signal;
use crate::sinks;

/// Columns of a setting before where it came from; longer ones push that aside.
const WIDTH: usize = 44;

/// Prints every setting with its value and its origin, and the files they are read from.
pub(super) fn run(kept: &Kept) -> anyhow::Result<u8> {
    print(listing(kept).as_bytes())
}

fn listing(kept: &Kept) -> String {
    let mut text = String::new();
    let places = &kept.places;
    let mut line = |content: &str, origin: &str| {
        let content = gate::plain(content);
        let origin = gate::plain(origin);
        text.push_str(format!("{content:<WIDTH$}  # {origin}").trim_end());
        text.push('\n');
    };
    let file = |path: Option<&Path>| path.map_or("none".to_owned(), |path| path.display().to_string());
    let is_there = if places.user().is_some_and(Path::is_file) { "" } else { "  (not there yet)" };
    line("# settings of this user", &format!("{}{is_there}", file(places.user())));
    let trust = match (places.project(), places.is_trusted()) {
        (None, _) => "",
        (_, true) => "  (trusted: all of it counts)",
        (_, false) => "  (not trusted: looks and filters count, `taillight trust` lets the rest)",
    };
    line("# settings of this project", &format!("{}{trust}", file(places.project())));
    for setting in &SETTINGS {
        let written = format!("{} = {}", setting.key, setting.written(&kept.settings));
        line(&written, kept.settings.origin(setting));
    }
    for section in &SECTIONS {
        let rows = rows(section.name, &kept.settings);
        if !rows.is_empty() {
            line("", "");
            // Of an array every row has its head.
            let is_array = section.form.starts_with("[[");
            let head = if is_array { format!("# {}", section.name) } else { format!("[{}]", section.name) };
            line(&head, section.help);
        }
        for (written, origin) in rows {
            line(&written, &origin);
        }
    }
    text
}

/// What a section holds, as it would be written, with where it came from.
fn rows(section: &str, settings: &Settings) -> Vec<(String, String)> {
    match section {
        "filters" => settings.saved.iter().map(filter_row).collect(),
        "sinks" => settings.sinks.iter().flat_map(|(sink, origin)| sink_rows(sink, origin)).collect(),
        "signal" => signal_rows(&settings.signal.0, &settings.signal.1),
        "alerts" => settings.alerts.iter().flat_map(alert_rows).collect(),
        "keys" => settings.keys.iter().map(key_row).collect(),
        _ => Vec::new(),
    }
}

fn filter_row(saved: &Saved) -> (String, String) {
    let owner = match saved.owner {
        Owner::BuiltIn => "built in",
        Owner::User => "yours",
        Owner::Project => "of the project",
    };
    let text = toml_edit::Value::from(saved.text.as_str());
    (format!("{} = {text}", saved.name), owner.to_owned())
}

/// A sink's keys, each in a line of its own.
fn sink_rows(sink: &sinks::Setting, origin: &str) -> Vec<(String, String)> {
    let kind = (format!("{}.type = \"{}\"", sink.name, sink.kind.name), origin.to_owned());
    let prefix = format!("{}.", sink.name);
    std::iter::once(kind).chain(value_rows(&prefix, &sink.values, origin)).collect()
}

/// The keys of the section, then those of each transform below a head of its own.
fn signal_rows(signal: &Signal, origin: &str) -> Vec<(String, String)> {
    let head = || ("[[signal.transforms]]".to_owned(), origin.to_owned());
    let transforms = signal
        .transforms()
        .iter()
        .flat_map(|values| std::iter::once(head()).chain(value_rows("", values, origin).collect::<Vec<_>>()));
    value_rows("", signal.values(), origin).chain(transforms).collect()
}

fn alert_rows(rule: &Rule) -> Vec<(String, String)> {
    let head = ("[[alerts]]".to_owned(), rule.origin.clone());
    std::iter::once(head).chain(value_rows("", &rule.values, &rule.origin)).collect()
}

/// A line for each key that has a value; `origin` is where it stands that are no defaults.
fn value_rows(prefix: &str, values: &Values, origin: &str) -> impl Iterator<Item = (String, String)> {
    values.shown().map(move |(key, value, is_written)| {
        let origin = if is_written { origin } else { "default" };
        (format!("{prefix}{key} = {value}"), origin.to_owned())
    })
}

fn key_row(own: &OwnKey) -> (String, String) {
    let keys = toml_edit::Value::from(own.keys.as_str());
    (format!("{} = {keys}", own.action), own.place.clone())
}

/// Trusts the project's file as it is now, or no more.
pub(super) fn trust(kept: &Kept, is_withdrawn: bool) -> anyhow::Result<u8> {
    let path = kept.places.set_trust(!is_withdrawn).map_err(Usage)?;
    let path = path.display().to_string();
    let path = gate::plain(&path);
    let said = if is_withdrawn {
        format!("{path} is not trusted any more: only its looks and filters count\n")
    } else {
        format!("all of {path} counts now, until it changes: `taillight config` shows what it sets\n")
    };
    print(said.as_bytes())?;
    Ok(code::FINE)
}
