//! The scan against a plain filter over a list: any order of batches, evictions and steps gives the same matches.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::event::{
    ChunkBuilder, Flags, Level, Mapped, MappedFrame, MappedTrace, Person, Relation, Row, Timestamp,
};
use crate::store::{Mapping, Retention, Store, Tally};

fn append(store: &mut Store, seqs: Range<u64>) {
    let mut builder = ChunkBuilder::new();
    for seq in seqs {
        builder.push(&Row {
            seq,
            id: "a/b",
            ns: "a.b",
            session: "s",
            user: if seq.is_multiple_of(5) { "u" } else { "" },
            source: "browser",
            ..Row::default()
        });
    }
    store.append(&builder.finish(), &Tally::default());
}

fn every(nth: u64) -> Selection {
    every_on(1, nth)
}

fn every_on(threads: usize, nth: u64) -> Selection {
    let select = || -> Select {
        Box::new(move |chunk, rows, out| {
            let matching = rows.iter().filter(|row| chunk.seqs()[*row].is_multiple_of(nth));
            matching.for_each(|row| out.insert(row));
        })
    };
    Selection::of(nth, (0..threads).map(|_| select()).collect())
}

fn seqs(matches: &Matches) -> Vec<u64> {
    matches.iter().map(|(_, event)| event.seq()).collect()
}

#[test]
fn newest_events_are_found_first() {
    let mut store = Store::new(Retention::default());
    append(&mut store, 1..10_001);
    let mut scan = Scan::new();
    scan.set_selection(every(2));
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
    assert!(scan.advance());
    let matches = scan.matches();
    assert!(!matches.is_done());
    assert_eq!(
        matches.nth(matches.total - 1).map(|(ordinal, event)| (ordinal, event.seq())),
        Some((9_999, 10_000))
    );
    while scan.advance() {}
    let matches = scan.matches();
    assert!(matches.is_done());
    assert_eq!((matches.total, matches.tables.events), (5_000, 5_000));
}

#[test]
fn without_a_filter_everything_matches_at_once() {
    let mut store = Store::new(Retention { events: 3, bytes: u64::MAX, ..Retention::default() });
    append(&mut store, 1..6);
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
    let matches = scan.matches();
    assert!(matches.is_done() && !scan.advance());
    assert_eq!(seqs(&matches), [3, 4, 5]);
    assert_eq!(matches.position(3), Ok(1));
    assert_eq!(matches.position(0), Err(0));
    assert_eq!(matches.position(9), Err(3));
}

proptest! {
    #[test]
    fn any_order_of_steps_finds_the_same(
        steps in prop::collection::vec((0_u64..3_000, 0_usize..4, any::<bool>(), prop::bool::weighted(0.2)), 1..20),
        first in 1_u64..5,
        retain in 1_u64..9_000,
    ) {
        let mut store = Store::new(Retention { events: retain, bytes: u64::MAX, ..Retention::default() });
        let mut scan = Scan::new();
        let mut nth = first;
        scan.set_selection(every(nth));
        let mut next = 1;
        for (count, advances, is_seen, is_narrowed) in steps {
            append(&mut store, next..next + count);
            next += count;
            if is_seen {
                scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
            }
            if is_narrowed && nth < 100 {
                nth *= 2;
                scan.narrow(every(nth));
            }
            for _ in 0..advances {
                scan.advance();
            }
            let partial = scan.matches();
            prop_assert!(partial.iter().all(|(_, event)| event.seq().is_multiple_of(nth)));
        }
        let snapshot = Arc::new(store.snapshot(Timestamp(1)));
        scan.set_snapshot(Arc::clone(&snapshot));
        while scan.advance() {}
        let matches = scan.matches();
        let kept = (snapshot.first..snapshot.end).filter_map(|ordinal| snapshot.event(ordinal));
        let expected: Vec<u64> = kept.map(|event| event.seq()).filter(|seq| seq.is_multiple_of(nth)).collect();
        prop_assert_eq!(seqs(&matches), expected.clone());
        prop_assert!(matches.is_done());
        for (position, seq) in expected.iter().enumerate() {
            let (ordinal, event) = matches.nth(position as u64).expect("there");
            prop_assert_eq!(event.seq(), *seq);
            prop_assert_eq!(matches.position(ordinal), Ok(position as u64));
        }
    }
}

/// Errors of a few groups and sessions.
fn append_errors(store: &mut Store, seqs: Range<u64>) {
    let mut builder = ChunkBuilder::new();
    for seq in seqs {
        let session = if seq.is_multiple_of(3) { "s" } else { "r" };
        let inst = Timestamp(seq.cast_signed() * 7 % 5_000);
        let row = Row { seq, inst, id: "a/b", ns: "a", session, source: "browser", ..Row::default() };
        builder.push(&Row { level: Level::Error, group: 1 + seq % 5, ..row });
    }
    store.append(&builder.finish(), &Tally::default());
}

fn mapping(ordinal: u64) -> Mapping {
    let frame = MappedFrame { is_mapped: true, file: "a.ts".into(), line: 3, ..MappedFrame::default() };
    let trace = MappedTrace { relation: Relation::Thrown, head: "".into(), frames: vec![frame] };
    let mapped = Arc::new(Mapped { traces: vec![trace], top: Some((0, 0)), note: None });
    Mapping {
        ordinal,
        seq: ordinal + 1,
        mapped,
        group: if ordinal.is_multiple_of(4) { 0 } else { 3 + ordinal % 4 },
    }
}

/// Filters that places make more match, less, or leave as they are.
fn by_place(kind: usize) -> Selection {
    let select: Select = Box::new(move |chunk, rows, out| {
        let is_match = |row: &usize| match kind {
            0 => chunk.flags()[*row].has(Flags::MAPPED),
            1 => !chunk.flags()[*row].has(Flags::MAPPED),
            _ => chunk.seqs()[*row].is_multiple_of(2),
        };
        rows.iter().filter(is_match).for_each(|row| out.insert(row));
    });
    Selection::of(1, vec![select])
}

/// What a scan has found, and what its tables say of groups.
fn found(scan: &mut Scan) -> (Vec<u64>, u64, Vec<String>) {
    while scan.advance() {}
    let matches = scan.matches();
    assert!(matches.is_done());
    let mut groups: Vec<_> = (matches.tables.groups.iter())
        .map(|row| {
            format!(
                "{} {} {:?} {} {}",
                row.group,
                row.count,
                (row.first, row.last),
                row.last_ordinal,
                row.sessions
            )
        })
        .collect();
    groups.sort_unstable();
    (seqs(&matches), matches.tables.events, groups)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn places_that_come_later_are_found_like_those_that_were_there(
        steps in prop::collection::vec(
            (0_u64..3_000, prop::collection::vec(any::<prop::sample::Index>(), 0..40), 0_usize..6, any::<bool>()),
            1..12,
        ),
        kind in 0_usize..3,
    ) {
        let mut store = Store::new(Retention::default());
        let mut scan = Scan::new();
        scan.set_selection(by_place(kind));
        let mut next = 1;
        for (count, placed, advances, is_due) in steps {
            append_errors(&mut store, next..next + count);
            next += count;
            let placed = placed.iter().filter(|_| next > 1);
            let mappings: Vec<Mapping> = placed.map(|index| mapping(index.index(next as usize - 1) as u64)).collect();
            store.map(&mappings);
            scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
            if is_due {
                scan.see_places();
            }
            for _ in 0..advances {
                scan.advance();
            }
            scan.matches();
        }
        let snapshot = Arc::new(store.snapshot(Timestamp(1)));
        scan.set_snapshot(Arc::clone(&snapshot));
        scan.see_places();
        let mut anew = Scan::new();
        anew.set_selection(by_place(kind));
        anew.set_snapshot(snapshot);
        prop_assert_eq!(found(&mut scan), found(&mut anew));
    }
}

#[test]
fn several_threads_leave_no_holes_and_find_the_same() {
    let mut store = Store::new(Retention::default());
    append(&mut store, 1..60_001);
    let snapshot = Arc::new(store.snapshot(Timestamp(1)));
    let mut scan = Scan::new();
    scan.set_selection(every_on(3, 2));
    scan.set_snapshot(Arc::clone(&snapshot));
    let mut had = 0;
    // Each slice is over after two looks at the time, whoever of the three took them.
    let mut has_work = true;
    while has_work {
        let left = AtomicUsize::new(2);
        let goes_on =
            || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        has_work = scan.look_on(&goes_on);
        let found = seqs(&scan.glance());
        let oldest = found.first().copied().unwrap_or(60_000);
        assert_eq!(found, (oldest..=60_000).filter(|seq| seq % 2 == 0).collect::<Vec<_>>());
        assert!(found.len() > had || !has_work, "each slice finds more");
        had = found.len();
    }
    assert_eq!((had, scan.glance().is_done()), (30_000, true));
}

#[test]
fn a_place_makes_only_its_own_chunk_be_looked_at_again() {
    let looked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&looked);
    let select: Select = Box::new(move |_, rows, out| {
        counting.fetch_add(rows.iter().count(), Ordering::Relaxed);
        rows.iter().for_each(|row| out.insert(row));
    });
    let mut store = Store::new(Retention::default());
    append_errors(&mut store, 1..30_001);
    let mut scan = Scan::new();
    scan.set_selection(Selection::of(1, vec![select]));
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
    while scan.advance() {}
    assert_eq!(looked.swap(0, Ordering::Relaxed), 30_000);
    let before = scan.matches();
    store.map(&[mapping(5_001), mapping(5_003), mapping(29_999)]);
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(2))));
    scan.see_places();
    let shown = scan.glance();
    assert_eq!((shown.total, before.total), (30_000, 30_000), "the list stays whole meanwhile");
    while scan.advance() {}
    let first = scan.snapshot.segment_of(5_001).expect("kept").chunk.len();
    let last = scan.snapshot.segments.last().expect("some").chunk.len();
    assert_eq!(looked.load(Ordering::Relaxed), first + last);
    assert!(scan.matches().nth(5_001).is_some_and(|(_, event)| event.place().is_some()));
}

#[test]
fn a_pass_starts_over_when_events_were_taken_out_of_the_middle() {
    let mut store = Store::new(Retention { events: 20_000, bytes: u64::MAX, ..Retention::default() });
    append(&mut store, 1..9_000);
    let mut scan = Scan::new();
    scan.set_selection(every(3));
    scan.set_snapshot(Arc::new(store.snapshot(Timestamp(1))));
    while scan.advance() {}
    let all = scan.matches().total;
    assert_eq!(store.forget(&Person::User("u".to_owned())), 1_799);
    let snapshot = Arc::new(store.snapshot(Timestamp(2)));
    scan.set_snapshot(Arc::clone(&snapshot));
    while scan.advance() {}
    let matches = scan.matches();
    let kept = (snapshot.first..snapshot.end).filter_map(|ordinal| snapshot.event(ordinal));
    let expected: Vec<u64> = kept.map(|event| event.seq()).filter(|seq| seq.is_multiple_of(3)).collect();
    assert_eq!(seqs(&matches), expected);
    assert!(matches.total < all);
    assert_eq!((matches.is_done(), matches.tables.events), (true, matches.total));
}
