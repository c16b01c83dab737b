//! The listening port: who may send, what arrives, and its way to the store.
//!
//! Started by `run`. Bytes come in over HTTP and WebSocket, are admitted, decoded by `wire`, deduped and numbered,
//! and leave as chunks through [`Intake`]. Nothing on the port gives events back.

pub mod ack;
pub mod admission;
mod asks;
mod door;
mod ends;
mod files;
mod flow;
mod health;
mod holder;
mod http;
mod intake;
pub mod key;
mod meter;
mod metrics;
mod packers;
mod pending;
mod receiving;
mod seats;
mod server;
mod stages;
mod telling;
mod websocket;

pub use asks::Asks;
pub use door::{CONNECTIONS, Door, MAX_MESSAGE};
pub use files::{client, is_types};
pub use holder::{Holder, holder_of};
pub use intake::{Intake, Numbered, Receipt, Refusal};
pub use server::{Listeners, connections, serve};

use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::Timestamp;

/// The wall clock, in milliseconds.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
