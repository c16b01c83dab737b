//! What a web vital was about, in a few words from its event: the element, the page, and what took longest.
//!
//! Called for the newest value of each vital. Read are the names of taillight's client and of the web-vitals library, in
//! the event itself, under `timing` and under `attribution`; what is not sent is left out.

use std::borrow::Cow;

use crate::event::{EventRef, Micros, json};
use crate::stats::Vital;
use crate::ui::format;
use crate::ui::theme::Theme;

const TARGETS: [&str; 5] =
    ["element", "target", "interaction-target", "largest-shift-target", "element-selector"];

/// Parts of the time, and what is said of the longest.
const PARTS: [(&str, &str); 16] = [
    ("time-to-first-byte", "to the first byte"),
    ("resource-load-delay", "until it was asked for"),
    ("resource-load-duration", "loading it"),
    ("resource-load-time", "loading it"),
    ("element-render-delay", "until it was drawn"),
    ("input-delay", "before handlers"),
    ("processing-duration", "in handlers"),
    ("processing-time", "in handlers"),
    ("processing", "in handlers"),
    ("presentation-delay", "until drawn"),
    ("presentation", "until drawn"),
    ("waiting-duration", "waiting"),
    ("cache-duration", "in the cache"),
    ("dns-duration", "for dns"),
    ("connection-duration", "to connect"),
    ("request-duration", "for the answer"),
];

/// `img.hero on /dashboard, 1.1s loading it`; empty where the event says nothing of it.
pub(super) fn of(vital: Vital, event: EventRef<'_>, theme: &Theme) -> String {
    let mut said = String::new();
    let kind = ["interaction-type", "event-type", "action"].iter().find_map(|name| text(event, name));
    if let Some(kind) = kind {
        said.push_str(&kind);
        said.push(' ');
    }
    if let Some(target) = TARGETS.iter().find_map(|name| text(event, name)) {
        said.push_str(&target);
    }
    // An interaction has its element; for the others the page is half of the answer.
    let has_all = vital == Vital::Inp && !said.trim_end().is_empty();
    let page = if has_all { None } else { text(event, "page").or_else(|| text(event, "url")) };
    if let Some(page) = page {
        let page = match page.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => &page,
        };
        match (said.trim_end().is_empty(), vital) {
            (true, Vital::Ttfb) => said = format!("document of {page}"),
            (true, _) => said = page.to_owned(),
            (false, _) => said = format!("{} on {page}", said.trim_end()),
        }
    }
    said.truncate(said.trim_end().len());
    let longest = PARTS
        .iter()
        .filter_map(|(name, words)| Some((Micros::from_ms(json::number(find(event, name)?)?)?, words)))
        .max_by_key(|(span, _)| *span)
        .filter(|(span, _)| span.0 > 0);
    if let Some((span, words)) = longest {
        let comma = if said.is_empty() { "" } else { ", " };
        said.push_str(&format!("{comma}{} {words}", format::duration(span, theme.glyphs)));
    }
    said
}

fn find<'a>(event: EventRef<'a>, name: &str) -> Option<&'a str> {
    let inside = |parent| event.get(&[parent, name]);
    event.get(&[name]).or_else(|| inside("timing")).or_else(|| inside("attribution"))
}

fn text<'a>(event: EventRef<'a>, name: &str) -> Option<Cow<'a, str>> {
    find(event, name).and_then(json::text).filter(|text| !text.is_empty())
}
