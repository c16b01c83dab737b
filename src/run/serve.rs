//! `taillight serve`: ingestor and sinks without a screen, until a signal ends it.
//!
//! SIGHUP reads the settings again: sinks that are set as before go on, others are started, replaced or ended without
//! losing an event. A file with a mistake changes nothing, and says why on standard error.

use std::io::{self, Write};
use std::sync::mpsc::sync_channel;

use super::kept::Kept;
use super::listener::{Listener, Running};
use super::{code, signals};
use crate::cli::Common;

/// Signals that wait to be carried out; one more of the same would change nothing.
const QUEUE: usize = 4;

enum Asked {
    Reload,
    End(u8),
}

pub(super) fn run(kept: &Kept, common: &Common) -> anyhow::Result<u8> {
    let listener = Listener::start(&kept.settings, None, Running::Headless)?;
    let (sender, asked) = sync_channel(QUEUE);
    let reload = sender.clone();
    signals::watch_serving(
        move || drop(reload.try_send(Asked::Reload)),
        // Whoever waited for it may be gone by then.
        move |code| drop(sender.send(Asked::End(code))),
    )?;
    listener.announce();
    let code = loop {
        match asked.recv() {
            Ok(Asked::Reload) => {
                let text = reloaded(&listener, common);
                say(&text);
                listener.note(&text);
            }
            Ok(Asked::End(code)) => break code,
            Err(_) => break code::FINE,
        }
    };
    listener.stop();
    Ok(code)
}

fn reloaded(listener: &Listener, common: &Common) -> String {
    let kept = match Kept::read(common) {
        Ok(kept) => kept,
        Err(error) => return format!("settings stay as they were: {error:#}"),
    };
    kept.complain();
    if kept.warning().is_some() {
        return "settings stay as they were until that is mended".to_owned();
    }
    listener.reload(&kept.settings);
    let names: Vec<_> = listener.sinks.reports().into_iter().map(|report| report.name).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("settings read again; sinks: {names}")
}

/// Nobody may be listening any more.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "taillight: {text}");
}
