//! The file sink: JSON lines in a file for each day, or in one file, rotated, packed and in time deleted.
//!
//! A batch is written whole or not at all: where a write fails half-way, the file is cut back to the lines before it.
//! Days are those of arrival, in UTC.

mod folder;
mod keep;
mod person;
mod repair;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::piece::Batch;
use super::{AckLevel, Build, Removed, Setting, Sink, SinkError, Visit, Written, encode};
use crate::event::{Person, Timestamp};
use crate::options::{Check, Key, Kind, Value, Values, key};
use folder::{Place, day_of};

pub use repair::numbers_of;

pub(super) const KEYS: &[Key] = &[
    key("folder", Kind::Text(Check::ANY), "\"logs\"", "where the files are: YYYY-MM-DD.jsonl"),
    key("file", Kind::Text(Check::ANY), "", "one file instead of one a day"),
    key(
        "ack",
        Kind::Word(&["seen", "written", "synced"]),
        "",
        "what an ack to a page means; \"written\" where mode is blocking",
    ),
    key("rotate-bytes", Kind::Size, "\"64MiB\"", "a file that would be larger is closed and a new one begun"),
    key(
        "keep-files",
        Kind::Count { from: 1, to: 1_000_000 },
        "10",
        "closed files of a day, or of one file, that are kept",
    ),
    key("keep-age", Kind::Span, "\"30d\"", "closed files that are older are deleted"),
    key("gzip", Kind::Flag, "true", "pack closed files"),
    key(
        "min-free",
        Kind::Size,
        "\"512MiB\"",
        "stop while less is free on the disk, or less than a twentieth of it",
    ),
    key(
        "mode",
        Kind::Word(super::Mode::WORDS),
        "\"blocking\"",
        "when the queue is full: withhold acks, drop new, drop old",
    ),
    key("retry-longest", Kind::Span, "\"2s\"", "the longest wait before any retry"),
];

pub(super) fn build(values: &Values) -> Result<Build, String> {
    let is_blocking = values.text("mode") == "blocking";
    let ack = match values.text("ack") {
        "" if is_blocking => AckLevel::Written,
        "" | "seen" => AckLevel::Seen,
        word if !is_blocking => {
            return Err(format!(
                "ack = \"{word}\" needs mode = \"blocking\": what is dropped is never {word}"
            ));
        }
        "synced" => AckLevel::Synced,
        _ => AckLevel::Written,
    };
    let options = Options {
        place: place_of(values)?,
        is_synced: ack == AckLevel::Synced,
        rotate_bytes: values.number("rotate-bytes").max(1),
        keep: keep::Keep {
            files: usize::try_from(values.number("keep-files")).unwrap_or(usize::MAX),
            age: values.span("keep-age"),
            is_packed: values.flag("gzip"),
        },
        min_free: values.number("min-free"),
    };
    Ok(Build::of::<FileSink>(options).acking(ack))
}

fn place_of(values: &Values) -> Result<Place, String> {
    let file = values.text("file");
    if file.is_empty() {
        return Ok(Place::Daily(PathBuf::from(values.text("folder"))));
    }
    if values.is_written("folder") {
        return Err("set folder or file, not both".to_owned());
    }
    match Path::new(file).file_name() {
        Some(_) => Ok(Place::One(PathBuf::from(file))),
        None => Err(format!("file is the name of a file, which `{file}` is not")),
    }
}

/// The sink that `--record FILE` is.
pub fn recorder(file: &Path) -> Setting {
    let mut setting = Setting::new("record", "file");
    setting.values.put("file", Value::Text(file.to_string_lossy().into_owned()));
    // What pages sent and nothing else.
    setting.values.put("summaries", Value::Flag(false));
    setting
}

/// Whether the recording of `setting` can begin: its file is there then.
///
/// # Errors
/// Why it cannot.
pub fn try_recorder(setting: &Setting) -> Result<(), String> {
    let place = place_of(&setting.values)?;
    folder::make(place.folder())?;
    Open::file(place.current(0), 0).map(drop)
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    place: Place,
    is_synced: bool,
    rotate_bytes: u64,
    keep: keep::Keep,
    min_free: u64,
}

/// How often the disk and the file's name are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes after which they are looked at earlier.
const LOOK_AFTER: u64 = 16 << 20;

pub(super) struct FileSink {
    options: Options,
    open: Option<Open>,
    /// Packing and deleting go on beside the writing.
    keeping: Option<JoinHandle<Result<(), String>>>,
    trouble: Option<String>,
    text: String,
    looked: Option<Instant>,
    unlooked: u64,
}

/// The file written to.
struct Open {
    file: File,
    path: PathBuf,
    day: i64,
    /// Where its last whole line ends.
    len: u64,
    /// A failed write has left more than that in it.
    is_torn: bool,
}

impl Sink for FileSink {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let mut sink = Self {
            options: options.clone(),
            open: None,
            keeping: None,
            trouble: None,
            text: String::new(),
            looked: None,
            unlooked: 0,
        };
        sink.keep_house(None);
        Ok(sink)
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        self.collect().await;
        let (mut done, mut failed) = (0, None);
        tokio::task::block_in_place(|| {
            // A batch over midnight belongs to two files.
            let mut items = encode::unhurried(batch.items()).peekable();
            while let Some(first) = items.peek() {
                let day = self.day_for(first.event.recv());
                self.text.clear();
                let mut count = 0;
                while let Some(item) = items.next_if(|item| self.day_for(item.event.recv()) == day) {
                    encode::recorded(item, &mut self.text);
                    count += 1;
                }
                if let Err(why) = self.put(day) {
                    failed = Some(why);
                    return;
                }
                done += count;
            }
        });
        match failed {
            Some(why) => Err(SinkError::Retry { why, after: None, done, too_large: 0 }),
            None => Ok(Written { too_large: 0, trouble: self.trouble.take() }),
        }
    }

    async fn close(mut self) {
        if let Some(keeping) = self.keeping.take() {
            // Trouble with closed files is met again by whoever opens next.
            let _ = keeping.await;
        }
    }

    async fn forget(options: &Options, who: &Person) -> Result<Option<Removed>, String> {
        let removed = tokio::task::block_in_place(|| person::remove(&options.place, who))?;
        let told = removed.into_iter().map(|(path, lines)| (path.display().to_string(), lines));
        Ok(Some(told.collect()))
    }

    async fn lines(options: &Options, who: &Person, visit: &mut Visit<'_>) -> Result<(), String> {
        tokio::task::block_in_place(|| person::find(&options.place, who, visit))
    }
}

impl FileSink {
    /// The day whose file an event belongs to: its own, but not the day before for what came in just about midnight.
    fn day_for(&self, recv: Timestamp) -> i64 {
        const AN_HOUR: i64 = 3_600_000;
        let current = self.open.as_ref().map(|open| open.day);
        match current {
            Some(day) if day_of(recv) < day && day_of(recv.plus_ms(AN_HOUR)) == day => day,
            _ => day_of(recv),
        }
    }

    /// Writes the text to the file of `day`, or says why not; then nothing of it is in there.
    fn put(&mut self, day: i64) -> Result<(), String> {
        let bytes = self.text.len() as u64;
        self.look(bytes)?;
        let is_other_day =
            self.open.as_ref().is_some_and(|open| open.day != day) && self.options.place.is_daily();
        if is_other_day {
            self.open = None;
            self.keep_house(Some(day));
        }
        let is_full = self
            .open
            .as_ref()
            .is_some_and(|open| open.len > 0 && open.len + bytes > self.options.rotate_bytes);
        if is_full {
            self.rotate()?;
        }
        let is_synced = self.options.is_synced;
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let (open, found) = Open::file(self.options.place.current(day), day)?;
                self.trouble = found.or(self.trouble.take());
                self.open.insert(open)
            }
        };
        open.day = day;
        open.put(self.text.as_bytes(), is_synced)
    }

    /// Looks now and then whether the disk has room and the file is still the one of its name.
    fn look(&mut self, bytes: u64) -> Result<(), String> {
        self.unlooked += bytes;
        let is_due = self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) || self.unlooked >= LOOK_AFTER;
        if !is_due {
            return Ok(());
        }
        let folder = self.options.place.folder();
        folder::make(folder)?;
        folder::has_room(folder, self.options.min_free)?;
        (self.looked, self.unlooked) = (Some(Instant::now()), bytes);
        if self.open.as_ref().is_some_and(|open| !open.is_still_there()) {
            self.open = None;
        }
        Ok(())
    }

    /// Gives the full file another name, so that a new one begins.
    fn rotate(&mut self) -> Result<(), String> {
        let Some(open) = &self.open else { return Ok(()) };
        let day = open.day;
        self.options.place.put_aside(&open.path)?;
        self.open = None;
        self.keep_house(Some(day));
        Ok(())
    }

    /// Packs and deletes what is closed, all but the file of `day`.
    fn keep_house(&mut self, day: Option<i64>) {
        if self.keeping.as_ref().is_some_and(|keeping| !keeping.is_finished()) {
            return;
        }
        let (place, keep) = (self.options.place.clone(), self.options.keep.clone());
        self.keeping = Some(tokio::task::spawn_blocking(move || keep.apply_apart(place, day)));
    }

    /// Takes note of how packing and deleting went.
    async fn collect(&mut self) {
        if let Some(keeping) = self.keeping.take_if(|keeping| keeping.is_finished())
            && let Ok(Err(why)) = keeping.await
        {
            self.trouble = Some(why);
        }
    }
}

impl Open {
    /// Opens or makes the file at `path`, for this process alone; gives with it what was found torn, if anything.
    fn file(path: PathBuf, day: i64) -> Result<(Self, Option<String>), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = folder::open(&path).map_err(fail)?;
        if file.try_lock().is_err() {
            return Err(format!("{} is being written to by another process", path.display()));
        }
        let found = repair::cut_torn(&mut file, &path).map_err(fail)?;
        let len = file.metadata().map_err(fail)?.len();
        Ok((Self { file, path, day, len, is_torn: false }, found))
    }

    fn put(&mut self, text: &[u8], is_synced: bool) -> Result<(), String> {
        let put = self.mend().and_then(|()| {
            self.is_torn = true;
            std::io::Write::write_all(&mut self.file, text)?;
            if is_synced { self.file.sync_data() } else { Ok(()) }
        });
        match put {
            Ok(()) => {
                self.is_torn = false;
                self.len += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Tried again before the next write if it does not work now.
                let _ = self.mend();
                Err(format!("{}: {error}", self.path.display()))
            }
        }
    }

    /// Cuts off what a failed write has left.
    fn mend(&mut self) -> std::io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.len)?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Whether the name still leads to this file: somebody may have moved or deleted it.
    fn is_still_there(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let (there, here) = (std::fs::metadata(&self.path), self.file.metadata());
        matches!((there, here), (Ok(there), Ok(here)) if (there.dev(), there.ino()) == (here.dev(), here.ino()))
    }
}

#[cfg(test)]
mod tests;
