//! The thread that maps places back to the sources, beside a running ingestor; and the project's own files, for events
//! that were placed when they were recorded.
//!
//! Started by the console and by `tail`; its results go to the store like everything else that is known of events.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustc_hash::FxHashMap;

use super::listener::Listener;
use super::reading;
use crate::config::{Settings, SourceMaps};
use crate::event::{Chunk, Mapped};
use crate::maps::{self, Allowed, MapsHandle, Options, Rewrites, Root};
use crate::stack::Libraries;
use crate::store;

/// The running thread.
pub(super) struct Mapping {
    handle: MapsHandle,
    thread: Option<JoinHandle<()>>,
}

impl Mapping {
    /// Starts it, unless the settings say otherwise. Origins that may send may be asked, too. `also` is told what the
    /// store is told, until it says that nobody listens any more.
    pub(super) fn start(
        settings: &Settings,
        listener: &Listener,
        also: impl Fn(&[store::Mapping]) -> bool + Send + 'static,
    ) -> std::io::Result<Option<Self>> {
        let allowed = match settings.source_maps {
            SourceMaps::Off => return Ok(None),
            SourceMaps::Disk => None,
            SourceMaps::Auto => Some(Allowed::of(settings.allow_origins.iter().map(String::as_str))),
        };
        let options = Options {
            allowed,
            root: Root::at(Path::new(&settings.source_root)),
            rewrites: Rewrites(settings.source_map.clone()),
            libraries: Libraries(settings.source_libraries.clone()),
            grouping: reading::grouping(settings),
        };
        let store = listener.mapper();
        let tell = move |found: Vec<store::Mapping>| also(&found) && store(found);
        let (handle, thread) = maps::spawn(options, Arc::clone(&listener.counters), tell)?;
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

/// Files of the project that are remembered, found or not; more make room for themselves.
const MAX_FILES: usize = 4_096;

/// The project's files, as the places of recorded events name them.
pub(super) struct Files {
    root: Root,
    known: FxHashMap<Box<str>, Option<Arc<Path>>>,
}

impl Files {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { root: Root::at(Path::new(&settings.source_root)), known: FxHashMap::default() }
    }

    /// Gives the places of `chunk` their files on this machine, for an editor to open. What maps said when the events
    /// were recorded stays: there may be another build by now.
    pub(super) fn find(&mut self, chunk: &mut Chunk) {
        let placed: Vec<(usize, Arc<Mapped>)> =
            chunk.mapped().map(|(row, mapped)| (row, Arc::clone(mapped))).collect();
        for (row, mapped) in placed {
            let mut mapped = Mapped::clone(&mapped);
            for frame in mapped.traces.iter_mut().flat_map(|trace| &mut trace.frames) {
                if frame.is_own && frame.is_mapped {
                    frame.local = self.file(&frame.file);
                }
            }
            chunk.set_mapped(row, Arc::new(mapped), 0);
        }
    }

    fn file(&mut self, path: &str) -> Option<Arc<Path>> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        if self.known.len() >= MAX_FILES {
            self.known.clear();
        }
        let found = self.root.file(path).map(Arc::from);
        self.known.insert(path.into(), found.clone());
        found
    }
}
