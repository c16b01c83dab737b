//! One HTTP request: admission first, then the file, the answer or the WebSocket it asks for.
//!
//! Called by `ingest::server` for every request head. A refusal is answered with text that says what to do; a web
//! page gets nothing back but statuses.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::ack::ClientKey;
use super::admission::{Facts, Route, Verdict, admit, protocol_keys, query_keys};
use super::door::{Door, MAX_MESSAGE};
use super::files::{self, Traffic};
use super::health;
use super::intake::{Numbered, Receipt};
use super::metrics;
use super::seats::Crowded;
use super::websocket::{self, Speech};
use crate::counters::Counter;
use crate::event::agent;
use crate::wire::{self, Body, Sender};

pub(super) type Answer = Response<Full<Bytes>>;

const BODY_WITHIN: Duration = Duration::from_secs(30);
const PROTOCOL: &str = "taillight.v1";
/// The content types a body of events may have; a beacon of bytes has none.
const BODY_TYPES: [&str; 3] = ["application/json", "application/x-ndjson", "text/plain"];

/// Answers one request.
pub(super) async fn handle(
    request: Request<Incoming>,
    door: Arc<Door>,
    stop: watch::Receiver<bool>,
) -> Answer {
    let is_plain = request.version() == Version::HTTP_11 && request.uri().authority().is_none();
    if !is_plain {
        door.counters.add(Counter::RefusedHead, 1);
        return text(StatusCode::BAD_REQUEST, "HTTP/1.1 with a path is needed");
    }
    match admitted(&request, &door) {
        Verdict::Refuse { status, counter, message, .. } => {
            door.counters.refuse(Counter::refused(counter), super::now(), &message);
            text(StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN), &message)
        }
        Verdict::Allow { route, allow_origin } => {
            let mut answer = route_to(route, request, &door, stop).await;
            allow(&mut answer, allow_origin.as_deref());
            answer
        }
    }
}

fn admitted(request: &Request<Incoming>, door: &Door) -> Verdict {
    let headers = request.headers();
    let raw = |name: HeaderName| -> Vec<&[u8]> {
        headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    };
    let protocols = joined(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    let bearer = joined(headers, &header::AUTHORIZATION);
    let mut keys: Vec<&str> = query_keys(request.uri().query().unwrap_or("")).collect();
    keys.extend(protocol_keys(&protocols));
    let mut tokens: Vec<&str> = bearer.strip_prefix("Bearer ").map(str::trim).into_iter().collect();
    tokens.extend(protocols.split(',').filter_map(|entry| entry.trim().strip_prefix("t.")));
    let facts = Facts {
        method: request.method().as_str(),
        path: request.uri().path(),
        is_upgrade: is_upgrade(headers),
        hosts: &raw(header::HOST),
        origins: &raw(header::ORIGIN),
        fetch_site: headers.get("sec-fetch-site").map(HeaderValue::as_bytes),
        keys: &keys,
        tokens: &tokens,
    };
    admit(&facts, &door.policy)
}

async fn route_to(
    route: Route,
    request: Request<Incoming>,
    door: &Arc<Door>,
    stop: watch::Receiver<bool>,
) -> Answer {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    if let Some((kind, body)) = files::file(route, host, traffic(door).await) {
        let mut answer = file(request.method(), kind, &body);
        if let Some(map) = files::map_of(route) {
            answer.headers_mut().insert("sourcemap", HeaderValue::from_static(map));
        }
        return answer;
    }
    match route {
        Route::Socket => upgrade(request, door, stop),
        Route::Events => events(request, door).await,
        Route::Preflight => preflight(),
        Route::Healthz => match health::line(door).await {
            Some(line) => json(StatusCode::OK, line),
            None => text(StatusCode::SERVICE_UNAVAILABLE, "taillight is closing"),
        },
        Route::Metrics => {
            let form = metrics::Form::wanted(&joined(request.headers(), &header::ACCEPT));
            match metrics::page(door, form).await {
                Some(page) => with_type(StatusCode::OK, form.content_type(), page.into()),
                None => text(StatusCode::SERVICE_UNAVAILABLE, "taillight is closing"),
            }
        }
        Route::MethodNotAllowed(allowed) => {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "this address takes events by POST");
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "nothing here; / says what this is"),
    }
}

async fn traffic(door: &Door) -> Traffic {
    match door.intake.store().ledger().await {
        Some(ledger) if ledger.accepted > 0 => Traffic::Arriving,
        _ if door.was_reached() => Traffic::Connected,
        _ => Traffic::Nothing,
    }
}

/// Takes the events of a POST and says what became of them; a page only learns the status (CONTRACT: addresses).
async fn events(request: Request<Incoming>, door: &Door) -> Answer {
    let headers = request.headers();
    let is_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if let Some(message) = unreadable_type(headers) {
        door.broken("POST", message, "");
        return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let body = match timeout(BODY_WITHIN, Limited::new(request.into_body(), MAX_MESSAGE).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            door.counters.add(Counter::ClosedTooBig, 1);
            return text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "a body may have 1 MiB; send the events in smaller batches",
            );
        }
        Ok(Err(_)) => {
            door.broken("POST", "the body ended early", "");
            return text(StatusCode::BAD_REQUEST, "the body ended early");
        }
        Err(_) => {
            door.counters.add(Counter::RefusedSlow, 1);
            return text(StatusCode::REQUEST_TIMEOUT, "the body took over 30 s");
        }
    };
    let sender = Sender { recv: super::now(), ..door.sender("browser") };
    // Bytes that are no UTF-8 cost the strings they stand in, not the batch.
    let read = wire::decode_body(&String::from_utf8_lossy(&body), &sender, &door.redactor());
    let taken = match read {
        Ok(Body::Bare(batch)) => door.intake.submit(batch, None).await,
        Ok(Body::Envelope { client, seq, batch }) => {
            let numbered = Numbered { client: ClientKey::of(&client), first: seq };
            door.intake.submit(batch, Some(numbered)).await
        }
        Ok(Body::Gap { client, sender, gap }) => {
            let told = door.intake.gap(ClientKey::of(&client), gap, &sender, &door.redactor()).await;
            told.map(|_| Receipt::default())
        }
        Err(error) => {
            let start = String::from_utf8_lossy(&body[..body.len().min(1024)]).into_owned();
            door.broken("POST", &error.without_text(), &start);
            let status = StatusCode::BAD_REQUEST;
            return if is_page { empty(status) } else { text(status, &error.to_string()) };
        }
    };
    match taken {
        Ok(_) if is_page => empty(StatusCode::ACCEPTED),
        Ok(receipt) => json(StatusCode::ACCEPTED, receipt_line(&receipt)),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "not now; send it again in a second"),
    }
}

fn receipt_line(receipt: &Receipt) -> String {
    let rejected: Vec<_> = receipt
        .rejected
        .iter()
        .map(|no| serde_json::json!({ "index": no.index, "reason": no.reason }))
        .collect();
    serde_json::json!({ "accepted": receipt.accepted, "rejected": rejected }).to_string()
}

fn unreadable_type(headers: &HeaderMap) -> Option<&'static str> {
    let encoding = joined(headers, &header::CONTENT_ENCODING);
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        return Some("send the body without content-encoding");
    }
    let kind = joined(headers, &header::CONTENT_TYPE);
    let kind = kind.split(';').next().unwrap_or("").trim();
    let is_known = kind.is_empty() || BODY_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind));
    (!is_known).then_some("send events as application/json, application/x-ndjson or text/plain")
}

/// Completes the handshake and leaves the connection to `ingest::websocket` (RFC 6455 §4.2.2).
fn upgrade(mut request: Request<Incoming>, door: &Arc<Door>, stop: watch::Receiver<bool>) -> Answer {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut answer = text(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 is spoken here");
        answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return answer;
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing");
    };
    let accept = derive_accept_key(key.as_bytes());
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let seat = match door.seats.take(origin) {
        Ok(seat) => seat,
        Err(full) => return full_house(door, &full),
    };
    let origin = origin.unwrap_or("");
    let speech = Speech::of(request.uri().path(), request.uri().query().unwrap_or(""), origin);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let agent: Arc<str> = agent::named(agent).into();
    let protocols = joined(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    let speaks_ours = protocols.split(',').any(|entry| entry.trim() == PROTOCOL);
    let door = Arc::clone(door);
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A peer that leaves before the handshake is complete has sent nothing yet.
        if let Ok(stream) = upgraded.await {
            websocket::serve(TokioIo::new(stream), door, (speech, agent), stop).await;
        }
        drop(seat);
    });
    let mut answer = empty(StatusCode::SWITCHING_PROTOCOLS);
    let to = answer.headers_mut();
    to.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    to.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        to.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if speaks_ours {
        to.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    answer
}

fn full_house(door: &Door, full: &Crowded) -> Answer {
    let message = full.to_string();
    door.counters.refuse(Counter::RefusedConnections, super::now(), &message);
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, &message);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

fn preflight() -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let to = answer.headers_mut();
    to.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    to.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    to.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}

/// Lets the one admitted origin see the status; credentials because beacons always carry them.
fn allow(answer: &mut Answer, origin: Option<&str>) {
    let to = answer.headers_mut();
    to.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin).ok()) {
        to.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        to.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let names = |name: &HeaderName, word: &str| {
        joined(headers, name).split(',').any(|entry| entry.trim().eq_ignore_ascii_case(word))
    };
    names(&header::UPGRADE, "websocket") && names(&header::CONNECTION, "upgrade")
}

/// All values of a header as one list; values that are not ASCII are left out.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

fn file(method: &Method, kind: &'static str, body: &str) -> Answer {
    let body = if method == Method::HEAD { Bytes::new() } else { Bytes::copy_from_slice(body.as_bytes()) };
    let mut answer = with_type(StatusCode::OK, kind, body);
    let to = answer.headers_mut();
    // A page of any origin may load the client, and must not keep an old one.
    to.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    answer
}

fn json(status: StatusCode, body: String) -> Answer {
    with_type(status, "application/json", body.into())
}

pub(super) fn text(status: StatusCode, message: &str) -> Answer {
    with_type(status, "text/plain; charset=utf-8", format!("taillight: {message}\n").into())
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let to = answer.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    to.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
