//! The scripts that are known, asked for, or could not be had, and the sources they name.
//!
//! Bounded: of more than 1,024 scripts or 192 MiB those used longest ago leave, and are loaded again when they are needed.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::counters::{Counter, Counters};
use crate::event::Timestamp;
use crate::maps::disk::Root;
use crate::maps::load::Script;
use crate::maps::pool::{Done, Job, Pool};
use crate::maps::resolve::Lookup;
use crate::maps::sources::{self, Rewrites};
use crate::maps::table::Refusal;
use crate::maps::text::Text;
use crate::stack::Libraries;

const MAX_SCRIPTS: usize = 1_024;
const MAX_BYTES: usize = 192 * 1024 * 1024;
/// Scripts that are asked for at a time; others wait their turn, so that those of one event come together.
const MAX_OPEN: usize = 24;
/// After this a script that could not be had is asked for again, when it is needed.
const RETRY_MS: i64 = 30_000;
/// Sources of this machine whose texts are remembered until something is reloaded.
const MAX_SOURCES: usize = 256;

#[derive(Debug)]
enum State {
    Wanted,
    Loading,
    Ready(Arc<Script>),
    Failed(Refusal, Timestamp),
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// What is known from before, while it is asked whether that still holds.
    before: Option<Arc<Script>>,
    /// The generation it was asked for in.
    generation: u64,
    used: u64,
}

/// A source on this machine: its place, and its text once that was asked for.
type Source = (Option<Arc<Path>>, Option<Option<Arc<Text>>>);

#[derive(Debug)]
pub(super) struct Known {
    pub(super) now: Timestamp,
    pool: Pool,
    root: Root,
    rewrites: Rewrites,
    libraries: Libraries,
    counters: Arc<Counters>,
    entries: FxHashMap<Arc<str>, Entry>,
    /// How many of them are wanted or being loaded.
    open: usize,
    /// Rises with page loads and hot updates: what was loaded before may be another file now.
    generation: u64,
    uses: u64,
    sources: RefCell<FxHashMap<Box<str>, Source>>,
}

impl Known {
    pub(super) fn new(
        pool: Pool,
        root: Root,
        rewrites: Rewrites,
        libraries: Libraries,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            now: Timestamp(0),
            pool,
            root,
            rewrites,
            libraries,
            counters,
            entries: FxHashMap::default(),
            open: 0,
            generation: 0,
            uses: 0,
            sources: RefCell::default(),
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Code may have been replaced: from now on everything is asked for again before it is used.
    pub(super) fn expire(&mut self) {
        self.generation += 1;
        self.sources.borrow_mut().clear();
    }

    pub(super) fn count(&self, counter: Counter, by: u64) {
        self.counters.add(counter, by);
    }

    /// Whether a frame's file is a script that can have a map that is worth loading.
    pub(super) fn can_have(&self, file: &str) -> bool {
        let has_address = ["http://", "https://", "file://"].iter().any(|scheme| file.starts_with(scheme));
        (has_address || self.rewrites.apply(file).is_some()) && self.libraries.is_own(file)
    }

    /// Whether all that can be known of the script `file` is; asks for it if not.
    pub(super) fn is_settled(&mut self, file: &str) -> bool {
        self.uses += 1;
        let (uses, generation, now) = (self.uses, self.generation, self.now);
        let has_turn = self.open < MAX_OPEN;
        let Some(entry) = self.entries.get_mut(file) else {
            if !has_turn {
                return false;
            }
            self.make_room();
            self.open += 1;
            let entry = Entry { state: State::Wanted, before: None, generation, used: uses };
            self.entries.insert(Arc::from(file), entry);
            return false;
        };
        entry.used = uses;
        let is_old = entry.generation != generation;
        match &entry.state {
            State::Wanted | State::Loading => false,
            State::Ready(_) if is_old && !has_turn => false,
            State::Ready(script) if is_old => {
                self.open += 1;
                (entry.before, entry.state, entry.generation) =
                    (Some(Arc::clone(script)), State::Wanted, generation);
                false
            }
            State::Failed(_, at) if (is_old || now.since(*at) >= RETRY_MS) && has_turn => {
                self.open += 1;
                (entry.state, entry.generation) = (State::Wanted, generation);
                false
            }
            State::Ready(_) | State::Failed(..) => true,
        }
    }

    /// Takes over what was loaded.
    pub(super) fn learn(&mut self, done: Vec<Done>) {
        for Done { file, result } in done {
            let counter = if result.is_ok() { Counter::MapsLoaded } else { Counter::MapsRefused };
            self.counters.add(counter, 1);
            let Some(entry) = self.entries.get_mut(&file) else { continue };
            self.open -= 1;
            entry.before = None;
            entry.state = match result {
                Ok(script) => State::Ready(script),
                Err(refusal) => State::Failed(refusal, self.now),
            };
        }
    }

    /// Hands on what is wanted, as far as there is room.
    pub(super) fn ask(&mut self) {
        for (file, entry) in &mut self.entries {
            if !matches!(entry.state, State::Wanted) {
                continue;
            }
            let job = Job { file: Arc::clone(file), before: entry.before.clone() };
            if self.pool.take(job).is_err() {
                return;
            }
            entry.state = State::Loading;
        }
    }

    fn make_room(&mut self) {
        let size = |entry: &Entry| if let State::Ready(script) = &entry.state { script.bytes() } else { 256 };
        loop {
            let bytes: usize = self.entries.values().map(size).sum();
            if self.entries.len() < MAX_SCRIPTS && bytes < MAX_BYTES {
                return;
            }
            let idle = self.entries.iter().filter(|(_, entry)| !matches!(entry.state, State::Loading));
            let Some(oldest) = idle.min_by_key(|(_, entry)| entry.used).map(|(file, _)| Arc::clone(file))
            else {
                return;
            };
            if self.entries.remove(&oldest).is_some_and(|entry| matches!(entry.state, State::Wanted)) {
                self.open -= 1;
            }
        }
    }

    fn source(&self, path: &str, with_text: bool) -> Source {
        let mut sources = self.sources.borrow_mut();
        if sources.len() >= MAX_SOURCES && !sources.contains_key(path) {
            sources.clear();
        }
        let source =
            sources.entry(Box::from(path)).or_insert_with(|| (self.root.file(path).map(Arc::from), None));
        if with_text && source.1.is_none() {
            source.1 = Some(self.root.source(path).map(|text| Arc::new(Text::new(&text))));
        }
        source.clone()
    }
}

impl Lookup for Known {
    fn script(&self, file: &str) -> Option<&Script> {
        match &self.entries.get(file)?.state {
            State::Ready(script) => Some(script),
            _ => None,
        }
    }

    fn refusal(&self, file: &str) -> Option<String> {
        match &self.entries.get(file)?.state {
            State::Failed(refusal, _) => Some(refusal.to_string()),
            State::Ready(script) if !script.has_map() => Some("it names no map".to_owned()),
            _ => None,
        }
    }

    fn path_of(&self, file: &str) -> String {
        sources::path_of_script(file, self.root.text(), &self.rewrites)
    }

    fn local(&self, path: &str) -> Option<Arc<Path>> {
        self.source(path, false).0
    }

    fn text(&self, path: &str) -> Option<Arc<Text>> {
        self.source(path, true).1.flatten()
    }

    fn is_own(&self, path: &str) -> bool {
        self.libraries.is_own(path)
    }
}
