//! What a client is sent, in its own packing: the handshake, pongs, replies and subscriptions. Nothing else ever is.
//!
//! Called by `ingest`. Both libraries warn about any frame that they do not expect, so each form here is the one that
//! the client's own server sends.

use rmpv::Value;

use super::Ask;
use super::out::Out;
use super::packer::{Packer, Packing};

/// Which library a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// sente-lite: EDN alone, bare messages, no callbacks.
    Lite,
    /// Sente: any packing, wrapped messages, callbacks.
    Sente,
}

/// A frame to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Text(String),
    Binary(Vec<u8>),
}

/// The first frame of a connection: it makes the client open; `uid` is what it is called here.
pub fn handshake(dialect: Dialect, packing: Packing, uid: &str) -> Reply {
    let quoted = quoted(uid);
    if dialect == Dialect::Lite {
        return Reply::Text(format!(
            "[:chsk/handshake [{quoted} nil {{:sente-lite-version \"2.0.0\"}} true]]"
        ));
    }
    match packing.packer {
        Packer::Edn => text(packing, format!("[[:chsk/handshake [{quoted} nil nil]] nil]")),
        Packer::Transit => {
            text(packing, format!("[[\"~:chsk/handshake\",[{},null,null]],null]", transit(uid)))
        }
        Packer::Msgpack => {
            let data = Value::Array(vec![uid.into(), Value::Nil, Value::Nil]);
            let message = Value::Array(vec![keyword("chsk/handshake"), data]);
            binary(packing, &Value::Array(vec![message, Value::Nil]))
        }
    }
}

/// The frame that `ask` waits for; `None` where its client expects none.
pub fn answer(dialect: Dialect, packing: Packing, ask: &Ask) -> Option<Reply> {
    match (ask, dialect) {
        (Ask::Ping { callback: None }, Dialect::Lite) => Some(Reply::Text("[:chsk/ws-pong]".to_owned())),
        (Ask::Ping { callback: Some(callback) }, _) => Some(called_back(packing, true, callback)),
        (Ask::Reply { callback }, _) => Some(called_back(packing, false, callback)),
        (Ask::Channel { channel }, Dialect::Lite) => Some(Reply::Text(format!(
            "[:sente-lite/subscribed {{:channel-id {}, :success true}}]",
            quoted(channel)
        ))),
        (Ask::Ping { callback: None } | Ask::Channel { .. }, Dialect::Sente) => None,
    }
}

/// `["pong" callback]`, or `[{:ok true} callback]`.
fn called_back(packing: Packing, is_pong: bool, callback: &str) -> Reply {
    match packing.packer {
        Packer::Edn => {
            let value = if is_pong { "\"pong\"" } else { "{:ok true}" };
            text(packing, format!("[{value} {}]", quoted(callback)))
        }
        Packer::Transit => {
            let value = if is_pong { "\"pong\"" } else { "[\"^ \",\"~:ok\",true]" };
            text(packing, format!("[{value},{}]", transit(callback)))
        }
        Packer::Msgpack => {
            let value = if is_pong {
                Value::from("pong")
            } else {
                Value::Map(vec![(keyword("ok"), Value::Boolean(true))])
            };
            binary(packing, &Value::Array(vec![value, callback.into()]))
        }
    }
}

/// A string of EDN and of JSON alike.
fn quoted(text: &str) -> String {
    let mut out = Out::default();
    out.text(text.as_bytes());
    out.into_text()
}

/// A string of Transit, whose first character may need an escape.
fn transit(text: &str) -> String {
    if text.starts_with(['~', '^', '`']) { quoted(&format!("~{text}")) } else { quoted(text) }
}

fn keyword(name: &str) -> Value {
    Value::Ext(0, name.as_bytes().to_vec())
}

fn text(packing: Packing, text: String) -> Reply {
    if packing.is_wrapped {
        return wrapped(text.into_bytes());
    }
    // Sente up to 1.16 reads the mark to know whether a callback follows.
    Reply::Text(if packing.is_prefixed { format!("+{text}") } else { text })
}

fn binary(packing: Packing, value: &Value) -> Reply {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = rmpv::encode::write_value(&mut bytes, value);
    if packing.is_wrapped { wrapped(bytes) } else { Reply::Binary(bytes) }
}

/// Answers are short, and Sente's wrapper leaves what is short uncompressed.
fn wrapped(mut payload: Vec<u8>) -> Reply {
    payload.insert(0, 0);
    Reply::Binary(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packing(name: &str) -> Packing {
        Packing::named(name).expect("a name")
    }

    fn hex(reply: &Reply) -> String {
        match reply {
            Reply::Text(text) => text.clone(),
            Reply::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    #[test]
    fn handshakes_are_those_of_the_real_servers() {
        for (dialect, name, expected) in [
            (Dialect::Lite, "edn", r#"[:chsk/handshake ["u-1" nil {:sente-lite-version "2.0.0"} true]]"#),
            (Dialect::Sente, "edn", r#"[[:chsk/handshake ["u-1" nil nil]] nil]"#),
            (Dialect::Sente, "transit", r#"[["~:chsk/handshake",["u-1",null,null]],null]"#),
            (Dialect::Sente, "msgpack", "9292c70e006368736b2f68616e647368616b6593a3752d31c0c0c0"),
            (Dialect::Sente, "gzip-msgpack", "009292c70e006368736b2f68616e647368616b6593a3752d31c0c0c0"),
        ] {
            assert_eq!(hex(&handshake(dialect, packing(name), "u-1")), expected);
        }
    }

    #[test]
    fn answers_are_packed_like_what_they_answer() {
        let ping = Ask::Ping { callback: Some("cb\"1".to_owned()) };
        let reply = Ask::Reply { callback: "~x".to_owned() };
        let old = Packing { is_prefixed: true, ..Packing::default() };
        for (packing, ask, expected) in [
            (packing("edn"), &ping, r#"["pong" "cb\"1"]"#),
            (old, &ping, r#"+["pong" "cb\"1"]"#),
            (packing("edn"), &reply, r#"[{:ok true} "~x"]"#),
            (packing("transit"), &reply, r#"[["^ ","~:ok",true],"~~x"]"#),
            (packing("msgpack"), &ping, "92a4706f6e67a463622231"),
            (packing("msgpack"), &reply, "9281d5006f6bc3a27e78"),
        ] {
            assert_eq!(answer(Dialect::Sente, packing, ask).as_ref().map(hex).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_client_gets_only_what_its_library_knows() {
        let channel = Ask::Channel { channel: "x".to_owned() };
        let ping = Ask::Ping { callback: None };
        let plain = Packing::default();
        let answers = |dialect| [&channel, &ping].map(|ask| answer(dialect, plain, ask).as_ref().map(hex));
        assert_eq!(answers(Dialect::Sente), [None, None]);
        let subscribed = r#"[:sente-lite/subscribed {:channel-id "x", :success true}]"#;
        assert_eq!(answers(Dialect::Lite), [Some(subscribed.to_owned()), Some("[:chsk/ws-pong]".to_owned())]);
    }
}
