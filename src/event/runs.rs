//! The values of a chunk's events, those of one path together, as one text in which each different one stands once.
//!
//! Made by `texts`, searched by filters: a word looks through all of it, a field through the runs of its path alone. A run
//! holds values of one form, so that a number is told from a text that looks like one. What it leaves out it tells.

use std::ops::Range;

use super::json;
use super::texts::BETWEEN;

/// Bytes from one mark to the next: finding which value a byte is in looks at fewer.
const MARK_EVERY: usize = 128;
/// Stands for the row of a value that several hold.
const SEVERAL: u16 = u16::MAX;

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A number or a boolean.
    Bare,
    /// A string without escapes.
    Text,
    /// A string with escapes, which are resolved here.
    Escaped,
}

/// The different values of one path and form.
#[derive(Clone, Debug)]
pub struct Run {
    /// `None` for messages and where the path is not known; such values are of [`Runs::unplaced`] rows.
    pub path: Option<u16>,
    pub form: Form,
    /// Where they lie in [`Runs::text`].
    pub bytes: Range<usize>,
    /// Which of all values they are.
    pub values: Range<usize>,
}

/// One step of a path and the paths that go on from there.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Key as written, and the node.
    pub(super) keys: Vec<(Box<str>, u16)>,
    pub(super) elements: Vec<Option<u16>>,
    /// Rows with a value here that holds none: an empty object or array, or one of nulls.
    pub hollow: Vec<u16>,
    /// Some values here are not in the runs.
    pub has_left_out: bool,
}

/// See the top.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// Each value with [`BETWEEN`] behind it.
    pub text: String,
    /// The rows that hold each value, those of one after those of the other.
    pub(super) rows: Vec<u16>,
    /// Where the rows of each value begin.
    pub(super) firsts: Vec<u32>,
    /// The row of each value that one alone holds: one look instead of three, for most are of one.
    only: Vec<u16>,
    /// The value that each [`MARK_EVERY`]th byte is in.
    marks: Vec<u32>,
    pub all: Vec<Run>,
    /// The first is the event itself.
    pub nodes: Vec<Node>,
    /// Rows whose values are all here, but not all under their path: names that repeat, too many paths.
    pub unplaced: Vec<u16>,
}

impl Runs {
    /// Bytes it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let nodes = self.nodes.iter().map(|node| 96 + node.keys.len() * 40 + node.hollow.len() * 2);
        self.text.capacity()
            + self.rows.capacity() * 2
            + self.firsts.capacity() * 4
            + self.only.capacity() * 2
            + self.marks.capacity() * 4
            + self.all.capacity() * size_of::<Run>()
            + nodes.sum::<usize>()
    }

    /// The paths that begin with `path`; a name is looked up in every object of an array, as filters do.
    pub fn under<S: AsRef<str>>(&self, path: &[S]) -> Vec<u16> {
        let mut found = Vec::new();
        if !self.nodes.is_empty() {
            self.follow(0, path, &mut found);
        }
        let mut at = 0;
        while at < found.len() {
            let node = &self.nodes[usize::from(found[at])];
            let below =
                node.keys.iter().map(|(_, node)| *node).chain(node.elements.iter().flatten().copied());
            found.extend(below);
            at += 1;
        }
        found
    }

    /// The nodes at the end of `path`. Recurses once a name.
    fn follow<S: AsRef<str>>(&self, from: u16, path: &[S], found: &mut Vec<u16>) {
        let Some((part, rest)) = path.split_first() else { return found.push(from) };
        let part = part.as_ref();
        let node = &self.nodes[usize::from(from)];
        let named = |node: &Node| -> Vec<u16> {
            let is_name = |key: &str| key == part || json::same_name(&json::unescape(key), part);
            node.keys.iter().filter(|(key, _)| is_name(key)).map(|(_, node)| *node).collect()
        };
        let mut next = named(node);
        match part.parse::<usize>() {
            Ok(index) => next.extend(node.elements.get(index).copied().flatten()),
            Err(_) => {
                let elements = node.elements.iter().flatten();
                next.extend(elements.flat_map(|element| named(&self.nodes[usize::from(*element)])));
            }
        }
        for node in next {
            self.follow(node, rest, found);
        }
    }

    /// Makes what values and rows are looked up by, once all values are there.
    pub(super) fn index(&mut self) {
        let ends = self.firsts.iter().skip(1).copied().chain([small(self.rows.len())]);
        let only =
            |(first, end): (&u32, u32)| if end - first == 1 { self.rows[*first as usize] } else { SEVERAL };
        self.only = self.firsts.iter().zip(ends).map(only).collect();
        let blocks = self.text.as_bytes().chunks(MARK_EVERY);
        let counts = blocks.map(|block| small(memchr::memchr_iter(BETWEEN, block).count()));
        let marks = counts.scan(0, |value, count| Some(std::mem::replace(value, *value + count)));
        self.marks = marks.collect();
    }

    /// How many values end before the last mark up to `at`. With those [`Runs::since_mark`] it is the number of the
    /// value in which the byte at `at` lies, which may be the [`BETWEEN`] behind it.
    pub fn marked_before(&self, at: usize) -> usize {
        self.marks[at / MARK_EVERY] as usize
    }

    /// How many values end between the last mark up to `at` and `at`.
    pub fn since_mark(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[at / MARK_EVERY * MARK_EVERY..at];
        memchr::memchr_iter(BETWEEN, before).count()
    }

    /// The text of the value in which the byte at `at` lies, which may be the [`BETWEEN`] behind it.
    pub fn text_at(&self, at: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let start = memchr::memrchr(BETWEEN, &bytes[..at]).map_or(0, |before| before + 1);
        let len = memchr::memchr(BETWEEN, &bytes[at..]).unwrap_or(bytes.len() - at);
        start..at + len
    }

    /// The row that holds `value`, if no other does.
    pub fn only_row(&self, value: usize) -> Option<u16> {
        Some(self.only[value]).filter(|row| *row != SEVERAL)
    }

    /// The rows that hold `value`, in rising order.
    pub fn rows_with(&self, value: usize) -> &[u16] {
        match &self.only[value] {
            &SEVERAL => self.rows_of(value..value + 1),
            row => std::slice::from_ref(row),
        }
    }

    /// The rows that hold `values`, in rising order for each of them.
    pub fn rows_of(&self, values: Range<usize>) -> &[u16] {
        let first = |value: usize| self.firsts.get(value).map_or(self.rows.len(), |first| *first as usize);
        &self.rows[first(values.start)..first(values.end)]
    }

    /// The values of `run`, each with which of all it is.
    pub fn values_of(&self, run: &Run) -> impl Iterator<Item = (usize, &str)> {
        let text = &self.text[run.bytes.clone()];
        let mut start = 0;
        let texts = memchr::memchr_iter(BETWEEN, text.as_bytes()).map(move |end| {
            let value = &text[start..end];
            start = end + 1;
            value
        });
        run.values.clone().zip(texts)
    }
}

/// A chunk's texts are shorter than 4 GiB, as its JSON is.
pub(super) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
