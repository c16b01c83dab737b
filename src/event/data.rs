//! An event's complete data as text: what was sent, and what taillight knows beside it.
//!
//! Written for exports, sinks and the detail.

use super::chunk::EventRef;
use super::json;
use super::mapped::{Mapped, MappedFrame, MappedTrace, Relation};
use super::row::Flags;

impl EventRef<'_> {
    /// Adds the complete `data` object to `out`: what was sent, then what the server adds where the event has no
    /// such key (CONTRACT: the event).
    pub fn write_data(self, out: &mut String) {
        let json = self.json();
        let body = json.trim_end().strip_suffix('}').unwrap_or(json);
        out.push_str(body);
        let mut separator = if json::members(json).next().is_some() { "," } else { "" };
        let mut add = |key: &str, value: &str| {
            out.push_str(separator);
            out.push('"');
            out.push_str(key);
            out.push_str("\":");
            out.push_str(value);
            separator = ",";
        };
        let flags = self.flags();
        if !flags.has(Flags::HAS_SOURCE) {
            add("source", &quoted(self.source()));
        }
        if !flags.has(Flags::HAS_USER) && !self.user().is_empty() {
            add("user-id", &quoted(self.user()));
        }
        if !flags.has(Flags::HAS_RECV) {
            add("server-recv-time", &self.recv().0.to_string());
        }
        if !flags.has(Flags::HAS_BROWSER_TIME)
            && let Some(sent) = json::get(json, "timestamp")
        {
            add("browser-timestamp", sent);
        }
        if let Some(place) = self.place().filter(|_| json::get(json, "mapped").is_none()) {
            for (key, value) in place_members(place) {
                if json::get(json, key).is_none() {
                    add(key, &value);
                }
            }
            let members = place_members(place).map(|(key, value)| format!("\"{key}\":{value}"));
            add("mapped", &format!("{{{},\"function\":{}}}", members.join(","), quoted(&place.function)));
        }
        out.push('}');
    }
}

/// Where an event is placed, as members of its data.
fn place_members(place: &MappedFrame) -> [(&'static str, String); 3] {
    [("file", quoted(&place.file)), ("line", place.line.to_string()), ("column", place.column.to_string())]
}

impl Mapped {
    /// Reads what [`EventRef::write_data`] wrote of a place; `None` if the data has none.
    pub fn read(data: &str) -> Option<Self> {
        let object = json::get(data, "mapped").filter(|value| json::shape(value) == json::Shape::Object)?;
        let [file, function] =
            json::get_all(object, ["file", "function"]).map(|value| value.and_then(json::text));
        let [line, column] = json::get_all(object, ["line", "column"])
            .map(|value| value.and_then(|number| number.parse::<u32>().ok()).unwrap_or(0));
        let frame = MappedFrame {
            function: function.unwrap_or_default().into(),
            file: file.filter(|file| !file.is_empty())?.into(),
            line,
            column,
            is_own: true,
            is_mapped: true,
            ..MappedFrame::default()
        };
        let trace = MappedTrace { relation: Relation::Thrown, head: Box::default(), frames: vec![frame] };
        Some(Self { traces: vec![trace], top: Some((0, 0)), note: None })
    }
}

/// `text` as a JSON string, quotes included.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always encodes")
}
