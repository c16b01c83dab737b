//! The mistakes the language tells apart (FILTER: mistakes), and the notes, each with where it is, what is said,
//! and what its fix makes of the text.

use super::{State, parse, while_typing};
use State::{Error as E, Pending as P};

/// Text, column, cells, state while typing, code, message, and the text with the fix made.
type Mistake = (&'static str, usize, usize, State, &'static str, &'static str, Option<&'static str>);

#[rustfmt::skip]
const MISTAKES: [Mistake; 39] = [
    ("status>=", 9, 1, P, "E-NOVAL", "status>= needs a value, like status>=400", None),
    ("status>=4oo", 9, 3, E, "E-NUM", "`4oo` is not a number: status takes 404, 5xx or 400..499. Did you mean 400?", Some("status>=400")),
    ("level:wran", 7, 4, E, "E-ENUM", "unknown level `wran`. Did you mean warn? (trace debug info warn error fatal report)", Some("level:warn")),
    ("level>>warn", 6, 2, E, "E-OP", "`>>` is not an operator here. Did you mean > ?", Some("level>warn")),
    ("status=>400", 7, 2, E, "E-OP", "`=>` is not an operator here. Did you mean >= ?", Some("status>=400")),
    ("duration>fast", 10, 4, E, "E-DUR", "`fast` is not a duration: write 200ms, 1.5s or 2m", None),
    ("duration>200msec", 13, 4, E, "E-UNIT", "unknown unit `msec`: use us, ms, s, m (minutes) or h", Some("duration>200ms")),
    ("status:200-299", 8, 7, E, "E-RANGE", "for a range write 200..299", Some("status:200..299")),
    ("duration:100ms-1.5s", 10, 10, E, "E-RANGE", "for a range write 100ms..1.5s", Some("duration:100ms..1.5s")),
    ("duration>100ms<500ms", 15, 1, E, "E-CHAIN", "one comparison at a time: for a range write duration:100ms..500ms", Some("duration:100ms..500ms")),
    ("message:\"Cannot read", 9, 1, P, "E-QUOTE", "this quote is never closed: add \" at the end", Some("message:\"Cannot read\"")),
    ("(level:error or status>=500", 1, 1, P, "E-LP", "this ( is never closed: add ) at the end", Some("(level:error or status>=500)")),
    ("level:error)", 12, 1, E, "E-RP", "this ) has no ( before it. To search for ) put the text in quotes", Some("level:error")),
    ("level:error or", 13, 2, P, "E-BINEND", "`or` needs something after it", None),
    ("or level:error", 1, 2, E, "E-BINBEG", "`or` needs something before it", None),
    ("level:error and and status:500", 13, 3, E, "E-BINEND", "`and` needs something after it", None),
    (r"url~/users\/(\d+/", 13, 1, E, "E-RE", "unclosed ( in the regular expression", None),
    ("url~/(?=admin)/", 6, 3, E, "E-RELOOK", "look-around (?=…) is not supported; to leave rows out use -field:text", None),
    ("status | count", 8, 1, E, "E-PIPE", "`|` pipelines are not supported. For either/or write ||. For counts and percentiles open Errors (2) or Latency (3)", Some("status || count")),
    ("p99(duration)>200ms", 1, 19, E, "E-AGG", "`p99(…)` is an aggregate, not a filter. Percentiles and counts are in Latency (3); here write duration>200ms", Some("duration>200ms")),
    ("time>5m", 6, 2, E, "E-AGE", "is 5m an age or a clock time? Write since:5m (newer) or until:5m (older)", Some("since:5m")),
    ("since:yesterdy", 7, 8, E, "E-SINCE", "`yesterdy` is not a time: write 5m, 14:32:05, or one of reload mark start hmr today", None),
    ("method in GET, POST", 11, 4, E, "E-INLIST", "`in` needs a list in parentheses, like method in (GET, POST)", Some("method in (GET, POST)")),
    ("status in ()", 11, 2, E, "E-EMPTY", "this list is empty: put values in it, like (404, 500)", None),
    ("has:", 5, 1, P, "E-NOVAL", "has: needs a value, like has:stack", None),
    ("is:slwo", 4, 4, E, "E-IS", "unknown is:slwo. Did you mean is:slow? (error failed slow cached live marked new mapped)", Some("is:slow")),
    ("type:warn", 6, 4, E, "E-ENUM", "`warn` is not a type (error metric analytics log). Did you mean level:warn?", Some("level:warn")),
    ("type:network", 6, 7, E, "E-ENUM", "`network` is not a type (error metric analytics log). Did you mean subtype:network?", Some("subtype:network")),
    ("message>5", 8, 1, E, "E-TEXTOP", "`>` does not work on message: it is text. Use : = != or ~", None),
    ("status:500..400", 8, 8, E, "E-RANGE", "this range is backwards: write 400..500", Some("status:400..500")),
    ("~timeout", 1, 1, E, "E-NOFIELD", "`~` needs a field before it, like url~/users/. To look in any value write ~/text/", Some("~/timeout/")),
    ("=GET", 1, 1, E, "E-NOFIELD", "`=` needs a field before it, like status=404. To search for this text, put it in quotes", Some("\"=GET\"")),
    (":error", 1, 6, E, "E-KEYWORD", "`:error` is a keyword, but of which field? Write level:error or type:error", Some("level:error")),
    ("status>5xx", 8, 3, E, "E-CLASS", "`5xx` is a class, so use status:5xx, or status>500", Some("status>500")),
    ("level:error -", 13, 1, P, "E-NOTEND", "`-` needs something to leave out", None),
    ("status:404 url:", 16, 1, P, "E-NOVAL", "url: needs a value, like url:text", None),
    ("size>4kg", 7, 2, E, "E-UNIT", "unknown unit `kg`: use b, kb, mb (or kib, mib)", Some("size>4kb")),
    ("time:noon", 6, 4, E, "E-TIME", "`noon` is not a time: write 14:32, 14:32:05.250 or 2026-01-31T14:32", None),
    ("cached:maybe", 8, 5, E, "E-BOOL", "cached takes true or false", None),
];

/// Mistakes beyond those.
#[rustfmt::skip]
const MORE: [Mistake; 45] = [
    ("typ:x (z", 7, 1, P, "E-LP", "this ( is never closed: add ) at the end", Some("typ:x (z)")),
    ("status:(404", 8, 1, P, "E-LP", "this ( is never closed: add ) at the end", Some("status:(404)")),
    ("a ()", 3, 2, E, "E-EMPTY", "these parentheses are empty: put a term in them, like (status:404)", None),
    ("status:40x", 8, 3, E, "E-NUM", "`40x` is not a number: status takes 404, 5xx or 400..499", None),
    ("duration>2millis", 11, 6, E, "E-UNIT", "unknown unit `millis`: use us, ms, s, m (minutes) or h", Some("duration>2ms")),
    ("age<2mins", 6, 4, E, "E-UNIT", "unknown unit `mins`: use us, ms, s, m (minutes) or h", Some("age<2m")),
    ("severity:hihg", 10, 4, E, "E-ENUM", "unknown severity `hihg`. Did you mean high? (low medium high critical)", Some("severity:high")),
    ("type:metrc", 6, 5, E, "E-ENUM", "`metrc` is not a type (error metric analytics log). Did you mean metric?", Some("type:metric")),
    ("type:mine", 6, 4, E, "E-ENUM", "`mine` is not a type (error metric analytics log). For a type of your own write type=mine", Some("type=mine")),
    ("is:errr", 4, 4, E, "E-IS", "unknown is:errr. Did you mean is:error? (error failed slow cached live marked new mapped)", Some("is:error")),
    ("since:yesterday", 7, 9, E, "E-SINCE", "`yesterday` is not a time: write 5m, 14:32:05, or one of reload mark start hmr today", None),
    ("since:relaod", 7, 6, E, "E-SINCE", "`relaod` is not a time: write 5m, 14:32:05, or one of reload mark start hmr today. Did you mean reload?", Some("since:reload")),
    ("duration:5..2ms", 10, 6, E, "E-RANGE", "this range is backwards: write 2ms..5ms", Some("duration:2ms..5ms")),
    ("time:14:35..14:32", 6, 12, E, "E-RANGE", "this range is backwards: write 14:32..14:35", Some("time:14:32..14:35")),
    ("level>warn..error", 7, 11, E, "E-CHAIN", "one comparison at a time: for a range write level:warn..error", Some("level:warn..error")),
    ("status>=400..499", 9, 8, E, "E-CHAIN", "one comparison at a time: for a range write status:400..499", Some("status:400..499")),
    ("status:404,500", 8, 7, E, "E-LIST", "`404,500` is several values: write status:(404, 500)", Some("status:(404, 500)")),
    ("x level=warn,error", 9, 10, E, "E-LIST", "`warn,error` is several values: write level:(warn, error)", Some("x level:(warn, error)")),
    ("is:slow,error", 4, 10, E, "E-LIST", "`slow,error` is several values: write is:(slow, error)", Some("is:(slow, error)")),
    ("has:stack,user", 5, 10, E, "E-LIST", "`stack,user` is several values: write has:(stack, user)", Some("has:(stack, user)")),
    ("OR", 1, 2, P, "E-BINBEG", "`OR` needs something before it", None),
    ("a AND AND", 3, 3, P, "E-BINEND", "`AND` needs something after it", None),
    ("level contains err", 7, 8, E, "E-KINDOP", "`contains` does not work on level: it is ordered. Use : = != < <= > or >=", None),
    ("group:xyz", 7, 3, E, "E-GROUP", "`xyz` is not a group: write its hex digits or the first of them, like e7f3", None),
    ("is>slow", 3, 1, E, "E-KINDOP", "`>` does not work on is: write is:slow or -is:slow", Some("is:slow")),
    ("status~/4/", 7, 1, E, "E-KINDOP", "`~` does not work on status: it is a number. Use : = != < <= > or >=", None),
    ("has:.", 5, 1, E, "E-PATH", "`.` is not a field: write has:stack or has:context.user-id", None),
    ("url~/a/gx", 8, 2, E, "E-REFLAG", "`gx` is no flag: after the last / only c (match case) may stand; inside write \\/", None),
    ("url~/a", 5, 1, P, "E-RECLOSE", "this regular expression is never closed: add / at the end", Some("url~/a/")),
    ("url~(a", 5, 1, P, "E-RE", "unclosed ( in the regular expression", None),
    ("url~(a x", 5, 1, E, "E-RE", "unclosed ( in the regular expression", None),
    ("foo < x", 5, 1, E, "E-NOFIELD", "`<` needs a field before it, like status=404. To search for this text, put it in quotes", Some("foo \"<\" x")),
    ("status≥400", 7, 1, E, "E-OP", "`≥` is not an operator here. Did you mean >= ?", Some("status>=400")),
    ("status ≠ 200", 8, 1, E, "E-OP", "`≠` is not an operator here. Did you mean != ?", Some("status != 200")),
    ("since:1hour", 8, 4, E, "E-UNIT", "unknown unit `hour`: use us, ms, s, m (minutes) or h", Some("since:1h")),
    ("since:-5m", 7, 3, E, "E-SINCE", "`-5m` is not a time: 5m is an age already. Did you mean 5m?", Some("since:5m")),
    ("status:4xx|5xx", 8, 7, E, "E-LIST", "`4xx|5xx` is several values: write status:(4xx, 5xx)", Some("status:(4xx, 5xx)")),
    ("level:warn|error", 7, 10, E, "E-LIST", "`warn|error` is several values: write level:(warn, error)", Some("level:(warn, error)")),
    ("duration>1,5s", 10, 4, E, "E-COMMA", "a fraction is written with a point. Did you mean 1.5s?", Some("duration>1.5s")),
    ("level:[warn,error]", 7, 12, E, "E-LIST", "`[warn,error]` is several values: write level:(warn, error)", Some("level:(warn, error)")),
    ("level:[warn, error]", 7, 6, E, "E-LIST", "a list stands in ( ): write level:(warn, error)", None),
    ("is:slow>2s", 4, 7, E, "E-IS", "is:slow has its limit in the settings: for one of your own write duration>2s", Some("duration>2s")),
    ("is:failed=true", 4, 11, E, "E-IS", "is:failed is so or not: write is:failed", Some("is:failed")),
    ("until:2y", 8, 1, E, "E-UNIT", "unknown unit `y`: use us, ms, s, m (minutes) or h", None),
    ("saved:mine x", 1, 10, P, "E-SAVED", "saved: is replaced by the saved filter on Enter, in the console", None),
];

#[test]
fn each_mistake_is_told_where_it_is_and_mended_where_it_can_be() {
    let mut wrong = Vec::new();
    for expected in MISTAKES.into_iter().chain(MORE) {
        let (text, .., message, mended) = expected;
        let parsed = parse(text);
        let Some(error) = parsed.errors.first() else { panic!("{text} is taken: {parsed:?}") };
        let fixed = error.fix.as_ref().map(|fix| fix.apply(text));
        let state = while_typing(text, true).state;
        let fixed = fixed.as_deref();
        let found = (text, error.column, error.len, state, error.code, error.message.as_str(), fixed);
        if found != expected {
            wrong.push(format!("{found:?}\nnot {expected:?}"));
        }
        let at_rest = while_typing(&format!("{text} "), false).state;
        assert!(at_rest == E, "{text}: once accepted everything counts as finished");
        if let Some(mended) = mended {
            assert!(parse(mended).errors.is_empty(), "{text} → {mended}");
        }
        assert!(!message.contains("Did you mean") || mended.is_some(), "{text}: a guess can be taken");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Text, code, message, and the text with the fix made.
const NOTES: [(&str, &str, &str, &str); 50] = [
    (
        "timeout or refused",
        "N-OR",
        "read as the word \"or\". For either of the two write  timeout || refused",
        "timeout || refused",
    ),
    ("not found", "N-OR", "read as the word \"not\". To leave out what follows write  -found", "-found"),
    (
        "level:error not found",
        "N-OR",
        "read as the word \"not\". To leave out what follows write  -found",
        "level:error -found",
    ),
    ("not <Tag", "N-OR", "read as the word \"not\". To leave out what follows write  NOT <Tag", "NOT <Tag"),
    ("salt and pepper", "N-OR", "read as the word \"and\". Leave it out to look for both", "salt pepper"),
    ("found or", "N-OR", "read as the word \"or\". To look for it write  \"or\"", "found \"or\""),
    (
        "level>=warn or is:failed since:reload",
        "N-MIXED",
        "reads as  level >= warn OR (is = failed AND since = reload) · Tab puts ( ) around the or part",
        "(level>=warn or is:failed) since:reload",
    ),
    (
        "status:500 and url:/a or is:slow x",
        "N-MIXED",
        "reads as  (status = 500 AND url contains /a) OR (is = slow AND \"x\") · Tab puts ( ) around the or part",
        "status:500 and (url:/a or is:slow) x",
    ),
    (
        "x (a:1 || b:2 c:3 || -d:4 || e:5)",
        "N-MIXED",
        "reads as  \"x\" AND (a contains 1 OR (b contains 2 AND c contains 3) OR NOT d contains 4 OR e contains 5) · Tab puts ( ) around the or part",
        "x ((a:1 || b:2) (c:3 || -d:4 || e:5))",
    ),
    (
        "status:404 status:500",
        "N-NEVER",
        "no event can be both; write status in (404, 500)",
        "status in (404, 500)",
    ),
    (
        "x user:a and -y AND user:\"b c\" z",
        "N-NEVER",
        "no event can be both; write user in (a, \"b c\")",
        "x user in (a, \"b c\") and -y z",
    ),
    ("level:warn (level:error)", "N-NEVER", "no event can be both; write level in (warn, error)", ""),
    (
        "/users|orders/",
        "N-SLASH",
        "this is text. For a regular expression write ~/users|orders/",
        "~/users|orders/",
    ),
    ("a -/x.*y/", "N-SLASH", "this is text. For a regular expression write ~/x.*y/", "a -~/x.*y/"),
    ("duration>200", "N-UNIT", "200 is read as 200ms", "duration>200ms"),
    (
        "duration>200 ms",
        "N-SPACE",
        "200 is read as 200ms, and ms as a word. With its unit write  200ms",
        "duration>200ms",
    ),
    (
        "(size>4 kb) x",
        "N-SPACE",
        "4 is read as 4B, and kb as a word. With its unit write  4kb",
        "(size>4kb) x",
    ),
    (
        "not(level:error)",
        "N-OR",
        "read as one word. To leave out what is in the brackets write  not (level:error)",
        "not (level:error)",
    ),
    ("x OR(a:1)", "N-OR", "read as one word. To join what is in the brackets write  OR (a:1)", "x OR (a:1)"),
    (
        "method:GET,POST",
        "N-LIST",
        "GET,POST is one value; for any of several write method:(GET, POST)",
        "method:(GET, POST)",
    ),
    (
        "a -file:src/UserList.tsx:42:7",
        "N-PLACE",
        "the line is no part of the file; for this place write (file:src/UserList.tsx line:42)",
        "a -(file:src/UserList.tsx line:42)",
    ),
    (
        "file=UserList.tsx:42",
        "N-PLACE",
        "the line is no part of the file; for this place write (file:UserList.tsx line:42)",
        "(file:UserList.tsx line:42)",
    ),
    ("size:4..5 age<30", "N-UNIT", "30 is read as 30s", "size:4..5 age<30s"),
    (
        "level is error",
        "N-IS",
        "looking for the words. To ask for the field write  level:error",
        "level:error",
    ),
    (
        "status is not 500",
        "N-IS",
        "looking for the words. To ask for the field write  status!=500",
        "status!=500",
    ),
    (
        "level not error x",
        "N-IS",
        "looking for the words. To ask for the field write  level!=error",
        "level!=error x",
    ),
    (
        "duration greater than 5s",
        "N-IS",
        "looking for the words. To ask for the field write  duration>5s",
        "duration>5s",
    ),
    (
        "url Starts With /api",
        "N-IS",
        "looking for the words. To ask for the field write  url:/api*",
        "url:/api*",
    ),
    (
        "cart contains shoes",
        "N-IS",
        "looking for the words. To ask for the field write  cart:shoes",
        "cart:shoes",
    ),
    (
        "cart in (a, b)",
        "N-IS",
        "looking for the words. To ask for the field write  cart:(a, b)",
        "cart:(a, b)",
    ),
    (
        "method:(GET and POST)",
        "N-AND",
        "\"and\" is one of the values here. Any of them counts: write  or",
        "method:(GET or POST)",
    ),
    (
        "a -message:(\"b c\" AND d)",
        "N-AND",
        "any of these counts, the word \"and\" too. For all at once write  (message:\"b c\" message:d)",
        "a -(message:\"b c\" message:d)",
    ),
    (
        "status:500 or 404",
        "N-EITHER",
        "looking for 404 as text. For either write  status:(500, 404)",
        "status:(500, 404)",
    ),
    (
        "level:warn or error or fatal",
        "N-EITHER",
        "looking for error or fatal as text. For either write  level:(warn, error, fatal)",
        "level:(warn, error, fatal)",
    ),
    (
        "status=404 or 500 or 503 url:/api",
        "N-EITHER",
        "looking for 500 or 503 as text. For either write  status:(404, 500, 503)",
        "status:(404, 500, 503) url:/api",
    ),
    (
        "level:warn || error",
        "N-EITHER",
        "looking for error as text. For either write  level:(warn, error)",
        "level:(warn, error)",
    ),
    (
        "code:1006",
        "N-CODE",
        "no status is that. For the code that a WebSocket closed with write  close-code:1006",
        "close-code:1006",
    ),
    (
        "status>=1000",
        "N-CODE",
        "no status is that. For the code that a WebSocket closed with write  close-code>=1000",
        "close-code>=1000",
    ),
    (
        "-status:0",
        "N-STATUS",
        "no status is that. For requests without an answer write  (is:failed no:status)",
        "-(is:failed no:status)",
    ),
    (
        "in (500,404)",
        "N-IN",
        "`in` is a word here: write which field, like status in (500, 404)",
        "status in (500,404)",
    ),
    (
        "500<=status<=599",
        "N-TURN",
        "looking for the text. To compare the field write  status:500..599",
        "status:500..599",
    ),
    (
        "599>status>500",
        "N-TURN",
        "looking for the text. To compare the field write  status:500..599",
        "status:500..599",
    ),
    (
        "a -100<status",
        "N-TURN",
        "looking for the text. To compare the field write  status>100",
        "a -status>100",
    ),
    (
        "200ms>=duration",
        "N-TURN",
        "looking for the text. To compare the field write  duration<=200ms",
        "duration<=200ms",
    ),
    ("message:/re/", "N-SLASH", "this is text. For a regular expression write message~/re/", "message~/re/"),
    ("a -url:/a|b/", "N-SLASH", "this is text. For a regular expression write url~/a|b/", "a -url~/a|b/"),
    (
        "message:“Cannot read” x",
        "N-QUOTE",
        "curly quotes are letters here: write \"Cannot read\"",
        "message:\"Cannot read\" x",
    ),
    ("‘Cannot read’", "N-QUOTE", "curly quotes are letters here: write \"Cannot read\"", "\"Cannot read\""),
    ("stack", "N-HAS", "looking for the text. For events that have it: has:stack", "has:stack"),
    ("a -uid", "N-HAS", "looking for the text. For events that have it: has:user", "a -has:user"),
];

#[test]
fn no_note_is_made_of_a_note() {
    for piece in ["cached-<=", "status<", "status<status>", "cached:<", "is>", "user-id>=a<"] {
        let text = piece.repeat(400);
        for end in (0..text.len()).step_by(7).chain(text.len() - 40..=text.len()) {
            let parsed = parse(&text[..end]);
            assert!(parsed.notes.len() <= super::notes::MAX_NOTES, "{}", &text[..end]);
        }
    }
}

#[test]
fn notes_say_what_else_might_have_been_meant() {
    for (text, code, message, mended) in NOTES {
        let parsed = parse(text);
        assert!(parsed.errors.is_empty(), "{text}");
        let [note] = parsed.notes.as_slice() else { panic!("{text}: {:?}", parsed.notes) };
        assert_eq!((note.code, note.message.as_str()), (code, message), "{text}");
        let fixed = note.fix.as_ref().map_or(String::new(), |fix| fix.apply(text));
        assert_eq!(fixed, mended, "{text}");
        let after = parse(&fixed);
        assert!(after.errors.is_empty() && after.notes.is_empty(), "{text} → {fixed}: {after:?}");
    }
}

#[test]
fn some_notes_are_worth_saying_only_if_nothing_matches() {
    for (text, state, only_without_matches) in [
        ("stack", State::Note, false),
        ("user stack trace", State::Valid, true),
        ("timeout or refused", State::Valid, true),
        ("not found", State::Note, false),
        ("duration>200", State::Valid, false),
        ("status:404 status:500", State::Note, false),
        ("duration>200 ms", State::Note, false),
        ("method:GET,POST", State::Valid, true),
        ("level is error", State::Note, false),
        ("message starts with a", State::Valid, true),
        ("method:GET or POST", State::Valid, true),
    ] {
        assert_eq!(while_typing(&format!("{text} "), true).state, state, "{text}");
        assert!(
            parse(text).notes.iter().all(|note| note.only_without_matches == only_without_matches),
            "{text}"
        );
    }
    for text in [
        "level",
        "is",
        "since",
        "\"stack\"",
        "status:404 code:404",
        "status in (1, 2) status:3",
        "-user:a user:b",
        "a",
        "/api/users/",
        "user!=a user!=b",
        "element:a element:b",
        "url:/api/",
        "in (a b)",
        "can’t",
        "x is not a function",
        "a<b",
        "List<user>x",
        "5<level",
        "<status",
        "\"100<status\"",
        "the cart contains shoes",
        "status:500 or timeout",
        "status:500 or level:error",
        "message:a or b",
        "method:(and, GET)",
        "status!=0",
    ] {
        assert_eq!(parse(text).notes, [], "{text}");
    }
    assert!(parse(&"status:1 status:2 or /a|b/ ".repeat(150)).notes.len() <= super::notes::MAX_NOTES);
}
