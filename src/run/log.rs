//! What taillight says of itself while it runs: who was refused, what was not understood, how the sinks are.
//!
//! Started by `run::listener`. It goes to the log file, if there is one, and without a dashboard to standard error too,
//! what only tells of the course of things to the file alone. A thread of its own writes, so nobody waits for a disk;
//! what finds no room in its queue is counted and told later. It never says what events hold.

mod watch;

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::anyhow;

use super::Usage;
use crate::counters::Counters;
use crate::event::gate;
use crate::ingest;
use crate::sinks::{Dropped, Outlets, Report};
use crate::ui::format::counted;
use watch::Watch;

/// Lines that wait to be written; more are left out and counted.
const QUEUE: usize = 64;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A log that has grown to this gets `.1` behind its name, in the place of the one before, and a new one begins.
const MAX_BYTES: u64 = 8 << 20;
/// Columns of one line.
const MAX_LINE: usize = 1_000;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The course of things: for the file alone.
    Info,
    /// Something to know of at once.
    Warn,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) weight: Weight,
    pub(super) text: String,
}

/// The log of a running listener.
pub(super) struct Log {
    lines: SyncSender<Line>,
    /// Lines that found no room.
    missed: Arc<AtomicU64>,
    writing: JoinHandle<()>,
}

impl Log {
    /// Starts the thread that writes what it is told and what it finds out by itself.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(out: Out, counters: Arc<Counters>, sinks: Arc<Outlets>) -> io::Result<Self> {
        let (lines, told) = sync_channel(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        let left_out = Arc::clone(&missed);
        let writing = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || write(out, &told, &left_out, &counters, &sinks))?;
        Ok(Self { lines, missed, writing })
    }

    /// Takes note of what everybody may know later.
    pub(super) fn note(&self, text: String) {
        self.add(Line { weight: Weight::Info, text });
    }

    fn add(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what is left to be said.
    pub(super) fn stop(self) {
        drop(self.lines);
        // A panic in it has been told by itself.
        let _ = self.writing.join();
    }
}

/// What a sink could not write in the end.
pub(super) fn undelivered(report: &Report) -> Option<String> {
    let lost = report.counts.dropped[Dropped::Undelivered as usize] + report.queued;
    let why = report.last_error.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    (lost > 0).then(|| format!("sink {}: {} not delivered{why}", report.name, counted(lost, "event")))
}

fn write(mut out: Out, told: &Receiver<Line>, missed: &AtomicU64, counters: &Counters, sinks: &Outlets) {
    let mut watch = Watch::default();
    loop {
        let next = told.recv_timeout(LOOK_EVERY);
        let is_last = matches!(next, Err(RecvTimeoutError::Disconnected));
        if let Ok(line) = next {
            out.line(&line);
            continue;
        }
        for line in watch.look(ingest::now(), counters, &sinks.reports()) {
            out.line(&line);
        }
        for text in sinks.left().iter().filter_map(undelivered) {
            out.line(&Line { weight: Weight::Warn, text });
        }
        let lost = missed.swap(0, Ordering::Relaxed);
        if lost > 0 {
            out.line(&Line {
                weight: Weight::Warn,
                text: format!("{} left out of the log", counted(lost, "line")),
            });
        }
        if is_last {
            return;
        }
    }
}

/// Where lines go.
pub(super) struct Out {
    file: Option<LogFile>,
    has_stderr: bool,
}

struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Lines that could not be written since the last one that could.
    unwritten: u64,
}

impl Out {
    /// Opens the log file of this name, an empty one for none; `has_screen` where a dashboard has the terminal.
    ///
    /// # Errors
    /// When the file cannot be written to, or is the terminal that the dashboard has.
    pub(super) fn open(name: &str, has_screen: bool) -> anyhow::Result<Self> {
        if name.is_empty() {
            return Ok(Self { file: None, has_stderr: !has_screen });
        }
        let path = Path::new(name);
        let shown = gate::plain(name);
        let file = appended(path).map_err(|error| anyhow!("cannot write the log file `{shown}`: {error}"))?;
        if has_screen && file.is_terminal() {
            let message = format!("the dashboard has the terminal: `--log-file {shown}` cannot be one");
            return Err(Usage(message).into());
        }
        let bytes = file.metadata().map_or(0, |there| there.len());
        let file = LogFile { path: path.to_owned(), file, bytes, unwritten: 0 };
        Ok(Self { file: Some(file), has_stderr: !has_screen })
    }

    fn line(&mut self, line: &Line) {
        let gate = gate::Gate { ascii: false, strict_cells: false };
        let text = gate.plain_capped(&line.text, MAX_LINE);
        if self.has_stderr && line.weight == Weight::Warn {
            // Nobody may be listening any more.
            let _ = writeln!(io::stderr(), "taillight: {text}");
        }
        let Some(file) = &mut self.file else { return };
        let level = if line.weight == Weight::Warn { "warn" } else { "info" };
        let was_unwritten = file.unwritten;
        let failed = file.put(&format!("{} {level} {text}\n", ingest::now()));
        if let (Some(error), 0, true) = (failed, was_unwritten, self.has_stderr) {
            let name = file.path.to_string_lossy();
            let _ = writeln!(
                io::stderr(),
                "taillight: cannot write the log file `{}`: {error}",
                gate::plain(&name)
            );
        }
    }
}

impl LogFile {
    /// Writes a line, or counts it; why it could not be written.
    fn put(&mut self, line: &str) -> Option<io::Error> {
        let lost = match self.unwritten {
            0 => String::new(),
            lost => format!("{} warn {} could not be written\n", ingest::now(), counted(lost, "line")),
        };
        let text = format!("{lost}{line}");
        let put = self.begin_anew().and_then(|()| self.file.write_all(text.as_bytes()));
        match put {
            Ok(()) => {
                self.bytes += text.len() as u64;
                self.unwritten = 0;
                None
            }
            Err(error) => {
                self.unwritten += 1;
                Some(error)
            }
        }
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        if self.bytes < MAX_BYTES {
            return Ok(());
        }
        let mut aside = self.path.clone().into_os_string();
        aside.push(".1");
        // A terminal or a pipe has no name to give up.
        if self.file.metadata()?.is_file() {
            fs::rename(&self.path, aside)?;
            self.file = appended(&self.path)?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// The file, for its user alone.
fn appended(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_put_aside_and_a_new_one_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.log");
        let mut out = Out::open(&path.to_string_lossy(), true).expect("opened");
        out.file.as_mut().expect("a file").bytes = MAX_BYTES - 1;
        for text in ["first", "a\u{1b}[31mb\nc", "third"] {
            out.line(&Line { weight: Weight::Info, text: text.to_owned() });
        }
        let read = |path: &Path| fs::read_to_string(path).expect("readable");
        let (old, new) = (read(&folder.path().join("own.log.1")), read(&path));
        assert!(old.ends_with(" info first\n") && old.lines().count() == 1, "{old}");
        assert!(new.ends_with(" info third\n") && new.lines().count() == 2, "{new}");
        assert!(!new.contains('\u{1b}'), "{new}");
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_told_once_they_can() {
        let mut out = Out::open("/dev/full", true).expect("opened");
        let line = |text: &str| Line { weight: Weight::Warn, text: text.to_owned() };
        out.line(&line("one"));
        out.line(&line("two"));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.log");
        out.file.as_mut().expect("a file").file = appended(&path).expect("opened");
        out.line(&line("three"));
        let text = fs::read_to_string(&path).expect("readable");
        let said: Vec<_> =
            text.lines().filter_map(|line| line.split_once(' ')).map(|(_, said)| said).collect();
        assert_eq!(said, ["warn 2 lines could not be written", "warn three"]);
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_named() {
        let error = Out::open("/no/such/own.log", false).map(drop).expect_err("missing").to_string();
        assert!(error.starts_with("cannot write the log file `/no/such/own.log`: "), "{error}");
    }
}
