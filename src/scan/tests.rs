//! The scan against a plain filter over a list: any order of batches, evictions and steps gives the same matches.

use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::event::{ChunkBuilder, Person, Row, Timestamp};
use crate::store::{Retention, Store, Tally};

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
    let select: Select = Box::new(move |chunk, rows, out| {
        let matching = rows.iter().filter(|row| chunk.seqs()[*row].is_multiple_of(nth));
        matching.for_each(|row| out.insert(row));
    });
    Selection { id: nth, select: Some(select) }
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
