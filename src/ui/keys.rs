//! The one table of keys: what each does, by which name it is called, and where it counts.
//!
//! Dispatch, hints, help, the palette and rebinding come from it. [`Keymap`] is the table with the user's own keys.

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
    Copy,
    Palette,
    Mouse,
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
    PauseSink,
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

/// One action with its name, its keys and its line of help.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// What it is called in the palette and in `[keys]` of the settings.
    pub name: &'static str,
    pub action: Action,
    /// First the one to teach.
    pub codes: &'static [KeyCode],
    pub group: Group,
    pub help: &'static str,
}

const fn key(
    name: &'static str,
    action: Action,
    codes: &'static [KeyCode],
    group: Group,
    help: &'static str,
) -> Key {
    Key { name, action, codes, group, help }
}

use KeyCode::Char;

/// Every key of the dashboard outside the filter bar. None needs Ctrl, Alt or a function key.
pub const KEYS: [Key; 59] = [
    key("stream", Action::Screen('1'), &[Char('1')], Group::Move, "stream of events"),
    key("errors", Action::Screen('2'), &[Char('2')], Group::Move, "errors in groups"),
    key("latency", Action::Screen('3'), &[Char('3')], Group::Move, "latency by endpoint"),
    key("sessions", Action::Screen('4'), &[Char('4')], Group::Move, "sessions"),
    key("vitals", Action::Screen('5'), &[Char('5')], Group::Move, "vitals, renders, metrics, funnels"),
    key("health", Action::Screen('6'), &[Char('6')], Group::Move, "health of taillight itself"),
    key("up", Action::Up, &[KeyCode::Up, Char('k')], Group::Move, "one row up"),
    key("down", Action::Down, &[KeyCode::Down, Char('j')], Group::Move, "one row down"),
    key("page-up", Action::PageUp, &[KeyCode::PageUp], Group::Move, "one page up"),
    key("page-down", Action::PageDown, &[KeyCode::PageDown], Group::Move, "one page down"),
    key("oldest", Action::Top, &[Char('g'), KeyCode::Home], Group::Move, "oldest"),
    key("newest", Action::Bottom, &[Char('G'), KeyCode::End], Group::Move, "newest, and follow"),
    key("open", Action::Open, &[KeyCode::Enter, Char('l')], Group::Move, "open"),
    key("back", Action::Back, &[KeyCode::Esc, Char('h')], Group::Move, "back (never quits)"),
    key("right", Action::Right, &[KeyCode::Right], Group::Move, "open; in a timeline: event after"),
    key("left", Action::Left, &[KeyCode::Left], Group::Move, "back; in a timeline: event before"),
    key(
        "next-pane",
        Action::NextPane,
        &[KeyCode::Tab],
        Group::Move,
        "next block or pane; in help: the language",
    ),
    key("previous-pane", Action::PreviousPane, &[KeyCode::BackTab], Group::Move, "block or pane before"),
    key("next-error", Action::NextError, &[Char('n')], Group::Move, "next error"),
    key("previous-error", Action::PreviousError, &[Char('N')], Group::Move, "newest or previous error"),
    key("filter", Action::EditFilter, &[Char('/')], Group::Filter, "edit the filter"),
    key("keep", Action::Keep, &[Char('+'), Char('=')], Group::Filter, "keep only this value; again: not"),
    key("leave-out", Action::Leave, &[Char('-')], Group::Filter, "leave this value out; again: not"),
    key("this-load", Action::ThisLoad, &[Char('r')], Group::Filter, "this page load only, on and off"),
    key("clear", Action::Clear, &[Char('c')], Group::Filter, "clear: from now on; again: moves it"),
    key("problems", Action::Problems, &[Char('p')], Group::Filter, "problems only, on and off"),
    key("this-session", Action::ThisSession, &[Char('s')], Group::Filter, "this session only, on and off"),
    key("latest-session", Action::LatestSession, &[Char('S')], Group::Filter, "the latest session only"),
    key("around", Action::Around, &[Char('a')], Group::Filter, "all of its tab within 5 s; again: back"),
    key("drop-last", Action::DropLast, &[Char('x')], Group::Filter, "drop the last term"),
    key("drop-filter", Action::ClearFilter, &[Char('X')], Group::Filter, "drop the whole filter"),
    key("undo", Action::Undo, &[Char('u')], Group::Filter, "the filter before"),
    key("redo", Action::Redo, &[Char('U')], Group::Filter, "the filter after"),
    key("filter-off", Action::BypassFilter, &[Char('f')], Group::Filter, "filter off and on"),
    key("saved-filters", Action::Saved, &[Char('F')], Group::Filter, "saved filters"),
    key("pin", Action::Pin, &[Char('m')], Group::Filter, "pin the selected event, or not"),
    key("pins", Action::Pins, &[Char('P')], Group::Filter, "pinned events only, on and off"),
    key("freeze", Action::Freeze, &[Char(' ')], Group::Look, "freeze the screen, on and off"),
    key("detail", Action::Detail, &[Char('d')], Group::Look, "detail: beside, below, full, off"),
    key("raw", Action::Raw, &[Char('v')], Group::Look, "raw event and raw stack in the detail"),
    key("source", Action::Source, &[Char('o')], Group::Look, "open the place in your editor"),
    key("timeline", Action::Timeline, &[Char('T')], Group::Look, "timeline of its session"),
    key("times", Action::Times, &[Char('t')], Group::Look, "times: clock, load, gap, age; in tables: window"),
    key(
        "baseline",
        Action::Baseline,
        &[Char('b')],
        Group::Look,
        "compare p99 with the load before, mark, nothing",
    ),
    key("fold", Action::Fold, &[Char('z')], Group::Look, "fold repeats, library frames; timeline: nearer"),
    key("zoom-out", Action::ZoomOut, &[Char('Z')], Group::Look, "timeline: a longer time"),
    key("wrap", Action::Wrap, &[Char('w')], Group::Look, "wrap long rows"),
    key("landmarks", Action::Landmarks, &[Char('L')], Group::Look, "landmarks: loads, clicks too, off"),
    key("sort-next", Action::SortNext, &[Char('>')], Group::Look, "sort by the next column"),
    key("sort-previous", Action::SortPrevious, &[Char('<')], Group::Look, "sort by the column before"),
    key("sort-reverse", Action::SortReverse, &[Char('i')], Group::Look, "turn the order round"),
    key("diagnostics", Action::Diagnostics, &[Char('D')], Group::Do, "ask the page how it is"),
    key(
        "pause-sink",
        Action::PauseSink,
        &[Char('H')],
        Group::Do,
        "health: the marked sink rests, or goes on",
    ),
    key("export", Action::Export, &[Char('e')], Group::Do, "export what you see"),
    key("copy", Action::Copy, &[Char('y')], Group::Do, "copy: then y json, m message, s stack, c curl"),
    key("palette", Action::Palette, &[Char(':')], Group::Do, "commands by name"),
    key("mouse", Action::Mouse, &[Char('M')], Group::Do, "mouse on and off (off lets you select)"),
    key("help", Action::Help, &[Char('?')], Group::Do, "keys and filter help"),
    key("quit", Action::Quit, &[Char('q')], Group::Do, "close, at the top: quit"),
];

/// The keys as they are in force: those of the table, and the user's own in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// In the order of the table.
    codes: Vec<Vec<KeyCode>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { codes: KEYS.iter().map(|key| key.codes.to_vec()).collect() }
    }
}

impl Keymap {
    /// The table with `own` keys, by name and as written, and for each of them what is wrong with it, if anything.
    ///
    /// A key that is given to one action is taken from the other that had it.
    pub fn new<'a>(own: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Self, Vec<Option<String>>) {
        let own: Vec<(&str, &str)> = own.into_iter().collect();
        let (mut map, mut taken) = (Self::default(), Vec::new());
        let bound = own.iter().map(|(name, keys)| map.bind(name, keys, &mut taken));
        let mut said: Vec<Option<String>> = bound.map(Result::err).collect();
        for (_, key) in map.codes.iter().zip(&KEYS).filter(|(codes, _)| codes.is_empty()) {
            // Whoever wants it so says it: `quit = ""`.
            let is_meant = own.iter().any(|(name, _)| is_name_of(name, key));
            let taker = own.iter().position(|(_, keys)| codes_of(keys).any(|code| key.codes.contains(&code)));
            if let (false, Some(taker)) = (is_meant, taker) {
                let name = key.name;
                let message = format!("{name} has no key any more: give it one, or {name} = \"\" for none");
                said[taker].get_or_insert(message);
            }
        }
        (map, said)
    }

    fn bind(&mut self, name: &str, keys: &str, taken: &mut Vec<(KeyCode, usize)>) -> Result<(), String> {
        let at = KEYS.iter().position(|key| is_name_of(name, key)).ok_or_else(|| {
            let meant = crate::filter::nearest(&name.replace(' ', "-"), KEYS.iter().map(|key| key.name));
            let meant = meant.map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
            format!("no key is called {name}.{meant}")
        })?;
        let codes: Vec<KeyCode> = keys
            .split_whitespace()
            .map(|key| {
                code_of(key).ok_or_else(|| {
                    format!(
                        "{name} is a character, F1 to F12, or one of {}",
                        NAMED.map(|(n, _)| n).join(", ")
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        if let Some((code, other)) = taken.iter().find(|(code, other)| codes.contains(code) && *other != at) {
            return Err(format!("{} is the key of {} already", name_of(*code), KEYS[*other].name));
        }
        for (other, known) in self.codes.iter_mut().enumerate() {
            known.retain(|code| other == at || !codes.contains(code));
        }
        taken.extend(codes.iter().map(|code| (*code, at)));
        self.codes[at] = codes;
        Ok(())
    }

    /// The action of a key press, if it has one.
    pub fn action_of(&self, press: KeyEvent) -> Option<Action> {
        if press.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            // These work where the terminal passes them on; each has a plain key or needs none.
            return match (press.modifiers.contains(KeyModifiers::CONTROL), press.code) {
                (true, Char('c')) => Some(Action::Interrupt),
                (true, Char('l')) => Some(Action::Redraw),
                (true, Char('z')) => Some(Action::Suspend),
                (true, Char('d')) => Some(Action::PageDown),
                (true, Char('u')) => Some(Action::PageUp),
                (true, Char('p')) => Some(Action::Palette),
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
        let at = self.codes.iter().position(|codes| codes.contains(&press.code))?;
        Some(KEYS[at].action)
    }

    /// All keys of the row `at` of the table, as they are shown: `↑ k`.
    pub fn shown(&self, at: usize) -> String {
        let names: Vec<String> = self.codes[at].iter().map(|code| name_of(*code)).collect();
        names.join(" ")
    }

    /// The key to teach for the row `at` of the table; empty where it has none.
    pub fn first(&self, at: usize) -> String {
        self.codes[at].first().map(|code| name_of(*code)).unwrap_or_default()
    }

    /// The action of the first key in a hint.
    pub fn action_named(&self, hint: &str) -> Option<Action> {
        let code = code_of(hint.split(' ').next()?)?;
        self.action_of(KeyEvent::new(code, KeyModifiers::NONE))
    }

    /// A hint's keys, written as those of the table, as they are in force: `n N`, `+ -`.
    pub fn translated(&self, hint: &str) -> String {
        let one = |name: &str| {
            let code = code_of(name);
            let at = KEYS.iter().position(|key| code.is_some_and(|code| key.codes.contains(&code)));
            match (at, code) {
                (Some(at), Some(code)) if !self.codes[at].contains(&code) => self.first(at),
                _ => name.to_owned(),
            }
        };
        hint.split(' ').map(one).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Keys that are no character, by the names they are shown with and written by.
const NAMED: [(&str, KeyCode); 16] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("S-Tab", KeyCode::BackTab),
    ("Space", Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
];

/// What some of them are shown as where the terminal has Unicode.
const MARKS: [(&str, &str); 6] =
    [("Enter", "↵"), ("Up", "↑"), ("Down", "↓"), ("Right", "→"), ("Left", "←"), ("S-Tab", "⇧Tab")];

fn name_of(code: KeyCode) -> String {
    if let KeyCode::F(number) = code {
        return format!("F{number}");
    }
    match NAMED.iter().find(|(_, known)| *known == code) {
        Some((name, _)) => {
            MARKS.iter().find(|(known, _)| known == name).map_or(*name, |(_, mark)| mark).to_owned()
        }
        None => code.as_char().map(String::from).unwrap_or_default(),
    }
}

/// Whether a name in the settings is that of `key`.
fn is_name_of(name: &str, key: &Key) -> bool {
    name.replace(' ', "-") == key.name
}

/// Those of `keys`, with blanks between them, that are keys.
fn codes_of(keys: &str) -> impl Iterator<Item = KeyCode> {
    keys.split_whitespace().filter_map(code_of)
}

fn code_of(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(one), None) = (chars.next(), chars.next())
        && !MARKS.iter().any(|(_, mark)| *mark == name)
    {
        return Some(Char(one)).filter(|_| !one.is_control());
    }
    if let Some(number) = name.strip_prefix('F').and_then(|number| number.parse().ok()) {
        return (1..=12).contains(&number).then_some(KeyCode::F(number));
    }
    let written = MARKS.iter().find(|(_, mark)| *mark == name).map_or(name, |(written, _)| written);
    NAMED.iter().find(|(known, _)| *known == written).map(|(_, code)| *code)
}

/// A key as it is shown on a terminal with or without Unicode: `↵`, or `Enter`.
pub fn on_terminal(shown: &str, is_ascii: bool) -> String {
    let is_named = is_ascii && !shown.is_ascii();
    let named = MARKS.iter().filter(|_| is_named);
    named
        .fold(shown.to_owned(), |text, (name, mark)| text.replace(mark, name))
        .replace('⇧', if is_ascii { "S-" } else { "⇧" })
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

    fn pressed(map: &Keymap, key: char) -> Option<Action> {
        map.action_of(KeyEvent::new(Char(key), KeyModifiers::NONE))
    }

    #[test]
    fn names_are_unique_and_every_key_has_one() {
        for (at, key) in KEYS.iter().enumerate() {
            assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", key.name);
            assert!(KEYS[..at].iter().all(|other| other.name != key.name), "{}", key.name);
            for code in key.codes {
                assert_eq!(code_of(&name_of(*code)), Some(*code), "{code:?}");
            }
        }
    }

    #[test]
    fn ones_own_keys_take_the_place_of_the_tables() {
        let (map, said) = Keymap::new([("around", "A"), ("export", "a E"), ("previous error", "F5")]);
        assert_eq!(said, [None, None, None]);
        for (key, action) in [
            ('A', Some(Action::Around)),
            ('a', Some(Action::Export)),
            ('E', Some(Action::Export)),
            ('e', None),
            ('N', None),
            ('x', Some(Action::DropLast)),
        ] {
            assert_eq!(pressed(&map, key), action, "{key}");
        }
        assert_eq!(
            (map.translated("a"), map.translated("n N"), map.translated("↓ ↑")),
            ("A".into(), "n F5".into(), "↓ ↑".into())
        );
    }

    #[test]
    fn what_cannot_be_bound_is_said_and_changes_nothing() {
        let (map, said) = Keymap::new([("arround", "A"), ("around", "Hyper"), ("pin", "Q"), ("pins", "Q")]);
        let said: Vec<String> = said.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(said[0], "no key is called arround. Did you mean around?");
        assert!(said[1].starts_with("around is a character, F1 to F12, or one of Enter, Esc"), "{}", said[1]);
        assert_eq!((said[2].as_str(), said[3].as_str()), ("", "Q is the key of pin already"));
        assert_eq!((pressed(&map, 'a'), pressed(&map, 'P')), (Some(Action::Around), Some(Action::Pins)));
    }

    #[test]
    fn an_action_that_is_left_without_a_key_is_told_unless_it_is_meant() {
        let told = "quit has no key any more: give it one, or quit = \"\" for none";
        for (own, expected) in [
            (&[("around", "q")][..], &[Some(told)][..]),
            (&[("around", "q"), ("quit", "")], &[None, None]),
            (&[("around", "q"), ("quit", "Q")], &[None, None]),
            (&[("around", "b"), ("baseline", "a")], &[None, None]),
            (&[("around", "k")], &[None]),
        ] {
            let (map, said) = Keymap::new(own.iter().copied());
            let said: Vec<Option<&str>> = said.iter().map(Option::as_deref).collect();
            assert_eq!(said, expected, "{own:?}");
            let key = own[0].1.chars().next().expect("a key");
            assert_eq!(pressed(&map, key), Some(Action::Around), "{own:?}");
        }
    }
}
