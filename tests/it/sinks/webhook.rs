//! Webhooks and Slack against a server: what is posted, when it is posted again, what is folded.

use super::server::Server;
use super::{delivered, number, until};
use crate::harness::Program;

/// Settings of a sink whose address stands in a file, which is written too.
fn settings(folder: &std::path::Path, name: &str, url: &str, rest: &str) -> String {
    let path = folder.join("address");
    std::fs::write(&path, url).expect("written");
    format!("[sinks.{name}]\nurl = \"file:{}\"\nretry-first = \"1ms\"\n{rest}", path.display())
}

const BAD: &str = r#"{"type":"error","subtype":"javascript","severity":"high","message":"<!channel> & `x` of undefined",
    "stack":"TypeError: x\n  at a (http://localhost/app.js:1:2)","user-id":"user-1","session-id":"s-1"}"#;

#[test]
fn a_line_is_posted_for_each_event_and_tried_again_while_the_other_end_is_busy() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    server.answer("503 Busy\r\nretry-after: 0");
    server.answer("429 Slow down");
    let settings = settings(folder.path(), "webhook", &server.url("/in?key=s3cret"), "");
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(r#"[{"type":"log","message":"one"},{"type":"log","message":"two"}]"#);
    for expected in ["one", "one", "one", "two"] {
        let post = server.post();
        assert_eq!((post.path.as_str(), post.header("content-type")), ("/in?key=s3cret", "application/json"));
        assert_eq!(post.json()["msg"], expected);
    }
    let sink = until(&program, "webhook", delivered(2));
    assert_eq!(number(&sink["errors"]), 2, "{sink}");
    let shown = sink.to_string();
    assert!(!shown.contains("s3cret") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn an_event_that_is_not_liked_costs_itself_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    server.answer("400 Bad");
    let settings = settings(folder.path(), "webhook", &server.url("/"), "");
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(r#"[{"type":"log","message":"one"},{"type":"log","message":"two"}]"#);
    assert_eq!(
        (server.post().json()["msg"].clone(), server.post().json()["msg"].clone()),
        ("one".into(), "two".into())
    );
    let sink = until(&program, "webhook", delivered(1));
    assert_eq!((number(&sink["dropped"]["refused"]), number(&sink["errors"])), (1, 1), "{sink}");
}

#[test]
fn slack_gets_few_escaped_messages_and_repeats_are_told_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    let rest = "host = \"127.0.0.1\"\nlimits = [\"100_000 per minute\"]\nfold = \"1s\"\n";
    let settings = settings(folder.path(), "slack", &server.url("/services/x"), rest);
    // The alert about so many of them would be one more message.
    let settings = format!("[[alerts]]\nname = \"same error\"\nenabled = false\n{settings}");
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(&format!("[{BAD},{BAD},{BAD},{{\"type\":\"log\",\"message\":\"fine\"}}]"));
    let text = server.post().json()["text"].as_str().expect("text").to_owned();
    assert!(
        text.starts_with(
            "*ERROR browser/javascript (high severity)*  &lt;!channel&gt; &amp; `x` of undefined\n"
        ),
        "{text}"
    );
    assert!(text.contains("user user-1") && text.contains("```TypeError: x"), "{text}");
    let sink = until(&program, "slack", delivered(3));
    assert_eq!(number(&sink["filtered"]), 1, "{sink}");
    // Until the group may be posted again, each try is one more of it.
    let mut more = 2;
    loop {
        program.post(BAD);
        until(&program, "slack", delivered(more + 2));
        if let Some(post) = server.try_post() {
            let text = post.json()["text"].to_string();
            assert!(text.contains(&format!("{more} more of it since the last message")), "{more}: {text}");
            return;
        }
        more += 1;
        std::thread::yield_now();
    }
}

#[test]
fn slack_posts_to_slack_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    let settings = settings(folder.path(), "slack", &server.url("/services/s3cret"), "attempts = 2\n");
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(BAD);
    let sink = until(&program, "slack", |sink| sink["dropped"]["refused"] == 1);
    let shown = sink.to_string();
    assert!(shown.contains("https://hooks.slack.com") && !shown.contains("s3cret"), "{shown}");
    assert!(server.try_post().is_none());
}

#[test]
fn pagerduty_gets_an_event_of_its_version_2_and_one_incident_a_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, "R0UTE").expect("written");
    let server = Server::start();
    let rest = format!("template = \"pagerduty\"\nrouting-key = \"file:{}\"\n", key.display());
    let settings = settings(folder.path(), "webhook", &server.url("/v2/enqueue"), &rest);
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(BAD);
    let body = server.post().json();
    assert_eq!((&body["routing_key"], &body["event_action"]), (&"R0UTE".into(), &"trigger".into()));
    assert_eq!(body["payload"]["severity"], "error");
    assert!(
        body["payload"]["summary"].as_str().expect("text").starts_with("browser/javascript <!channel>"),
        "{body}"
    );
    assert!(body["dedup_key"].as_str().expect("a key").starts_with("taillight-"), "{body}");
    assert_eq!(body["payload"]["custom_details"]["user"], "user-1");
}
