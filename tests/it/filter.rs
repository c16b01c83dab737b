//! The filter language from outside: every text ends, and quickly.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/judge.rs"]
mod judge;

#[path = "../../benches/parse.rs"]
#[expect(dead_code, reason = "only the texts are read here")]
mod bench;

#[test]
fn the_seeds_of_the_fuzzer_pass_its_judge() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/filter");
    let mut seeds = 0;
    for entry in fs::read_dir(folder).expect("seeds").flatten() {
        judge::filter(&fs::read_to_string(entry.path()).expect("text"));
        seeds += 1;
    }
    assert!(seeds >= 20, "{seeds}");
}

#[test]
fn the_longest_and_worst_texts_pass_it_too() {
    for (_, text) in bench::texts() {
        judge::filter(&text);
        assert!(bench::read(&text) > 0);
        // Cut where it is in the middle of something.
        let half: String = text.chars().take(text.chars().count() / 2).collect();
        judge::filter(&half);
    }
}
