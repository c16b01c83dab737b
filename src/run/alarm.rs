//! What the terminal is told of alerts beside the screen: its bell, and notifications of the desktop.
//!
//! Asked by the console with each board of alerts; it writes what comes of it. An alert is told once, when it begins.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::alerts::{Board, Firing};
use crate::event::gate;

/// Columns of a notification.
const MAX_TEXT: usize = 160;
/// Notifications at once; beyond it the last says how many more there are.
const MAX_AT_ONCE: usize = 3;

/// The alerts that were told.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    told: Arc<Board>,
}

impl Alarm {
    /// What to write for `board`, which may be nothing; `None` if it is the one before.
    pub(super) fn take(&mut self, board: &Arc<Board>) -> Option<String> {
        if Arc::ptr_eq(&self.told, board) {
            return None;
        }
        let is_same =
            |a: &Firing, b: &Firing| (&a.rule.name, &a.key, a.since) == (&b.rule.name, &b.key, b.since);
        let is_new = |firing: &&Firing| !self.told.iter().any(|told| is_same(told, firing));
        let new: Vec<&Firing> = board.iter().filter(is_new).collect();
        let mut out = String::new();
        if new.iter().any(|firing| firing.rule.rings_bell) {
            out.push('\u{7}');
        }
        let notified: Vec<_> = new.iter().filter(|firing| firing.rule.notifies).collect();
        let more = notified.len().saturating_sub(MAX_AT_ONCE);
        for (nth, firing) in notified.into_iter().take(MAX_AT_ONCE).enumerate() {
            let more =
                if more > 0 && nth + 1 == MAX_AT_ONCE { format!(" (+{more} more)") } else { String::new() };
            let text = format!("{}, {}{more}: {}", firing.rule.name, firing.measured(), firing.example);
            notify(&text, &mut out);
        }
        self.told = Arc::clone(board);
        Some(out)
    }
}

/// OSC 9 for iTerm2, kitty, WezTerm, Windows Terminal and Ghostty, OSC 777 for rxvt, foot and VTE; a terminal leaves out
/// what it does not know.
fn notify(text: &str, out: &mut String) {
    // A semicolon would end the text in one of them, and a number begin another command in the other.
    let text = gate::plain_capped(text, MAX_TEXT).replace(';', ",");
    let _ = write!(out, "\x1b]9;taillight: {text}\x1b\\\x1b]777;notify;taillight;{text}\x1b\\");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::{read, usual};
    use crate::event::Timestamp;

    fn firing(name: &str, since: i64, example: &str) -> Firing {
        let text = format!("[[alerts]]\nname = \"{name}\"\nat-least = 1\nbell = true\nnotify = true");
        let document = toml_edit::Document::parse(text).expect("toml");
        let mut rules = Vec::new();
        read(&mut rules, &document["alerts"], &|_| String::new(), &mut |_, said| panic!("{said}"));
        let rule = Arc::new(rules.remove(0));
        let (key, example) = (String::new(), example.to_owned());
        let (user, session) = (String::new(), String::new());
        Firing { rule, key, group: None, since: Timestamp(since), value: 5.0, example, user, session }
    }

    #[test]
    fn an_alert_is_told_once_and_nothing_in_it_is_obeyed() {
        let mut alarm = Alarm::default();
        let first: Arc<Board> = Arc::new(vec![firing("many", 1, "a;b\u{1b}]0;x\u{7}")]);
        let told = alarm.take(&first).expect("news");
        let text = "many, 5 in 5m: a,b␛]0,x␇";
        let expected =
            format!("\u{7}\u{1b}]9;taillight: {text}\u{1b}\\\u{1b}]777;notify;taillight;{text}\u{1b}\\");
        assert_eq!(told, expected);
        assert_eq!(alarm.take(&first), None);
        let risen = Arc::new(vec![Firing { value: 9.0, ..first[0].clone() }]);
        assert_eq!(alarm.take(&risen).as_deref(), Some(""));
        let again = Arc::new(vec![firing("many", 2, "")]);
        assert!(alarm.take(&again).is_some_and(|told| told.contains("many, 5 in")));
    }

    #[test]
    fn many_at_once_are_told_in_a_few_and_those_that_do_not_ask_in_none() {
        let mut alarm = Alarm::default();
        let many: Board = (0..5).map(|number| firing(&format!("a{number}"), 1, "")).collect();
        let told = alarm.take(&Arc::new(many)).expect("news");
        assert_eq!((told.matches("]777;").count(), told.matches('\u{7}').count()), (3, 1));
        assert!(told.contains("a2, 5 in 5m (+2 more)"), "{told:?}");
        let quiet = Arc::new(usual().remove(0));
        let quiet = Arc::new(vec![Firing { rule: quiet, ..firing("x", 1, "") }]);
        assert_eq!(alarm.take(&quiet).as_deref(), Some(""));
    }
}
