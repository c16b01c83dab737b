//! What the events of a chunk say, without keys, signs and escapes: texts for searches.
//!
//! Filters of text and of data search them where they have been made, else the JSON itself. Messages lie beside each
//! other, so that a search for one of them reads no more than it must. Values that are names of a column as well
//! are left out: whoever searches looks those up by symbol. They are made of chunks that are full, when there is nothing
//! better to do.

use super::chunk::{Chunk, EventRef};
use super::names::Symbol;
use super::runs::{Run, Runs};
use super::shred::{Known, Shredder};

/// Stands behind each value; rows with a value that holds it are [`Texts::odd`].
pub const BETWEEN: u8 = 0;

/// Rows that are read at a stretch: they take a tenth of a millisecond.
const ASK_EVERY: u16 = 64;

/// The texts of a chunk.
#[derive(Clone, Debug)]
pub struct Texts {
    /// Messages, and the other values by path, but null and the user-agent, and but what is in the columns of types,
    /// subtypes, sessions, users and tabs.
    pub values: Runs,
    /// The run of the messages among them.
    pub messages: Run,
    /// Rows that must be read in another way, in rising order.
    pub odd: Vec<u16>,
    /// Bytes all of it takes, roughly.
    pub bytes: usize,
}

impl Texts {
    /// Reads `chunk`, as long as `goes_on` says so; rows past the 65,536th are left out.
    pub fn of(chunk: &Chunk, goes_on: &dyn Fn() -> bool) -> Option<Self> {
        let (mut shredder, mut odd) = (Shredder::new(), Vec::new());
        for (row, event) in (0..=u16::MAX).zip(chunk.events()) {
            if row.is_multiple_of(ASK_EVERY) && !goes_on() {
                return None;
            }
            let mut is_whole = !event.msg().as_bytes().contains(&BETWEEN);
            if is_whole && !event.msg().is_empty() {
                shredder.message(row, event.msg());
            }
            is_whole &= shredder.push(row, event.json(), &known(event));
            if !is_whole {
                odd.push(row);
            }
        }
        let (values, messages) = shredder.finish();
        let bytes = values.bytes() + odd.capacity() * 2;
        Some(Self { values, messages, odd, bytes })
    }
}

fn known(event: EventRef<'_>) -> Known<'_> {
    let (chunk, row) = (event.chunk(), event.row());
    let names =
        [chunk.kinds(), chunk.subtypes(), chunk.sessions(), chunk.users(), chunk.tabs()].map(|names| {
            let is_name = !matches!(names[row], Symbol::NONE | Symbol::OTHER);
            if is_name { chunk.names().get(names[row]) } else { "" }
        });
    // A message that was made is no value of the event.
    Known { names, message: if chunk.made_span(row).is_none() { event.msg() } else { "" } }
}
