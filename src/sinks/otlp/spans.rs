//! Requests and page loads as spans.
//!
//! An event is sent when its request ended: the span begins its duration earlier. Names and attributes are those of
//! the semantic conventions for HTTP clients.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::value::add;
use super::{ids, request};
use crate::event::{EventRef, Micros, Timestamp, json};

/// The spans of `events`, `None` if none of them is one.
pub(super) fn of<'a>(
    events: impl Iterator<Item = EventRef<'a>>,
    resource: Option<Resource>,
    scope: Option<InstrumentationScope>,
) -> Option<ResourceSpans> {
    let spans: Vec<_> = events.filter_map(span).collect();
    if spans.is_empty() {
        return None;
    }
    let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
    Some(ResourceSpans { resource, scope_spans, ..ResourceSpans::default() })
}

fn span(event: EventRef<'_>) -> Option<Span> {
    let is_page_load = event.subtype() == "page-load";
    let duration =
        if is_page_load { loaded(event) } else { event.duration().filter(|_| !event.endpoint().is_empty()) }?;
    let ids = ids::sent(event).unwrap_or_else(|| ids::made(event));
    let end = nanos(event.inst());
    let start = end.saturating_sub(duration.0.saturating_mul(1_000));
    let text = |name: &str| event.get(&[name]).and_then(json::text);
    let mut attributes = Vec::new();
    add(&mut attributes, "session.id", event.session());
    add(&mut attributes, "user.id", event.user());
    add(&mut attributes, "url.full", text("url").as_deref().unwrap_or_default());
    let (name, kind) = if is_page_load {
        ("page load".to_owned(), SpanKind::Internal)
    } else {
        attributes.extend(request::attributes(event, &request::server(event)));
        add(&mut attributes, "graphql.operation.name", text("operation-name").as_deref().unwrap_or_default());
        (event.endpoint().to_owned(), SpanKind::Client)
    };
    Some(Span {
        trace_id: ids.trace,
        span_id: ids.span,
        parent_span_id: ids.parent,
        name,
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes,
        events: if is_page_load { phases(event, start) } else { Vec::new() },
        status: Some(status(event, is_page_load)),
        ..Span::default()
    })
}

fn status(event: EventRef<'_>, is_page_load: bool) -> Status {
    let is_error = !is_page_load && request::is_failed(event);
    let code = if is_error { StatusCode::Error } else { StatusCode::Unset };
    let message = if is_error && event.status().is_none() { event.msg().to_owned() } else { String::new() };
    Status { message, code: code.into() }
}

fn loaded(event: EventRef<'_>) -> Option<Micros> {
    event.get(&["timing", "fully-loaded"]).and_then(json::number).and_then(Micros::from_ms)
}

/// The moments of a page load that are counted from its start.
fn phases(event: EventRef<'_>, start: u64) -> Vec<Event> {
    ["dom-content-loaded", "fully-loaded"]
        .into_iter()
        .filter_map(|name| {
            let after = Micros::from_ms(json::number(event.get(&["timing", name])?)?)?;
            Some(Event {
                time_unix_nano: start.saturating_add(after.0.saturating_mul(1_000)),
                name: name.to_owned(),
                ..Event::default()
            })
        })
        .collect()
}

/// Nanoseconds since the epoch; 0 before it.
pub(super) fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000_000)
}
