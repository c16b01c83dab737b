//! What `y` and a letter copy: the selected event as JSON, its message, stack, request, place or address; the filter.
//!
//! Part of the app, which only makes the text; where it goes is the console's business. Text of the page passes the
//! gate: a clipboard ends up in a terminal.

use std::borrow::Cow;

use super::app::App;
use super::view::{Effect, Screen};
use crate::event::{EventRef, Mapped, gate, json, line};
use crate::stack::{self, Relation};

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Json,
    Message,
    Stack,
    Curl,
    Filter,
    Path,
    Url,
    /// The script tag for a page.
    Tag,
    /// The same for a page's own script.
    Import,
    /// The session's id.
    Session,
}

impl What {
    /// The letter behind `y`, what it copies, and the word for it.
    pub(super) const ALL: [(char, Self, &'static str); 10] = [
        ('y', Self::Json, "json"),
        ('m', Self::Message, "message"),
        ('s', Self::Stack, "stack"),
        ('c', Self::Curl, "curl"),
        ('p', Self::Path, "path"),
        ('u', Self::Url, "url"),
        ('f', Self::Filter, "filter"),
        ('t', Self::Tag, "script tag"),
        ('i', Self::Session, "session id"),
        ('I', Self::Import, "import"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, what, _)| *what == self).map_or("", |(_, _, word)| word)
    }
}

impl App {
    /// Asks for the console to copy `what`, or says why there is nothing to copy.
    pub(super) fn copy(&mut self, what: What) -> Vec<Effect> {
        let text = match what {
            What::Filter => Some(command_of(&gate::plain(self.bar.text().trim()))),
            What::Tag => self.tag(),
            What::Import => self.import(),
            of_event => {
                let view = self.world.view(&self.bar, &self.marks);
                let event = match self.screen {
                    Screen::Stream => self.panels.stream.selected(),
                    screen => self.panels.current(screen).event(&view),
                };
                match event {
                    Some(event) if of_event == What::Curl && event.is_socket() => {
                        self.say("curl opens no WebSocket: y u copies its address");
                        return Vec::new();
                    }
                    Some(event) => text_of(of_event, event),
                    None => {
                        self.say("select an event first (k)");
                        return Vec::new();
                    }
                }
            }
        };
        match text.filter(|text| !text.is_empty()) {
            Some(text) => vec![Effect::Copy { what: what.word(), text }],
            None => {
                self.say(format!("this event has no {}", what.word()));
                Vec::new()
            }
        }
    }

    /// The line of the first screen for a bundler's entry file.
    fn import(&self) -> Option<String> {
        let address = &self.world.facts.address;
        let line = || {
            format!("if (import.meta.env.DEV) import(\"http://{address}/taillight.mjs\").catch(() => {{}})")
        };
        (!address.is_empty()).then(line)
    }

    /// The tag of the first screen, with the page key.
    pub(super) fn tag(&self) -> Option<String> {
        let facts = &self.world.facts;
        let key = if facts.key.is_empty() { String::new() } else { format!("?k={}", facts.key) };
        let address = &facts.address;
        (!address.is_empty()).then(|| format!("<script src=\"http://{address}/taillight.js{key}\"></script>"))
    }
}

/// The console with this filter as a command; one that begins with `-` would be taken for options.
fn command_of(filter: &str) -> String {
    let lead = if filter.starts_with('-') { "-- " } else { "" };
    format!("taillight {lead}{}", shell_quoted(filter))
}

fn text_of(what: What, event: EventRef<'_>) -> Option<String> {
    match what {
        What::Json => {
            let mut text = String::new();
            line::write(event, &mut text);
            Some(text)
        }
        What::Message => Some(safe(event.msg())),
        What::Stack => {
            let mapped = event.mapped().filter(|mapped| !mapped.traces.is_empty());
            let stack = mapped.map_or_else(|| whole_stack(event), |mapped| mapped_stack(event, mapped));
            Some(safe(stack.trim_start()))
        }
        What::Url => member(event, "url").map(|url| gate::plain(&url).into_owned()),
        What::Curl => curl(event),
        What::Path => place(event),
        What::Session => Some(gate::plain(event.session()).into_owned()),
        What::Filter | What::Tag | What::Import => None,
    }
}

/// The stack with what was thrown beside it.
fn whole_stack(event: EventRef<'_>) -> String {
    let mut text = member(event, "stack").unwrap_or_default();
    for (relation, value) in stack::beside(event.json()) {
        let word = if relation == Relation::Part { "One of them" } else { "Caused by" };
        text.push_str(&format!("\n{word}: {}", stack::whole(value)));
    }
    text
}

/// The stack as source maps tell it, as the screen shows it.
fn mapped_stack(event: EventRef<'_>, mapped: &Mapped) -> String {
    let mut text = String::new();
    for (nth, trace) in mapped.traces.iter().enumerate() {
        let lead = match trace.relation {
            Relation::Thrown => "",
            Relation::Cause => "Caused by: ",
            Relation::Part => "One of them: ",
        };
        let own = || if nth == 0 { event.headline() } else { Cow::Borrowed("") };
        let head = if trace.head.is_empty() { own() } else { Cow::Borrowed(&*trace.head) };
        text.push_str(&format!("{lead}{head}\n"));
        for frame in &trace.frames {
            let place = spelled(&frame.file, f64::from(frame.line), f64::from(frame.column));
            match &*frame.function {
                "" => text.push_str(&format!("    at {place}\n")),
                function => text.push_str(&format!("    at {function} ({place})\n")),
            }
        }
    }
    text
}

fn member(event: EventRef<'_>, name: &str) -> Option<String> {
    event.get(&[name]).and_then(json::text).map(|text| text.into_owned()).filter(|text| !text.is_empty())
}

/// Text of a page that keeps its lines and nothing else that a terminal would obey.
fn safe(text: &str) -> String {
    text.lines().map(gate::plain).collect::<Vec<_>>().join("\n")
}

/// The request as a command; without a body, which is never recorded.
fn curl(event: EventRef<'_>) -> Option<String> {
    let url = member(event, "url")?;
    // A path alone is one of the page's own host.
    let page = member(event, "page").unwrap_or_default();
    let host = page.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let url = match (url.starts_with('/') && !url.starts_with("//"), page.split_once("://"), host) {
        (true, Some((scheme, _)), Some(host)) => format!("{scheme}://{host}{url}"),
        _ => url,
    };
    let method = member(event, "method").unwrap_or_else(|| "GET".to_owned()).to_uppercase();
    let method =
        if method == "GET" { String::new() } else { format!("-X {} ", shell_quoted(&gate::plain(&method))) };
    Some(format!("curl {method}{}", shell_quoted(&gate::plain(&url))))
}

/// `src/App.tsx:42:15`: where the page says it happened, or the first frame of its stack that is no library's.
fn place(event: EventRef<'_>) -> Option<String> {
    if let Some(frame) = event.mapped().and_then(|mapped| mapped.place()) {
        return Some(spelled(&frame.file, f64::from(frame.line), f64::from(frame.column)));
    }
    let told = |names: [&str; 3]| json::get_all(event.json(), names).into_iter().flatten().next();
    let file = told(["filename", "file", "source-file"]).and_then(json::text);
    let line = told(["lineno", "line", "line-number"]).and_then(json::number);
    let column = told(["colno", "column", "column-number"]).and_then(json::number);
    if let (Some(file), Some(line)) = (file, line) {
        return Some(spelled(&file, line, column.unwrap_or(0.0)));
    }
    let stack = member(event, "stack")?;
    let top = stack::top_own_line(&stack)?;
    Some(spelled(top.file, f64::from(top.line), f64::from(top.column)))
}

/// A line or column of 0 was not told.
fn spelled(file: &str, line: f64, column: f64) -> String {
    let told = |number: f64| if number > 0.0 { format!(":{number}") } else { String::new() };
    gate::plain(&format!("{file}{}{}", told(line), told(column))).into_owned()
}

/// `text` as one word of a POSIX shell.
pub(super) fn shell_quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_no_option_of_its_command() {
        for (filter, expected) in [
            ("level:warn", "taillight level:warn"),
            ("-react-dom", "taillight -- -react-dom"),
            ("-a | b", "taillight -- '-a | b'"),
            ("", "taillight ''"),
        ] {
            assert_eq!(command_of(filter), expected);
        }
    }

    #[test]
    fn words_of_a_shell_stay_words() {
        for (text, expected) in [
            ("level>=warn", "'level>=warn'"),
            ("url:/api", "url:/api"),
            ("it's; rm -rf ~", "'it'\\''s; rm -rf ~'"),
            ("", "''"),
        ] {
            assert_eq!(shell_quoted(text), expected);
        }
    }
}
