//! `taillight forget`, and where `export --user` has its events from: a person's data gone, or given out.
//!
//! Every running taillight of this user is asked over its socket; where none runs, the files and tables that the
//! settings name are seen to from here.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;

use super::control::{Question, Told, What, folder};
use super::{Usage, code, print, reading, state_folder};
use crate::cli;
use crate::config::Settings;
use crate::event::{Person, gate, line};
use crate::ingest;
use crate::pipeline::Redactor;
use crate::recording::is_zstd;
use crate::sinks::{self, Setting, forget_in, lines_in};
use crate::ui::format::counted;
use crate::wire::LineDecoder;

/// An answer may have to wait for a sink to end its write, and for large files to be rewritten.
const ANSWER_WITHIN: Duration = Duration::from_secs(900);
/// Text of one person's events that is held to be put in order.
const MAX_TEXT: usize = 1 << 30;
const TOO_MUCH: &str = "these are more than 1 GiB of events: take them file by file, with `--from FILE`";

impl cli::Who {
    fn person(&self) -> Result<Person, Usage> {
        let who = match (&self.user, &self.session) {
            (Some(user), _) => Person::User(user.clone()),
            (None, Some(session)) => Person::Session(session.clone()),
            (None, None) => Person::User(String::new()),
        };
        if who.name().is_empty() {
            return Err(Usage("say who is meant: `--user ID` or `--session ID`".to_owned()));
        }
        Ok(who)
    }
}

/// A running taillight.
struct Instance {
    pid: String,
    stream: UnixStream,
}

/// All of this user's; sockets that nobody answers any more are removed.
fn instances() -> anyhow::Result<Vec<Instance>> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder(&state_folder()?)) else { return Ok(found) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "sock")) {
        match UnixStream::connect(&path) {
            Ok(stream) => {
                let pid = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                found.push(Instance { pid, stream });
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = std::fs::remove_file(&path);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot ask {}", path.display())),
        }
    }
    Ok(found)
}

impl Instance {
    /// Asks, and gives `hear` every line of the answer but the last.
    fn ask(
        &self,
        question: &Question,
        mut hear: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let unheard = || anyhow!("taillight (pid {}) did not tell everything: is it closing?", self.pid);
        self.stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let mut asked = serde_json::to_string(question)?;
        asked.push('\n');
        (&self.stream).write_all(asked.as_bytes())?;
        for line in BufReader::new(&self.stream).lines() {
            let line = line.map_err(|_| unheard())?;
            if serde_json::from_str::<Told>(&line).is_ok_and(|told| told == Told::Done) {
                return Ok(());
            }
            hear(&line)?;
        }
        Err(unheard())
    }
}

/// The sinks that the settings name, the recording that was asked for first.
fn settings_of(settings: &Settings, files: &[PathBuf]) -> Vec<Setting> {
    if !files.is_empty() {
        return files.iter().map(|file| sinks::recorder(file)).collect();
    }
    let recorder = (!settings.record.is_empty()).then(|| sinks::recorder(settings.record.as_ref()));
    recorder.into_iter().chain(settings.sinks.iter().map(|(sink, _)| sink.clone())).collect()
}

/// What is said in the end.
#[derive(Default)]
struct Sum {
    text: String,
    removed: u64,
    has_failed: bool,
}

impl Sum {
    fn take(&mut self, told: Told, pid: Option<&str>) {
        let of = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let line = match told {
            Told::Removed { place, count, unit } => {
                self.removed += count;
                format!("{place}{of}: {} removed", counted(count, &unit))
            }
            Told::Gone { place } => format!("{place}{of}: what it was sent cannot be taken back from here"),
            Told::Failed { place, why } => {
                self.has_failed = true;
                format!("{place}{of}: {why}")
            }
            Told::Done => return,
        };
        self.text.push_str(&gate::plain(&line));
        self.text.push('\n');
    }
}

pub(super) fn forget(settings: &Settings, forget: &cli::Forget) -> anyhow::Result<u8> {
    let who = forget.who.person()?;
    let running = if forget.files.is_empty() { instances()? } else { Vec::new() };
    let mut sum = Sum::default();
    for instance in &running {
        instance.ask(&Question::about(What::Forget, &who), |line| {
            sum.take(serde_json::from_str(line)?, Some(&instance.pid));
            Ok(())
        })?;
    }
    if running.is_empty() {
        let files = checked(&forget.files)?;
        let runtime = blocking()?;
        for setting in settings_of(settings, &files) {
            let taken = runtime.block_on(async { forget_in(&setting, &who).await });
            Told::of(taken).into_iter().for_each(|told| sum.take(told, None));
        }
        if forget.files.is_empty() {
            sum.text.push_str("no taillight is running: what it had in memory is gone\n");
        }
    }
    if sum.has_failed {
        sum.text.push_str("what failed has their events still: run this again once that is mended\n");
    }
    print(sum.text.as_bytes())?;
    Ok(match sum.removed {
        _ if sum.has_failed => code::FILE,
        0 => code::NOTHING,
        _ => code::FINE,
    })
}

/// A runtime whose thread may block over files.
fn blocking() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// The files that are meant, where a link was named those that it leads to. One that is not there is a mistake, and not
/// one without lines; so is one that nobody here can pack.
fn checked(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let follow = |file: &PathBuf| {
        let name = file.to_string_lossy();
        let file = file.canonicalize().with_context(|| format!("cannot read `{}`", gate::plain(&name)))?;
        if is_zstd(&file) {
            let message =
                format!("`{}` is packed with zstd: unpack it first, with `unzstd`", gate::plain(&name));
            return Err(Usage(message).into());
        }
        Ok(file)
    };
    files.iter().map(follow).collect()
}

/// What orders lines, and tells one event from another.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    inst: String,
    recv: String,
    seq: u64,
}

/// A person's lines by time, each event once.
struct Gathered {
    /// Reads what taillight did not write.
    posted: LineDecoder,
    lines: BTreeMap<Place, String>,
    bytes: usize,
    /// Places that could not be read, and why.
    unread: Vec<String>,
}

impl Gathered {
    fn new(settings: &Settings) -> Self {
        let redactor = Redactor::new(&settings.signal.0.rules_outside());
        let posted = LineDecoder::new(ingest::now(), redactor).with_reading(reading::of(settings));
        Self { posted, lines: BTreeMap::new(), bytes: 0, unread: Vec::new() }
    }

    fn miss(&mut self, place: &str, why: &str) {
        self.unread.push(gate::plain(&format!("{place}: {why}")).into_owned());
    }

    fn is_too_much(&self) -> bool {
        self.bytes > MAX_TEXT
    }

    fn take(&mut self, line: &str) -> anyhow::Result<()> {
        if let Ok(place) = serde_json::from_str::<Place>(line) {
            return self.keep(place, line);
        }
        self.posted.push(line.as_bytes());
        let chunk = self.posted.take();
        for event in chunk.events() {
            let mut written = String::new();
            line::write(event, &mut written);
            self.keep(serde_json::from_str(&written)?, &written)?;
        }
        Ok(())
    }

    fn keep(&mut self, place: Place, line: &str) -> anyhow::Result<()> {
        // In memory and in a file it is the same event; of a file the client's number is left out.
        if self.lines.contains_key(&place) {
            return Ok(());
        }
        self.bytes += line.len();
        if self.is_too_much() {
            return Err(anyhow!(TOO_MUCH));
        }
        self.lines.insert(place, line.to_owned());
        Ok(())
    }
}

/// What a person's export is made of.
pub(super) struct Found {
    /// Their lines, oldest first; gone with the value.
    pub(super) file: NamedTempFile,
    /// Places that could not be read, each with why.
    pub(super) unread: Vec<String>,
}

/// Gathers the lines of the person; what cannot be read keeps nobody from what can.
///
/// # Errors
/// When a file that was named is not there, or there is more than can be put in order.
pub(super) fn gather(settings: &Settings, who: &cli::Who, files: &[PathBuf]) -> anyhow::Result<Found> {
    let who = who.person()?;
    let files = checked(files)?;
    let running = if files.is_empty() { instances()? } else { Vec::new() };
    let mut gathered = Gathered::new(settings);
    for instance in &running {
        let asked = instance.ask(&Question::about(What::Export, &who), |line| {
            match serde_json::from_str(line) {
                Ok(Told::Failed { place, why }) => gathered.miss(&place, &why),
                _ => gathered.take(line)?,
            }
            Ok(())
        });
        if let Err(why) = asked {
            gathered.miss("memory", &why.to_string());
        }
    }
    if running.is_empty() {
        let runtime = blocking()?;
        for setting in settings_of(settings, &files) {
            let take = &mut |line: &str| gathered.take(line).map_err(io::Error::other);
            let read = runtime.block_on(async { lines_in(&setting, &who, take).await });
            if let Err(why) = read {
                gathered.miss(&format!("sink {}", setting.name), &why);
            }
        }
    }
    if gathered.is_too_much() {
        return Err(anyhow!(TOO_MUCH));
    }
    let skipped = gathered.posted.end_file();
    if let Some((_, why)) = skipped.first.first() {
        gathered.miss(&counted(skipped.count, "line"), &why.to_string());
    }
    Ok(Found { file: written(&gathered)?, unread: gathered.unread })
}

fn written(gathered: &Gathered) -> anyhow::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile()?;
    {
        let mut out = io::BufWriter::new(file.as_file_mut());
        for line in gathered.lines.values() {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    Ok(file)
}
