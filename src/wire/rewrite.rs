//! Events whose text was changed by the signal stages, read anew.
//!
//! Called by `ingest` for the rows that are concerned; the others are copied, and so are those to which nothing was added
//! that is a column. What a connection knows of its events is
//! taken from the row that is replaced, unless the change was about just that.

use std::borrow::Cow;
use std::sync::Arc;

use super::batch::{Sender, origin_of};
use super::raw::{Fields, RawEvent, Slot};
use super::row::{Known, RowMaker};
use crate::event::{Chunk, EventRef, Flags, Msg, Row};
use crate::pipeline::{Reading, Rewritten};

/// What an event is called follows from these.
const NAMES: [Slot; 4] = [Slot::Kind, Slot::Subtype, Slot::Id, Slot::Ns];
/// What was done to an event's text stays known.
const SCRUBBED: [Flags; 3] = [Flags::REPAIRED, Flags::REDACTED, Flags::CUT];

/// `chunk` with the rows of `rewritten`, which are in rising order and read as `reading` says, in the place of the old
/// ones.
pub fn rewrite(chunk: &Chunk, rewritten: &[Rewritten], reading: &Arc<Reading>) -> Chunk {
    let mut rows = RowMaker::new(Cow::Owned(Sender::default()));
    let mut rewritten = rewritten.iter().peekable();
    let mut plain = String::new();
    for (row, event) in chunk.events().enumerate() {
        match rewritten.next_if(|new| new.row == row) {
            None => rows.copy(&row_of(event, event.json())),
            Some(new) if adds_no_column(new, &mut plain) => rows.copy(&row_of(event, &new.json)),
            Some(new) => read_anew(&mut rows, event, new, reading),
        }
    }
    rows.take()
}

/// Whether members were added and none of them is a column. What was added last without being one is `plain`: it is the
/// same for nearly all events.
fn adds_no_column(new: &Rewritten, plain: &mut String) -> bool {
    let Some(added) = new.added_from.and_then(|from| new.json.get(from..)) else { return false };
    let added = added.trim_start_matches(',');
    if added == plain {
        return true;
    }
    let is_none = RawEvent::of(&format!("{{{added}")).fields == Fields::default();
    if is_none {
        added.clone_into(plain);
    }
    is_none
}

fn read_anew(rows: &mut RowMaker<'_>, was: EventRef<'_>, new: &Rewritten, reading: &Arc<Reading>) {
    let (old, mut event) = (RawEvent::of(was.json()), RawEvent::of(&new.json));
    if !old.fields[Slot::Message].is_present() {
        let mut lifted = old.clone();
        lifted.lift_message();
        // A log entry keeps its text in its data.
        if lifted.fields[Slot::Message].text() == was.msg() {
            event.lift_message();
        }
    }
    let keeps_names = NAMES.iter().all(|slot| old.fields[*slot] == event.fields[*slot]);
    // The host of the page's own requests is left out of endpoints; the page is not known any more.
    let address = was.endpoint().split_once(' ').map_or("", |(_, address)| address);
    let url = event.fields[Slot::Url].text();
    let origin = if address.starts_with('/') { origin_of(&url) } else { "" };
    let known = |text: &str, is_forgotten: bool| if is_forgotten { String::new() } else { text.to_owned() };
    rows.set_sender(Sender {
        session: known(was.session(), new.forgets_session),
        user: known(was.user(), new.forgets_user),
        tab: was.tab().to_owned(),
        load: was.load(),
        origin: origin.to_owned(),
        recv: was.recv(),
        reading: Arc::clone(reading),
        ..Sender::default()
    });
    let mut flags = Flags::NONE;
    SCRUBBED.into_iter().filter(|flag| was.flags().has(*flag)).for_each(|flag| flags.set(flag));
    rows.push(&new.json, &event, flags, Known::Rewritten { was, keeps_names });
}

/// The row that `event` is, with the text `json`.
fn row_of<'a>(event: EventRef<'a>, json: &'a str) -> Row<'a> {
    Row {
        seq: event.seq(),
        inst: event.inst(),
        recv: event.recv(),
        level: event.level(),
        severity: event.severity(),
        family: event.family(),
        flags: event.flags(),
        id: event.id(),
        ns: event.ns(),
        kind: event.kind(),
        subtype: event.subtype(),
        session: event.session(),
        user: event.user(),
        tab: event.tab(),
        load: event.load(),
        endpoint: event.endpoint(),
        duration: event.duration(),
        status: event.status(),
        group: event.group().unwrap_or(0),
        source: event.source(),
        msg: Msg::Text(event.msg()),
        json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Redactor;
    use crate::wire::{Body, decode_body};

    #[test]
    fn only_what_was_changed_is_another() {
        let sender = Sender {
            session: "s".to_owned(),
            user: "u".to_owned(),
            origin: "http://localhost:5173".to_owned(),
            source: "browser",
            ..Sender::default()
        };
        let body = r#"[{"subtype":"api-call","url":"http://localhost:5173/api/users/7","status":500,"message":"a"},{"type":"log","message":"b"}]"#;
        let Ok(Body::Bare(batch)) = decode_body(body, &sender, &Redactor::default()) else {
            panic!("a batch")
        };
        let old = batch.chunk;
        let new = |row, json: &str, forgets| Rewritten {
            row,
            json: json.to_owned(),
            added_from: None,
            forgets_user: forgets,
            forgets_session: forgets,
        };
        let json = r#"{"subtype":"api-call","url":"http://localhost:5173/api/users/7","status":404,"x":1}"#;
        let chunk = rewrite(&old, &[new(0, json, false)], &Arc::default());
        let (before, after) = (old.event(0), chunk.event(0));
        assert_eq!((after.status(), after.endpoint(), after.json()), (Some(404), "GET /api/users/:id", json));
        assert_eq!((after.session(), after.user(), after.source()), ("s", "u", "browser"));
        assert_eq!((after.inst(), after.recv()), (before.inst(), before.recv()));
        assert_ne!(after.group(), before.group());
        let mut copied = String::new();
        crate::event::line::write(chunk.event(1), &mut copied);
        let mut original = String::new();
        crate::event::line::write(old.event(1), &mut original);
        assert_eq!(copied, original);
        let json = format!("{},\"region\":\"eu\"}}", old.event(0).json().trim_end_matches('}'));
        let added = Rewritten { added_from: Some(old.event(0).json().len() - 1), ..new(0, &json, false) };
        let chunk = rewrite(&old, &[added], &Arc::default());
        assert_eq!((chunk.event(0).json(), chunk.event(0).msg()), (json.as_str(), "a"));
        assert_eq!((chunk.event(0).group(), chunk.event(0).endpoint()), (before.group(), before.endpoint()));
        let chunk = rewrite(&old, &[new(1, r#"{"type":"error","message":"b"}"#, true)], &Arc::default());
        let after = chunk.event(1);
        assert_eq!((after.level().name(), after.session(), after.user()), ("error", "", ""));
    }
}
