//! Properties of the whole language, over made-up texts and events.

use std::sync::Arc;

use proptest::prelude::*;

use super::samples::{self, sample_context};
use super::vectors::entries;
use super::{Bits, Filter, Matcher, parse, while_typing};
use crate::event::leaves::{is_user_agent, leaves, text_of};
use crate::event::{Chunk, json};

fn matches(filter: &Filter, chunk: &Chunk) -> Bits {
    let mut out = Bits::new();
    Matcher::new(Arc::new(filter.clone()), sample_context()).eval(chunk, 0..chunk.len(), &mut out);
    out
}

/// Everything that means something, and a few that mean nothing.
#[rustfmt::skip]
const PIECES: [&str; 85] = [
    "level", "status", "duration", "size", "since", "time", "age", "is", "has", "no", "url", "user", "type",
    "id", "ns", "group", "load", "cached", "message", "session", "route", "foo", "timing.dns-lookup",
    "a.\"b c\"", ":", "=", "==", "!=", "<", "<=", ">", ">=", "~", "!~", " in ", " not in ", " contains ",
    " matches ", "(", ")", "{", "}", ",", "\"", "'", "/", "-", "!", "*", "..", ".", "\\", "?", "|", "||",
    "&&", " ", " ", " ", "and", "or", "not", "AND", "OR", "NOT", "404", "5xx", "200ms", "4kb", "5m",
    "14:32", "warn", "error", "reload", "mark-a", "latest", "slow", "stack", "true", "metric/api-call",
    "e7f3", "browser/api-call", "x-y", "é", "日本",
];

/// Fields that take any text.
#[rustfmt::skip]
const FIELDS: [&str; 16] = [
    "message", "url", "user", "session", "id", "ns", "method", "route", "host", "foo", "a.b", "a.\"b-\"",
    "x-ms", "localhost", "file.ts", "a::b",
];

/// Terms that are right as they stand.
#[rustfmt::skip]
const TERMS: [&str; 40] = [
    "level>=warn", "level:warn..fatal", "level!=error", "status:5xx", "status:(404 500..510)",
    "status!=404", "status<=400..", "duration>200", "duration:100ms..1.5s", "size<4kib", "x-kb>5",
    "timing.a:..7", "is:slow", "-is:failed", "has:a.b", "no:stack", "has:a.\"b c\"", "no:\"b c\"", "has:(a.\"b c\", \"500\" x)", "since:reload", "until:5m",
    "since:mark-a", "since:14:32", "time:14:32..14:35", "time>=2026-01-31T10:00", "age<30s", "load:0",
    "load>=-1", "group:e7f3*", "cached:true", "type:metric/api-call", "type=warn", "type:e*",
    "severity<high", ":browser/api-call", "~/a|b/", "url~/x\\/y/c", "-url!~/q/",
    "method not in (GET, POST)", "session=latest",
];

/// Text made of the pieces that mean something.
pub(super) fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![prop::sample::select(&PIECES[..]).prop_map(str::to_owned), ".{0,3}",];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Such a text many times over, which is where what is not linear shows.
fn repeated() -> impl Strategy<Value = String> {
    let piece = prop::collection::vec(prop::sample::select(&PIECES[..]), 1..4);
    (piece, 1..150usize, pieces()).prop_map(|(piece, times, end)| piece.concat().repeat(times) + &end)
}

/// A comparison of every built-in field with every operator it takes.
fn comparisons() -> Vec<String> {
    let mut found = Vec::new();
    for field in crate::event::FIELDS {
        for name in field.names() {
            for op in [":", "=", "==", "!=", "<", ">=", "~", "!~", " contains ", " in ", " not in "] {
                let [one, two] = field.examples;
                let values = [
                    one.to_owned(),
                    format!("\"{two}\""),
                    format!("({one}, {two})"),
                    format!("{one}..{two}"),
                ];
                found.extend(values.iter().map(|value| format!("{name}{op}{value}")));
            }
        }
    }
    found.retain(|text| parse(text).errors.is_empty());
    found
}

/// A filter that is right, in one of its spellings.
pub(super) fn filters() -> impl Strategy<Value = String> {
    let value = || {
        prop_oneof![
            "[a-z/._*:-]{1,8}".prop_map(|text| format!("\"{text}\"")),
            "[a-z]{1,3}[a-z/._*-]{0,8}",
            ".{0,6}".prop_map(|text| format!("\"{}\"", text.replace(['\\', '"'], r"\\"))),
            Just("latest".to_owned()),
            Just("42".to_owned()),
        ]
    };
    let field = prop::sample::select(&FIELDS[..]);
    let term = prop_oneof![
        (field.clone(), prop::sample::select(vec![":", "=", "==", "!=", " contains "]), value())
            .prop_map(|(field, op, value)| format!("{field}{op}{value}")),
        (field, prop::collection::vec(value(), 1..4))
            .prop_map(|(field, items)| format!("{field}:({})", items.join(", "))),
        value(),
        prop::sample::select(&TERMS[..]).prop_map(str::to_owned),
        prop::sample::select(comparisons()),
        prop::sample::select(vec![
            "and",
            "or",
            "not",
            "status",
            "a.b",
            "TypeError:",
            "not found",
            "x is not a function"
        ])
        .prop_map(str::to_owned),
    ];
    term.prop_recursive(4, 24, 3, |inner| {
        (
            prop::collection::vec(inner, 1..4),
            prop::sample::select(vec![" ", " and ", " OR ", " || "]),
            any::<bool>(),
        )
            .prop_map(|(parts, with, is_negated)| {
                format!("{}({})", if is_negated { "-" } else { "" }, parts.join(with))
            })
    })
}

/// A JSON string of `text`, escaping more than it must where `how` says so.
fn encode(text: &str, how: &[u8]) -> String {
    let mut out = "\"".to_owned();
    for (c, how) in text.chars().zip(how.iter().cycle()) {
        let mut units = [0; 2];
        match (c, how % 4) {
            (_, 0) => {
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")))
            }
            ('"' | '\\', _) | ('/', 1) => out.extend(['\\', c]),
            ('\n', _) => out.push_str("\\n"),
            ('\0', _) => out.push_str("\\u0000"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn event() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        3 => (r#"[abn/"\\ \n0é\x00]{0,6}"#, prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(text, how)| encode(&text, &how)),
        1 => prop::sample::select(vec!["100", "-1.5e3", "true", "null", "[1,\"ab\"]", "{\"n\":\"a/b\",\"b\":0}", "{}", "[null]", "[[{\"b\":\"ab\"}],{\"b\":\"a\",\"B\":7},\"n\"]", "{\"n\":{\"userAgent\":\"ab\",\"n\":[]}}"]).prop_map(str::to_owned),
    ];
    let key = prop::sample::select(vec!["a", "ab", "user-agent", "userAgent", "n", "tab"]);
    prop::collection::vec((key, value), 0..4).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        text in prop_oneof![3 => pieces(), 1 => repeated()],
        at in any::<prop::sample::Index>(),
    ) {
        let parsed = parse(&text);
        prop_assert_eq!(parsed.filter.is_some(), parsed.errors.is_empty());
        for error in &parsed.errors {
            prop_assert!(text.get(error.span.clone()).is_some() && error.column >= 1 && error.len >= 1);
            prop_assert!(!error.with_caret(&text).is_empty());
            if let Some(fix) = &error.fix {
                prop_assert!(text.get(fix.span.clone()).is_some());
                let _ = fix.apply(&text);
            }
        }
        for note in &parsed.notes {
            prop_assert!(text.get(note.span.clone()).is_some());
        }
        let mut cut = at.index(text.len() + 1);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let typing = while_typing(&text[..cut], true);
        let reading = typing.applied.reads_as();
        let again = parse(&typing.applied.to_string());
        prop_assert!(again.errors.is_empty(), "{} → {}: {:?}", text, typing.applied, again.errors);
        prop_assert_eq!(again.filter.map(|filter| filter.reads_as()), Some(reading));
    }

    #[test]
    fn canonical_text_reads_and_matches_the_same(text in filters()) {
        let parsed = parse(&text);
        let Some(filter) = parsed.filter else { return Ok(()) };
        let written = filter.to_string();
        let again = parse(&written);
        prop_assert!(again.errors.is_empty(), "{} → {}: {:?}", text, written, again.errors);
        let again = again.filter.expect("no errors");
        prop_assert_eq!(again.reads_as(), filter.reads_as(), "{} → {}", text, written);
        prop_assert_eq!(again.to_string(), written.clone(), "canonical text is a fixed point");
        let chunk = samples::chunk(&entries("events"));
        prop_assert_eq!(matches(&again, &chunk), matches(&filter, &chunk), "{} → {}", text, written);
    }

    #[test]
    fn a_chunk_whose_texts_are_made_gives_the_same_answers(
        text in filters(),
        events in prop::collection::vec(event(), 0..12),
    ) {
        let Some(filter) = parse(&text).filter else { return Ok(()) };
        let known = entries("events");
        let texts: Vec<&str> = known.iter().copied().chain(events.iter().map(String::as_str)).collect();
        let texts: Vec<&str> = texts.iter().copied().cycle().take(texts.len() * 4).collect();
        let chunk = samples::chunk(&texts);
        let plain = matches(&filter, &chunk);
        chunk.make_texts(&|| true);
        prop_assert_eq!(matches(&filter, &chunk), plain, "{} in {:?}", text, events);
    }

    #[test]
    fn words_are_found_in_every_value_and_nowhere_else(
        word in r#"[abn/"\\ \n0é\x00]{1,3}|1[05]|true|ull|u00"#,
        events in prop::collection::vec(event(), 1..12),
        only in prop::option::of(any::<prop::sample::Index>()),
        is_ready in any::<bool>(),
    ) {
        let texts: Vec<&str> = events.iter().map(String::as_str).collect();
        let chunk = samples::chunk(&texts);
        if is_ready {
            chunk.make_texts(&|| true);
        }
        let quoted = format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
        let parsed = parse(&quoted);
        let filter = parsed.filter.expect("a phrase");
        let rows = only.map_or(0..texts.len(), |index| index.index(texts.len())..texts.len());
        let mut out = Bits::new();
        Matcher::new(Arc::new(filter), sample_context()).eval(&chunk, rows.clone(), &mut out);
        let lower = word.to_lowercase();
        let names = ["browser/", "browser."];
        let expected: Vec<usize> = rows
            .filter(|row| {
                names.iter().any(|name| name.contains(&lower))
                    || leaves(texts[*row]).any(|leaf| {
                        !is_user_agent(leaf.key) && text_of(leaf.value).to_lowercase().contains(&lower)
                    })
            })
            .collect();
        prop_assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{} in {:?}", quoted, texts);
    }

    #[test]
    fn patterns_are_found_in_every_value_and_nowhere_else(
        pattern in r#"(\^|\\b)?[abnZ./"0é]{1,2}(\\d|\[\^a\]|\.\*|b\?|n\+)?[abn]?(\||\$|\\b)?"#,
        events in prop::collection::vec(event(), 1..12),
        only in prop::option::of(any::<prop::sample::Index>()),
        is_ready in any::<bool>(),
    ) {
        let texts: Vec<&str> = events.iter().map(String::as_str).collect();
        let chunk = samples::chunk(&texts);
        if is_ready {
            chunk.make_texts(&|| true);
        }
        let typed = format!("~/{}/", pattern.replace('/', r"\/"));
        let Some(filter) = parse(&typed).filter else { return Ok(()) };
        let regex = regex::RegexBuilder::new(&pattern.replace('/', r"\/")).case_insensitive(true).build().expect("valid");
        let rows = only.map_or(0..texts.len(), |index| index.index(texts.len())..texts.len());
        let mut out = Bits::new();
        Matcher::new(Arc::new(filter), sample_context()).eval(&chunk, rows.clone(), &mut out);
        let expected: Vec<usize> = rows
            .filter(|row| {
                ["browser/", "browser.", "browser"].iter().any(|name| regex.is_match(name))
                    || leaves(texts[*row]).any(|leaf| !is_user_agent(leaf.key) && regex.is_match(&text_of(leaf.value)))
            })
            .collect();
        prop_assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{} in {:?}", typed, texts);
    }

    #[test]
    fn messages_are_tested_one_by_one(
        word in "[ab/é ]{1,3}",
        is_pattern in any::<bool>(),
        messages in prop::collection::vec(prop::option::of(r#"[abAé/" ]{0,6}"#), 1..12),
        only in prop::option::of(any::<prop::sample::Index>()),
        is_ready in any::<bool>(),
    ) {
        let texts: Vec<String> = messages
            .iter()
            .map(|message| message.as_ref().map_or("{}".to_owned(), |text| format!("{{\"message\":{}}}", encode(text, &[3]))))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let chunk = samples::chunk(&texts);
        if is_ready {
            chunk.make_texts(&|| true);
        }
        let typed = if is_pattern {
            format!("message~/^{}/", word.replace('/', r"\/"))
        } else {
            format!("message:\"{word}\"")
        };
        let filter = parse(&typed).filter.expect("a filter");
        let rows = only.map_or(0..texts.len(), |index| index.index(texts.len())..texts.len());
        let mut out = Bits::new();
        Matcher::new(Arc::new(filter), sample_context()).eval(&chunk, rows.clone(), &mut out);
        let holds = |text: &str| {
            let (text, word) = (text.to_lowercase(), word.to_lowercase());
            if is_pattern { text.starts_with(&word) } else { text.contains(&word) }
        };
        let expected: Vec<usize> =
            rows.filter(|row| messages[*row].as_ref().is_some_and(|text| holds(text))).collect();
        prop_assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{} in {:?}", typed, texts);
    }

    #[test]
    fn values_in_the_data_are_tested_where_their_path_leads(
        path in prop::sample::select(vec!["a", "ab", "n", "n.b", "userAgent", "n.n"]),
        how in 0..6,
        word in r#"[abnA/"\\ é]{1,2}"#,
        events in prop::collection::vec(event(), 1..12),
        (is_long, is_ready) in any::<(bool, bool)>(),
    ) {
        let count = if is_long { 2_200 } else if is_ready { 70 } else { events.len() };
        let texts: Vec<&str> = events.iter().map(String::as_str).cycle().take(count).collect();
        let chunk = samples::chunk(&texts);
        if is_ready {
            chunk.make_texts(&|| true);
        }
        let quoted = format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
        let pattern = format!("{}.?", regex::escape(&word).replace('/', r"\/"));
        let typed = match how {
            0 | 1 => format!("{path}:{quoted}"),
            2 => format!("{path}=={quoted}"),
            3 => format!("{path}~/{pattern}/"),
            4 => format!("has:{path}"),
            _ => format!("{path}>5"),
        };
        let Some(filter) = parse(&typed).filter else { return Ok(()) };
        let mut out = Bits::new();
        Matcher::new(Arc::new(filter), sample_context()).eval(&chunk, 0..count, &mut out);
        let lower = word.to_lowercase();
        let path: Vec<&str> = path.split('.').collect();
        let holds = |value: &str| match how {
            0 | 1 | 3 => text_of(value).to_lowercase().contains(&lower),
            2 => text_of(value) == word,
            4 => true,
            _ => json::number(value).is_some_and(|number| number > 5.0),
        };
        let expected: Vec<usize> = (0..count)
            .filter(|row| {
                let mut any = |value| how == 4 || leaves(value).any(|leaf| holds(leaf.value));
                json::any_at(texts[*row], &path, &mut any) == Some(true)
            })
            .collect();
        prop_assert_eq!(out.iter().collect::<Vec<_>>(), expected, "{} in {:?}", typed, events);
    }
}
