//! The thread that maps places back to the sources, beside a running ingestor.
//!
//! Started by the console; its results go to the store like everything else that is known of events.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::listener::Listener;
use crate::config::{Settings, SourceMaps};
use crate::maps::{self, Allowed, MapsHandle, Options, Rewrites, Root};
use crate::stack::Libraries;

/// The running thread.
pub(super) struct Mapping {
    handle: MapsHandle,
    thread: Option<JoinHandle<()>>,
}

impl Mapping {
    /// Starts it, unless the settings say otherwise. Origins that may send may be asked, too.
    pub(super) fn start(settings: &Settings, listener: &Listener) -> std::io::Result<Option<Self>> {
        let allowed = match settings.source_maps {
            SourceMaps::Off => return Ok(None),
            SourceMaps::Disk => None,
            SourceMaps::Auto => Some(Allowed::of(settings.allow_origins.iter().map(String::as_str))),
        };
        let pair = |text: &String| {
            text.split_once("=>").map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()))
        };
        let options = Options {
            allowed,
            root: Root::at(Path::new(&settings.source_root)),
            rewrites: Rewrites(settings.source_map.iter().filter_map(pair).collect()),
            libraries: Libraries(settings.source_libraries.clone()),
        };
        let (handle, thread) = maps::spawn(options, Arc::clone(&listener.counters), listener.mapper())?;
        Ok(Some(Self { handle, thread: Some(thread) }))
    }

    pub(super) fn handle(&self) -> MapsHandle {
        self.handle.clone()
    }
}

impl Drop for Mapping {
    /// The store ends only when nobody can tell it anything any more.
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
