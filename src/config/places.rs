//! Where the files are, and reading and writing them.
//!
//! Made once by `run` from the folders of this user and the folder the console was started in. Files are replaced
//! as a whole; a file that is a link stays one.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::complaint::Complaint;
use super::edit;
use super::kind::Value;
use super::settings::{Owner, Settings};
use super::trust::Trust;

const PROJECT_FILE: &str = ".taillight.toml";
const USER_FILE: &str = "config.toml";
/// A settings file larger than this is not read.
const MAX_BYTES: u64 = 64 * 1024;
/// Folders looked through upwards for a project's file.
const MAX_DEPTH: usize = 64;

/// The files of this user and this project.
#[derive(Clone, Debug, Default)]
pub struct Places {
    user: Option<PathBuf>,
    project: Option<PathBuf>,
    root: PathBuf,
    trust: Trust,
}

impl Places {
    /// The files that count for a console started in `cwd`; `config` is the user's folder of settings, if any, and
    /// `state` that of what is remembered.
    ///
    /// The project's file is the first found upwards; if there is none yet, it will be made at the root of the
    /// repository, or in `cwd` outside of one.
    pub fn find(cwd: &Path, config: Option<&Path>, state: Option<&Path>) -> Self {
        let upwards = || cwd.ancestors().take(MAX_DEPTH);
        let project = upwards().map(|folder| folder.join(PROJECT_FILE)).find(|path| path.is_file());
        let parent = project.as_deref().and_then(Path::parent);
        let root = parent
            .or_else(|| upwards().find(|folder| folder.join(".git").exists()))
            .unwrap_or(cwd)
            .to_owned();
        Self { user: config.map(|folder| folder.join(USER_FILE)), project, root, trust: Trust::new(state) }
    }

    /// The same with another file in the place of the user's own.
    #[must_use]
    pub fn with_user_file(self, path: PathBuf) -> Self {
        Self { user: Some(path), ..self }
    }

    /// The user's settings file, whether it is there or not.
    pub fn user(&self) -> Option<&Path> {
        self.user.as_deref()
    }

    /// The project's settings file, if there is one.
    pub fn project(&self) -> Option<&Path> {
        self.project.as_deref()
    }

    /// Whether the project's file is trusted as it is now.
    pub fn is_trusted(&self) -> bool {
        let text = self.project.as_deref().map(read_text);
        text.and_then(Result::ok).is_some_and(|text| self.trusts(&text))
    }

    fn trusts(&self, text: &str) -> bool {
        self.project.as_deref().is_some_and(|path| self.trust.has(path, text))
    }

    /// Trusts the project's file as it is now, or no more; gives its path.
    ///
    /// # Errors
    /// If there is no such file, if it cannot be read, or if the list of trusted files cannot be written.
    pub fn set_trust(&self, is_trusted: bool) -> Result<PathBuf, String> {
        let path = self.project.clone().ok_or("there is no .taillight.toml here or in a folder above")?;
        let failed = |what, path: &Path, error| format!("cannot {what} {}: {error}", path.display());
        let changed = if is_trusted {
            let text = read_text(&path).map_err(|error| failed("read", &path, error))?;
            self.trust.add(&path, &text)
        } else {
            self.trust.remove(&path).map(drop)
        };
        changed.map_err(|error| format!("cannot keep that: {error}"))?;
        Ok(path)
    }

    /// The project's folder: filters typed in it come first.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The settings of all files, and what is wrong in them, each with a drawing of its place for where there is room.
    pub fn read(&self) -> (Settings, Vec<(String, String)>) {
        let mut settings = Settings::default();
        let mut said = Vec::new();
        for (path, owner) in [(&self.user, Owner::User), (&self.project, Owner::Project)] {
            let Some(path) = path else { continue };
            match read_text(path) {
                Ok(text) => {
                    let is_trusted = owner == Owner::Project && self.trusts(&text);
                    let name = path.display().to_string();
                    let found = settings.take_file(&text, &name, owner, is_trusted);
                    said.extend(found.into_iter().map(|one| (format!("{name}: {one}"), one.drawing)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => said.push((format!("cannot read {}: {error}", path.display()), String::new())),
            }
        }
        said.extend(settings.drop_lost_filters().into_iter().map(|one| (one, String::new())));
        (settings, said)
    }

    /// Whether saving goes to the project's file rather than the user's.
    pub fn has_project(&self) -> bool {
        self.project.is_some()
    }

    /// Saves `filter` under `name` in `owner`'s file, or takes it out of there; gives the file's path.
    ///
    /// # Errors
    /// If there is no such file and no place for one, if it is no TOML, or if it cannot be written.
    pub fn save(&self, owner: Owner, name: &str, filter: Option<&str>) -> Result<PathBuf, String> {
        let path = match owner {
            Owner::Project => Some(self.project.clone().unwrap_or_else(|| self.root.join(PROJECT_FILE))),
            Owner::User => self.user.clone(),
            Owner::BuiltIn => return Err(format!("{name} is built in: save another one under its name")),
        };
        self.edit(path.as_deref(), |text| edit::with_filter(text, name, filter))
    }

    /// Writes `value` under `key` into the user's file; gives its path.
    ///
    /// # Errors
    /// As [`Places::save`].
    pub fn set(&self, key: &str, value: &Value) -> Result<PathBuf, String> {
        self.edit(self.user(), |text| edit::with_setting(text, key, value))
    }

    fn edit(
        &self,
        path: Option<&Path>,
        edit: impl FnOnce(&str) -> Result<String, Complaint>,
    ) -> Result<PathBuf, String> {
        let path = path.ok_or("there is no home folder to keep settings in: set HOME")?;
        let before = match read_text(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
        };
        let text = edit(&before).map_err(|complaint| format!("{}: {complaint}", path.display()))?;
        replace(path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        // What the user changes here is still the user's; without it nothing is lost but the trust.
        if self.trust.has(path, &before) {
            let _ = self.trust.add(path, &text);
        }
        Ok(path.to_owned())
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 KiB"));
    }
    Ok(text)
}

/// Puts `text` in the place of the file at `path`, whole or not at all. A new file is for its owner only, one that
/// was there keeps its permissions.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(known) = fs::metadata(&path) {
        file.as_file().set_permissions(known.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_overrides_the_user_and_saving_goes_where_it_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let (config, project) = (folder.path().join("config"), folder.path().join("project"));
        let cwd = project.join("src/deep");
        fs::create_dir_all(&cwd).expect("folders");
        fs::create_dir(project.join(".git")).expect("a folder");
        let places = Places::find(&cwd, Some(&config), None);
        assert_eq!((places.root(), places.has_project()), (project.as_path(), false));
        assert_eq!(places.save(Owner::User, "slow", Some("is:slow")), Ok(config.join("config.toml")));
        assert_eq!(
            places.save(Owner::Project, "slow", Some("duration>1s")),
            Ok(project.join(".taillight.toml"))
        );
        let places = Places::find(&cwd, Some(&config), None);
        let texts = |places: &Places| -> Vec<String> {
            places.read().0.saved.into_iter().map(|saved| saved.text).skip(1).collect()
        };
        assert_eq!(texts(&places), ["duration>1s"]);
        places.save(Owner::Project, "slow", None).expect("removed");
        assert_eq!(texts(&places), ["is:slow"]);
        assert!(places.save(Owner::BuiltIn, "problems", None).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".taillight.toml");
        for (content, expected) in [
            (b"filter \"x\"".to_vec(), "line 1, column 8"),
            (b"\xff\xfe".to_vec(), "cannot read"),
            (vec![b'#'; 70_000], "larger than 64 KiB"),
        ] {
            fs::write(&path, &content).expect("written");
            let places = Places::find(folder.path(), None, None);
            let (settings, said) = places.read();
            assert_eq!((settings, said.len()), (Settings::default(), 1));
            let shown = &said[0].0;
            assert!(shown.contains(expected) && shown.contains(".taillight.toml"), "{shown}");
            assert!(places.save(Owner::Project, "a", Some("b")).is_err());
            assert_eq!(fs::read(&path).expect("still there"), content);
        }
        assert!(
            Places::find(folder.path(), None, None).save(Owner::User, "a", Some("b")).is_err(),
            "no home"
        );
    }

    #[test]
    fn a_project_counts_as_a_whole_while_it_is_trusted_and_unchanged_by_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".taillight.toml");
        fs::write(&path, "port = 9\n").expect("written");
        let places = Places::find(folder.path(), None, Some(folder.path()));
        let port = || places.read().0.port;
        assert_eq!((port(), places.is_trusted(), places.read().1.len()), (8245, false, 1));
        assert_eq!(places.set_trust(true), Ok(path.clone()));
        assert_eq!((port(), places.is_trusted(), places.read().1.len()), (9, true, 0));
        places.save(Owner::Project, "a", Some("b")).expect("saved");
        assert_eq!(port(), 9, "taillight's own edit");
        fs::write(&path, "port = 10\n").expect("written");
        assert_eq!(port(), 8245, "somebody else's edit");
        places.set_trust(true).expect("trusted");
        places.set_trust(false).expect("no more");
        assert_eq!(port(), 8245);
        assert!(Places::find(Path::new("/"), None, None).set_trust(true).is_err());
    }

    #[test]
    fn a_setting_is_kept_in_the_users_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places::find(folder.path(), Some(folder.path()), None);
        let path = places.set("buffer.events", &Value::Number(7)).expect("written");
        assert_eq!(fs::read_to_string(path).expect("there"), "[buffer]\nevents = 7\n");
        assert_eq!(places.read().0.retain, 7);
        let other = places.with_user_file(folder.path().join("other.toml"));
        assert_eq!(
            (other.read().0.retain, other.user()),
            (1_000_000, Some(&*folder.path().join("other.toml")))
        );
    }
}
