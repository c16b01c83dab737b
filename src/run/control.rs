//! The socket of a running taillight, for its own user alone: a person's events given out, or forgotten.
//!
//! Opened by the listener in `run/PID.sock` of the state folder, asked by `forget` and `export --user`. The folder is
//! its owner's alone, so is the socket, and whoever connects is asked for who they are besides (CONTRACT: export).

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::event::{Person, line};
use crate::ingest::{self, Door};
use crate::pipeline::{Redactor, Scrub};
use crate::sinks::{Taken, lines_in};
use crate::store::Snapshot;

/// Bytes of a question.
const MAX_QUESTION: u64 = 64 * 1024;
const WITHIN: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    Forget,
    Export,
}

/// A question: one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) what: What,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

impl Question {
    pub(super) fn about(what: What, who: &Person) -> Self {
        let (user, session) = match who {
            Person::User(name) => (Some(name.clone()), None),
            Person::Session(name) => (None, Some(name.clone())),
        };
        Self { what, user, session }
    }

    fn who(self) -> Option<Person> {
        let who = match (self.user, self.session) {
            (Some(user), None) => Person::User(user),
            (None, Some(session)) => Person::Session(session),
            _ => return None,
        };
        Some(who).filter(|who| !who.name().is_empty())
    }
}

/// A line of the answer to a question that forgets; that to an export are events, and the last of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "t")]
pub(super) enum Told {
    /// So many were removed from there.
    Removed {
        place: String,
        count: u64,
        unit: String,
    },
    /// Nothing that went there can be taken back.
    Gone {
        place: String,
    },
    Failed {
        place: String,
        why: String,
    },
    /// Everything was told.
    Done,
}

impl Told {
    /// What is to be said of one sink.
    pub(super) fn of(taken: Taken) -> Vec<Self> {
        let Taken { sink, unit, from } = taken;
        let place = format!("sink {sink}");
        let unit = unit.to_owned();
        match from {
            Err(why) => vec![Self::Failed { place, why }],
            Ok(None) => vec![Self::Gone { place }],
            Ok(Some(removed)) if removed.is_empty() => vec![Self::Removed { place, count: 0, unit }],
            Ok(Some(removed)) => removed
                .into_iter()
                .map(|(at, count)| Self::Removed {
                    place: format!("{place}, {at}"),
                    count,
                    unit: unit.clone(),
                })
                .collect(),
        }
    }
}

/// The folder of the sockets.
pub(super) fn folder(state: &Path) -> PathBuf {
    state.join("run")
}

/// An open socket, gone with the value.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What questions are answered from.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) door: Arc<Door>,
    pub(super) dirty: Arc<Notify>,
}

/// Opens the socket in `folder`; what answers runs until it is dropped. Call it inside the runtime.
///
/// # Errors
/// When the folder or the socket cannot be made.
pub(super) fn open(
    folder: &Path,
    known: Known,
) -> io::Result<(Control, impl Future<Output = ()> + Send + use<>)> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    let path = folder.join(format!("{}.sock", std::process::id()));
    // Of a process that had this number before.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    let control = Control { path };
    std::fs::set_permissions(&control.path, std::fs::Permissions::from_mode(0o600))?;
    Ok((control, serve(listener, known)))
}

/// One question after the other: whoever wants data gone waits for whoever did before.
async fn serve(listener: UnixListener, known: Known) {
    loop {
        match listener.accept().await {
            // A peer that leaves early has nobody to be told.
            Ok((stream, _)) => drop(answer(stream, &known).await),
            Err(_) => tokio::time::sleep(WITHIN).await,
        }
    }
}

async fn answer(mut stream: UnixStream, known: &Known) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != 0 && peer != rustix::process::getuid().as_raw() {
        return Ok(());
    }
    let mut question = String::new();
    let mut reader = BufReader::new((&mut stream).take(MAX_QUESTION));
    timeout(WITHIN, reader.read_line(&mut question)).await??;
    let Ok(question) = serde_json::from_str::<Question>(&question) else { return Ok(()) };
    let what = question.what;
    let Some(who) = question.who() else { return Ok(()) };
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WITHIN))?;
    let mut out = BufWriter::new(stream);
    match what {
        What::Forget => forget(&who, known, &mut out).await?,
        What::Export => export(&who, known, &mut out).await?,
    }
    say(&Told::Done, &mut out)?;
    out.flush()
}

async fn forget(who: &Person, known: &Known, out: &mut BufWriter<Blocking>) -> io::Result<()> {
    let intake = &known.door.intake;
    let gone = intake.store().forget(who.clone()).await;
    intake.forget(who);
    known.dirty.notify_one();
    let place = "memory".to_owned();
    let told = match gone {
        Some(count) => Told::Removed { place, count, unit: "event".to_owned() },
        None => Told::Failed { place, why: "taillight is closing".to_owned() },
    };
    say(&told, out)?;
    for taken in intake.sinks().forget(who).await {
        for told in Told::of(taken) {
            say(&told, out)?;
        }
    }
    Ok(())
}

fn say(told: &Told, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, told)?;
    out.write_all(b"\n")
}

/// The events in memory, then the lines of files and databases that are written to.
async fn export(who: &Person, known: &Known, out: &mut BufWriter<Blocking>) -> io::Result<()> {
    let intake = &known.door.intake;
    let snapshot = intake.store().look(ingest::now()).await;
    let snapshot = snapshot.ok_or_else(|| io::Error::other("taillight is closing"))?;
    tokio::task::block_in_place(|| in_memory(who, &snapshot, intake.hiding().as_deref(), out))?;
    for setting in intake.sinks().settings() {
        let found = lines_in(&setting, who, &mut |line| writeln!(out, "{line}")).await;
        if let Err(why) = found {
            say(&Told::Failed { place: format!("sink {}", setting.name), why }, out)?;
        }
    }
    Ok(())
}

fn in_memory(
    who: &Person,
    snapshot: &Snapshot,
    hiding: Option<&Redactor>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = String::new();
    for event in (snapshot.first..snapshot.end).filter_map(|ordinal| snapshot.event(ordinal)) {
        if who.has(event) {
            text.clear();
            line::write(event, &mut text);
            if let Some(Scrub::Changed { text: hidden, .. }) = hiding.map(|redactor| redactor.hide(&text)) {
                text = hidden;
            }
            text.push('\n');
            out.write_all(text.as_bytes())?;
        }
    }
    Ok(())
}
