//! Recorded JSONL, read as a stream of chunks and written as a file that is there whole or not at all.
//!
//! Called by `run` for `export` and `stats`, and by whatever opens or exports a recording. Memory stays bounded
//! whatever a file holds: one line, one chunk, one window of its compression.

mod input;
mod read;
mod room;
mod write;
mod zst;

use std::path::Path;

use input::Packing;

pub use read::{Far, ReadError, Recording, SkippedIn};
pub use write::{Export, ExportError, Exported, export, write_new, write_private};

/// Whether a recording of this name is packed with zstd, which is read and not written.
pub fn is_zstd(path: &Path) -> bool {
    Packing::of_name(path) == Some(Packing::Zstd)
}
