//! What is kept between runs: read before the console takes the screen, written on a thread of its own.
//!
//! The console hands it what is accepted and saved, and goes on; what came of it is told in the footer. Without a
//! home folder nothing is kept and nothing fails.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::console::Input;
use crate::config::{HistoryFile, Owner, Places, Saved, Settings};
use crate::filter::{append, expand_saved, parse};
use crate::ui;

/// Texts that wait to be written; a person fills that only on a disk that hangs, and then they are not kept.
const QUEUE: usize = 64;

/// The files and what is in them.
pub(super) struct Kept {
    places: Places,
    history: HistoryFile,
    settings: Settings,
    /// What is wrong in the files, and drawings of where.
    said: Vec<(String, String)>,
}

/// Something to write.
pub(super) enum Job {
    Remember(String),
    Save { name: String, text: Option<String>, owner: Owner },
}

/// The saved filters of this user and of the project that the current folder is in.
pub(super) fn saved() -> Vec<Saved> {
    Kept::read().settings.saved
}

impl Kept {
    /// This reads the files of this user and of the project that the current folder is in.
    pub(super) fn read() -> Self {
        let dirs = directories::ProjectDirs::from("", "", "taillight");
        let state = dirs.as_ref().map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()));
        let cwd = std::env::current_dir().unwrap_or_default();
        let places = Places::find(&cwd, dirs.as_ref().map(directories::ProjectDirs::config_dir));
        let history = HistoryFile::new(state, places.root());
        let (settings, said) = places.read();
        Self { places, history, settings, said }
    }

    /// The filter to start with: the one given, else that of the settings; `is_live` where pages can reload.
    pub(super) fn start_filter(&mut self, given: &str, is_live: bool) -> String {
        let mut filter = given.to_owned();
        if given.is_empty() {
            let saved = &self.settings.saved;
            let find = |name: &str| saved.iter().find(|one| one.name == name).map(|one| one.text.clone());
            let expanded = expand_saved(&self.settings.filter, &find);
            let mistake = match &expanded {
                Ok(text) => parse(text).errors.into_iter().next(),
                Err(error) => Some(error.clone()),
            };
            match (mistake, expanded) {
                (None, Ok(text)) => filter = text,
                (Some(error), _) => {
                    let drawing = format!("    {}\n    {}", self.settings.filter, error.caret_line());
                    self.said.push((format!("the filter of the settings: {}", error.message), drawing));
                }
                (None, Err(_)) => {}
            }
        }
        if is_live && self.settings.clears_on_reload { append(&filter, "since:reload") } else { filter }
    }

    /// Tells what is wrong in the files, with its place, before the screen is taken over; gives the first for the
    /// footer.
    pub(super) fn complain(&self) -> Option<String> {
        for (message, drawing) in &self.said {
            // A console without standard error still starts.
            let _ = writeln!(io::stderr(), "taillight: {message}");
            if !drawing.is_empty() {
                let _ = writeln!(io::stderr(), "{drawing}");
            }
        }
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
            waits_for_enter: !self.settings.is_live,
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
                Job::Save { name, text, owner } => match self.places.save(owner, &name, text.as_deref()) {
                    Ok(path) => {
                        let saved: Arc<[Saved]> = Arc::from(self.places.read().0.saved);
                        // Nobody is left to show it to once the console has ended.
                        let _ = answers.send(Input::Saved(saved));
                        let what = if text.is_some() { "saved" } else { "deleted" };
                        format!("{what} {name} in {}", path.display())
                    }
                    Err(message) => message,
                },
            };
            let _ = answers.send(Input::Notice(said));
        }
    }
}
