//! Bytes from the network turned into chunks of events, one file a protocol.
//!
//! `ingest` calls this with what arrived and who sent it. Nothing here does I/O, keeps state between calls or
//! decides who may send.

mod batch;
mod controls;
mod decode;
mod fold;
mod frame;
mod hello;
mod lines;
mod measured;
mod order;
mod own;
mod raw;
mod rewrite;
mod row;
pub mod sente;
mod skim;
mod worded;

pub use batch::{Batch, Rejected, ScrubCount, Sender};
pub use decode::MAX_BATCH_EVENTS;
pub use fold::Folder;
pub use frame::{Body, Frame, FrameError, decode_body, decode_frame};
pub use hello::{Gap, Hello};
pub use lines::{BadLine, LineDecoder, MAX_LINE_BYTES, Skipped};
pub use own::{Note, answer_note, gap_note, own_notes};
pub use rewrite::rewrite;
