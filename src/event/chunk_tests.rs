//! Rows into chunks, from one chunk into another, and out again.

use super::super::{ChunkBuilder, Row};
use super::*;

pub(crate) fn row<'a>(seq: u64, session: &'a str, json: &'a str, msg: Msg<'a>) -> Row<'a> {
    Row {
        seq,
        inst: Timestamp(1000),
        recv: Timestamp(2000),
        level: Level::Error,
        severity: Some(Severity::High),
        family: Family::Error,
        flags: Flags::NONE,
        id: "browser/javascript",
        ns: "browser.javascript",
        kind: "error",
        subtype: "javascript",
        session,
        user: "user-1",
        tab: "",
        load: None,
        endpoint: "",
        duration: None,
        status: None,
        group: 7,
        source: "browser",
        msg,
        json,
    }
}

#[test]
fn rows_survive_the_move_into_a_chunk_with_other_names() {
    let mut batch = ChunkBuilder::new();
    let json = r#"{"message":"boom","timestamp":5}"#;
    batch.push(&row(1, "s1", json, Msg::InJson(12..16)));
    batch.push(&row(2, "s2", "{}", Msg::Text("made")));
    batch.push(&row(3, "s1", json, Msg::InJson(12..16)));
    let batch = batch.finish();
    let mut interner = Interner::new(100);
    interner.intern("something else");
    let mut ring = Chunk::new(Arc::clone(interner.names()));
    let remap = batch.remap_into(&mut interner);
    ring.extend(&batch, 1..3, &remap);
    ring.extend(&batch, 0..1, &remap);
    let seen: Vec<_> = ring.events().map(|e| (e.seq(), e.session(), e.msg(), e.json().len())).collect();
    assert_eq!(seen, [(2, "s2", "made", 2), (3, "s1", "boom", json.len()), (1, "s1", "boom", json.len())]);
    let event = ring.event(0);
    assert_eq!((event.load(), event.status(), event.duration()), (None, None, None));
    assert_eq!(event.severity(), Some(Severity::High));
    let total: usize = (0..ring.len()).map(|row| ring.row_bytes(row)).sum();
    assert_eq!(total, ring.bytes());
}

#[test]
fn data_gains_only_what_the_event_does_not_have() {
    let mut builder = ChunkBuilder::new();
    builder.push(&row(1, "s", r#"{"timestamp":5}"#, Msg::Text("")));
    let mut has_all = row(2, "s", "{}", Msg::Text(""));
    has_all.flags = Flags::HAS_SOURCE | Flags::HAS_USER | Flags::HAS_RECV;
    builder.push(&has_all);
    let chunk = builder.finish();
    let mut out = String::new();
    chunk.event(0).write_data(&mut out);
    let expected = r#"{"timestamp":5,"source":"browser","user-id":"user-1","server-recv-time":2000,"browser-timestamp":5}"#;
    assert_eq!(out, expected);
    out.clear();
    chunk.event(1).write_data(&mut out);
    assert_eq!(out, "{}");
}

#[test]
fn retain_keeps_the_chosen_rows() {
    let mut builder = ChunkBuilder::new();
    for seq in 1..=4 {
        builder.push(&row(seq, "s", r#"{"message":"m"}"#, Msg::InJson(12..13)));
    }
    let kept = builder.finish().retain(|row| row % 2 == 1);
    assert_eq!(kept.events().map(|e| (e.seq(), e.msg())).collect::<Vec<_>>(), [(2, "m"), (4, "m")]);
}

#[test]
fn values_lie_beside_each_other_without_keys_and_escapes() {
    let mut builder = ChunkBuilder::new();
    let first = r#"{"type":"log","message":"hello","a":"x\ny","n":[1,null,"log"],"user-agent":"Moz"}"#;
    let message = first.find("hello").expect("there");
    for (json, msg) in [
        (first, Msg::InJson(message..message + 5)),
        (r#"{"e":"","z":"a\u0000b"}"#, Msg::Text("made")),
        ("{}", Msg::Text("")),
    ] {
        builder.push(&Row { kind: "log", ..row(1, "s", json, msg) });
    }
    let chunk = builder.finish();
    assert!(chunk.texts().is_none());
    chunk.make_texts(&|| true);
    let texts = chunk.texts().expect("made");
    let Texts { values: runs, messages, .. } = texts;
    assert_eq!(runs.text, "hello\0made\0x\ny\x001\0log\0\0");
    assert_eq!(messages.bytes, 0..11);
    let rows_of = |value: usize| runs.rows_with(value);
    assert_eq!(messages.values.clone().map(rows_of).collect::<Vec<_>>(), [[0], [1]]);
    assert_eq!(texts.odd, [1]);
    let values = |path: &[&str]| -> Vec<(usize, &str)> {
        let paths = texts.values.under(path);
        let runs = texts.values.all.iter().filter(|run| run.path.is_some_and(|path| paths.contains(&path)));
        let values = runs.flat_map(|run| texts.values.values_of(run));
        values.map(|(value, text)| (usize::from(texts.values.rows_with(value)[0]), text)).collect()
    };
    assert_eq!(values(&["A"]), [(0, "x\ny")]);
    assert_eq!(values(&["n"]), [(0, "1"), (0, "log")]);
    assert_eq!(values(&["n", "0"]), [(0, "1")]);
    assert_eq!(values(&["E"]), [(1, "")]);
    assert!(texts.bytes > texts.values.text.len());
}

#[test]
fn what_many_events_say_stands_once() {
    let mut builder = ChunkBuilder::new();
    for (seq, page) in ["/a", "/b", "/a", "/a", "/c", "/b"].into_iter().enumerate() {
        builder.push(&row(seq as u64, "s", &format!(r#"{{"page":"{page}","n":1}}"#), Msg::Text("made")));
    }
    let chunk = builder.finish();
    chunk.make_texts(&|| true);
    let runs = &chunk.texts().expect("made").values;
    assert_eq!(runs.text, "made\0/a\0/b\0/c\x001\0");
    let page = &runs.under(&["page"])[..];
    let run = runs.all.iter().find(|run| run.path.is_some_and(|path| page.contains(&path))).expect("there");
    let held: Vec<(&str, &[u16])> =
        runs.values_of(run).map(|(value, text)| (text, runs.rows_with(value))).collect();
    assert_eq!(held, [("/a", &[0, 2, 3][..]), ("/b", &[1, 5]), ("/c", &[4])]);
    assert_eq!(runs.rows_of(run.values.clone()), [0, 2, 3, 1, 5, 4]);
}
