//! A box over the middle of the screen: for what is asked and goes away again.
//!
//! Used by the palette and the export dialog. What is below it is cleared, not dimmed: it is the same on all terminals.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::draw;
use super::theme::Theme;

/// Clears and frames a box for `width` by `height` cells inside, smaller where there is no room; gives its inside.
pub(super) fn open(
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    (width, height): (u16, u16),
    theme: &Theme,
) -> Rect {
    open_up_to(area, buf, title, (width, height, height), theme)
}

/// The same for a box whose height changes while it is open: its top stays where that of the tallest is.
pub(super) fn open_up_to(
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    (width, height, tallest): (u16, u16, u16),
    theme: &Theme,
) -> Rect {
    let width = (width + 2).min(area.width);
    let tallest = (tallest + 2).min(area.height);
    let height = (height + 2).min(tallest);
    let outer =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - tallest) / 3, width, height };
    clear(outer, buf, theme);
    let [upper_left, upper_right, lower_left, lower_right] = theme.glyphs.corners;
    let dashes = theme.glyphs.horizontal.repeat(usize::from(width.saturating_sub(2)));
    let last = outer.bottom().saturating_sub(1);
    draw::text(buf, outer, outer.x, outer.y, &format!("{upper_left}{dashes}{upper_right}"), theme.rule);
    draw::text(buf, outer, outer.x, last, &format!("{lower_left}{dashes}{lower_right}"), theme.rule);
    for y in outer.y.saturating_add(1)..last {
        draw::text(buf, outer, outer.x, y, theme.glyphs.vertical, theme.rule);
        draw::text(buf, outer, outer.right().saturating_sub(1), y, theme.glyphs.vertical, theme.rule);
    }
    let top = Rect { width: width.saturating_sub(2), ..outer };
    draw::text(buf, top, outer.x.saturating_add(2), outer.y, &format!(" {title} "), theme.title);
    Rect {
        x: outer.x.saturating_add(1),
        y: outer.y.saturating_add(1),
        width: width.saturating_sub(2),
        height: height.saturating_sub(2),
    }
}

/// A rule from side to side at the row `y` of a box's inside, if there is such a row.
pub(super) fn inside_rule(inner: Rect, buf: &mut Buffer, y: u16, theme: &Theme) {
    if y >= inner.height {
        return;
    }
    let dashes = theme.glyphs.horizontal.repeat(usize::from(inner.width));
    draw::text(buf, inner, inner.x, inner.y + y, &dashes, theme.rule);
}

/// Blanks in the place of whatever was drawn there.
pub(super) fn clear(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let blanks = " ".repeat(usize::from(area.width));
    for y in area.y..area.bottom() {
        draw::text(buf, area, area.x, y, &blanks, theme.text.remove_modifier(Modifier::all()));
    }
}
