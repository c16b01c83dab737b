//! What is new since the terminal lost the focus: told once, when one comes back to it from the editor or the browser.
//!
//! The app hears of the focus only where the terminal tells of it.

use super::app::App;
use super::format::counted;

impl App {
    /// Remembers what is known when one leaves, and tells what has come since when one is back.
    pub(super) fn on_focus(&mut self, is_here: bool) {
        if !is_here {
            self.left = Some(self.world.fresh.groups().clone());
            return;
        }
        let Some(known) = self.left.take() else { return };
        let new = self.world.fresh.groups().difference(&known).count() as u64;
        // What is wrong stands until a key is pressed.
        let is_warned = matches!(self.notice, Some((_, None)));
        if new > 0 && !is_warned {
            self.say(format!("since you left: {}", counted(new, "new error")));
        }
    }
}
