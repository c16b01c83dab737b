//! Web vitals by page load: each load counts once, with what it said last.
//!
//! Filled by `Vitals`, read by the vitals panel. Bounded: of each vital the newest 1,024 loads are kept, and the rows
//! say so.

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::named::OTHER;
use crate::event::{EventRef, Symbol, Timestamp, Vital};

/// Loads whose values are kept for each vital.
pub const MAX_LOADS: usize = 1_024;
/// As many more before the oldest are dropped together.
const SLACK: usize = 128;
/// Pages kept apart in a row's list.
const MAX_PAGES: usize = 256;
/// A longer page, in bytes, counts among the others.
const MAX_PAGE: usize = 512;
/// Loads of a [`VitalRow`]'s history.
const HISTORY: usize = 8;

/// In which fields of the events something stood, for a filter that finds them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub u8);

impl Fields {
    pub const VITAL: Self = Self(1);
    /// `metric-name`, `event-name` or `name`.
    pub const NAME: Self = Self(1 << 1);
    pub const FEATURE: Self = Self(1 << 2);
    pub const PAGE: Self = Self(1 << 3);
    pub const URL: Self = Self(1 << 4);
    /// The page was followed by `?` or `#` at least once.
    pub const TAIL: Self = Self(1 << 5);

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the vitals panel shows of a vital.
#[derive(Clone, Debug, PartialEq)]
pub struct VitalRow {
    pub vital: Vital,
    /// The newest value, the time it was measured, and the event's place in the ring.
    pub now: Option<(f64, Timestamp, u64)>,
    /// Three in four of the loads kept are not above.
    pub p75: f64,
    /// Loads kept: at most [`MAX_LOADS`].
    pub loads: usize,
    /// Values of the newest loads, oldest first.
    pub history: Arc<[f64]>,
    pub fields: Fields,
}

/// What the vitals panel shows of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRow {
    /// The path; empty where none was sent, `(other)` for all that did not fit.
    pub page: Arc<str>,
    /// The most loads that any vital has.
    pub loads: usize,
    /// 75th percentiles, in the order of [`Vital::ALL`].
    pub p75: [Option<f64>; Vital::ALL.len()],
    pub fields: Fields,
}

/// What tells page loads apart; where a sender does not number them each event is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Load {
    Numbered(i32),
    Event(u64),
}

#[derive(Clone, Debug)]
struct Reading {
    /// Time and place of the event: the newest counts.
    at: (Timestamp, u64),
    value: f64,
    page: Arc<str>,
    page_fields: Fields,
}

/// The values of one vital.
#[derive(Debug, Default)]
struct Readings {
    by_load: FxHashMap<(Symbol, Symbol, Load), Reading>,
    fields: Fields,
}

/// The values of all vitals.
#[derive(Debug, Default)]
pub(super) struct Loads([Readings; Vital::ALL.len()]);

/// Where an event happened, as far as it says so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page<'a> {
    /// A URL or a path.
    pub(super) text: &'a str,
    /// The field it stood in.
    pub(super) field: Fields,
}

impl Loads {
    /// Takes a value that is not negative.
    pub(super) fn add(
        &mut self,
        (vital, field): (Vital, Fields),
        value: f64,
        page: Page<'_>,
        event: EventRef<'_>,
        ordinal: u64,
    ) {
        let readings = &mut self.0[vital as usize];
        readings.fields = readings.fields.with(field);
        let (chunk, row) = (event.chunk(), event.row());
        let load = event.load().map_or(Load::Event(ordinal), Load::Numbered);
        let (path, tail) = path_of(page.text);
        let page_fields = if tail { page.field.with(Fields::TAIL) } else { page.field };
        let at = (event.inst(), ordinal);
        let key = (chunk.sessions()[row], chunk.tabs()[row], load);
        if readings.by_load.get(&key).is_none_or(|known| known.at < at) {
            let page = if path.len() > MAX_PAGE { OTHER } else { path };
            readings.by_load.insert(key, Reading { at, value, page: Arc::from(page), page_fields });
        }
        if readings.by_load.len() > MAX_LOADS + SLACK {
            readings.drop_oldest();
        }
    }

    pub(super) fn rows(&self) -> [VitalRow; Vital::ALL.len()] {
        Vital::ALL.map(|vital| self.0[vital as usize].row(vital))
    }

    /// Pages by loads, most first, then by name.
    pub(super) fn pages(&self) -> Arc<[PageRow]> {
        let mut by_page: FxHashMap<Arc<str>, ([Vec<f64>; Vital::ALL.len()], Fields)> = FxHashMap::default();
        for vital in Vital::ALL {
            for reading in self.0[vital as usize].newest() {
                let (values, fields) = by_page.entry(Arc::clone(&reading.page)).or_default();
                values[vital as usize].push(reading.value);
                *fields = fields.with(reading.page_fields);
            }
        }
        let mut pages: Vec<_> =
            by_page.into_iter().map(|(page, (values, fields))| (page, values, fields)).collect();
        let loads = |values: &[Vec<f64>]| values.iter().map(Vec::len).max().unwrap_or(0);
        pages.sort_by(|a, b| loads(&b.1).cmp(&loads(&a.1)).then_with(|| a.0.cmp(&b.0)));
        let rest = pages.split_off(pages.len().min(MAX_PAGES));
        if let Some((mut all, fields)) =
            rest.into_iter().map(|(_, values, fields)| (values, fields)).reduce(merged)
        {
            // Pages with names too long may have come among the first.
            if let Some(at) = pages.iter().position(|(page, ..)| &**page == OTHER) {
                let (_, values, _) = pages.remove(at);
                all = merged((all, fields), (values, fields)).0;
            }
            pages.push((Arc::from(OTHER), all, fields));
        }
        pages
            .into_iter()
            .map(|(page, mut values, fields)| PageRow {
                page,
                loads: loads(&values),
                p75: std::array::from_fn(|vital| percentile_75(&mut values[vital])),
                fields,
            })
            .collect()
    }
}

type Pooled = ([Vec<f64>; Vital::ALL.len()], Fields);

fn merged((mut values, fields): Pooled, (others, more): Pooled) -> Pooled {
    for (own, other) in values.iter_mut().zip(others) {
        own.extend(other);
    }
    (values, fields.with(more))
}

impl Readings {
    fn drop_oldest(&mut self) {
        let mut times: Vec<_> = self.by_load.values().map(|reading| reading.at).collect();
        let surplus = times.len() - MAX_LOADS;
        let (_, &mut first_kept, _) = times.select_nth_unstable(surplus);
        self.by_load.retain(|_, reading| reading.at >= first_kept);
    }

    /// The loads that count, newest first. Which were dropped before makes no difference to them.
    fn newest(&self) -> Vec<&Reading> {
        let mut readings: Vec<_> = self.by_load.values().collect();
        readings.sort_by_key(|reading| Reverse(reading.at));
        readings.truncate(MAX_LOADS);
        readings
    }

    fn row(&self, vital: Vital) -> VitalRow {
        let newest = self.newest();
        let mut values: Vec<f64> = newest.iter().map(|reading| reading.value).collect();
        let history = values.iter().take(HISTORY).rev().copied().collect();
        VitalRow {
            vital,
            now: newest.first().map(|reading| (reading.value, reading.at.0, reading.at.1)),
            loads: values.len(),
            p75: percentile_75(&mut values).unwrap_or(0.0),
            history,
            fields: self.fields,
        }
    }
}

/// The nearest rank, as reports of field data have it.
fn percentile_75(values: &mut [f64]) -> Option<f64> {
    let rank = (values.len() * 3).div_ceil(4).checked_sub(1)?;
    values.sort_by(f64::total_cmp);
    values.get(rank).copied()
}

/// The path of a URL, and whether a query or a fragment follows it.
fn path_of(url: &str) -> (&str, bool) {
    let after_host = match url.find("://") {
        Some(at) => {
            let rest = &url[at + 3..];
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        None => url,
    };
    match after_host.find(['?', '#']) {
        Some(at) => (&after_host[..at], true),
        None => (after_host, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_paths() {
        for (url, expected) in [
            ("http://localhost:5173/cart?x=1", ("/cart", true)),
            ("https://shop.example", ("/", false)),
            ("/cart#top", ("/cart", true)),
            ("/cart", ("/cart", false)),
            ("", ("", false)),
        ] {
            assert_eq!(path_of(url), expected, "{url}");
        }
    }

    #[test]
    fn three_in_four_are_not_above_the_75th_percentile() {
        for (values, expected) in [
            (&[] as &[f64], None),
            (&[5.0], Some(5.0)),
            (&[4.0, 1.0, 3.0, 2.0], Some(3.0)),
            (&[5.0, 1.0, 3.0, 2.0, 4.0], Some(4.0)),
        ] {
            assert_eq!(percentile_75(&mut values.to_vec()), expected);
        }
    }
}
