//! Recordings read one after the other, as chunks in the order of their lines.
//!
//! Used by `run` and by whatever opens a recording. It never holds more than one chunk.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::input::{Found, Lines};
use crate::event::{Chunk, Timestamp, gate};
use crate::pipeline::{Reading, Redactor};
use crate::wire::{LineDecoder, ScrubCount, Skipped};

/// A file that cannot be read, or not to its end.
#[derive(Debug, Error)]
#[error("cannot read {name}: {reason}")]
pub struct ReadError {
    /// The file in backticks, or "standard input".
    pub name: String,
    /// In the system's or the decompressor's words. No source: a pipe that breaks on the way in is not the
    /// closed pipe that ends a command quietly.
    pub reason: String,
}

impl ReadError {
    fn new(path: &Path, error: &io::Error) -> Self {
        let reason = if is_cut_off(error) { CUT_OFF.to_owned() } else { error.to_string() };
        Self { name: name_of(path), reason }
    }
}

const CUT_OFF: &str = "it is cut off, and only what stands before that can be had";

/// Whether a packed file has no end. Decompressors have words of their own for it.
fn is_cut_off(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let found = error.downcast_ref::<io::Error>();
        if found.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        // What an error of the system's kind holds is no source of it.
        let held = found.and_then(|error| error.get_ref()).map(|error| error as &(dyn Error + 'static));
        cause = held.or_else(|| error.source());
    }
    false
}

/// The lines of one file that were skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedIn {
    /// The file in backticks, or "standard input".
    pub name: String,
    pub lines: Skipped,
}

/// How much of the recordings has been read, in bytes as they lie in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far {
    pub read: u64,
    /// 0 where nobody knows: a pipe has no size.
    pub total: u64,
}

/// Some recordings, read in the order given.
pub struct Recording {
    waiting: std::vec::IntoIter<PathBuf>,
    current: Option<(PathBuf, Lines)>,
    decoder: LineDecoder,
    skipped: Vec<SkippedIn>,
    /// Met while there were rows before it to be handed on.
    error: Option<ReadError>,
    read: Arc<AtomicU64>,
    total: u64,
}

impl Recording {
    /// Events that taillight has not written itself are taken as posted at `recv`. Nothing is opened yet.
    pub fn new(paths: Vec<PathBuf>, recv: Timestamp, redactor: Redactor) -> Self {
        let total = size_of(&paths);
        Self {
            waiting: paths.into_iter(),
            current: None,
            decoder: LineDecoder::new(recv, redactor),
            skipped: Vec::new(),
            error: None,
            read: Arc::default(),
            total,
        }
    }

    /// How far it is.
    pub fn far(&self) -> Far {
        Far { read: self.read.load(Ordering::Relaxed), total: self.total }
    }

    /// Events that taillight has not written itself are read as the user says.
    #[must_use]
    pub fn with_reading(self, reading: Arc<Reading>) -> Self {
        Self { decoder: self.decoder.with_reading(reading), ..self }
    }

    /// The next rows, at most 4,096 and at most one line over 2 MiB; `None` at the end of the last file.
    ///
    /// # Errors
    /// When a file cannot be opened or read on; what was read before it has been given.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, ReadError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        while !self.decoder.is_full() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if self.decoder.is_empty() => return Err(error),
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        Ok((!self.decoder.is_empty()).then(|| self.decoder.take()))
    }

    /// How often the text of events was changed since this was asked last.
    pub fn scrubbed(&mut self) -> ScrubCount {
        self.decoder.scrubbed()
    }

    /// What had to be skipped in the files that are read to their end; files without such lines are left out.
    pub fn skipped(&self) -> &[SkippedIn] {
        &self.skipped
    }

    /// Reads a line or opens a file; `false` once there is neither.
    fn step(&mut self) -> Result<bool, ReadError> {
        let Some((path, lines)) = &mut self.current else {
            let Some(path) = self.waiting.next() else { return Ok(false) };
            let lines = Lines::open(&path, &self.read).map_err(|error| ReadError::new(&path, &error))?;
            self.current = Some((path, lines));
            return Ok(true);
        };
        match lines.next() {
            Ok(Found::Line) => self.decoder.push(&lines.line),
            Ok(Found::TooLong) => self.decoder.push_too_long(),
            Ok(Found::End) => self.end_file(),
            Err(error) => {
                let error = ReadError::new(path, &error);
                self.end_file();
                return Err(error);
            }
        }
        Ok(true)
    }

    fn end_file(&mut self) {
        let lines = self.decoder.end_file();
        if let Some((path, _)) = self.current.take()
            && lines.count > 0
        {
            self.skipped.push(SkippedIn { name: name_of(&path), lines });
        }
    }
}

/// How many bytes there are to be read; 0 where that shows only at the end. What is not there is no byte.
fn size_of(paths: &[PathBuf]) -> u64 {
    let sizes = paths.iter().filter_map(|path| match path.metadata() {
        _ if path.as_os_str() == "-" => Some(None),
        Ok(known) => Some(known.is_file().then_some(known.len())),
        Err(_) => None,
    });
    sizes.sum::<Option<u64>>().unwrap_or(0)
}

/// How messages call the file.
fn name_of(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_owned();
    }
    format!("`{}`", gate::plain(&path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn recording(paths: &[PathBuf]) -> Recording {
        Recording::new(paths.to_vec(), Timestamp(1_800_000_000_000), Redactor::default())
    }

    #[test]
    fn files_follow_each_other_and_the_rows_before_an_error_come_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.jsonl"), "{\"message\":\"a\"}\nbroken\n").expect("writable");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"{\"message\":\"b\"}\n").expect("packed");
        let packed = packer.finish().expect("packed");
        // Two members, the second one torn.
        let torn = [&packed[..], &packed[..packed.len() - 12]].concat();
        std::fs::write(path("b.jsonl.GZ"), torn).expect("writable");
        let mut recording = recording(&[path("a.jsonl"), path("b.jsonl.GZ"), path("none")]);
        let chunk = recording.next_chunk().expect("readable").expect("rows");
        assert_eq!(chunk.events().map(|e| (e.seq(), e.msg())).collect::<Vec<_>>(), [(1, "a"), (2, "b")]);
        let error = recording.next_chunk().expect_err("torn");
        assert!(error.to_string().contains("b.jsonl.GZ`: it is cut off"), "{error}");
        let error = recording.next_chunk().expect_err("missing");
        assert!(error.to_string().contains("none`: No such file"), "{error}");
        assert!(recording.next_chunk().expect("the end").is_none());
        assert_eq!(recording.skipped().len(), 1);
        assert_eq!(recording.skipped()[0].lines.count, 1);
    }

    #[test]
    fn how_far_it_is_is_told_in_bytes_of_the_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.jsonl"), "{}\n".repeat(5_000)).expect("writable");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all("{}\n".repeat(5_000).as_bytes()).expect("packed");
        let packed = packer.finish().expect("packed");
        std::fs::write(path("b.jsonl.gz"), &packed).expect("writable");
        let total = 15_000 + packed.len() as u64;
        let mut recording = recording(&[path("a.jsonl"), path("none"), path("b.jsonl.gz")]);
        assert_eq!(recording.far(), Far { read: 0, total });
        assert!(recording.next_chunk().expect("readable").is_some());
        assert_eq!(recording.far(), Far { read: 15_000, total });
        // The one that is not there says so and costs nothing.
        while !matches!(recording.next_chunk(), Ok(None)) {}
        assert_eq!(recording.far(), Far { read: total, total });
        let unknown = |paths: &[PathBuf]| size_of(paths) == 0;
        assert!(unknown(&[path("a.jsonl"), PathBuf::from("-")]) && unknown(&[folder.path().to_owned()]));
    }

    #[test]
    fn chunks_hold_at_most_4096_rows() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all("{}\n".repeat(5_000).as_bytes()).expect("writable");
        let mut recording = recording(&[file.path().to_owned()]);
        let mut sizes = Vec::new();
        while let Some(chunk) = recording.next_chunk().expect("readable") {
            sizes.push(chunk.len());
        }
        assert_eq!(sizes, [4_096, 904]);
    }
}
