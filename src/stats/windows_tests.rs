//! When minutes and sessions close, and what they sum up.

use super::*;
use crate::event::{ChunkBuilder, Micros, Msg, Row};

fn chunk(events: &[(&str, i64, u64)]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for (endpoint, second, ms) in events {
        builder.push(&row("s", endpoint, *second, *ms));
    }
    builder.finish()
}

fn row<'a>(session: &'a str, endpoint: &'a str, second: i64, ms: u64) -> Row<'a> {
    Row {
        inst: Timestamp(second * 1000),
        level: if ms > 500 { Level::Error } else { Level::Info },
        flags: if ms > 500 { Flags::FAILED } else { Flags::NONE },
        id: "browser/api-call",
        session,
        user: "u",
        endpoint,
        duration: Some(Micros(ms * 1000)),
        source: "browser",
        msg: Msg::Text("m"),
        ..Row::default()
    }
}

#[test]
fn a_minute_takes_what_is_late_until_two_minutes_after_its_end() {
    let mut windows = Windows::default();
    windows
        .observe(&chunk(&[("GET /a", 5, 100), ("GET /a", 59, 900), ("GET /b", 61, 10)]), Timestamp(61_000));
    assert!(windows.close(Timestamp(179_999)).is_empty());
    windows.observe(&chunk(&[("GET /a", 30, 200), ("GET /a", 900, 1)]), Timestamp(179_999));
    let closed = windows.close(Timestamp(180_000));
    let [a] = closed.windows.as_slice() else { panic!("{closed:?}") };
    assert_eq!((a.endpoint.as_str(), a.start, a.count, a.errors), ("GET /a", Timestamp(0), 3, 1));
    assert_eq!((a.sum, a.min, a.max, a.p99), (1200.0, 100.0, 900.0, 900.0));
    assert!((199.0..=201.0).contains(&a.p50), "{}", a.p50);
    windows.observe(&chunk(&[("GET /a", 30, 5)]), Timestamp(180_000));
    let later = windows.close(Timestamp(240_000)).windows;
    assert_eq!(
        later.iter().map(|w| (w.endpoint.as_str(), w.start.0)).collect::<Vec<_>>(),
        [("GET /b", 60_000)]
    );
    let ahead = windows.close(Timestamp(300_000)).windows;
    assert_eq!(ahead.iter().map(|w| w.start.0).collect::<Vec<_>>(), [120_000], "a clock ahead counts as now");
}

#[test]
fn a_session_closes_half_an_hour_after_its_last_event() {
    let mut windows = Windows::default();
    windows.observe(&chunk(&[("", 5, 1), ("", 2, 900), ("", 65, 1)]), Timestamp(70_000));
    assert!(windows.close(Timestamp(70_000 + 1_800_000 - 1)).sessions.is_empty());
    let expected = SessionSummary {
        session: "s".to_owned(),
        sessions: 1,
        user: "u".to_owned(),
        start: Timestamp(2_000),
        last: Timestamp(65_000),
        events: 3,
        errors: 1,
        is_partial: false,
    };
    assert_eq!(windows.close(Timestamp(70_000 + 1_800_000)).sessions, [expected]);
    assert!(windows.close(Timestamp(i64::MAX / 4)).is_empty());
    windows.observe(&chunk(&[("GET /a", 5, 1)]), Timestamp(5_000));
    let closed = windows.close_all();
    assert_eq!((closed.windows[0].count, closed.windows[0].is_partial), (1, true));
    assert_eq!((closed.sessions[0].events, closed.sessions[0].is_partial), (1, true));
    assert!(windows.close_all().is_empty());
}

#[test]
fn endpoints_that_do_not_fit_are_summed_up_together() {
    let mut windows = Windows::default();
    for number in 0..MAX_WINDOWS + 50 {
        windows.observe(&chunk(&[(&format!("GET /{number}"), 1, 1)]), Timestamp(1_000));
    }
    let closed = windows.close(Timestamp(180_000)).windows;
    assert_eq!(closed.iter().map(|window| window.count).sum::<u64>(), 1_050);
    assert_eq!(closed.iter().find(|window| window.endpoint == OTHER).map(|other| other.count), Some(50));
    assert_eq!(closed.len(), MAX_WINDOWS + 1);
}

#[test]
fn sessions_that_do_not_fit_push_out_the_one_that_was_silent_for_longest() {
    let mut windows = Windows::default();
    let events = |number: usize| {
        let mut builder = ChunkBuilder::new();
        builder.push(&row(&format!("s{number}"), "", 1, 1));
        builder.finish()
    };
    for number in 0..=MAX_SESSIONS {
        windows.observe(&events(number), Timestamp(number as i64));
        windows.observe(&events(0), Timestamp(number as i64));
    }
    let closed = windows.close(Timestamp(MAX_SESSIONS as i64)).sessions;
    assert_eq!(
        closed.iter().map(|one| (one.session.as_str(), one.is_partial)).collect::<Vec<_>>(),
        [("s1", true)]
    );
}

#[test]
fn more_sessions_than_are_told_at_once_are_summed_up() {
    let mut windows = Windows::default();
    let crowd = 7;
    for number in 0..MAX_SESSIONS + MAX_PUSHED_OUT + crowd {
        let mut builder = ChunkBuilder::new();
        builder.push(&row(&format!("s{number}"), "", number as i64, 900));
        windows.observe(&builder.finish(), Timestamp(number as i64));
    }
    let closed = windows.close(Timestamp(20_000)).sessions;
    assert_eq!(closed.len(), MAX_PUSHED_OUT + 1);
    let sum = closed.last().expect("the sum");
    assert_eq!((sum.session.as_str(), sum.user.as_str(), sum.sessions), (OTHER, "", crowd as u64));
    assert_eq!((sum.events, sum.errors, sum.is_partial), (crowd as u64, crowd as u64, true));
    let first = MAX_PUSHED_OUT as i64 * 1000;
    assert_eq!((sum.start, sum.last), (Timestamp(first), Timestamp(first + (crowd as i64 - 1) * 1000)));
    assert!(windows.close(Timestamp(20_000)).is_empty());
    assert_eq!(windows.close_all().sessions.len(), MAX_SESSIONS);
}

#[test]
fn other_times_count_from_then_on_and_lose_nothing() {
    let mut windows = Windows::default();
    windows.observe(&chunk(&[("GET /a", 5, 100)]), Timestamp(5_000));
    let times = SummaryTimes { window_ms: 10_000, late_ms: 1_000, silence_ms: 2_000 };
    windows.set_times(times);
    windows.observe(&chunk(&[("GET /a", 12, 100), ("GET /a", 19, 100)]), Timestamp(19_000));
    let told = |closed: Closed| {
        closed
            .windows
            .iter()
            .map(|one| (one.start.0, one.length_ms, one.count, one.is_partial))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(windows.close(Timestamp(20_999))), [(0, 60_000, 1, true)]);
    let closed = windows.close(Timestamp(21_000));
    assert_eq!(closed.sessions[0].events, 3);
    assert_eq!(told(closed), [(10_000, 10_000, 2, false)]);
    windows.set_times(SummaryTimes { silence_ms: 1, ..times });
    assert!(windows.close(Timestamp(30_000)).is_empty());
}

#[test]
fn a_person_that_is_forgotten_has_no_summary() {
    for (who, left) in [
        (Person::User("u".to_owned()), 0),
        (Person::Session("s".to_owned()), 1),
        (Person::Session("u".to_owned()), 2),
    ] {
        let mut windows = Windows::default();
        windows.observe(&chunk(&[("", 5, 1)]), Timestamp(5_000));
        let mut builder = ChunkBuilder::new();
        builder.push(&row("s2", "", 5, 1));
        windows.observe(&builder.finish(), Timestamp(5_000));
        assert_eq!(windows.forget(&who), 2 - left, "{who:?}");
        assert_eq!(windows.close(Timestamp(9_000_000)).sessions.len(), left, "{who:?}");
    }
}
