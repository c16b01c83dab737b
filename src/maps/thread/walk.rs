//! The way through what arrives: which events tell of code, which of them wait for a map, and what became of them.
//!
//! An event is looked at once, in order of arrival. What is the same stack as before is known at once.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;

use super::known::Known;
use crate::counters::Counter;
use crate::event::{EventRef, Mapped, Symbol, Timestamp, json};
use crate::maps::resolve::resolve;
use crate::pipeline::Grouping;
use crate::pipeline::fingerprint::{Evidence, Scratch, fingerprint_by};
use crate::stack::{Told, told};
use crate::store::{Mapping, Snapshot};

/// Events that wait for a map; of more the oldest are left as they are, and counted.
const MAX_WAITING: usize = 10_000;
/// Scripts that are asked for because of one event; an unbundled page has a script a module.
const MAX_NEEDS: usize = 32;
/// An event that waited this long is placed by what is there.
const MAX_WAIT_MS: i64 = 30_000;
/// Stacks that are remembered, until code is replaced.
const MAX_STACKS: usize = 4_096;
/// Stacks whose every frame is kept at a time; of further ones only the place is.
const MAX_WHOLE: usize = 20_000;
/// Tabs whose newest load is remembered.
const MAX_TABS: usize = 1_024;
/// Events told of at once.
const BATCH: usize = 1_024;

/// An event whose scripts are being loaded.
#[derive(Debug)]
struct Waiting {
    ordinal: u64,
    seq: u64,
    stack: u64,
    told: Vec<Told>,
    /// The generation of the code that its page runs.
    loaded: u64,
    /// The scripts it needs.
    needs: Vec<Arc<str>>,
    since: Timestamp,
}

/// A tab's newest page load, and of which generation the code is that it runs, and that of the loads before.
#[derive(Clone, Copy, Debug)]
struct Load {
    number: i32,
    loaded: u64,
    before: u64,
}

/// Members that tell of code in events that are in no group.
const TELLING: [&str; 3] = ["\"stack\"", "\"scripts\"", "\"initiator\""];

/// The tab of an event.
fn tab_of(event: EventRef<'_>) -> (Symbol, Symbol) {
    (event.chunk().sessions()[event.row()], event.chunk().tabs()[event.row()])
}

/// Whether a hot update may have loaded any of the page's code anew. Those of Vite and webpack leave what runs at the
/// address it has and add code with addresses of its own; what Vite names is told to `known`.
fn is_loaded_anew(event: EventRef<'_>, known: &mut Known) -> bool {
    if let Some(path) = event.msg().strip_prefix("[vite] hot updated: ") {
        path.split_whitespace().take(1).for_each(|path| known.replace(path));
        return false;
    }
    if !matches!(event.subtype(), "hot-update" | "hmr") {
        return false;
    }
    let [tool, files] = json::get_all(event.json(), ["tool", "files"]);
    let tool = tool.and_then(json::text);
    if tool.as_deref() == Some("vite") {
        let files = json::elements(files.unwrap_or_default()).filter_map(|(_, file)| json::text(file));
        files.for_each(|file| known.replace(&file));
    }
    !matches!(tool.as_deref(), Some("vite" | "webpack"))
}

/// Whether one of them may stand in `json`.
fn may_tell(json: &str) -> bool {
    TELLING.iter().any(|name| memchr::memmem::find(json.as_bytes(), name.as_bytes()).is_some())
}

/// Whether an event tells of a place in code, and will be placed some time.
pub fn tells(event: EventRef<'_>) -> bool {
    event.mapped().is_none()
        && (event.group().is_some() || may_tell(event.json()))
        && !told(event.json()).is_empty()
}

#[derive(Debug, Default)]
pub(super) struct Walk {
    snapshot: Arc<Snapshot>,
    /// The next event to look at.
    next: u64,
    waiting: VecDeque<Waiting>,
    hasher: RandomState,
    /// By stack, of the present generation.
    stacks: FxHashMap<u64, Arc<Mapped>>,
    stacks_of: u64,
    whole: VecDeque<Weak<Mapped>>,
    loads: FxHashMap<(Symbol, Symbol), Load>,
    found: Vec<Mapping>,
    grouping: Grouping,
}

impl Walk {
    /// One that puts errors into groups as the user says.
    pub(super) fn by(grouping: Grouping) -> Self {
        Self { grouping, ..Self::default() }
    }

    /// Looks at what is new in `snapshot`.
    pub(super) fn see(&mut self, snapshot: Arc<Snapshot>, known: &mut Known) {
        self.next = self.next.max(snapshot.first);
        let from = self.next;
        self.next = snapshot.end;
        self.snapshot = Arc::clone(&snapshot);
        for segment in snapshot.segments.iter().filter(|segment| segment.end() > from) {
            let chunk = &segment.chunk;
            let first = usize::try_from(from.saturating_sub(segment.base)).unwrap_or(usize::MAX);
            let start =
                if first == 0 { 0 } else { chunk.json_ends().get(first - 1).map_or(0, |end| *end as usize) };
            let does_tell = chunk.json().get(start..).is_some_and(may_tell);
            for row in first..chunk.len() {
                let event = chunk.event(row);
                self.note_load(event, known);
                let is_looked_at = event.group().is_some() || does_tell && may_tell(event.json());
                if is_looked_at && event.mapped().is_none() {
                    self.look(event, segment.base + row as u64, known);
                }
            }
        }
    }

    /// A page that was loaded anew, or code replaced in one, may be another build.
    fn note_load(&mut self, event: EventRef<'_>, known: &mut Known) {
        let is_anew = is_loaded_anew(event, known);
        if is_anew {
            known.expire();
        }
        let Some(number) = event.load() else { return };
        let key = tab_of(event);
        if self.loads.len() >= MAX_TABS && !self.loads.contains_key(&key) {
            self.loads.clear();
        }
        let loaded = known.generation();
        let newest = self.loads.entry(key).or_insert(Load { number, loaded, before: loaded });
        if newest.number < number {
            known.expire();
            *newest = Load { number, loaded: known.generation(), before: newest.loaded };
        } else if is_anew {
            newest.loaded = loaded;
        }
    }

    /// The generation of the code that told of `event`: that of its page load, or the present one.
    fn loaded(&self, event: EventRef<'_>, known: &Known) -> u64 {
        match (event.load(), self.loads.get(&tab_of(event))) {
            (Some(number), Some(load)) if number < load.number => load.before,
            (Some(_), Some(load)) => load.loaded,
            _ => known.generation(),
        }
    }

    fn look(&mut self, event: EventRef<'_>, ordinal: u64, known: &mut Known) {
        if self.stacks_of != known.generation() {
            self.stacks.clear();
            self.stacks_of = known.generation();
        }
        let parts = json::get_all(
            event.json(),
            ["stack", "location", "errors", "causes", "cause", "scripts", "initiator"],
        );
        if parts.iter().all(Option::is_none) {
            return;
        }
        let loaded = self.loaded(event, known);
        // What Turbopack evals keeps its address and may be other code each time.
        let is_evaluated = parts.iter().flatten().any(|part| part.contains("?id="));
        let second = is_evaluated.then_some(known.now.0 / 1_000);
        let stack = self.hasher.hash_one((loaded, second, parts));
        if let Some(mapped) = self.stacks.get(&stack) {
            let mapped = Arc::clone(mapped);
            return self.put(event, ordinal, mapped, known);
        }
        let told = told(event.json());
        if told.is_empty() {
            return;
        }
        let mut needs: Vec<Arc<str>> = Vec::new();
        for spot in told.iter().flat_map(|told| &told.spots) {
            let is_new = || !needs.iter().any(|need| **need == *spot.file);
            if needs.len() < MAX_NEEDS && known.can_have(&spot.file) && is_new() {
                known.see(&spot.file);
                needs.push(Arc::from(spot.file.as_str()));
            }
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
            known.count(Counter::PlacesLeft, 1);
        }
        let (seq, since) = (event.seq(), known.now);
        self.waiting.push_back(Waiting { ordinal, seq, stack, told, loaded, needs, since });
    }

    /// Places the events that need wait no longer.
    pub(super) fn settle(&mut self, known: &mut Known) -> Vec<Mapping> {
        let snapshot = Arc::clone(&self.snapshot);
        for waiting in std::mem::take(&mut self.waiting) {
            // All of them are asked for, not only the first.
            let open = waiting.needs.iter().filter(|need| !known.is_settled(need, waiting.loaded)).count();
            let is_over = known.now.since(waiting.since) >= MAX_WAIT_MS;
            if open > 0 && !is_over || self.found.len() >= BATCH {
                self.waiting.push_back(waiting);
                continue;
            }
            let there = snapshot.event(waiting.ordinal).filter(|event| event.seq() == waiting.seq);
            let Some(event) = there else {
                known.count(Counter::PlacesLeft, 1);
                continue;
            };
            let mapped = match self.stacks.get(&waiting.stack) {
                Some(mapped) => Arc::clone(mapped),
                None => self.keep(resolve(&waiting.told, &known.as_of(waiting.loaded)), waiting.stack),
            };
            self.put(event, waiting.ordinal, mapped, known);
        }
        known.ask();
        std::mem::take(&mut self.found)
    }

    /// Remembers what a stack was mapped to.
    fn keep(&mut self, mapped: Mapped, stack: u64) -> Arc<Mapped> {
        while self.whole.len() >= MAX_WHOLE
            && self.whole.front().is_some_and(|oldest| oldest.strong_count() == 0)
        {
            self.whole.pop_front();
        }
        let is_room = self.whole.len() < MAX_WHOLE;
        let mapped = Arc::new(if is_room { mapped } else { mapped.brief() });
        if is_room {
            self.whole.push_back(Arc::downgrade(&mapped));
        }
        // What could not be had may be there the next time.
        if mapped.note.is_none() {
            if self.stacks.len() >= MAX_STACKS {
                self.stacks.clear();
            }
            self.stacks.insert(stack, Arc::clone(&mapped));
        }
        mapped
    }

    fn put(&mut self, event: EventRef<'_>, ordinal: u64, mapped: Arc<Mapped>, known: &Known) {
        let Some(place) = mapped.place() else {
            return self.found.push(Mapping { ordinal, seq: event.seq(), mapped, group: 0 });
        };
        let group = match event.group() {
            Some(_) if place.is_mapped && self.grouping != Grouping::Message => {
                let message = event.get(&["message"]).and_then(json::text);
                let evidence = Evidence {
                    kind: event.kind(),
                    subtype: event.subtype(),
                    message: message.as_deref().unwrap_or_default(),
                    mapped: Some((&place.file, &place.function)),
                    endpoint: event.endpoint(),
                    status: event.status(),
                    ..Evidence::default()
                };
                fingerprint_by(self.grouping, &evidence, &mut Scratch::default())
            }
            _ => 0,
        };
        known.count(Counter::PlacesMapped, u64::from(place.is_mapped));
        self.found.push(Mapping { ordinal, seq: event.seq(), mapped, group });
    }
}
