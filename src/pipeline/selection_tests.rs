//! What passes a selection, and what its stages count.

use super::*;
use crate::event::{ChunkBuilder, Family, Msg, Row};

fn chunk(events: &[(&str, Level, &str)]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for (id, level, session) in events {
        let family = if id.ends_with("click") { Family::Analytics } else { Family::None };
        builder.push(&Row {
            level: *level,
            family,
            id,
            ns: &id.replace('/', "."),
            session,
            source: "browser",
            msg: Msg::Text("m"),
            ..Row::default()
        });
    }
    builder.finish()
}

fn selector(text: &str) -> Selector {
    let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
    let values = Values::read(&[SELECTION], document.as_table(), &[], &mut |_, said| panic!("{said}"));
    Selector::new(Selection::of(&values), 7)
}

fn rows(selected: &Selected) -> Vec<u32> {
    match &selected.rows {
        Rows::All => vec![u32::MAX],
        Rows::These(rows) => rows.clone(),
    }
}

#[test]
fn each_stage_stops_its_own_and_counts_it_once() {
    use Level::{Debug, Error, Info, Trace};
    let events = chunk(&[
        ("browser/click", Debug, "a"),
        ("browser/error", Error, "a"),
        ("app/login", Info, "b"),
        ("app/noise", Trace, "b"),
    ]);
    for (text, passed, stopped) in [
        ("", vec![u32::MAX], [0; 6]),
        ("min-level = \"info\"", vec![1, 2], [2, 0, 0, 0, 0, 0]),
        (
            "min-level = \"info\"\nmin-levels = { \"app/noise\" = \"trace\" }",
            vec![1, 2, 3],
            [1, 0, 0, 0, 0, 0],
        ),
        ("min-levels = { \"app.*\" = \"error\" }", vec![0, 1], [2, 0, 0, 0, 0, 0]),
        ("ids = { disallow = \"browser/analytics*\" }", vec![1, 2, 3], [0, 1, 0, 0, 0, 0]),
        ("namespaces = { allow = [\"browser.*\"] }", vec![0, 1], [0, 0, 2, 0, 0, 0]),
        ("filter = \"level>=error\"", vec![1], [0, 0, 0, 3, 0, 0]),
        ("sample = 0", vec![], [0, 0, 0, 0, 4, 0]),
        ("samples = { \"app/*\" = 0 }", vec![0, 1], [0, 0, 0, 0, 2, 0]),
        ("limits = \"3 per minute\"", vec![0, 1, 2], [0, 0, 0, 0, 0, 1]),
        (
            "min-level = \"debug\"\nids = { allow = \"app/*\" }\nfilter = \"id:login\"\nlimits = [\"1 per s\"]",
            vec![2],
            [1, 2, 0, 0, 0, 0],
        ),
    ] {
        let selected = selector(text).select(&events, Timestamp(0));
        assert_eq!((rows(&selected), selected.stopped), (passed, stopped), "{text}");
    }
}

#[test]
fn a_limit_opens_again_and_only_what_passed_the_rest_counts_against_it() {
    let events = chunk(&[("a/b", Level::Info, ""), ("a/c", Level::Error, ""), ("a/d", Level::Error, "")]);
    let mut selector = selector("min-level = \"error\"\nlimits = \"1 per second\"");
    for (now, expected) in [(0, vec![1]), (500, vec![]), (1_100, vec![1])] {
        assert_eq!(rows(&selector.select(&events, Timestamp(now))), expected, "{now}");
    }
    let within = selector.select_within_limits(&events, Timestamp(3_000));
    assert_eq!((rows(&within), within.stopped[Stage::Limit as usize]), (vec![0], 2));
}

#[test]
fn a_sample_by_session_is_the_same_every_time_and_near_its_share() {
    let names: Vec<String> = (0..2_000).map(|number| format!("session-{number}")).collect();
    let events: Vec<_> = names.iter().map(|name| ("a/b", Level::Info, name.as_str())).collect();
    let events = chunk(&events);
    let text = "sample = 0.25\nsample-by = \"session\"";
    let (once, again) =
        (selector(text).select(&events, Timestamp(0)), selector(text).select(&events, Timestamp(9)));
    assert_eq!(once, again);
    for share in [rows(&once).len(), rows(&selector("sample = \"25%\"").select(&events, Timestamp(0))).len()]
    {
        assert!((400..600).contains(&share), "{share}");
    }
}

#[test]
fn a_batch_longer_than_a_set_of_bits_is_filtered_to_its_end() {
    let events = chunk(&vec![("a/b", Level::Error, ""); 9_000]);
    let selected = selector("filter = \"level>=error\"").select(&events, Timestamp(0));
    assert_eq!(selected.rows, Rows::All);
    let selected = selector("filter = \"level<error\"").select(&events, Timestamp(0));
    assert_eq!(selected.stopped[Stage::Filter as usize], 9_000);
}

#[test]
fn filters_that_need_more_than_the_event_are_refused() {
    for (text, is_fine) in
        [("level>=error", true), ("since:5m", false), ("load:0", false), ("level>=", false)]
    {
        assert_eq!(read_of_event(text).is_ok(), is_fine, "{text}");
    }
    let mistake = read_of_event("level:wran").expect_err("no such level");
    assert_eq!((mistake.column, mistake.len), (7, 4));
}
