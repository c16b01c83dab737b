//! A connection of sente-lite or Sente: its handshake, its frames, and the answers its library expects.
//!
//! A part of `ingest::websocket`, which pings, limits and closes. Application pings are never sent from here: after a
//! reconnect sente-lite's client answers them on a socket that is closed. Nothing is sent but what the client's own
//! server would send, as it warns about everything else.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{Connection, Ending, Speech};
use crate::event::Flags;
use crate::wire::sente::answer::{self, Dialect, Reply};
use crate::wire::sente::{self, Packing};
use crate::wire::{Batch, Folder, Hello};

/// Characters of a client id that are kept; Sente's own have 36.
const MAX_CLIENT_ID: usize = 128;

/// How long a Sente client is silent that could not read its handshake; it comes back after ten seconds.
const SILENCE: Duration = Duration::from_secs(5);

/// What is known of the client at the other end.
#[derive(Debug)]
pub(in crate::ingest) struct Talk {
    dialect: Dialect,
    /// Sente's name for a page load; the session of events that name none.
    client_id: String,
    /// The page's own, as its browser tells it; empty for other programs.
    origin: String,
    /// The packing that the URL asks for.
    named: Option<Packing>,
    packing: Packing,
    opened: Instant,
    /// Whether a frame of the client was understood.
    is_proven: bool,
    folder: Folder,
}

impl Talk {
    /// Sente puts its `client-id` into the query, sente-lite puts nothing there.
    pub(super) fn of(query: &str, origin: &str) -> Self {
        let get = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            pair.map(|(_, value)| unescaped(value))
        };
        let client_id = get("client-id");
        Self {
            dialect: if client_id.is_some() { Dialect::Sente } else { Dialect::Lite },
            client_id: client_id.unwrap_or_default().chars().take(MAX_CLIENT_ID).collect(),
            origin: if origin == "null" { String::new() } else { origin.to_owned() },
            named: get("packer").and_then(|name| Packing::named(&name)),
            packing: Packing::default(),
            opened: Instant::now(),
            is_proven: false,
            folder: Folder::default(),
        }
    }
}

/// Resolves the `%xx` of a query's value; what is none stays as it is.
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Sends the handshake: a Sente client sends nothing before it, and neither library takes it twice.
    pub(super) async fn greet(&mut self) -> Result<(), Option<Ending>> {
        let Speech::Sente(talk) = &mut self.speech else { return Ok(()) };
        self.sender.source = "sente";
        self.sender.origin.clone_from(&talk.origin);
        if talk.dialect == Dialect::Sente {
            let (packer, is_another) = self.door.packers.of(&talk.client_id);
            talk.packing = talk.named.unwrap_or(Packing { packer, ..Packing::default() });
            if is_another && talk.named.is_none() {
                let what =
                    format!("{:?} is tried after silence; `?packer=` in its URL says it at once", packer);
                self.door.counters.unknown(crate::ingest::now(), &self.name, "chsk/handshake", &what);
            }
            if !talk.client_id.is_empty() {
                self.sender.session.clone_from(&talk.client_id);
            }
        }
        let reply = answer::handshake(talk.dialect, talk.packing, &self.name);
        self.set_live(Arc::from(self.sender.session.as_str())).await;
        self.reply(reply).await
    }

    /// Takes a frame and answers what waits for an answer.
    pub(super) async fn sente_frame(&mut self, frame: &[u8], is_text: bool) -> Result<(), Option<Ending>> {
        self.sender.recv = crate::ingest::now();
        let Speech::Sente(talk) = &mut self.speech else { return Ok(()) };
        let heard = sente::hear(frame, is_text, &self.sender, &self.door.redactor(), &mut talk.folder);
        let dialect = talk.dialect;
        if heard.broken.is_none() {
            talk.packing = heard.packing;
            if !talk.is_proven && dialect == Dialect::Sente {
                self.door.packers.prove(&talk.client_id, heard.packing.packer);
            }
            talk.is_proven = true;
        }
        if let Some((reason, start)) = &heard.broken {
            self.door.broken(&self.name, reason, start);
        }
        for unknown in &heard.unknown {
            self.door.counters.unknown(self.sender.recv, &self.name, &unknown.id, &unknown.start);
        }
        if let Some(page) = heard.page {
            let hello = Hello { page: Some(page.into()), ..Hello::default() };
            self.sender = self.sender.clone().introduced(&hello);
        }
        if heard.batch.offered > 0 {
            self.keep(heard.batch).await?;
        }
        self.settle(false).await;
        for ask in &heard.asks {
            if let Some(reply) = answer::answer(dialect, heard.packing, ask) {
                self.reply(reply).await?;
            }
        }
        Ok(())
    }

    async fn keep(&mut self, batch: Batch) -> Result<(), Option<Ending>> {
        let last = batch.chunk.events().rev().find(|event| !event.flags().has(Flags::OWN));
        let session = last.map(|event| Arc::from(event.session()));
        self.await_turn(&batch).await?;
        // Events of these protocols are not numbered, so only a taillight that is closing refuses them.
        let _ = self.door.intake.submit(batch, None).await;
        if let Some(session) = session {
            self.set_live(session).await;
        }
        Ok(())
    }

    /// Stores the events about what was folded; `all` of it when the connection ends.
    pub(super) async fn settle(&mut self, all: bool) {
        let Speech::Sente(talk) = &mut self.speech else { return };
        let now = crate::ingest::now();
        self.sender.recv = now;
        if let Some(notes) = talk.folder.notes(now, all, &self.sender) {
            let _ = self.door.intake.submit(notes, None).await;
        }
        let is_unread = talk.dialect == Dialect::Sente && !talk.is_proven && talk.opened.elapsed() >= SILENCE;
        if all && is_unread && talk.named.is_none() {
            self.door.packers.failed(&talk.client_id, talk.packing.packer);
        }
    }

    async fn reply(&mut self, reply: Reply) -> Result<(), Option<Ending>> {
        self.send(match reply {
            Reply::Text(text) => Message::text(text),
            Reply::Binary(bytes) => Message::binary(bytes),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_tells_the_dialect_and_what_it_wants() {
        let talk =
            Talk::of("app=demo&client-id=cid%2D1%zz&csrf-token=x&packer=gzip-transit", "http://a.test");
        assert_eq!((talk.dialect, talk.client_id.as_str()), (Dialect::Sente, "cid-1%zz"));
        assert_eq!(talk.named, Packing::named("gzip-transit"));
        let talk = Talk::of("hs=real", "null");
        assert_eq!((talk.dialect, talk.client_id.as_str(), talk.named), (Dialect::Lite, "", None));
        assert_eq!(
            Talk::of(&format!("client-id={}", "é".repeat(500)), "").client_id.chars().count(),
            MAX_CLIENT_ID
        );
    }
}
