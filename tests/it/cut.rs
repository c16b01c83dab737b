//! A network that is cut between pages and taillight: what pages recorded is stored, all of it and once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Program, missed, tool};

const PATIENCE: Duration = Duration::from_secs(30);
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Runs `ip` with these words; whether it did what was asked.
fn ip(words: &str) -> bool {
    let output = Command::new("ip").args(words.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}

/// A network namespace with one cable to it; both go when it is dropped.
struct Cable {
    /// Of the namespace.
    name: String,
    /// Our end of the cable.
    end: String,
    /// Our address.
    address: String,
}

impl Cable {
    /// `None` where the system lets nobody make one.
    fn lay() -> Option<Self> {
        tool(&["ip"])?;
        let number = std::process::id();
        let (name, end) = (format!("taillight-{number}"), format!("tl{number}"));
        // A network of four addresses (RFC 2544 gives 198.18.0.0/15 to tests like this one), another for each process.
        let (high, low) = (number / 64 % 256, number % 64 * 4);
        let (ours, theirs) = (format!("198.18.{high}.{}", low + 1), format!("198.18.{high}.{}", low + 2));
        let cable = Self { name, end, address: ours };
        let (name, end) = (&cable.name, &cable.end);
        let is_laid = ip(&format!("netns add {name}"))
            && ip(&format!("link add {end} type veth peer name page netns {name}"))
            && ip(&format!("addr add {}/30 dev {end}", cable.address))
            && ip(&format!("link set {end} up"))
            && ip(&format!("-n {name} addr add {theirs}/30 dev page"))
            && ip(&format!("-n {name} link set page up"));
        if is_laid { Some(cable) } else { missed("no network namespace can be made, which takes root") }
    }

    fn cut(&self) {
        assert!(ip(&format!("link set {} down", self.end)));
    }

    fn mend(&self) {
        assert!(ip(&format!("link set {} up", self.end)));
    }

    /// Takes the pages' connections away, of which taillight hears nothing where the cable is cut.
    fn break_connections(&self) {
        let words = ["netns", "exec", &self.name, "ss", "-K", "dst", &self.address];
        let output = Command::new("ip").args(words).output().expect("ip runs");
        assert!(output.status.success(), "{output:?}");
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.name));
    }
}

/// The real client in node, beyond the cable.
struct Pages {
    child: Child,
    stop: ChildStdin,
    said: BufReader<std::process::ChildStdout>,
}

impl Pages {
    fn open(cable: &Cable, program: &Program, pages: u32, rate: u32) -> Option<Self> {
        let node = tool(&["node"])?;
        let address = format!("{}:{}", cable.address, program.port);
        let mut child = Command::new("ip")
            .args(["netns", "exec", &cable.name, &node, "--experimental-websocket"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client/pages.mjs"))
            .args([&address, TOKEN, &pages.to_string(), &rate.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let (stop, said) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Some(Self { child, stop, said: BufReader::new(said) })
    }

    /// The next thing they say of themselves.
    fn told(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("readable");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Waits until they have recorded so many more events.
    fn record(&mut self, more: u64) {
        let recorded = |told: &Value| told["recorded"].as_u64().expect("a number");
        let goal = recorded(&self.told()) + more;
        while recorded(&self.told()) < goal {}
    }

    /// Ends the recording, waits until all of it was acked, and gives what they say of it.
    fn end(&mut self) -> Value {
        writeln!(self.stop).expect("writable");
        loop {
            let told = self.told();
            if told["acked"] == true {
                return told;
            }
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // They may have ended by themselves, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn health(program: &Program, address: &str) -> Value {
    let bearer = format!("Bearer {TOKEN}");
    let answer = program.request("GET", "/healthz", &[("Host", address), ("Authorization", &bearer)], "");
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

fn accepted_until(program: &Program, address: &str, holds: impl Fn(u64) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let health = health(program, address);
        if holds(health["ingest"]["accepted"].as_u64().expect("a number")) {
            return health;
        }
        assert!(start.elapsed() < PATIENCE, "{health}");
        std::thread::yield_now();
    }
}

/// SECURITY 5.6, network cut; three short rounds of its fifty.
#[test]
fn what_pages_record_while_the_network_is_cut_is_stored_once_when_it_is_back() {
    const PAGES: u32 = 2;
    const RATE: u32 = 100;
    let Some(cable) = Cable::lay() else { return };
    let address = cable.address.clone();
    let args = ["tail", "--format", "jsonl", "--bind", &address, "--token", TOKEN, "--allow-host", &address];
    let program = Program::start_at(&address, &args);
    let Some(mut pages) = Pages::open(&cable, &program, PAGES, RATE) else { return };
    accepted_until(&program, &address, |accepted| accepted > 0);
    for is_broken in [false, true, true] {
        cable.cut();
        // On the way when the cable was cut, or still to be sent.
        pages.record(100);
        if is_broken {
            cable.break_connections();
            pages.record(100);
        }
        let before = health(&program, &address)["ingest"]["accepted"].as_u64().expect("a number");
        cable.mend();
        accepted_until(&program, &address, |accepted| accepted > before);
    }
    let told = pages.end();
    let recorded = told["recorded"].as_u64().expect("a number");
    assert!(told["sockets"].as_u64() > Some(PAGES.into()), "{told}");
    let health = accepted_until(&program, &address, |accepted| accepted >= recorded);
    let (ingest, ring) = (&health["ingest"], &health["ring"]);
    assert_eq!(
        (&ingest["accepted"], &ring["live"], &ring["evicted"]),
        (&recorded.into(), &recorded.into(), &0.into())
    );
    assert_eq!(health["client"]["gaps"], 0, "{health}");
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..recorded {
        *seen.entry(program.event()["msg"].as_str().expect("text").to_owned()).or_default() += 1;
    }
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert_eq!(seen.len() as u64, recorded);
}
