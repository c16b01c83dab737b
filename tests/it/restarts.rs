//! Many pages while taillight is restarted: all come back, and what they recorded is in the recording once.
//!
//! How many is said by `TAILLIGHT_STORM`, such as `1000x20`: pages, restarts. A plain run has fewer, and more time.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::Program;

/// All are back after a restart (SECURITY 5.6), where the machine has nothing else to do.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
const EVENT_EVERY: Duration = Duration::from_millis(500);
/// The client's own waits between two tries, full jitter (SECURITY 5.2).
const FIRST_WAIT_MS: u64 = 250;
const LONGEST_WAIT_MS: u64 = 10_000;

fn size() -> (usize, u32) {
    let told = std::env::var("TAILLIGHT_STORM").unwrap_or_else(|_| "100x2".to_owned());
    let parts =
        told.split_once('x').and_then(|(pages, times)| Some((pages.parse().ok()?, times.parse().ok()?)));
    parts.unwrap_or_else(|| panic!("`{told}` is not PAGESxRESTARTS"))
}

fn runtime() -> tokio::runtime::Runtime {
    // Both ends are processes of their own, but only this one opens all its sockets by itself.
    rlimit::increase_nofile_limit(u64::MAX).expect("files may be opened");
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn wait(time: Duration) {
    drop(timeout(time, std::future::pending::<()>()).await);
}

/// What all pages of a storm share.
#[derive(Default)]
struct Storm {
    port: u16,
    connected: AtomicUsize,
    recorded: AtomicU64,
    refused: AtomicU64,
}

/// A page as the protocol has it: what is not acked is sent again under the same numbers.
struct Page {
    storm: Arc<Storm>,
    name: String,
    next: u64,
    waiting: VecDeque<u64>,
    over: watch::Receiver<bool>,
}

impl Page {
    fn new(storm: &Arc<Storm>, number: usize, over: &watch::Receiver<bool>) -> Self {
        let name = format!("page-{number:027}");
        Self { storm: Arc::clone(storm), name, next: 1, waiting: VecDeque::new(), over: over.clone() }
    }

    async fn live(mut self) {
        let mut tries = 0;
        loop {
            if let Some(socket) = self.connect().await {
                tries = 0;
                self.storm.connected.fetch_add(1, Ordering::SeqCst);
                let is_done = self.talk(socket).await;
                self.storm.connected.fetch_sub(1, Ordering::SeqCst);
                if is_done {
                    return;
                }
            }
            let most = (FIRST_WAIT_MS << tries.min(6)).min(LONGEST_WAIT_MS);
            tries += 1;
            wait(Duration::from_millis(u64::from(getrandom::u32().expect("random")) % most)).await;
        }
    }

    async fn connect(&mut self) -> Option<WebSocketStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.storm.port)).await.ok()?;
        let request =
            format!("ws://127.0.0.1:{}/v1/ws", self.storm.port).into_client_request().expect("valid");
        let mut socket = match client_async(request, stream).await {
            Ok((socket, _)) => socket,
            Err(WsError::Http(answer)) => {
                assert_eq!(answer.status(), 503);
                assert_eq!(answer.headers()["retry-after"], "1");
                self.storm.refused.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            // One that taillight has not accepted yet when it ends.
            Err(WsError::Io(_) | WsError::Protocol(_)) => return None,
            Err(error) => panic!("{error}"),
        };
        let (name, next) = (&self.name, self.waiting.front().unwrap_or(&self.next));
        let hello = format!(
            r#"{{"t":"hello","v":1,"client":"{name}","session":"{name}","tab":"t","load":1,"next":{next}}}"#
        );
        socket.send(Message::text(hello)).await.ok()?;
        let welcome: Value = serde_json::from_str(socket.next().await?.ok()?.to_text().ok()?).ok()?;
        self.acked(&welcome["acked"]);
        for number in self.waiting.clone() {
            self.send(&mut socket, number).await?;
        }
        Some(socket)
    }

    async fn send(&self, socket: &mut WebSocketStream<TcpStream>, number: u64) -> Option<()> {
        let event = format!(r#"{{"type":"log","message":"{} {number}"}}"#, self.name);
        socket.send(Message::text(format!(r#"{{"t":"batch","seq":{number},"events":[{event}]}}"#))).await.ok()
    }

    fn acked(&mut self, number: &Value) {
        let Some(acked) = number.as_u64() else { return };
        while self.waiting.front().is_some_and(|first| *first <= acked) {
            self.waiting.pop_front();
        }
    }

    /// Whether all is said and acked, and not only the connection gone.
    async fn talk(&mut self, mut socket: WebSocketStream<TcpStream>) -> bool {
        let mut ticks = interval(EVENT_EVERY);
        loop {
            let is_over = *self.over.borrow_and_update();
            if is_over && self.waiting.is_empty() {
                return true;
            }
            tokio::select! {
                _ = ticks.tick(), if !is_over => {
                    let number = self.next;
                    self.next += 1;
                    self.waiting.push_back(number);
                    self.storm.recorded.fetch_add(1, Ordering::SeqCst);
                    if self.send(&mut socket, number).await.is_none() {
                        return false;
                    }
                }
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let said: Value = serde_json::from_str(&text).expect("JSON");
                        if said["t"] == "ack" {
                            self.acked(&said["seq"]);
                        }
                    }
                    Some(Ok(_)) => {}
                    _ => return false,
                },
                _ = self.over.changed(), if !is_over => {}
            }
        }
    }
}

async fn until(what: &str, patience: Duration, holds: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < patience, "{what} within {patience:?}");
        tokio::task::yield_now().await;
        wait(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

#[test]
fn all_pages_come_back_after_each_restart_and_what_they_recorded_is_there_once() {
    let (pages, restarts) = size();
    let back_within = if std::env::var_os("TAILLIGHT_STORM").is_some() { BACK_WITHIN } else { PATIENCE };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.jsonl");
    let args = ["serve", "--record", file.to_str().expect("text")];
    let mut program = Program::start(&args);
    let port = program.port;
    let storm = Arc::new(Storm { port, ..Storm::default() });
    let program = runtime().block_on(async {
        let (end, over) = watch::channel(false);
        let all: Vec<_> =
            (0..pages).map(|number| tokio::spawn(Page::new(&storm, number, &over).live())).collect();
        let is_back = || storm.connected.load(Ordering::SeqCst) == pages;
        until("all pages come", PATIENCE, is_back).await;
        for restart in 1..=restarts {
            let recorded = storm.recorded.load(Ordering::SeqCst);
            until("all go on", PATIENCE, || {
                storm.recorded.load(Ordering::SeqCst) > recorded + pages as u64 / 2
            })
            .await;
            program.signal("TERM");
            assert!(program.wait().code().is_some());
            until("all notice", PATIENCE, || storm.connected.load(Ordering::SeqCst) == 0).await;
            program = Program::start_on(port, &args);
            let took = until("all pages are back", back_within, is_back).await;
            eprintln!("restart {restart}: {pages} pages are back after {took:?}");
        }
        end.send_replace(true);
        for page in all {
            timeout(PATIENCE, page).await.expect("all is acked in time").expect("no panic");
        }
        program
    });
    eprintln!("refused {}", storm.refused.load(Ordering::SeqCst));
    let health = program.health();
    let number = |path: &str| health.pointer(path).and_then(Value::as_u64).expect("a number");
    assert_eq!(number("/ingest/received"), number("/ingest/accepted") + number("/ingest/duplicate"));
    assert_eq!(
        number("/ingest/accepted") + number("/ring/own"),
        number("/ring/live") + number("/ring/evicted")
    );
    program.signal("TERM");
    program.wait();
    let text = std::fs::read_to_string(&file).expect("recorded");
    let messages: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("whole lines"))
        .filter(|event| event["id"] == "browser/log")
        .map(|event| event["msg"].as_str().expect("text").to_owned())
        .collect();
    let once: HashSet<_> = messages.iter().collect();
    let recorded = storm.recorded.load(Ordering::SeqCst);
    assert_eq!((messages.len() as u64, once.len() as u64), (recorded, recorded));
}
