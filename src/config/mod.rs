//! What the user keeps between runs: settings with saved filters, and the filters typed before.
//!
//! Read by `run` before the console starts, written when a filter is saved or accepted. A file that cannot be used
//! is said so and never stops the console. It looks for no folders by itself: the caller names them.

mod history;
mod places;
mod settings;

pub use history::HistoryFile;
pub use places::Places;
pub use settings::{Complaint, Owner, Saved, Settings};
