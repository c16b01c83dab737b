//! The command palette: every key by its name, every command, saved filter and setting, found by a few letters of it.
//!
//! Owned by the app while it is open, drawn over the middle of the screen. What is chosen is carried out by the app.

use crossterm::event::{KeyCode, KeyEvent};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::commands::{COMMANDS, Does};
use super::editor::Editor;
use super::keys::{Action, KEYS, Keymap};
use super::theme::Theme;
use super::{draw, format, frame};
use crate::config::{Kind, SETTINGS, Saved, Settings, position};

/// Columns of the box, of a name and of a key in it.
const WIDTH: u16 = 88;
const NAME: usize = 26;
const KEY: usize = 8;
/// Rows of the list.
const ROWS: usize = 14;
/// Fewer rows of a screen have no room for more than the list.
const SMALL: u16 = 8;

/// The open palette.
#[derive(Debug)]
pub(super) struct Palette {
    editor: Editor,
    selected: usize,
    top: usize,
    matcher: Matcher,
}

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A row of the table of keys.
    Key(usize),
    /// A row of the table of commands.
    Command(usize),
    /// A saved filter.
    Saved(usize),
    /// A row of the table of settings.
    Setting(usize),
    /// A value of the setting that is being typed.
    Value(String),
}

/// What a key press chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Nothing,
    Close,
    Act(Action),
    Run {
        does: Does,
        rest: String,
    },
    /// Put this filter in force.
    Apply(String),
}

/// What the palette chooses from.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) keys: &'a Keymap,
    pub(super) saved: &'a [Saved],
    pub(super) settings: &'a Settings,
}

/// A row as it is drawn.
struct Shown {
    kind: &'static str,
    name: String,
    help: String,
    key: String,
}

impl Palette {
    pub(super) fn new() -> Self {
        let matcher = Matcher::new(Config::DEFAULT);
        Self { editor: Editor::default(), selected: 0, top: 0, matcher }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.editor.insert(text);
        self.selected = 0;
    }

    /// Moves the selection to this row of the list as it is on screen; whether it was there already.
    pub(super) fn point(&mut self, row: usize) -> bool {
        let at = self.top + row;
        std::mem::replace(&mut self.selected, at) == at
    }

    pub(super) fn on_key(&mut self, key: KeyEvent, offer: Offer<'_>) -> Choice {
        let entries = self.entries(offer);
        let last = entries.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => return Choice::Close,
            KeyCode::Backspace if self.editor.text().is_empty() => return Choice::Close,
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(ROWS),
            KeyCode::PageDown => self.selected = (self.selected + ROWS).min(last),
            KeyCode::Tab => {
                if let Some(entry) = entries.get(self.selected.min(last)) {
                    self.complete(entry, offer);
                }
            }
            KeyCode::Enter => return self.choose(entries.get(self.selected.min(last)), offer),
            _ => {
                if self.editor.on_key(key) {
                    self.selected = 0;
                }
            }
        }
        Choice::Nothing
    }

    /// What Enter does with the selected row, or with what was typed.
    fn choose(&mut self, entry: Option<&Entry>, offer: Offer<'_>) -> Choice {
        if let Some((command, rest)) = typed_command(self.editor.text()) {
            let is_setting = matches!(command.does, Does::Set | Does::Keep);
            match entry {
                // A setting without a value, or a value that is only begun, is completed first.
                Some(entry @ Entry::Setting(_)) if is_setting => {
                    self.complete(entry, offer);
                    return Choice::Nothing;
                }
                Some(Entry::Value(value)) if is_setting => {
                    let key = rest.split_whitespace().next().unwrap_or("");
                    return Choice::Run { does: command.does, rest: format!("{key} {value}") };
                }
                _ => return Choice::Run { does: command.does, rest: rest.to_owned() },
            }
        }
        match entry {
            Some(Entry::Key(at)) => Choice::Act(KEYS[*at].action),
            Some(Entry::Command(at)) if COMMANDS[*at].takes.is_empty() => {
                Choice::Run { does: COMMANDS[*at].does, rest: String::new() }
            }
            Some(Entry::Saved(at)) => {
                offer.saved.get(*at).map_or(Choice::Close, |saved| Choice::Apply(saved.text.clone()))
            }
            Some(entry) => {
                self.complete(entry, offer);
                Choice::Nothing
            }
            None => Choice::Nothing,
        }
    }

    /// Puts the name of the row into the line, ready for what comes behind it.
    fn complete(&mut self, entry: &Entry, offer: Offer<'_>) {
        let verb = typed_command(self.editor.text()).map_or("set", |(command, _)| command.name);
        let text = match entry {
            Entry::Key(at) => KEYS[*at].name.to_owned(),
            Entry::Command(at) if COMMANDS[*at].takes.is_empty() => COMMANDS[*at].name.to_owned(),
            Entry::Command(at) => format!("{} ", COMMANDS[*at].name),
            Entry::Saved(at) => offer.saved.get(*at).map(|saved| saved.name.clone()).unwrap_or_default(),
            Entry::Setting(at) => format!("{verb} {} ", SETTINGS[*at].key),
            Entry::Value(value) => {
                let text = self.editor.text();
                let key = text.split_whitespace().nth(1).unwrap_or("");
                format!("{verb} {key} {value}")
            }
        };
        self.editor.set(&text);
        self.selected = 0;
    }

    /// The rows for what is typed, best first.
    pub(super) fn entries(&mut self, offer: Offer<'_>) -> Vec<Entry> {
        let text = self.editor.text().to_owned();
        if let Some((command, rest)) = typed_command(&text) {
            return match command.does {
                Does::Set | Does::Keep => self.setting_entries(rest, offer),
                _ => Vec::new(),
            };
        }
        let keys = (0..KEYS.len()).map(Entry::Key);
        let commands = (0..COMMANDS.len()).map(Entry::Command);
        let saved = (0..offer.saved.len()).map(Entry::Saved);
        let settings = (0..SETTINGS.len()).map(Entry::Setting);
        self.ranked(&text, keys.chain(commands).chain(saved).chain(settings).collect(), offer)
    }

    /// Settings while their name is typed, then the values there are.
    fn setting_entries(&mut self, rest: &str, offer: Offer<'_>) -> Vec<Entry> {
        let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
        let Some(at) = position(key).filter(|_| rest.contains(' ')) else {
            return self.ranked(rest, (0..SETTINGS.len()).map(Entry::Setting).collect(), offer);
        };
        let values: &[&str] = match SETTINGS[at].kind {
            Kind::Flag => &["true", "false"],
            Kind::Choice(words) => words,
            _ => return Vec::new(),
        };
        let values = values.iter().map(|value| Entry::Value((*value).to_owned())).collect();
        self.ranked(value.trim(), values, offer)
    }

    fn ranked(&mut self, text: &str, entries: Vec<Entry>, offer: Offer<'_>) -> Vec<Entry> {
        let text = text.trim();
        let of_kind = |kind| Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, kind);
        // Names are known in parts, what they do is not: there letters far apart would find nearly everything.
        let (fuzzy, words) = (of_kind(AtomKind::Fuzzy), of_kind(AtomKind::Substring));
        let mut chars = Vec::new();
        let mut ranked: Vec<(u32, Entry)> = entries
            .into_iter()
            .filter_map(|entry| {
                let shown = shown(&entry, offer);
                // A name says more than what it does; one that begins so is what is meant.
                let name = match entry {
                    Entry::Setting(at) => SETTINGS[at].key,
                    _ => &shown.name,
                };
                let name = fuzzy.score(Utf32Str::new(name, &mut chars), &mut self.matcher);
                let all = format!("{} {} {}", shown.name, shown.help, shown.kind);
                let said = words.score(Utf32Str::new(&all, &mut chars), &mut self.matcher);
                name.or(said)?;
                let begins = shown.name.starts_with(text);
                let rest = shown.name.strip_prefix(text);
                let is_it = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
                let bonus = u32::from(begins) * 50 + u32::from(is_it) * 10_000;
                Some((said.unwrap_or(0) + name.unwrap_or(0) * 3 + bonus, entry))
            })
            .collect();
        // A stable sort: equal ones stay in the order of their tables.
        ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        ranked.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Draws the box over `area`; gives the place of the cursor, and where the rows of the list are.
    pub(super) fn render(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        offer: Offer<'_>,
        theme: &Theme,
    ) -> (Option<Position>, Rect) {
        let entries = self.entries(offer);
        self.selected = self.selected.min(entries.len().saturating_sub(1));
        // Where rows are few they are the list's, without rules and words below it.
        let is_small = area.height < SMALL;
        let around = if is_small { 3 } else { 6 };
        let room = usize::from(area.height.saturating_sub(around)).clamp(1, ROWS);
        self.top = self.top.min(self.selected).max((self.selected + 1).saturating_sub(room));
        let cells = |count: usize| u16::try_from(count).unwrap_or(1);
        let (rows, tallest) = (cells(room.min(entries.len())), cells(room));
        // A list without rows needs no rule below it either.
        let below = rows + u16::from(rows > 0) + 2;
        let inner = frame::open_up_to(area, buf, "commands", (WIDTH, below + 1, tallest + 4), theme);
        let line = Rect { height: inner.height.min(1), ..inner };
        let x = draw::text(buf, line, inner.x + 1, inner.y, ": ", theme.accent);
        let (_, at) = self.editor.render(line, buf, x, theme);
        let cursor = (inner.height > 0).then_some(Position { x: at, y: inner.y });
        if !is_small {
            frame::inside_rule(inner, buf, 1, theme);
        }
        let lead = if is_small { 1 } else { 2 };
        let list = Rect { y: inner.y.saturating_add(lead), height: rows, ..inner }.intersection(inner);
        for (y, (at, entry)) in (list.y..list.bottom()).zip(entries.iter().enumerate().skip(self.top)) {
            let row = Rect { y, height: 1, ..list };
            draw_row(row, buf, &shown(entry, offer), at == self.selected, theme);
        }
        if is_small {
            return (cursor, list);
        }
        if rows > 0 {
            frame::inside_rule(inner, buf, rows + 2, theme);
        }
        let foot = Rect { y: inner.y.saturating_add(below), height: 1, ..inner }.intersection(inner);
        let said = self.foot(entries.len(), entries.len().saturating_sub(self.top + room), offer);
        let said = theme.gate.line(&said, usize::from(inner.width.saturating_sub(2)));
        draw::line(buf, foot, inner.x + 1, foot.y, &said, theme.dim);
        (cursor, list)
    }

    /// What is said below the list: what a setting may be, how many rows of `count` are `below`, or what `:set` does.
    fn foot(&self, count: usize, below: usize, offer: Offer<'_>) -> String {
        if let Some((command, rest)) = typed_command(self.editor.text()) {
            let key = rest.split(' ').next().unwrap_or("");
            if let Some(at) = position(key).filter(|_| matches!(command.does, Does::Set | Does::Keep)) {
                let setting = &SETTINGS[at];
                let now = setting.written(offer.settings);
                return format!("{key} is {}; now {now}", setting.kind.allowed());
            }
            return format!("{} {}: {}", command.name, command.takes, command.help);
        }
        match (count, below) {
            (0, _) => "nothing is called so: Esc closes".to_owned(),
            (_, 1..) => format!("{below} more below: :set changes a setting for now, :set! keeps it"),
            _ => "every key has a name here; :set changes a setting for now, :set! keeps it".to_owned(),
        }
    }
}

/// The command whose whole name is typed with a blank behind it, and the rest.
fn typed_command(text: &str) -> Option<(&'static super::commands::Command, &str)> {
    let (name, rest) = text.trim_start().split_once(' ')?;
    let command = COMMANDS.iter().find(|command| command.name == name && !command.takes.is_empty())?;
    Some((command, rest.trim_start()))
}

fn shown(entry: &Entry, offer: Offer<'_>) -> Shown {
    let plain =
        |kind, name: &str, help: &str, key| Shown { kind, name: name.to_owned(), help: help.to_owned(), key };
    match entry {
        Entry::Key(at) => plain("", KEYS[*at].name, KEYS[*at].help, offer.keys.first(*at)),
        Entry::Command(at) => {
            let command = &COMMANDS[*at];
            let name = format!("{} {}", command.name, command.takes);
            plain("", name.trim_end(), command.help, String::new())
        }
        Entry::Saved(at) => {
            let saved = offer.saved.get(*at);
            let (name, text) = saved.map_or(("", ""), |saved| (&saved.name, &saved.text));
            plain("saved filter", name, text, String::new())
        }
        Entry::Setting(at) => {
            let setting = &SETTINGS[*at];
            let name = format!("{} = {}", setting.key, setting.written(offer.settings));
            plain("setting", &name, setting.help, String::new())
        }
        Entry::Value(value) => plain("", value, "", String::new()),
    }
}

fn draw_row(row: Rect, buf: &mut Buffer, shown: &Shown, is_selected: bool, theme: &Theme) {
    let style = |own| if is_selected { theme.selection } else { own };
    if is_selected {
        draw::restyle(buf, row, (row.x, row.y), row.width, theme.selection);
    }
    let mark = if is_selected { theme.glyphs.selected } else { " " };
    let x = draw::text(buf, row, row.x, row.y, mark, style(theme.accent));
    let name_width = NAME.min(usize::from(row.width) / 2);
    let name = format::left(&shown.name, name_width, theme.gate);
    let x = draw::text(buf, row, x, row.y, &name, style(theme.text));
    let key = super::keys::on_terminal(
        if shown.kind.is_empty() { &shown.key } else { shown.kind },
        theme.gate.ascii,
    );
    let key_width = theme.gate.columns(&key).max(KEY.min(usize::from(row.width) / 6));
    let right = row.right().saturating_sub(u16::try_from(key_width + 1).unwrap_or(0)).max(x);
    let room = usize::from(right.saturating_sub(x + 2));
    draw::line(buf, row, x + 1, row.y, &theme.gate.line(&shown.help, room), style(theme.dim));
    let kind = if shown.kind.is_empty() { theme.accent } else { theme.dim };
    draw::text(buf, row, right, row.y, &format::right(&key, key_width, theme.gate), style(kind));
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;
    use proptest::prelude::*;

    use super::*;
    use crate::config::Owner;

    fn saved() -> Vec<Saved> {
        let text = "action:export-data is:failed".to_owned();
        vec![Saved { name: "failed-exports".to_owned(), text, owner: Owner::User, place: String::new() }]
    }

    fn typed(keys: &str) -> (Palette, Choice) {
        let (map, saved, settings) = (Keymap::default(), saved(), Settings::default());
        let offer = Offer { keys: &map, saved: &saved, settings: &settings };
        let mut palette = Palette::new();
        let mut choice = Choice::Nothing;
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '↓' => KeyCode::Down,
                key => KeyCode::Char(key),
            };
            choice = palette.on_key(KeyEvent::new(code, KeyModifiers::NONE), offer);
        }
        (palette, choice)
    }

    #[test]
    fn a_few_letters_find_keys_commands_filters_and_settings() {
        let run = |does, rest: &str| Choice::Run { does, rest: rest.to_owned() };
        for (keys, expected) in [
            ("around\n", Choice::Act(Action::Around)),
            ("expo\n", Choice::Act(Action::Export)),
            ("exp pin\n", run(Does::Export(super::super::export_dialog::What::Pinned), "")),
            ("health\n", Choice::Act(Action::Screen('6'))),
            ("failed-ex\n", Choice::Apply("action:export-data is:failed".to_owned())),
            ("set fps 10\n", run(Does::Set, "fps 10")),
            ("set! glyphs asc\n", run(Does::Keep, "glyphs ascii")),
            ("set gly\n", Choice::Nothing),
            ("zzzzqqq\n", Choice::Nothing),
            ("save mine\n", run(Does::Save, "mine")),
            ("keys\n", run(Does::Keys, "")),
        ] {
            assert_eq!(typed(keys).1, expected, "{keys:?}");
        }
        assert_eq!(typed("set gly\n").0.editor.text(), "set glyphs ");
        let found = |text: &str| {
            let (map, saved, settings) = (Keymap::default(), saved(), Settings::default());
            let offer = Offer { keys: &map, saved: &saved, settings: &settings };
            typed(text).0.entries(offer).len()
        };
        assert_eq!((found("doctor"), found("colour")), (0, 2), "what is said of a row is found by its words");
        assert_eq!(typed("set!\t").0.editor.text(), "set! ");
        assert_eq!(typed("buffer.ev\t").0.editor.text(), "set buffer.events ");
    }

    #[test]
    fn every_key_and_command_and_setting_is_found_by_its_name() {
        for key in KEYS {
            assert_eq!(typed(&format!("{}\n", key.name)).1, Choice::Act(key.action), "{}", key.name);
        }
        for command in COMMANDS.iter().filter(|command| command.takes.is_empty()) {
            let rest = String::new();
            assert_eq!(
                typed(&format!("{}\n", command.name)).1,
                Choice::Run { does: command.does, rest },
                "{}",
                command.name
            );
        }
        for setting in &SETTINGS {
            let (palette, _) = typed(&format!("set {}\n", setting.key));
            assert!(palette.editor.text().starts_with(&format!("set {} ", setting.key)), "{}", setting.key);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_drawn_inside(text in "\\PC{0,20}", downs in 0_usize..90, size in (0_u16..130, 0_u16..40)) {
            let (map, saved, settings) = (Keymap::default(), saved(), Settings::default());
            let offer = Offer { keys: &map, saved: &saved, settings: &settings };
            let (mut palette, _) = typed(&"↓".repeat(downs));
            palette.paste(&text);
            let area = Rect::new(0, 0, size.0, size.1);
            let mut buf = Buffer::empty(area);
            palette.render(area, &mut buf, offer, &Theme::new(crate::ui::theme::Palette::Ansi, false));
        }
    }
}
