//! The export dialog: what, in which form, where to and what is left out, with the size and the same as a command.
//!
//! Owned by the app while it is open. The writing itself, and looking whether the file is there, is done by whoever
//! runs the console.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::copying::shell_quoted;
use super::editor::Editor;
use super::theme::Theme;
use super::{draw, format, frame};
use crate::event::form::{Form, Format, Part};

/// Which events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// What the filter lets through.
    Shown,
    Selected,
    Pinned,
    /// The session of the selected event.
    Session,
    All,
}

impl What {
    pub(super) const ALL: [Self; 5] = [Self::Shown, Self::Selected, Self::Pinned, Self::Session, Self::All];
}

/// How much there is of each choice, in the order of [`What::ALL`], and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) events: [u64; 5],
    /// About how many bytes an event takes in the form chosen.
    pub(super) bytes_each: u64,
}

/// What is known of the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    pub path: String,
    /// A file is there already.
    pub exists: bool,
    /// Why nothing can be written there.
    pub trouble: Option<String>,
}

/// The rows that can be gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    To,
    LeaveOut,
    What,
    As,
}

const ORDER: [Field; 4] = [Field::What, Field::As, Field::To, Field::LeaveOut];
/// Cells inside the box, and columns of what stands before a field.
const WIDTH: u16 = 100;
const HEIGHT: u16 = 14;
const LABEL: u16 = 12;

/// The open dialog.
#[derive(Debug)]
pub(super) struct ExportDialog {
    what: What,
    form: Form,
    editor: Editor,
    field: Field,
    /// Which part is stood on in the row of what is left out.
    part: usize,
    /// The settings leave something out.
    is_set: bool,
    probe: Probe,
    /// A file is there, and Enter was pressed once.
    is_over_armed: bool,
}

/// What a key answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Cancel,
    /// Put this on the clipboard instead.
    Copy(Clip),
    Write {
        what: What,
        form: Form,
        path: String,
        is_forced: bool,
    },
}

/// What of an export the clipboard takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clip {
    Events,
    Command,
}

impl ExportDialog {
    /// Whether letters go into the path.
    pub(super) fn is_typing(&self) -> bool {
        self.field == Field::To
    }

    /// Proposes `path` without its ending, and to leave out what the settings say.
    pub(super) fn new(what: What, path: &str, without: Vec<Part>) -> Self {
        let is_set = !without.is_empty();
        let form = Form { format: Format::Jsonl, without };
        let editor = Editor::new(&format!("{path}.jsonl"));
        let (field, probe) = (Field::To, Probe::default());
        Self { what, form, editor, field, part: 0, is_set, probe, is_over_armed: false }
    }

    /// The path as it is typed.
    pub(super) fn path(&self) -> &str {
        self.editor.text().trim()
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    pub(super) fn what(&self) -> What {
        self.what
    }

    /// What is known of the path now; what was asked about another one is nothing.
    pub(super) fn probed(&mut self, probe: Probe) {
        if probe.path == self.path() {
            self.probe = probe;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.field = Field::To;
        self.editor.insert(text);
    }

    pub(super) fn on_key(&mut self, key: KeyEvent, sizes: &Sizes) -> Answer {
        let was_armed = std::mem::take(&mut self.is_over_armed);
        match key.code {
            KeyCode::Esc => return Answer::Cancel,
            KeyCode::Enter => return self.write(was_armed, sizes),
            KeyCode::Tab | KeyCode::Down => self.turn(1),
            KeyCode::BackTab | KeyCode::Up => self.turn(ORDER.len() - 1),
            KeyCode::Char('y') if !self.is_typing() => return Answer::Copy(Clip::Events),
            KeyCode::Char('p') if !self.is_typing() => return Answer::Copy(Clip::Command),
            code => match self.field {
                Field::To => drop(self.editor.on_key(key)),
                Field::What => self.what = stepped(&What::ALL, self.what, code),
                Field::As => self.step_format(code),
                Field::LeaveOut => self.on_part(code),
            },
        }
        Answer::Nothing
    }

    fn write(&mut self, was_armed: bool, sizes: &Sizes) -> Answer {
        let is_nothing = sizes.events[self.what as usize] == 0;
        if self.path().is_empty() || is_nothing || self.probe.trouble.is_some() {
            return Answer::Nothing;
        }
        if self.probe.exists && !was_armed {
            self.is_over_armed = true;
            return Answer::Nothing;
        }
        let path = self.path().to_owned();
        Answer::Write { what: self.what, form: self.form.clone(), path, is_forced: self.probe.exists }
    }

    fn turn(&mut self, by: usize) {
        let at = ORDER.iter().position(|field| *field == self.field).unwrap_or(0);
        self.field = ORDER[(at + by) % ORDER.len()];
    }

    /// The ending of the file goes with the form, as long as no other was typed.
    fn step_format(&mut self, code: KeyCode) {
        let formats = Format::ALL.map(|(format, ..)| format);
        let before = self.form.format;
        self.form.format = stepped(&formats, before, code);
        let ending = format!(".{}", before.name());
        if let Some(stem) = self.editor.text().strip_suffix(&ending) {
            let path = format!("{stem}.{}", self.form.format.name());
            self.editor.set(&path);
        }
    }

    fn on_part(&mut self, code: KeyCode) {
        match code {
            KeyCode::Left => self.part = self.part.saturating_sub(1),
            KeyCode::Right => self.part = (self.part + 1).min(Part::ALL.len() - 1),
            KeyCode::Char(' ') => {
                let part = Part::ALL[self.part].0;
                match self.form.without.iter().position(|one| *one == part) {
                    Some(at) => drop(self.form.without.remove(at)),
                    None => self.form.without.push(part),
                }
            }
            _ => {}
        }
    }

    /// The same as a command; `filter` is that of the view. What the settings leave out has to be said where it is not.
    pub(super) fn command(&self, filter: &str, recording: Option<&str>) -> String {
        let from = recording.map_or_else(|| "FILE".to_owned(), shell_quoted);
        let mut text = format!("taillight export --from {from}");
        if self.what == What::Shown && !filter.trim().is_empty() {
            text.push_str(&format!(" -f {}", shell_quoted(filter.trim())));
        }
        if self.form.format != Format::Jsonl {
            text.push_str(&format!(" --format {}", self.form.format.name()));
        }
        for (part, name) in Part::ALL {
            if self.form.without.contains(&part) {
                text.push_str(&format!(" --leave-out {name}"));
            }
        }
        if self.form.without.is_empty() && self.is_set {
            text.push_str(" --leave-out nothing");
        }
        format!("{text} -o {}", shell_quoted(self.path()))
    }

    /// Draws the box over `area`; gives the place of the cursor where the path is typed.
    pub(super) fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        sizes: &Sizes,
        command: &str,
        theme: &Theme,
    ) -> Option<Position> {
        let inner = frame::open(area, buf, "export", (WIDTH, HEIGHT), theme);
        // Where not all rows fit, the one that keys act on is in sight, with what is said of it.
        let here = match self.field {
            Field::What => 0,
            Field::As => 2,
            Field::To => 4,
            Field::LeaveOut => 6,
        };
        let top = (here + 1_u16).saturating_sub(inner.height);
        let row = |y: u16| match y.checked_sub(top) {
            Some(y) => Rect { y: inner.y.saturating_add(y), height: 1, ..inner }.intersection(inner),
            None => Rect { height: 0, ..inner },
        };
        let counted = |at: usize| format::count(sizes.events[at]);
        let whats = [
            format!("the {} shown", format::counted(sizes.events[0], "event")),
            format!("{} selected", counted(1)),
            format!("{} pinned", counted(2)),
            format!("this session, {}", counted(3)),
            format!("all {}", counted(4)),
        ];
        let whats: Vec<_> =
            whats.iter().map(String::as_str).zip(What::ALL.map(|what| what == self.what)).collect();
        self.choices(row(0), buf, (Field::What, "what"), &whats, theme);
        let formats = Format::ALL.map(|(format, name, _)| (name, format == self.form.format));
        self.choices(row(1), buf, (Field::As, "as"), &formats, theme);
        let (_, _, about) =
            Format::ALL[Format::ALL.iter().position(|(one, ..)| *one == self.form.format).unwrap_or(0)];
        self.note(row(2), buf, about, theme.dim, theme);
        let x = self.label(row(3), buf, (Field::To, "to"), theme);
        let path = Rect { width: row(3).width.saturating_sub(1), ..row(3) };
        let cursor = if self.field == Field::To {
            self.editor.render(path, buf, x, theme).1
        } else {
            let line = theme.gate.line(self.editor.text(), usize::from(path.right().saturating_sub(x)));
            draw::line(buf, path, x, path.y, &line, theme.text);
            x
        };
        let (said, style) = self.state(sizes, theme);
        self.note(row(4), buf, &said, style, theme);
        let parts = Part::ALL.map(|(part, name)| (name, self.form.without.contains(&part)));
        self.choices(row(5), buf, (Field::LeaveOut, "leave out"), &parts, theme);
        if self.field == Field::LeaveOut {
            self.note(row(6), buf, "← → and Space: what is marked is left out", theme.dim, theme);
        }
        draw::text(buf, row(7), inner.x + 2, row(7).y, "same from the shell, of a recording:", theme.dim);
        let lines = theme.gate.lines(command, usize::from(inner.width.saturating_sub(6)), 4);
        for (line, y) in lines.iter().zip(8..12) {
            draw::line(buf, row(y), inner.x + 4, row(y).y, line, theme.text);
        }
        let enter = if theme.gate.ascii { "Enter" } else { "↵" };
        let buttons = format!("[ Write {enter} ]   [ Cancel Esc ]");
        let width = u16::try_from(theme.gate.columns(&buttons)).unwrap_or(0);
        draw::text(buf, row(13), inner.right().saturating_sub(width + 2), row(13).y, &buttons, theme.accent);
        (self.field == Field::To && row(3).height > 0).then_some(Position { x: cursor, y: row(3).y })
    }

    /// How much is written where, or what stands in the way.
    fn state(&self, sizes: &Sizes, theme: &Theme) -> (String, Style) {
        let events = sizes.events[self.what as usize];
        let mut size = format::counted(events, "event");
        // Where none was met in time nothing is made up.
        if sizes.bytes_each > 0 {
            let bytes = format::bytes(events.saturating_mul(sizes.bytes_each));
            size.push_str(&format!(", about {bytes}"));
        }
        let dot = theme.glyphs.dot;
        match &self.probe {
            _ if events == 0 => ("there is no such event".to_owned(), theme.warn),
            _ if self.path().is_empty() => ("write a path".to_owned(), theme.warn),
            Probe { trouble: Some(trouble), .. } => (trouble.clone(), theme.warn),
            _ if self.is_over_armed => {
                ("a file is there: Enter again writes over it".to_owned(), theme.error)
            }
            Probe { exists: true, .. } => (format!("{size} {dot} a file of that name is there"), theme.warn),
            Probe { path, .. } if path == self.path() => {
                (format!("{size} {dot} new file, folder writable"), theme.text)
            }
            _ => (size, theme.text),
        }
    }

    fn label(&self, row: Rect, buf: &mut Buffer, (field, name): (Field, &str), theme: &Theme) -> u16 {
        let is_here = field == self.field;
        let mark = if is_here { theme.glyphs.folded } else { " " };
        draw::text(buf, row, row.x + 1, row.y, mark, theme.accent);
        draw::text(buf, row, row.x + 3, row.y, name, if is_here { theme.accent } else { theme.dim });
        row.x + LABEL + 2
    }

    fn note(&self, row: Rect, buf: &mut Buffer, text: &str, style: Style, theme: &Theme) {
        let line = theme.gate.line(text, usize::from(row.width.saturating_sub(LABEL + 4)));
        draw::line(buf, row, row.x + LABEL + 2, row.y, &line, style);
    }

    /// One row of choices; those that count are marked.
    fn choices(
        &self,
        row: Rect,
        buf: &mut Buffer,
        label: (Field, &str),
        choices: &[(&str, bool)],
        theme: &Theme,
    ) {
        let is_here = label.0 == self.field;
        let mut x = self.label(row, buf, label, theme);
        let text_of = |(name, is_chosen): &(&str, bool)| {
            format!("{} {name}", if *is_chosen { theme.glyphs.ok } else { theme.glyphs.dot })
        };
        let here = match label.0 {
            Field::LeaveOut => self.part,
            _ => choices.iter().position(|(_, is_chosen)| *is_chosen).unwrap_or(0),
        };
        // Where not all of them fit, the one that counts is in sight.
        let widths: Vec<_> = choices.iter().map(|choice| theme.gate.columns(&text_of(choice)) + 2).collect();
        let room = usize::from(row.right().saturating_sub(x)) + 2;
        let is_cut = widths.iter().sum::<usize>() > room;
        let room = room.saturating_sub(if is_cut { theme.gate.columns(theme.glyphs.cut) + 1 } else { 0 });
        let first =
            (0..=here).find(|first| widths[*first..=here].iter().sum::<usize>() <= room).unwrap_or(here);
        if first > 0 {
            x = draw::text(buf, row, x, row.y, theme.glyphs.cut, theme.dim) + 1;
        }
        for (at, choice) in choices.iter().enumerate().skip(first) {
            let is_chosen = &choice.1;
            let is_stood_on = is_here && (label.0 != Field::LeaveOut || at == self.part);
            let style = match (is_chosen, is_stood_on) {
                (true, true) | (false, true) if label.0 == Field::LeaveOut => theme.selection,
                (true, true) => theme.selection,
                (true, false) => theme.title,
                (false, _) => theme.dim,
            };
            let text = text_of(choice);
            let columns = u16::try_from(theme.gate.columns(&text)).unwrap_or(u16::MAX);
            if x.saturating_add(columns) > row.right() {
                draw::text(
                    buf,
                    row,
                    x.min(row.right().saturating_sub(1)),
                    row.y,
                    theme.glyphs.cut,
                    theme.dim,
                );
                return;
            }
            x = draw::text(buf, row, x, row.y, &text, style) + 2;
        }
    }
}

/// The choice beside `here`.
fn stepped<T: Copy + PartialEq>(all: &[T], here: T, code: KeyCode) -> T {
    let at = all.iter().position(|one| *one == here).unwrap_or(0);
    match code {
        KeyCode::Left => all[at.saturating_sub(1)],
        KeyCode::Right | KeyCode::Char(' ') => all[(at + 1).min(all.len() - 1)],
        _ => here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_undoes_what_the_settings_leave_out() {
        let command = |set: &[Part], chosen: &[Part]| {
            let mut dialog = ExportDialog::new(What::Shown, "out", set.to_vec());
            dialog.form.without = chosen.to_vec();
            dialog.command("", None)
        };
        for (set, chosen, expected) in [
            (&[Part::User][..], &[][..], " --leave-out nothing"),
            (&[Part::User], &[Part::Stack], " --leave-out stacks"),
            (&[], &[], ""),
        ] {
            assert_eq!(command(set, chosen), format!("taillight export --from FILE{expected} -o out.jsonl"));
        }
    }
}
