//! The webhook sinks: one post an event, as a template says; `slack` is one with Slack's manners.
//!
//! Repeats of a group within a while are not posted again but told by the next post of that group, so that one error
//! in a loop is one message. The address is a secret and stands in no message.

mod repeats;
mod template;

use std::time::{Duration, Instant};

use super::http::{Client, URL, host_of};
use super::piece::Batch;
use super::{Build, Sink, SinkError, Written};
use crate::options::{Check, Key, Kind, Secret, Values, key};
use crate::pipeline::LIMITS;
use crate::reach::Reach;
use repeats::Repeats;
use template::Template;

const ADDRESS: Key = key("url", Kind::Secret, "", "where the address is that is posted to");
const FOLD: Key =
    key("fold", Kind::Span, "\"5m\"", "repeats of a group within this are told by its next post");
/// What is refused is then one event, and no other.
const ONE: Key = key("batch-events", Kind::Count { from: 1, to: 1 }, "1", "an event is a post of its own");
const SUMMARIES: Key =
    key("summaries", Kind::Flag, "false", "a post for each endpoint's minute and session that has closed");
const HEADER: Check = Check {
    what: "the name of a header",
    check: |text| {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        Check::when(!text.is_empty() && text.chars().all(is_token))
    },
};
pub(super) const HEADERS: Key = key(
    "headers",
    Kind::Map { name: HEADER, value: &Kind::Secret },
    "",
    "headers to send, each from the environment or a file",
);

pub(super) const WEBHOOK_KEYS: &[Key] = &[
    ADDRESS,
    key("template", Kind::Word(Template::WORDS), "\"json\"", "what is posted"),
    key("routing-key", Kind::Secret, "", "the integration key, for \"pagerduty\""),
    HEADERS,
    FOLD,
    ONE,
    SUMMARIES,
];
/// At most one message in ten seconds and five a minute.
pub(super) const SLACK_KEYS: &[Key] = &[
    ADDRESS,
    key("host", Kind::Text(Check::ANY), "\"hooks.slack.com\"", "the only host that is posted to"),
    FOLD,
    key("min-level", Kind::Level, "\"error\"", "nothing below this level"),
    key(
        "limits",
        LIMITS,
        "[\"1 per 10 seconds\", \"5 per minute\"]",
        "no more than this in any such time; several may hold at once",
    ),
    ONE,
    SUMMARIES,
];

/// PagerDuty's address for events, version 2.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

pub(super) fn build_webhook(values: &Values) -> Result<Build, String> {
    let template = Template::of(values.text("template"));
    let key = values.secret("routing-key").cloned();
    let url = values.secret("url").cloned();
    match (template, &key, &url) {
        (Template::Pagerduty, None, _) => {
            return Err("routing-key is missing, such as routing-key = \"env:PAGERDUTY_KEY\"".to_owned());
        }
        (Template::Json | Template::Slack, _, None) => return Err(missing_url("WEBHOOK_URL")),
        _ => {}
    }
    Ok(Build::of::<Webhook>(Options {
        url,
        host: None,
        template,
        key,
        headers: secrets(values),
        fold: values.span("fold"),
    }))
}

pub(super) fn build_slack(values: &Values) -> Result<Build, String> {
    let url = values.secret("url").cloned().ok_or_else(|| missing_url("SLACK_WEBHOOK_URL"))?;
    Ok(Build::of::<Webhook>(Options {
        url: Some(url),
        host: Some(values.text("host").to_owned()),
        template: Template::Slack,
        key: None,
        headers: Vec::new(),
        fold: values.span("fold"),
    }))
}

fn missing_url(name: &str) -> String {
    format!("url is missing, such as url = \"env:{name}\"")
}

/// The headers as set: names, and where their values are.
pub(super) fn secrets(values: &Values) -> Vec<(String, Secret)> {
    let secret = |(name, value): &(String, crate::options::Value)| match value {
        crate::options::Value::Secret(secret) => Some((name.clone(), secret.clone())),
        _ => None,
    };
    values.map("headers").iter().filter_map(secret).collect()
}

/// The headers with their values.
///
/// # Errors
/// If one has none; the message names its place.
pub(super) fn reveal(headers: &[(String, Secret)]) -> Result<Vec<(String, String)>, SinkError> {
    let reveal = |(name, secret): &(String, Secret)| Ok((name.clone(), secret.reveal()?));
    headers.iter().map(reveal).collect::<Result<_, String>>().map_err(SinkError::retry)
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Without one: PagerDuty's own.
    url: Option<Secret>,
    /// The only host it may name, which then is on the public net if it is Slack's own.
    host: Option<String>,
    template: Template,
    key: Option<Secret>,
    headers: Vec<(String, Secret)>,
    fold: Duration,
}

pub(super) struct Webhook {
    client: Client,
    url: String,
    template: Template,
    key: String,
    headers: Vec<(String, String)>,
    repeats: Repeats,
}

impl Sink for Webhook {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let url = match &options.url {
            Some(secret) => secret.reveal().map_err(SinkError::retry)?,
            None => PAGERDUTY.to_owned(),
        };
        if (URL.check)(&url).is_err() {
            return Err(SinkError::retry("the secret is no address that begins with https:// or http://"));
        }
        let mut reach = Reach::Anywhere;
        if let Some(host) = &options.host {
            let is_slack = host == "hooks.slack.com";
            if host_of(&url) != *host || (is_slack && !url.starts_with("https://")) {
                let scheme = if is_slack { "https://" } else { "" };
                return Err(SinkError::retry(format!("the address is not of {scheme}{host}")));
            }
            if is_slack {
                reach = Reach::Public;
            }
        }
        let key = match &options.key {
            Some(key) => key.reveal().map_err(SinkError::retry)?,
            None => String::new(),
        };
        Ok(Self {
            client: Client::new(reach),
            url,
            template: options.template,
            key,
            headers: reveal(&options.headers)?,
            repeats: Repeats::new(options.fold),
        })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        for (done, item) in batch.items().enumerate() {
            let group = item.event.group();
            let Some(more) = self.repeats.post(group, Instant::now()) else { continue };
            let body = self.template.body(item.event, more, &self.key);
            let posted = tokio::task::block_in_place(|| {
                self.client.post(&self.url, "application/json", &self.headers, body.as_bytes())
            });
            match posted {
                Ok(_) => {}
                Err(SinkError::Retry { why, after, .. }) => {
                    self.repeats.take_back(group, more);
                    return Err(SinkError::Retry { why, after, done, too_large: 0 });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Written::default())
    }
}
