//! The console in a real pseudo-terminal: what a user sees, types and gets back when it ends, however it ends.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::harness::{Socket, post_to};

/// Longest wait for a screen; only a failing test gets that far.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program in a terminal of its own.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was written to the terminal.
    raw: Vec<u8>,
    folder: tempfile::TempDir,
    /// The terminal's own modes before anything ran in it.
    modes: String,
}

fn modes_of(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal"))
}

impl Terminal {
    pub(crate) fn start(program: &str, args: &[&str], width: u16, height: u16) -> Self {
        Self::start_as(program, args, (width, height), &[])
    }

    /// The program with these variables more.
    fn start_as(program: &str, args: &[&str], (width, height): (u16, u16), more: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let modes = modes_of(&*pair.master);
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder.path());
        command.env("HOME", folder.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for name in
            ["NO_COLOR", "LC_ALL", "LC_CTYPE", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMUX", "COLORTERM"]
        {
            command.env_remove(name);
        }
        more.iter().for_each(|(name, value)| command.env(name, value));
        // The clipboard of whoever runs the tests is not theirs to change.
        command.env("SSH_TTY", "/dev/none");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("readable");
        let keys = pair.master.take_writer().expect("writable");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(size_of(height), size_of(width), 0);
        Self { child, master: pair.master, keys, output, screen, raw: Vec::new(), folder, modes }
    }

    fn console(width: u16, height: u16) -> (Self, u16) {
        Self::console_with(&[], width, height)
    }

    /// The console with these options more, and its port.
    pub(crate) fn console_with(options: &[&str], width: u16, height: u16) -> (Self, u16) {
        let args: Vec<&str> = ["--port", "0"].iter().chain(options).copied().collect();
        let mut terminal = Self::start(env!("CARGO_BIN_EXE_taillight"), &args, width, height);
        let port = terminal.port();
        (terminal, port)
    }

    /// The port that the first screen says.
    fn port(&mut self) -> u16 {
        const SAID: &str = "127.0.0.1:";
        let screen = self.wait("the first screen", |screen| screen.contains(SAID));
        let digits = screen.split(SAID).nth(1).unwrap_or("");
        let port: String = digits.chars().take_while(char::is_ascii_digit).collect();
        port.parse().expect("a port")
    }

    /// Takes what the program writes until `bytes` were among it.
    pub(crate) fn wait_for_bytes(&mut self, bytes: &str) {
        while !String::from_utf8_lossy(&self.raw).contains(bytes) {
            let more = self.output.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("waited for {bytes:?}"));
            self.screen.process(&more);
            self.raw.extend(more);
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("writable");
        self.keys.flush().expect("writable");
    }

    /// Takes what the program writes until the screen is as wanted.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let shown = self.screen.screen().contents();
            if wanted(&shown) {
                return shown;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            let bytes =
                self.output.recv_timeout(left).unwrap_or_else(|_| panic!("waited for {what}:\n{shown}"));
            self.screen.process(&bytes);
            self.raw.extend(bytes);
        }
    }

    /// A file in the folder it runs in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn resize(&mut self, width: u16, height: u16) {
        self.screen.screen_mut().set_size(size_of(height), size_of(width));
        self.master
            .resize(PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 })
            .expect("resizable");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.process_id().expect("running").to_string();
        let status = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end; the exit code, and everything that was written.
    pub(crate) fn end(mut self) -> (u32, String) {
        let code = self.child.wait().expect("ends").exit_code();
        // With the program gone nobody holds the other end, and the reader stops by itself.
        while let Ok(bytes) = self.output.recv() {
            self.raw.extend(bytes);
        }
        assert_eq!(modes_of(&*self.master), self.modes, "the terminal's own modes are back");
        (code, String::from_utf8_lossy(&self.raw).into_owned())
    }
}

fn size_of(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a terminal has cells")
}

/// The modes the console sets are undone, and undone last.
#[track_caller]
fn check_restored(raw: &str, how: &str) {
    for (set, undone) in [
        ("\u{1b}[?1049h", "\u{1b}[?1049l"),
        ("\u{1b}[?2004h", "\u{1b}[?2004l"),
        ("\u{1b}[?25l", "\u{1b}[?25h"),
    ] {
        let set = raw.rfind(set).unwrap_or_else(|| panic!("{how}: {set:?} was never set"));
        let undone = raw.rfind(undone);
        assert!(undone.is_some_and(|undone| undone > set), "{how}: {set} is not undone");
    }
}

const EVENTS: &str = r#"[{"type":"error","subtype":"javascript","message":"boom","session-id":"s1"},
    {"type":"metric","subtype":"api-call","url":"/api/users","method":"GET","status":200,"duration-ms":12,"session-id":"s1"},
    {"type":"log","level":"info","message":"calm","session-id":"s2"}]"#;

#[test]
fn a_user_sees_types_drills_exports_and_quits() {
    let (mut terminal, port) = Terminal::console(120, 36);
    post_to(port, EVENTS);
    terminal.wait("three events", |screen| screen.contains("boom") && screen.contains("calm"));
    terminal.press("/level:error\r");
    terminal.wait("errors only", |screen| screen.contains("1 of 3") && !screen.contains("calm"));
    terminal.press("k");
    terminal.wait("a held row with its detail", |screen| screen.contains("held") && screen.contains("data"));
    terminal.press("X3");
    terminal.wait("the endpoint", |screen| screen.contains("/api/users") && screen.contains("p99"));
    terminal.press("2");
    terminal.wait("the group", |screen| screen.contains("1 group"));
    terminal.press("4");
    terminal.wait("both sessions", |screen| screen.contains("s1") && screen.contains("s2"));
    terminal.press("6");
    terminal.wait("the books", |screen| screen.contains("= received"));
    terminal.press("?");
    terminal.wait("the keys", |screen| screen.contains("edit the filter"));
    terminal.press("q1e");
    terminal.wait("the question", |screen| screen.contains("the 3 events shown"));
    terminal.press("\u{15}out.jsonl");
    terminal.wait("the path is looked at", |screen| screen.contains("new file, folder writable"));
    terminal.press("\r");
    terminal.wait("the answer", |screen| screen.contains("wrote 3 events"));
    let written = std::fs::read_to_string(terminal.folder.path().join("out.jsonl")).expect("written");
    assert_eq!(written.lines().count(), 3);
    for line in written.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a JSON line");
    }
    for (width, height) in [(80, 24), (40, 8), (30, 5), (120, 36)] {
        terminal.resize(width, height);
        let small = width < 40 || height < 8;
        terminal.wait("the new size", |screen| {
            if small { screen.contains("taillight") } else { screen.contains("3 events") }
        });
    }
    terminal.press("q");
    terminal.wait("the question before quitting", |screen| screen.contains("q again quits"));
    terminal.press("q");
    let (code, raw) = terminal.end();
    assert_eq!(code, 0);
    check_restored(&raw, "q");
}

#[test]
fn a_console_that_records_says_where_and_ends_at_once() {
    let (mut terminal, port) = Terminal::console_with(&["--record", "all.jsonl"], 120, 36);
    terminal
        .wait("where it is written", |screen| screen.contains("Each is written to all.jsonl as it comes"));
    post_to(port, r#"{"type":"log","level":"info","message":"kept"}"#);
    terminal.wait("the event", |screen| screen.contains("kept"));
    terminal.press("q");
    assert_eq!(terminal.end().0, 0, "nothing would be lost");
}

#[test]
fn what_is_copied_goes_through_the_terminal_and_is_said() {
    let (mut terminal, port) = Terminal::console(120, 36);
    post_to(port, EVENTS);
    terminal.wait("three events", |screen| screen.contains("boom") && screen.contains("calm"));
    terminal.press("ky");
    terminal.wait("the letters", |screen| screen.contains("m message"));
    terminal.press("m");
    terminal.wait("what was done", |screen| screen.contains("copied message, 4 bytes (OSC 52)"));
    terminal.press("qq");
    let (code, raw) = terminal.end();
    assert_eq!(code, 0);
    assert!(raw.contains("\u{1b}]52;c;Y2FsbQ==\u{7}"), "the base64 of calm");
}

#[test]
fn the_title_tells_new_errors_and_the_mouse_is_given_back() {
    let (mut terminal, port) = Terminal::console(120, 36);
    post_to(port, EVENTS);
    terminal.wait("three events", |screen| screen.contains("boom") && screen.contains("calm"));
    terminal.press("M");
    terminal.wait("the mouse is on", |screen| screen.contains("mouse on"));
    // A click on the tab of the sessions (SGR: button 0 at column 46 of row 1), and its release.
    terminal.press("\u{1b}[<0;46;1M\u{1b}[<0;46;1m");
    terminal.wait("another screen", |screen| !screen.contains("[1 Stream]"));
    terminal.press("qq");
    let (code, raw) = terminal.end();
    assert_eq!(code, 0);
    assert!(raw.contains("taillight · 1 new error"), "the title");
    let title = raw.rfind("\u{1b}[22;2t").zip(raw.rfind("\u{1b}[23;2t"));
    assert!(title.is_some_and(|(kept, back)| kept < back), "the title of before comes back");
    check_restored(&raw, "q");
    for (set, undone) in [("\u{1b}[?1000h", "\u{1b}[?1000l"), ("\u{1b}[?1006h", "\u{1b}[?1006l")] {
        assert!(raw.rfind(undone) > raw.rfind(set) && raw.contains(set), "{set} is not undone");
    }
}

#[test]
fn the_terminal_is_asked_for_its_background_and_keys_stay_keys() {
    for (answer, shown, absent) in [
        // Orange of 16 million on a dark background, red on a light one; the terminal's own red without an answer.
        ("\u{1b}]11;rgb:1e1e/1e1e/2e2e\u{1b}\\\u{1b}[?62c", "38;2;255;122;89", "38;5;1;"),
        ("\u{1b}]11;rgb:ffff/ffff/ffff\u{7}\u{1b}[?62c", "38;2;179;38;30", "38;5;1;"),
        ("\u{1b}[?62c", "38;5;1;", "38;2;"),
    ] {
        let options = ["--port", "0"];
        let mut terminal = Terminal::start_as(
            env!("CARGO_BIN_EXE_taillight"),
            &options,
            (120, 30),
            &[("COLORTERM", "truecolor")],
        );
        terminal.wait_for_bytes("\u{1b}]11;?");
        // A key before the answer is a key; what is left of an answer is none.
        terminal.press(&format!("2{answer}"));
        let port = terminal.port();
        terminal.wait("the key counts", |screen| screen.contains("[2 Errors"));
        post_to(port, EVENTS);
        terminal.wait("the error", |screen| screen.contains("boom"));
        terminal.press("qq");
        let (code, raw) = terminal.end();
        assert_eq!(code, 0, "{answer:?}");
        assert!(raw.contains(shown) && !raw.contains(absent), "{answer:?}: {shown}, not {absent}");
        check_restored(&raw, answer);
    }
}

#[test]
fn an_answer_that_comes_too_late_is_not_typed() {
    let (mut terminal, port) = Terminal::console(100, 30);
    terminal.press("\u{1b}]11;rgb:3131/3131/3131\u{1b}\\");
    terminal.press("/boom\r");
    terminal.wait("the filter alone", |screen| screen.contains("/ boom"));
    post_to(port, EVENTS);
    terminal.wait("the error", |screen| screen.contains("1 of 3"));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let (mut terminal, _) = Terminal::console(120, 36);
    // Whatever is still on its way comes within a frame or two; then the clock ticks, and nothing else.
    while terminal.output.recv_timeout(Duration::from_millis(1_500)).is_ok() {}
    let more = terminal.output.recv_timeout(Duration::from_secs(4));
    assert!(more.is_err(), "{:?}", more.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    terminal.press("2");
    terminal.wait("a key is drawn", |screen| screen.contains("[2 Errors"));
    terminal.press("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_suspended_console_gives_the_terminal_back_and_takes_it_again() {
    // Only a shell with job control lets a job be stopped.
    let run = format!(
        "'{}' --port 0; echo was stopped; read line; fg; echo over $?",
        env!("CARGO_BIN_EXE_taillight")
    );
    let mut terminal = Terminal::start("bash", &["--norc", "-mc", &run], 120, 30);
    let port = terminal.port();
    post_to(port, EVENTS);
    terminal.wait("the events", |screen| screen.contains("calm"));
    terminal.press("\u{1a}");
    terminal
        .wait("the user's own screen", |screen| screen.contains("was stopped") && !screen.contains("calm"));
    terminal.press("\r");
    terminal.wait("the console again", |screen| screen.contains("calm") && !screen.contains("was stopped"));
    terminal.press("2");
    terminal.wait("keys count", |screen| screen.contains("[2 Errors"));
    terminal.press("qq");
    terminal.wait("the end", |screen| screen.contains("over 0"));
    let (_, raw) = terminal.end();
    check_restored(&raw, "after a suspension");
}

/// Where files of settings and state go differs elsewhere.
#[cfg(target_os = "linux")]
#[test]
fn filters_typed_and_saved_are_kept_in_files() {
    let (mut terminal, port) = Terminal::console(120, 36);
    post_to(port, EVENTS);
    terminal.wait("three events", |screen| screen.contains("boom") && screen.contains("calm"));
    terminal.press("/lev");
    terminal.wait("candidates with counts", |screen| screen.contains("in order") && screen.contains("level"));
    terminal.press("\u{15}level:error\rFnbooms\r");
    terminal.wait("it is saved", |screen| screen.contains("saved booms in"));
    terminal.wait("and counted", |screen| {
        screen.lines().any(|line| line.contains("booms") && line.trim_end().ends_with('1'))
    });
    let home = terminal.folder.path();
    let read = |path: &str| std::fs::read_to_string(home.join(path)).expect(path);
    assert_eq!(read(".config/taillight/config.toml"), "[filters]\nbooms = \"level:error\"\n");
    assert!(read(".local/state/taillight/history").ends_with("\tlevel:error\n"));
    terminal.press("\u{1b}");
    terminal.wait("the list is closed", |screen| !screen.contains("saved filters"));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    for (how, code) in [("keys", 0), ("TERM", 143), ("HUP", 129)] {
        let (mut terminal, port) = Terminal::console(80, 24);
        post_to(port, EVENTS);
        terminal.wait("the events", |screen| screen.contains("calm"));
        match how {
            "keys" => {
                terminal.press("\u{3}");
                terminal.wait("the question", |screen| screen.contains("q again quits"));
                terminal.press("\u{3}");
            }
            name => terminal.signal(name),
        }
        let (ended, raw) = terminal.end();
        assert_eq!(ended, code, "{how}");
        check_restored(&raw, how);
    }
}

/// Set for the copy of this test program that panics.
const PANIC: &str = "TAILLIGHT_TEST_PANIC";

#[test]
fn the_terminal_is_given_back_after_a_panic_on_any_thread() {
    let this = std::env::current_exe().expect("known");
    for (thread, fails) in [("drawing", true), ("another", false)] {
        let run = format!("'{}' --exact --nocapture pty::panics_when_told_to", this.display());
        let terminal = Terminal::start("sh", &["-c", &format!("{PANIC}={thread} exec {run}")], 80, 24);
        let (code, raw) = terminal.end();
        assert_eq!(code != 0, fails, "{thread}");
        check_restored(&raw, thread);
        let message = raw.rfind("the screen is mine").expect("the message is shown");
        assert!(
            message > raw.rfind("\u{1b}[?1049l").unwrap_or(0),
            "{thread}: and shown on the user's own screen"
        );
    }
}

/// The inner half of the test above; by itself it does nothing.
#[test]
fn panics_when_told_to() {
    let Some(thread) = std::env::var_os(PANIC) else { return };
    let _screen = taillight::ui::TerminalScreen::enter().expect("a terminal");
    if thread == "drawing" {
        panic!("the screen is mine");
    }
    let other = std::thread::spawn(|| panic!("the screen is mine"));
    assert!(other.join().is_err());
}

#[test]
fn sessions_name_the_browser_that_the_handshake_named() {
    let program = env!("CARGO_BIN_EXE_taillight");
    let mut terminal = Terminal::start(program, &["demo", "--port", "0"], 150, 36);
    terminal.wait("events", |screen| screen.contains("following"));
    terminal.press("4");
    for browser in ["Chrome 138 · macOS", "Firefox 140 · Linux", "Chrome 138 · Android"] {
        terminal.wait(browser, |screen| screen.contains(browser));
    }
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn the_first_screen_plays_and_looks_why_nothing_arrives() {
    let (mut terminal, port) = Terminal::console(100, 36);
    terminal.press("w");
    let listening = format!("taillight is listening on {port}");
    let screen = terminal.wait("what was found", |screen| screen.contains(&listening));
    assert!(
        screen.contains("no page is connected") && screen.contains("Content-Security-Policy"),
        "{screen}"
    );
    terminal.press("d");
    terminal.wait("made-up browsers", |screen| screen.contains("following") && screen.contains("3 tabs"));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn reading_a_long_recording_says_how_far_it_is_and_can_be_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    // A pipe is a recording that ends when the test wants it to.
    let pipe = folder.path().join("pipe.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let (stopped, is_stopped) = channel::<()>();
    let path = pipe.clone();
    let writer = std::thread::spawn(move || {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(path).expect("opened");
        let mut written = 0;
        while is_stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            let line = format!(
                r#"{{"inst":1769870000000,"id":"browser/log","level":"info","msg":"line {written}"}}"#
            );
            // Once it is stopped nobody reads any more.
            if writeln!(pipe, "{line}").is_err() {
                break;
            }
            written += 1;
        }
        written
    });
    let pipe = pipe.to_str().expect("text");
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_taillight"), &["open", pipe], 100, 24);
    terminal.wait("how far it is", |screen| {
        screen.contains("reading ") && screen.contains("B so far   Esc cancels")
    });
    terminal.press("\x1b");
    let screen = terminal.wait("that it stopped", |screen| screen.contains("stopped reading after "));
    assert!(!screen.contains("so far"), "{screen}");
    drop(stopped);
    assert!(writer.join().expect("written") > 0);
    terminal.press("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn what_of_a_recording_could_not_be_read_is_told_on_the_screen() {
    let file = |lines: &str| {
        let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().expect("a file");
        file.write_all(lines.as_bytes()).expect("writable");
        file
    };
    for (lines, expected) in
        [("{\"message\":\"fine\"}\nnonsense\n[]\n", "1 event"), ("nonsense\n[]\n", "No events in ")]
    {
        let file = file(lines);
        let path = file.path().to_str().expect("text");
        let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_taillight"), &["open", path], 120, 24);
        let screen =
            terminal.wait("what was skipped", |screen| screen.contains("skipped 2 unreadable lines: "));
        assert!(screen.contains(expected) && !screen.contains("listening"), "{screen}");
        terminal.press("q");
        terminal.end();
    }
}

#[test]
fn what_was_taken_out_of_a_recording_is_counted() {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().expect("a file");
    file.write_all(b"{\"type\":\"log\",\"token\":\"x\",\"pwd\":\"y\"}\n").expect("writable");
    let path = file.path().to_str().expect("text");
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_taillight"), &["open", path], 120, 30);
    terminal.wait("the event", |screen| screen.contains("1 event"));
    terminal.press("6");
    terminal.wait("the count", |screen| screen.contains("2 redacted"));
    terminal.press("q");
    terminal.end();
}

#[test]
fn a_large_export_says_how_far_it_is_and_leaves_nothing_when_it_is_cancelled() {
    let mut recorded = tempfile::Builder::new().suffix(".jsonl").tempfile().expect("a file");
    for at in 0..60_000 {
        let line = r#"{"inst":1769870000000,"id":"browser/log","level":"info","msg":"line"#;
        writeln!(recorded, r#"{line} {at}"}}"#).expect("writable");
    }
    recorded.flush().expect("written");
    let path = recorded.path().to_str().expect("text");
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_taillight"), &["open", path], 120, 24);
    terminal.wait("how far it is", |screen| screen.contains("reading ") && screen.contains(" % "));
    terminal.wait("all of it", |screen| screen.contains("60,000 events") && !screen.contains("reading "));
    terminal.press("e");
    terminal.wait("the dialog", |screen| screen.contains("new file, folder writable"));
    terminal.press("\r");
    terminal.wait("how far it is", |screen| {
        screen.contains("exporting ") && screen.contains(" of 60,000 events   Esc cancels")
    });
    terminal.press("\x1b");
    terminal.wait("that it is cancelled", |screen| screen.contains(" cancelled: `taillight-"));
    let folder = std::mem::replace(&mut terminal.folder, tempfile::tempdir().expect("a folder"));
    let left = || {
        let left = std::fs::read_dir(folder.path()).expect("readable").flatten().map(|file| file.path());
        left.filter(|path| path.to_string_lossy().contains("taillight-")).collect::<Vec<_>>()
    };
    assert_eq!(left(), Vec::<PathBuf>::new());
    // Whoever quits meanwhile gets the whole of it.
    terminal.press("e");
    terminal.wait("the dialog", |screen| screen.contains("new file, folder writable"));
    terminal.press("\r");
    terminal.wait("how far it is", |screen| screen.contains("exporting "));
    terminal.press("q");
    let (code, raw) = terminal.end();
    assert!(code == 0 && raw.contains("taillight: an export is being finished"), "{code}");
    let [written] = &left()[..] else { panic!("{:?}", left()) };
    let lines = std::fs::read_to_string(written).expect("readable");
    assert_eq!(lines.lines().count(), 60_000);
}

#[test]
fn a_live_page_is_asked_how_it_is_and_its_answer_is_shown() {
    let (mut terminal, port) = Terminal::console(100, 30);
    let mut page = Socket::open(port);
    assert_eq!(page.hello("page-1", 1)["t"], "welcome");
    page.send(r#"{"t":"batch","seq":1,"events":[{"type":"log","message":"here"}]}"#);
    assert_eq!(page.receive()["t"], "ack");
    terminal.wait("the event", |screen| screen.contains("here"));
    terminal.press("D");
    let request = page.receive();
    assert_eq!((&request["t"], &request["kind"]), (&"request".into(), &"diagnostics".into()));
    let id = request["id"].as_str().expect("a number");
    page.send(&format!(
        r#"{{"t":"reply","id":"{id}","data":{{"title":"Shop","viewport":{{"width":1280}},"password":"hunter2"}}}}"#
    ));
    let shown = terminal.wait("the answer", |screen| screen.contains("taillight/diagnostics"));
    assert!(shown.contains("the page says how it is: Shop") && !shown.contains("hunter2"), "{shown}");
    // A number that was answered is not open any more.
    page.send(&format!(r#"{{"t":"reply","id":"{id}","data":{{}}}}"#));
    assert_eq!(page.receive()["t"], "error");
    terminal.press("q");
    terminal.wait("the stream again", |screen| screen.contains("following"));
}
