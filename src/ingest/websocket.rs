//! One WebSocket connection: pings, limits and the reasons to close; and the native protocol with its hello, batches
//! and acks. What sente-lite and Sente speak is in `websocket::sente`.
//!
//! Spawned by `ingest::http` after the handshake. It decodes, submits and answers; it keeps nothing of the events
//! and never sends anything about other connections.

mod ending;
mod noted;
mod sente;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, poll};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::ack::ClientKey;
use super::asks::{Ask, Listening};
use super::door::{Door, MAX_MESSAGE, MAX_SENTE_MESSAGE};
use super::flow::Flow;
use super::intake::{Numbered, Refusal};
use super::meter::{Metered, Progress, RATE};
use crate::counters::{Counter, Entry};
use crate::event::{Timestamp, json};
use crate::store::{Presence, StoreMsg};
use crate::wire::{self, Batch, Frame, Gap, Hello, Sender};
use ending::Ending;

/// tokio-tungstenite's own default costs 134 KB a connection, this 7 KB (SECURITY: findings).
const BUFFER: usize = 4 * 1024;
const MAX_WRITE_BUFFER: usize = 256 * 1024;
/// When a connection is looked after.
const TIMES: Times = Times {
    check_every: Duration::from_secs(5),
    ping_every: Duration::from_secs(20),
    dead_after: Duration::from_secs(60),
    finish_within: Duration::from_secs(30),
    send_within: Duration::from_secs(10),
};
const DRAIN_FOR: Duration = Duration::from_secs(1);
/// Pings and pongs a second, and how many may come at once.
const CONTROL_RATE: u32 = 50;
const CONTROL_BURST: u32 = 200;
/// Batches that one ack may stand for while the next is there already: as many as a client has under way at once
/// (SECURITY: client).
const MAX_OWED: u32 = 4;
/// What a client is told to wait when its batch cannot be taken yet.
const THROTTLE_MS: u64 = 500;

/// See [`TIMES`].
#[derive(Clone, Copy, Debug)]
struct Times {
    check_every: Duration,
    ping_every: Duration,
    /// A peer that says nothing for so long, not even to a ping, is gone.
    dead_after: Duration,
    /// How long a message may take once it has begun.
    finish_within: Duration,
    /// How long an answer may take to be sent.
    send_within: Duration,
}

/// Which protocol a connection speaks: its path says it.
#[derive(Debug)]
pub(super) enum Speech {
    Native,
    Sente(sente::Talk),
}

impl Speech {
    /// Any path but the native one is taken for Sente's: clients connect wherever their app says.
    pub(super) fn of(path: &str, query: &str, origin: &str) -> Self {
        if path == "/v1/ws" { Self::Native } else { Self::Sente(sente::Talk::of(query, origin)) }
    }

    fn max_message(&self) -> usize {
        match self {
            Self::Native => MAX_MESSAGE,
            Self::Sente(_) => MAX_SENTE_MESSAGE,
        }
    }
}

/// Serves the connection until it ends; its handshake said what is spoken and which browser it is.
pub(super) async fn serve<S>(stream: S, door: Arc<Door>, who: (Speech, Arc<str>), stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    serve_at(TIMES, stream, door, who, stop).await;
}

async fn serve_at<S>(
    times: Times,
    stream: S,
    door: Arc<Door>,
    (speech, agent): (Speech, Arc<str>),
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (max, progress) = (speech.max_message(), Arc::new(Progress::new(door.receiving.enter())));
    let metered = Metered::new(stream, Arc::clone(&progress), 2 * max as u64, RATE);
    let socket = socket_of(metered, max).await;
    let mut connection = Connection::new(times, Arc::clone(&door), (socket, progress), (speech, agent));
    door.counters.connected();
    let ending = connection.run(&mut stop).await;
    connection.end(ending).await;
    door.counters.disconnected();
}

async fn socket_of<S>(metered: Metered<S>, max: usize) -> WebSocketStream<Metered<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = BUFFER;
    config.write_buffer_size = BUFFER;
    config.max_write_buffer_size = MAX_WRITE_BUFFER;
    config.max_message_size = Some(max);
    config.max_frame_size = Some(max);
    WebSocketStream::from_raw_socket(metered, Role::Server, Some(config)).await
}

struct Connection<S> {
    times: Times,
    door: Arc<Door>,
    socket: WebSocketStream<Metered<S>>,
    progress: Arc<Progress>,
    speech: Speech,
    /// `Chrome 126 · macOS`
    agent: Arc<str>,
    /// `conn-7`: the session of a client that names none.
    name: String,
    sender: Sender,
    client: Option<ClientKey>,
    /// What was taken and is not acked yet, and of how many batches.
    owed: Option<(u64, u32)>,
    /// The session the store was told is live.
    live: Option<Arc<str>>,
    heard: Instant,
    pinged: Instant,
    control: u32,
    control_at: Instant,
    flow: Flow,
    asks: Listening,
    /// What the health screen knows of the page.
    page: Entry,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    fn new(
        times: Times,
        door: Arc<Door>,
        (socket, progress): (WebSocketStream<Metered<S>>, Arc<Progress>),
        (speech, agent): (Speech, Arc<str>),
    ) -> Self {
        let number = door.next_connection();
        let name = format!("conn-{number}");
        let page = door.counters.pages().enter(number, &name);
        let sender = Sender { session: name.clone(), ..door.sender("browser") };
        let (now, asks) = (Instant::now(), door.asks.listen());
        Self {
            times,
            door,
            socket,
            progress,
            speech,
            agent,
            name,
            sender,
            client: None,
            owed: None,
            live: None,
            heard: now,
            pinged: now,
            control: CONTROL_BURST,
            control_at: now,
            flow: Flow::default(),
            asks,
            page,
        }
    }

    async fn run(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Ending> {
        let mut check = interval(self.times.check_every);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if let Err(ending) = self.greet().await {
            return ending;
        }
        loop {
            // Looked at after each check at the latest, which comes more often than a message may take.
            let late = self.progress.since().map(|since| since + self.times.finish_within);
            let outcome = tokio::select! {
                biased;
                () = super::server::stopped(stop) => {
                    Err(Some(Ending { code: CloseCode::Away, reason: "taillight is closing", counter: None }))
                }
                _ = check.tick() => self.check().await,
                ask = self.asks.next() => self.ask(&ask).await,
                // What takes a message is large, and most connections are idle.
                message = self.socket.next() => Box::pin(self.hear(message)).await,
                () = sleep_until(late.unwrap_or(self.heard)), if late.is_some() => {
                    Err(Some(Ending::of(CloseCode::Policy, "message not finished", Counter::ClosedNoProgress)))
                }
                () = self.progress.lost() => {
                    Err(Some(Ending::of(CloseCode::Restart, "too much is sent at once", Counter::ClosedRecycled)))
                }
                () = std::future::ready(()), if self.owed.is_some() => {
                    let paid = self.pay().await;
                    // The socket may have held back for others to have their turn.
                    tokio::task::yield_now().await;
                    paid
                }
            };
            if let Err(ending) = outcome {
                return ending;
            }
        }
    }

    /// Takes what the socket gave; `None` where it has ended.
    async fn hear(&mut self, message: Option<Result<Message, WsError>>) -> Result<(), Option<Ending>> {
        match message {
            Some(Ok(message)) => {
                let is_data = message.is_text() || message.is_binary();
                self.take(message).await?;
                if is_data {
                    self.shrink().await;
                }
                Ok(())
            }
            Some(Err(error)) => {
                self.note(&error);
                Err(Ending::after(&error, self.speech.max_message()))
            }
            None => Err(None),
        }
    }

    /// Owes the ack of one batch more.
    async fn owe(&mut self, acked: u64) -> Result<(), Option<Ending>> {
        let batches = self.owed.map_or(0, |(_, batches)| batches) + 1;
        self.owed = Some((acked, batches));
        if batches < MAX_OWED { Ok(()) } else { self.pay().await }
    }

    /// Waits until the connection may bring this batch in. What was taken before does not wait for it.
    async fn await_turn(&mut self, batch: &Batch) -> Result<(), Option<Ending>> {
        if self.flow.may_wait(&self.door.intake) {
            self.pay().await?;
            if self.flow.turn(&self.door.intake).await {
                self.door.counters.add(Counter::Throttled, 1);
            }
        }
        self.flow.took(batch.chunk.bytes(), batch.offered);
        Ok(())
    }

    /// Sends the ack that is owed.
    async fn pay(&mut self) -> Result<(), Option<Ending>> {
        match self.owed.take() {
            Some((acked, _)) => {
                self.send(Message::text(json!({ "t": "ack", "seq": acked }).to_string())).await
            }
            None => Ok(()),
        }
    }

    /// Gives back the room that a large message took: tungstenite would keep it as long as the connection lasts.
    async fn shrink(&mut self) {
        if self.socket.get_ref().is_at_end()
            && matches!(timeout(self.times.send_within, self.socket.flush()).await, Ok(Ok(())))
        {
            let metered = self.socket.get_mut().take();
            self.socket = socket_of(metered, self.speech.max_message()).await;
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Option<Ending>> {
        self.heard = Instant::now();
        match message {
            Message::Text(text) => {
                self.message_done(text.len());
                if matches!(self.speech, Speech::Sente(_)) {
                    return self.sente_frame(text.as_bytes(), true).await;
                }
                self.frame(text.as_str()).await
            }
            Message::Binary(bytes) => {
                self.message_done(bytes.len());
                if matches!(self.speech, Speech::Sente(_)) {
                    return self.sente_frame(&bytes, false).await;
                }
                let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).into_owned();
                self.broken("binary", "binary frames are not understood here; send JSON text", &start).await
            }
            Message::Ping(payload) | Message::Pong(payload) => self.control_frame(payload.len()),
            Message::Close(_) => Err(None),
            Message::Frame(_) => Ok(()),
        }
    }

    /// Remembers what is wrong with the frame that ends the connection.
    fn note(&self, error: &WsError) {
        let (reason, what) = match error {
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                if self.progress.unfinished() == 0 {
                    return;
                }
                ("cut off", "the connection ended within a message".to_owned())
            }
            WsError::Protocol(error) => ("protocol error", format!("{error}; the connection was closed")),
            WsError::Utf8(_) => ("not UTF-8", "a text message; the connection was closed".to_owned()),
            WsError::Capacity(error) => ("too big", format!("{error}; the connection was closed")),
            _ => return,
        };
        self.door.broken(&self.name, reason, &what);
    }

    fn message_done(&mut self, bytes: usize) {
        self.page.note(|page| page.bytes += bytes as u64);
        self.progress.finished();
        self.door.counters.add(Counter::Throttled, self.progress.take_pauses());
        self.door.counters.add(Counter::FramesReceived, 1);
    }

    /// A token bucket: browsers send no pings at all, so whoever sends hundreds is no browser.
    fn control_frame(&mut self, payload: usize) -> Result<(), Option<Ending>> {
        let refill = self.control_at.elapsed().as_millis() * u128::from(CONTROL_RATE) / 1000;
        if let Ok(refill @ 1..) = u32::try_from(refill) {
            self.control = (self.control + refill).min(CONTROL_BURST);
            self.control_at = Instant::now();
        }
        if self.control == 0 {
            return Err(Some(Ending::of(
                CloseCode::Policy,
                "too many control frames",
                Counter::ClosedControl,
            )));
        }
        self.control -= 1;
        self.progress.apart(payload);
        Ok(())
    }

    async fn check(&mut self) -> Result<(), Option<Ending>> {
        if self.heard.elapsed() >= self.times.dead_after {
            return Err(Some(Ending::of(CloseCode::Away, "nothing heard for 60 s", Counter::ClosedIdle)));
        }
        self.settle(false).await;
        if self.pinged.elapsed() >= self.times.ping_every {
            self.pinged = Instant::now();
            self.send(Message::Ping(Vec::new().into())).await?;
        }
        Ok(())
    }

    async fn frame(&mut self, text: &str) -> Result<(), Option<Ending>> {
        self.sender.recv = super::now();
        match wire::decode_frame(text, &self.sender, &self.door.redactor()) {
            Ok(Frame::Hello(hello)) => self.hello(&hello).await,
            Ok(Frame::Batch { seq, batch }) => self.batch(seq, *batch).await,
            Ok(Frame::Gap(gap)) => self.gap(gap).await,
            Ok(Frame::Reply { id, data }) if self.asks.is_answered_by(&id) => self.answered(data).await,
            Ok(Frame::Reply { id, .. }) => {
                let message = format!("reply `{id}` answers no request");
                self.broken("reply", &message, text).await
            }
            Err(error) => {
                self.door.broken(&self.name, &error.without_text(), text);
                self.complain(error.code(), &error.to_string()).await
            }
        }
    }

    async fn hello(&mut self, hello: &Hello<'_>) -> Result<(), Option<Ending>> {
        if hello.client.is_empty() {
            return self.broken("missing", "`hello` needs `client`", "").await;
        }
        let known =
            Sender { recv: self.sender.recv, session: self.name.clone(), ..self.door.sender("browser") };
        self.sender = known.introduced(hello);
        let client = ClientKey::of(&hello.client);
        self.client = Some(client);
        self.note_hello(hello);
        let acked = self.door.intake.hello(client, hello.next.unwrap_or(1)).await;
        self.set_live(Arc::from(self.sender.session.as_str())).await;
        let welcome = json!({
            "t": "welcome", "v": 1, "acked": acked, "now": super::now().0,
            "level": self.door.intake.sinks().level().name(), "max-bytes": 65_536, "sample": {}, "min-level": "trace",
        });
        self.answer(&welcome).await
    }

    async fn batch(&mut self, seq: u64, batch: Batch) -> Result<(), Option<Ending>> {
        let Some(client) = self.client else {
            return self.broken("hello", "a `hello` must come before the first batch", "").await;
        };
        self.await_turn(&batch).await?;
        self.note_batch(&batch);
        let door = Arc::clone(&self.door);
        let mut taken = std::pin::pin!(door.intake.submit(batch, Some(Numbered { client, first: seq })));
        let receipt = match poll!(&mut taken) {
            Poll::Ready(receipt) => receipt,
            // What was taken before does not wait for it.
            Poll::Pending => {
                self.pay().await?;
                taken.await
            }
        };
        let receipt = match receipt {
            Ok(receipt) => receipt,
            Err(Refusal::TooManyGaps) => {
                self.door.counters.add(Counter::Throttled, 1);
                return self.answer(&json!({ "t": "throttle", "ms": THROTTLE_MS })).await;
            }
            Err(Refusal::Stopping) => return Ok(()),
        };
        if !receipt.rejected.is_empty() {
            let rejected: Vec<_> =
                receipt.rejected.iter().map(|no| json!({ "index": no.index, "reason": no.reason })).collect();
            self.answer(&json!({ "t": "nack", "seq": seq, "rejected": rejected })).await?;
        }
        self.owe(receipt.acked.unwrap_or(0)).await
    }

    async fn gap(&mut self, gap: Gap<'_>) -> Result<(), Option<Ending>> {
        let Some(client) = self.client else {
            return self.broken("hello", "a `hello` must come before a `gap`", "").await;
        };
        match self.door.intake.gap(client, gap, &self.sender, &self.door.redactor()).await {
            Ok((acked, missing)) => {
                self.page.note(|page| page.missing += missing);
                self.answer(&json!({ "t": "ack", "seq": acked })).await
            }
            Err(Refusal::TooManyGaps) => self.answer(&json!({ "t": "throttle", "ms": THROTTLE_MS })).await,
            Err(Refusal::Stopping) => Ok(()),
        }
    }

    /// Passes a question on, if it is this page's.
    async fn ask(&mut self, ask: &Ask) -> Result<(), Option<Ending>> {
        if self.client.is_none() || *ask.session != *self.sender.session {
            return Ok(());
        }
        self.asks.passed_on(ask);
        self.answer(&json!({ "t": "request", "id": &*ask.id, "kind": "diagnostics" })).await
    }

    /// Keeps what the page said of itself as an event.
    async fn answered(&mut self, data: &str) -> Result<(), Option<Ending>> {
        let buffered = json::get(data, "buffered").and_then(json::number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        self.page.note(|page| page.buffered = buffered.map(|events| events as u64));
        let note = wire::answer_note(data, &self.sender, &self.door.redactor());
        // Whoever asked sees that nothing came; the page has nothing to send again.
        let _ = self.door.intake.submit(note, None).await;
        Ok(())
    }

    async fn broken(&mut self, code: &str, message: &str, text: &str) -> Result<(), Option<Ending>> {
        self.door.broken(&self.name, message, text);
        self.complain(code, message).await
    }

    async fn complain(&mut self, code: &str, message: &str) -> Result<(), Option<Ending>> {
        self.answer(&json!({ "t": "error", "code": code, "message": message })).await
    }

    async fn answer(&mut self, value: &serde_json::Value) -> Result<(), Option<Ending>> {
        self.pay().await?;
        self.send(Message::text(value.to_string())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Option<Ending>> {
        match timeout(self.times.send_within, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(WsError::WriteBufferFull(_))) | Err(_) => {
                Err(Some(Ending::of(CloseCode::Again, "answers are not read", Counter::ClosedSlowReader)))
            }
            Ok(Err(_)) => Err(None),
        }
    }

    /// Tells the store which session this connection keeps live.
    async fn set_live(&mut self, session: Arc<str>) {
        self.change_live(Some(session), Presence::Gone).await;
    }

    /// The same, `None` for none any more; what becomes of the one before is said.
    async fn change_live(&mut self, session: Option<Arc<str>>, before: Presence) {
        if self.live == session {
            return;
        }
        let at: Timestamp = super::now();
        let store = self.door.intake.store();
        let tab: Arc<str> = Arc::from(self.sender.tab.as_str());
        if let Some(session) = self.live.take() {
            let (tab, agent) = (Arc::clone(&tab), Arc::clone(&self.agent));
            store.send(StoreMsg::Session { session, tab, agent, presence: before, at }).await;
        }
        if let Some(session) = session {
            self.page.note(|page| {
                session.as_ref().clone_into(&mut page.session);
                page.tab.clone_from(&self.sender.tab);
            });
            let agent = Arc::clone(&self.agent);
            store
                .send(StoreMsg::Session {
                    session: Arc::clone(&session),
                    tab,
                    agent,
                    presence: Presence::Here,
                    at,
                })
                .await;
            self.live = Some(session);
        }
        self.door.dirty.notify_one();
    }

    /// Says goodbye with a code, then reads on for a moment: a reset would take the code away from the peer.
    async fn end(&mut self, ending: Option<Ending>) {
        self.settle(true).await;
        let is_lost = ending.as_ref().is_some_and(|ending| ending.counter == Some(Counter::ClosedIdle));
        self.change_live(None, if is_lost { Presence::Lost } else { Presence::Gone }).await;
        let Some(ending) = ending else {
            // The peer closed first. Its answer is written already and only has to go out (RFC 6455 §5.5.1): a close of
            // our own would be refused after it, and the answer with it.
            drop(timeout(DRAIN_FOR, self.socket.flush()).await);
            return;
        };
        if let Some(counter) = ending.counter {
            self.door.counters.add(counter, 1);
        }
        drop(timeout(DRAIN_FOR, self.pay()).await);
        let frame = CloseFrame { code: ending.code, reason: ending.reason.into() };
        drop(timeout(DRAIN_FOR, self.socket.close(Some(frame))).await);
        let stream = self.socket.get_mut();
        let drain = async {
            let mut rest = [0_u8; 1024];
            while matches!(stream.read(&mut rest).await, Ok(1..)) {}
        };
        drop(timeout(DRAIN_FOR, drain).await);
    }
}

#[cfg(test)]
mod tests;
