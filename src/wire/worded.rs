//! Messages of events that say by their members what they are about: what could not be loaded, what a policy blocked, a
//! connection that never was. A page tells the members alone, and is smaller by the words.
//!
//! Called by `wire::decode` for each event. One that brings a message keeps it.

use std::borrow::Cow;

use super::raw::{RawEvent, Slot};
use crate::event::json;

/// All that browsers say of an error in a script from another origin.
const HIDDEN: &str = "Script error.";
const HINT: &str = "the script is from another origin: add crossorigin to its tag";

/// The text of `event`, which is `text`, with what follows from its members; `None` where nothing does.
pub(super) fn completed(text: &str, event: &RawEvent<'_>) -> Option<String> {
    let message = event.fields[Slot::Message];
    let (key, words) = if !message.is_present() {
        ("message", words(event)?)
    } else if message.text() == HIDDEN && member(event, "hint").is_none() {
        ("hint", HINT.to_owned())
    } else {
        return None;
    };
    let (open, words) = (text.trim_end().strip_suffix('}')?, serde_json::to_string(&words).ok()?);
    Some(format!("{open},\"{key}\":{words}}}"))
}

fn words(event: &RawEvent<'_>) -> Option<String> {
    let of = |slot| event.fields[slot].text();
    let (subtype, url) = (of(Slot::Subtype), of(Slot::Url));
    if url.is_empty() {
        return None;
    }
    Some(match &*subtype {
        "resource" => format!("Failed to load {} {url}", tag_of(&member(event, "element")?)),
        "csp" => {
            let verb = if of(Slot::Kind) == "error" { "blocked" } else { "would block" };
            format!("{} {verb} {url}", member(event, "directive")?)
        }
        // A request has a method.
        "network" if of(Slot::Method).is_empty() => match url.starts_with("ws") {
            true => format!("WebSocket failed to connect to {url}"),
            false => format!("sendBeacon {url} was refused by the browser"),
        },
        _ => return None,
    })
}

fn member<'a>(event: &RawEvent<'a>, name: &str) -> Option<Cow<'a, str>> {
    let [value] = json::pick(event.members.iter().copied(), [name]);
    value.and_then(json::text)
}

/// The name of the element that a selector leads to: `img` of `main > img#hero`.
fn tag_of(selector: &str) -> &str {
    let last = selector.rsplit(" > ").next().unwrap_or(selector);
    last.split(['#', '[', ':']).next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        completed(text, &RawEvent::of(text))
    }

    #[test]
    fn what_a_page_tells_bare_gets_its_words() {
        for (event, expected) in [
            (
                r#"{"type":"error","subtype":"resource","url":"http://h/x.png","element":"main > img#hero"}"#,
                "Failed to load img http://h/x.png",
            ),
            (
                r#"{"type":"error","subtype":"csp","directive":"img-src","url":"https://h/\"x\".png"}"#,
                r#"img-src blocked https://h/\"x\".png"#,
            ),
            (
                r#"{"type":"log","subtype":"csp","directive":"img-src","url":"inline"}"#,
                "img-src would block inline",
            ),
            (
                r#"{"type":"error","subtype":"network","url":"ws://h/live","code":1006}"#,
                "WebSocket failed to connect to ws://h/live",
            ),
            (
                r#"{"type":"error","subtype":"network","url":"http://h/collect","size":5}"#,
                "sendBeacon http://h/collect was refused by the browser",
            ),
        ] {
            let whole = event.replace('}', &format!(",\"message\":\"{expected}\"}}"));
            assert_eq!(told(event), Some(whole));
        }
    }

    #[test]
    fn an_error_that_the_browser_hides_comes_with_what_to_do() {
        let whole = told(r#"{"subtype":"javascript","message":"Script error."} "#).expect("completed");
        assert_eq!(whole, format!(r#"{{"subtype":"javascript","message":"Script error.","hint":"{HINT}"}}"#));
        assert_eq!(told(&whole), None, "once");
    }

    #[test]
    fn what_brings_its_message_or_says_too_little_stays_as_it_is() {
        for event in [
            r#"{"subtype":"resource","url":"http://h/x.png","element":"img","message":"own words"}"#,
            r#"{"subtype":"resource","url":"http://h/x.png"}"#,
            r#"{"subtype":"resource","element":"img"}"#,
            r#"{"subtype":"csp","url":"inline"}"#,
            r#"{"subtype":"network","url":"http://h/x","method":"GET"}"#,
            r#"{"subtype":"api-call","url":"http://h/x"}"#,
            "{}",
        ] {
            assert_eq!(told(event), None, "{event}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_members_say_it_stays_json_and_is_worded_once(
            subtype in "resource|csp|network|javascript",
            texts in proptest::collection::vec("\\PC{0,12}|ws:[\"\\\\]|Script error\\.", 4),
        ) {
            let event = serde_json::json!({ "subtype": subtype, "url": texts[0], "element": texts[1], "directive": texts[2] });
            let hidden = serde_json::json!({ "subtype": subtype, "message": texts[3] });
            for event in [event.to_string(), hidden.to_string()] {
                if let Some(whole) = told(&event) {
                    let read: serde_json::Value = serde_json::from_str(&whole).expect("still JSON");
                    proptest::prop_assert_eq!(&read["subtype"], &subtype);
                    proptest::prop_assert_eq!(told(&whole), None, "{}", whole);
                }
            }
        }
    }
}
