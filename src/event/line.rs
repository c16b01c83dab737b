//! One event as one line of JSON: what exports, recordings and `tail --format jsonl` write (CONTRACT: the JSONL line).
//!
//! Keys come in the contract's order, absent ones are left out. The line is lossless: read back, it is the same event
//! and the same line again.

use super::chunk::EventRef;
use super::gate;
use super::time::Timestamp;

/// Bytes of a line beside its data and its message, about.
const HEAD: usize = 320;

/// Appends the line of `event` to `out`, without a line break.
pub fn write(event: EventRef<'_>, out: &mut String) {
    write_from(event, None, out);
}

/// As [`write()`], with a hash of the client and the event's number there, for what is read back after a restart.
pub fn write_from(event: EventRef<'_>, origin: Option<(u64, u64)>, out: &mut String) {
    out.reserve(event.json().len() + event.msg().len() + HEAD);
    out.push_str("{\"inst\":");
    time(out, event.inst());
    text(out, "level", event.level().name());
    text(out, "id", event.id());
    text(out, "msg", event.msg());
    text(out, "session", event.session());
    text(out, "user", event.user());
    text(out, "tab", event.tab());
    if let Some(load) = event.load() {
        number(out, "load", load);
    }
    text(out, "endpoint", event.endpoint());
    if let Some(duration) = event.duration() {
        key(out, "duration");
        // Writing to a String cannot fail.
        let _ = duration.write_ms(out);
    }
    if let Some(status) = event.status() {
        number(out, "status", status);
    }
    if let Some(group) = event.group() {
        hex(out, "group", group);
    }
    text(out, "source", event.source());
    number(out, "seq", event.seq());
    key(out, "recv");
    time(out, event.recv());
    if let Some((client, nth)) = origin {
        hex(out, "cid", client);
        number(out, "cseq", nth);
    }
    key(out, "data");
    let from = out.len();
    event.write_data(out);
    gate::escape_json_from(out, from);
    out.push('}');
}

fn key(out: &mut String, key: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
}

fn text(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        key(out, name);
        gate::push_json_text(out, value);
    }
}

fn time(out: &mut String, time: Timestamp) {
    out.push('"');
    // Writing to a String cannot fail.
    let _ = time.write_rfc3339(out);
    out.push('"');
}

fn number(out: &mut String, name: &str, value: impl itoa::Integer) {
    key(out, name);
    out.push_str(itoa::Buffer::new().format(value));
}

/// Sixteen digits, as a text.
fn hex(out: &mut String, name: &str, value: u64) {
    key(out, name);
    out.push('"');
    let bits = |at: u32| u32::try_from(value >> (at * 4) & 0xf).unwrap_or_default();
    let digit = |at: u32| char::from_digit(bits(at), 16).unwrap_or('0');
    out.extend((0..16).rev().map(digit));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Family, Level, Micros, Msg, Row, Timestamp};

    #[test]
    fn keys_come_in_the_contracts_order_and_nothing_raw_survives() {
        let mut builder = ChunkBuilder::new();
        builder.push(&Row {
            seq: 7,
            recv: Timestamp(1),
            level: Level::Error,
            family: Family::Error,
            id: "browser/network",
            ns: "browser.network",
            kind: "error",
            subtype: "network",
            session: "s",
            user: "u",
            tab: "t",
            load: Some(2),
            endpoint: "GET /a",
            duration: Some(Micros(1500)),
            status: Some(500),
            group: 0xab,
            source: "browser",
            msg: Msg::Text("a\u{202e}b"),
            json: "{\"message\":\"a\u{202e}b\",\n \"timestamp\":0}",
            ..Row::default()
        });
        let chunk = builder.finish();
        let mut out = String::new();
        write(chunk.event(0), &mut out);
        let expected = concat!(
            r#"{"inst":"1970-01-01T00:00:00.000Z","level":"error","id":"browser/network","msg":"a\u202eb","session":"s","#,
            r#""user":"u","tab":"t","load":2,"endpoint":"GET /a","duration":1.5,"status":500,"#,
            r#""group":"00000000000000ab","source":"browser","seq":7,"recv":"1970-01-01T00:00:00.001Z","#,
            r#""data":{"message":"a\u202eb",  "timestamp":0,"source":"browser","user-id":"u","server-recv-time":1,"#,
            r#""browser-timestamp":0}}"#,
        );
        assert_eq!(out, expected);
    }
}
