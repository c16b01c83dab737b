//! Stacks of frameworks whose frames name no script that a page can be asked for: what ran on a server, and modules that
//! a bundler's runtime evals one by one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use taillight::event::MappedFrame;
use taillight::maps::Root;

use crate::maps::{Running, Server, bundle, ok};

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

/// A chunk as Turbopack serves it: two modules, each a section of the map that begins at its first line of code.
fn chunk() -> (String, String) {
    let module = |id: &str, code: &str| {
        format!(
            "\"[project]/{id} [app-client] (ecmascript)\", ((__turbopack_context__) => {{\n\"use strict\";\n\n{code}\n}}),\n"
        )
    };
    let script = format!(
        "push([\"chunk\",\n{}{}]);\n//# sourceMappingURL=chunk.js.map",
        module("src/cart.ts", "a();\nb();\nc();"),
        module("src/total.ts", "d();\ne();")
    );
    let section = |line: u32, source: &str, lines: &str| {
        json!({"offset": {"line": line, "column": 0},
            "map": {"version": 3, "sources": [source], "names": [], "mappings": lines, "sourcesContent": ["1\n2\n3\n4\n5\n6"]}})
    };
    let cart = section(4, "src/cart.ts", "AAAA;AACA;AACA");
    let total = section(11, "src/total.ts", "AACA;AACA");
    (script, json!({"version": 3, "sections": [cart, total]}).to_string())
}

#[test]
fn a_module_that_a_hot_update_replaced_is_placed_by_its_part_of_the_chunk() {
    let (script, map) = chunk();
    let server = Server::start(move |path, _| {
        Some(match path.split('?').next() {
            Some("/chunk.js") => ok("", script.clone()),
            Some("/chunk.js.map") => ok("", map.clone()),
            _ => ("404 Not Found\r\n".to_owned(), Vec::new()),
        })
    });
    let project = tempfile::tempdir().expect("a folder");
    let told = |module: &str, line: u32| {
        let id = format!("%255Bproject%255D/{module}+%255Bapp-client%255D+(ecmascript)");
        let (place, note) =
            placed(project.path(), &error(&format!("{}/chunk.js?id={id}:{line}:1", server.address)));
        let code =
            place.code.as_ref().and_then(|code| code.lines.get((place.line - code.first) as usize).cloned());
        (place.file.to_string(), place.line, place.is_mapped, code.as_deref().map(str::to_owned), note)
    };
    let mapped = |file: &str, line: u32| (file.to_owned(), line, true, Some(line.to_string()), String::new());
    // The first line of code is the fourth of its module, wherever in the chunk that is.
    assert_eq!(told("src/cart.ts", 4), mapped("src/cart.ts", 1));
    assert_eq!(told("src/cart.ts", 6), mapped("src/cart.ts", 3));
    assert_eq!(told("src/total.ts", 5), mapped("src/total.ts", 3));
    // A line past its end is none of the next module's.
    assert_eq!(told("src/cart.ts", 12), ("src/cart.ts".to_owned(), 0, false, None, String::new()));
    let (file, line, is_mapped, code, note) = told("src/gone.ts", 5);
    assert_eq!((&*file, line, is_mapped, code), ("src/gone.ts", 0, false, None));
    assert!(note.ends_with("it has no such module any more"), "{note}");
}

#[test]
fn lines_of_what_webpack_evals_are_never_shown_as_the_sources() {
    let project = tempfile::tempdir().expect("a folder");
    fs::create_dir(project.path().join("src")).expect("made");
    fs::write(project.path().join("src/App.tsx"), "one\ntwo\nthree\n").expect("written");
    for frame in [
        "webpack-internal:///./src/App.tsx:2:28",
        "webpack://shop/./src/App.tsx?:2:28",
        "webpack-internal:///(app-pages-browser)/./src/App.tsx:2:28",
        "about://React/Server/webpack-internal:///(rsc)/./src/App.tsx?0:2:28",
    ] {
        let (place, note) = placed(project.path(), &error(frame));
        assert_eq!(
            (&*place.file, place.line, place.column, place.is_mapped),
            ("src/App.tsx", 0, 0, false),
            "{frame}"
        );
        assert!(place.code.is_none() && place.is_own, "{frame}");
        assert!(place.local.is_some(), "the file itself can be opened: {frame}");
        assert!(note.ends_with("keep its map inside of the page"), "{frame}: {note}");
    }
}

#[test]
fn a_module_that_is_replaced_again_is_placed_by_its_newest_code() {
    let is_longer = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&is_longer);
    let server = Server::start(move |path, _| {
        let (script, map) = chunk();
        // Another line before the code: by the map of before, every line would be the one after it.
        let is_longer = now.load(Ordering::SeqCst);
        let script = if is_longer { script.replace("\n\na();", "\n\nnew();\na();") } else { script };
        let map = if is_longer { map.replace("AAAA;AACA", ";AAAA;AACA") } else { map };
        Some(ok("", if path.ends_with(".map") { map } else { script }))
    });
    let mut running = Running::start(Root::default());
    let told = |line: u32| {
        error(&format!(
            "{}/chunk.js?id=%255Bproject%255D/src/cart.ts+%255Bapp-client%255D+(ecmascript):{line}:1",
            server.address
        ))
    };
    running.send(&[told(5)]);
    running.placed(1);
    is_longer.store(true, Ordering::SeqCst);
    running.send(&[told(6)]);
    running.placed(2);
    running.send(&[told(5)]);
    let snapshot = running.placed(3);
    let lines: Vec<_> = (0..3).filter_map(|at| Some(snapshot.event(at)?.place()?.line)).collect();
    assert_eq!(lines, [2, 2, 1], "by the code of each, also where the stack is the same as before");
}
