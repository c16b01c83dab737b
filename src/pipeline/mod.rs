//! What happens to an event between its bytes and its chunk: redaction, bounds, naming, endpoint, fingerprint.
//!
//! Each stage is a pure function that `wire` calls for one event at a time. Nothing here keeps state, does I/O or
//! knows who sent the event.

mod cards;
mod cut;
pub mod endpoint;
mod escape;
pub mod fingerprint;
mod keys;
mod precheck;
mod redact;
mod segment;
mod shapes;
pub mod summary;
mod tokens;

pub use cut::LIMIT as MAX_EVENT_BYTES;
pub use keys::{Rules, is_usable_key};
pub use redact::{Redactor, Scrub, Scrubbed};
