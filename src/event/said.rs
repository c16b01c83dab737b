//! How an event is told in a line: its message with what it lacks, its endpoint as people read it.
//!
//! Called by whoever lists events: rows, groups, `tail`. What is kept and exported stays as it was sent.

use std::borrow::Cow;

use super::chunk::EventRef;
use super::json::{self, Shape};
use super::{Family, Flags};

/// What stands for the method of a WebSocket, which has none.
const SOCKET: &str = "WS";
/// A longer name is no class of errors.
const MAX_NAME: usize = 80;
/// A page that claims more is not believed.
const MAX_TIMES: f64 = 1e9;
/// Ways in which browsers tell of an object that was thrown, without telling what was in it.
const BARE: [&str; 3] = ["#<Object>", "[object Object]", "[object]"];

impl<'a> EventRef<'a> {
    /// The headline; of a request that got no answer also which it was, where that does not say so.
    pub fn said(self) -> Cow<'a, str> {
        let (headline, endpoint) = (self.headline(), self.shown_endpoint());
        let route = endpoint.split_once(' ').map_or(&*endpoint, |(_, route)| route);
        let is_unanswered = self.flags().has(Flags::FAILED) && self.status().is_none();
        if is_unanswered && !route.is_empty() && !headline.contains(route) {
            return format!("{headline}   {endpoint}").into();
        }
        headline
    }

    /// The message; that of an error as browsers print it, with its name, and of what is none by what was thrown.
    pub fn headline(self) -> Cow<'a, str> {
        // Lists of errors would read all of them otherwise; most say it in their message.
        if !self.flags().has(Flags::RETOLD) {
            return self.msg().into();
        }
        let [name, value] = json::get_all(self.json(), ["name", "value"]);
        retold(self.subtype(), self.msg(), name, value).map_or(self.msg().into(), Cow::from)
    }

    /// How often it happened: a page folds a burst of the same problem into one event, which says how many more and
    /// since when (`count`, `first`).
    pub fn times(self) -> u64 {
        if !self.flags().has(Flags::FOLDED) {
            return 1;
        }
        let [count] = json::get_all(self.json(), ["count"]);
        let count = count.and_then(json::number).filter(|count| *count >= 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked, and clamped to what is exact"
        )]
        count.map_or(1, |count| count.min(MAX_TIMES) as u64)
    }

    /// The endpoint with `WS` where a method stands that a WebSocket does not have.
    pub fn shown_endpoint(self) -> Cow<'a, str> {
        match self.endpoint() {
            "" => "".into(),
            endpoint if self.is_socket() => of_socket(endpoint).into(),
            endpoint => endpoint.into(),
        }
    }

    /// Whether it is about a request that the page gave up.
    pub fn is_aborted(self) -> bool {
        let may_be = self.status().is_none() && !self.flags().has(Flags::FAILED);
        may_be && self.get(&["aborted"]) == Some("true")
    }

    /// Whether it is about a WebSocket.
    pub fn is_socket(self) -> bool {
        // What was answered is none; screens ask for every request, and most were.
        if self.status().is_some() {
            return false;
        }
        let [url, method] = json::get_all(self.json(), ["url", "method"]);
        let is_address = |url: &str| {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            ["ws", "wss"].iter().any(|socket| scheme.eq_ignore_ascii_case(socket))
        };
        method.is_none() && url.and_then(json::text).is_some_and(|url| is_address(&url))
    }
}

/// Whether a problem stands for a burst and whether it is told in other words than its message, from its members: keys
/// as written and values.
pub fn problem_marks<'a>(
    family: Family,
    subtype: &str,
    msg: &str,
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> Flags {
    let [name, value, count, first] = json::pick(members, ["name", "value", "count", "first"]);
    let mut flags = Flags::NONE;
    // Warnings are folded too.
    if count.and(first).is_some() {
        flags.set(Flags::FOLDED);
    }
    if family == Family::Error && retold(subtype, msg, name, value).is_some() {
        flags.set(Flags::RETOLD);
    }
    flags
}

/// The message of an error with its name, or what was thrown; `None` where the message alone says it.
fn retold(subtype: &str, msg: &str, name: Option<&str>, value: Option<&str>) -> Option<String> {
    let name = name.and_then(json::text).unwrap_or_default();
    if name.is_empty() {
        return thrown(subtype, msg, value);
    }
    // `Error` alone says no more than the level.
    let is_telling = name != "Error" && name.len() <= MAX_NAME;
    (is_telling && !msg.contains(&*name)).then(|| format!("{name}: {msg}"))
}

/// `Promise rejected with undefined`, `thrown: {"odd":1}`: what an error says that is none, where its message is no
/// text that a person wrote.
fn thrown(subtype: &str, msg: &str, value: Option<&str>) -> Option<String> {
    let word = match subtype {
        "promise" => "Promise rejected with ",
        "javascript" => "thrown: ",
        _ => return None,
    };
    let object = value.filter(|value| matches!(json::shape(value), Shape::Object | Shape::Array));
    let is_bare = BARE.iter().any(|bare| msg.ends_with(bare));
    let is_constant = ["undefined", "null", "true", "false"].contains(&msg) || msg.parse::<f64>().is_ok();
    match object {
        Some(object) if is_bare || msg.starts_with(['{', '[']) => Some(format!("{word}{object}")),
        _ if is_bare => Some(format!("{word}an object")),
        _ if is_constant || msg.starts_with('{') => Some(format!("{word}{msg}")),
        _ => None,
    }
}

/// The endpoint of a WebSocket as people read it: an endpoint that names no method has that of a request.
pub fn of_socket(endpoint: &str) -> String {
    let route = endpoint.split_once(' ').map_or(endpoint, |(_, route)| route);
    format!("{SOCKET} {route}")
}

#[cfg(test)]
mod tests {
    use super::super::{ChunkBuilder, Msg, Row};
    use super::*;

    fn said(subtype: &str, msg: &str, endpoint: &str, json: &str) -> String {
        let mut builder = ChunkBuilder::new();
        let mut flags = Flags::NONE;
        if !endpoint.is_empty() {
            flags.set(Flags::FAILED);
        }
        let members = json::members(json).map(|member| (member.key, member.value));
        flags.set(problem_marks(Family::Error, subtype, msg, members));
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
    fn an_error_is_told_with_its_name_unless_it_says_it_already() {
        for (msg, json, expected) in [
            ("x is not a function", r#"{"name":"TypeError"}"#, "TypeError: x is not a function"),
            ("Uncaught TypeError: x", r#"{"name":"TypeError"}"#, "Uncaught TypeError: x"),
            ("boom", r#"{"name":"Error"}"#, "boom"),
            ("boom", r#"{"name":""}"#, "boom"),
            ("boom", r#"{"name":7}"#, "boom"),
            ("boom", "{}", "boom"),
        ] {
            assert_eq!(said("javascript", msg, "", json), expected, "{json}");
        }
    }

    #[test]
    fn what_was_thrown_and_is_no_error_says_what_it_is() {
        for (subtype, msg, json, expected) in [
            ("promise", "undefined", "{}", "Promise rejected with undefined"),
            ("promise", "404", "{}", "Promise rejected with 404"),
            ("promise", "no network", "{}", "no network"),
            ("promise", r#"{"odd":1}"#, r#"{"value":{"odd":1}}"#, r#"Promise rejected with {"odd":1}"#),
            ("javascript", "Uncaught #<Object>", r#"{"value":{"odd":1}}"#, r#"thrown: {"odd":1}"#),
            ("javascript", "uncaught exception: [object Object]", "{}", "thrown: an object"),
            ("javascript", "Payment failed", r#"{"value":{"odd":1}}"#, "Payment failed"),
            ("custom", "undefined", "{}", "undefined"),
            ("console", r#"{"odd":1}"#, r#"{"value":{"odd":1}}"#, r#"{"odd":1}"#),
        ] {
            assert_eq!(said(subtype, msg, "", json), expected, "{msg}");
        }
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
