//! Rows in the order of time, runs of repeats, and what stands between rows.

use std::sync::Arc;

use super::entries::Walk;
use crate::event::{ChunkBuilder, Family, Level, Micros, Msg, Row, Timestamp};
use crate::scan::{Matches, Scan};
use crate::store::{Retention, Store, Tally};

fn row(ms: i64, msg: &'static str) -> Row<'static> {
    Row {
        inst: Timestamp(ms),
        recv: Timestamp(ms),
        level: Level::Warn,
        family: Family::Log,
        id: "browser/console",
        ns: "browser",
        kind: "log",
        subtype: "console",
        session: "s",
        tab: "t",
        source: "browser",
        msg: Msg::Text(msg),
        ..Row::default()
    }
}

fn matches(rows: &[Row<'_>]) -> Matches {
    let mut store = Store::new(Retention { events: 10_000, bytes: u64::MAX, ..Retention::default() });
    let mut builder = ChunkBuilder::new();
    rows.iter().for_each(|row| builder.push(row));
    store.append(&builder.finish(), &Tally::default());
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(0))));
    scan.matches()
}

/// Time of the last, and how many.
fn up(matches: &Matches, is_folding: bool) -> Vec<(i64, u32)> {
    let entries = Walk::new(matches, is_folding).up(matches.total, 100);
    entries.iter().rev().map(|entry| (entry.last.moment.inst.0, entry.times)).collect()
}

#[test]
fn neighbours_that_say_the_same_within_two_seconds_are_one_row_from_either_side() {
    let other = Row { tab: "u", ..row(3_500, "a") };
    let timed = |ms| Row { duration: Some(Micros(5)), ..row(ms, "b") };
    let rows =
        [row(0, "a"), row(1_900, "a"), row(3_400, "a"), other, row(5_500, "a"), timed(6_000), timed(6_001)];
    let matches = matches(&rows);
    let expected = [(3_400, 3), (3_500, 1), (5_500, 1), (6_000, 1), (6_001, 1)];
    assert_eq!(up(&matches, true), expected);
    let down = Walk::new(&matches, true).down(0, 100);
    assert_eq!(
        down.iter().map(|entry| (entry.last.moment.inst.0, entry.times)).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(up(&matches, false).len(), rows.len());
    for rank in 0..3 {
        let run = Walk::new(&matches, true).around(rank).expect("a row");
        assert_eq!((run.from, run.to, run.times), (0, 3, 3), "the same run from each of its events");
    }
}

#[test]
fn a_flood_of_repeats_costs_a_bounded_look() {
    let rows: Vec<_> = (0..5_000).map(|ms| row(ms, "again")).collect();
    let matches = matches(&rows);
    let entries = Walk::new(&matches, true).up(matches.total, 100);
    assert_eq!(entries.iter().map(|entry| u64::from(entry.times)).sum::<u64>(), 5_000);
    assert!(entries.iter().all(|entry| entry.times <= 1_000) && entries.len() == 5, "{}", entries.len());
}

#[test]
fn late_events_stand_where_they_belong() {
    let rows = [row(1_000, "a"), row(9_000, "b"), row(5_000, "c")];
    let found = up(&matches(&rows), true);
    assert_eq!(found, [(1_000, 1), (5_000, 1), (9_000, 1)]);
}
