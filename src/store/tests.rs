//! The store against a plain model: what goes in is kept in order until a bound is met, and the books balance.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::event::{ChunkBuilder, Family, Flags, Level, Micros, Msg, Person, Row};

fn row<'a>(seq: u64, session: &'a str, endpoint: &'a str, json: &'a str) -> Row<'a> {
    Row {
        seq,
        inst: Timestamp(i64::try_from(seq).expect("small")),
        level: if seq.is_multiple_of(3) { Level::Error } else { Level::Info },
        id: "browser/api-call",
        ns: "browser.api-call",
        kind: "metric",
        subtype: "api-call",
        session,
        endpoint,
        duration: Some(Micros(seq * 1000)),
        status: Some(200),
        group: if seq.is_multiple_of(3) { 9 } else { 0 },
        source: "browser",
        msg: Msg::Text("made"),
        json,
        ..Row::default()
    }
}

fn chunk_of(rows: &[Row<'_>]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    rows.iter().for_each(|row| builder.push(row));
    builder.finish()
}

fn accepted(count: usize) -> Tally {
    Tally { accepted: count as u64, ..Tally::default() }
}

fn seqs(snapshot: &Snapshot) -> Vec<u64> {
    (snapshot.first..snapshot.end)
        .filter_map(|ordinal| snapshot.event(ordinal))
        .map(|event| event.seq())
        .collect()
}

#[test]
fn the_oldest_leave_when_there_are_too_many() {
    let mut store = Store::new(Retention { events: 5, bytes: u64::MAX, ..Retention::default() });
    for seq in 1..=9 {
        store.append(&chunk_of(&[row(seq, "s", "", "{}")]), &accepted(1));
    }
    let snapshot = store.snapshot(Timestamp(1));
    assert_eq!(seqs(&snapshot), [5, 6, 7, 8, 9]);
    assert_eq!((snapshot.ledger.live, snapshot.ledger.evicted), (5, 4));
}

#[test]
fn the_memory_of_chunks_that_left_takes_new_events() {
    let mut store = Store::new(Retention { events: 5_000, bytes: u64::MAX, ..Retention::default() });
    for batch in 0..20 {
        let rows: Vec<_> = (1..=1_000).map(|n| row(batch * 1_000 + n, "s", "GET /a", r#"{"a":1}"#)).collect();
        store.append(&chunk_of(&rows), &accepted(1_000));
    }
    let snapshot = store.snapshot(Timestamp(1));
    assert_eq!(seqs(&snapshot), (15_001..=20_000).collect::<Vec<_>>());
    let rows: usize = snapshot.segments.iter().map(|segment| segment.chunk.len()).sum();
    assert!(rows < 5_000 + 4_096, "{rows}");
    let events = (snapshot.first..snapshot.end).filter_map(|ordinal| snapshot.event(ordinal));
    assert!(events.clone().all(|event| event.json() == r#"{"a":1}"# && event.endpoint() == "GET /a"));
}

#[test]
fn chunks_that_were_copied_take_little_more_memory_than_their_rows() {
    let mut store = Store::new(Retention::default());
    let mut held = None;
    for batch in 0..300 {
        let rows: Vec<_> = (1..=100).map(|n| row(batch * 100 + n, "s", "GET /a", r#"{"a":1}"#)).collect();
        store.append(&chunk_of(&rows), &accepted(100));
        drop(held.replace(store.snapshot(Timestamp(1))));
    }
    let snapshot = store.snapshot(Timestamp(1));
    let full = &snapshot.segments[1..snapshot.segments.len() - 1];
    assert!(full.len() > 4);
    for Segment { chunk, .. } in full {
        let ((rows, json), (more_rows, more_json)) = ((chunk.len(), chunk.text_bytes().0), chunk.room_left());
        assert!(
            more_rows <= rows / 8 && more_json <= json / 8,
            "{more_rows} of {rows}, {more_json} of {json}"
        );
    }
}

#[test]
fn what_is_made_for_searches_counts_as_memory() {
    let full: Vec<_> = (1..=4_096).map(|seq| row(seq, "s", "GET /a", r#"{"a":1}"#)).collect();
    let bytes = chunk_of(&full).bytes() as u64;
    let mut store =
        Store::new(Retention { events: u64::MAX, bytes: 2 * bytes + 1_000, ..Retention::default() });
    for _ in 0..2 {
        store.append(&chunk_of(&full), &accepted(4_096));
    }
    let before = store.snapshot(Timestamp(1));
    assert_eq!((before.bytes, before.first), (2 * bytes, 0));
    before.segments[1].chunk.make_texts(&|| true);
    let made = before.segments[1].chunk.texts().expect("made").bytes as u64;
    store.append(&chunk_of(&full[..1]), &accepted(1));
    let after = store.snapshot(Timestamp(2));
    assert!(after.bytes > 2 * bytes + 800 && after.bytes <= 2 * bytes + 1_000, "{}", after.bytes);
    assert!(made > 4_096 && after.first > (made - 1_000) / (bytes / 4_096), "{made} {}", after.first);
}

#[test]
fn a_snapshot_keeps_its_moment_while_the_store_goes_on() {
    let mut store = Store::new(Retention::default());
    store.append(&chunk_of(&[row(1, "s", "", "{}")]), &accepted(1));
    let before = store.snapshot(Timestamp(1));
    store.append(&chunk_of(&[row(2, "s", "", "{}")]), &accepted(1));
    assert_eq!(seqs(&before), [1]);
    assert_eq!(seqs(&store.snapshot(Timestamp(2))), [1, 2]);
}

#[test]
fn tables_count_requests_errors_and_sessions_beyond_eviction() {
    let mut store = Store::new(Retention { events: 2, bytes: u64::MAX, ..Retention::default() });
    let rows: Vec<_> = (1..=6).map(|seq| row(seq, if seq < 3 { "a" } else { "b" }, "GET /x", "{}")).collect();
    store.append(&chunk_of(&rows), &accepted(6));
    let tables = store.snapshot(Timestamp(1000)).tables;
    assert_eq!(tables.events, 6);
    assert_eq!((&*tables.endpoints[0].name, tables.endpoints[0].count), ("GET /x", 6));
    assert_eq!(tables.endpoints[0].latency.max, Micros(6000));
    assert_eq!(tables.endpoints[0].slowest[0].ordinal, 5);
    assert_eq!((tables.groups[0].group, tables.groups[0].count, tables.groups[0].sessions), (9, 2, 1));
    let sessions: Vec<_> = tables.sessions.iter().map(|s| (&*s.session, s.events)).collect();
    assert_eq!(sessions, [("b", 4), ("a", 2)]);
}

#[test]
fn an_alert_that_quotes_a_session_is_not_of_it() {
    let mut store = Store::new(Retention::default());
    let alert = Row { id: "taillight/alert", flags: Flags::OWN, ..row(3, "s", "", "{}") };
    store.append(&chunk_of(&[row(3, "s", "", "{}"), alert]), &accepted(2));
    let tables = store.snapshot(Timestamp(1000)).tables;
    assert_eq!((tables.sessions[0].events, tables.sessions[0].errors), (1, 1));
}

#[test]
fn what_taillight_tells_of_a_session_is_not_the_latest_of_its_page() {
    let own = |seq| Row { id: "taillight/page", flags: Flags::OWN, ..row(seq, "s", "", "{}") };
    for (rows, latest) in [
        (vec![row(1, "s", "", "{}"), own(2)], 0),
        (vec![own(1), row(2, "s", "", "{}"), row(4, "s", "", "{}"), own(5)], 2),
        (vec![own(1), own(2)], 1),
    ] {
        let mut store = Store::new(Retention::default());
        store.append(&chunk_of(&rows), &accepted(rows.len()));
        assert_eq!(store.snapshot(Timestamp(1000)).tables.sessions[0].last_ordinal, latest);
    }
}

#[test]
fn a_burst_that_a_page_folded_counts_as_often_as_it_happened() {
    let mut store = Store::new(Retention::default());
    let thrown = |(json, flags)| Row { family: Family::Error, flags, ..row(3, "s", "", json) };
    let all = [
        (r#"{"message":"a"}"#, Flags::NONE),
        (r#"{"count":995,"first":1}"#, Flags::FOLDED),
        // A number that means something else, or nothing.
        (r#"{"count":7}"#, Flags::NONE),
        (r#"{"count":-1,"first":1}"#, Flags::FOLDED),
    ];
    store.append(&chunk_of(&all.map(thrown)), &accepted(all.len()));
    let group = &store.snapshot(Timestamp(1000)).tables.groups[0];
    assert_eq!(group.count, 1 + 995 + 1 + 1);
    assert_eq!(group.trend.over(Timestamp(0), Timestamp(1000), 1), [group.count]);
}

#[test]
fn how_long_a_page_waited_before_it_gave_up_is_no_latency() {
    let mut store = Store::new(Retention::default());
    let aborted = Row { status: None, ..row(1, "s", "GET /x", r#"{"aborted":true}"#) };
    store.append(&chunk_of(&[row(2, "s", "GET /x", "{}"), aborted]), &accepted(2));
    let endpoint = &store.snapshot(Timestamp(1000)).tables.endpoints[0];
    assert_eq!((endpoint.count, endpoint.errors, endpoint.latency.count), (2, 0, 1));
    assert_eq!(endpoint.aborted, 1, "and is told apart");
}

#[test]
fn sessions_are_live_while_a_connection_is_open() {
    let mut store = Store::new(Retention::default());
    store.note_agent("a", &"Firefox 127 · Linux".into());
    store.note_session("a", Presence::Here, Timestamp(1));
    store.note_session("a", Presence::Here, Timestamp(2));
    store.note_session("a", Presence::Gone, Timestamp(3));
    assert_eq!(store.snapshot(Timestamp(4)).live["a"].connections, 1);
    store.note_session("a", Presence::Gone, Timestamp(5));
    let gone = store.snapshot(Timestamp(6));
    assert!(gone.live.is_empty() && gone.lost.is_empty());
    // Lost is only whose last connection was, until it is back or somebody asks for it to be forgotten.
    for (presence, is_lost) in [
        (Presence::Here, false),
        (Presence::Here, false),
        (Presence::Lost, false),
        (Presence::Lost, true),
        (Presence::Here, false),
        (Presence::Lost, true),
    ] {
        store.note_session("a", presence, Timestamp(7));
        assert_eq!(store.snapshot(Timestamp(8)).lost.contains("a"), is_lost, "{presence:?}");
    }
    store.forget(&Person::Session("a".to_owned()));
    assert!(store.snapshot(Timestamp(9)).lost.is_empty());
}

#[test]
fn page_loads_are_known_at_once_and_those_of_a_crowd_four_times_a_second() {
    let mut store = Store::new(Retention::default());
    let seen = |store: &mut Store, now| {
        let loads = store.snapshot(Timestamp(now)).loads;
        (loads.len(), loads.latest_session().map(str::to_owned))
    };
    let loaded = |store: &mut Store, session, seq| {
        store.append(&chunk_of(&[row(seq, session, "", "{}")]), &accepted(1));
        store.note_connection(session, "t", Timestamp(1));
    };
    loaded(&mut store, "first", 1);
    assert_eq!(seen(&mut store, 1_000), (1, Some("first".to_owned())));
    loaded(&mut store, "second", 2);
    assert_eq!(seen(&mut store, 1_001), (2, Some("second".to_owned())));
    for number in 0..FEW_LOADS {
        store.note_connection(&format!("more-{number}"), "t", Timestamp(3));
    }
    assert_eq!(seen(&mut store, 1_100).0, 2);
    assert_eq!(seen(&mut store, 1_251).0, FEW_LOADS + 2);
}

#[test]
fn the_rate_is_of_the_last_five_full_seconds() {
    let mut store = Store::new(Retention::default());
    let mut event = row(1, "s", "", "{}");
    for second in 1..=10 {
        event.recv = Timestamp(second * 1000);
        store.append(&chunk_of(&[event.clone(), event.clone()]), &accepted(2));
    }
    assert_eq!(store.snapshot(Timestamp(10_500)).events_per_s, 2);
    assert_eq!(store.snapshot(Timestamp(60_000)).events_per_s, 0);
}

proptest! {
    #[test]
    fn the_ring_is_a_bounded_queue(
        batches in prop::collection::vec(prop::collection::vec(0_usize..300, 0..40), 1..30),
        max_events in 1_u64..200,
        max_bytes in 200_u64..20_000,
    ) {
        let retention = Retention { events: max_events, bytes: max_bytes, ..Retention::default() };
        let mut store = Store::new(retention);
        let mut model: VecDeque<(u64, usize)> = VecDeque::new();
        let mut seq = 0;
        let mut evicted = 0;
        for batch in batches {
            let texts: Vec<String> = batch.iter().map(|size| format!("{{\"x\":\"{}\"}}", "y".repeat(*size))).collect();
            let rows: Vec<_> = texts.iter().map(|text| { seq += 1; row(seq, "s", "", text) }).collect();
            model.extend(rows.iter().map(|row| (row.seq, row.json.len() + "made".len() + 96)));
            store.append(&chunk_of(&rows), &accepted(rows.len()));
            while model.len() as u64 > max_events || model.iter().map(|(_, size)| *size as u64).sum::<u64>() > max_bytes {
                model.pop_front();
                evicted += 1;
            }
            let snapshot = store.snapshot(Timestamp(1));
            prop_assert_eq!(seqs(&snapshot), model.iter().map(|(seq, _)| *seq).collect::<Vec<_>>());
            prop_assert_eq!(snapshot.bytes, model.iter().map(|(_, size)| *size as u64).sum::<u64>());
            prop_assert_eq!(snapshot.ledger.evicted, evicted);
            prop_assert_eq!(snapshot.ledger.accepted + snapshot.ledger.own, snapshot.ledger.live + evicted);
        }
    }
}

/// What happens to a store while readers hold what it published.
#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Publish,
    Release,
    /// The event that is so many before the end is placed and regrouped.
    Place(u64, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_usize..1_500).prop_map(Step::Append),
        3 => Just(Step::Publish),
        2 => Just(Step::Release),
        1 => (0_u64..6_000, 1_u64..5).prop_map(|(back, group)| Step::Place(back, group)),
    ];
    prop::collection::vec(step, 1..40)
}

/// All that a reader may tell one event from another by.
fn seen(snapshot: &Snapshot) -> Vec<(u64, u64, String, String, bool)> {
    let events = (snapshot.first..snapshot.end).filter_map(|ordinal| snapshot.event(ordinal));
    let all = events.map(|event| {
        let group = event.group().unwrap_or(0);
        (event.seq(), group, event.msg().to_owned(), event.json().to_owned(), event.mapped().is_some())
    });
    all.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.min(64), ..ProptestConfig::default() })]
    #[test]
    fn what_readers_hold_stays_and_what_follows_is_whole(steps in steps()) {
        let mut store = Store::new(Retention { events: 9_000, bytes: u64::MAX, ..Retention::default() });
        let mut model: VecDeque<(u64, u64, String, String, bool)> = VecDeque::new();
        let (mut held, mut seq) = (VecDeque::new(), 0_u64);
        for step in steps {
            match step {
                Step::Append(count) => {
                    let texts: Vec<String> = (0..count).map(|n| format!("{{\"n\":{n}}}")).collect();
                    let rows: Vec<_> = texts.iter().map(|text| { seq += 1; row(seq, "s", "", text) }).collect();
                    model.extend(rows.iter().map(|row| (row.seq, row.group, "made".to_owned(), row.json.to_owned(), false)));
                    store.append(&chunk_of(&rows), &accepted(count));
                    model.drain(..model.len().saturating_sub(9_000));
                }
                Step::Publish => held.push_back((store.snapshot(Timestamp(1)), model.clone())),
                Step::Release => drop(held.pop_front()),
                Step::Place(back, group) if back < model.len() as u64 => {
                    let at = model.len() - 1 - usize::try_from(back).expect("small");
                    let place = &mut model[at];
                    store.map(&[Mapping { ordinal: place.0 - 1, seq: place.0, mapped: Arc::default(), group }]);
                    place.1 = if place.1 == 0 { 0 } else { group };
                    place.4 = true;
                }
                Step::Place(..) => {}
            }
        }
        held.push_back((store.snapshot(Timestamp(1)), model));
        for (snapshot, model) in held {
            prop_assert_eq!(seen(&snapshot), Vec::from(model));
        }
    }
}

#[test]
fn a_person_leaves_nothing_behind_and_the_books_balance() {
    let mut store = Store::new(Retention { events: 8, bytes: u64::MAX, ..Retention::default() });
    for seq in 1..=12 {
        let session = if seq % 2 == 0 { "s-theirs" } else { "s-own" };
        let endpoint = if seq % 2 == 0 { "GET /theirs" } else { "GET /own" };
        store.append(&chunk_of(&[row(seq, session, endpoint, "{}")]), &accepted(1));
    }
    let before = store.snapshot(Timestamp(1));
    assert_eq!(store.forget(&Person::Session("s-theirs".to_owned())), 4);
    // At once: a snapshot of the same moment shows none of it.
    let snapshot = store.snapshot(Timestamp(1));
    assert_eq!(seqs(&snapshot), [5, 7, 9, 11]);
    let ledger = &snapshot.ledger;
    assert_eq!((ledger.live, ledger.evicted, ledger.forgotten), (4, 8, 4));
    assert_eq!(ledger.accepted, ledger.live + ledger.evicted);
    assert_ne!(snapshot.rebuilt, before.rebuilt);
    assert_eq!((snapshot.tables.events, snapshot.tables.endpoints.len()), (4, 1));
    assert_eq!(snapshot.tables.sessions.iter().map(|row| &*row.session).collect::<Vec<_>>(), ["s-own"]);
    let names = snapshot.segments[0].chunk.names();
    let all: Vec<_> = (0..u32::try_from(names.len()).expect("few")).map(|n| names.get(Symbol(n))).collect();
    assert!(!all.iter().any(|name| name.contains("theirs")), "{all:?}");
    assert_eq!(
        snapshot.bytes,
        snapshot.segments.iter().map(|segment| segment.chunk.bytes() as u64).sum::<u64>()
    );
    // And everything goes on.
    store.append(&chunk_of(&[row(13, "s-theirs", "", "{}")]), &accepted(1));
    let snapshot = store.snapshot(Timestamp(2));
    assert_eq!(seqs(&snapshot), [5, 7, 9, 11, 13]);
    assert_eq!(store.forget(&Person::User("nobody".to_owned())), 0);
}

#[test]
fn events_leave_once_they_are_too_old() {
    let mut store = Store::new(Retention { age_ms: Some(1_000), ..Retention::default() });
    for seq in 1..=5_000_u64 {
        let recv = Timestamp(i64::try_from(seq).expect("small"));
        store.append(&chunk_of(&[Row { recv, ..row(seq, "s", "", "{}") }]), &accepted(1));
    }
    for (now, first, aged) in [(900, 1, 0), (1_000, 1, 0), (1_500, 500, 499), (5_999, 4_999, 4_998)] {
        let snapshot = store.snapshot(Timestamp(now));
        assert_eq!(snapshot.event(snapshot.first).map(|event| event.seq()), Some(first), "{now}");
        let ledger = &snapshot.ledger;
        assert_eq!((ledger.evicted, ledger.aged), (aged, aged));
        assert_eq!(ledger.accepted, ledger.live + ledger.evicted);
    }
    let empty = store.snapshot(Timestamp(9_000));
    assert_eq!((empty.len(), empty.ledger.aged, empty.bytes), (0, 5_000, 0));
}

/// A mapping of the event at `ordinal` to a place of its own and to `group`.
fn mapping(ordinal: u64, group: u64) -> Mapping {
    Mapping { ordinal, seq: ordinal + 1, mapped: Arc::default(), group }
}

#[test]
fn groups_that_lose_their_first_and_latest_events_are_looked_at_again_all_at_once() {
    const GROUPS: u64 = 1_000;
    let mut store = Store::new(Retention::default());
    // Three events of each group, far apart, among many of none.
    for part in 0..3 {
        let of_groups = (1..=GROUPS).map(|group| (part * 40_000 + group, group));
        let of_none = (GROUPS + 1..=40_000).map(|at| (part * 40_000 + at, 0));
        let rows: Vec<_> =
            of_groups.chain(of_none).map(|(seq, group)| Row { group, ..row(seq, "s", "", "{}") }).collect();
        store.append(&chunk_of(&rows), &accepted(rows.len()));
    }
    store.snapshot(Timestamp(1_000));
    for group in 1..=GROUPS {
        // The first of each, and of every other the latest too: one after the other, as maps come.
        store.map(&[mapping(group - 1, GROUPS + group)]);
        if group % 2 == 0 {
            store.map(&[mapping(80_000 + group - 1, GROUPS + group)]);
        }
    }
    // Going through the ring for each of them would take many times as long as filling it did.
    assert_eq!(store.loose.len() as u64, GROUPS, "all of them wait");
    let snapshot = store.snapshot(Timestamp(2_000));
    assert!(store.loose.is_empty());
    let tables = &snapshot.tables;
    assert_eq!(tables.groups.len() as u64, 2 * GROUPS);
    assert_eq!(tables.groups.iter().map(|row| row.count).sum::<u64>(), 3 * GROUPS);
    for row in &*tables.groups {
        let at = |part: u64, group: u64| Timestamp((part * 40_000 + group).cast_signed());
        let (count, first, last) = match row.group {
            group if group > GROUPS && group % 2 == 1 => (1, at(0, group - GROUPS), at(0, group - GROUPS)),
            group if group > GROUPS => (2, at(0, group - GROUPS), at(2, group - GROUPS)),
            group if group % 2 == 1 => (2, at(1, group), at(2, group)),
            group => (1, at(1, group), at(1, group)),
        };
        assert_eq!((row.count, row.first, row.last), (count, first, last), "{row:?}");
        assert_eq!(snapshot.event(row.last_ordinal).map(|event| event.inst()), Some(last), "{row:?}");
    }
}
