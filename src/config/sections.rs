//! The sections of a settings file: tables with names of the user's own, each with its reader.
//!
//! Called by `settings` for every top-level table that is no group of plain settings. A section is a row in
//! [`SECTIONS`]; what is wrong in it is said to the [`Reader`], with its place, and costs nothing else.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::complaint::{Complaint, line_of};
use super::filters;
use super::settings::{OwnKey, Owner, Saved, Settings};
use super::table::Project;
use crate::alerts;
use crate::options::place_in;
use crate::pipeline::Signal;
use crate::sinks;

/// Saved filters read from one file; those beyond are left out with a note.
const MAX_SAVED: usize = 100;
/// Characters of a saved filter's name.
const MAX_NAME: usize = 40;

/// One section.
pub struct Section {
    pub name: &'static str,
    /// As it is written: `[filters]`.
    pub form: &'static str,
    pub project: Project,
    pub help: &'static str,
    pub(super) read: fn(&mut Settings, &Item, &mut Reader<'_>),
}

/// Every section.
pub static SECTIONS: [Section; 5] = [
    Section {
        name: "filters",
        form: "[filters]",
        project: Project::Free,
        help: "Saved filters by name, as in slow = \"duration>1s\"",
        read: take_filters,
    },
    Section {
        name: "sinks",
        form: "[sinks.NAME]",
        project: Project::Trusted,
        help: "Where events go beside the screen, see Sinks",
        read: take_sinks,
    },
    Section {
        name: "signal",
        form: "[signal]",
        project: Project::Trusted,
        help: "What passes to the sinks, and what is changed before, see Signals",
        read: take_signal,
    },
    Section {
        name: "alerts",
        form: "[[alerts]]",
        project: Project::Trusted,
        help: "What is told when it happens too often, see Alerts",
        read: take_alerts,
    },
    Section {
        name: "keys",
        form: "[keys]",
        project: Project::Trusted,
        help: "Keys of your own by the name of what they do, as in around = \"A\"; `:` lists the names",
        read: take_keys,
    },
];

/// A file that is being read: whose it is, and what was found wrong.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a str,
    pub(super) owner: Owner,
    /// Its project was trusted by the user, or it is the user's own.
    pub(super) is_trusted: bool,
    pub(super) said: Vec<Complaint>,
}

impl Reader<'_> {
    /// Complains about the bytes at `span`, or about the file as a whole.
    pub(super) fn complain(&mut self, span: Option<Range<usize>>, message: impl Into<String>) {
        self.said.push(Complaint::new(self.text, span, message));
    }

    /// Complains about the key `name` of `table`.
    pub(super) fn complain_key(&mut self, table: &dyn TableLike, name: &str, message: impl Into<String>) {
        self.complain(table.key(name).and_then(toml_edit::Key::span), message);
    }

    /// Whether what only a trusted file may set counts here.
    pub(super) fn may_set(&self, project: Project) -> bool {
        project == Project::Free || self.is_trusted
    }

    /// Where the bytes at `span` are, for people: `/home/me/config.toml, line 3`.
    pub(super) fn place(&self, span: Option<Range<usize>>) -> String {
        place_of(self.text, self.path, span)
    }
}

fn place_of(text: &str, path: &str, span: Option<Range<usize>>) -> String {
    let line = span.map(|span| format!(", line {}", line_of(text, span.start)));
    format!("{path}{}", line.unwrap_or_default())
}

fn take_filters(settings: &mut Settings, item: &Item, reader: &mut Reader<'_>) {
    let Some(table) = item.as_table_like() else {
        return reader.complain(item.span(), "filters is a table: [filters]");
    };
    for (number, (name, item)) in table.iter().enumerate() {
        if number >= MAX_SAVED {
            reader.complain_key(table, name, format!("only the first {MAX_SAVED} saved filters count"));
            break;
        }
        match (is_name(name), item.as_str()) {
            (true, Some(text)) => match filters::mistake(&format!("filters.{name}"), text) {
                Some((message, at)) => reader.complain(place_in(item, at), message),
                None => {
                    let place = reader.place(table.key(name).and_then(toml_edit::Key::span));
                    let (name, text) = (name.to_owned(), text.trim().to_owned());
                    put(&mut settings.saved, Saved { name, text, owner: reader.owner, place });
                }
            },
            (false, _) => {
                reader.complain_key(table, name, format!("`{name}` is no name for a filter: {NAME_RULE}"));
            }
            (true, None) => {
                let message = format!("{name} is a filter in quotes, as in {name} = \"status>=500\"");
                reader.complain(item.span(), message);
            }
        }
    }
}

/// A file's sink takes the place of one of the same name in a file before it.
fn take_sinks(settings: &mut Settings, item: &Item, reader: &mut Reader<'_>) {
    let Some(table) = item.as_table_like() else {
        return reader.complain(item.span(), "sinks is a table of tables: [sinks.NAME]");
    };
    for sink in sinks::read(table, &mut |span, message| reader.complain(span, message)) {
        let origin = reader.place(table.key(&sink.name).and_then(toml_edit::Key::span));
        settings.sinks.retain(|(known, _)| known.name != sink.name);
        settings.sinks.push((sink, origin));
    }
}

/// A later file's section takes the place of an earlier one's.
fn take_signal(settings: &mut Settings, item: &Item, reader: &mut Reader<'_>) {
    let Some(table) = item.as_table_like() else {
        return reader.complain(item.span(), "signal is a table: [signal]");
    };
    let signal = Signal::read(table, &mut |span, message| reader.complain(span, message));
    settings.signal = (signal, reader.place(item.span()));
}

/// A file's alert takes the place of one of the same name in a file before it.
fn take_alerts(settings: &mut Settings, item: &Item, reader: &mut Reader<'_>) {
    let (text, path) = (reader.text, reader.path);
    let place = |span| place_of(text, path, span);
    alerts::read(&mut settings.alerts, item, &place, &mut |span, message| reader.complain(span, message));
}

/// Keys by the name of their action; which names there are is known to the screens.
fn take_keys(settings: &mut Settings, item: &Item, reader: &mut Reader<'_>) {
    let Some(table) = item.as_table_like() else {
        return reader.complain(item.span(), "keys is a table: [keys]");
    };
    for (name, item) in table.iter() {
        let Some(keys) = item.as_str() else {
            let message =
                format!("{name} is one key in quotes, or several with blanks, as in {name} = \"A\"");
            reader.complain(item.span(), message);
            continue;
        };
        let span = table.key(name).and_then(toml_edit::Key::span);
        let complaint = Complaint::new(reader.text, span, "");
        let own = OwnKey {
            action: name.to_owned(),
            keys: keys.to_owned(),
            place: format!("{}: {}", reader.path, complaint.place),
            drawing: complaint.drawing,
        };
        settings.keys.retain(|known| known.action != own.action);
        settings.keys.push(own);
    }
}

fn put(all: &mut Vec<Saved>, saved: Saved) {
    match all.iter_mut().find(|known| known.name == saved.name) {
        Some(known) => *known = saved,
        None => all.push(saved),
    }
}

/// What a name may be, for messages.
pub(super) const NAME_RULE: &str = "letters, digits, - and _";

/// Whether `saved:name` can name it.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_plain)
}
