//! The frames of a stack as browsers print them: `at f (url:1:2)` and `f@url:1:2`.
//!
//! Read by `pipeline::fingerprint` to find the top frame that is the app's own. It resolves nothing and keeps
//! nothing; a line it cannot read is no frame.

/// Lines of a stack that are looked at; deeper frames are never the top one.
const MAX_LINES: usize = 50;

/// One frame: a function name, empty if there is none, and the script's address without query and position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StackFrame<'a> {
    pub(super) function: &'a str,
    pub(super) file: &'a str,
}

/// The frames of `stack`, the throwing one first.
pub(super) fn frames(stack: &str) -> impl Iterator<Item = StackFrame<'_>> {
    stack.lines().take(MAX_LINES).filter_map(|line| frame(line.trim()))
}

/// Whether a frame is the app's own code and not that of a library or of the browser.
pub(super) fn is_own(frame: StackFrame<'_>) -> bool {
    const LIBRARIES: [&str; 9] = [
        "/node_modules/",
        "/.vite/deps/",
        "react-dom",
        "vue.runtime",
        "/zone.js",
        "/jquery",
        "webpack/bootstrap",
        "/taillight.js",
        "/taillight.mjs",
    ];
    const NO_FILES: [&str; 3] = ["<anonymous>", "[native code]", "native"];
    !NO_FILES.contains(&frame.file) && !LIBRARIES.iter().any(|library| frame.file.contains(library))
}

fn frame(line: &str) -> Option<StackFrame<'_>> {
    if let Some(rest) = line.strip_prefix("at ") {
        let rest = rest.strip_prefix("async ").unwrap_or(rest);
        return match rest.strip_suffix(')').and_then(|inner| inner.rsplit_once(" (")) {
            Some((function, place)) => Some(StackFrame { function: named(function), file: file(place) }),
            None => Some(StackFrame { function: "", file: file(rest) }),
        };
    }
    let (function, place) = line.rsplit_once('@')?;
    let has_place = place.contains(':') || place.starts_with('[');
    has_place.then(|| StackFrame { function: named(function), file: file(place) })
}

/// `new Foo`, `Object.foo`, Firefox's nested `foo/<`: one spelling for one function.
fn named(function: &str) -> &str {
    let function = function.strip_prefix("new ").unwrap_or(function);
    let function = function.split(['/', '<']).next().unwrap_or("");
    function.rsplit('.').next().unwrap_or(function).trim()
}

/// The address without its trailing `:line:column`, query and fragment, and without scheme and host.
fn file(place: &str) -> &str {
    let mut address = place;
    for _ in 0..2 {
        if let Some((before, digits)) = address.rsplit_once(':')
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            address = before;
        }
    }
    let address = address.split(['?', '#']).next().unwrap_or(address);
    match address.split_once("://") {
        // The port of a dev server changes from run to run; the path is what names the script.
        Some((_, rest)) => rest.find('/').map_or(rest, |slash| &rest[slash..]),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_reads_alike_in_every_engine() {
        for (line, function, place) in [
            (
                "at UserList (http://localhost:5173/src/UserList.tsx?t=17:42:15)",
                "UserList",
                "/src/UserList.tsx",
            ),
            ("UserList@http://localhost:5173/src/UserList.tsx:42:15", "UserList", "/src/UserList.tsx"),
            ("at http://localhost:5173/app.js:1:2", "", "/app.js"),
            ("@http://localhost/app.js:1:2", "", "/app.js"),
            ("at async Cart.pay (webpack:///./src/cart.js:3:9)", "pay", "/./src/cart.js"),
            ("throwError/<@http://h/app.js:1:253", "throwError", "/app.js"),
            ("at new Store (http://h/app.js:1:2)", "Store", "/app.js"),
            ("click@[native code]", "click", "[native code]"),
        ] {
            assert_eq!(frame(line), Some(StackFrame { function, file: place }), "{line}");
        }
        for line in ["TypeError: x is undefined", "", "user@example"] {
            assert_eq!(frame(line), None, "{line}");
        }
    }

    #[test]
    fn library_frames_are_not_own() {
        let stack =
            "E: m\n at a (http://h/node_modules/x.js:1:1)\n at <anonymous>\n at b (http://h/src/b.js:1:1)";
        let own = frames(stack).find(|frame| is_own(*frame));
        assert_eq!(own, Some(StackFrame { function: "b", file: "/src/b.js" }));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(stack in "(at |@|\\(|\\)|:|1|/|<|[a-zé\n ]){0,60}") {
            for frame in frames(&stack) {
                let _ = is_own(frame);
            }
        }
    }
}
