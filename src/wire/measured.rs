//! Events that bring what the browser measured, as it measured it (`perf-entry`): phases, parts, sizes and ratings are told
//! here, so that a page need not.
//!
//! Called by `wire::decode` for the few events that have that member. What a browser leaves out is left out; every other
//! member stays as it was sent, and an event of another subtype stays as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::raw::{RawEvent, Slot};
use crate::event::{Rating, Vital, json};
use crate::stack;

/// Scripts of a long frame that are kept, the longest first.
const SCRIPTS: usize = 5;

/// Where each phase of a request begins and ends.
const PHASES: [(&str, &str, &str); 5] = [
    ("dns-lookup", "domainLookupStart", "domainLookupEnd"),
    ("tcp-connect", "connectStart", "secureConnectionStart"),
    ("tls-handshake", "secureConnectionStart", "connectEnd"),
    ("waiting", "requestStart", "responseStart"),
    ("server-response", "requestStart", "responseEnd"),
];

/// The text of `event`, which is `text`, with what follows from its `perf-entry` in that member's place; `None` where it
/// has none, or nothing follows from it.
pub(super) fn completed(text: &str, event: &RawEvent<'_>) -> Option<String> {
    let entry = event.fields[Slot::Measured].json()?;
    let mut told = Told::default();
    match &*event.fields[Slot::Subtype].text() {
        "api-call" | "no-cors" => request(&Entry(entry), event, &mut told),
        "page-load" => page_load(&Entry(entry), text, &mut told),
        "long-task" => long_task(&Entry(entry), &mut told),
        "web-vital" => web_vital(entry, text, &mut told),
        _ => return None,
    }
    let told = format!("{{{}}}", told.0);
    let mut new: Vec<_> = json::members(&told).collect();
    let names: Vec<&str> = new.iter().map(|new| new.key).collect();
    let mut out = Told::default();
    for member in json::members(text) {
        let key = json::unescape(member.key);
        if Slot::of(key.as_bytes()) == Some(Slot::Measured) {
            // Should there be several, the last was read and the first is replaced.
            new.drain(..).for_each(|new| out.raw(new.key, new.value));
        } else if !names.contains(&&*key) {
            out.raw(member.key, member.value);
        }
    }
    Some(format!("{{{}}}", out.0))
}

fn request(entry: &Entry<'_>, event: &RawEvent<'_>, told: &mut Told) {
    let until_headers = event.fields[Slot::DurationMs].number();
    let total = entry.number("responseEnd").zip(entry.number("startTime")).map(|(end, start)| end - start);
    told.ms("total-ms", total.map(|total| total.max(until_headers.unwrap_or(0.0))));
    told.text("protocol", entry.text("nextHopProtocol"));
    let [initiator] = json::pick(event.members.iter().copied(), ["initiator"]);
    if let Some(stack) = initiator.and_then(json::text) {
        told.text("initiator", serde_json::to_string(&stack::of_the_page(&stack)).ok().as_deref());
    }
    let [encoded, transferred] =
        ["encodedBodySize", "transferSize"].map(|name| entry.number(name).unwrap_or(0.0));
    // A response of another origin hides its sizes unless it allows the page to see them.
    if encoded > 0.0 || transferred > 0.0 {
        told.ms("size", entry.number("decodedBodySize"));
        told.ms("transfer-size", Some(transferred));
        told.raw("cached", if transferred > 0.0 { "false" } else { "true" });
    }
    if entry.number("requestStart") > Some(0.0) {
        told.object("timing", |timing| phases(entry, timing));
    }
}

fn phases(entry: &Entry<'_>, told: &mut Told) {
    for (name, from, to) in PHASES {
        let secure = entry.number("secureConnectionStart").filter(|at| *at > 0.0);
        // Without encryption connecting ends where the handshake would begin.
        let at = |name| match name {
            "secureConnectionStart" => secure.or_else(|| entry.number("connectEnd")),
            _ => entry.number(name),
        };
        told.ms(name, at(to).zip(at(from)).map(|(to, from)| (to - from).max(0.0)));
    }
}

/// What came before the request and is none of its phases: redirects, and what remains (the browser was busy, a worker of
/// the page began, redirects of other origins, which it tells nothing of).
fn before_request(entry: &Entry<'_>, told: &mut Told) {
    let between =
        |from, to| entry.number(to).zip(entry.number(from)).map_or(0.0, |(to, from)| (to - from).max(0.0));
    let redirect = between("redirectStart", "redirectEnd");
    let known =
        redirect + between("domainLookupStart", "domainLookupEnd") + between("connectStart", "connectEnd");
    let stalled = between("startTime", "requestStart") - known;
    for (name, ms) in [("redirect", redirect), ("stalled", stalled)] {
        told.ms(name, Some(ms).filter(|ms| *ms > 0.0));
    }
}

fn page_load(entry: &Entry<'_>, text: &str, told: &mut Told) {
    // Only of a page that was refused: with a status it is a request like others, and would count among the fast ones.
    told.ms("status", entry.number("responseStatus").filter(|status| *status >= 400.0));
    told.text("navigation-type", entry.text("type"));
    told.object("timing", |timing| {
        before_request(entry, timing);
        phases(entry, timing);
        timing.ms("dom-content-loaded", entry.number("domContentLoadedEventEnd"));
        timing.ms("fully-loaded", entry.number("loadEventEnd"));
    });
    let Some(resources) = json::get(text, "resources").map(Entry) else { return };
    told.object("resources", |all| {
        let bytes = resources.number("bytes").unwrap_or(0.0) + entry.number("transferSize").unwrap_or(0.0);
        all.ms("count", resources.number("count"));
        all.ms("total-size-kb", Some((bytes / 1024.0).round()));
        if let Some(kinds) = resources.get("kinds") {
            all.raw("kinds", kinds);
        }
        if let Some(slowest) = resources.get("slowest").map(Entry) {
            all.object("slowest", |told| {
                told.text("url", slowest.text("name"));
                told.ms("duration-ms", slowest.number("duration"));
            });
        }
    });
}

fn long_task(entry: &Entry<'_>, told: &mut Told) {
    let [start, duration, render] = ["startTime", "duration", "renderStart"].map(|name| entry.number(name));
    told.ms("duration-ms", duration);
    told.ms("start-time", start);
    told.ms("blocking-ms", entry.number("blockingDuration"));
    let end = start.zip(duration).map(|(start, duration)| start + duration);
    // A frame that drew nothing has no time for it.
    told.ms("render-ms", end.zip(render).map(|(end, render)| if render > 0.0 { end - render } else { 0.0 }));
    let Some(scripts) = entry.get("scripts") else { return };
    let mut scripts: Vec<_> = json::elements(scripts).map(|(_, script)| Entry(script)).collect();
    scripts.sort_by(|a, b| b.length().total_cmp(&a.length()));
    let told_of = |script: &Entry<'_>| {
        let mut told = Told::default();
        told.text("url", script.text("sourceURL"));
        told.text("function", script.text("sourceFunctionName"));
        told.ms("position", script.number("sourceCharPosition"));
        told.text("invoker", script.text("invoker"));
        told.ms("duration-ms", script.number("duration"));
        told.ms("layout-ms", script.number("forcedStyleAndLayoutDuration"));
        format!("{{{}}}", told.0)
    };
    let scripts: Vec<_> = scripts.iter().take(SCRIPTS).map(told_of).collect();
    told.raw("scripts", &format!("[{}]", scripts.join(",")));
}

/// `entries` are those that the vital was measured by: an interaction, or the navigation and for a paint its own and the
/// resource's. A page that was shown later than it was loaded counts from then on.
fn web_vital(entries: &str, text: &str, told: &mut Told) {
    let vital = Entry(text).text("vital").and_then(json::text).unwrap_or_default();
    let [first, paint, resource] = {
        let mut entries = json::elements(entries).map(|(_, entry)| Entry(entry));
        [(); 3].map(|()| entries.next().unwrap_or(Entry("")))
    };
    if let Some(known) = Vital::find(&vital).filter(|known| known.name() == vital)
        && let Some(value) = Entry(text).number("value")
    {
        // A score is told more finely than milliseconds are.
        let scale = if known == Vital::Cls { 1e4 } else { 1e3 };
        let value = (value - first.number("activationStart").unwrap_or(0.0)).max(0.0);
        told.raw("metric-name", &format!("\"{vital}\""));
        told.number("value", (value * scale).round() / scale);
        if known != Vital::Cls {
            told.raw("unit", "\"ms\"");
        }
        let rating = match known.rating(value) {
            Rating::Good => "good",
            Rating::NeedsWork => "needs-improvement",
            Rating::Poor => "poor",
        };
        told.raw("rating", &format!("\"{rating}\""));
    }
    let mut parts = Told::default();
    match &*vital {
        "LCP" => paint_parts(&first, &paint, &resource, &mut parts),
        "INP" => input_parts(&first, &mut parts),
        "TTFB" => answer_parts(&first, &mut parts),
        _ => {}
    }
    if parts.0.is_empty() {
        return;
    }
    match &*vital {
        "LCP" => told.text("url", paint.text("url")),
        "INP" => told.text("action", first.text("name")),
        _ => {}
    }
    told.raw("timing", &format!("{{{}}}", parts.0));
}

/// The four parts of a largest contentful paint, each from where the one before ends.
fn paint_parts(navigation: &Entry<'_>, paint: &Entry<'_>, resource: &Entry<'_>, told: &mut Told) {
    let Some(painted) = paint.number("startTime") else { return };
    let active = navigation.number("activationStart").unwrap_or(0.0);
    let asked =
        resource.number("requestStart").filter(|at| *at > 0.0).or_else(|| resource.number("startTime"));
    let mut end = 0.0;
    for (name, at) in [
        ("time-to-first-byte", navigation.number("responseStart")),
        ("resource-load-delay", asked),
        ("resource-load-duration", resource.number("responseEnd")),
        ("element-render-delay", Some(painted)),
    ] {
        let next = (at.unwrap_or(0.0) - active).max(end);
        told.ms(name, Some(next - end));
        end = next;
    }
}

fn input_parts(entry: &Entry<'_>, told: &mut Told) {
    let names = ["startTime", "processingStart", "processingEnd", "duration"];
    let [Some(start), Some(begun), Some(done), Some(duration)] = names.map(|name| entry.number(name)) else {
        return;
    };
    told.ms("input-delay", Some(begun - start));
    told.ms("processing", Some(done - begun));
    told.ms("presentation", Some((start + duration - done).max(0.0)));
}

fn answer_parts(navigation: &Entry<'_>, told: &mut Told) {
    let at = |name| navigation.number(name);
    let span = |from, to| at(to).zip(at(from)).map(|(to, from)| to - from);
    let active = at("activationStart").unwrap_or(0.0);
    told.ms("waiting-duration", at("domainLookupStart").map(|begun| (begun - active).max(0.0)));
    told.ms("dns-duration", span("domainLookupStart", "domainLookupEnd"));
    told.ms("connection-duration", span("connectStart", "connectEnd"));
    told.ms("request-duration", span("requestStart", "responseStart"));
}

/// An object as the browser wrote it.
#[derive(Clone, Copy, Debug)]
struct Entry<'a>(&'a str);

impl<'a> Entry<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        json::get(self.0, name)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(json::number)
    }

    /// A text that is not empty, with its quotes.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| json::shape(value) == json::Shape::Text && *value != "\"\"")
    }

    fn length(&self) -> f64 {
        self.number("duration").unwrap_or(0.0)
    }
}

/// The members of an object that is written.
#[derive(Debug, Default)]
struct Told(String);

impl Told {
    /// `key` and `value` are JSON already, the key without its quotes.
    fn raw(&mut self, key: &str, value: &str) {
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(self.0, "{comma}\"{key}\":{value}").expect("a string takes everything");
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.raw(key, value);
        }
    }

    /// Milliseconds with three decimals at most, or a count.
    fn ms(&mut self, key: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.number(key, (value * 1e3).round() / 1e3);
        }
    }

    /// A number as pages write it: no point after a whole one. What has grown beyond all numbers is left out.
    fn number(&mut self, key: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = if value == 0.0 { Cow::Borrowed("0") } else { Cow::Owned(value.to_string()) };
        self.raw(key, &value);
    }

    fn object(&mut self, key: &str, tell: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        tell(&mut inner);
        self.raw(key, &format!("{{{}}}", inner.0));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What `event` becomes.
    fn told(event: &Value) -> Value {
        let text = event.to_string();
        let completed = completed(&text, &RawEvent::of(&text)).expect("an event that is completed");
        serde_json::from_str(&completed).expect("still JSON")
    }

    const NAVIGATION: &str = r#"{"type":"reload","startTime":0,"domainLookupStart":5,"domainLookupEnd":9,"connectStart":9,"connectEnd":30,"requestStart":31,"responseStart":80,"activationStart":0}"#;

    fn navigation() -> Value {
        serde_json::from_str(NAVIGATION).expect("JSON")
    }

    fn requested(changes: Value) -> Value {
        let mut entry = json!({ "name": "http://localhost:5173/api", "startTime": 100.5, "domainLookupStart": 1,
            "domainLookupEnd": 3, "connectStart": 3, "connectEnd": 9, "secureConnectionStart": 5, "requestStart": 10,
            "responseStart": 40.0004, "responseEnd": 160.5, "transferSize": 300, "encodedBodySize": 200,
            "decodedBodySize": 900, "nextHopProtocol": "h2" });
        for (key, value) in changes.as_object().expect("an object") {
            entry[key] = value.clone();
        }
        json!({ "type": "metric", "subtype": "api-call", "url": "/api", "duration-ms": 45, "perf-entry": entry, "status": 200 })
    }

    #[test]
    fn a_request_has_its_end_its_sizes_and_its_phases() {
        assert_eq!(
            told(&requested(json!({}))),
            json!({ "type": "metric", "subtype": "api-call", "url": "/api", "duration-ms": 45, "total-ms": 60, "protocol": "h2",
                "size": 900, "transfer-size": 300, "cached": false, "status": 200, "timing": { "dns-lookup": 2, "tcp-connect": 2,
                "tls-handshake": 4, "waiting": 30, "server-response": 150.5 } })
        );
        let plain = told(&requested(json!({ "secureConnectionStart": 0, "responseEnd": 110 })));
        assert_eq!(
            (&plain["timing"]["tcp-connect"], &plain["timing"]["tls-handshake"]),
            (&json!(6), &json!(0))
        );
        assert_eq!(plain["total-ms"], 45, "never before its headers");
    }

    #[test]
    fn what_started_a_request_is_told_without_the_lines_of_the_client() {
        for (stack, expected) in [
            (
                "Error\n    at apply (http://h/taillight.js?k=K:1:2)\n    at load (http://x/src/cart.ts:3:4)\n    at main.ts:5:6",
                "    at load (http://x/src/cart.ts:3:4)\n    at main.ts:5:6",
            ),
            ("apply@http://h/taillight.mjs:1:2\nload@http://x/a.js:3:4\n", "load@http://x/a.js:3:4"),
            ("load@http://x/a.js:3:4", "load@http://x/a.js:3:4"),
        ] {
            let mut event = requested(json!({}));
            event["initiator"] = stack.into();
            assert_eq!(told(&event)["initiator"], expected);
        }
    }

    #[test]
    fn an_answer_from_the_cache_says_so_and_one_that_hides_its_sizes_says_none() {
        assert_eq!(told(&requested(json!({ "transferSize": 0 })))["cached"], true);
        let sizes =
            json!({ "transferSize": 0, "encodedBodySize": 0, "decodedBodySize": 0, "requestStart": 0 });
        let hidden = told(&requested(sizes));
        for name in ["size", "cached", "timing", "perf-entry"] {
            assert_eq!(hidden[name], Value::Null, "{name}");
        }
        assert_eq!(hidden["total-ms"], 60);
    }

    #[test]
    fn a_page_load_has_its_phases_and_a_summary_of_its_resources() {
        let entry = json!({ "startTime": 0, "domainLookupStart": 1, "domainLookupEnd": 46, "connectStart": 50,
            "secureConnectionStart": 170, "connectEnd": 400, "requestStart": 400, "responseStart": 1200, "responseEnd": 1256,
            "type": "reload", "domContentLoadedEventEnd": 1420, "loadEventEnd": 2340, "transferSize": 1024 });
        let slowest =
            json!({ "name": "http://localhost:5173/a.js", "duration": 12, "initiatorType": "script" });
        let resources = json!({ "count": 1, "bytes": 2048, "kinds": { "script": 1 }, "slowest": slowest });
        let event = json!({ "type": "metric", "subtype": "page-load", "url": "/", "resources": resources, "perf-entry": entry });
        assert_eq!(
            told(&event),
            json!({ "type": "metric", "subtype": "page-load", "url": "/", "navigation-type": "reload",
                "timing": { "stalled": 5, "dns-lookup": 45, "tcp-connect": 120, "tls-handshake": 230, "waiting": 800, "server-response": 856,
                    "dom-content-loaded": 1420, "fully-loaded": 2340 },
                "resources": { "count": 1, "total-size-kb": 3, "kinds": { "script": 1 },
                    "slowest": { "url": "http://localhost:5173/a.js", "duration-ms": 12 } } })
        );
    }

    #[test]
    fn a_page_that_was_refused_says_its_status() {
        for (status, expected) in [(200, json!(null)), (404, json!(404)), (500, json!(500)), (0, json!(null))]
        {
            let entry = json!({ "loadEventEnd": 820, "responseStatus": status });
            let load =
                json!({ "type": "metric", "subtype": "page-load", "url": "/bad", "perf-entry": entry });
            assert_eq!(told(&load)["status"], expected, "{status}");
        }
    }

    #[test]
    fn a_long_frame_names_its_longest_scripts_and_a_long_task_has_none() {
        let scripts: Vec<_> = (0..7)
            .map(|n| {
                json!({ "duration": n * 10, "sourceURL": if n == 0 { "" } else { "/b.js" }, "sourceFunctionName": "render",
                    "sourceCharPosition": 7, "invoker": "BUTTON#save.onclick", "forcedStyleAndLayoutDuration": 11 })
            })
            .collect();
        let entry = json!({ "startTime": 10, "duration": 130, "blockingDuration": 60, "renderStart": 120, "scripts": scripts });
        let frame = told(&json!({ "type": "metric", "subtype": "long-task", "perf-entry": entry }));
        let names = ["duration-ms", "start-time", "blocking-ms", "render-ms"];
        assert_eq!(names.map(|name| frame[name].as_f64()), [130.0, 10.0, 60.0, 20.0].map(Some));
        assert_eq!(frame["scripts"].as_array().map(Vec::len), Some(SCRIPTS));
        assert_eq!(
            frame["scripts"][0],
            json!({ "url": "/b.js", "function": "render", "position": 7, "invoker": "BUTTON#save.onclick", "duration-ms": 60,
                "layout-ms": 11 })
        );
        let entry = json!({ "name": "self", "entryType": "longtask", "startTime": 10, "duration": 110 });
        let task = told(&json!({ "type": "metric", "subtype": "long-task", "perf-entry": entry }));
        assert_eq!(
            task,
            json!({ "type": "metric", "subtype": "long-task", "duration-ms": 110, "start-time": 10 })
        );
    }

    fn vital(name: &str, value: f64, entries: &Value) -> Value {
        told(
            &json!({ "type": "metric", "subtype": "web-vital", "vital": name, "value": value, "final": true, "perf-entry": entries }),
        )
    }

    #[test]
    fn a_vital_is_rated_by_the_published_limits() {
        for (name, value, kept, rating) in [
            ("FCP", 1800.00004, 1800.0, "needs-improvement"),
            ("FCP", 1800.0, 1800.0, "good"),
            ("LCP", 4100.25, 4100.25, "poor"),
            ("INP", 312.0, 312.0, "needs-improvement"),
            ("CLS", 0.250_04, 0.25, "poor"),
            ("CLS", 0.0, 0.0, "good"),
            ("TTFB", 800.0, 800.0, "good"),
        ] {
            let event = vital(name, value, &json!([]));
            let unit = if name == "CLS" { Value::Null } else { json!("ms") };
            assert_eq!(
                (event["value"].as_f64(), &event["rating"]),
                (Some(kept), &json!(rating)),
                "{name} {value}"
            );
            assert_eq!((&event["metric-name"], &event["unit"]), (&json!(name), &unit));
            assert_eq!((&event["timing"], &event["perf-entry"]), (&Value::Null, &Value::Null));
        }
    }

    #[test]
    fn a_page_that_was_loaded_before_it_was_shown_counts_from_then_on() {
        for (value, kept) in [(700.0, 400), (200.0, 0)] {
            let mut navigation = navigation();
            navigation["activationStart"] = json!(300);
            assert_eq!(vital("FCP", value, &json!([navigation]))["value"], kept);
        }
    }

    #[test]
    fn a_vital_has_the_parts_of_its_time() {
        let resource = json!({ "name": "http://localhost:5173/hero.jpg", "startTime": 500, "requestStart": 600, "responseEnd": 3000 });
        let image = vital(
            "LCP",
            4100.0,
            &json!([navigation(), { "startTime": 4100, "url": "http://localhost:5173/hero.jpg" }, resource]),
        );
        assert_eq!(image["url"], "http://localhost:5173/hero.jpg");
        assert_eq!(
            image["timing"],
            json!({ "time-to-first-byte": 80, "resource-load-delay": 520, "resource-load-duration": 2400, "element-render-delay": 1100 })
        );
        let words = vital("LCP", 900.0, &json!([navigation(), { "startTime": 900, "url": "" }, 0]));
        assert_eq!(
            (&words["url"], &words["timing"]),
            (
                &Value::Null,
                &json!({ "time-to-first-byte": 80, "resource-load-delay": 0, "resource-load-duration": 0, "element-render-delay": 820 })
            )
        );
        let first = vital("TTFB", 80.0, &json!([navigation()]));
        assert_eq!(
            first["timing"],
            json!({ "waiting-duration": 5, "dns-duration": 4, "connection-duration": 21, "request-duration": 49 })
        );
        let press = json!([{ "name": "pointerup", "startTime": 1000, "processingStart": 1030, "processingEnd": 1100, "duration": 312 }]);
        let press = vital("INP", 312.0, &press);
        assert_eq!(
            (&press["action"], &press["timing"]),
            (&json!("pointerup"), &json!({ "input-delay": 30, "processing": 70, "presentation": 212 }))
        );
    }

    #[test]
    fn what_makes_no_sense_is_left_out_and_other_events_are_left_alone() {
        for entry in [
            json!({}),
            json!([]),
            json!([[[]]]),
            json!({ "startTime": "x", "scripts": 7, "responseEnd": {} }),
        ] {
            for subtype in ["api-call", "page-load", "long-task", "web-vital"] {
                let event = told(
                    &json!({ "subtype": subtype, "vital": [1], "resources": 5, "perf-entry": entry, "kept": 1 }),
                );
                assert_eq!((&event["kept"], &event["perf-entry"]), (&json!(1), &Value::Null), "{event}");
            }
        }
        let huge = r#"{"subtype":"long-task","perf-entry":{"duration":1e308,"startTime":1e308,"renderStart":-1e308}}"#;
        let told = completed(huge, &RawEvent::of(huge)).expect("an event that is completed");
        assert_eq!(
            serde_json::from_str::<Value>(&told).expect("still JSON")["subtype"],
            "long-task",
            "{told}"
        );
        for text in [
            r#"{"subtype":"custom","perf-entry":{"a":1}}"#,
            r#"{"subtype":"api-call","perf-entry":"x"}"#,
            "{}",
        ] {
            let event = RawEvent::of(text);
            assert_eq!(completed(text, &event), None, "{text}");
        }
    }

    #[test]
    fn however_often_and_however_written_the_entry_is_told_once() {
        for (keys, expected) in [
            (r#""\u0070erf-entry":{"duration":60}"#, r#""duration-ms":60"#),
            (r#""perf-entry":1,"perf-entry":2,"perf-entry":{"duration":60}"#, r#""duration-ms":60"#),
            (r#""perf-entry":{"duration":1e306,"startTime":-1e306,"renderStart":1e306}"#, ""),
        ] {
            let text = format!(r#"{{"subtype":"long-task",{keys}}}"#);
            let comma = if expected.is_empty() { "" } else { "," };
            let expected = format!(r#"{{"subtype":"long-task"{comma}{expected}}}"#);
            let completed = completed(&text, &RawEvent::of(&text)).expect("completed");
            assert_eq!(completed, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_an_entry_says_what_comes_of_it_is_an_event_without_one(
            subtype in "api-call|no-cors|page-load|long-task|web-vital",
            entry in r#"(\{|\[|\]|\}|,|:|"(startTime|duration|scripts|responseEnd|resources|url|vital)"|LCP|-?[0-9]{1,3}(e[0-9]{1,3})?|null|"x"){0,14}"#,
            more in "|,\"vital\":\"(LCP|INP|TTFB|CLS)\",\"value\":-?[0-9]{1,2}(e[0-9]{1,3})?",
        ) {
            for entry in [entry.clone(), format!("[{entry}]"), format!("{{{entry}}}"), format!("{{\"duration\":{entry}}}")] {
                let text = format!("{{\"subtype\":\"{subtype}\",\"perf-entry\":{entry}{more}}}");
                if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_err() {
                    continue;
                }
                if let Some(whole) = completed(&text, &RawEvent::of(&text)) {
                    proptest::prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&whole).is_ok(), "{whole}");
                    proptest::prop_assert_eq!(RawEvent::of(&whole).fields[Slot::Measured].json(), None);
                }
            }
        }
    }

    #[test]
    fn what_follows_stands_where_the_entry_stood_and_the_rest_is_as_it_was_written() {
        let text = r#"{"n":1.50,"subtype":"long-task","perf-entry":{"duration":60.0,"startTime":1e1},"a\u0062":"\u0041"}"#;
        let expected =
            r#"{"n":1.50,"subtype":"long-task","duration-ms":60,"start-time":10,"a\u0062":"\u0041"}"#;
        assert_eq!(completed(text, &RawEvent::of(text)).as_deref(), Some(expected));
    }

    proptest! {
        #[test]
        fn whatever_is_measured_it_stays_json(
            numbers in proptest::collection::vec(proptest::num::f64::ANY, 6),
            name in "\\PC{0,9}",
            which in 0_usize..4,
        ) {
            let names = ["startTime", "duration", "renderStart", "responseEnd", "activationStart", "transferSize"];
            let mut entry: serde_json::Map<String, Value> =
                names.iter().zip(&numbers).map(|(name, number)| ((*name).to_owned(), json!(number))).collect();
            for text in ["name", "type", "url", "nextHopProtocol", "invoker"] {
                entry.insert(text.to_owned(), json!(name));
            }
            entry.insert("scripts".to_owned(), json!([entry]));
            let subtype = ["api-call", "page-load", "long-task", "web-vital"][which];
            let entries = if subtype == "web-vital" { json!([entry, entry, entry]) } else { json!(entry) };
            let event = json!({ "subtype": subtype, "vital": "LCP", "value": numbers[0], "resources": { "slowest": entry },
                "duration-ms": numbers[1], "perf-entry": entries });
            prop_assert_eq!(&told(&event)["subtype"], subtype);
        }
    }
}
