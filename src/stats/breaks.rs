//! Where a page load or a hot update begins: what the lists draw a line at.
//!
//! Kept by `Loads` over everything that arrives, whatever the filter. Bounded: the newest 256 of them.

use std::sync::Arc;

use crate::event::{EventRef, PageLoad, Timestamp, json};

const MAX_BREAKS: usize = 256;
/// Characters of a path and of a build that are kept.
const MAX_PATH: usize = 120;
const MAX_BUILD: usize = 24;

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakKind {
    /// The first load of its tab of which is known when it began.
    Load,
    /// A later one.
    Reload,
    /// Code was replaced in the running page.
    HotUpdate,
}

/// A beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub at: Timestamp,
    pub kind: BreakKind,
    pub session: Arc<str>,
    pub tab: Arc<str>,
    /// The number of the page load, for pages that number them.
    pub load: Option<i32>,
    /// The path of the page, without host and query; may be empty.
    pub page: Arc<str>,
    pub build: Arc<str>,
}

/// The newest of them, earliest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaks(Vec<Arc<Break>>);

impl Breaks {
    /// Takes note that something began with `event`, at `at`.
    pub(super) fn add(&mut self, kind: BreakKind, event: EventRef<'_>, said: PageLoad<'_>, at: Timestamp) {
        let text = |value: Option<_>| value.and_then(json::text).unwrap_or_default();
        let page = text(said.page);
        let address = if page.is_empty() { text(said.url) } else { page };
        let last = self.0.last();
        let found = Break {
            at,
            kind,
            session: shared(last.map(|last| &last.session), event.session()),
            tab: shared(last.map(|last| &last.tab), event.tab()),
            load: event.load(),
            page: shared(last.map(|last| &last.page), start_of(path(&address), MAX_PATH)),
            build: shared(last.map(|last| &last.build), start_of(&text(said.build), MAX_BUILD)),
        };
        let place = self.0.partition_point(|other| other.at <= at);
        self.0.insert(place, Arc::new(found));
        if self.0.len() > MAX_BREAKS {
            self.0.remove(0);
        }
    }

    pub(super) fn all(&self) -> &[Arc<Break>] {
        &self.0
    }
}

/// The path of an address, without host, query and fragment.
fn path(address: &str) -> &str {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => address,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

fn start_of(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    &text[..end]
}

/// `text`, which is that of `last` more often than not.
fn shared(last: Option<&Arc<str>>, text: &str) -> Arc<str> {
    last.filter(|last| ***last == *text).map_or_else(|| Arc::from(text), Arc::clone)
}
