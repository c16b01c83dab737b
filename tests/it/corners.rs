//! The corners of the platform in headless Chromium: a strict policy, a worker, a frame without storage, and a client
//! that stops and starts again.

use std::time::Duration;

use serde_json::Value;

use crate::browser::{Browser, chromium, events_until, expected, serve};
use crate::harness::Program;

const WORKER: &str = "importScripts('/taillight.js');
onmessage = ({ data }) => {
  taillight.init({ ...data, app: 'worker' });
  fetch('/ok?worker').then(() => { throw new Error('thrown in the worker'); });
  setTimeout(() => { throw new RangeError('uncaught in the worker'); });
};";

const DENIED: &str = r#"<script src="/taillight.js" data-url="http__BASE__?k=__KEY__" data-app="denied"></script>
<script>
  let denied = 0;
  for (const area of ['localStorage', 'sessionStorage']) try { window[area]; } catch { denied++; }
  taillight.log('info', `areas denied: ${denied}`);
</script>"#;

const WANTED: [crate::browser::Expected; 8] = [
    expected("browser/log", None, "under a strict policy"),
    expected("browser/javascript", None, "uncaught in the worker"),
    expected("browser/promise", None, "thrown in the worker"),
    expected("browser/api-call", Some(200), "/ok"),
    expected("browser/log", None, "areas denied: 2"),
    expected("browser/log", None, "replaced: "),
    expected("browser/log", None, "left after stop: "),
    expected("browser/log", None, "replaced again: "),
];

#[test]
fn policy_worker_denied_storage_and_stop() {
    let Some(chromium) = chromium() else { return };
    let program = Program::start(&["tail", "--format", "jsonl"]);
    let base = format!("://127.0.0.1:{}/", program.port);
    let fill = |text: &str| text.replace("__BASE__", &base).replace("__KEY__", &program.key());
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/taillight.js");
    let page = serve(vec![
        ("/taillight.js", std::fs::read_to_string(client).expect("the client")),
        ("/before.js", include_str!("fixtures/before.js").to_owned()),
        ("/app.js", include_str!("fixtures/strict.js").to_owned()),
        ("/worker.js", WORKER.to_owned()),
        ("/denied", fill(DENIED)),
        ("/", fill(include_str!("fixtures/strict.html"))),
    ]);
    let browser = Browser::open(&chromium, &format!("http://localhost:{page}/"));
    let mut events = events_until(&program, &WANTED);
    drop(browser);
    events.extend(std::iter::from_fn(|| program.event_within(Duration::from_secs(1))));
    let find = |words: &str| -> &Value {
        let has_words = |event: &&Value| event["msg"].as_str().is_some_and(|msg| msg.contains(words));
        events.iter().find(has_words).expect("was awaited")
    };
    let top = find("under a strict policy");
    // The browser tells the page of a worker's uncaught error too, without the error itself.
    let told = events.iter().filter(|event| event.to_string().contains("uncaught in the worker")).count();
    assert_eq!(told, 1, "by the worker alone: {events:#?}");
    let in_worker = |event: &&Value| event["data"]["app"] == "worker" && event["id"] == "browser/javascript";
    let worker = events.iter().find(in_worker).expect("the worker's own word");
    assert_eq!(
        (&worker["session"], &worker["tab"]),
        (&top["session"], &top["tab"]),
        "the worker is of its page"
    );
    assert_eq!(worker["data"]["name"], "RangeError");
    assert!(!events.iter().any(|event| event["id"] == "browser/csp"), "{events:#?}");
    assert!(!events.iter().any(|event| event.to_string().contains("while it was stopped")), "{events:#?}");
    let all = "window.fetch,window.WebSocket,socket.constructor,xhr.open,xhr.send,navigator.sendBeacon,\
               console.warn,console.error,console.assert";
    assert_eq!(find("replaced: ")["msg"], format!("replaced: {all}"));
    assert_eq!(find("left after stop")["msg"], "left after stop: 0 of 9 ");
    assert_eq!(find("replaced again")["msg"], format!("replaced again: {all}"));
}
