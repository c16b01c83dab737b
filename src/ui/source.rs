//! Where in the sources an event happened: short in a row, and as what an editor opens.
//!
//! Called by the panels and by the app for the key that opens an editor; nothing here touches a file.

use super::app::App;
use super::code_frame::Target;
use super::view::{Effect, Screen};
use crate::config::DetailMode;
use crate::event::EventRef;

/// Files that say nothing without their folder.
const NAMELESS: [&str; 7] = ["index", "page", "layout", "route", "main", "mod", "client"];

/// `checkout.ts:42`; nothing for events that tell of no code.
pub(super) fn short_place(event: EventRef<'_>) -> Option<String> {
    let frame = event.mapped()?.place()?;
    let file = short_file(&frame.file);
    Some(if frame.line > 0 { format!("{file}:{}", frame.line) } else { file })
}

/// The name of a file, with its folder where it says nothing alone.
pub(super) fn short_file(file: &str) -> String {
    // Made anew at each load, with a name that is random.
    if file.starts_with("blob:") {
        return "blob".to_owned();
    }
    let path = file.split(['?', '#']).next().unwrap_or("");
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    match parts.next().filter(|folder| NAMELESS.contains(&stem) && !folder.is_empty()) {
        Some(folder) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

impl App {
    /// Opens the place that is selected, or says why there is none to open.
    pub(super) fn open_source(&mut self) -> Vec<Effect> {
        let view = self.world.view(&self.bar, &self.marks);
        let place = match self.screen {
            Screen::Stream => self.panels.stream.selected().and_then(|event| event.mapped()?.place()),
            screen => self.panels.current(screen).source(&view),
        };
        let is_full = self.screen == Screen::Stream && self.detail_mode == DetailMode::Full;
        let here = self.detail.target().filter(|_| is_full).cloned();
        let target = here.or_else(|| place.map(Target::of));
        let Some(target) = target else {
            self.say("this tells of no place in the sources");
            return Vec::new();
        };
        match target.local {
            Some(path) => vec![Effect::Edit { path, line: target.line, column: target.column }],
            None => {
                let file = self.world.theme.gate.plain_capped(&target.file, 60);
                self.say(format!("{file} is not in the project's folder: see `source.root` in the settings"));
                Vec::new()
            }
        }
    }
}
