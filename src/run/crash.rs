//! What is left when the screen fails: a report, and the events that were in memory beside it.
//!
//! Called by the console once its screen is the user's again. Events go on being taken meanwhile; the files are
//! readable by this user alone, as the events may be of people.

use std::path::{Path, PathBuf};

use crate::event::form::Form;
use crate::recording::{Export, write_private};
use crate::store::Snapshot;
use crate::ui::format::counted;

/// Writes both files into `folder`, named after `time`; says where they are, or why they could not be written.
pub(super) fn save(folder: &Path, time: &str, report: &str, snapshot: &Snapshot) -> String {
    let path = |ending: &str| folder.join(format!("taillight-crash-{time}.{ending}"));
    let text = format!("taillight {} failed to draw the screen.\n\n{report}\n", env!("CARGO_PKG_VERSION"));
    let told = match write_private(&path("txt"), text.as_bytes()) {
        Ok(()) => format!("the report is {}", path("txt").display()),
        Err(error) => format!("no report could be written to {}: {error}", folder.display()),
    };
    let kept = match events(path("jsonl"), snapshot) {
        Ok(kept) => kept,
        Err(error) => format!("the events could not be saved: {error}"),
    };
    format!("{told}; {kept}")
}

fn events(path: PathBuf, snapshot: &Snapshot) -> Result<String, crate::recording::ExportError> {
    let mut export = Export::create(&path, Form::default())?;
    for ordinal in snapshot.first..snapshot.end {
        if let Some(event) = snapshot.event(ordinal) {
            export.write(event)?;
        }
    }
    let done = export.finish()?;
    Ok(format!("{} are in {}", counted(done.events, "event"), path.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::pipeline::Redactor;
    use crate::store::{Retention, Store, Tally};
    use crate::wire::{Body, Sender, decode_body};

    pub(in crate::run) fn snapshot() -> Snapshot {
        let body = r#"[{"type":"log","message":"first word"},{"type":"log","message":"last word"}]"#;
        let Ok(Body::Bare(mut batch)) = decode_body(body, &Sender::default(), &Redactor::default()) else {
            panic!("events")
        };
        batch.chunk.number_from(1);
        let mut store = Store::new(Retention::default());
        store.append(&batch.chunk, &Tally::default());
        store.snapshot(Timestamp(0))
    }

    #[test]
    fn a_report_and_the_events_are_left_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = save(folder.path(), "now", "index out of bounds at src/ui/x.rs:1", &snapshot());
        let at = |ending: &str| folder.path().join(format!("taillight-crash-now.{ending}"));
        let expected =
            format!("the report is {}; 2 events are in {}", at("txt").display(), at("jsonl").display());
        assert_eq!(said, expected);
        let report = std::fs::read_to_string(at("txt")).expect("written");
        assert!(report.contains("index out of bounds at src/ui/x.rs:1"), "{report}");
        let lines = std::fs::read_to_string(at("jsonl")).expect("written");
        assert_eq!(lines.lines().filter(|line| line.contains("\"message\"")).count(), 2, "{lines}");
    }

    #[test]
    fn where_nothing_can_be_written_that_is_said() {
        let said = save(Path::new("/no/such"), "now", "x", &snapshot());
        assert!(
            said.starts_with("no report could be written to /no/such") && said.contains("could not be saved"),
            "{said}"
        );
    }
}
