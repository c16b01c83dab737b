//! The files the port serves: the browser client in its two forms and its types, the demo page, and the page at `/`.
//!
//! Called by `ingest::http`. The same bytes for everyone: nothing here holds the page key or an event.

use std::borrow::Cow;

use super::admission::Route;

const CLIENT: &str = include_str!("../../assets/taillight.js");
const SCITTLE: &str = include_str!("../../assets/taillight.cljs");
const TYPES: &str = include_str!("../../assets/taillight.d.ts");
const DEMO: &str = include_str!("../../assets/demo.html");
const HOME: &str = include_str!("../../assets/home.html");

/// The one line of the client that a module cannot use: there is no current script there.
const SELF_LINE: &str = "const SELF = document.currentScript?.src;";
const MODULE_SELF: &str = "const SELF = import.meta.url;";
const MODULE_EXPORTS: &str = "\nexport const {init, log, track, metric, error, render, setUser, setContext, \
     answer, consent, flush, push, stop} = globalThis.taillight;\n";

/// What `/` says of the traffic, without showing any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    Nothing,
    Connected,
    Arriving,
}

/// The browser client in the form that a file of this name has: types, a module, else a classic script. The module does
/// not look for taillight where it was loaded from: a bundler or dev server brings it, so it waits for `init`.
pub fn client(name: &str) -> Cow<'static, str> {
    match name.rsplit_once('.') {
        Some((_, "mjs")) => Cow::Owned(module("const SELF = '';")),
        _ if is_types(name) => Cow::Borrowed(TYPES),
        _ => Cow::Borrowed(CLIENT),
    }
}

/// Whether a file of this name is for types: TypeScript looks for those of `a.mjs` in `a.d.mts`.
pub fn is_types(name: &str) -> bool {
    [".ts", ".mts"].iter().any(|ending| name.ends_with(ending))
}

/// The content type and text of a file route, `None` for every other route. `host` is the request's own Host.
pub(super) fn file(route: Route, host: &str, traffic: Traffic) -> Option<(&'static str, Cow<'static, str>)> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    /// What TypeScript's own tools serve it as; no browser runs it.
    const TYPESCRIPT: &str = "application/typescript; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    Some(match route {
        Route::Client => (SCRIPT, Cow::Borrowed(CLIENT)),
        Route::Module => (SCRIPT, Cow::Owned(module(MODULE_SELF))),
        Route::ClientMap => ("application/json", Cow::Owned(client_map())),
        Route::Types => (TYPESCRIPT, Cow::Borrowed(TYPES)),
        Route::Scittle => ("text/plain; charset=utf-8", Cow::Borrowed(SCITTLE)),
        Route::Demo => (HTML, Cow::Borrowed(DEMO)),
        Route::Home => (HTML, Cow::Owned(home(host, traffic))),
        _ => return None,
    })
}

/// What the SourceMap header of a route's file names, relative to it.
pub(super) fn map_of(route: Route) -> Option<&'static str> {
    matches!(route, Route::Client | Route::Module).then_some("taillight.js.map")
}

/// A source map that changes no place and asks developer tools to pass the client over: a line that the page logs is
/// shown at the page's own place, not at the client's.
fn client_map() -> String {
    let lines = CLIENT.lines().count();
    let mappings = ["AAAA"].into_iter().chain(std::iter::repeat_n("AACA", lines.saturating_sub(1)));
    serde_json::json!({
        "version": 3,
        "file": "taillight.js",
        "sources": ["taillight.source.js"],
        "sourcesContent": [CLIENT],
        "names": [],
        "mappings": mappings.collect::<Vec<_>>().join(";"),
        "ignoreList": [0],
        "x_google_ignoreList": [0],
    })
    .to_string()
}

fn module(self_line: &str) -> String {
    let mut text = CLIENT.replacen(SELF_LINE, self_line, 1);
    text.push_str(MODULE_EXPORTS);
    text
}

fn home(host: &str, traffic: Traffic) -> String {
    let state = match traffic {
        Traffic::Nothing => "Listening. No page has connected yet.",
        Traffic::Connected => "A page is connected. No event has arrived yet.",
        Traffic::Arriving => "Events are arriving.",
    };
    HOME.replace("__STATE__", state).replace("__ORIGIN__", &format!("http://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_finds_its_address_and_exports_the_api() {
        let module = module(MODULE_SELF);
        assert!(!module.contains(SELF_LINE) && module.contains(MODULE_SELF));
        assert!(module.ends_with(MODULE_EXPORTS));
        assert_eq!(CLIENT.matches(SELF_LINE).count(), 1, "the client must declare SELF on exactly one line");
        let names = MODULE_EXPORTS.split(['{', '}']).nth(1).expect("a list").split(',').map(str::trim);
        for name in names {
            assert!(TYPES.contains(&format!("{name}(")), "{name} has no type");
        }
    }

    #[test]
    fn the_map_of_the_client_names_each_line_and_asks_to_be_passed_over() {
        let (_, text) = file(Route::ClientMap, "localhost", Traffic::Nothing).expect("a file");
        let map = sourcemap::SourceMap::from_slice(text.as_bytes()).expect("a source map");
        for line in 0..CLIENT.lines().count() {
            let line = u32::try_from(line).expect("a short file");
            let token = map.lookup_token(line, 40).expect("a mapping");
            assert_eq!((token.get_dst_line(), token.get_src_line(), token.get_src_col()), (line, line, 0));
        }
        let map: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(map["ignoreList"], serde_json::json!([0]));
        assert_eq!(map_of(Route::Module), Some("taillight.js.map"));
    }

    #[test]
    fn the_scittle_client_has_the_calls_that_are_documented() {
        let (kind, text) = file(Route::Scittle, "localhost", Traffic::Nothing).expect("a file");
        assert_eq!(kind, "text/plain; charset=utf-8");
        assert!(text.contains("(ns app.telemetry\n"));
        for name in [
            "init-telemetry!",
            "log!",
            "track!",
            "metric!",
            "add-event!",
            "flush-events!",
            "set-user!",
            "render!",
            "stop!",
        ] {
            assert!(text.contains(&format!("(defn {name}")), "{name}");
        }
    }

    #[test]
    fn home_shows_the_tag_for_the_host_it_was_asked_at() {
        let (_, html) = file(Route::Home, "localhost:9000", Traffic::Arriving).expect("a file");
        assert!(html.contains("http://localhost:9000/taillight.js") && html.contains("Events are arriving."));
        assert_eq!(file(Route::Healthz, "localhost", Traffic::Nothing), None);
    }
}
