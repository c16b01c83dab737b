//! Lines that scroll: what does not fit is a key away, and the last row says so.
//!
//! Shared by the screens that are read and not moved in.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::table::row_of;
use crate::ui::draw;
use crate::ui::format;
use crate::ui::keys::Action;
use crate::ui::theme::Theme;

/// One row of a page.
#[derive(Clone, Debug)]
pub(super) enum Row {
    /// A divider with a title.
    Rule(String),
    /// Texts one after the other; any text.
    Text(Vec<(String, Style)>),
}

impl Row {
    pub(super) fn text(text: impl Into<String>, style: Style) -> Self {
        Self::Text(vec![(text.into(), style)])
    }

    /// Whether its text has `wanted`, which is in small letters.
    pub(super) fn has(&self, wanted: &str) -> bool {
        let Self::Text(parts) = self else { return false };
        let text: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        text.to_lowercase().contains(wanted)
    }

    pub(super) fn empty() -> Self {
        Self::Text(Vec::new())
    }
}

/// How far a page is scrolled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    top: usize,
    height: usize,
    /// The last row that can be on top, as of the last drawing.
    end: usize,
    /// A row that is to be in sight when it is drawn next.
    wanted: Option<usize>,
}

impl Page {
    /// Scrolls; `false` if the key is not for that.
    pub(super) fn on_action(&mut self, action: Action) -> bool {
        let page = self.height.max(1);
        self.top = match action {
            Action::Down => self.top + 1,
            Action::Up => self.top.saturating_sub(1),
            Action::PageDown => self.top + page,
            Action::PageUp => self.top.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => self.end,
            _ => return false,
        }
        .min(self.end);
        true
    }

    /// Scrolls, when it is drawn next, as far as needed to have this row in sight.
    pub(super) fn reveal(&mut self, row: usize) {
        self.wanted = Some(row);
    }

    /// Draws the rows from where the page is scrolled to.
    pub(super) fn render(&mut self, area: Rect, buf: &mut Buffer, rows: &[Row], theme: &Theme) {
        let height = usize::from(area.height);
        // Where rows are out of sight the last row tells how many.
        self.height = if rows.len() > height { height.saturating_sub(1) } else { height };
        self.end = rows.len().saturating_sub(self.height);
        if let Some(row) = self.wanted.take() {
            self.top = self.top.min(row).max((row + 1).saturating_sub(self.height));
        }
        self.top = self.top.min(self.end);
        for (y, row) in (0..area.height).zip(rows.iter().skip(self.top).take(self.height)) {
            draw_row(row_of(area, y), buf, row, theme);
        }
        if rows.len() > height && height > 0 {
            let left = rows.len() - self.top - self.height;
            let text = match left {
                0 => "end".to_owned(),
                left => format!("{} {} more", theme.glyphs.newer, format::count(left as u64)),
            };
            let row = row_of(area, area.height - 1);
            draw::text(buf, row, row.x.saturating_add(1), row.y, &text, theme.dim);
        }
    }
}

fn draw_row(area: Rect, buf: &mut Buffer, row: &Row, theme: &Theme) {
    match row {
        Row::Rule(title) => draw::rule(buf, area, title, "", theme.rule, theme.glyphs),
        Row::Text(parts) => {
            let mut x = area.x.saturating_add(1);
            for (text, style) in parts {
                let room = usize::from(area.right().saturating_sub(x));
                x = draw::line(buf, area, x, area.y, &theme.gate.line(text, room), *style);
            }
        }
    }
}
