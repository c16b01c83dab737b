//! What happens to an event between its bytes and its chunk: redaction, bounds, naming, endpoint, fingerprint.
//!
//! Each stage up to the chunk is a pure function that `wire` calls for one event at a time. What passes from there on
//! is chosen from whole chunks by a [`Selector`], which keeps nothing but its limits' counts; [`Signals`] does that for
//! everything that arrives and changes texts as the settings say. Nothing here does I/O, reads a clock or knows who sent
//! the event.

mod cards;
mod cut;
mod edit;
pub mod endpoint;
mod escape;
pub mod fingerprint;
mod keys;
mod limit;
mod loose;
mod pattern;
mod percent;
mod precheck;
mod reading;
mod redact;
mod segment;
mod selection;
mod shapes;
mod signal;
pub mod summary;
mod tokens;

pub use cut::LIMIT as MAX_EVENT_BYTES;
pub use keys::{Rules, is_usable_key};
pub use limit::{Limit, Limiter};
pub use pattern::{Allow, Column, Pattern};
pub use reading::{Grouping, Reading, Routes, Slow, is_route};
pub use redact::{Redactor, Scrub, Scrubbed};
pub use selection::{LIMITS, Rows, SELECTION, Selected, Selection, Selector, Stage, matcher, matching};
pub use signal::{Rewritten, SIGNAL, Signal, Signals, SummaryTimes, TRANSFORM};
