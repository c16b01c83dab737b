//! Frames of sente-lite and Sente under any bytes. The same judge reads changed vectors in `tests/it/frames.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../frames.rs"]
mod frames;

fuzz_target!(|input: &[u8]| frames::any(input));
