//! How an event is told in a line: its message with what it lacks, its endpoint as people read it.
//!
//! Called by whoever lists events: rows, groups, `tail`. What is kept and exported stays as it was sent.

use std::borrow::Cow;

use super::chunk::EventRef;
use super::{Flags, json};

/// What stands for the method of a WebSocket, which has none.
const SOCKET: &str = "WS";
impl<'a> EventRef<'a> {
    /// The message; of a request that got no answer also which it was, where that does not say so.
    pub fn said(self) -> Cow<'a, str> {
        let (msg, endpoint) = (self.msg(), self.shown_endpoint());
        let route = endpoint.split_once(' ').map_or(&*endpoint, |(_, route)| route);
        let is_unanswered = self.flags().has(Flags::FAILED) && self.status().is_none();
        if is_unanswered && !route.is_empty() && !msg.contains(route) {
            return format!("{msg}   {endpoint}").into();
        }
        msg.into()
    }

    /// The endpoint with `WS` where a method stands that a WebSocket does not have.
    pub fn shown_endpoint(self) -> Cow<'a, str> {
        match self.endpoint() {
            "" => "".into(),
            endpoint if self.is_socket() => of_socket(endpoint).into(),
            endpoint => endpoint.into(),
        }
    }

    /// Whether it is about a WebSocket.
    pub fn is_socket(self) -> bool {
        let [url, method] = json::get_all(self.json(), ["url", "method"]);
        let is_address = |url: &str| {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            ["ws", "wss"].iter().any(|socket| scheme.eq_ignore_ascii_case(socket))
        };
        method.is_none() && url.and_then(json::text).is_some_and(|url| is_address(&url))
    }
}

/// The endpoint of a WebSocket as people read it: an endpoint that names no method has that of a request.
pub fn of_socket(endpoint: &str) -> String {
    let route = endpoint.split_once(' ').map_or(endpoint, |(_, route)| route);
    format!("{SOCKET} {route}")
}

#[cfg(test)]
mod tests {
    use super::super::{ChunkBuilder, Family, Msg, Row};
    use super::*;

    fn said(subtype: &str, msg: &str, endpoint: &str, json: &str) -> String {
        let mut builder = ChunkBuilder::new();
        let mut flags = Flags::NONE;
        if !endpoint.is_empty() {
            flags.set(Flags::FAILED);
        }
        let row = Row {
            family: Family::Error,
            flags,
            subtype,
            endpoint,
            msg: Msg::Text(msg),
            json,
            ..Row::default()
        };
        builder.push(&row);
        builder.finish().event(0).said().into_owned()
    }

    #[test]
    fn a_request_without_an_answer_says_which_it_was_and_a_socket_has_no_method() {
        for (msg, endpoint, json, expected) in [
            ("Failed to fetch", "GET /a", r#"{"url":"/a"}"#, "Failed to fetch   GET /a"),
            ("could not connect", "GET h/live", r#"{"url":"WSS://h/live"}"#, "could not connect   WS h/live"),
            ("cannot reach h/live", "GET h/live", r#"{"url":"ws://h/live"}"#, "cannot reach h/live"),
            ("no", "GET h/live", r#"{"url":"ws://h/live","method":"GET"}"#, "no   GET h/live"),
        ] {
            assert_eq!(said("network", msg, endpoint, json), expected);
        }
    }
}
