//! Where one comes from and goes back to: drills into other screens, the frozen screen, and the end.
//!
//! Part of the app.

use std::sync::Arc;

use super::app::App;
use super::format;
use super::view::{Effect, Screen};
use crate::config::DetailMode;
use crate::scan::Matches;

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
                self.held = None;
            }
            None => {
                self.frozen = Some(Arc::clone(&self.world.matches));
                self.world.frozen_at = Some(self.world.moment());
            }
        }
    }

    /// Another filter of a frozen screen is for what stands still, not for what came since.
    pub(super) fn hold_still(&mut self) -> Option<Effect> {
        self.frozen.as_ref()?;
        self.is_holding = true;
        self.held = Some(Arc::clone(&self.world.matches.snapshot));
        Some(Effect::Hold(self.held.clone()))
    }

    /// What came since is looked at again once it is known what of the held events matches, or nobody asks for it.
    pub(super) fn let_go(&mut self) -> Option<Effect> {
        let is_over = self.held.is_none() && std::mem::take(&mut self.is_holding);
        is_over.then_some(Effect::Hold(None))
    }

    pub(super) fn on_matches(&mut self, matches: Arc<Matches>) {
        // Matches of the filter before would make the list jump twice.
        let is_of_held = self.held.as_ref().is_none_or(|held| Arc::ptr_eq(held, &matches.snapshot));
        if matches.id != self.filter_id || !is_of_held {
            return;
        }
        self.follow_pins(&matches.snapshot);
        let shown = &self.world.matches;
        // What is frozen is whole: of another filter the first matches are not yet.
        let stands_still = self.frozen.is_some() && shown.id == matches.id && shown.is_whole();
        if let Some(newest) = &mut self.frozen {
            *newest = Arc::clone(&matches);
        }
        self.held = self.held.take().filter(|_| !matches.is_whole());
        if !stands_still {
            self.world.show(matches);
        }
        self.hear_page();
        self.watch_search();
        self.panels.stream.settle(&self.world.view(&self.bar, &self.marks));
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
