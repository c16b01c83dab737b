//! The program as a user starts it, on a free port and with a home of its own; and the clients that speak to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, WebSocket};

/// Longest anything here waits; only a failing test gets that far.
const PATIENCE: Duration = Duration::from_secs(20);

const LOOPBACK: &str = "127.0.0.1";

/// A running `taillight` that listens.
pub(crate) struct Program {
    child: Child,
    address: String,
    pub(crate) port: u16,
    lines: mpsc::Receiver<String>,
    complaints: mpsc::Receiver<String>,
    home: tempfile::TempDir,
}

impl Program {
    /// Starts `taillight ARGS --port 0` and waits for its listening line.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::started(0, "", args)
    }

    /// The same with these settings of the user.
    pub(crate) fn with_settings(settings: &str, args: &[&str]) -> Self {
        Self::started(0, settings, args)
    }

    /// The same on a port that is known to be free.
    pub(crate) fn start_on(port: u16, args: &[&str]) -> Self {
        Self::started(port, "", args)
    }

    /// The same, which will listen on this address.
    pub(crate) fn start_at(address: &str, args: &[&str]) -> Self {
        Self::started_under(&[], (address, 0), "", args)
    }

    /// The same as a child of another program, such as a tracer.
    pub(crate) fn under(program: &[&str], settings: &str, args: &[&str]) -> Self {
        Self::started_under(program, (LOOPBACK, 0), settings, args)
    }

    fn started(port: u16, settings: &str, args: &[&str]) -> Self {
        Self::started_under(&[], (LOOPBACK, port), settings, args)
    }

    fn started_under(program: &[&str], (address, port): (&str, u16), settings: &str, args: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        if !settings.is_empty() {
            std::fs::create_dir_all(settings_of(home.path()).parent().expect("a folder")).expect("made");
            std::fs::write(settings_of(home.path()), settings).expect("written");
        }
        let mut child = command_under(program, home.path())
            .args(args)
            .args(["--port", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("readable");
        let port = line
            .trim()
            .strip_prefix(&format!("listening on http://{address}:"))
            .and_then(|port| port.parse().ok())
            .unwrap_or_else(|| panic!("no listening line but {line:?}"));
        let lines = lines_of(BufReader::new(child.stdout.take().expect("piped")));
        let complaints = lines_of(stderr);
        Self { child, address: address.to_owned(), port, lines, complaints, home }
    }

    /// The user's settings file.
    pub(crate) fn settings(&self) -> std::path::PathBuf {
        settings_of(self.home.path())
    }

    /// The next line of standard error.
    pub(crate) fn complaint(&self) -> String {
        self.complaints.recv_timeout(PATIENCE).expect("a line of complaint in time")
    }

    /// The next line of standard output.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output in time")
    }

    /// The next line of standard output as JSON.
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.line()).expect("a JSON line")
    }

    /// The next line as JSON, if one comes in time.
    pub(crate) fn event_within(&self, patience: Duration) -> Option<Value> {
        let line = self.lines.recv_timeout(patience).ok()?;
        Some(serde_json::from_str(&line).expect("a JSON line"))
    }

    /// Another command of the same user, to its end.
    pub(crate) fn command(&self, args: &[&str]) -> std::process::Output {
        command(self.home.path()).args(args).output().expect("runs")
    }

    /// The folder that this program keeps its state in.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.home.path().join(".local/state/taillight")
    }

    /// The page key of this program's own state folder.
    pub(crate) fn key(&self) -> String {
        let output = command(self.home.path()).args(["key", "show"]).output().expect("runs");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// `/healthz` as JSON.
    pub(crate) fn health(&self) -> Value {
        let answer = self.request("GET", "/healthz", &[], "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).expect("one line of JSON")
    }

    /// One HTTP request, the connection closed after it.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("Host: 127.0.0.1:{}\r\n", self.port));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
        self.raw(head.as_bytes())
    }

    pub(crate) fn post(&self, body: &str) -> Answer {
        self.request("POST", "/v1/events", &[("Content-Type", "application/json")], body)
    }

    /// Sends `bytes` and reads the answer's head, and its body as far as its length says.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("writable");
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length:").and_then(|n| n.trim().parse().ok()))
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the whole body");
        Answer { status, head, body: String::from_utf8(body).expect("text") }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect((&self.address, self.port))
    }

    /// A WebSocket on the native protocol's address.
    pub(crate) fn socket(&self) -> Socket {
        Socket::open(self.port)
    }

    /// A WebSocket that has said hello as `client`.
    pub(crate) fn client(&self, client: &str) -> Socket {
        let mut socket = self.socket();
        let welcome = socket.hello(client, 1);
        assert_eq!(welcome["t"], "welcome");
        socket
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name (`TERM`, `INT`).
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("ends")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an HTTP request came back with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A client of the native protocol.
pub(crate) struct Socket(pub(crate) WebSocket<TcpStream>);

impl Socket {
    /// A WebSocket on the native protocol's address of whatever listens on `port`.
    pub(crate) fn open(port: u16) -> Self {
        let mut request = format!("ws://127.0.0.1:{port}/v1/ws").into_client_request().expect("valid");
        request.headers_mut().insert("sec-websocket-protocol", "taillight.v1".parse().expect("valid"));
        let stream = connect((LOOPBACK, port));
        let (socket, answer) =
            tokio_tungstenite::tungstenite::client(request, stream).expect("the handshake is answered");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "taillight.v1");
        Self(socket)
    }

    /// A WebSocket on any address, with headers of its own and without a subprotocol; the status if it is refused.
    pub(crate) fn open_at(port: u16, target: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://127.0.0.1:{port}{target}").into_client_request().expect("valid");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("valid"));
        }
        let opened = tokio_tungstenite::tungstenite::client(request, connect((LOOPBACK, port)));
        match opened {
            Ok((socket, answer)) => {
                assert!(!answer.headers().contains_key("sec-websocket-protocol"));
                Ok(Self(socket))
            }
            Err(HandshakeError::Failure(WsError::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next message that is no control frame.
    pub(crate) fn message(&mut self) -> Message {
        loop {
            match self.0.read().expect("a message in time") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("sendable");
    }

    /// The next text message as JSON.
    pub(crate) fn receive(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().expect("a message in time") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }

    pub(crate) fn hello(&mut self, client: &str, next: u64) -> Value {
        self.send(&format!(
            r#"{{"t":"hello","v":1,"client":"{client}","session":"sess-1","user":"user-9","tab":"tab-1","load":3,"page":"http://localhost:5173/cart","next":{next}}}"#
        ));
        self.receive()
    }

    /// Sends a batch and gives the answers up to and including its ack.
    pub(crate) fn batch(&mut self, seq: u64, events: &str) -> Vec<Value> {
        self.send(&format!(r#"{{"t":"batch","seq":{seq},"events":{events}}}"#));
        let mut answers = vec![self.receive()];
        while answers.last().is_some_and(|answer| answer["t"] == "nack") {
            answers.push(self.receive());
        }
        answers
    }

    /// The code of the close frame the server sends.
    pub(crate) fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

fn connect(to: (&str, u16)) -> TcpStream {
    let stream = TcpStream::connect(to).expect("the port is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("settable");
    stream
}

/// The program with a home of its own.
pub(crate) fn command(home: &Path) -> Command {
    command_under(&[], home)
}

fn command_under(program: &[&str], home: &Path) -> Command {
    let words: Vec<&str> = program.iter().copied().chain([env!("CARGO_BIN_EXE_taillight")]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TAILLIGHT_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("NO_COLOR");
    command
}

/// Posts events to a taillight on `port` and checks that they were taken.
pub(crate) fn post_to(port: u16, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("writable");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

/// What a taillight on `port` says at `path`.
pub(crate) fn get_from(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("writable");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// The first of `names` that is installed. Without one the test is skipped, which is a failure where `CI` is set.
pub(crate) fn tool(names: &[&str]) -> Option<String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&&str| std::env::split_paths(&paths).any(|folder| folder.join(name).is_file());
    let found = names.iter().find(is_there).map(|name| (*name).to_owned());
    found.or_else(|| missed(&format!("none of {names:?} is installed")))
}

/// The user's folder for what can be fetched again.
pub(crate) fn cache() -> Option<std::path::PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(std::path::PathBuf::from);
    named.or_else(|| Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
}

/// Says that something is missing; a failure where everything must be there.
#[expect(clippy::print_stderr, reason = "a skipped test says so in one line")]
pub(crate) fn missed<T>(what: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    eprintln!("skipped: {what}");
    None
}

fn settings_of(home: &Path) -> std::path::PathBuf {
    home.join(".config/taillight/config.toml")
}

fn lines_of(output: impl BufRead + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
