//! Keys in, screen out: the console on a fixed store and a fixed clock, without a terminal.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use taillight::counters::{Counter, Counters};
use taillight::event::{Person, Timestamp};
use taillight::filter::{Filter, Matcher};
use taillight::pipeline::Redactor;
use taillight::published::Published;
use taillight::scan::{AdviceRequest, Advisor, Clock, Marks, Scan, Selection, context_of};
use taillight::store::{Retention, Snapshot, Store, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Effect, Facts, Msg};
use taillight::wire::{Body, Sender, decode_body};

/// 2026-01-31T14:32:15Z, the moment all screens show.
const NOW: i64 = 1_769_869_935_000;

/// A console with the store and the scan behind it, driven by hand.
pub(crate) struct Console {
    pub(crate) app: App,
    /// What the doors and the stages have counted.
    pub(crate) counters: Arc<Counters>,
    store: Store,
    scan: Scan,
    seq: u64,
    marks: Arc<Published<Marks>>,
    /// What was asked of the adviser last.
    pub(crate) asked: AdviceRequest,
    /// What filters look at instead of the newest.
    held: Option<Arc<Snapshot>>,
    now: i64,
}

impl Console {
    pub(crate) fn new(retain: u64) -> Self {
        Self::with(retain, |app| app)
    }

    /// A console of an app that is made into another before it sees anything.
    fn with(retain: u64, made: impl FnOnce(App) -> App) -> Self {
        let facts = Facts {
            address: "127.0.0.1:8245".into(),
            key: "ABCDEFGHIJKLMNOP".into(),
            recording: None,
            record: None,
        };
        let theme = Theme::new(Palette::Ansi, false);
        let counters = Arc::new(Counters::default());
        let app = App::new(facts, Arc::clone(&counters), theme, jiff::tz::TimeZone::UTC, "");
        let retention = Retention { events: retain, bytes: u64::MAX, ..Retention::default() };
        let mut console = Self { counters, ..Self::of(made(app), retention) };
        console.settle();
        console
    }

    fn of(app: App, retention: Retention) -> Self {
        let (marks, asked) = (Arc::new(Published::new(Marks::default())), AdviceRequest::default());
        let counters = Arc::default();
        Self {
            app,
            counters,
            store: Store::new(retention),
            scan: Scan::new(),
            seq: 1,
            marks,
            asked,
            held: None,
            now: NOW,
        }
    }

    /// What a shop's page did in its last seconds.
    pub(crate) fn with_a_shop() -> Self {
        Self::with_a_shop_and(|app| app)
    }

    /// The same, of an app that is made into another first.
    pub(crate) fn with_a_shop_and(made: impl FnOnce(App) -> App) -> Self {
        let mut console = Self::with(1_000_000, made);
        console.post(include_str!("fixtures/shop.json"));
        console
    }

    /// Takes a body as the ingestor would, and shows it.
    pub(crate) fn post(&mut self, body: &str) {
        self.post_from(("sess-456", "tab-a", 7), body);
    }

    /// Takes a body from this session, tab and page load.
    pub(crate) fn post_from(&mut self, (session, tab, load): (&str, &str, i32), body: &str) {
        let recv = Timestamp(NOW);
        let sender = Sender {
            session: session.into(),
            tab: tab.into(),
            load: Some(load),
            origin: "http://localhost:5173".into(),
            source: "browser",
            recv,
            ..Sender::default()
        };
        let Ok(Body::Bare(mut batch)) = decode_body(body, &sender, &Redactor::default()) else {
            panic!("events")
        };
        batch.chunk.number_from(self.seq);
        self.seq += batch.chunk.len() as u64;
        let tally = Tally { accepted: batch.chunk.len() as u64, ..Tally::default() };
        self.store.append(&batch.chunk, &tally);
        self.settle();
    }

    fn settle(&mut self) {
        // Tables are made at most four times a second, so the store's clock goes on while that of the screen stands.
        let at = Timestamp(NOW + 1_000 * i64::try_from(self.seq).expect("small"));
        let snapshot = self.held.clone().unwrap_or_else(|| Arc::new(self.store.snapshot(at)));
        self.scan.set_snapshot(snapshot);
        while self.scan.advance() {}
        self.app.update(Msg::Tick(Timestamp(self.now)));
        for effect in self.app.update(Msg::Matches(Arc::new(self.scan.matches()))) {
            if let Effect::Hold(held) = effect {
                self.held = held;
                self.settle();
            }
        }
    }

    /// Takes everything of a session out of what is kept.
    pub(crate) fn forget(&mut self, session: &str) {
        self.store.forget(&Person::Session(session.to_owned()));
        self.settle();
    }

    /// Tells where in the sources the event at `ordinal` happened.
    pub(crate) fn map(&mut self, ordinal: u64, mapped: taillight::event::Mapped) {
        let seq = ordinal + 1;
        let mapping = taillight::store::Mapping { ordinal, seq, mapped: Arc::new(mapped), group: 0 };
        self.store.map(&[mapping]);
        self.settle();
    }

    fn narrow(&mut self, id: u64, filter: &Arc<Filter>) {
        let snapshot = self.store.snapshot(Timestamp(NOW));
        let clock =
            Clock { start: Timestamp(NOW), zone: jiff::tz::TimeZone::UTC, marks: Arc::clone(&self.marks) };
        let context = context_of(&snapshot, &clock);
        self.scan.keep(self.marks.get().kept_for(filter));
        self.scan.set_selection(Selection::matching(id, Matcher::new(Arc::clone(filter), context), 2));
        self.settle();
    }

    /// Presses keys: characters as they are, `<cr>`, `<esc>`, `<tab>` and arrows by name; gives the effects that
    /// concern the outside.
    pub(crate) fn keys(&mut self, keys: &str) -> Vec<Effect> {
        const NAMED: [(&str, KeyCode); 8] = [
            ("<cr>", KeyCode::Enter),
            ("<esc>", KeyCode::Esc),
            ("<tab>", KeyCode::Tab),
            ("<up>", KeyCode::Up),
            ("<down>", KeyCode::Down),
            ("<right>", KeyCode::Right),
            ("<home>", KeyCode::Home),
            ("<bs>", KeyCode::Backspace),
        ];
        let mut rest = keys;
        let mut outside = Vec::new();
        while let Some(first) = rest.chars().next() {
            let known = NAMED.into_iter().find(|(name, _)| rest.starts_with(name));
            let (code, used) =
                known.map_or((KeyCode::Char(first), first.len_utf8()), |(name, code)| (code, name.len()));
            rest = &rest[used..];
            outside.extend(self.send(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))));
        }
        outside
    }

    /// Sends a message and does what it asks of the scan; gives the other effects.
    pub(crate) fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let mut outside = Vec::new();
        for effect in self.app.update(msg) {
            match effect {
                Effect::SetFilter { id, filter } => self.narrow(id, &filter),
                Effect::Mark(marks) => self.marks.set(Arc::new(marks)),
                Effect::Hold(held) => self.held = held,
                Effect::Ask(asked) => self.asked = asked,
                other => outside.push(other),
            }
        }
        outside
    }

    /// What the adviser says of what was asked last.
    pub(crate) fn advised(&mut self) {
        let snapshot = Arc::new(self.store.snapshot(Timestamp(NOW)));
        let clock =
            Clock { start: Timestamp(NOW), zone: jiff::tz::TimeZone::UTC, marks: Arc::clone(&self.marks) };
        let context = context_of(&snapshot, &clock);
        let mut adviser = Advisor::new();
        adviser.see(snapshot, context);
        let advice = adviser.answer(self.asked.clone());
        self.send(Msg::Advice(Arc::new(advice)));
    }

    /// Lets time go by.
    pub(crate) fn wait(&mut self, ms: i64) -> Vec<Effect> {
        self.now += ms;
        self.send(Msg::Tick(Timestamp(self.now)))
    }

    pub(crate) fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.app.render(area, &mut buffer);
        buffer
    }

    pub(crate) fn screen(&mut self, width: u16, height: u16) -> String {
        let buffer = self.draw(width, height);
        let row = |y| -> String {
            (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned()
        };
        (0..height).map(row).collect::<Vec<_>>().join("\n")
    }
}

#[track_caller]
fn snapshot(name: &str, keys: &str) {
    snapshot_of(name, |console| drop(console.keys(keys)));
}

/// Snapshots of a shop's console after `act`, in two sizes.
#[track_caller]
pub(crate) fn snapshot_of(name: &str, act: impl Fn(&mut Console)) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (width, height) in [(80, 24), (120, 36)] {
            let mut console = Console::with_a_shop();
            // Drawn once before, as on a real terminal: how far a page goes depends on the height.
            console.screen(width, height);
            act(&mut console);
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.screen(width, height));
        }
    });
}

#[test]
fn the_stream_follows_holds_and_opens() {
    snapshot("stream", "");
    snapshot("stream-held", "N");
    snapshot("stream-detail", "N<cr>");
    snapshot("stream-filtered", "/level>=warn or is:failed<cr>");
    snapshot("stream-mistake", "/status=>400");
}

#[test]
fn the_other_screens_show_the_same_events() {
    snapshot("errors", "2j");
    snapshot("latency", "3j");
    snapshot("sessions", "4j");
    snapshot("health", "6");
    snapshot("help", "?");
}

#[test]
fn a_session_is_read_with_offsets_from_its_beginning() {
    snapshot("session", "4jv");
}

#[test]
fn the_first_screen_says_what_to_paste() {
    let mut console = Console::new(10);
    let screen = console.screen(120, 36);
    for part in [
        "Waiting for a page.",
        "<script src=\"http://127.0.0.1:8245/taillight.js?k=ABCDEFGHIJKLMNOP\"></script>",
    ] {
        assert!(screen.contains(part), "{screen}");
    }
}

#[test]
fn the_first_screen_is_whole_at_every_size_and_its_keys_copy_play_and_look() {
    for (width, height) in [(80, 24), (120, 36), (200, 60), (60, 20), (40, 8)] {
        let screen = Console::new(10).screen(width, height);
        // Cut into rows it is whole all the same.
        let text: String = screen.split_whitespace().collect();
        let tag = "<scriptsrc=\"http://127.0.0.1:8245/taillight.js?k=ABCDEFGHIJKLMNOP\"></script>";
        assert!(height < 20 || text.contains(tag), "{screen}");
        assert!(screen.contains("Waiting for a page."), "{screen}");
    }
    let mut console = Console::new(10);
    console.screen(120, 36);
    for (key, expected) in [("y", "taillight.js?k="), ("Y", "import(")] {
        let effects = console.keys(key);
        assert!(
            matches!(&effects[..], [Effect::Copy { text, .. }] if text.contains(expected)),
            "{key}: {effects:?}"
        );
    }
    assert!(matches!(console.keys("d")[..], [Effect::Demo]));
    let [Effect::Why { tag }] = &console.keys("w")[..] else { panic!("it looks") };
    assert!(tag.contains("/taillight.js?k=ABCDEFGHIJKLMNOP\""), "the tag has the page key: {tag}");
    console.app.update(Msg::Checks(vec!["\u{2713}  port  taillight is listening\u{1b}[2J".to_owned()]));
    let screen = console.screen(80, 24);
    assert!(
        screen.contains("Why is nothing arriving?") && screen.contains("listening\u{241b}[2J"),
        "{screen}"
    );
    console.keys("<esc>");
    assert!(console.screen(80, 24).contains("Waiting for a page."));
    console.post(r#"{"type":"log","message":"here"}"#);
    console.keys("kw");
    assert!(console.screen(80, 24).contains("here"), "w wraps once there are events");
}

#[test]
fn one_filter_narrows_every_screen() {
    let mut console = Console::with_a_shop();
    console.keys("/status>=500<cr>");
    for (key, there, gone) in [
        ("1", "POST /api/orders", "has no avatar"),
        ("2", "500", "Cannot read"),
        ("3", "/api/orders", "/api/users"),
        ("4", "sess-456", "sess-789"),
    ] {
        console.keys(key);
        let screen = console.screen(120, 36);
        let body: String = screen.lines().skip(2).collect();
        assert!(body.contains(there), "{key}: {there}\n{screen}");
        assert!(!body.contains(gone), "{key}: {gone}\n{screen}");
    }
}

#[test]
fn a_mistake_keeps_the_filter_in_force_and_tab_mends_it() {
    let mut console = Console::with_a_shop();
    console.keys("/method:POST status=>500");
    let screen = console.screen(120, 36);
    assert!(screen.contains("still showing: method:POST"), "{screen}");
    assert!(screen.contains("Did you mean >= ?"), "{screen}");
    console.keys("<tab><cr>");
    let screen = console.screen(120, 36);
    assert!(screen.contains("method:POST status>=500") && screen.contains("1 of 10"), "{screen}");
}

#[test]
fn the_held_event_keeps_its_row_whatever_comes_and_goes() {
    let mut console = Console::new(40);
    console.post(include_str!("fixtures/shop.json"));
    console.screen(80, 24);
    console.keys("kkk");
    let row_of = |screen: &str| screen.lines().position(|line| line.starts_with('▌'));
    let before = console.screen(80, 24);
    let held = before.lines().find(|line| line.starts_with('▌')).expect("a selected row").to_owned();
    for round in 0..50 {
        console.post(r#"[{"type":"log","message":"later"},{"type":"error","message":"later still"}]"#);
        let now = console.screen(80, 24);
        assert_eq!(row_of(&now), row_of(&before), "round {round}\n{now}");
        assert!(now.contains(&held), "round {round}\n{now}");
    }
    let after = console.screen(80, 24);
    assert!(after.contains("50 errors"), "what waits is counted, errors apart\n{after}");
    assert!(after.contains("older rows were dropped"), "{after}");
    console.keys("G");
    assert!(console.screen(80, 24).contains("following"), "G follows again");
}

#[test]
fn a_frozen_screen_stands_still_and_says_what_waits() {
    let mut console = Console::with_a_shop();
    console.keys(" ");
    let frozen = console.screen(80, 24);
    console.post(r#"[{"type":"log","message":"unseen"}]"#);
    let still = console.screen(80, 24);
    assert!(!still.contains("unseen") && still.contains("frozen at 14:32:15 · 1 waiting"), "{still}");
    assert!(!still.contains("following"), "{still}");
    assert_eq!(frozen.lines().take(20).collect::<Vec<_>>(), still.lines().take(20).collect::<Vec<_>>());
    console.keys(" ");
    assert!(console.screen(80, 24).contains("unseen"));
}

#[test]
fn a_frozen_screen_keeps_its_moment_through_time_and_filters() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    console.keys("N ");
    let age = |console: &mut Console| {
        let screen = console.screen(120, 36);
        let ago = screen.find(" ago)").expect("how old the selected event is");
        screen[..ago].rsplit('(').next().expect("a bracket").to_owned()
    };
    let before = age(&mut console);
    console.wait(60_000);
    console.post(r#"[{"type":"error","message":"unseen"}]"#);
    assert_eq!(age(&mut console), before);
    for (keys, waiting) in [("/type:error<cr>", 1), ("X/type:log<cr>", 0), ("X", 1)] {
        console.keys(keys);
        let screen = console.screen(120, 36);
        let note = format!("frozen at 14:32:15 · {waiting} waiting");
        assert!(screen.contains(&note) && !screen.contains("unseen"), "{keys}\n{screen}");
    }
    assert_eq!(age(&mut console), before);
    console.keys(" ");
    let screen = console.screen(120, 36);
    assert!(screen.contains("unseen") && !screen.contains("frozen"), "{screen}");
    assert_ne!(age(&mut console), before);
}

#[test]
fn a_filter_given_to_a_frozen_screen_is_shown_whole_and_then_stands_still() {
    let mut console = Console::with_a_shop();
    console.keys(" ");
    console.keys("2");
    let key = |code| Msg::Key(KeyEvent::new(code, KeyModifiers::NONE));
    console.app.update(key(KeyCode::Char('/')));
    let effects: Vec<Effect> =
        "type:error".chars().flat_map(|c| console.app.update(key(KeyCode::Char(c)))).collect();
    let asked = effects.into_iter().rev().find_map(|effect| match effect {
        Effect::SetFilter { id, filter } => Some((id, filter)),
        _ => None,
    });
    let (id, filter) = asked.expect("another filter");
    let snapshot = Arc::clone(&console.app.matches().snapshot);
    let clock =
        Clock { start: Timestamp(NOW), zone: jiff::tz::TimeZone::UTC, marks: Arc::clone(&console.marks) };
    let matcher = Matcher::new(filter, context_of(&snapshot, &clock));
    console.scan.set_selection(Selection::matching(id, matcher, 2));
    // As the scan's thread does: rows as soon as there are some, tables once they are counted.
    while console.scan.look() {}
    let first = Arc::new(console.scan.glance());
    assert!(first.is_done() && !first.is_whole());
    console.app.update(Msg::Matches(first));
    while console.scan.advance() {}
    console.app.update(Msg::Matches(Arc::new(console.scan.matches())));
    let shown = Arc::clone(console.app.matches());
    assert!(shown.is_whole() && shown.tables.events == shown.total, "{shown:?}");
    console.post(r#"[{"type":"error","message":"unseen"}]"#);
    assert!(Arc::ptr_eq(&shown, console.app.matches()), "and from then on it stands still");
}

#[test]
fn by_value_keys_write_terms_that_match_the_event() {
    for (keys, expected) in [("N+", 1), ("N-", 9)] {
        let mut console = Console::with_a_shop();
        console.screen(120, 36);
        console.keys(keys);
        let screen = console.screen(120, 36);
        assert!(screen.contains(&format!("{expected} of 10")), "{keys}\n{screen}");
    }
}

#[test]
fn quitting_asks_once_when_events_would_be_lost() {
    let mut console = Console::with_a_shop();
    assert!(console.keys("q").is_empty(), "asked first");
    assert!(console.screen(80, 24).contains("q again quits"));
    assert!(matches!(console.keys("q")[..], [Effect::Quit]));
    assert!(matches!(Console::new(1).keys("q")[..], [Effect::Quit]), "nothing to lose, nothing to ask");
}

#[test]
fn an_export_is_of_the_current_view_to_the_path_typed() {
    let mut console = Console::with_a_shop();
    console.keys("/status>=400<cr>e");
    assert!(console.screen(120, 36).contains("the 2 events shown"));
    let effects = console.keys("<cr>");
    let [Effect::Export { chosen, path, is_forced: false, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(path, "taillight-2026-01-31T143215-status-400.jsonl");
    assert_eq!(chosen.events().count(), 2);
}

#[test]
fn a_terminal_too_small_for_a_screen_still_says_where_and_how_much() {
    let mut console = Console::with_a_shop();
    let line = console.screen(100, 5);
    assert!(line.starts_with("taillight 127.0.0.1:8245 0 connected"), "{line}");
    assert!(line.contains(" 3 errors - make me larger"), "{line}");
    let line = console.screen(30, 5);
    assert!(line.starts_with("taillight 127.0.0.1:8245 0 co…"), "{line}");
    assert_eq!(line.lines().nth(1).map(str::trim_end), Some("too small: needs 40x8"));
}

#[test]
fn what_was_dropped_is_in_the_header() {
    let counters = Arc::new(Counters::default());
    counters.add(Counter::GapEvents, 1_204);
    let theme = Theme::new(Palette::Mono, true);
    let app = App::new(Facts::default(), counters, theme, jiff::tz::TimeZone::UTC, "");
    let mut console = Console::of(app, Retention::default());
    console.post(r#"[{"type":"log","message":"m"}]"#);
    let screen = console.screen(80, 24);
    assert!(screen.contains("! 1,204 dropped"), "{screen}");
    for keys in [
        "",
        "k",
        "<cr>",
        " ",
        " d2",
        "3",
        "4",
        "6",
        "?",
        "q1/status=>",
        "<esc>/level:error<cr>f",
        "+",
        "X/p99(a)>5",
        "<esc>/level>=warn or is:slow b",
        "<cr>F",
        "q/no<cr>",
    ] {
        console.keys(keys);
        for width in [80, 120] {
            let screen = console.screen(width, 36);
            let odd: Vec<char> = screen.chars().filter(|c| !c.is_ascii()).collect();
            assert!(
                odd.is_empty() && !screen.contains("<U+"),
                "only ASCII after {keys:?}: {odd:?}\n{screen}"
            );
        }
    }
}

#[test]
fn hostile_text_is_harmless_on_every_screen_and_size() {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("fixtures/hostile-strings.json")).expect("vectors");
    for vector in vectors {
        let unit =
            vector["unit"].as_str().unwrap_or("").repeat(vector["times"].as_u64().unwrap_or(0) as usize);
        let text: String = format!(
            "{}{unit}{}",
            vector["text"].as_str().unwrap_or(""),
            vector["tail"].as_str().unwrap_or("")
        );
        // A message of 1 MiB is refused at the door; what is left of it is what a page can really show.
        let text: String = text.chars().take(30_000).collect();
        let mut console = Console::new(100);
        let event = serde_json::json!({
            "type": "error", "subtype": text, "message": text, "stack": text, "session-id": text, "user-id": text,
            "tab": text, "url": text, "method": "GET", "status": 500, "duration-ms": 5,
        });
        console.post(&event.to_string());
        for key in ["1", "k", "<cr>", "v", "d", "2", "3", "4", "6"] {
            console.keys(key);
            for (width, height) in [(1, 1), (40, 8), (80, 24), (200, 60)] {
                let buffer = console.draw(width, height);
                for cell in buffer.content() {
                    assert!(
                        !cell.symbol().chars().any(is_forbidden),
                        "{}: {:?}",
                        vector["name"],
                        cell.symbol()
                    );
                }
            }
        }
    }
}

/// Characters that move, hide or reorder what a terminal shows (SECURITY: the output gate).
pub(crate) fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(
            c,
            '\u{feff}' | '\u{ad}' | '\u{34f}' | '\u{3164}' | '\u{115f}' | '\u{ffa0}' | '\u{e0000}'
                ..='\u{e007f}'
        )
}
