//! What has changed since the last look and is worth a line: refusals, frames that were not understood, sinks.
//!
//! Asked once a second by `run::log`. It reads counters and reports, and has no clock: the same thing is told at most once a
//! minute, and of each subject only a few things are, so that a page that is refused for ever does not fill a log.

use std::collections::{BTreeMap, VecDeque};

use super::{Line, Weight};
use crate::counters::{Counter, Counters};
use crate::event::Timestamp;
use crate::sinks::{Dropped, Report, State};
use crate::ui::format::counted;

const A_MINUTE: i64 = 60_000;
/// Lines about one subject in a minute; what is beyond is counted and told at its end.
const A_FEW: u32 = 6;
/// Things remembered as told; the one that was longest ago is told again if it comes back.
const MAX_TOLD: usize = 64;
/// Groups of counters whose rise is told once a minute; what the others count is no trouble of the port.
const GROUPS: [&str; 4] = ["refused", "closed", "frames", "client"];

/// What was seen and told so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    refusals: Telling,
    frames: Telling,
    sinks: Telling,
    broken: u64,
    states: BTreeMap<String, Seen>,
    /// The counters a minute ago, and when that was.
    before: Vec<u64>,
    summed_at: Option<Timestamp>,
}

/// How a sink was.
#[derive(Debug, Default)]
struct Seen {
    is_failing: bool,
    dropped: u64,
}

impl Watch {
    /// What is to be said now.
    pub(super) fn look(&mut self, now: Timestamp, counters: &Counters, reports: &[Report]) -> Vec<Line> {
        let mut lines = Vec::new();
        let subjects = [
            (&mut self.refusals, "refusal"),
            (&mut self.frames, "broken frame"),
            (&mut self.sinks, "message of a sink"),
        ];
        for (telling, what) in subjects {
            let more = telling.withheld(now);
            lines.extend(more.map(|count| warn(format!("not told in a minute: {count} × {what}"))));
        }
        self.refused(now, counters, &mut lines);
        self.broken(now, counters, &mut lines);
        for report in reports {
            self.sink(now, report, &mut lines);
        }
        self.states.retain(|name, _| reports.iter().any(|report| report.name == *name));
        lines.extend(self.sums(now, counters).map(|text| Line { weight: Weight::Info, text }));
        lines
    }

    fn refused(&mut self, now: Timestamp, counters: &Counters, lines: &mut Vec<Line>) {
        for refusal in counters.refusals() {
            // Told before with all its times up to then.
            if self.refusals.last(&refusal.message).is_some_and(|told| refusal.at <= told) {
                continue;
            }
            if self.refusals.may(&refusal.message, now) {
                let times =
                    if refusal.times > 1 { format!(", {} times", refusal.times) } else { String::new() };
                lines.push(warn(format!("refused{times}: {}", refusal.message)));
            }
        }
    }

    fn broken(&mut self, now: Timestamp, counters: &Counters, lines: &mut Vec<Line>) {
        let all = counters.get(Counter::FramesBroken);
        let new = usize::try_from(all - self.broken).unwrap_or(usize::MAX);
        self.broken = all;
        let frames = if new == 0 { Vec::new() } else { counters.broken_frames() };
        for frame in frames.iter().skip(frames.len().saturating_sub(new)) {
            if self.frames.may(&format!("{} {}", frame.from, frame.reason), now) {
                lines.push(warn(format!("not understood, from {}: {}", frame.from, frame.reason)));
            }
        }
    }

    fn sink(&mut self, now: Timestamp, report: &Report, lines: &mut Vec<Line>) {
        let seen = self.states.entry(report.name.clone()).or_default();
        let (was_failing, had_dropped) = (seen.is_failing, seen.dropped);
        seen.is_failing = matches!(report.state, State::Retrying | State::Restarting);
        // What was left in the end is told by itself, with the reason.
        let left = report.counts.dropped[Dropped::Undelivered as usize];
        seen.dropped = report.counts.dropped_in_all() - left;
        let (is_failing, dropped) = (seen.is_failing, seen.dropped);
        let why = report.last_error.as_deref().unwrap_or("it panicked");
        let text = match (was_failing, is_failing) {
            (_, true) => format!("sink {} does not deliver and tries again: {why}", report.name),
            (true, false) if matches!(report.state, State::Running | State::Idle) => {
                format!("sink {} delivers again", report.name)
            }
            _ => String::new(),
        };
        // While it goes on failing in the same way there is nothing new to say.
        let is_new = was_failing != is_failing || self.sinks.last(&text).is_none();
        if !text.is_empty() && is_new && self.sinks.may(&text, now) {
            lines.push(warn(text));
        }
        if dropped > had_dropped && self.sinks.may(&format!("{} dropped", report.name), now) {
            let events = counted(dropped, "event");
            lines.push(warn(format!("sink {}: {events} dropped so far", report.name)));
        }
    }

    /// Once a minute what the counters have risen by, if anything.
    fn sums(&mut self, now: Timestamp, counters: &Counters) -> Option<String> {
        let last = *self.summed_at.get_or_insert(now);
        if now.since(last) < A_MINUTE {
            return None;
        }
        self.summed_at = Some(now);
        let counted = |(counter, group, _): &(Counter, &str, &str)| {
            // Frames that were understood are no trouble.
            GROUPS.contains(group) && *counter != Counter::FramesReceived
        };
        let rows: Vec<_> = Counter::ALL.into_iter().filter(counted).collect();
        let values: Vec<_> = rows.iter().map(|(counter, ..)| counters.get(*counter)).collect();
        let before = std::mem::replace(&mut self.before, values);
        let risen =
            rows.iter().zip(&self.before).enumerate().filter_map(|(at, ((_, group, name), value))| {
                let more = value - before.get(at).copied().unwrap_or(0);
                (more > 0).then(|| format!("{group} {} {more}", name.replace('_', " ")))
            });
        let risen: Vec<_> = risen.collect();
        (!risen.is_empty()).then(|| format!("in the last minute: {}", risen.join(", ")))
    }
}

fn warn(text: String) -> Line {
    Line { weight: Weight::Warn, text }
}

/// What was told of one subject.
#[derive(Debug, Default)]
struct Telling {
    told: VecDeque<(String, Timestamp)>,
    minute: i64,
    lines: u32,
    withheld: u64,
}

impl Telling {
    /// When this was told last.
    fn last(&self, what: &str) -> Option<Timestamp> {
        self.told.iter().find(|(known, _)| known == what).map(|(_, at)| *at)
    }

    /// Whether this may be told now; then it counts as told.
    fn may(&mut self, what: &str, now: Timestamp) -> bool {
        if self.last(what).is_some_and(|told| now.since(told) < A_MINUTE) {
            return false;
        }
        if now.0.div_euclid(A_MINUTE) == self.minute {
            self.lines += 1;
        } else {
            (self.minute, self.lines) = (now.0.div_euclid(A_MINUTE), 1);
        }
        let is_told = self.lines <= A_FEW;
        self.withheld += u64::from(!is_told);
        self.told.retain(|(known, _)| known != what);
        if self.told.len() >= MAX_TOLD {
            self.told.pop_front();
        }
        self.told.push_back((what.to_owned(), now));
        is_told
    }

    /// What was not told in a minute that is over.
    fn withheld(&mut self, now: Timestamp) -> Option<u64> {
        let is_over = now.0.div_euclid(A_MINUTE) != self.minute;
        (is_over && self.withheld > 0).then(|| std::mem::take(&mut self.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: Vec<Line>) -> Vec<String> {
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_refusal_is_told_at_once_and_then_once_a_minute() {
        let (mut watch, counters) = (Watch::default(), Counters::default());
        let mut told = Vec::new();
        for second in 0..130 {
            let now = Timestamp(second * 1_000);
            counters.refuse(Counter::RefusedOrigin, now, "origin `https://x` is not allowed");
            told.extend(
                watch.look(now, &counters, &[]).into_iter().filter(|line| line.weight == Weight::Warn),
            );
        }
        let told = texts(told);
        assert_eq!(told[0], "refused: origin `https://x` is not allowed");
        assert_eq!(
            told[1..],
            [61, 121].map(|n| format!("refused, {n} times: origin `https://x` is not allowed"))
        );
    }

    #[test]
    fn many_refusals_are_counted_in_one_line() {
        let (mut watch, counters) = (Watch::default(), Counters::default());
        let mut told = Vec::new();
        for second in 0..61 {
            let now = Timestamp(second * 1_000);
            counters.refuse(Counter::RefusedOrigin, now, &format!("origin {second}"));
            told.extend(watch.look(now, &counters, &[]));
        }
        let told = texts(told);
        assert_eq!(told.len(), A_FEW as usize + 3, "{told:?}");
        assert_eq!(told[A_FEW as usize], "not told in a minute: 54 × refusal", "{told:?}");
        assert_eq!(told.last().map(String::as_str), Some("in the last minute: refused origin 61"));
    }

    #[test]
    fn a_sink_is_told_of_when_it_fails_and_when_it_delivers_again() {
        let (mut watch, counters) = (Watch::default(), Counters::default());
        let mut report = Report { name: "file".to_owned(), ..Report::default() };
        let mut look =
            |at, report: &Report| texts(watch.look(Timestamp(at), &counters, std::slice::from_ref(report)));
        assert!(look(0, &report).is_empty());
        (report.state, report.last_error) = (State::Retrying, Some("disk full".to_owned()));
        assert_eq!(look(1_000, &report), ["sink file does not deliver and tries again: disk full"]);
        assert!(look(2_000, &report).is_empty());
        report.last_error = Some("the folder is gone".to_owned());
        assert_eq!(look(3_000, &report), ["sink file does not deliver and tries again: the folder is gone"]);
        (report.state, report.counts.dropped[0]) = (State::Running, 7);
        assert_eq!(look(4_000, &report), ["sink file delivers again", "sink file: 7 events dropped so far"]);
        report.counts.dropped[0] = 9;
        assert!(look(5_000, &report).is_empty(), "once a minute");
    }

    #[test]
    fn a_frame_that_was_not_understood_is_told_with_its_reason_alone() {
        let (mut watch, counters) = (Watch::default(), Counters::default());
        counters.broken(Timestamp(0), "conn-1", "not JSON at byte 4", "what it held");
        assert_eq!(
            texts(watch.look(Timestamp(0), &counters, &[])),
            ["not understood, from conn-1: not JSON at byte 4"]
        );
        assert!(watch.look(Timestamp(1_000), &counters, &[]).is_empty());
    }
}
