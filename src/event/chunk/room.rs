//! The memory of a chunk: made in advance, used again, brought up to the rows of another.
//!
//! The ring fills one chunk after the other and copies those that a reader holds; with these it asks the system for
//! memory only while it grows. Nothing here reads what the rows say.

use super::{Chunk, Made};

/// Does the work with each column of a chunk, or with each of two chunks' alike.
macro_rules! each_column {
    ($($chunk:ident.$column:ident)+ => $work:expr) => {
        each_column!(@one ($($chunk $column)+) $work;
            seq inst recv duration group id ns kind subtype session user tab endpoint source load msg json_end status
            flags level severity family)
    };
    (@one $pairs:tt $work:expr; $($name:ident)+) => { $( each_column!(@bind $pairs $name $work); )+ };
    (@bind ($mine:ident $column:ident) $name:ident $work:expr) => {{
        let $column = &mut $mine.$name;
        $work;
    }};
    (@bind ($mine:ident $column:ident $other:ident $theirs:ident) $name:ident $work:expr) => {{
        let ($column, $theirs) = (&mut $mine.$name, &$other.$name);
        $work;
    }};
}

impl Chunk {
    /// The same chunk without rows: its names and the room it took stay.
    #[must_use]
    pub fn cleared(mut self) -> Self {
        each_column!(self.column => column.clear());
        self.mapped.clear();
        self.page_loads.clear();
        self.json.clear();
        self.text.clear();
        self.made = Made::default();
        self
    }

    /// Makes room for `rows` more rows whose JSON takes `json` bytes and whose made text takes `text`, so that adding
    /// them copies nothing twice.
    pub fn reserve(&mut self, rows: usize, json: usize, text: usize) {
        each_column!(self.column => column.reserve(rows));
        self.json.reserve(json);
        self.text.reserve(text);
    }

    /// Makes room for `rows` rows in all, whose JSON takes `json` bytes and whose made text takes `text`; gives back what
    /// is more than that.
    pub fn fit(&mut self, rows: usize, json: usize, text: usize) {
        each_column!(self.column => column.shrink_to(rows));
        self.json.shrink_to(json);
        self.text.shrink_to(text);
        let more = |most: usize, has: usize| most.saturating_sub(has);
        let (has_json, has_text) = self.text_bytes();
        self.reserve(more(rows, self.len()), more(json, has_json), more(text, has_text));
    }

    /// Bytes of the JSON and of the made text of all rows.
    pub fn text_bytes(&self) -> (usize, usize) {
        (self.json.len(), self.text.len())
    }

    /// Takes over what `other` has more: this chunk is empty, or `other` as it was some rows ago.
    pub fn catch_up(&mut self, other: &Self) {
        let (from, (json, text)) = (self.len(), self.text_bytes());
        self.json.push_str(&other.json[json..]);
        self.text.push_str(&other.text[text..]);
        each_column!(self.column other.theirs => column.extend_from_slice(&theirs[from..]));
        self.page_loads.extend_from_slice(&other.page_loads[self.page_loads.len()..]);
        // What becomes known of a row later, see `set_mapped`.
        self.group.clone_from(&other.group);
        self.flags.clone_from(&other.flags);
        self.mapped.clone_from(&other.mapped);
        self.made = other.made.clone();
    }

    /// Rows and bytes of JSON that still fit without asking for more memory.
    #[cfg(test)]
    pub(crate) fn room_left(&self) -> (usize, usize) {
        (self.seq.capacity() - self.seq.len(), self.json.capacity() - self.json.len())
    }
}
