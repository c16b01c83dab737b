//! Text to the clipboard, by whatever way there is, and the words for what was done.
//!
//! Called by the console, on its own thread: a helper program may hang and is not waited for long. Inside tmux its
//! buffer takes the text and passes it on; over SSH the terminal itself does (OSC 52); else a program of the system.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;

use crate::recording;
use crate::ui::format;

/// Bytes that terminals take in one sequence; xterm and others stop at about 100,000 letters of base64.
const MAX_OSC: usize = 74_000;
/// How long a helper program may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Programs that take the clipboard from standard input, and the variable that says their display is there.
const PROGRAMS: [(&str, &[&str], &str); 4] = [
    ("wl-copy", &[], "WAYLAND_DISPLAY"),
    ("xclip", &["-selection", "clipboard"], "DISPLAY"),
    ("xsel", &["--clipboard", "--input"], "DISPLAY"),
    ("pbcopy", &[], ""),
];

/// What the environment says of the way to the clipboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Around {
    pub(super) is_tmux: bool,
    pub(super) is_ssh: bool,
}

impl Around {
    pub(super) fn of_environment() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self { is_tmux: is_set("TMUX"), is_ssh: is_set("SSH_CONNECTION") || is_set("SSH_TTY") }
    }
}

/// What was done, and what is left for the terminal to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) said: String,
    /// A sequence for the terminal.
    pub(super) sequence: Option<String>,
}

/// Copies `text`, which is `what`; `folder` is where it goes as a file if nothing else takes it.
pub(super) fn copy(what: &str, text: &str, around: Around, folder: &Path) -> Done {
    let sequence = (text.len() <= MAX_OSC).then(|| osc52(text));
    let mut ways = Vec::new();
    if around.is_tmux && feed("tmux", &["load-buffer", "-w", "-"], text) {
        ways.push("tmux");
    } else if !around.is_ssh && !around.is_tmux {
        let is_there = |variable: &str| variable.is_empty() || std::env::var_os(variable).is_some();
        let program =
            PROGRAMS.iter().find(|(name, args, variable)| is_there(variable) && feed(name, args, text));
        if let Some((name, ..)) = program {
            return Done { said: told(what, text, &[name]), sequence: None };
        }
    }
    if sequence.is_some() {
        ways.push("OSC 52");
    }
    if ways.is_empty() {
        return as_file(what, text, folder);
    }
    Done { said: told(what, text, &ways), sequence }
}

/// The first program that could take the clipboard here.
pub(super) fn program() -> Option<&'static str> {
    let is_set = |variable: &str| variable.is_empty() || std::env::var_os(variable).is_some();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| std::env::split_paths(&paths).any(|folder| folder.join(name).is_file());
    let found = PROGRAMS.iter().find(|(name, _, variable)| is_set(variable) && is_there(name));
    found.map(|(name, ..)| *name)
}

/// `copied json, 812 bytes (tmux, OSC 52)`.
fn told(what: &str, text: &str, ways: &[&str]) -> String {
    format!("copied {what}, {} ({})", format::counted(text.len() as u64, "byte"), ways.join(", "))
}

/// What is too large for a terminal goes into a file.
fn as_file(what: &str, text: &str, folder: &Path) -> Done {
    let names = (1..100).map(|number| folder.join(format!("taillight-copy-{number}.txt")));
    let written =
        names.into_iter().find(|path: &PathBuf| recording::write_private(path, text.as_bytes()).is_ok());
    let said = match written {
        Some(path) => format!("too long for the terminal: wrote {what} to {}", path.display()),
        None => format!("{what} is too long for the terminal, and {} cannot be written", folder.display()),
    };
    Done { said, sequence: None }
}

/// The sequence that puts `text` on the terminal's clipboard.
fn osc52(text: &str) -> String {
    format!("\u{1b}]52;c;{}\u{7}", base64::engine::general_purpose::STANDARD.encode(text))
}

/// Gives `text` to a program; whether that took it in time.
fn feed(program: &str, args: &[&str], text: &str) -> bool {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let (stdin, text) = (child.stdin.take(), text.to_owned());
    // A program that does not read must not stop this one.
    let fed = thread::Builder::new()
        .name("copy".into())
        .spawn(move || stdin.is_some_and(|mut stdin| stdin.write_all(text.as_bytes()).is_ok()));
    let is_fine = wait(&mut child);
    is_fine && fed.ok().and_then(|fed| fed.join().ok()).unwrap_or(false)
}

fn wait(child: &mut Child) -> bool {
    let until = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < until => thread::park_timeout(Duration::from_millis(5)),
            _ => {
                // It has had its time; what becomes of it is not ours to wait for.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_ssh_the_terminal_takes_it_and_it_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let around = Around { is_ssh: true, is_tmux: false };
        let done = copy("json", "{\"a\":1}", around, folder.path());
        assert_eq!(done.said, "copied json, 7 bytes (OSC 52)");
        assert_eq!(done.sequence.as_deref(), Some("\u{1b}]52;c;eyJhIjoxfQ==\u{7}"));
    }

    #[test]
    fn what_no_terminal_takes_becomes_a_file_that_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "x".repeat(MAX_OSC + 1);
        let around = Around { is_ssh: true, is_tmux: false };
        for number in 1..=2 {
            let done = copy("stack", &text, around, folder.path());
            let path = folder.path().join(format!("taillight-copy-{number}.txt"));
            assert_eq!(done.said, format!("too long for the terminal: wrote stack to {}", path.display()));
            assert_eq!(std::fs::read_to_string(path).expect("written"), text);
        }
        let done = copy("stack", &text, around, Path::new("/no/such"));
        assert!(done.said.ends_with("/no/such cannot be written") && done.sequence.is_none());
    }

    #[test]
    fn a_program_that_is_not_there_or_fails_is_no_way() {
        assert!(!feed("no-such-program", &[], "x") && !feed("false", &[], "x") && feed("cat", &[], "x"));
    }
}
