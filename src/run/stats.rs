//! `taillight stats`: recorded events in numbers, as one JSON object or as tables for people.
//!
//! Called by `run`. The numbers come from the tables the panels show, so screen and report agree.

mod report;
mod text;

use super::{code, print, recorded};
use crate::cli::{self, Common};
use crate::event::{Chunk, gate};
use crate::ingest;
use crate::store::{Retention, Store, Tally};

/// The tables outlive the events, so next to none of those need to stay.
const KEPT: Retention = Retention { events: 1, bytes: u64::MAX };

pub(super) fn run(common: &Common, stats: &cli::Stats) -> anyhow::Result<u8> {
    let mut store = Store::new(KEPT);
    let matched = recorded::pass(&stats.from, |chunk, rows| {
        if rows.len() == chunk.len() {
            store.append(chunk, &Tally::default());
        } else {
            store.append(&picked(chunk, rows), &Tally::default());
        }
        Ok(())
    })?;
    let tables = store.snapshot(ingest::now()).tables;
    let out = if stats.json {
        report::json(&tables)?
    } else {
        text::tables(&tables, gate::Gate { ascii: common.ascii, strict_cells: false })
    };
    print(out.as_bytes())?;
    Ok(if matched == 0 { code::NOTHING } else { code::FINE })
}

/// A chunk of only `rows`, which rise.
fn picked(chunk: &Chunk, rows: &[usize]) -> Chunk {
    chunk.retain(|row| rows.binary_search(&row).is_ok())
}
