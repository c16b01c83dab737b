//! What is drawn when, and what is left when the screen fails: the console on a terminal of its own, in a copy of this test
//! program.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use clap::Parser as _;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::console::{Input, Source, of_advice, of_matches, show};
use super::crash::tests::snapshot;
use super::kept::Kept;
use super::pace::Urgency;
use crate::alerts::Board;
use crate::cli::{Cli, Command};
use crate::counters::Counters;
use crate::published::Published;
use crate::scan::{Advice, Matches};
use crate::store::Snapshot;
use crate::ui::Facts;

/// Set for the copy of this program that fails, and for the one that opens what was saved.
const FAILS: &str = "TAILLIGHT_TEST_FAILS";
const OPENS: &str = "TAILLIGHT_TEST_OPENS";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_was_asked_for_is_drawn_at_once_and_what_goes_on_with_the_next_frame() {
    let of = |id, total, is_done: bool| {
        let snapshot = Arc::new(Snapshot { end: 9, ..Snapshot::default() });
        Arc::new(Matches { id, total, snapshot, scanned: if is_done { 9 } else { 0 }, ..Matches::default() })
    };
    let seen = of(1, 4, true);
    assert_eq!(of_matches(&seen, &seen), Urgency::Never);
    for (seen, newest, expected) in [
        (of(1, 4, true), of(1, 5, true), Urgency::Frame),
        (of(1, 4, true), of(2, 0, false), Urgency::Now),
        (of(2, 0, false), of(2, 3, false), Urgency::Now),
        (of(2, 0, false), of(2, 0, true), Urgency::Now),
        (of(2, 0, false), of(2, 0, false), Urgency::Frame),
        (of(2, 3, false), of(2, 9, true), Urgency::Frame),
    ] {
        assert_eq!(of_matches(&seen, &newest), expected, "{seen:?} {newest:?}");
    }
    let asked = |id| Arc::new(Advice { id, ..Advice::default() });
    let seen = asked(1);
    assert_eq!(of_advice(&seen, &seen), Urgency::Never);
    assert_eq!(of_advice(&seen, &asked(1)), Urgency::Frame);
    assert_eq!(of_advice(&seen, &asked(2)), Urgency::Now);
}

fn cli(args: &[&str]) -> Cli {
    Cli::try_parse_from(["taillight"].iter().chain(args)).expect("arguments")
}

/// The inner half of the test below, which by itself does nothing: a console that fails once.
#[test]
fn fails_when_told_to() {
    if std::env::var_os(FAILS).is_none() {
        return;
    }
    let source = Source {
        snapshots: Arc::new(Published::new(snapshot())),
        counters: Arc::new(Counters::default()),
        alerts: Arc::new(Published::new(Board::default())),
        facts: Facts { address: "127.0.0.1:1".to_owned(), ..Facts::default() },
        maps: None,
        asks: None,
        sinks: None,
        feeding: None,
        demo: None,
    };
    let kept = Kept::read(&cli(&[]).common).expect("settings");
    let code = show(&source, "", kept, |input| input.send(Input::Fail).map_err(std::io::Error::other));
    assert_eq!(code.expect("it ends"), 0);
}

/// The other inner half: `taillight open`.
#[test]
fn opens_when_told_to() {
    let Some(path) = std::env::var_os(OPENS) else { return };
    let cli = cli(&["open", &path.to_string_lossy()]);
    let kept = Kept::read(&cli.common).expect("settings");
    let Some(Command::Open(open)) = cli.command else { panic!("open") };
    assert_eq!(super::open::run(kept, &open).expect("it ends"), 0);
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("some")
}

/// Runs one of the tests above on a terminal until `wanted` is on it, presses `keys`, and gives the screen and all that
/// was written.
fn on_a_terminal(
    test: &str,
    variable: (&str, &str),
    home: &Path,
    wanted: &str,
    keys: &str,
) -> (String, String) {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(std::env::current_exe().expect("known"));
    command.args(["--exact", "--nocapture", &format!("run::console_tests::{test}")]);
    for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMUX", "NO_COLOR", "LC_ALL"] {
        command.env_remove(name);
    }
    for (name, value) in
        [("HOME", &*home.to_string_lossy()), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), variable]
    {
        command.env(name, value);
    }
    command.cwd(home);
    let mut child = pair.slave.spawn_command(command).expect("it starts");
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().expect("readable");
    let mut writer = pair.master.take_writer().expect("writable");
    let (sender, output) = channel();
    let reading = thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = reader.read(&mut bytes) {
            if sender.send(bytes[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    let (mut screen, mut raw) = (vt100::Parser::new(cells(24), cells(80), 0), Vec::new());
    while !screen.screen().contents().contains(wanted) {
        let shown = || screen.screen().contents();
        let bytes =
            output.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("waited for {wanted}:\n{}", shown()));
        screen.process(&bytes);
        raw.extend(bytes);
    }
    let shown = screen.screen().contents();
    writer.write_all(keys.as_bytes()).expect("writable");
    assert!(child.wait().expect("ends").success(), "{shown}");
    drop((writer, pair.master));
    reading.join().expect("read");
    output.try_iter().for_each(|bytes| raw.extend(bytes));
    (shown, String::from_utf8_lossy(&raw).into_owned())
}

fn left(home: &Path, ending: &str) -> PathBuf {
    let folder = home.join(".local/state/taillight");
    let files =
        std::fs::read_dir(&folder).expect("a state folder").map_while(Result::ok).map(|file| file.path());
    let is_it = |path: &PathBuf| {
        path.to_string_lossy().contains("crash") && path.extension().is_some_and(|own| own == ending)
    };
    files.into_iter().find(is_it).expect("a file")
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_screen_is_begun_anew_and_leaves_a_report_and_the_events() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    // The events are on the second screen too, and `q` asks once as they are in memory only.
    let (shown, raw) = on_a_terminal("fails_when_told_to", (FAILS, "1"), home, "begun anew", "qq");
    assert!(shown.contains("last word") && shown.contains("following"), "{shown}");
    assert!(raw.rfind("\u{1b}[?1049l") > raw.rfind("\u{1b}[?1049h"), "the terminal is given back");
    assert!(raw.matches("\u{1b}[?1049h").count() == 2, "the screen was taken twice");
    let report = std::fs::read_to_string(left(home, "txt")).expect("a report");
    assert!(report.contains("the screen is mine"), "{report}");
    let events = left(home, "jsonl");
    let (shown, _) =
        on_a_terminal("opens_when_told_to", (OPENS, &events.to_string_lossy()), home, "last word", "q");
    assert!(shown.contains("first word") && shown.contains("2 events"), "{shown}");
}
