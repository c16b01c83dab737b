//! A settings file's text, edited without touching its other lines and comments.
//!
//! Called by `places` for saved filters and for `:set!`.

use toml_edit::{DocumentMut, Item, TableLike, value};

use super::complaint::Complaint;
use super::kind::Value;
use super::sections::{NAME_RULE, is_name};

/// The text with the filter `name` set to `filter`, or without it.
///
/// # Errors
/// If the text is no TOML, if `filters` is something else in it, or if the name is none.
pub(super) fn with_filter(text: &str, name: &str, filter: Option<&str>) -> Result<String, Complaint> {
    if !is_name(name) {
        return Err(Complaint::new(text, None, format!("`{name}` is no name for a filter: {NAME_RULE}")));
    }
    let mut document = parsed(text)?;
    let filters = table(document.as_table_mut(), "filters")
        .ok_or_else(|| Complaint::new(text, None, "filters is no table in this file"))?;
    match filter {
        Some(filter) => put(filters, name, filter.into()),
        None => drop(filters.remove(name)),
    }
    Ok(document.to_string())
}

/// The text with the setting `key` set to `to`.
///
/// # Errors
/// If the text is no TOML, or a group of the key is no table in it.
pub(super) fn with_setting(text: &str, key: &str, to: &Value) -> Result<String, Complaint> {
    let mut document = parsed(text)?;
    // Comments alone would end up behind what is added.
    if document.is_empty() && !text.trim().is_empty() {
        return Ok(format!("{}\n{}", text.trim_end(), with_setting("", key, to)?));
    }
    let mut inside: &mut dyn TableLike = document.as_table_mut();
    let (groups, name) = key.rsplit_once('.').unwrap_or(("", key));
    for group in groups.split('.').filter(|group| !group.is_empty()) {
        inside = table(inside, group)
            .ok_or_else(|| Complaint::new(text, None, format!("{group} is no table in this file")))?;
    }
    put(inside, name, to.to_toml());
    Ok(document.to_string())
}

fn parsed(text: &str) -> Result<DocumentMut, Complaint> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        Complaint::new(text, error.span(), error.message().replace('\n', " "))
    })
}

/// The table called `name` inside `parent`, made if there is none; `None` where something else has that name.
fn table<'a>(parent: &'a mut dyn TableLike, name: &str) -> Option<&'a mut dyn TableLike> {
    if parent.get(name).is_none() {
        parent.insert(name, toml_edit::table());
    }
    parent.get_mut(name).and_then(Item::as_table_like_mut)
}

/// The value is replaced in its place, so that a comment behind it stays.
fn put(table: &mut dyn TableLike, name: &str, to: toml_edit::Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = to;
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(name, value(to))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::settings::{Settings, tests::read};
    use crate::filter::own_mistake;

    #[test]
    fn saving_keeps_what_else_is_written() {
        let text = "# mine\nlive = false   # slow box\n\n[filters]\n# api\napi = \"url:/api\"  # all of it\n";
        for (name, filter, expected) in [
            ("api", Some("url:/v2"), text.replace("url:/api", "url:/v2")),
            ("new", Some("is:slow"), format!("{text}new = \"is:slow\"\n")),
            ("gone", None, text.to_owned()),
        ] {
            assert_eq!(with_filter(text, name, filter).expect("toml"), expected, "{name}");
        }
        assert_eq!(with_filter("", "a", Some("x \"y\"")).expect("toml"), "[filters]\na = 'x \"y\"'\n");
        assert!(with_filter("filters = 3", "a", Some("x")).is_err());
        assert!(with_filter("", "a b", Some("x")).is_err());
    }

    #[test]
    fn a_setting_is_written_where_it_stands_or_in_its_group() {
        let events = Value::Number(5);
        for (text, key, to, expected) in [
            ("", "live", &Value::Flag(false), "live = false\n"),
            ("live = true # mine\n", "live", &Value::Flag(false), "live = false # mine\n"),
            ("# all\n", "buffer.events", &events, "# all\n[buffer]\nevents = 5\n"),
            ("buffer.events = 1\n", "buffer.events", &events, "buffer.events = 5\n"),
            ("[buffer]\nmb = 9\n", "buffer.events", &events, "[buffer]\nmb = 9\nevents = 5\n"),
            ("[filters]\na = \"b\"\n", "live", &Value::Flag(true), "live = true\n[filters]\na = \"b\"\n"),
        ] {
            let edited = with_setting(text, key, to).expect("toml");
            assert_eq!(edited, expected, "{text:?}");
            assert!(read(&edited).1.is_empty(), "{edited}");
        }
        assert!(with_setting("buffer = 1", "buffer.events", &events).is_err());
        assert!(with_setting("live = ", "live", &Value::Flag(true)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_edited_without_a_panic(text in "(filters|live|buffer|\\.|\\[|\\]|=|\"|\n|é|a|-){0,20}") {
            let _ = with_filter(&text, "a", None);
            let _ = with_setting(&text, "buffer.events", &Value::Number(1));
        }

        #[test]
        fn what_is_saved_is_read_back(filter in "\\PC{0,30}", name in "[a-z][a-z0-9_-]{0,9}") {
            let text = with_filter("live = true\n", &name, Some(filter.trim())).expect("toml");
            let document: DocumentMut = text.parse().expect("toml");
            prop_assert_eq!(document["filters"][&name].as_str(), Some(filter.trim()));
            let (settings, said): (Settings, _) = read(&text);
            let is_fine = own_mistake(filter.trim()).is_none();
            prop_assert_eq!(said.is_empty(), is_fine);
            let is_there = settings.saved.iter().any(|saved| saved.name == name && saved.text == filter.trim());
            prop_assert_eq!(is_there, is_fine);
        }
    }
}
