//! Where in the source an event comes from, as the lists show it: file and line of the topmost own frame.

use super::source;
use crate::event::{EventRef, json};

/// Lines of a stack that are looked at.
const MAX_LINES: usize = 64;
/// Parts of addresses that hold other people's code.
const FOREIGN: [&str; 4] = ["/node_modules/", "/.vite/", "/@vite/", "-extension://"];

/// `UserList.tsx:42`; none for an event that tells of no code of the user's own.
pub(super) fn of(event: EventRef<'_>) -> Option<String> {
    // Until maps have been looked at, or where nobody looks, the stack itself says where.
    if let Some(place) = source::short_place(event) {
        return Some(place);
    }
    let stack = event.get(&["stack"]).and_then(json::text)?;
    stack.lines().take(MAX_LINES).find_map(place_of)
}

/// The place that a line of a stack names: `at save (URL:1:2)`, `at URL:1:2`, `save@URL:1:2`.
fn place_of(line: &str) -> Option<String> {
    let line = line.trim().trim_end_matches(')');
    let from = line.rfind("://").and_then(|at| line[..at].rfind(['(', '@', ' ']).or(Some(0)))?;
    let address = line[from..].trim_start_matches(['(', '@', ' ']);
    let (rest, last) = address.rsplit_once(':')?;
    let (file, number) =
        rest.rsplit_once(':').filter(|(_, number)| is_number(number)).unwrap_or((rest, last));
    if !is_number(number) || FOREIGN.iter().any(|part| file.contains(part)) {
        return None;
    }
    let file = file.split(['?', '#']).next().unwrap_or(file);
    let name = file.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(format!("{name}:{number}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_that_of_the_first_own_line() {
        for (line, expected) in [
            ("    at UserList (http://x:5173/src/UserList.tsx?t=1:42:15)", Some("UserList.tsx:42")),
            ("at http://x/a.js:10:5", Some("a.js:10")),
            ("save@http://x/a.js:10", Some("a.js:10")),
            ("at a (http://x/node_modules/react-dom/index.js:1:2)", None),
            ("at Array.map (<anonymous>)", None),
            ("TypeError: http://x is no number", None),
            ("", None),
        ] {
            assert_eq!(place_of(line).as_deref(), expected, "{line}");
        }
    }
}
