//! What is posted for an event: the line of an export, a message for Slack, an event for PagerDuty.
//!
//! Everything in it is from the network: it passes the gate, is cut, and is escaped for where it goes.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::event::{EventRef, Level, gate, json as read, line};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Template {
    Json,
    Slack,
    Pagerduty,
}

/// Characters of a message for Slack (its own limit for a section's text).
const SLACK_MAX: usize = 3_000;
const STACK_LINES: usize = 12;
/// Characters of PagerDuty's `summary` (Events API v2).
const SUMMARY_MAX: usize = 1_024;
const LINE_MAX: usize = 600;

impl Template {
    pub(super) const WORDS: &'static [&'static str] = &["json", "slack", "pagerduty"];

    pub(super) fn of(word: &str) -> Self {
        match word {
            "slack" => Self::Slack,
            "pagerduty" => Self::Pagerduty,
            _ => Self::Json,
        }
    }

    /// The body for `event`; `more` of its group were not posted since the last one that was.
    pub(super) fn body(self, event: EventRef<'_>, more: u64, key: &str) -> String {
        match self {
            Self::Json => {
                let mut text = String::new();
                line::write(event, &mut text);
                if more > 0 && text.ends_with('}') {
                    text.pop();
                    // Writing to a String cannot fail.
                    let _ = write!(text, ",\"more\":{more}}}");
                }
                text
            }
            Self::Slack => json!({ "text": slack(event, more) }).to_string(),
            Self::Pagerduty => pagerduty(event, more, key).to_string(),
        }
    }
}

/// A headline, who and where, and the top of the stack.
fn slack(event: EventRef<'_>, more: u64) -> String {
    let mut text = format!("*{}*  {}", title(event), escaped(event.msg(), LINE_MAX));
    let mut about = Vec::new();
    for (name, value) in facts(event) {
        about.push(format!("{name} {}", escaped(&value, 200)));
    }
    if more > 0 {
        about.push(format!("{more} more of it since the last message"));
    }
    if !about.is_empty() {
        let _ = write!(text, "\n{}", about.join("  ·  "));
    }
    if let Some(stack) = event.get(&["stack"]).and_then(read::text) {
        let lines: Vec<_> = stack.lines().take(STACK_LINES).map(|line| escaped(line, 200)).collect();
        // A fence inside would end the block early.
        let _ = write!(text, "\n```{}```", lines.join("\n").replace("```", "'''"));
    }
    if text.chars().count() > SLACK_MAX {
        let fence = if text.contains("\n```") { "…```" } else { "…" };
        text = text.chars().take(SLACK_MAX - fence.chars().count()).collect();
        text.push_str(fence);
    }
    text
}

fn title(event: EventRef<'_>) -> String {
    let severity = event.severity().map(|severity| format!(" ({} severity)", severity.name()));
    format!(
        "{} {}{}",
        event.level().name().to_uppercase(),
        escaped(event.id(), 80),
        severity.unwrap_or_default()
    )
}

/// What is known of where it happened and to whom.
fn facts(event: EventRef<'_>) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, value: &str| {
        if !value.is_empty() {
            facts.push((name, value.to_owned()));
        }
    };
    add("user", event.user());
    add("session", event.session());
    add("request", event.endpoint());
    let place = event.get(&["location", "url"]).and_then(read::text);
    add("at", place.as_deref().unwrap_or_default());
    add("group", &event.group().map(|group| format!("{group:016x}")).unwrap_or_default());
    facts
}

/// Text that cannot call anybody: Slack's own three escapes, after the gate.
fn escaped(text: &str, max: usize) -> String {
    gate::plain_capped(text, max).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An event of PagerDuty's Events API v2; a group is one incident.
fn pagerduty(event: EventRef<'_>, more: u64, key: &str) -> Value {
    let summary = format!("{} {}", event.id(), event.msg());
    let mut details = serde_json::Map::new();
    for (name, value) in facts(event) {
        details.insert(name.to_owned(), gate::plain_capped(&value, LINE_MAX).into());
    }
    if more > 0 {
        details.insert("more".to_owned(), more.into());
    }
    if let Some(stack) = event.get(&["stack"]).and_then(read::text) {
        let lines: Vec<_> =
            stack.lines().take(STACK_LINES).map(|line| gate::plain_capped(line, 200)).collect();
        details.insert("stack".to_owned(), lines.join("\n").into());
    }
    let mut body = json!({
        "routing_key": key,
        "event_action": "trigger",
        "payload": {
            "summary": gate::plain_capped(&summary, SUMMARY_MAX),
            "source": "taillight",
            "severity": pagerduty_severity(event.level()),
            "timestamp": event.inst().to_string(),
            "component": gate::plain_capped(event.ns(), 100),
            "custom_details": details,
        },
    });
    if let Some(group) = event.group() {
        body["dedup_key"] = format!("taillight-{group:016x}").into();
    }
    body
}

/// The four words that PagerDuty knows.
fn pagerduty_severity(level: Level) -> &'static str {
    match level {
        Level::Fatal => "critical",
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Trace | Level::Debug | Level::Info | Level::Report => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Redactor;
    use crate::wire::{Body, Sender, decode_body};

    #[test]
    fn a_message_for_slack_has_an_end_and_its_block_too() {
        let line = "<".repeat(400);
        let event = json!({ "type": "error", "message": line, "stack": vec![&*line; 40].join("\n") });
        let read = decode_body(&event.to_string(), &Sender::default(), &Redactor::default());
        let Ok(Body::Bare(batch)) = read else { panic!("an event") };
        let text = slack(batch.chunk.event(0), 7);
        assert_eq!(text.chars().count(), SLACK_MAX);
        assert!(text.ends_with("…```") && text.matches("```").count() == 2, "{text}");
        assert!(text.contains("7 more of it since the last message"), "{text}");
    }
}
