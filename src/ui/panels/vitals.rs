//! What pages measure of themselves, in blocks: web vitals, the newest page load by phase, rendering, metrics, pages,
//! features, funnels.
//!
//! Shown by the app as screen 5. Tab goes from block to block; Enter lists the events behind a row. A block without
//! rows says in one line what would fill it.

mod blocks;
mod phases;
#[cfg(test)]
mod tests;
mod what;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Panel;
use super::table::{Column, cell, draw_row, place, row_of};
use crate::event::EventRef;
use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format;
use crate::ui::keys::Action;
use crate::ui::narrowing::latest_of;
use crate::ui::theme::Theme;
use crate::ui::view::{Request, View};
use blocks::{Block, Id};

/// From this width on the blocks stand in two columns.
const TWO_COLUMNS: u16 = 180;
/// Percent of the width that the left column of two takes.
const LEFT: u16 = 56;
/// Rows of a block that the selection is not in, in an area of this height and below, and in a taller one.
const FEW_ROWS: (u16, usize, usize) = (24, 4, 8);

/// The vitals screen.
#[derive(Debug, Default)]
pub(in crate::ui) struct Vitals {
    selected: Option<Place>,
    /// How far each column is scrolled.
    columns: [Cursor<Key>; 2],
    /// Rows moved by a page key.
    height: usize,
}

/// A row of a block, by its name there.
type Place = (Id, Arc<str>);

/// A line of a column: one that can be selected, or any other by its number.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Row(Place),
    Fixed(usize),
}

/// What stands in one line of a column.
enum Line<'b, 'a> {
    Rule(&'b Block<'a>),
    Titles(&'static [Column]),
    /// A row of the block.
    Row(&'b Block<'a>, usize),
    Text(String),
    Empty,
}

impl Panel for Vitals {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        let blocks = blocks::of(view);
        let page = isize::try_from(self.height.max(1)).unwrap_or(isize::MAX);
        match action {
            Action::Down => self.step(&blocks, 1),
            Action::Up => self.step(&blocks, -1),
            Action::PageDown => self.step(&blocks, page),
            Action::PageUp => self.step(&blocks, -page),
            Action::Top => self.step(&blocks, isize::MIN),
            Action::Bottom => self.step(&blocks, isize::MAX),
            Action::NextPane => self.step_block(&blocks, 1),
            Action::PreviousPane => self.step_block(&blocks, -1),
            Action::Back => {
                return if self.selected.take().is_some() { Request::Done } else { Request::Ignored };
            }
            Action::Open => {
                let Some((block, row)) = self.current(&blocks) else { return Request::Ignored };
                let term = blocks::term(block, row, view);
                return term.map_or(Request::Done, |term| Request::Drill { term, origin: None });
            }
            _ => return Request::Ignored,
        }
        Request::Done
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let blocks = blocks::of(view);
        self.height = usize::from(area.height / 2);
        if area.width < TWO_COLUMNS {
            return self.render_column(0, (area, buf), view.theme, &blocks.iter().collect::<Vec<_>>());
        }
        let width = super::part(area.width, LEFT);
        let (left, right): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block.id.is_left());
        self.render_column(0, (Rect { width, ..area }, &mut *buf), view.theme, &left);
        // Two blank columns between them.
        let from = area.x.saturating_add(width).saturating_add(2);
        let rest = Rect { x: from, width: area.right().saturating_sub(from), ..area };
        self.render_column(1, (rest, buf), view.theme, &right);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↵", "events behind this row"), ("Tab", "next block"), ("+", "keep only"), ("-", "leave out")]
    }

    fn event<'v>(&mut self, view: &View<'v>) -> Option<EventRef<'v>> {
        let blocks = blocks::of(view);
        let (block, row) = self.current(&blocks)?;
        latest_of(&blocks::term(block, row, view)?, view)
    }

    fn term(&self, view: &View<'_>) -> Option<String> {
        self.selected.as_ref()?;
        let blocks = blocks::of(view);
        let (block, row) = self.current(&blocks)?;
        blocks::term(block, row, view)
    }
}

impl Vitals {
    /// The selected row while it is there, else the first.
    fn current<'b, 'a>(&self, blocks: &'b [Block<'a>]) -> Option<(&'b Block<'a>, usize)> {
        let selected = self.selected.as_ref().and_then(|(id, name)| {
            let block = blocks.iter().find(|block| block.id == *id)?;
            Some((block, block.rows.iter().position(|row| row.name == *name)?))
        });
        selected.or_else(|| blocks.iter().find(|block| !block.rows.is_empty()).map(|block| (block, 0)))
    }

    fn step(&mut self, blocks: &[Block<'_>], step: isize) {
        let rows: Vec<Place> = blocks
            .iter()
            .flat_map(|block| block.rows.iter().map(|row| (block.id, Arc::clone(&row.name))))
            .collect();
        let Some(last) = rows.len().checked_sub(1) else { return };
        let here = self.selected.as_ref().and_then(|selected| rows.iter().position(|row| row == selected));
        let target = match (here, step) {
            (Some(here), step) => here.saturating_add_signed(step).min(last),
            (None, isize::MAX) => last,
            (None, _) => 0,
        };
        self.selected = rows.into_iter().nth(target);
    }

    /// The first row of the next block that has any; without a selection the first block is where one is.
    fn step_block(&mut self, blocks: &[Block<'_>], step: isize) {
        let filled: Vec<_> = blocks.iter().filter(|block| !block.rows.is_empty()).collect();
        if filled.is_empty() {
            return;
        }
        let here = self.selected.as_ref().and_then(|(id, _)| filled.iter().position(|block| block.id == *id));
        let next =
            here.unwrap_or(0).cast_signed().saturating_add(step).rem_euclid(filled.len().cast_signed());
        let block = filled[next.cast_unsigned()];
        self.selected = Some((block.id, Arc::clone(&block.rows[0].name)));
    }

    /// Draws blocks one below the other, from where the selected row and the head of its block are in sight.
    fn render_column(
        &mut self,
        column: usize,
        (area, buf): (Rect, &mut Buffer),
        theme: &Theme,
        blocks: &[&Block<'_>],
    ) {
        let few = if area.height <= FEW_ROWS.0 { FEW_ROWS.1 } else { FEW_ROWS.2 };
        let lines = self.lines(blocks, few);
        let keys: Vec<Key> = lines.iter().enumerate().map(|(at, line)| key_of(at, line)).collect();
        // Where lines are out of sight the last one tells how many.
        let is_over = lines.len() > usize::from(area.height);
        let height = usize::from(area.height.saturating_sub(u16::from(is_over)));
        let own =
            self.selected.clone().map(Key::Row).and_then(|key| keys.iter().position(|other| *other == key));
        let cursor = &mut self.columns[column];
        cursor.release();
        if let Some(own) = own {
            let head = lines[..own].iter().rposition(|line| matches!(line, Line::Rule(_))).unwrap_or(own);
            cursor.select(keys[head].clone());
            cursor.scroll(&keys, height);
            cursor.select(keys[own].clone());
        }
        let top = cursor.scroll(&keys, height);
        for (y, at) in (0..area.height).zip(top..lines.len().min(top + height)) {
            render_line((row_of(area, y), &mut *buf), theme, &lines[at], own == Some(at));
        }
        let below = lines.len().saturating_sub(top + height);
        if is_over && area.height > 0 {
            let text = match below {
                0 => "end".to_owned(),
                below => format!("{} {} more lines", theme.glyphs.newer, format::count(below as u64)),
            };
            let row = row_of(area, area.height - 1);
            draw::text(buf, row, row.x.saturating_add(2), row.y, &text, theme.dim);
        }
    }

    fn lines<'b, 'a>(&self, blocks: &[&'b Block<'a>], few: usize) -> Vec<Line<'b, 'a>> {
        let mut lines = Vec::new();
        for block in blocks {
            if !lines.is_empty() {
                lines.push(Line::Empty);
            }
            lines.push(Line::Rule(block));
            if block.rows.is_empty() {
                lines.push(Line::Text(block.empty.to_owned()));
                continue;
            }
            if block.columns.iter().any(|column| !column.title.is_empty()) {
                lines.push(Line::Titles(block.columns));
            }
            // A block opens where the selection comes into it.
            let is_open = self.selected.as_ref().is_some_and(|(id, _)| *id == block.id);
            let is_whole = is_open || block.id.is_short() || block.rows.len() <= few + 1;
            let shown = if is_whole { block.rows.len() } else { few };
            lines.extend((0..shown).map(|row| Line::Row(block, row)));
            if shown < block.rows.len() {
                lines.push(Line::Text(format!("{} more", format::count((block.rows.len() - shown) as u64))));
            }
        }
        lines
    }
}

fn key_of(at: usize, line: &Line<'_, '_>) -> Key {
    match line {
        Line::Row(block, row) => Key::Row((block.id, Arc::clone(&block.rows[*row].name))),
        _ => Key::Fixed(at),
    }
}

fn render_line((area, buf): (Rect, &mut Buffer), theme: &Theme, line: &Line<'_, '_>, is_selected: bool) {
    match line {
        Line::Rule(block) => draw::rule(buf, area, &block.title, &block.note, theme.rule, theme.glyphs),
        Line::Titles(columns) => {
            let titles: Vec<_> = columns.iter().map(|column| cell(column.title, theme.dim)).collect();
            draw_row((area, buf), theme, &place(columns, area), &titles, [false; 2]);
        }
        Line::Row(block, row) => {
            let placed = place(block.columns, area);
            draw_row((area, buf), theme, &placed, &block.rows[*row].cells, [is_selected, false]);
        }
        Line::Text(text) => {
            let text = theme.gate.line(text, usize::from(area.width.saturating_sub(3)));
            draw::line(buf, area, area.x.saturating_add(2), area.y, &text, theme.dim);
        }
        Line::Empty => {}
    }
}
