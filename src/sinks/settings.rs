//! The `[sinks.NAME]` sections of the settings.
//!
//! Read by `config` with places for what is wrong; the sinks of a section that cannot be used are left out.

use toml_edit::{Item, TableLike};

use super::dispatch::{DISPATCH, DRAIN};
use super::{KINDS, Kind};
use crate::filter::nearest;
use crate::options::{Complain, Values, span_of};
use crate::pipeline::SELECTION;

/// Sinks that are read; those beyond are left out.
const MAX_SINKS: usize = 32;
/// Characters of a sink's name.
const MAX_NAME: usize = 40;

/// One sink as set.
#[derive(Clone)]
pub struct Setting {
    pub name: String,
    pub kind: &'static Kind,
    pub values: Values,
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("name", &self.name)
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind.name == other.kind.name && self.values == other.values
    }
}

impl Setting {
    /// A sink of this kind with its defaults.
    ///
    /// # Panics
    /// If there is no such kind.
    pub fn new(name: &str, kind: &str) -> Self {
        let kind = KINDS.iter().find(|known| known.name == kind).expect("a kind of the table");
        Self { name: name.to_owned(), kind, values: Values::defaults(&[SELECTION, DISPATCH, kind.keys]) }
    }
}

/// Reads the table `sinks`.
pub fn read(table: &dyn TableLike, complain: &mut Complain<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (number, (name, item)) in table.iter().enumerate() {
        let span = span_of(table, name, item);
        if number >= MAX_SINKS {
            complain(span, format!("only the first {MAX_SINKS} sinks count"));
            break;
        }
        match one(name, item, complain) {
            Ok(setting) => settings.push(setting),
            Err(message) => complain(span, message),
        }
    }
    settings
}

fn one(name: &str, item: &Item, complain: &mut Complain<'_>) -> Result<Setting, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(is_plain) {
        return Err(format!("`{name}` is no name for a sink: letters, digits, - and _"));
    }
    let table = item.as_table_like().ok_or_else(|| format!("sinks.{name} is a table: [sinks.{name}]"))?;
    let kind = match table.get("type") {
        Some(word) => word.as_str().ok_or("type is text in quotes")?,
        None => name,
    };
    let kind = KINDS.iter().find(|known| known.name == kind).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        let meant = nearest(kind, names.iter().copied()).map(|meant| format!(" Did you mean {meant}?"));
        format!(
            "there is no type of sink `{kind}`: it is one of {}.{}",
            names.join(", "),
            meant.unwrap_or_default()
        )
    })?;
    let mut is_fine = true;
    let mut values =
        Values::read(&[SELECTION, DISPATCH, kind.keys], table, &["type"], &mut |span, message| {
            is_fine = false;
            complain(span, format!("sinks.{name}: {message}"));
        });
    if !is_fine {
        return Err(format!("sinks.{name} is left out"));
    }
    values.keep_within(table, DRAIN, &mut |span, message| complain(span, format!("sinks.{name}: {message}")));
    (kind.build)(&values).map_err(|why| format!("sinks.{name}: {why}"))?;
    Ok(Setting { name: name.to_owned(), kind, values })
}
