//! `taillight check`: how a filter reads, or what is wrong with it and where.

use serde_json::json;

use super::{code, print};
use crate::cli;
use crate::config::Saved;
use crate::event::gate;
use crate::filter::{Note, State, near_field_notes, parse, while_typing};

/// Prints the reading, the notes, or the error; 2 if it is no filter.
pub(super) fn run(saved: &[Saved], check: &cli::Check) -> anyhow::Result<u8> {
    if check.json {
        return as_json(check);
    }
    if check.typing {
        let typing = while_typing(&check.filter, true);
        let text = format!("{}: {}\n", typing.state.name(), gate::plain(&typing.applied.reads_as()));
        print(text.as_bytes())?;
        return Ok(if typing.state == State::Error { code::USAGE } else { code::FINE });
    }
    let filter = super::filter::checked(&check.filter, saved)?;
    let mut text = format!("{}\n", gate::plain(&filter.reads_as()));
    for note in notes(&check.filter) {
        text.push_str(&format!("note: {}\n", gate::plain(told(&note))));
    }
    print(text.as_bytes())
}

/// What can be said of a filter without events.
fn notes(text: &str) -> Vec<Note> {
    let own = parse(text).notes.into_iter().filter(|note| !note.only_without_matches);
    near_field_notes(text).into_iter().chain(own).collect()
}

/// Its message; there is no Tab to press here.
fn told(note: &Note) -> &str {
    note.message.split(" · Tab").next().unwrap_or_default()
}

/// One object (CONTRACT: command line).
fn as_json(check: &cli::Check) -> anyhow::Result<u8> {
    let text = &check.filter;
    // Without --typing the filter counts as accepted: nothing in it is unfinished any more.
    let typing = while_typing(text, check.typing);
    let parsed = parse(text);
    let error = if check.typing { typing.error.as_ref() } else { parsed.errors.first() };
    let is_ok = if check.typing { typing.state != State::Error } else { error.is_none() };
    // What is half typed may not be meant as it stands.
    let note = notes(text).into_iter().next().filter(|_| !check.typing && error.is_none());
    let state = match (check.typing, error, &note) {
        (false, Some(_), _) => State::Error,
        (_, _, Some(_)) => State::Note,
        _ => typing.state,
    };
    let place = note.as_ref().map(|note| {
        let columns = |text: &str| text.chars().count();
        (columns(&text[..note.span.start]) + 1, columns(&text[note.span.clone()]).max(1))
    });
    let reads_as = parsed.filter.as_ref().map(crate::filter::Filter::reads_as);
    let applied = (state != State::Error).then(|| typing.applied.reads_as());
    let object = json!({
        "ok": is_ok,
        "state": state.name(),
        "reads_as": reads_as,
        "applied": applied,
        "code": error.map(|error| error.code).or(note.as_ref().map(|note| note.code)),
        "col": error.map(|error| error.column).or(place.map(|(column, _)| column)),
        "len": error.map(|error| error.len).or(place.map(|(_, len)| len)),
        "message": error.map(|error| error.message.as_str()).or(note.as_ref().map(told)),
    });
    let mut text = String::new();
    gate::push_json_escaped(&mut text, &object.to_string());
    text.push('\n');
    print(text.as_bytes())?;
    Ok(if is_ok { code::FINE } else { code::USAGE })
}
