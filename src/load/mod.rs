//! Events on demand: `taillight load` measures what an ingestor takes, `taillight demo` gives it browsers to show.
//!
//! Called by `run`. It speaks the native protocol as any page does and never touches the ingestor from inside;
//! the wall clock is passed in.

mod browser;
mod client;
mod events;
mod generator;
mod measures;
mod places;
mod random;

pub use browser::demo;
pub use client::LoadError;
pub use events::Pool;
pub use generator::{Options, Report, run};
