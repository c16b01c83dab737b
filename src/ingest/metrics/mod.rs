//! `/metrics`: what arrived, how long requests took, and the books of ring, doors and sinks, for Prometheus.
//!
//! Called by `ingest::http`. Everything is read off the tables, the ledger and the reports that the screens and
//! `/healthz` show; nothing is counted here. Labels are cleaned, bounded in length, and bounded in number by the order
//! in which they were met, so that a series that is there stays and never falls.

mod app;
mod exposition;
mod own;

pub(super) use exposition::Form;

use super::door::Door;
use exposition::Exposition;

/// Stands for all labels that have no series of their own.
const OTHER: &str = "(other)";

/// The page, or `None` when the store has stopped.
pub(super) async fn page(door: &Door, form: Form) -> Option<String> {
    let snapshot = door.intake.store().look(super::now()).await?;
    let reports = door.intake.sinks().reports();
    let mut out = Exposition::new(form);
    let other = app::write(&snapshot.tables, &mut out);
    own::write_program(door.uptime_s(), &mut out);
    own::write_ledger(&snapshot, &mut out);
    own::write_doors(&door.counters, &mut out);
    own::write_sinks(&reports, &mut out);
    own::write_alerts(&door.intake.alert_names(), &door.intake.alerts().get(), &mut out);
    own::write_other(other, &mut out);
    Some(out.finish())
}
