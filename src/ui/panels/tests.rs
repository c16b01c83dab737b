//! The panels over a small store: what they show at two sizes, what their keys ask for, and that no text and no
//! size makes them fall.

use std::cell::RefCell;
use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use rustc_hash::FxHashSet;

mod gradual_tests;
mod health_tests;
mod own_tests;

use super::*;
use crate::counters::{Counter, Counters};
use crate::event::{ChunkBuilder, Flags, Level, Micros, Msg, Row, Timestamp};
use crate::filter::{Filter, Highlighter};
use crate::scan::{Marks, Matches, Scan};
use crate::sinks::Report;
use crate::store::{Presence, Retention, Snapshot, Store, Tally};
use crate::ui::alerted::Alerted;
use crate::ui::keys::{KEYS, Keymap};
use crate::ui::theme::{Palette, Theme};
use crate::ui::view::Facts;

/// 2026-03-04T14:32:10.841Z.
const START: i64 = 1_772_634_730_841;

/// What a panel is drawn from.
struct Fixture {
    snapshot: Arc<Snapshot>,
    matches: Arc<Matches>,
    facts: Facts,
    counters: Counters,
    sinks: Vec<Report>,
    theme: Theme,
    fresh: FxHashSet<u64>,
    under_way: RefCell<Vec<Arc<Matches>>>,
}

impl Fixture {
    fn new(rows: &[Row<'_>]) -> Self {
        Self::keeping(rows, 1_000)
    }

    fn keeping(rows: &[Row<'_>], events: u64) -> Self {
        let mut store = Store::new(Retention { events, bytes: u64::MAX, ..Retention::default() });
        let mut builder = ChunkBuilder::new();
        rows.iter().for_each(|row| builder.push(row));
        let rejected = [("too_big", 40), ("syntax", 5)].into();
        let tally =
            Tally { accepted: rows.len() as u64, duplicate: 2, rejected, redacted: 3, ..Tally::default() };
        store.append(&builder.finish(), &tally);
        store.note_session("sess-a", Presence::Here, Timestamp(START));
        let snapshot = Arc::new(store.snapshot(Timestamp(START + 20_000)));
        let mut scan = Scan::new();
        scan.set_snapshot(Arc::clone(&snapshot));
        let counters = Counters::default();
        counters.connected();
        counters.add(Counter::RefusedOrigin, 5);
        for _ in 0..2 {
            counters.refuse(Counter::RefusedOrigin, Timestamp(START), "origin `https://x.test` is not allowed; `--allow-origin https://x.test` lets it in\u{1B}[31m");
        }
        let fresh = snapshot.loads.new_groups().collect();
        Self {
            snapshot,
            matches: Arc::new(scan.matches()),
            facts: Facts::default(),
            counters,
            sinks: Vec::new(),
            theme: Theme::new(Palette::Mono, false),
            fresh,
            under_way: RefCell::default(),
        }
    }

    fn usual() -> Self {
        let fixture = Self::new(&usual_rows());
        fixture.counters.broken(Timestamp(START), "conn-7", "not json", "{\"oops\u{1B}[31m");
        fixture
    }

    fn with<R>(&self, look: impl FnOnce(&View<'_>) -> R) -> R {
        look(&View {
            snapshot: &self.snapshot,
            matches: &self.matches,
            tables: &self.matches.tables,
            is_filtered: false,
            is_typing: false,
            facts: &self.facts,
            counters: &self.counters,
            sinks: &self.sinks,
            is_frozen: false,
            now: Timestamp(START + 20_000),
            zone: &jiff::tz::TimeZone::UTC,
            theme: &self.theme,
            keys: &Keymap::default(),
            highlighter: &Highlighter::default(),
            fresh: &self.fresh,
            alerted: &Alerted::default(),
            marks: &Marks::default(),
            filter: &Filter::all(),
            moment: None,
            under_way: &self.under_way,
        })
    }

    fn buffer(&self, panel: &mut dyn Panel, width: u16, height: u16) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let area = buf.area;
        self.with(|view| panel.render(area, &mut buf, view));
        buf
    }

    fn draw(&self, panel: &mut dyn Panel, width: u16, height: u16) -> Vec<String> {
        lines(&self.buffer(panel, width, height))
    }

    fn press(&self, panel: &mut dyn Panel, actions: &[Action]) -> Request {
        let press = |action: &Action| self.with(|view| panel.on_action(*action, view));
        actions.iter().map(press).last().unwrap_or(Request::Ignored)
    }
}

fn lines(buf: &Buffer) -> Vec<String> {
    let line = |y| {
        let mut out = String::new();
        let mut x = 0;
        while x < buf.area.width {
            let cell = &buf[(x, y)];
            out.push_str(cell.symbol());
            x += cell.cell_width().max(1);
        }
        out.trim_end().to_owned()
    };
    (0..buf.area.height).map(line).collect()
}

fn row<'a>(ms: i64, session: &'a str, msg: &'a str, json: &'a str) -> Row<'a> {
    Row {
        inst: Timestamp(START + ms),
        recv: Timestamp(START + ms),
        id: "browser/api-call",
        ns: "browser",
        kind: "metric",
        subtype: "api-call",
        session,
        user: "user-123",
        tab: "tab-1f9c",
        load: Some(7),
        source: "browser",
        msg: Msg::Text(msg),
        json,
        ..Row::default()
    }
}

fn request<'a>(ms: i64, endpoint: &'a str, took_ms: u64, status: u16) -> Row<'a> {
    let flags = if status >= 400 { Flags::REQUEST | Flags::FAILED } else { Flags::REQUEST };
    let duration = Some(Micros(took_ms * 1_000));
    Row { endpoint, duration, status: Some(status), flags, ..row(ms, "sess-a", endpoint, "{}") }
}

fn usual_rows() -> Vec<Row<'static>> {
    let stack = "{\"stack\":\"TypeError: x\\n    at UserList (UserList.tsx:42:15)\"}";
    let error = |ms, session, group, msg| Row {
        level: Level::Error,
        group,
        subtype: "js-error",
        ..row(ms, session, msg, stack)
    };
    vec![
        error(0, "sess-a", 0xe7f3_0000_0000_0001, "Cannot read property 'x' of undefined"),
        request(1_000, "GET /api/users", 180, 200),
        request(2_000, "GET /api/users", 640, 200),
        request(3_000, "GET /api/users", 1_200, 404),
        request(4_000, "POST /api/orders", 3_421, 500),
        error(5_000, "sess-\"b*", 0x9b10_0000_0000_0002, "Request failed with status code 500"),
        error(8_000, "sess-\"b*", 0xe7f3_0000_0000_0001, "Cannot read property 'x' of undefined"),
        error(9_000, "", u64::MAX, "one of many"),
    ]
}

/// Asserts that for each list of texts there is a row that holds them all, in this order.
fn assert_rows(drawn: &[String], expected: &[&[&str]]) {
    for texts in expected {
        let is_there = drawn.iter().any(|line| {
            let mut rest = line.as_str();
            texts.iter().all(|text| match rest.find(text) {
                Some(at) => {
                    rest = &rest[at + text.len()..];
                    true
                }
                None => false,
            })
        });
        assert!(is_there, "{texts:?} in\n{}", drawn.join("\n"));
    }
}

#[test]
fn errors_by_group() {
    let fixture = Fixture::usual();
    for (width, height) in [(80, 24), (120, 36)] {
        let drawn = fixture.draw(&mut Errors::default(), width, height);
        // Where there is little room the message needs it more than the trend.
        let [trend, bars, says] = match width {
            80 => ["last", "12s", "Cannot read property 'x' of undefined"],
            _ => ["trend", "█▁▁█▁▁▁▁", "Cannot read property"],
        };
        assert_rows(
            &drawn,
            &[
                &["sort: new ▾", "3 groups"],
                &["grp", "new", "count", "sess", "first", trend, "message"],
                &["ERR", "e7f3", "N", "2", "2/2", "20s", bars, says],
                &["ERR", "–", "1", "0/2", "11s", "11s", "all groups that came after"],
            ],
        );
        // New ones first, then the newest.
        assert!(
            drawn[2].contains("e7f3") && drawn[3].contains("9b10") && drawn[4].contains("11s"),
            "{drawn:?}"
        );
        let mut panel = Errors::default();
        fixture.press(&mut panel, &[Action::Down, Action::NextError, Action::NextError]);
        assert_rows(
            &fixture.draw(&mut panel, width, height),
            &[
                &["sort: new ▾ · order held"],
                &["▌", "ERR e7f3"],
                &["── ERR js-error ──"],
                &["group e7f3000000000001 · 2 events · 2 sessions"],
                &["first 14:32:10.841 · last 14:32:18.841"],
                &["TypeError: x"],
                &["  at UserList (UserList.tsx:42:15)"],
                &["occurrences, 2 events", "Tab goes there"],
                &["14:32:18.841", "12s", "A·7"],
            ],
        );
    }
    assert_rows(&fixture.draw(&mut Errors::default(), 40, 10), &[&["ERR", "2", "12s", "Cannot read"]]);
}

#[test]
fn a_held_order_lets_new_groups_in_at_the_end() {
    let rows = usual_rows();
    let (before, after) = (Fixture::new(&rows[..6]), Fixture::new(&rows));
    let mut panel = Errors::default();
    before.press(&mut panel, &[Action::Down, Action::Down]);
    let order = |drawn: Vec<String>| {
        drawn[2..5].iter().map(|line| line.chars().take(10).collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(order(before.draw(&mut panel, 80, 12)), ["  ERR 9b10", "▌ ERR e7f3", ""]);
    assert_eq!(order(after.draw(&mut panel, 80, 12)), ["  ERR 9b10", "▌ ERR e7f3", " +ERR –   "]);
    panel.arrive();
    assert_eq!(order(after.draw(&mut panel, 80, 12)), ["▌ ERR e7f3", "  ERR 9b10", "  ERR –   "]);
    assert_eq!(after.press(&mut panel, &[Action::Back]), Request::Done);
    assert_eq!(after.press(&mut panel, &[Action::Back]), Request::Ignored);
    assert_eq!(order(after.draw(&mut panel, 80, 12)), ["  ERR e7f3", "  ERR 9b10", "  ERR –   "]);
}

#[test]
fn every_table_holds_its_order_while_a_row_is_selected() {
    let mut rows = usual_rows();
    let before = Fixture::new(&rows);
    rows.push(Row { session: "sess-a", ..request(19_000, "GET /api/users", 9_000, 200) });
    let after = Fixture::new(&rows);
    let panels: [(&mut dyn Panel, &str, [&str; 2]); 2] = [
        (&mut Latency::default(), "/api/orders", ["GET    /api/users", "POST   /api/orders"]),
        (&mut Sessions::default(), "?", ["● sess-a", "◌ ?"]),
    ];
    for (panel, first, [newest, other]) in panels {
        let order = |drawn: &[String]| {
            let at = |text| drawn.iter().position(|line| line.contains(text)).expect("shown");
            at(newest) < at(other)
        };
        before.press(panel, &[Action::Down]);
        assert!(before.draw(panel, 80, 12)[2].contains(first));
        let held = after.draw(panel, 80, 12);
        assert!(held[0].contains("order held") && held[2].contains(first) && !order(&held), "{held:?}");
        panel.arrive();
        let anew = after.draw(panel, 80, 12);
        assert!(anew[0].contains("order held") && order(&anew), "{anew:?}");
        assert_eq!(after.press(panel, &[Action::Back]), Request::Done);
        let free = after.draw(panel, 80, 12);
        assert!(!free[0].contains("order held") && order(&free), "{free:?}");
    }
}

#[test]
fn latency_by_endpoint() {
    let fixture = Fixture::usual();
    for (width, height) in [(80, 24), (120, 36)] {
        let drawn = fixture.draw(&mut Latency::default(), width, height);
        assert_rows(
            &drawn,
            &[
                &["sort: p99 ▾", "this load", "2 endpoints"],
                &["method", "route", "count", "err%", "p50", "p99", "max", "Δp99"],
                &["GET", "/api/users", "3", "33%", "643ms", "~1.2s", "1.2s"],
                &["~ p99 of fewer than 100 "],
                &["── POST /api/orders   1 request in this load ──"],
                &["mean 3.4s", "errors 1 of 1", "p99 needs 100"],
                &["14:32:14.841", "3,421ms", "500", "A·7"],
            ],
        );
        assert!(drawn[2].contains("/api/orders") && drawn[3].contains("/api/users"), "{drawn:?}");
    }
    assert_rows(&fixture.draw(&mut Latency::default(), 40, 10), &[&["GET", "/api/users", "3", "1.2s"]]);
}

#[test]
fn a_p99_of_few_requests_is_grey() {
    let mut rows = vec![request(0, "GET /few", 900, 200)];
    rows.extend((0..100).map(|at| request(at, "GET /many", 100, 200)));
    let mut fixture = Fixture::new(&rows);
    fixture.theme = Theme::new(Palette::Ansi, false);
    let buf = fixture.buffer(&mut Latency::default(), 120, 36);
    let header = &lines(&buf)[1];
    let x = u16::try_from(header.find("p99").unwrap() + 2).unwrap();
    let is_dim = |y| buf[(x, y)].modifier.contains(Modifier::DIM);
    assert_eq!((buf[(x, 2)].symbol(), is_dim(2), is_dim(3)), ("s", true, false));
}

#[test]
fn what_left_the_ring_is_said_to_have_left() {
    let fixture = Fixture::keeping(&usual_rows(), 1);
    let mut panel = Errors::default();
    fixture.press(&mut panel, &[Action::Top]);
    assert_rows(&fixture.draw(&mut panel, 80, 24), &[&["its latest occurrence is no longer kept"]]);
    let mut panel = Latency::default();
    assert_rows(&fixture.draw(&mut panel, 80, 24), &[&["none in this window"]]);
    fixture.press(&mut panel, &[Action::Times, Action::Times, Action::Times]);
    assert_rows(&fixture.draw(&mut panel, 80, 24), &[&["none of them is still kept"]]);
    assert_eq!(fixture.press(&mut panel, &[Action::Open, Action::Down, Action::Open]), Request::Done);
    assert_rows(
        &fixture.draw(&mut Health::default(), 80, 24),
        &[&["+ evicted", "7"], &["= live + evicted", "8"]],
    );
}

#[test]
fn nothing_yet_is_said_too() {
    let fixture = Fixture::new(&[]);
    for (panel, text) in [
        (&mut Errors::default() as &mut dyn Panel, "no errors so far"),
        (&mut Latency::default(), "none in this window: t shows another"),
        (&mut Sessions::default(), "no sessions so far"),
        (&mut Health::default(), "nothing yet"),
    ] {
        assert_rows(&fixture.draw(panel, 80, 24), &[&[text]]);
        assert_eq!(fixture.press(panel, &[Action::Open]), Request::Ignored);
    }
}

#[test]
fn sessions_live_and_gone() {
    let fixture = Fixture::usual();
    for (width, height) in [(80, 24), (120, 36)] {
        let drawn = fixture.draw(&mut Sessions::default(), width, height);
        assert_rows(
            &drawn,
            &[
                &["sort: last ▾", "3 sessions, 1 live"],
                &["session", "user", "load", "age", "events", "err", "slow", "last", "last event"],
                &["●", "sess-a", "user-123", "A·7", "20s", "5", "3", "0", "16s", "POST /api/"],
                &["○", "sess-\"b*", "15s", "2", "2", "0", "12s", "Cannot"],
                &["◌", "?", "11s", "1", "1", "0", "11s", "one of many"],
                &["● live   ○ gone   ◌ without a session id"],
            ],
        );
    }
    assert_rows(&fixture.draw(&mut Sessions::default(), 40, 10), &[&["●", "sess-a", "5", "3", "16s"]]);
}

#[test]
fn health_adds_up() {
    let fixture = Fixture::usual();
    for (width, height) in [(80, 24), (120, 36)] {
        assert_rows(
            &fixture.draw(&mut Health::default(), width, height),
            &[
                &["accepted", "8", "accepted", "8"],
                &["+ duplicate", "2", "+ own events", "0"],
                &["+ rejected", "45", "= to be kept", "8"],
                &["too_big", "40", "live", "8"],
                &["= received", "55"],
                &["= live + evicted", "8"],
                &["ring", "8 events ·"],
                &["holds", "14:32:10.841 to 14:32:19.841 (9s)"],
                &["scrubbed", "3 redacted · 0 repaired · 0 cut"],
                &["connections", "1 open"],
                &["refused", "origin 7"],
                &["14:32:10.841 2 times origin `https://x.test` is not allowed"],
                &["https://x.test` lets it in␛[31m"],
                &["frames", "broken 1"],
                &["14:32:10.841 conn-7", "not json", "{\"oops␛[31m"],
            ],
        );
    }
    let mut panel = Health::default();
    assert_rows(&fixture.draw(&mut panel, 40, 10), &[&["+ duplicate", "2"], &["↓", "more"]]);
    assert_eq!(fixture.press(&mut panel, &[Action::Bottom]), Request::Done);
    assert_rows(&fixture.draw(&mut panel, 40, 10), &[&["conn-7"], &["end"]]);
}

#[test]
fn help_names_every_key() {
    let mut fixture = Fixture::usual();
    let drawn = fixture.draw(&mut Help::default(), 120, 36);
    assert_rows(&drawn, &[&["MOVE", "FILTER"], &["↑ k", "one row up"]]);
    for key in KEYS {
        assert!(drawn.iter().any(|line| line.contains(key.help)), "{} in\n{}", key.help, drawn.join("\n"));
    }
    let mut panel = Help::default();
    assert_rows(&fixture.draw(&mut panel, 80, 24), &[&["MOVE"], &["↓", "more"]]);
    fixture.press(&mut panel, &[Action::Bottom]);
    assert_rows(&fixture.draw(&mut panel, 80, 24), &[&["turn the order round"], &["end"]]);
    panel.turn();
    assert_rows(
        &fixture.draw(&mut panel, 80, 24),
        &[&["The filter language"], &["timeout", "the word, in any value"], &["↓", "more"]],
    );
    fixture.theme = Theme::new(Palette::Mono, true);
    assert_rows(&fixture.draw(&mut Help::default(), 120, 36), &[&["Up k", "one row up"], &["Enter", "open"]]);
}

#[test]
fn keys_ask_for_what_they_should() {
    use Action::{Back, Bottom, Down, Keep, NextError, Open, PreviousError, SortNext, SortPrevious, Top};
    let drill = |term: &str| Request::Drill { term: term.to_owned(), origin: None };
    let whole = |session: &str| Request::Timeline { session: session.into(), ordinal: None };
    let fixture = Fixture::usual();
    let panels: [fn() -> Box<dyn Panel>; 4] = [
        || Box::new(Errors::default()),
        || Box::new(Latency::default()),
        || Box::new(Sessions::default()),
        || Box::new(Health::default()),
    ];
    for (panel, actions, expected, term) in [
        (0, &[Open] as &[Action], drill("group:e7f3000000000001"), None),
        (
            0,
            &[Top, NextError, PreviousError, Open],
            drill("group:e7f3000000000001"),
            Some("group:e7f3000000000001"),
        ),
        (0, &[PreviousError, Open], drill("group:9b10000000000002"), Some("group:9b10000000000002")),
        (0, &[Bottom, Open], Request::Done, None),
        // By first seen, the oldest on top; then by the column after what is new, which is the count.
        (
            0,
            &[SortPrevious, SortPrevious, Action::SortReverse, Down, Open],
            drill("group:e7f3000000000001"),
            Some("group:e7f3000000000001"),
        ),
        (0, &[SortNext, Open], drill("group:e7f3000000000001"), None),
        (0, &[Keep], Request::Ignored, None),
        (1, &[Down], Request::Done, Some("endpoint=\"POST /api/orders\"")),
        (1, &[Open, Open], at_session(4), Some("endpoint=\"POST /api/orders\"")),
        (1, &[Bottom, Open, Down, Open], at_session(2), Some("endpoint=\"GET /api/users\"")),
        (1, &[Open, Back], Request::Done, Some("endpoint=\"POST /api/orders\"")),
        (1, &[Open, Back, Back, Back], Request::Ignored, None),
        (2, &[Open], drill("no:session"), None),
        (2, &[Down, Down, Open], whole("sess-\"b*"), Some(r#"session="sess-\"b\*""#)),
        (2, &[Bottom, Open], whole("sess-a"), Some("session=\"sess-a\"")),
        (3, &[Open], Request::Ignored, None),
    ] {
        let mut panel = panels[panel]();
        let mut asked = fixture.press(&mut *panel, actions);
        if let Request::Drill { origin, .. } = &mut asked {
            // A session is read from its beginning, a group has none.
            assert_eq!(origin.take().is_some(), panel_counts_from_its_start(&expected), "{actions:?}");
        }
        assert_eq!(asked, expected, "{actions:?}");
        assert_eq!(fixture.with(|view| panel.term(view)).as_deref(), term, "{actions:?}");
    }
}

fn at_session(ordinal: u64) -> Request {
    Request::Timeline { session: "sess-a".into(), ordinal: Some(ordinal) }
}

fn panel_counts_from_its_start(request: &Request) -> bool {
    matches!(request, Request::Drill { term, .. } if term.contains("session"))
}

fn hostile() -> impl Strategy<Value = String> {
    let vectors = include_str!("../../../tests/it/fixtures/hostile-strings.json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
    let texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let times = usize::try_from(row["times"].as_u64().unwrap_or(0)).unwrap().min(300);
            let unit = row["unit"].as_str().unwrap_or("").repeat(times);
            format!("{}{unit}{}", row["text"].as_str().unwrap(), row["tail"].as_str().unwrap_or(""))
        })
        .collect();
    prop_oneof![proptest::sample::select(texts), ".{0,30}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_text_at_any_size_is_harmless(
        texts in prop::collection::vec(hostile(), 5),
        size in (0_u16..=130, 0_u16..=40),
        offset in (0_u16..3, 0_u16..3),
        numbers in prop::collection::vec((any::<i64>(), any::<u64>(), any::<u64>()), 0..6),
        actions in prop::collection::vec(proptest::sample::select(KEYS.to_vec()), 1..8),
        is_ascii in any::<bool>(),
    ) {
        let json = serde_json::json!({ "stack": texts[4] }).to_string();
        let rows: Vec<_> = numbers.iter().map(|(inst, duration, group)| Row {
            inst: Timestamp(*inst),
            duration: Some(Micros(duration >> 1)),
            group: *group,
            endpoint: &texts[0],
            user: &texts[1],
            tab: &texts[2],
            subtype: &texts[1],
            ..row(0, &texts[2], &texts[3], &json)
        }).collect();
        let mut fixture = Fixture::new(&rows);
        fixture.theme = Theme::new(Palette::Ansi, is_ascii);
        fixture.counters.broken(Timestamp(i64::MIN), &texts[0], &texts[1], &texts[2]);
        let whole = Rect::new(0, 0, size.0.max(1) + 3, size.1.max(1) + 3);
        let area = Rect::new(offset.0, offset.1, size.0, size.1);
        let panels: [&mut dyn Panel; 5] =
            [&mut Errors::default(), &mut Latency::default(), &mut Sessions::default(), &mut Health::default(), &mut Help::default()];
        for panel in panels {
            for key in &actions {
                fixture.press(panel, &[key.action]);
                let mut buf = Buffer::filled(whole, ratatui::buffer::Cell::new("."));
                fixture.with(|view| panel.render(area, &mut buf, view));
                // A terminal that shrank since the area was made.
                let mut small = Buffer::empty(Rect::new(0, 0, size.0 / 2, size.1 / 2));
                fixture.with(|view| panel.render(area, &mut small, view));
                for y in 0..whole.height {
                    for x in 0..whole.width {
                        let symbol = buf[(x, y)].symbol();
                        prop_assert!(!symbol.chars().any(char::is_control));
                        prop_assert!(!is_ascii || symbol.is_ascii(), "{symbol:?}");
                        prop_assert!(area.contains((x, y).into()) || symbol == ".", "wrote {symbol:?} outside");
                    }
                }
            }
        }
    }
}

#[test]
fn an_address_that_other_machines_reach_is_said_to_be_in_plain_text() {
    for (address, is_said) in [("127.0.0.1:8245", false), ("[::1]:8245", false), ("0.0.0.0:8245", true)] {
        let mut fixture = Fixture::usual();
        address.clone_into(&mut fixture.facts.address);
        let screen = fixture.draw(&mut Health::default(), 120, 60).join("\n");
        assert_eq!(screen.contains("encryption   none: whoever is on the way"), is_said, "{screen}");
    }
}
