//! The panels of all screens: which of them is shown.
//!
//! Owned by the app, which asks for the one that takes a key or is drawn. Knows nothing of what they show.

use super::{Errors, Health, Help, Latency, Panel, Sessions, Stream, Timeline, Vitals};
use crate::ui::view::Screen;

/// The screens, each with its own place.
#[derive(Default)]
pub(in crate::ui) struct Panels {
    pub(in crate::ui) stream: Stream,
    pub(in crate::ui) errors: Errors,
    pub(in crate::ui) latency: Latency,
    sessions: Sessions,
    vitals: Vitals,
    pub(in crate::ui) timeline: Timeline,
    health: Health,
    pub(in crate::ui) help: Option<Help>,
}

impl Panels {
    /// What is on screen: the help over everything, else the screen's own panel.
    pub(in crate::ui) fn current(&mut self, screen: Screen) -> &mut dyn Panel {
        match (&mut self.help, screen) {
            (Some(help), _) => help,
            (None, Screen::Stream) => &mut self.stream,
            (None, Screen::Errors) => &mut self.errors,
            (None, Screen::Latency) => &mut self.latency,
            (None, Screen::Sessions) => &mut self.sessions,
            (None, Screen::Vitals) => &mut self.vitals,
            (None, Screen::Timeline) => &mut self.timeline,
            (None, Screen::Health) => &mut self.health,
        }
    }
}
