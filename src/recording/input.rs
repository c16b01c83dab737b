//! The bytes of a recording: a file, unpacked by its name, or standard input, unpacked by its first bytes; line by line.
//!
//! Used by `recording::read`. Lines over the limit are passed over without being held, and what unpacks to more
//! than its limit ends with an error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::zst::ZstReader;
use crate::wire::MAX_LINE_BYTES;

/// Unpacked bytes of one compressed file that are read (SECURITY: limits, replay).
const MAX_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;
const BUFFER: usize = 64 * 1024;

/// How the bytes of a recording are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// The endings and the first bytes of what is packed.
const PACKINGS: [(Packing, &str, &[u8]); 2] =
    [(Packing::Gzip, "gz", &[0x1f, 0x8b]), (Packing::Zstd, "zst", &[0x28, 0xb5, 0x2f, 0xfd])];
/// First bytes that tell one from the other.
const MAGIC: u64 = 4;

impl Packing {
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        let found = PACKINGS.iter().find(|(_, ending, _)| extension.eq_ignore_ascii_case(ending));
        found.map(|(packing, ..)| *packing)
    }

    fn of_head(head: &[u8]) -> Option<Self> {
        PACKINGS.iter().find(|(.., magic)| head.starts_with(magic)).map(|(packing, ..)| *packing)
    }
}

/// What [`Lines::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A line is in the buffer, without its line break.
    Line,
    /// The line was longer than the limit and is gone.
    TooLong,
    End,
}

/// The lines of one input.
pub(super) struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    pub(super) line: Vec<u8>,
}

impl Lines {
    /// Opens the file at `path`; `-` is standard input. What is packed is unpacked. Bytes are counted in `read` as they lie
    /// in the file.
    pub(super) fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::of_stream(Counted { input: io::stdin(), read: Arc::clone(read) });
        }
        let file = Counted { input: File::open(path)?, read: Arc::clone(read) };
        let mut file = BufReader::with_capacity(BUFFER, file);
        // A folder opens like a file and only fails to be read.
        file.fill_buf()?;
        Ok(Self::unpacked(file, Packing::of_name(path)))
    }

    /// A stream has no name: its first bytes say how it is packed.
    fn of_stream(mut input: impl Read + Send + 'static) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(MAGIC).read_to_end(&mut head)?;
        let packing = Packing::of_head(&head);
        let whole = io::Cursor::new(head).chain(input);
        Ok(Self::unpacked(BufReader::with_capacity(BUFFER, whole), packing))
    }

    fn unpacked(input: impl BufRead + Send + 'static, packing: Option<Packing>) -> Self {
        Self::new(match packing {
            Some(Packing::Gzip) => Box::new(Capped::new(MultiGzDecoder::new(input), MAX_UNPACKED)),
            Some(Packing::Zstd) => Box::new(Capped::new(ZstReader::new(input), MAX_UNPACKED)),
            None => Box::new(input),
        })
    }

    fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input: BufReader::with_capacity(BUFFER, input), line: Vec::new() }
    }

    /// Reads the next line into [`Lines::line`].
    pub(super) fn next(&mut self) -> io::Result<Found> {
        self.line.clear();
        let mut is_too_long = false;
        let mut has_any = false;
        loop {
            let part = match self.input.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            has_any |= !part.is_empty();
            let end = memchr::memchr(b'\n', part);
            let text = &part[..end.unwrap_or(part.len())];
            is_too_long |= self.line.len() + text.len() > MAX_LINE_BYTES;
            if !is_too_long {
                self.line.extend_from_slice(text);
            }
            let is_end = end.is_some() || part.is_empty();
            let used = end.map_or(part.len(), |end| end + 1);
            self.input.consume(used);
            if is_end {
                return Ok(match (has_any, is_too_long) {
                    (false, _) => Found::End,
                    (true, true) => Found::TooLong,
                    (true, false) => Found::Line,
                });
            }
        }
    }
}

/// A reader that counts what it has given.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.read.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}

/// A reader that refuses to give more than `left` bytes.
struct Capped<R> {
    input: R,
    left: u64,
}

impl<R> Capped<R> {
    fn new(input: R, limit: u64) -> Self {
        Self { input, left: limit }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            io::Error::other("it unpacks to more than 4 GiB: unpack it yourself and split it")
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: impl Read + Send + 'static) -> Vec<(Found, usize)> {
        let mut lines = Lines::new(Box::new(input));
        let mut found = Vec::new();
        loop {
            let next = lines.next().expect("readable");
            if next == Found::End {
                return found;
            }
            found.push((next, lines.line.len()));
        }
    }

    #[test]
    fn lines_end_at_breaks_and_at_the_end_of_the_file() {
        use Found::Line;
        for (text, expected) in [
            ("", vec![]),
            ("\n", vec![(Line, 0)]),
            ("a\nbc", vec![(Line, 1), (Line, 2)]),
            ("a\n\nbc\n", vec![(Line, 1), (Line, 0), (Line, 2)]),
        ] {
            assert_eq!(lines(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_passed_over_and_the_next_one_read() {
        let long = MAX_LINE_BYTES as u64;
        let break_and_rest = &b"\nnext\n"[..];
        let fits = io::repeat(b'x').take(long).chain(break_and_rest);
        assert_eq!(lines(fits), [(Found::Line, MAX_LINE_BYTES), (Found::Line, 4)]);
        let over = io::repeat(b'x').take(64 * long).chain(break_and_rest);
        let found = lines(over);
        assert_eq!((found[0].0, found[1]), (Found::TooLong, (Found::Line, 4)));
        assert!(found[0].1 <= MAX_LINE_BYTES);
    }

    #[test]
    fn more_than_the_limit_is_an_error_and_exactly_the_limit_is_not() {
        let mut out = Vec::new();
        assert_eq!(Capped::new(&b"12345"[..], 5).read_to_end(&mut out).expect("fits"), 5);
        let error = Capped::new(&b"123456"[..], 5).read_to_end(&mut out).expect_err("too much");
        assert!(error.to_string().contains("4 GiB"), "{error}");
    }
}
