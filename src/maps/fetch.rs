//! One script or map asked for over HTTP, within the bounds of size and time.
//!
//! Blocking; called on the loading threads alone. Follows no redirect to another origin, sends no cookie and no key, and
//! goes through no proxy: what is asked is on this machine, or named in the settings.

use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

use super::address::{Allowed, beside, is_local};
use super::table::Refusal;
use super::{MAX_BYTES, MAX_TIME};
use crate::reach::{Names, Reach};

const REDIRECTS: usize = 3;

/// Asks for scripts and maps.
#[derive(Debug)]
pub(super) struct Fetcher {
    allowed: Allowed,
    agent: Agent,
    /// For local names: a development server's certificate is its own, and no name server leads out of reach.
    local: Agent,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    /// What is known already.
    Same,
    Body(Body),
}

#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) etag: Option<String>,
    /// The `SourceMap` header.
    pub(super) source_map: Option<String>,
}

impl Fetcher {
    pub(super) fn new(allowed: Allowed) -> Self {
        let agent = |is_local: bool| -> Agent {
            let tls = TlsConfig::builder().disable_verification(is_local).build();
            let config = Agent::config_builder()
                .proxy(None)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                .user_agent(concat!("taillight/", env!("CARGO_PKG_VERSION")))
                .max_response_header_size(32 * 1024)
                .tls_config(tls)
                .build();
            let reach = if is_local { Reach::Near } else { Reach::Anywhere };
            Agent::with_parts(config, DefaultConnector::default(), Names::within(reach))
        };
        Self { allowed, agent: agent(false), local: agent(true) }
    }

    /// Asks for `url`, unless what is there is still `etag`.
    pub(super) fn get(&self, url: &Url, etag: Option<&str>) -> Result<Answer, Refusal> {
        let until = Instant::now() + MAX_TIME;
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            if !self.allowed.has(&url) {
                return Err(Refusal::NotAllowed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Refusal::TooSlow);
            }
            match self.once(&url, etag, left)? {
                Step::Answer(answer) => return Ok(answer),
                Step::Redirect(place) => url = beside(&url, &place).ok_or(Refusal::Elsewhere)?,
            }
        }
        Err(Refusal::NoAnswer("it redirects without end".to_owned()))
    }

    fn once(&self, url: &Url, etag: Option<&str>, within: Duration) -> Result<Step, Refusal> {
        let agent = if is_local(url) { &self.local } else { &self.agent };
        let mut request = agent.get(url.as_str()).config().timeout_global(Some(within)).build();
        if let Some(etag) = etag {
            request = request.header("If-None-Match", etag);
        }
        let mut response = request.call().map_err(|error| refusal(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned()).filter(|value| value.len() <= 8_192)
        };
        match response.status().as_u16() {
            200 => {}
            304 if etag.is_some() => return Ok(Step::Answer(Answer::Same)),
            301 | 302 | 303 | 307 | 308 => {
                return header("location").map(Step::Redirect).ok_or(Refusal::Status(302));
            }
            status => return Err(Refusal::Status(status)),
        }
        let (etag, source_map) = (header("etag"), header("sourcemap").or_else(|| header("x-sourcemap")));
        let limit = MAX_BYTES as u64;
        let bytes =
            response.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| refusal(&error))?;
        Ok(Step::Answer(Answer::Body(Body { bytes, etag, source_map })))
    }
}

enum Step {
    Answer(Answer),
    Redirect(String),
}

/// What the system says, at most 120 characters of it, without its number.
fn without_number(said: &str) -> String {
    said.split(" (os error").next().unwrap_or(said).chars().take(120).collect()
}

fn refusal(error: &ureq::Error) -> Refusal {
    match error {
        ureq::Error::BodyExceedsLimit(_) => Refusal::TooBig,
        ureq::Error::Timeout(_) => Refusal::TooSlow,
        ureq::Error::HostNotFound => Refusal::NoAnswer("its name leads to no address it may have".to_owned()),
        ureq::Error::Io(error) => Refusal::NoAnswer(without_number(&error.to_string())),
        error => Refusal::NoAnswer(without_number(&error.to_string())),
    }
}
