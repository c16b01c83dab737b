//! One event in full: message, what came before it, stack, where and who, and its data as JSON.
//!
//! Drawn by the app beside, below or over a list. All of it is text from outside and passes the gate; wrapping is
//! the gate's own. Over the whole screen it has a cursor that stands on one value after the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::code_frame::{self, Target};
use super::theme::{Theme, level_word};
use super::view::View;
use super::{before, draw, format, pretty, raw_stack, whose};
use crate::event::gate::Line;
use crate::event::{EventRef, Flags, Mapped, json};
use crate::filter::Highlighter;

/// Lines made of one event at the most; what is longer is in the export.
const MAX_LINES: usize = 2_000;
const LABEL: usize = 11;
/// Under so many rows the code around a place is one line, so that the rest of the stack is in sight.
const BRIEF_BELOW: u16 = 18;
/// Rows below the divider for what has no room in it.
const FACT_ROWS: usize = 3;
/// From this width on the divider has room for the clock.
const CLOCK_FROM: u16 = 100;
/// Keys that stand in every event's data whether it was sent with them or not (CONTRACT: the event).
const ADDED: [&str; 2] = ["server-recv-time", "browser-timestamp"];

/// How far down the event one has read.
#[derive(Debug, Default)]
pub(super) struct Detail {
    top: usize,
    height: usize,
    /// What the lines were made for, so that an idle frame makes none.
    made: Option<Made>,
    rows: Vec<Row>,
    /// The row of the value that keys act on.
    at: Option<usize>,
    /// The data on one line, as it would be exported.
    pub(super) is_raw: bool,
    /// Library frames one by one.
    pub(super) is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    seq: u64,
    width: u16,
    is_raw: bool,
    is_open: bool,
    is_brief: bool,
    is_full: bool,
    filter: u64,
    /// Places become known after the event.
    is_mapped: bool,
}

/// A row on screen.
#[derive(Debug)]
struct Row {
    line: Line,
    style: Style,
    /// What the filter looks for: column and columns.
    hits: Vec<(u16, u16)>,
    /// On the first row of a value: its path as a filter names it, and the value.
    field: Option<(String, String)>,
    /// On the row of a frame: what an editor opens.
    target: Option<Target>,
}

impl Detail {
    pub(super) fn scroll(&mut self, step: isize) {
        let end = self.rows.len().saturating_sub(self.height.max(1));
        self.top = self.top.saturating_add_signed(step).min(end);
        self.at = self.at.filter(|at| self.is_in_sight(*at));
    }

    fn is_in_sight(&self, row: usize) -> bool {
        (self.top..self.top + self.height.max(1)).contains(&row)
    }

    /// Moves to the value above or below; where none is in sight yet the rows move by one.
    pub(super) fn step(&mut self, is_down: bool) {
        let has_field = |row: &usize| self.rows[*row].field.is_some() || self.rows[*row].target.is_some();
        let end = self.rows.len();
        let next = match (self.at, is_down) {
            (Some(at), true) => (at + 1..end).find(has_field),
            (Some(at), false) => (0..at).rev().find(has_field),
            (None, true) => (self.top.min(end)..end).find(has_field),
            (None, false) => (0..(self.top + self.height).min(end)).rev().find(has_field),
        };
        match next {
            Some(row) if self.is_in_sight(row) => self.at = Some(row),
            // Just outside: the row comes into sight and is stood on.
            Some(row) if row == self.top + self.height || row + 1 == self.top => {
                self.scroll(if is_down { 1 } else { -1 });
                self.at = Some(row);
            }
            _ => self.scroll(if is_down { 1 } else { -1 }),
        }
    }

    /// The value under the cursor: its path and its text.
    pub(super) fn field(&self) -> Option<(&str, &str)> {
        let (path, value) = self.rows.get(self.at?)?.field.as_ref()?;
        Some((path, value))
    }

    /// The frame under the cursor.
    pub(super) fn target(&self) -> Option<&Target> {
        self.rows.get(self.at?)?.target.as_ref()
    }

    /// Draws `event` under a divider; `is_full` where its values can be gone through.
    pub(super) fn render(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        event: EventRef<'_>,
        is_full: bool,
        view: &View<'_>,
    ) {
        let theme = view.theme;
        let (width, filter) = (area.width, view.matches.id);
        let (is_raw, is_open, is_mapped) = (self.is_raw, self.is_open, event.mapped().is_some());
        let is_brief = area.height < BRIEF_BELOW;
        let made = Made { seq: event.seq(), width, is_raw, is_open, is_brief, is_full, filter, is_mapped };
        if self.made != Some(made) {
            if self.made.is_none_or(|before| before.seq != made.seq || before.is_raw != made.is_raw) {
                (self.top, self.at) = (0, None);
            }
            self.rows = rows(event, usize::from(width.saturating_sub(2)), made, view);
            self.made = Some(made);
        }
        let (title, facts, age) = title(event, width, view);
        let right = match self.at.filter(|_| is_full) {
            Some(at) if self.rows[at].target.is_some() => "o opens it in your editor",
            Some(_) => "+ keeps only this value   - leaves it out",
            None => &age,
        };
        draw::rule(buf, area, &title, right, theme.rule, theme.glyphs);
        let facts = theme.gate.lines(&facts, usize::from(width.saturating_sub(2)).max(1), FACT_ROWS);
        let facts = facts.iter().filter(|line| line.columns > 0);
        let mut head = 1;
        for (line, y) in facts.zip(area.y.saturating_add(1)..area.bottom()) {
            draw::line(buf, area, area.x + 1, y, line, theme.dim);
            head += 1;
        }
        let body = Rect { y: area.y.saturating_add(head), height: area.height.saturating_sub(head), ..area };
        self.height = usize::from(body.height);
        for ((at, row), y) in self.rows.iter().enumerate().skip(self.top).zip(body.y..body.bottom()) {
            let is_here = is_full && self.at == Some(at);
            if is_here {
                draw::restyle(buf, body, (body.x, y), body.width, theme.selection);
                draw::text(buf, body, body.x, y, theme.glyphs.selected, theme.selection);
            }
            let style = if is_here { theme.selection } else { row.style };
            draw::line(buf, body, body.x + 1, y, &row.line, style);
            for (x, columns) in &row.hits {
                draw::restyle(buf, body, (body.x + 1 + x, y), *columns, theme.matched);
            }
        }
    }
}

/// `group e7f3 · new · 2 times · 1 of 2 sessions`: what is known of an event's group, whatever the filter.
fn in_group(group: u64, view: &View<'_>) -> String {
    let dot = view.theme.glyphs.dot;
    let mut parts = vec![format!("group {:04x}", group >> 48)];
    if view.fresh.contains(&group) {
        parts.push("new".to_owned());
    }
    let tables = &view.snapshot.tables;
    if let Some(row) = tables.groups.iter().find(|row| row.group == group) {
        let all = tables.sessions.iter().filter(|row| !row.session.is_empty()).count();
        parts.push(format::counted(row.count, "time"));
        parts.push(format!(
            "{} of {}",
            format::count(row.sessions as u64),
            format::counted(all as u64, "session")
        ));
    }
    parts.join(&format!(" {dot} "))
}

/// What stands in the rule over an event, on the left and, last, on the right; in the middle what there is no room for in
/// it, which has rows of its own.
fn title(event: EventRef<'_>, width: u16, view: &View<'_>) -> (String, String, String) {
    let (theme, age) = (view.theme, age(event, width, view));
    let dot = theme.glyphs.dot;
    let id = format!("{} {}", level_word(event.level()), theme.gate.plain_capped(event.id(), 60));
    let Some(group) = event.group().map(|group| in_group(group, view)) else {
        return (id, String::new(), age);
    };
    let whole = format!("{id} {dot} {group}");
    match () {
        () if draw::rule_fits(width, &whole, &age) => (whole, String::new(), age),
        () if draw::rule_fits(width, &id, &age) => (id, group, age),
        () => (id, format!("{group} {dot} {age}"), String::new()),
    }
}

/// `14:32:10.841 (8s ago)`, or how long ago alone where there is little room.
fn age(event: EventRef<'_>, width: u16, view: &View<'_>) -> String {
    let ago = format!("{} ago", format::age(view.now.since(event.inst())));
    if width < CLOCK_FROM {
        return ago;
    }
    let local = event.inst().to_jiff().to_zoned_datetime(view.zone.clone());
    format!("{} ({ago})", local.strftime("%H:%M:%S%.3f"))
}

/// All rows of the event, wrapped to `width`.
fn rows(event: EventRef<'_>, width: usize, made: Made, view: &View<'_>) -> Vec<Row> {
    let theme = view.theme;
    let Made { is_raw, is_open, is_brief, is_full, .. } = made;
    // Elsewhere the key folds the repeats of the list.
    let folds = (!is_open).then_some(if is_full { "z unfolds" } else { "" });
    let mut out = Out { rows: Vec::new(), width, theme, highlighter: view.highlighter };
    let message = Some(event.msg()).filter(|msg| !msg.is_empty());
    out.value(&event.headline(), theme.level(event.level()), message.map(|msg| ("message", msg)));
    if let Some(before) = view.moment.and_then(|moment| before::of(moment, event, view)) {
        out.fact("before it", &before);
    }
    if let Some(mapped) = event.mapped().filter(|mapped| !is_raw && !mapped.traces.is_empty()) {
        out.stack(mapped, (folds, is_brief));
    } else if let Some(stack) = event.get(&["stack"]).and_then(json::text).filter(|stack| !stack.is_empty()) {
        out.wrapped("", theme.text);
        out.wrapped("stack", theme.title);
        for line in raw_stack::lines(&stack, folds.filter(|_| !is_raw), theme) {
            out.wrapped(&line.text, if line.is_dim { theme.dim } else { theme.text });
        }
    }
    out.wrapped("", theme.text);
    fields(event, view, &mut out);
    out.wrapped("", theme.text);
    out.wrapped("data", theme.title);
    let mut data = String::new();
    if is_raw {
        event.write_data(&mut data)
    } else {
        event.write_shown_data(&mut data)
    }
    if is_raw {
        out.wrapped(&data, theme.text);
    } else {
        for line in pretty::lines(&data, MAX_LINES) {
            let field = line.field.as_ref().map(|(path, value)| (path.as_str(), value.as_str()));
            // What the server adds to every event is no field of the language.
            let is_added = |path: &str| ADDED.contains(&path) && event.get(&[path]).is_none();
            let field = field.filter(|(path, _)| !is_added(path));
            out.value(&line.text, theme.text, field);
        }
    }
    out.rows
}

fn fields(event: EventRef<'_>, view: &View<'_>, out: &mut Out<'_>) {
    let local = event.inst().to_jiff().to_zoned_datetime(view.zone.clone());
    let late = event.recv().since(event.inst());
    let lag = if late > 1_000 { format!("   arrived {} later", format::age(late)) } else { String::new() };
    if !event.endpoint().is_empty() {
        out.field_as("endpoint", event.endpoint(), &event.shown_endpoint());
    }
    if event.flags().has(Flags::REQUEST) {
        for name in ["url", "operation"] {
            out.field(name, &event.get(&[name]).and_then(json::text).unwrap_or_default(), "");
        }
    }
    out.field("status", &event.status().map(|status| status.to_string()).unwrap_or_default(), "");
    let slow = if event.flags().has(Flags::SLOW) { "   slow" } else { "" };
    if let Some(span) = event.duration() {
        out.field_as("duration", &span.to_string(), &format!("{}{slow}", format::exact(span)));
    }
    out.field("severity", event.severity().map_or("", |severity| severity.name()), "");
    out.field("session", event.session(), "");
    out.field("user", event.user(), "");
    out.field("tab", event.tab(), "");
    out.field("load", &event.load().map(|load| load.to_string()).unwrap_or_default(), "");
    out.fact("browser", &whose::browser(event.session(), Some(event), view).unwrap_or_default());
    out.fact("time", &format!("{}{lag}", local.strftime("%Y-%m-%d %H:%M:%S%.3f %Z")));
    out.field("level", event.level().name(), "");
    out.field("group", &event.group().map(|group| format!("{group:016x}")).unwrap_or_default(), "");
    for (flag, text) in [
        (Flags::REDACTED, "values were redacted before this event was kept"),
        (Flags::CUT, "long strings were cut, see _cut"),
        (Flags::REPAIRED, "a broken character was replaced"),
    ] {
        if event.flags().has(flag) {
            out.fact("note", text);
        }
    }
}

struct Out<'a> {
    rows: Vec<Row>,
    width: usize,
    theme: &'a Theme,
    highlighter: &'a Highlighter,
}

impl Out<'_> {
    fn wrapped(&mut self, text: &str, style: Style) {
        self.value(text, style, None);
    }

    /// Wraps `text`, which shows the value of `field`.
    fn value(&mut self, text: &str, style: Style, field: Option<(&str, &str)>) {
        let room = MAX_LINES.saturating_sub(self.rows.len());
        let lines = if text.is_empty() && room > 0 {
            vec![self.theme.gate.line("", self.width)]
        } else {
            self.theme.gate.lines(text, self.width.max(1), room)
        };
        let mut field = field.map(|(path, value)| (path.to_owned(), value.to_owned()));
        let hits = hits(&lines, self.highlighter);
        self.rows.extend(lines.into_iter().zip(hits).map(|(line, hits)| Row {
            line,
            style,
            hits,
            field: field.take(),
            target: None,
        }));
    }

    /// The stack as source maps tell it; the place of the event is a value that filters can name.
    fn stack(&mut self, mapped: &Mapped, how: (Option<&'static str>, bool)) {
        self.wrapped("", self.theme.text);
        self.wrapped(&code_frame::title(mapped, self.theme), self.theme.title);
        let room = MAX_LINES.saturating_sub(self.rows.len());
        for row in code_frame::rows(mapped, how, self.width, self.theme).into_iter().take(room) {
            let hits = hits(std::slice::from_ref(&row.line), self.highlighter).pop().unwrap_or_default();
            let file = row.target.as_ref().filter(|_| row.is_top).map(|target| target.file.to_string());
            let field = file.map(|file| ("file".to_owned(), file));
            self.rows.push(Row { line: row.line, style: row.style, hits, field, target: row.target });
        }
    }

    fn fact(&mut self, label: &str, value: &str) {
        if !value.trim().is_empty() {
            self.wrapped(&format!("{label:<LABEL$}{value}"), self.theme.text);
        }
    }

    /// A value that a filter can name by `label`, with what is shown behind it.
    fn field(&mut self, label: &str, value: &str, unit: &str) {
        if !value.trim().is_empty() {
            self.field_as(label, value, &format!("{value}{unit}"));
        }
    }

    /// As [`Out::field`], for a value that is shown in another way than a filter has it.
    fn field_as(&mut self, label: &str, value: &str, shown: &str) {
        self.value(&format!("{label:<LABEL$}{shown}"), self.theme.text, Some((label, value)));
    }
}

/// What the filter looks for in a wrapped text, also where it goes on in the next line.
fn hits(lines: &[Line], highlighter: &Highlighter) -> Vec<Vec<(u16, u16)>> {
    if highlighter.is_empty() {
        return vec![Vec::new(); lines.len()];
    }
    let texts: Vec<String> = lines.iter().map(Line::text).collect();
    let spans = highlighter.spans(&texts.concat());
    let mut start = 0;
    let mut found = Vec::with_capacity(texts.len());
    for text in &texts {
        let end = start + text.len();
        let inside = spans.iter().filter(|span| span.start < end && span.end > start);
        let clipped = inside.map(|span| span.start.max(start) - start..span.end.min(end) - start);
        found.push(draw::hits(text, clipped));
        start = end;
    }
    found
}
