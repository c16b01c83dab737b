//! The endpoint of a request: `METHOD [host[:port]]/route`, with ids in the route as `:id`.
//!
//! Decoding calls [`template`] for every event that has a URL, so it makes one pass and allocates nothing but
//! the caller's buffer. It never fails: what is no URL becomes something short that is the same for its like.

use super::reading::Routes;
use super::segment::{BAD, CLASS, DIGIT, END, MARK, POINT, WORD_MAX, classes, is_id};

/// Of a whole endpoint, in bytes; a route that would be longer ends with `/…`.
const ENDPOINT_MAX: usize = 256;
/// Longer than any method registered with IANA (17 for UPDATEREDIRECTREF, the next has 16).
const METHOD_MAX: usize = 16;
/// A longer host is machine-made and shown as `:host`; leaves half of the endpoint for the route.
const HOST_MAX: usize = 120;
/// A longer run of letters before a colon is no scheme.
const SCHEME_MAX: usize = 32;
const CUT: &str = "/…";
const ID: &str = ":id";

/// This replaces what is in `out` with the endpoint of `url`, 256 bytes at most.
///
/// `page` is the origin of the page that asked (its whole address will do); its own host is left out. Query,
/// fragment, user name, password and path parameters (`;a=b`) are dropped. A relative URL is read from the root.
/// `data:`, `blob:` and the like keep only their scheme. An empty `method` is GET.
/// The route of an endpoint is its own template.
pub fn template(method: &str, url: &str, page: Option<&str>, out: &mut String) {
    template_of(method, url, page, &Routes::default(), out);
}

/// As [`template`], with routes of the user's own.
pub fn template_of(method: &str, url: &str, page: Option<&str>, routes: &Routes, out: &mut String) {
    let push_route = |path: &str, out: &mut String| match routes.find(path) {
        Some(route) if out.len() + route.len() <= ENDPOINT_MAX => out.push_str(route),
        _ => push_route(path, out),
    };
    out.clear();
    push_method(method, out);
    out.push(' ');
    let url = url.trim_ascii();
    match split(url) {
        Address::Path(path) => push_route(path, out),
        Address::Site { scheme, authority, path } => {
            if !page.is_some_and(|page| is_own(scheme, authority, page)) {
                push_host(scheme, authority, out);
            }
            push_route(path, out);
        }
        Address::Opaque(scheme) => {
            let start = out.len();
            out.push_str(scheme);
            out[start..].make_ascii_lowercase();
            out.push(':');
        }
    }
}

fn push_method(method: &str, out: &mut String) {
    if (1..=METHOD_MAX).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        out.push_str(method);
        return;
    }
    // RFC 9110 §5.6.2, token.
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    for byte in method.bytes().filter(is_token).take(METHOD_MAX) {
        out.push(char::from(byte.to_ascii_uppercase()));
    }
    if out.is_empty() {
        out.push_str("GET");
    }
}

enum Address<'a> {
    Path(&'a str),
    /// `scheme` is empty where the URL takes it from its page.
    Site {
        scheme: &'a str,
        authority: &'a str,
        path: &'a str,
    },
    /// A URL without a host: its scheme alone, for the rest is content or a machine's id.
    Opaque(&'a str),
}

fn split(url: &str) -> Address<'_> {
    if let Some(rest) = url.strip_prefix("//") {
        return site("", rest);
    }
    let Some(colon) = scheme_end(url.as_bytes()) else {
        return Address::Path(url);
    };
    let (scheme, rest) = (&url[..colon], &url[colon + 1..]);
    if let Some(rest) = rest.strip_prefix("//") {
        return site(scheme, rest);
    }
    // `localhost:3000/users`, as people write it and as an endpoint shows it.
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=5).contains(&digits) && rest.as_bytes().get(digits) == Some(&b'/') {
        return site("", url);
    }
    Address::Opaque(scheme)
}

fn site<'a>(scheme: &'a str, rest: &'a str) -> Address<'a> {
    let end = rest.bytes().position(|byte| CLASS[usize::from(byte)] & END != 0).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Address::Site { scheme, authority, path }
}

/// Where the colon after a scheme stands (RFC 3986 §3.1).
fn scheme_end(url: &[u8]) -> Option<usize> {
    if !url.first()?.is_ascii_alphabetic() {
        return None;
    }
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let end = url.iter().take(SCHEME_MAX + 1).position(|byte| !is_scheme(byte))?;
    (url[end] == b':').then_some(end)
}

/// Host and port without user name and password; the port is empty where it is the scheme's own.
fn host_and_port<'a>(scheme: &str, authority: &'a str) -> (&'a str, &'a str) {
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (place, ""),
    };
    let is_default = |a: &str, b: &str, own: &str| {
        port == own && (scheme.eq_ignore_ascii_case(a) || scheme.eq_ignore_ascii_case(b))
    };
    let is_own = is_default("http", "ws", "80") || is_default("https", "wss", "443");
    (host.trim_end_matches(':'), if is_own { "" } else { port })
}

fn is_own(scheme: &str, authority: &str, page: &str) -> bool {
    // The same text is the same place, whatever it says; this is the way of nearly every call.
    let is_same = |rest: &str| {
        let rest = rest.strip_prefix("://").and_then(|rest| rest.strip_prefix(authority));
        rest.is_some_and(|rest| rest.bytes().next().is_none_or(|next| CLASS[usize::from(next)] & END != 0))
    };
    if !scheme.is_empty() && page.strip_prefix(scheme).is_some_and(is_same) {
        return true;
    }
    let Some((page_scheme, rest)) = page.split_once("://") else {
        return false;
    };
    let page_authority = match site(page_scheme, rest) {
        Address::Site { authority, .. } => authority,
        _ => return false,
    };
    let scheme = if scheme.is_empty() { page_scheme } else { scheme };
    let (host, port) = host_and_port(scheme, authority);
    let (page_host, page_port) = host_and_port(page_scheme, page_authority);
    host.eq_ignore_ascii_case(page_host) && port == page_port
}

fn push_host(scheme: &str, authority: &str, out: &mut String) {
    let (host, port) = host_and_port(scheme, authority);
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
            || !byte.is_ascii()
    };
    // RFC 3986 §3.2.2: a host has a colon only as an IPv6 address in its brackets.
    let is_whole = !host.contains(':') || host.starts_with('[') && host.ends_with(']');
    if host.len() > HOST_MAX || port.len() > 5 || !is_whole || !host.bytes().all(is_plain) {
        out.push_str(":host");
        return;
    }
    let start = out.len();
    out.push_str(host);
    out[start..].make_ascii_lowercase();
    if !port.is_empty() {
        out.push(':');
        out.push_str(port);
    }
}

fn push_route(path: &str, out: &mut String) {
    let start = out.len();
    let bytes = path.as_bytes();
    let mut at = 0;
    // Words that follow each other are copied together.
    let mut words = 0..0;
    loop {
        let from = at;
        let mut seen = 0;
        while let Some(class) = bytes.get(at).map(|byte| CLASS[usize::from(*byte)])
            && class != END
        {
            seen |= class;
            at += 1;
        }
        let mut segment = &path[from..at];
        if seen & MARK != 0
            && let Some((name, _)) = segment.split_once(';')
        {
            segment = name;
            seen = classes(name);
        }
        match segment {
            // The common case: a word with its slash.
            _ if from > 0 && is_word(segment, seen) && fits(words.len() + segment.len(), out) => {
                if words.end != from - 1 {
                    out.push_str(&path[words]);
                    words = from - 1..from;
                }
                words.end = from + segment.len();
            }
            "" | "." => {}
            ".." => {
                out.push_str(&path[std::mem::take(&mut words)]);
                let parent = out[start..].rfind('/').unwrap_or(0);
                out.truncate(start + parent);
            }
            _ => {
                out.push_str(&path[std::mem::take(&mut words)]);
                if !push_segment(segment, seen, out) {
                    return;
                }
            }
        }
        if bytes.get(at) != Some(&b'/') {
            out.push_str(&path[words]);
            if segment.is_empty() || out.len() == start {
                out.push('/');
            }
            return;
        }
        at += 1;
    }
}

/// Whether a segment of `length` still leaves room for a cut after it.
fn fits(length: usize, out: &str) -> bool {
    out.len() + 1 + length + CUT.len() <= ENDPOINT_MAX
}

/// Whether the classes of a segment alone say that it is shown as it is, and is no `.` or `..`.
fn is_word(segment: &str, seen: u8) -> bool {
    seen & (DIGIT | POINT | MARK | BAD) == 0 && (1..=WORD_MAX).contains(&segment.len())
}

/// Whether there was room; otherwise the route is ended.
fn push_segment(segment: &str, seen: u8, out: &mut String) -> bool {
    let (word, extension) = shown(segment, seen);
    if !fits(word.len() + extension.len(), out) {
        out.push_str(CUT);
        return false;
    }
    out.push('/');
    out.push_str(word);
    out.push_str(extension);
    true
}

/// What a segment is shown as, and the file extension that stays behind an id.
fn shown(segment: &str, seen: u8) -> (&str, &str) {
    if is_id(segment, seen) {
        return (ID, "");
    }
    match segment.rsplit_once('.') {
        // `123.json` is one of many, and all of them are JSON; `1.1` and `v1.2` are neither.
        Some((stem, extension))
            if (2..=5).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphabetic())
                && is_id(stem, classes(stem)) =>
        {
            (ID, &segment[stem.len()..])
        }
        _ => (segment, ""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: Option<&str> = Some("http://localhost:5173");

    fn get(url: &str) -> String {
        let mut out = String::from("what was there before");
        template("GET", url, PAGE, &mut out);
        out.strip_prefix("GET ").unwrap().to_owned()
    }

    #[test]
    fn ids_become_one_route() {
        for (url, expected) in [
            ("/api/users", "/api/users"),
            ("/api/users/", "/api/users/"),
            ("/api/users/123?x=1#y", "/api/users/:id"),
            ("/api/users/123/orders/9f8b2c4d5e6f7a8b", "/api/users/:id/orders/:id"),
            ("/o/123e4567-e89b-12d3-a456-426614174000/x", "/o/:id/x"),
            ("/report/2026-01-31", "/report/:id"),
            ("/u/bob@example.com", "/u/:id"),
            ("/u/bob%40example.com", "/u/:id"),
            ("/t/V1StGXR8_Z5jdHi6B-myT", "/t/:id"),
            ("/v2/users/7.json", "/v2/users/:id.json"),
            ("/1.1/statuses", "/1.1/statuses"),
            ("/assets/logo.svg", "/assets/logo.svg"),
            ("/cart;jsessionid=A1B2C3/7", "/cart/:id"),
            ("//", "/"),
            ("", "/"),
            ("?q=1", "/"),
            ("#/hash/route", "/"),
            ("api/users/7", "/api/users/:id"),
            ("./a//b/../c/.", "/a/c"),
            ("../../x", "/x"),
            ("/a b/c", "/:id/c"),
            ("/suche/münchen", "/suche/münchen"),
        ] {
            assert_eq!(get(url), expected, "{url}");
        }
    }

    #[test]
    fn a_host_is_shown_unless_it_is_the_pages_own() {
        for (page, url, expected) in [
            (PAGE, "http://localhost:5173/a", "/a"),
            (PAGE, "http://LOCALHOST:5173", "/"),
            (PAGE, "//localhost:5173/a", "/a"),
            (PAGE, "ws://localhost:5173/a", "/a"),
            (PAGE, "http://localhost:51730/a", "localhost:51730/a"),
            (PAGE, "localhost:3000/users/7", "localhost:3000/users/:id"),
            (None, "http://localhost:5173/a", "localhost:5173/a"),
            (Some("https://shop.example/cart?x"), "https://shop.example:443/a", "/a"),
            (Some("https://shop.example"), "http://shop.example:443/a", "shop.example:443/a"),
            (Some("https://shop.example"), "http://shop.example:80/a", "/a"),
            (Some("null"), "https://API.example:443/a", "api.example/a"),
            (PAGE, "https://bob:secret@api.example/a", "api.example/a"),
            (PAGE, "https://bob:p@ss@api.example:8443?q", "api.example:8443/"),
            (PAGE, "https://[::1]:8080/x", "[::1]:8080/x"),
            (PAGE, "https://a<b/x", ":host/x"),
            (PAGE, "//::/x", "/x"),
            (PAGE, "//:000000:/x", ":host/x"),
            (PAGE, "//a:1:2/x", ":host/x"),
            (PAGE, "//[a::5:/x", ":host/x"),
            (PAGE, "capacitor://localhost/x", "localhost/x"),
            (PAGE, "file:///home/bob/x", "/home/bob/x"),
        ] {
            let mut out = String::new();
            template("get", url, page, &mut out);
            assert_eq!(out, format!("GET {expected}"), "{url} on {page:?}");
        }
    }

    #[test]
    fn what_is_no_address_keeps_its_scheme_only() {
        for (url, expected) in [
            ("data:text/html,<b>secret</b>", "data:"),
            ("blob:https://x/123e4567", "blob:"),
            ("JavaScript:alert(1)", "javascript:"),
            ("tel:12345", "tel:"),
            ("about:blank", "about:"),
        ] {
            assert_eq!(get(url), expected, "{url}");
        }
    }

    #[test]
    fn methods_are_short_upper_case_tokens() {
        for (method, expected) in [
            ("post", "POST"),
            ("", "GET"),
            (" \u{1b}[31m", "31M"),
            ("M-SEARCH", "M-SEARCH"),
            ("abcdefghijklmnopqrst", "ABCDEFGHIJKLMNOP"),
        ] {
            let mut out = String::new();
            template(method, "/", None, &mut out);
            assert_eq!(out, format!("{expected} /"), "{method:?}");
        }
    }

    #[test]
    fn a_long_route_ends_with_an_ellipsis() {
        let url = "/segment".repeat(100);
        let found = get(&url);
        assert!(found.ends_with("/segment/…") && found.len() <= ENDPOINT_MAX, "{found}");
        assert_eq!(get(&found), found);
        assert_eq!(get(&format!("https://{}/x", "a".repeat(500))), ":host/x");
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_bounded_endpoint_that_is_its_own_template(
            method in ".{0,20}",
            url in "(https?:|ws:|x:)?(//)?([a-c1.@:\\[\\]-]{0,9}(:[0-9]{0,6}:?)?)?([/?#;.]|\\.\\.|[ -~]|[0-9]{1,4}|[a-f0-9]{16}|é|.){0,120}",
        ) {
            let mut once = String::new();
            template(&method, &url, None, &mut once);
            prop_assert!(once.len() <= ENDPOINT_MAX, "{}", once);
            let (method, place) = once.split_once(' ').unwrap();
            let again = if place.starts_with('/') || place.ends_with(':') && !place.contains('/') {
                place.to_owned()
            } else {
                format!("//{place}")
            };
            let mut twice = String::new();
            template(method, &again, None, &mut twice);
            prop_assert_eq!(&twice, &once, "{}", url);
        }
    }
}
