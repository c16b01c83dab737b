//! The list of saved filters: what each would show now, to be put in force, added to or thinned out.
//!
//! Owned by the app while it is open, drawn over the lower part of the screen. Counts come from another thread; files
//! are written by whoever runs the console.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rustc_hash::FxHashMap;

use super::cursor::Cursor;
use super::editor::Editor;
use super::theme::Theme;
use super::{draw, format};
use crate::config::{Owner, Saved};

/// Columns of a name and of a count; longer names are cut.
const NAME: usize = 18;
const COUNT: usize = 9;
const OWNER: usize = 9;

/// The open list.
#[derive(Debug)]
pub(super) struct SavedList {
    cursor: Cursor<String>,
    naming: Option<Naming>,
    /// Asked once whether to delete this one.
    doomed: Option<String>,
    /// Saving was asked for with no filter in force.
    has_nothing: bool,
    counts: FxHashMap<String, u64>,
}

/// The question under which name to save.
#[derive(Debug)]
struct Naming {
    editor: Editor,
    owner: Owner,
}

/// What a key answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Nothing,
    Close,
    /// Put this text in force.
    Apply(String),
    /// Save the filter in force under this name.
    Save {
        name: String,
        owner: Owner,
    },
    Delete {
        name: String,
        owner: Owner,
    },
}

impl SavedList {
    pub(super) fn new() -> Self {
        Self {
            cursor: Cursor::default(),
            naming: None,
            doomed: None,
            has_nothing: false,
            counts: FxHashMap::default(),
        }
    }

    /// Takes the numbers of events each filter lets through.
    pub(super) fn count(&mut self, counts: &[(String, u64)]) {
        self.counts.extend(counts.iter().cloned());
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Some(naming) = &mut self.naming {
            naming.editor.insert(text);
        }
    }

    /// Takes a key; `has_filter` where there is a filter to save, `has_project` where a project's file is there.
    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        saved: &[Saved],
        (has_filter, has_project): (bool, bool),
    ) -> Choice {
        if self.naming.is_some() {
            return self.on_name_key(key);
        }
        let names: Vec<String> = saved.iter().map(|one| one.name.clone()).collect();
        let selected = self.cursor.position(&names).or(Some(0)).and_then(|at| saved.get(at));
        let doomed = self.doomed.take();
        self.has_nothing = false;
        match (key.code, selected) {
            (KeyCode::Esc | KeyCode::Left | KeyCode::Char('q' | 'F' | 'h'), _) => return Choice::Close,
            (KeyCode::Up | KeyCode::Char('k'), _) => self.step(&names, -1),
            (KeyCode::Down | KeyCode::Char('j'), _) => self.step(&names, 1),
            (KeyCode::Enter | KeyCode::Right | KeyCode::Char('l'), Some(one)) => {
                return Choice::Apply(one.text.clone());
            }
            (KeyCode::Char('n'), _) if has_filter => {
                let owner = if has_project { Owner::Project } else { Owner::User };
                self.naming = Some(Naming { editor: Editor::default(), owner });
            }
            (KeyCode::Char('n'), _) => self.has_nothing = true,
            (KeyCode::Char('d'), Some(one)) if doomed.as_ref() == Some(&one.name) => {
                return Choice::Delete { name: one.name.clone(), owner: one.owner };
            }
            (KeyCode::Char('d'), Some(one)) => self.doomed = Some(one.name.clone()),
            _ => {}
        }
        Choice::Nothing
    }

    /// The first row is selected until another is.
    fn step(&mut self, names: &[String], step: isize) {
        if self.cursor.position(names).is_none() {
            self.cursor.step(names, 0);
        }
        self.cursor.step(names, step);
    }

    fn on_name_key(&mut self, key: KeyEvent) -> Choice {
        let Some(naming) = &mut self.naming else { return Choice::Nothing };
        match key.code {
            KeyCode::Esc => self.naming = None,
            KeyCode::Tab => {
                naming.owner = if naming.owner == Owner::User { Owner::Project } else { Owner::User };
            }
            KeyCode::Enter if !naming.editor.text().trim().is_empty() => {
                let (name, owner) = (naming.editor.text().trim().to_owned(), naming.owner);
                self.naming = None;
                return Choice::Save { name, owner };
            }
            _ => drop(naming.editor.on_key(key)),
        }
        Choice::Nothing
    }

    /// Draws the list into the lower part of `area`; gives the place of the cursor while a name is typed.
    pub(super) fn render(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        saved: &[Saved],
        filter: &str,
        theme: &Theme,
    ) -> Option<Position> {
        // The rule, the rows, and the line for a question.
        let rows = u16::try_from(saved.len().max(1)).unwrap_or(u16::MAX);
        let asked = u16::from(self.asks());
        let height = rows.saturating_add(1 + asked).min(area.height);
        let area = Rect { y: area.bottom().saturating_sub(height), height, ..area };
        for y in area.y..area.bottom() {
            draw::text(
                buf,
                area,
                area.x,
                y,
                &" ".repeat(usize::from(area.width)),
                theme.text.remove_modifier(ratatui::style::Modifier::all()),
            );
        }
        draw::rule(buf, area, "saved filters", "events now", theme.rule, theme.glyphs);
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1 + asked), ..area };
        let names: Vec<String> = saved.iter().map(|one| one.name.clone()).collect();
        let top = self.cursor.scroll(&names, usize::from(list.height));
        let selected = self.cursor.position(&names).unwrap_or(0);
        for (y, (at, one)) in (list.y..list.bottom()).zip(saved.iter().enumerate().skip(top)) {
            self.render_row(Rect { y, height: 1, ..list }, buf, one, at == selected, theme);
        }
        if !self.asks() {
            return None;
        }
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        self.render_question(last, buf, filter, theme)
    }

    /// Whether there is a question in the line below the rows.
    fn asks(&self) -> bool {
        self.doomed.is_some() || self.has_nothing || self.naming.is_some()
    }

    /// What the keys do.
    pub(super) fn hints(&self, filter: &str) -> Vec<(&'static str, &'static str)> {
        if self.naming.is_some() {
            return vec![("↵", "save"), ("Esc", "not")];
        }
        let mut pairs = vec![("↵", "apply"), ("↓ ↑", "choose"), ("d", "delete"), ("Esc", "close")];
        if !filter.is_empty() {
            pairs.insert(1, ("n", "save the filter in force"));
        }
        pairs
    }

    fn render_row(&self, row: Rect, buf: &mut Buffer, one: &Saved, is_selected: bool, theme: &Theme) {
        let style = |own| if is_selected { theme.selection } else { own };
        if is_selected {
            buf.set_style(row.intersection(buf.area), theme.selection);
        }
        let mark = if is_selected { theme.glyphs.selected } else { " " };
        let mut x = draw::text(buf, row, row.x, row.y, mark, style(theme.accent));
        let name_width = NAME.min(usize::from(row.width) / 3);
        let name = format::left(&one.name, name_width, theme.gate);
        x = draw::text(buf, row, x + 1, row.y, &name, style(theme.accent));
        let count =
            self.counts.get(&one.name).map_or(theme.glyphs.cut.to_owned(), |count| format::count(*count));
        let right = row.right().saturating_sub(u16::try_from(COUNT + 1).unwrap_or(0)).max(x);
        draw::text(buf, row, right, row.y, &format::right(&count, COUNT, theme.gate), style(theme.text));
        let mut end = right;
        if row.width >= 80 {
            end = right.saturating_sub(u16::try_from(OWNER + 1).unwrap_or(0));
            let owner = match one.owner {
                Owner::BuiltIn => "built in",
                Owner::User => "yours",
                Owner::Project => "project",
            };
            draw::text(buf, row, end, row.y, owner, style(theme.dim));
        }
        let room = usize::from(end.saturating_sub(x + 3));
        draw::line(buf, row, x + 1, row.y, &theme.gate.line(&one.text, room), style(theme.text));
    }

    fn render_question(&self, row: Rect, buf: &mut Buffer, filter: &str, theme: &Theme) -> Option<Position> {
        if let Some(name) = &self.doomed {
            let text = format!("d again deletes {name}");
            draw::text(buf, row, row.x + 1, row.y, &text, theme.warn);
            return None;
        }
        if self.has_nothing {
            draw::text(
                buf,
                row,
                row.x + 1,
                row.y,
                "no filter is in force: write one first (Esc /)",
                theme.warn,
            );
            return None;
        }
        let Some(naming) = &self.naming else {
            return None;
        };
        let (here, there) =
            if naming.owner == Owner::User { ("for you", "the project") } else { ("in the project", "you") };
        let question = format!("save {here} as  ");
        let x = draw::text(buf, row, row.x + 1, row.y, &question, theme.accent);
        let hint =
            format!("   Tab: for {there} {} {}", theme.glyphs.dot, theme.gate.plain_capped(filter, 60));
        let (end, cursor) = naming.editor.render(row, buf, x, theme);
        draw::text(buf, row, end, row.y, &hint, theme.dim);
        Some(Position { x: cursor, y: row.y })
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    fn saved() -> Vec<Saved> {
        let one = |name: &str, owner| Saved {
            name: name.to_owned(),
            text: format!("{name}:x"),
            owner,
            place: String::new(),
        };
        vec![one("problems", Owner::BuiltIn), one("api", Owner::User), one("shop", Owner::Project)]
    }

    fn press(list: &mut SavedList, codes: &[KeyCode], has: (bool, bool)) -> Choice {
        let press = |code: &KeyCode| list.on_key(KeyEvent::new(*code, KeyModifiers::NONE), &saved(), has);
        codes.iter().map(press).last().unwrap_or(Choice::Nothing)
    }

    #[test]
    fn keys_choose_save_and_delete() {
        use KeyCode::{Char, Down, Enter, Esc, Tab, Up};
        let save = |owner| Choice::Save { name: "a".to_owned(), owner };
        for (codes, has, expected) in [
            (&[Enter][..], (false, false), Choice::Apply("problems:x".to_owned())),
            (&[Down, Enter], (false, false), Choice::Apply("api:x".to_owned())),
            (&[Down, Down, Down, Up, Enter], (false, false), Choice::Apply("api:x".to_owned())),
            (&[Down, Char('d')], (true, true), Choice::Nothing),
            (
                &[Down, Char('d'), Char('d')],
                (true, true),
                Choice::Delete { name: "api".to_owned(), owner: Owner::User },
            ),
            (&[Char('d'), Down, Char('d')], (true, true), Choice::Nothing),
            (&[Char('n'), Char('a'), Enter], (true, false), save(Owner::User)),
            (&[Char('n'), Char('a'), Enter], (true, true), save(Owner::Project)),
            (&[Char('n'), Char('a'), Tab, Enter], (true, true), save(Owner::User)),
            (&[Char('n'), Enter], (true, true), Choice::Nothing),
            (&[Char('n'), Esc, Enter], (true, true), Choice::Apply("problems:x".to_owned())),
            (&[Char('n'), Char('a'), Enter], (false, true), Choice::Apply("problems:x".to_owned())),
            (&[Esc], (true, true), Choice::Close),
        ] {
            assert_eq!(press(&mut SavedList::new(), codes, has), expected, "{codes:?}");
        }
    }
}
