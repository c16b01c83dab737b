//! Which files there are: today's, the closed ones, and how they are named.
//!
//! `2026-03-04.jsonl` is a day's file, `2026-03-04.1.jsonl` its first part that was closed for its size,
//! `2026-03-04.1.jsonl.gz` that part packed. One file `events.jsonl` has parts `events.1.jsonl` in the same way.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::event::Timestamp;

const EXTENSION: &str = "jsonl";
const PACKED: &str = "gz";
const MS_OF_A_DAY: i64 = 86_400_000;

/// Days since 1970-01-01, in UTC.
pub(super) fn day_of(time: Timestamp) -> i64 {
    time.0.div_euclid(MS_OF_A_DAY)
}

/// Where lines go.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A folder with a file for each day.
    Daily(PathBuf),
    One(PathBuf),
}

/// A file of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Without number and extensions: its day, or the name of the one file.
    pub(super) stem: String,
    /// 0 for what is written to.
    pub(super) number: u64,
    pub(super) is_packed: bool,
}

impl Found {
    /// The day it is named after.
    pub(super) fn day(&self) -> Option<i64> {
        let date: Date = self.stem.parse().ok()?;
        let epoch = Date::constant(1970, 1, 1);
        Some(i64::from(date.since(epoch).ok()?.get_days()))
    }
}

impl Place {
    pub(super) fn is_daily(&self) -> bool {
        matches!(self, Self::Daily(_))
    }

    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Daily(folder) => folder,
            Self::One(file) => {
                file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
            }
        }
    }

    /// The file that is written to on `day`.
    pub(super) fn current(&self, day: i64) -> PathBuf {
        match self {
            Self::One(file) => file.clone(),
            Self::Daily(folder) => {
                let time = Timestamp(day.saturating_mul(MS_OF_A_DAY)).to_jiff();
                folder.join(time.strftime("%Y-%m-%d").to_string()).with_extension(EXTENSION)
            }
        }
    }

    /// The name of the one file in two: stem and extension.
    fn one(&self) -> Option<(String, String)> {
        let Self::One(file) = self else { return None };
        let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        Some((text(file.file_stem())?, text(file.extension()).unwrap_or_default()))
    }

    /// All files of this place, by stem and number.
    pub(super) fn files(&self) -> io::Result<Vec<Found>> {
        let one = self.one();
        let mut files: Vec<Found> = fs::read_dir(self.folder())?
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| found(entry.path(), one.as_ref()))
            .collect();
        files.sort_by(|a, b| (&a.stem, a.number).cmp(&(&b.stem, b.number)));
        Ok(files)
    }

    /// Gives the file at `path` the next free number.
    pub(super) fn put_aside(&self, path: &Path) -> Result<(), String> {
        let fail = |error: io::Error| format!("cannot rename {}: {error}", path.display());
        let one = self.one();
        let Some(current) = found(path.to_owned(), one.as_ref()) else { return Ok(()) };
        let files = self.files().map_err(fail)?;
        let last = files.iter().filter(|file| file.stem == current.stem).map(|file| file.number).max();
        let extension = one.map_or_else(|| EXTENSION.to_owned(), |(_, extension)| extension);
        let dot = if extension.is_empty() { "" } else { "." };
        let name = format!("{}.{}{dot}{extension}", current.stem, last.unwrap_or(0) + 1);
        fs::rename(path, self.folder().join(name)).map_err(fail)
    }
}

/// Reads a file's name; `None` for one that is not of the place.
fn found(path: PathBuf, one: Option<&(String, String)>) -> Option<Found> {
    let name = path.file_name()?.to_str()?;
    let (name, is_packed) = name.strip_suffix(".gz").map_or((name, false), |name| (name, true));
    let (stem, extension) = match one {
        Some((stem, extension)) => (Some(stem.as_str()), extension.as_str()),
        None => (None, EXTENSION),
    };
    let name = if extension.is_empty() { name } else { name.strip_suffix(extension)?.strip_suffix('.')? };
    let (base, number) = match name.rsplit_once('.') {
        Some((base, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() => {
            (base, digits.parse().ok()?)
        }
        _ => (name, 0),
    };
    let is_ours = match stem {
        Some(stem) => base == stem && (number > 0 || !is_packed),
        None => base.len() == 10 && base.parse::<Date>().is_ok(),
    };
    is_ours.then(|| Found { path: path.clone(), stem: base.to_owned(), number, is_packed })
}

/// Makes the folder if it is not there.
pub(super) fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))
}

/// Opens a file to append to, for its owner only; a link is not followed (SECURITY: threat model 17).
pub(super) fn open(path: &Path) -> io::Result<File> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    File::options().read(true).append(true).create(true).mode(0o600).custom_flags(no_follow).open(path)
}

/// Whether the disk of `folder` has more than `min_free` bytes to spare, or more than a twentieth where that is less.
pub(super) fn has_room(folder: &Path, min_free: u64) -> Result<(), String> {
    // A disk that cannot be asked is written to until it is full.
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let (free, all) =
        (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
    let floor = min_free.min(all / 20);
    if free >= floor {
        return Ok(());
    }
    Err(format!(
        "disk low: {} MiB free at {}, {} MiB are kept free",
        free >> 20,
        folder.display(),
        floor >> 20
    ))
}

/// The name of `path` packed.
pub(super) fn packed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PACKED);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let daily = |name: &str| found(PathBuf::from(name), None).map(|f| (f.stem, f.number, f.is_packed));
        let day = || "2026-03-04".to_owned();
        assert_eq!(daily("2026-03-04.jsonl"), Some((day(), 0, false)));
        assert_eq!(daily("2026-03-04.12.jsonl.gz"), Some((day(), 12, true)));
        for other in
            ["notes.jsonl", "2026-13-04.jsonl", "2026-03-04.jsonl.torn", "2026-03-04.x.jsonl", "2026-03-04"]
        {
            assert_eq!(daily(other), None, "{other}");
        }
        let one = ("events".to_owned(), "jsonl".to_owned());
        let of = |name: &str| found(PathBuf::from(name), Some(&one)).map(|f| (f.number, f.is_packed));
        assert_eq!((of("events.jsonl"), of("events.3.jsonl.gz")), (Some((0, false)), Some((3, true))));
        assert_eq!((of("events2.jsonl"), of("2026-03-04.jsonl"), of("events.jsonl.gz")), (None, None, None));
        let bare = ("log".to_owned(), String::new());
        assert_eq!(found(PathBuf::from("log.2"), Some(&bare)).map(|f| f.number), Some(2));
    }

    #[test]
    fn days_and_names_agree() {
        let place = Place::Daily(PathBuf::from("logs"));
        let time = Timestamp::parse_rfc3339("2026-03-04T23:59:59.999Z").expect("a time");
        let path = place.current(day_of(time));
        assert_eq!(path, Path::new("logs/2026-03-04.jsonl"));
        assert_eq!(found(path, None).and_then(|f| f.day()), Some(day_of(time)));
        assert_eq!(place.current(day_of(time.plus_ms(1))), Path::new("logs/2026-03-05.jsonl"));
    }
}
