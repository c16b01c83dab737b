//! The filters typed before, kept between runs: one line each, its project first.
//!
//! Read by `run` at start, written by the thread that keeps files. A damaged file loses its damaged lines and
//! nothing else; without a folder nothing is kept.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::places::replace;
use crate::filter::MAX_CHARS;

const FILE: &str = "history";
/// Lines kept; the oldest leave first.
const MAX_LINES: usize = 100;
/// A hundred of the longest filters with their folders; what is beyond was not written here.
const MAX_BYTES: u64 = (MAX_LINES * (4 * MAX_CHARS + 4096)) as u64;

/// The file, if there is a folder for it.
#[derive(Clone, Debug, Default)]
pub struct HistoryFile {
    path: Option<PathBuf>,
    project: String,
}

impl HistoryFile {
    /// The file in `folder`, seen from the project at `root`.
    pub fn new(folder: Option<&Path>, root: &Path) -> Self {
        let project = root.to_string_lossy().replace(char::is_control, "\u{fffd}");
        Self { path: folder.map(|folder| folder.join(FILE)), project }
    }

    /// Filters typed before, oldest first; those of this project come last, so that going back meets them first.
    pub fn read(&self) -> Vec<String> {
        let (own, others): (Vec<_>, Vec<_>) =
            self.lines().into_iter().partition(|(project, _)| *project == self.project);
        let mut texts: Vec<String> = Vec::new();
        for (_, text) in others.into_iter().chain(own) {
            texts.retain(|known| *known != text);
            texts.push(text);
        }
        texts
    }

    /// Adds `text` as the newest of this project.
    ///
    /// # Errors
    /// If the file cannot be replaced.
    pub fn remember(&self, text: &str) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut lines = self.lines();
        lines.retain(|(project, known)| (project, known.as_str()) != (&self.project, text));
        lines.push((self.project.clone(), text.to_owned()));
        let from = lines.len().saturating_sub(MAX_LINES);
        let content: String =
            lines[from..].iter().map(|(project, text)| format!("{project}\t{text}\n")).collect();
        replace(path, &content)
    }

    /// What can be read of the file: project and filter.
    fn lines(&self) -> Vec<(String, String)> {
        let Some(file) = self.path.as_ref().and_then(|path| fs::File::open(path).ok()) else {
            return Vec::new();
        };
        let mut content = Vec::new();
        if file.take(MAX_BYTES).read_to_end(&mut content).is_err() {
            return Vec::new();
        }
        let content = String::from_utf8_lossy(&content);
        let is_filter = |text: &str| {
            !text.trim().is_empty()
                && !text.contains(char::is_control)
                && text.chars().nth(MAX_CHARS).is_none()
        };
        let lines = content.lines().filter_map(|line| line.split_once('\t'));
        let mut lines: Vec<_> = lines
            .filter(|(_, text)| is_filter(text))
            .map(|(project, text)| (project.to_owned(), text.to_owned()))
            .collect();
        lines.drain(..lines.len().saturating_sub(MAX_LINES));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_projects_filters_are_met_first_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let shop = HistoryFile::new(Some(folder.path()), Path::new("/shop"));
        let blog = HistoryFile::new(Some(folder.path()), Path::new("/blog"));
        for (file, text) in [(&shop, "a"), (&blog, "b"), (&shop, "c"), (&blog, "a")] {
            file.remember(text).expect("written");
        }
        assert_eq!(shop.read(), ["b", "a", "c"]);
        assert_eq!(blog.read(), ["c", "b", "a"]);
        for number in 0..MAX_LINES + 5 {
            shop.remember(&format!("x{number}")).expect("written");
        }
        let kept = shop.read();
        assert_eq!((kept.len(), kept[0].as_str()), (MAX_LINES, "x5"));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        HistoryFile::new(Some(folder.path()), Path::new("/")).remember("a").expect("written");
        let mode = fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_or_none_is_no_trouble() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = HistoryFile::new(Some(folder.path()), Path::new("/p"));
        fs::write(folder.path().join(FILE), b"\xff\n/p\tok\n/p\t\x1b[2J\n\t\nno tab\n/p\t \n")
            .expect("written");
        assert_eq!(file.read(), ["ok"]);
        let nowhere = HistoryFile::new(None, Path::new("/p"));
        assert!(nowhere.remember("a").is_ok() && nowhere.read().is_empty());
        let file = HistoryFile::new(Some(Path::new("/proc/nowhere")), Path::new("/p"));
        assert!(file.remember("a").is_err() && file.read().is_empty());
    }
}
