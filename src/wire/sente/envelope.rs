//! What a frame of these protocols is about: its messages, their events, and who waits for an answer.
//!
//! Called by `wire::sente` with a reader of one of the three formats. A frame is one message `[:id data]`, one in
//! Sente's wrapping `[[:id data] callback]`, or several in a vector. What cannot be read stays with the event it
//! concerns, and the rest of the frame is kept.

use std::borrow::Cow;
use std::ops::Range;

use super::out::Out;
use crate::event::json;

/// Why something cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// How far the reader came, in bytes.
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// What comes next in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// A keyword.
    Name,
    Text,
    /// A vector, list or set.
    Sequence,
    Map,
    Other,
    /// The end of the sequence that was entered last.
    Close,
    End,
}

/// What became of one element.
#[derive(Debug)]
pub(super) enum Element<'t> {
    /// Its text as it was sent, for formats that have one.
    Read(Cow<'t, str>),
    /// `is_resumed` says that the reader stands past it and goes on; else the rest of the frame is lost with it.
    Broken { raw: Cow<'t, str>, reason: &'static str, is_resumed: bool },
}

/// A reader of one format, at some position in its frame.
pub(super) trait Source<'t> {
    fn peek(&mut self) -> Result<Peek, Fault>;
    /// Goes into the sequence that [`Source::peek`] has seen.
    fn enter(&mut self) -> Result<(), Fault>;
    /// Goes past the end that [`Source::peek`] has seen.
    fn leave(&mut self) -> Result<(), Fault>;
    /// Reads the next value.
    fn value(&mut self, out: &mut Out) -> Result<(), Fault>;
    /// Reads the next value, or gets past it.
    fn element(&mut self, out: &mut Out) -> Element<'t>;
    /// What is still unread.
    fn rest(&self) -> Cow<'t, str>;
    /// Whether something came up that makes everything read so far doubtful.
    fn is_spoiled(&self) -> bool;
}

/// One event, or what should have been one.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    /// Its JSON in [`Transcript::out`].
    pub(super) json: Range<usize>,
    pub(super) raw: Cow<'t, str>,
    /// Why it could not be read.
    pub(super) fault: Option<&'static str>,
}

/// One message of a frame.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) callback: Option<String>,
    /// Its events, where its id says that it brings some.
    pub(super) events: Range<usize>,
    /// Its data in [`Transcript::out`], where it is of another kind.
    pub(super) data: Option<Range<usize>>,
}

/// A frame as it was read.
#[derive(Debug, Default)]
pub(super) struct Transcript<'t> {
    pub(super) out: Out,
    pub(super) pieces: Vec<Piece<'t>>,
    pub(super) messages: Vec<Message>,
}

/// What could not be read after `id` was known.
const SPOILED: &str = "it refers to what was never sent";

/// Whether the data of `id` is a list of events.
fn brings_events(id: &str) -> bool {
    matches!(id, "log/batch" | "log/urgent")
}

/// Reads a whole frame.
///
/// # Errors
/// When it is no message at all; whatever else is wrong with it is among the pieces.
pub(super) fn read<'t>(source: &mut dyn Source<'t>, bytes: usize) -> Result<Transcript<'t>, Fault> {
    let mut reading = Reading {
        source,
        transcript: Transcript { out: Out::with_capacity(bytes + bytes / 8), ..Transcript::default() },
        is_over: false,
    };
    let outcome = reading.frame();
    let mut transcript = reading.transcript;
    if let Err(fault) = outcome {
        if transcript.messages.is_empty() {
            return Err(fault);
        }
        let raw = source.rest();
        transcript.pieces.push(Piece { json: 0..0, raw, fault: Some(fault.what) });
    }
    if source.is_spoiled() {
        for piece in &mut transcript.pieces {
            piece.fault = Some(SPOILED);
        }
    }
    Ok(transcript)
}

struct Reading<'r, 't> {
    source: &'r mut dyn Source<'t>,
    transcript: Transcript<'t>,
    /// A broken event took the rest of the frame with it.
    is_over: bool,
}

impl Reading<'_, '_> {
    fn fault(what: &'static str) -> Fault {
        Fault { at: 0, what }
    }

    fn frame(&mut self) -> Result<(), Fault> {
        const NO_MESSAGE: &str = "not a message: a vector that begins with an id is needed";
        if self.source.peek()? != Peek::Sequence {
            return Err(Self::fault(NO_MESSAGE));
        }
        self.source.enter()?;
        match self.source.peek()? {
            Peek::Name | Peek::Text => self.message()?,
            Peek::Sequence => self.wrapped()?,
            _ => return Err(Self::fault(NO_MESSAGE)),
        }
        if self.is_over {
            return Ok(());
        }
        match self.source.peek()? {
            Peek::End => Ok(()),
            _ => Err(Self::fault("something follows the message")),
        }
    }

    /// `[:id data]` in brackets of its own, then its callback, or more such.
    fn wrapped(&mut self) -> Result<(), Fault> {
        loop {
            match self.source.peek()? {
                Peek::Close => return self.source.leave(),
                Peek::Sequence => {
                    self.source.enter()?;
                    self.message()?;
                }
                _ => {
                    let callback = self.text();
                    if let Some(message) = self.transcript.messages.last_mut() {
                        message.callback = callback;
                    }
                }
            }
            if self.is_over {
                return Ok(());
            }
        }
    }

    /// The next value if it is a text; it is not kept in the output. One that cannot be read is a piece of its own, so
    /// that its text is kept from its beginning.
    fn text(&mut self) -> Option<String> {
        let out = &mut self.transcript.out;
        let mark = out.len();
        match self.source.element(out) {
            Element::Read(_) => {
                let text = json::text(out.since(mark)).map(Cow::into_owned);
                out.truncate(mark);
                text
            }
            Element::Broken { raw, reason, is_resumed } => {
                self.is_over = !is_resumed;
                self.transcript.pieces.push(Piece { json: mark..mark, raw, fault: Some(reason) });
                None
            }
        }
    }

    /// A message, from its id to past its end.
    fn message(&mut self) -> Result<(), Fault> {
        let is_name = self.source.peek()? == Peek::Name;
        let id = self.text().filter(|id| is_name || id.contains('/'));
        if self.is_over && !self.transcript.messages.is_empty() {
            return Ok(());
        }
        let id = id.ok_or(Self::fault("a message without an id"))?;
        let first = self.transcript.pieces.len();
        let brings_events = brings_events(&id);
        self.transcript.messages.push(Message { id, events: first..first, ..Message::default() });
        match self.source.peek()? {
            Peek::Close => return self.source.leave(),
            Peek::Sequence if brings_events => self.events()?,
            _ => self.data(brings_events),
        }
        while !self.is_over {
            if self.source.peek()? == Peek::Close {
                return self.source.leave();
            }
            // A message has one datum; whatever else a sender puts there is read and left.
            self.text();
        }
        Ok(())
    }

    fn events(&mut self) -> Result<(), Fault> {
        self.source.enter()?;
        while !self.is_over {
            if self.source.peek()? == Peek::Close {
                return self.source.leave();
            }
            self.element();
        }
        Ok(())
    }

    /// Reads one event; gives its JSON.
    fn element(&mut self) -> Option<Range<usize>> {
        let out = &mut self.transcript.out;
        let mark = out.len();
        let (raw, fault) = match self.source.element(out) {
            Element::Read(raw) => (raw, None),
            Element::Broken { raw, reason, is_resumed } => {
                self.is_over = !is_resumed;
                (raw, Some(reason))
            }
        };
        let json = mark..out.len();
        self.transcript.pieces.push(Piece { json: json.clone(), raw, fault });
        if let Some(message) = self.transcript.messages.last_mut() {
            message.events.end = self.transcript.pieces.len();
        }
        fault.is_none().then_some(json)
    }

    /// Data that is no list: one event, or whatever the message is about.
    fn data(&mut self, brings_events: bool) {
        let Some(json) = self.element() else { return };
        let Some(piece) = self.transcript.pieces.pop() else { return };
        let shape = json::shape(self.transcript.out.slice(json.clone()));
        let first = self.transcript.pieces.len();
        if brings_events && shape == json::Shape::Array {
            let text = self.transcript.out.slice(json.clone());
            let places =
                json::elements(text).map(|(at, value)| json.start + at..json.start + at + value.len());
            self.transcript.pieces.extend(places.map(|json| Piece {
                json,
                raw: Cow::Borrowed(""),
                fault: None,
            }));
        } else if brings_events && shape != json::Shape::Null {
            self.transcript.pieces.push(piece);
        }
        if let Some(message) = self.transcript.messages.last_mut() {
            message.events = first..self.transcript.pieces.len();
            message.data = Some(json).filter(|_| !brings_events);
        }
    }
}
