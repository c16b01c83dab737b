//! What an answer says of a request that was taken, but perhaps not all of it (OTLP specification, partial success).

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message;
use serde_json::Value;

use crate::event::gate;

/// Of the other end's own words.
const SHOWN: usize = 120;

/// `None` where all was taken without a word, and for an answer that cannot be read.
pub(super) fn complaint(answer: &[u8], is_json: bool) -> Option<String> {
    let (refused, why) = if is_json { of_json(answer) } else { of_protobuf(answer) };
    let why = gate::plain_capped(&why, SHOWN);
    match (refused, why.is_empty()) {
        (1.., true) => Some(format!("refused {refused} records")),
        (1.., false) => Some(format!("refused {refused} records: {why}")),
        (_, false) => Some(format!("says: {why}")),
        (_, true) => None,
    }
}

/// The answers to logs, traces and metrics have the same fields under the same numbers.
fn of_protobuf(answer: &[u8]) -> (i64, String) {
    let part =
        ExportLogsServiceResponse::decode(answer).unwrap_or_default().partial_success.unwrap_or_default();
    (part.rejected_log_records, part.error_message)
}

fn of_json(answer: &[u8]) -> (i64, String) {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let Some(part) = answer["partialSuccess"].as_object() else { return (0, String::new()) };
    let refused = part.iter().find(|(name, _)| name.starts_with("rejected")).map(|(_, count)| count);
    // 64 bits are a text in the JSON of protobuf.
    let refused = refused.and_then(|count| count.as_i64().or_else(|| count.as_str()?.parse().ok()));
    let why = part.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
    (refused.unwrap_or(0), why.to_owned())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };

    use super::*;

    #[test]
    fn what_was_refused_is_told_and_an_answer_without_it_says_nothing() {
        for (answer, expected) in [
            ("", None),
            ("{}", None),
            ("<html>", None),
            (r#"{"partialSuccess":{}}"#, None),
            (r#"{"partialSuccess":{"rejectedSpans":"0","errorMessage":""}}"#, None),
            (r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, Some("refused 3 records")),
            (
                r#"{"partialSuccess":{"rejectedLogRecords":2,"errorMessage":"old\u001b[2J"}}"#,
                Some("refused 2 records: old␛[2J"),
            ),
            (r#"{"partialSuccess":{"errorMessage":"slow down"}}"#, Some("says: slow down")),
        ] {
            assert_eq!(complaint(answer.as_bytes(), true).as_deref(), expected, "{answer}");
        }
        let told = |rejected_spans| ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message: "old".to_owned(),
            }),
        };
        assert_eq!(complaint(&told(3).encode_to_vec(), false).as_deref(), Some("refused 3 records: old"));
        for answer in [ExportTraceServiceResponse::default().encode_to_vec(), b"not protobuf".to_vec()] {
            assert_eq!(complaint(&answer, false), None);
        }
    }
}
