//! The one table of keys: what each does, and where it counts. Dispatch, hints and help come from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Screen(char),
    Down,
    Up,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Open,
    Back,
    Left,
    Right,
    NextPane,
    PreviousPane,
    NextError,
    PreviousError,
    Freeze,
    EditFilter,
    BypassFilter,
    ClearFilter,
    DropLast,
    Keep,
    Leave,
    ThisLoad,
    Clear,
    Problems,
    ThisSession,
    LatestSession,
    Around,
    Undo,
    Redo,
    Saved,
    Pin,
    Pins,
    Export,
    Detail,
    Raw,
    Source,
    Timeline,
    Times,
    Fold,
    ZoomOut,
    Wrap,
    Landmarks,
    Baseline,
    Diagnostics,
    SortNext,
    SortPrevious,
    SortReverse,
    Help,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
}

/// Where a key stands in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Move,
    Filter,
    Look,
    Do,
}

/// One action with its keys and its line of help.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub action: Action,
    /// As shown, first the one to teach.
    pub shown: &'static str,
    pub codes: &'static [KeyCode],
    pub group: Group,
    pub help: &'static str,
}

const fn key(
    action: Action,
    shown: &'static str,
    codes: &'static [KeyCode],
    group: Group,
    help: &'static str,
) -> Key {
    Key { action, shown, codes, group, help }
}

use KeyCode::Char;

/// Every key of the dashboard outside the filter bar. None needs Ctrl, Alt or a function key.
pub const KEYS: [Key; 55] = [
    key(Action::Screen('1'), "1", &[Char('1')], Group::Move, "stream of events"),
    key(Action::Screen('2'), "2", &[Char('2')], Group::Move, "errors in groups"),
    key(Action::Screen('3'), "3", &[Char('3')], Group::Move, "latency by endpoint"),
    key(Action::Screen('4'), "4", &[Char('4')], Group::Move, "sessions"),
    key(Action::Screen('5'), "5", &[Char('5')], Group::Move, "vitals, renders, metrics, funnels"),
    key(Action::Screen('6'), "6", &[Char('6')], Group::Move, "health of taillight itself"),
    key(Action::Up, "↑ k", &[KeyCode::Up, Char('k')], Group::Move, "one row up"),
    key(Action::Down, "↓ j", &[KeyCode::Down, Char('j')], Group::Move, "one row down"),
    key(Action::PageUp, "PgUp", &[KeyCode::PageUp], Group::Move, "one page up"),
    key(Action::PageDown, "PgDn", &[KeyCode::PageDown], Group::Move, "one page down"),
    key(Action::Top, "g", &[Char('g'), KeyCode::Home], Group::Move, "oldest"),
    key(Action::Bottom, "G", &[Char('G'), KeyCode::End], Group::Move, "newest, and follow"),
    key(Action::Open, "↵", &[KeyCode::Enter, Char('l')], Group::Move, "open"),
    key(Action::Back, "Esc", &[KeyCode::Esc, Char('h')], Group::Move, "back (never quits)"),
    key(Action::Right, "→", &[KeyCode::Right], Group::Move, "open; in a timeline: event after"),
    key(Action::Left, "←", &[KeyCode::Left], Group::Move, "back; in a timeline: event before"),
    key(Action::NextPane, "Tab", &[KeyCode::Tab], Group::Move, "next block or pane; in help: the language"),
    key(Action::PreviousPane, "⇧Tab", &[KeyCode::BackTab], Group::Move, "block or pane before"),
    key(Action::NextError, "n", &[Char('n')], Group::Move, "next error"),
    key(Action::PreviousError, "N", &[Char('N')], Group::Move, "newest or previous error"),
    key(Action::EditFilter, "/", &[Char('/')], Group::Filter, "edit the filter"),
    key(Action::Keep, "+", &[Char('+'), Char('=')], Group::Filter, "keep only this value; again: not"),
    key(Action::Leave, "-", &[Char('-')], Group::Filter, "leave this value out; again: not"),
    key(Action::ThisLoad, "r", &[Char('r')], Group::Filter, "this page load only, on and off"),
    key(Action::Clear, "c", &[Char('c')], Group::Filter, "clear: from now on; again: moves it"),
    key(Action::Problems, "p", &[Char('p')], Group::Filter, "problems only, on and off"),
    key(Action::ThisSession, "s", &[Char('s')], Group::Filter, "this session only, on and off"),
    key(Action::LatestSession, "S", &[Char('S')], Group::Filter, "the latest session only"),
    key(Action::Around, "a", &[Char('a')], Group::Filter, "all of its tab within 5 s; again: back"),
    key(Action::DropLast, "x", &[Char('x')], Group::Filter, "drop the last term"),
    key(Action::ClearFilter, "X", &[Char('X')], Group::Filter, "drop the whole filter"),
    key(Action::Undo, "u", &[Char('u')], Group::Filter, "the filter before"),
    key(Action::Redo, "U", &[Char('U')], Group::Filter, "the filter after"),
    key(Action::BypassFilter, "f", &[Char('f')], Group::Filter, "filter off and on"),
    key(Action::Saved, "F", &[Char('F')], Group::Filter, "saved filters"),
    key(Action::Pin, "m", &[Char('m')], Group::Filter, "pin the selected event, or not"),
    key(Action::Pins, "P", &[Char('P')], Group::Filter, "pinned events only, on and off"),
    key(Action::Freeze, "Space", &[Char(' ')], Group::Look, "freeze the screen, on and off"),
    key(Action::Detail, "d", &[Char('d')], Group::Look, "detail: beside, below, full, off"),
    key(Action::Raw, "v", &[Char('v')], Group::Look, "raw event and raw stack in the detail"),
    key(Action::Source, "o", &[Char('o')], Group::Look, "open the place in your editor"),
    key(Action::Timeline, "T", &[Char('T')], Group::Look, "timeline of its session"),
    key(Action::Times, "t", &[Char('t')], Group::Look, "times: clock, load, gap, age; in tables: window"),
    key(Action::Baseline, "b", &[Char('b')], Group::Look, "compare with the load before, the mark, nothing"),
    key(Action::Fold, "z", &[Char('z')], Group::Look, "fold repeats, library frames; timeline: nearer"),
    key(Action::ZoomOut, "Z", &[Char('Z')], Group::Look, "timeline: a longer time"),
    key(Action::Wrap, "w", &[Char('w')], Group::Look, "wrap long rows"),
    key(Action::Landmarks, "L", &[Char('L')], Group::Look, "landmarks: loads, clicks too, off"),
    key(Action::SortNext, ">", &[Char('>')], Group::Look, "sort by the next column"),
    key(Action::SortPrevious, "<", &[Char('<')], Group::Look, "sort by the column before"),
    key(Action::SortReverse, "i", &[Char('i')], Group::Look, "turn the order round"),
    key(Action::Diagnostics, "D", &[Char('D')], Group::Do, "ask the page how it is"),
    key(Action::Export, "e", &[Char('e')], Group::Do, "export what you see"),
    key(Action::Help, "?", &[Char('?')], Group::Do, "keys and filter help"),
    key(Action::Quit, "q", &[Char('q')], Group::Do, "close, at the top: quit"),
];

/// The action of a key press, if it has one.
pub fn action_of(press: KeyEvent) -> Option<Action> {
    if press.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        // These work where the terminal passes them on; each has a plain key or needs none.
        return match (press.modifiers.contains(KeyModifiers::CONTROL), press.code) {
            (true, Char('c')) => Some(Action::Interrupt),
            (true, Char('l')) => Some(Action::Redraw),
            (true, Char('z')) => Some(Action::Suspend),
            (true, Char('d')) => Some(Action::PageDown),
            (true, Char('u')) => Some(Action::PageUp),
            _ => None,
        };
    }
    if press.modifiers.contains(KeyModifiers::SHIFT) {
        match press.code {
            KeyCode::Left => return Some(Action::PreviousError),
            KeyCode::Right => return Some(Action::NextError),
            KeyCode::Tab => return Some(Action::PreviousPane),
            _ => {}
        }
    }
    KEYS.iter().find(|key| key.codes.contains(&press.code)).map(|key| key.action)
}

/// How the key of `action` is shown.
pub fn shown(action: Action) -> &'static str {
    KEYS.iter().find(|key| key.action == action).map_or("", |key| key.shown)
}

/// A key as it is shown on a terminal with or without Unicode: `↵`, or `Enter`.
pub fn on_terminal(shown: &str, is_ascii: bool) -> String {
    let names = [("↵", "Enter"), ("↑", "Up"), ("↓", "Down"), ("→", "Right"), ("←", "Left"), ("⇧", "S-")];
    let is_named = is_ascii && !shown.is_ascii();
    names.iter().filter(|_| is_named).fold(shown.to_owned(), |text, (mark, name)| text.replace(mark, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_and_every_screen_has_one() {
        let codes: Vec<_> = KEYS.iter().flat_map(|key| key.codes).collect();
        for (index, code) in codes.iter().enumerate() {
            assert!(!codes[..index].contains(code), "{code:?}");
        }
        for (digit, ..) in crate::ui::Screen::ALL {
            assert!(KEYS.iter().any(|key| key.action == Action::Screen(digit)), "{digit}");
        }
    }
}
