//! What is drawn over the time axis: bars of requests, marks of everything else, and how busy the page was.
//!
//! Called by the timeline for each row. It puts cells into a row of columns; the row is drawn in one go.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::Axis;
use super::track::{Entry, Lane};
use crate::event::{Flags, Level, Timestamp, json};
use crate::ui::draw;
use crate::ui::format;
use crate::ui::theme::Theme;

/// The characters of lanes and axis, each of one column.
#[derive(Debug)]
pub(super) struct Marks {
    pub(super) line: &'static str,
    pub(super) tick_down: &'static str,
    pub(super) tick_up: &'static str,
    pub(super) cursor: &'static str,
    pub(super) crossed: &'static str,
    bar: [&'static str; 3],
    point: &'static str,
    load: &'static str,
    loading: &'static str,
}

const UNICODE: Marks = Marks {
    line: "─",
    tick_down: "┬",
    tick_up: "┴",
    cursor: "┃",
    crossed: "╂",
    bar: ["├", "═", "╡"],
    point: "╪",
    load: "◆",
    loading: "▒",
};
const ASCII: Marks = Marks {
    line: "-",
    tick_down: "+",
    tick_up: "+",
    cursor: "|",
    crossed: "|",
    bar: ["[", "=", "]"],
    point: "+",
    load: "*",
    loading: ":",
};

/// What the marks mean, most telling first; what there is no room for is left out.
pub(super) fn render_legend(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let Marks { bar: [left, middle, right], point, load, loading, .. } = marks(theme);
    let busy = format::sparkline(&[1, 2, 4], theme.glyphs);
    let meanings = [
        (format!("{left}{middle}{right} {point}"), "request"),
        (busy, "how many, how busy"),
        ("E".to_owned(), "error"),
        ("w".to_owned(), "warning"),
        (format!("{load}{loading}"), "page load"),
        ("L".to_owned(), "LCP"),
        ("A2".to_owned(), "two clicks, first letter"),
        ("h v".to_owned(), "page hidden, visible"),
        (theme.glyphs.dot.to_owned(), "other"),
    ];
    let mut x = area.x.saturating_add(1);
    for (mark, meaning) in meanings {
        let columns = mark.chars().count() + 1 + meaning.len();
        if usize::from(area.right().saturating_sub(x)) < columns + 1 {
            continue;
        }
        x = draw::text(buf, area, x, area.y, &mark, theme.text).saturating_add(1);
        x = draw::text(buf, area, x, area.y, meaning, theme.dim).saturating_add(2);
    }
}

pub(super) fn marks(theme: &Theme) -> &'static Marks {
    if theme.gate.ascii { &ASCII } else { &UNICODE }
}

/// One row over the axis: a text of one column, and its style, for each.
pub(super) struct Strip {
    cells: Vec<Option<(char, Style)>>,
}

impl Strip {
    pub(super) fn new(width: u16) -> Self {
        Self { cells: vec![None; usize::from(width)] }
    }

    fn put(&mut self, column: u16, text: &str, style: Style) {
        if let (Some(cell), Some(letter)) = (self.cells.get_mut(usize::from(column)), text.chars().next()) {
            *cell = Some((letter, style));
        }
    }

    /// Writes taillight's own text from `column` on if all of it and a blank on either side are free.
    ///
    /// True if it did.
    fn label(&mut self, column: u16, text: &str, style: Style) -> bool {
        let from = usize::from(column);
        let end = from + text.chars().count();
        let is_blank = |at: usize| self.cells.get(at).is_none_or(Option::is_none);
        let is_free = self.cells.get(from..end).is_some_and(|cells| cells.iter().all(Option::is_none));
        let fits = is_free && is_blank(end) && (from == 0 || is_blank(from - 1));
        if fits {
            for (at, letter) in text.chars().enumerate() {
                self.cells[from + at] = Some((letter, style));
            }
        }
        fits
    }

    /// Draws the row, the cursor's column through it.
    pub(super) fn draw(&self, (area, buf): (Rect, &mut Buffer), cursor: Option<u16>, theme: &Theme) {
        let marks = marks(theme);
        for (x, cell) in (area.x..area.right()).zip(&self.cells) {
            let is_cursor = cursor == Some(x - area.x);
            let (text, style) = match (cell, is_cursor) {
                (None, false) => continue,
                (None, true) => (marks.cursor.to_owned(), theme.accent),
                (Some((letter, style)), true) if marks.bar[1].starts_with(*letter) => {
                    (marks.crossed.to_owned(), *style)
                }
                (Some((letter, style)), _) => (letter.to_string(), *style),
            };
            draw::text(buf, area, x, area.y, &text, style);
        }
    }
}

/// Everything a lane is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'v, 'a> {
    pub(super) entries: &'v [Entry<'a>],
    pub(super) axis: Axis,
    /// Where the session begins: times on the axis are since then.
    pub(super) origin: Timestamp,
    /// What the reader's offsets count from: the beginning of a page load.
    pub(super) zero: Timestamp,
    /// Whether what is shown stays as it is.
    pub(super) is_frozen: bool,
    pub(super) theme: &'a Theme,
}

impl<'v, 'a> Scene<'v, 'a> {
    pub(super) fn since(&self, at: Timestamp) -> i64 {
        at.since(self.origin)
    }

    /// As the reader sees it: `+10.841`.
    pub(super) fn offset(&self, at: Timestamp) -> String {
        super::axis::offset(at.since(self.zero))
    }

    /// The columns of an event's span, if it is on screen.
    fn columns(&self, entry: &Entry<'_>) -> Option<(u16, u16)> {
        self.axis.columns(self.since(entry.start), self.since(entry.end))
    }

    /// The events on screen whose lane is `lane`.
    fn of(&self, lane: Lane) -> impl Iterator<Item = (&'v Entry<'a>, (u16, u16))> {
        let scene = *self;
        let seen = scene.entries.iter().filter(move |entry| entry.is_in(lane));
        seen.filter_map(move |entry| Some((entry, scene.columns(entry)?)))
    }

    /// The row of a lane, and the number that belongs to its name, if any.
    pub(super) fn lane(&self, lane: Lane) -> (Strip, Option<u64>) {
        let mut strip = Strip::new(self.axis.width);
        match lane {
            Lane::Nav => self.nav(&mut strip),
            Lane::Net => return self.busy(strip),
            Lane::Blocked => self.blocked(&mut strip),
            Lane::Err | Lane::Click | Lane::Console | Lane::Other => self.points(lane, &mut strip),
        }
        (strip, None)
    }

    fn nav(&self, strip: &mut Strip) {
        let (marks, theme) = (marks(self.theme), self.theme);
        let mut loads: Vec<&Entry<'_>> = Vec::new();
        let mut labels = Vec::new();
        for (entry, (from, to)) in
            self.of(Lane::Nav).filter(|(entry, _)| entry.event.subtype() == "page-load")
        {
            loads.push(entry);
            (from..=to).for_each(|column| strip.put(column, marks.loading, theme.dim));
            if self.axis.column(self.since(entry.start)).is_some() {
                strip.put(from, marks.load, theme.accent);
            }
            labels.push(to.saturating_add(2));
        }
        for (entry, (_, to)) in self.of(Lane::Nav) {
            match entry.event.subtype() {
                "visibility" => {
                    let is_hidden = entry.event.get(&["visible"]) == Some("false");
                    strip.put(to, if is_hidden { "h" } else { "v" }, theme.dim);
                }
                "web-vital" if entry.event.get(&["vital"]) == Some("\"LCP\"") => {
                    // It is told late; what it tells of stands so long after its load began.
                    let load = loads.iter().rev().find(|load| load.end <= entry.end);
                    let after = entry.event.get(&["value"]).and_then(json::number).unwrap_or(0.0);
                    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                    let at = load.map(|load| self.since(load.start).saturating_add(after as i64));
                    if let Some(column) = at.and_then(|at| self.axis.column(at)) {
                        strip.put(column, "L", theme.accent);
                    }
                }
                _ => {}
            }
        }
        for column in labels {
            strip.label(column, "load", theme.dim);
        }
    }

    /// How many requests are under way in each column, and the most there are at once.
    fn busy(&self, mut strip: Strip) -> (Strip, Option<u64>) {
        let mut counts = vec![0_u64; usize::from(self.axis.width)];
        for (_, (from, to)) in self.of(Lane::Net) {
            counts[usize::from(from)..=usize::from(to)].iter_mut().for_each(|count| *count += 1);
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        let line = format::sparkline(&counts, self.theme.glyphs);
        for ((column, letter), count) in (0..self.axis.width).zip(line.chars()).zip(&counts) {
            if *count > 0 {
                strip.put(column, letter.encode_utf8(&mut [0; 4]), self.theme.text);
            }
        }
        (strip, (most > 0).then_some(most))
    }

    /// How much of each column's time the main thread was blocked.
    fn blocked(&self, strip: &mut Strip) {
        let mut spent = vec![0_u64; usize::from(self.axis.width)];
        for (entry, (from, to)) in self.of(Lane::Blocked) {
            let (start, end) = (self.since(entry.start), self.since(entry.end));
            for column in from..=to {
                let inside =
                    end.min(self.axis.begin(column.saturating_add(1))) - start.max(self.axis.begin(column));
                // However short, a task is seen.
                let inside = if from == to { inside.max(1) } else { inside };
                spent[usize::from(column)] += u64::try_from(inside).unwrap_or(0);
            }
        }
        let whole = u64::try_from(self.axis.span).unwrap_or(1) / u64::from(self.axis.width.max(1));
        for (column, spent) in (0..self.axis.width).zip(spent).filter(|(_, spent)| *spent > 0) {
            let of = [spent.min(whole.max(1)), whole.max(1)];
            let height = format::sparkline(&of, self.theme.glyphs);
            strip.put(column, height.chars().next().unwrap_or(' ').encode_utf8(&mut [0; 4]), self.theme.warn);
        }
    }

    /// A letter for the worst event of each column, and behind it how many there are where there is room.
    fn points(&self, lane: Lane, strip: &mut Strip) {
        let mut points: Vec<Option<(&Entry<'_>, usize)>> = vec![None; usize::from(self.axis.width)];
        for (entry, (_, to)) in self.of(lane) {
            let point = &mut points[usize::from(to)];
            *point = match *point {
                Some((worst, count)) if worst.event.level() >= entry.event.level() => {
                    Some((worst, count + 1))
                }
                Some((_, count)) => Some((entry, count + 1)),
                None => Some((entry, 1)),
            };
        }
        for (column, point) in (0..self.axis.width).zip(&points) {
            let Some((entry, count)) = point else { continue };
            let style = self.theme.level(entry.event.level());
            let style = if lane == Lane::Click { self.theme.text } else { style };
            let mark = letter(lane, entry, self.theme);
            strip.put(column, mark.encode_utf8(&mut [0; 4]), style);
            let next = points.get(usize::from(column) + 1);
            if *count > 1 && next.is_some_and(Option::is_none) {
                let digit = char::from_digit(u32::try_from(*count).unwrap_or(u32::MAX), 10).unwrap_or('+');
                strip.put(column.saturating_add(1), digit.encode_utf8(&mut [0; 4]), self.theme.dim);
            }
        }
    }

    /// The requests of one endpoint as bars, with what came of them where there is room.
    pub(super) fn bars(&self, requests: &[&Entry<'_>]) -> Strip {
        let [left, middle, right] = marks(self.theme).bar;
        let mut strip = Strip::new(self.axis.width);
        let mut labels = Vec::new();
        for entry in requests {
            let Some((from, to)) = self.columns(entry) else { continue };
            let is_failed = entry.is_error();
            let style = if is_failed { self.theme.error } else { self.theme.text };
            if from == to {
                strip.put(from, marks(self.theme).point, style);
            } else {
                (from..=to).for_each(|column| strip.put(column, middle, style));
                let is_begun = self.axis.column(self.since(entry.start)).is_some();
                strip.put(from, if is_begun { left } else { middle }, style);
                strip.put(to, right, style);
            }
            labels.push((
                to.saturating_add(2),
                outcome(entry, self.theme),
                if is_failed { style } else { self.theme.dim },
            ));
        }
        for (column, [status, took], style) in labels {
            let both = format!("{status} {took}");
            let _ = strip.label(column, both.trim(), style) || strip.label(column, &status, style);
        }
        strip
    }
}

/// `200` or `failed`, and the time where it was slow.
fn outcome(entry: &Entry<'_>, theme: &Theme) -> [String; 2] {
    let event = entry.event;
    let status = match event.status() {
        Some(status) => status.to_string(),
        None if event.flags().has(Flags::FAILED) => "failed".to_owned(),
        None => String::new(),
    };
    let slow = event.duration().filter(|_| event.flags().has(Flags::SLOW));
    [status, slow.map(|span| format::duration(span, theme.glyphs)).unwrap_or_default()]
}

/// The letter an event stands for in its lane.
fn letter(lane: Lane, entry: &Entry<'_>, theme: &Theme) -> char {
    let event = entry.event;
    match (lane, event.level()) {
        (Lane::Click, _) => {
            let named = ["element-text", "element-id", "feature", "step", "event-name"];
            let text = named.iter().find_map(|name| event.get(&[name]).and_then(json::text));
            let first = text.and_then(|text| text.chars().find(char::is_ascii_alphanumeric));
            first.map_or('c', |first| first.to_ascii_uppercase())
        }
        (_, level) if level >= Level::Error => 'E',
        (_, Level::Warn) => 'w',
        // What is no trouble is there and no more.
        _ => theme.glyphs.dot.chars().next().unwrap_or('.'),
    }
}
