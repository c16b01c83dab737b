//! The envelopes of the native protocol, version 1: hello, batch, urgent, gap, reply; and the bodies of POST.
//!
//! Called by `ingest` with the text of one frame or body (CONTRACT: native protocol). A frame that cannot be
//! understood is an error as a whole; what is wrong inside a batch stays with the event it concerns.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::batch::{Batch, Sender};
use super::controls;
use super::decode::Decoder;
use super::hello::{self, Gap, Hello};
use super::skim;
use crate::event::json;
use crate::pipeline::Redactor;

/// Why a frame or body as a whole was not understood.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    #[error("not JSON at byte {at}: {near}")]
    Syntax { at: usize, near: String },
    #[error("unknown message type `{0}`: expected hello, batch, urgent, gap or reply")]
    UnknownType(String),
    #[error("`{message}` needs `{field}`")]
    Missing { message: &'static str, field: &'static str },
    #[error("`{message}` needs `{field}`, a whole number; numbers count from 1 and rise")]
    NoNumber { message: &'static str, field: &'static str },
}

impl FrameError {
    pub(super) fn syntax(text: &str, at: usize) -> Self {
        let near = text.get(at..).unwrap_or("").chars().take(24).collect();
        Self::Syntax { at, near }
    }

    /// The same without any of the text, which is no whole value here that redaction could judge.
    pub fn without_text(&self) -> String {
        match self {
            Self::Syntax { at, .. } => format!("not JSON at byte {at}"),
            _ => self.to_string(),
        }
    }

    /// A word for answers and counters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::UnknownType(_) => "type",
            Self::Missing { .. } | Self::NoNumber { .. } => "missing",
        }
    }
}

/// One frame of a client.
#[derive(Debug)]
pub enum Frame<'a> {
    Hello(Hello<'a>),
    /// `seq` is the number of the first event; positions count on from it.
    Batch {
        seq: u64,
        batch: Box<Batch>,
    },
    Gap(Gap<'a>),
    Reply {
        id: Cow<'a, str>,
        data: &'a str,
    },
}

/// What a POST body turned out to be.
#[derive(Debug)]
pub enum Body {
    /// Bare events: one, an array or lines.
    Bare(Batch),
    /// A beacon's envelope, deduped together with the socket.
    Envelope { client: String, seq: u64, batch: Batch },
    /// What an earlier document lost of its numbers.
    Gap { client: String, sender: Sender, gap: Gap<'static> },
}

/// Reads one frame of a client. `sender` is what its hello said.
///
/// # Errors
/// When the text is not JSON, not a known message, or lacks what its message needs.
pub fn decode_frame<'a>(
    text: &'a str,
    sender: &Sender,
    redactor: &Redactor,
) -> Result<Frame<'a>, FrameError> {
    let envelope = Envelope::read(text)?;
    match &*envelope.kind {
        "hello" => Ok(Frame::Hello(Hello::read(text)?)),
        "batch" | "urgent" => {
            let at = envelope.events.ok_or(FrameError::Missing { message: "batch", field: "events" })?;
            let seq = envelope.seq.ok_or(FrameError::NoNumber { message: "batch", field: "seq" })?;
            let batch = events_at(text, at, sender, redactor)?;
            Ok(Frame::Batch { seq, batch: Box::new(batch) })
        }
        "gap" => Ok(Frame::Gap(Gap::read(text)?)),
        "reply" => {
            let reply: Reply<'_> = typed(text)?;
            Ok(Frame::Reply { id: reply.id, data: reply.data.map_or("null", RawValue::get) })
        }
        other => Err(FrameError::UnknownType(other.chars().take(40).collect())),
    }
}

/// Reads a POST body: an envelope, a gap, one event, an array of events, or one event a line.
///
/// # Errors
/// When an array or envelope is not JSON as a whole; a bad line of NDJSON only costs itself.
pub fn decode_body(text: &str, sender: &Sender, redactor: &Redactor) -> Result<Body, FrameError> {
    let text = text.trim_start_matches('\u{feff}');
    let at = skim::space(text.as_bytes(), 0);
    match text.as_bytes().get(at) {
        Some(b'[') => events_at(text, at, sender, redactor).map(Body::Bare),
        Some(b'{') => match Envelope::read(text) {
            Ok(envelope) if envelope.is_batch() => envelope_body(text, &envelope, sender, redactor),
            Ok(envelope) if envelope.kind == "gap" => gap_body(text, sender, redactor),
            _ => Ok(Body::Bare(lines(text, sender, redactor))),
        },
        _ => Ok(Body::Bare(lines(text, sender, redactor))),
    }
}

fn envelope_body(
    text: &str,
    envelope: &Envelope<'_>,
    sender: &Sender,
    redactor: &Redactor,
) -> Result<Body, FrameError> {
    let hello = Hello::read(text)?;
    let sender = sender.clone().introduced(&hello);
    let at = envelope.events.ok_or(FrameError::Missing { message: "batch", field: "events" })?;
    let batch = events_at(text, at, &sender, redactor)?;
    match envelope.seq {
        Some(seq) if !hello.client.is_empty() => {
            Ok(Body::Envelope { client: hello.client.into_owned(), seq, batch })
        }
        _ => Ok(Body::Bare(batch)),
    }
}

/// A gap names its client; an event that is only called so does not.
fn gap_body(text: &str, sender: &Sender, redactor: &Redactor) -> Result<Body, FrameError> {
    let hello = Hello::read(text)?;
    if hello.client.is_empty() {
        return Ok(Body::Bare(lines(text, sender, redactor)));
    }
    let sender = sender.clone().introduced(&hello);
    let Gap { from, to, count, reason } = Gap::read(text)?;
    let gap = Gap { from, to, count, reason: Cow::Owned(reason.into_owned()) };
    Ok(Body::Gap { client: hello.client.into_owned(), sender, gap })
}

/// One event, or one a line; a line that is no JSON is refused alone.
fn lines(text: &str, sender: &Sender, redactor: &Redactor) -> Batch {
    let mut decoder = Decoder::new(sender, redactor, text);
    // A single event may be written over several lines, so the whole body is tried first.
    if let Ok(raw) = serde_json::from_str::<&RawValue>(text) {
        decoder.next_with_care(raw.get());
        return decoder.finish();
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match serde_json::from_str::<&RawValue>(line) {
            Ok(raw) => decoder.next_with_care(raw.get()),
            Err(_) => match controls::escaped(line, 0) {
                Some((mended, end)) if end == line.len() => decoder.mended(&mended),
                _ => decoder.broken(line),
            },
        }
    }
    decoder.finish()
}

fn events_at(text: &str, at: usize, sender: &Sender, redactor: &Redactor) -> Result<Batch, FrameError> {
    let mut decoder = Decoder::new(sender, redactor, text);
    let end = decoder.array(text, at)?;
    check_tail(text, end)?;
    Ok(decoder.finish())
}

/// What follows the events must close the text properly: `}` after further members, or nothing.
fn check_tail(text: &str, end: usize) -> Result<(), FrameError> {
    let bytes = text.as_bytes();
    let at = skim::space(bytes, end);
    match bytes.get(at) {
        None => Ok(()),
        Some(b'}') if skim::space(bytes, at + 1) == bytes.len() => Ok(()),
        Some(b',') => {
            let rest = format!("{{{}", &text[at + 1..]);
            serde_json::from_str::<&RawValue>(&rest).map(drop).map_err(|_| FrameError::syntax(text, at))
        }
        Some(_) => Err(FrameError::syntax(text, at)),
    }
}

fn typed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(text).map_err(|error| FrameError::syntax(text, error.column().saturating_sub(1)))
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// What tells the messages apart, found without reading the events.
struct Envelope<'a> {
    kind: Cow<'a, str>,
    seq: Option<u64>,
    /// Position of the `[` of the events.
    events: Option<usize>,
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Result<Self, FrameError> {
        let start = skim::space(text.as_bytes(), 0);
        if text.as_bytes().get(start) != Some(&b'{') {
            return Err(FrameError::syntax(text, start));
        }
        let mut envelope = Self { kind: Cow::Borrowed(""), seq: None, events: None };
        let mut members = json::members(text);
        // Clients send the events last; stopping there saves a pass over them.
        while let Some((key, at)) = members.peek() {
            if key == "events" && text.as_bytes().get(at) == Some(&b'[') {
                envelope.events = Some(at);
                if envelope.is_batch() && envelope.seq.is_some() {
                    break;
                }
            }
            let Some(member) = members.next() else { break };
            match member.key {
                "t" => envelope.kind = json::text(member.value).unwrap_or_default(),
                "seq" => envelope.seq = hello::number(member.value).filter(|seq| *seq > 0),
                _ => {}
            }
        }
        Ok(envelope)
    }

    fn is_batch(&self) -> bool {
        self.kind == "batch" || self.kind == "urgent"
    }
}
