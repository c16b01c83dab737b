//! Attributes and values of OTLP from an event's own.
//!
//! Bounded in depth, width and length: what lies deeper is its JSON text, what is longer is cut.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

use crate::event::json::{self, Shape};

/// Nesting that stays structure.
const MAX_DEPTH: usize = 8;
/// Members or elements of one value.
const MAX_WIDTH: usize = 256;
/// An element that is null. OTLP would have no value at all there, but some readers of its JSON refuse that, and all that
/// came with it.
const NULL: &str = "null";
/// Bytes of one text.
const MAX_TEXT: usize = 32 * 1024;

pub(super) fn any(value: Any) -> AnyValue {
    AnyValue { value: Some(value) }
}

pub(super) fn string(text: &str) -> Any {
    Any::StringValue(text[..text.floor_char_boundary(MAX_TEXT)].to_owned())
}

/// An attribute with a value.
pub(super) fn attribute(name: &str, value: Any) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(any(value)), ..KeyValue::default() }
}

/// An attribute that is a text.
pub(super) fn text(name: &str, value: &str) -> KeyValue {
    attribute(name, string(value))
}

/// Adds an attribute unless `value` is empty.
pub(super) fn add(to: &mut Vec<KeyValue>, name: &str, value: &str) {
    if !value.is_empty() {
        to.push(text(name, value));
    }
}

/// The value of a JSON text; `None` for null, whose member is left out.
pub(super) fn of(json: &str, depth: usize) -> Option<Any> {
    let shape = json::shape(json);
    if depth >= MAX_DEPTH && matches!(shape, Shape::Object | Shape::Array) {
        return Some(string(json));
    }
    match shape {
        Shape::Null => None,
        Shape::Bool => Some(Any::BoolValue(json.starts_with('t'))),
        Shape::Text => json::text(json).map(|text| string(&text)),
        Shape::Number => match (json.parse::<i64>(), json::number(json)) {
            (Ok(whole), _) => Some(Any::IntValue(whole)),
            (_, Some(real)) if real.is_finite() => Some(Any::DoubleValue(real)),
            _ => Some(string(json)),
        },
        Shape::Array => {
            let elements = json::elements(json).take(MAX_WIDTH);
            let element = |(_, value)| any(of(value, depth + 1).unwrap_or_else(|| string(NULL)));
            let values = elements.map(element).collect();
            Some(Any::ArrayValue(ArrayValue { values }))
        }
        Shape::Object => Some(Any::KvlistValue(KeyValueList { values: members(json, depth + 1) })),
    }
}

/// The members of a JSON object as attributes; those that are null are left out.
pub(super) fn members(object: &str, depth: usize) -> Vec<KeyValue> {
    json::members(object)
        .filter_map(|member| Some(attribute(&json::unescape(member.key), of(member.value, depth)?)))
        .take(MAX_WIDTH)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind() {
        let Some(Any::KvlistValue(list)) =
            of(r#"{"a":1,"b":1.5,"c":"x","d":null,"e":[true,"y"],"f":1e400}"#, 0)
        else {
            panic!("a list")
        };
        let values: Vec<_> = list
            .values
            .iter()
            .map(|pair| (pair.key.as_str(), pair.value.clone().and_then(|any| any.value)))
            .collect();
        assert_eq!(values[0], ("a", Some(Any::IntValue(1))));
        assert_eq!(values[1], ("b", Some(Any::DoubleValue(1.5))));
        assert_eq!(values[2], ("c", Some(Any::StringValue("x".to_owned()))));
        assert_eq!(values[3].0, "e");
        assert_eq!(values[4], ("f", Some(Any::StringValue("1e400".to_owned()))));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let mut value = of(&deep, 0);
        for _ in 0..MAX_DEPTH {
            let Some(Any::ArrayValue(array)) = value else { panic!("an array") };
            value = array.values[0].value.clone();
        }
        assert!(matches!(value, Some(Any::StringValue(_))));
    }
}
