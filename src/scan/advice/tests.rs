//! Advice on a store whose events are known.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::event::{Chunk, FIELDS, Timestamp};
use crate::filter::{Bits, Matcher, State, What, parse, while_typing};
use crate::pipeline::Redactor;
use crate::store::{Retention, Store, Tally};
use crate::wire::{Frame, Sender, decode_frame};

const NOW: i64 = 1_704_067_275_000;

/// 40 requests, 10 errors, 4 renders.
fn events() -> Vec<String> {
    let mut events = Vec::new();
    for n in 0..40 {
        let method = ["GET", "GET", "GET", "POST"][n % 4];
        let status = if n % 10 == 0 { 503 } else { 200 };
        let user = if n < 30 { format!(r#","user-id":"user-12{}""#, n % 3) } else { String::new() };
        events.push(format!(
            r#"{{"type":"metric","subtype":"api-call","method":"{method}","status":{status},"timestamp":{},
               "url":"https://api.example.com/users/{}","response-time-ms":{},"timing":{{"dns-lookup":{n}}}{user}}}"#,
            NOW - 60_000 + 1_000 * n as i64,
            n % 2,
            50 * n,
        ));
    }
    for n in 0..10 {
        events.push(format!(
            r#"{{"type":"error","subtype":"javascript","message":"Cannot read \"x{}\"","stack":"at a\nat b",
               "timestamp":{NOW},"context":{{"cart size":1,"user.plan":"pro"}},"odd":"a*b"}}"#,
            n % 2
        ));
    }
    for n in 0..4 {
        events.push(format!(
            r#"{{"type":"metric","subtype":"render","component":"UserList","timestamp":{NOW},"render-time-ms":{n}}}"#
        ));
    }
    events
}

fn chunk_of(events: &[String]) -> Chunk {
    let sender =
        Sender { session: "sess-456".into(), source: "browser", recv: Timestamp(NOW), ..Sender::default() };
    let frame = format!(r#"{{"t":"batch","seq":1,"events":[{}]}}"#, events.join(","));
    let Ok(Frame::Batch { batch, .. }) = decode_frame(&frame, &sender, &Redactor::default()) else {
        panic!("a batch")
    };
    assert_eq!(batch.chunk.len(), events.len());
    batch.chunk
}

fn snapshot_of(events: &[String], keep: u64) -> Arc<Snapshot> {
    let mut store = Store::new(Retention { events: keep, bytes: u64::MAX, ..Retention::default() });
    store.append(&chunk_of(events), &Tally { accepted: events.len() as u64, ..Tally::default() });
    Arc::new(store.snapshot(Timestamp(NOW)))
}

fn snapshot() -> Arc<Snapshot> {
    static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| snapshot_of(&events(), 1_000));
    Arc::clone(&SNAPSHOT)
}

fn context() -> EvalContext {
    let marks = [("a".into(), Timestamp(NOW - 3_600_000))].into_iter().collect();
    EvalContext { now: Timestamp(NOW), start: Timestamp(NOW - 3_600_000), marks, ..EvalContext::default() }
}

/// The whole answer at the `‸` of `text`, or at its end.
fn answer(snapshot: &Arc<Snapshot>, text: &str, is_accepted: bool) -> (String, Advice) {
    let mut advisor = Advisor::new();
    advisor.see(Arc::clone(snapshot), context());
    ask(&mut advisor, text, is_accepted)
}

fn ask(advisor: &mut Advisor, text: &str, is_accepted: bool) -> (String, Advice) {
    let cursor = text.find('‸').unwrap_or(text.len());
    let text = text.replace('‸', "");
    let advice = advisor.answer(AdviceRequest {
        id: 7,
        text: text.clone(),
        cursor,
        is_accepted,
        saved: Arc::new([("api-trouble".to_owned(), "status>=500".to_owned())]),
        recent: Arc::new(["level:error".to_owned()]),
    });
    (text, advice)
}

/// The first candidates as `label count → insert`, then how many more there are.
fn told(text: &str, first: usize) -> Vec<String> {
    let (_, advice) = answer(&snapshot(), text, false);
    assert!(advice.id == 7 && advice.is_done && !advice.is_estimate);
    let shown = advice.candidates.iter().take(first);
    let count = |candidate: &Candidate| candidate.count.map_or("?".to_owned(), |count| count.to_string());
    let told =
        shown.map(|candidate| format!("{} {} → {}", candidate.label, count(candidate), candidate.insert));
    told.chain([format!("{} more", advice.hidden + advice.candidates.len().saturating_sub(first))]).collect()
}

#[test]
fn fields_that_fit_come_with_the_events_that_have_them() {
    for (text, first, expected) in [
        (
            "",
            4,
            vec![
                "api-trouble 4 → status>=500",
                "level:error 10 → level:error",
                "type 54 → type:",
                "subtype 54 → subtype:",
                "58 more",
            ],
        ),
        ("sta", 3, vec!["status 40 → status:", "stack 10 → stack:", "timestamp 54 → timestamp:", "0 more"]),
        ("-dns", 2, vec!["timing.dns-lookup 40 → timing.dns-lookup>", "0 more"]),
        ("sta‸:5", 1, vec!["status 40 → status", "2 more"]),
        ("has:us", 3, vec!["user 30 → user", "ua 0 → ua", "user-id 30 → user-id", "2 more"]),
        ("has:cart", 1, vec!["context.\"cart size\" 10 → context.\"cart size\"", "0 more"]),
        ("a con", 1, vec!["context.\"cart size\" 10 → context.\"cart size\":", "1 more"]),
        ("userid", 1, vec!["user-id 30 → user-id:", "0 more"]),
        ("zzz", 1, vec!["0 more"]),
    ] {
        assert_eq!(told(text, first), expected, "{text}");
    }
}

#[test]
fn operators_come_with_their_field() {
    let (text, advice) = answer(&snapshot(), "a status ", false);
    let first = &advice.candidates[0];
    assert_eq!((first.label.as_str(), first.detail.as_str()), (":", "is, or a range like 1..5"));
    assert_eq!(advice.apply(&text, first), ("a status:".to_owned(), 9));
    let goes_on = told("time", 8);
    assert_eq!(
        goes_on,
        ["? → time:", ">= ? → time>=", "< ? → time<", "timestamp 54 → timestamp:", "0 more"]
            .map(|text| if text.starts_with('?') { format!(": {text}") } else { text.to_owned() })
    );
}

#[test]
fn values_are_counted_under_the_rest_of_the_filter() {
    for (text, first, expected) in [
        ("method:", 3, vec!["GET 30 → GET", "POST 10 → POST", "0 more"]),
        ("status>=400 method:", 3, vec!["GET 4 → GET", "0 more"]),
        ("status>=400 or method:", 1, vec!["GET 30 → GET", "1 more"]),
        ("method:p‸ost", 3, vec!["POST 10 → POST", "0 more"]),
        ("method:os", 3, vec!["POST 10 → POST", "0 more"]),
        ("method in (GET, P", 3, vec!["POST 10 → POST", "0 more"]),
        ("method in ", 1, vec!["GET 30 → (GET)", "1 more"]),
        ("status:", 4, vec!["2xx 36 → 2xx", "200 36 → 200", "5xx 4 → 5xx", "503 4 → 503", "0 more"]),
        ("status>=", 2, vec!["200 40 → 200", "503 4 → 503", "0 more"]),
        ("status<", 2, vec!["503 36 → 503", "0 more"]),
        ("level>=", 2, vec!["warn 10 → warn", "error 10 → error", "5 more"]),
        ("level:e", 2, vec!["error 10 → error", "0 more"]),
        ("duration>", 2, vec!["10ms 39 → 10ms", "50ms 38 → 50ms", "4 more"]),
        ("duration:", 1, vec!["1s..5s 20 → 1s..5s", "5 more"]),
        ("timing.dns-lookup>", 1, vec!["10ms 29 → 10ms", "0 more"]),
        ("is:", 2, vec!["slow 29 → slow", "error 10 → error", "6 more"]),
        ("since:", 1, vec!["reload 54 → reload", "9 more"]),
        ("since:mark", 1, vec!["mark-a 54 → mark-a", "1 more"]),
        ("saved:", 1, vec!["api-trouble 4 → api-trouble", "0 more"]),
        ("saved:api-trouble method:", 2, vec!["GET 4 → GET", "0 more"]),
        ("user:user-12", 1, vec!["user-120 10 → user-120", "2 more"]),
        ("url:/", 1, vec!["/users/0 20 → /users/0", "1 more"]),
        ("route:", 1, vec!["/users/:id 40 → /users/:id", "0 more"]),
        ("odd=", 1, vec!["a*b 10 → a\\*b", "0 more"]),
        ("message:\"Can", 1, vec!["Cannot read \"x0\" 5 → \"Cannot read \\\"x0\\\"\"", "1 more"]),
        (":browser/a", 1, vec!["browser/api-call 40 → id:browser/api-call", "0 more"]),
        // What is there already is no news.
        ("method:POST", 1, vec!["0 more"]),
    ] {
        assert_eq!(told(text, first), expected, "{text}");
    }
}

#[test]
fn without_events_the_known_words_are_offered_uncounted() {
    let empty = Arc::default();
    let (_, advice) = answer(&empty, "method:", false);
    assert_eq!(advice.candidates.iter().map(|it| (&*it.label, it.count)).next(), Some(("GET", None)));
    let (text, advice) = answer(&empty, "levle:error", false);
    assert_eq!(advice.notes[0].fix.as_ref().map(|fix| fix.apply(&text)).as_deref(), Some("level:error"));
}

/// How many events of the store match.
fn matches(snapshot: &Snapshot, text: &str) -> u64 {
    let filter = parse(text).filter.unwrap_or_else(|| panic!("{text} is a filter"));
    let mut matcher = Matcher::new(Arc::new(filter), context());
    let mut bits = Bits::new();
    let count = |chunk: &Chunk| {
        matcher.eval(chunk, 0..chunk.len(), &mut bits);
        bits.count() as u64
    };
    snapshot.segments.iter().map(|segment| &*segment.chunk).map(count).sum()
}

#[test]
fn every_candidate_goes_in_and_matches_what_it_says() {
    let snapshot = snapshot();
    let mut advisor = Advisor::new();
    advisor.see(Arc::clone(&snapshot), context());
    let fields =
        FIELDS.iter().map(|field| field.name).chain(["odd", "timing.dns-lookup", "context.\"user.plan\""]);
    let signs = [":", "=", "==", "!=", ">", " in (", " in ", "", " "];
    for (field, sign) in fields.flat_map(|field| signs.map(|sign| (field, sign))) {
        for before in ["", "type:metric -"] {
            let (text, advice) = ask(&mut advisor, &format!("{before}{field}{sign}"), false);
            for candidate in &advice.candidates {
                let (applied, cursor) = advice.apply(&text, candidate);
                assert!(applied.starts_with(&text[..advice.span.start]) && applied.is_char_boundary(cursor));
                let state = while_typing(&applied, true).state;
                let was_wrong = while_typing(&text, true).state == State::Error;
                assert!(was_wrong || state != State::Error, "{text} → {applied}");
                let is_value = matches!(expected(&text, text.len()).what, What::Value { .. });
                if is_value && before.is_empty() && [":", "=", "==", ">"].contains(&sign) {
                    let (found, said) = (matches(&snapshot, &applied), candidate.count.expect("counted"));
                    assert!(found >= said, "{applied}: {found} match, {said} were said to");
                }
            }
        }
    }
}

/// Codes and messages, and the text each fix makes.
fn noted(text: &str, is_accepted: bool) -> Vec<(String, Option<String>)> {
    let (text, advice) = answer(&snapshot(), text, is_accepted);
    let told = |note: Note| {
        assert!(text.get(note.span.clone()).is_some_and(|marked| !marked.is_empty()));
        let fixed = note.fix.map(|fix| fix.apply(&text));
        assert!(fixed.as_ref().is_none_or(|fixed| parse(fixed).errors.is_empty()), "{fixed:?}");
        (format!("{}: {}", note.code, note.message), fixed)
    };
    advice.notes.into_iter().map(told).collect()
}

#[test]
fn notes_say_what_the_events_know() {
    for (text, message, fixed) in [
        (
            "stauts:500",
            "N-FIELD: no event has a field stauts. Did you mean status? (40 events)",
            Some("status:500"),
        ),
        (
            "-(has:stakc)",
            "N-FIELD: no event has a field stakc. Did you mean stack? (10 events)",
            Some("-(has:stack)"),
        ),
        (
            "timing.dnslokup>5ms",
            "N-FIELD: no event has a field timing.dnslokup. Did you mean timing.dns-lookup? (40 events)",
            Some("timing.dns-lookup>5ms"),
        ),
        (
            "has:context.\"cart siz\"",
            "N-FIELD: no event has a field context.\"cart siz\". Did you mean context.\"cart size\"? (10 events)",
            Some("has:context.\"cart size\""),
        ),
        ("zzz:1", "N-FIELD: no event has a field zzz", None),
        (
            "status:200 id:browser/apicall",
            "N-VALUE: no event has this id. Did you mean browser/api-call? (40)",
            Some("status:200 id:browser/api-call"),
        ),
        (
            "message=\"cannot read x1\"",
            "N-VALUE: no event has this message. Did you mean Cannot read \"x1\"? (5)",
            Some("message=\"Cannot read \\\"x1\\\"\""),
        ),
        (
            "user:user-1",
            "N-STAR: user:user-1 matches no event; user:user-1* matches 30",
            Some("user:user-1*"),
        ),
        (
            "method:GET user!=user-121",
            "N-NE: also hides 7 events without user; to keep them write -user:user-121",
            Some("method:GET -user:user-121"),
        ),
        ("odd!~/a/", "N-NE: also hides 44 events without odd; to keep them write -odd~/a/", Some("-odd~/a/")),
    ] {
        let notes = noted(text, true);
        let found = notes.first().map(|(message, fixed)| (message.as_str(), fixed.as_deref()));
        assert_eq!(found, Some((message, fixed)), "{text}");
        assert_eq!(notes.len(), 1, "{text}: {notes:?}");
    }
}

#[test]
fn names_with_dots_are_told_from_paths() {
    let event = r#"{"type":"log","message":"m","app.name":"shop","a b":1}"#;
    let snapshot = snapshot_of(&[event.to_owned()], 100);
    let near = "no event has a field app.name. Did you mean \"app.name\"? (1 event)";
    for (text, told, fixed) in [
        ("app.name:shop", vec![near], vec!["\"app.name\":shop"]),
        ("has:app.name", vec![near], vec!["has:\"\\\"app.name\\\"\""]),
        ("\"app.name\":shop", vec![], vec![]),
        ("-\"app.name\"=shop", vec![], vec![]),
        ("\"a b\">0", vec![], vec![]),
        ("has:\"a b\"", vec![], vec![]),
    ] {
        let notes = answer(&snapshot, text, true).1.notes;
        assert_eq!(notes.iter().map(|note| note.message.as_str()).collect::<Vec<_>>(), told, "{text}");
        let fixes = notes.iter().filter_map(|note| note.fix.as_ref()).map(|fix| fix.apply(text));
        assert_eq!(fixes.collect::<Vec<_>>(), fixed, "{text}");
    }
    let inserts = |text: &str| -> Vec<String> {
        answer(&snapshot, text, false).1.candidates.iter().map(|one| one.insert.clone()).collect()
    };
    assert!(inserts("app").contains(&"\"app.name\":".to_owned()), "{:?}", inserts("app"));
    assert!(inserts("has:app").contains(&"\"\\\"app.name\\\"\"".to_owned()), "{:?}", inserts("has:app"));
}

#[test]
fn notes_for_when_nothing_matches_wait_until_that_is_known() {
    for (text, expected) in [("timeout or refused", 1), ("Cannot or refused", 1), ("Cannot read", 0)] {
        let notes = noted(text, true);
        assert_eq!(
            notes.iter().filter(|(message, _)| message.starts_with("N-OR")).count(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn nothing_is_noted_of_filters_that_are_fine_or_still_being_typed() {
    for text in [
        "",
        "status:200",
        "user:user-121",
        "-user:user-121",
        "method!=GET status:200",
        "has:stack no:odd",
        "status:404",
        "Cannot read",
        "since:1h",
        "saved:api-trouble",
    ] {
        assert_eq!(noted(text, true), [], "{text}");
    }
    // These may still become something.
    for text in ["user:user-1", "has:stac", "status:200 id:browser/api"] {
        assert_eq!(noted(text, false), [], "{text}");
    }
    // The same names, with the cursor elsewhere.
    assert_eq!(noted("user:user-1 a‸", false).len(), 1);
}

#[test]
fn a_time_before_the_oldest_event_kept_is_noted() {
    let events = events();
    let kept = snapshot_of(&events, 20);
    // The oldest kept is a request of 26 seconds ago.
    for (text, expected) in [
        ("since:1h level:info", vec![(0..8, "events before 23:59:34 were dropped (buffer full)".to_owned())]),
        ("age<5m", vec![(0..6, "events before 23:59:34 were dropped (buffer full)".to_owned())]),
        ("since:10s", vec![]),
        ("since:reload", vec![]),
        ("until:10s", vec![]),
    ] {
        let (_, advice) = answer(&kept, text, true);
        let notes: Vec<_> = advice.notes.into_iter().map(|note| (note.span, note.message)).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(span, text)| (span, text.replace("23:59:34", "00:00:49"))).collect();
        assert_eq!(notes, expected, "{text}");
    }
}

#[test]
fn counts_over_many_events_are_projected_and_notes_are_not() {
    let mut all = vec![r#"{"type":"log","message":"once","rare":1}"#.to_owned()];
    all.extend((0..60_000).map(|n| format!(r#"{{"type":"log","message":"m","odd":{}}}"#, n % 2 == 1)));
    let mut store = Store::new(Retention { events: 100_000, bytes: u64::MAX, ..Retention::default() });
    for part in all.chunks(1_000) {
        let chunk = chunk_of(part);
        store.append(&chunk, &Tally { accepted: part.len() as u64, ..Tally::default() });
    }
    let snapshot = Arc::new(store.snapshot(Timestamp(NOW)));
    let (_, advice) = answer(&snapshot, "odd:", false);
    assert!(advice.is_estimate);
    let counts: Vec<_> = advice.candidates.iter().filter_map(|candidate| candidate.count).collect();
    assert!(counts.len() == 2 && counts.iter().all(|count| (29_900..30_100).contains(count)), "{counts:?}");
    // Names are counted over all events, however many.
    let (_, advice) = answer(&snapshot, "type=", false);
    assert!(!advice.is_estimate);
    assert_eq!(advice.candidates[0].count, Some(60_001));
    // The only event that has it is the oldest of all.
    assert_eq!(answer(&snapshot, "rare:1", true).1.notes, []);
    assert_eq!(answer(&snapshot, "rarr:1", true).1.notes[0].message, "no event has a field rarr");
}

#[test]
fn values_beyond_what_is_told_apart_are_counted_as_hidden() {
    let all: Vec<String> = (0..5_000).map(|n| format!(r#"{{"type":"log","message":"m {n}"}}"#)).collect();
    let snapshot = snapshot_of(&all[..1_000], 10_000);
    let (_, advice) = answer(&snapshot, "message:", false);
    assert_eq!((advice.candidates.len(), advice.hidden), (MAX_CANDIDATES, 992));
    let mut store = Store::new(Retention { events: 10_000, bytes: u64::MAX, ..Retention::default() });
    for part in all.chunks(1_000) {
        store.append(&chunk_of(part), &Tally { accepted: part.len() as u64, ..Tally::default() });
    }
    let (_, advice) = answer(&Arc::new(store.snapshot(Timestamp(NOW))), "message:", false);
    assert_eq!((advice.candidates.len(), advice.hidden), (MAX_CANDIDATES, 4_992));
}

proptest! {
    #[test]
    fn any_text_is_answered_and_every_fix_applies(
        text in "(status|stauts|user|rarr|method|has|since|odd)(:|=|!=|>|~| in |)(user-1|1h|GTE|foo|\"a b|\\*|/x/|\\()?( or | |\\)|-)?[a-z:=]{0,4}",
        cursor in 0usize..30,
    ) {
        let snapshot = snapshot();
        let mut advisor = Advisor::new();
        advisor.see(Arc::clone(&snapshot), context());
        let advice = advisor.answer(AdviceRequest { text: text.clone(), cursor, ..AdviceRequest::default() });
        for candidate in &advice.candidates {
            let (applied, _) = advice.apply(&text, candidate);
            prop_assert!(applied.starts_with(&text[..advice.span.start]));
            // Where only the term at the end was unfinished, nothing is wrong after it.
            let was_wrong = cursor < text.len() || while_typing(&text, true).state == State::Error;
            let is_wrong = while_typing(&applied, true).state == State::Error;
            prop_assert!(was_wrong || !is_wrong, "{} → {}", text, applied);
        }
        for fix in advice.notes.iter().filter_map(|note| note.fix.as_ref()) {
            let is_wrong = |text: &str| while_typing(text, true).state == State::Error;
            prop_assert!(is_wrong(&text) || !is_wrong(&fix.apply(&text)), "{} → {}", text, fix.apply(&text));
        }
    }
}
