//! Stacks of frameworks whose frames name no script that a page can be asked for: what ran on a server.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use taillight::event::MappedFrame;
use taillight::maps::Root;

use crate::maps::{Running, bundle};

fn error(frame: &str) -> Value {
    json!({"type": "error", "subtype": "javascript", "message": "no stock",
        "stack": format!("Error: no stock\n    at stock ({frame})\n    at then (http://localhost:1/node_modules/react.js:2:3)")})
}

/// What becomes of the place that `event` tells of, and why it was not mapped.
fn placed(root: &Path, event: &Value) -> (MappedFrame, String) {
    let mut running = Running::start(Root::at(root));
    running.send(std::slice::from_ref(event));
    let snapshot = running.placed(1);
    let mapped = snapshot.event(0).and_then(|event| event.mapped()).expect("looked up");
    (mapped.place().cloned().unwrap_or_default(), mapped.note.as_deref().unwrap_or_default().to_owned())
}

/// A folder with a script, its map beside it, below `.next` as Next has it.
fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let chunks = folder.path().join(".next/dev/server/chunks/ssr");
    fs::create_dir_all(&chunks).expect("made");
    let (script, map) = bundle(7);
    let script = script.replace("app.js.map", "%5Broot%5D.js.map");
    fs::write(chunks.join("[root].js"), script).expect("written");
    fs::write(chunks.join("[root].js.map"), map).expect("written");
    folder
}

#[test]
fn an_error_of_a_server_component_is_placed_by_the_map_beside_its_script() {
    let (project, elsewhere) = (built(), built());
    let frame = |folder: &Path| {
        let folder = folder.canonicalize().expect("there");
        format!(
            "about://React/Server/file://{}/.next/dev/server/chunks/ssr/%5Broot%5D.js?14:1:1",
            folder.display()
        )
    };
    let (place, note) = placed(project.path(), &error(&frame(project.path())));
    let expected = (".next/dev/server/chunks/ssr/src/shop.ts", 7, "stock", true, "");
    assert_eq!((&*place.file, place.line, &*place.function, place.is_mapped, &*note), expected);

    // The same frame of another folder: nothing of it is read, and the script is named without what React adds.
    let (place, note) = placed(project.path(), &error(&frame(elsewhere.path())));
    assert!(!place.is_mapped && place.code.is_none() && place.local.is_none(), "{place:?}");
    assert!(
        place.file.ends_with(".next/dev/server/chunks/ssr/[root].js") && !place.file.contains("about:"),
        "{place:?}"
    );
    assert!(note.starts_with("file://") && note.ends_with("it is not in the project"), "{note}");
}
