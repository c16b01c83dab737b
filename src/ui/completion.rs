//! What may come next in the filter line: a small list under it, and the first of it in grey behind the cursor.
//!
//! Owned by the filter bar. The candidates are made on another thread; an answer to an older text is shown until the
//! new one is there, but never taken.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::theme::Theme;
use super::{draw, format};
use crate::scan::{Advice, Candidate};

/// Columns of a label; a longer one is cut.
const MAX_LABEL: usize = 36;
/// Columns of the bar behind a count.
const BAR: u16 = 8;
/// Rows from which the list has a frame.
const FRAME_FROM: u16 = 5;

/// The newest answer and the place in it.
#[derive(Debug, Default)]
pub(super) struct Completion {
    advice: Arc<Advice>,
    /// The newest question; an answer to it carries this number.
    asked: u64,
    chosen: Option<usize>,
    is_closed: bool,
    /// The key that takes a candidate came before the answer.
    is_awaited: bool,
}

impl Completion {
    /// A new question: its number.
    pub(super) fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.chosen = None;
        self.is_closed = false;
        self.is_awaited = false;
        self.asked
    }

    /// Takes an answer; `true` if it is one to the newest question and a candidate of it was asked for already.
    pub(super) fn take(&mut self, advice: Arc<Advice>) -> bool {
        if advice.id != self.asked {
            return false;
        }
        let label = self.chosen.and_then(|at| self.advice.candidates.get(at)).map(|chosen| &chosen.label);
        self.chosen =
            label.and_then(|label| advice.candidates.iter().position(|other| other.label == *label));
        self.advice = advice;
        std::mem::take(&mut self.is_awaited) && !self.advice.candidates.is_empty()
    }

    /// The answer to the newest question, once it is there.
    pub(super) fn advice(&self) -> Option<&Advice> {
        (self.advice.id == self.asked).then_some(&*self.advice)
    }

    /// Whether `text` has anything to gain from the list as it is now.
    pub(super) fn is_open(&self, text: &str) -> bool {
        let typed = text.get(self.advice.span.clone());
        let is_typed = |only: &Candidate| typed == Some(only.insert.as_str());
        let is_idle = match &self.advice.candidates[..] {
            [] => true,
            [only] => is_typed(only),
            _ => false,
        };
        !self.is_closed && !is_idle
    }

    /// Closes the list; `true` if it was open.
    pub(super) fn close(&mut self, text: &str) -> bool {
        let was_open = self.is_open(text);
        self.is_closed = true;
        was_open
    }

    pub(super) fn is_chosen(&self) -> bool {
        self.chosen.is_some()
    }

    /// Moves through the list, over its ends to nothing chosen.
    pub(super) fn step(&mut self, is_down: bool) {
        let count = self.advice.candidates.len();
        self.chosen = match (self.chosen, is_down) {
            (None, true) => Some(0),
            (None, false) => count.checked_sub(1),
            (Some(at), true) => Some(at + 1).filter(|at| *at < count),
            (Some(at), false) => at.checked_sub(1),
        };
    }

    /// `text` with the chosen candidate, or the first, and the cursor's place; `None` before the answer is there.
    pub(super) fn taken(&mut self, text: &str) -> Option<(String, usize)> {
        if self.advice.id != self.asked {
            self.is_awaited = true;
            return None;
        }
        let candidate = self.advice.candidates.get(self.chosen.unwrap_or(0))?;
        Some(self.advice.apply(text, candidate))
    }

    /// What the chosen or first candidate would add behind the cursor at the end of `text`.
    pub(super) fn ghost(&self, text: &str) -> Option<&str> {
        // An empty line shows nothing that was not typed or chosen.
        if !self.is_open(text) || text.is_empty() && self.chosen.is_none() {
            return None;
        }
        let typed = text.get(self.advice.span.start..)?;
        let insert = &self.advice.candidates.get(self.chosen.unwrap_or(0))?.insert;
        let begins = insert.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
        insert.get(typed.len()..).filter(|rest| begins && !rest.is_empty())
    }

    /// The first letter of the ghost.
    pub(super) fn ghost_letter(&self, text: &str) -> Option<&str> {
        self.ghost(text)?.graphemes(true).next()
    }

    /// The byte of the text under which the list stands.
    pub(super) fn start(&self) -> usize {
        self.advice.span.start
    }

    /// Draws the list into the upper left of `area`, as far right as `x` allows.
    pub(super) fn render(&self, area: Rect, x: u16, buf: &mut Buffer, theme: &Theme) {
        let rows = Rows::of(&self.advice, theme);
        let is_framed = area.height >= FRAME_FROM && area.width > 20;
        let frame = if is_framed { 2 } else { 0 };
        let more = u16::from(self.advice.hidden > 0);
        let wanted = u16::try_from(self.advice.candidates.len()).unwrap_or(u16::MAX).saturating_add(more);
        let height = wanted.min(area.height.saturating_sub(frame));
        let title = theme.gate.plain_capped(&self.advice.title, 24);
        let title_columns = if is_framed { theme.gate.columns(&title) + 4 } else { 0 };
        let inner = u16::try_from(rows.width().max(title_columns)).unwrap_or(u16::MAX);
        let inner = inner.min(area.width.saturating_sub(4));
        let x = x.min(area.right().saturating_sub(inner + 4)).max(area.x);
        let shown = Rect { x, y: area.y, width: inner + 4, height: height + frame };
        blank(shown, buf, theme);
        if is_framed {
            border(shown, buf, &title, theme);
        }
        let first =
            self.chosen.map_or(0, |at| (at + 1).saturating_sub(usize::from(height.saturating_sub(more))));
        for line in 0..height {
            let row = Rect { x: x + 2, y: area.y + frame / 2 + line, width: inner, height: 1 };
            let at = first + usize::from(line);
            match self.advice.candidates.get(at).filter(|_| line + more < height || more == 0) {
                Some(_) => rows.render(at, row, buf, self.chosen == Some(at), theme),
                None => {
                    let text =
                        format!("{}and {} more", theme.glyphs.cut, format::count(self.advice.hidden as u64));
                    draw::text(buf, row, row.x, row.y, &text, theme.dim);
                }
            }
        }
        hint(area, shown, buf, theme);
    }
}

/// The columns of the list.
struct Rows<'a> {
    advice: &'a Advice,
    label: usize,
    counts: Vec<String>,
    count: usize,
    detail: usize,
    top: u64,
}

impl<'a> Rows<'a> {
    fn of(advice: &'a Advice, theme: &Theme) -> Self {
        let about = if advice.is_estimate { "~" } else { "" };
        let count = |candidate: &Candidate| {
            candidate.count.map(|count| format!("{about}{}", format::count(count))).unwrap_or_default()
        };
        let counts: Vec<String> = advice.candidates.iter().map(count).collect();
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        Self {
            label: widest(
                &mut advice.candidates.iter().map(|one| theme.gate.columns(&one.label).min(MAX_LABEL)),
            ),
            count: widest(&mut counts.iter().map(String::len)),
            detail: widest(&mut advice.candidates.iter().map(|one| one.detail.len().min(MAX_LABEL))),
            top: advice.candidates.iter().filter_map(|one| one.count).max().unwrap_or(0),
            counts,
            advice,
        }
    }

    fn width(&self) -> usize {
        let bar = if self.count > 0 { self.count + 4 + usize::from(BAR) } else { 0 };
        let detail = if self.detail > 0 { self.detail + 2 } else { 0 };
        self.label + bar + detail
    }

    fn render(&self, at: usize, row: Rect, buf: &mut Buffer, is_chosen: bool, theme: &Theme) {
        let candidate = &self.advice.candidates[at];
        let style = |own| if is_chosen { theme.selection } else { own };
        if is_chosen {
            buf.set_style(Rect { x: row.x.saturating_sub(1), width: row.width + 2, ..row }, theme.selection);
        }
        let label = theme.gate.line(&candidate.label, self.label.min(usize::from(row.width)));
        draw::line(buf, row, row.x, row.y, &label, style(theme.text));
        let mut x = row.x.saturating_add(u16::try_from(self.label).unwrap_or(u16::MAX));
        if self.count > 0 {
            let count = format!("  {:>1$}  ", self.counts[at], self.count);
            x = draw::text(buf, row, x, row.y, &count, style(theme.text));
            let bar = candidate.count.map(|count| format::bar(count, self.top, BAR, theme.glyphs));
            draw::text(buf, row, x, row.y, &bar.unwrap_or_default(), style(theme.accent));
            x = x.saturating_add(BAR);
        }
        if self.detail > 0 {
            let room = usize::from(row.right().saturating_sub(x + 2));
            draw::line(buf, row, x + 2, row.y, &theme.gate.line(&candidate.detail, room), style(theme.dim));
        }
    }
}

fn blank(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let spaces = " ".repeat(usize::from(area.width));
    for y in area.y..area.bottom() {
        // The text below must not shine through in its style.
        for x in area.x..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
        draw::text(buf, area, area.x, y, &spaces, theme.text);
    }
}

fn border(area: Rect, buf: &mut Buffer, title: &str, theme: &Theme) {
    let glyphs = theme.glyphs;
    let [upper_left, upper_right, lower_left, lower_right] = glyphs.corners;
    let dashes = |count: usize| glyphs.horizontal.repeat(count);
    let inside = usize::from(area.width.saturating_sub(2));
    let titled = inside.saturating_sub(theme.gate.columns(title) + 3);
    let bottom = area.bottom().saturating_sub(1);
    let upper = if title.is_empty() {
        format!("{upper_left}{}{upper_right}", dashes(inside))
    } else {
        format!("{upper_left}{} {title} {}{upper_right}", dashes(1), dashes(titled))
    };
    draw::text(buf, area, area.x, area.y, &upper, theme.rule);
    draw::text(
        buf,
        area,
        area.x,
        bottom,
        &format!("{lower_left}{}{lower_right}", dashes(inside)),
        theme.rule,
    );
    for y in area.y + 1..bottom {
        draw::text(buf, area, area.x, y, glyphs.vertical, theme.rule);
        draw::text(buf, area, area.right() - 1, y, glyphs.vertical, theme.rule);
    }
}

/// How the list is used, beside it where there is room.
fn hint(area: Rect, list: Rect, buf: &mut Buffer, theme: &Theme) {
    let (down, up, right) = if theme.gate.ascii { ("Down", "Up", "Right") } else { ("↓", "↑", "→") };
    let dot = theme.glyphs.dot;
    let text =
        format!(" Tab takes the first {dot} {down} {up} choose {dot} {right} one letter {dot} Esc closes ");
    let room = area.right().saturating_sub(list.right() + 1);
    if list.height > 3 && usize::from(room) > theme.gate.columns(&text) + 1 {
        draw::text(buf, area, list.right() + 1, list.y, &text, theme.dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(id: u64, span: std::ops::Range<usize>, inserts: &[&str]) -> Arc<Advice> {
        let candidate = |insert: &&str| Candidate {
            insert: (*insert).to_owned(),
            label: (*insert).to_owned(),
            ..Candidate::default()
        };
        Arc::new(Advice {
            id,
            span,
            candidates: inserts.iter().map(candidate).collect(),
            ..Advice::default()
        })
    }

    #[test]
    fn an_answer_counts_for_its_own_question_only() {
        let mut completion = Completion::default();
        let id = completion.ask();
        assert!(!completion.take(advice(id + 1, 0..1, &["status:"])));
        assert_eq!(completion.taken("s"), None, "the answer is still to come");
        assert!(completion.take(advice(id, 0..1, &["status:", "size>"])), "and was waited for");
        assert_eq!(completion.taken("s"), Some(("status:".to_owned(), 7)));
        completion.step(true);
        completion.step(true);
        assert_eq!(completion.taken("s"), Some(("size>".to_owned(), 5)));
        completion.ask();
        assert!(completion.advice().is_none() && completion.is_open("si"), "shown until there is another");
        assert!(!completion.is_chosen(), "what was chosen was of the text before");
    }

    #[test]
    fn the_ghost_is_what_is_left_of_the_first_in_any_case() {
        let mut completion = Completion::default();
        let id = completion.ask();
        completion.take(advice(id, 7..9, &["POST", "PUT"]));
        assert_eq!(completion.ghost("method:po"), Some("ST"));
        assert_eq!(completion.ghost_letter("method:po"), Some("S"));
        assert_eq!(completion.ghost("method:xx"), None);
        assert!(completion.close("method:po") && !completion.close("method:po"));
        assert_eq!(completion.ghost("method:po"), None, "closed");
    }

    #[test]
    fn a_list_of_what_is_typed_already_stays_closed() {
        let mut completion = Completion::default();
        let id = completion.ask();
        completion.take(advice(id, 6..12, &["reload"]));
        assert!(!completion.is_open("since:reload") && completion.is_open("since:re"));
    }

    #[test]
    fn it_is_drawn_inside_any_area() {
        let theme = Theme::new(crate::ui::theme::Palette::Mono, false);
        let mut completion = Completion::default();
        let id = completion.ask();
        let long = "x".repeat(200);
        completion.take(advice(id, 0..0, &[&long, "漢字", "\u{1b}[2J", "a", "b", "c", "d", "e"]));
        for (width, height) in [(1, 1), (5, 3), (20, 4), (40, 6), (200, 60)] {
            for x in [0, 3, 500] {
                let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
                completion.step(true);
                completion.render(buf.area, x, &mut buf, &theme);
            }
        }
    }
}
