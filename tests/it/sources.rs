//! From a thrown error to its line on the screen: real pages of a Vite server and of an esbuild bundle in Chromium.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::browser::{Browser, chromium, serve};
use crate::harness::{cache, missed, tool};
use crate::pty::Terminal;

/// What is thrown, and where: line 6 of `src/checkout.ts`, whatever became of it on the way to the browser.
const CHECKOUT: &str = "// Prices with discounts.
export interface Cart { items: { price: number }[]; coupon?: { rate: number } }

export function applyDiscount(cart: Cart): number {
\tconst coupon = cart.coupon as { rate: number };
\treturn cart.items.reduce((sum, item) => sum + item.price, 0) * (1 - coupon.rate);
}
";
const MAIN: &str = "import { applyDiscount, type Cart } from \"./checkout\";

const cart: Cart = { items: [{ price: 4.5 }] };

function pay(): void {
  applyDiscount(cart);
}

setTimeout(pay, 50);
";

/// The folder with Vite and esbuild, filled from npm once for all runs on this machine; nothing where that cannot be.
pub(crate) fn tools() -> Option<PathBuf> {
    let npm = tool(&["npm"])?;
    let folder = cache()?.join("taillight-tests/npm");
    let bin = folder.join("node_modules/.bin");
    if !bin.join("vite").exists() || !bin.join("esbuild").exists() {
        fs::create_dir_all(&folder).ok()?;
        let install = Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .args(["vite@7", "esbuild@0.28"])
            .stdin(Stdio::null())
            .output();
        if !install.is_ok_and(|output| output.status.success()) {
            return missed("npm cannot install vite and esbuild");
        }
    }
    Some(bin)
}

/// A project as a developer has it.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("made");
    fs::write(folder.path().join("src/checkout.ts"), CHECKOUT).expect("written");
    fs::write(folder.path().join("src/main.ts"), MAIN).expect("written");
    folder
}

fn page(port: u16, script: &str) -> String {
    format!(
        "<!doctype html><title>shop</title><script src=\"http://127.0.0.1:{port}/taillight.js\"></script>{script}"
    )
}

/// An editor in `folder` that needs the terminal: it shows what it was told and ends with a key.
pub(crate) fn editor(folder: &Path) -> PathBuf {
    let editor = folder.join("vim");
    fs::write(&editor, "#!/bin/sh\nprintf 'the editor was told: %s\\n' \"$@\"\nread -r line\n")
        .expect("written");
    let made = Command::new("chmod").arg("755").arg(&editor).status();
    assert!(made.is_ok_and(|status| status.success()));
    editor
}

/// The console of a project, on a free port.
pub(crate) fn console(project: &Path, editor: &str) -> (Terminal, u16) {
    let root = project.to_str().expect("UTF-8");
    Terminal::console_with(&["--root", root, "--editor", editor], 120, 40)
}

/// Waits for the thrown error in its row, opens it, and sees the code around the line.
fn see_the_line(terminal: &mut Terminal) {
    terminal.wait("the place in the row", |screen| screen.contains("checkout.ts:6"));
    terminal.press("N\r");
    for part in [
        "src/checkout.ts:6:",
        "applyDiscount",
        "(1 - coupon.rate)",
        "5 │ ",
        "▸    6 │ ",
        "source-mapped",
        "src/main.ts:6:",
    ] {
        terminal.wait(part, |screen| screen.contains(part));
    }
}

/// A server that ends with the test.
struct Vite(Child);

impl Vite {
    fn start(bin: &Path, project: &Path) -> (Self, String) {
        let mut child = Command::new(bin.join("vite"))
            .args(["--port", "0", "--host", "127.0.0.1"])
            .current_dir(project)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("vite starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(format!("http://{}", line.split("http://").nth(1)?.trim())));
        // What it says later is read too, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), address.expect("vite says its address"))
    }
}

impl Drop for Vite {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_error_in_a_vite_page_is_shown_at_its_line_and_opens_in_the_editor() {
    let (Some(chromium), Some(bin)) = (chromium(), tools()) else { return };
    let project = project();
    let editor = editor(project.path());
    let (mut terminal, port) = console(project.path(), editor.to_str().expect("UTF-8"));
    let html = page(port, "<script type=\"module\" src=\"/src/main.ts\"></script>");
    fs::write(project.path().join("index.html"), html).expect("written");
    let (vite, address) = Vite::start(&bin, project.path());
    let browser = Browser::open(&chromium, &address);
    see_the_line(&mut terminal);
    drop((browser, vite));
    terminal.press("o");
    let screen = terminal.wait("the editor", |screen| screen.contains("the editor was told: /"));
    assert!(screen.contains("the editor was told: +call cursor(6,"), "{screen}");
    assert!(screen.contains("/src/checkout.ts") && !screen.contains("source-mapped"), "{screen}");
    terminal.press("\r");
    terminal.wait("the dashboard again", |screen| screen.contains("source-mapped"));
    terminal.press("q");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn an_error_in_a_minified_bundle_is_shown_at_its_line() {
    let (Some(chromium), Some(bin)) = (chromium(), tools()) else { return };
    let project = project();
    let built = Command::new(bin.join("esbuild"))
        .args(["src/main.ts", "--bundle", "--minify", "--sourcemap", "--outfile=dist/app.js"])
        .current_dir(project.path())
        .output();
    assert!(built.is_ok_and(|output| output.status.success()), "esbuild builds");
    let read = |name: &str| fs::read_to_string(project.path().join("dist").join(name)).expect(name);
    let (script, map) = (read("app.js"), read("app.js.map"));
    assert!(
        script.lines().next().is_some_and(|line| line.len() > 100 && !line.contains("applyDiscount")),
        "{script}"
    );
    let (mut terminal, port) = console(project.path(), "true");
    let html = page(port, "<script src=\"/dist/app.js\"></script>");
    let server = serve(vec![("/dist/app.js.map", map), ("/dist/app.js", script), ("/", html)]);
    let browser = Browser::open(&chromium, &format!("http://localhost:{server}/"));
    see_the_line(&mut terminal);
    drop(browser);
    terminal.press("q");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}
