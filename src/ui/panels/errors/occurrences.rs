//! The latest events of a group, newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::table::{Align, Cell, Column, below, cell, clock, draw_row, or_none, place, plain, row_of};
use crate::event::EventRef;
use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format::{self, counted};
use crate::ui::tabs;
use crate::ui::view::View;
use crate::ui::whose;

/// Of a group; the rest is an Enter away.
const MAX: usize = 50;

const COLUMNS: [Column; 6] = [
    plain("", Align::Left, (12, 12), 0),
    plain("", Align::Right, (4, 4), 50),
    plain("", Align::Left, (5, 5), 0),
    plain("", Align::Left, (12, 16), 60),
    plain("", Align::Left, (12, 18), 90),
    plain("", Align::Rest, (0, 0), 0),
];

/// Those of one group, as last looked for, and the place among them while the keys go there.
#[derive(Debug, Default)]
pub(super) struct Occurrences {
    of: Option<(u64, u64, u64)>,
    ordinals: Vec<u64>,
    pub(super) cursor: Option<Cursor<u64>>,
}

impl Occurrences {
    /// Those of `group`, of which there are `count`.
    pub(super) fn find(&mut self, group: u64, count: u64, view: &View<'_>) -> &[u64] {
        let key = (group, count, view.matches.id);
        if self.of != Some(key) {
            self.of = Some(key);
            let newest = view.matches.segments.iter().rev().flat_map(|segment| {
                let groups = segment.chunk.groups();
                segment.ordinals().rev().filter(move |(_, row)| groups[*row] == group)
            });
            self.ordinals = newest.map(|(ordinal, _)| ordinal).take(MAX).collect();
        }
        self.ordinals.retain(|ordinal| *ordinal >= view.snapshot.first);
        &self.ordinals
    }

    /// Draws them under a rule.
    pub(super) fn render(&mut self, area: Rect, buf: &mut Buffer, count: u64, view: &View<'_>) {
        let theme = view.theme;
        let shown = self.ordinals.len() as u64;
        let title = match shown {
            shown if shown < count => format!("occurrences, the latest {shown} of {}", format::count(count)),
            _ => format!("occurrences, {}", counted(count, "event")),
        };
        let hint = if self.cursor.is_some() { "" } else { "Tab goes there" };
        draw::rule(buf, area, &title, hint, theme.rule, theme.glyphs);
        let body = below(area, 1);
        let height = usize::from(body.height);
        let (top, selected) = match &mut self.cursor {
            Some(cursor) => (cursor.scroll(&self.ordinals, height), cursor.position(&self.ordinals)),
            None => (0, None),
        };
        if self.ordinals.is_empty() {
            draw::text(buf, body, body.x.saturating_add(2), body.y, "none of them is still kept", theme.dim);
        }
        let placed = place(&COLUMNS, body);
        let events = self.ordinals.iter().enumerate().skip(top);
        let events = events.filter_map(|(at, ordinal)| Some((at, view.snapshot.event(*ordinal)?)));
        for (y, (at, event)) in (0..body.height).zip(events) {
            let marks = [selected == Some(at), false];
            draw_row((row_of(body, y), &mut *buf), theme, &placed, &cells(event, view), marks);
        }
    }
}

fn cells<'a>(event: EventRef<'a>, view: &View<'_>) -> Vec<Cell<'a>> {
    let theme = view.theme;
    let page = whose::page(event);
    vec![
        cell(clock(event.inst(), view.zone), theme.text),
        cell(format::age(view.now.since(event.inst())), theme.dim),
        cell(tabs::load(&view.snapshot.loads, event.tab(), event.load(), theme.glyphs), theme.dim),
        cell(if event.session().is_empty() { "?" } else { event.session() }, theme.text),
        cell(or_none(event.user(), theme).to_owned(), theme.text),
        cell(or_none(&page, theme).to_owned(), theme.dim),
    ]
}
