//! One value of an event's JSON changed by its path: dropped, renamed, set, masked or cut. All else stays as sent.
//!
//! Called by the signal stages for events that the settings want changed. Paths go through objects by name, in any case
//! style, and through arrays by index. A text that is no JSON object stays as it is.

use std::borrow::Cow;

use crate::event::json::{self, Shape};

/// What is done to a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    Drop,
    /// Gives it another name beside its siblings, in the place of one that has that name.
    Rename(String),
    /// Puts this JSON in its place, or adds it.
    Set(String),
    /// `ann@example.com` becomes `ann@***`, everything else `***`.
    Mask,
    /// Leaves this many characters of a text, and a mark that there were more.
    Truncate(u64),
}

/// Parts of a path that are followed.
pub(super) const MAX_PATH: usize = 16;

/// `object` with the value at `path` changed; `None` if there is nothing to change.
pub(super) fn edited(object: &str, path: &[String], edit: &Edit) -> Option<String> {
    let [name, rest @ ..] = path else { return None };
    match json::shape(object) {
        Shape::Object => in_object(object, name, rest, edit),
        Shape::Array if path.len() > 1 || !matches!(edit, Edit::Rename(_)) => {
            in_array(object, name, rest, edit)
        }
        _ => None,
    }
}

fn in_object(object: &str, name: &str, rest: &[String], edit: &Edit) -> Option<String> {
    let members: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        json::members(object).map(|member| (member.key.into(), member.value.into())).collect();
    let is_one = |key: &str, name: &str| json::same_name(&json::unescape(key), name);
    // The last one of a name is the one that counts.
    let Some(at) = members.iter().rposition(|(key, _)| is_one(key, name)) else {
        return added(members, name, rest, edit);
    };
    let mut members = members;
    if !rest.is_empty() {
        members[at].1 = edited(&members[at].1, rest, edit)?.into();
        return Some(object_of(&members));
    }
    match edit {
        Edit::Drop => members.retain(|(key, _)| !is_one(key, name)),
        Edit::Rename(to) => {
            let value = members[at].1.clone();
            members.retain(|(key, _)| !is_one(key, name) && !is_one(key, to));
            let at = at.min(members.len());
            members.insert(at, (escaped(to).into(), value));
        }
        Edit::Set(_) | Edit::Mask | Edit::Truncate(_) => {
            members[at].1 = changed(&members[at].1, edit)?.into()
        }
    }
    Some(object_of(&members))
}

fn added(
    mut members: Vec<(Cow<'_, str>, Cow<'_, str>)>,
    name: &str,
    rest: &[String],
    edit: &Edit,
) -> Option<String> {
    let Edit::Set(value) = edit else { return None };
    let value =
        rest.iter().rev().fold(value.clone(), |value, name| format!("{{\"{}\":{value}}}", escaped(name)));
    members.push((escaped(name).into(), value.into()));
    Some(object_of(&members))
}

fn in_array(array: &str, index: &str, rest: &[String], edit: &Edit) -> Option<String> {
    let mut elements: Vec<Cow<'_, str>> = json::elements(array).map(|(_, value)| value.into()).collect();
    let at = index.parse::<usize>().ok().filter(|at| *at < elements.len())?;
    if !rest.is_empty() {
        elements[at] = edited(&elements[at], rest, edit)?.into();
    } else if *edit == Edit::Drop {
        elements.remove(at);
    } else {
        elements[at] = changed(&elements[at], edit)?.into();
    }
    Some(format!("[{}]", elements.join(",")))
}

fn changed(value: &str, edit: &Edit) -> Option<String> {
    match edit {
        Edit::Set(to) => (value != to).then(|| to.clone()),
        Edit::Mask => {
            let masked = match json::text(value) {
                Some(text) => {
                    text.split_once('@').map_or_else(|| "***".to_owned(), |(name, _)| format!("{name}@***"))
                }
                None => "***".to_owned(),
            };
            let masked = quoted(&masked);
            (masked != value && json::shape(value) != Shape::Null).then_some(masked)
        }
        Edit::Truncate(length) => {
            let text = json::text(value)?;
            let end = text.char_indices().nth(usize::try_from(*length).ok()?)?.0;
            Some(quoted(&format!("{}…", &text[..end])))
        }
        Edit::Drop | Edit::Rename(_) => None,
    }
}

fn object_of(members: &[(Cow<'_, str>, Cow<'_, str>)]) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always encodes")
}

fn escaped(text: &str) -> String {
    let quoted = quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn values_are_changed_by_path_and_nothing_else_is() {
        let set = |json: &str| Edit::Set(json.to_owned());
        for (json, at, edit, expected) in [
            (r#"{"a":1,"b":2}"#, "a", Edit::Drop, Some(r#"{"b":2}"#)),
            (r#"{"userId":1, "n":1e400}"#, "user-id", Edit::Drop, Some(r#"{"n":1e400}"#)),
            (r#"{"a":{"b":[1,{"c":2}]}}"#, "a.b.1.c", Edit::Drop, Some(r#"{"a":{"b":[1,{}]}}"#)),
            (r#"{"a":[1,2,3]}"#, "a.0", Edit::Drop, Some(r#"{"a":[2,3]}"#)),
            (r#"{"a":1,"b":2,"c":3}"#, "a", Edit::Rename("b".to_owned()), Some(r#"{"b":1,"c":3}"#)),
            (r#"{"a":1}"#, "x", Edit::Rename("b".to_owned()), None),
            (r#"{"a":1}"#, "a", set("\"x\""), Some(r#"{"a":"x"}"#)),
            (r#"{"a":1}"#, "b.c", set("true"), Some(r#"{"a":1,"b":{"c":true}}"#)),
            (r#"{"a":1}"#, "a", set("1"), None),
            (r#"{"email":"ann@example.com"}"#, "email", Edit::Mask, Some(r#"{"email":"ann@***"}"#)),
            (r#"{"phone":123}"#, "phone", Edit::Mask, Some(r#"{"phone":"***"}"#)),
            (r#"{"m":"häuser"}"#, "m", Edit::Truncate(2), Some(r#"{"m":"hä…"}"#)),
            (r#"{"m":"hi"}"#, "m", Edit::Truncate(2), None),
            (r#"{"m":5}"#, "m", Edit::Truncate(2), None),
            ("[1]", "a", Edit::Drop, None),
            ("{}", "a", Edit::Drop, None),
        ] {
            assert_eq!(edited(json, &path(at), &edit).as_deref(), expected, "{json} {at} {edit:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_json_stays_json(
            key in "\\PC{1,6}", text in "\\PC{0,12}", at in "[a-c]{1,2}(\\.[a-c0-9]){0,2}", kind in 0usize..5,
        ) {
            let edit = [Edit::Drop, Edit::Rename(key.clone()), Edit::Set(quoted(&text)), Edit::Mask, Edit::Truncate(3)][kind].clone();
            let json = serde_json::json!({ "a": text, key: { "a": [text, { "b": 1 }] }, "b": { "c": text } }).to_string();
            if let Some(changed) = edited(&json, &path(&at), &edit) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&changed).is_ok(), "{}", changed);
            }
        }
    }
}
