//! The user's editor at a place: which one it is, how it is told a line, and whether it needs the terminal.
//!
//! Called by the console for the key that opens a place. The program and its words come from the settings or the
//! environment, the path from the project's folder on this machine; each is one argument, and no shell sees any.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::SyncSender;
use std::{io, thread};

use super::console::Input;

/// How editors are told a place. `{file}`, `{line}` and `{col}` are put in after the words were taken apart.
const EDITORS: [(&[&str], &[&str], Screen); 12] = [
    (
        &["code", "code-insiders", "codium", "vscodium", "cursor", "windsurf", "positron", "trae"],
        &["-g", "{file}:{line}:{col}"],
        Screen::Own,
    ),
    (
        &["zed", "zeditor", "zed-editor", "subl", "sublime_text", "lapce"],
        &["{file}:{line}:{col}"],
        Screen::Own,
    ),
    (
        &[
            "idea",
            "webstorm",
            "phpstorm",
            "pycharm",
            "rubymine",
            "goland",
            "rider",
            "clion",
            "rustrover",
            "studio",
            "fleet",
        ],
        &["--line", "{line}", "--column", "{col}", "{file}"],
        Screen::Own,
    ),
    (&["mate"], &["--line", "{line}:{col}", "{file}"], Screen::Own),
    (&["kate"], &["--line", "{line}", "--column", "{col}", "{file}"], Screen::Own),
    (&["gvim", "mvim", "neovide"], &["+call cursor({line},{col})", "{file}"], Screen::Own),
    (&["vim", "nvim"], &["+call cursor({line},{col})", "{file}"], Screen::Terminal),
    (&["vi", "nvi", "ne", "joe", "mg"], &["+{line}", "{file}"], Screen::Terminal),
    (&["emacs", "emacsclient"], &["+{line}:{col}", "{file}"], Screen::WhereThereIsOne),
    (&["nano", "pico"], &["+{line},{col}", "{file}"], Screen::Terminal),
    (&["hx", "helix", "micro"], &["{file}:{line}:{col}"], Screen::Terminal),
    (&["kak"], &["+{line}:{col}", "{file}"], Screen::Terminal),
];

/// Where an editor shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// In a window of its own.
    Own,
    Terminal,
    /// In a window where there is a display, else in the terminal.
    WhereThereIsOne,
}

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) program: String,
    pub(super) arguments: Vec<OsString>,
    /// The dashboard must give the terminal away until it ends.
    pub(super) needs_terminal: bool,
}

/// The editor to open, of the settings or else of the environment `get`.
///
/// # Errors
/// When none is set, with what to set.
pub(super) fn opening(
    set: &str,
    get: impl Fn(&str) -> Option<String>,
    path: &Path,
    line: u32,
    column: u32,
) -> Result<Opening, String> {
    let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
    let of_terminal = match get("TERM_PROGRAM").as_deref() {
        Some("vscode") if get("CURSOR_TRACE_ID").is_some() => Some("cursor".to_owned()),
        Some("vscode") => Some("code".to_owned()),
        Some("zed") => Some("zed".to_owned()),
        _ => None,
    };
    let words = Some(set.to_owned()).filter(|set| !set.trim().is_empty());
    let words = words.or_else(|| get("VISUAL")).or_else(|| get("EDITOR")).or(of_terminal);
    let words = words.ok_or("no editor is set: set `editor`, or $VISUAL or $EDITOR")?;
    let mut words = split(&words).into_iter();
    let program = words.next().ok_or("the editor that is set has no name")?;
    let mut own: Vec<String> = words.collect();
    let name = Path::new(&program).file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let known = EDITORS.iter().find(|(names, ..)| names.contains(&name));
    let is_in_window =
        get("DISPLAY").is_some() || get("WAYLAND_DISPLAY").is_some() || cfg!(target_os = "macos");
    let wants_terminal =
        own.iter().any(|word| ["-nw", "-t", "-tty", "--tty", "--no-window-system"].contains(&word.as_str()));
    let needs_terminal = match known.map(|(.., screen)| *screen) {
        Some(Screen::Own) => false,
        Some(Screen::WhereThereIsOne) => wants_terminal || !is_in_window,
        // A program nobody knows may be either; one with a window only keeps the dashboard waiting.
        Some(Screen::Terminal) | None => true,
    };
    if !own.iter().any(|word| word.contains("{file}")) {
        // What would keep the editor from coming back at once is for programs that wait for it.
        own.retain(|word| !(known.is_some() && ["--wait", "-w"].contains(&word.as_str())));
        let told = known.map_or(&["{file}"][..], |(_, told, _)| *told);
        own.extend(told.iter().map(|word| (*word).to_owned()));
    }
    let (line, column) = (line.max(1).to_string(), column.max(1).to_string());
    let arguments = own.iter().map(|word| put(word, path, &line, &column)).collect();
    Ok(Opening { program, arguments, needs_terminal })
}

/// Runs it in this terminal until it ends; says what went wrong.
pub(super) fn run_here(opening: &Opening) -> Option<String> {
    complaint(opening, Command::new(&opening.program).args(&opening.arguments).status())
}

/// Starts it beside the dashboard; what goes wrong is told in the footer when it is known.
pub(super) fn start(opening: &Opening, sender: SyncSender<Input>) -> Option<String> {
    let mut command = Command::new(&opening.program);
    command.args(&opening.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return complaint(opening, Err(error)),
    };
    let opening = opening.clone();
    let wait = move || {
        if let Some(said) = complaint(&opening, child.wait()) {
            // A console that has ended in the meantime has nobody to tell.
            let _ = sender.send(Input::Notice(said));
        }
    };
    thread::Builder::new().name("editor".into()).spawn(wait).err().map(|error| error.to_string())
}

fn complaint(opening: &Opening, ended: io::Result<ExitStatus>) -> Option<String> {
    let program = crate::event::gate::plain_capped(&opening.program, 60);
    match ended {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("{program} ended with {status}")),
        Err(error) => Some(format!("cannot start {program}: {error}. Set `editor` to another")),
    }
}

/// One argument with the place in it; what the path holds is never looked at again.
fn put(word: &str, path: &Path, line: &str, column: &str) -> OsString {
    let numbers =
        |text: &str| text.replace("{line}", line).replace("{col}", column).replace("{column}", column);
    let mut parts = word.split("{file}");
    let mut out = OsString::from(numbers(parts.next().unwrap_or("")));
    for part in parts {
        out.push(path);
        out.push(numbers(part));
    }
    out
}

/// Words as a shell would take them apart, by spaces and quotes; nothing else means anything.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn every_editor_is_told_the_place_in_its_own_way() {
        for (set, expected, needs_terminal) in [
            ("code", "code|-g|/p/a b.ts:4:7", false),
            ("code --wait", "code|-g|/p/a b.ts:4:7", false),
            ("/usr/local/bin/cursor -r", "/usr/local/bin/cursor|-r|-g|/p/a b.ts:4:7", false),
            ("zed", "zed|/p/a b.ts:4:7", false),
            ("idea", "idea|--line|4|--column|7|/p/a b.ts", false),
            ("subl", "subl|/p/a b.ts:4:7", false),
            ("vim", "vim|+call cursor(4,7)|/p/a b.ts", true),
            ("nvim -u NONE", "nvim|-u|NONE|+call cursor(4,7)|/p/a b.ts", true),
            ("vi", "vi|+4|/p/a b.ts", true),
            ("emacs", "emacs|+4:7|/p/a b.ts", true),
            ("emacs -nw", "emacs|-nw|+4:7|/p/a b.ts", true),
            ("nano", "nano|+4,7|/p/a b.ts", true),
            ("hx", "hx|/p/a b.ts:4:7", true),
            ("ed", "ed|/p/a b.ts", true),
            ("'my editor' --at {line}:{col} \"{file}\"", "my editor|--at|4:7|/p/a b.ts", true),
            ("code -g {file}:{line}:{col}", "code|-g|/p/a b.ts:4:7", false),
        ] {
            let opening = opening(set, |_| None, Path::new("/p/a b.ts"), 4, 7).expect(set);
            let mut words = vec![opening.program];
            words.extend(opening.arguments.iter().map(|word| word.to_string_lossy().into_owned()));
            assert_eq!((words.join("|").as_str(), opening.needs_terminal), (expected, needs_terminal), "{set}");
        }
    }

    #[test]
    fn the_settings_come_first_then_the_environment() {
        let of = |set: &str, env: &[(&str, &str)]| {
            let get = |name: &str| {
                env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            opening(set, get, Path::new("/p/a.ts"), 1, 0)
                .map(|opening| (opening.program, opening.needs_terminal))
        };
        let both = [("VISUAL", "zed"), ("EDITOR", "vim"), ("TERM_PROGRAM", "vscode")];
        assert_eq!(of("hx", &both), Ok(("hx".to_owned(), true)));
        assert_eq!(of("", &both), Ok(("zed".to_owned(), false)));
        assert_eq!(of("", &both[1..]), Ok(("vim".to_owned(), true)));
        assert_eq!(of("", &both[2..]), Ok(("code".to_owned(), false)));
        assert_eq!(of("emacs", &[("DISPLAY", ":0")]), Ok(("emacs".to_owned(), false)));
        assert!(of("", &[("EDITOR", " ")]).is_err_and(|error| error.contains("$EDITOR")));
    }

    #[test]
    fn nothing_in_a_path_means_anything() {
        for path in [
            "/p/$(touch x).ts",
            "/p/`id`.ts",
            "/p/a;b.ts",
            "/p/{line}.ts",
            "/p/{file}.ts",
            "/p/a' \"b.ts",
            "/p/-x.ts",
        ] {
            let opening = opening("code", |_| None, Path::new(path), 4, 7).expect("an editor");
            assert_eq!(opening.arguments, [OsString::from("-g"), OsString::from(format!("{path}:4:7"))]);
        }
    }
}
