//! The percentile curve of an endpoint: how long a share of its requests took at the most, now and before.
//!
//! Drawn over shares that come closer together towards the slowest, and over a logarithmic scale of time, so that
//! both ends can be read.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::table::row_of;
use crate::event::Micros;
use crate::stats::{CURVE, EndpointRow};
use crate::ui::draw;
use crate::ui::format;
use crate::ui::theme::Theme;

/// Columns for the times, with the axis.
const GUTTER: u16 = 8;
/// Up to which share the axis goes before the slowest of all: 99.9 % is three powers of ten.
const POWERS: f64 = 3.0;
/// The shares that are named below the axis.
const NAMED: [(f64, &str); 7] =
    [(0.0, "min"), (0.5, "50%"), (0.75, "75%"), (0.9, "90%"), (0.95, "95%"), (0.99, "99%"), (0.999, "99.9%")];

/// The smallest area that is worth a curve.
pub(super) const LEAST: (u16, u16) = (40, 5);

/// Draws the curve of `now` as an area and that of `before` as a line.
pub(super) fn render(
    area: Rect,
    buf: &mut Buffer,
    now: &EndpointRow,
    before: Option<&EndpointRow>,
    theme: &Theme,
) {
    let (width, height) = (area.width.saturating_sub(GUTTER + 1), area.height.saturating_sub(1));
    if now.latency.count == 0 || width < 2 || height == 0 {
        return;
    }
    let before = before.filter(|row| row.latency.count > 0);
    let scale = Scale::of(now, before, height);
    let from = area.x + GUTTER;
    for (row, share) in [(0, 1.0), (height / 2, 0.5), (height - 1, 0.0)] {
        let label = format::right(&format::duration(scale.at(share), theme.glyphs), 6, theme.gate);
        draw::text(buf, row_of(area, row), area.x, area.y + row, &label, theme.dim);
    }
    for y in 0..height {
        draw::text(buf, row_of(area, y), from - 1, area.y + y, theme.glyphs.vertical, theme.rule);
    }
    for column in 0..width {
        let share = share_of(column, width);
        let filled = scale.eighths(at(now, share));
        let line = before.map(|before| (scale.eighths(at(before, share)) / 8).min(usize::from(height) - 1));
        for y in 0..height {
            let below = usize::from(height - 1 - y);
            let here = filled.saturating_sub(below * 8).min(8);
            let (mark, style) = match (here, line == Some(below)) {
                (_, true) => (theme.glyphs.horizontal, theme.warn),
                (0, false) => continue,
                (here, false) => (theme.glyphs.spark[here - 1], theme.accent),
            };
            draw::text(buf, row_of(area, y), from + column, area.y + y, mark, style);
        }
    }
    labels(Rect { x: from, width, ..row_of(area, height) }, buf, theme);
}

fn labels(row: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut free = row.x;
    let end = row.right().saturating_sub(3);
    for (share, name) in NAMED {
        let x = row.x + column_of(share, row.width);
        let width = u16::try_from(name.len()).unwrap_or(u16::MAX);
        if x >= free && x + width < end {
            draw::text(buf, row, x, row.y, name, theme.dim);
            free = x + width + 1;
        }
    }
    draw::text(buf, row, end, row.y, "max", theme.dim);
}

/// How long the fastest of that share took at the most.
fn at(row: &EndpointRow, share: f64) -> Micros {
    let point =
        CURVE.iter().position(|own| f64::from(*own) >= share * 10_000.0 - 0.5).unwrap_or(CURVE.len() - 1);
    row.spread.curve[point]
}

/// The share of a column; that of the last is all.
fn share_of(column: u16, width: u16) -> f64 {
    if column + 1 >= width {
        return 1.0;
    }
    1.0 - 10_f64.powf(-POWERS * f64::from(column) / f64::from(width - 1))
}

fn column_of(share: f64, width: u16) -> u16 {
    let part = -(1.0 - share).log10() / POWERS;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the width")]
    let column = (part * f64::from(width - 1)).round().clamp(0.0, f64::from(width)) as u16;
    column
}

/// Times to heights, each power of two equally high.
struct Scale {
    low: f64,
    high: f64,
    height: f64,
}

impl Scale {
    fn of(now: &EndpointRow, before: Option<&EndpointRow>, height: u16) -> Self {
        let both = [Some(now), before];
        let ends = |at: usize| both.iter().flatten().map(move |row| row.spread.curve[at].0.max(1) as f64);
        let high = ends(CURVE.len() - 1).fold(1.0, f64::max);
        // Even where all took the same there is something to be seen.
        let low = ends(0).fold(high, f64::min).min(high / 2.0);
        Self { low, high, height: f64::from(height) }
    }

    fn eighths(&self, span: Micros) -> usize {
        let part = ((span.0.max(1) as f64 / self.low).ln() / (self.high / self.low).ln()).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the height")]
        let eighths = (part * self.height * 8.0).ceil() as usize;
        eighths.max(1)
    }

    fn at(&self, share: f64) -> Micros {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two durations")]
        let span = (self.low * (self.high / self.low).powf(share)).round() as u64;
        Micros(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_shares_go_into_each_other() {
        for (share, _) in NAMED {
            let column = column_of(share, 120);
            assert!((share_of(column, 120) - share).abs() < 0.02 || share > 0.99, "{share}: {column}");
        }
        assert!((share_of(119, 120) - 1.0).abs() < f64::EPSILON);
    }
}
