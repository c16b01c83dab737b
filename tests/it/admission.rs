//! Who is let in: every request of the vectors against the real port, and what a refusal says.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde::Deserialize;

use crate::harness::{Program, Socket, command};

#[derive(Deserialize)]
struct Case {
    name: String,
    want: u16,
    req: Req,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Req {
    method: Option<String>,
    path: Option<String>,
    hosts: Option<Vec<String>>,
    origins: Vec<String>,
    sfs: Option<String>,
    key: Option<String>,
    ws: Option<bool>,
}

#[test]
fn every_request_of_the_vectors_gets_its_status() {
    let program = Program::start(&["serve"]);
    let key = program.key();
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/origin-host.json")).expect("vectors");
    assert!(cases.len() > 60);
    for case in cases {
        let answer = program.raw(&request(&case.req, program.port, &key));
        assert_eq!(answer.status, case.want, "{}\n{}{}", case.name, answer.head, answer.body);
    }
    let health = program.health();
    assert!(health["refused"]["origin"].as_u64() > Some(10), "{health}");
    assert!(health["refused"]["host"].as_u64() > Some(5), "{health}");
}

#[test]
fn where_nothing_can_be_kept_a_key_holds_for_the_run_and_a_damaged_one_stops_the_start() {
    let home = tempfile::NamedTempFile::new().expect("a file where a folder should be");
    let mut child = command(home.path())
        .args(["serve", "--port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let told: Vec<String> = BufReader::new(child.stderr.take().expect("piped"))
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("listening on "))
        .collect();
    let told = told.join("\n");
    assert!(told.contains("the page key holds for this run alone: cannot make the folder"), "{told}");
    child.kill().expect("killed");
    child.wait().expect("ended");

    let home = tempfile::tempdir().expect("a temporary folder");
    let folder = home.path().join(".local/state/taillight");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("page-key"), "no key").expect("written");
    let output = command(home.path()).args(["serve", "--port", "0"]).output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("`taillight key rotate` makes a new one"), "{told}");
}

fn request(req: &Req, port: u16, key: &str) -> Vec<u8> {
    let is_socket = req.ws.unwrap_or(true);
    let method = req.method.as_deref().unwrap_or("GET");
    let mut path = req.path.clone().unwrap_or_else(|| "/v1/ws".to_owned());
    let presented = match req.key.as_deref() {
        Some("good") => Some(key),
        Some(wrong) => Some(wrong),
        None => None,
    };
    if let Some(presented) = presented.filter(|_| !is_socket) {
        path.push_str(&format!("?k={presented}"));
    }
    let with_port = |text: &str| text.replace("8245", &port.to_string());
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for host in req.hosts.as_deref().unwrap_or(&["127.0.0.1:8245".to_owned()]) {
        head.push_str(&format!("Host: {}\r\n", with_port(host)));
    }
    for origin in &req.origins {
        head.push_str(&format!("Origin: {origin}\r\n"));
    }
    if let Some(site) = &req.sfs {
        head.push_str(&format!("Sec-Fetch-Site: {site}\r\n"));
    }
    if is_socket {
        head.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        head.push_str("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
        if let Some(presented) = presented {
            head.push_str(&format!("Sec-WebSocket-Protocol: taillight.v1, k.{presented}\r\n"));
        }
        head.push_str("\r\n");
    } else {
        let body = if method == "POST" { r#"{"type":"log","message":"m"}"# } else { "" };
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    }
    head.into_bytes()
}

#[test]
fn a_refused_origin_is_told_the_flag_and_the_flag_lets_it_in() {
    let origin = ("Origin", "https://staging.example");
    let refused = Program::start(&["serve"]).request("POST", "/v1/events", &[origin], "{}");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("--allow-origin https://staging.example"), "{}", refused.body);
    let program = Program::start(&["serve", "--allow-origin", "https://staging.example"]);
    let taken = program.request("POST", "/v1/events", &[origin], r#"{"type":"log"}"#);
    assert_eq!((taken.status, taken.body.as_str()), (202, ""), "a page learns the status only");
    assert!(taken.head.contains("access-control-allow-origin: https://staging.example"), "{}", taken.head);
}

#[test]
fn the_port_is_opened_wider_only_with_a_token() {
    let home = tempfile::tempdir().expect("a folder");
    let mut refused = crate::harness::command(home.path());
    let output = refused.args(["serve", "--port", "0", "--bind", "0.0.0.0"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    let file = home.path().join(".local/state/taillight/token");
    let token = std::fs::read_to_string(&file).expect("a token was made");
    let start = format!("start with `--token file:{}`", file.display());
    assert!(said.contains(&start) && said.trim_end().ends_with(token.trim()), "{said}");
    assert_eq!(token.trim().len(), 26);
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let again = refused.output().expect("runs");
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains(&start) && !said.contains(token.trim()), "it is shown once: {said}");
    let short = refused.args(["--token", "hunter2"]).output().expect("runs");
    let said = String::from_utf8_lossy(&short.stderr);
    assert!(said.contains("a token of 7 characters can be guessed") && !said.contains("hunter2"), "{said}");
}

#[test]
fn beyond_loopback_every_request_shows_the_token_and_those_that_do_not_are_counted() {
    let token = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let program = Program::start_at("0.0.0.0", &["serve", "--bind", "0.0.0.0", "--token", token]);
    assert!(program.complaint().contains("not encrypted"));
    let bearer = format!("Bearer {token}");
    let health = |headers: &[(&str, &str)]| program.request("GET", "/healthz", headers, "");
    assert_eq!(health(&[]).status, 403);
    assert_eq!(health(&[("Authorization", "Bearer wrong")]).status, 403);
    let told: serde_json::Value =
        serde_json::from_str(&health(&[("Authorization", &bearer)]).body).expect("one line of JSON");
    assert_eq!((&told["refused"]["token"], &told["refused"]["head"]), (&2.into(), &0.into()));
    assert_eq!(program.request("GET", "/taillight.js", &[], "").status, 200);
}

#[test]
fn a_key_can_be_asked_of_everyone() {
    let program = Program::start(&["serve", "--require-key"]);
    assert_eq!(program.post("{}").status, 403);
    let path = format!("/v1/events?k={}", program.key());
    assert_eq!(program.request("POST", &path, &[], "{}").status, 202);
}

#[test]
fn files_are_served_to_local_hosts_and_hold_no_key() {
    let program = Program::start(&["serve"]);
    for (path, part) in [
        ("/taillight.js", "taillight"),
        ("/taillight.mjs", "export const {init"),
        ("/demo", "/taillight.js"),
        ("/", "Listening. No page has connected yet."),
    ] {
        let answer = program.request("GET", path, &[("Origin", "http://localhost:5173")], "");
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.contains(part), "{path}");
        assert!(!answer.body.contains(&program.key()), "{path} must not hold the page key");
        assert!(
            answer.head.contains("access-control-allow-origin: http://localhost:5173"),
            "{}",
            answer.head
        );
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{}", answer.head);
    }
}

/// Asks for a WebSocket by hand, to see what a refusal says.
fn upgrade(program: &Program, origin: &str) -> crate::harness::Answer {
    let port = program.port;
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    program.raw(head.as_bytes())
}

#[test]
fn the_last_tenth_of_the_connections_is_for_origins_that_have_none() {
    let program = Program::with_settings("max-connections = 20\n", &["serve"]);
    let (busy, quiet) = ("http://localhost:5173", "http://localhost:3000");
    let open = |origin: &str| Socket::open_at(program.port, "/v1/ws", &[("origin", origin)]);
    let mut pages: Vec<Socket> = (0..18).map(|_| open(busy).expect("there is room")).collect();
    let refused = upgrade(&program, busy);
    assert_eq!(refused.status, 503);
    assert!(refused.head.contains("retry-after: 5\r\n"), "{}", refused.head);
    let told =
        format!("the last 2 of 20 connections are kept for origins that have none, and `{busy}` has some");
    assert!(refused.body.contains(&told), "{}", refused.body);
    let _quiet = open(quiet).expect("kept for it");
    assert_eq!(open(quiet).err(), Some(503), "it has one now");
    let _native = Socket::open_at(program.port, "/v1/ws", &[]).expect("kept for it");
    let refused = upgrade(&program, "http://localhost:8080");
    assert!(
        refused.status == 503 && refused.body.contains("all 20 connections are taken"),
        "{}",
        refused.body
    );
    assert_eq!(program.health()["refused"]["connections"], 3, "and questions are still answered");
    // Whoever leaves makes room.
    pages.truncate(10);
    let start = std::time::Instant::now();
    while open(busy).is_err() {
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "those that left still count");
    }
}

#[test]
fn a_process_that_may_open_few_files_lets_few_pages_in() {
    let Some(prlimit) = crate::harness::tool(&["prlimit"]) else { return };
    let program = Program::under(&[&prlimit, "--nofile=100:296", "--"], "", &["serve"]);
    let open = || Socket::open_at(program.port, "/v1/ws", &[]);
    let pages: Vec<Socket> = (0..36).map(|_| open().expect("there is room")).collect();
    assert_eq!((pages.len(), open().err()), (36, Some(503)), "nine tenths of 296 - 256");
}

#[test]
fn a_head_that_is_too_large_is_told_so_and_counted() {
    let program = Program::start(&["serve"]);
    let head = |fields: &str| format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n");
    let many: String = (0..70).map(|number| format!("X-{number}: a\r\n")).collect();
    for fields in [many, format!("X-Long: {}\r\n", "a".repeat(20_000))] {
        let answer = program.raw(head(&fields).as_bytes());
        assert_eq!(answer.status, 431, "{}", answer.head);
    }
    assert_eq!(program.health()["refused"]["head"], 2);
    assert_eq!(program.raw(head(&"X-A: a\r\n".repeat(60)).as_bytes()).status, 200);
}
