//! Bodies posted over HTTP or HTTPS, for the sinks that speak it.
//!
//! Called by `webhook` and `otlp`. It follows no redirect, uses no proxy of the environment, and reads no more of an
//! answer than its message may show. It blocks its thread: callers go through [`tokio::task::block_in_place`].

use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::transport::DefaultConnector;

use super::SinkError;
use crate::event::gate;
use crate::options::Check;
use crate::reach::{Names, Reach};

/// Connecting, sending and reading together; below the time a write may take.
const WITHIN: Duration = Duration::from_secs(8);
/// Of an answer that is shown.
const MAX_ANSWER: u64 = 4 * 1024;
const SHOWN_ANSWER: usize = 120;

pub(super) const URL: Check = Check {
    what: "an address such as \"http://127.0.0.1:4318\"",
    check: |text| {
        let uri: Uri = text.parse().map_err(|_| String::new())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        Check::when(is_http && uri.host().is_some_and(|host| !host.is_empty()) && !has_user)
    },
};

/// A connection, kept open between posts.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
}

impl Client {
    pub(super) fn new(reach: Reach) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(WITHIN))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent(concat!("taillight/", env!("CARGO_PKG_VERSION")))
            .build();
        let names = Names::within(reach);
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), names) }
    }

    /// Posts `body`; a 2xx answer is success and its body is given, as far as it is read.
    ///
    /// # Errors
    /// Retry for what may pass (no connection, 408, 429, 5xx), after as long as `Retry-After` asks for; fatal for any
    /// other answer. Messages name the host and never the rest of the address, which may be a secret.
    pub(super) fn post(
        &self,
        url: &str,
        content_type: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Vec<u8>, SinkError> {
        let host = host_of(url);
        let mut request = self.agent.post(url).header("content-type", content_type);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send(body).map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                SinkError::fatal(format!("{host}: not an address or header that can be sent"))
            }
            error => SinkError::retry(format!("{host}: {error}")),
        })?;
        let (status, after) = (answer.status().as_u16(), retry_after(answer.headers()));
        let read = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(read);
        }
        let said = gate::plain_capped(String::from_utf8_lossy(&read).trim(), SHOWN_ANSWER);
        let why = format!("{host} answered {status}{}{said}", if said.is_empty() { "" } else { ": " });
        if matches!(status, 408 | 429 | 500..) {
            Err(SinkError::Retry { why, after, done: 0, too_large: 0 })
        } else {
            Err(SinkError::Fatal { why })
        }
    }
}

pub(super) fn host_of(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    uri.and_then(|uri| uri.authority().map(|authority| authority.host().to_owned())).unwrap_or_default()
}

/// Seconds only (RFC 9110 §10.2.3); a date is left to the back-off. At most ten minutes.
fn retry_after(headers: &ureq::http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds.min(600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_http_and_carries_no_password() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", true),
            ("https://example.com/in?x=1", true),
            ("ftp://example.com", false),
            ("example.com", false),
            ("http://user:pass@example.com", false),
            ("http:///path", false),
        ] {
            assert_eq!((URL.check)(text).is_ok(), expected, "{text}");
        }
    }
}
