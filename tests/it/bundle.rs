//! The client as a part of somebody's bundle: the module that `taillight client -o` writes, through esbuild and
//! through a build of Vite, in Chromium.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::browser::{Browser, chromium, events_until, expected, serve};
use crate::harness::Program;
use crate::sources::tools;

/// A bundle that has the client's own name must not take its address for taillight's.
#[test]
fn a_bundled_client_waits_for_init_and_then_records_whatever_the_bundle_is_called() {
    let (Some(chromium), Some(bin)) = (chromium(), tools()) else { return };
    for bundler in ["esbuild --format=esm", "esbuild --format=iife", "vite"] {
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
        let page = serve(built(&bin, bundler, project.path()));
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
        assert!(events.iter().all(|event| event["data"]["app"] == "bundled"), "{bundler}: {events:#?}");
        assert!(!events.iter().any(|event| event["msg"] == "before init"), "{bundler}: {events:#?}");
    }
}

/// Builds `main.js` in `project` for production: the page at `/` and the one script that it loads.
fn built(bin: &Path, bundler: &str, project: &Path) -> Vec<(&'static str, String)> {
    let is_vite = bundler == "vite";
    let tag = if bundler.ends_with("iife") { "" } else { r#" type="module""# };
    let html =
        |script: &str| format!("<!doctype html><title>shop</title><script{tag} src=\"{script}\"></script>");
    let mut command = Command::new(bin.join(if is_vite { "vite" } else { "esbuild" }));
    if is_vite {
        fs::write(project.join("index.html"), html("/main.js")).expect("written");
        let names = "{ entryFileNames: 'taillight.js' }";
        let config = format!("export default {{ build: {{ rollupOptions: {{ output: {names} }} }} }};");
        fs::write(project.join("vite.config.mjs"), config).expect("written");
        command.arg("build");
    } else {
        command.args(["main.js", "--bundle", "--minify", "--outfile=dist/taillight.js"]);
        command.args(bundler.split(' ').skip(1));
    }
    let output = command.current_dir(project).output().expect("the bundler runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.to_lowercase().contains("warn"), "{bundler}: {said}");
    let file = |name: &str| fs::read_to_string(project.join("dist").join(name)).expect("a bundle");
    let page = if is_vite { file("index.html") } else { html("/taillight.js") };
    vec![("/taillight.js", file("taillight.js")), ("/", page)]
}
