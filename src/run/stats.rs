//! `taillight stats`: recorded events in numbers, as one JSON object or as tables for people.
//!
//! Called by `run`. The numbers come from the tables the panels show, so screen and report agree.

mod assert;
mod report;
mod text;

use std::io::{self, Write};

use super::{Usage, code, print, recorded};
use crate::cli;
use crate::config::Settings;
use crate::event::{Chunk, gate};
use crate::ingest;
use crate::store::{Retention, Store, Tally};

/// The tables outlive the events, so next to none of those need to stay.
const KEPT: Retention = Retention { events: 1, bytes: u64::MAX, age_ms: None };

/// Prints the numbers; 1 if there are none or an assertion fails, each of which is named on standard error.
pub(super) fn run(settings: &Settings, stats: &cli::Stats) -> anyhow::Result<u8> {
    let mut assertions = Vec::new();
    for text in &stats.assert {
        assertions.push(assert::parse(text).map_err(|mistake| Usage(mistake.to_string()))?);
    }
    let mut store = Store::new(KEPT);
    let mut has_any = false;
    let matched = recorded::pass(&stats.from, settings, |chunk, rows| {
        has_any = true;
        if rows.len() == chunk.len() {
            store.append(chunk, &Tally::default());
        } else {
            store.append(&picked(chunk, rows), &Tally::default());
        }
        Ok(())
    });
    // What stands before a cut is told, and then the cut.
    if !has_any && let Err(error) = matched {
        return Err(error);
    }
    let tables = store.snapshot(ingest::now()).tables;
    let out = if stats.json {
        report::json(&tables)?
    } else {
        text::tables(&tables, gate::Gate { ascii: super::is_ascii(settings.glyphs), strict_cells: false })
    };
    print(out.as_bytes())?;
    let matched = matched?;
    let broken: Vec<_> =
        assertions.iter().flat_map(|assertion| assertion.broken(&tables.endpoints)).collect();
    for line in &broken {
        let _ = writeln!(io::stderr(), "taillight: {line}");
    }
    Ok(if matched == 0 || !broken.is_empty() { code::NOTHING } else { code::FINE })
}

/// A chunk of only `rows`, which rise.
fn picked(chunk: &Chunk, rows: &[usize]) -> Chunk {
    chunk.retain(|row| rows.binary_search(&row).is_ok())
}
