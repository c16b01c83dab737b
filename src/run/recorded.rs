//! Recorded events passed through a command: chunk after chunk, the wanted rows of each.
//!
//! Called by `export` and `stats`. What had to be skipped is said on standard error at the end.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::filter::Sieve;
use super::{Usage, reading};
use crate::cli;
use crate::config::Settings;
use crate::event::{Chunk, Timestamp};
use crate::ingest;
use crate::pipeline::Redactor;
use crate::recording::{Recording, SkippedIn};

/// Most that is held of a stream that has to be known to its end before its first event can be judged.
const MAX_HELD_BYTES: usize = 256 * 1024 * 1024;

/// Gives `visit` the rows of the files of `from` that its filter lets through; how many that were.
///
/// # Errors
/// When the filter is none, a file cannot be read to its end, and what `visit` returns.
pub(super) fn pass(
    from: &cli::Recorded,
    settings: &Settings,
    mut visit: impl FnMut(&Chunk, &[usize]) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    if from.files.is_empty() {
        return Err(Usage("say what is to be read: `--from FILE`".to_owned()).into());
    }
    let mut sieve = Sieve::new(from.filter.as_deref(), &settings.saved, Timestamp(0))?;
    let mut recording = open(from, settings);
    let mut held = VecDeque::new();
    if sieve.depends() {
        let newest = if from.files.iter().any(|file| file.as_os_str() == "-") {
            // It cannot be read twice.
            hold(&mut recording, &mut sieve, &mut held)?
        } else {
            survey(&mut open(from, settings), &mut sieve, |_| Ok(()))?
        };
        sieve.set_mark(mark_of(from, newest));
    }
    let mut rows = Vec::new();
    let mut matched = 0;
    let ended = loop {
        let next = held.pop_front().map_or_else(|| recording.next_chunk(), |chunk| Ok(Some(chunk)));
        match next {
            Ok(Some(chunk)) => {
                rows.clear();
                sieve.pick(&chunk, &mut rows);
                matched += rows.len() as u64;
                if !rows.is_empty() {
                    visit(&chunk, &rows)?;
                }
            }
            Ok(None) => break Ok(matched),
            Err(error) => break Err(error.into()),
        }
    };
    for line in complaints(recording.skipped()) {
        let _ = writeln!(io::stderr(), "taillight: {line}");
    }
    ended
}

fn open(from: &cli::Recorded, settings: &Settings) -> Recording {
    let redactor = Redactor::new(&settings.signal.0.rules_outside());
    let recording = Recording::new(from.files.clone(), ingest::now(), redactor);
    recording.with_reading(reading::of(settings))
}

/// Lets the filter see everything before it judges anything: times count back from the newest event, which is
/// given, loads from the newest load. `keep` gets each chunk.
fn survey(
    recording: &mut Recording,
    sieve: &mut Sieve,
    mut keep: impl FnMut(Chunk) -> anyhow::Result<()>,
) -> anyhow::Result<Timestamp> {
    let mut newest = Timestamp(0);
    while let Some(chunk) = recording.next_chunk()? {
        newest = chunk.insts().iter().copied().fold(newest, Timestamp::max);
        sieve.learn(&chunk, newest);
        keep(chunk)?;
    }
    Ok(newest)
}

fn hold(
    recording: &mut Recording,
    sieve: &mut Sieve,
    held: &mut VecDeque<Chunk>,
) -> anyhow::Result<Timestamp> {
    let mut bytes = 0;
    survey(recording, sieve, |chunk| {
        bytes += chunk.bytes();
        if bytes > MAX_HELD_BYTES {
            let message = "this filter counts from the newest event, and standard input is over 256 MiB: \
                           save it to a file and name that with --from";
            return Err(Usage(message.to_owned()).into());
        }
        held.push_back(chunk);
        Ok(())
    })
}

fn mark_of(from: &cli::Recorded, newest: Timestamp) -> Option<Timestamp> {
    let mark = from.mark?.resolve(newest.to_jiff(), &jiff::tz::TimeZone::system())?;
    Some(Timestamp(mark.as_millisecond()))
}

/// What there is to say about lines that could not be read.
pub(super) fn complaints(skipped: &[SkippedIn]) -> Vec<String> {
    skipped.iter().map(told).collect()
}

/// What was skipped in one file: how many lines, and which came first.
fn told(skipped: &SkippedIn) -> String {
    let lines = &skipped.lines;
    let named: Vec<_> = lines.first.iter().map(|(line, reason)| format!("{line} ({reason})")).collect();
    let more = if lines.count > named.len() as u64 { ", …" } else { "" };
    let noun = if lines.count == 1 { "line" } else { "lines" };
    format!("{}: skipped {} unreadable {noun}: {}{more}", skipped.name, lines.count, named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{BadLine, Skipped};

    #[test]
    fn skipped_lines_are_told_by_number_and_reason() {
        let name = "`a.jsonl`".to_owned();
        let one = Skipped { count: 1, first: vec![(3, BadLine::NotJson)] };
        let many = Skipped { count: 30, first: vec![(3, BadLine::NotObject), (9, BadLine::TooLong)] };
        for (lines, expected) in [
            (one, "`a.jsonl`: skipped 1 unreadable line: 3 (not JSON)"),
            (many, "`a.jsonl`: skipped 30 unreadable lines: 3 (not an object), 9 (over 1 MiB), …"),
        ] {
            assert_eq!(told(&SkippedIn { name: name.clone(), lines }), expected);
        }
    }
}
