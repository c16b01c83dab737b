//! Exports of the console: on threads of their own, with progress and a way to stop them, and looking at a path first.
//!
//! Called by the console. Ingest and the dashboard go on; at the end of the program exports are finished first.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use super::console::Input;
use crate::config::Settings;
use crate::counters::{Counter, Counters};
use crate::event::form::Form;
use crate::event::gate;
use crate::pipeline::Redactor;
use crate::recording::{self, Export, ExportError, Exported};
use crate::ui::format::{bytes, counted};
use crate::ui::{Chosen, Probe, Unit, Work};

/// The exports under way.
pub(super) struct Exporting {
    threads: Vec<JoinHandle<()>>,
    /// What takes secrets out, where memory has them.
    hiding: Option<Arc<Redactor>>,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
}

impl Exporting {
    pub(super) fn of(settings: &Settings, counters: &Arc<Counters>) -> Self {
        let signal = &settings.signal.0;
        let hiding = signal.hides_outside().then(|| Arc::new(Redactor::new(&signal.rules())));
        Self { threads: Vec::new(), hiding, counters: Arc::clone(counters), stop: Arc::default() }
    }

    /// Starts writing; what came of it is sent as a notice.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(
        &mut self,
        chosen: Chosen,
        form: Form,
        path: String,
        is_forced: bool,
        sender: &SyncSender<Input>,
    ) -> io::Result<()> {
        self.stop = Arc::default();
        let (stop, sender, hiding) = (Arc::clone(&self.stop), sender.clone(), self.hiding.clone());
        let counters = Arc::clone(&self.counters);
        let write = move || {
            let written = write(&chosen, form, (&path, is_forced), hiding, &stop, &sender);
            let news = match written {
                Ok(done) => {
                    let shown = gate::plain(&path);
                    let said =
                        format!("wrote {}, {}, to {shown}", counted(done.events, "event"), bytes(done.bytes));
                    Input::Written { path, said }
                }
                Err(error @ ExportError::Cancelled(_)) => Input::Notice(error.to_string()),
                Err(error @ ExportError::Stopped { .. }) => {
                    counters.add(Counter::ExportsStopped, 1);
                    Input::Notice(error.to_string())
                }
                Err(error) => Input::Notice(format!("export failed: {error}")),
            };
            // A console that has ended in the meantime has nobody to tell.
            let _ = sender.send(Input::Work(None));
            let _ = sender.send(news);
        };
        self.threads.push(thread::Builder::new().name("export".into()).spawn(write)?);
        Ok(())
    }

    /// Stops the newest; nothing is left of its file.
    pub(super) fn cancel(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Exporting {
    /// An export that was asked for is finished even when the user quits at once.
    fn drop(&mut self) {
        if self.threads.iter().any(|thread| !thread.is_finished()) {
            // The screen is the user's again.
            let _ = writeln!(io::stderr(), "taillight: an export is being finished");
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn write(
    chosen: &Chosen,
    form: Form,
    (path, is_forced): (&str, bool),
    hiding: Option<Arc<Redactor>>,
    stop: &AtomicBool,
    sender: &SyncSender<Input>,
) -> Result<Exported, ExportError> {
    let path = Path::new(path);
    let total = chosen.total();
    let export = if is_forced { Export::create_over(path, form)? } else { Export::create(path, form)? };
    recording::export(export.hiding(hiding), chosen.looked_at(), |done| {
        if stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        // A full queue has news in it already, and the next report comes soon.
        let _ =
            sender.try_send(Input::Work(Some(Work { what: "exporting", done, total, unit: Unit::Events })));
        ControlFlow::Continue(())
    })
}

/// What can be said of a path before anything is written there.
pub(super) fn probe(path: &str) -> Probe {
    let place = Path::new(path);
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trouble = if place.is_dir() {
        Some("this is a folder: add a name".to_owned())
    } else {
        match std::fs::metadata(folder) {
            Ok(known) if !known.is_dir() => Some("its folder is a file".to_owned()),
            Ok(_) => tempfile::Builder::new()
                .prefix(".taillight-")
                .tempfile_in(folder)
                .err()
                .map(|error| format!("nothing can be written there: {error}")),
            Err(_) => Some("there is no such folder".to_owned()),
        }
    };
    Probe { path: path.to_owned(), exists: place.symlink_metadata().is_ok(), trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_looked_at_before_it_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(at("there"), "x").expect("written");
        for (name, exists, trouble) in [
            ("new", false, None),
            ("there", true, None),
            ("none/new", false, Some("there is no such folder")),
            ("there/new", false, Some("its folder is a file")),
            ("", true, Some("this is a folder: add a name")),
        ] {
            let probe = probe(&at(name));
            assert_eq!((probe.exists, probe.trouble.as_deref()), (exists, trouble), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1, "and left as it was");
    }
}
