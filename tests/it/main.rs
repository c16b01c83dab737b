//! One integration binary; each module is one door of the program.

/// The program as a user starts it, and the raw clients that speak to it.
mod harness;

/// Host, Origin and key: who is let in.
mod admission;
/// Events in over WebSocket and POST: acks, nacks, dedupe, the books.
mod ingest;
/// `tail`: what is printed, and how it ends.
mod tail;
/// What the code must never do, read off its own text.
mod tidy;
