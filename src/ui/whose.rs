//! Which browser an event came from and on which page: what a session's connection named, or the event itself.
//!
//! Asked by the detail and by the lists that name them.

use super::view::View;
use crate::event::{EventRef, agent, json};

/// `Chrome 126 · macOS`, of a session and of an event of it, as far as either is known.
pub(super) fn browser(session: &str, event: Option<EventRef<'_>>, view: &View<'_>) -> Option<String> {
    let known = view.snapshot.agents.get(session).map(|agent| agent.to_string());
    let said = || {
        let agent = event?.get(&["user-agent"]).and_then(json::text)?;
        Some(agent::named(&agent)).filter(|name| !name.is_empty())
    };
    Some(known.or_else(said)?.replace('·', view.theme.glyphs.dot))
}

/// The path of the page that an event names; empty where it names none.
pub(super) fn page(event: EventRef<'_>) -> String {
    let page = event.get(&["page"]).and_then(json::text).unwrap_or_default();
    path_of(&page).to_owned()
}

/// The path of a page's address.
fn path_of(page: &str) -> &str {
    page.split_once("://").map_or(page, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]))
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_page_is_called_by_its_path() {
        for (page, expected) in [
            ("http://localhost:5173/cart?step=2", "/cart?step=2"),
            ("http://localhost:5173", "/"),
            ("file:///home/me/a.html", "/home/me/a.html"),
            ("/cart", "/cart"),
            ("", ""),
        ] {
            assert_eq!(path_of(page), expected);
        }
    }
}
