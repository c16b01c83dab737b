//! What spans and histograms say of a request, by the names of the semantic conventions for HTTP clients.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use ureq::http::Uri;

use super::value::{add, attribute};
use crate::event::{EventRef, json};

/// Whom a request went to, as its address says; an empty name where that is a path alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Server {
    name: String,
    port: u16,
}

pub(super) fn server(event: EventRef<'_>) -> Server {
    let uri = event.get(&["url"]).and_then(json::text).and_then(|url| url.parse::<Uri>().ok());
    let Some((uri, name)) = uri.as_ref().and_then(|uri| Some((uri, uri.host()?))) else {
        return Server::default();
    };
    let usual = if matches!(uri.scheme_str(), Some("https" | "wss")) { 443 } else { 80 };
    Server { name: name.to_ascii_lowercase(), port: uri.port_u16().unwrap_or(usual) }
}

pub(super) fn attributes(event: EventRef<'_>, server: &Server) -> Vec<KeyValue> {
    let (method, route) = event.endpoint().split_once(' ').unwrap_or((event.endpoint(), ""));
    let mut attributes = Vec::new();
    add(&mut attributes, "http.request.method", method);
    add(&mut attributes, "url.template", route);
    if !server.name.is_empty() {
        add(&mut attributes, "server.address", &server.name);
        attributes.push(attribute("server.port", Any::IntValue(server.port.into())));
    }
    if let Some(status) = event.status() {
        attributes.push(attribute("http.response.status_code", Any::IntValue(status.into())));
    }
    add(&mut attributes, "error.type", &error(event));
    attributes
}

/// Whether it came to nothing: an answer of 400 or more, or none at all.
pub(super) fn is_failed(event: EventRef<'_>) -> bool {
    event.status().map_or(event.kind() == "error", |status| status >= 400)
}

/// The status of an answer, or that there was none; empty where all went well.
fn error(event: EventRef<'_>) -> String {
    if !is_failed(event) {
        return String::new();
    }
    event.status().map_or_else(|| "network".to_owned(), |status| status.to_string())
}
