//! One settings file's text: read with notes about what is wrong in it, and edited without touching its other lines.
//!
//! Called by `places`, which has the files. Unknown names are notes, a line that is no TOML is one too and names its
//! place; nothing here fails as a whole.

use std::fmt;
use std::ops::Range;

use toml_edit::{Document, DocumentMut, Item, TableLike, value};

use crate::filter::nearest;

/// Saved filters read from one file; those beyond are left out with a note.
const MAX_SAVED: usize = 100;
/// Characters of a saved filter's name.
const MAX_NAME: usize = 40;
/// What a file may set.
const KEYS: [&str; 4] = ["filter", "filters", "live", "on-reload"];
/// What could open ports, run programs or write files: never the business of a file that comes with a repository.
const NOT_FOR_PROJECTS: [&str; 4] = ["bind", "allow-origins", "editor", "record"];

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's: what is there without any file.
    BuiltIn,
    User,
    Project,
}

/// A filter with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub name: String,
    pub text: String,
    pub owner: Owner,
}

/// What is set, after all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The filter to start with.
    pub filter: String,
    /// Apply while typing, and not only on Enter.
    pub is_live: bool,
    /// `since:reload` is part of the filter from the start.
    pub clears_on_reload: bool,
    pub saved: Vec<Saved>,
}

/// Something wrong in a file; the file's other settings count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// `line 3, column 8`, if it has a place.
    pub place: String,
    pub message: String,
    /// The line with a caret under the place, to be shown where there is room.
    pub drawing: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let problems = Saved {
            name: "problems".to_owned(),
            text: "(level>=warn or is:failed or is:slow)".to_owned(),
            owner: Owner::BuiltIn,
        };
        Self { filter: String::new(), is_live: true, clears_on_reload: false, saved: vec![problems] }
    }
}

impl Settings {
    /// Takes over what the text of `owner`'s file sets, and says what of it cannot be used.
    pub fn take(&mut self, text: &str, owner: Owner) -> Vec<Complaint> {
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let message = format!("{} (nothing of this file counts)", error.message().replace('\n', " "));
                return vec![complaint(text, error.span(), message)];
            }
        };
        let mut said = Vec::new();
        for (name, item) in document.iter() {
            let span = document.key(name).and_then(toml_edit::Key::span);
            if let Err(message) = self.set(name, item, owner, &mut |name, message| {
                let at =
                    item.as_table_like().and_then(|table| table.key(name)).and_then(toml_edit::Key::span);
                said.push(complaint(text, at, message));
            }) {
                said.push(complaint(text, span, message));
            }
        }
        said
    }

    fn set(
        &mut self,
        name: &str,
        item: &Item,
        owner: Owner,
        complain: &mut dyn FnMut(&str, String),
    ) -> Result<(), String> {
        match name {
            "filter" => self.filter = string(name, item)?.to_owned(),
            "live" => self.is_live = item.as_bool().ok_or("live is true or false")?,
            "on-reload" => {
                self.clears_on_reload = match string(name, item)? {
                    "clear" => true,
                    "divider" => false,
                    _ => return Err("on-reload is \"divider\" or \"clear\"".to_owned()),
                }
            }
            "filters" => {
                let table = item.as_table_like().ok_or("filters is a table: [filters]")?;
                self.take_filters(table, owner, complain);
            }
            _ if owner == Owner::Project && NOT_FOR_PROJECTS.contains(&name) => {
                return Err(format!("a project's file must not set {name}: it comes with the repository"));
            }
            _ => {
                let meant = nearest(name, KEYS).map(|meant| format!(" Did you mean {meant}?"));
                return Err(format!("unknown setting {name}.{}", meant.unwrap_or_default()));
            }
        }
        Ok(())
    }

    fn take_filters(&mut self, table: &dyn TableLike, owner: Owner, complain: &mut dyn FnMut(&str, String)) {
        for (number, (name, item)) in table.iter().enumerate() {
            if number >= MAX_SAVED {
                complain(name, format!("only the first {MAX_SAVED} saved filters count"));
                break;
            }
            match (is_name(name), item.as_str()) {
                (true, Some(text)) => {
                    self.put(Saved { name: name.to_owned(), text: text.trim().to_owned(), owner })
                }
                (false, _) => complain(name, format!("`{name}` is no name for a filter: {NAME_RULE}")),
                (true, None) => {
                    complain(name, format!("{name} is a filter in quotes, as in {name} = \"status>=500\""))
                }
            }
        }
    }

    fn put(&mut self, saved: Saved) {
        match self.saved.iter_mut().find(|known| known.name == saved.name) {
            Some(known) => *known = saved,
            None => self.saved.push(saved),
        }
    }
}

/// What a name may be, for messages.
const NAME_RULE: &str = "letters, digits, - and _";

/// Whether `saved:name` can name it.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_plain)
}

fn string<'a>(name: &str, item: &'a Item) -> Result<&'a str, String> {
    item.as_str().ok_or_else(|| format!("{name} is text in quotes"))
}

/// A settings file's text with the filter `name` set to `filter`, or without it; all else stays as it was written.
///
/// # Errors
/// If the text is no TOML, if `filters` is something else in it, or if the name is none.
pub(super) fn edited(text: &str, name: &str, filter: Option<&str>) -> Result<String, Complaint> {
    let refuse = |message: String| complaint(text, None, message);
    if !is_name(name) {
        return Err(refuse(format!("`{name}` is no name for a filter: {NAME_RULE}")));
    }
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        complaint(text, error.span(), error.message().replace('\n', " "))
    })?;
    if document.get("filters").is_none() {
        document.insert("filters", toml_edit::table());
    }
    let filters = document.get_mut("filters").and_then(Item::as_table_like_mut);
    let filters = filters.ok_or_else(|| refuse("filters is no table in this file".to_owned()))?;
    match filter {
        // The value is replaced in its place, so that a comment behind it stays.
        Some(filter) => match filters.get_mut(name).and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = filter.into();
                *old.decor_mut() = decor;
            }
            None => drop(filters.insert(name, value(filter))),
        },
        None => drop(filters.remove(name)),
    }
    Ok(document.to_string())
}

/// A complaint about the bytes at `span` of `text`.
fn complaint(text: &str, span: Option<Range<usize>>, message: String) -> Complaint {
    let Some(at) = span.map(|span| span.start).filter(|at| text.is_char_boundary(*at)) else {
        return Complaint { place: String::new(), message, drawing: String::new() };
    };
    let line = text[..at].matches('\n').count() + 1;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let column = text[start..at].chars().count() + 1;
    let shown = crate::event::gate::plain_capped(text[start..].lines().next().unwrap_or(""), 100);
    let drawing = format!("    {shown}\n    {}^", " ".repeat((column - 1).min(100)));
    Complaint { place: format!("line {line}, column {column}"), message, drawing }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, owner: Owner) -> (Settings, Vec<String>) {
        let mut settings = Settings::default();
        let said = settings.take(text, owner).iter().map(Complaint::to_string).collect();
        (settings, said)
    }

    #[test]
    fn what_is_set_counts_and_the_rest_is_told_where_it_is() {
        let text =
            "filter = \"level>=warn\"\nlive = false\non-reload = \"clear\"\n[filters]\nslow = \"is:slow\"\n";
        let (settings, said) = read(text, Owner::User);
        assert_eq!(
            (settings.filter.as_str(), settings.is_live, settings.clears_on_reload),
            ("level>=warn", false, true)
        );
        let names: Vec<_> = settings.saved.iter().map(|saved| (saved.name.as_str(), saved.owner)).collect();
        assert_eq!(names, [("problems", Owner::BuiltIn), ("slow", Owner::User)]);
        assert!(said.is_empty(), "{said:?}");
        for (text, owner, expected) in [
            ("filtr = \"x\"", Owner::User, "line 1, column 1: unknown setting filtr. Did you mean filter?"),
            ("live = 1", Owner::User, "line 1, column 1: live is true or false"),
            ("on-reload = \"wipe\"", Owner::User, "line 1, column 1: on-reload is \"divider\" or \"clear\""),
            ("filters = 3", Owner::User, "line 1, column 1: filters is a table: [filters]"),
            (
                "[filters]\nok = \"a\"\n\"a b\" = \"x\"",
                Owner::User,
                "line 3, column 1: `a b` is no name for a filter: letters, digits, - and _",
            ),
            (
                "[filters]\nn = 5",
                Owner::User,
                "line 2, column 1: n is a filter in quotes, as in n = \"status>=500\"",
            ),
            (
                "live = true\nbind = \"0.0.0.0\"",
                Owner::Project,
                "line 2, column 1: a project's file must not set bind: it comes with the repository",
            ),
        ] {
            assert_eq!(read(text, owner).1, [expected], "{text}");
        }
    }

    #[test]
    fn a_broken_line_is_shown_with_a_caret_and_nothing_of_its_file_counts() {
        let mut settings = Settings::default();
        let said = settings.take("live = false\nfilter \"x\"\n", Owner::User);
        assert!(settings.is_live && said.len() == 1);
        assert_eq!(said[0].place, "line 2, column 8");
        assert_eq!(said[0].drawing, "    filter \"x\"\n           ^");
    }

    #[test]
    fn saving_keeps_what_else_is_written() {
        let text = "# mine\nlive = false   # slow box\n\n[filters]\n# api\napi = \"url:/api\"  # all of it\n";
        for (name, filter, expected) in [
            ("api", Some("url:/v2"), text.replace("url:/api", "url:/v2")),
            ("new", Some("is:slow"), format!("{text}new = \"is:slow\"\n")),
            ("gone", None, text.to_owned()),
        ] {
            assert_eq!(edited(text, name, filter).expect("toml"), expected, "{name}");
        }
        assert_eq!(edited("", "a", Some("x \"y\"")).expect("toml"), "[filters]\na = 'x \"y\"'\n");
        assert!(edited("filters = 3", "a", Some("x")).is_err() && edited("", "a b", Some("x")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(filters|live|\\[|\\]|=|\"|\n|é|a|-){0,20}") {
            read(&text, Owner::Project);
            let _ = edited(&text, "a", None);
        }

        #[test]
        fn what_is_saved_is_read_back(filter in "\\PC{0,30}", name in "[a-z][a-z0-9_-]{0,9}") {
            let text = edited("live = true\n", &name, Some(filter.trim())).expect("toml");
            let (settings, said) = read(&text, Owner::User);
            prop_assert!(said.is_empty());
            prop_assert!(settings.saved.iter().any(|saved| saved.name == name && saved.text == filter.trim()));
        }
    }
}
