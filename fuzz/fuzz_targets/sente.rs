//! Frames of sente-lite and Sente under any bytes: each ends in events or refusals, and the count is right.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use taillight::event::Flags;
use taillight::pipeline::Redactor;
use taillight::wire::Sender;
use taillight::wire::sente::{Folder, hear};

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

// The first byte says whether the rest is a text frame.
fuzz_target!(|input: &[u8]| {
    let Some((kind, frame)) = input.split_first() else { return };
    let batch = hear(frame, kind & 1 == 1, &Sender::default(), &REDACTOR, &mut Folder::default()).batch;
    let own = batch.chunk.flags().iter().filter(|flags| flags.has(Flags::OWN)).count();
    assert!(batch.chunk.len() - own + batch.rejected.len() <= batch.offered as usize);
});
