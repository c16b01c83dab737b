//! How long advice on a filter takes over the whole ring: to the first candidates, to the last count, to the notes.
//!
//! Run with `cargo bench --bench advice`. A key waits for none of it: the work is done on a thread of its own, in
//! steps of one chunk. `tests/it/bench.rs` runs the bodies on a few events.

use std::sync::Arc;
use std::time::Instant;

use taillight::filter::EvalContext;
use taillight::scan::{Advice, AdviceRequest, Advisor};
use taillight::store::Snapshot;

#[path = "scan.rs"]
#[expect(dead_code, reason = "the ring is used, and what it measures is not")]
pub(crate) mod scan;

const EVENTS: usize = 1_000_000;

/// What is typed: fields, names, text, round numbers, words of the language, and mistakes that make it look at all.
pub(crate) const TEXTS: [&str; 9] = [
    "st",
    "session:",
    "level>=info route:",
    "quota message:",
    "status>=500 message:",
    "duration>",
    "is:",
    "stauts:500",
    "status!=404",
];

/// Milliseconds after which things were known, and the longest step between two looks at what is new.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    pub(crate) first: f64,
    pub(crate) counted: f64,
    pub(crate) done: f64,
    pub(crate) longest: f64,
    pub(crate) advice: Advice,
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Asks about `text` as the thread does, from nothing or with what an earlier question left.
pub(crate) fn ask(advisor: &mut Advisor, snapshot: &Arc<Snapshot>, text: &str) -> Costs {
    let start = Instant::now();
    advisor.see(Arc::clone(snapshot), EvalContext::default());
    advisor.ask(AdviceRequest { text: text.to_owned(), cursor: text.len(), ..AdviceRequest::default() });
    let mut costs = Costs::default();
    loop {
        let step = Instant::now();
        let goes_on = advisor.advance();
        costs.longest = costs.longest.max(ms(step));
        if costs.first == 0.0 && !advisor.advice().candidates.is_empty() {
            costs.first = ms(start);
        }
        if costs.counted == 0.0 && advisor.is_counted() {
            costs.counted = ms(start);
        }
        if !goes_on {
            break;
        }
    }
    Costs { done: ms(start), advice: advisor.advice(), ..costs }
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let snapshot = scan::ring(EVENTS);
    println!("{EVENTS} events; ms to the first candidates, to the last count, to the notes; longest step");
    let mut warm = Advisor::new();
    for text in TEXTS {
        for (name, costs) in
            [("new", ask(&mut Advisor::new(), &snapshot, text)), ("known", ask(&mut warm, &snapshot, text))]
        {
            let Costs { first, counted, done, longest, advice } = costs;
            let shown = advice.candidates.first().map_or("", |candidate| &candidate.label);
            let note = advice.notes.first().map_or("", |note| note.code);
            println!(
                "{text:<22} {name:<6} {first:8.2} {counted:8.2} {done:8.2} {longest:8.2}   {shown} {note}"
            );
        }
    }
}
