//! Bodies posted over HTTP or HTTPS, for the sinks that speak it.
//!
//! Called by `webhook` and `otlp`. It follows no redirect, uses no proxy of the environment, and reads no more of an
//! answer than its message may show. It blocks its thread: callers go through [`tokio::task::block_in_place`].

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::SinkError;
use crate::event::gate;
use crate::options::Check;

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
        if is_http && uri.host().is_some_and(|host| !host.is_empty()) && !has_user {
            Ok(())
        } else {
            Err(String::new())
        }
    },
};

/// Which addresses a name may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    /// Not to this machine or its neighbours, whatever the name server says.
    Public,
}

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
        let resolver = Names { reach, inner: DefaultResolver::default() };
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver) }
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

/// Names to addresses, of which only those within reach are used.
#[derive(Debug)]
struct Names {
    reach: Reach,
    inner: DefaultResolver,
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter().filter(|address| self.reach == Reach::Anywhere || is_public(address)) {
            kept.push(*address);
        }
        if kept.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(kept) }
    }
}

/// Neither this machine nor a private, shared, link-local or otherwise reserved network (RFC 6890).
fn is_public(address: &SocketAddr) -> bool {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_net_are_public() {
        for (address, expected) in [
            ("3.33.133.41:443", true),
            ("127.0.0.1:443", false),
            ("10.1.2.3:443", false),
            ("172.20.0.1:443", false),
            ("192.168.1.1:443", false),
            ("169.254.169.254:80", false),
            ("100.64.0.1:443", false),
            ("0.0.0.0:443", false),
            ("[::1]:443", false),
            ("[::ffff:127.0.0.1]:443", false),
            ("[fd00::1]:443", false),
            ("[fe80::1]:443", false),
            ("[2606:4700::1]:443", true),
        ] {
            assert_eq!(is_public(&address.parse().expect("an address")), expected, "{address}");
        }
    }

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
