//! The sinks in rows: where every event offered to each of them went, how fast, and what went wrong last.
//!
//! Drawn by the health panel; one sink is marked, which its key pauses. A row's numbers add up on the screen.

use ratatui::style::Style;

use crate::sinks::{DROPPED, Measure, Report, STATISTICS, State};
use crate::ui::format;
use crate::ui::panels::page::Row;
use crate::ui::theme::Theme;
use crate::ui::view::View;

/// A column: its title, its width, the narrowest screen that shows it.
type Column = (&'static str, usize, u16);

/// Columns of a sink's name.
const NAME: usize = 10;
const WIDE_NAME: usize = 16;
const WIDE_FROM: u16 = 100;

/// How a sink is set and doing.
type Fact = fn(&Report) -> &'static str;
const FACTS: [(Column, Fact); 2] =
    [(("state", 11, 40), |report| report.state.name()), (("mode", 9, 132), |report| report.mode)];

/// Every one of [`STATISTICS`], by its name.
const NUMBERS: [Column; STATISTICS.len()] = [
    ("offered", 9, 60),
    ("delivered", 10, 0),
    ("queued", 7, 50),
    ("filtered", 9, 72),
    ("sampled", 8, 110),
    ("limited", 8, 110),
    ("dropped", 8, 0),
    ("errors", 7, 80),
    ("p50", 8, 110),
    ("p99", 8, 96),
];

fn number(name: &str, report: &Report, theme: &Theme) -> String {
    let Some(statistic) = STATISTICS.iter().find(|statistic| statistic.name == name) else {
        return theme.glyphs.none.to_owned();
    };
    match statistic.measure {
        Measure::Total(of) => format::count_short(of(&report.counts)),
        Measure::ByReason(of) => format::count_short(of(&report.counts).iter().sum()),
        Measure::Now(of) => format::count_short(of(report)),
        Measure::Latency(_, of) => latency(of(report), theme),
    }
}

fn latency(ms: Option<f64>, theme: &Theme) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most an hour")]
    let micros = ms.map(|ms| crate::event::Micros((ms * 1_000.0) as u64));
    micros.map_or_else(|| theme.glyphs.none.to_owned(), |span| format::duration(span, theme.glyphs))
}

/// The rows of all sinks, and which of them is that of the marked one.
pub(super) fn rows(view: &View<'_>, width: u16, marked: Option<&str>) -> (Vec<Row>, usize) {
    let theme = view.theme;
    let name = if width >= WIDE_FROM { WIDE_NAME } else { NAME };
    let title = format::left("  name", name + 2, theme.gate);
    let head = cells(width, theme, |(title, ..), _| title.to_owned());
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
        let rest = cells(width, theme, |(title, ..), fact| {
            fact.map_or_else(|| number(title, report, theme), |fact| fact(report).to_owned())
        });
        let style = if is_marked { theme.accent } else { theme.text };
        rows.push(Row::Text(vec![(first, style), (rest, style_of(report, theme))]));
        rows.extend(more(report, name, theme));
    }
    (rows, at)
}

/// What `text` gives for each column that a screen of this width has; facts to the left, numbers to the right.
fn cells(width: u16, theme: &Theme, text: impl Fn(Column, Option<Fact>) -> String) -> String {
    let facts = FACTS.into_iter().map(|(column, fact)| (column, Some(fact)));
    let all = facts.chain(NUMBERS.into_iter().map(|column| (column, None)));
    all.filter(|((.., from), _)| *from <= width)
        .map(|(column, fact)| match fact {
            Some(_) => format::left(&text(column, fact), column.1, theme.gate),
            None => format::right(&text(column, fact), column.1, theme.gate),
        })
        .collect()
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
