//! Health's rows of sinks and pages: what they show, and which sink a key lets rest.

use super::*;
use crate::sinks::{Counts, Report, State};

fn report(name: &str, state: State, last_error: Option<&str>) -> Report {
    let counts = Counts {
        offered: 1_000,
        delivered: 700,
        filtered: 100,
        sampled: 50,
        limited: 20,
        dropped: [60, 0, 0, 0, 10, 0, 0, 0],
        errors: 3,
    };
    Report {
        name: name.to_owned(),
        kind: "tcp",
        mode: "dropping",
        state,
        counts,
        queued: 60,
        p50: Some(1.5),
        p99: Some(250.0),
        last_error: last_error.map(str::to_owned),
    }
}

#[test]
fn health_shows_each_sink_and_one_of_them_rests_by_a_key() {
    let mut fixture = Fixture::usual();
    let mut panel = Health::default();
    let said = |request: Request| matches!(request, Request::Said(_));
    assert!(
        said(fixture.press(&mut panel, &[Action::NextPane]))
            && said(fixture.press(&mut panel, &[Action::PauseSink]))
    );
    fixture.sinks = vec![
        report("lines", State::Running, None),
        report("hook", State::Retrying, Some("connection refused")),
    ];
    assert!(fixture.sinks.iter().all(Report::is_balanced));
    assert_rows(
        &fixture.draw(&mut panel, 120, 48),
        &[
            &[
                "name",
                "state",
                "offered",
                "delivered",
                "queued",
                "filtered",
                "sampled",
                "limited",
                "dropped",
                "errors",
                "p50",
                "p99",
            ],
            &["lines", "running", "1,000", "700", "60", "100", "50", "20", "70", "3", "2ms", "250ms"],
            &["dropped: dropping 60 · size 10"],
            &["hook", "retrying"],
            &["last error: connection refused"],
        ],
    );
    assert!(said(fixture.press(&mut panel, &[Action::PauseSink])), "none is marked");
    for (keys, sink, is_paused) in [
        (&[Action::NextPane, Action::PauseSink][..], "lines", true),
        (&[Action::NextPane, Action::PauseSink], "hook", true),
        (&[Action::PreviousPane, Action::PauseSink], "lines", true),
    ] {
        let wanted = Request::Pause { sink: sink.to_owned(), is_paused };
        assert_eq!(fixture.press(&mut panel, keys), wanted);
    }
    fixture.sinks[0].state = State::Paused;
    let wanted = Request::Pause { sink: "lines".to_owned(), is_paused: false };
    assert_eq!(fixture.press(&mut panel, &[Action::PauseSink]), wanted);
    // The marked one comes into sight on a screen too small for all.
    fixture.press(&mut panel, &[Action::NextPane]);
    assert_rows(&fixture.draw(&mut panel, 60, 8), &[&["hook", "retrying"]]);
}

#[test]
fn health_shows_how_each_page_is_connected() {
    let fixture = Fixture::usual();
    let pages: Vec<_> =
        (1..=14).map(|number| fixture.counters.pages().enter(number, &format!("conn-{number}"))).collect();
    pages[1].note(|page| {
        "sess-a".clone_into(&mut page.session);
        "tab-1".clone_into(&mut page.tab);
        "http://localhost:5173/cart\u{1B}[31m".clone_into(&mut page.page);
        page.arrived(Timestamp(START + 18_000), 50);
        (page.bytes, page.ahead_ms, page.lag_ms) = (2_048, Some(-2_500), Some(12));
        (page.missing, page.sampled, page.share, page.buffered) = (7, 5, Some(0.1), Some(3));
    });
    assert_rows(
        &fixture.draw(&mut Health::default(), 160, 60),
        &[
            &[
                "tab", "session", "ev/s", "events", "bytes", "clock", "lag", "waiting", "missing", "sampled",
                "page",
            ],
            &[
                "conn-2",
                "sess-a",
                "10",
                "50",
                "2,048 B",
                "-2s",
                "12ms",
                "3",
                "7",
                "5 ~10%",
                "localhost:5173/cart␛[31m",
            ],
            &["conn-1", "0"],
            &["and 2 more pages that send less"],
        ],
    );
    assert_rows(
        &fixture.draw(&mut Health::default(), 80, 60),
        &[&["conn-2", "10", "50", "-2s", "12ms", "3", "7", "5 ~10%"]],
    );
}

#[test]
fn health_tells_reasons_in_full_where_there_is_room_and_folds_them_where_there_is_not() {
    let mut fixture = Fixture::usual();
    let reason = "a `hello` must come before the first batch";
    fixture.counters.broken(Timestamp(START), "conn-1", reason, "{\"t\":\"batch\"}");
    let ledger = &mut Arc::make_mut(&mut fixture.snapshot).ledger;
    ledger.rejected.insert("batch is longer than 10,000 events", 501);
    assert_rows(
        &fixture.draw(&mut Health::default(), 120, 60),
        &[&["  batch is longer than 10,000 events", "501"], &["conn-1", reason, "{\"t\":\"batch\"}"]],
    );
    assert_rows(
        &fixture.draw(&mut Health::default(), 80, 60),
        &[&["    batch is longer than"], &["    10,000 events", "501"], &["conn-1", reason]],
    );
    assert_rows(
        &fixture.draw(&mut Health::default(), 48, 80),
        &[&["conn-1", "a `hello` must come"], &["before the first batch"], &["    events", "501"]],
    );
}
