//! How long the longest texts take to read, per KiB of text: honest ones, and ones made to be slow.
//!
//! Run with `cargo bench --bench parse`. The bar reads its text at each key, so a text of 4,096 characters may cost
//! no more than a few milliseconds. `tests/it/filter.rs` reads the same texts once.

use std::hint::black_box;
use std::time::Instant;

use taillight::filter::{MAX_CHARS, append, drop_last, parse, pasted, while_typing};

/// `piece` over and over, as long as a filter may be.
fn full_of(piece: &str) -> String {
    let text: String = piece.chars().cycle().take(MAX_CHARS).collect();
    text
}

/// What the texts are called, and the texts.
pub(crate) fn texts() -> Vec<(&'static str, String)> {
    let deep = |open: &str| format!("{}a{}", open.repeat(64), ")".repeat(64));
    vec![
        (
            "a usual filter",
            "(level:error or status>=500) -url:/health since:reload duration>200ms".to_owned(),
        ),
        ("words", full_of("timeout ")),
        ("comparisons", full_of("status>=500 -url:/api ")),
        (
            "a long list",
            format!("status in ({})", full_of("404, ").split_at(4000).0.trim_end_matches([' ', ','])),
        ),
        ("or beside and", full_of("a:1 or b:2 c:3 ")),
        ("a or a", full_of("a or ")),
        ("not not", full_of("not ")),
        ("NOT NOT", full_of("NOT ")),
        ("((((", full_of("(")),
        ("))))", full_of(")")),
        ("64 deep, often", full_of(&deep("("))),
        ("64 deep with signs", full_of(&deep("-("))),
        ("= = =", full_of("= ")),
        ("minuses", full_of("- ")),
        ("quotes", full_of("\"")),
        ("open quotes", full_of("a\"b 'c")),
        ("phrases", full_of("\"a\" or ")),
        ("a.\"a", full_of("a.\"a ")),
        ("dots", full_of("a.")),
        ("colons", full_of(":")),
        ("stars", full_of("*a")),
        ("backslashes", full_of("\\")),
        ("two values", full_of("user:a user:b ")),
        ("mistaken levels", full_of("level:wran ")),
        ("wide characters", full_of("日本 = ")),
        ("one long value", full_of("x")),
        ("one long pattern", format!("~/{}/", full_of("a|").split_at(4000).0)),
        ("many small patterns", full_of("~/a/ ")),
        ("many large patterns", full_of("~/\\w{99}/ ")),
        ("a pattern over the limit", "~/(\\w{1000}){1000}/".to_owned()),
        ("many patterns over the limit", full_of("~/\\w{9}{9}{9}{9}/ ")),
        ("nested repetitions", format!("~/{}a{}/", "(".repeat(60), "*)".repeat(60))),
    ]
}

/// Everything that is done with a text at a key.
pub(crate) fn read(text: &str) -> usize {
    let typing = while_typing(text, true);
    parse(text).errors.len() + typing.applied.reads_as().len()
}

/// The quickest of a few rounds, in seconds.
fn seconds(mut work: impl FnMut()) -> f64 {
    const ROUNDS: usize = 5;
    let round = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round(&mut work)).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
fn main() {
    println!(
        "{:<30} {:>8} {:>12} {:>12} {:>12}",
        "text", "bytes", "parse µs/KiB", "key µs/KiB", "edits µs/KiB"
    );
    for (name, text) in texts() {
        let per_kib = |seconds: f64| seconds * 1e6 / (text.len() as f64 / 1024.0);
        let parsed = per_kib(seconds(|| drop(black_box(parse(black_box(&text))))));
        let key = per_kib(seconds(|| _ = black_box(read(black_box(&text)))));
        let edits = per_kib(seconds(|| {
            black_box((append(&text, "since:reload"), drop_last(&text), pasted(&text)));
        }));
        println!("{name:<30} {:>8} {parsed:>12.1} {key:>12.1} {edits:>12.1}", text.len());
    }
}
