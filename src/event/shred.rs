//! The walk that takes events apart into [`Runs`]: every value to those of the same path and form.
//!
//! Called by `texts` with one event after the other. One pass over the bytes, no recursion; as pages write the members of
//! their events in one order, each key is looked for after the one before it.

use std::borrow::Cow;

use super::dictionary::Dictionary;
use super::json;
use super::leaves::{is_user_agent, string_end};
use super::runs::{Form, Node, Run, Runs};
use super::texts::BETWEEN;

/// Paths of a chunk that are told apart, and elements of an array; what is beyond lies under no path.
const MAX_NODES: usize = 512;
const MAX_ELEMENTS: usize = 16;
/// Objects and arrays within each other; an event that has more is left to other readers.
const MAX_DEPTH: usize = 64;

/// Takes events apart.
#[derive(Debug, Default)]
pub(super) struct Shredder<'c> {
    nodes: Vec<Node>,
    /// What is noted of each node.
    notes: Vec<Note>,
    /// Of each node and form, and of no path, last.
    runs: Vec<[Dictionary<'c>; 3]>,
    lost: [Dictionary<'c>; 3],
    messages: Dictionary<'c>,
    unplaced: Vec<u16>,
    open: Vec<Open>,
    objects: u32,
}

#[derive(Debug, Default)]
struct Note {
    /// The node with the same name in another spelling, or itself.
    name: u16,
    /// The object in which a key of this name was last met.
    met_in: u32,
    is_user_agent: bool,
    /// In the event itself.
    is_top: bool,
    /// Where the next key is likely to be.
    next: usize,
}

/// An object or array that is being read.
#[derive(Clone, Copy, Debug)]
struct Open {
    node: Option<u16>,
    /// The element that comes next, of an array.
    index: Option<usize>,
    number: u32,
    /// The value to come, once its key was read.
    key: Option<Option<u16>>,
    has_values: bool,
}

/// What the values of an event are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// Names of columns: what is one of them is left out of the event's own members.
    pub(super) names: [&'a str; 5],
    /// Where in the event's text the message lies, which is left out.
    pub(super) message: &'a str,
}

impl<'c> Shredder<'c> {
    pub(super) fn new() -> Self {
        let mut new = Self::default();
        new.add_node(Note::default());
        new
    }

    /// The message of `row`.
    pub(super) fn message(&mut self, row: u16, message: &'c str) {
        self.messages.push(row, Cow::Borrowed(message));
    }

    /// Takes an event apart; `false` if it must be read in another way.
    pub(super) fn push(&mut self, row: u16, event: &'c str, known: &Known<'_>) -> bool {
        self.open.clear();
        let mut walk = Walk { row, event, known, is_placed: true, is_whole: true, is_user_agent: false };
        let is_read = walk.run(self).is_some() && self.open.is_empty();
        if !walk.is_placed {
            self.unplaced.push(row);
        }
        is_read && walk.is_whole
    }

    /// All values, and the run of the messages.
    pub(super) fn finish(self) -> (Runs, Run) {
        let paths = (0..).map(Some).zip(&self.runs).chain([(None, &self.lost)]);
        let forms = |forms| [Form::Bare, Form::Text, Form::Escaped].into_iter().zip(forms);
        let all =
            || paths.clone().flat_map(|(path, runs)| forms(runs).map(move |(form, run)| (path, form, run)));
        let sizes = all().map(|(.., run)| run.size()).chain([self.messages.size()]);
        let [bytes, values, held] =
            sizes.fold([0; 3], |sum, size| [sum[0] + size[0], sum[1] + size[1], sum[2] + size[2]]);
        let mut runs = Runs::default();
        runs.text.reserve_exact(bytes);
        runs.firsts.reserve_exact(values);
        runs.rows.reserve_exact(held);
        let messages = self.messages.finish(None, Form::Text, &mut runs);
        for (path, form, run) in all() {
            run.finish(path, form, &mut runs);
        }
        runs.index();
        (runs.nodes, runs.unplaced) = (self.nodes, self.unplaced);
        (runs, messages)
    }

    fn add_node(&mut self, note: Note) -> u16 {
        let number = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        self.nodes.push(Node::default());
        self.notes.push(Note { name: if note.name == u16::MAX { number } else { note.name }, ..note });
        self.runs.push(Default::default());
        number
    }

    /// The node of `key` in `parent`; `None` if there are too many.
    fn key(&mut self, parent: u16, key: &str) -> Option<u16> {
        let at = usize::from(parent);
        let (keys, next) = (&self.nodes[at].keys, self.notes[at].next);
        let likely = keys.get(next).filter(|(known, _)| **known == *key).map(|_| next);
        let place = likely.or_else(|| keys.iter().position(|(known, _)| **known == *key));
        if let Some(place) = place {
            self.notes[at].next = place + 1;
            return Some(keys[place].1);
        }
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let name = json::unescape(key);
        let same = keys.iter().find(|(other, _)| json::same_name(&json::unescape(other), &name));
        let name_of = same.map_or(u16::MAX, |(_, node)| self.notes[usize::from(*node)].name);
        let note =
            Note { name: name_of, is_user_agent: is_user_agent(key), is_top: parent == 0, ..Note::default() };
        let node = self.add_node(note);
        let keys = &mut self.nodes[at].keys;
        keys.push((Box::from(key), node));
        self.notes[at].next = keys.len();
        Some(node)
    }

    fn element(&mut self, parent: u16, index: usize) -> Option<u16> {
        if index >= MAX_ELEMENTS {
            return None;
        }
        let at = usize::from(parent);
        if let Some(node) = self.nodes[at].elements.get(index).copied().flatten() {
            return Some(node);
        }
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let node = self.add_node(Note { name: u16::MAX, ..Note::default() });
        let elements = &mut self.nodes[at].elements;
        elements.resize(elements.len().max(index + 1), None);
        elements[index] = Some(node);
        Some(node)
    }

    fn run(&mut self, node: Option<u16>, form: Form) -> &mut Dictionary<'c> {
        let forms = node.map_or(&mut self.lost, |node| &mut self.runs[usize::from(node)]);
        &mut forms[form as usize]
    }
}

/// One event's walk.
struct Walk<'a, 'k> {
    row: u16,
    event: &'a str,
    known: &'k Known<'k>,
    is_placed: bool,
    is_whole: bool,
    /// The last key read is the user-agent's, whose values are left out.
    is_user_agent: bool,
}

impl<'a> Walk<'a, '_> {
    /// `None` if the text is not JSON, or nested too deeply.
    fn run(&mut self, all: &mut Shredder<'a>) -> Option<()> {
        let bytes = self.event.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\n' | b'\t' | b'\r' | b':' => at += 1,
                b',' => {
                    if let Some(open) = all.open.last_mut() {
                        open.index = open.index.map(|index| index + 1);
                    }
                    at += 1;
                }
                b'{' | b'[' => {
                    self.open(all, *byte == b'[')?;
                    at += 1;
                }
                b'}' | b']' => {
                    self.close(all)?;
                    at += 1;
                }
                b'"' => {
                    let end = string_end(bytes, at + 1)?;
                    let inside = self.event.get(at + 1..end)?;
                    at = end + 1;
                    match all.open.last() {
                        Some(Open { index: None, key: None, .. }) => self.key(all, inside),
                        _ => self.text(all, inside),
                    }
                }
                _ => {
                    let ends = |byte: &u8| {
                        matches!(
                            byte,
                            b',' | b'}' | b']' | b':' | b'{' | b'[' | b'"' | b' ' | b'\n' | b'\t' | b'\r'
                        )
                    };
                    let end = bytes[at..].iter().position(ends).map_or(bytes.len(), |len| at + len);
                    let value = self.event.get(at..end)?;
                    at = end;
                    let node = self.place(all);
                    if value != "null" && !self.is_left_out(all, node, None) {
                        self.push(all, node, Form::Bare, Cow::Borrowed(value));
                    }
                }
            }
        }
        Some(())
    }

    /// The node of the value that begins here.
    fn place(&mut self, all: &mut Shredder<'a>) -> Option<u16> {
        let Some(open) = all.open.last_mut() else { return Some(0) };
        let node = match open.index {
            None => open.key.take().flatten(),
            Some(index) => {
                let parent = open.node;
                parent.and_then(|parent| all.element(parent, index))
            }
        };
        self.is_placed &= node.is_some();
        node
    }

    fn open(&mut self, all: &mut Shredder<'a>, is_array: bool) -> Option<()> {
        let node = self.place(all);
        all.objects += 1;
        let index = is_array.then_some(0);
        all.open.push(Open { node, index, number: all.objects, key: None, has_values: false });
        (all.open.len() <= MAX_DEPTH).then_some(())
    }

    fn close(&mut self, all: &mut Shredder<'a>) -> Option<()> {
        let closed = all.open.pop()?;
        if let Some(node) = closed.node.filter(|_| !closed.has_values) {
            all.nodes[usize::from(node)].hollow.push(self.row);
        }
        self.count_value(all);
        Some(())
    }

    /// What is open has a value, which tells that it is there.
    fn count_value(&self, all: &mut Shredder<'a>) {
        if let Some(open) = all.open.last_mut() {
            open.has_values = true;
        }
    }

    fn key(&mut self, all: &mut Shredder<'a>, key: &str) {
        let Some(open) = all.open.last().copied() else { return };
        let node = open.node.and_then(|parent| all.key(parent, key));
        self.is_user_agent = match node {
            Some(node) => all.notes[usize::from(node)].is_user_agent,
            None => is_user_agent(key),
        };
        if let Some(node) = node {
            let name = usize::from(all.notes[usize::from(node)].name);
            // Of two keys of one name the last counts, even if it is null.
            self.is_placed &= all.notes[name].met_in != open.number;
            all.notes[name].met_in = open.number;
        }
        if let Some(open) = all.open.last_mut() {
            open.key = Some(node);
        }
    }

    fn text(&mut self, all: &mut Shredder<'a>, inside: &'a str) {
        let node = self.place(all);
        if self.is_left_out(all, node, Some(inside)) {
            return;
        }
        if memchr::memchr(b'\\', inside.as_bytes()).is_some() {
            self.push(all, node, Form::Escaped, json::unescape(inside));
        } else {
            self.push(all, node, Form::Text, Cow::Borrowed(inside));
        }
    }

    fn is_left_out(&self, all: &mut Shredder<'a>, node: Option<u16>, inside: Option<&str>) -> bool {
        let is_top = node.is_some_and(|node| all.notes[usize::from(node)].is_top);
        let is_known = |inside: &str| {
            let Known { names, message } = self.known;
            inside.len() == message.len() && inside.as_ptr() == message.as_ptr()
                || is_top && names.contains(&inside) && !inside.contains('\\')
        };
        let is_out =
            self.is_user_agent || inside.is_some_and(|inside| !inside.is_empty() && is_known(inside));
        if is_out {
            if let Some(node) = node {
                all.nodes[usize::from(node)].has_left_out = true;
            }
            self.count_value(all);
        }
        is_out
    }

    fn push(&mut self, all: &mut Shredder<'a>, node: Option<u16>, form: Form, value: Cow<'a, str>) {
        self.count_value(all);
        if value.as_bytes().contains(&BETWEEN) {
            self.is_whole = false;
            return;
        }
        all.run(node, form).push(self.row, value);
    }
}
