//! Strict readings of a Host header and of an Origin header, and which of them are local.
//!
//! Only [`super::admit`] and the check of the settings call it. What does not read exactly is malformed; nothing
//! is resolved, decoded or repaired, because a second reading of an address is how such checks are passed by.

use std::fmt;

use crate::reach;

/// RFC 1035 §2.3.4, in bytes.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// Longer than any scheme in use; `safari-web-extension` has 20 letters.
const SCHEME_MAX: usize = 32;
/// Shells whose pages are local and come from `scheme://localhost`.
const APP_SCHEMES: [&str; 4] = ["tauri", "capacitor", "ionic", "app"];

/// The name and port of a Host header or of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host<'a> {
    /// A name, a dotted quad, or an IPv6 address in its brackets; as written.
    pub(super) name: &'a str,
    pub(super) port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Reads `name[:port]`; `None` for anything that is not exactly that.
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(raw).ok()?;
        let name_end = match text.strip_prefix('[') {
            Some(rest) => {
                let length = rest.find(']')?;
                rest[..length].parse::<std::net::Ipv6Addr>().ok()?;
                length + 2
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                is_name(&text[..end]).then_some(end)?
            }
        };
        let (name, rest) = text.split_at(name_end);
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(read_port(digits)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        Some(Self { name, port })
    }

    /// Whether nobody on the internet can own this name (SECURITY.md 2, LOCAL NAME).
    pub(super) fn is_local(&self) -> bool {
        reach::is_local(self.name)
    }

    /// Whether an entry of `--allow-host` means this host.
    pub(super) fn is_named_by(&self, entry: &str) -> bool {
        Host::read(entry.as_bytes()).is_some_and(|listed| {
            listed.name.eq_ignore_ascii_case(self.name) && (listed.port.is_none() || listed.port == self.port)
        })
    }
}

/// Labels of letters, digits, `-` and `_`, none empty; one dot may end it.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= NAME_MAX && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

/// 1 to 65535 as a browser writes it: digits only, no leading zero.
fn read_port(digits: &str) -> Option<u16> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if is_plain { digits.parse().ok() } else { None }
}

/// An Origin header's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// A file, or a sandboxed frame of any site: it cannot be told which.
    Null,
    /// `file://`, as some native shells send it.
    File,
    Site {
        scheme: &'a str,
        host: Host<'a>,
    },
}

impl<'a> Origin<'a> {
    /// Reads `null`, `file://` or `scheme://host[:port]`; `None` for anything that is not exactly that.
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        match raw {
            b"null" => return Some(Self::Null),
            b"file://" => return Some(Self::File),
            _ => {}
        }
        let (scheme, authority) = str::from_utf8(raw).ok()?.split_once("://")?;
        let is_scheme = (1..=SCHEME_MAX).contains(&scheme.len())
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let host = is_scheme.then(|| Host::read(authority.as_bytes()))??;
        Some(Self::Site { scheme, host })
    }

    /// Whether the origin is let in without a key: a local page or a native shell.
    pub(super) fn is_known_local(&self) -> bool {
        let Self::Site { scheme, host } = self else {
            return *self == Self::File;
        };
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if is("http") || is("https") {
            return host.is_local() || (is("http") && ["0.0.0.0", "[::]"].contains(&host.name));
        }
        APP_SCHEMES.into_iter().any(is) && host.name == "localhost" && host.port.is_none()
    }

    /// Whether an entry of `--allow-origin` means this origin: same scheme, host and port, or the scheme's own port.
    pub(super) fn is_named_by(&self, entry: &str) -> bool {
        let Some(Origin::Site { scheme, host }) = site(entry) else {
            return false;
        };
        let Self::Site { scheme: own_scheme, host: own } = self else {
            return false;
        };
        scheme.eq_ignore_ascii_case(own_scheme)
            && host.name.eq_ignore_ascii_case(own.name)
            && host.port.or(scheme_port(scheme)) == own.port.or(scheme_port(scheme))
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::File => f.write_str("file://"),
            Self::Site { scheme, host: Host { name, port: Some(port) } } => {
                write!(f, "{scheme}://{name}:{port}")
            }
            Self::Site { scheme, host } => write!(f, "{scheme}://{}", host.name),
        }
    }
}

/// An entry as a person writes it: the `/` that an address bar puts at the end is no part of it.
fn site(entry: &str) -> Option<Origin<'_>> {
    Origin::read(entry.strip_suffix('/').unwrap_or(entry).as_bytes())
        .filter(|origin| matches!(origin, Origin::Site { .. }))
}

fn scheme_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        None
    }
}

/// Whether `entry` can stand in `--allow-origin`: `scheme://host[:port]`, no wildcard, and not `null`.
pub fn is_origin(entry: &str) -> bool {
    site(entry).is_some()
}

/// Whether `entry` can stand in `--allow-host`: `host[:port]`, IPv6 in brackets.
pub fn is_host(entry: &str) -> bool {
    Host::read(entry.as_bytes()).is_some()
}
