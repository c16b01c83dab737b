//! One event as its sender wrote it: its members, and the fields among them that become columns, as exact text.
//!
//! Filled by `wire::skim`, or by [`RawEvent::of`] from text that is known to be JSON; read by `wire::row`. A value is
//! read when it is asked for, and one of an unexpected type reads as absent, never as an error.

use std::borrow::Cow;

use crate::event::json;

/// The fields of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct RawEvent<'a> {
    /// Key, as written, and value of all of its members, in the order written.
    pub(super) members: Vec<(&'a str, &'a str)>,
    pub(super) fields: Fields<'a>,
}

/// The members that become columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields<'a> {
    pub(super) kind: Raw<'a>,
    pub(super) subtype: Raw<'a>,
    pub(super) level: Raw<'a>,
    pub(super) id: Raw<'a>,
    pub(super) ns: Raw<'a>,
    pub(super) message: Raw<'a>,
    pub(super) stack: Raw<'a>,
    pub(super) severity: Raw<'a>,
    pub(super) url: Raw<'a>,
    pub(super) method: Raw<'a>,
    pub(super) status: Raw<'a>,
    pub(super) status_code: Raw<'a>,
    pub(super) timestamp: Raw<'a>,
    pub(super) duration_ms: Raw<'a>,
    pub(super) response_time_ms: Raw<'a>,
    pub(super) render_time_ms: Raw<'a>,
    pub(super) session: Raw<'a>,
    pub(super) user: Raw<'a>,
    pub(super) tab: Raw<'a>,
    pub(super) load: Raw<'a>,
    pub(super) source: Raw<'a>,
    pub(super) cached: Raw<'a>,
    pub(super) aborted: Raw<'a>,
    pub(super) recv_time: Raw<'a>,
    pub(super) browser_time: Raw<'a>,
    pub(super) data: Raw<'a>,
    pub(super) context: Raw<'a>,
}

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
        match self.shape() {
            json::Shape::Number | json::Shape::Text => json::number(&self.written()),
            _ => None,
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
            event.add(&json::unescape(member.key), Raw::of(member.value));
            event.members.push((member.key, member.value));
        }
        event
    }

    /// Forgets everything but the room it took.
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.fields = Fields::default();
    }

    fn add(&mut self, key: &str, value: Raw<'a>) {
        if let Some(slot) = self.fields.slot(key) {
            *slot = value;
        }
    }

    /// Adds a member whose key has no escapes; `is_plain` says that the value is a text without any.
    pub(super) fn add_member(&mut self, key: &'a str, value: &'a str, is_plain: bool) {
        let inner = if is_plain { value.get(1..value.len() - 1) } else { None };
        self.add(key, inner.map_or(Raw::Json(value), Raw::Plain));
        self.members.push((key, value));
    }
}

impl<'a> Fields<'a> {
    /// Where the value of `key` goes; the three case styles are read alike (CONTRACT: the event).
    fn slot(&mut self, key: &str) -> Option<&mut Raw<'a>> {
        Some(match key.as_bytes() {
            b"type" => &mut self.kind,
            b"subtype" => &mut self.subtype,
            b"level" => &mut self.level,
            b"id" => &mut self.id,
            b"ns" => &mut self.ns,
            b"message" => &mut self.message,
            b"stack" => &mut self.stack,
            b"severity" => &mut self.severity,
            b"url" => &mut self.url,
            b"method" => &mut self.method,
            b"status" => &mut self.status,
            b"status-code" | b"status_code" | b"statusCode" => &mut self.status_code,
            b"timestamp" => &mut self.timestamp,
            b"duration-ms" | b"duration_ms" | b"durationMs" => &mut self.duration_ms,
            b"response-time-ms" | b"response_time_ms" | b"responseTimeMs" => &mut self.response_time_ms,
            b"render-time-ms" | b"render_time_ms" | b"renderTimeMs" => &mut self.render_time_ms,
            b"session-id" | b"session_id" | b"sessionId" => &mut self.session,
            b"user-id" | b"user_id" | b"userId" => &mut self.user,
            b"tab" => &mut self.tab,
            b"load" => &mut self.load,
            b"source" => &mut self.source,
            b"cached" | b"cached?" => &mut self.cached,
            b"aborted" | b"aborted?" => &mut self.aborted,
            b"server-recv-time" | b"server_recv_time" | b"serverRecvTime" => &mut self.recv_time,
            b"browser-timestamp" | b"browser_timestamp" | b"browserTimestamp" => &mut self.browser_time,
            b"data" => &mut self.data,
            b"context" => &mut self.context,
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
            assert_eq!(RawEvent::of(&object).fields.duration_ms.number(), Some(12.5), "{key}");
        }
    }

    #[test]
    fn a_field_of_an_unexpected_type_is_present_but_unread() {
        let object =
            r#"{"type":["error"],"message":{"a":[1,2]},"user-id":42,"status":"404","level":null,"x":[[[]]]}"#;
        let event = RawEvent::of(object).fields;
        assert_eq!(event.kind.text(), "");
        assert!(event.kind.is_present());
        assert_eq!(event.user.name(), "42");
        assert_eq!(event.status.number(), Some(404.0));
        assert!(!event.level.is_present());
    }

    #[test]
    fn a_number_no_column_can_hold_is_unread() {
        let event = RawEvent::of(r#"{"duration-ms":1e400,"user-id":-1e400,"message":"m"}"#).fields;
        assert_eq!((&*event.message.text(), event.duration_ms.number()), ("m", None));
        assert_eq!(event.user.name(), "");
    }

    #[test]
    fn an_escaped_key_is_kept_as_written() {
        let event = RawEvent::of(r#"{"\u006dessage":"m"}"#);
        assert_eq!(event.fields.message.text(), "m");
        assert_eq!(event.members, [(r"\u006dessage", r#""m""#)]);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(
            RawEvent::of(r#"{"message":"a","message":"b","userId":1,"user_id":2}"#).fields.message.text(),
            "b"
        );
    }
}
