//! The columns of the table of events: name, type, and what of an event they hold.
//!
//! One table from which the statements that make, extend and fill it derive. A column is sent as an array of one value
//! an event.

use std::borrow::Cow;

use tokio_postgres::types::ToSql;

use super::super::encode::unhurried;
use super::super::piece::Item;
use crate::event::{EventRef, json};

/// One column.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// As the table declares it.
    pub(super) kind: &'static str,
    /// The type its values are sent as.
    pub(super) sent: &'static str,
    /// How a sent value, `$`, is read.
    pub(super) read: &'static str,
    pub(super) cells: fn(&[Item<'_>]) -> Cells,
}

/// The values of a column.
#[derive(Debug)]
pub(super) enum Cells {
    Text(Vec<Option<String>>),
    Whole(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
}

impl Cells {
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(values) => values,
            Self::Whole(values) => values,
            Self::Real(values) => values,
        }
    }
}

const fn text(name: &'static str, cells: fn(&[Item<'_>]) -> Cells) -> Column {
    Column { name, kind: "text", sent: "text", read: "$", cells }
}

const fn whole(name: &'static str, cells: fn(&[Item<'_>]) -> Cells) -> Column {
    Column { name, kind: "bigint", sent: "bigint", read: "$", cells }
}

const fn time(name: &'static str, cells: fn(&[Item<'_>]) -> Cells) -> Column {
    Column { name, kind: "timestamptz", sent: "bigint", read: "to_timestamp($ / 1000.0)", cells }
}

pub(super) const COLUMNS: &[Column] = &[
    whole("seq", |items| wholes(items, |event| i64::try_from(event.seq()).ok())),
    time("inst", |items| wholes(items, |event| Some(event.inst().0))),
    time("recv", |items| wholes(items, |event| Some(event.recv().0))),
    text("level", |items| texts(items, |event| event.level().name().into())),
    text("signal_id", |items| texts(items, |event| event.id().into())),
    text("ns", |items| texts(items, |event| event.ns().into())),
    text("message", |items| texts(items, |event| event.msg().into())),
    text("session_id", |items| texts(items, |event| event.session().into())),
    text("user_id", |items| texts(items, |event| event.user().into())),
    text("tab", |items| texts(items, |event| event.tab().into())),
    whole("load", |items| wholes(items, |event| event.load().map(i64::from))),
    text("endpoint", |items| texts(items, |event| event.endpoint().into())),
    Column {
        name: "duration_ms",
        kind: "double precision",
        sent: "double precision",
        read: "$",
        cells: |items| {
            Cells::Real(items.iter().map(|item| item.event.duration().map(|micros| micros.as_ms())).collect())
        },
    },
    whole("status", |items| wholes(items, |event| event.status().map(i64::from))),
    text("error_group", |items| {
        texts(items, |event| event.group().map(|group| format!("{group:016x}")).unwrap_or_default().into())
    }),
    text("source", |items| texts(items, |event| event.source().into())),
    text("stack_trace", |items| {
        texts(items, |event| event.get(&["stack"]).and_then(json::text).unwrap_or_default())
    }),
    whole("cid", |items| {
        // All 64 bits, as the signed number of the same.
        Cells::Whole(
            items
                .iter()
                .map(|item| item.origin.map(|(cid, _)| i64::from_ne_bytes(cid.to_ne_bytes())))
                .collect(),
        )
    }),
    whole("cseq", |items| {
        Cells::Whole(
            items.iter().map(|item| item.origin.and_then(|(_, seq)| i64::try_from(seq).ok())).collect(),
        )
    }),
    Column {
        name: "data",
        kind: "jsonb",
        sent: "text",
        read: "$::jsonb",
        cells: |items| {
            let data = |item: &Item<'_>| {
                let mut data = String::new();
                item.event.write_data(&mut data);
                Some(clean_json(&data).into_owned())
            };
            Cells::Text(unhurried(items.iter()).map(data).collect())
        },
    },
];

/// The values of a text column; empty is NULL.
fn texts(items: &[Item<'_>], read: fn(EventRef<'_>) -> Cow<'_, str>) -> Cells {
    let text = |item: &Item<'_>| {
        let text = read(item.event);
        (!text.is_empty()).then(|| clean(&text).into_owned())
    };
    Cells::Text(items.iter().map(text).collect())
}

fn wholes(items: &[Item<'_>], read: fn(EventRef<'_>) -> Option<i64>) -> Cells {
    Cells::Whole(items.iter().map(|item| read(item.event)).collect())
}

/// PostgreSQL has no NUL in a text.
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Nor has its JSON one that is escaped, nor half a surrogate pair: those become U+FFFD.
pub(super) fn clean_json(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return clean(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(unit) = unit(rest) else {
            let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        };
        let is_pair = (0xD800..0xDC00).contains(&unit)
            && rest.get(6..).and_then(self::unit).is_some_and(|low| (0xDC00..0xE000).contains(&low));
        let len = if is_pair { 12 } else { 6 };
        let is_lone = !is_pair && (0xD800..0xE000).contains(&unit);
        out.push_str(if unit == 0 || is_lone { "\\ufffd" } else { &rest[..len] });
        rest = &rest[len..];
    }
    out.push_str(rest);
    clean(&out).into_owned().into()
}

/// The unit of a `\uXXXX` at the start.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_has_no_word_for_is_replaced_and_nothing_else() {
        for (text, expected) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            (r#"{"a":"\u0000"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"\\u0000"}"#, r#"{"a":"\\u0000"}"#),
            (r#"{"a":"\\\u0000"}"#, r#"{"a":"\\\ufffd"}"#),
            (r#"{"a":"\ud83d\ude00\ud83d"}"#, r#"{"a":"\ud83d\ude00\ufffd"}"#),
            (r#"{"a":"\udE00é\n\u00e9"}"#, r#"{"a":"\ufffdé\n\u00e9"}"#),
        ] {
            assert_eq!(clean_json(text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "(\\\\|u|0|d8|é|\"){0,24}") {
            clean_json(&text);
        }
    }
}
