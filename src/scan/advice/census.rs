//! Which fields the newest events have: built-in ones and every path in their data.
//!
//! Kept by the advice from one key to the next: a chunk is read once, its later rows as they come.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::walk::{Count, Stop, Walk};
use crate::event::json::{self, Shape};
use crate::event::{Chunk, Column, DataPath, FIELDS, Field, FieldKind};
use crate::filter::{Bits, EvalContext, Matcher, parse, path_text};
use crate::store::Snapshot;

/// Paths kept apart; those that come after are not offered.
const MAX_PATHS: usize = 1_024;
/// Objects inside each other that are looked into.
const MAX_DEPTH: usize = 4;
/// Members looked at in one object.
const MAX_MEMBERS: usize = 256;
/// Bytes of a path that is offered; longer ones are not.
const MAX_PATH_BYTES: usize = 128;

/// A path in the data that events have.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// As filters name it.
    pub(super) text: String,
    /// What its values were; an object is none of these.
    pub(super) has_text: bool,
    pub(super) has_number: bool,
    pub(super) has_bool: bool,
}

/// Counts by field and path, chunk by chunk.
pub(super) struct Census {
    /// By what the walk over an event finds: the keys joined by NUL.
    index: FxHashMap<Box<str>, Option<usize>>,
    paths: Vec<Seen>,
    /// The built-in fields that each path is a value of.
    covers: Vec<Vec<usize>>,
    chunks: FxHashMap<u64, Counted>,
    walk: Walk,
    /// Events read, and in which of them each path and field was seen last.
    event: u64,
    path_seen_in: Vec<u64>,
    field_seen_in: Vec<u64>,
    /// For the fields that are not read while walking.
    matchers: Vec<Option<Matcher>>,
}

#[derive(Default)]
struct Counted {
    from: usize,
    to: usize,
    fields: Vec<u64>,
    paths: Vec<u64>,
}

/// The paths that make up a field, where those are all there is to it.
fn paths_of(field: &Field) -> Option<&'static [DataPath]> {
    match field.column {
        Column::First(paths) | Column::Each(paths) => Some(paths),
        // Nearly every URL has a path, so the few without are not told apart.
        Column::Path => Some(&[&["url"]]),
        _ => None,
    }
}

/// Fields that say something of an event without being a value of it have no count.
pub(super) fn is_counted(field: &Field) -> bool {
    !matches!(field.kind, FieldKind::Is | FieldKind::Presence | FieldKind::Moment | FieldKind::Age)
}

impl Census {
    pub(super) fn new() -> Self {
        let matcher = |field: &Field| {
            let is_asked = is_counted(field) && paths_of(field).is_none();
            let filter = parse(&format!("has:{}", field.name)).filter.filter(|_| is_asked)?;
            Some(Matcher::new(Arc::new(filter), EvalContext::default()))
        };
        Self {
            index: FxHashMap::default(),
            paths: Vec::new(),
            covers: Vec::new(),
            chunks: FxHashMap::default(),
            walk: Walk::new(&Arc::default()),
            event: 0,
            path_seen_in: Vec::new(),
            field_seen_in: vec![0; FIELDS.len()],
            matchers: FIELDS.iter().map(matcher).collect(),
        }
    }

    /// Goes on with another snapshot.
    pub(super) fn set_snapshot(&mut self, snapshot: &Arc<Snapshot>) {
        self.walk = Walk::new(snapshot);
    }

    /// Reads one more chunk; false when enough were.
    pub(super) fn step(&mut self) -> bool {
        if self.walk.is_enough() {
            return false;
        }
        let Some(stop) = self.walk.next() else { return false };
        self.read(&stop);
        if self.walk.is_enough() || self.walk.is_over() {
            self.forget_below(stop.base);
        }
        true
    }

    fn forget_below(&mut self, base: u64) {
        self.chunks.retain(|known, _| *known >= base);
    }

    fn read(&mut self, stop: &Stop) {
        let mut counted = self.chunks.remove(&stop.base).unwrap_or_default();
        if counted.from != stop.rows.start {
            counted = Counted { from: stop.rows.start, to: stop.rows.start, ..Counted::default() };
        }
        counted.to = counted.to.max(counted.from);
        counted.fields.resize(FIELDS.len(), 0);
        let rows = counted.to..stop.rows.end;
        if !rows.is_empty() {
            let mut bits = Bits::new();
            for (matcher, count) in self.matchers.iter_mut().zip(&mut counted.fields) {
                if let Some(matcher) = matcher {
                    matcher.eval(&stop.chunk, rows.clone(), &mut bits);
                    *count += bits.count() as u64;
                }
            }
            self.read_rows(&stop.chunk, rows.clone(), &mut counted);
            counted.to = rows.end;
        }
        self.chunks.insert(stop.base, counted);
    }

    fn read_rows(&mut self, chunk: &Chunk, rows: std::ops::Range<usize>, counted: &mut Counted) {
        let mut key = String::new();
        for row in rows {
            self.event += 1;
            self.read_object(chunk.event(row).json(), 1, &mut key, counted);
        }
    }

    /// Depth is bounded by [`MAX_DEPTH`].
    fn read_object(&mut self, object: &str, depth: usize, key: &mut String, counted: &mut Counted) {
        for member in json::members(object).take(MAX_MEMBERS) {
            let shape = json::shape(member.value);
            let before = key.len();
            if before > 0 {
                key.push('\0');
            }
            key.push_str(member.key);
            if shape != Shape::Null
                && key.len() <= MAX_PATH_BYTES
                && let Some(path) = self.path(key)
            {
                self.count(path, counted);
                self.note_shape(path, member.value, shape);
                if shape == Shape::Object && depth < MAX_DEPTH {
                    self.read_object(member.value, depth + 1, key, counted);
                }
            }
            key.truncate(before);
        }
    }

    /// Counts the event that is being read for a path and the fields that it is a value of, each once.
    fn count(&mut self, path: usize, counted: &mut Counted) {
        if counted.paths.len() <= path {
            counted.paths.resize(self.paths.len(), 0);
        }
        if std::mem::replace(&mut self.path_seen_in[path], self.event) == self.event {
            return;
        }
        counted.paths[path] += 1;
        for field in &self.covers[path] {
            if std::mem::replace(&mut self.field_seen_in[*field], self.event) != self.event {
                counted.fields[*field] += 1;
            }
        }
    }

    fn note_shape(&mut self, path: usize, value: &str, shape: Shape) {
        let seen = &mut self.paths[path];
        match shape {
            Shape::Text => seen.has_text = true,
            Shape::Number => seen.has_number = true,
            Shape::Bool => seen.has_bool = true,
            Shape::Array => {
                let first = json::elements(value).next().map_or(Shape::Null, |(_, value)| json::shape(value));
                seen.has_text |= first == Shape::Text;
                seen.has_number |= first == Shape::Number;
            }
            Shape::Object | Shape::Null => {}
        }
    }

    /// The number of a path; `None` if it cannot be named or there are too many.
    fn path(&mut self, key: &str) -> Option<usize> {
        if let Some(known) = self.index.get(key) {
            return *known;
        }
        if self.index.len() >= MAX_PATHS {
            return None;
        }
        let parts: Vec<String> = key.split('\0').map(|part| json::unescape(part).into_owned()).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let found = path_text(&parts).map(|text| {
            self.paths.push(Seen { text, has_text: false, has_number: false, has_bool: false });
            self.covers.push(covered(&parts));
            self.path_seen_in.push(0);
            self.paths.len() - 1
        });
        self.index.insert(key.into(), found);
        found
    }

    /// The paths seen, with the events that have each, built-in fields' own names left out.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&Seen, Count)> {
        let mut totals = vec![0; self.paths.len()];
        for counted in self.chunks.values() {
            for (total, count) in totals.iter_mut().zip(&counted.paths) {
                *total += count;
            }
        }
        let is_other = |seen: &Seen| Field::find(&seen.text).is_none();
        self.paths
            .iter()
            .zip(totals)
            .filter(move |(seen, total)| *total > 0 && is_other(seen))
            .map(|(seen, total)| (seen, self.walk.project(total)))
    }

    /// The events that have each of [`FIELDS`].
    pub(super) fn fields(&self) -> Vec<Count> {
        let total = |at: usize| self.chunks.values().filter_map(|counted| counted.fields.get(at)).sum();
        (0..FIELDS.len()).map(|at| self.walk.project(total(at))).collect()
    }
}

/// The built-in fields that a path is a value of.
fn covered(parts: &[&str]) -> Vec<usize> {
    let is_same = |path: &DataPath| {
        path.len() == parts.len() && path.iter().zip(parts).all(|(a, b)| json::same_name(a, b))
    };
    let fields = FIELDS.iter().enumerate();
    fields
        .filter(|(_, field)| paths_of(field).is_some_and(|paths| paths.iter().any(is_same)))
        .map(|(at, _)| at)
        .collect()
}
