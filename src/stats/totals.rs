//! Errors by kind and severity, and page loads by route: what monitoring counts over everything that arrived.
//!
//! Filled by `Tables`, read by `/metrics`. Bounded: the first labels that come are kept apart for good, so that their
//! counts never fall; what comes after is counted as `(other)`, with its totals exact.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::OTHER;
use crate::event::{EventRef, Family, PageLoad, Severity, json};
use crate::pipeline::endpoint;

/// Pairs of kind and severity kept apart.
const MAX_ERRORS: usize = 128;
/// Routes of page loads kept apart.
const MAX_ROUTES: usize = 256;

/// Errors of one kind and severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// The subtype; may be empty, `(other)` for all that did not fit.
    pub kind: Arc<str>,
    pub severity: Option<Severity>,
    pub count: u64,
}

/// What was counted, in no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TotalRows {
    pub errors: Vec<ErrorRow>,
    /// Page loads by route; `(other)` for all that did not fit.
    pub page_loads: Vec<(Arc<str>, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    errors: FxHashMap<(Arc<str>, Option<Severity>), u64>,
    page_loads: FxHashMap<Arc<str>, u64>,
    /// The address of the last page load, and its route.
    address: String,
    route: String,
}

impl Totals {
    /// Takes an event of any kind; most are neither.
    pub(super) fn add(&mut self, event: EventRef<'_>) {
        match event.family() {
            Family::Error => self.error(event.subtype(), event.severity(), event.times()),
            Family::Performance if event.subtype() == "page-load" => self.page_load(event.page_load()),
            _ => {}
        }
    }

    fn error(&mut self, kind: &str, severity: Option<Severity>, times: u64) {
        let key = (Arc::from(kind), severity);
        let has_room = self.errors.len() < MAX_ERRORS || self.errors.contains_key(&key);
        let key = if has_room { key } else { (Arc::from(OTHER), None) };
        *self.errors.entry(key).or_default() += times;
    }

    fn page_load(&mut self, load: PageLoad<'_>) {
        let url = load.url.or(load.page).and_then(json::text).unwrap_or_default();
        // Pages are loaded again and again.
        if self.route.is_empty() || self.address != *url {
            url.as_ref().clone_into(&mut self.address);
            endpoint::template("GET", &url, Some(&url), &mut self.route);
        }
        let route = self.route.strip_prefix("GET ").unwrap_or(&self.route);
        if let Some(count) = self.page_loads.get_mut(route) {
            *count += 1;
            return;
        }
        let route = if self.page_loads.len() < MAX_ROUTES { route } else { OTHER };
        *self.page_loads.entry(Arc::from(route)).or_default() += 1;
    }

    pub(super) fn rows(&self) -> TotalRows {
        let errors = self.errors.iter().map(|((kind, severity), count)| ErrorRow {
            kind: Arc::clone(kind),
            severity: *severity,
            count: *count,
        });
        let page_loads = self.page_loads.iter().map(|(route, count)| (Arc::clone(route), *count));
        TotalRows { errors: errors.collect(), page_loads: page_loads.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Flags, Row};

    #[test]
    fn labels_beyond_the_bound_are_counted_together_and_none_is_lost() {
        let mut totals = Totals::default();
        for number in 0..400 {
            totals.error(&format!("kind-{}", number % 200), Some(Severity::High), 1);
            let data = format!(r#"{{"url":"http://localhost:3000/page-{number}x?q=1"}}"#);
            totals.page_load(PageLoad::read(&data));
        }
        let rows = totals.rows();
        assert_eq!((rows.errors.len(), rows.page_loads.len()), (MAX_ERRORS + 1, MAX_ROUTES + 1));
        assert_eq!(rows.errors.iter().map(|row| row.count).sum::<u64>(), 400);
        assert_eq!(rows.page_loads.iter().map(|row| row.1).sum::<u64>(), 400);
        let other = rows.errors.iter().find(|row| &*row.kind == OTHER).map(|row| row.count);
        assert_eq!(other, Some(2 * (200 - MAX_ERRORS as u64)));
    }

    #[test]
    fn a_burst_that_a_page_folded_counts_as_often_as_it_happened() {
        let mut builder = ChunkBuilder::new();
        let row = Row { family: Family::Error, subtype: "javascript", ..Row::default() };
        builder.push(&row);
        builder.push(&Row { flags: Flags::FOLDED, json: r#"{"count":995,"first":1}"#, ..row });
        let mut totals = Totals::default();
        builder.finish().events().for_each(|event| totals.add(event));
        assert_eq!(totals.rows().errors.iter().map(|row| row.count).collect::<Vec<_>>(), [996]);
    }

    #[test]
    fn a_route_holds_no_id_host_or_query() {
        let mut totals = Totals::default();
        for data in [
            r#"{"url":"http://localhost:3000/orders/42?token=x"}"#,
            r#"{"page":"https://shop.example/orders/43#top"}"#,
            r#"{"n":1}"#,
        ] {
            totals.page_load(PageLoad::read(data));
        }
        let mut loads = totals.rows().page_loads;
        loads.sort();
        assert_eq!(loads, [(Arc::from("/"), 1), (Arc::from("/orders/:id"), 2)]);
    }
}
