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
     answer, consent, flush, stop} = globalThis.taillight;\n";

/// What `/` says of the traffic, without showing any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    Nothing,
    Connected,
    Arriving,
}

/// The browser client as a classic script.
pub fn client() -> &'static str {
    CLIENT
}

/// The content type and text of a file route, `None` for every other route. `host` is the request's own Host.
pub(super) fn file(route: Route, host: &str, traffic: Traffic) -> Option<(&'static str, Cow<'static, str>)> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    /// What TypeScript's own tools serve it as; no browser runs it.
    const TYPESCRIPT: &str = "application/typescript; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    Some(match route {
        Route::Client => (SCRIPT, Cow::Borrowed(CLIENT)),
        Route::Module => (SCRIPT, Cow::Owned(module())),
        Route::Types => (TYPESCRIPT, Cow::Borrowed(TYPES)),
        Route::Scittle => ("text/plain; charset=utf-8", Cow::Borrowed(SCITTLE)),
        Route::Demo => (HTML, Cow::Borrowed(DEMO)),
        Route::Home => (HTML, Cow::Owned(home(host, traffic))),
        _ => return None,
    })
}

fn module() -> String {
    let mut text = CLIENT.replacen(SELF_LINE, MODULE_SELF, 1);
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
        let module = module();
        assert!(!module.contains(SELF_LINE) && module.contains(MODULE_SELF));
        assert!(module.ends_with(MODULE_EXPORTS));
        assert_eq!(CLIENT.matches(SELF_LINE).count(), 1, "the client must declare SELF on exactly one line");
        let names = MODULE_EXPORTS.split(['{', '}']).nth(1).expect("a list").split(',').map(str::trim);
        for name in names {
            assert!(TYPES.contains(&format!("{name}(")), "{name} has no type");
        }
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
