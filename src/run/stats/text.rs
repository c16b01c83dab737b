//! The tables of `stats` for people: aligned columns, the largest first, cut to what can be taken in.
//!
//! Called by `stats`. Every text that came from a page goes through the gate.

use std::fmt::Write as _;
use std::sync::Arc;

use super::report::{group_name, levels};
use crate::event::gate::Gate;
use crate::event::{Micros, Timestamp};
use crate::stats::{EndpointRow, TableRows};
use crate::ui::format::counted;

/// Rows of a table; `--json` has them all.
const MAX_ROWS: usize = 20;
/// Columns of a cell; messages and endpoints rarely need more.
const MAX_CELL: usize = 60;

/// A percentile of fewer requests is little more than the slowest of them (UX: latency).
pub(super) const MIN_FOR_P99: u64 = 100;
pub(super) const MIN_FOR_P999: u64 = 1_000;

/// A table in the making; the last column is text, the others stand to the right.
struct Table {
    gate: Gate,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(gate: Gate, heads: &[&str]) -> Self {
        Self { gate, rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()] }
    }

    /// Adds the table to `out` unless it has no rows, and says how many of `total` are missing.
    fn write(self, out: &mut String, total: usize) {
        if self.rows.len() < 2 {
            return;
        }
        let cut = |cell: &String| self.gate.plain_capped(cell, MAX_CELL);
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(cut).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| self.gate.columns(cell)).max())
            .map(|width| width.unwrap_or(0))
            .collect();
        out.push('\n');
        for row in &rows {
            for (at, cell) in row.iter().enumerate() {
                if at + 1 == row.len() {
                    out.push_str(cell);
                } else {
                    let pad = widths[at].saturating_sub(self.gate.columns(cell));
                    out.extend(std::iter::repeat_n(' ', pad));
                    out.push_str(cell);
                    out.push_str("  ");
                }
            }
            out.push('\n');
        }
        if total + 1 > rows.len() {
            let _ = writeln!(out, "and {} more: --json has them all", total + 1 - rows.len());
        }
    }
}

/// All tables, each with a blank line before it.
pub(super) fn tables(tables: &TableRows, gate: Gate) -> String {
    let mut out = String::new();
    let Some((first, last)) = tables.span else {
        return "no events\n".to_owned();
    };
    let _ = writeln!(out, "{} from {first} to {last}", counted(tables.events, "event"));
    counts(&mut out, gate, "level", levels(tables).into_iter());
    counts(&mut out, gate, "signal", tables.ids.iter().map(|(id, count)| (&**id, *count)));
    endpoints(&mut out, gate, tables);
    groups(&mut out, gate, tables);
    sessions(&mut out, gate, tables);
    out
}

fn counts<'a>(
    out: &mut String,
    gate: Gate,
    noun: &str,
    counts: impl ExactSizeIterator<Item = (&'a str, u64)>,
) {
    let mut table = Table::new(gate, &["events", noun]);
    let total = counts.len();
    table.rows.extend(counts.take(MAX_ROWS).map(|(name, count)| vec![count.to_string(), name.to_owned()]));
    table.write(out, total);
}

fn endpoints(out: &mut String, gate: Gate, tables: &TableRows) {
    let heads = ["requests", "errors", "p50 ms", "p90", "p95", "p99", "p99.9", "max", "mean", "endpoint"];
    let mut table = Table::new(gate, &heads);
    for row in tables.endpoints.iter().take(MAX_ROWS) {
        let latency = &row.latency;
        let ms = |(span, needed): (Micros, u64)| match latency.count {
            0 => "-".to_owned(),
            count if count < needed => format!("~{span}"),
            _ => span.to_string(),
        };
        let mut cells = vec![row.count.to_string(), row.errors.to_string()];
        let tails = [(latency.p99, MIN_FOR_P99), (latency.p999, MIN_FOR_P999)];
        cells.extend([latency.p50, latency.p90, latency.p95].map(|span| ms((span, 0))));
        cells.extend(tails.map(ms));
        cells.extend([latency.max, latency.mean].map(|span| ms((span, 0))));
        cells.push(row.shown().into_owned());
        table.rows.push(cells);
    }
    table.write(out, tables.endpoints.len());
    let is_few = |row: &Arc<EndpointRow>| (1..MIN_FOR_P999).contains(&row.latency.count);
    if tables.endpoints.iter().take(MAX_ROWS).any(is_few) {
        let _ = writeln!(
            out,
            "~ of fewer than {MIN_FOR_P99} requests for p99, {MIN_FOR_P999} for p99.9: little more than their slowest"
        );
    }
}

fn groups(out: &mut String, gate: Gate, tables: &TableRows) {
    let mut table = Table::new(gate, &["events", "sessions", "last", "group", "message"]);
    for row in tables.groups.iter().take(MAX_ROWS) {
        table.rows.push(vec![
            row.count.to_string(),
            row.sessions.to_string(),
            second(row.last),
            group_name(row),
            row.message.to_string(),
        ]);
    }
    table.write(out, tables.groups.len());
}

fn sessions(out: &mut String, gate: Gate, tables: &TableRows) {
    let mut table = Table::new(gate, &["events", "errors", "first", "last", "user", "session"]);
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    for row in tables.sessions.iter().take(MAX_ROWS) {
        table.rows.push(vec![
            row.events.to_string(),
            row.errors.to_string(),
            second(row.first),
            second(row.last),
            or(&row.user, "-"),
            or(&row.session, "?"),
        ]);
    }
    table.write(out, tables.sessions.len());
}

/// UTC to the second: a table is for finding, not for measuring.
fn second(time: Timestamp) -> String {
    time.to_jiff().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_the_terminal_shows_and_long_tables_say_so() {
        let mut rows =
            TableRows { events: 30, span: Some((Timestamp(0), Timestamp(0))), ..TableRows::default() };
        let names = ["漢字\u{202e}".to_owned(), "x".repeat(200)].into_iter();
        let names = names.chain((0..20).map(|at| format!("browser/n{at}")));
        rows.ids =
            names.zip([1_000_u64, 7].into_iter().chain([1; 20])).map(|(n, c)| (Arc::from(n), c)).collect();
        let text = tables(&rows, Gate::default());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            ["30 events from 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.000Z", "", "events  signal"]
        );
        assert!(lines[3].starts_with("  1000  漢字") && !lines[3].contains('\u{202e}'), "{}", lines[3]);
        assert!(lines[4].starts_with("     7  xxx") && lines[4].ends_with('…'), "{}", lines[4]);
        assert_eq!(lines.last(), Some(&"and 2 more: --json has them all"));
        assert_eq!(tables(&TableRows::default(), Gate::default()), "no events\n");
    }
}
