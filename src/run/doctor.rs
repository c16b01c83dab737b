//! `taillight doctor`: what stands between a page and the console, one line each, with what to do about it.
//!
//! Called by `run`. It looks and changes nothing: a port that is free is let go of at once, a running taillight is
//! only asked how it is.

use std::io::{self, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::kept::Kept;
use super::{clipboard, code, is_utf8_locale, print, state_folder, use_color};
use crate::config::Settings;
use crate::event::gate;
use crate::ingest::holder_of;
use crate::sinks;

/// How long a program on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer that are looked at.
const MAX_ANSWER: u64 = 64 * 1024;
/// Columns of a check's name.
const NAME: usize = 11;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    /// It works, but not as well as it could.
    Note,
    /// Events cannot arrive, or the console cannot be used.
    Wrong,
}

/// One check: what was found, and what to do.
struct Finding {
    name: &'static str,
    state: State,
    found: String,
    todo: String,
}

fn finding(name: &'static str, state: State, found: impl Into<String>, todo: impl Into<String>) -> Finding {
    Finding { name, state, found: found.into(), todo: todo.into() }
}

/// Prints every check; 1 if something is wrong.
pub(super) fn run(kept: &Kept) -> anyhow::Result<u8> {
    let settings = &kept.settings;
    let mut findings = vec![of_settings(kept)];
    findings.extend(of_secrets(settings));
    findings.push(of_state());
    findings.extend(of_port(settings));
    findings.extend([
        of_proxy(),
        of_clock(),
        of_terminal(),
        of_colours(settings),
        of_glyphs(),
        of_clipboard(),
    ]);
    findings.extend(of_tmux());
    let is_wrong = findings.iter().any(|finding| finding.state == State::Wrong);
    let text: String = findings.iter().map(|finding| line(finding, is_utf8_locale())).collect();
    print(text.as_bytes())?;
    Ok(if is_wrong { code::NOTHING } else { code::FINE })
}

/// Why nothing arrives at the taillight that listens on `address`, line by line: what [`run`] would say of it, with its `tag`, which
/// carries the page key.
pub(super) fn why(address: SocketAddr, tag: &str) -> Vec<String> {
    let mut findings = of_holder(address, Some(tag));
    findings.extend([of_proxy(), of_clock()]);
    let text: String = findings.iter().map(|finding| line(finding, is_utf8_locale())).collect();
    text.lines().map(str::to_owned).collect()
}

fn line(finding: &Finding, is_utf8: bool) -> String {
    let mark = match (finding.state, is_utf8) {
        (State::Fine, true) => "✓",
        (State::Wrong, true) => "✗",
        (State::Note, _) => "!",
        (State::Fine, false) => "ok",
        (State::Wrong, false) => "x",
    };
    let mut text = format!("{mark:2} {:NAME$}{}\n", finding.name, gate::plain(&finding.found));
    for line in finding.todo.lines() {
        text.push_str(&format!("   {:NAME$}{}\n", "", gate::plain(line)));
    }
    text
}

fn of_settings(kept: &Kept) -> Finding {
    match kept.mistakes() {
        0 => finding("settings", State::Fine, "no mistakes in them", ""),
        count => finding(
            "settings",
            State::Note,
            format!("{count} of them cannot be used (above)"),
            "`taillight config` shows what counts instead",
        ),
    }
}

/// Secrets of sinks that are not where they are said to be; whether they are right only their receivers know.
fn of_secrets(settings: &Settings) -> Vec<Finding> {
    let lost = |(sink, origin): &(sinks::Setting, String)| -> Vec<Finding> {
        let say = |(key, why): (&str, String)| {
            let todo = format!("{origin} says where it is; nothing is written there without it");
            finding("sink", State::Note, format!("sinks.{}: {key}: {why}", sink.name), todo)
        };
        sink.values.lost_secrets().map(say).collect()
    };
    settings.sinks.iter().flat_map(lost).collect()
}

fn of_state() -> Finding {
    let kept = state_folder().and_then(|folder| Ok((tempfile::tempfile_in(&folder)?, folder)));
    match kept {
        Ok((_, folder)) => finding("state", State::Fine, format!("kept in {}", folder.display()), ""),
        Err(error) => {
            let what = format!("nothing can be kept, the page key holds for one run: {error:#}");
            finding("state", State::Note, what, "make it a folder you may write in, or set HOME to one")
        }
    }
}

/// Whether the port is free, taillight's own, or somebody else's; and whether a page would reach it.
fn of_port(settings: &Settings) -> Vec<Finding> {
    let address = SocketAddr::new(settings.bind, settings.port);
    let port = settings.port;
    match TcpListener::bind(address) {
        Ok(_) => {
            let todo = "start `taillight`, then run this again while a page is open";
            vec![finding("port", State::Fine, format!("{port} is free"), todo)]
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => of_holder(address, None),
        Err(error) => {
            let todo = "choose another with --bind and --port";
            vec![finding("port", State::Wrong, format!("cannot listen on {address}: {error}"), todo)]
        }
    }
}

fn of_holder(address: SocketAddr, tag: Option<&str>) -> Vec<Finding> {
    let port = address.port();
    let Some(health) = ask(address, "/healthz").filter(|health| health.contains("\"uptime_s\"")) else {
        let holder =
            holder_of(port).map(|one| format!(" by {} (pid {})", one.name, one.pid)).unwrap_or_default();
        let todo = "stop it, or start with `--port N` and change the port in the tag too";
        return vec![finding("port", State::Wrong, format!("{port} is taken{holder}"), todo)];
    };
    let health: serde_json::Value = serde_json::from_str(&health).unwrap_or_default();
    let number = |place: &str| health.pointer(place).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let (connections, received) = (number("/connections"), number("/ingest/received"));
    let found = format!("taillight is listening on {port}");
    let mut findings = vec![finding("port", State::Fine, found, "")];
    findings.push(if ask(address, "/taillight.js").is_some_and(|client| client.contains("taillight")) {
        finding("client", State::Fine, format!("http://127.0.0.1:{port}/taillight.js answers"), "")
    } else {
        finding("client", State::Wrong, "the browser client does not answer", "restart taillight")
    });
    findings.push(if connections > 0 {
        finding("page", State::Fine, format!("{connections} connected, {received} events received"), "")
    } else {
        let plain = || format!("<script src=\"http://127.0.0.1:{port}/taillight.js\"></script>");
        let (tag, with_key) = match tag {
            Some(tag) => (tag.to_owned(), "this tag, which has the page key"),
            None => (plain(), "the tag with the page key, which the first screen shows"),
        };
        let todo = format!(
            "put {tag} first in <head> and reload\n\
             a Content-Security-Policy must allow http://127.0.0.1:{port} in script-src, and in connect-src also ws://127.0.0.1:{port}\n\
             an ad blocker may block it, and Safari blocks it on https pages: see the browser's own console\n\
             pages of other hosts and of file:// need --allow-origin or {with_key}: `6` in the console lists who was refused"
        );
        finding("page", State::Note, format!("no page is connected, {received} events received"), todo)
    });
    findings
}

/// The body of an answer of the program on this machine's port.
fn ask(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", address.port());
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // What came before it stalled is still looked at.
    let _ = stream.take(MAX_ANSWER).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

fn of_proxy() -> Finding {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let proxy = set("http_proxy").or_else(|| set("HTTP_PROXY"));
    let spared = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
    match proxy {
        Some(_) if !spared.contains("127.0.0.1") && !spared.contains("localhost") && spared != "*" => {
            finding(
                "proxy",
                State::Note,
                "a proxy is set, and this machine is not left out of it",
                "browsers that follow it do not reach 127.0.0.1: add it to no_proxy",
            )
        }
        _ => finding("proxy", State::Fine, "none stands before 127.0.0.1", ""),
    }
}

/// The clock cannot be before the program was made.
fn of_clock() -> Finding {
    let now = crate::ingest::now();
    let made = std::env::current_exe().and_then(std::fs::metadata).and_then(|known| known.modified());
    let made = made.ok().and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok());
    let is_behind = made.is_some_and(|made| i128::from(now.0) + 1_000 < made.as_millis() as i128);
    if is_behind {
        finding(
            "clock",
            State::Note,
            format!("{now} is before this program was made"),
            "set the clock: times of events are compared with it",
        )
    } else {
        finding("clock", State::Fine, format!("{now}"), "")
    }
}

fn of_terminal() -> Finding {
    let term = std::env::var("TERM").unwrap_or_default();
    let size = crossterm::terminal::size().ok();
    match (io::stdout().is_terminal(), term.as_str(), size) {
        (false, ..) => {
            finding("terminal", State::Note, "standard output is none", "for pipes use `taillight tail`")
        }
        (_, "" | "dumb", _) => {
            finding("terminal", State::Wrong, format!("TERM is `{term}`"), "set TERM, such as xterm-256color")
        }
        (_, _, Some((width, height))) if width < 40 || height < 8 => {
            finding("terminal", State::Note, format!("{term}, {width}x{height}"), "it takes 40x8 at least")
        }
        (_, _, Some((width, height))) => {
            finding("terminal", State::Fine, format!("{term}, {width}x{height}"), "")
        }
        (_, _, None) => finding("terminal", State::Fine, term, ""),
    }
}

fn of_colours(settings: &Settings) -> Finding {
    let why =
        if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) { " (NO_COLOR)" } else { "" };
    let found = if use_color(settings.color, &io::stdout()) {
        "the terminal's own".to_owned()
    } else {
        format!("none: bold, underline and reverse only{why}")
    };
    finding("colours", State::Fine, found, "")
}

fn of_glyphs() -> Finding {
    if is_utf8_locale() {
        finding(
            "glyphs",
            State::Fine,
            "blocks ▁▂▃▄▅▆▇█, lines ─│, marks ●○✓✗…",
            "boxes in their place? start with --ascii",
        )
    } else {
        finding("glyphs", State::Note, "ASCII: the locale is not UTF-8", "set LANG, such as C.UTF-8")
    }
}

fn of_clipboard() -> Finding {
    let around = clipboard::Around::of_environment();
    match (around.is_tmux, around.is_ssh) {
        (true, _) => match tmux_option("set-clipboard").as_deref() {
            Some("off") => {
                finding("clipboard", State::Note, "tmux keeps it to itself", "tmux set -g set-clipboard on")
            }
            _ => finding("clipboard", State::Fine, "through tmux", ""),
        },
        (false, true) => finding(
            "clipboard",
            State::Fine,
            "through the terminal (OSC 52)",
            "some terminals ask for leave first",
        ),
        (false, false) => match clipboard::program() {
            Some(name) => finding("clipboard", State::Fine, format!("through {name}"), ""),
            None => finding(
                "clipboard",
                State::Fine,
                "through the terminal (OSC 52)",
                "where it does not take it: install wl-copy, xclip or xsel",
            ),
        },
    }
}

/// With its own mouse on, the wheel starts tmux's copy mode and never arrives (UX 2.2: mouse).
fn of_tmux() -> Option<Finding> {
    std::env::var_os("TMUX").filter(|value| !value.is_empty())?;
    Some(match tmux_option("mouse").as_deref() {
        Some("on") => finding(
            "tmux",
            State::Note,
            "its mouse is on: the wheel starts its copy mode",
            "press M in the console, or: tmux bind -n WheelUpPane if -F '#{||:#{alternate_on},#{mouse_any_flag}}' 'send -M' 'copy-mode -e'",
        ),
        _ => finding("tmux", State::Fine, "its mouse is off", ""),
    })
}

fn tmux_option(name: &str) -> Option<String> {
    let output =
        Command::new("tmux").args(["show-options", "-gv", name]).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_with_what_to_do_below() {
        let one = finding("port", State::Wrong, "8245 is taken\u{1b}[2J", "stop it\nor not");
        assert_eq!(
            line(&one, true),
            "✗  port       8245 is taken␛[2J\n              stop it\n              or not\n"
        );
        assert!(line(&finding("port", State::Fine, "free", ""), false).starts_with("ok port       free\n"));
    }

    #[test]
    fn a_port_is_free_taken_or_ones_own() {
        let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = holder.local_addr().expect("its address").port();
        let mut settings = Settings::default();
        settings.port = port;
        let said = of_port(&settings);
        assert!(said[0].state == State::Wrong && said[0].found.contains("is taken"), "{}", said[0].found);
        drop(holder);
        assert_eq!(of_port(&settings)[0].state, State::Fine);
    }
}
