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
        self.write(true, out);
    }

    /// The same without the frames of the mapped stack, for where that is shown beside it.
    pub fn write_shown_data(self, out: &mut String) {
        self.write(false, out);
    }

    fn write(self, with_stack: bool, out: &mut String) {
        let json = self.json();
        let body = json.trim_end().strip_suffix('}').unwrap_or(json);
        out.push_str(body);
        let mut separator = if json::members(json).next().is_some() { "," } else { "" };
        let mut add = |out: &mut String, key: &str| {
            for part in [separator, "\"", key, "\":"] {
                out.push_str(part);
            }
            separator = ",";
        };
        let flags = self.flags();
        if !flags.has(Flags::HAS_SOURCE) {
            add(out, "source");
            push_quoted(out, self.source());
        }
        if !flags.has(Flags::HAS_USER) && !self.user().is_empty() {
            add(out, "user-id");
            push_quoted(out, self.user());
        }
        if !flags.has(Flags::HAS_RECV) {
            add(out, "server-recv-time");
            out.push_str(itoa::Buffer::new().format(self.recv().0));
        }
        if !flags.has(Flags::HAS_BROWSER_TIME)
            && let Some(sent) = json::get(json, "timestamp")
        {
            add(out, "browser-timestamp");
            out.push_str(sent);
        }
        if let Some((place, mapped)) = self.place().zip(self.mapped())
            && json::get(json, "mapped").is_none()
        {
            for (key, value) in place_members(place) {
                if json::get(json, key).is_none() {
                    add(out, key);
                    out.push_str(&value);
                }
            }
            let room = if with_stack { ROOM.saturating_sub(json.len()) } else { 0 };
            add(out, "mapped");
            out.push_str(&mapped_member(place, mapped, room));
        }
        out.push('}');
    }
}

/// Bytes of an event's text up to which the frames of its stack are written beside its place: with much more, reading it
/// back would have to cut something.
const ROOM: usize = 60 * 1024;
/// Traces, and frames of one, that are read back; no more are ever written.
const MAX_TRACES: usize = 16;
const MAX_FRAMES: usize = 64;
/// What a trace is called where it is not the error's own.
const RELATIONS: [(Relation, &str); 2] = [(Relation::Cause, "cause"), (Relation::Part, "part")];

/// Where an event is placed, as members of its data.
fn place_members(place: &MappedFrame) -> [(&'static str, String); 3] {
    [("file", quoted(&place.file)), ("line", place.line.to_string()), ("column", place.column.to_string())]
}

/// A frame's place and function, as members of an object.
fn frame_members(frame: &MappedFrame) -> String {
    let members = place_members(frame).map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{},\"function\":{}", members.join(","), quoted(&frame.function))
}

/// The place, and all frames where they take less than `room` bytes.
fn mapped_member(place: &MappedFrame, mapped: &Mapped, room: usize) -> String {
    let place = frame_members(place);
    let is_all = |trace: &MappedTrace| {
        trace.relation == Relation::Thrown && trace.head.is_empty() && trace.frames.len() == 1
    };
    let has_more = mapped.traces.len() > 1 || !mapped.traces.iter().all(is_all);
    let stack = if has_more && room > 0 { stack_member(mapped) } else { String::new() };
    match stack.len() < room {
        true => format!("{{{place}{stack}}}"),
        false => format!("{{{place}}}"),
    }
}

fn stack_member(mapped: &Mapped) -> String {
    let frame = |frame: &MappedFrame| {
        let own = if frame.is_own { ",\"own\":true" } else { "" };
        let is_mapped = if frame.is_mapped { ",\"mapped\":true" } else { "" };
        format!("{{{}{own}{is_mapped}}}", frame_members(frame))
    };
    let trace = |trace: &MappedTrace| {
        let relation = RELATIONS.iter().find(|(relation, _)| *relation == trace.relation);
        let relation = relation.map(|(_, name)| format!("\"relation\":\"{name}\",")).unwrap_or_default();
        let frames: Vec<_> = trace.frames.iter().map(frame).collect();
        format!("{{{relation}\"head\":{},\"frames\":[{}]}}", quoted(&trace.head), frames.join(","))
    };
    let traces: Vec<_> = mapped.traces.iter().map(trace).collect();
    format!(",\"stack\":[{}]", traces.join(","))
}

impl Mapped {
    /// Reads what [`EventRef::write_data`] wrote of a place and its stack; `None` if the data has none.
    pub fn read(data: &str) -> Option<Self> {
        let object = json::get(data, "mapped").filter(|value| json::shape(value) == json::Shape::Object)?;
        let place = MappedFrame { is_own: true, is_mapped: true, ..read_frame(object) };
        if place.file.is_empty() {
            return None;
        }
        let traces: Vec<_> =
            json::get(object, "stack").into_iter().flat_map(items).take(MAX_TRACES).map(read_trace).collect();
        let top = traces.iter().enumerate().find_map(|(number, trace)| {
            Some((number, trace.frames.iter().position(|frame| *frame == place)?))
        });
        if top.is_some() {
            return Some(Self { traces, top, note: None });
        }
        let trace = MappedTrace { relation: Relation::Thrown, head: Box::default(), frames: vec![place] };
        Some(Self { traces: vec![trace], top: Some((0, 0)), note: None })
    }
}

fn read_trace(object: &str) -> MappedTrace {
    let [relation, head, frames] = json::get_all(object, ["relation", "head", "frames"]);
    let relation = relation.and_then(json::text).unwrap_or_default();
    let relation = RELATIONS.iter().find(|(_, name)| *name == relation);
    MappedTrace {
        relation: relation.map_or(Relation::Thrown, |(relation, _)| *relation),
        head: head.and_then(json::text).unwrap_or_default().into(),
        frames: frames.into_iter().flat_map(items).take(MAX_FRAMES).map(read_frame).collect(),
    }
}

fn read_frame(object: &str) -> MappedFrame {
    let [file, function] = json::get_all(object, ["file", "function"])
        .map(|value| value.and_then(json::text).unwrap_or_default().into());
    let [line, column] = json::get_all(object, ["line", "column"])
        .map(|value| value.and_then(|number| number.parse::<u32>().ok()).unwrap_or(0));
    let [is_own, is_mapped] = json::get_all(object, ["own", "mapped"]).map(|value| value == Some("true"));
    MappedFrame { function, file, line, column, is_own, is_mapped, ..MappedFrame::default() }
}

/// The elements of an array; none of anything else.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let array = Some(value).filter(|value| json::shape(value) == json::Shape::Array);
    array.into_iter().flat_map(json::elements).map(|(_, element)| element)
}

/// Adds `text` as a JSON string; names are hardly ever anything but plain ones.
fn push_quoted(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        [r#"""#, text, r#"""#].into_iter().for_each(|part| out.push_str(part));
    } else {
        out.push_str(&quoted(text));
    }
}

/// `text` as a JSON string, quotes included.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always encodes")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn frames() -> impl Strategy<Value = MappedFrame> {
        let texts = ("[a-z.<\u{202e}\"]{0,5}", "[a-z/.é\n]{1,9}");
        (texts, 0..9_u32, 0..9_u32, any::<bool>(), any::<bool>()).prop_map(
            |((function, file), line, column, is_own, is_mapped)| MappedFrame {
                function: function.into(),
                file: file.into(),
                line,
                column,
                is_own,
                is_mapped,
                ..MappedFrame::default()
            },
        )
    }

    fn traces() -> impl Strategy<Value = MappedTrace> {
        let relations = prop_oneof![Just(Relation::Thrown), Just(Relation::Cause), Just(Relation::Part)];
        (relations, "\\PC{0,9}", vec(frames(), 0..5)).prop_map(|(relation, head, frames)| MappedTrace {
            relation,
            head: head.into(),
            frames,
        })
    }

    proptest! {
        #[test]
        fn a_stack_is_read_back_as_it_was_written(traces in vec(traces(), 1..5), other in frames()) {
            let mut mapped = Mapped { traces, ..Mapped::default() };
            let place = MappedFrame { is_own: true, is_mapped: true, ..other };
            mapped.traces[0].frames.insert(0, place.clone());
            mapped.top = Some((0, 0));
            let data = format!("{{\"a\":1,\"mapped\":{}}}", mapped_member(&place, &mapped, ROOM));
            prop_assert_eq!(Mapped::read(&data), Some(mapped.clone()));
            // Where there is no room the place is what stays.
            let data = format!("{{\"mapped\":{}}}", mapped_member(&place, &mapped, 9));
            prop_assert_eq!(Mapped::read(&data).and_then(|mapped| mapped.place().cloned()), Some(place));
        }

        #[test]
        fn any_data_is_read(stack in "(\\[|\\]|\\{|\\}|\"frames\"|\"file\"|:|,|1|null){0,20}") {
            if let Some(mapped) = Mapped::read(&format!("{{\"mapped\":{{\"file\":\"a\",\"stack\":{stack}}}}}")) {
                prop_assert!(mapped.place().is_some());
            }
        }
    }
}
