//! Messages of events that say by their members what they are about: what could not be loaded, what a policy blocked, a
//! connection that never was, an object that was thrown. A page tells the members alone, and is smaller by the words.
//!
//! Called by `wire::decode` for each event. One that brings a message of its own keeps it.

use std::borrow::Cow;

use super::raw::{RawEvent, Slot};
use crate::event::{json, place_in};

/// All that browsers say of an error in a script from another origin.
const HIDDEN: &str = "Script error.";
const HINT: &str = "the script is from another origin: add crossorigin to its tag";

/// The text of `event`, which is `text`, with what follows from its members; `None` where nothing does.
pub(super) fn completed(text: &str, event: &RawEvent<'_>) -> Option<String> {
    let message = event.fields[Slot::Message];
    let said = message.text();
    let (key, words) = if !message.is_present() {
        ("message", words(event)?)
    } else if said == HIDDEN && member(event, "hint").is_none() {
        ("hint", HINT.to_owned())
    } else {
        return said.starts_with('{').then(|| thrown(text, event))?;
    };
    let (open, words) = (text.trim_end().strip_suffix('}')?, serde_json::to_string(&words).ok()?);
    Some(format!("{open},\"{key}\":{words}}}"))
}

/// What was thrown is no error, but has a message: that is said instead of all of it, which stays in `value`.
fn thrown(text: &str, event: &RawEvent<'_>) -> Option<String> {
    let [value] = json::pick(event.members.iter().copied(), ["value"]);
    let [name, message] =
        ["name", "message"].map(|key| value.and_then(|value| json::text(json::get(value, key)?)));
    let message = message.filter(|message| !message.is_empty() && !message.starts_with('{'))?;
    let words = match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name}: {message}"),
        None => message.into_owned(),
    };
    let place = place_in(text, event.fields[Slot::Message].json_in(text)?)?;
    Some(format!("{}{}{}", &text[..place.start], serde_json::to_string(&words).ok()?, &text[place.end..]))
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
    fn an_object_that_was_thrown_is_told_by_its_own_message() {
        for (value, expected) in [
            (
                r#"{"name":"HttpErrorResponse","message":"Http failure of \"/api\"","status":500}"#,
                r#"HttpErrorResponse: Http failure of \"/api\""#,
            ),
            (r#"{"code":"23505","message":"duplicate key"}"#, "duplicate key"),
            (r#"{"name":7,"message":"m"}"#, "m"),
        ] {
            let event =
                |message: &str| format!(r#"{{"subtype":"promise","message":{message},"value":{value}}}"#);
            let whole = told(&event(r#""{\"code\":1}""#)).expect("worded");
            assert_eq!(whole, event(&format!("\"{expected}\"")));
            assert_eq!(told(&whole), None, "once");
        }
        for event in [
            r#"{"message":"{\"code\":1}","value":{"code":1}}"#,
            r#"{"message":"{\"code\":1}","value":{"code":1,"message":{"a":1}}}"#,
            r#"{"message":"{\"code\":1}","value":{"message":"{}"}}"#,
            r#"{"message":"{\"code\":1}"}"#,
            r#"{"message":"{not","value":"message"}"#,
        ] {
            assert_eq!(told(event), None, "{event}");
        }
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
