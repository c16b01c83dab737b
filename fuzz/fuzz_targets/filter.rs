//! The filter language under any text. The same judge reads the seeds in `tests/it/filter.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../judge.rs"]
mod judge;

fuzz_target!(|text: &str| judge::filter(text));
