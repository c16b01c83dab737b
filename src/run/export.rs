//! `taillight export`: recorded events in one of the forms of exports, in the order they were recorded.
//!
//! Called by `run`. A line that taillight wrote comes out as it went in, byte for byte.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, anyhow};

use super::{TO_STDOUT, Usage, code, person, recorded, signals};
use crate::cli;
use crate::config::Settings;
use crate::event::form::{Form, Part};
use crate::event::gate;
use crate::recording::{Export, ExportError};
use crate::ui::format::counted;

const BUFFER: usize = 64 * 1024;

pub(super) fn run(settings: &Settings, mut export: cli::Export) -> anyhow::Result<u8> {
    // A mistake in the filter is told before anybody is asked.
    super::filter::checked(export.from.filter.as_deref().unwrap_or_default(), &settings.saved)?;
    if !export.who.is_anybody() {
        return carry_out(settings, &export);
    }
    let found = person::gather(settings, &export.who, &export.from.files)?;
    export.from.files = vec![found.file.path().to_owned()];
    let code = carry_out(settings, &export)?;
    for place in &found.unread {
        let _ = writeln!(io::stderr(), "taillight: not given out, for it could not be read: {place}");
    }
    // Whoever asks for everything must not take a part for it.
    let has_ended = matches!(code, code::FINE | code::NOTHING);
    Ok(if has_ended && !found.unread.is_empty() { code::FILE } else { code })
}

fn carry_out(settings: &Settings, export: &cli::Export) -> anyhow::Result<u8> {
    match &export.output {
        Some(path) => until_signal(export, settings, path),
        None => to_stdout(&export.from, settings, &form_of(export, settings)),
    }
}

/// What is left out is what was typed, and otherwise what the settings say: of nothing that is a person's own, which they
/// have a right to as a whole.
fn form_of(export: &cli::Export, settings: &Settings) -> Form {
    let typed = export.leave_out.iter().filter_map(|part| part.part());
    let set = settings.leave_out.iter().filter_map(|name| Part::named(name));
    let is_set = export.leave_out.is_empty() && !export.who.is_anybody();
    let without: Vec<Part> = if is_set { set.collect() } else { typed.collect() };
    Form { format: export.format.format(), without }
}

fn to_stdout(from: &cli::Recorded, settings: &Settings, form: &Form) -> anyhow::Result<u8> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let (mut text, mut is_first) = (String::new(), true);
    form.head(&mut text);
    let matched = recorded::pass(from, settings, |chunk, rows| {
        for row in rows {
            is_first &= !form.event(chunk.event(*row), is_first, &mut text);
            out.write_all(text.as_bytes()).context(TO_STDOUT)?;
            text.clear();
        }
        Ok(())
    })?;
    form.tail(&mut text);
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context(TO_STDOUT)?;
    Ok(if matched == 0 { code::NOTHING } else { code::FINE })
}

/// Tells the waiting thread that this one has ended, however it did.
struct Ended(SyncSender<Option<u8>>);

impl Drop for Ended {
    fn drop(&mut self) {
        // A signal that came first has been told already.
        let _ = self.0.try_send(None);
    }
}

/// Writes the file on a thread of its own, so that a signal ends it even while it waits for input; then what was
/// written so far is removed.
fn until_signal(export: &cli::Export, settings: &Settings, path: &Path) -> anyhow::Result<u8> {
    let (sender, ended) = sync_channel(1);
    let signalled = sender.clone();
    signals::watch(move |code| {
        // An export that has ended has nobody waiting any more.
        let _ = signalled.send(Some(code));
    })?;
    let form = form_of(export, settings);
    let file = if export.force { Export::create_over(path, form) } else { Export::create(path, form) };
    let file = file.map_err(not_over)?;
    let unfinished = file.unfinished().to_owned();
    let (from, settings, path) = (export.from.clone(), settings.clone(), path.to_owned());
    let write = move || {
        let _ended = Ended(sender);
        to_file(file, &from, &settings, &path)
    };
    let writing = thread::Builder::new().name("export".into()).spawn(write)?;
    if let Ok(Some(code)) = ended.recv() {
        // Where it was complete it has its name by now, and this one is gone.
        let _ = std::fs::remove_file(unfinished);
        return Ok(code);
    }
    writing.join().map_err(|_| anyhow!("the export ended in a panic"))?
}

/// Without events there is no file: an empty one would stand in the way of the next try.
fn to_file(mut export: Export, from: &cli::Recorded, settings: &Settings, path: &Path) -> anyhow::Result<u8> {
    let matched = recorded::pass(from, settings, |chunk, rows| {
        for row in rows {
            export.write(chunk.event(*row))?;
        }
        Ok(())
    })?;
    let name = path.to_string_lossy();
    let name = gate::plain(&name);
    if matched == 0 {
        let _ = writeln!(io::stderr(), "taillight: nothing matched, `{name}` was not written");
        return Ok(code::NOTHING);
    }
    let exported = export.finish().map_err(not_over)?;
    let (events, bytes) = (counted(exported.events, "event"), exported.bytes);
    let _ = writeln!(io::stderr(), "wrote {events}, {bytes} bytes, to `{name}`");
    Ok(code::FINE)
}

/// The error, with the option that writes over a file.
pub(super) fn not_over(error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Exists(name) => {
            anyhow!("`{name}` exists already: choose another name, or write over it with `--force`")
        }
        packed @ ExportError::Packed(_) => Usage(packed.to_string()).into(),
        other => other.into(),
    }
}
