//! What taillight says of itself is no error of a page: keys that look for errors pass over it, and no load has it.

use super::super::stream::Stream;
use super::*;

#[test]
fn an_alert_about_errors_is_not_one_more() {
    let mut rows = usual_rows();
    rows.push(Row {
        level: Level::Error,
        id: "taillight/alert",
        ns: "taillight",
        subtype: "alert",
        tab: "",
        load: None,
        flags: Flags::OWN,
        ..row(9_500, "sess-\"b*", "alert firing: same error", "{}")
    });
    let fixture = Fixture::new(&rows);
    let mut stream = Stream::default();
    fixture.draw(&mut stream, 120, 20);
    fixture.press(&mut stream, &[Action::PreviousError]);
    let drawn = fixture.draw(&mut stream, 120, 20);
    assert_rows(&drawn, &[&["▌", "one of many"], &["alert firing"]]);
    let mut sessions = Sessions::default();
    fixture.draw(&mut sessions, 120, 30);
    fixture.press(&mut sessions, &[Action::Down, Action::Down]);
    let drawn = fixture.draw(&mut sessions, 120, 30);
    assert_rows(&drawn, &[&["sess-\"b*", "1 page load", "each column is one load"]]);
}
