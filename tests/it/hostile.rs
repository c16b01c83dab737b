//! Text that means harm, wherever the console may show it, at any width.

use std::fmt::Write as _;
use std::sync::Arc;

use taillight::alerts::{Firing, usual};
use taillight::config::{Owner, Saved};
use taillight::event::Timestamp;
use taillight::sinks::{Counts, Report, State};
use taillight::ui::Msg;

use super::ui::{Console, is_forbidden};

#[test]
fn hostile_text_is_harmless_on_every_surface_at_every_width() {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("fixtures/hostile-strings.json")).expect("vectors");
    for vector in vectors {
        let times = usize::try_from(vector["times"].as_u64().unwrap_or(0)).expect("small");
        let unit = vector["unit"].as_str().unwrap_or("").repeat(times);
        let mut text = String::new();
        let _ = write!(
            text,
            "{}{unit}{}",
            vector["text"].as_str().unwrap_or(""),
            vector["tail"].as_str().unwrap_or("")
        );
        let text: String = text.chars().take(4_000).collect();
        let mut console = Console::new(100);
        for (load, kind) in [(1, "api-call"), (2, "api-call"), (2, "user-action"), (2, "javascript")] {
            let class = if kind == "user-action" {
                "analytics"
            } else if kind == "javascript" {
                "error"
            } else {
                "metric"
            };
            let mut event = serde_json::json!({
                "type": class, "subtype": kind, "message": text, "stack": text, "session-id": text, "user-id": text,
                "url": text, "method": "GET", "status": 500, "duration-ms": 5, "page": text, "build": text,
                "cause": text, "causes": [{"name": text, "message": text}], "element-id": text, "element-text": text,
            });
            if kind == "user-action" {
                event
                    .as_object_mut()
                    .expect("an object")
                    .retain(|key, _| !["url", "status", "method"].contains(&key.as_str()));
            }
            console.post_from((&text, &text, load), &event.to_string());
        }
        tell(&mut console, &text);
        for keys in [
            "",
            "k",
            "w",
            "/level>=error<cr>",
            "L",
            "t",
            "tt",
            "X<cr>",
            "<esc>",
            "2",
            "<tab>",
            "3",
            "t",
            "<tab>",
            "4",
            "T",
            "5",
            "6",
            "F",
            "<down>",
        ] {
            console.keys(keys);
            for (width, height) in [(1, 9), (2, 9), (3, 9), (10, 9), (40, 8), (80, 24), (200, 60)] {
                let buffer = console.draw(width, height);
                for cell in buffer.content() {
                    let symbol = cell.symbol();
                    assert!(
                        !symbol.chars().any(is_forbidden),
                        "{} after {keys:?}: {symbol:?}",
                        vector["name"]
                    );
                }
            }
        }
    }
}

/// Everything around the screens says `text`: alerts, sinks, saved filters, a warning.
fn tell(console: &mut Console, text: &str) {
    let mut rule = usual().remove(0);
    text.clone_into(&mut rule.name);
    let rule = Arc::new(rule);
    let firing = |key: &str| Firing {
        rule: Arc::clone(&rule),
        key: key.to_owned(),
        session: text.to_owned(),
        user: text.to_owned(),
        group: None,
        since: Timestamp(1_769_869_900_000),
        value: 7.0,
        example: text.to_owned(),
    };
    console.send(Msg::Alerts(Arc::new(vec![firing(""), firing(text)])));
    console.send(Msg::Sinks(Arc::from([Report {
        name: text.to_owned(),
        kind: "postgres",
        mode: "dropping",
        state: State::Retrying,
        counts: Counts::default(),
        queued: 0,
        p50: None,
        p99: None,
        last_error: Some(text.to_owned()),
    }])));
    let saved =
        Saved { name: text.to_owned(), text: text.to_owned(), owner: Owner::Project, place: String::new() };
    console.send(Msg::Saved(Arc::from([saved])));
    console.send(Msg::Counts(Arc::new([(text.to_owned(), 3)])));
    console.send(Msg::Warning(text.to_owned()));
}

#[test]
fn hostile_text_is_harmless_where_nothing_has_arrived_yet() {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("fixtures/hostile-strings.json")).expect("vectors");
    for vector in vectors {
        let text: String = vector["text"].as_str().unwrap_or("").chars().take(4_000).collect();
        let mut console = Console::new(100);
        console.send(Msg::Checks(vec![text.clone(), format!("\u{2713}  port  {text}")]));
        for width in [1, 2, 3, 10, 40, 80, 200] {
            for cell in console.draw(width, 24).content() {
                let symbol = cell.symbol();
                assert!(!symbol.chars().any(is_forbidden), "{}: {symbol:?}", vector["name"]);
            }
        }
    }
}
