//! Alerts: rules over the events that arrive, told when they hold and when they end.
//!
//! `ingest` shows every chunk to the [`Engine`] and asks it once a second what has changed; changes become events of
//! taillight's own, which no rule looks at, so that an alert never causes another. Nothing here reads a clock.

mod engine;
mod rule;
mod window;

pub use engine::{Change, Engine, Firing};
pub use rule::{ALERT, By, Measure, Rule, read, usual};

/// The alerts that hold.
pub type Board = Vec<Firing>;
