//! `taillight export`: recorded events as JSONL, in the order they were recorded.
//!
//! Called by `run`. A line that taillight wrote comes out as it went in, byte for byte.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{code, recorded};
use crate::cli;
use crate::event::{gate, line};
use crate::recording;

const BUFFER: usize = 64 * 1024;

pub(super) fn run(export: &cli::Export) -> anyhow::Result<u8> {
    match &export.output {
        Some(path) => to_file(&export.from, path),
        None => to_stdout(&export.from),
    }
}

fn to_stdout(from: &cli::Recorded) -> anyhow::Result<u8> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut text = String::new();
    let matched = recorded::pass(from, |chunk, rows| {
        for row in rows {
            text.clear();
            line::write(chunk.event(*row), &mut text);
            text.push('\n');
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(if matched == 0 { code::NOTHING } else { code::FINE })
}

/// Without events there is no file: an empty one would stand in the way of the next try.
fn to_file(from: &cli::Recorded, path: &Path) -> anyhow::Result<u8> {
    let mut export = recording::Export::create(path)?;
    let matched = recorded::pass(from, |chunk, rows| {
        for row in rows {
            export.write(chunk.event(*row))?;
        }
        Ok(())
    })?;
    let name = path.to_string_lossy();
    let name = gate::plain(&name);
    if matched == 0 {
        let _ = writeln!(io::stderr(), "taillight: nothing matched, `{name}` was not written");
        return Ok(code::NOTHING);
    }
    let exported = export.finish()?;
    let (events, bytes) = (exported.events, exported.bytes);
    let _ = writeln!(io::stderr(), "wrote {events} events, {bytes} bytes, to `{name}`");
    Ok(code::FINE)
}
