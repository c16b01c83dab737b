//! The project's folder: the one place on this machine that sources and maps are read from.
//!
//! A path comes from a page or a map, so it is looked up, made real (links included) and must then still be inside.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Bytes of a source that are read for the code around a place.
const MAX_SOURCE: u64 = 2 * 1024 * 1024;

/// The project's folder, its links resolved.
#[derive(Clone, Debug, Default)]
pub struct Root(Option<PathBuf>);

impl Root {
    /// The folder at `path`; nothing is read where there is none.
    pub fn at(path: &Path) -> Self {
        Self(fs::canonicalize(path).ok().filter(|path| path.is_dir()))
    }

    /// The folder's own path, empty where there is none.
    pub fn text(&self) -> &str {
        self.0.as_deref().and_then(Path::to_str).unwrap_or("")
    }

    /// The regular file at `path` below the folder; `None` for everything else, wherever it leads.
    pub fn file(&self, path: &str) -> Option<PathBuf> {
        let root = self.0.as_deref()?;
        if path.is_empty() || path.contains('\0') || path.len() > 4_096 {
            return None;
        }
        let path = Path::new(path);
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return None;
        }
        let real = fs::canonicalize(root.join(path)).ok()?;
        (real.starts_with(root) && fs::metadata(&real).ok()?.is_file()).then_some(real)
    }

    /// The text of the source at `path` below the folder, at most 2 MiB of it.
    pub fn source(&self, path: &str) -> Option<String> {
        self.read(path, MAX_SOURCE).and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// The bytes of the file at `path` below the folder; `None` if there are more than `limit`.
    pub fn read(&self, path: &str, limit: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.file(path)?).ok()?.take(limit + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= limit).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_project_is_read() {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "s").expect("written");
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("src")).expect("made");
        fs::write(folder.path().join("src/a.ts"), "let a").expect("written");
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link"))
            .expect("linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).expect("linked");
        let root = Root::at(folder.path());
        assert_eq!(root.source("src/a.ts").as_deref(), Some("let a"));
        assert_eq!(root.source("./src/a.ts").as_deref(), Some("let a"));
        assert_eq!(root.read("src/a.ts", 4), None);
        let secret = outside.path().join("secret");
        for path in [
            "link",
            "out/secret",
            "../secret",
            "src/../../secret",
            secret.to_str().expect("UTF-8"),
            "src",
            "",
            "nothing",
            "a\0b",
            "/etc/passwd",
        ] {
            assert_eq!(root.source(path), None, "{path}");
        }
        assert_eq!(Root::at(Path::new("/nowhere")).source("src/a.ts"), None);
    }
}
