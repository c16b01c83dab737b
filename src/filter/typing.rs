//! What a filter means while it is being typed.
//!
//! The bar calls [`while_typing`] at each key: the term in the middle of which the cursor is is left out,
//! everything else applies, and a mistake freezes the list.

use super::lexer::{self, Kind};
use super::run;
use super::{Filter, FilterError, Reading};
use crate::event::Field;

/// How far a text is from being a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Empty,
    Valid,
    /// The word at the cursor may become the name of a field or an operator; it applies after a moment.
    Hold,
    /// The term at the cursor can still become right.
    Pending,
    /// Valid, but see the notes.
    Note,
    /// Cannot become right by typing on: the caller keeps the filter it has.
    Error,
}

impl State {
    /// Its word in `check --json` (CONTRACT: command line).
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Valid => "valid",
            Self::Hold => "hold",
            Self::Pending => "pending",
            Self::Note => "note",
            Self::Error => "error",
        }
    }
}

/// What to do with a text.
#[derive(Clone, Debug)]
pub struct Typing {
    pub state: State,
    /// What to apply, except in [`State::Error`].
    pub applied: Filter,
    /// The first mistake, also where it is only unfinished.
    pub error: Option<FilterError>,
}

/// Judges `text`; nothing is unfinished unless the cursor is at its end.
pub fn while_typing(text: &str, cursor_at_end: bool) -> Typing {
    if run::spaces(text) == text.len() {
        return Typing { state: State::Empty, applied: Filter::all(), error: None };
    }
    let reading = Reading::of(text, None);
    let is_unfinished = |error: &FilterError| cursor_at_end && error.unfinished;
    if let Some(error) = reading.errors.iter().find(|error| !is_unfinished(error)) {
        return Typing { state: State::Error, applied: reading.filter.clone(), error: Some(error.clone()) };
    }
    let error = reading.errors.first().cloned();
    // Open brackets are closed at the end, so they do not keep a word from being held.
    let only_open = reading.errors.iter().all(|error| error.code == "E-LP");
    if cursor_at_end && only_open && may_become_name(text) {
        return Typing { state: State::Hold, applied: Reading::of(text, Some(text.len())).filter, error };
    }
    if cursor_at_end && reading.is_open {
        return Typing { state: State::Pending, applied: Reading::of(text, Some(text.len())).filter, error };
    }
    let has_note = reading.notes.iter().any(|note| !note.only_without_matches && note.code != "N-UNIT");
    let state = match (&error, has_note) {
        (Some(_), _) => State::Pending,
        (None, true) => State::Note,
        (None, false) => State::Valid,
    };
    Typing { state, applied: reading.filter, error }
}

const OTHER_NAMES: [&str; 7] = ["and", "or", "not", "in", "contains", "matches", "saved"];

/// True if the word that touches the end can still become a field's or an operator's name.
fn may_become_name(text: &str) -> bool {
    let tokens = lexer::tokens(text);
    let Some(last) = tokens.last().filter(|token| token.span.end == text.len()) else { return false };
    let is_soft = |kind: &Kind| matches!(kind, Kind::Word | Kind::Not(lexer::Style::Soft));
    if !is_soft(&last.kind) {
        return false;
    }
    let word = &text[last.span.clone()];
    // `&` may become `&&`, and `:` a signal id.
    if matches!(word, "&" | ":" | "@") {
        return true;
    }
    if let Some((path, len)) = run::field(word) {
        let rest = &word[len..];
        // `timing.` and `context."us` are paths of which the last part is not yet there.
        if rest == "." || rest.starts_with(".\"") || path.len() > 1 && rest.is_empty() {
            return true;
        }
    }
    // `status!` is on its way to `status!=`.
    if let Some(name) = word.strip_suffix('!') {
        return Field::find(name).is_some();
    }
    let typed = fold(word);
    let mut names = crate::event::FIELDS.iter().flat_map(Field::names).chain(OTHER_NAMES);
    !typed.is_empty() && names.any(|name| fold(name).starts_with(&typed))
}

/// A name as names are compared: without case, `-`, `_` and a leading `@`.
fn fold(name: &str) -> String {
    let name = name.strip_prefix('@').unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
