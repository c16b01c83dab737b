//! The forms events are exported in: JSON lines, a JSON array, CSV, and HAR for requests; and what may be left out.
//!
//! Called by exports with one event after the other. Pure text: head, events, tail. With nothing left out the lines
//! are those of [`super::line`], byte for byte.

use std::fmt::Write as _;

use super::chunk::EventRef;
use super::{Phases, Timestamp, gate, json, line};

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One event a line, lossless.
    #[default]
    Jsonl,
    /// The same objects as one array.
    Json,
    /// The columns without the data, for spreadsheets.
    Csv,
    /// Requests only (HTTP Archive 1.2).
    Har,
}

impl Format {
    /// Each with its name, which is also what its files end with, and what it is.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Jsonl, "jsonl", "JSONL, one event a line, as received and with our fields"),
        (Self::Json, "json", "JSON array"),
        (Self::Csv, "csv", "CSV of the columns, without data"),
        (Self::Har, "har", "HAR (requests only)"),
    ];

    /// `jsonl`, `json`, `csv` or `har`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(format, ..)| *format == self).map_or("", |(_, name, _)| name)
    }

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(format, ..)| *format)
    }
}

/// What is left out of every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    User,
    Session,
    Query,
    Stack,
}

impl Part {
    /// Each with its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::User, "user-id"),
        (Self::Session, "session-id"),
        (Self::Query, "query-strings"),
        (Self::Stack, "stacks"),
    ];

    /// The part of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(part, _)| *part)
    }

    /// The names of members that go, in any case style.
    fn members(self) -> &'static [&'static str] {
        match self {
            Self::User => &["user-id", "user"],
            Self::Session => &["session-id", "session"],
            Self::Query => &["query", "query-string"],
            Self::Stack => &["stack", "stack-trace", "component-stack"],
        }
    }
}

/// A form with what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pub format: Format,
    pub without: Vec<Part>,
}

/// Levels of objects and arrays that are looked through for what is left out.
const MAX_DEPTH: usize = 64;
/// The columns of the CSV, named like the keys of a line.
const COLUMNS: &str =
    "inst,level,id,msg,session,user,tab,load,endpoint,duration,status,group,source,seq,recv";

impl Form {
    /// Appends what stands before the first event.
    pub fn head(&self, out: &mut String) {
        match self.format {
            Format::Jsonl => {}
            Format::Json => out.push('['),
            Format::Csv => {
                out.push_str(COLUMNS);
                out.push_str("\r\n");
            }
            Format::Har => {
                let version = env!("CARGO_PKG_VERSION");
                let _ = write!(
                    out,
                    "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"taillight\",\"version\":\"{version}\"}},\"entries\":["
                );
            }
        }
    }

    /// Appends one event; `false` if this form has no place for it. `is_first` where none has been written yet.
    pub fn event(&self, event: EventRef<'_>, is_first: bool, out: &mut String) -> bool {
        let separator = if is_first { "\n" } else { ",\n" };
        match self.format {
            Format::Jsonl => {
                self.line(event, out);
                out.push('\n');
            }
            Format::Json => {
                out.push_str(separator);
                self.line(event, out);
            }
            Format::Csv => self.row(event, out),
            Format::Har => {
                let Some(request) = Request::of(event) else { return false };
                out.push_str(separator);
                self.entry(&request, event, out);
            }
        }
        true
    }

    /// Appends what stands behind the last event.
    pub fn tail(&self, out: &mut String) {
        match self.format {
            Format::Jsonl | Format::Csv => {}
            Format::Json => out.push_str("\n]\n"),
            Format::Har => out.push_str("\n]}}\n"),
        }
    }

    fn line(&self, event: EventRef<'_>, out: &mut String) {
        if self.without.is_empty() {
            return line::write(event, out);
        }
        let mut whole = String::new();
        line::write(event, &mut whole);
        self.thin(&whole, 0, out);
    }

    /// Appends a value's text without the parts that are left out. What lies deeper than [`MAX_DEPTH`] is left out
    /// as a whole: it could hold any of them.
    fn thin(&self, value: &str, depth: usize, out: &mut String) {
        match json::shape(value) {
            json::Shape::Object | json::Shape::Array if depth > MAX_DEPTH => out.push_str("null"),
            json::Shape::Object => {
                out.push('{');
                let mut is_first = true;
                for member in json::members(value) {
                    let name = json::unescape(member.key);
                    if self
                        .without
                        .iter()
                        .any(|part| part.members().iter().any(|one| json::same_name(one, &name)))
                    {
                        continue;
                    }
                    if !std::mem::take(&mut is_first) {
                        out.push(',');
                    }
                    let _ = write!(out, "\"{}\":", member.key);
                    self.thin(member.value, depth + 1, out);
                }
                out.push('}');
            }
            json::Shape::Array => {
                out.push('[');
                for (at, element) in json::elements(value).map(|(_, element)| element).enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.thin(element, depth + 1, out);
                }
                out.push(']');
            }
            json::Shape::Text if self.without.contains(&Part::Query) => without_queries(value, out),
            _ => out.push_str(value),
        }
    }

    fn row(&self, event: EventRef<'_>, out: &mut String) {
        let number = |number: Option<String>| number.unwrap_or_default();
        let msg = if self.without.contains(&Part::Query) {
            let mut thin = String::new();
            without_queries(event.msg(), &mut thin);
            thin
        } else {
            event.msg().to_owned()
        };
        let unless = |part: Part, text: &str| {
            if self.without.contains(&part) { String::new() } else { text.to_owned() }
        };
        let cells = [
            event.inst().to_string(),
            event.level().name().to_owned(),
            event.id().to_owned(),
            msg,
            unless(Part::Session, event.session()),
            unless(Part::User, event.user()),
            event.tab().to_owned(),
            number(event.load().map(|load| load.to_string())),
            event.endpoint().to_owned(),
            number(event.duration().map(|duration| duration.to_string())),
            number(event.status().map(|status| status.to_string())),
            number(event.group().map(|group| format!("{group:016x}"))),
            event.source().to_owned(),
            event.seq().to_string(),
            event.recv().to_string(),
        ];
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_cell(cell, out);
        }
        out.push_str("\r\n");
    }

    fn entry(&self, request: &Request, event: EventRef<'_>, out: &mut String) {
        let quoted = |text: &str| {
            let mut escaped = String::new();
            let quoted = serde_json::to_string(text).expect("a string always encodes");
            gate::push_json_escaped(&mut escaped, &quoted);
            escaped
        };
        let mut url = String::new();
        if self.without.contains(&Part::Query) {
            without_queries(&request.url, &mut url);
        } else {
            url.clone_from(&request.url);
        }
        let started = Timestamp(event.inst().0.saturating_sub(request.ms as i64));
        let _ = write!(
            out,
            "{{\"startedDateTime\":\"{started}\",\"time\":{time},\
             \"request\":{{\"method\":{method},\"url\":{url},\"httpVersion\":\"\",\"cookies\":[],\"headers\":[],\
             \"queryString\":[],\"headersSize\":-1,\"bodySize\":-1}},\
             \"response\":{{\"status\":{status},\"statusText\":\"\",\"httpVersion\":\"\",\"cookies\":[],\"headers\":[],\
             \"content\":{{\"size\":{size},\"mimeType\":\"\"}},\"redirectURL\":\"\",\"headersSize\":-1,\"bodySize\":{size}}},\
             \"cache\":{{}},\"timings\":{{\"blocked\":{blocked},\"dns\":{dns},\"connect\":{connect},\"ssl\":{tls},\
             \"send\":0,\"wait\":{wait},\"receive\":{receive}}}}}",
            time = exact(request.whole()),
            method = quoted(&request.method),
            url = quoted(&url),
            status = event.status().unwrap_or(0),
            size = request.size,
            blocked = exact(request.whole() - request.told()),
            dns = request.phases.dns,
            // In an archive it is a part of connecting.
            connect = exact(request.phases.connect + request.phases.tls),
            tls = request.phases.tls,
            wait = request.phases.wait,
            receive = request.phases.download,
        );
    }
}

/// What an archive needs of a request.
struct Request {
    method: String,
    url: String,
    /// How long it took in milliseconds, with the download or without it, as the page tells.
    ms: f64,
    phases: Phases,
    /// Bytes of the answer, -1 where that is not known.
    size: i64,
}

impl Request {
    fn of(event: EventRef<'_>) -> Option<Self> {
        if event.endpoint().is_empty() {
            return None;
        }
        let text = |name: &str| event.get(&[name]).and_then(json::text).map(|text| text.into_owned());
        let number = |path: &[&str]| event.get(path).and_then(json::number).filter(|number| *number >= 0.0);
        let (method, route) = event.endpoint().split_once(' ').unwrap_or(("GET", event.endpoint()));
        let ms = event.duration().map_or(0.0, |duration| duration.0 as f64 / 1_000.0);
        let phases = Phases::of(event).unwrap_or_else(|| {
            let download = number(&["timing", "download"]).unwrap_or(0.0).min(ms);
            Phases { wait: ms - download, download, ..Phases::default() }
        });
        let size = number(&["response-size"]).or_else(|| number(&["size"])).map_or(-1, |size| size as i64);
        Some(Self {
            method: text("method").unwrap_or_else(|| method.to_owned()),
            url: text("url").unwrap_or_else(|| route.to_owned()),
            ms,
            phases,
            size,
        })
    }

    /// What is told of its time.
    fn told(&self) -> f64 {
        let Phases { dns, connect, tls, wait, download } = self.phases;
        dns + connect + tls + wait + download
    }

    /// All of its time, the sum of an archive's timings; what is not told of it the browser was waiting.
    fn whole(&self) -> f64 {
        self.ms.max(self.told())
    }
}

/// Milliseconds without the digits that only adding fractions has made.
fn exact(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

/// Appends `text` without the queries of the addresses in it: from a `?` behind a `/` to the end of that word.
fn without_queries(text: &str, out: &mut String) {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '\\');
    let mut has_slash = false;
    let mut is_in_query = false;
    for c in text.chars() {
        if is_end(c) {
            (has_slash, is_in_query) = (false, false);
        } else if c == '/' {
            has_slash = true;
        } else if c == '?' && has_slash {
            is_in_query = true;
        } else if c == '#' {
            is_in_query = false;
        }
        if !is_in_query {
            out.push(c);
        }
    }
}

/// A cell as RFC 4180 has it; one that a spreadsheet would take for a formula begins with an apostrophe.
fn push_cell(cell: &str, out: &mut String) {
    let cell = gate::plain(cell);
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"']) {
        out.push_str(&cell);
        return;
    }
    let _ = write!(out, "\"{guard}{}\"", cell.replace('"', "\"\""));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Chunk, ChunkBuilder, Family, Micros, Msg, Row};

    fn chunk(msg: &str, data: &str) -> Chunk {
        let mut builder = ChunkBuilder::new();
        let row = Row {
            seq: 1,
            inst: Timestamp(10_000),
            recv: Timestamp(10_001),
            family: Family::Performance,
            id: "browser/api-call",
            ns: "browser.api-call",
            kind: "metric",
            subtype: "api-call",
            session: "s1",
            user: "u1",
            tab: "A",
            load: Some(2),
            endpoint: "GET /api",
            duration: Some(Micros(1_500_000)),
            status: Some(200),
            source: "browser",
            msg: Msg::Text(msg),
            json: data,
            ..Row::default()
        };
        builder.push(&row);
        builder.push(&Row { endpoint: "", seq: 2, ..row });
        builder.finish()
    }

    fn written(form: &Form, chunk: &Chunk) -> String {
        let mut out = String::new();
        form.head(&mut out);
        let mut is_first = true;
        for event in chunk.events() {
            is_first &= !form.event(event, is_first, &mut out);
        }
        form.tail(&mut out);
        out
    }

    const DATA: &str = r#"{"url":"/api?a=1#x","userId":"u1","n":1.50,"deep":[{"session_id":"s1","stack":"at x","k":"see http://h/p?q=2 now?"}]}"#;

    #[test]
    fn lines_are_the_contracts_and_an_array_is_the_same_objects() {
        let chunk = chunk("m", DATA);
        let mut lines = String::new();
        for event in chunk.events() {
            line::write(event, &mut lines);
            lines.push('\n');
        }
        assert_eq!(written(&Form::default(), &chunk), lines);
        let array = written(&Form { format: Format::Json, without: Vec::new() }, &chunk);
        let array: Vec<serde_json::Value> = serde_json::from_str(&array).expect("an array");
        let single: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
        assert_eq!(array, single);
        let empty = ChunkBuilder::new().finish();
        assert_eq!(written(&Form { format: Format::Json, without: Vec::new() }, &empty), "[\n]\n");
    }

    #[test]
    fn what_is_left_out_is_gone_at_any_depth_and_the_rest_is_as_it_was() {
        let chunk = chunk("GET /api?a=1 200", DATA);
        let without = |part| written(&Form { format: Format::Jsonl, without: vec![part] }, &chunk);
        for (part, gone) in [
            (Part::User, &["u1", "userId", "user"][..]),
            (Part::Session, &["s1", "session"]),
            (Part::Query, &["a=1", "q=2"]),
            (Part::Stack, &["stack", "at x"]),
        ] {
            let text = without(part);
            assert!(text.contains("\"n\":1.50"), "{text}");
            for gone in gone {
                assert!(!text.contains(gone), "{part:?} left {gone} in {text}");
            }
            for line in text.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("still JSON");
            }
        }
        assert!(
            without(Part::Query).contains("\"url\":\"/api#x\"")
                && without(Part::Query).contains("http://h/p now?")
        );
    }

    #[test]
    fn a_table_has_quoted_cells_and_no_formulas() {
        let chunk = chunk("=cmd(\"x\"), y\u{1b}[31m", DATA);
        let text = written(&Form { format: Format::Csv, without: vec![Part::User] }, &chunk);
        let rows: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(rows[0], COLUMNS);
        assert_eq!(
            rows[1],
            "1970-01-01T00:00:10.000Z,info,browser/api-call,\"'=cmd(\"\"x\"\"), y␛[31m\",s1,,A,2,GET /api,1500,200,,browser,1,1970-01-01T00:00:10.001Z"
        );
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn an_archive_has_the_requests() {
        let chunk = chunk("m", r#"{"url":"http://h/api?a=1","method":"POST","timing":{"download":500}}"#);
        let text = written(&Form { format: Format::Har, without: Vec::new() }, &chunk);
        let archive: serde_json::Value = serde_json::from_str(&text).expect("json");
        let entries = archive["log"]["entries"].as_array().expect("entries");
        assert_eq!(entries.len(), 1);
        let entry = &entries[0];
        assert_eq!(entry["startedDateTime"], "1970-01-01T00:00:08.500Z");
        assert_eq!(
            (&entry["request"]["method"], &entry["request"]["url"]),
            (&"POST".into(), &"http://h/api?a=1".into())
        );
        assert_eq!((&entry["timings"]["wait"], &entry["timings"]["receive"]), (&1000.into(), &500.into()));
        assert_eq!((&entry["time"], &entry["response"]["status"]), (&1500.into(), &200.into()));
    }

    #[test]
    fn an_archive_tells_what_the_time_of_a_request_went_into() {
        let timing =
            r#"{"dns-lookup":1.1,"tcp-connect":2,"tls-handshake":4,"waiting":1400,"server-response":1402.5}"#;
        let chunk = chunk("m", &format!(r#"{{"url":"http://h/api","timing":{timing}}}"#));
        let text = written(&Form { format: Format::Har, without: Vec::new() }, &chunk);
        let archive: serde_json::Value = serde_json::from_str(&text).expect("json");
        let entry = &archive["log"]["entries"][0];
        let expected = serde_json::json!({ "blocked": 90.4, "dns": 1.1, "connect": 6.0, "ssl": 4.0, "send": 0,
            "wait": 1400.0, "receive": 2.5 });
        // As JSON numbers whole ones may be written in either way.
        let timings = entry["timings"].as_object().expect("timings");
        assert_eq!(timings.len(), 7);
        for (name, ms) in timings {
            assert_eq!(ms.as_f64(), expected[name].as_f64(), "{name}");
        }
        assert_eq!(entry["time"].as_f64(), Some(1500.0));
    }

    proptest! {
        #[test]
        fn any_event_is_written_whole_in_every_form(msg in "\\PC{0,20}|[\u{0}-\u{20}\"',=?/]{0,9}", value in "\\PC{0,20}") {
            let data = serde_json::json!({ "url": value, "stack": msg }).to_string();
            let chunk = chunk(&msg, &data);
            for (format, name, _) in Format::ALL {
                for without in [Vec::new(), Part::ALL.map(|(part, _)| part).to_vec()] {
                    let text = written(&Form { format, without }, &chunk);
                    let is_json = match name {
                        "csv" => true,
                        "jsonl" => text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
                        _ => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                    };
                    prop_assert!(is_json, "{text}");
                    let has_escape = text.contains('\u{1b}');
                    prop_assert!(!has_escape);
                }
            }
        }
    }
}
