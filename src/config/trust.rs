//! Which projects' settings files the user trusts: by their path and their content, so that a change ends it.
//!
//! Asked by `places` when it reads a project's file, written by `taillight trust` and when taillight itself edits a
//! file that was trusted. Without a folder for state nothing is trusted.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::places::replace;

const FILE: &str = "trusted";
/// Files that are trusted at the same time; the oldest leaves.
const MAX_FILES: usize = 200;
/// As many with the longest paths there are; what is beyond was not written here.
const MAX_BYTES: u64 = 1024 * 1024;

/// The list, if there is a folder for it.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    path: Option<PathBuf>,
}

impl Trust {
    /// The list in the folder `state`.
    pub fn new(state: Option<&Path>) -> Self {
        Self { path: state.map(|folder| folder.join(FILE)) }
    }

    /// Whether the file at `path` is trusted as it is now, with this text.
    pub fn has(&self, path: &Path, text: &str) -> bool {
        let (hash, path) = (hash(text), named(path));
        self.lines().iter().any(|line| *line == (hash.clone(), path.clone()))
    }

    /// Trusts the file at `path` with this text from now on, in the place of what it was before.
    ///
    /// # Errors
    /// If the list cannot be written, or there is no folder for it.
    pub fn add(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut lines = self.others(path);
        lines.push((hash(text), named(path)));
        let from = lines.len().saturating_sub(MAX_FILES);
        self.write(&lines[from..])
    }

    /// Trusts the file at `path` no more; whether it was on the list.
    ///
    /// # Errors
    /// As [`Trust::add`].
    pub fn remove(&self, path: &Path) -> io::Result<bool> {
        let (before, lines) = (self.lines().len(), self.others(path));
        if lines.len() < before {
            self.write(&lines)?;
        }
        Ok(lines.len() < before)
    }

    fn others(&self, path: &Path) -> Vec<(String, String)> {
        let path = named(path);
        self.lines().into_iter().filter(|(_, known)| *known != path).collect()
    }

    fn write(&self, lines: &[(String, String)]) -> io::Result<()> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no folder to keep it in: set HOME");
        let path = self.path.as_ref().ok_or_else(none)?;
        let text: String = lines.iter().map(|(hash, path)| format!("{hash}\t{path}\n")).collect();
        replace(path, &text)
    }

    fn lines(&self) -> Vec<(String, String)> {
        let Some(file) = self.path.as_ref().and_then(|path| fs::File::open(path).ok()) else {
            return Vec::new();
        };
        let mut text = String::new();
        // A damaged list trusts nothing.
        if file.take(MAX_BYTES).read_to_string(&mut text).is_err() {
            return Vec::new();
        }
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        lines.map(|(hash, path)| (hash.to_owned(), path.to_owned())).collect()
    }
}

/// The path as it stands in a line of the list, links resolved.
fn named(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.to_string_lossy().replace(char::is_control, "\u{fffd}")
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_trusted_with_its_text_and_at_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        for path in [&one, &other] {
            fs::write(path, "bind = 1").expect("written");
        }
        let trust = Trust::new(Some(folder.path()));
        assert!(!trust.has(&one, "bind = 1"));
        trust.add(&one, "bind = 1").expect("written");
        assert!(
            trust.has(&one, "bind = 1") && !trust.has(&one, "bind = 2") && !trust.has(&other, "bind = 1")
        );
        trust.add(&one, "bind = 2").expect("written");
        assert!(!trust.has(&one, "bind = 1") && trust.has(&one, "bind = 2"));
        assert!(trust.remove(&one).expect("written") && !trust.remove(&one).expect("nothing to do"));
        assert!(!trust.has(&one, "bind = 2"));
    }

    #[test]
    fn without_a_folder_or_with_a_damaged_list_nothing_is_trusted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.toml");
        assert!(Trust::default().add(&path, "").is_err() && !Trust::default().has(&path, ""));
        fs::write(folder.path().join(FILE), b"\xff\tx\n").expect("written");
        assert!(!Trust::new(Some(folder.path())).has(&path, ""));
    }
}
