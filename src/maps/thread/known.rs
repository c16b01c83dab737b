//! The scripts that are known, asked for, or could not be had, and the sources they name.
//!
//! Bounded: of more than 1,024 scripts or 192 MiB earlier builds leave, then the scripts used longest ago, which are loaded
//! again when they are needed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::builds::Builds;
use crate::counters::{Counter, Counters};
use crate::event::Timestamp;
use crate::maps::disk::Root;
use crate::maps::load::Script;
use crate::maps::pool::{Done, Job, Pool};
use crate::maps::resolve::Lookup;
use crate::maps::sources::{self, Rewrites};
use crate::maps::table::Refusal;
use crate::maps::text::Text;
use crate::stack::{Libraries, is_evaluated};

const MAX_SCRIPTS: usize = 1_024;
const MAX_BYTES: usize = 192 * 1024 * 1024;
/// Scripts that are asked for at a time; others wait their turn, so that those of one event come together.
const MAX_OPEN: usize = 24;
/// After this a script that could not be had is asked for again, when it is needed.
const RETRY_MS: i64 = 30_000;
/// Sources of this machine whose texts are remembered until something is reloaded.
const MAX_SOURCES: usize = 256;
/// Builds of a script that are kept at a time, for pages that still run an earlier one.
const MAX_BUILDS: usize = 4;

#[derive(Debug)]
enum State {
    Wanted,
    Loading,
    /// The newest build is what was answered.
    Ready,
    Failed(Refusal, Timestamp),
}

/// What a script was, and the generations in which it was so first and last.
#[derive(Debug)]
struct Build {
    script: Arc<Script>,
    first: u64,
    last: u64,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// The generation it was asked for in.
    asked: u64,
    /// Oldest first.
    builds: VecDeque<Build>,
    used: u64,
}

impl Entry {
    fn new(asked: u64, used: u64) -> Self {
        Self { state: State::Wanted, asked, builds: VecDeque::new(), used }
    }

    /// What was answered first within `span`.
    fn of(&self, span: &Range<u64>) -> Option<&Script> {
        let found = self.builds.iter().find(|build| build.first < span.end && build.last >= span.start);
        found.map(|build| &*build.script)
    }

    fn newest(&self) -> Option<&Arc<Script>> {
        self.builds.back().map(|build| &build.script)
    }

    fn learn(&mut self, script: Arc<Script>) {
        self.state = State::Ready;
        match self.builds.back_mut() {
            Some(same) if Arc::ptr_eq(&same.script, &script) => same.last = self.asked,
            _ => {
                if self.builds.len() >= MAX_BUILDS {
                    self.builds.pop_front();
                }
                self.builds.push_back(Build { script, first: self.asked, last: self.asked });
            }
        }
    }

    fn keep_newest(&mut self) {
        self.builds.drain(..self.builds.len().saturating_sub(1));
    }

    fn bytes(&self) -> usize {
        256 + self.builds.iter().map(|build| build.script.bytes()).sum::<usize>()
    }
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
    builds: Builds,
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
            builds: Builds::default(),
            uses: 0,
            sources: RefCell::default(),
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.builds.generation()
    }

    /// A page may have loaded its code anew, whatever its address.
    pub(super) fn expire(&mut self) {
        self.builds.expire();
        self.sources.borrow_mut().clear();
    }

    /// The code at `path` of the page's server was replaced by that of another address.
    pub(super) fn replace(&mut self, path: &str) {
        self.builds.replace(path);
        self.sources.borrow_mut().clear();
    }

    /// Notes what the name of a frame's script tells of its builds.
    pub(super) fn see(&mut self, file: &str) {
        self.builds.see(file, self.now);
    }

    /// What is known for pages whose code is of generation `loaded`.
    pub(super) fn as_of(&self, loaded: u64) -> AsOf<'_> {
        AsOf { known: self, loaded }
    }

    pub(super) fn count(&self, counter: Counter, by: u64) {
        self.counters.add(counter, by);
    }

    /// Whether a frame's file is a script that can have a map that is worth loading.
    pub(super) fn can_have(&self, file: &str) -> bool {
        let has_address = ["http://", "https://", "file://"].iter().any(|scheme| file.starts_with(scheme));
        (has_address || self.rewrites.apply(file).is_some()) && self.libraries.is_own(file)
    }

    /// Whether all that can be known of the script `file` is, for pages whose code is of generation `loaded`; asks for it
    /// if not.
    pub(super) fn is_settled(&mut self, file: &str, loaded: u64) -> bool {
        self.uses += 1;
        let (uses, generation, now) = (self.uses, self.generation(), self.now);
        let has_turn = self.open < MAX_OPEN;
        let span = self.builds.span(file, loaded);
        let can_be_asked = span.contains(&generation);
        let Some(entry) = self.entries.get_mut(file) else {
            if can_be_asked && has_turn {
                self.make_room();
                self.open += 1;
                self.entries.insert(Arc::from(file), Entry::new(generation, uses));
            }
            return !can_be_asked;
        };
        entry.used = uses;
        if entry.of(&span).is_some() || !can_be_asked {
            return true;
        }
        let is_done = match &entry.state {
            State::Wanted | State::Loading => return false,
            State::Ready => false,
            State::Failed(_, at) => {
                let is_old = entry.asked < span.start || now.since(*at) >= RETRY_MS;
                !is_old || !has_turn
            }
        };
        if !is_done && has_turn {
            self.open += 1;
            (entry.state, entry.asked) = (State::Wanted, generation);
        }
        is_done
    }

    /// Takes over what was loaded.
    pub(super) fn learn(&mut self, done: Vec<Done>) {
        for Done { file, result } in done {
            let counter = if result.is_ok() { Counter::MapsLoaded } else { Counter::MapsRefused };
            self.counters.add(counter, 1);
            let Some(entry) = self.entries.get_mut(&file) else { continue };
            self.open -= 1;
            match result {
                Ok(script) => entry.learn(script),
                Err(refusal) => entry.state = State::Failed(refusal, self.now),
            }
        }
        if self.bytes() >= MAX_BYTES {
            self.entries.values_mut().for_each(Entry::keep_newest);
        }
    }

    fn bytes(&self) -> usize {
        self.entries.values().map(Entry::bytes).sum()
    }

    /// Hands on what is wanted, as far as there is room.
    pub(super) fn ask(&mut self) {
        for (file, entry) in &mut self.entries {
            if !matches!(entry.state, State::Wanted) {
                continue;
            }
            let job = Job { file: Arc::clone(file), before: entry.newest().cloned() };
            if self.pool.take(job).is_err() {
                return;
            }
            entry.state = State::Loading;
        }
    }

    fn make_room(&mut self) {
        loop {
            if self.entries.len() < MAX_SCRIPTS && self.bytes() < MAX_BYTES {
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

/// What is known for pages whose code is of one generation.
#[derive(Debug)]
pub(super) struct AsOf<'a> {
    known: &'a Known,
    loaded: u64,
}

impl Lookup for AsOf<'_> {
    fn script(&self, file: &str) -> Option<&Script> {
        self.known.entries.get(file)?.of(&self.known.builds.span(file, self.loaded))
    }

    fn refusal(&self, file: &str) -> Option<String> {
        if let Some(script) = self.script(file) {
            return (!script.has_map()).then(|| "it names no map".to_owned());
        }
        if !self.known.builds.span(file, self.loaded).contains(&self.known.generation()) {
            return Some(Refusal::Replaced.to_string());
        }
        match self.known.entries.get(file).map(|entry| &entry.state) {
            None if is_evaluated(file) && !self.known.can_have(file) => Some(Refusal::InPage.to_string()),
            Some(State::Failed(refusal, _)) => Some(refusal.to_string()),
            _ => None,
        }
    }

    fn path_of(&self, file: &str) -> String {
        sources::path_of_script(file, self.known.root.text(), &self.known.rewrites)
    }

    fn local(&self, path: &str) -> Option<Arc<Path>> {
        self.known.source(path, false).0
    }

    fn text(&self, path: &str) -> Option<Arc<Text>> {
        self.known.source(path, true).1.flatten()
    }

    fn is_own(&self, path: &str) -> bool {
        self.known.libraries.is_own(path)
    }
}
