//! Asking a live page how it is, and showing what it answers.
//!
//! Part of the app. The question goes out as an effect; the answer is an ordinary event, which the ring keeps.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::detail::Detail;
use super::format;
use super::keys::Action;
use super::view::{Effect, Screen};
use crate::event::{Chunk, Timestamp};

/// How long a page may take, in milliseconds.
const PATIENCE_MS: i64 = 5_000;
/// The id of an answer.
const ANSWER: &str = "taillight/diagnostics";

/// A question that is open.
#[derive(Debug)]
pub(super) struct Asked {
    session: Arc<str>,
    /// The first event that can be the answer.
    from: u64,
    at: Timestamp,
}

/// An answer on the screen.
#[derive(Debug)]
pub(super) struct Told {
    chunk: Arc<Chunk>,
    row: usize,
    detail: Detail,
}

impl App {
    /// Asks the page of the selected event or session.
    pub(super) fn ask_page(&mut self) -> Vec<Effect> {
        let session = match self.screen {
            Screen::Stream => self.panels.stream.selected().map(|event| Arc::from(event.session())),
            _ => {
                let view = self.world.view(&self.bar, &self.marks);
                self.panels.current(self.screen).session(&view)
            }
        };
        let live = &self.world.matches.snapshot.live;
        let session = match session {
            // Where only one page is there, it is the one that is meant.
            None if live.len() == 1 => live.keys().next().cloned(),
            session => session,
        };
        let Some(session) = session else {
            self.say("select an event or a session first (k)");
            return Vec::new();
        };
        let shown = self.world.theme.gate.plain_capped(&session, 40);
        if self.world.facts.recording.is_some() {
            self.say("this is a recording: only a live page can be asked");
            return Vec::new();
        }
        if !live.contains_key(&session) {
            self.say(format!("{shown} is not connected: only a live page can be asked"));
            return Vec::new();
        }
        self.say(format!("asked {shown} how it is"));
        let (from, at) = (self.world.matches.snapshot.end, self.world.now);
        self.asked = Some(Asked { session: Arc::clone(&session), from, at });
        vec![Effect::Diagnose(session)]
    }

    /// Looks whether the answer has come, or will not come any more.
    pub(super) fn hear_page(&mut self) {
        let Some(asked) = &mut self.asked else { return };
        let snapshot = &self.world.matches.snapshot;
        let newer = snapshot.segments.iter().skip_while(|segment| segment.end() <= asked.from);
        let found = newer.flat_map(|segment| {
            let from = usize::try_from(asked.from.saturating_sub(segment.base)).unwrap_or(0);
            (from..segment.chunk.len()).map(move |row| (&segment.chunk, row))
        });
        let is_answer = |(chunk, row): &(&Arc<Chunk>, usize)| {
            let event = chunk.event(*row);
            event.id() == ANSWER && *event.session() == *asked.session
        };
        let answer = found.into_iter().find(is_answer).map(|(chunk, row)| (Arc::clone(chunk), row));
        asked.from = snapshot.end.max(asked.from);
        if let Some((chunk, row)) = answer {
            (self.asked, self.notice) = (None, None);
            self.told = Some(Told { chunk, row, detail: Detail::default() });
        } else if self.world.now.since(asked.at) > PATIENCE_MS {
            let shown = self.world.theme.gate.plain_capped(&asked.session, 40);
            self.asked = None;
            self.say(format!("{shown} has not answered within {}", format::age(PATIENCE_MS)));
        }
    }

    /// A key while an answer is shown.
    pub(super) fn on_told(&mut self, action: Action) {
        let Some(told) = &mut self.told else { return };
        match action {
            Action::Back | Action::Quit | Action::Left | Action::Open | Action::Diagnostics => {
                self.told = None
            }
            Action::Down => told.detail.scroll(1),
            Action::Up => told.detail.scroll(-1),
            Action::PageDown => told.detail.scroll(20),
            Action::PageUp => told.detail.scroll(-20),
            Action::Raw => told.detail.is_raw = !told.detail.is_raw,
            _ => {}
        }
    }

    /// Draws the answer over the whole body; `false` where there is none.
    pub(super) fn render_told(&mut self, body: Rect, buf: &mut Buffer) -> bool {
        let Some(told) = &mut self.told else { return false };
        let view = self.world.view(&self.bar, &self.marks);
        told.detail.render(body, buf, told.chunk.event(told.row), false, &view);
        true
    }
}
