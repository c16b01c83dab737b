//! What is known of one group: its whole message, what caused it, where, what came just before, and when else.
//!
//! Drawn by the errors screen below its table, of the latest occurrence while that is kept.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::table::{below, clock, or_none, row_of};
use super::occurrences::Occurrences;
use super::{MAX_SESSIONS, OTHER, message};
use crate::event::gate::Line;
use crate::event::{EventRef, Flags, json};
use crate::scan::Moment;
use crate::stack::{self, Relation};
use crate::stats::GroupRow;
use crate::ui::format::counted;
use crate::ui::theme::level_word;
use crate::ui::view::View;
use crate::ui::{before, code_frame, draw, raw_stack};

/// Parts and causes that are shown.
const MAX_CAUSES: usize = 4;
/// Lines of a stack that are shown.
const MAX_STACK: usize = 64;
/// Rows that occurrences get, with their rule, where there is room.
const OCCURRENCES: u16 = 6;

/// Lines of the detail as they are made.
struct Out<'a> {
    lines: Vec<(Line, Style)>,
    width: usize,
    view: &'a View<'a>,
}

impl Out<'_> {
    fn push(&mut self, text: &str, most: usize, style: Style) {
        let lines = self.view.theme.gate.lines(text, self.width.max(1), most);
        self.lines.extend(lines.into_iter().map(|line| (line, style)));
    }
}

/// Which lines of a stack are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Frames {
    /// Those of libraries in one line.
    #[default]
    Own,
    All,
    /// All, as the browser told them.
    Raw,
}

impl Frames {
    /// This way of showing them, or the usual one where it is this way already.
    pub(super) fn or_usual(self, now: Self) -> Self {
        if self == now { Self::Own } else { self }
    }
}

/// Draws `group` with its mark, its stack as asked for, and its occurrences.
pub(super) fn render(
    (area, buf): (Rect, &mut Buffer),
    group: &GroupRow,
    (mark, differs, frames, occurrences): (&str, Option<&str>, Frames, &mut Occurrences),
    view: &View<'_>,
) {
    let theme = view.theme;
    let kind = theme.gate.plain_capped(or_none(&group.subtype, theme), 24);
    let title = match group.status {
        Some(status) => format!("{} {kind} {status}", level_word(group.level)),
        None => format!("{} {kind}", level_word(group.level)),
    };
    let right = match mark {
        "N" => "N: new in this load",
        "G" => "G: has not come back in this load",
        _ => "",
    };
    draw::rule(buf, area, &title, right, theme.rule, theme.glyphs);
    let body = below(area, 1);
    // The list of occurrences has no more rows than it needs, and never more than half.
    let rows = u16::try_from(group.count).unwrap_or(u16::MAX).saturating_add(1);
    let rows = if occurrences.cursor.is_some() { rows.max(OCCURRENCES) } else { rows.min(OCCURRENCES) };
    let rows = rows.min(body.height / 2);
    let above = Rect { height: body.height - rows, ..body };
    let width = usize::from(area.width.saturating_sub(2));
    let lines = lines(group, (width, usize::from(above.height)), (differs, frames), view);
    for (y, (line, style)) in (0..above.height).zip(&lines) {
        let row = row_of(above, y);
        draw::line(buf, row, row.x.saturating_add(1), row.y, line, *style);
    }
    occurrences.render(below(body, above.height), buf, group.count, view);
}

fn lines(
    group: &GroupRow,
    (width, height): (usize, usize),
    (differs, frames): (Option<&str>, Frames),
    view: &View<'_>,
) -> Vec<(Line, Style)> {
    let theme = view.theme;
    let mut out = Out { lines: Vec::new(), width, view };
    out.push(message(group), (height / 2).max(1), theme.title);
    out.push(&numbers(group, view), 3, theme.dim);
    if let Some(firing) = view.alerted.about(group.group) {
        let (name, since) = (&firing.rule.name, clock(firing.since, view.zone));
        out.push(&format!("! alert {name}: {} since {since}", firing.measured()), 1, theme.worse);
    }
    let latest = view.snapshot.event(group.last_ordinal);
    let Some(event) = latest else {
        out.push("its latest occurrence is no longer kept", 1, theme.dim);
        return out.lines;
    };
    let headline = event.headline();
    if headline != message(group) {
        out.push(&format!("the latest says: {headline}"), 2, theme.text);
    }
    let moment = Moment { inst: event.inst(), ordinal: group.last_ordinal };
    if let Some(before) = before::of(moment, event, view) {
        out.push(&format!("before it  {before}"), 2, theme.text);
    }
    if let Some(differs) = differs {
        out.push(&format!("differs    from events that did not fail: {differs}"), 2, theme.text);
    }
    causes(event, &mut out);
    frames_of(event, frames, &mut out);
    out.lines
}

fn numbers(group: &GroupRow, view: &View<'_>) -> String {
    let dot = view.theme.glyphs.dot;
    let more = if group.sessions >= MAX_SESSIONS { " or more" } else { "" };
    let name = match group.group {
        OTHER => "other groups".to_owned(),
        group => format!("group {group:016x}"),
    };
    format!(
        "{name} {dot} {} {dot} {}{more}\nfirst {} {dot} last {}",
        counted(group.count, "event"),
        counted(group.sessions as u64, "session"),
        clock(group.first, view.zone),
        clock(group.last, view.zone),
    )
}

/// What it is made of, what caused it, and what caused that.
fn causes(event: EventRef<'_>, out: &mut Out<'_>) {
    let theme = out.view.theme;
    let mut all = stack::beside(event.json());
    for (relation, value) in all.by_ref().take(MAX_CAUSES) {
        let word = if relation == Relation::Part { "one of them" } else { "caused by" };
        // It may have several lines.
        let head = stack::head(value);
        out.push(&format!("{word}  {}", head.lines().next().unwrap_or_default()), 2, theme.text);
    }
    let more = all.count();
    if more > 0 {
        out.push(&format!("and {more} more, which the event's detail shows"), 1, theme.dim);
    }
}

/// The stack: own frames bright; those of libraries dim, or in one line.
fn frames_of(event: EventRef<'_>, frames: Frames, out: &mut Out<'_>) {
    let theme = out.view.theme;
    let folds = (frames == Frames::Own).then_some("z unfolds");
    let mapped = event.mapped().filter(|mapped| frames != Frames::Raw && !mapped.traces.is_empty());
    if let Some(mapped) = mapped {
        out.push("", 1, theme.text);
        let rows = code_frame::rows(mapped, (folds, false), out.width, theme);
        out.lines.extend(rows.into_iter().map(|row| (row.line, row.style)));
        return;
    }
    let Some(stack) = event.get(&["stack"]).and_then(json::text).filter(|stack| !stack.is_empty()) else {
        // Nobody looks for the stack of an answer.
        if !event.flags().has(Flags::REQUEST) {
            out.push("its latest occurrence has no stack", 1, theme.dim);
        }
        return;
    };
    out.push("", 1, theme.text);
    for line in raw_stack::lines(&stack, folds, theme).into_iter().take(MAX_STACK) {
        out.push(&line.text, 2, if line.is_dim { theme.dim } else { theme.text });
    }
}
