//! What the events of a chunk say, without keys, signs and escapes: one text for searches.
//!
//! Filters of text search it where it has been made, else the JSON itself. Messages lie apart from the other values, so
//! that a search for one of them reads no more than it must. Values that are names of a column as well are left out:
//! whoever searches looks those up by symbol. It is made of chunks that are full, when there is nothing better to do.

use super::chunk::{Chunk, EventRef};
use super::leaves::{is_user_agent, leaves, text_of};
use super::names::Symbol;

/// Stands behind each value; rows with a value that holds it are [`Texts::odd`].
pub const BETWEEN: u8 = 0;

/// The texts of each row.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The message, where there is one.
    pub messages: Lines,
    /// The other values, but null and the user-agent, and but what is in the columns of types, subtypes, sessions,
    /// users and tabs.
    pub values: Lines,
    /// Rows that must be read in another way, in rising order.
    pub odd: Vec<u32>,
}

/// The texts of all rows, one after the other, each value with [`BETWEEN`] behind it.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    pub text: String,
    /// Where each row's values end.
    pub ends: Vec<u32>,
}

impl Texts {
    /// Reads `chunk`.
    pub fn of(chunk: &Chunk) -> Self {
        let mut texts = Self::default();
        for (row, event) in (0..).zip(chunk.events()) {
            let (messages, values) = (texts.messages.text.len(), texts.values.text.len());
            let mut count = usize::from(!event.msg().is_empty());
            if count > 0 {
                texts.messages.push(event.msg());
            }
            count += texts.values.push_values(event);
            texts.messages.end_row();
            texts.values.end_row();
            let is_between = |text: &str| memchr::memchr_iter(BETWEEN, text.as_bytes()).count();
            let found =
                is_between(&texts.messages.text[messages..]) + is_between(&texts.values.text[values..]);
            if found != count {
                texts.odd.push(row);
            }
        }
        texts.messages.text.shrink_to_fit();
        texts.values.text.shrink_to_fit();
        texts
    }
}

impl Lines {
    fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.text.push(char::from(BETWEEN));
    }

    fn end_row(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// How many there were.
    fn push_values(&mut self, event: EventRef<'_>) -> usize {
        let (chunk, row) = (event.chunk(), event.row());
        let names =
            [chunk.kinds(), chunk.subtypes(), chunk.sessions(), chunk.users(), chunk.tabs()].map(|names| {
                let is_name = !matches!(names[row], Symbol::NONE | Symbol::OTHER);
                if is_name { chunk.names().get(names[row]) } else { "" }
            });
        // A message that was made is no value of the event.
        let message = if chunk.made_span(row).is_none() { event.msg() } else { "" };
        let mut count = 0;
        for leaf in leaves(event.json()).filter(|leaf| !is_user_agent(leaf.key)) {
            let inside = leaf.value.strip_prefix('"').unwrap_or_default();
            let inside = inside.strip_suffix('"').unwrap_or_default();
            let is_message = inside.len() == message.len() && inside.as_ptr() == message.as_ptr();
            let is_name = || names.contains(&inside) && !inside.contains('\\');
            if !inside.is_empty() && (is_message || is_name()) {
                continue;
            }
            self.push(&text_of(leaf.value));
            count += 1;
        }
        count
    }
}
