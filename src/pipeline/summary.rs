//! The short line that stands for an event without a message: `GET /api/users 200 in 234 ms`.
//!
//! Called by `wire::row` for each such event. It reads the event's data but never changes it.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::event::{Micros, json};

/// What the line is made from.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub kind: &'a str,
    pub subtype: &'a str,
    pub endpoint: &'a str,
    pub status: Option<u16>,
    pub duration: Option<Micros>,
    /// The whole address, empty where the event has none.
    pub url: &'a str,
    /// Whether the page gave the request up.
    pub is_aborted: bool,
    /// How long the page took to load, where the event tells of that.
    pub load_ms: Option<f64>,
    /// Key, as written, and value of the event's other members.
    pub members: &'a [(&'a str, &'a str)],
}

impl<'a> Fields<'a> {
    fn get<const N: usize>(&self, names: [&str; N]) -> [Option<&'a str>; N] {
        json::pick(self.members.iter().copied(), names)
    }
}

/// Longest piece of one value that goes into the line, in bytes.
const MAX_PIECE: usize = 120;

/// Appends the line to `out`.
pub fn write(fields: &Fields<'_>, out: &mut String) {
    if !fields.endpoint.is_empty() && fields.subtype != "page-load" {
        return request(fields, out);
    }
    match fields.subtype {
        "page-load" => page_load(fields, out),
        "user-action" => user_action(fields, out),
        "render" => {
            piece(fields, "component", out);
            timed(" rendered", " in ", fields, out);
        }
        "visibility" => match fields.get(["visible"]) {
            [Some("false")] => out.push_str("page hidden"),
            _ => out.push_str("page visible"),
        },
        "conversion" => {
            piece(fields, "funnel", out);
            out.push_str(": ");
            piece(fields, "step", out);
        }
        "feature-usage" => piece(fields, "feature", out),
        "hot-update" => hot_update(fields, out),
        "scroll" | "connectivity" | "beacon" | "navigation" | "websocket" => page_life(fields, out),
        _ => named(fields, out),
    }
}

fn request(fields: &Fields<'_>, out: &mut String) {
    out.push_str(fields.endpoint);
    // All operations of GraphQL have one address.
    if let [Some(operation)] = fields.get(["operation"]) {
        out.push(' ');
        name(Some(operation), out);
    }
    match fields.status {
        Some(status) => {
            out.push(' ');
            out.push_str(itoa::Buffer::new().format(status));
        }
        None if fields.subtype == "no-cors" => out.push_str(" answered, hidden from the page"),
        None if fields.is_aborted => out.push_str(" aborted"),
        None => out.push_str(" no answer"),
    }
    timed("", " in ", fields, out);
}

fn page_load(fields: &Fields<'_>, out: &mut String) {
    out.push_str("page-load");
    if let Some(status) = fields.status {
        write!(out, " {} {status}", fields.endpoint).expect("a string takes everything");
    }
    if let Some(ms) = fields.load_ms {
        out.push_str(if fields.status.is_some() { " in " } else { " " });
        push_seconds(ms, out);
        out.push_str(" s");
    }
}

/// Seconds with two decimals. Those of a page are written by hand, which takes a tenth of the time.
fn push_seconds(ms: f64, out: &mut String) {
    if !(0.0..1e12).contains(&ms) {
        write!(out, "{:.2}", ms / 1000.0).expect("a string takes everything");
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
    let hundredths = (ms / 10.0).round() as u64;
    let mut digits = itoa::Buffer::new();
    out.push_str(digits.format(hundredths / 100));
    out.push('.');
    // A leading one keeps the zeros after the point.
    out.push_str(&digits.format(100 + hundredths % 100)[1..]);
}

fn user_action(fields: &Fields<'_>, out: &mut String) {
    let [action, id, element, class, text] =
        fields.get(["action", "element-id", "element", "element-class", "element-text"]);
    name(action, out);
    acted_on([id, element, class, text], out);
}

/// What of an address tells a page's places apart: all behind the host, for an app's route may be in the query or behind
/// the `#`.
fn path_of(url: &str) -> &str {
    let site = url.find("://").map_or(url, |at| &url[at + 3..]);
    site.find('/').map_or("/", |at| &site[at..])
}

/// What a page did or met, as far as it says so; its name where it does not.
fn page_life(fields: &Fields<'_>, out: &mut String) {
    let Fields { subtype, url, .. } = *fields;
    match (subtype, fields.get(["depth", "online", "action"])) {
        ("scroll", [Some(depth), ..]) => {
            out.push_str("scrolled to ");
            push_capped(depth, out);
            out.push_str(" %");
        }
        ("connectivity", [_, Some("true"), _]) => out.push_str("the browser is online"),
        ("connectivity", [_, Some("false"), _]) => out.push_str("the browser is offline"),
        ("beacon", _) if !url.is_empty() => {
            out.push_str("sendBeacon ");
            push_capped(url, out);
        }
        ("navigation", [.., Some(_)]) if !url.is_empty() => {
            piece(fields, "action", out);
            out.push(' ');
            push_capped(path_of(url), out);
        }
        ("websocket", [.., Some(_)]) if !url.is_empty() => {
            out.push_str("WebSocket ");
            piece(fields, "action", out);
            out.push(' ');
            push_capped(url, out);
        }
        _ => named(fields, out),
    }
}

/// The first three of the files that were replaced.
fn hot_update(fields: &Fields<'_>, out: &mut String) {
    out.push_str("hot update");
    let [files] = fields.get(["files"]);
    let names = json::elements(files.unwrap_or_default()).filter_map(|(_, file)| json::text(file));
    for (at, name) in names.take(3).enumerate() {
        out.push_str(if at == 0 { ": " } else { ", " });
        push_capped(&name, out);
    }
}

fn element(fields: &Fields<'_>, out: &mut String) {
    acted_on(fields.get(["element-id", "element", "element-class", "element-text"]), out);
}

/// What was acted on: by its id, its selector or its class, and its text.
fn acted_on([id, element, class, label]: [Option<&str>; 4], out: &mut String) {
    let text = |value: Option<_>| value.and_then(json::text).filter(|text| !text.is_empty());
    let known = [(id, "#"), (element, ""), (class, ".")];
    if let Some((value, mark)) = known.into_iter().find_map(|(value, mark)| Some((text(value)?, mark))) {
        out.push(' ');
        out.push_str(mark);
        push_capped(&value, out);
    }
    if let Some(text) = text(label)
        && !text.trim().is_empty()
    {
        out.push_str(" \"");
        push_capped(text.trim(), out);
        out.push('"');
    }
}

/// `name = value unit` for metrics, the name alone for the rest, the type if there is no name either, with what it was
/// done to.
fn named(fields: &Fields<'_>, out: &mut String) {
    let names = ["metric-name", "event-name", "name", "vital", "value", "unit"];
    let [metric, event, name, vital, value, unit] = fields.get(names);
    let named = [metric, event, name, vital].into_iter().flatten().find_map(json::text);
    match named.filter(|name| !name.is_empty()) {
        Some(name) => push_capped(name.strip_prefix(':').unwrap_or(&name), out),
        None => {
            let kind = [fields.subtype, fields.kind].into_iter().find(|kind| !kind.is_empty());
            out.push_str(kind.unwrap_or("event without a message"));
            element(fields, out);
        }
    }
    if let Some(value) = value.filter(|_| fields.kind == "metric") {
        out.push_str(" = ");
        push_capped(&rounded(value), out);
        if let Some(unit) = unit.and_then(json::text) {
            out.push(' ');
            push_capped(&unit, out);
        }
    }
    timed("", " ", fields, out);
}

/// The number without the digits that only adding fractions has made, as in `0.15100000000000002`; what is no such
/// number stays as it is.
fn rounded(value: &str) -> Cow<'_, str> {
    /// Digits behind the point.
    const DIGITS: usize = 4;
    /// Of what is less they would say too little.
    const LEAST: f64 = 0.01;
    let has_more = value.split_once('.').is_some_and(|(_, digits)| digits.len() > DIGITS);
    match value.parse::<f64>() {
        Ok(number) if has_more && number.is_finite() && number.abs() >= LEAST => {
            let text = format!("{number:.DIGITS$}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned().into()
        }
        _ => value.into(),
    }
}

fn timed(words: &str, lead: &str, fields: &Fields<'_>, out: &mut String) {
    out.push_str(words);
    if let Some(duration) = fields.duration {
        out.push_str(lead);
        duration.write_ms(out).expect("a string takes everything");
        out.push_str(" ms");
    }
}

fn piece(fields: &Fields<'_>, key: &str, out: &mut String) {
    let [value] = fields.get([key]);
    name(value, out);
}

/// A keyword without its colon.
fn name(value: Option<&str>, out: &mut String) {
    if let Some(value) = value.and_then(json::text) {
        push_capped(value.strip_prefix(':').unwrap_or(&value), out);
    }
}

fn push_capped(text: &str, out: &mut String) {
    out.push_str(&text[..text.floor_char_boundary(MAX_PIECE)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PageLoad;

    #[test]
    fn lines_say_what_happened() {
        for (subtype, endpoint, status, ms, json, expected) in [
            ("api-call", "GET /api/users", Some(200), Some(234.0), "{}", "GET /api/users 200 in 234 ms"),
            ("network", "GET /x", None, Some(3.5), "{}", "GET /x no answer in 3.5 ms"),
            (
                "api-call",
                "POST /graphql",
                Some(200),
                Some(12.0),
                r#"{"operation":"query CartQuery"}"#,
                "POST /graphql query CartQuery 200 in 12 ms",
            ),
            ("api-call", "GET /x", None, None, r#"{"aborted":true}"#, "GET /x aborted"),
            ("page-load", "", None, None, r#"{"timing":{"fullyLoaded":2340}}"#, "page-load 2.34 s"),
            (
                "page-load",
                "GET /bad",
                Some(500),
                None,
                r#"{"timing":{"fullyLoaded":820}}"#,
                "page-load GET /bad 500 in 0.82 s",
            ),
            (
                "user-action",
                "",
                None,
                None,
                r#"{"action":"click","elementId":"save-button"}"#,
                "click #save-button",
            ),
            (
                "user-action",
                "",
                None,
                None,
                r#"{"action":":button-click","element":"button.buy","element-text":" Buy "}"#,
                "button-click button.buy \"Buy\"",
            ),
            ("render", "", None, Some(45.0), r#"{"component":"UserList"}"#, "UserList rendered in 45 ms"),
            ("visibility", "", None, None, r#"{"visible?":false}"#, "page hidden"),
            ("conversion", "", None, None, r#"{"funnel":"signup","step":"email"}"#, "signup: email"),
            (
                "custom",
                "",
                None,
                None,
                r#"{"metric-name":"cart","value":3,"unit":"items"}"#,
                "cart = 3 items",
            ),
            ("vital", "", None, None, r#"{"vital":"CLS","value":0.15100000000000002}"#, "CLS = 0.151"),
            ("vital", "", None, None, r#"{"vital":"LCP","value":1318.5}"#, "LCP = 1318.5"),
            ("vital", "", None, None, r#"{"vital":"CLS","value":0.00012345}"#, "CLS = 0.00012345"),
            ("vital", "", None, None, r#"{"vital":"CLS","value":1.5000000000000002e7}"#, "CLS = 15000000"),
            ("long-task", "", None, Some(180.0), "{}", "long-task 180 ms"),
            (
                "no-cors",
                "GET /pixel",
                None,
                Some(9.0),
                "{}",
                "GET /pixel answered, hidden from the page in 9 ms",
            ),
            ("scroll", "", None, None, r#"{"depth":75}"#, "scrolled to 75 %"),
            ("connectivity", "", None, None, r#"{"online":false}"#, "the browser is offline"),
            ("connectivity", "", None, None, r#"{"online":true}"#, "the browser is online"),
            (
                "hot-update",
                "",
                None,
                None,
                r#"{"files":["/a.ts","/b.ts","/c.ts","/d.ts"]}"#,
                "hot update: /a.ts, /b.ts, /c.ts",
            ),
            ("hot-update", "", None, None, r#"{"tool":"webpack"}"#, "hot update"),
            ("connectivity", "", None, None, "{}", "connectivity"),
            ("beacon", "", None, None, "{}", "beacon"),
            ("navigation", "", None, None, r#"{"url":"/cart"}"#, "navigation"),
            (
                "beacon",
                "",
                None,
                None,
                r#"{"url":"http://h/collect?a=1"}"#,
                "sendBeacon http://h/collect?a=1",
            ),
            (
                "navigation",
                "",
                None,
                None,
                r#"{"action":"push","url":"http://h:1/cart/7?a=1#b"}"#,
                "push /cart/7?a=1#b",
            ),
            ("navigation", "", None, None, r#"{"action":"traverse","url":"http://h"}"#, "traverse /"),
            (
                "websocket",
                "",
                None,
                None,
                r#"{"action":"open","url":"ws://h/live?a=1"}"#,
                "WebSocket open ws://h/live?a=1",
            ),
            (
                "click",
                "",
                None,
                None,
                r##"{"element":"#save","element-text":"Save"}"##,
                "click #save \"Save\"",
            ),
            ("click", "", None, None, r##"{"name":"buy","element":"#save"}"##, "buy"),
        ] {
            let duration = ms.and_then(Micros::from_ms);
            let mut out = String::new();
            let members: Vec<_> = json::members(json).map(|member| (member.key, member.value)).collect();
            let members = &members;
            let is_aborted = json.contains("aborted");
            let url = json::get(json, "url").and_then(json::text).unwrap_or_default();
            let url = &*url;
            let load_ms = PageLoad::took_ms(json::get(json, "timing"));
            let kind = "metric";
            let fields =
                Fields { kind, subtype, endpoint, status, duration, url, is_aborted, load_ms, members };
            write(&fields, &mut out);
            assert_eq!(out, expected);
        }
    }
}
