//! What sente-lite and Sente clients send, in EDN, Transit-JSON or MessagePack, and what they are answered.
//!
//! `ingest` gives each frame here and sends what [`answer`] makes. A frame is read once into JSON, its events take the
//! way of all events from there, and what cannot be read becomes a refusal that holds its text. Nothing here keeps
//! state but [`Folder`], which its connection holds.

pub mod answer;
mod edn;
mod envelope;
mod instant;
mod msgpack;
mod out;
mod packer;
mod transit;
#[cfg(test)]
mod vectors_tests;

pub use packer::{Packer, Packing};

use std::borrow::Cow;

use super::batch::{Batch, Sender};
use super::decode::Decoder;
use super::fold::Folder;
use crate::event::json;
use crate::pipeline::Redactor;
use edn::Edn;
use envelope::{Fault, Message, Piece, Transcript};
use msgpack::Msgpack;
use transit::Transit;

/// The channel on which sente-lite's log-routing module publishes.
const LOG_CHANNEL: &str = "log-routing";
/// Characters of a message's data that are kept where nobody knows its id.
const MAX_START: usize = 120;
/// Characters of a callback or channel that are answered; the clients make six.
const MAX_ECHO: usize = 200;

/// What one frame said.
#[derive(Debug)]
pub struct Heard {
    /// How it was packed: answers are packed alike.
    pub packing: Packing,
    /// Its events and refusals; not numbered.
    pub batch: Batch,
    /// Who waits for an answer, in order.
    pub asks: Vec<Ask>,
    /// Messages of ids that are not known here.
    pub unknown: Vec<Unknown>,
    /// The address of the page, where the frame told it.
    pub page: Option<String>,
    /// Why the frame as a whole was not understood, and its first characters without secrets.
    pub broken: Option<(String, String)>,
}

/// What a client waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether this end is alive; with Sente's callback, or in sente-lite's own form.
    Ping { callback: Option<String> },
    /// Whether its message arrived.
    Reply { callback: String },
    /// Whether it now hears a channel, or no longer.
    Channel { channel: String },
}

/// A message whose id means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub id: String,
    /// The start of its data as JSON without secrets, not yet safe to show.
    pub start: String,
}

/// Reads a frame; `is_text` says which of the two kinds WebSocket has it was.
pub fn hear(frame: &[u8], is_text: bool, sender: &Sender, redactor: &Redactor, folder: &mut Folder) -> Heard {
    let (payload, packing) = packer::unpack(frame, is_text);
    let transcript = payload.as_deref().map_err(|fault| *fault).and_then(|bytes| transcribe(bytes, packing));
    let transcript = transcript.unwrap_or_else(|fault| {
        let raw = payload.as_deref().unwrap_or(frame);
        let raw = String::from_utf8_lossy(&raw[..raw.len().min(16 * 1024)]);
        let piece = Piece { json: 0..0, raw: raw.into_owned().into(), fault: Some(fault.what) };
        Transcript { pieces: vec![piece], ..Transcript::default() }
    });
    let is_broken = transcript.messages.is_empty();
    let Transcript { out, pieces, messages } = transcript;
    let text = out.into_text();
    let broken = pieces.first().filter(|_| is_broken).map(|piece| {
        let reason = piece.fault.unwrap_or("not understood").to_owned();
        (reason, redactor.excerpt(&piece.raw, MAX_START).0)
    });
    folder.settle(sender.recv, false);
    let mut listener = Listener {
        decoder: Decoder::new(sender, redactor, &text).folding(folder),
        redactor,
        asks: Vec::new(),
        unknown: Vec::new(),
        page: None,
    };
    listener.pieces(&text, &pieces);
    for message in &messages {
        listener.message(&text, message);
    }
    let Listener { decoder, asks, unknown, page, .. } = listener;
    Heard { packing, batch: decoder.finish(), asks, unknown, page, broken }
}

fn transcribe(bytes: &[u8], packing: Packing) -> Result<Transcript<'_>, Fault> {
    if packing.packer == Packer::Msgpack {
        return envelope::read(&mut Msgpack::new(bytes), bytes.len());
    }
    let text = str::from_utf8(bytes).map_err(|error| Fault { at: error.valid_up_to(), what: "not UTF-8" })?;
    match packing.packer {
        Packer::Transit => envelope::read(&mut Transit::new(text)?, text.len()),
        _ => envelope::read(&mut Edn::new(text), text.len()),
    }
}

/// Reads a single value, as JSON; for tests and fuzzing of the three readers.
///
/// # Errors
/// What is wrong with it.
pub fn value(bytes: &[u8], packer: Packer) -> Result<String, &'static str> {
    let read = |source: &mut dyn envelope::Source<'_>| {
        let mut out = out::Out::default();
        source.value(&mut out)?;
        match source.peek()? {
            envelope::Peek::End => Ok(out.into_text()),
            _ => Err(Fault { at: 0, what: "something follows the value" }),
        }
    };
    let text = || str::from_utf8(bytes).map_err(|_| Fault { at: 0, what: "not UTF-8" });
    let outcome = match packer {
        Packer::Edn => text().and_then(|text| read(&mut Edn::new(text))),
        Packer::Transit => text().and_then(Transit::new).and_then(|mut source| read(&mut source)),
        Packer::Msgpack => read(&mut Msgpack::new(bytes)),
    };
    outcome.map_err(|fault| fault.what)
}

/// Takes the parts of a frame one after the other.
struct Listener<'a> {
    decoder: Decoder<'a>,
    redactor: &'a Redactor,
    asks: Vec<Ask>,
    unknown: Vec<Unknown>,
    page: Option<String>,
}

impl<'a> Listener<'a> {
    /// The events of batches, and what could not be read, in the order sent.
    fn pieces(&mut self, text: &'a str, pieces: &[Piece<'_>]) {
        for piece in pieces {
            match piece.fault {
                Some(reason) => self.decoder.refused(reason, &piece.raw),
                // The text was made here, so it is JSON; what it says may still be no event.
                None => drop(self.decoder.element(text, piece.json.start)),
            }
        }
    }

    fn message(&mut self, text: &'a str, message: &Message) {
        let data = message.data.clone().and_then(|range| text.get(range)).unwrap_or("null");
        let callback = message.callback.as_ref().filter(|callback| callback.len() <= MAX_ECHO).cloned();
        match &*message.id {
            "log/batch" | "log/urgent" | "chsk/ws-pong" | "nrepl/response" => {}
            "chsk/ws-ping" => return self.asks.push(Ask::Ping { callback }),
            "sente-lite/publish" => self.published(data),
            "log/entry" => self.entry(json::get(data, "log"), || message.id.clone(), data),
            "platform-info/update" if data.starts_with('{') => self.platform(data),
            "sente-lite/subscribe" | "sente-lite/unsubscribe" => {
                let channel = json::get(data, "channel-id").and_then(json::text).unwrap_or_default();
                if channel.len() <= MAX_ECHO {
                    self.asks.push(Ask::Channel { channel: channel.into_owned() });
                }
            }
            id => self.unknown(id.to_owned(), data),
        }
        if let Some(callback) = callback {
            self.asks.push(Ask::Reply { callback });
        }
    }

    fn published(&mut self, data: &'a str) {
        let channel = json::get(data, "channel-id").and_then(json::text).unwrap_or_default();
        let entry = json::get(data, "data").filter(|_| channel == LOG_CHANNEL);
        self.entry(entry, || format!("sente-lite/publish {channel}"), data);
    }

    fn entry(&mut self, entry: Option<&'a str>, id: impl FnOnce() -> String, data: &str) {
        match entry.filter(|entry| entry.starts_with('{')) {
            None => self.unknown(id(), data),
            Some(entry) => self.decoder.named(entry, "log/entry"),
        }
    }

    /// What a client says of its machine and page: an event of its session, and the page's address.
    fn platform(&mut self, data: &'a str) {
        self.page = json::get(data, "url").and_then(json::text).map(Cow::into_owned);
        self.decoder.named(data, "platform-info/update");
    }

    fn unknown(&mut self, id: String, data: &str) {
        let id = id.chars().take(MAX_START).collect();
        self.unknown.push(Unknown { id, start: self.redactor.excerpt(data, MAX_START).0 });
    }
}
