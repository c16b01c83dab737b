//! Where the lanes, the axis and the list go, from large screens down to a few rows.
//!
//! Called by the timeline for each frame. What gives way first: rows of single requests, the lower axis, the lanes that
//! say least, the axis.

use ratatui::layout::Rect;

use super::super::table::row_of;
use super::track::Lane;

/// Columns for names of lanes and endpoints, by the width from which they are given.
const GUTTERS: [(u16, u16); 4] = [(160, 34), (100, 26), (70, 18), (0, 9)];
/// From this height on every lane has its row.
const ALL_LANES: u16 = 16;
/// The same for both lines of the axis.
const BOTH_LINES: u16 = 20;
/// The same for a row that says what the marks mean.
const LEGEND: u16 = 20;
/// The lanes where there is not room for all, most telling first.
const FEW: [Lane; 3] = [Lane::Net, Lane::Err, Lane::Click];

/// The parts of the screen; those without room have no height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) gutter: u16,
    pub(super) labels: Rect,
    pub(super) top: Rect,
    /// Lanes and the requests below the lane of requests.
    rows: Rect,
    pub(super) bottom: Rect,
    pub(super) legend: Rect,
    pub(super) list: Rect,
    lanes: u16,
    /// Rows for single endpoints.
    pub(super) requests: usize,
}

impl Layout {
    pub(super) fn of(area: Rect) -> Self {
        let gutter = GUTTERS.iter().find(|(from, _)| area.width >= *from).map_or(9, |(_, gutter)| *gutter);
        let lanes = match area.height {
            ALL_LANES.. => {
                if area.height >= BOTH_LINES {
                    7
                } else {
                    6
                }
            }
            12.. => 3,
            8.. => 2,
            4.. => 1,
            _ => 0,
        };
        let labels = u16::from(area.height >= 6);
        let top = u16::from(area.height >= 12);
        let bottom = u16::from(area.height >= BOTH_LINES);
        let legend = u16::from(area.height >= LEGEND);
        // The rule on top, the axis, the lanes, and at least the list's rule.
        let spare = area.height.saturating_sub(1 + labels + top + bottom + legend + lanes + 1);
        let requests = if area.height >= 12 { spare * 2 / 5 } else { 0 };
        let mut y = 1;
        let mut part = |height: u16| {
            let rect = Rect { height: height.min(area.height.saturating_sub(y)), ..row_of(area, y) };
            y = y.saturating_add(height);
            rect
        };
        let (labels, top) = (part(labels), part(top));
        let rows = part(lanes + requests);
        let bottom = part(bottom);
        let legend = part(legend);
        let list = part(u16::MAX);
        Self { gutter, labels, top, rows, bottom, legend, list, lanes, requests: usize::from(requests) }
    }

    /// Columns of the axis.
    pub(super) fn width(&self) -> u16 {
        self.over(self.rows).width
    }

    /// The part of a row that is over the axis; a column stays free at the right end.
    pub(super) fn over(&self, row: Rect) -> Rect {
        let gutter = self.gutter.min(row.width);
        Rect { x: row.x.saturating_add(gutter), width: (row.width - gutter).saturating_sub(1), ..row }
    }

    /// The lanes there is room for, from top to bottom.
    pub(super) fn lanes(&self) -> &'static [Lane] {
        let count = usize::from(self.lanes);
        let all: &'static [Lane] = if count > FEW.len() { &Lane::ALL } else { &FEW };
        &all[..count.min(all.len())]
    }

    /// Rows from top to bottom.
    pub(super) fn rows(&self, requests: usize) -> impl Iterator<Item = Rect> + use<> {
        let area = self.rows;
        let count = usize::from(self.lanes) + requests.min(self.requests);
        (0..area.height.min(u16::try_from(count).unwrap_or(u16::MAX))).map(move |y| row_of(area, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_nor_leave_the_area() {
        for height in 0..80 {
            for width in [0, 5, 40, 80, 120, 200] {
                let area = Rect::new(3, 2, width, height);
                let layout = Layout::of(area);
                let mut y = area.y + u16::from(height > 0);
                let Layout { labels, top, rows, bottom, legend, list, .. } = layout;
                for part in [labels, top, rows, bottom, legend, list] {
                    assert!(part.y == y || part.height == 0, "{width}x{height}: {layout:?}");
                    assert!(
                        part.bottom() <= area.bottom() || part.height == 0,
                        "{width}x{height}: {layout:?}"
                    );
                    y += part.height;
                }
                let over = layout.over(layout.rows);
                assert!(over.right() <= area.right().max(over.x), "{width}x{height}: {layout:?}");
            }
        }
        assert!(Layout::of(Rect::new(0, 0, 40, 4)).list.height >= 2, "the smallest screen lists events");
    }
}
