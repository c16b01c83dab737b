//! One event as its sender wrote it: its members, and the fields among them that become columns, as exact text.
//!
//! Filled by `wire::skim`, or by [`RawEvent::of`] from text that is known to be JSON; read by `wire::row`. A value is
//! read when it is asked for, and one of an unexpected type reads as absent, never as an error.

use std::borrow::Cow;
use std::ops::Index;

use super::order::Keys;
use crate::event::{bounds, json, place_in};

/// The fields of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct RawEvent<'a> {
    /// Key, as written, and value of those members that have no slot, in the order written.
    pub(super) members: Vec<(&'a str, &'a str)>,
    pub(super) fields: Fields<'a>,
    pub(super) keys: Keys,
    pub(super) extent: Extent,
}

/// How large an event may be at most, as far as one pass over it tells by the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    /// A bit for each level of what is nested in it, and one above.
    pub(super) levels: u64,
    /// What separates members and elements, of all objects and arrays together.
    pub(super) separators: usize,
    /// The lengths of names that were looked at, all bits of them together: no less than the longest.
    pub(super) names: usize,
}

impl Extent {
    /// Whether any bound of what is laid out may be passed.
    pub(super) fn may_be_beyond(self) -> bool {
        self.levels >= 1 << bounds::DEPTH || self.separators >= bounds::MEMBERS || self.names >= bounds::NAME
    }
}

/// The members that become columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Kind,
    Subtype,
    Level,
    Id,
    Ns,
    Message,
    Stack,
    Severity,
    Url,
    Method,
    Status,
    StatusCode,
    Timestamp,
    DurationMs,
    ResponseTimeMs,
    RenderTimeMs,
    Session,
    User,
    Tab,
    Load,
    Source,
    Cached,
    Aborted,
    RecvTime,
    BrowserTime,
    Measured,
    Data,
    Context,
}

const SLOTS: usize = Slot::Context as usize + 1;

/// What was sent for each [`Slot`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields<'a>([Raw<'a>; SLOTS]);

/// A value as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Raw<'a> {
    #[default]
    Absent,
    /// What stands between the quotes of a text without escapes.
    Plain(&'a str),
    /// The exact JSON of any other value.
    Json(&'a str),
}

impl<'a> Raw<'a> {
    fn of(value: &'a str) -> Self {
        match json::text(value) {
            Some(Cow::Borrowed(text)) => Self::Plain(text),
            _ => Self::Json(value),
        }
    }

    fn shape(self) -> json::Shape {
        match self {
            Self::Absent => json::Shape::Null,
            Self::Plain(_) => json::Shape::Text,
            Self::Json(value) => json::shape(value),
        }
    }

    /// The JSON of an object or a list.
    pub(super) fn json(self) -> Option<&'a str> {
        match self {
            Self::Json(value) if matches!(self.shape(), json::Shape::Object | json::Shape::Array) => {
                Some(value)
            }
            _ => None,
        }
    }

    /// The exact JSON of any value but null, a part of `event`.
    pub(super) fn json_in(self, event: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(text) => {
                let inside = place_in(event, text)?;
                event.get(inside.start.checked_sub(1)?..inside.end + 1)
            }
            Self::Json(value) if self.is_present() => Some(value),
            _ => None,
        }
    }

    /// The text, or a number written out: senders use numbers as ids.
    pub(super) fn name(self) -> Cow<'a, str> {
        match self {
            Self::Json(value) if self.shape() == json::Shape::Number => {
                json::number(value).map_or(Cow::Borrowed(""), |id| id.to_string().into())
            }
            _ => self.text(),
        }
    }

    /// The text, or a number just as it was written.
    pub(super) fn written(self) -> Cow<'a, str> {
        match self {
            Self::Json(value) if self.shape() == json::Shape::Number => Cow::Borrowed(value),
            _ => self.text(),
        }
    }

    /// The text, empty for every other type.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Absent => Cow::Borrowed(""),
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Json(value) => json::text(value).unwrap_or_default(),
        }
    }

    /// The number, also one written as text.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Absent => None,
            Self::Plain(text) => json::number(text),
            Self::Json(value) => match json::shape(value) {
                json::Shape::Number => json::number(value),
                json::Shape::Text => json::number(&self.text()),
                _ => None,
            },
        }
    }

    pub(super) fn is_true(self) -> bool {
        self == Self::Json("true")
    }

    pub(super) fn is_present(self) -> bool {
        self.shape() != json::Shape::Null
    }

    /// The object's member `name`.
    pub(super) fn get(self, name: &str) -> Self {
        match self {
            Self::Json(value) => json::get(value, name).map_or(Self::Absent, Self::of),
            _ => Self::Absent,
        }
    }
}

impl<'a> RawEvent<'a> {
    /// Finds the members of `object`, whose text is known to be JSON.
    pub(super) fn of(object: &'a str) -> Self {
        let mut event = Self::default();
        for member in json::members(object) {
            match Slot::of(json::unescape(member.key).as_bytes()) {
                Some(slot) => event.fields.set(slot, Raw::of(member.value)),
                None => event.members.push((member.key, member.value)),
            }
        }
        event
    }

    /// Takes the text of a log entry, which stands in its `data`, for the message it has not.
    pub(super) fn lift_message(&mut self) {
        let fields = &mut self.fields;
        if fields[Slot::Message].is_present() {
            return;
        }
        let error = fields[Slot::Data].get("error").get("value");
        let texts = [fields[Slot::Data].get("msg"), error.get("message"), error.get("cause")];
        if let Some(text) = texts.into_iter().find(|text| !text.text().is_empty()) {
            fields.0[Slot::Message as usize] = text;
        }
    }

    /// Forgets the event, but not the keys that it is likely to share with the next.
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.fields = Fields::default();
        self.extent = Extent::default();
        self.keys.begin();
    }
}

impl<'a> Fields<'a> {
    pub(super) fn set(&mut self, slot: Slot, value: Raw<'a>) {
        self.0[slot as usize] = value;
    }
}

impl<'a> Index<Slot> for Fields<'a> {
    type Output = Raw<'a>;

    fn index(&self, slot: Slot) -> &Raw<'a> {
        &self.0[slot as usize]
    }
}

impl Slot {
    /// Where the value of `key` goes; the three case styles are read alike (CONTRACT: the event).
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"type" => Self::Kind,
            b"subtype" => Self::Subtype,
            b"level" => Self::Level,
            b"id" => Self::Id,
            b"ns" => Self::Ns,
            b"message" => Self::Message,
            b"stack" => Self::Stack,
            b"severity" => Self::Severity,
            b"url" => Self::Url,
            b"method" => Self::Method,
            b"status" => Self::Status,
            b"status-code" | b"status_code" | b"statusCode" => Self::StatusCode,
            b"timestamp" => Self::Timestamp,
            b"duration-ms" | b"duration_ms" | b"durationMs" => Self::DurationMs,
            b"response-time-ms" | b"response_time_ms" | b"responseTimeMs" => Self::ResponseTimeMs,
            b"render-time-ms" | b"render_time_ms" | b"renderTimeMs" => Self::RenderTimeMs,
            b"session-id" | b"session_id" | b"sessionId" => Self::Session,
            b"user-id" | b"user_id" | b"userId" => Self::User,
            b"tab" => Self::Tab,
            b"load" => Self::Load,
            b"source" => Self::Source,
            b"cached" | b"cached?" => Self::Cached,
            b"aborted" | b"aborted?" => Self::Aborted,
            b"server-recv-time" | b"server_recv_time" | b"serverRecvTime" => Self::RecvTime,
            b"browser-timestamp" | b"browser_timestamp" | b"browserTimestamp" => Self::BrowserTime,
            b"perf-entry" => Self::Measured,
            b"data" => Self::Data,
            b"context" => Self::Context,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_case_styles_read_alike() {
        for key in ["duration-ms", "duration_ms", "durationMs"] {
            let object = format!(r#"{{"{key}":12.5}}"#);
            assert_eq!(RawEvent::of(&object).fields[Slot::DurationMs].number(), Some(12.5), "{key}");
        }
    }

    #[test]
    fn a_field_of_an_unexpected_type_is_present_but_unread() {
        let object =
            r#"{"type":["error"],"message":{"a":[1,2]},"user-id":42,"status":"404","level":null,"x":[[[]]]}"#;
        let event = RawEvent::of(object).fields;
        assert_eq!(event[Slot::Kind].text(), "");
        assert!(event[Slot::Kind].is_present());
        assert_eq!(event[Slot::User].name(), "42");
        assert_eq!(event[Slot::Status].number(), Some(404.0));
        assert!(!event[Slot::Level].is_present());
    }

    #[test]
    fn a_number_no_column_can_hold_is_unread() {
        let event = RawEvent::of(r#"{"duration-ms":1e400,"user-id":-1e400,"message":"m"}"#).fields;
        assert_eq!((&*event[Slot::Message].text(), event[Slot::DurationMs].number()), ("m", None));
        assert_eq!(event[Slot::User].name(), "");
    }

    #[test]
    fn an_escaped_key_is_kept_as_written() {
        let event = RawEvent::of(r#"{"\u006dessage":"m"}"#);
        assert_eq!(event.fields[Slot::Message].text(), "m");
        assert_eq!(RawEvent::of(r#"{"\u006d":1}"#).members, [(r"\u006d", "1")]);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(
            RawEvent::of(r#"{"message":"a","message":"b","userId":1,"user_id":2}"#).fields[Slot::Message]
                .text(),
            "b"
        );
    }
}
