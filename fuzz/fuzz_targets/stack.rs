//! Stacks and source maps under any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taillight::{maps, stack};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(table) = maps::Table::read(bytes) {
        for (line, column) in [(0, 0), (0, 7), (3, 200), (u32::MAX, u32::MAX)] {
            let _ = (table.called(line, column), table.first_of(line), table.named_at(line, column));
            if let Some(token) = table.lookup(line, column) {
                assert!(token.source < table.sources().len());
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
});
