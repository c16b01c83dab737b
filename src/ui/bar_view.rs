//! How the filter line looks: the text, what it does to the list, and under it what is to be said of it.
//!
//! Called for every frame. Where it is narrow the text comes first, then the counts, then the rest.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::filter_bar::FilterBar;
use super::theme::Theme;
use super::{draw, format, named};
use crate::event::gate::Line;
use crate::filter::{State, What, expected, operators};
use crate::scan::Matches;

/// Columns before the text: the slash and a blank on either side.
const LEAD: u16 = 3;
/// Columns of a filter that is still shown.
const MAX_SHOWN: usize = 40;

/// What stands under the line.
struct Said {
    lines: Vec<Line>,
    /// Where each line starts.
    indent: Vec<u16>,
    style: Style,
}

impl FilterBar {
    /// The rows the bar takes of `width` columns: one, and those for what is to be said, `max` at the most.
    pub(super) fn height(&self, width: u16, max: u16, theme: &Theme) -> u16 {
        let said = self.said(width, theme).map_or(0, |said| said.lines.len());
        let said = if self.is_editing() { said.max(1) } else { said };
        1 + u16::try_from(said).unwrap_or(u16::MAX).min(max.saturating_sub(1))
    }

    /// Draws the bar; gives the place of the cursor while editing.
    pub(super) fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        matches: &Matches,
        theme: &Theme,
    ) -> Option<Position> {
        let text = self.editor.text();
        let (statuses, style) = self.statuses(matches, theme);
        // A blank for the cursor, and one between the text and the status.
        let needed = usize::from(LEAD) + theme.gate.columns(text) + 2;
        let fits = |status: &&String| needed + theme.gate.columns(status) < usize::from(area.width);
        // While typing the text comes first, unless it does not fit anyhow; else the counts do, and the text is cut.
        let is_long = needed + 1 > usize::from(area.width);
        let least =
            |status: &&String| if self.is_editing() { status.len() > 3 } else { status.contains(" of ") };
        let last = if self.is_editing() && !is_long { None } else { statuses.iter().rfind(least) };
        let status = statuses.iter().take_while(|status| Some(*status) != last).find(fits).or(last);
        let status = status.or(statuses.last()).cloned().unwrap_or_default();
        let width = u16::try_from(theme.gate.columns(&status)).unwrap_or(u16::MAX);
        let right = area.right().saturating_sub(width + 1).max(area.x + LEAD);
        draw::text(buf, area, right, area.y, &status, style);
        let x = draw::text(buf, area, area.x, area.y, " / ", theme.accent);
        let row = Rect { width: right.saturating_sub(area.x + 1), height: 1, ..area };
        if text.is_empty() && !self.is_editing() {
            let example = if area.width >= 100 {
                "type to filter, such as  level>=warn url:/api"
            } else {
                "type to filter"
            };
            draw::text(buf, row, x, area.y, example, theme.dim);
            return None;
        }
        let skip = self.skip(row, theme);
        let line =
            theme.gate.line(text.get(skip..).unwrap_or(""), usize::from(row.right().saturating_sub(x)));
        let end =
            draw::line(buf, row, x, area.y, &line, if self.is_bypassed { theme.dim } else { theme.text });
        // Words that only look like operators stay as they are.
        let columns =
            |bytes| u16::try_from(theme.gate.columns(text.get(bytes).unwrap_or(""))).unwrap_or(u16::MAX);
        let is_shown = |span: &Range<usize>| span.start >= skip && !self.is_bypassed;
        for span in operators(text).into_iter().filter(is_shown) {
            let place = (x.saturating_add(columns(skip..span.start)), area.y);
            draw::restyle(buf, row, place, columns(span), theme.accent);
        }
        let under = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        if let Some(said) = self.said(area.width, theme) {
            for ((line, indent), y) in said.lines.iter().zip(&said.indent).zip(under.y..under.bottom()) {
                draw::line(buf, under, under.x + indent, y, line, said.style);
            }
        }
        if !self.is_editing() {
            return None;
        }
        if self.is_listing() && self.editor.is_at_end() {
            draw::text(buf, row, end, area.y, self.completion.ghost(text).unwrap_or(""), theme.dim);
        }
        let before = self.editor.before_cursor().get(skip..).unwrap_or("");
        let column = x.saturating_add(u16::try_from(theme.gate.columns(before)).unwrap_or(u16::MAX));
        Some(Position { x: column.min(area.right().saturating_sub(1)), y: area.y })
    }

    /// Draws the list of candidates over what is below the bar, where there is something to choose.
    pub(super) fn render_list(&self, bar: Rect, below: Rect, buf: &mut Buffer, theme: &Theme) {
        if !self.is_listing() {
            return;
        }
        // The blank row under the line belongs to the list if nothing is said in it.
        let spare = u16::from(self.said(bar.width, theme).is_none() && bar.height > 1);
        let area = Rect {
            y: bar.bottom() - spare,
            height: below.bottom().saturating_sub(bar.bottom() - spare),
            ..bar
        };
        let skip = self.skip(Rect { width: bar.width.saturating_sub(4), ..bar }, theme);
        let before = self.editor.text().get(skip..self.completion.start()).unwrap_or("");
        let column = u16::try_from(theme.gate.columns(before)).unwrap_or(u16::MAX);
        let x = area.x.saturating_add(LEAD).saturating_add(column).saturating_sub(2);
        self.completion.render(area, x, buf, theme);
    }

    /// How many bytes of the text are left of the screen, so that the cursor stays on it.
    fn skip(&self, row: Rect, theme: &Theme) -> usize {
        if !self.is_editing() {
            return 0;
        }
        self.editor.skip(usize::from(row.width.saturating_sub(LEAD + 1)), theme.gate)
    }

    /// What the filter does to the list, from the longest way to say it to the shortest.
    fn statuses(&self, matches: &Matches, theme: &Theme) -> (Vec<String>, Style) {
        let marks = theme.glyphs;
        let of = format::count(matches.snapshot.len());
        let events = format::counted(matches.snapshot.len(), "event");
        if self.is_bypassed {
            let long = format!("(off)  {events} {} f puts the filter back on", marks.dot);
            return (vec![long, "(off)  f puts it back on".to_owned(), "(off)".to_owned()], theme.warn);
        }
        if self.typing.state == State::Error || (!self.is_editing() && self.typing.error.is_some()) {
            let shown =
                if self.applied.is_all() { "everything".to_owned() } else { self.applied.to_string() };
            let still = |words: &str, most| {
                format!("{} {words}: {}", marks.failed, theme.gate.plain_capped(&shown, most))
            };
            let long = [still("still showing", MAX_SHOWN), still("still showing", MAX_SHOWN / 2)];
            let short = [still("still", MAX_SHOWN / 3), marks.failed.to_owned()];
            return (long.into_iter().chain(short).collect(), theme.error);
        }
        if self.waits_for_enter() {
            let key = if theme.gate.ascii { "Enter" } else { "↵" };
            return (vec![format!("{key} applies it"), key.to_owned()], theme.dim);
        }
        if self.applied.is_all() && matches!(self.typing.state, State::Empty) {
            return (vec![events, String::new()], theme.dim);
        }
        let is_suspicious = self.note().is_some() && !matches!(self.typing.state, State::Hold);
        let (mark, style) = match self.typing.state {
            State::Hold | State::Pending => (marks.cut, theme.accent),
            _ if is_suspicious => ("!", theme.warn),
            _ => (marks.ok, theme.accent),
        };
        let hidden = matches.snapshot.len().saturating_sub(matches.total);
        let total = format::count(matches.total);
        let progress = if matches.is_done() { "" } else { " so far" };
        let short = format!("{mark} {total} of {of}{progress}");
        let mut all = Vec::new();
        if self.is_editing() {
            match self.waiting_for() {
                Some(field) => all.push(format!("{short} {} waiting for {field}", marks.dot)),
                None => all.push(format!("{short} shown")),
            }
        } else if hidden > 0 {
            all.push(format!("{short}   {} hidden  f shows all", format::count(hidden)));
            all.push(format!("{short}  f shows all"));
        }
        all.extend([short, format!("{mark} {total}"), mark.to_owned()]);
        (all, style)
    }

    /// The field whose value is missing at the cursor: `a method`.
    fn waiting_for(&self) -> Option<String> {
        if self.typing.state != State::Pending {
            return None;
        }
        match expected(self.editor.text(), self.editor.cursor()).what {
            What::Value { field, .. } => {
                let article = if field.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
                Some(format!("{article} {field}"))
            }
            _ => None,
        }
    }

    /// What is to be said of the text, if anything.
    fn said(&self, width: u16, theme: &Theme) -> Option<Said> {
        let is_error = self.typing.state == State::Error;
        let tab = |is_offered: bool| if is_offered { "   Tab fixes it" } else { "" };
        if self.is_pasted() {
            let text = format!("pasted as text {} Tab undoes", theme.glyphs.dot);
            return Some(said_at(LEAD, &text, theme.warn, width, theme));
        }
        if let Some(error) = &self.typing.error
            && (is_error || !self.is_listing())
        {
            let more = if self.more_errors > 0 && is_error {
                format!("   +{} more", self.more_errors)
            } else {
                String::new()
            };
            let is_offered = error.fix.is_some() && self.is_editing();
            let text = format!("{}{}{more}", error.message, tab(is_offered));
            let style = if is_error || !self.is_editing() { theme.error } else { theme.dim };
            return Some(self.pointing(
                (error.column.saturating_sub(1), error.len),
                &text,
                style,
                width,
                theme,
            ));
        }
        if let Some(note) = self.note() {
            let is_offered = note.fix.is_some()
                && self.is_editing()
                && !self.is_listing()
                && !note.message.contains("Tab ");
            let text = format!("{}{}", note.message, tab(is_offered));
            if note.code == "N-MIXED" {
                return Some(said_at(LEAD, &text, theme.warn, width, theme));
            }
            let cells = |bytes| theme.gate.columns(self.editor.text().get(bytes).unwrap_or(""));
            let place = (cells(0..note.span.start), cells(note.span.clone()).max(1));
            return Some(self.pointing(place, &text, theme.warn, width, theme));
        }
        self.reading(width, theme)
    }

    /// How the filter reads: while it is typed, and wherever it has the number of a group, which says nothing to a reader.
    fn reading(&self, width: u16, theme: &Theme) -> Option<Said> {
        if self.is_listing() {
            return None;
        }
        let spelled = |text: &str| {
            let line =
                theme.gate.line(&on_terminal(text, theme), usize::from(width.saturating_sub(LEAD + 1)));
            Some(Said { lines: vec![line], indent: vec![LEAD], style: theme.dim })
        };
        let reading = self.typing.applied.reads_as();
        let read = || spelled(&format!("reads as  {}", named::spelled(&reading, &self.named, theme.gate)));
        if !self.is_editing() {
            return if self.named.is_empty() || self.is_bypassed { None } else { read() };
        }
        match self.typing.state {
            State::Empty => spelled("words, field:value, level>=warn, -leave-out"),
            // One word reads as itself.
            _ if self.typing.applied.is_all() || reading.trim_matches('"') == self.editor.text().trim() => {
                None
            }
            _ => read(),
        }
    }

    /// A caret under the place with the text beside it, or below where it does not fit.
    fn pointing(
        &self,
        (column, len): (usize, usize),
        text: &str,
        style: Style,
        width: u16,
        theme: &Theme,
    ) -> Said {
        let skip = self.skip(Rect { x: 0, y: 0, width: width.saturating_sub(4), height: 1 }, theme);
        let hidden = theme.gate.columns(self.editor.text().get(..skip).unwrap_or(""));
        let indent = u16::try_from(column.saturating_sub(hidden)).unwrap_or(u16::MAX);
        let indent = indent.saturating_add(LEAD).min(width.saturating_sub(1));
        let room = usize::from(width.saturating_sub(indent));
        let caret = format!("^{}", "~".repeat(len.min(room).saturating_sub(1)));
        let beside = format!("{caret}  {}", on_terminal(text, theme));
        if theme.gate.columns(&beside) < room {
            return Said { lines: vec![theme.gate.line(&beside, room)], indent: vec![indent], style };
        }
        let mut below = said_at(LEAD, text, style, width, theme);
        below.lines.insert(0, theme.gate.line(&caret, room));
        below.indent.insert(0, indent);
        below
    }
}

/// Lines that begin at a column, wrapped.
fn said_at(indent: u16, text: &str, style: Style, width: u16, theme: &Theme) -> Said {
    /// The longest message takes three lines of 60 columns.
    const MAX_LINES: usize = 4;
    let indent = indent.min(width / 4);
    let lines =
        theme.gate.lines(&on_terminal(text, theme), usize::from(width.saturating_sub(indent + 1)), MAX_LINES);
    Said { indent: vec![indent; lines.len()], lines, style }
}

/// The language's own words on a terminal with or without Unicode.
fn on_terminal(text: &str, theme: &Theme) -> String {
    if !theme.gate.ascii {
        return text.to_owned();
    }
    let glyphs = theme.glyphs;
    text.replace('…', glyphs.cut).replace('·', glyphs.dot).replace('→', glyphs.arrow)
}
