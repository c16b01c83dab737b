//! `taillight tail`: what arrives, printed line by line, without a dashboard.
//!
//! The printer is waited for: a slow reader slows the senders down instead of losing events.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;

use super::filter::Sieve;
use super::listener::{Listener, Running};
use super::mapping::Mapping;
use super::placing::{News, Out, Placing};
use super::{TO_STDOUT, code, is_ascii, signals, use_color};
use crate::cli::{self, Format};
use crate::config::Settings;
use crate::event::{Chunk, EventRef, Level, gate, json, line};
use crate::ingest;
use crate::stack;
use crate::store;

/// Chunks that may wait for the printer.
const QUEUE: usize = 64;
/// Events that came before this much of `--for` is left are printed in time, whatever is known of their places.
const AT_THE_END: Duration = Duration::from_millis(100);
/// Columns of a message in the pretty form; the whole of it is in the other two.
const MAX_MESSAGE: usize = 2_000;

/// Prints until a count, a time, a signal or a closed pipe ends it.
pub(super) fn run(settings: &Settings, tail: &cli::Tail) -> anyhow::Result<u8> {
    let start = ingest::now();
    let wanted = Sieve::new(tail.filter.as_deref(), &settings.saved, start)?;
    let ending = match &tail.exit_on {
        Some(text) => Some(Sieve::new(Some(text), &settings.saved, start)?),
        None => None,
    };
    let (follower, mut chunks) = mpsc::channel::<Arc<Chunk>>(QUEUE);
    let listener = Listener::start(settings, Some(follower), Running::Headless)?;
    let (wake, woken) = sync_channel::<Out>(QUEUE);
    let deadline = tail.for_time.map(|time| Instant::now() + time);
    let (news, arrived) = sync_channel::<News>(QUEUE);
    let signalled = news.clone();
    signals::watch(move |code| drop(signalled.send(News::Signal(code))))?;
    let mapping = mapping(settings, &listener, news.clone())?;
    // The runtime's channel cannot be waited on with a deadline from a plain thread, so one thread passes it on.
    let passer = std::thread::Builder::new().name("tail".into()).spawn(move || {
        while let Some(chunk) = chunks.blocking_recv() {
            if news.send(News::Chunk(chunk)).is_err() {
                return;
            }
        }
        // Whoever watches for signals could still say something, so the end has to be said.
        let _ = news.send(News::Signal(code::FINE));
    })?;
    let mut placing = Placing::new(mapping.is_some());
    placing.end = deadline.map(|deadline| deadline.checked_sub(AT_THE_END).unwrap_or(deadline));
    let placer = std::thread::Builder::new()
        .name("tail-maps".into())
        .spawn(move || placing.run(&arrived, |out| wake.send(out).is_ok()))?;
    listener.announce();
    let mut printer = Printer {
        out: BufWriter::new(io::stdout().lock()),
        format: tail.format,
        color: use_color(settings.color, &io::stdout()),
        gate: gate::Gate { ascii: is_ascii(settings.glyphs), strict_cells: false },
        left: tail.number,
        printed: 0,
        wanted,
        ending,
        line: String::new(),
    };
    let ended = follow(&mut printer, &woken, deadline);
    drop(woken);
    drop(mapping);
    listener.stop();
    let _ = (passer.join(), placer.join());
    ended
}

/// The thread that maps places, which sees what the store has and tells `news` too.
fn mapping(settings: &Settings, listener: &Listener, news: SyncSender<News>) -> io::Result<Option<Mapping>> {
    let also = move |found: &[store::Mapping]| news.send(News::Mapped(found.to_vec())).is_ok();
    let mapping = Mapping::start(settings, listener, also)?;
    if let Some(mapping) = &mapping {
        let (maps, snapshots) = (mapping.handle(), Arc::downgrade(&listener.snapshots));
        listener.snapshots.on_change(move || {
            if let Some(snapshots) = snapshots.upgrade() {
                maps.see(snapshots.get());
            }
        });
    }
    Ok(mapping)
}

fn follow(
    printer: &mut Printer<impl Write>,
    woken: &std::sync::mpsc::Receiver<Out>,
    deadline: Option<Instant>,
) -> anyhow::Result<u8> {
    loop {
        let wait =
            deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        match woken.recv_timeout(wait) {
            Ok(Out::Chunk(chunk)) => {
                if let Some(code) = printer.chunk(&chunk).context(TO_STDOUT)? {
                    return Ok(code);
                }
            }
            Ok(Out::Signal(code)) => return Ok(code),
            Err(RecvTimeoutError::Timeout) if printer.ending.is_some() => return Ok(code::TIMED_OUT),
            Err(RecvTimeoutError::Timeout) if printer.printed > 0 => return Ok(code::FINE),
            Err(RecvTimeoutError::Timeout) => return Ok(code::NOTHING),
            Err(RecvTimeoutError::Disconnected) => return Ok(code::FINE),
        }
    }
}

struct Printer<W> {
    out: W,
    format: Format,
    color: bool,
    gate: gate::Gate,
    left: Option<u64>,
    printed: u64,
    wanted: Sieve,
    /// What to end on, if anything.
    ending: Option<Sieve>,
    line: String,
}

impl<W: Write> Printer<W> {
    /// Prints what is wanted of `chunk`; a code once there is nothing more to wait for.
    fn chunk(&mut self, chunk: &Chunk) -> io::Result<Option<u8>> {
        let mut rows = Vec::new();
        self.wanted.learn(chunk, ingest::now());
        self.wanted.pick(chunk, &mut rows);
        let last = self.last_row(chunk);
        for row in rows.into_iter().take_while(|row| last.is_none_or(|last| *row <= last)) {
            self.event(chunk.event(row))?;
            if self.left == Some(0) {
                self.out.flush()?;
                // What was to be waited for did not happen before.
                let is_missed = self.ending.is_some() && last != Some(row);
                return Ok(Some(if is_missed { code::TIMED_OUT } else { code::FINE }));
            }
        }
        self.out.flush()?;
        Ok(last.map(|_| code::FINE))
    }

    /// The first row that matches what to end on.
    fn last_row(&mut self, chunk: &Chunk) -> Option<usize> {
        let ending = self.ending.as_mut()?;
        let mut rows = Vec::new();
        ending.learn(chunk, ingest::now());
        ending.pick(chunk, &mut rows);
        rows.first().copied()
    }

    fn event(&mut self, event: EventRef<'_>) -> io::Result<()> {
        self.line.clear();
        match self.format {
            Format::Jsonl => line::write(event, &mut self.line),
            Format::Logfmt => self.logfmt(event),
            Format::Pretty => self.pretty(event),
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())?;
        self.printed += 1;
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Ok(())
    }

    fn pretty(&mut self, event: EventRef<'_>) {
        let time = event.inst().to_jiff().to_zoned_datetime(jiff::tz::TimeZone::system());
        let (on, off) = if self.color { (event.level().sgr(), "\u{1b}[0m") } else { ("", "") };
        let level = event.level().name().to_uppercase();
        let id = self.gate.plain_capped(event.id(), 40);
        let msg = self.gate.plain_capped(&event.said(), MAX_MESSAGE);
        self.line.push_str(&time.strftime("%Y-%m-%d %H:%M:%S%.3f ").to_string());
        self.line.push_str(&format!("{on}{level:<6}{off} [{id}] {msg}"));
        if let Some((file, line)) = place(event) {
            self.line.push_str(&format!("  {}:{line}", self.gate.plain_capped(&file, 100)));
        }
        if event.level() >= Level::Error && !event.session().is_empty() {
            self.line.push_str(&format!("  session={}", self.gate.plain_capped(event.session(), 60)));
        }
    }

    fn logfmt(&mut self, event: EventRef<'_>) {
        let (inst, level) = (event.inst(), event.level().name());
        let place = place(event);
        self.line.push_str(&format!("inst={inst} level={level}"));
        let numbers = [
            ("duration", event.duration().map(|span| span.to_string())),
            ("status", event.status().map(|status| status.to_string())),
            ("line", place.as_ref().map(|(_, line)| line.to_string())),
        ];
        let texts = [
            ("id", event.id()),
            ("msg", event.msg()),
            ("session", event.session()),
            ("user", event.user()),
            ("endpoint", event.endpoint()),
            ("file", place.as_ref().map_or("", |(file, _)| file)),
        ];
        for (key, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            let clean = self.gate.plain(value);
            let is_bare =
                clean.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\'));
            let value = if is_bare { clean.into_owned() } else { format!("\"{}\"", escaped(&clean)) };
            self.line.push_str(&format!(" {key}={value}"));
        }
        for (key, value) in numbers {
            if let Some(value) = value {
                self.line.push_str(&format!(" {key}={value}"));
            }
        }
    }
}

/// File and line of an event: what a map named, else the first line of an error's stack that is the page's own.
fn place(event: EventRef<'_>) -> Option<(String, u32)> {
    if let Some(place) = event.place() {
        return Some((place.file.to_string(), place.line));
    }
    let stack = event.group().and_then(|_| event.get(&["stack"])).and_then(json::text)?;
    let top = stack::top_own_line(&stack)?;
    Some((top.file.to_owned(), top.line))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
