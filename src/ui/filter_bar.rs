//! The filter line: typed live, always knowing what it does to the list.
//!
//! Owned by the app, drawn by `bar_view`. It judges every key press with the filter language and says which filter
//! is in force; a mistake keeps the one before and names it. Questions it has and texts to be kept wait in it for
//! the app to fetch.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};

use super::completion::Completion;
use super::editor::Editor;
use super::history::{History, Walk};
use super::named::{self, Named};
use crate::event::Timestamp;
use crate::filter::{
    self, Filter, FilterError, Fix, Highlighter, Note, Pasted, State, Typing, expand_saved, parse,
    while_typing, while_typing_at,
};
use crate::scan::{Advice, AdviceRequest};
use crate::stats::GroupRow;

/// How long the cursor rests on a word that may become a field's name before it counts (FILTER 1.6).
const HELD_MS: i64 = 250;
/// Filters typed before that an empty bar offers.
const RECENT: usize = 5;

/// The line, the filter in force, and what was in force before.
#[derive(Debug)]
pub(super) struct FilterBar {
    pub(super) editor: Editor,
    /// While the bar has the keys.
    is_editing: bool,
    pub(super) typing: Typing,
    /// Mistakes beside the first.
    pub(super) more_errors: usize,
    /// What the language itself says of the text.
    notes: Vec<Note>,
    /// What everything is narrowed to, unless bypassed.
    pub(super) applied: Arc<Filter>,
    highlighter: Highlighter,
    pub(super) is_bypassed: bool,
    /// The text before editing began, for Esc.
    before: String,
    history: History,
    walk: Walk,
    saved: Arc<[(String, String)]>,
    /// Apply while typing, not only on Enter.
    is_live: bool,
    /// Since when the cursor rests on a word that may become a name.
    held_since: Option<Timestamp>,
    pub(super) completion: Completion,
    /// Groups of the text that are known.
    pub(super) named: Vec<Named>,
    pasted: Option<Paste>,
    /// The text or the cursor has changed: what may come next is asked anew.
    has_question: bool,
    /// Accepted and to be kept.
    accepted: Option<String>,
}

/// A paste that went in as text, until the next key.
#[derive(Debug)]
struct Paste {
    before: String,
    cursor: usize,
    clip: String,
}

impl FilterBar {
    pub(super) fn new(text: &str) -> Self {
        let mut bar = Self {
            editor: Editor::new(text),
            is_editing: false,
            typing: while_typing("", true),
            more_errors: 0,
            notes: Vec::new(),
            applied: Arc::default(),
            highlighter: Highlighter::default(),
            is_bypassed: false,
            before: String::new(),
            history: History::default(),
            walk: Walk::new(text),
            saved: Arc::from([]),
            is_live: true,
            held_since: None,
            completion: Completion::default(),
            named: Vec::new(),
            pasted: None,
            has_question: false,
            accepted: None,
        };
        bar.judge(Timestamp(0));
        bar
    }

    /// Takes over what was kept from before: filters typed, oldest first, and whether typing applies at once.
    pub(super) fn restore(&mut self, history: Vec<String>, is_live: bool) {
        self.history = History::new(history);
        self.is_live = is_live;
    }

    /// Whether typing applies at once.
    pub(super) fn set_live(&mut self, is_live: bool) {
        self.is_live = is_live;
    }

    pub(super) fn set_saved(&mut self, saved: Arc<[(String, String)]>) {
        self.saved = saved;
    }

    pub(super) fn is_editing(&self) -> bool {
        self.is_editing
    }

    /// The filter in force; everything while bypassed.
    pub(super) fn in_force(&self) -> Arc<Filter> {
        if self.is_bypassed { Arc::default() } else { Arc::clone(&self.applied) }
    }

    /// What to underline; nothing while bypassed, nothing of it is hidden then.
    pub(super) fn highlighter(&self) -> &Highlighter {
        &self.highlighter
    }

    /// The text as it was before editing began, or as it stands.
    pub(super) fn text(&self) -> &str {
        if self.is_editing { &self.before } else { self.editor.text() }
    }

    pub(super) fn edit(&mut self, now: Timestamp) {
        self.editor.text().clone_into(&mut self.before);
        // What is typed next is a term of its own.
        if !self.before.is_empty() && !self.before.ends_with(' ') {
            self.editor.set(&format!("{} ", self.before));
        }
        self.is_editing = true;
        self.is_bypassed = false;
        self.history.leave();
        self.judge(now);
    }

    /// Puts `text` in force at once, as keys do that write filters.
    pub(super) fn replace(&mut self, text: &str) {
        self.stand_for(text);
        self.walk.push(text);
    }

    /// `text` stands in the bar, finished.
    fn stand_for(&mut self, text: &str) {
        self.editor.set(text);
        self.is_bypassed = false;
        self.is_editing = false;
        self.judge(Timestamp(0));
    }

    fn keep(&mut self, text: &str) {
        self.history.remember(text.trim());
        self.accepted = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    }

    /// Adds `term`, or takes it out again if it is there already.
    pub(super) fn toggle(&mut self, term: &str) {
        let text = filter::toggle(self.text(), term);
        self.replace(&text);
    }

    /// The same for a term about the one `field` that an event has a single value of.
    pub(super) fn switch(&mut self, term: &str, field: &str) {
        let text = filter::switch(self.text(), term, field);
        self.replace(&text);
    }

    pub(super) fn bypass(&mut self) {
        self.is_bypassed = !self.is_bypassed && !self.applied.is_all();
        self.highlight();
    }

    /// Goes back to the filter that was in force before, or forward again; `false` at the end.
    pub(super) fn walk(&mut self, is_back: bool) -> bool {
        let step = if is_back { self.walk.back() } else { self.walk.forward() };
        let Some(text) = step.map(str::to_owned) else { return false };
        self.stand_for(&text);
        true
    }

    pub(super) fn paste(&mut self, clip: &str, now: Timestamp) {
        let (before, cursor) = (self.editor.text().to_owned(), self.editor.cursor());
        let pasted = filter::pasted(clip);
        // A term of its own needs a blank before it; what follows an operator is its value.
        let is_apart =
            self.editor.before_cursor().ends_with(|c: char| c.is_alphanumeric() || c == '"' || c == ')');
        if is_apart && !matches!(pasted, Pasted::Typed(_)) {
            self.editor.insert(" ");
        }
        self.editor.insert(pasted.text());
        self.judge(now);
        let is_text = matches!(pasted, Pasted::Phrase(_));
        self.pasted = is_text.then(|| Paste { before, cursor, clip: clip.to_owned() });
    }

    /// Takes a key while editing.
    pub(super) fn on_key(&mut self, key: KeyEvent, now: Timestamp) {
        let paste = self.pasted.take();
        match (key.code, paste) {
            (KeyCode::Tab, Some(paste)) => {
                self.editor.set_at(&paste.before, paste.cursor);
                self.editor
                    .insert(paste.clip.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim());
                self.judge(now);
            }
            (KeyCode::Tab, None) => self.complete(now),
            (KeyCode::Enter, _) if self.completion.is_chosen() && self.is_listing() => self.complete(now),
            (KeyCode::Enter, _) => self.accept(),
            (KeyCode::Esc, _) if self.completion.close(self.editor.text()) => {}
            (KeyCode::Esc, _) => {
                let before = std::mem::take(&mut self.before);
                self.stand_for(&before);
            }
            (KeyCode::Up | KeyCode::Down, _) => self.list_or_history(key.code == KeyCode::Down, now),
            (KeyCode::Right, _) if self.editor.is_at_end() => {
                if let Some(letter) = self.completion.ghost_letter(self.editor.text()).map(str::to_owned) {
                    self.editor.insert(&letter);
                    self.judge(now);
                }
            }
            _ if self.editor.on_key(key) => {
                self.history.leave();
                self.judge(now);
            }
            _ => {}
        }
    }

    /// Whether the list of candidates is on screen.
    pub(super) fn is_listing(&self) -> bool {
        self.is_editing && self.typing.state != State::Error && self.completion.is_open(self.editor.text())
    }

    /// Mends the mistake, else takes a candidate, else does what a note offers.
    fn complete(&mut self, now: Timestamp) {
        let error = self.typing.error.as_ref().filter(|_| self.typing.state == State::Error);
        let fix = match error {
            Some(error) => error.fix.clone(),
            None if self.is_listing() => {
                if let Some((text, cursor)) = self.completion.taken(self.editor.text()) {
                    self.editor.set_at(&text, cursor);
                    self.judge(now);
                }
                return;
            }
            None => self.fix().cloned(),
        };
        if let Some(fix) = fix {
            let mended = fix.apply(self.editor.text());
            self.editor.set_at(&mended, fix.span.start + fix.text.len());
            // A mended term in the middle is no reason to leave the end of the line.
            self.editor.move_to(mended.len());
            self.judge(now);
        }
    }

    /// ↑ and ↓: the list where there is one, else filters typed before.
    fn list_or_history(&mut self, is_down: bool, now: Timestamp) {
        let is_at_start = self.editor.is_at_start() || self.history.is_recalling();
        let goes_back = is_at_start && !is_down && !self.completion.is_chosen();
        if self.is_listing() && !goes_back && !self.history.is_recalling() {
            self.completion.step(is_down);
            return;
        }
        if let Some(text) = self.history.recall(!is_down, self.editor.text()) {
            self.editor.set(&text);
            self.judge(now);
            // What was typed before needs no help, and its keys walk on through the history.
            self.completion.close(&text);
        }
    }

    /// `text` with saved filters in the place of their names.
    fn expand(&self, text: &str) -> Result<String, FilterError> {
        let find =
            |name: &str| self.saved.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        expand_saved(text, &find)
    }

    /// The same, where what is mistaken stays as it is and says so once it is read.
    pub(super) fn expanded(&self, text: &str) -> String {
        self.expand(text).unwrap_or_else(|_| text.to_owned())
    }

    /// Everything counts as finished now; a mistake keeps the bar open, with the cursor at it.
    fn accept(&mut self) {
        let expanded = self.expand(self.editor.text());
        let mistake = match &expanded {
            Ok(text) => parse(text).errors.into_iter().next(),
            Err(error) => Some(error.clone()),
        };
        match (mistake, expanded) {
            (None, Ok(text)) => {
                self.editor.set(&text);
                self.is_editing = false;
                self.judge(Timestamp(0));
                self.walk.push(&text);
                self.keep(&text);
            }
            (Some(error), expanded) => {
                if let Ok(text) = expanded {
                    self.editor.set(&text);
                }
                self.editor.move_to(error.span.start);
                self.typing = Typing { state: State::Error, error: Some(error), ..self.typing.clone() };
                self.held_since = None;
            }
            (None, Err(_)) => {}
        }
    }

    /// Learns from `rows` what the groups of the text are.
    pub(super) fn name_groups(&mut self, rows: &[GroupRow]) {
        self.named = named::groups(self.editor.text(), rows);
    }

    /// Takes what is known of the text by now.
    pub(super) fn advise(&mut self, advice: Arc<Advice>, now: Timestamp) {
        if self.completion.take(advice) && self.is_editing {
            self.complete(now);
        }
    }

    /// The word at the cursor counts once it has been left alone for a while.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.held_since.is_some_and(|since| now.since(since) >= HELD_MS) {
            self.held_since = None;
            // As if a space had been typed.
            let (before, after) = self.editor.text().split_at(self.editor.cursor());
            let typing = while_typing_at(&format!("{before} {after}"), before.len() + 1);
            if typing.state != State::Error {
                self.typing = typing;
                self.apply();
            }
        }
    }

    /// In how many milliseconds [`FilterBar::tick`] has something to do.
    pub(super) fn due_in(&self, now: Timestamp) -> Option<i64> {
        self.held_since.map(|since| (HELD_MS - now.since(since)).clamp(0, HELD_MS))
    }

    /// What is to be asked about the text, once for each change.
    pub(super) fn question(&mut self) -> Option<AdviceRequest> {
        if !std::mem::take(&mut self.has_question) {
            return None;
        }
        Some(AdviceRequest {
            id: self.completion.ask(),
            text: self.editor.text().to_owned(),
            cursor: self.editor.cursor(),
            is_accepted: !self.is_editing,
            saved: Arc::clone(&self.saved),
            recent: self.history.newest(RECENT).cloned().collect(),
        })
    }

    /// The text that was accepted since this was last asked.
    pub(super) fn take_accepted(&mut self) -> Option<String> {
        self.accepted.take()
    }

    /// Judges the text: while editing it may still be unfinished.
    fn judge(&mut self, now: Timestamp) {
        let text = self.editor.text();
        self.typing = if self.is_editing {
            while_typing_at(text, self.editor.cursor())
        } else {
            while_typing(text, false)
        };
        let parsed = parse(text);
        self.notes = parsed.notes;
        self.more_errors = parsed.errors.len().saturating_sub(1);
        self.held_since = (self.is_editing && self.typing.state == State::Hold).then_some(now);
        self.has_question = true;
        let is_mistaken =
            self.typing.state == State::Error || (!self.is_editing && self.typing.error.is_some());
        if !is_mistaken && (self.is_live || !self.is_editing) {
            self.apply();
        }
    }

    fn apply(&mut self) {
        self.applied = Arc::new(self.typing.applied.clone());
        self.highlight();
    }

    fn highlight(&mut self) {
        self.highlighter = if self.is_bypassed { Highlighter::default() } else { self.applied.highlighter() };
    }

    /// What is suspicious about the text, most telling first.
    pub(super) fn note(&self) -> Option<&Note> {
        if matches!(self.typing.state, State::Error | State::Pending | State::Empty) {
            return None;
        }
        let from_events = self.completion.advice().and_then(|advice| advice.notes.first());
        // How a bare number is read is no suspicion: the reading below the line says it.
        let own = self.notes.iter().find(|note| !note.only_without_matches && note.code != "N-UNIT");
        from_events.or(own)
    }

    /// The edit that is offered.
    pub(super) fn fix(&self) -> Option<&Fix> {
        let error = self.typing.error.as_ref().and_then(|error| error.fix.as_ref());
        error.or_else(|| self.note().and_then(|note| note.fix.as_ref()))
    }

    /// Whether what was pasted went in as text and can still be had as it was.
    pub(super) fn is_pasted(&self) -> bool {
        self.pasted.is_some()
    }

    /// Whether the filter in force is another than the text's, until Enter.
    pub(super) fn waits_for_enter(&self) -> bool {
        self.is_editing && !self.is_live && self.typing.applied.to_string() != self.applied.to_string()
    }
}
