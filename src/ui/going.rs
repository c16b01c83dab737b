//! Where one comes from and goes back to: drills into other screens, the frozen screen, and the end.
//!
//! Part of the app.

use std::sync::Arc;

use super::app::App;
use super::format;
use super::view::{Effect, Screen};
use crate::config::DetailMode;

/// Drills that can be gone back through; beyond it the oldest is forgotten.
const MAX_BACK: usize = 16;

impl App {
    pub(super) fn remember_place(&mut self) {
        if self.back.len() >= MAX_BACK {
            self.back.remove(0);
        }
        self.back.push((self.screen, self.bar.text().to_owned()));
    }

    pub(super) fn go_back(&mut self) -> Vec<Effect> {
        let Some((screen, filter)) = self.back.pop() else { return Vec::new() };
        self.panels.stream.count_from(None);
        self.screen = screen;
        if filter != self.bar.text() {
            self.bar.replace(&filter);
        }
        Vec::new()
    }

    pub(super) fn freeze(&mut self) {
        match self.frozen.take() {
            Some(newest) => {
                self.world.show(newest);
                self.world.frozen_at = None;
            }
            None => {
                self.frozen = Some(Arc::clone(&self.world.matches));
                self.world.frozen_at = Some(self.world.moment());
            }
        }
    }

    pub(super) fn close_or_quit(&mut self) -> Vec<Effect> {
        if self.detail_mode == DetailMode::Full && self.screen == Screen::Stream {
            self.detail_mode = DetailMode::Beside;
            return Vec::new();
        }
        if !self.back.is_empty() {
            return self.go_back();
        }
        self.quit()
    }

    /// Quits at once where nothing would be lost, else on the second press.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let kept = self.world.matches.snapshot.len();
        let facts = &self.world.facts;
        if self.is_quit_armed || kept == 0 || facts.recording.is_some() || facts.record.is_some() {
            return vec![Effect::Quit];
        }
        self.is_quit_armed = true;
        let events = format::counted(kept, "event");
        let are = if kept == 1 { "is" } else { "are" };
        self.say(format!("{events} {are} only in memory. q again quits, e exports"));
        Vec::new()
    }
}
