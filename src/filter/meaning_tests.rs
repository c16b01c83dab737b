//! Filters of many shapes with the reading and the events each must have.

use super::State::{Hold, Note, Pending, Valid};
use super::meaning::selected;
use super::{State, parse, while_typing};

/// Text, reading, and the events of `meaning` that match.
#[rustfmt::skip]
const SHAPES: [(&str, &str, &[usize]); 118] = [
    // Words and phrases.
    ("found", "\"found\"", &[0]),
    ("not found", "\"not\" AND \"found\"", &[0]),
    ("FOUND", "\"FOUND\"", &[0]),
    ("'Not \"found\"'", "\"Not \\\"found\\\"\"", &[0]),
    ("-found -api", "NOT \"found\" AND NOT \"api\"", &[3, 4, 5, 6, 7]),
    ("!found", "NOT \"found\"", &[1, 2, 3, 4, 5, 6, 7]),
    ("NOT NOT found", "\"found\"", &[0]),
    ("ann || größe", "\"ann\" OR \"größe\"", &[0, 4]),
    ("ann or größe", "\"ann\" AND \"or\" AND \"größe\"", &[]),
    ("\"ann\" or größe", "\"ann\" OR \"größe\"", &[0, 4]),
    ("x AND y", "\"x\" AND \"y\"", &[]),
    ("buy*now", "\"buy*now\"", &[6]),
    ("\"a*b\"", "\"a*b\"", &[1, 6]),
    ("browser/render", "\"browser/render\"", &[3]),
    ("https://api.example.com/a", "\"https://api.example.com/a\"", &[1]),
    ("--x", "\"--x\"", &[]),
    ("what?", "\"what?\"", &[]),
    // Precedence.
    ("level:error or level:fatal is:failed", "level = error OR (level = fatal AND is = failed)", &[0, 1]),
    ("level:error is:failed or level:fatal", "(level = error AND is = failed) OR level = fatal", &[1, 4]),
    ("(level:error or level:fatal) is:failed", "(level = error OR level = fatal) AND is = failed", &[1]),
    ("not level:error level:fatal", "NOT level = error AND level = fatal", &[4]),
    ("not (level:error or level:info)", "NOT (level = error OR level = info)", &[4, 5, 6]),
    ("-(level:error or level:info)", "NOT (level = error OR level = info)", &[4, 5, 6]),
    ("not not level:fatal", "level = fatal", &[4]),
    ("level:fatal and not x", "level = fatal AND \"not\" AND \"x\"", &[]),
    ("level:fatal and NOT x", "level = fatal AND NOT \"x\"", &[4]),
    ("((level:fatal))", "level = fatal", &[4]),
    ("level:fatal OR level:warn AND cached:true", "level = fatal OR (level = warn AND cached = True)", &[4, 6]),
    // Kinds.
    ("lvl:WARNING", "level = warn", &[6]),
    ("level::warn", "level = warn", &[6]),
    ("level:log", "level = info", &[2, 3, 7]),
    ("level >= error", "level >= error", &[0, 1, 4]),
    ("level >=error", "level >= error", &[0, 1, 4]),
    ("level<info", "level < info", &[5]),
    ("severity:medium..critical", "severity = medium..critical", &[4]),
    ("@level:fatal", "level = fatal", &[4]),
    ("type:(error, log)", "type in (error, log)", &[0, 1, 6, 7]),
    ("type:{error log}", "type in (error, log)", &[0, 1, 6, 7]),
    ("type in (error or log)", "type in (error, log)", &[0, 1, 6, 7]),
    ("type not in (error, log, metric)", "NOT type in (error, log, metric)", &[4, 5]),
    ("type!=error", "type != error", &[2, 3, 4, 5, 6, 7]),
    ("-type:error", "NOT type = error", &[2, 3, 4, 5, 6, 7]),
    ("type:metric/api-call", "type = metric/api-call", &[2]),
    ("type:*/*call", "type = */*call", &[2]),
    ("method:get", "method = get", &[1]),
    ("method==get", "method == get", &[]),
    ("verb==GET", "method == GET", &[1]),
    ("method contains E", "method contains E", &[1]),
    ("method matches '^g.t$'", "method ~ /^g.t$/", &[1]),
    ("method~/^g.t$/c", "method ~ /^g.t$/c", &[]),
    ("method!~/^g/", "method !~ /^g/", &[2]),
    ("-method~/^g/", "NOT method ~ /^g/", &[0, 2, 3, 4, 5, 6, 7]),
    // Numbers.
    ("code:404", "status = 404", &[1]),
    ("status: 404", "status = 404", &[1]),
    ("status = 404", "status = 404", &[1]),
    ("status==404", "status = 404", &[1]),
    ("status:404..", "status = 404..", &[1, 2]),
    ("status:(4xx 500..)", "status in (4xx, 500..)", &[1, 2]),
    ("status!=5xx", "status != 5xx", &[1]),
    ("dur:12.5", "duration = 12.5ms", &[3]),
    ("duration:12.5ms..13ms", "duration = 12.5ms..13ms", &[3]),
    ("duration<1m", "duration < 1m", &[3]),
    ("bytes:4.5kb", "size = 4.5kB", &[3]),
    ("size<4.5kib", "size < 4.5KiB", &[3]),
    ("elapsed-ms:250", "elapsed-ms = 250ms", &[7]),
    ("elapsed_ms:0.2s..0.3s", "elapsed_ms = 0.2s..0.3s", &[7]),
    ("total-size-kb>1kib", "total-size-kb > 1KiB", &[7]),
    ("total:42", "total contains 42", &[4]),
    ("total!=42", "total != 42", &[]),
    ("items-count:99..101", "items-count = 99..101", &[3]),
    // Text, paths, presence, and what is not there.
    ("msg:not", "message contains not", &[0]),
    ("message~/^x$/", "message ~ /^x$/", &[7]),
    ("message:*found*", "message like *found*", &[0]),
    ("message:not*", "message like not*", &[0]),
    ("message:found*", "message like found*", &[]),
    ("domain:example", "host contains example", &[1, 2]),
    ("url:EXAMPLE.com", "url contains EXAMPLE.com", &[1, 2]),
    ("url!=x", "url != x", &[1, 2]),
    ("-url:/a", "NOT url contains /a", &[0, 2, 3, 4, 5, 6, 7]),
    ("url:\"//API.example.com\"", "url contains //API.example.com", &[1, 2]),
    ("url=\"//api.example.com/v1\"", "url = //api.example.com/v1", &[2]),
    ("url:\"//api*\"", "url like //api*", &[2]),
    ("path:/v1", "path contains /v1", &[2]),
    ("context.tags:a", "context.tags contains a", &[0]),
    ("context.tags.0=A", "context.tags.0 = A", &[0]),
    ("context.tags==b", "context.tags == b", &[]),
    ("context.\"user.name\"==Ann", "context.\"user.name\" == Ann", &[0]),
    ("visible?:false", "visible = False", &[5]),
    ("cached!=true", "cached != True", &[]),
    ("has:visible?", "has = visible", &[5]),
    ("exists:url -has:status", "has = url AND NOT has = status", &[]),
    ("has:context.\"user.name\"", "has = context.\"user.name\"", &[0]),
    ("has:(context.\"user.name\", status)", "has = context.\"user.name\" OR has = status", &[0, 1, 2]),
    ("-no:\"a b\"", "NOT no = \"a b\"", &[]),
    ("missing:session", "no = session", &[4, 5]),
    ("nope:x", "nope contains x", &[]),
    ("-nope:x", "NOT nope contains x", &[0, 1, 2, 3, 4, 5, 6, 7]),
    ("nope!=x", "nope != x", &[]),
    ("nope>5", "nope > 5", &[]),
    ("session:s1 session:s1", "session = s1 AND session = s1", &[0, 1]),
    ("session:s*", "session like s*", &[0, 1, 2, 3, 7]),
    ("~/^s[12]$/", "~/^s[12]$/", &[0, 1, 2, 3]),
    ("-~/^s[12]$/", "NOT ~/^s[12]$/", &[4, 5, 6, 7]),
    (":browser/error", "id = browser/error", &[0, 1]),
    ("-:browser/error", "NOT id = browser/error", &[2, 3, 4, 5, 6, 7]),
    ("id:browser/*er", "id like browser/*er", &[3]),
    ("is:(slow, error)", "is = slow OR is = error", &[0, 1, 4]),
    ("line:1..5", "line = 1..5", &[]),
    // Arrays of objects, and names with an @.
    ("items.n:2", "items.n contains 2", &[5]),
    ("items.n>1", "items.n > 1", &[5]),
    ("items.n!=3", "items.n != 3", &[5]),
    ("items.n!=2", "items.n != 2", &[]),
    ("has:items.n", "has = items.n", &[5]),
    ("no:items.x", "no = items.x", &[0, 1, 2, 3, 4, 5, 6, 7]),
    ("items.2.n:2", "items.2.n contains 2", &[]),
    ("@total>41", "@total > 41", &[4]),
    ("@context.tags=b", "@context.tags = b", &[0]),
    ("has:@items.n", "has = @items.n", &[5]),
];

#[test]
fn filters_of_every_shape_read_and_match_as_they_should() {
    let mut wrong = Vec::new();
    for (text, reads_as, events) in SHAPES {
        let Some(filter) = parse(text).filter else { panic!("{text}: {:?}", parse(text).errors) };
        let found = (filter.reads_as(), selected(text));
        if (found.0.as_str(), found.1.as_slice()) != (reads_as, events) {
            wrong.push(format!("{text}: {found:?}, not {:?}", (reads_as, events)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A text with the cursor at its end, its state, and what applies.
#[rustfmt::skip]
const HALVES: [(&str, State, &str); 52] = [
    ("x level:w", Pending, "\"x\""),
    ("x -level:w", Pending, "\"x\""),
    ("x not level:w", Pending, "\"x\""),
    ("x !is:s", Pending, "\"x\""),
    ("x -", Pending, "\"x\""),
    ("x NOT ", Pending, "\"x\""),
    ("x -(level:error or u", Hold, "\"x\" AND NOT level = error"),
    ("x (level:error", Pending, "\"x\" AND level = error"),
    ("x duration>200m", Pending, "\"x\""),
    ("x age<2m", Valid, "\"x\" AND age < 2m"),
    ("x status:4", Pending, "\"x\""),
    ("x status:5x", Pending, "\"x\""),
    ("x status:400..", Valid, "\"x\" AND status = 400.."),
    ("x status:400..4", Pending, "\"x\""),
    ("x status:400..49", Pending, "\"x\""),
    ("x status:400..499", Valid, "\"x\" AND status = 400..499"),
    ("x duration:100ms..1", Pending, "\"x\""),
    ("x level:warn..e", Pending, "\"x\""),
    ("x \"Cannot re", Pending, "\"x\""),
    ("x message:'Cannot re", Pending, "\"x\""),
    ("x has:st", Pending, "\"x\""),
    ("x has:stack", Valid, "\"x\" AND has = stack"),
    ("x no:us", Pending, "\"x\""),
    ("x has:context.", Pending, "\"x\""),
    ("x has:context.\"user na", Pending, "\"x\""),
    ("x has:stack no:context.\"", Pending, "\"x\" AND has = stack"),
    ("x status in (40", Pending, "\"x\""),
    ("x status:(404, ", Pending, "\"x\""),
    ("x method in", Pending, "\"x\""),
    ("x url~/us", Pending, "\"x\""),
    ("x url~(us", Pending, "\"x\""),
    ("x url~[a-", Pending, "\"x\""),
    ("x ~/us", Pending, "\"x\""),
    ("x ~", Pending, "\"x\""),
    ("x since:rel", Pending, "\"x\""),
    ("x since:5", Pending, "\"x\""),
    ("x since:mark", Valid, "\"x\" AND since = mark"),
    ("x time:14:3", Pending, "\"x\""),
    ("x time:14:32..1", Pending, "\"x\""),
    ("x time:2026-0", Pending, "\"x\""),
    ("x |", Pending, "\"x\""),
    ("x ||", Pending, "\"x\""),
    ("x &", Hold, "\"x\""),
    ("x timing.", Hold, "\"x\""),
    ("x context.\"user", Hold, "\"x\""),
    ("x saved:ap", Pending, "\"x\""),
    ("AND", Pending, "(everything)"),
    ("ANDROID", Valid, "\"ANDROID\""),
    ("x OR OR", Pending, "\"x\""),
    ("x duration>200 m", Hold, "\"x\" AND duration > 200ms"),
    ("x type:metric/", Pending, "\"x\""),
    ("level:error or is:slow since:5m", Note, "level = error OR (is = slow AND since = 5m ago)"),
];

#[test]
fn the_term_in_the_middle_of_which_one_is_does_not_count() {
    let mut wrong = Vec::new();
    for (text, state, applied) in HALVES {
        let typing = while_typing(text, true);
        let found = (typing.state, typing.applied.reads_as());
        if (found.0, found.1.as_str()) != (state, applied) {
            wrong.push(format!("{text}: {found:?}, not {:?} {:?}", (state, applied), typing.error));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn on_the_way_to_a_filter_the_list_never_freezes() {
    let mut frozen = Vec::new();
    for text in [
        "status:400..499 -url:/a or (is:slow since:14:32:05)",
        "duration:100ms..1.5s size<4kib x || ~/a(b|c)[d]/c",
        "context.\"user.name\":\"a b\" level >= warn method not in (GET, POST)",
        "type:metric/api-call :browser/api-call session:latest cached?:false has:(stack, user)",
        "time:2026-01-31T14:32..2026-02-01 since:mark-a until:today vital:INP url!~^/x",
    ] {
        for (end, _) in text.char_indices().skip(1) {
            let typing = while_typing(&text[..end], true);
            if let Some(error) = typing.error.filter(|_| typing.state == State::Error) {
                frozen.push(format!("{}: {}", &text[..end], error.message));
            }
        }
        assert!(parse(text).errors.is_empty(), "{text}");
    }
    assert!(frozen.is_empty(), "\n{}", frozen.join("\n"));
}
