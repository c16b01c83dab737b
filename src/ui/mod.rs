//! The dashboard: what is on the screen and how it gets there.
//!
//! `run` hands it a terminal and the newest snapshots and matches; keys go in, cells and a few [`Effect`]s come out.
//! It never writes to the store and never sees a socket.

mod alerted;
mod app;
mod asking;
mod away;
mod bar_view;
mod before;
mod chrome;
mod code_frame;
mod commands;
mod completion;
mod copying;
mod cursor;
mod detail;
pub mod draw;
mod editor;
mod empty;
mod export_dialog;
mod filter_bar;
pub mod format;
mod frame;
mod fresh;
mod going;
mod gradual;
mod history;
pub mod keys;
mod mouse;
mod named;
mod narrowing;
mod paint;
mod palette;
mod panels;
mod place;
mod pretty;
mod raw_stack;
mod saved;
mod screen;
mod source;
mod status;
mod tabs;
mod terminal;
pub mod theme;
mod view;
mod whose;
mod why;

pub use app::{App, Kept, Msg};
pub use chrome::{Chosen, Unit, Work};
pub use export_dialog::{Probe, What};
pub use terminal::Screen as TerminalScreen;
pub use view::{Effect, Facts, Screen};
