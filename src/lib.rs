//! taillight shows, live in a terminal, what the browser is doing.
//!
//! Data flows one way: bytes → event → chunk → store → snapshot → screen. `ARCHITECTURE.md` has the map,
//! and `tests/it/tidy.rs` enforces who may import whom.

pub mod alerts;
pub mod cli;
pub mod config;
pub mod counters;
pub mod event;
pub mod filter;
mod inbox;
pub mod ingest;
pub mod load;
pub mod maps;
pub mod options;
pub mod pipeline;
pub mod priority;
pub mod published;
pub mod reach;
pub mod recording;
pub mod run;
pub mod scan;
pub mod sinks;
pub mod stack;
pub mod stats;
pub mod store;
pub mod ui;
pub mod wire;
