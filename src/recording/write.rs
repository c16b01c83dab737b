//! Events written to a file that appears under its name only once it is complete.
//!
//! Used by `run` and by exports of a view. It writes over a file only where that was asked for, and a file that is
//! not finished leaves nothing behind; of one that grows too large the part there is stays, under a name that says so.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;
use thiserror::Error;

use crate::event::form::{Form, Format};
use crate::event::{EventRef, gate};
use crate::pipeline::{Redactor, Scrub};

use super::input::Packing;
use super::room::Room;

const BUFFER: usize = 64 * 1024;
/// What people did stays with the user; the client is for everyone (as far as the umask lets it).
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o666;
/// Events between two reports of progress: some milliseconds of work.
const REPORT_EVERY: u64 = 4_096;
/// Parts of exports that may lie beside each other; of one more nothing is kept.
const MAX_PARTS: u32 = 99;

/// Why there is no file.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("`{0}` exists already and is not written over: choose another name or move it away")]
    Exists(String),
    #[error("`{0}` is no file that another could take the place of: choose another name")]
    NoFile(String),
    #[error("`{0}` would not be packed: leave its ending out, and pack the file that is written")]
    Packed(String),
    #[error("cannot write `{name}`: {reason}")]
    Write { name: String, reason: io::Error },
    #[error("cancelled: `{0}` was not written")]
    Cancelled(String),
    #[error("export stopped at {why}: {kept}")]
    Stopped { why: &'static str, kept: String },
}

/// How much has been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub events: u64,
    pub bytes: u64,
}

/// A file in the making; dropped before [`Export::finish`] it leaves nothing behind.
#[derive(Debug)]
pub struct Export {
    path: PathBuf,
    is_forced: bool,
    form: Form,
    hiding: Option<Arc<Redactor>>,
    /// `None` once it has stopped.
    out: Option<BufWriter<NamedTempFile>>,
    unfinished: PathBuf,
    room: Room,
    /// What is written next.
    text: String,
    exported: Exported,
}

impl Export {
    /// Starts a file of mode 0600 beside `path`.
    ///
    /// # Errors
    /// When `path` exists, its folder cannot be written to, or it is a name that is unpacked when it is read.
    pub fn create(path: &Path, form: Form) -> Result<Self, ExportError> {
        Self::start(path, form, false)
    }

    /// As [`Export::create`], but takes the place of a file at `path` once it is complete.
    ///
    /// # Errors
    /// When the folder cannot be written to, or `path` is a name that is unpacked when it is read.
    pub fn create_over(path: &Path, form: Form) -> Result<Self, ExportError> {
        Self::start(path, form, true)
    }

    fn start(path: &Path, form: Form, is_forced: bool) -> Result<Self, ExportError> {
        if Packing::of_name(path).is_some() {
            return Err(ExportError::Packed(shown(path)));
        }
        let file = beside(path, is_forced, PRIVATE)?;
        let (mut text, exported) = (String::new(), Exported::default());
        form.head(&mut text);
        let (unfinished, room) = (file.path().to_owned(), Room::in_folder(folder_of(path)));
        let out = Some(BufWriter::with_capacity(BUFFER, file));
        let path = path.to_owned();
        let mut export = Self { path, is_forced, form, hiding: None, out, unfinished, room, text, exported };
        export.flush_text()?;
        Ok(export)
    }

    /// Takes secrets out with `redactor`, where there is one.
    #[must_use]
    pub fn hiding(self, redactor: Option<Arc<Redactor>>) -> Self {
        Self { hiding: redactor, ..self }
    }

    /// The file that is written to until it is complete.
    pub fn unfinished(&self) -> &Path {
        &self.unfinished
    }

    /// Adds one event, where the form has a place for it; how much there is now.
    ///
    /// # Errors
    /// When the disk is full or gone, and when it would be more than an export may take: what there is stays then, in a
    /// file that says by its name that it is a part.
    pub fn write(&mut self, event: EventRef<'_>) -> Result<Exported, ExportError> {
        let is_first = self.exported.events == 0;
        let is_one = self.form.event(event, is_first, &mut self.text);
        if let Some(redactor) = &self.hiding {
            self.text = match (self.form.format, redactor.hide(&self.text)) {
                (Format::Csv, _) => redactor.excerpt(&self.text, self.text.len()).0,
                (_, Scrub::Changed { text, .. }) => text,
                (_, Scrub::Clean(text)) => text.to_owned(),
            };
        }
        if self.exported.bytes + self.text.len() as u64 > self.room.bytes {
            return Err(self.stop());
        }
        self.exported.events += u64::from(is_one);
        self.flush_text()?;
        Ok(self.exported)
    }

    /// Keeps what was written so far beside the file that there will not be.
    fn stop(&mut self) -> ExportError {
        self.text.clear();
        let events = self.exported.events;
        let kept = match (events > 0).then(|| self.part()) {
            None => "nothing was kept".to_owned(),
            Some(Ok(part)) if events == 1 => format!("the first event is in `{}`", shown(&part)),
            Some(Ok(part)) => format!("the first {events} events are in `{}`", shown(&part)),
            Some(Err(error)) => format!("nothing was kept: {error}"),
        };
        ExportError::Stopped { why: self.room.why, kept }
    }

    /// Brings the part there is under the name of the file with `.partial` behind it, or that with a number.
    fn part(&mut self) -> Result<PathBuf, ExportError> {
        self.form.tail(&mut self.text);
        self.flush_text()?;
        let out = self.out.take().ok_or_else(|| ExportError::NoFile(shown(&self.path)))?;
        let mut file = out.into_inner().map_err(|error| failed(&self.path, error.into_error()))?;
        sync(&file, &self.path)?;
        for number in 1..=MAX_PARTS {
            let mut name = self.path.clone().into_os_string();
            name.push(".partial");
            if number > 1 {
                name.push(format!("-{number}"));
            }
            match file.persist_noclobber(&name) {
                Ok(_) => return Ok(name.into()),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(failed(&self.path, error.error)),
            }
        }
        Err(ExportError::Exists(format!("{}.partial", shown(&self.path))))
    }

    fn flush_text(&mut self) -> Result<(), ExportError> {
        let Some(out) = &mut self.out else { return Err(ExportError::NoFile(shown(&self.path))) };
        out.write_all(self.text.as_bytes()).map_err(|reason| failed(&self.path, reason))?;
        self.exported.bytes += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }

    /// Brings the file to the disk and under its name.
    ///
    /// # Errors
    /// When that fails, or when a file of that name has appeared meanwhile.
    pub fn finish(self) -> Result<Exported, ExportError> {
        self.finish_unless(|| false)
    }

    /// The same, unless it is given up before the file has its name.
    fn finish_unless(mut self, is_given_up: impl FnOnce() -> bool) -> Result<Exported, ExportError> {
        self.form.tail(&mut self.text);
        self.flush_text()?;
        let path = self.path;
        let out = self.out.ok_or_else(|| ExportError::NoFile(shown(&path)))?;
        let file = out.into_inner().map_err(|error| failed(&path, error.into_error()))?;
        sync(&file, &path)?;
        if is_given_up() {
            return Err(ExportError::Cancelled(shown(&path)));
        }
        put(file, &path, self.is_forced)?;
        Ok(self.exported)
    }
}

/// Writes a file that is there whole or not at all, over one of that name only if `is_forced`. Others may read it.
///
/// # Errors
/// As [`Export::create`] and [`Export::finish`].
pub fn write_new(path: &Path, bytes: &[u8], is_forced: bool) -> Result<(), ExportError> {
    let mut file = beside(path, is_forced, PUBLIC)?;
    file.write_all(bytes).map_err(|reason| failed(path, reason))?;
    sync(&file, path)?;
    put(file, path, is_forced)
}

/// As [`write_new`], for nobody but the user.
///
/// # Errors
/// As [`write_new`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let mut file = beside(path, false, PRIVATE)?;
    file.write_all(bytes).map_err(|reason| failed(path, reason))?;
    sync(&file, path)?;
    put(file, path, false)
}

/// An unnamed file in the folder of `path`.
fn beside(path: &Path, is_forced: bool, mode: u32) -> Result<NamedTempFile, ExportError> {
    // Asked again at the end, where it counts; this is for whoever would wait for nothing.
    if let Ok(there) = path.symlink_metadata() {
        let leads_to = if there.is_symlink() { path.metadata() } else { Ok(there) };
        // A new file in the place of a device, a pipe or a folder is nobody's wish.
        if leads_to.is_ok_and(|there| !there.is_file()) {
            return Err(ExportError::NoFile(shown(path)));
        }
        if !is_forced {
            return Err(ExportError::Exists(shown(path)));
        }
    }
    let file = tempfile::Builder::new()
        .prefix(".taillight-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder_of(path));
    // The name of the file in the making says nothing to whoever asked for another.
    let bare = |reason: io::Error| {
        let text = reason.to_string();
        io::Error::new(reason.kind(), text.split(" at path ").next().unwrap_or(&text))
    };
    file.map_err(|reason| failed(path, bare(reason)))
}

/// Where `path` is.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings a file to the disk; of a large one that takes its time.
fn sync(file: &NamedTempFile, path: &Path) -> Result<(), ExportError> {
    file.as_file().sync_all().map_err(|reason| failed(path, reason))
}

/// Brings a file under its name.
fn put(file: NamedTempFile, path: &Path, is_forced: bool) -> Result<(), ExportError> {
    let put = if is_forced { file.persist(path) } else { file.persist_noclobber(path) };
    match put {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(ExportError::Exists(shown(path)))
        }
        Err(error) => Err(failed(path, error.error)),
    }
}

/// Adds those of `events` that are there to `export` and finishes it. `None` is an event that was looked at and is not
/// wanted; after so many of both, and before the file gets its name, `progress` is asked whether to go on.
///
/// # Errors
/// As [`Export::write`] and [`Export::finish`], and when `progress` breaks.
pub fn export<'a>(
    mut export: Export,
    events: impl IntoIterator<Item = Option<EventRef<'a>>>,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Exported, ExportError> {
    let mut looked = 0_u64;
    for event in events {
        if let Some(event) = event {
            export.write(event)?;
        }
        looked += 1;
        if looked.is_multiple_of(REPORT_EVERY) && progress(looked).is_break() {
            return Err(ExportError::Cancelled(shown(&export.path)));
        }
    }
    export.finish_unless(|| progress(looked).is_break())
}

fn failed(path: &Path, reason: io::Error) -> ExportError {
    ExportError::Write { name: shown(path), reason }
}

fn shown(path: &Path) -> String {
    gate::plain(&path.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Chunk, Timestamp};
    use crate::pipeline::Rules;
    use crate::wire::LineDecoder;

    fn events(count: usize) -> Chunk {
        let mut decoder = LineDecoder::new(Timestamp(1_800_000_000_000), Redactor::default());
        (0..count).for_each(|_| decoder.push(b"{\"message\":\"m\"}"));
        decoder.take()
    }

    fn create(path: &Path) -> Export {
        Export::create(path, Form::default()).expect("free")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("readable").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_whole_private_and_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let chunk = events(3);
        let exported =
            export(create(&path), chunk.events().map(Some), |_| ControlFlow::Continue(())).expect("written");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert_eq!((exported.events, exported.bytes), (3, text.len() as u64));
        assert_eq!(text.lines().count(), 3);
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["a.jsonl"]);
    }

    #[test]
    fn what_leaves_has_no_secrets_in_any_form_where_memory_has_them() {
        let shows = Redactor::new(&Rules { is_off: true, ..Rules::default() });
        let mut decoder = LineDecoder::new(Timestamp(1), shows.clone());
        decoder.push(
            br#"{"type":"metric","subtype":"api-call","url":"http://h/a?token=hunter2","method":"GET","status":200,"duration-ms":1,"message":"Bearer hunter2hunter2"}"#,
        );
        let chunk = decoder.take();
        let folder = tempfile::tempdir().expect("a folder");
        for (format, name, _) in Format::ALL {
            for (hiding, has_it) in [(None, true), (Some(Arc::new(shows.clone())), false)] {
                let path = folder.path().join(format!("{name}-{has_it}"));
                let to = Export::create(&path, Form { format, without: Vec::new() }).expect("free");
                export(to.hiding(hiding), chunk.events().map(Some), |_| ControlFlow::Continue(()))
                    .expect("written");
                let text = std::fs::read_to_string(&path).expect("readable");
                assert_eq!(text.contains("hunter2"), has_it, "{name}: {text}");
                let is_json = format == Format::Csv
                    || format == Format::Jsonl
                    || serde_json::from_str::<serde_json::Value>(&text).is_ok();
                assert!(is_json, "{name}: {text}");
            }
        }
    }

    #[test]
    fn a_file_that_exists_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let late = create(&path);
        std::fs::write(&path, "mine").expect("writable");
        for error in
            [Export::create(&path, Form::default()).expect_err("taken"), late.finish().expect_err("taken")]
        {
            assert!(matches!(error, ExportError::Exists(_)), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "mine");
        assert_eq!(names(folder.path()), ["a.jsonl"]);
    }

    #[test]
    fn a_file_is_replaced_only_where_that_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.js");
        write_new(&path, b"one", false).expect("free");
        assert!(matches!(write_new(&path, b"two", false), Err(ExportError::Exists(_))));
        assert_eq!(std::fs::read(&path).expect("readable"), b"one");
        write_new(&path, b"two", true).expect("forced");
        assert_eq!(std::fs::read(&path).expect("readable"), b"two");
        let export = Export::create_over(&path, Form::default()).expect("forced");
        assert!(export.unfinished().exists());
        assert_eq!(export.finish().expect("written"), Exported::default());
        assert_eq!((std::fs::read(&path).expect("readable").len(), names(folder.path()).len()), (0, 1));
    }

    #[test]
    fn cancelled_it_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let chunk = events(5_000);
        // Of all that is looked at every tenth is wanted; given up on the way, or when only the name is missing.
        for (last, expected) in [(4_096, vec![4_096]), (5_000, vec![4_096, 5_000])] {
            let mut asked = Vec::new();
            let events = chunk.events().map(|event| event.seq().is_multiple_of(10).then_some(event));
            let error = export(create(&path), events, |done| {
                asked.push(done);
                if done < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            assert!(matches!(error, Err(ExportError::Cancelled(_))));
            assert_eq!((asked, names(folder.path()).len()), (expected, 0));
        }
    }

    #[test]
    fn one_that_grows_too_large_stops_and_what_there_is_stays_whole_under_another_name() {
        let chunk = events(100);
        let mut line = String::new();
        assert!(Form::default().event(chunk.event(0), true, &mut line));
        let within = |path: &Path, format: Format, bytes: u64| {
            let mut to = Export::create(path, Form { format, without: Vec::new() }).expect("free");
            to.room = Room { bytes, why: "a test" };
            export(to, chunk.events().map(Some), |_| ControlFlow::Continue(()))
                .map_err(|error| error.to_string())
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let room = line.len() as u64 * 10 + 5;
        for (name, listed) in [("a.jsonl.partial", 1), ("a.jsonl.partial-2", 2)] {
            let said = within(&path, Format::Jsonl, room).expect_err("it is too much");
            let kept = folder.path().join(name);
            let expected =
                format!("export stopped at a test: the first 10 events are in `{}`", kept.display());
            assert_eq!(said, expected);
            assert_eq!(std::fs::read_to_string(kept).expect("kept").lines().count(), 10);
            assert_eq!(names(folder.path()).len(), listed);
        }
        let json = folder.path().join("b.json");
        within(&json, Format::Json, room).expect_err("it is too much");
        let kept = std::fs::read_to_string(folder.path().join("b.json.partial")).expect("kept");
        let kept: serde_json::Value = serde_json::from_str(&kept).expect("a part is JSON, too");
        assert!(kept.as_array().is_some_and(|kept| (5..=10).contains(&kept.len())), "{kept}");
        let said = within(&path, Format::Jsonl, 3).expect_err("not even one");
        assert!(said.ends_with("nothing was kept"), "{said}");
        assert_eq!(names(folder.path()).len(), 3);
        let whole = within(&path, Format::Jsonl, u64::MAX).expect("it fits");
        assert_eq!(within(&folder.path().join("c"), Format::Jsonl, whole.bytes).expect("it fits"), whole);
        let said =
            within(&folder.path().join("d"), Format::Jsonl, whole.bytes - 1).expect_err("a byte too much");
        assert!(said.contains("the first 99 events"), "{said}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error =
            Export::create(Path::new("/nowhere/at/all.jsonl"), Form::default()).expect_err("no folder");
        assert!(error.to_string().contains("`/nowhere/at/all.jsonl`"), "{error}");
    }
}
