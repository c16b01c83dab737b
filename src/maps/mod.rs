//! From the place in a script to the place in its source: maps found, fetched, read and asked.
//!
//! A thread of its own goes through what arrives and tells the store where in the sources it happened. Loading happens
//! on a few more, within bounds of size, time and number, and only from where the user's own pages come from: a text
//! that a page sends never makes taillight ask another machine, nor read a file outside the project. Everything that
//! neither waits nor reads is pure and has its own file.

mod address;
mod disk;
mod fetch;
mod load;
mod module;
mod pool;
mod reference;
mod resolve;
mod sources;
mod table;
mod text;
mod thread;
mod weight;

pub use address::{Allowed, is_local};
pub use disk::Root;
pub use load::{Loader, Script};
pub use resolve::{Lookup, resolve};
pub use sources::Rewrites;
pub use table::{Refusal, Table, Token};
pub use text::Text;
pub use thread::{MapsHandle, Options, spawn, tells};

/// Bytes of a script or map that are read (SECURITY: a page decides what is there).
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Time for one script or map, from the first byte sent to the last one received.
pub const MAX_TIME: std::time::Duration = std::time::Duration::from_secs(5);
