//! The page key: what the printed script tag carries so that pages which are not local may send.
//!
//! Start-up reads it, or makes it once, in the state folder that the caller names; `taillight key` shows and
//! replaces it; where nothing can be kept a start makes one for itself. It is never logged and never part of a served
//! file. Nothing here looks for the folder.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "page-key";
const TOKEN_FILE: &str = "token";
/// 26 letters of 5 bits are the 128 bits of SECURITY.md 2.1, and two more.
const TOKEN_LETTERS: usize = 26;
/// RFC 4648 §6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// 16 letters of 5 bits are the 80 bits of SECURITY.md 2.3.
const LETTERS: usize = 16;

/// The key itself. Its `Debug` hides the letters; [`PageKey::as_str`] is the one way to them.
#[derive(Clone, PartialEq, Eq)]
pub struct PageKey(String);

impl PageKey {
    /// The 16 letters, fit for a URL and for a WebSocket subprotocol name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the letters, with at most a line end after them.
    fn read(text: &[u8]) -> Option<Self> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let letters = text.strip_suffix(b"\r").unwrap_or(text);
        let is_key = letters.len() == LETTERS && letters.iter().all(|letter| ALPHABET.contains(letter));
        is_key.then(|| Self(letters.iter().map(|letter| char::from(*letter)).collect()))
    }

    /// A key that is kept nowhere.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, KeyError> {
        random::<LETTERS>().map(Self)
    }
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey(…)")
    }
}

fn random<const LETTERS: usize>() -> Result<String, KeyError> {
    let mut bytes = [0; LETTERS];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    // 256 is a multiple of 32, so the low five bits of a byte are as even as the byte.
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the page key in `{}` is damaged; `taillight key rotate` makes a new one", path.display())]
    Damaged { path: PathBuf },
    #[error("cannot {what} the secret in `{}`; check the folder's owner and free space", path.display())]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the system gives no random numbers for a page key")]
    Random(#[source] getrandom::Error),
}

/// This reads the key kept in `folder`; the first call ever makes it, and every racing call gets the same one.
///
/// # Errors
/// A file that is not a key is [`KeyError::Damaged`] and left alone: pages carry the old key, so only a person may
/// decide that it is gone.
pub fn read_or_make(folder: &Path) -> Result<PageKey, KeyError> {
    let path = folder.join(FILE);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    let key = PageKey::random()?;
    match written(folder, FILE, key.as_str())?.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        Err(lost) if lost.error.kind() == io::ErrorKind::AlreadyExists => {
            read(&path)?.ok_or(KeyError::Damaged { path })
        }
        Err(failed) => Err(KeyError::File { what: "keep", path, source: failed.error }),
    }
}

/// This replaces the key in `folder`, whole or not at all, also a damaged one; tags with the old key stop working.
///
/// # Errors
/// When the folder cannot be written or there is no randomness; the old key is then still there.
pub fn rotate(folder: &Path) -> Result<PageKey, KeyError> {
    let path = folder.join(FILE);
    let key = PageKey::random()?;
    match written(folder, FILE, key.as_str())?.persist(&path) {
        Ok(_) => Ok(key),
        Err(failed) => Err(KeyError::File { what: "replace", path, source: failed.error }),
    }
}

/// The file of the token that is kept in `folder` for a port that other machines reach, and the token where it was made
/// just now.
///
/// # Errors
/// When the folder cannot be written or there is no randomness.
pub fn token(folder: &Path) -> Result<(PathBuf, Option<String>), KeyError> {
    let path = folder.join(TOKEN_FILE);
    if path.is_file() {
        return Ok((path, None));
    }
    let token = random::<TOKEN_LETTERS>()?;
    match written(folder, TOKEN_FILE, &token)?.persist_noclobber(&path) {
        Ok(_) => Ok((path, Some(token))),
        Err(failed) => Err(KeyError::File { what: "keep", path, source: failed.error }),
    }
}

/// A secret in a new file beside its final place; `tempfile` makes such files with O_EXCL and mode 0600.
fn written(folder: &Path, name: &str, secret: &str) -> Result<tempfile::NamedTempFile, KeyError> {
    let failed = |source| KeyError::File { what: "write", path: folder.join(name), source };
    make_folder(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".page-key-").tempfile_in(folder).map_err(failed)?;
    writeln!(file, "{secret}").map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    Ok(file)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The key in the file at `path`; `None` if there is no file.
fn read(path: &Path) -> Result<Option<PageKey>, KeyError> {
    let failed = |source| KeyError::File { what: "read", path: path.to_owned(), source };
    match fs::metadata(path) {
        // A pipe in its place would keep the start waiting for ever.
        Ok(metadata) if !metadata.is_file() => return Err(KeyError::Damaged { path: path.to_owned() }),
        Ok(_) => {}
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(failed(other)),
    }
    let file = fs::File::open(path).map_err(failed)?;
    close_to_others(&file).map_err(failed)?;
    let mut text = Vec::new();
    // One byte more than a whole key with its line end shows that a file is too long.
    file.take(LETTERS as u64 + 3).read_to_end(&mut text).map_err(failed)?;
    PageKey::read(&text).map(Some).ok_or_else(|| KeyError::Damaged { path: path.to_owned() })
}

/// Takes the file from everybody but its owner, should a copy or a backup have opened it.
#[cfg(unix)]
fn close_to_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let is_open = file.metadata()?.permissions().mode() & 0o077 != 0;
    if is_open { file.set_permissions(fs::Permissions::from_mode(0o600)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn close_to_others(_: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/b");
        let made = read_or_make(&state).unwrap();
        assert_eq!(made.as_str().len(), 16);
        assert!(
            made.as_str()
                .bytes()
                .all(|letter| letter.is_ascii_uppercase() || (b'2'..=b'7').contains(&letter))
        );
        assert_eq!(read_or_make(&state).unwrap(), made);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "nothing else is left behind");
        assert!(!format!("{made:?}").contains(made.as_str()));
    }

    #[test]
    fn rotation_replaces_even_a_damaged_key() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_make(folder.path()).unwrap();
        let second = rotate(folder.path()).unwrap();
        assert_ne!(first, second);
        fs::write(folder.path().join(FILE), "damaged").unwrap();
        let third = rotate(folder.path()).unwrap();
        assert_eq!(read_or_make(folder.path()).unwrap(), third);
    }

    #[test]
    fn all_racers_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<PageKey> = std::thread::scope(|scope| {
            let racers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| read_or_make(folder.path()).unwrap())).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_damaged_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for text in [
            "",
            "SHORT",
            "abcdefghijklmnop\n",
            "ABCDEFGHIJKLMNO1",
            "ABCDEFGHIJKLMNOP\n\n\n\n",
            "ABCDEFGHIJKLMNOPQ",
        ] {
            fs::write(&path, text).unwrap();
            let message = read_or_make(folder.path()).unwrap_err().to_string();
            assert!(message.contains(path.to_str().unwrap()) && message.contains("key rotate"), "{message}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        for text in ["ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOP\r\n"] {
            fs::write(&path, text).unwrap();
            assert_eq!(read_or_make(folder.path()).unwrap().as_str(), "ABCDEFGHIJKLMNOP");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(read_or_make(folder.path()), Err(KeyError::Damaged { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_closed_to_others_when_made_and_when_found_open() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        read_or_make(folder.path()).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        read_or_make(folder.path()).unwrap();
        assert_eq!(mode(), 0o600);
        rotate(folder.path()).unwrap();
        assert_eq!(mode(), 0o600);
    }
}
