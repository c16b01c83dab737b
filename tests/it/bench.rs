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

#[path = "../../benches/scan.rs"]
#[expect(dead_code, reason = "only the bodies are run here")]
mod scan;

#[test]
fn the_scan_bench_measures_passes_that_find_something() {
    let snapshot = scan::ring(3_000);
    assert_eq!(snapshot.len(), 3_000);
    for filter in scan::FILTERS {
        let matches = scan::pass(&snapshot, filter);
        assert!(matches.is_done() && matches.total > 0, "{filter}");
    }
    let slow = scan::pass(&snapshot, scan::FILTERS[0]).total;
    assert_eq!(scan::plain_numbers(&snapshot) as u64, slow);
    let shown = scan::draw(&mut scan::console(&snapshot), 200, 60);
    assert!(shown.content().iter().any(|cell| cell.symbol() != " "));
}
