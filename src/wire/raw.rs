//! One event as its sender wrote it: the fields that become columns, borrowed from the JSON text.
//!
//! Called by `wire::decode`. A typed pass over the text is the fast way; [`RawEvent::lenient`] reads the same
//! fields from text that the typed pass refuses (a number of 1e400, nesting beyond its limit). A field of an
//! unexpected type is left unread, never an error.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::event::json;

/// The fields of one event; absent, null and mistyped ones are `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct RawEvent<'a> {
    pub(super) kind: Scalar<'a>,
    pub(super) subtype: Scalar<'a>,
    pub(super) level: Scalar<'a>,
    pub(super) id: Scalar<'a>,
    pub(super) ns: Scalar<'a>,
    pub(super) message: Scalar<'a>,
    pub(super) stack: Scalar<'a>,
    pub(super) severity: Scalar<'a>,
    pub(super) url: Scalar<'a>,
    pub(super) method: Scalar<'a>,
    pub(super) status: Scalar<'a>,
    pub(super) status_code: Scalar<'a>,
    pub(super) timestamp: Scalar<'a>,
    pub(super) duration_ms: Scalar<'a>,
    pub(super) response_time_ms: Scalar<'a>,
    pub(super) render_time_ms: Scalar<'a>,
    pub(super) session: Scalar<'a>,
    pub(super) user: Scalar<'a>,
    pub(super) tab: Scalar<'a>,
    pub(super) load: Scalar<'a>,
    pub(super) source: Scalar<'a>,
    pub(super) cached: Scalar<'a>,
    pub(super) aborted: Scalar<'a>,
    pub(super) recv_time: Scalar<'a>,
    pub(super) browser_time: Scalar<'a>,
    /// Whether there is an object to look into for what the columns above lack.
    pub(super) has_data: bool,
    pub(super) has_context: bool,
}

/// A value that is looked at: text, number or truth; everything else is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Number(f64),
    Bool(bool),
    /// An array or object: present, but of no use as a column.
    Nested,
}

impl<'a> Scalar<'a> {
    /// The text, or a number written out: senders use numbers as ids.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(""),
        }
    }

    /// The text, empty for every other type.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The number, also one written as text.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => json::number(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    pub(super) fn is_present(&self) -> bool {
        *self != Self::None
    }

    /// From a value's exact JSON text.
    pub(super) fn of(value: &'a str) -> Self {
        match json::shape(value) {
            json::Shape::Text => json::text(value).map_or(Self::None, Self::Text),
            json::Shape::Number => json::number(value).map_or(Self::None, Self::Number),
            json::Shape::Bool => Self::Bool(value.starts_with('t')),
            json::Shape::Null => Self::None,
            json::Shape::Object | json::Shape::Array => Self::Nested,
        }
    }
}

impl<'a> RawEvent<'a> {
    /// Reads the event member by member from text that is known to be JSON.
    pub(super) fn lenient(object: &'a str) -> Self {
        let mut event = Self::default();
        for member in json::members(object) {
            let key = json::unescape(member.key);
            if let Some(slot) = event.slot(&key) {
                *slot = Scalar::of(member.value);
            } else {
                event.note_nested(&key);
            }
        }
        event
    }

    /// Where the value of `key` goes; the three case styles are read alike (CONTRACT: the event).
    fn slot(&mut self, key: &str) -> Option<&mut Scalar<'a>> {
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
            _ => return None,
        })
    }

    fn note_nested(&mut self, key: &str) {
        match key {
            "data" => self.has_data = true,
            "context" => self.has_context = true,
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for RawEvent<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut event = Self::default();
        Fill(&mut event).deserialize(deserializer)?;
        Ok(event)
    }
}

/// Reads an event's fields to where it stands: moving all of them costs as much as reading some.
pub(super) struct Fill<'s, 'a>(pub(super) &'s mut RawEvent<'a>);

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(target) = map.next_key_seed(KeySeed(&mut *self.0))? {
            match target {
                Some(slot) => *slot = map.next_value_seed(ScalarSeed)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a key straight into the slot it names, so that no key is ever copied.
struct KeySeed<'s, 'a>(&'s mut RawEvent<'a>);

impl<'de, 's, 'a> DeserializeSeed<'de> for KeySeed<'s, 'a> {
    type Value = Option<&'s mut Scalar<'a>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'s, 'a> Visitor<'_> for KeySeed<'s, 'a> {
    type Value = Option<&'s mut Scalar<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        self.0.note_nested(key);
        Ok(self.0.slot(key))
    }
}

struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }
    #[expect(clippy::cast_precision_loss, reason = "columns hold nothing above 2^53")]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }
    #[expect(clippy::cast_precision_loss, reason = "columns hold nothing above 2^53")]
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of reading must agree on everything both can read.
    #[track_caller]
    fn check(object: &str) -> RawEvent<'_> {
        let typed: RawEvent<'_> = serde_json::from_str(object).expect("valid");
        assert_eq!(format!("{typed:?}"), format!("{:?}", RawEvent::lenient(object)));
        typed
    }

    #[test]
    fn the_three_case_styles_read_alike() {
        for key in ["duration-ms", "duration_ms", "durationMs"] {
            let object = format!(r#"{{"{key}":12.5}}"#);
            assert_eq!(check(&object).duration_ms.number(), Some(12.5), "{key}");
        }
    }

    #[test]
    fn a_field_of_an_unexpected_type_is_present_but_unread() {
        let object =
            r#"{"type":["error"],"message":{"a":[1,2]},"user-id":42,"status":"404","level":null,"x":[[[]]]}"#;
        let event = check(object);
        assert_eq!(event.kind.text(), "");
        assert!(event.kind.is_present());
        assert_eq!(event.user.name(), "42");
        assert_eq!(event.status.number(), Some(404.0));
        assert!(!event.level.is_present());
    }

    #[test]
    fn what_the_typed_pass_refuses_is_read_leniently() {
        let object = r#"{"duration-ms":1e400,"message":"m"}"#;
        assert!(serde_json::from_str::<RawEvent<'_>>(object).is_err());
        let event = RawEvent::lenient(object);
        assert_eq!((event.message.text(), event.duration_ms.number()), ("m", None));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(check(r#"{"message":"a","message":"b","userId":1,"user_id":2}"#).message.text(), "b");
    }
}
