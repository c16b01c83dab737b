//! Numbers made from events: latency distributions and the tables of endpoints, groups, sessions and vitals.
//!
//! The store keeps one set over everything that arrived; the scan keeps one over what a filter lets through. Both
//! are the same code, so a filtered panel and an unfiltered one cannot disagree.

mod breaks;
mod endpoints;
mod groups;
mod latency;
mod loads;
mod sessions;
mod tables;
mod title;
mod totals;
mod trend;
mod vitals;
mod windows;

pub use breaks::{Break, BreakKind};
pub use endpoints::{EndpointRow, Endpoints, SLOWEST, Slow};
pub use groups::GroupRow;
pub use latency::{BARS, CURVE, Latency, MAX_LATENCY, Quantiles, STEPS, Spread, bar_limit};
pub use loads::Loads;
pub use sessions::SessionRow;
pub use tables::{Beyond, TableRows, Tables};
pub use totals::{ErrorRow, TotalRows};
pub use trend::Trend;
pub use vitals::{
    FeatureRow, Fields, FunnelRow, MAX_LOADS, MAX_SESSIONS, MetricRow, OTHER, PageRow, Pulse, Rating, SLOTS,
    StepRow, TimingRow, Vital, VitalRow, VitalRows,
};
pub use windows::{Closed, EndpointWindow, SessionSummary, Windows};
