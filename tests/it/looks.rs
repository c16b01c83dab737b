//! What settings make of the screens, changed while they are shown and from the start.

use taillight::config::{Owner, Settings};
use taillight::ui::{App, Kept};

use crate::ui::Console;

/// What the shop's console shows after these keys.
fn after(keys: &str) -> String {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    console.keys(keys);
    console.screen(120, 36)
}

#[test]
fn what_is_set_changes_the_screen_at_once() {
    for (keys, shown, gone) in [
        ("1", "14:32:10.841", ""),
        (":set time age<cr>", "", "14:32:10.841"),
        (":set time gap<cr>", "+0.0", "14:32:10.841"),
        (":set columns.stream time, kind<cr>", "14:32:10.841 ERR js", "3,421ms"),
        (":set columns.stream status<cr>", "500  3,421ms", "14:32:10.841"),
        (":set columns.stream status<cr>", "", "\u{2588}\u{2588}"),
        ("3:set columns.latency count, p99<cr>", "p99", "p90"),
        ("3:set latency.window all<cr>", "t window: all", "t window: this load"),
        ("3:set latency.window 5m<cr>", "t window: 5 m", ""),
        ("3:set latency.baseline none<cr>", "b baseline: none", ""),
        (":set detail off<cr>N", "", "before it"),
        (":set detail full<cr>N", "before it", "POST /api/orders  "),
    ] {
        let screen = after(keys);
        assert!(screen.contains(shown), "{keys}: {shown}\n{screen}");
        assert!(gone.is_empty() || !screen.contains(gone), "{keys}: {gone}\n{screen}");
    }
}

#[test]
fn repeats_are_single_rows_where_that_is_set() {
    let mut console = Console::new(100);
    let line = r#"{"type":"log","level":"warn","message":"again","timestamp":1769869930000}"#;
    console.post(&format!("[{line},{line},{line}]"));
    let rows = |console: &mut Console| console.screen(120, 36).matches("again").count();
    assert_eq!(rows(&mut console), 1);
    console.keys(":set fold off<cr>");
    assert_eq!(rows(&mut console), 3);
}

#[test]
fn what_keys_have_changed_stays_when_something_else_is_set() {
    let screen = after("t:set bell on<cr>");
    assert!(!screen.contains("14:32:10.841"), "times still count from the page load\n{screen}");
}

#[test]
fn failed_requests_leave_the_percentiles_where_that_is_set() {
    let orders = |keys: &str| {
        let screen = after(keys);
        screen.lines().find(|line| line.contains("/api/orders")).expect("its row").to_owned()
    };
    let (with, without) = (orders("3ttt"), orders("3ttt:set latency.failures off<cr>"));
    assert!(with.contains("3.4s"), "{with}");
    assert!(
        !without.contains("3.4s") && without.contains("100%"),
        "the failures are counted still: {without}"
    );
}

#[test]
fn what_a_file_sets_counts_from_the_start() {
    let mut settings = Settings::default();
    let text =
        "time = \"age\"\ndetail = \"off\"\n[latency]\nwindow = \"all\"\n[columns]\nlatency = [\"p50\"]\n";
    let said = settings.take_file(text, "config.toml", Owner::User, true);
    assert!(said.is_empty(), "{said:?}");
    let mut console =
        Console::with_a_shop_and(|app: App| app.with_kept(Kept { settings, ..Kept::default() }));
    let screen = console.screen(120, 36);
    assert!(!screen.contains("14:32:10.841"), "{screen}");
    console.keys("3");
    let screen = console.screen(120, 36);
    assert!(
        screen.contains("t window: all") && screen.contains("p50") && !screen.contains("err%"),
        "{screen}"
    );
}
