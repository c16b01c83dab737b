//! The client as a part of somebody's bundle: the module that `taillight client -o` writes, through esbuild, in Chromium.

use std::fs;
use std::process::Command;

use crate::browser::{Browser, chromium, events_until, expected, serve};
use crate::harness::Program;
use crate::sources::tools;

/// A bundle that has the client's own name must not take its address for taillight's.
#[test]
fn a_bundled_client_waits_for_init_and_then_records_whatever_the_bundle_is_called() {
    let (Some(chromium), Some(bin)) = (chromium(), tools()) else { return };
    for (format, tag) in [("esm", r#" type="module""#), ("iife", "")] {
        let program = Program::start(&["tail", "--format", "jsonl"]);
        let project = tempfile::tempdir().expect("a folder");
        let copy = Command::new(env!("CARGO_BIN_EXE_taillight"))
            .args(["client", "-o", "taillight.mjs"])
            .current_dir(project.path())
            .output()
            .expect("the program runs");
        assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
        let entry = format!(
            "import {{ init, log }} from './taillight.mjs';
            log('info', 'before init');
            init({{ url: 'http://127.0.0.1:{}/', app: 'bundled' }});
            log('info', 'from a bundle');
            fetch('/ok');
            setTimeout(function fail() {{ throw new Error('thrown in a bundle'); }});",
            program.port
        );
        fs::write(project.path().join("main.js"), entry).expect("written");
        let built = Command::new(bin.join("esbuild"))
            .args(["main.js", "--bundle", "--minify", "--outfile=dist/taillight.js"])
            .arg(format!("--format={format}"))
            .current_dir(project.path())
            .output()
            .expect("esbuild runs");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success() && !said.contains("WARNING"), "{said}");
        let script = fs::read_to_string(project.path().join("dist/taillight.js")).expect("a bundle");
        let html = format!("<!doctype html><title>shop</title><script{tag} src=\"/taillight.js\"></script>");
        let page = serve(vec![("/taillight.js", script), ("/", html)]);
        let browser = Browser::open(&chromium, &format!("http://localhost:{page}/"));
        let events = events_until(
            &program,
            &[
                expected("browser/log", None, "from a bundle"),
                expected("browser/api-call", Some(200), "/ok"),
                expected("browser/javascript", None, "thrown in a bundle"),
            ],
        );
        drop(browser);
        assert!(events.iter().all(|event| event["data"]["app"] == "bundled"), "{format}: {events:#?}");
        assert!(!events.iter().any(|event| event["msg"] == "before init"), "{format}: {events:#?}");
    }
}
