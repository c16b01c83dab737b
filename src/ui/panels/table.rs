//! A table: columns that give way where it is narrow, an order, and a selection that holds the order still.
//!
//! Shared by the panels that list things. It keeps keys and no rows, and draws nothing that did not pass the gate.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::Hash;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use rustc_hash::FxHashMap;

use crate::ui::cursor::Cursor;
use crate::ui::draw;
use crate::ui::format;
use crate::ui::keys::Action;
use crate::ui::theme::Theme;

/// From this width on columns are wide and two blanks apart.
pub(super) const WIDE: u16 = 100;
/// From this width on names are whole.
const WIDEST: u16 = 180;
/// Columns before the first cell: the selection's mark, and the mark of a row that came after the order was held.
const MARKS: u16 = 2;
/// The rule and the titles.
const HEAD: u16 = 2;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    /// At the left end of whatever the other columns leave.
    Rest,
}

/// A column and where it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    /// Its columns on screen, and those in an area of [`WIDE`].
    pub(super) widths: (u16, u16),
    /// Those in an area of [`WIDEST`], where they are more.
    pub(super) most: u16,
    /// The width of the narrowest area that shows it.
    pub(super) from: u16,
    /// Rows can be in its order.
    pub(super) sorts: bool,
}

/// A column that can be sorted by.
pub(super) const fn sorted(title: &'static str, align: Align, widths: (u16, u16), from: u16) -> Column {
    Column { title, align, widths, most: 0, from, sorts: true }
}

/// A column that cannot be sorted by.
pub(super) const fn plain(title: &'static str, align: Align, widths: (u16, u16), from: u16) -> Column {
    Column { title, align, widths, most: 0, from, sorts: false }
}

impl Column {
    /// With so many columns where there is room for whole names.
    pub(super) const fn most(self, most: u16) -> Self {
        Self { most, ..self }
    }
}

/// What stands in one column of a row; any text.
pub(super) struct Cell<'a> {
    text: Cow<'a, str>,
    style: Style,
}

pub(super) fn cell<'a>(text: impl Into<Cow<'a, str>>, style: Style) -> Cell<'a> {
    Cell { text: text.into(), style }
}

/// A row in the order shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its number in the list it came from.
    pub(super) index: usize,
    /// It came after the order was held.
    pub(super) is_new: bool,
}

/// The order of a table and the place in it.
#[derive(Debug)]
pub(super) struct List<K> {
    cursor: Cursor<K>,
    columns: &'static [Column],
    sort: usize,
    is_reversed: bool,
    /// Columns that are left out, one bit each.
    hidden: u32,
    /// Where the titles stood when it was last drawn: the row, and each column with its ends.
    titles: (u16, Vec<(usize, u16, u16)>),
    /// Positions at the time of the selection, one for each row there was.
    held: Option<FxHashMap<K, usize>>,
    height: usize,
}

impl<K: Clone + Ord + Hash> List<K> {
    pub(super) fn new(columns: &'static [Column], sort: usize) -> Self {
        Self {
            cursor: Cursor::default(),
            columns,
            sort,
            is_reversed: false,
            hidden: 0,
            titles: (0, Vec::new()),
            held: None,
            height: 1,
        }
    }

    /// Leaves out the columns that `is_shown` does not want, by title.
    pub(super) fn show(&mut self, is_shown: impl Fn(&str) -> bool) {
        let columns = self.columns.iter().zip(0_u32..).filter(|(column, _)| !is_shown(column.title));
        self.hidden = columns.fold(0, |hidden, (_, at)| hidden | 1_u32.checked_shl(at).unwrap_or(0));
    }

    pub(super) fn selected(&self) -> Option<&K> {
        self.cursor.selected()
    }

    pub(super) fn select(&mut self, key: K) {
        self.cursor.select(key);
    }

    /// The rows in the order of the sorted column, or in the order held while one of them is selected.
    ///
    /// `compare` is the order in which the column is first shown; rows that are equal in it stand by key.
    pub(super) fn arrange<R>(
        &mut self,
        rows: &[R],
        key: impl Fn(&R) -> K,
        compare: impl Fn(usize, &R, &R) -> Ordering,
    ) -> Vec<Place> {
        let order = |a: &R, b: &R| {
            let order = compare(self.sort, a, b);
            let order = if self.is_reversed { order.reverse() } else { order };
            order.then_with(|| key(a).cmp(&key(b)))
        };
        let mut sorted: Vec<usize> = (0..rows.len()).collect();
        sorted.sort_by(|a, b| order(&rows[*a], &rows[*b]));
        let is_held = self.cursor.selected().is_some_and(|own| rows.iter().any(|row| key(row) == *own));
        if !is_held {
            self.held = None;
            return sorted.into_iter().map(|index| Place { index, is_new: false }).collect();
        }
        let held = self.held.get_or_insert_with(|| {
            sorted.iter().enumerate().map(|(position, index)| (key(&rows[*index]), position)).collect()
        });
        let mut placed: Vec<_> =
            sorted.into_iter().map(|index| (held.get(&key(&rows[index])).copied(), index)).collect();
        placed.sort_by_key(|(position, _)| position.unwrap_or(usize::MAX));
        placed.into_iter().map(|(position, index)| Place { index, is_new: position.is_none() }).collect()
    }

    /// Moves, sorts or lets go; `false` if the key is for none of that. `keys` are those of the rows as shown.
    pub(super) fn on_action(&mut self, action: Action, keys: &[K]) -> bool {
        let page = isize::try_from(self.height.max(1)).unwrap_or(isize::MAX);
        match action {
            Action::Down => self.cursor.step(keys, 1),
            Action::Up => self.cursor.step(keys, -1),
            Action::PageDown => self.cursor.step(keys, page),
            Action::PageUp => self.cursor.step(keys, -page),
            Action::Top => keys.first().into_iter().for_each(|key| self.cursor.select(key.clone())),
            Action::Bottom => keys.last().into_iter().for_each(|key| self.cursor.select(key.clone())),
            Action::SortNext => self.sort_by(1),
            // A whole round less one is one back.
            Action::SortPrevious => self.sort_by(self.columns.len().saturating_sub(1)),
            Action::SortReverse => {
                self.is_reversed = !self.is_reversed;
                self.held = None;
            }
            Action::Back => return self.cursor.release(),
            _ => return false,
        }
        true
    }

    /// Puts the rows in order once more; from then on it is held as before.
    pub(super) fn reorder(&mut self) {
        self.held = None;
    }

    /// Sorts by the column whose title was clicked, the other way round if it was sorted by; `false` if none was.
    pub(super) fn click(&mut self, at: Position) -> bool {
        let (y, titles) = &self.titles;
        let title = titles.iter().find(|(_, from, to)| at.y == *y && (*from..*to).contains(&at.x));
        let Some(column) = title.map(|(column, ..)| *column) else { return at.y == *y && !titles.is_empty() };
        if self.columns.get(column).is_some_and(|column| column.sorts) {
            self.is_reversed = self.sort == column && !self.is_reversed;
            self.sort = column;
            self.held = None;
        }
        true
    }

    /// Sorts by the next column that can be sorted by, `step` columns at a time and round the end.
    fn sort_by(&mut self, step: usize) {
        let count = self.columns.len();
        let mut candidates = (1..=count).map(|times| (self.sort + times * step) % count);
        let next = candidates.find(|column| self.columns[*column].sorts);
        self.sort = next.unwrap_or(self.sort);
        self.is_reversed = false;
        self.held = None;
    }

    /// Draws the divider with the order, the titles, and the rows from where the selection is in sight.
    pub(super) fn render<'a>(
        &mut self,
        (area, buf): (Rect, &mut Buffer),
        theme: &Theme,
        (places, keys): (&[Place], &[K]),
        note: &str,
        cells: impl Fn(usize) -> Vec<Cell<'a>>,
    ) {
        self.height = usize::from(area.height.saturating_sub(HEAD));
        let top = self.cursor.scroll(keys, self.height);
        let more = places.len().saturating_sub(top + self.height);
        draw::rule(buf, area, &self.title(more, (area.width, note), theme), note, theme.rule, theme.glyphs);
        let placed = place_but(self.columns, self.hidden, area);
        let ends = placed.iter().map(|(at, x, width, _)| (*at, *x, x.saturating_add(*width)));
        self.titles = (area.y.saturating_add(1), ends.collect());
        let style = |at| if at == self.sort { theme.title } else { theme.dim };
        let titles: Vec<_> =
            self.columns.iter().enumerate().map(|(at, own)| cell(titled(own, theme), style(at))).collect();
        draw_row((row_of(area, 1), buf), theme, &placed, &titles, [false; 2]);
        let selected = self.cursor.position(keys);
        for (line, place) in places.iter().enumerate().skip(top).take(self.height) {
            let y = HEAD + u16::try_from(line - top).unwrap_or(u16::MAX - HEAD);
            let marks = [selected == Some(line), place.is_new];
            draw_row((row_of(area, y), buf), theme, &placed, &cells(place.index), marks);
        }
    }

    /// `sort: p99 ▾`, that the order is held while it is, and how many rows are below where the `note` leaves room.
    fn title(&self, more: usize, (width, note): (u16, &str), theme: &Theme) -> String {
        let title = self.columns.get(self.sort).map_or(Cow::Borrowed(""), |column| titled(column, theme));
        let turn = if self.is_reversed { "reversed" } else { theme.glyphs.unfolded };
        let dot = theme.glyphs.dot;
        let own = match self.held {
            Some(_) => format!("sort: {title} {turn} {dot} order held"),
            None => format!("sort: {title} {turn}"),
        };
        let whole = format!("{own} {dot} {} {} more", theme.glyphs.newer, format::count(more as u64));
        if more > 0 && draw::rule_fits(width, &whole, note) { whole } else { own }
    }
}

/// The title of a column on a terminal with or without Unicode.
fn titled(column: &Column, theme: &Theme) -> Cow<'static, str> {
    match column.title.strip_prefix('Δ').filter(|_| theme.gate.ascii) {
        Some(what) => Cow::Owned(format!("+-{what}")),
        None => Cow::Borrowed(column.title),
    }
}

/// The height of a table of `rows` rows that leaves the lower half of an area, or more, to a detail.
pub(super) fn height_above(area: Rect, rows: usize) -> u16 {
    // An empty row sets it apart from the detail.
    u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(HEAD + 1).min(area.height / 2)
}

/// Row `y` of an area, empty where the area ends before it.
pub(super) fn row_of(area: Rect, y: u16) -> Rect {
    Rect { y: area.y.saturating_add(y), height: u16::from(y < area.height), ..area }
}

/// What is left of an area below its first `rows`.
pub(super) fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y.saturating_add(rows), height: area.height - rows, ..area }
}

/// The number of a column, where it starts, how wide it is, and how it is aligned.
pub(super) type Placed = (usize, u16, u16, Align);

/// The columns an area has room for.
pub(super) fn place(columns: &[Column], area: Rect) -> Vec<Placed> {
    place_but(columns, 0, area)
}

/// The same without those that are `hidden`, one bit each.
fn place_but(columns: &[Column], hidden: u32, area: Rect) -> Vec<Placed> {
    let is_hidden =
        |at: usize| u32::try_from(at).is_ok_and(|at| hidden.checked_shr(at).unwrap_or(0) & 1 == 1);
    let is_wide = area.width >= WIDE;
    // A mark without a title stands close to what it marks.
    let gap = |column: &Column| if is_wide && !column.title.is_empty() { 2 } else { 1 };
    let own = |column: &Column| match area.width {
        WIDEST.. => column.widths.1.max(column.most),
        WIDE.. => column.widths.1,
        _ => column.widths.0,
    };
    let shown = || {
        let all = columns.iter().enumerate();
        all.filter(|(at, column)| column.from <= area.width && !is_hidden(*at))
    };
    let taken = shown().fold(MARKS, |sum, (_, column)| sum.saturating_add(own(column) + gap(column)));
    let rest = area.width.saturating_sub(taken);
    let find = |align| shown().find(|(_, column)| column.align == align).map(|(at, _)| at);
    let filler = find(Align::Rest).or_else(|| find(Align::Left));
    let mut x = area.x.saturating_add(MARKS);
    shown()
        .map(|(at, column)| {
            let start = x;
            let width = own(column) + if filler == Some(at) { rest } else { 0 };
            x = x.saturating_add(width).saturating_add(gap(column));
            (at, start, width, column.align)
        })
        .collect()
}

/// Draws one row: whether it is selected and whether it is new, then its cells.
pub(super) fn draw_row(
    (area, buf): (Rect, &mut Buffer),
    theme: &Theme,
    placed: &[Placed],
    cells: &[Cell<'_>],
    [is_selected, is_new]: [bool; 2],
) {
    if area.is_empty() {
        return;
    }
    if is_selected {
        buf.set_style(area, theme.selection);
        draw::text(buf, area, area.x, area.y, theme.glyphs.selected, theme.selected(theme.accent));
    }
    let style = |own: Style| if is_selected { theme.selected(own) } else { own };
    if is_new {
        draw::text(buf, area, area.x.saturating_add(1), area.y, "+", style(theme.accent));
    }
    for (at, x, width, align) in placed {
        let Some(cell) = cells.get(*at) else { continue };
        let line = theme.gate.line(&cell.text, usize::from(*width));
        let free = width.saturating_sub(u16::try_from(line.columns).unwrap_or(u16::MAX));
        let x = x.saturating_add(if *align == Align::Right { free } else { 0 });
        let own = if is_selected { theme.selected_sign(cell.style) } else { cell.style };
        draw::line(buf, area, x, area.y, &line, own);
    }
}

/// The word a field has to be for a filter term to find it: `session="a\"b"`.
pub(super) fn term(field: &str, value: &str) -> String {
    let mut out = format!("{field}=\"");
    for letter in value.chars() {
        match letter {
            '"' | '\\' | '*' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// `14:32:10.841`: a time on this clock.
pub(super) fn clock(at: crate::event::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    at.to_jiff().to_zoned_datetime(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// A mark, or nothing's mark where a text is empty.
pub(super) fn or_none<'a>(text: &'a str, theme: &Theme) -> &'a str {
    if text.is_empty() { theme.glyphs.none } else { text }
}
