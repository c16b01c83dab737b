//! The events taillight makes itself: about an element that was none, about numbers that will never come, about what a
//! page answered, and whatever `ingest` has to tell.
//!
//! Called by `wire::decode` and by `ingest` for gaps. They count as taillight's own in the ledger, never as accepted.

use super::batch::{Batch, ScrubCount, Sender};
use super::fold::Repeat;
use super::hello::Gap;
use crate::event::{Chunk, ChunkBuilder, Flags, Level, Msg, Row, Timestamp, json};
use crate::pipeline::{Redactor, Scrub};

/// Characters of the raw text that are kept.
const MAX_RAW: usize = 2_000;
/// Characters of a page's reason for a gap that are kept.
const MAX_REASON: usize = 200;

/// Adds the event about `raw`, refused for `reason`; gives how many secrets were taken out of it.
pub(super) fn push_bad(
    builder: &mut ChunkBuilder,
    sender: &Sender,
    redactor: &Redactor,
    reason: &str,
    raw: &str,
) -> u32 {
    let (shown, redacted) = redactor.excerpt(raw, MAX_RAW);
    let json = serde_json::json!({ "type": "log", "reason": reason, "raw": shown }).to_string();
    let first: String = shown.chars().take(80).collect();
    let msg = format!("bad event: {reason}: {first}");
    let mut row = own_row(sender, "taillight/bad-event", Level::Warn, &msg, &json);
    if redacted > 0 {
        row.flags.set(Flags::REDACTED);
    }
    builder.push(&row);
    redacted
}

/// A batch of one event, `taillight/gap`: the page dropped events before they could be sent.
pub fn gap_note(gap: &Gap<'_>, sender: &Sender, redactor: &Redactor) -> Batch {
    let (reason, redacted) = redactor.excerpt(&gap.reason, MAX_REASON);
    let json = serde_json::json!({
        "type": "log", "from": gap.from, "to": gap.to, "count": gap.count, "reason": reason,
    });
    let noun = if gap.count == 1 { "event" } else { "events" };
    let msg = format!("{} {noun} dropped by the page: {reason}", gap.count);
    let mut builder = ChunkBuilder::new();
    builder.push(&own_row(sender, "taillight/gap", Level::Warn, &msg, &json.to_string()));
    Batch {
        chunk: builder.finish(),
        index: vec![0],
        rejected: Vec::new(),
        offered: 0,
        scrubbed: ScrubCount { redacted: u64::from(redacted), ..ScrubCount::default() },
    }
}

/// Events `taillight/repeated`: equal events that were counted, not kept. Each stands where the last of them would.
pub(super) fn repeats(notes: &[Repeat], sender: &Sender) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for note in notes {
        let row = own_row(sender, "taillight/repeated", Level::Warn, &note.msg, &note.data);
        builder.push(&Row { inst: note.at, session: &note.session, user: &note.user, ..row });
    }
    builder.finish()
}

/// A batch of one event, `taillight/diagnostics`: what a page said of itself, JSON text, redacted and cut like any
/// event.
pub fn answer_note(data: &str, sender: &Sender, redactor: &Redactor) -> Batch {
    let json = format!("{{\"type\":\"log\",\"answer\":{data}}}");
    let json = match redactor.hide(&json) {
        Scrub::Clean(_) => json,
        Scrub::Changed { text, .. } => text,
    };
    let title = json::path(&json, &["answer", "title"]).and_then(json::text).unwrap_or_default();
    let title: String = title.chars().take(MAX_REASON).collect();
    let msg = match &*title {
        "" => "the page says how it is".to_owned(),
        title => format!("the page says how it is: {title}"),
    };
    let mut builder = ChunkBuilder::new();
    builder.push(&own_row(sender, "taillight/diagnostics", Level::Info, &msg, &json));
    Batch {
        chunk: builder.finish(),
        index: vec![0],
        rejected: Vec::new(),
        offered: 0,
        scrubbed: ScrubCount::default(),
    }
}

/// What an event of taillight's own says; `data` is its JSON.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    pub id: &'a str,
    pub level: Level,
    pub msg: String,
    pub data: String,
    pub session: &'a str,
    pub user: &'a str,
}

/// A chunk of an event for each note.
pub fn own_notes(notes: &[Note<'_>], recv: Timestamp) -> Chunk {
    let sender = Sender { recv, ..Sender::default() };
    let mut builder = ChunkBuilder::new();
    for note in notes {
        let row = own_row(&sender, note.id, note.level, &note.msg, &note.data);
        builder.push(&Row { session: note.session, user: note.user, ..row });
    }
    builder.finish()
}

/// A row that taillight itself is the source of.
fn own_row<'a>(sender: &'a Sender, id: &'a str, level: Level, msg: &'a str, json: &'a str) -> Row<'a> {
    Row {
        inst: sender.recv,
        recv: sender.recv,
        level,
        flags: Flags::OWN,
        id,
        ns: "taillight",
        session: &sender.session,
        user: &sender.user,
        tab: &sender.tab,
        load: sender.load,
        source: "taillight",
        msg: Msg::Text(msg),
        json,
        ..Row::default()
    }
}
