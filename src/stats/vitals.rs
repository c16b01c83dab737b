//! What pages measure of themselves: web vitals, page loads, renders, long tasks, metrics, features, funnels.
//!
//! Filled by `Tables` with metric and analytics events, read by the vitals panel. Requests and clicks, most of those,
//! leave after a look at their subtype; of the rest the data is read. Every table is bounded by number and length of
//! names, and what does not fit is counted as `(other)`.

mod loads;
mod named;
#[cfg(test)]
mod tests;
mod timing;
mod usage;
mod values;

pub use crate::event::{Rating, Vital};
pub use loads::{Fields, MAX_LOADS, PageRow, VitalRow};
pub use named::OTHER;
pub use timing::{Pulse, SLOTS, TimingRow};
pub use usage::{FeatureRow, FunnelRow, MAX_SESSIONS, StepRow};

use std::borrow::Cow;
use std::sync::Arc;

use loads::{Loads, Page};
use named::Named;
use timing::Timing;
use usage::{Features, Funnels};
use values::Values;

use crate::event::{EventRef, Family, Flags, Timestamp, json};

/// Analytics events that are many and mean nothing here.
const PASSING: [&str; 4] = ["user-action", "visibility", "navigation", "scroll"];
/// A longer unit, in bytes, is not shown.
const MAX_UNIT: usize = 32;

/// What the vitals panel shows of a custom metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRow {
    /// `(other)` for all that did not fit.
    pub name: Arc<str>,
    pub count: u64,
    pub last: f64,
    pub min: f64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// That of the newest value; may be empty.
    pub unit: Arc<str>,
}

/// Everything the vitals panel shows.
#[derive(Clone, Debug, PartialEq)]
pub struct VitalRows {
    /// In the order of [`Vital::ALL`].
    pub vitals: [VitalRow; Vital::ALL.len()],
    pub pages: Arc<[PageRow]>,
    /// The newest page-load event: its time and its place in the ring.
    pub page_load: Option<(Timestamp, u64)>,
    /// Renders by component, most first.
    pub components: Arc<[TimingRow]>,
    /// Without a name; none where there were no long tasks.
    pub long_tasks: Option<TimingRow>,
    /// By count, largest first, then by name.
    pub metrics: Arc<[MetricRow]>,
    pub features: Arc<[FeatureRow]>,
    pub funnels: Arc<[FunnelRow]>,
}

impl Default for VitalRows {
    fn default() -> Self {
        Vitals::default().made()
    }
}

#[derive(Debug, Default)]
struct Metric {
    values: Values,
    newest: Option<(Timestamp, u64)>,
    last: f64,
    unit: Arc<str>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    loads: Loads,
    page_load: Option<(Timestamp, u64)>,
    components: Named<Timing, 512>,
    long_tasks: Option<Timing>,
    metrics: Named<Metric, 512>,
    features: Features,
    funnels: Funnels,
    /// The rows made last, until something changes.
    rows: Option<Arc<VitalRows>>,
}

impl Vitals {
    /// Takes an event of any kind; most mean nothing here.
    pub(super) fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        match event.family() {
            Family::Performance if !event.flags().has(Flags::REQUEST) => self.measured(event, ordinal),
            Family::Analytics if !PASSING.contains(&event.subtype()) => self.used(event),
            _ => {}
        }
    }

    fn measured(&mut self, event: EventRef<'_>, ordinal: u64) {
        let at = (event.inst(), ordinal);
        match event.subtype() {
            "page-load" => self.page_load = self.page_load.max(Some(at)),
            "long-task" => {
                let Some(span) = event.duration() else { return };
                self.long_tasks.get_or_insert_default().add(event.inst(), span);
            }
            _ => return self.named(event, ordinal),
        }
        self.rows = None;
    }

    /// A vital, a render or a metric, by what the data says.
    fn named(&mut self, event: EventRef<'_>, ordinal: u64) {
        const NAMES: [&str; 9] =
            ["vital", "metric-name", "event-name", "name", "component", "value", "unit", "page", "url"];
        let [vital, metric, alias, name, component, value, unit, page, url] =
            json::get_all(event.json(), NAMES);
        // What a filter takes for the name of an event: the first of these that is there.
        let name = text_of(metric.or(alias).or(name));
        let value = value.and_then(json::number);
        let unit = unit.and_then(json::text).unwrap_or_default();
        let known = [(text_of(vital), Fields::VITAL), (name.clone(), Fields::NAME)];
        let known = known.iter().find_map(|(text, field)| Some((Vital::find(text)?, *field)));
        self.rows = None;
        if let (Some(vital), Some(value)) = (known, value.filter(|value| *value >= 0.0)) {
            let value = if unit == "s" && vital.0 != Vital::Cls { value * 1_000.0 } else { value };
            let (page, url) = (text_of(page), text_of(url));
            let place = if page.is_empty() {
                Page { text: &url, field: Fields::URL }
            } else {
                Page { text: &page, field: Fields::PAGE }
            };
            return self.loads.add(vital, value, place, event, ordinal);
        }
        let component = text_of(component);
        if let (false, Some(span)) = (component.is_empty(), event.duration()) {
            return self.components.of(&component).add(event.inst(), span);
        }
        if let (false, Some(value)) = (name.is_empty(), value) {
            self.metrics.of(&name).add(value, &unit, (event.inst(), ordinal));
        }
    }

    fn used(&mut self, event: EventRef<'_>) {
        let names = ["funnel", "step", "feature", "metric-name", "event-name", "name"];
        let [funnel, step, feature, metric, alias, name] = json::get_all(event.json(), names).map(text_of);
        self.rows = None;
        let name = [metric, alias, name].into_iter().find(|name| !name.is_empty());
        if !funnel.is_empty() && !step.is_empty() {
            self.funnels.add(&funnel, &step, event);
        } else if !feature.is_empty() {
            self.features.add(&feature, Fields::FEATURE, event);
        } else if let Some(name) = name {
            self.features.add(&name, Fields::NAME, event);
        }
    }

    pub(super) fn rows(&mut self) -> Arc<VitalRows> {
        let rows = self.rows.take().unwrap_or_else(|| Arc::new(self.made()));
        self.rows = Some(Arc::clone(&rows));
        rows
    }

    fn made(&self) -> VitalRows {
        let mut components: Vec<_> = self.components.iter().map(|(name, timing)| timing.row(name)).collect();
        components.sort_by(|a, b| b.latency.count.cmp(&a.latency.count).then_with(|| a.name.cmp(&b.name)));
        let mut metrics: Vec<_> = self.metrics.iter().map(|(name, metric)| metric.row(name)).collect();
        metrics.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        VitalRows {
            vitals: self.loads.rows(),
            pages: self.loads.pages(),
            page_load: self.page_load,
            components: components.into(),
            long_tasks: self.long_tasks.as_ref().map(|timing| timing.row(Arc::default())),
            metrics: metrics.into(),
            features: self.features.rows(),
            funnels: self.funnels.rows(),
        }
    }
}

impl Metric {
    fn add(&mut self, value: f64, unit: &str, at: (Timestamp, u64)) {
        self.values.add(value);
        if self.newest.is_none_or(|newest| newest < at) {
            self.newest = Some(at);
            self.last = value;
            if &*self.unit != unit {
                self.unit = Arc::from(if unit.len() > MAX_UNIT { "" } else { unit });
            }
        }
    }

    fn row(&self, name: Arc<str>) -> MetricRow {
        MetricRow {
            name,
            count: self.values.count(),
            last: self.last,
            min: self.values.min(),
            p50: self.values.percentile(50),
            p99: self.values.percentile(99),
            max: self.values.max(),
            unit: Arc::clone(&self.unit),
        }
    }
}

/// The text of a name, which may also be a number; empty for anything else.
fn text_of(value: Option<&str>) -> Cow<'_, str> {
    match value.map(|value| (json::shape(value), value)) {
        Some((json::Shape::Number, number)) => Cow::Borrowed(number),
        Some((_, value)) => json::text(value).unwrap_or_default(),
        None => Cow::Borrowed(""),
    }
}
