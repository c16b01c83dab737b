//! The reader over lines of every engine, over whole recordings, and over anything at all.

use super::*;

fn frame<'a>(function: &'a str, file: &'a str, (line, column): (u32, u32), is_async: bool) -> Frame<'a> {
    Frame { function, file, line, column, is_async }
}

#[test]
#[rustfmt::skip]
fn lines_of_each_engine_are_read() {
    for (line, function, file, at) in [
        ("    at save (http://x/a.js:10:5)", "save", "http://x/a.js", (10, 5)),
        ("    at http://x/a.js?t=1:10:5", "", "http://x/a.js?t=1", (10, 5)),
        ("at new Cart (http://x/a.js:1:2)", "new Cart", "http://x/a.js", (1, 2)),
        ("at Object.fn [as run] (http://x/a.js:1:2)", "Object.fn", "http://x/a.js", (1, 2)),
        ("at HTMLButtonElement.<anonymous> (http://x/a(1).js:1:2)", "HTMLButtonElement.<anonymous>", "http://x/a(1).js", (1, 2)),
        ("at eval (eval at run (http://x/a.js:1:2), <anonymous>:1:1)", "eval", "http://x/a.js", (1, 2)),
        ("at eval (eval at b (eval at a (http://x/a.js:3:4), <anonymous>:5:6), <anonymous>:7:8)", "eval", "http://x/a.js", (3, 4)),
        ("at eval (eval at evaluate (:370:30), <anonymous>:1:34)", "eval", "<anonymous>", (1, 34)),
        ("at Array.map (<anonymous>)", "Array.map", "<anonymous>", (0, 0)),
        ("at save @ http://x/a.js:1:2", "save", "http://x/a.js", (1, 2)),
        ("at f (webpack-internal:///./src/a.js:10:5)", "f", "webpack-internal:///./src/a.js", (10, 5)),
        ("at f (webpack://shop/./src/a.ts?1f2e:10:5)", "f", "webpack://shop/./src/a.ts?1f2e", (10, 5)),
        ("at f (http://x:5173/@fs/home/me/a b/c.ts?t=17:10:5)", "f", "http://x:5173/@fs/home/me/a b/c.ts?t=17", (10, 5)),
        ("at f (blob:http://x:5173/6f1c-22:1:2)", "f", "blob:http://x:5173/6f1c-22", (1, 2)),
        ("at f (data:text/javascript;base64,YQ==:1:2)", "f", "data:text/javascript;base64,YQ==", (1, 2)),
        ("at Module._compile (node:internal/modules/cjs/loader:1554:14)", "Module._compile", "node:internal/modules/cjs/loader", (1554, 14)),
        ("at run (file:///home/me/a.mjs:1:2)", "run", "file:///home/me/a.mjs", (1, 2)),
        ("at run (C:\\shop\\a.js:1:2)", "run", "C:\\shop\\a.js", (1, 2)),
        ("at sum (wasm://wasm/0a1b:wasm-function[3]:0x5e)", "sum", "wasm://wasm/0a1b", (0, 0)),
        ("save@http://x/a.js:10:5", "save", "http://x/a.js", (10, 5)),
        ("@http://x/a.js:10:5", "", "http://x/a.js", (10, 5)),
        ("f@http://x:5173/@fs/home/me/c.ts?t=17:10:5", "f", "http://x:5173/@fs/home/me/c.ts?t=17", (10, 5)),
        ("at stock (about://React/Server/file:///shop/%5Broot%5D.js?14:21:11)", "stock", "file:///shop/%5Broot%5D.js", (21, 11)),
        ("at save (about://React/third-party/file:///shop/a.js?t=3?s7:1:2)", "save", "file:///shop/a.js?t=3", (1, 2)),
        ("at f (rsc://React/Server/webpack-internal:///(rsc)/./a.tsx?0:1:2)", "f", "webpack-internal:///(rsc)/./a.tsx", (1, 2)),
        ("f@about://React/Cache/file:///shop/a.js?14:21:11", "f", "file:///shop/a.js", (21, 11)),
        ("at f (about://React/Server/file:///shop/a.js?t=x:1:2)", "f", "file:///shop/a.js?t=x", (1, 2)),
        ("run/<@http://x/a.js line 3 > eval:1:1", "run/<", "http://x/a.js", (3, 0)),
        ("run@http://x/a.js line 3 > eval line 2 > Function:1:1", "run", "http://x/a.js", (3, 0)),
        ("map@[native code]", "map", "[native code]", (0, 0)),
        ("global code@http://x/a.js:7", "global code", "http://x/a.js", (7, 0)),
        ("f@blob:http://x/6f1c-22:1:2", "f", "blob:http://x/6f1c-22", (1, 2)),
        ("map@self-hosted:221:9", "map", "self-hosted", (221, 9)),
    ] {
        assert_eq!(frames(line).next(), Some(frame(function, file, at, false)), "{line}");
    }
    for (line, function, file, at) in [
        ("at async Cart.save (http://x:80/a.js:1:2)", "Cart.save", "http://x:80/a.js", (1, 2)),
        ("at async http://x/a.js:1:2", "", "http://x/a.js", (1, 2)),
        ("at async Promise.all (index 0)", "Promise.all", "<anonymous>", (0, 0)),
        ("async*load@http://x/a.js:1:2", "load", "http://x/a.js", (1, 2)),
        ("promise callback*load@http://x/a.js:1:2", "load", "http://x/a.js", (1, 2)),
        ("setTimeout handler*@http://x/a.js:1:2", "", "http://x/a.js", (1, 2)),
    ] {
        assert_eq!(frames(line).next(), Some(frame(function, file, at, true)), "{line}");
    }
    for line in [
        "TypeError: x is not a function", "", "at", "bob@example.com is unknown", "mail to bob@example.com:25:1", "at (",
        "@:1:2", "at f (about://React/Server/?1:2:3)", "at all times (or never)",
    ] {
        assert_eq!(frames(line).next(), None, "{line}");
    }
}

#[test]
fn a_message_that_looks_like_a_frame_is_none_where_chrome_speaks() {
    let stack = "Error: see\nx@http://a/b:1:2\n    at f (http://x/a.js:1:2)";
    assert_eq!(frames(stack).map(|frame| frame.function).collect::<Vec<_>>(), ["f"]);
}

#[test]
fn causes_and_parts_have_traces_of_their_own() {
    let stack =
        "Error: outer\n    at f (/a.js:1:2) {\n  [cause]: TypeError: inner\n      at g (/b.js:3:4)\n}";
    let found = traces(stack);
    let told: Vec<_> =
        found.iter().map(|trace| (trace.relation, trace.head, trace.frames[0].function)).collect();
    let expected = [(Relation::Thrown, "Error: outer", "f"), (Relation::Cause, "TypeError: inner", "g")];
    assert_eq!(told, expected);
    assert_eq!(frames(stack).count(), 1, "the error's own");

    let stack = "AggregateError: All promises were rejected\n    at async m (/m.js:1:1) {\n  [errors]: [\n    Error: a\n        \
                 at f (/a.js:1:2),\n    TypeError: b\n        at g (/b.js:3:4)\n  ]\n}";
    let found = traces(stack);
    let told: Vec<_> = found.iter().map(|trace| (trace.relation, trace.head, trace.frames.len())).collect();
    let expected = [
        (Relation::Thrown, "AggregateError: All promises were rejected", 1),
        (Relation::Part, "Error: a", 1),
        (Relation::Part, "TypeError: b", 1),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_top_own_frame_is_in_no_library_and_makes_no_error() {
    let stack = "Error: x\n at a (<anonymous>)\n at b (http://x/node_modules/.vite/deps/react.js?v=1:1:1)\n \
                 at c (https://code.jquery.com/jquery-3.7.1.min.js:2:1)\n at d (chrome-extension://abc/x.js:1:1)\n \
                 at e (http://x/taillight.js?k=K:1:1)\n at f (http://x/src/reactions.js:1:1)";
    assert_eq!(top_own(stack).map(|frame| frame.function), Some("f"));
    assert_eq!(top_own("a@[native code]"), None);
    let firefox = "PaymentError@http://x/a.js:5:1\ncharge@http://x/a.js:9:1";
    assert_eq!(top_own(firefox).map(|frame| frame.function), Some("charge"));
    assert_eq!(top_own("PaymentError@http://x/a.js:5:1").map(|frame| frame.line), Some(5));
    let libraries = Libraries(vec!["/legacy/".to_owned()]);
    assert!(!libraries.is_own("http://x/legacy/a.js") && libraries.is_own("http://x/src/a.js"));
}

proptest::proptest! {
    #[test]
    fn any_stack_is_read(stack in "(\n| at |async |eval at |@| @ |:[0-9]{1,11}|[()]|line 3 >|http://x/|\\[cause\\]: |\\[errors\\]: \\[|Error: |.){0,60}") {
        let whole: Vec<_> = traces(&stack);
        proptest::prop_assert!(whole.len() <= TRACES);
        for frame in frames(&stack).chain(whole.into_iter().flat_map(|trace| trace.frames)) {
            proptest::prop_assert!(!frame.file.is_empty());
            let _ = (plain_function(frame.function), is_own(frame.file));
            push_plain_file(frame.file, &mut String::new());
        }
        top_own(&stack);
    }
}
