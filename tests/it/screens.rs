//! Vitals and timeline: what they show of one recorded visit at three sizes, and what their keys find.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::filter::{EvalContext, Filter, Matcher};
use taillight::pipeline::Redactor;
use taillight::scan::{Scan, Selection};
use taillight::store::{Retention, Store, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Effect, Facts, Msg};
use taillight::wire::{Body, Sender, decode_body};

/// 2026-01-31T14:32:18Z, a little after the visit's last event.
const NOW: i64 = 1_769_869_938_000;
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];
const VISIT: &str = include_str!("fixtures/visit.json");

/// Keys by the names the tests write them with.
const NAMED: [(&str, KeyCode, KeyModifiers); 9] = [
    ("<cr>", KeyCode::Enter, KeyModifiers::NONE),
    ("<esc>", KeyCode::Esc, KeyModifiers::NONE),
    ("<tab>", KeyCode::Tab, KeyModifiers::NONE),
    ("<backtab>", KeyCode::BackTab, KeyModifiers::SHIFT),
    ("<left>", KeyCode::Left, KeyModifiers::NONE),
    ("<right>", KeyCode::Right, KeyModifiers::NONE),
    ("<s-left>", KeyCode::Left, KeyModifiers::SHIFT),
    ("<s-right>", KeyCode::Right, KeyModifiers::SHIFT),
    ("<pgup>", KeyCode::PageUp, KeyModifiers::NONE),
];

/// The console over a store of its own.
struct Console {
    app: App,
    store: Store,
    scan: Scan,
    seq: u64,
}

impl Console {
    fn new(theme: Theme, retain: u64) -> Self {
        let app =
            App::new(Facts::default(), Arc::new(Counters::default()), theme, jiff::tz::TimeZone::UTC, "");
        let store = Store::new(Retention { events: retain, bytes: u64::MAX, ..Retention::default() });
        let mut console = Self { app, store, scan: Scan::new(), seq: 1 };
        console.settle();
        console
    }

    fn visited() -> Self {
        let mut console = Self::new(Theme::new(Palette::Ansi, false), 1_000_000);
        console.post(VISIT);
        console
    }

    fn post(&mut self, body: &str) {
        let sender = Sender {
            session: "sess-456".into(),
            user: "user-123".into(),
            tab: "A".into(),
            load: Some(7),
            origin: "http://localhost:5173".into(),
            source: "browser",
            recv: Timestamp(NOW),
            ..Sender::default()
        };
        let Ok(Body::Bare(mut batch)) = decode_body(body, &sender, &Redactor::default()) else {
            panic!("events")
        };
        batch.chunk.number_from(self.seq);
        self.seq += batch.chunk.len() as u64;
        self.store.append(&batch.chunk, &Tally { accepted: batch.chunk.len() as u64, ..Tally::default() });
        self.settle();
    }

    fn settle(&mut self) {
        // Tables are made at most four times a second, so the store's clock goes on while that of the screen stands.
        let at = Timestamp(NOW + 1_000 * i64::try_from(self.seq).expect("small"));
        self.scan.set_snapshot(Arc::new(self.store.snapshot(at)));
        while self.scan.advance() {}
        self.app.update(Msg::Tick(Timestamp(NOW)));
        self.app.update(Msg::Matches(Arc::new(self.scan.matches())));
    }

    fn narrow(&mut self, id: u64, filter: &Arc<Filter>) {
        let context = EvalContext { now: Timestamp(NOW), ..EvalContext::default() };
        self.scan.set_selection(Selection::matching(id, Matcher::new(Arc::clone(filter), context), 2));
        self.settle();
    }

    fn keys(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let named = NAMED.into_iter().find(|(name, ..)| rest.starts_with(name));
            let plain = (KeyCode::Char(first), KeyModifiers::NONE, first.len_utf8());
            let (code, modifiers, used) =
                named.map_or(plain, |(name, code, modifiers)| (code, modifiers, name.len()));
            rest = &rest[used..];
            for effect in self.app.update(Msg::Key(KeyEvent::new(code, modifiers))) {
                if let Effect::SetFilter { id, filter } = effect {
                    self.narrow(id, &filter);
                }
            }
        }
    }

    fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.app.render(area, &mut buffer);
        buffer
    }

    fn screen(&mut self, width: u16, height: u16) -> String {
        let buffer = self.draw(width, height);
        let row = |y| -> String {
            (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned()
        };
        (0..height).map(row).collect::<Vec<_>>().join("\n")
    }
}

#[track_caller]
fn snapshot(name: &str, keys: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (width, height) in SIZES {
            let mut console = Console::visited();
            console.screen(width, height);
            console.keys(keys);
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.screen(width, height));
        }
    });
}

#[track_caller]
fn assert_shows(console: &mut Console, texts: &[&str]) {
    let screen = console.screen(120, 36);
    for text in texts {
        assert!(screen.contains(text), "{text} in\n{screen}");
    }
}

#[test]
fn vitals_of_a_visit() {
    snapshot("vitals", "5");
    snapshot("vitals-selected", "5<tab><tab>j");
}

#[test]
fn a_timeline_of_a_visit() {
    snapshot("timeline", "T");
    snapshot("timeline-cursor", "T<s-left><s-left>zz");
    snapshot("timeline-list", "T<tab>kkkk");
}

#[test]
fn every_row_of_the_vitals_lists_events() {
    let mut terms = Vec::new();
    for nth in 0..40 {
        let mut console = Console::visited();
        console.keys("5g");
        console.keys(&"j".repeat(nth));
        console.keys("<cr>");
        let screen = console.screen(160, 40);
        let bar = screen.lines().nth(1).unwrap_or("").to_owned();
        assert!(screen.contains("[1 Stream]"), "{screen}");
        let total = console.app.matches().total;
        assert!(total > 0 && total < 106 && bar.contains('✓'), "{bar}");
        terms.push(bar.trim().split("  ").next().unwrap_or("").to_owned());
        console.keys("<esc>");
        assert_shows(&mut console, &["[5 Vitals]"]);
    }
    terms.dedup();
    for expected in [
        "/ vital=\"LCP\"",
        "/ subtype=\"page-load\"",
        "/ subtype=\"long-task\"",
        "/ component=\"Chart\"",
        "/ name=\"cart.items\"",
        "/ page=\"/login\"",
        "/ feature=\"export-data\"",
        "/ name=\"share-link\"",
        "/ (funnel=\"signup\" step=\"visited\")",
    ] {
        assert!(terms.iter().any(|term| term == expected), "{expected} in {terms:#?}");
    }
}

#[test]
fn terms_of_rows_can_be_kept_left_out_and_taken_back() {
    let mut console = Console::visited();
    let all = console.app.matches().total;
    console.keys("5<tab><tab>j+");
    let kept = console.app.matches().total;
    console.keys("+");
    assert_eq!(console.app.matches().total, all, "the second press takes it back");
    console.keys("-");
    assert_eq!(console.app.matches().total, all - kept);
    let mut console = Console::visited();
    console.keys("5G-");
    let bar = console.screen(160, 40).lines().nth(1).unwrap_or("").to_owned();
    assert!(bar.contains("-(funnel=") && console.app.matches().total == all - 1, "{bar}");
}

#[test]
fn values_in_other_fields_and_pages_with_queries_are_found_again() {
    let mut console = Console::new(Theme::new(Palette::Ansi, false), 100);
    console.post(
        r#"[
        {"type":"metric","subtype":"custom","metric-name":"LCP","value":1.9,"unit":"s","page":"/a?x=1"},
        {"type":"metric","subtype":"web-vital","vital":"LCP","value":2700,"page":"/a","load":8},
        {"type":"metric","subtype":"web-vital","vital":"LCP","value":900,"page":"http://x/b#top","load":9},
        {"type":"log","message":"no vital"}]"#,
    );
    console.keys("5");
    assert_shows(
        &mut console,
        &["LCP       0.90s  good          2.70s  needs work", "p75 of 3 page loads", "/a                  "],
    );
    console.keys("<cr>");
    assert_shows(&mut console, &["(vital=\"LCP\" or name=\"LCP\")", "✓ 3 of 4"]);
    console.keys("X5G<cr>");
    assert_shows(&mut console, &["(page=\"/b\" or page=\"/b?*\" or page=\"/b#*\")", "✓ 1 of 4"]);
}

#[test]
fn empty_blocks_say_what_would_fill_them() {
    let mut console = Console::new(Theme::new(Palette::Ansi, false), 100);
    console.post(r#"[{"type":"log","message":"nothing measured"}]"#);
    console.keys("5");
    assert_shows(
        &mut console,
        &[
            "no web vitals yet",
            "no page load yet",
            "component and render-time-ms",
            "taillight.metric(\"cart.items\", 4, \"items\")",
            "taillight.track(\"export-data\")",
            "with funnel and step",
        ],
    );
    console.keys("jkGg<tab><cr>+");
    assert_shows(&mut console, &["[5 Vitals]"]);
}

#[test]
fn a_frozen_timeline_does_not_say_that_it_follows() {
    let mut console = Console::visited();
    console.keys("T");
    assert_shows(&mut console, &["── following"]);
    console.keys(" ");
    assert_shows(&mut console, &["── frozen"]);
}

#[test]
fn one_filter_narrows_vitals_and_timeline() {
    let mut console = Console::visited();
    console.keys("5/load:7 component:chart<cr>");
    assert_shows(&mut console, &["Chart ", "none matches"]);
    let screen = console.screen(120, 36);
    assert!(
        !screen.contains("UserList") && !screen.contains("yet"),
        "what the filter hides is there\n{screen}"
    );
    console.keys("1T");
    assert_shows(&mut console, &["── following", "3 events"]);
    console.keys("1X/status:999<cr>");
    console.keys("T");
    assert_shows(&mut console, &["[1 Stream]"]);
}

#[test]
fn the_cursor_goes_from_event_to_event_and_past_the_end_follows() {
    let mut console = Console::visited();
    console.keys("T<left>");
    assert_shows(&mut console, &["── at +17.600"]);
    let selected = |console: &mut Console| {
        let screen = console.screen(120, 36);
        screen.lines().rfind(|line| line.starts_with('▌')).expect("a selected row").to_owned()
    };
    let last = selected(&mut console);
    console.keys("<left><right>");
    assert_eq!(selected(&mut console), last);
    console.keys("<right>");
    assert_shows(&mut console, &["── following ↓"]);
    console.keys("<s-left><s-left>");
    assert!(selected(&mut console).contains("Failed to fetch"), "{}", selected(&mut console));
    console.keys("jjjj<left>");
    assert!(selected(&mut console).contains("share-link"), "{}", selected(&mut console));
    console.keys("<left><left>");
    assert!(selected(&mut console).contains("click"), "only what people did: {}", selected(&mut console));
    assert_shows(&mut console, &["keys stay in click"]);
    console.keys("<cr>");
    assert_shows(&mut console, &["[1 Stream]", "#save-button \"Save\""]);
    console.keys("<esc><esc>");
    assert_shows(&mut console, &["[4 Sessions]", "keys stay in click"]);
}

#[test]
fn every_list_leads_to_the_timeline_at_its_event() {
    for (keys, selected) in [
        ("NT", "POST /api/orders"),
        ("2jT", ""),
        ("3jT", "Failed to fetch"),
        ("3jj<cr>jT", "POST /api/orders"),
        ("4jT", ""),
    ] {
        let mut console = Console::visited();
        console.screen(120, 36);
        console.keys(keys);
        let screen = console.screen(120, 36);
        let row = screen.lines().rfind(|line| line.starts_with('▌')).unwrap_or("");
        assert!(screen.contains("[4 Sessions]") && screen.contains("sess-"), "{keys}\n{screen}");
        assert!(row.contains(selected), "{keys}: {row}");
        console.keys("h");
        assert!(!console.screen(120, 36).contains("z Z"), "{keys}: back to where it came from");
    }
}

#[test]
fn a_live_session_is_followed_until_the_cursor_is_moved() {
    let mut console = Console::visited();
    let message = |ms: i64| format!(r#"[{{"type":"log","message":"later {ms}","timestamp":{}}}]"#, NOW + ms);
    console.keys("T");
    console.post(&message(1_000));
    assert_shows(&mut console, &["later 1000"]);
    console.keys("<left><left>");
    let held = |console: &mut Console| {
        let screen = console.screen(120, 36);
        let row = screen.lines().find(|line| line.starts_with('▌')).map(str::to_owned);
        (row.expect("a selected row"), screen.contains("at +17.600"))
    };
    let before = held(&mut console);
    console.post(&message(60_000));
    assert_eq!((held(&mut console), before.1), (before, true));
    console.keys("G");
    assert_shows(&mut console, &["later 60000", "following"]);
}

#[test]
fn a_long_session_shows_its_newest_events_and_says_so() {
    let mut console = Console::new(Theme::new(Palette::Ansi, false), 100_000);
    for start in 0..6 {
        let events: Vec<String> = (0..1_000)
            .map(|nth| {
                format!(
                    r#"{{"type":"log","message":"m{nth}","timestamp":{}}}"#,
                    NOW - 7_000 + start * 1_000 + nth
                )
            })
            .collect();
        console.post(&format!("[{}]", events.join(",")));
    }
    console.keys("T");
    assert_shows(&mut console, &["the newest 5,000 of 6,000 events"]);
    console.keys("g");
    assert_shows(&mut console, &["▌"]);
    // Where the ring let go of the cursor's event, it stands at the next.
    let mut console = Console::new(Theme::new(Palette::Ansi, false), 30);
    console.post(VISIT);
    console.keys("Tg");
    for nth in 0..20 {
        console.post(&format!(r#"[{{"type":"log","message":"n{nth}","timestamp":{}}}]"#, NOW + nth));
        assert_shows(&mut console, &["▌", "30 events"]);
    }
}

#[test]
fn the_timeline_works_on_the_smallest_screen_and_in_ascii() {
    let mut console = Console::visited();
    console.keys("T<s-left>");
    for (width, height) in [(40, 8), (40, 12), (60, 10), (79, 16), (100, 20)] {
        let screen = console.screen(width, height);
        assert!(screen.contains("▌") && screen.contains("sess-456"), "{width}x{height}\n{screen}");
    }
    let mut console = Console::new(Theme::new(Palette::Mono, true), 1_000);
    console.post(VISIT);
    for keys in ["T", "<left>zz", "<tab>k", "5", "<tab>", "<tab>j", "G"] {
        console.keys(keys);
        for (width, height) in SIZES {
            let screen = console.screen(width, height);
            assert!(screen.is_ascii() && !screen.contains("<U+"), "after {keys:?}\n{screen}");
        }
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("fixtures/hostile-strings.json")).expect("vectors");
    let texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let times = usize::try_from(row["times"].as_u64().unwrap_or(0)).expect("small").min(100);
            let unit = row["unit"].as_str().unwrap_or("").repeat(times);
            format!("{}{unit}{}", row["text"].as_str().unwrap_or(""), row["tail"].as_str().unwrap_or(""))
        })
        .collect();
    prop_oneof![proptest::sample::select(texts), ".{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_event_and_no_key_makes_them_fall(
        texts in prop::collection::vec(hostile(), 4),
        times in prop::collection::vec(prop_oneof![Just(f64::MAX), -1e19..1e19_f64, 1.7e12..1.8e12_f64], 6),
        keys in prop::collection::vec(proptest::sample::select(
            vec!["<left>", "<right>", "<s-left>", "<s-right>", "<tab>", "<backtab>", "j", "k", "g", "G", "z", "Z", "<pgup>", "T", "5", "<cr>", "<esc>", "+", "-"],
        ), 0..12),
        size in (1_u16..210, 1_u16..70),
        is_ascii in any::<bool>(),
    ) {
        let mut console = Console::new(Theme::new(Palette::Ansi, is_ascii), 50);
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| texts[at].as_str());
        let events: Vec<_> = times.iter().enumerate().map(|(nth, time)| {
            let subtypes = ["page-load", "web-vital", "api-call", "long-task", "render", "conversion"];
            serde_json::json!({
                "type": if nth == 5 { "analytics" } else { "metric" }, "subtype": subtypes[nth], "timestamp": time, "vital": "LCP",
                "value": time, "url": a, "page": b, "method": c, "element": d, "component": d, "duration-ms": time, "unit": a,
                "metric-name": c, "funnel": a, "step": b, "timing": { a: time, "fully-loaded": time }, "session-id": d,
                "element-text": a, "attribution": { "interaction-type": c },
            })
        }).collect();
        console.post(&serde_json::Value::from(events).to_string());
        for key in ["T", "5"].iter().chain(&keys) {
            console.keys(key);
            let buffer = console.draw(size.0, size.1);
            for cell in buffer.content() {
                let is_safe = !cell.symbol().chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
                prop_assert!(is_safe, "{:?}", cell.symbol());
                prop_assert!(!is_ascii || cell.symbol().is_ascii(), "{:?}", cell.symbol());
            }
        }
    }
}
