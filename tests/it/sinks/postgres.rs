//! PostgreSQL itself, started by the test on a free port.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use super::{PATIENCE, delivered, number, sink, until};
use crate::harness::{Program, command, missed, tool};

/// A database server of its own, gone with the value.
struct Database {
    folder: tempfile::TempDir,
    tools: PathBuf,
    port: u16,
    server: Option<Child>,
    /// Options of the server beside the usual ones.
    more: Vec<String>,
}

impl Database {
    /// `None`, with a line that says so, where PostgreSQL is not installed.
    fn start() -> Option<Self> {
        let tools = tools().or_else(|| missed("PostgreSQL is not installed"))?;
        let folder = tempfile::tempdir().expect("a folder");
        // Its server refuses to run as root and owns its files.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("settable");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        let mut database = Self { folder, tools, port, server: None, more: Vec::new() };
        let data = database.data();
        let made = database
            .tool("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data)
            .output();
        let made = made.expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        database.run();
        Some(database)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn tool(&self, name: &str) -> Command {
        let path = self.tools.join(name);
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }

    fn run(&mut self) {
        let data = self.data();
        let mut command = self.tool("postgres");
        command.arg("-D").arg(data).args(["-p", &self.port.to_string()]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]);
        command.args(&self.more);
        self.server =
            Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("postgres runs"));
        let start = Instant::now();
        while !self.query("SELECT 1").status.success() {
            assert!(start.elapsed() < PATIENCE, "PostgreSQL does not answer");
            std::thread::yield_now();
        }
    }

    /// The same with a certificate of an authority of its own; gives the file of that and of another authority.
    fn encrypt(&mut self) -> Option<[PathBuf; 2]> {
        let openssl = tool(&["openssl"])?;
        let run = |args: &str| {
            let mut made = Command::new(&openssl);
            let made =
                made.args(args.split(' ')).current_dir(self.folder.path()).output().expect("openssl runs");
            assert!(made.status.success(), "{args}: {}", String::from_utf8_lossy(&made.stderr));
        };
        for name in ["ca", "other"] {
            let subject = format!("-subj /CN={name} -keyout {name}.key -out {name}.pem");
            run(&format!("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 {subject}"));
        }
        run(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=database -addext subjectAltName=IP:127.0.0.1 -keyout db.key -out db.csr",
        );
        run(
            "x509 -req -in db.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out db.pem",
        );
        let at = |name: &str| self.folder.path().join(name);
        fs::set_permissions(at("db.key"), fs::Permissions::from_mode(0o600)).expect("settable");
        // The server takes a key only from its own user; where that is this one there is nothing to change.
        let _ = Command::new("chown").arg("postgres").arg(at("db.key")).status();
        let set = |name: &str, file: &str| format!("{name}={}", at(file).display());
        let options = ["ssl=on".to_owned(), set("ssl_cert_file", "db.pem"), set("ssl_key_file", "db.key")];
        let files = [at("ca.pem"), at("other.pem")];
        self.more = options.into_iter().flat_map(|option| ["-c".to_owned(), option]).collect();
        self.stop();
        self.run();
        Some(files)
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Fast shutdown: connections are cut.
            let _ = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
            let _ = server.wait();
        }
    }

    fn query(&self, text: &str) -> Output {
        let mut psql = Command::new(self.tools.join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-AtqX", "-c", text]);
        psql.output().expect("psql runs")
    }

    fn answer(&self, text: &str) -> String {
        let output = self.query(text);
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The settings of a sink into it.
    fn settings(&self, rest: &str) -> String {
        self.settings_at("127.0.0.1", "", rest)
    }

    /// The same with another name for the host, and with something behind the address.
    fn settings_at(&self, host: &str, query: &str, rest: &str) -> String {
        let path = self.folder.path().join("url");
        let url = format!("postgres://postgres@{host}:{}/postgres{query}", self.port);
        fs::write(&path, url).expect("written");
        format!(
            "[sinks.postgres]\nurl = \"file:{}\"\nretry-first = \"20ms\"\nretry-longest = \"50ms\"\nbatch-age = \"10ms\"\n{rest}",
            path.display()
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tools() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    let has_all =
        |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file());
    folders
        .filter(has_all)
        .max()
        .or_else(|| Some(PathBuf::from("/usr/bin")).filter(|path| has_all(&Path::new(path).to_path_buf())))
}

#[test]
fn every_event_is_a_row_whatever_it_holds() {
    let Some(database) = Database::start() else { return };
    // A table of an older version has fewer columns: the rest is added.
    database.answer("CREATE TABLE taillight_events (run bigint NOT NULL, seq bigint NOT NULL, level text, UNIQUE (run, seq))");
    let program = Program::with_settings(&database.settings(""), &["serve"]);
    program.post(
        r#"[{"type":"error","subtype":"javascript","message":"no x'); DROP TABLE taillight_events; --","stack":"at a\u0000b",
             "user-id":"user-1","session-id":"s-1","timestamp":1704067200123,"odd":"\ud800","deep":{"n":[1,null]}},
            {"type":"metric","subtype":"api-call","url":"http://localhost/api/users/42","method":"GET","status":404,"duration-ms":12.5},
            {"type":"log","message":"large","n":1e999999}]"#,
    );
    until(&program, "postgres", delivered(3));
    let text = "SELECT level, signal_id, message, user_id, session_id, to_char(inst AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), \
                length(error_group), stack_trace, data->'deep'->'n'->>0 FROM taillight_events WHERE seq = 1";
    assert_eq!(
        database.answer(text),
        "error|browser/javascript|no x'); DROP TABLE taillight_events; --|user-1|s-1|2024-01-01 00:00:00.123|16|at a\u{fffd}b|1"
    );
    let text = "SELECT endpoint LIKE 'GET %/api/users/:id', duration_ms, status, error_group IS NOT NULL, data->>'method' FROM taillight_events WHERE seq = 2";
    assert_eq!(database.answer(text), "t|12.5|404|t|GET");
    // What is no number for PostgreSQL is kept as the text it is.
    let text =
        "SELECT jsonb_typeof(data), data #>> '{}' LIKE '%1e999999%' FROM taillight_events WHERE seq = 3";
    assert_eq!(database.answer(text), "string|t");
}

#[test]
fn a_connection_is_encrypted_as_its_address_says_and_the_certificate_is_checked() {
    let Some(mut database) = Database::start() else { return };
    // A database that cannot encrypt gets nothing where that is asked for.
    let refused = |database: &Database, host: &str, query: &str, rest: &str, expected: &str| {
        let program = Program::with_settings(&database.settings_at(host, query, rest), &["serve"]);
        program.post(&super::events(1));
        let stands = until(&program, "postgres", |sink| sink["state"] == "retrying");
        let why = stands["last_error"].as_str().expect("a reason");
        assert!(why.contains(expected), "{query}: {why}");
    };
    refused(&database, "127.0.0.1", "?sslmode=require", "", "server does not support TLS");
    let Some([authority, other]) = database.encrypt() else { return };
    let with = |file: &Path| format!("root-certificate = \"{}\"\n", file.display());
    let encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'taillight' ORDER BY backend_start DESC LIMIT 1";
    // As libpq's users name it, in the address itself.
    let named = |file: &Path| format!("?sslmode=verify-full&sslrootcert={}", file.display());
    for (query, rest, expected) in [
        (named(&authority).as_str(), String::new(), "t"),
        ("?sslmode=require", with(&authority), "t"),
        ("?sslmode=verify-full", with(&authority), "t"),
        ("?sslmode=prefer", with(&authority), "t"),
        ("?sslmode=disable", String::new(), "f"),
        ("", String::new(), "f"),
    ] {
        let program = Program::with_settings(&database.settings_at("127.0.0.1", query, &rest), &["serve"]);
        program.post(&super::events(10));
        until(&program, "postgres", delivered(10));
        assert_eq!(database.answer(encrypted), expected, "{query}");
    }
    let unknown = "name the authority that does with root-certificate";
    refused(&database, "127.0.0.1", "?sslmode=require", "", unknown);
    refused(&database, "127.0.0.1", "?sslmode=require", &with(&other), unknown);
    refused(&database, "127.0.0.1", "?sslmode=prefer", &with(&other), unknown);
    refused(&database, "127.0.0.1", &named(&other), "", unknown);
    refused(&database, "localhost", "?sslmode=verify-full", &with(&authority), "must be one of this host");
    let missing = database.folder.path().join("none.pem");
    refused(&database, "127.0.0.1", "?sslmode=require", &with(&missing), "root-certificate ");
    assert_eq!(database.answer("SELECT count(*) FROM taillight_events"), "60");
}

#[test]
fn a_persons_rows_are_deleted_and_those_of_others_stay() {
    let Some(database) = Database::start() else { return };
    let program = Program::with_settings(&database.settings(""), &["serve"]);
    program.post(
        r#"[{"type":"log","message":"a","user-id":"u'; DROP TABLE taillight_events; --","session-id":"s-1"},
            {"type":"log","message":"b","user-id":"u-2","session-id":"s-1"},
            {"type":"log","message":"c","user-id":"u-2","session-id":"s-2"}]"#,
    );
    let said = |args: &[&str]| {
        let output = program.command(args);
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, text) = said(&["forget", "--user", "u'; DROP TABLE taillight_events; --"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("taillight_events") && text.contains("1 row removed"), "{text}");
    assert_eq!(database.answer("SELECT string_agg(message, ',' ORDER BY seq) FROM taillight_events"), "b,c");
    assert!(said(&["forget", "--session", "s-1"]).1.contains("1 row removed"));
    assert_eq!(database.answer("SELECT string_agg(message, ',') FROM taillight_events"), "c");
    // What is left is given out, once each.
    let exported = |args: &[&str]| -> Vec<serde_json::Value> {
        let text = said(args).1;
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}"))).collect()
    };
    let before = exported(&["export", "--user", "u-2"]);
    assert_eq!(before.len(), 1, "{before:?}");
    // And it goes on being written to.
    program.post(r#"{"type":"log","message":"d","user-id":"u-2"}"#);
    until(&program, "postgres", delivered(4));
    assert_eq!(database.answer("SELECT count(*) FROM taillight_events"), "2");
    let memory = exported(&["export", "--user", "u-2"]);
    assert_eq!(memory.len(), 2);
    // Where nothing runs, as in another home.
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join(".config/taillight/config.toml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::copy(program.settings(), path).expect("copied");
    let output = command(home.path()).args(["export", "--user", "u-2"]).output().expect("runs");
    let rows = String::from_utf8(output.stdout).expect("text");
    let rows: Vec<serde_json::Value> =
        rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows, memory, "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a database that is away holds cannot be taken back, and it is said at once; what waits for it is gone.
#[test]
fn a_person_is_forgotten_in_the_queue_of_a_database_that_is_away_and_the_rest_is_told() {
    let Some(mut database) = Database::start() else { return };
    let program = Program::with_settings(
        &database.settings("").replace("\"20ms\"", "\"1h\"").replace("\"50ms\"", "\"1h\""),
        &["serve"],
    );
    let of = |user: &str| format!(r#"{{"type":"log","message":"m","user-id":"{user}"}}"#);
    program.post(&format!("[{},{}]", of("theirs"), of("other")));
    until(&program, "postgres", delivered(2));
    database.stop();
    program.post(&format!("[{},{},{}]", of("theirs"), of("other"), of("theirs")));
    until(&program, "postgres", |sink| sink["state"] == "retrying");
    let start = Instant::now();
    let output = program.command(&["forget", "--user", "theirs"]);
    assert!(start.elapsed() < PATIENCE, "it was not waited for");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("sink postgres") && text.contains("cannot connect"), "{text}");
    assert!(text.contains("run this again once that is mended"), "{text}");
    let stands = sink(&program, "postgres");
    assert_eq!((&stands["queued"], &stands["dropped"]["forgotten"]), (&1.into(), &2.into()), "{stands}");
    database.run();
    assert_eq!(program.command(&["forget", "--user", "theirs"]).status.code(), Some(0));
    until(&program, "postgres", delivered(3));
    assert_eq!(database.answer("SELECT string_agg(user_id, ',') FROM taillight_events"), "other,other");
}

#[test]
fn a_database_that_goes_away_costs_nothing_and_gets_nothing_twice() {
    let Some(mut database) = Database::start() else { return };
    let program = Program::with_settings(&database.settings("table = \"public.page_events\"\n"), &["serve"]);
    program.post(&super::events(300));
    until(&program, "postgres", delivered(300));
    database.stop();
    program.post(&super::events(300));
    until(&program, "postgres", |sink| number(&sink["errors"]) > 0);
    database.run();
    until(&program, "postgres", delivered(600));
    let counts = "SELECT count(*), count(DISTINCT seq), min(seq), max(seq) FROM public.page_events";
    assert_eq!(database.answer(counts), "600|600|1|600");
}
