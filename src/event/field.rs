//! The one table of an event's fields: names, aliases, kinds, where each value lies, and a line of help.
//!
//! The filter language checks and evaluates against it; completion, help and the docs are made from it. It holds
//! facts only: no parsing, no evaluation. Names are compared as [`json::same_name`] does.

use super::json;

/// What a field's values are, which decides what `:` means and which operators and values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Free text; `:` means contains.
    Text,
    /// Text; a value that begins with `/` is compared with the part after the host.
    Url,
    /// A name; `:` means the whole value.
    Name,
    /// `error metric analytics log`, with `type:metric/api-call` for both type and subtype.
    Type,
    /// A signal id or a namespace; the family's answers too.
    Signal,
    Number,
    /// A number that also takes a class such as `5xx`.
    Status,
    /// Milliseconds where no unit is written.
    Duration,
    /// Bytes where no unit is written.
    Size,
    Bool,
    Level,
    Severity,
    /// Hexadecimal digits, of which a prefix is enough.
    Group,
    /// The number of a page load; 0 and below count back from the newest of the tab.
    Load,
    /// A clock time.
    Time,
    /// A span back from now.
    Age,
    /// A point in time: a span back, a clock time or a named moment.
    Moment,
    /// One of [`IS`].
    Is,
    /// The name of another field.
    Presence,
}

/// A path into an event's JSON.
pub type DataPath = &'static [&'static str];

/// Where a field's value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Id,
    Ns,
    Type,
    Subtype,
    Session,
    User,
    Tab,
    Endpoint,
    /// The path part of the endpoint.
    Route,
    Source,
    Level,
    Severity,
    Message,
    Duration,
    /// Arrival time minus the browser's time.
    Lag,
    Status,
    Group,
    Load,
    /// The browser's time.
    Inst,
    /// The host of the `url` in the data.
    Host,
    /// The path of the `url` in the data.
    Path,
    /// In the data: the first of these paths that exists.
    First(&'static [DataPath]),
    /// In the data: all of these paths.
    Each(&'static [DataPath]),
    /// No value of its own: a predicate.
    Predicate,
}

/// One field of the filter language.
#[derive(Debug)]
pub struct Field {
    /// As shown and as written back.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: FieldKind,
    pub column: Column,
    /// Values that work, for messages.
    pub examples: [&'static str; 2],
    /// One line of help.
    pub doc: &'static str,
}

/// What `is:` takes, with a line of help each.
pub const IS: [(&str, &str); 8] = [
    ("error", "level error or above"),
    ("failed", "a request with status 400 or above, or without an answer"),
    ("slow", "over the slow limit of its kind"),
    ("cached", "answered from a cache"),
    ("live", "of a session that is connected now"),
    ("marked", "pinned"),
    ("new", "its error group was first seen in the newest page load"),
    ("mapped", "its stack was mapped back to the sources"),
];

/// What `type:` takes.
pub const TYPES: [&str; 4] = ["error", "metric", "analytics", "log"];

/// The subtypes the browser client sends; others are kept and can be filtered all the same.
pub const SUBTYPES: [&str; 24] = [
    "javascript",
    "network",
    "console",
    "promise",
    "page-load",
    "api-call",
    "render",
    "long-task",
    "user-action",
    "visibility",
    "feature-usage",
    "conversion",
    "custom",
    "web-vital",
    "resource",
    "csp",
    "beacon",
    "no-cors",
    "websocket",
    "navigation",
    "scroll",
    "connectivity",
    "hot-update",
    "compile",
];

/// Named moments of `since:` and `until:`.
pub const MOMENTS: [&str; 5] = ["reload", "mark", "start", "hmr", "today"];

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: FieldKind,
    column: Column,
    examples: [&'static str; 2],
    doc: &'static str,
) -> Field {
    Field { name, aliases, kind, column, examples, doc }
}

const TEXT: [&str; 2] = ["text", "other"];

/// Every built-in field, in the order help shows them.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    field("type", &[], FieldKind::Type, Column::Type, ["error", "metric"], "error, metric, analytics or log; type:metric/api-call takes the subtype too"),
    field("subtype", &["sub"], FieldKind::Name, Column::Subtype, ["network", "api-call"], "the kind within the type: javascript, network, page-load, api-call, render, custom …"),
    field("level", &["lvl"], FieldKind::Level, Column::Level, ["warn", "error"], "trace < debug < info < warn < error < fatal < report"),
    field("severity", &["sev"], FieldKind::Severity, Column::Severity, ["medium", "high"], "low < medium < high < critical, as the sender rates an error"),
    field("id", &[], FieldKind::Signal, Column::Id, ["browser/api-call", "browser/error"], "the signal id, or the family's: browser/error, browser/performance, browser/analytics, browser/log"),
    field("ns", &[], FieldKind::Signal, Column::Ns, ["browser.api-call", "browser.error"], "the namespace, or the family's; browser(.*) is browser and what is under it"),
    field("message", &["msg"], FieldKind::Text, Column::Message, TEXT, "the message, or the short line made from the fields"),
    field("stack", &[], FieldKind::Text, Column::First(&[&["stack"]]), TEXT, "the stack trace"),
    field("component", &[], FieldKind::Text, Column::First(&[&["component"]]), ["UserList", "Header"], "the component that rendered or failed"),
    field("action", &[], FieldKind::Text, Column::First(&[&["action"]]), ["click", "submit"], "what the user did"),
    field("element", &[], FieldKind::Text, Column::Each(&[&["element-id"], &["element-class"], &["element-text"], &["element"]]), ["save-button", "menu"], "id, class or text of the element acted on"),
    field("feature", &[], FieldKind::Text, Column::First(&[&["feature"]]), TEXT, "the feature that was used"),
    field("step", &[], FieldKind::Text, Column::First(&[&["step"]]), TEXT, "the step of a funnel"),
    field("name", &[], FieldKind::Text, Column::First(&[&["metric-name"], &["event-name"], &["name"]]), TEXT, "the name of a custom metric or event"),
    field("url", &[], FieldKind::Url, Column::First(&[&["url"]]), TEXT, "the URL; a value that begins with / leaves the host out"),
    field("path", &[], FieldKind::Text, Column::Path, ["/api/users", "/login"], "the path of the URL, without the query"),
    field("host", &["domain"], FieldKind::Text, Column::Host, ["api.example.com", "localhost"], "the host and port of the URL"),
    field("page", &[], FieldKind::Url, Column::First(&[&["page"]]), ["/dashboard", "/login"], "the page the event happened on"),
    field("route", &[], FieldKind::Text, Column::Route, ["/api/users/:id", "/login"], "the route template of a request: /api/users/:id"),
    field("endpoint", &[], FieldKind::Name, Column::Endpoint, ["\"GET /api/users\"", "\"POST /login\""], "the whole endpoint: method, host unless the page's own, route; a path alone is its route"),
    field("method", &["verb"], FieldKind::Name, Column::First(&[&["method"]]), ["GET", "POST"], "the request method"),
    field("status", &["code"], FieldKind::Status, Column::Status, ["400", "500"], "the response status: 404, 5xx, 400..499"),
    field("close-code", &[], FieldKind::Number, Column::First(&[&["code"]]), ["1006", "1001..1015"], "the code that a WebSocket closed with: 1000 is as planned, 1006 cut off"),
    field("duration", &["dur"], FieldKind::Duration, Column::Duration, ["200ms", "1.5s"], "how long it took; without a unit in ms"),
    field("lag", &[], FieldKind::Duration, Column::Lag, ["100ms", "2s"], "time from the browser to here"),
    field("size", &["bytes"], FieldKind::Size, Column::First(&[&["size"], &["resources", "total-size-kb"]]), ["4kb", "1mb"], "size in bytes, or the total of the page's resources"),
    field("user", &["uid"], FieldKind::Name, Column::User, ["user-123", "user-12"], "the user id"),
    field("session", &["sid"], FieldKind::Name, Column::Session, ["latest", "sess-456"], "the session id; latest is the session whose page was loaded last"),
    field("tab", &[], FieldKind::Name, Column::Tab, ["a", "b"], "the browser tab"),
    field("build", &[], FieldKind::Name, Column::First(&[&["build"]]), ["1.4.2", "dev"], "the build of the page"),
    field("group", &[], FieldKind::Group, Column::Group, ["e7f3", "01ab"], "the error group, or the first digits of it"),
    field("load", &[], FieldKind::Load, Column::Load, ["0", "-1"], "the page load: 0 is the newest of its tab, -1 the one before"),
    field("source", &[], FieldKind::Name, Column::Source, ["browser", "otlp"], "where the event came from"),
    field("file", &[], FieldKind::Text, Column::First(&[&["location", "file"], &["file"], &["filename"], &["location", "url"]]), ["UserList.tsx", "app.js"], "the source file"),
    field("line", &[], FieldKind::Number, Column::First(&[&["location", "line"], &["line"]]), ["42", "10..20"], "the line in the source file"),
    field("col", &["column"], FieldKind::Number, Column::First(&[&["location", "column"], &["location", "col"], &["column"], &["col"]]), ["15", "1..80"], "the column in the source file"),
    field("value", &[], FieldKind::Number, Column::First(&[&["value"]]), ["5", "1..10"], "the value of a metric"),
    field("unit", &[], FieldKind::Name, Column::First(&[&["unit"]]), ["ms", "items"], "the unit of a metric"),
    field("vital", &[], FieldKind::Name, Column::First(&[&["vital"]]), ["INP", "LCP"], "the web vital: LCP, INP, CLS, FCP, TTFB"),
    field("rating", &[], FieldKind::Name, Column::First(&[&["rating"]]), ["poor", "good"], "the rating of a web vital: good, needs-improvement, poor"),
    field("browser", &[], FieldKind::Text, Column::First(&[&["browser"], &["user-agent"], &["context", "user-agent"]]), ["firefox", "chrome"], "the browser, from the user-agent if it is not sent"),
    field("os", &[], FieldKind::Text, Column::First(&[&["os"], &["user-agent"], &["context", "user-agent"]]), ["windows", "mac"], "the operating system, from the user-agent if it is not sent"),
    field("ua", &["user-agent"], FieldKind::Text, Column::First(&[&["user-agent"], &["context", "user-agent"]]), ["mozilla", "mobile"], "the user-agent, which words do not search"),
    field("time", &["ts"], FieldKind::Time, Column::Inst, ["14:32", "14:32..14:35"], "the clock time of the event, local"),
    field("age", &[], FieldKind::Age, Column::Inst, ["30s", "5m"], "how long ago it happened: age<30s"),
    field("since", &[], FieldKind::Moment, Column::Inst, ["5m", "reload"], "not older than a span, a clock time, or reload, mark, start, hmr, today"),
    field("until", &[], FieldKind::Moment, Column::Inst, ["5m", "14:32"], "older than a span, a clock time, or reload, mark, start, hmr, today"),
    field("cached", &[], FieldKind::Bool, Column::First(&[&["cached"]]), ["true", "false"], "the answer came from a cache"),
    field("visible", &[], FieldKind::Bool, Column::First(&[&["visible"]]), ["true", "false"], "the page was visible"),
    field("is", &[], FieldKind::Is, Column::Predicate, ["slow", "failed"], "error, failed, slow, cached, live, marked, new or mapped"),
    field("has", &["exists"], FieldKind::Presence, Column::Predicate, ["stack", "user"], "events that have the field"),
    field("no", &["missing"], FieldKind::Presence, Column::Predicate, ["user", "stack"], "events that do not have the field"),
];

impl Field {
    /// The built-in field called `name`, in any case style and by any alias; a leading `@` does not count.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix('@').unwrap_or(name);
        FIELDS.iter().find(|field| field.names().any(|known| json::same_name(known, name)))
    }

    /// The name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_own_field() {
        for field in FIELDS {
            assert!(!field.doc.is_empty() && !field.doc.contains('\n'), "{}", field.name);
            for name in field.names() {
                let found = Field::find(name).map(|found| found.name);
                assert_eq!(found, Some(field.name), "{name} names two fields");
            }
        }
    }

    #[test]
    fn names_are_found_in_every_case_style() {
        for (typed, expected) in [
            ("Status", Some("status")),
            ("cached?", Some("cached")),
            ("@level", Some("level")),
            ("userAgent", Some("ua")),
            ("status-code", None),
            ("", None),
        ] {
            assert_eq!(Field::find(typed).map(|field| field.name), expected, "{typed}");
        }
    }
}
