//! What the occurrences of a group have in common that events which did not fail have not.
//!
//! Looked for among the latest of both, once for each change of the group: a page, a build, a user, a tab. Said only
//! where there is enough of both for it to mean something.

use rustc_hash::FxHashMap;

use crate::event::{EventRef, Flags, Level, json};
use crate::ui::format;
use crate::ui::view::View;

/// Events of either side that are looked at.
const MAX_EVENTS: usize = 2_000;
/// Fewer say nothing.
const MIN_OWN: usize = 3;
const MIN_OTHERS: usize = 20;
/// Percent of the group's events that have it, at least, and of the others, at most.
const MOST: usize = 90;
const FEW: usize = 50;

/// What was found last, and for what: the group, its count and the filter.
#[derive(Debug, Default)]
pub(super) struct Differs {
    of: Option<(u64, u64, u64)>,
    said: Option<String>,
}

type Value = for<'a> fn(EventRef<'a>, &View<'_>) -> Option<String>;

/// What is compared, by the name it is told with.
const TRAITS: [(&str, Value); 5] = [
    ("page", |event, _| text(event, "page").map(|page| path_of(&page).to_owned())),
    ("build", |event, view| {
        let breaks = view.snapshot.loads.breaks();
        let of_load = |found: &&std::sync::Arc<crate::stats::Break>| {
            *found.tab == *event.tab() && *found.session == *event.session() && found.load == event.load()
        };
        let of_its_load = || breaks.iter().rfind(of_load).map(|found| found.build.to_string());
        text(event, "build").or_else(of_its_load)
    }),
    ("user", |event, _| Some(event.user().to_owned())),
    ("tab", |event, _| Some(event.tab().to_owned())),
    ("cached", |event, _| {
        let is_request = event.flags().has(Flags::REQUEST);
        is_request.then(|| event.flags().has(Flags::CACHED).to_string())
    }),
];

impl Differs {
    /// `page /dashboard 9 of 9 · build 3f2a91c 9 of 9`, while that is known of `group`.
    pub(super) fn find(&mut self, group: u64, count: u64, view: &View<'_>) -> Option<&str> {
        let key = (group, count, view.matches.id);
        if self.of != Some(key) {
            (self.of, self.said) = (Some(key), said(group, view));
        }
        self.said.as_deref()
    }
}

fn said(group: u64, view: &View<'_>) -> Option<String> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for ordinal in (view.snapshot.first..view.snapshot.end).rev().take(10 * MAX_EVENTS) {
        let Some(event) = view.snapshot.event(ordinal) else { break };
        let is_fine = event.level() < Level::Warn && !event.flags().has(Flags::FAILED);
        match event.group() {
            Some(other) if other == group && own.len() < MAX_EVENTS => own.push(event),
            None if is_fine && others.len() < MAX_EVENTS => others.push(event),
            _ => {}
        }
    }
    if own.len() < MIN_OWN || others.len() < MIN_OTHERS {
        return None;
    }
    let parts: Vec<String> = TRAITS
        .iter()
        .filter_map(|(name, value)| {
            let (found, times) = commonest(&own, *value, view)?;
            let same = others.iter().filter(|event| value(**event, view).as_ref() == Some(&found)).count();
            let is_telling = times * 100 >= own.len() * MOST && same * 100 <= others.len() * FEW;
            let (times, all) = (format::count(times as u64), format::count(own.len() as u64));
            let shown = view.theme.gate.plain_capped(&found, 30);
            is_telling.then(|| format!("{name} {shown} {times} of {all}"))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(&format!(" {} ", view.theme.glyphs.dot)))
}

/// The value that most of them have, and how many.
fn commonest(events: &[EventRef<'_>], value: Value, view: &View<'_>) -> Option<(String, usize)> {
    let mut counts: FxHashMap<String, usize> = FxHashMap::default();
    for found in events.iter().filter_map(|event| value(*event, view)).filter(|found| !found.is_empty()) {
        *counts.entry(found).or_default() += 1;
    }
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
}

fn text(event: EventRef<'_>, name: &str) -> Option<String> {
    event.get(&[name]).and_then(json::text).map(std::borrow::Cow::into_owned)
}

/// The path of a page's address, without what stands behind `?` and `#`.
fn path_of(page: &str) -> &str {
    let page = page.split(['?', '#']).next().unwrap_or(page);
    page.split_once("://").map_or(page, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]))
}
