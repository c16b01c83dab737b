//! What becomes of closed files: packed, and deleted when there are too many or they are too old.
//!
//! Runs on a thread beside the writing, which gives way to everything. A packed file appears under its name only once it
//! is whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::folder::{Found, Place, packed};
use crate::priority;

/// What is kept.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    /// Closed files of one day, or of the one file.
    pub(super) files: usize,
    pub(super) age: Duration,
    pub(super) is_packed: bool,
}

/// How much packing gives way: nobody waits for it.
const NICENESS: i32 = 19;
/// Bytes that are packed without a look at who else waits for the processor.
const AT_ONCE: u64 = 4096;

impl Keep {
    /// As [`Keep::apply`], on a thread of its own, for one of a pool would give way for good; waits for its end.
    pub(super) fn apply_apart(self, place: Place, day: Option<i64>) -> Result<(), String> {
        let work = move || {
            priority::give_way(NICENESS);
            self.apply(&place, day)
        };
        let thread = thread::Builder::new().name("packing".to_owned()).spawn(work);
        let thread = thread.map_err(|error| format!("closed files are not packed: {error}"))?;
        thread.join().unwrap_or_else(|_| Err("packing closed files has panicked".to_owned()))
    }

    /// Packs and deletes the closed files of `place`: all but the one written to, which is that of `day`, or of the
    /// newest day where that is not known yet.
    pub(super) fn apply(&self, place: &Place, day: Option<i64>) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: {error}", place.folder().display());
        let files = match place.files() {
            // Whoever writes there tells what is wrong with it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            files => files.map_err(fail)?,
        };
        let today = day.or_else(|| files.iter().filter_map(Found::day).max());
        let is_current =
            |file: &Found| file.number == 0 && !file.is_packed && (!place.is_daily() || file.day() == today);
        let mut closed: Vec<&Found> = files.iter().filter(|file| !is_current(file)).collect();
        // The highest number of a day is its newest.
        closed.sort_by_key(|file| (std::cmp::Reverse(&file.stem), std::cmp::Reverse(file.number)));
        let mut of_stem = ("", 0);
        let mut trouble = None;
        for file in closed {
            of_stem =
                if of_stem.0 == file.stem { (of_stem.0, of_stem.1 + 1) } else { (file.stem.as_str(), 1) };
            let done = if of_stem.1 > self.files || self.is_old(file, today) {
                fs::remove_file(&file.path)
            } else if self.is_packed && !file.is_packed {
                pack(&file.path)
            } else {
                Ok(())
            };
            if let Err(error) = done {
                trouble = Some(format!("{}: {error}", file.path.display()));
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    fn is_old(&self, file: &Found, today: Option<i64>) -> bool {
        let days = i64::try_from(self.age.as_secs() / 86_400).unwrap_or(i64::MAX);
        match (file.day(), today) {
            (Some(day), Some(today)) => today - day > days,
            // The one file's parts are as old as their last line.
            _ => {
                let modified = fs::metadata(&file.path).and_then(|known| known.modified());
                modified.ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > self.age)
            }
        }
    }
}

/// Puts a packed file in the place of the one at `path`, with the same permissions.
fn pack(path: &Path) -> io::Result<()> {
    let target = packed(path);
    let mut source = File::open(path)?;
    let mut temporary = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    let mut packer = GzEncoder::new(&mut temporary, Compression::default());
    while io::copy(&mut Read::by_ref(&mut source).take(AT_ONCE), &mut packer)? > 0 {
        priority::let_others();
    }
    packer.finish()?;
    temporary.as_file().set_permissions(source.metadata()?.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(target)?;
    fs::remove_file(path)
}
