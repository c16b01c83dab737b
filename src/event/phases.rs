//! What a request's time went into: name, connection, waiting for the server, download.
//!
//! Read from the event's own data, where the page sent it; asked for by the latency screen and by archives of requests.

use super::chunk::EventRef;
use super::json;

/// Milliseconds of each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phases {
    pub dns: f64,
    /// Without the handshake.
    pub connect: f64,
    pub tls: f64,
    pub wait: f64,
    pub download: f64,
}

impl Phases {
    /// Those of `event`; none where it tells neither of waiting nor of the answer.
    pub fn of(event: EventRef<'_>) -> Option<Self> {
        let timing = event.get(&["timing"])?;
        let get = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| json::path(timing, &[name]).and_then(json::number))
                .map(|ms| ms.max(0.0))
        };
        let wait = get(&["waiting", "wait", "ttfb"]);
        let whole = get(&["server-response"]);
        let download = get(&["download"]).or_else(|| Some((whole? - wait.unwrap_or(0.0)).max(0.0)));
        if wait.is_none() && whole.is_none() {
            return None;
        }
        Some(Self {
            dns: get(&["dns-lookup", "dns"]).unwrap_or(0.0),
            connect: get(&["tcp-connect", "connect"]).unwrap_or(0.0),
            tls: get(&["tls-handshake", "tls"]).unwrap_or(0.0),
            // Without a first byte all of the answer's time may have been waiting.
            wait: wait.or(whole).unwrap_or(0.0),
            download: if wait.is_none() { 0.0 } else { download.unwrap_or(0.0) },
        })
    }
}
