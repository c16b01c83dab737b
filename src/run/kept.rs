//! What is kept between runs: read before the console takes the screen, written on a thread of its own.
//!
//! The console hands it what is accepted and saved, and goes on; what came of it is told in the footer. Without a
//! home folder nothing is kept and nothing fails.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::console::Input;
use anyhow::anyhow;

use crate::cli::Common;
use crate::config::{HistoryFile, OnReload, Owner, Places, Saved, Settings, Value};
use crate::event::gate;
use crate::filter::append;
use crate::ui;
use crate::ui::keys::Keymap;

/// Texts that wait to be written; a person fills that only on a disk that hangs, and then they are not kept.
const QUEUE: usize = 64;

/// The variable that names a settings file, as the option does.
const CONFIG: &str = "TAILLIGHT_CONFIG";

/// The files and what is in them.
pub(super) struct Kept {
    pub(super) places: Places,
    history: HistoryFile,
    pub(super) settings: Settings,
    keys: Keymap,
    /// What is wrong in the files, and drawings of where.
    said: Vec<(String, String)>,
}

/// Something to write.
pub(super) enum Job {
    Remember(String),
    Save { name: String, text: Option<String>, owner: Owner },
    Set { key: String, value: Value },
}

/// What saving `text` under `name`, or deleting that, has come to; `before` and `after` are the filters that count.
fn done(name: &str, text: Option<&str>, before: &[Saved], after: &[Saved]) -> String {
    /// Columns of a filter in the footer.
    const MAX_FILTER: usize = 40;
    let of_name = |all: &[Saved]| all.iter().find(|one| one.name == name).map(|one| one.text.clone());
    let shown = |filter: &str| gate::plain_capped(filter, MAX_FILTER);
    match (text, of_name(before), of_name(after)) {
        (Some(text), _, Some(now)) if now != text => {
            format!("saved {name}, but the project's {} goes before it,", shown(&now))
        }
        (Some(text), Some(old), _) if old != text => format!("saved {name} in place of {},", shown(&old)),
        (Some(_), ..) => format!("saved {name}"),
        (None, _, Some(now)) => format!("deleted {name}, which is {} again,", shown(&now)),
        (None, ..) => format!("deleted {name}"),
    }
}

/// Folders that are set and not there, with what comes of that.
fn missing_folders(settings: &Settings, cwd: &Path) -> Vec<String> {
    let folders = [
        ("source.root", &settings.source_root, "so no source file is found there"),
        ("export.dir", &settings.export_dir, "so no export can be written there: make it, or name another"),
    ];
    let is_missing = |(_, folder, _): &(&str, &String, &str)| !cwd.join(folder).is_dir();
    let said = |(key, folder, so): (&str, &String, &str)| {
        format!("{key}: there is no folder `{}`, {so}", gate::plain(folder))
    };
    folders.into_iter().filter(is_missing).map(said).collect()
}

impl Kept {
    /// This reads the files of this user and of the project that the current folder is in, then the environment and
    /// the options of the command line.
    ///
    /// # Errors
    /// When a settings file was named that cannot be read.
    pub(super) fn read(common: &Common) -> anyhow::Result<Self> {
        let dirs = directories::ProjectDirs::from("", "", "taillight");
        let state = dirs.as_ref().map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()));
        let cwd = std::env::current_dir().unwrap_or_default();
        let mut places = Places::find(&cwd, dirs.as_ref().map(directories::ProjectDirs::config_dir), state);
        let by_option = common.config.clone().map(|path| (path, "--config"));
        let by_variable = || Some((std::env::var_os(CONFIG).filter(|path| !path.is_empty())?.into(), CONFIG));
        if let Some((path, by)) = by_option.or_else(by_variable) {
            let is_file = std::fs::metadata(&path).and_then(|there| {
                if there.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(()) }
            });
            is_file.map_err(|error| {
                let file = gate::plain(&path.to_string_lossy()).into_owned();
                anyhow!("cannot read the settings file `{file}`: {error}. It is named by {by}: make it, or leave {by} out")
            })?;
            places = places.with_user_file(path);
        }
        let history = HistoryFile::new(state, places.root());
        let (mut settings, mut said) = places.read();
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        said.extend(settings.take_variables(variables).into_iter().map(|one| (one, String::new())));
        // A variable may name what is not saved either.
        said.extend(settings.drop_lost_filters().into_iter().map(|one| (one, String::new())));
        settings.take_flags(common.flags.iter().cloned());
        said.extend(missing_folders(&settings, &cwd).into_iter().map(|one| (one, String::new())));
        said.extend(super::memory::complaint(&settings).map(|one| (one, String::new())));
        said.extend(settings.stray_alerts().into_iter().map(|one| (one, String::new())));
        let own = settings.keys.iter().map(|own| (own.action.as_str(), own.keys.as_str()));
        let (keys, mistakes) = Keymap::new(own);
        for (own, mistake) in settings.keys.iter().zip(mistakes) {
            said.extend(mistake.map(|message| (format!("{}: {message}", own.place), own.drawing.clone())));
        }
        Ok(Self { places, history, settings, keys, said })
    }

    /// The filter to start with: the one given, else that of the settings; `is_live` where pages can reload.
    pub(super) fn start_filter(&self, given: &str, is_live: bool) -> String {
        let filter = if given.is_empty() { self.settings.start_filter() } else { given.to_owned() };
        if is_live && self.settings.on_reload == OnReload::Clear {
            append(&filter, "since:reload")
        } else {
            filter
        }
    }

    /// Tells what is wrong in the files and in the environment, with its place.
    pub(super) fn complain(&self) {
        for (message, drawing) in &self.said {
            // A console without standard error still starts.
            let _ = writeln!(io::stderr(), "taillight: {}", gate::plain(message));
            if !drawing.is_empty() {
                let _ = writeln!(io::stderr(), "{drawing}");
            }
        }
    }

    /// How much in the files and in the environment cannot be used.
    pub(super) fn mistakes(&self) -> usize {
        self.said.len()
    }

    /// With what may not have been meant, where nothing is wrong.
    pub(super) fn doubting(mut self, doubt: Option<String>) -> Self {
        let doubt = doubt.filter(|_| self.said.is_empty());
        self.said.extend(doubt.map(|message| (message, String::new())));
        self
    }

    /// The first of what is wrong, for the footer.
    pub(super) fn warning(&self) -> Option<String> {
        let more = match self.said.len() {
            0 | 1 => String::new(),
            count => format!("   (+{} more, on standard error)", count - 1),
        };
        self.said.first().map(|(message, _)| format!("{message}{more}"))
    }

    /// What the console takes over.
    pub(super) fn for_console(&self) -> ui::Kept {
        ui::Kept {
            history: self.history.read(),
            saved: Arc::from(self.settings.saved.clone()),
            has_project: self.places.has_project(),
            settings: self.settings.clone(),
            keys: self.keys.clone(),
        }
    }

    /// Starts the thread that writes; it ends once its sender is gone.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn spawn(self, answers: SyncSender<Input>) -> io::Result<(SyncSender<Job>, JoinHandle<()>)> {
        let (sender, jobs) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("kept".into()).spawn(move || self.write(&jobs, &answers))?;
        Ok((sender, thread))
    }

    fn write(&self, jobs: &Receiver<Job>, answers: &SyncSender<Input>) {
        let mut has_history = true;
        for job in jobs {
            let said = match job {
                Job::Remember(text) => match self.history.remember(&text) {
                    Ok(()) => continue,
                    // Once is enough: it will not work the next time either.
                    Err(_) if !has_history => continue,
                    Err(error) => {
                        has_history = false;
                        format!("filters typed are not kept: {error}")
                    }
                },
                Job::Save { name, text, owner } => {
                    let before = self.places.read().0.saved;
                    match self.places.save(owner, &name, text.as_deref()) {
                        Ok(path) => {
                            let saved: Arc<[Saved]> = Arc::from(self.places.read().0.saved);
                            let done = done(&name, text.as_deref(), &before, &saved);
                            // Nobody is left to show it to once the console has ended.
                            let _ = answers.send(Input::Saved(saved));
                            format!("{done} in {}", path.display())
                        }
                        Err(message) => message,
                    }
                }
                Job::Set { key, value } => match self.places.set(&key, &value) {
                    Ok(path) => format!("kept {key} = {} in {}", value.to_toml(), path.display()),
                    Err(message) => message,
                },
            };
            let _ = answers.send(Input::Notice(said));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_says_what_it_replaced() {
        let one =
            |text: &str, owner| Saved { name: "a".into(), text: text.into(), owner, place: String::new() };
        let none = Vec::new();
        let (mine, new) = (vec![one("x", Owner::User)], vec![one("y", Owner::User)]);
        let project = vec![one("p", Owner::Project)];
        for (text, before, after, expected) in [
            (Some("y"), &none, &new, "saved a"),
            (Some("y"), &new, &new, "saved a"),
            (Some("y"), &mine, &new, "saved a in place of x,"),
            (Some("y"), &project, &project, "saved a, but the project's p goes before it,"),
            (None, &mine, &none, "deleted a"),
            (None, &project, &mine, "deleted a, which is x again,"),
        ] {
            assert_eq!(done("a", text, before, after), expected);
        }
    }
}
