//! The benches' bodies on a few events: what they measure is what they say.

#[path = "../../benches/ingest.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod ingest;

#[test]
fn both_sides_of_the_ingest_bench_read_every_event() {
    let costs = ingest::compare(10, 6);
    assert!(costs.plain > 0.0 && costs.stored > 0.0, "{costs:?}");
    assert_eq!(costs.kept, 60);
}

#[path = "../../benches/sente.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod sente;

#[test]
fn all_sides_of_the_sente_bench_read_every_event() {
    let costs = sente::compare(10, 2);
    let spans = [costs.serde_json, costs.edn, costs.native_chunk, costs.edn_chunk];
    assert!(spans.iter().all(|span| *span > 0.0), "{costs:?}");
}

#[path = "../../benches/advice.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod advice;

use advice::scan;

#[test]
fn the_scan_bench_measures_passes_that_find_something() {
    let snapshot = scan::ring(3_000);
    assert_eq!(snapshot.len(), 3_000);
    for filter in scan::LIVE {
        let matches = scan::pass(&snapshot, filter);
        assert!(matches.is_done() && matches.total > 0, "{filter}");
        assert_eq!(scan::counted(&snapshot, filter).tables.events, matches.total, "{filter}");
    }
    let total = |filter| scan::pass(&snapshot, filter).total;
    assert_eq!(scan::plain_numbers(&snapshot) as u64, total(scan::LIVE[0]));
    assert_eq!(scan::plain_levels(&snapshot) as u64, total(scan::LIVE[1]));
    assert!(scan::Feed::new(1_000).live("level>=warn", 2, 10) > 0.0);
    let shown = scan::draw(&mut scan::console(&snapshot), 200, 60);
    assert!(shown.content().iter().any(|cell| cell.symbol() != " "));
}

#[path = "../../benches/sinks.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod sinks;

#[test]
fn the_sinks_bench_offers_every_event_to_six_that_balance() {
    use sinks::Beside;
    let ends = sinks::FarEnds::here();
    let [nothing, alerts, one, with] = [Beside::Nothing, Beside::Alerts, Beside::Sink(3), Beside::Sinks]
        .map(|beside| sinks::round(beside, 10, 6, &ends));
    assert_eq!([nothing.accepted, alerts.accepted, one.accepted, with.accepted], [60; 4]);
    assert_eq!([nothing.sinks.len(), alerts.sinks.len(), one.sinks.len(), with.sinks.len()], [0, 0, 1, 6]);
    // Those that took the events in; sinks may not have had their turn when the last of so few is, and the others do too
    // little here for the ticks that a process is counted by.
    assert!(with.cpu[..2].iter().all(|spent| *spent > 0.0), "{:?}", with.cpu);
    for sink in with.sinks {
        assert!(sink.is_balanced() && sink.counts.offered >= 60, "{sink:?}");
    }
}

use maps::frame;

#[test]
fn every_key_of_the_frame_bench_ends_in_a_frame_and_a_count() {
    let typed = frame::type_over(1_000, 0, &["quota", "level>=warn"]);
    assert!(typed.len() >= 2 * "quota".len(), "{typed:?}");
    assert!(typed.iter().all(|one| one.painted() <= one.exact), "{typed:?}");
}

#[test]
fn the_advice_bench_measures_answers_that_say_something() {
    let snapshot = scan::ring(3_000);
    for text in advice::TEXTS {
        let costs = advice::ask(&mut taillight::scan::Advisor::new(), &snapshot, text);
        assert!(costs.advice.is_done && costs.done >= costs.counted, "{costs:?}");
        assert!(!costs.advice.candidates.is_empty() || !costs.advice.notes.is_empty(), "{costs:?}");
    }
}

#[path = "../../benches/maps.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod maps;

#[test]
fn the_maps_bench_reads_maps_and_maps_frames() {
    let (table, _) = maps::read(20_000, 1);
    assert!(table.sources().len() == 20 && table.lookup(10, 5).is_some());
    let (lookup, frame) = maps::frames(20_000, 10);
    assert!(lookup > 0.0 && frame > 0.0);
    let (typed, loaded, took) = maps::type_while_loading(1_000, 4, 20_000, &["quota"]);
    assert!(!typed.is_empty() && loaded == 4 && !took.is_zero());
}

#[test]
fn beside_a_stalled_sink_others_are_given_everything_and_keys_end_in_frames() {
    for (name, mode) in frame::STALLED {
        let (typed, sinks) = frame::type_beside_stalled(1_000, 5_000, &["quota"], mode);
        assert!(typed.len() >= 2 * "quota".len(), "{name}: {typed:?}");
        assert!(sinks.iter().all(taillight::sinks::Report::is_balanced), "{name}: {sinks:?}");
        for sink in &sinks {
            let delivered = if sink.kind == "otlp" { 0 } else { sink.counts.offered };
            assert_eq!(sink.counts.delivered, delivered, "{name}: {sink:?}");
        }
        assert_eq!(sinks.len(), if mode.is_some() { 4 } else { 3 });
    }
}

#[test]
fn the_frame_bench_draws_every_screen() {
    let drawn = frame::draw_over(1_000, 2);
    assert!(
        drawn.len() == frame::DRAWN.len() && drawn.iter().all(|(_, times)| times.len() == 2),
        "{drawn:?}"
    );
}
