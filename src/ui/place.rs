//! Where in the source an event comes from, as the lists show it: file and line of the topmost own frame.

use super::source;
use crate::event::{EventRef, json};
use crate::stack;

/// `UserList.tsx:42`; none for an event that tells of no code of the user's own.
pub(super) fn of(event: EventRef<'_>) -> Option<String> {
    // Until maps have been looked at, or where nobody looks, the stack itself says where.
    source::short_place(event).or_else(|| in_stack(&event.get(&["stack"]).and_then(json::text)?))
}

fn in_stack(stack: &str) -> Option<String> {
    let top = stack::top_own_line(stack)?;
    let file = Some(source::short_file(top.file)).filter(|file| !file.is_empty())?;
    Some(if stack::is_evaluated(top.file) { file } else { format!("{file}:{}", top.line) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_that_of_the_first_own_line() {
        for (line, expected) in [
            ("    at UserList (http://x:5173/src/UserList.tsx?t=1:42:15)", Some("UserList.tsx:42")),
            ("at http://x/a.js:10:5", Some("a.js:10")),
            ("at f (webpack-internal:///(app-pages-browser)/./a/Cart.tsx:30:19)", Some("Cart.tsx")),
            ("save@http://x/a.js:10", Some("a.js:10")),
            ("    at blob:http://x/f676c5c3-bf22-48e5:1:17", Some("blob:1")),
            ("at a (http://x/node_modules/react-dom/index.js:1:2)", None),
            ("at Array.map (<anonymous>)", None),
            ("TypeError: http://x is no number", None),
            ("", None),
        ] {
            assert_eq!(in_stack(line).as_deref(), expected, "{line}");
        }
    }
}
