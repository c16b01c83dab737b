//! The terminal's background: asked for once at the start, with a short wait, and told apart from what is typed.
//!
//! Called by the console before it reads keys. A terminal that answers late, or over a slow line, must not have its
//! answer taken for keys: [`Late`] holds that back.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};

use crate::ui::theme::Ground;

/// How long the answer is waited for (UX: colour).
const PATIENCE: Duration = Duration::from_millis(100);
/// How long an answer may be on its way after that.
const LATE: Duration = Duration::from_secs(5);
/// Bytes that are read while waiting: an answer has 30, and nobody types more in that time.
const MAX_BYTES: usize = 1_024;
/// Characters of a late answer.
const MAX_LATE: usize = 40;
/// What is the background (OSC 11), and what are you (DA1): every terminal answers the second, so the wait ends with
/// that where the first is not known.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// What came while an answer was waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) ground: Option<Ground>,
    /// Keys that were typed in the meantime.
    pub(super) typed: Vec<char>,
    /// The terminal has said all that it will say.
    is_over: bool,
}

/// Asks the terminal, whose modes must be those of the console, if it `is_wanted` and may be asked.
pub(super) fn ask_if(is_wanted: bool) -> Heard {
    let name = std::env::var("TERM").unwrap_or_default();
    let mut heard = Heard { is_over: true, ..Heard::default() };
    // `screen` hands the question on to whatever is around it and the answer to nobody.
    let may_be_asked = !name.is_empty() && name != "dumb" && !name.starts_with("screen");
    let mut out = io::stdout();
    if !is_wanted || !may_be_asked || !io::stdin().is_terminal() || out.write_all(QUESTION).is_err() {
        return heard;
    }
    // What cannot be written now will be told when the first frame is drawn.
    let _ = out.flush();
    let (mut bytes, until) = (Vec::new(), Instant::now() + PATIENCE);
    heard.is_over = false;
    while !heard.is_over && bytes.len() < MAX_BYTES && wait(until) {
        let mut part = [0; 256];
        match rustix::io::read(rustix::stdio::stdin(), &mut part) {
            Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
            _ => break,
        }
        heard = Heard::of(&bytes);
    }
    heard
}

/// Whether there is something to read before `until`.
fn wait(until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let Ok(left) = left.try_into() else { return false };
    let stdin = rustix::stdio::stdin();
    let mut one = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut one, Some(&left)).is_ok_and(|ready| ready > 0)
}

impl Heard {
    /// Takes apart what the terminal has sent so far.
    fn of(bytes: &[u8]) -> Self {
        let mut heard = Self::default();
        let text = String::from_utf8_lossy(bytes);
        let mut rest = &*text;
        while let Some(first) = rest.chars().next() {
            rest = if let Some(inside) = rest.strip_prefix("\x1b]") {
                let Some(end) = inside.find(['\x07', '\x1b']) else { break };
                heard.ground = inside[..end].strip_prefix("11;").and_then(ground).or(heard.ground);
                inside[end..].strip_prefix("\x1b\\").unwrap_or(&inside[end + 1..])
            } else if let Some(inside) = rest.strip_prefix("\x1b[") {
                let Some(end) = inside.find(|c: char| ('\x40'..='\x7e').contains(&c)) else { break };
                heard.is_over |= inside.starts_with('?') && inside[end..].starts_with('c');
                &inside[end + 1..]
            } else {
                heard.typed.extend(Some(first).filter(|c| !c.is_control()));
                &rest[first.len_utf8()..]
            };
        }
        heard
    }
}

/// `rgb:1e1e/1e1e/1e1e`, with one to four digits each, or `#1e1e1e` (XParseColor).
fn ground(color: &str) -> Option<Ground> {
    let share = |digits: &str| {
        let most =
            16_u32.checked_pow(u32::try_from(digits.len()).ok().filter(|len| (1..=4).contains(len))?)? - 1;
        Some(f64::from(u32::from_str_radix(digits, 16).ok()?) / f64::from(most))
    };
    let parts: Vec<&str> = match (color.split_once(':'), color.strip_prefix('#')) {
        (Some(("rgb" | "rgba", parts)), _) => parts.split('/').take(3).collect(),
        (_, Some(hex)) if hex.is_ascii() && hex.len() == 6 => vec![&hex[..2], &hex[2..4], &hex[4..]],
        _ => return None,
    };
    let [red, green, blue] = <[&str; 3]>::try_from(parts).ok()?.map(share);
    // How bright the three are to the eye (Rec. 601).
    let brightness = 0.299 * red? + 0.587 * green? + 0.114 * blue?;
    Some(if brightness > 0.5 { Ground::Light } else { Ground::Dark })
}

/// Holds back an answer that comes after the wait, which the reader of keys takes for keys.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Until when one may come; none where nothing is outstanding.
    until: Option<Instant>,
    /// What of it has come.
    inside: Option<String>,
}

impl Late {
    /// After a question that was not answered in time.
    pub(super) fn after(heard: &Heard, now: Instant) -> Self {
        let is_outstanding = heard.ground.is_none() && !heard.is_over;
        Self { until: is_outstanding.then(|| now + LATE), inside: None }
    }

    /// Whether `event` belongs to an answer.
    pub(super) fn takes(&mut self, event: &Event, now: Instant) -> bool {
        if self.until.is_none_or(|until| now > until) {
            return false;
        }
        let Event::Key(KeyEvent { code: KeyCode::Char(letter), modifiers, .. }) = event else { return false };
        let (is_alt, is_control) =
            (modifiers.contains(KeyModifiers::ALT), modifiers.contains(KeyModifiers::CONTROL));
        match &mut self.inside {
            None if is_alt && *letter == ']' => self.inside = Some(String::new()),
            None => return false,
            // BEL, or ESC and a backslash.
            Some(_) if (is_control && *letter == 'g') || (is_alt && *letter == '\\') => {
                *self = Self::default()
            }
            Some(text) => {
                text.push(*letter);
                let is_answer = text.len() <= MAX_LATE && "11;rgb".starts_with(&text[..text.len().min(6)]);
                if !is_answer {
                    *self = Self::default();
                    return false;
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_from_what_is_typed() {
        for (bytes, ground, typed, is_over) in [
            ("\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?64;1;2c", Some(Ground::Dark), "", true),
            ("\x1b]11;rgb:ff/ff/ff\x07", Some(Ground::Light), "", false),
            ("2\x1b]11;#fdf6e3\x07é\x1b[A\x1b[?6c", Some(Ground::Light), "2é", true),
            ("\x1b[?1;2c", None, "", true),
            ("\x1b]11;rgb:00/00", None, "", false),
            ("\x1b]11;mauve\x07", None, "", false),
            ("\x1b]10;rgb:ff/ff/ff\x07", None, "", false),
            ("\x1b]11;rgb:ff/zz/ff\x07/\x1b", None, "/", false),
            ("", None, "", false),
        ] {
            let typed = typed.chars().collect();
            assert_eq!(Heard::of(bytes.as_bytes()), Heard { ground, typed, is_over }, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_fall(bytes in proptest::collection::vec(0_u8..=255, 0..40), text in "(\x1b\\]|\x1b\\[|11;|rgb:|/|#|[0-9a-f]{1,5}|\x07|\x1b\\\\|é){0,12}") {
            let _ = (Heard::of(&bytes), Heard::of(text.as_bytes()));
        }
    }

    fn key(letter: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(letter), modifiers))
    }

    #[test]
    fn a_late_answer_is_no_keys_and_keys_are_no_answer() {
        let now = Instant::now();
        let nothing = Heard::default();
        let mut answer = vec![key(']', KeyModifiers::ALT)];
        answer.extend("11;rgb:1e1e/1e1e/1e1e".chars().map(|letter| key(letter, KeyModifiers::NONE)));
        answer.push(key('\\', KeyModifiers::ALT));
        let mut late = Late::after(&nothing, now);
        assert!(!late.takes(&key('q', KeyModifiers::NONE), now), "keys before it are keys");
        assert!(answer.iter().all(|event| late.takes(event, now)));
        assert!(!late.takes(&answer[0], now), "one question has one answer");
        let mut late = Late::after(&nothing, now);
        assert!(late.takes(&answer[0], now) && !late.takes(&key('q', KeyModifiers::NONE), now));
        let mut late = Late::after(&nothing, now);
        assert!(!late.takes(&answer[0], now + 2 * LATE), "nor is one waited for without end");
        let answered = Heard { is_over: true, ..Heard::default() };
        assert!(!Late::after(&answered, now).takes(&answer[0], now));
    }
}
