//! What a request's time went into: name, connection, waiting for the server, download.
//!
//! Read from the event's own data, where the page sent it.

use crate::event::{EventRef, json};
use crate::ui::format;
use crate::ui::theme::Theme;

/// Milliseconds of each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Phases {
    pub(super) dns: f64,
    pub(super) connect: f64,
    pub(super) tls: f64,
    pub(super) wait: f64,
    pub(super) download: f64,
}

impl Phases {
    /// Those of `event`; none where it tells neither of waiting nor of the answer.
    pub(super) fn of(event: EventRef<'_>) -> Option<Self> {
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

    fn parts(&self) -> [(&'static str, f64); 5] {
        [
            ("dns", self.dns),
            ("connect", self.connect),
            ("tls", self.tls),
            ("wait", self.wait),
            ("download", self.download),
        ]
    }

    /// `wait 3,402 · download 19`: what took any time, in milliseconds.
    pub(super) fn said(&self, theme: &Theme) -> String {
        let parts = self.parts().into_iter().filter(|(name, ms)| *ms >= 0.5 || *name == "wait");
        let said = parts.map(|(name, ms)| format!("{name} {}", format::count(whole(ms))));
        said.collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot))
    }

    /// `wait 92% · download 6%`: the shares of all the time of `all`.
    pub(super) fn shares(all: &[Self], theme: &Theme) -> Option<String> {
        let mut sums = [0.0; 5];
        for phases in all {
            sums.iter_mut().zip(phases.parts()).for_each(|(sum, (_, ms))| *sum += ms);
        }
        let total: f64 = sums.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let named = Self::default().parts().into_iter().zip(sums);
        let said = named.filter(|(_, sum)| *sum * 200.0 >= total).map(|((name, _), sum)| {
            format!("{name} {}", format::percent(whole(sum * 1_000.0), whole(total * 1_000.0)))
        });
        Some(said.collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; phases are not negative"
)]
fn whole(ms: f64) -> u64 {
    ms.round() as u64
}
