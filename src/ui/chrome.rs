//! What lies around the panels: the palette, the export dialog, copying, the mouse, what is under way, the title.
//!
//! Part of the app. Whatever of it is open takes the keys before the panels do.

use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::App;
use super::copying::What as Copied;
use super::export_dialog::{Answer, Clip, ExportDialog, Sizes, What};
use super::format;
use super::keys::Action;
use super::palette::{Choice, Offer, Palette};
use super::view::Effect;
use crate::config::Settings;
use crate::event::form::Part;
use crate::event::{Chunk, EventRef, Timestamp};
use crate::scan::Matches;
use crate::store::Segment;

/// Events whose size tells how large an export will be, and how many are looked through for them: a key waits for that.
const SAMPLE: usize = 64;
const MAX_LOOKED_AT: usize = 65_536;
/// Bytes of events that are copied; more belongs in a file.
const MAX_COPY: usize = 1 << 20;

/// Something that takes its time, with how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// As in `exporting`.
    pub what: &'static str,
    pub done: u64,
    /// 0 where nobody knows.
    pub total: u64,
    pub unit: Unit,
}

/// What the progress of a work is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Events,
    Bytes,
}

/// How long a filter may look for its matches before that is said, in milliseconds.
const SOON_MS: i64 = 200;

/// A filter that is still looking for its matches.
#[derive(Clone, Copy, Debug, Default)]
struct Search {
    /// The filter, and since when.
    begun: Option<(u64, Timestamp)>,
    /// The last one that had looked at everything: what comes after that is no search.
    done: Option<u64>,
}

/// The state of all of it.
#[derive(Default)]
pub(super) struct Chrome {
    pub(super) settings: Settings,
    pub(super) palette: Option<Palette>,
    pub(super) export: Option<ExportDialog>,
    sizes: Sizes,
    /// `y` was pressed: the next letter says what to copy.
    pub(super) is_copying: bool,
    pub(super) work: Option<Work>,
    search: Search,
    /// The file that was written last, while that is said.
    pub(super) written: Option<String>,
    pub(super) mouse: super::mouse::Mouse,
}

/// The events of an export, held whatever becomes of the ring.
#[derive(Clone, Debug)]
pub struct Chosen {
    what: What,
    matches: Arc<Matches>,
    selected: Option<(Arc<Chunk>, usize)>,
    pinned: Arc<[Segment]>,
}

impl Chosen {
    /// How many events are looked at, for progress.
    pub fn total(&self) -> u64 {
        match self.what {
            What::Shown => self.matches.total,
            What::Selected => 1,
            What::Pinned => self.pinned.len() as u64,
            What::Session | What::All => self.matches.snapshot.len(),
        }
    }

    /// Oldest first; `None` for one that is looked at and is not among them.
    pub fn looked_at(&self) -> Box<dyn Iterator<Item = Option<EventRef<'_>>> + '_> {
        let snapshot = &self.matches.snapshot;
        let all = (snapshot.first..snapshot.end).map(|ordinal| snapshot.event(ordinal));
        let selected = self.selected.as_ref().map(|(chunk, row)| chunk.event(*row));
        match self.what {
            What::Shown => Box::new(self.matches.iter().map(|(_, event)| Some(event))),
            What::All => Box::new(all),
            What::Selected => Box::new(selected.into_iter().map(Some)),
            What::Pinned => Box::new(self.pinned.iter().map(|kept| Some(kept.chunk.event(0)))),
            What::Session => {
                let session = selected.map_or("", |event| event.session());
                Box::new(all.map(move |event| event.filter(|event| event.session() == session)))
            }
        }
    }

    /// Oldest first.
    pub fn events(&self) -> impl Iterator<Item = EventRef<'_>> {
        self.looked_at().flatten()
    }
}

impl App {
    /// Takes a key for what is open above the panels; `None` if nothing is.
    pub(super) fn on_chrome_key(&mut self, key: KeyEvent) -> Option<Vec<Effect>> {
        if self.chrome.export.is_some() {
            return Some(self.on_export_key(key));
        }
        if self.chrome.palette.is_some() {
            return Some(self.on_palette_key(key));
        }
        if self.panels.help.as_mut().is_some_and(|help| help.on_key(key)) {
            return Some(Vec::new());
        }
        if let Some(path) = self.chrome.written.take().filter(|_| !self.bar.is_editing()) {
            match key.code {
                KeyCode::Char('o') => {
                    return Some(vec![Effect::Edit { path: Path::new(&path).into(), line: 1, column: 0 }]);
                }
                KeyCode::Char('y') => return Some(vec![Effect::Copy { what: "path", text: path }]),
                _ => {}
            }
        }
        if std::mem::take(&mut self.chrome.is_copying) {
            let what = Copied::ALL.iter().find(|(letter, ..)| key.code == KeyCode::Char(*letter));
            self.notice = None;
            return Some(match what {
                Some((_, what, _)) => self.copy(*what),
                None => Vec::new(),
            });
        }
        if key.code == KeyCode::Esc && !self.bar.is_editing() {
            if self.chrome.work.is_some() {
                return Some(vec![Effect::CancelWork]);
            }
            if self.searched().is_some() {
                self.notice = None;
                return Some(self.on_action(Action::Undo));
            }
        }
        None
    }

    /// Takes an action that opens something above the panels; `None` if it is another.
    pub(super) fn on_chrome_action(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            Action::Palette => self.chrome.palette = Some(Palette::new()),
            Action::Copy => self.chrome.is_copying = true,
            Action::Export => return Some(self.open_export(What::Shown)),
            Action::Mouse => {
                let to = if self.chrome.settings.mouse { "false" } else { "true" };
                let said = match to {
                    "true" => {
                        "mouse on: click, double click, wheel; M turns it off so that you can select text"
                    }
                    _ => "mouse off: select text with it as everywhere",
                };
                self.say(said);
                return Some(self.change("mouse", to));
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn on_palette_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let offer = Offer { keys: &self.world.keys, saved: &self.saved, settings: &self.chrome.settings };
        let Some(palette) = &mut self.chrome.palette else { return Vec::new() };
        let choice = palette.on_key(key, offer);
        self.on_choice(choice)
    }

    fn on_choice(&mut self, choice: Choice) -> Vec<Effect> {
        if choice != Choice::Nothing {
            self.chrome.palette = None;
            self.notice = None;
        }
        match choice {
            Choice::Nothing | Choice::Close => Vec::new(),
            Choice::Act(action) => self.on_action(action),
            Choice::Run { does, rest } => self.on_command(does, &rest),
            Choice::Apply(text) => {
                let text = self.bar.expanded(&text);
                self.bar.replace(&text);
                Vec::new()
            }
        }
    }

    /// Opens the dialog for `what`.
    pub(super) fn open_export(&mut self, what: What) -> Vec<Effect> {
        let settings = &self.chrome.settings;
        let local = self.world.now.to_jiff().to_zoned_datetime(self.world.zone.clone());
        let mut name = format!("taillight-{}", local.strftime("%Y-%m-%dT%H%M%S"));
        let words: String =
            self.bar.text().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
        for word in words.split_whitespace().take(4).filter(|_| what == What::Shown) {
            name.push('-');
            name.push_str(word);
        }
        let name: String = name.chars().take(60).collect();
        let folder = settings.export_dir.trim_end_matches('/');
        let path = if folder.is_empty() || folder == "." { name } else { format!("{folder}/{name}") };
        let without = settings.leave_out.iter().filter_map(|name| Part::named(name)).collect();
        self.chrome.export = Some(ExportDialog::new(what, &path, without));
        self.measure();
        self.probe().into_iter().collect()
    }

    fn probe(&self) -> Option<Effect> {
        self.chrome.export.as_ref().map(|dialog| Effect::Probe(dialog.path().to_owned()))
    }

    fn on_export_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(dialog) = &mut self.chrome.export else { return Vec::new() };
        let before = (dialog.path().to_owned(), dialog.what(), dialog.form().clone());
        let answer = dialog.on_key(key, &self.chrome.sizes);
        match answer {
            Answer::Cancel => self.chrome.export = None,
            Answer::Copy(what) => return self.copy_export(what),
            Answer::Write { what, form, path, is_forced } => {
                self.chrome.export = None;
                return vec![Effect::Export { chosen: self.chosen(what), form, path, is_forced }];
            }
            Answer::Nothing => {
                let Some(dialog) = &self.chrome.export else { return Vec::new() };
                if (before.1, &before.2) != (dialog.what(), dialog.form()) {
                    self.measure();
                }
                if self.chrome.export.as_ref().is_some_and(|dialog| dialog.path() != before.0) {
                    return self.probe().into_iter().collect();
                }
            }
        }
        Vec::new()
    }

    /// Copies what would be written, or the command that would do the same.
    fn copy_export(&mut self, what: Clip) -> Vec<Effect> {
        let Some(dialog) = &self.chrome.export else { return Vec::new() };
        let recording = self.world.facts.recording.as_deref();
        let mut text = String::new();
        match what {
            Clip::Command => text = dialog.command(self.bar.text(), recording),
            Clip::Events => {
                let chosen = self.chosen(dialog.what());
                let form = dialog.form();
                form.head(&mut text);
                for (at, event) in chosen.events().enumerate() {
                    if text.len() > MAX_COPY {
                        self.say("too much for a clipboard: Enter writes it to a file");
                        return Vec::new();
                    }
                    form.event(event, at == 0, &mut text);
                }
                form.tail(&mut text);
            }
        }
        self.chrome.export = None;
        let what = if what == Clip::Command { "the command" } else { "the events" };
        vec![Effect::Copy { what, text }]
    }

    fn chosen(&self, what: What) -> Chosen {
        let selected = self.panels.stream.place().map(|(chunk, row)| (Arc::clone(chunk), row));
        let (matches, pinned) = (Arc::clone(&self.world.matches), Arc::clone(self.marks.kept()));
        Chosen { what, matches, selected, pinned }
    }

    /// Counts what there is to export, and looks at a few events for its size.
    fn measure(&mut self) {
        let Some(dialog) = &self.chrome.export else { return };
        let matches = &self.world.matches;
        let selected = self.panels.stream.selected();
        let sessions = &matches.snapshot.tables.sessions;
        let of_session =
            selected.and_then(|event| sessions.iter().find(|row| *row.session == *event.session()));
        let events = [
            matches.total,
            u64::from(selected.is_some()),
            self.marks.pinned.len() as u64,
            of_session.map_or(0, |row| row.events),
            matches.snapshot.len(),
        ];
        let chosen = self.chosen(dialog.what());
        let mut text = String::new();
        let mut counted = 0;
        for event in chosen.looked_at().take(MAX_LOOKED_AT).flatten().take(SAMPLE) {
            dialog.form().event(event, counted == 0, &mut text);
            counted += 1;
        }
        let bytes_each = (text.len() as u64).checked_div(counted).unwrap_or(0);
        self.chrome.sizes = Sizes { events, bytes_each };
    }

    pub(super) fn paste_into_chrome(&mut self, text: &str) -> bool {
        if let Some(export) = &mut self.chrome.export {
            export.paste(text);
        } else if let Some(palette) = &mut self.chrome.palette {
            palette.paste(text);
        } else {
            return false;
        }
        true
    }

    /// Draws what is open above the panels over `body`; gives the place of the cursor, if it has one.
    pub(super) fn render_chrome(&mut self, body: Rect, buf: &mut Buffer) -> Option<Position> {
        let theme = &self.world.theme;
        if let Some(palette) = &mut self.chrome.palette {
            let offer = Offer { keys: &self.world.keys, saved: &self.saved, settings: &self.chrome.settings };
            let (cursor, list) = palette.render(body, buf, offer, theme);
            self.chrome.mouse.list = Some(list);
            return cursor;
        }
        let dialog = self.chrome.export.as_ref()?;
        let recording = self.world.facts.recording.as_deref();
        let command = dialog.command(self.bar.text(), recording);
        dialog.render(body, buf, &self.chrome.sizes, &command, theme)
    }

    /// Takes note of how long a filter has been looking for its matches.
    pub(super) fn watch_search(&mut self) {
        let (matches, now) = (&self.world.matches, self.world.now);
        let search = &mut self.chrome.search;
        if matches.is_done() {
            *search = Search { begun: None, done: Some(matches.id) };
        } else if search.done != Some(matches.id) && search.begun.is_none_or(|(id, _)| id != matches.id) {
            search.begun = Some((matches.id, now));
        }
    }

    /// How far a filter is that looks for its matches for longer than a moment.
    fn searched(&self) -> Option<Work> {
        let (_, since) = self.chrome.search.begun?;
        let is_slow = self.world.now.since(since) > SOON_MS;
        let (done, total) = (self.world.matches.scanned, self.world.matches.snapshot.len());
        is_slow.then_some(Work { what: "searching", done, total, unit: Unit::Events })
    }

    /// What takes its time, for the footer: `exporting  43 %  …  430,000 of 1,000,000 events   Esc cancels`.
    pub(super) fn work_line(&self) -> Option<String> {
        let work = self.chrome.work.clone().or_else(|| self.searched())?;
        let glyphs = self.world.theme.glyphs;
        let amount = |amount| match work.unit {
            Unit::Events => format::counted(amount, "event"),
            Unit::Bytes => format::bytes(amount),
        };
        let far = match work.total {
            0 => format!("{} so far", amount(work.done)),
            total => {
                let done = work.done.min(total);
                let cells = usize::try_from(done.saturating_mul(20) / total).unwrap_or(20);
                let percent = done.saturating_mul(100) / total;
                let begun = match work.unit {
                    Unit::Events => format::count(done),
                    Unit::Bytes => format::bytes(done),
                };
                let way = format!("{}{}", glyphs.bar[7].repeat(cells), glyphs.dot.repeat(20 - cells));
                format!("{percent:3} %  {way}  {begun} of {}", amount(total))
            }
        };
        Some(format!("{} {far}   Esc cancels", work.what))
    }

    /// The hints while one of these is open; `None` if none is.
    pub(super) fn chrome_hints(&self) -> Option<Vec<(&'static str, &'static str)>> {
        if self.chrome.export.is_some() {
            let mut pairs = vec![("↵", "write"), ("Tab", "next field"), ("← →", "choose"), ("Esc", "cancel")];
            if self.chrome.export.as_ref().is_some_and(|export| !export.is_typing()) {
                pairs.extend([("y", "copy instead"), ("p", "copy the command")]);
            }
            return Some(pairs);
        }
        if self.chrome.palette.is_some() {
            return Some(vec![("↵", "run"), ("↓ ↑", "choose"), ("Tab", "complete"), ("Esc", "close")]);
        }
        let letters = ["y", "m", "s", "c", "p", "u", "f", "t", "i", "I"];
        let words = Copied::ALL.map(|(.., word)| word);
        let pairs = letters.into_iter().zip(words).chain([("Esc", "cancel")]);
        self.chrome.is_copying.then(|| pairs.collect())
    }

    /// What stands in the terminal's title: free of anything a terminal would obey.
    pub fn title(&self) -> String {
        let fresh = self.fresh_errors() as u64;
        let recording =
            self.world.facts.recording.as_deref().map(|name| self.world.theme.gate.plain_capped(name, 40));
        let dot = self.world.theme.glyphs.dot;
        match (fresh, recording) {
            (0, None) => "taillight".to_owned(),
            (0, Some(name)) => format!("taillight {dot} {name}"),
            (fresh, _) => format!("taillight {dot} {}", format::counted(fresh, "new error")),
        }
    }

    /// How many groups of errors are new, warnings apart: a bell is for more of them.
    pub fn fresh_errors(&self) -> usize {
        self.world.fresh.errors()
    }
}
