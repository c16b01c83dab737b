//! The screens, one file each: what it shows, what its keys do.
//!
//! Called by the app with a [`View`]. A panel keeps its own place and order and nothing of the events.

mod all;
mod errors;
mod health;
mod help;
mod latency;
mod page;
mod sessions;
mod spread;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod vitals;

pub(super) use all::Panels;
pub(super) use errors::Errors;
pub(super) use health::Health;
pub(super) use help::Help;
pub(super) use latency::Latency;
pub(super) use sessions::Sessions;
pub(super) use stream::Stream;
pub(super) use timeline::Timeline;
pub(super) use vitals::Vitals;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::keys::Action;
use super::view::{Request, View};
use crate::event::{EventRef, MappedFrame};

/// A screen.
pub(super) trait Panel {
    /// Takes a key.
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request;

    /// Draws itself into `area`.
    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>);

    /// One came here with the screen's own key, and not back from elsewhere.
    fn arrive(&mut self) {}

    /// Takes a click at a place of the screen, such as on a column's title; `false` if there is nothing of that kind.
    fn on_click(&mut self, _at: Position) -> bool {
        false
    }

    /// Hints for the footer: key and what it does here, most useful first.
    fn hints(&self) -> &'static [(&'static str, &'static str)];

    /// The filter term that keeps only the selected row's value, as in `endpoint="GET /api/users"`.
    fn term(&self, view: &View<'_>) -> Option<String>;

    /// The event that the selected row is about, or is one of: the latest, the slowest, the one under the cursor.
    fn event<'v>(&mut self, _: &View<'v>) -> Option<EventRef<'v>> {
        None
    }

    /// Where in the sources that was.
    fn source<'v>(&mut self, view: &View<'v>) -> Option<&'v MappedFrame> {
        self.event(view)?.mapped()?.place()
    }

    /// The session that the selected row is about.
    fn session(&mut self, _: &View<'_>) -> Option<Arc<str>> {
        None
    }
}

/// `share` percent of so many rows or columns.
pub(super) fn part(whole: u16, share: u16) -> u16 {
    u16::try_from(u32::from(whole) * u32::from(share.min(100)) / 100).unwrap_or(whole)
}
