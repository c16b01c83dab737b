//! One page's connection to an ingestor: address, handshake, hello, batches out, answers in.
//!
//! Used by the generator and by the demo's browsers, who decide what to send again. It keeps no event.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longest a connection may take until its welcome.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Why nothing could be sent.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("`{0}` is no address to send to: write `--url http://HOST:PORT`")]
    Url(String),
    // The reason is in the message, so it is no `source`, which would be told once more.
    #[error("cannot connect to {url}: {reason}; start `taillight` there or name another place with `--url`")]
    Connect { url: String, reason: io::Error },
    #[error("{url} does not take events: {reason}; is it a taillight, and does it let you in?")]
    Refused { url: String, reason: String },
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Where to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As the user wrote it.
    url: String,
    /// `host:port`.
    address: String,
    /// Path and query of the WebSocket.
    path: String,
}

impl Target {
    /// Reads `http://HOST[:PORT]` or `ws://HOST[:PORT][/PATH]`; without a path the native protocol's own.
    pub(super) fn parse(url: &str) -> Result<Self, LoadError> {
        let wrong = || LoadError::Url(url.to_owned());
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://")).ok_or_else(wrong)?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if host.is_empty() || host.contains(['@', ' ']) {
            return Err(wrong());
        }
        let address = if has_port { host.to_owned() } else { format!("{host}:80") };
        let path = if path == "/" { "/v1/ws" } else { path };
        Ok(Self { url: url.to_owned(), address, path: path.to_owned() })
    }

    fn request(&self) -> Result<Request, LoadError> {
        let address = format!("ws://{}{}", self.address, self.path);
        let mut request = address.into_client_request().map_err(|_| LoadError::Url(self.url.clone()))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("taillight.v1"));
        Ok(request)
    }

    fn refused(&self, reason: impl ToString) -> LoadError {
        LoadError::Refused { url: self.url.clone(), reason: reason.to_string() }
    }
}

/// Who a client says it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello<'a> {
    pub(super) session: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) tab: &'a str,
    pub(super) page: &'a str,
    pub(super) now_ms: i64,
    /// What it says it is made of; nothing where it is nothing.
    pub(super) agent: &'static str,
}

/// What the ingestor said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Everything up to here was taken.
    pub(super) acked: Option<u64>,
    /// Nothing is taken for so many milliseconds; what was sent and not acked has to be sent again.
    pub(super) throttle_ms: Option<u64>,
    /// A complaint.
    pub(super) error: Option<String>,
}

/// A connection that has been welcomed.
#[derive(Debug)]
pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(super) async fn connect(target: &Target, hello: &Hello<'_>) -> Result<Self, LoadError> {
        match timeout(CONNECT_WITHIN, Self::introduce(target, hello)).await {
            Ok(client) => client,
            Err(_) => Err(target.refused("no answer in 5 s")),
        }
    }

    async fn introduce(target: &Target, hello: &Hello<'_>) -> Result<Self, LoadError> {
        let unreachable = |reason| LoadError::Connect { url: target.url.clone(), reason };
        let stream = TcpStream::connect(&target.address).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let mut request = target.request()?;
        if !hello.agent.is_empty() {
            request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(hello.agent));
        }
        let (socket, _) = client_async(request, stream).await.map_err(|error| target.refused(error))?;
        let mut client = Self { socket };
        let introduction = json!({
            "t": "hello", "v": 1, "client": format!("{:032x}", fresh_id()?), "session": hello.session,
            "user": hello.user, "tab": hello.tab, "load": 1, "page": hello.page, "now": hello.now_ms, "next": 1,
        });
        client.send(introduction.to_string()).await.map_err(|error| target.refused(error))?;
        let welcome = client.receive().await.map_err(|error| target.refused(error))?;
        match welcome.error {
            Some(error) => Err(target.refused(error)),
            None => Ok(client),
        }
    }

    pub(super) async fn send(&mut self, frame: String) -> Result<(), WsError> {
        match timeout(SEND_WITHIN, self.socket.send(Message::text(frame))).await {
            Ok(sent) => sent,
            Err(_) => Err(WsError::Io(io::ErrorKind::TimedOut.into())),
        }
    }

    /// The next answer; may be cancelled and called again.
    pub(super) async fn receive(&mut self) -> Result<Answer, WsError> {
        loop {
            match self.socket.next().await {
                None => return Err(WsError::ConnectionClosed),
                Some(Ok(Message::Text(text))) => return Ok(answer(text.as_str())),
                Some(message) => drop(message?),
            }
        }
    }

    /// Says goodbye; whether the other side hears it makes no difference.
    pub(super) async fn close(mut self) {
        drop(timeout(CONNECT_WITHIN, self.socket.close(None)).await);
    }
}

fn answer(text: &str) -> Answer {
    #[derive(Deserialize)]
    struct Told<'a> {
        t: &'a str,
        seq: Option<u64>,
        ms: Option<u64>,
        message: Option<String>,
    }
    match serde_json::from_str::<Told<'_>>(text) {
        Ok(Told { t: "ack", seq, .. }) => Answer { acked: seq, ..Answer::default() },
        Ok(Told { t: "throttle", ms, .. }) => {
            Answer { throttle_ms: Some(ms.unwrap_or(0)), ..Answer::default() }
        }
        Ok(Told { t: "error", message, .. }) => Answer { error: message, ..Answer::default() },
        _ => Answer::default(),
    }
}

/// 128 random bits: a client's number must be its own among all pages (CONTRACT: hello).
fn fresh_id() -> Result<u128, LoadError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(LoadError::Random)?;
    Ok(u128::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_host_and_maybe_a_port_and_path() {
        for (url, expected) in [
            ("http://127.0.0.1:8245", Some(("127.0.0.1:8245", "/v1/ws"))),
            ("http://127.0.0.1:8245/", Some(("127.0.0.1:8245", "/v1/ws"))),
            ("ws://[::1]:9/v1/ws?key=k", Some(("[::1]:9", "/v1/ws?key=k"))),
            ("ws://[::1]", Some(("[::1]:80", "/v1/ws"))),
            ("http://dev.example", Some(("dev.example:80", "/v1/ws"))),
            ("https://dev.example", None),
            ("127.0.0.1:8245", None),
            ("http://", None),
            ("http://me@host:1", None),
        ] {
            let target = Target::parse(url).ok();
            let found = target.as_ref().map(|target| (target.address.as_str(), target.path.as_str()));
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn answers_are_acks_throttles_complaints_or_nothing_of_note() {
        for (text, acked, throttle_ms, error) in [
            (r#"{"t":"ack","seq":116}"#, Some(116), None, None),
            (r#"{"t":"throttle","ms":500}"#, None, Some(500), None),
            (r#"{"t":"throttle"}"#, None, Some(0), None),
            (r#"{"t":"error","code":"hello","message":"no"}"#, None, None, Some("no")),
            (r#"{"t":"welcome","acked":3}"#, None, None, None),
            ("not json", None, None, None),
        ] {
            let expected = Answer { acked, throttle_ms, error: error.map(str::to_owned) };
            assert_eq!(answer(text), expected, "{text}");
        }
    }
}
