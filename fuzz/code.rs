//! What must hold of stacks and source maps for all bytes.
//!
//! Called by the fuzz target with made-up bytes and by `tests/it/code.rs` with recorded ones that were changed. It
//! panics where something does not hold.

use taillight::{maps, stack};

/// Reads `bytes` as a map, as a stack and as an event.
pub(crate) fn any(bytes: &[u8]) {
    if let Ok(table) = maps::Table::read(bytes) {
        for (line, column) in [(0, 0), (0, 7), (3, 200), (u32::MAX, u32::MAX)] {
            let _ = (table.called(line, column), table.first_of(line), table.named_at(line, column));
            if let Some(token) = table.lookup(line, column) {
                assert!(token.source < table.sources().len());
                let source = &table.sources()[token.source];
                assert!(source.name.len() <= 1_024);
                if let Some(text) = &source.content {
                    text.lines_from(token.line.saturating_sub(1)).take(5).for_each(drop);
                }
            }
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for frame in stack::traces(&text).into_iter().flat_map(|trace| trace.frames).chain(stack::frames(&text)) {
        assert!(!frame.file.is_empty());
        let _ = (stack::plain_function(frame.function), stack::is_own(frame.file));
        stack::push_plain_file(frame.file, &mut String::new());
    }
    stack::top_own(&text);
    if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() {
        stack::told(&text);
    }
}
