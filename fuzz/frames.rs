//! What must hold of frames of sente-lite and Sente for all bytes.
//!
//! Called by the fuzz target with made-up bytes and by `tests/it/frames.rs` with recorded ones that were changed. It
//! panics where something does not hold.

use std::sync::LazyLock;

use serde_json::value::RawValue;
use taillight::event::{Flags, Timestamp};
use taillight::pipeline::Redactor;
use taillight::wire::sente::answer::{Dialect, Reply, answer};
use taillight::wire::sente::{Packer, hear, value};
use taillight::wire::{Folder, Sender};

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// Reads `input` as a frame, its first byte says of which kind, and the rest as a value of each format.
pub(crate) fn any(input: &[u8]) {
    let Some((kind, frame)) = input.split_first() else { return };
    for packer in [Packer::Edn, Packer::Transit, Packer::Msgpack] {
        if let Ok(json) = value(frame, packer) {
            assert!(serde_json::from_str::<&RawValue>(&json).is_ok(), "{packer:?} became {json}");
        }
    }
    let sender = Sender { recv: Timestamp(1_800_000_000_000), source: "sente", ..Sender::default() };
    let mut folder = Folder::default();
    let heard = hear(frame, kind & 1 == 1, &sender, &REDACTOR, &mut folder);
    let batch = &heard.batch;
    assert_eq!(batch.index.len(), batch.chunk.len());
    let own = batch.chunk.flags().iter().filter(|flags| flags.has(Flags::OWN)).count();
    let notes = folder.notes(sender.recv, true, &sender);
    let count = |event: taillight::event::EventRef<'_>| event.get(&["count"])?.parse::<usize>().ok();
    let folded: usize = notes.iter().flat_map(|notes| notes.chunk.events()).filter_map(count).sum();
    // Every event offered is kept, refused, or counted among those that were folded.
    assert_eq!(batch.chunk.len() - own + batch.rejected.len() + folded, batch.offered as usize);
    for event in batch.chunk.events() {
        assert!(serde_json::from_str::<&RawValue>(event.json()).is_ok(), "{}", event.json());
    }
    for (dialect, ask) in heard.asks.iter().flat_map(|ask| [(Dialect::Lite, ask), (Dialect::Sente, ask)]) {
        if let Some(Reply::Text(text)) = answer(dialect, heard.packing, ask) {
            let text = text.strip_prefix('+').unwrap_or(&text);
            // sente-lite's clients read EDN alone, whatever they sent.
            let packer = if dialect == Dialect::Lite { Packer::Edn } else { heard.packing.packer };
            assert!(value(text.as_bytes(), packer).is_ok(), "{text}");
        }
    }
}
