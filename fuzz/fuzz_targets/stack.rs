//! Stacks and source maps under any bytes. The same judge reads changed recordings in `tests/it/code.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../code.rs"]
mod code;

fuzz_target!(|bytes: &[u8]| code::any(bytes));
