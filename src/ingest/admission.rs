//! Who may speak to the port: Host, Origin, page key and token, decided before a byte of the body is read.
//!
//! The server asks [`admit`] once for every request head and answers as the [`Verdict`] says; [`Route`] says which
//! door the request knocks at. The settings check their entries with [`is_origin`] and [`is_host`]. Nothing here
//! reads a socket, a file, the clock or the environment.

mod address;
mod route;
#[cfg(test)]
mod tests;

pub use address::{is_host, is_origin};
pub use route::Route;

use address::{Host, Origin};

/// What the decision rests on: the parts of one request head, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub method: &'a str,
    /// The request target without its query.
    pub path: &'a str,
    /// Whether the head asks for a WebSocket.
    pub is_upgrade: bool,
    /// The value of every Host header.
    pub hosts: &'a [&'a [u8]],
    /// The value of every Origin header.
    pub origins: &'a [&'a [u8]],
    /// The value of Sec-Fetch-Site.
    pub fetch_site: Option<&'a [u8]>,
    /// Every page key presented: see [`query_keys`] and [`protocol_keys`].
    pub keys: &'a [&'a str],
    /// Every token presented: the credentials of `Authorization: Bearer` and subprotocol entries `t.TOKEN`.
    pub tokens: &'a [&'a str],
}

/// What the user lets in beyond local pages.
#[derive(Clone, Default)]
pub struct Policy {
    /// The page key; without one no presented key is right.
    pub key: Option<String>,
    /// Whole origins, `https://x` or `https://x:8443`. There are no wildcards, and `null` is nobody's origin.
    pub allow_origins: Vec<String>,
    /// Host names; an entry without a port stands for every port.
    pub allow_hosts: Vec<String>,
    /// Whether every writer must show the page key.
    pub require_key: bool,
    /// The token asked for when the port is bound beyond loopback; without one nobody is let in there.
    pub token: Option<String>,
    /// Whether the port is bound beyond loopback.
    pub bound_wider: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on to `route`; `allow_origin` is what Access-Control-Allow-Origin echoes, for a request with an Origin.
    Allow { route: Route, allow_origin: Option<String> },
    /// Answer `status` with `message` and count `refused{counter}`. `origin` is what `:origin allow` would let in.
    Refuse { status: u16, counter: &'static str, message: String, origin: Option<String> },
}

fn refuse(status: u16, counter: &'static str, message: impl Into<String>) -> Verdict {
    Verdict::Refuse { status, counter, message: message.into(), origin: None }
}

/// Decides one request: Host first, so that a rebound name learns nothing, then what its route asks for.
pub fn admit(facts: &Facts<'_>, policy: &Policy) -> Verdict {
    check(facts, policy).unwrap_or_else(|refusal| *refusal)
}

fn check(facts: &Facts<'_>, policy: &Policy) -> Result<Verdict, Box<Verdict>> {
    if !facts.path.starts_with('/') {
        return Err(refuse(400, "head", "the request target is not a path").into());
    }
    check_host(facts, policy)?;
    if facts.origins.len() > 1 {
        return Err(refuse(400, "origin", "more than one Origin header").into());
    }
    let route = Route::of(facts.method, facts.path, facts.is_upgrade);
    check_token(route, facts, policy)?;
    if route.writes() {
        check_writer(facts, policy)?;
    } else if route.tells() {
        check_reader(facts, policy)?;
    }
    let allow_origin = facts.origins.first().and_then(|raw| echo(raw));
    Ok(Verdict::Allow { route, allow_origin })
}

/// The origin as it may stand in an answer's header: only one that reads as an origin.
fn echo(raw: &[u8]) -> Option<String> {
    Origin::read(raw)?;
    str::from_utf8(raw).ok().map(str::to_owned)
}

fn check_host(facts: &Facts<'_>, policy: &Policy) -> Result<(), Box<Verdict>> {
    let [raw] = facts.hosts else {
        return Err(refuse(400, "host", "exactly one Host header is needed").into());
    };
    let Some(host) = Host::read(raw) else {
        return Err(refuse(400, "host", "the Host header is not a host name with an optional port").into());
    };
    if host.is_local() || policy.allow_hosts.iter().any(|entry| host.is_named_by(entry)) {
        return Ok(());
    }
    let name = host.name;
    let message = format!("host `{name}` is not local; `--allow-host {name}` lets it in");
    Err(refuse(403, "host", message).into())
}

/// Beyond loopback every request shows the token, save two that a browser cannot put it on: the script tag's own
/// fetch, whose bytes are the same for everyone, and the preflight, which only asks whether it may be sent.
fn check_token(route: Route, facts: &Facts<'_>, policy: &Policy) -> Result<(), Box<Verdict>> {
    if !policy.bound_wider || matches!(route, Route::Client | Route::Preflight) {
        return Ok(());
    }
    match shown(facts.tokens, policy.token.as_deref()) {
        Shown::Right => Ok(()),
        Shown::Nothing => {
            Err(refuse(403, "token", "this address needs the token in `Authorization: Bearer`").into())
        }
        Shown::Wrong => Err(refuse(403, "token", "the token is wrong").into()),
    }
}

/// The origin table: who may send events.
fn check_writer(facts: &Facts<'_>, policy: &Policy) -> Result<(), Box<Verdict>> {
    let origin = match facts.origins.first() {
        None => None,
        Some(raw) => {
            Some(Origin::read(raw).ok_or_else(|| refuse(400, "origin", "the Origin header is malformed"))?)
        }
    };
    let key = check_key(facts, policy)?;
    if policy.require_key && key != Shown::Right {
        let message = "`--require-key` is on and no page key came; add `?k=KEY` to the address, KEY from `taillight key`";
        return Err(refuse(403, "key", message).into());
    }
    let Some(origin) = origin else {
        return check_metadata(facts);
    };
    let is_listed = || policy.allow_origins.iter().any(|entry| origin.is_named_by(entry));
    if key == Shown::Right || origin.is_known_local() || is_listed() {
        return Ok(());
    }
    Err(Box::new(foreign(&origin)))
}

/// Health and metrics: for tools only, never for anything a page can make a browser send.
fn check_reader(facts: &Facts<'_>, policy: &Policy) -> Result<(), Box<Verdict>> {
    if !facts.origins.is_empty() {
        return Err(refuse(403, "origin", "this address does not answer web pages").into());
    }
    check_key(facts, policy)?;
    check_metadata(facts)
}

/// A browser that hides its Origin still says Sec-Fetch-Site; `none` is the user's own typing.
fn check_metadata(facts: &Facts<'_>) -> Result<(), Box<Verdict>> {
    match facts.fetch_site {
        None | Some(b"none") => Ok(()),
        Some(_) => Err(refuse(403, "origin", "a browser sent this for a page and did not say which").into()),
    }
}

fn check_key(facts: &Facts<'_>, policy: &Policy) -> Result<Shown, Box<Verdict>> {
    match shown(facts.keys, policy.key.as_deref()) {
        Shown::Wrong => {
            let message = "the page key is wrong; `taillight key` shows the one that is right";
            Err(refuse(403, "key", message).into())
        }
        known => Ok(known),
    }
}

fn foreign(origin: &Origin<'_>) -> Verdict {
    let (message, named) = match origin {
        Origin::Null => {
            let message = "origin `null` (a file or a sandboxed frame) needs the page key; \
                           load `taillight.js?k=KEY`, KEY from `taillight key`";
            (message.to_owned(), None)
        }
        named => {
            let named = named.to_string();
            let message = format!(
                "origin `{named}` is not allowed; `--allow-origin {named}` lets it in, \
                 and so does `taillight.js?k=KEY`, KEY from `taillight key`"
            );
            (message, Some(named))
        }
    };
    Verdict::Refuse { status: 403, counter: "origin", message, origin: named }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Right,
    Wrong,
}

/// How the presented secrets stand to the wanted one; a single wrong one spoils the rest.
fn shown(presented: &[&str], wanted: Option<&str>) -> Shown {
    if presented.is_empty() {
        return Shown::Nothing;
    }
    let is_right = |given: &&str| wanted.is_some_and(|wanted| same_secret(given, wanted));
    if presented.iter().all(is_right) { Shown::Right } else { Shown::Wrong }
}

/// Compares without stopping at the first difference, so that the time taken tells nothing but the length.
fn same_secret(given: &str, wanted: &str) -> bool {
    if given.len() != wanted.len() || wanted.is_empty() {
        return false;
    }
    let difference = given
        .bytes()
        .zip(wanted.bytes())
        .fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b)));
    difference == 0
}

/// The page keys in a request's query, as in `?k=KEY`. An empty one presents nothing.
pub fn query_keys(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter_map(|pair| pair.strip_prefix("k=")).filter(|key| !key.is_empty())
}

/// The page keys in a Sec-WebSocket-Protocol value, as in `taillight.v1, k.KEY`. An empty one presents nothing.
pub fn protocol_keys(protocols: &str) -> impl Iterator<Item = &str> {
    protocols.split(',').filter_map(|entry| entry.trim().strip_prefix("k.")).filter(|key| !key.is_empty())
}
