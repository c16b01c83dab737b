//! The frames of a JavaScript stack, as Chrome, Firefox and Safari write them.
//!
//! `fingerprint` looks for the first frame of the user's own code. Nothing is resolved here: source maps are
//! applied, if at all, before.

/// Lines looked at; engines write 10 to 50 unless told otherwise.
const LINES: usize = 64;
/// Of one line, in bytes; a data: URL as a file name can be a megabyte.
const LINE_MAX: usize = 1_024;

/// One line of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// As the engine names it, `""` for code without a name.
    pub function: &'a str,
    /// URL or path, with query, without position.
    pub file: &'a str,
    /// From 1; 0 where it is not said.
    pub line: u32,
    pub column: u32,
}

/// The frames of a stack from the top; lines that are none (the message) are passed over.
pub fn frames(stack: &str) -> impl Iterator<Item = Frame<'_>> {
    stack.lines().take(LINES).filter_map(read_frame)
}

/// The topmost frame of the user's own code.
pub(super) fn top_own(stack: &str) -> Option<Frame<'_>> {
    frames(stack).find(|frame| is_own(frame.file))
}

fn read_frame(line: &str) -> Option<Frame<'_>> {
    let line = line[..line.floor_char_boundary(LINE_MAX)].trim();
    let (function, place) = match line.strip_prefix("at ") {
        Some(rest) => read_chrome(rest),
        None => line.split_once('@')?,
    };
    let (file, line, column) = read_place(place)?;
    Some(Frame { function: function.trim(), file, line, column })
}

/// `save (URL:1:2)`, `URL:1:2`, `new Cart (URL:1:2)`, `eval (eval at save (URL:1:2), <anonymous>:1:1)`.
fn read_chrome(rest: &str) -> (&str, &str) {
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let Some((function, place)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) else {
        // Some tools join the browsers' ways: `at save @ URL:1:2`.
        return rest.split_once(" @ ").unwrap_or(("", rest));
    };
    let function = function.split_once(" [as ").map_or(function, |(name, _)| name);
    // Code made by eval is named by the place that made it.
    match place.strip_prefix("eval at ").and_then(|made| made.split_once(" (")) {
        Some((_, made)) => (function, made.split(')').next().unwrap_or(made)),
        None => (function, place),
    }
}

/// Splits `file:line:column`; a place without a line is a frame only if it says what it is instead.
fn read_place(place: &str) -> Option<(&str, u32, u32)> {
    let number = |text: &'_ str| text.rsplit_once(':').and_then(|(_, digits)| digits.parse::<u32>().ok());
    let before = |text| str::rsplit_once(text, ':').map_or(text, |(rest, _)| rest);
    let Some(last) = number(place) else {
        let is_named = ["<anonymous>", "native", "[native code]", "[wasm code]"].contains(&place);
        return is_named.then_some((place, 0, 0));
    };
    let rest = before(place);
    let found = match number(rest) {
        Some(line) => (before(rest), line, last),
        None => (rest, last, 0),
    };
    // Firefox: `URL line 3 > eval`.
    let file = found.0.split_once(" line ").map_or(found.0, |(file, _)| file);
    (!file.is_empty()).then_some((file, found.1, found.2))
}

/// Parts of paths that hold other people's code.
const FOREIGN_PARTS: [&str; 12] = [
    "node_modules/",
    "/.vite/deps/",
    "/@vite/",
    "/@react-refresh",
    "/bower_components/",
    "/jspm_packages/",
    "webpack/runtime/",
    "webpack/bootstrap",
    "-extension://",
    "node:",
    "//unpkg.com/",
    "//cdn.jsdelivr.net/",
];
/// Beginnings of file names of libraries that people load without a package manager, and of bundles of them.
const LIBRARIES: [&str; 19] = [
    "angular.",
    "backbone.",
    "bootstrap.",
    "d3.",
    "htmx.",
    "jquery.",
    "jquery-",
    "lodash.",
    "polyfills",
    "preact.",
    "react-dom.",
    "react.",
    "scittle.",
    "taillight.",
    "underscore.",
    "vendor",
    "vue.",
    "zone.",
    "chunk-vendors",
];

/// Whether a file is the user's own: no library, no engine, no browser extension.
fn is_own(file: &str) -> bool {
    if file.starts_with(['<', '[']) || file == "native" {
        return false;
    }
    let file = without_query(file);
    let name = file.rsplit('/').next().unwrap_or(file);
    !is_foreign(file.as_bytes()) && !LIBRARIES.iter().any(|library| name.starts_with(library))
}

/// Whether one of the parts stands in `file`: a dozen searches, each with its preparations, would take longer.
fn is_foreign(file: &[u8]) -> bool {
    (0..file.len()).any(|at| {
        let begins = |part: &str| part.as_bytes()[0] == file[at] && file[at..].starts_with(part.as_bytes());
        FOREIGN_PARTS.iter().any(|part| begins(part))
    })
}

fn without_query(file: &str) -> &str {
    file.split(['?', '#']).next().unwrap_or(file)
}

/// A function's name as every browser would write it: no `async`, `new`, class, `/<` of Firefox or alias.
pub(super) fn plain_function(function: &str) -> &str {
    let name = function.rsplit_once('*').map_or(function, |(_, name)| name);
    let name = ["async ", "new "].iter().fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    let name = name.split(['/', '<']).next().unwrap_or(name);
    let name = name.rsplit('.').next().unwrap_or(name);
    match name {
        "anonymous" | "{anonymous}" | "global code" | "module code" | "eval code" => "",
        name => name,
    }
}

/// Pushes the path of a file: no scheme, host, query, and `#` for the build hash in its name.
pub(super) fn push_plain_file(file: &str, out: &mut String) {
    let file = without_query(file);
    let path = match file.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => file,
    };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    out.push_str(folder);
    out.push('/');
    for part in name.split_inclusive(['.', '-']) {
        let word = part.trim_end_matches(['.', '-']);
        let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
        // Bundlers put 8 characters or more of a hash there.
        if word.len() >= 8 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
            out.push('#');
            out.push_str(&part[word.len()..]);
        } else {
            out.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_each_engine_are_read() {
        for (line, function, file, at) in [
            ("    at save (http://x/a.js:10:5)", "save", "http://x/a.js", (10, 5)),
            ("    at http://x/a.js?t=1:10:5", "", "http://x/a.js?t=1", (10, 5)),
            ("at async Cart.save (http://x:80/a.js:1:2)", "Cart.save", "http://x:80/a.js", (1, 2)),
            ("at new Cart (http://x/a.js:1:2)", "new Cart", "http://x/a.js", (1, 2)),
            ("at Object.fn [as run] (http://x/a.js:1:2)", "Object.fn", "http://x/a.js", (1, 2)),
            ("at eval (eval at run (http://x/a.js:1:2), <anonymous>:1:1)", "eval", "http://x/a.js", (1, 2)),
            ("at Array.map (<anonymous>)", "Array.map", "<anonymous>", (0, 0)),
            ("at save @ http://x/a.js:1:2", "save", "http://x/a.js", (1, 2)),
            ("save@http://x/a.js:10:5", "save", "http://x/a.js", (10, 5)),
            ("@http://x/a.js:10:5", "", "http://x/a.js", (10, 5)),
            ("run/<@http://x/a.js line 3 > eval:1:1", "run/<", "http://x/a.js", (1, 1)),
            ("map@[native code]", "map", "[native code]", (0, 0)),
            ("global code@http://x/a.js:7", "global code", "http://x/a.js", (7, 0)),
        ] {
            let expected = Frame { function, file, line: at.0, column: at.1 };
            assert_eq!(frames(line).next(), Some(expected), "{line}");
        }
        for line in
            ["TypeError: x is not a function", "", "at", "bob@example.com is unknown", "at (", "@:1:2"]
        {
            assert_eq!(frames(line).next(), None, "{line}");
        }
    }

    #[test]
    fn the_top_own_frame_is_in_no_library() {
        let stack = "Error: x\n at a (<anonymous>)\n at b (http://x/node_modules/.vite/deps/react.js?v=1:1:1)\n \
                     at c (https://code.jquery.com/jquery-3.7.1.min.js:2:1)\n at d (chrome-extension://abc/x.js:1:1)\n \
                     at e (http://x/taillight.js?k=K:1:1)\n at f (http://x/src/reactions.js:1:1)";
        assert_eq!(top_own(stack).map(|frame| frame.function), Some("f"));
        assert_eq!(top_own("a@[native code]"), None);
    }

    #[test]
    fn names_and_files_are_the_same_in_every_browser_and_build() {
        for (function, expected) in [
            ("Object.save", "save"),
            ("new Cart", "Cart"),
            ("onClick/<", "onClick"),
            ("promise callback*load", "load"),
            ("async*load", "load"),
            ("<anonymous>", ""),
            ("module code", ""),
        ] {
            assert_eq!(plain_function(function), expected, "{function}");
        }
        for (file, expected) in [
            ("http://localhost:5173/src/cart.js?t=1#x", "/src/cart.js"),
            ("https://x/assets/index-DkX9a1b2.js", "/assets/index-#.js"),
            ("https://x/app.9f8b2c4d5e.js", "/app.#.js"),
            ("webpack-internal:///./src/a.js", "/./src/a.js"),
            ("src/a.ts", "src/a.ts"),
            ("https://x", "/"),
        ] {
            let mut out = String::new();
            push_plain_file(file, &mut out);
            assert_eq!(out, expected, "{file}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_stack_is_read(stack in "(\n| at |async |eval at |@| @ |:[0-9]{1,11}|[()]|line 3 >|http://x/|.){0,60}") {
            for frame in frames(&stack) {
                proptest::prop_assert!(!frame.file.is_empty());
                let _ = (plain_function(frame.function), is_own(frame.file));
                push_plain_file(frame.file, &mut String::new());
            }
        }
    }
}
