//! The program at its bounds: what it does there, and that it counts it.
//!
//! Bounds of connections and messages are in `ingest` and `storm`, those of sinks in `sinks`.

use crate::harness::post_to;
use crate::pty::Terminal;

#[test]
fn a_frame_too_large_for_one_write_is_shown_in_parts_and_counted() {
    // More than 256 KiB of letters, once the details are below the list, which has the whole width then.
    let (width, height) = (1_400, 200);
    let (mut terminal, port) = Terminal::console_with(&[], width, height);
    let long = "x".repeat(usize::from(width));
    let events: Vec<String> = (0..height)
        .map(|number| format!(r#"{{"type":"log","level":"info","message":"row {number} {long}"}}"#))
        .collect();
    post_to(port, &format!("[{}]", events.join(",")));
    terminal.wait("rows", |screen| screen.contains(" row "));
    terminal.press("d");
    terminal.wait("every row", |screen| (190..=200).contains(&screen.matches(" row ").count()));
    terminal.press("6");
    terminal.wait("the count", |screen| screen.contains("frames skipped "));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}
