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

use mimalloc::MiMalloc;

/// Events come and go by megabytes, on several threads, for as long as a day lasts. glibc's allocator keeps the holes that
/// leaves: with a full ring of 256 MiB the process went from 335 to 440 MiB within a quarter of an hour and on, while with this
/// one it stays at 340 (`benches/soak.py`). Without huge pages, which would hold on to a third more in a flood of events.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
