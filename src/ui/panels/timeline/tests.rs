//! Lanes and rows of single events, drawn over an axis of known width.

use super::*;
use crate::event::{ALERT, ChunkBuilder, Family, Level, Micros, Row};
use crate::scan::{Matches, Scan};
use crate::store::{Retention, Store, Tally};
use crate::ui::theme::{Palette, Theme};

fn row<'a>(ms: i64, subtype: &'a str, took_ms: u64, level: Level) -> Row<'a> {
    Row {
        inst: Timestamp(ms),
        recv: Timestamp(ms),
        level,
        family: if level >= Level::Error { Family::Error } else { Family::Performance },
        flags: if subtype == "api-call" { Flags::REQUEST } else { Flags::NONE },
        id: "browser/x",
        ns: "browser",
        subtype,
        session: "s",
        endpoint: if subtype == "api-call" { "GET /a" } else { "" },
        duration: (took_ms > 0).then_some(Micros(took_ms * 1_000)),
        status: (subtype == "api-call").then_some(200),
        source: "browser",
        json: r#"{"timing":{"fully-loaded":30}}"#,
        ..Row::default()
    }
}

fn matches(rows: &[Row<'_>]) -> Matches {
    let mut store = Store::new(Retention { events: 100, bytes: u64::MAX, ..Retention::default() });
    let mut builder = ChunkBuilder::new();
    rows.iter().for_each(|row| builder.push(row));
    store.append(&builder.finish(), &Tally::default());
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(0))));
    scan.matches()
}

/// A hundred milliseconds over fifty columns, drawn in ASCII.
fn drawn(rows: &[Row<'_>], draw: impl Fn(&Scene<'_, '_>) -> Strip) -> String {
    let matches = matches(rows);
    let theme = Theme::new(Palette::Mono, true);
    let symbol = track::symbol_of(matches.segments[0].chunk.names(), "s").expect("a session");
    let track = Tracker::default().track(&matches, symbol);
    let axis = Axis::following(100, 100, 50, 0);
    let scene = Scene {
        entries: &track.entries,
        axis,
        origin: Timestamp(0),
        zero: Timestamp(0),
        is_frozen: false,
        theme: &theme,
    };
    let mut buf = Buffer::empty(Rect::new(0, 0, 50, 1));
    let area = buf.area;
    draw(&scene).draw((area, &mut buf), None, &theme);
    (0..50).map(|x| buf[(x, 0)].symbol().to_owned()).collect::<String>().trim_end().to_owned()
}

fn lane(lane: Lane) -> impl Fn(&Scene<'_, '_>) -> Strip {
    move |scene| scene.lane(lane).0
}

#[test]
fn requests_are_bars_from_their_beginning_to_their_end() {
    let call = |ms, took| row(ms, "api-call", took, Level::Info);
    let bars = |scene: &Scene<'_, '_>| scene.bars(&scene.entries.iter().collect::<Vec<_>>());
    for (rows, expected) in [
        (vec![call(40, 30)], "     [==============] 200"),
        (vec![call(10, 500)], "=====] 200"),
        (vec![call(20, 1), call(30, 20)], "     [=========] 200"),
        (vec![call(99, 20)], "                                       [=========]"),
        (vec![call(41, 1), call(47, 1)], "                    +  + 200"),
    ] {
        assert_eq!(drawn(&rows, bars), expected);
    }
}

#[test]
fn lanes_show_the_worst_and_how_many() {
    let at = |ms, level| row(ms, "console", 0, level);
    let console = [
        at(10, Level::Info),
        at(10, Level::Warn),
        at(11, Level::Debug),
        at(50, Level::Debug),
        at(52, Level::Error),
    ];
    assert_eq!(drawn(&console, lane(Lane::Console)), "     w3                  .E");
    assert_eq!(drawn(&console, lane(Lane::Err)), "                          E");
    let busy: Vec<_> = [30, 32, 60].map(|ms| row(ms, "api-call", 10, Level::Info)).into();
    assert_eq!(drawn(&busy, lane(Lane::Net)), "          =#####=        ======");
    let tasks = [row(20, "long-task", 10, Level::Info), row(41, "long-task", 1, Level::Info)];
    assert_eq!(drawn(&tasks, lane(Lane::Blocked)), "     #####          =");
    let load = [row(60, "page-load", 0, Level::Info)];
    assert_eq!(drawn(&load, lane(Lane::Nav)), "               *::::::::::::::: load");
}

#[test]
fn only_the_session_asked_for_is_taken() {
    let other = Row { session: "t", ..row(5, "console", 0, Level::Info) };
    let alert = Row { flags: Flags::OWN, id: ALERT, ..row(7, "", 0, Level::Error) };
    let console = |ms| row(ms, "console", 0, Level::Info);
    let matches = matches(&[console(9), other, alert, console(3)]);
    let names = matches.segments[0].chunk.names();
    let track = |session| {
        Tracker::default().track(&matches, track::symbol_of(names, session).unwrap_or(Symbol::OTHER))
    };
    let times = |track: Track<'_>| track.entries.iter().map(|entry| entry.end.0).collect::<Vec<_>>();
    assert_eq!(times(track("s")), [3, 9]);
    assert_eq!((times(track("t")), times(track("")), times(track("nobody"))), (vec![5], vec![], vec![]));
}
