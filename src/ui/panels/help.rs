//! Every key, and on Tab the filter language; `/` searches both.
//!
//! Shown by the app over any screen. The keys come from the one table of keys, so help cannot be out of date.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Panel;
use super::page::{Page, Row};
use super::table::WIDE;
use crate::ui::editor::Editor;
use crate::ui::format;
use crate::ui::keys::{self, Action, Group, KEYS, Keymap};
use crate::ui::theme::Theme;
use crate::ui::view::{Request, View};

/// Columns for keys and for what is written in a filter, the longest of the examples and two blanks.
const SHOWN: usize = 8;
const SYNTAX: usize = 38;
/// Columns of the tables: names of fields, their kinds, and codes.
const NAME: usize = 15;
const KIND: usize = 13;
const CODE: usize = 28;

/// What the groups of keys are called, in the columns they stand in.
const SIDES: [&[(Group, &str)]; 2] =
    [&[(Group::Move, "MOVE"), (Group::Do, "DO")], &[(Group::Filter, "FILTER"), (Group::Look, "LOOK")]];

/// The reference of the filter language, as `taillight help filter` prints it.
const LANGUAGE: &str = include_str!("../../../assets/filter.md");

/// The help screen.
#[derive(Debug, Default)]
pub(in crate::ui) struct Help {
    page: Page,
    /// The filter language rather than the keys.
    is_language: bool,
    /// What is looked for, and whether letters go there.
    search: Editor,
    is_typing: bool,
}

impl Help {
    /// Goes to the filter language, or back to the keys.
    pub(in crate::ui) fn turn(&mut self) {
        *self = Self { is_language: !self.is_language, ..Self::default() };
    }

    /// Lets letters say what to look for.
    pub(in crate::ui) fn start_search(&mut self) {
        self.is_typing = true;
    }

    /// Takes a key while something is typed or looked for; `false` if it is for somebody else.
    pub(in crate::ui) fn on_key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Esc if self.is_typing || !self.search.text().is_empty() => {
                (self.search, self.is_typing) = (Editor::default(), false);
            }
            KeyCode::Enter if self.is_typing => self.is_typing = false,
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown | KeyCode::Tab => return false,
            _ if self.is_typing => drop(self.search.on_key(key)),
            _ => return false,
        }
        true
    }

    /// Keys, and lines of the language, that have what is looked for.
    fn found(&self, width: u16, keys: &Keymap, theme: &Theme) -> Vec<Row> {
        let wanted = self.search.text().trim().to_lowercase();
        let title = format!("search: {}{}", self.search.text(), if self.is_typing { "_" } else { "" });
        let mut rows = vec![Row::Rule(title)];
        let sides = SIDES.map(|side| side_rows(side, keys, theme));
        let all = sides.into_iter().flatten().chain(language(width, theme));
        rows.extend(all.filter(|row| row.has(&wanted)));
        if rows.len() == 1 {
            rows.push(Row::text("nothing has that; Esc shows all again", theme.dim));
        }
        rows
    }
}

impl Panel for Help {
    fn on_action(&mut self, action: Action, _: &View<'_>) -> Request {
        if self.page.on_action(action) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let rows = if self.is_typing || !self.search.text().is_empty() {
            self.found(area.width, view.keys, theme)
        } else if self.is_language {
            language(area.width, theme)
        } else {
            all_keys(area.width, view.keys, theme)
        };
        self.page.render(area, buf, &rows, theme);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        const KEYS: &[(&str, &str)] =
            &[("/", "search"), ("↓ ↑", "scroll"), ("Tab", "filter language"), ("Esc", "close")];
        const FILTER: &[(&str, &str)] =
            &[("/", "search"), ("↓ ↑", "scroll"), ("Tab", "keys"), ("Esc", "close")];
        const SEARCH: &[(&str, &str)] = &[("↵", "done"), ("↓ ↑", "scroll"), ("Esc", "show all")];
        match (self.is_typing || !self.search.text().is_empty(), self.is_language) {
            (true, _) => SEARCH,
            (false, true) => FILTER,
            (false, false) => KEYS,
        }
    }

    fn term(&self, _: &View<'_>) -> Option<String> {
        None
    }
}

fn all_keys(width: u16, keys: &Keymap, theme: &Theme) -> Vec<Row> {
    let mut rows = vec![Row::Rule("keys".to_owned())];
    let [left, right] = SIDES.map(|side| side_rows(side, keys, theme));
    if width >= WIDE {
        rows.extend(beside(left, right, usize::from(width / 2), theme));
    } else {
        rows.extend(left);
        rows.push(Row::empty());
        rows.extend(right);
    }
    rows
}

/// The reference with its headings as rules, its examples and tables in columns, and its text wrapped to `width`.
fn language(width: u16, theme: &Theme) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut paragraph = String::new();
    let mut is_example = false;
    // Its comments are for those who edit it.
    for line in LANGUAGE.lines().filter(|line| !line.starts_with("<!--")) {
        let is_text = !is_example && !line.starts_with(['`', '#', '|', '-']) && !line.is_empty();
        if !is_text {
            rows.extend(wrapped(&std::mem::take(&mut paragraph), width, theme));
        }
        if line.starts_with("```") {
            is_example = !is_example;
        } else if is_example {
            // The meaning stands behind at least two blanks.
            let (syntax, meaning) = line.split_once("  ").unwrap_or((line, ""));
            rows.push(in_columns(&[syntax, meaning.trim_start()], SYNTAX, theme));
        } else if let Some(title) = line.strip_prefix('#') {
            if !rows.is_empty() {
                rows.push(Row::empty());
            }
            rows.push(Row::Rule(title.trim_start_matches('#').trim().to_owned()));
        } else if let Some(table) = line.strip_prefix('|') {
            let cells = table.trim_end_matches('|').replace("\\|", "\u{0}");
            let cells: Vec<String> = cells.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            if !table.starts_with("---") {
                rows.push(in_columns(&cells, if cells.len() > 2 { NAME } else { CODE }, theme));
            }
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim_start());
        }
    }
    rows
}

fn wrapped(paragraph: &str, width: u16, theme: &Theme) -> Vec<Row> {
    /// More than the longest paragraph takes at 40 columns.
    const MAX_ROWS: usize = 20;
    if paragraph.is_empty() {
        return Vec::new();
    }
    let lines = theme.gate.lines(paragraph, usize::from(width.saturating_sub(3)), MAX_ROWS);
    lines.into_iter().map(|line| Row::text(line.text(), theme.text)).collect()
}

/// The first cell in `first` columns, a middle one in fewer, the last as long as it is.
fn in_columns(cells: &[&str], first: usize, theme: &Theme) -> Row {
    let mut parts = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let style = if at == 0 { theme.accent } else { theme.text };
        let text = match at {
            0 => format!("  {} ", format::left(cell, first, theme.gate)),
            1 if cells.len() > 2 => format!("{} ", format::left(cell, KIND, theme.gate)),
            _ => format!("{cell}  "),
        };
        parts.push((text, style));
    }
    Row::Text(parts)
}

fn side_rows(groups: &[(Group, &str)], keys: &Keymap, theme: &Theme) -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, title) in groups {
        if !rows.is_empty() {
            rows.push(Row::empty());
        }
        rows.push(Row::text(format!("  {title}"), theme.title));
        for (at, key) in KEYS.iter().enumerate().filter(|(_, key)| key.group == *group) {
            let shown = keys::on_terminal(&keys.shown(at), theme.gate.ascii);
            rows.push(Row::Text(vec![
                ("  ".to_owned(), theme.text),
                (format::left(&shown, SHOWN, theme.gate) + " ", theme.accent),
                (key.help.to_owned(), theme.text),
            ]));
        }
    }
    rows
}

/// Two columns of rows as one, the right one starting after `width`.
fn beside(left: Vec<Row>, right: Vec<Row>, width: usize, theme: &Theme) -> Vec<Row> {
    let parts = |row: Option<&Row>| match row {
        Some(Row::Text(parts)) => parts.clone(),
        _ => Vec::new(),
    };
    (0..left.len().max(right.len()))
        .map(|at| {
            let mut line = parts(left.get(at));
            let taken: usize = line.iter().map(|(text, _)| theme.gate.columns(text)).sum();
            line.push((" ".repeat(width.saturating_sub(taken)), theme.text));
            line.extend(parts(right.get(at)));
            Row::Text(line)
        })
        .collect()
}
