//! One event as one line of JSON: what exports, recordings and `tail --format jsonl` write (CONTRACT: the JSONL line).
//!
//! Keys come in the contract's order, absent ones are left out. The line is lossless: read back, it is the same event
//! and the same line again.

use std::fmt::Write as _;

use super::chunk::EventRef;
use super::gate;

/// Appends the line of `event` to `out`, without a line break.
pub fn write(event: EventRef<'_>, out: &mut String) {
    write_from(event, None, out);
}

/// As [`write()`], with a hash of the client and the event's number there, for what is read back after a restart.
pub fn write_from(event: EventRef<'_>, origin: Option<(u64, u64)>, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{{\"inst\":\"{}\",\"level\":\"{}\"", event.inst(), event.level().name());
    text(out, "id", event.id());
    text(out, "msg", event.msg());
    text(out, "session", event.session());
    text(out, "user", event.user());
    text(out, "tab", event.tab());
    if let Some(load) = event.load() {
        let _ = write!(out, ",\"load\":{load}");
    }
    text(out, "endpoint", event.endpoint());
    if let Some(duration) = event.duration() {
        let _ = write!(out, ",\"duration\":{duration}");
    }
    if let Some(status) = event.status() {
        let _ = write!(out, ",\"status\":{status}");
    }
    if let Some(group) = event.group() {
        let _ = write!(out, ",\"group\":\"{group:016x}\"");
    }
    text(out, "source", event.source());
    let _ = write!(out, ",\"seq\":{},\"recv\":\"{}\"", event.seq(), event.recv());
    if let Some((client, number)) = origin {
        let _ = write!(out, ",\"cid\":\"{client:016x}\",\"cseq\":{number}");
    }
    out.push_str(",\"data\":");
    let mut data = String::with_capacity(event.json().len() + 128);
    event.write_data(&mut data);
    gate::push_json_escaped(out, &data);
    out.push('}');
}

fn text(out: &mut String, key: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let quoted = serde_json::to_string(value).expect("a string always encodes");
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
    gate::push_json_escaped(out, &quoted);
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
