//! The one way text gets into a buffer.
//!
//! Called by every panel, with any place and any text. ratatui's own text functions panic outside the buffer and
//! keep characters that move what a terminal shows; these draw what fits inside the area, by the gate's cells.

use std::ops::{ControlFlow, Range};

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::event::gate::{Gate, Line, PartStyle};
use crate::ui::theme::Glyphs;

/// Columns of rule at either end of a divider, before and after its titles.
const RULE_END: u16 = 2;

/// Draws taillight's own text from `x`, `y` on, as far as the area and the buffer reach; answers where it ended.
///
/// Draws nothing where `x`, `y` lies outside. Text from outside belongs in [`line()`], which also shows what the
/// gate found in it; drawn here it does no harm.
pub fn text(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let Some(mut pen) = Pen::at(buf, area, x, y) else { return x };
    Gate::default().cells(text, |cell, columns, _| pen.put(cell, columns, style));
    pen.x
}

/// Draws a line of gated text as [`text()`] does; what the gate put in is dim, what needs a second look reversed.
///
/// A row that is reversed as a whole must have its style before its text.
pub fn line(buf: &mut Buffer, area: Rect, x: u16, y: u16, line: &Line, style: Style) -> u16 {
    let Some(mut pen) = Pen::at(buf, area, x, y) else { return x };
    for part in &line.parts {
        let style = match part.style {
            PartStyle::Plain => style,
            PartStyle::Dim => style.add_modifier(Modifier::DIM),
            // On a selected row, which is reversed as a whole, the part stands out by not being so.
            PartStyle::Reversed if pen.is_reversed(style) => style.remove_modifier(Modifier::REVERSED),
            PartStyle::Reversed => style.add_modifier(Modifier::REVERSED),
        };
        Gate::default().cells(&part.text, |cell, columns, _| pen.put(cell, columns, style));
    }
    pen.x
}

/// Gives cells already drawn another style: `columns` of them from `x` on, as far as the area and the buffer reach.
pub fn restyle(buf: &mut Buffer, area: Rect, (x, y): (u16, u16), columns: u16, style: Style) {
    let cells = Rect { x, y, width: columns, height: 1 };
    buf.set_style(cells.intersection(area).intersection(buf.area), style);
}

/// Where `hits` in a line's text stand: columns from its beginning, and how many.
///
/// The text must have passed the gate, whose cells it is measured by.
pub fn hits(text: &str, hits: impl IntoIterator<Item = Range<usize>>) -> Vec<(u16, u16)> {
    let columns = |part: &str| u16::try_from(Gate::default().columns(part)).unwrap_or(u16::MAX);
    let (mut at, mut x) = (0, 0_u16);
    let place = |hit: Range<usize>| {
        x = x.saturating_add(columns(text.get(at..hit.start)?));
        let width = columns(text.get(hit.clone())?);
        let place = (x, width);
        (at, x) = (hit.end, x.saturating_add(width));
        Some(place)
    };
    hits.into_iter().map_while(place).collect()
}

/// Whether a divider `width` wide shows both titles whole.
pub fn rule_fits(width: u16, left: &str, right: &str) -> bool {
    let room = title_room(width);
    let [left, right] = [left, right].map(|title| Gate::default().line(title, room));
    !left.is_cut && !right.is_cut && is_room_for(left.columns, right.columns, room)
}

/// A title has a blank on either side of it, and a rule's end beside that.
fn title_room(width: u16) -> usize {
    usize::from(width).saturating_sub(usize::from(2 * (RULE_END + 1)))
}

/// Between two titles stand two blanks and a dash.
fn is_room_for(left: usize, right: usize, room: usize) -> bool {
    let needed = if left > 0 { left + 3 + right } else { right };
    needed <= room
}

/// Draws a divider over the first row of `area`: `── left ───── right ──`.
///
/// Where both titles do not fit the right one is left out, then the left one is cut.
pub fn rule(buf: &mut Buffer, area: Rect, left: &str, right: &str, style: Style, glyphs: &Glyphs) {
    let gate = Gate { ascii: glyphs.horizontal.is_ascii(), ..Gate::default() };
    let row = Rect { height: area.height.min(1), ..area };
    let dashes = glyphs.horizontal.repeat(usize::from(row.width));
    text(buf, row, row.x, row.y, &dashes, style);
    let room = title_room(row.width);
    let left = gate.line(left, room);
    if left.columns > 0 {
        title(buf, row, row.x + RULE_END, &left.text(), style);
    }
    let right = gate.line(right, room);
    if right.columns > 0 && !right.is_cut && is_room_for(left.columns, right.columns, room) {
        let columns = u16::try_from(right.columns).unwrap_or(u16::MAX);
        title(
            buf,
            row,
            row.right().saturating_sub(RULE_END + 2).saturating_sub(columns),
            &right.text(),
            style,
        );
    }
}

fn title(buf: &mut Buffer, row: Rect, x: u16, title: &str, style: Style) {
    let x = text(buf, row, x, row.y, " ", style);
    let x = text(buf, row, x, row.y, title, style);
    text(buf, row, x, row.y, " ", style);
}

/// A place in the buffer that moves right as cells are put down.
struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// A pen at `x`, `y`, if that lies in both the area and the buffer.
    fn at(buf: &'a mut Buffer, area: Rect, x: u16, y: u16) -> Option<Self> {
        let visible = area.intersection(buf.area);
        if !visible.contains((x, y).into()) {
            return None;
        }
        // Writing over the right half of a wide character leaves its left half without a column.
        if x > buf.area.x && buf[(x - 1, y)].cell_width() > 1 {
            buf[(x - 1, y)].set_symbol(" ");
        }
        Some(Self { buf, x, y, end: visible.right() })
    }

    /// Whether text in this style would be reversed here.
    fn is_reversed(&self, style: Style) -> bool {
        let here = self.buf.cell((self.x, self.y)).map_or(Modifier::empty(), |cell| cell.modifier);
        (here | style.add_modifier).contains(Modifier::REVERSED)
    }

    /// Puts a cell down; breaks where it does not fit.
    fn put(&mut self, cell: &str, columns: usize, style: Style) -> ControlFlow<()> {
        if columns > 1 && columns == cell.len() && cell.is_ascii() {
            return (0..columns).try_for_each(|at| self.put(&cell[at..=at], 1, style));
        }
        let room = usize::from(self.end - self.x);
        if columns > room {
            return ControlFlow::Break(());
        }
        for offset in 0..columns {
            let target = &mut self.buf[(self.x, self.y)];
            // The columns under a wide character stay empty, as ratatui expects of them.
            if offset == 0 {
                target.set_symbol(cell).set_style(style);
            } else {
                target.reset();
            }
            self.x += 1;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::theme::{ASCII, UNICODE};

    fn row(buf: &Buffer) -> String {
        let mut out = String::new();
        let mut x = buf.area.x;
        while x < buf.area.right() {
            let cell = &buf[(x, buf.area.y)];
            out.push_str(cell.symbol());
            x += cell.cell_width().max(1);
        }
        out
    }

    #[test]
    fn text_stays_inside_its_area() {
        for (x, content, expected, end) in [
            (0, "abc", "........", 0),
            (2, "ab", "..ab....", 4),
            (2, "abcdef", "..abcd..", 6),
            (3, "漢字", "...漢...", 5),
            (2, "a\tb\n", "..a b␤..", 6),
            (6, "abc", "........", 6),
            (9, "abc", "........", 9),
        ] {
            let mut buf = Buffer::with_lines(["........"]);
            let area = Rect::new(2, 0, 4, 5);
            assert_eq!(text(&mut buf, area, x, 0, content, Style::new()), end, "{content} at {x}");
            assert_eq!(row(&buf), expected);
        }
    }

    #[test]
    fn a_wide_character_is_never_left_in_half() {
        let mut buf = Buffer::with_lines(["a漢字"]);
        let area = buf.area;
        text(&mut buf, area, 2, 0, "b", Style::new());
        assert_eq!(row(&buf), "a b字");
    }

    #[test]
    fn what_the_gate_found_is_styled() {
        let selected = Style::new().add_modifier(Modifier::REVERSED);
        let found = Gate::default().line("a\u{1B}\u{202E}", 12);
        let (none, dim, reversed) = (Modifier::empty(), Modifier::DIM, Modifier::REVERSED);
        for (row, drawn, expected) in [
            (Style::new(), Style::new(), [none, dim, reversed]),
            (selected, Style::new(), [reversed, reversed | dim, none]),
            (Style::new(), selected, [reversed, reversed | dim, none]),
        ] {
            let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
            let area = buf.area;
            buf.set_style(area, row);
            line(&mut buf, area, 0, 0, &found, drawn);
            assert_eq!([0, 1, 2].map(|x| buf[(x, 0)].modifier), expected);
        }
    }

    #[test]
    fn hits_are_counted_in_columns() {
        for (text, spans, expected) in [
            ("abc", vec![1..2, 2..3], vec![(1, 1), (2, 1)]),
            ("漢字ab", vec![0..3, 6..8], vec![(0, 2), (4, 2)]),
            ("abc", vec![], vec![]),
            ("é", vec![0..1, 1..2], vec![]),
        ] {
            assert_eq!(hits(text, spans), expected, "{text}");
        }
    }

    #[test]
    fn dividers_give_up_the_right_title_first() {
        for (width, left, right, glyphs, expected) in [
            (20, "stack", "load A", &UNICODE, "── stack ─ load A ──"),
            (22, "stack", "load A", &UNICODE, "── stack ─── load A ──"),
            (19, "stack", "load A", &UNICODE, "── stack ──────────"),
            (20, "", "load A", &UNICODE, "────────── load A ──"),
            (20, "stack", "", &ASCII, "-- stack -----------"),
            (12, "a long title", "", &UNICODE, "── a lon… ──"),
            (12, "a long title", "", &ASCII, "-- a l... --"),
            (5, "x", "y", &UNICODE, "─────"),
            (0, "x", "y", &UNICODE, ""),
        ] {
            let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
            let area = buf.area;
            rule(&mut buf, area, left, right, Style::new(), glyphs);
            assert_eq!(row(&buf), expected);
        }
    }

    fn hostile() -> impl Strategy<Value = String> {
        let vectors = include_str!("../../tests/it/fixtures/hostile-strings.json");
        let rows: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let texts: Vec<String> = rows
            .iter()
            .map(|row| {
                let times = usize::try_from(row["times"].as_u64().unwrap_or(0)).unwrap().min(500);
                let unit = row["unit"].as_str().unwrap_or("").repeat(times);
                format!("{}{unit}{}", row["text"].as_str().unwrap(), row["tail"].as_str().unwrap_or(""))
            })
            .collect();
        prop_oneof![proptest::sample::select(texts), ".{0,30}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_text_at_any_place_is_harmless(
            content in hostile(),
            size in (0_u16..=20, 0_u16..=4),
            origin in (0_u16..3, 0_u16..3),
            area in (0_u16..24, 0_u16..8, 0_u16..24, 0_u16..8),
            at in (0_u16..26, 0_u16..8),
        ) {
            let area = Rect::new(area.0, area.1, area.2, area.3);
            let mut buf = Buffer::filled(Rect::new(origin.0, origin.1, size.0, size.1), ratatui::buffer::Cell::new("."));
            text(&mut buf, area, at.0, at.1, &content, Style::new());
            let gated = Gate::default().line(&content, usize::from(area.width));
            line(&mut buf, area, at.0, at.1, &gated, Style::new());
            rule(&mut buf, area, &content, &content, Style::new(), &UNICODE);
            for y in buf.area.top()..buf.area.bottom() {
                for x in buf.area.left()..buf.area.right() {
                    let symbol = buf[(x, y)].symbol();
                    prop_assert!(!symbol.chars().any(char::is_control));
                    prop_assert!(symbol.len() <= 32 && buf[(x, y)].cell_width() <= 2);
                    let is_inside = area.contains((x, y).into());
                    prop_assert!(is_inside || symbol == ".", "wrote {symbol:?} outside");
                    let is_last = x + 1 == area.right().min(buf.area.right());
                    prop_assert!(!is_last || buf[(x, y)].cell_width() <= 1, "{symbol:?} over the edge");
                }
            }
        }
    }
}
