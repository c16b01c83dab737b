//! What the user keeps between runs: settings with saved filters, and the filters typed before.
//!
//! Read by `run` before the console starts, written when a filter is saved or accepted. A file that cannot be used
//! is said so and never stops the console. It looks for no folders by itself: the caller names them.

mod command;
mod complaint;
mod edit;
mod filters;
mod history;
mod kind;
mod looks;
mod places;
mod secret;
mod sections;
mod settings;
mod table;
mod trust;

pub use complaint::Complaint;
pub use history::HistoryFile;
pub use kind::{Kind, Value};
pub use looks::{Baseline, DetailMode, GroupBy, Landmarks, ThemeName, Times, Window};
pub use places::Places;
pub use secret::reveal;
pub use sections::{SECTIONS, Section};
pub use settings::{Color, GlyphSet, OnReload, OwnKey, Owner, Saved, Settings, SourceMaps};
pub use table::{Flag, Project, SETTINGS, Setting, Since, position};
pub use trust::Trust;
