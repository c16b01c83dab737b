//! The views as a developer uses them: each question in the number of keys it should take, over a page that was
//! changed and loaded again; what is held while late events come and old ones leave; any size and any text.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use taillight::event::{Mapped, MappedFrame, MappedTrace, Relation};
use taillight::scan::Matches;
use taillight::ui::{Effect, Msg};

use super::ui::Console;

/// 2026-01-31T14:32:15Z, the moment all screens show.
const NOW: i64 = 1_769_869_935_000;
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];
const STACK: &str = "TypeError: Cannot read property 'x' of undefined\\n    at UserList (http://localhost:5173/src/UserList.tsx:42:15)\\n    at renderWithHooks (http://localhost:5173/node_modules/react-dom/index.js:1533:18)\\n    at Dashboard (http://localhost:5173/src/Dashboard.tsx:18:9)";

fn call(ms: i64, method: &str, path: &str, status: u16, took: u64) -> String {
    format!(
        r#"{{"type":"metric","subtype":"api-call","url":"http://localhost:5173{path}","method":"{method}","status":{status},"duration-ms":{took},"page":"/dashboard","timing":{{"dns-lookup":0,"waiting":{},"server-response":{took}}},"timestamp":{}}}"#,
        took * 9 / 10,
        NOW + ms
    )
}

fn click(ms: i64, name: &str) -> String {
    format!(
        r#"{{"type":"analytics","subtype":"user-action","action":"click","element-id":"{name}","page":"/dashboard","timestamp":{}}}"#,
        NOW + ms
    )
}

fn failure(ms: i64, message: &str) -> String {
    format!(
        r#"{{"type":"error","subtype":"javascript","severity":"high","message":"{message}","stack":"{STACK}","causes":[{{"name":"RangeError","message":"no rows"}}],"page":"/dashboard","build":"3f2a91c","timestamp":{}}}"#,
        NOW + ms
    )
}

fn line(ms: i64, text: &str) -> String {
    format!(
        r#"{{"type":"log","subtype":"console","level":"warn","message":"{text}","timestamp":{}}}"#,
        NOW + ms
    )
}

fn vital(ms: i64, name: &str, value: f64) -> String {
    format!(
        r#"{{"type":"metric","subtype":"web-vital","vital":"{name}","value":{value},"page":"/dashboard","timestamp":{}}}"#,
        NOW + ms
    )
}

/// A page of two tabs: tab A is loaded twice, and after the second load an order fails.
fn changed() -> Console {
    let mut console = Console::new(1_000_000);
    let list = |events: &[String]| format!("[{}]", events.join(","));
    let mut before: Vec<_> =
        (0..12).map(|nth| call(-90_000 + nth * 100, "POST", "/api/orders", 201, 300)).collect();
    before.extend((0..12).map(|nth| call(-88_000 + nth * 100, "GET", "/api/users", 200, 40)));
    before.push(failure(-80_000, "old trouble"));
    before.push(vital(-79_000, "LCP", 1_100.0));
    console.post_from(("sess-456", "tab-a", 6), &list(&before));
    console.post_from(
        ("sess-789", "tab-b", 2),
        &list(&[line(-70_000, "other tab"), call(-69_000, "GET", "/api/feed", 200, 22)]),
    );
    let mut after = vec![vital(-40_000, "LCP", 2_310.0), click(-30_000, "save-button")];
    after.extend((0..6).map(|nth| call(-29_000 + nth * 100, "POST", "/api/orders", 500, 3_400)));
    after.push(failure(-25_000, "Cannot read property 'x' of undefined"));
    after.extend((0..6).map(|nth| line(-20_000 + nth * 300, "each child needs a key")));
    after.push(call(-10_000, "GET", "/api/users", 200, 41));
    after.push(r#"{"type":"metric","subtype":"render","component":"Chart","render-time-ms":31}"#.to_owned());
    console.post_from(("sess-456", "tab-a", 7), &list(&after));
    console
}

#[track_caller]
fn assert_shows(console: &mut Console, what: &str, texts: &[&str]) {
    let screen = console.screen(120, 36);
    for text in texts {
        assert!(screen.contains(text), "{what}: {text} in\n{screen}");
    }
}

#[test]
fn every_question_takes_as_many_keys_as_it_should() {
    for (question, keys, texts) in [
        ("did the change introduce an error?", "", &["2 Errors +"][..]),
        ("is it connected, is anything lost?", "", &["ev/s"]),
        (
            "what just broke, and where in my code?",
            "N",
            &["▌", "UserList.tsx:42", "Cannot read property 'x'"],
        ),
        ("which request failed after my click?", "p", &["POST /api/orders", "500"]),
        ("… under the click", "pL", &["click #save-button", "POST /api/orders"]),
        (
            "what did I do just before this error?",
            "N",
            &["before it", "click #save-button", "POST /api/orders 500"],
        ),
        ("… all of it", "NT", &["[4 Sessions]", "click", "▌"]),
        ("p99 of /api/orders since I reloaded?", "r3", &["/api/orders", "3.4s"]),
        (
            "is it slower than before my change, and is it the server?",
            "3",
            &["+3.1s", "wait 90%", "wait 3,060"],
        ),
        ("show only the latest tab", "S", &["session:latest"]),
        ("show only this tab", "Ns", &["session:sess-456"]),
        ("everything around this event", "Na", &["time:2026-01-31T14:31:45", "tab:tab-a"]),
        ("hide this warning for good", "k-", &["-"]),
        ("only what happens from now on", "c", &["since:mark"]),
        ("why is the page slow to load?", "5", &["LCP", "2.31s"]),
        ("which component renders too often?", "5<tab><tab>", &["Chart"]),
        ("how many users or sessions have this error?", "N", &["1 time", "1 of 2 sessions"]),
        ("… to a colleague, the whole view", "e", &["Write", "taillight-"]),
        ("404s of POST to anything under /api", "/status:500 method:POST url:/api<cr>", &["✓ 6 of"]),
    ] {
        let mut console = changed();
        console.screen(120, 36);
        console.keys(keys);
        assert_shows(&mut console, question, texts);
    }
}

/// What maps made of a place in `file`, which lies in the project.
fn placed(file: &str, line: u32) -> Mapped {
    let frame = MappedFrame {
        function: "UserList".into(),
        file: file.into(),
        line,
        column: 15,
        is_own: true,
        is_mapped: true,
        local: Some(std::path::Path::new("/shop").join(file).into()),
        code: None,
    };
    let trace = MappedTrace { relation: Relation::Thrown, head: "TypeError".into(), frames: vec![frame] };
    Mapped { traces: vec![trace], top: Some((0, 0)), note: None }
}

#[test]
fn every_screen_is_two_keys_from_the_line_it_is_about() {
    let mut console = changed();
    console.screen(120, 36);
    let matches = Arc::clone(console.app.matches());
    let ordinal = |says: &str| {
        let found = matches.iter().filter(|(_, event)| event.msg().contains(says)).last();
        found.unwrap_or_else(|| panic!("{says}")).0
    };
    let opened = |console: &mut Console, keys: &str| -> Vec<String> {
        let effects = console.keys(keys);
        let place = |effect: &Effect| match effect {
            Effect::Edit { path, line, .. } => Some(format!("{}:{line}", path.display())),
            _ => None,
        };
        effects.iter().filter_map(place).collect()
    };
    for (says, file, line) in [
        ("Cannot read", "src/UserList.tsx", 42),
        ("old trouble", "src/old.ts", 7),
        ("/api/users 200", "src/users.ts", 3),
        ("other tab", "src/tab.ts", 9),
    ] {
        console.map(ordinal(says), placed(file, line));
    }
    for (keys, place) in [
        ("No", "/shop/src/UserList.tsx:42"),
        // Its newest error, though a request came later; and the only place of one without an error.
        ("4o", "/shop/src/UserList.tsx:42"),
        ("jjo", "/shop/src/tab.ts:9"),
        ("3jjo", "/shop/src/users.ts:3"),
    ] {
        console.screen(120, 36);
        assert_eq!(opened(&mut console, keys), [place], "{keys} at\n{}", console.screen(120, 36));
    }
    console.keys("1G");
    console.screen(120, 36);
    console.keys("NT");
    console.screen(120, 36);
    assert_eq!(opened(&mut console, "o"), ["/shop/src/UserList.tsx:42"], "{}", console.screen(120, 36));
    console.keys("<esc>2");
    // Each of the groups, wherever it stands.
    let mut all = Vec::new();
    for _ in 0..6 {
        console.screen(120, 36);
        all.extend(opened(&mut console, "oj"));
    }
    assert!(all.contains(&"/shop/src/old.ts:7".to_owned()), "{all:?}");
    assert!(all.contains(&"/shop/src/UserList.tsx:42".to_owned()), "{all:?}");
}

#[test]
fn a_row_with_a_duration_tells_its_place_too_unless_it_is_a_request_that_was_fine() {
    let mut console = Console::new(1_000);
    let task = |ms: i64| {
        format!(r#"{{"type":"metric","subtype":"long-task","duration-ms":240,"timestamp":{}}}"#, NOW + ms)
    };
    let calls = [call(-9_000, "GET", "/api/fine", 200, 40), call(-8_000, "POST", "/api/orders", 500, 40)];
    console.post(&format!("[{},{},{}]", calls[0], calls[1], task(-7_000)));
    for (ordinal, line) in [(0, 1), (1, 2), (2, 3)] {
        console.map(ordinal, placed("src/cart.ts", line));
    }
    let screen = console.screen(120, 24);
    let row =
        |says: &str| screen.lines().find(|row| row.contains(says)).unwrap_or_else(|| panic!("{screen}"));
    assert!(
        row("long-task 240").contains("cart.ts:3 ") && row("long-task 240").contains("240ms"),
        "{screen}"
    );
    assert!(row("/api/orders").contains("cart.ts:2  500     40ms"), "{screen}");
    assert!(!row("/api/fine").contains("cart.ts"), "{screen}");
    assert!(!console.screen(80, 24).contains("cart.ts:3"));
}

#[test]
fn library_frames_no_map_tells_of_are_folded_too_and_raw_shows_all() {
    let mut console = changed();
    console.screen(120, 36);
    console.keys("N");
    let screen = console.screen(120, 36);
    assert!(
        screen.contains("1 library frame (react-dom)") && !screen.contains("renderWithHooks"),
        "{screen}"
    );
    assert!(!screen.contains("z unfolds"), "beside the list that key folds repeats: {screen}");
    console.keys("<cr>");
    assert_shows(&mut console, "full", &["1 library frame (react-dom)   z unfolds", "at Dashboard"]);
    console.keys("z");
    assert_shows(&mut console, "unfolded", &["at renderWithHooks"]);
    console.keys("zv");
    assert_shows(&mut console, "raw", &["at renderWithHooks"]);
    console.keys("v<esc>");
    let matches = Arc::clone(console.app.matches());
    let failed = matches.iter().find(|(_, event)| event.msg().starts_with("Cannot read")).expect("an error");
    console.map(failed.0, placed("src/UserList.tsx", 42));
    console.keys("2");
    let mut keys = 0;
    while !console.screen(120, 40).contains("src/UserList.tsx:42:15") && keys < 5 {
        console.keys("j");
        keys += 1;
    }
    assert!(!console.screen(120, 40).contains("localhost:5173/src"), "{}", console.screen(120, 40));
    console.keys("v");
    let raw = console.screen(120, 40);
    assert!(raw.contains("at UserList (http://localhost:5173/src/UserList.tsx:42:15)"), "{raw}");
    assert!(raw.contains("at renderWithHooks"), "{raw}");
    console.keys("v");
    assert!(!console.screen(120, 40).contains("localhost:5173/src"));
}

#[test]
fn what_just_broke_is_in_sight_with_its_place_at_every_size() {
    for (width, height) in SIZES {
        let mut console = changed();
        console.screen(width, height);
        console.keys("N");
        let screen = console.screen(width, height);
        let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text} in\n{screen}"));
        let rule = at("1 of 2 sessions");
        let below = |text: &str| screen[rule..].find(text).unwrap_or_else(|| panic!("{text} in\n{screen}"));
        let parts = ["Cannot read property", "before it", "at UserList", "at Dashboard"].map(below);
        assert!(parts.is_sorted(), "{screen}");
    }
}

#[test]
fn a_search_that_takes_long_says_how_far_it_is_and_can_be_given_up() {
    let mut console = changed();
    console.screen(120, 36);
    let effects = console.app.update(Msg::Key(KeyCode::Char('p').into()));
    let id = effects.iter().find_map(|effect| match effect {
        Effect::SetFilter { id, .. } => Some(*id),
        _ => None,
    });
    let id = id.expect("another filter");
    let whole = Arc::clone(console.app.matches());
    let far = |scanned| Msg::Matches(Arc::new(Matches { id, scanned, ..(*whole).clone() }));
    console.app.update(far(4));
    assert!(!console.screen(120, 36).contains("searching"), "at once nothing is said");
    console.wait(250);
    console.app.update(far(10));
    let percent = 10 * 100 / whole.snapshot.len();
    assert_shows(&mut console, "far", &[&format!("searching  {percent} %"), "Esc cancels", "level>=warn"]);
    console.keys("<esc>");
    let screen = console.screen(120, 36);
    assert!(
        !screen.contains("searching") && !screen.contains("is:failed"),
        "the filter before is back: {screen}"
    );
}

#[test]
fn the_rule_of_the_detail_can_be_dragged_and_the_selection_stays() {
    let mouse =
        |kind, column, row| Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    let left = MouseButton::Left;
    for (width, height) in [(120, 36), (170, 40)] {
        let mut console = changed();
        console.screen(width, height);
        console.keys("N");
        let rule = |console: &mut Console| {
            let screen = console.screen(width, height);
            let mut rows = screen.lines().zip(0_u16..);
            let title = |(line, y): (&str, u16)| {
                let at = line.find("ERR browser/javascript")?;
                Some((u16::try_from(line[..at].chars().count()).expect("small"), y))
            };
            rows.find_map(title).expect("a rule")
        };
        let held = selected(&mut console);
        let (x, y) = rule(&mut console);
        // Below the list it is the title's row, beside it the column before the title's.
        let is_below = x < 10;
        let (from, to) = if is_below { ((x, y), (x, y - 5)) } else { ((x - 4, y + 2), (x - 24, y + 2)) };
        for (kind, (column, row)) in [
            (MouseEventKind::Down(left), from),
            (MouseEventKind::Drag(left), to),
            (MouseEventKind::Up(left), to),
        ] {
            console.send(mouse(kind, column, row));
        }
        let dragged = rule(&mut console);
        assert!(if is_below { dragged.1 < y } else { dragged.0 < x }, "{dragged:?} after {:?}", (x, y));
        assert_eq!(selected(&mut console).1, held.1);
        console.send(mouse(MouseEventKind::Drag(left), from.0, from.1));
        assert_eq!(rule(&mut console), dragged, "only while the button is down");
    }
}

#[test]
fn every_view_at_three_sizes() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (name, keys) in [
            ("changed-stream", ""),
            ("changed-detail", "N"),
            ("changed-landmarks", "pL"),
            ("changed-errors", "2"),
            ("changed-latency", "3"),
            ("changed-sessions", "4"),
            ("changed-vitals", "5"),
            ("changed-timeline", "NT"),
        ] {
            for (width, height) in SIZES {
                let mut console = changed();
                console.screen(width, height);
                console.keys(keys);
                insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.screen(width, height));
            }
        }
    });
}

#[test]
fn reloads_stay_visible_through_any_filter_and_clicks_where_asked_for() {
    let mut console = changed();
    console.keys("/level>=error<cr>");
    let screen = console.screen(120, 36);
    assert!(screen.contains("↻ tab A reloaded") && screen.contains("load A·7"), "{screen}");
    assert!(!screen.contains("click #save-button"), "{screen}");
    console.keys("L");
    assert!(console.screen(120, 36).contains("click #save-button"));
    let all = console.app.matches().total;
    console.keys("L");
    let screen = console.screen(120, 36);
    assert!(!screen.contains("reloaded") && console.app.matches().total == all, "{screen}");
}

#[test]
fn a_hot_update_is_a_divider_through_any_filter() {
    let mut console = changed();
    console.post(&format!(
        "[{},{}]",
        line(14_000, "before it"),
        r#"{"type":"log","subtype":"hmr","id":":browser/hmr","message":"updated","timestamp":1769869930500}"#
    ));
    console.post(&format!("[{}]", line(15_500, "after it")));
    for filter in ["", "/after<cr>"] {
        console.keys(filter);
        assert_shows(&mut console, "a divider", &["hot update"]);
    }
    let dividers = |console: &mut Console| console.screen(120, 36).matches("hot update").count();
    let before = dividers(&mut console);
    console.keys("LL");
    assert!(dividers(&mut console) < before);
}

#[test]
fn what_sets_a_group_apart_from_what_did_not_fail_is_said() {
    let mut console = Console::new(1_000);
    let call = |at: u64, page: &str, status: u16| {
        format!(
            r#"{{"type":"metric","subtype":"api-call","url":"/api/a","method":"GET","status":{status},"duration-ms":9,"page":"http://h{page}","timestamp":{}}}"#,
            1_769_869_900_000 + at
        )
    };
    let mut calls: Vec<String> =
        (0..40).map(|at| call(at, if at % 4 == 0 { "/cart" } else { "/" }, 200)).collect();
    calls.extend((40..44).map(|at| call(at, "/cart?x=1", 500)));
    console.post(&format!("[{}]", calls.join(",")));
    console.keys("2");
    assert_shows(&mut console, "the page", &["differs    from events that did not fail: page /cart 4 of 4"]);
    assert!(!console.screen(120, 36).contains("tab tab-a 4 of 4"), "what all have says nothing");
}

#[test]
fn an_error_is_three_keys_from_a_colleague() {
    let mut console = changed();
    console.screen(120, 36);
    let effects = console.keys("Nyy");
    let copied = effects.iter().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert!(copied.is_some_and(|json| json.contains("Cannot read property")), "{effects:?}");
}

#[test]
fn repeats_are_one_row_until_they_are_unfolded() {
    let mut console = changed();
    let rows = |console: &mut Console| console.screen(120, 36).matches("each child needs a key").count();
    assert_eq!(rows(&mut console), 1);
    assert_shows(&mut console, "folded", &["×6"]);
    console.keys("z");
    assert_eq!(rows(&mut console), 6);
    console.keys("z/child<cr>");
    assert_shows(&mut console, "counts are of single events", &["✓ 6 of", "×6"]);
}

#[test]
fn the_column_of_times_has_four_meanings_and_long_rows_wrap() {
    let mut console = changed();
    for (keys, text) in
        [("", "14:32:05.000"), ("t", "+30.000"), ("t", "+8.500"), ("t", " 10s INF"), ("t", "14:32:05.000")]
    {
        console.keys(keys);
        assert_shows(&mut console, keys, &[text]);
    }
    let long = "word ".repeat(60);
    console.post_from(("sess-456", "tab-a", 7), &format!("[{}]", line(-5_000, &long)));
    let words = |console: &mut Console| console.screen(120, 36).matches("word").count();
    let cut = words(&mut console);
    console.keys("w");
    assert!(words(&mut console) == 60 && cut < 30, "{cut}");
}

/// The row of the selected event and its number.
fn selected(console: &mut Console) -> (usize, String) {
    let screen = console.screen(100, 30);
    let found = screen.lines().enumerate().find(|(_, line)| line.starts_with('▌'));
    let (row, line) = found.unwrap_or_else(|| panic!("a selected row in\n{screen}"));
    (row, line.to_owned())
}

#[test]
fn the_selected_event_keeps_its_row_while_late_events_come_and_old_ones_leave() {
    let mut console = Console::new(60);
    let lines: Vec<_> = (0..60).map(|nth| line(nth * 10, &format!("line {nth}"))).collect();
    console.post_from(("s", "t", 1), &format!("[{}]", lines.join(",")));
    console.screen(100, 30);
    console.keys("kkkkkkkk");
    let held = selected(&mut console);
    assert!(held.1.contains("line 5"), "{held:?}");
    // Late: it happened long before what is selected.
    console.post_from(("s", "t", 1), &format!("[{}]", line(-4_800, "a late one")));
    assert_eq!(selected(&mut console), held);
    let above = console.screen(100, 30);
    for nth in 0..90 {
        console.post_from(("s", "t", 1), &format!("[{}]", line(1_000 + nth, &format!("later {nth}"))));
        assert_eq!(selected(&mut console), held, "after {nth}");
    }
    let screen = console.screen(100, 30);
    assert!(screen.contains("older rows were dropped") && screen.contains("↓ 91 new"), "{screen}");
    let first = |screen: &str| screen.lines().nth(3).map(str::to_owned);
    assert_eq!(first(&screen), first(&above), "rows above stay while they are on the screen");
}

#[test]
fn late_events_stand_where_they_belong_and_say_so() {
    let mut console = Console::new(100);
    let lines: Vec<_> = (0..5).map(|nth| line(-10_000 + nth * 2_000, &format!("line {nth}"))).collect();
    console.post_from(("s", "t", 1), &format!("[{}]", lines.join(",")));
    console.post_from(("s", "t", 1), &format!("[{}]", line(-4_800, "from a tunnel")));
    console.post_from(("s", "t", 1), &format!("[{}]", line(-2_100, "a little late")));
    let screen = console.screen(120, 36);
    let at = |text: &str| {
        screen.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{screen}"))
    };
    assert!(at("line 2") < at("from a tunnel") && at("from a tunnel") < at("line 3"), "{screen}");
    assert!(screen.lines().nth(at("from a tunnel")).expect("shown").contains("late 4.8s"), "{screen}");
    assert!(!screen.lines().nth(at("a little late")).expect("shown").contains("late 2"), "{screen}");
}

#[test]
fn latency_has_windows_and_baselines() {
    let mut console = changed();
    console.keys("3");
    assert_shows(
        &mut console,
        "this load",
        &["t window: this load", "b baseline: load before", "+3.1s", "6 requests in this load", "12 before"],
    );
    assert_shows(
        &mut console,
        "what changed, against what",
        &["Δp99", "p99 +3.1s from 300ms in the load before"],
    );
    // A filter that bounds what is shown leaves what it is compared with as it is, and narrows it otherwise.
    for filter in ["since:reload", "load:0 since:5m", "since:reload url:/orders"] {
        console.keys(&format!("/{filter}<cr>3"));
        assert_shows(&mut console, filter, &["+3.1s", "6 requests in this load", "12 before"]);
        console.keys("X3");
    }
    console.keys("/since:reload status:500<cr>3");
    let other = console.screen(120, 36);
    assert!(other.contains("6 requests in this load") && !other.contains(" before ─"), "{other}");
    console.keys("X3");
    let narrow = console.screen(80, 24);
    assert!(narrow.contains("Δp99") && narrow.contains("b: load before"), "{narrow}");
    console.keys("t");
    assert_shows(&mut console, "a minute", &["t window: 1 m", "/api/orders"]);
    console.keys("tt");
    assert_shows(&mut console, "all", &["t window: all", "18 requests in all"]);
    console.keys("b");
    assert_shows(&mut console, "no mark", &["no mark yet", "before the mark"]);
    console.keys("b");
    let screen = console.screen(120, 36);
    assert!(screen.contains("b baseline: none") && !screen.contains("+3.1s"), "{screen}");
    console.keys("bttt/status:200<cr>3");
    let screen = console.screen(120, 36);
    assert!(
        !screen.contains("/api/orders") && screen.contains("/api/users"),
        "of the filtered events\n{screen}"
    );
    console.keys("X3<cr><cr>");
    assert_shows(&mut console, "a slow request opens in its session", &["[4 Sessions]", "sess-456"]);
}

#[test]
fn errors_show_parts_and_causes_whatever_was_thrown() {
    let mut console = Console::new(100);
    console.post(
        r#"[{"type":"error","message":"all mirrors failed","stack":"Error: x\n    at f (http://x/a.js:1:2)",
            "errors":[{"name":"RangeError","message":"no rows"},"just a string"],
            "cause":{"name":"Error","message":"one\ntwo","cause":{"code":42,"cause":"why","causes":[]}},"causes":[null]}]"#,
    );
    console.keys("2");
    let texts = [
        "one of them  RangeError: no rows",
        "one of them  just a string",
        "caused by  Error: one",
        r#"caused by  {"code":42"#,
        "and 1 more, which the event's detail shows",
    ];
    assert_shows(&mut console, "parts and causes", &texts);
}

#[test]
fn errors_show_causes_folded_stacks_and_occurrences_that_open() {
    let mut console = changed();
    console.screen(120, 36);
    console.keys("2n");
    console.keys("n");
    let texts = [
        "caused by  RangeError: no rows",
        "at UserList",
        "1 library frame",
        "at Dashboard",
        "occurrences, 1 event",
    ];
    let screen = console.screen(120, 40);
    let mut keys = 0;
    // New groups stand first; which of them is selected depends on their order alone.
    while !console.screen(120, 40).contains("caused by") && keys < 5 {
        console.keys("j");
        keys += 1;
    }
    let found = console.screen(120, 40);
    texts.iter().for_each(|text| assert!(found.contains(text), "{text} in\n{found}\n{screen}"));
    console.keys("z");
    assert!(console.screen(120, 40).contains("renderWithHooks"));
    console.keys("<tab><cr>");
    assert_shows(&mut console, "the occurrence in its session", &["[4 Sessions]", "Cannot read property"]);
}

#[test]
fn sessions_show_their_loads_side_by_side() {
    let mut console = changed();
    console.keys("4");
    assert_shows(
        &mut console,
        "loads",
        &["sess-456   2 page loads", "A·6", "A·7", "300ms", "3.4s", "1.1s", "2.3s"],
    );
}

#[test]
fn a_load_is_told_with_the_time_it_began_whatever_was_replaced_in_it() {
    let mut console = Console::new(1_000_000);
    let page = |load: i32, after: &str| {
        format!(
            r#"[{{"type":"metric","subtype":"page-load","timing":{{"fully-loaded":2000}},"timestamp":{}}}{after}]"#,
            NOW - 180_000 + i64::from(load) * 60_000
        )
    };
    let replaced = format!(r#",{{"type":"log","subtype":"hot-update","timestamp":{}}}"#, NOW - 30_000);
    console.post_from(("s", "t", 1), &page(1, ""));
    console.post_from(("s", "t", 2), &page(2, &replaced));
    console.keys("4");
    let screen = console.screen(120, 36);
    let times = screen.lines().find(|line| line.starts_with("  at ")).expect("a row of times");
    let began: Vec<&str> = times.split_whitespace().skip(1).collect();
    assert_eq!(began, ["14:30:13", "14:31:13"], "{screen}");
}

#[test]
fn a_page_that_is_gone_is_not_asked() {
    let mut console = changed();
    assert!(!console.keys("ND").iter().any(|effect| matches!(effect, Effect::Diagnose(_))));
    assert_shows(&mut console, "gone", &["sess-456 is not connected"]);
}

#[test]
fn a_storm_of_sizes_loses_nothing() {
    let mut console = changed();
    console.screen(100, 30);
    console.keys("kkkk");
    let held = selected(&mut console).1;
    let mut seed = 7_u32;
    for keys in ["", "w", "L", "2", "3", "<tab>", "4", "5", "1T", "<esc>1", "<cr>", "<esc>"] {
        console.keys(keys);
        for _ in 0..60 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            console.draw(1 + (seed >> 8) as u16 % 220, 1 + (seed >> 20) as u16 % 70);
        }
    }
    console.keys("LLw");
    assert_eq!(selected(&mut console).1, held, "the same event is selected");
    let screen = console.screen(1, 1);
    assert_eq!(screen, "…");
    assert!(console.screen(40, 8).contains("▌"), "{}", console.screen(40, 8));
}
