//! What filters mean, case by case: one table of events, one of filters and the events they match.

use std::sync::Arc;

use super::samples::{self, START_MS};
use super::{Bits, Depends, EvalContext, LoadKey, Matcher, State, parse, while_typing};
use crate::event::Timestamp;

/// Numbered from 0 by their place.
const EVENTS: [&str; 8] = [
    r#"{"type":"error","subtype":"javascript","message":"Not \"found\"","stack":"at f\n  at g","session-id":"s1","load":1,"group":16717361816799281152,"context":{"user.name":"Ann","tags":["a","B"]}}"#,
    r#"{"type":"error","subtype":"network","url":"https://api.example.com/a/b?q=1","method":"GET","status-code":404,"session-id":"s1","load":2,"user-agent":"Mozilla"}"#,
    r#"{"type":"metric","subtype":"api-call","url":"//api.example.com/v1","method":"POST","status":503,"session-id":"s2","timestamp":1704067210000}"#,
    r#"{"type":"metric","subtype":"render","duration-ms":12.5,"items-count":100,"size":"4500","session-id":"s2","timestamp":1704067230000}"#,
    r#"{"type":"custom-type","level":"fatal","message":"\u00c4rger \/ Größe","severity":"critical","total":"42"}"#,
    r#"{"type":"analytics","subtype":"visibility","visible?":false,"items":[{"n":1},{"n":2}],"none":null}"#,
    r#"{"type":"log","level":"warning","message":"a*b","cached":"true","element-id":"save","element-text":"Buy now","session-id":"latest"}"#,
    r#"{"type":"log","message":"x","elapsedMs":250,"total-size-kb":2,"session-id":"s3"}"#,
];

fn context() -> EvalContext {
    let key = |session: &str| LoadKey { tab: "".into(), session: session.into() };
    EvalContext {
        now: Timestamp(START_MS + 60_000),
        start: Timestamp(START_MS + 5_000),
        marks: [("a".into(), Timestamp(START_MS + 20_000))].into_iter().collect(),
        newest_loads: [(key("s1"), 2)].into_iter().collect(),
        load_starts: [(key("s2"), vec![Timestamp(START_MS), Timestamp(START_MS + 15_000)])]
            .into_iter()
            .collect(),
        latest_session: Some("s2".into()),
        new_groups: [16_717_361_816_799_281_152].into_iter().collect(),
        pinned: [3].into_iter().collect(),
        live_sessions: ["s3".into()].into_iter().collect(),
        ..EvalContext::default()
    }
}

/// The events that the filter `text` selects.
#[track_caller]
pub(super) fn selected(text: &str) -> Vec<usize> {
    let chunk = samples::chunk(&EVENTS);
    let parsed = parse(text);
    let filter = parsed.filter.unwrap_or_else(|| panic!("{text}: {:?}", parsed.errors));
    let mut out = Bits::new();
    Matcher::new(Arc::new(filter), context()).eval(&chunk, 0..chunk.len(), &mut out);
    out.iter().collect()
}

#[track_caller]
fn check(cases: &[(&str, &[usize])]) {
    for (text, expected) in cases {
        assert_eq!(selected(text), *expected, "{text}");
    }
}

#[test]
fn words_search_values_but_not_keys_nor_the_user_agent() {
    check(&[
        ("", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("\"not \\\"found\"", &[0]),
        ("mozilla", &[]),
        ("ua:mozilla", &[1]),
        ("stack", &[]),
        ("visible", &[]),
        ("\"f\\n  at\"", &[0]),
        ("ÄRGER", &[4]),
        ("\"/ größe\"", &[4]),
        ("503", &[2]),
        ("false", &[5]),
        ("null", &[]),
        ("a\\*b", &[6]),
        ("*", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("api*call", &[2]),
        ("~/^at f/", &[0]),
        ("~/MOZILLA/", &[]),
        ("~/^Not/c", &[0]),
        ("~/^not/c", &[]),
    ]);
}

#[test]
fn the_kind_of_field_decides_what_a_colon_means() {
    check(&[
        ("message:found", &[0]),
        ("message=x", &[7]),
        ("message==X", &[]),
        ("message:a\\*b", &[6]),
        ("type:err*", &[0, 1]),
        ("type=custom-type", &[4]),
        ("sub:network", &[1]),
        ("subtype contains net", &[1]),
        ("id:browser/error", &[0, 1]),
        ("id:api-call", &[2]),
        ("id:a*", &[2, 5]),
        ("id:error", &[0, 1]),
        ("id!=browser/error", &[2, 3, 4, 5, 6, 7]),
        ("ns:browser.performance", &[2, 3]),
        ("ns:browser(.*)", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("url:/a", &[1]),
        ("url:/api", &[]),
        ("url:api", &[1, 2]),
        ("url=/a/b?q=1", &[1]),
        ("path=/a/b", &[1]),
        ("host:api.example.com", &[1, 2]),
        ("route:/a", &[1]),
        ("endpoint:\"get api.example.com/a/b\"", &[1]),
        // Whoever asks for a path means the route.
        ("endpoint:/a", &[1]),
        ("endpoint=/a/b", &[1]),
        ("endpoint in (/a, /c)", &[1]),
        ("endpoint:a/b", &[]),
        ("element:buy", &[6]),
        ("element:save", &[6]),
        ("session:latest", &[2, 3]),
        ("session=latest", &[6]),
        ("group:e8", &[0]),
        ("group:e8*", &[0]),
        ("group:f", &[]),
    ]);
}

#[test]
fn numbers_have_units_classes_and_ranges() {
    check(&[
        ("status:4xx", &[1]),
        ("status>=404", &[1, 2]),
        ("status!=404", &[2]),
        ("-status:404", &[0, 2, 3, 4, 5, 6, 7]),
        ("status in (404, 500..510)", &[1, 2]),
        ("status:..404", &[1]),
        ("status>70000", &[]),
        ("status<-1", &[]),
        ("duration>12ms", &[3]),
        ("duration<=12500us", &[3]),
        ("duration<0", &[]),
        ("size>4kb", &[3]),
        ("level>=error", &[0, 1, 4]),
        ("level:warn..error", &[0, 1, 6]),
        ("level!=info", &[0, 1, 4, 5, 6]),
        ("severity>high", &[4]),
        ("severity!=critical", &[]),
        ("visible:false", &[5]),
        ("cached:true", &[6]),
        ("lag:20ms", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("lag>20ms", &[]),
    ]);
}

#[test]
fn the_data_is_found_by_path_in_any_case_style() {
    check(&[
        ("context.\"user.name\":ann", &[0]),
        ("context.tags=b", &[0]),
        ("context.tags.1:b", &[0]),
        ("context.tags!=b", &[]),
        ("context.tags!=c", &[0]),
        ("context:ann", &[0]),
        ("items.1.n:2", &[5]),
        ("itemsCount:100", &[3]),
        ("items-count>99", &[3]),
        ("items-count:50..100", &[3]),
        ("items_count:10", &[]),
        ("total:4", &[4]),
        ("total>41", &[4]),
        ("total=42.0", &[4]),
        ("elapsed-ms>0.2s", &[7]),
        ("total-size-kb:2000b", &[7]),
        ("has:none", &[]),
        ("has:context.tags", &[0]),
        ("no:session", &[4, 5]),
        ("has:duration", &[3]),
        ("has:(duration or group)", &[0, 3]),
        ("foo!=1", &[]),
        ("user-id:u", &[]),
    ]);
}

#[test]
fn times_loads_and_marks_come_from_the_context() {
    check(&[
        ("load:0", &[1, 3, 4, 5, 6, 7]),
        ("load:-1", &[0, 2]),
        ("load:1", &[0]),
        ("until:reload", &[0, 2]),
        ("session:s2 since:reload", &[3]),
        ("session:s2 load:-1", &[2]),
        ("since:start", &[2, 3]),
        ("since:mark", &[]),
        ("since:mark-a", &[3]),
        ("until:mark-a session:s2", &[2]),
        ("age<40s", &[3]),
        ("age>=50s", &[0, 1, 2, 4, 5, 6, 7]),
        ("age:30s..50s", &[2, 3]),
        ("since:31s", &[3]),
        ("time:00:00:30", &[3]),
        ("time>00:00:10", &[3]),
        ("time>=00:00:10", &[2, 3]),
        ("time<00:00:10", &[0, 1, 4, 5, 6, 7]),
        ("since:00:00:30", &[3]),
        ("since:today", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("since:hmr", &[]),
        ("is:new", &[0]),
        ("is:marked", &[2]),
        ("is:mapped", &[]),
        ("is:live", &[7]),
        ("is:error -is:failed", &[0, 4]),
    ]);
}

#[test]
fn a_matcher_goes_on_with_another_moment_and_other_names() {
    let chunk = samples::chunk(&EVENTS);
    let other = samples::chunk(&EVENTS[3..]);
    let filter = Arc::new(parse("session:s2 age<40s").filter.expect("valid"));
    assert_eq!(filter.depends(), Depends { clock: true, ..Depends::default() });
    let mut matcher = Matcher::new(filter, context());
    let mut rows = |chunk, later_ms| {
        matcher.set_context(EvalContext { now: Timestamp(START_MS + 60_000 + later_ms), ..context() });
        let mut out = Bits::new();
        matcher.eval(chunk, 0..99, &mut out);
        out.iter().collect::<Vec<_>>()
    };
    assert_eq!((rows(&chunk, 0), rows(&other, 0), rows(&chunk, 10_000)), (vec![3], vec![0], vec![]));
}

#[test]
fn a_chunk_may_have_more_rows_than_a_set_of_bits() {
    let many: Vec<&str> = EVENTS.iter().copied().cycle().take(2 * Bits::CAPACITY + 3).collect();
    let chunk = samples::chunk(&many);
    let filter = Arc::new(parse("status:404").filter.expect("valid"));
    let mut matcher = Matcher::new(filter, context());
    let mut rows = vec![7];
    matcher.pick(&chunk, &mut rows);
    let expected: Vec<usize> = std::iter::once(7).chain((1..many.len()).step_by(EVENTS.len())).collect();
    assert_eq!(rows, expected);
    for row in [0, 1, Bits::CAPACITY, Bits::CAPACITY + 1, many.len() - 1] {
        assert_eq!(matcher.matches(chunk.event(row)), expected[1..].contains(&row), "{row}");
    }
}

#[test]
fn texts_of_error_messages_are_words() {
    for text in [
        "x is not a function",
        "TypeError: null",
        "src/UserList.tsx:42:15",
        "localhost:3000",
        "https://app.com/page#section",
        "a::b",
        "foo(bar)",
        "<Tag>",
        "--x -> 127.0.0.1:80",
        "UserList.tsx:42:15)",
    ] {
        let parsed = parse(text.trim_end_matches(')'));
        let filter = parsed.filter.unwrap_or_else(|| panic!("{text}: {:?}", parsed.errors));
        let reading = filter.reads_as();
        assert!(!reading.contains(" = ") && !reading.contains("contains"), "{text}: {reading}");
    }
}

#[test]
fn limits_are_mistakes() {
    for (text, code) in [
        (format!("{}a{}", "(".repeat(65), ")".repeat(65)), "E-DEPTH"),
        ("a".repeat(4097), "E-LONG"),
        ("~/(a{1000}){1000}/".to_owned(), "E-RESIZE"),
    ] {
        assert_eq!(parse(&text).errors.first().map(|error| error.code), Some(code));
    }
    assert!(parse(&format!("{}a{}", "(".repeat(64), ")".repeat(64))).errors.is_empty());
    assert!(parse(&"a ".repeat(2048)).errors.is_empty());
    assert!(parse(&"NOT ".repeat(1000)).filter.is_none());
}

#[test]
fn mistakes_name_what_to_write_instead() {
    for (text, column, len, code, message) in [
        ("duration>fast", 10, 4, "E-DUR", "`fast` is not a duration: write 200ms, 1.5s or 2m"),
        ("(level:error or status>=500", 1, 1, "E-LP", "this ( is never closed: add ) at the end"),
        ("or level:error", 1, 2, "E-BINBEG", "`or` needs something before it"),
        (r"url~/users\/(\d+/", 13, 1, "E-RE", "unclosed ( in the regular expression"),
        (
            "method in GET, POST",
            11,
            4,
            "E-INLIST",
            "`in` needs a list in parentheses, like method in (GET, POST)",
        ),
        ("time:noon", 6, 4, "E-TIME", "`noon` is not a time: write 14:32, 14:32:05.250 or 2026-01-31T14:32"),
        (
            "level:wran",
            7,
            4,
            "E-ENUM",
            "unknown level `wran`. Did you mean warn? (trace debug info warn error fatal report)",
        ),
        (
            "since:yesterdy",
            7,
            8,
            "E-SINCE",
            "`yesterdy` is not a time: write 5m, 14:32:05, or one of reload mark start hmr today",
        ),
        (
            "is:slwo",
            4,
            4,
            "E-IS",
            "unknown is:slwo. Did you mean is:slow? (error failed slow cached live marked new mapped)",
        ),
        (
            "=GET",
            1,
            1,
            "E-NOFIELD",
            "`=` needs a field before it, like status=404. To search for this text, put it in quotes",
        ),
    ] {
        let errors = parse(text).errors;
        let found = errors.first().map(|error| (error.column, error.len, error.code, error.message.as_str()));
        assert_eq!(found, Some((column, len, code, message)), "{text}");
    }
}

#[test]
fn offered_fixes_mend_the_mistake() {
    for (text, mended) in [
        ("level:wran x", "level:warn x"),
        ("type:warn", "level:warn"),
        ("status=>400", "status>=400"),
        ("duration>200msec", "duration>200ms"),
        ("duration>100ms<500ms", "duration:100ms..500ms"),
        ("(a or b:c", "(a or b:c)"),
        ("message:\"x", "message:\"x\""),
        ("status>=4oo", "status>=400"),
        ("time>5m", "since:5m"),
        (":error", "level:error"),
        ("p99(duration)>200ms", "duration>200ms"),
    ] {
        let fix = parse(text).errors[0].fix.clone().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(fix.apply(text), mended);
        assert!(parse(mended).errors.is_empty(), "{mended}");
    }
}

#[test]
fn what_may_become_right_is_left_out_while_typing() {
    for (text, state, applied) in [
        ("x since:re", State::Pending, "\"x\""),
        ("x since:14:3", State::Pending, "\"x\""),
        ("x size>4k", State::Pending, "\"x\""),
        ("x status:40", State::Pending, "\"x\""),
        ("x status:5x", State::Pending, "\"x\""),
        ("x cached:t", State::Pending, "\"x\""),
        ("x ~/a(b", State::Pending, "\"x\""),
        ("x :brow", State::Pending, "\"x\""),
        ("x status in", State::Pending, "\"x\""),
        ("x since:5m", State::Valid, "\"x\" AND since = 5m ago"),
        ("x timeo", State::Valid, "\"x\" AND \"timeo\""),
        ("x timing.d", State::Hold, "\"x\""),
        ("x not", State::Hold, "\"x\""),
        ("  ", State::Empty, "(everything)"),
        ("/a|b/", State::Note, "\"/a|b/\""),
        ("user:a user:b", State::Note, "user = a AND user = b"),
    ] {
        let typing = while_typing(text, true);
        assert_eq!((typing.state, typing.applied.reads_as().as_str()), (state, applied), "{text}");
    }
    assert_eq!(while_typing("status: level:error", false).state, State::Error);
    assert_eq!(while_typing("sta", false).state, State::Valid);
}
