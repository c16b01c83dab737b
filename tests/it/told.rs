//! What rows, panes and empty lists say in words, of events that are easily misread.

use taillight::counters::Counter;
use taillight::event::{Mapped, MappedFrame, MappedTrace, Relation, Timestamp};
use taillight::ui::Msg;

use crate::ui::Console;

/// 2026-01-31T14:32:15Z, the moment all screens show.
const NOW: i64 = 1_769_869_935_000;

fn click(ms: i64) -> String {
    let at = NOW + ms;
    format!(
        r#"{{"type":"analytics","subtype":"user-action","action":"click","element-id":"save","timestamp":{at}}}"#
    )
}

fn call(ms: i64, path: &str, more: &str) -> String {
    let at = NOW + ms;
    format!(
        r#"{{"type":"metric","subtype":"api-call","url":"http://localhost:5173{path}","method":"GET","duration-ms":53,"timestamp":{at}{more}}}"#
    )
}

fn failure(ms: i64) -> String {
    let at = NOW + ms;
    format!(r#"{{"type":"error","subtype":"javascript","message":"profile is null","timestamp":{at}}}"#)
}

/// A page whose requests fail, that is loaded again and then throws.
fn reloaded() -> Console {
    let mut console = Console::new(1_000);
    let before = [click(-9_000), call(-8_000, "/api/orders", r#","status":500"#)];
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", before.join(",")));
    let after = [call(-4_000, "/api/users", r#","status":200"#), failure(-3_000)];
    console.post_from(("sess-1", "tab-a", 2), &format!("[{}]", after.join(",")));
    console
}

#[test]
fn what_came_before_an_error_is_of_its_own_page_load() {
    let mut console = reloaded();
    console.screen(120, 36);
    console.keys("N");
    let screen = console.screen(120, 36);
    let before = screen.lines().find(|line| line.contains("before it")).expect("a line");
    assert!(before.contains("GET /api/users 200 (53ms)"), "{before}");
    assert!(!before.contains("click") && !before.contains("/api/orders"), "{before}");
}

#[test]
fn a_request_that_is_told_after_the_error_it_caused_came_before_it() {
    let mut console = Console::new(1_000);
    let list = |events: &[String]| format!("[{}]", events.join(","));
    console.post_from(("sess-1", "tab-a", 1), &list(&[click(-9_000), failure(-3_000)]));
    let later = [call(-3_001, "/api/orders", r#","status":500"#), call(-2_000, "/api/users", "")];
    console.post_from(("sess-1", "tab-a", 1), &list(&later));
    console.screen(120, 36);
    // The click, the request that failed, the error.
    console.keys("gjj");
    let screen = console.screen(120, 36);
    let before = screen.lines().find(|line| line.contains("before it")).expect("a line");
    assert!(before.contains("GET /api/orders 500 (53ms) → this"), "{before}");
}

#[test]
fn a_request_that_the_page_gave_up_says_so() {
    let mut console = Console::new(1_000);
    let calls = [
        call(-5_000, "/api/fine", r#","status":200"#),
        call(-4_000, "/api/slow", r#","aborted":true"#),
        failure(-3_000),
    ];
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", calls.join(",")));
    for (width, keys) in [(120, ""), (80, ""), (120, "NT")] {
        console.keys(keys);
        let screen = console.screen(width, 36);
        assert!(screen.contains("GET /api/slow aborted in 53 ms"), "{screen}");
        assert!(!screen.contains("GET /api/fine 200 in"), "{screen}");
    }
    console.keys("hN");
    assert!(console.screen(120, 36).contains("GET /api/slow aborted (53ms)"));
}

#[test]
fn a_websocket_has_no_method() {
    let mut console = Console::new(1_000);
    let at = NOW - 3_000;
    let failed = format!(
        r#"{{"type":"error","subtype":"network","url":"ws://localhost:5173/live","code":1006,"timestamp":{at}}}"#
    );
    console.post_from(("sess-1", "tab-a", 1), &format!("[{failed},{}]", failure(-1_000)));
    for (keys, expected) in [
        ("2", "WS /live no answer"),
        ("3", "WS      /live"),
        ("4j<cr>", "WS /live"),
        ("1/subtype:network<cr>k<cr>", "WS /live"),
    ] {
        console.keys(keys);
        let screen = console.screen(120, 36);
        assert!(screen.contains(expected), "{keys}: {screen}");
        assert!(!screen.contains("GET"), "{keys}: {screen}");
    }
    console.keys("yc");
    assert!(console.screen(120, 36).contains("curl opens no WebSocket"));
}

#[test]
fn an_error_is_listed_by_name_and_what_is_none_by_what_was_thrown() {
    let mut console = Console::new(1_000);
    let thrown = |ms: i64, subtype: &str, more: &str| {
        let at = NOW + ms;
        format!(r#"{{"type":"error","subtype":"{subtype}","timestamp":{at},{more}}}"#)
    };
    let events = [
        thrown(-3_000, "javascript", r#""name":"TypeError","message":"x is not a function""#),
        thrown(-2_000, "promise", r#""message":"undefined""#),
        thrown(-1_000, "javascript", r##""message":"Uncaught #<Object>","value":{"odd":1}"##),
    ];
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", events.join(",")));
    let lines = ["TypeError: x is not a function", "Promise rejected with undefined", "thrown: {\"odd\":1}"];
    for keys in ["", "2", "4j<cr>", "1k<cr>"] {
        console.keys(keys);
        let screen = console.screen(120, 36);
        let shown = lines.iter().filter(|line| screen.contains(**line)).count();
        assert!(shown >= if keys == "1k<cr>" { 1 } else { 3 }, "{keys}: {screen}");
    }
}

#[test]
fn a_request_without_an_answer_says_which_it_was() {
    let mut console = Console::new(1_000);
    let failed = |ms: i64, says: &str| {
        let at = NOW + ms;
        format!(
            r#"{{"type":"error","subtype":"network","message":"{says}","url":"http://localhost:5173/api/orders/7","method":"GET","duration-ms":35,"page":"http://localhost:5173/","timestamp":{at}}}"#
        )
    };
    let calls = [failed(-5_000, "Failed to fetch"), failed(-4_000, "no route to /api/orders/:id")];
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", calls.join(",")));
    for (width, keys) in [(120, ""), (80, ""), (120, "NT")] {
        console.keys(keys);
        let screen = console.screen(width, 36);
        assert!(screen.contains("Failed to fetch   GET /api/orders/:id"), "{screen}");
        assert!(!screen.contains("/:id   GET"), "{screen}");
    }
}

#[test]
fn an_empty_list_names_the_key_that_shows_more_where_it_is_one() {
    let mut console = reloaded();
    for (screen, says) in [
        ("1", "no events match"),
        ("2", "no errors match"),
        ("3ttt", "no requests match"),
        ("4", "no sessions match"),
    ] {
        console.keys(screen);
        assert!(!console.screen(80, 24).contains(says));
        console.keys("/nowhere");
        let typed = console.screen(80, 24);
        assert!(typed.contains(says) && !typed.contains("f shows all"), "{typed}");
        console.keys("<cr>");
        let accepted = console.screen(80, 24);
        assert!(accepted.contains(&format!("{says}: f shows all")), "{accepted}");
        console.keys("X");
        assert!(!console.screen(80, 24).contains(says));
    }
}

#[test]
fn a_table_says_how_many_rows_are_below() {
    let mut console = Console::new(1_000);
    let calls: Vec<_> = (0_u8..40)
        .map(|nth| {
            let letters = [b'a' + nth / 20, b'a' + nth % 20].map(char::from);
            call(-5_000, &format!("/api/{}{}", letters[0], letters[1]), r#","status":500"#)
        })
        .collect();
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", calls.join(",")));
    for keys in ["2", "3"] {
        console.keys(keys);
        for width in [80, 120] {
            let screen = console.screen(width, 24);
            let rows = screen.lines().filter(|line| line.contains("/api/") && line.contains("GET")).count();
            assert!(screen.contains(" more"), "{rows} rows\n{screen}");
        }
        console.keys("G");
        let screen = console.screen(120, 24);
        assert!(!screen.lines().nth(2).expect("a title").contains("more"), "{screen}");
        console.keys("<esc>");
    }
}

#[test]
fn a_page_that_is_not_let_in_is_told_where_one_waits_for_it() {
    let mut console = Console::new(1_000);
    let why = "origin `https://x.test` is not allowed; `--allow-origin https://x.test` lets it in";
    assert!(!console.screen(80, 24).contains("refused"));
    console.counters.refuse(Counter::RefusedOrigin, Timestamp(NOW - 1_000), why);
    for (width, height) in [(80, 24), (120, 36), (200, 60)] {
        let screen = console.screen(width, height);
        assert!(screen.contains("\u{2717}  a page was refused: origin `https://x.test`"), "{screen}");
        assert!(screen.contains("! refused"), "{screen}");
    }
    console.post_from(("sess-1", "tab-a", 1), &format!("[{}]", click(-500)));
    assert!(console.screen(120, 36).lines().next().expect("a header").contains("! refused, 6 says why"));
    console.keys("6");
    assert!(console.screen(120, 36).contains("--allow-origin https://x.test"));
}

#[test]
fn who_comes_back_to_the_terminal_is_told_what_is_new() {
    let mut console = reloaded();
    let says = "since you left: 1 new error";
    console.app.update(Msg::Focus(true));
    console.app.update(Msg::Focus(false));
    console.app.update(Msg::Focus(true));
    assert!(!console.screen(80, 24).contains("since you left"), "nothing has come");
    console.app.update(Msg::Focus(false));
    let again = failure(-2_000);
    let other = failure(-1_000).replace("profile", "basket");
    console.post_from(("sess-1", "tab-a", 2), &format!("[{again},{other}]"));
    assert!(!console.screen(80, 24).contains("since you left"));
    console.app.update(Msg::Focus(true));
    assert!(console.screen(80, 24).contains(says), "{}", console.screen(80, 24));
    console.keys("j");
    console.app.update(Msg::Focus(true));
    assert!(!console.screen(80, 24).contains("since you left"), "told once");
}

#[test]
fn the_slowest_requests_say_what_they_came_after() {
    let mut console = reloaded();
    console.screen(120, 36);
    console.keys("3ttt");
    let orders = console.screen(120, 36);
    assert!(orders.contains("after click #save"), "{orders}");
    console.keys("jj");
    let users = console.screen(120, 36);
    assert!(users.contains("── GET /api/users ") && !users.contains("after click"), "{users}");
}

#[test]
fn a_detail_says_below_its_divider_what_has_no_room_in_it() {
    for (width, keys) in [(120, "Nd"), (80, "N<cr>")] {
        let mut console = Console::with_a_shop();
        console.screen(width, 36);
        console.keys(keys);
        let screen = console.screen(width, 36);
        for fact in ["group ", " time", " of 2 sessions", " ago"] {
            assert!(screen.contains(fact), "{fact}\n{screen}");
        }
    }
}

#[test]
fn a_frame_that_has_no_room_keeps_its_line() {
    let frame = |file: &str| MappedFrame {
        function: "list".into(),
        file: file.into(),
        line: 42,
        column: 7,
        is_own: true,
        is_mapped: true,
        local: None,
        code: None,
    };
    let frames =
        ["src/one.ts", "src/orders/OrdersOfToday.tsx", "packages/shop/src/deep/down/in/folders/Cart.tsx"]
            .map(frame);
    let trace = MappedTrace { relation: Relation::Thrown, head: "E: x".into(), frames: frames.to_vec() };
    let mut console = Console::new(100);
    console.post(r#"[{"type":"error","message":"x","stack":"E: x\n    at q (http://h/app.js:1:2)"}]"#);
    console.map(0, Mapped { traces: vec![trace], top: Some((0, 0)), note: None });
    console.screen(120, 36);
    console.keys("Nd");
    let screen = console.screen(120, 36);
    for row in [
        "▸ list             src/one.ts:42:7",
        "list src/orders/OrdersOfToday.tsx:42:7",
        "list …/deep/down/in/folders/Cart.tsx:42:7",
    ] {
        assert!(screen.contains(row), "{row}\n{screen}");
    }
}
