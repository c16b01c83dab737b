//! The sinks in rows: where every event offered to each of them went, how fast, and what went wrong last.
//!
//! Drawn by the health panel; one sink is marked, which its key pauses. A row's numbers add up on the screen.

use ratatui::style::Style;

use crate::sinks::{DROPPED, Report, State};
use crate::ui::format;
use crate::ui::panels::page::Row;
use crate::ui::theme::Theme;
use crate::ui::view::View;

/// A column: its title, its width, the narrowest screen that shows it, and what stands in it.
struct Column {
    title: &'static str,
    width: usize,
    from: u16,
    text: fn(&Report, &Theme) -> String,
}

const fn column(title: &'static str, width: usize, from: u16, text: fn(&Report, &Theme) -> String) -> Column {
    Column { title, width, from, text }
}

/// Columns of a sink's name.
const NAME: usize = 10;
const WIDE_NAME: usize = 16;
const WIDE_FROM: u16 = 100;

const COLUMNS: [Column; 12] = [
    column("state", 11, 40, |report, _| report.state.name().to_owned()),
    column("mode", 9, 132, |report, _| report.mode.to_owned()),
    column("offered", 9, 60, |report, _| format::count_short(report.counts.offered)),
    column("delivered", 10, 0, |report, _| format::count_short(report.counts.delivered)),
    column("queued", 7, 50, |report, _| format::count_short(report.queued)),
    column("filtered", 9, 72, |report, _| format::count_short(report.counts.filtered)),
    column("sampled", 8, 110, |report, _| format::count_short(report.counts.sampled)),
    column("limited", 8, 110, |report, _| format::count_short(report.counts.limited)),
    column("dropped", 8, 0, |report, _| format::count_short(report.counts.dropped_in_all())),
    column("errors", 7, 80, |report, _| format::count_short(report.counts.errors)),
    column("p50", 8, 110, |report, theme| latency(report.p50, theme)),
    column("p99", 8, 96, |report, theme| latency(report.p99, theme)),
];

fn latency(ms: Option<f64>, theme: &Theme) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most an hour")]
    let micros = ms.map(|ms| crate::event::Micros((ms * 1_000.0) as u64));
    micros.map_or_else(|| theme.glyphs.none.to_owned(), |span| format::duration(span, theme.glyphs))
}

/// The rows of all sinks, and which of them is that of the marked one.
pub(super) fn rows(view: &View<'_>, width: u16, marked: Option<&str>) -> (Vec<Row>, usize) {
    let theme = view.theme;
    let name = if width >= WIDE_FROM { WIDE_NAME } else { NAME };
    let columns: Vec<_> = COLUMNS.iter().filter(|column| column.from <= width).collect();
    let head: String = columns.iter().map(|column| placed(column.title, column, theme)).collect();
    let title = format::left("  name", name + 2, theme.gate);
    let mut rows = vec![Row::text(format!("{title}{head}"), theme.dim)];
    let mut at = 0;
    for report in view.sinks {
        let is_marked = marked == Some(report.name.as_str());
        if is_marked {
            at = rows.len();
        }
        let mark = if is_marked { theme.glyphs.selected } else { " " };
        // A name that is too long does not run into its state.
        let first = format::left(&format!("{mark} {}", report.name), name + 1, theme.gate) + " ";
        let rest: String =
            columns.iter().map(|column| placed(&(column.text)(report, theme), column, theme)).collect();
        let style = if is_marked { theme.accent } else { theme.text };
        rows.push(Row::Text(vec![(first, style), (rest, style_of(report, theme))]));
        rows.extend(more(report, name, theme));
    }
    (rows, at)
}

fn placed(text: &str, column: &Column, theme: &Theme) -> String {
    if column.title == "state" || column.title == "mode" {
        return format::left(text, column.width, theme.gate);
    }
    format::right(text, column.width, theme.gate)
}

fn style_of(report: &Report, theme: &Theme) -> Style {
    match report.state {
        State::Retrying | State::Restarting => theme.worse,
        State::Paused => theme.warn,
        State::Idle | State::Running | State::Stopped => theme.text,
    }
}

/// What was dropped by reason, and the last error; each a line of its own, nothing where there is nothing.
fn more(report: &Report, name: usize, theme: &Theme) -> Vec<Row> {
    let blank = " ".repeat(name + 2);
    let reasons: Vec<_> = DROPPED
        .iter()
        .zip(report.counts.dropped)
        .filter(|(_, events)| *events > 0)
        .map(|((_, reason), events)| format!("{reason} {}", format::count(events)))
        .collect();
    let separator = format!(" {} ", theme.glyphs.dot);
    let dropped = (!reasons.is_empty()).then(|| format!("{blank}dropped: {}", reasons.join(&separator)));
    let failed = report.last_error.as_ref().map(|why| format!("{blank}last error: {why}"));
    let row = |text: Option<String>, style| text.map(|text| Row::text(text, style));
    row(dropped, theme.warn).into_iter().chain(row(failed, theme.dim)).collect()
}
