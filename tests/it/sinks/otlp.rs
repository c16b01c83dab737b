//! OpenTelemetry against a server that reads requests with the official types, as protobuf and as JSON, and through a
//! collector, whose own exporter is read the same way.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use serde::de::DeserializeOwned;

use super::server::{Post, Server};
use super::{delivered, number, until};
use crate::harness::{Program, cache, missed, tool};

const EVENTS: &str = r#"[
    {"type":"metric","subtype":"api-call","url":"http://localhost/api/users/42","method":"GET","status":404,
     "duration-ms":250,"timestamp":1704067200000,"session-id":"s-1",
     "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"type":"metric","subtype":"api-call","url":"http://localhost/api/users/43","method":"GET","status":404,
     "duration-ms":40,"timestamp":1704067201000,"session-id":"s-1"},
    {"type":"metric","subtype":"page-load","url":"http://localhost/","timestamp":1704067202000,"session-id":"s-1",
     "timing":{"dom-content-loaded":1420,"fully-loaded":2340}},
    {"type":"error","subtype":"javascript","message":"no x","stack":"TypeError: no x","timestamp":1704067203000,
     "user-id":"user-1","context":{"deep":{"n":1.5},"args":[1,null,{},[]]}}]"#;

fn read<T: Message + Default + DeserializeOwned>(post: &Post, is_json: bool) -> T {
    if is_json {
        assert_eq!(post.header("content-type"), "application/json");
        serde_json::from_slice(&post.body).expect("the official JSON")
    } else {
        assert_eq!(post.header("content-type"), "application/x-protobuf");
        T::decode(post.body.as_slice()).expect("the official protobuf")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

fn posts(is_json: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "t0ken").expect("written");
    let server = Server::start();
    // The traces are refused for now: the logs, which were taken, must not come twice.
    server.answer("200 OK");
    server.answer("503 Busy\r\nretry-after: 0");
    let settings = format!(
        "[sinks.otlp]\nendpoint = \"{}\"\nprotocol = \"{}\"\nbatch-age = \"2s\"\nbatch-events = 4\n\
         headers = {{ authorization = \"file:{}\" }}\nresource = {{ \"service.name\" = \"shop\" }}\n",
        server.url("/"),
        if is_json { "json" } else { "protobuf" },
        folder.path().join("token").display()
    );
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(EVENTS);
    let (logs, refused, traces, metrics) = (server.post(), server.post(), server.post(), server.post());
    let paths = [&logs, &refused, &traces, &metrics].map(|post| post.path.as_str());
    assert_eq!(paths, ["/v1/logs", "/v1/traces", "/v1/traces", "/v1/metrics"]);
    assert!([&logs, &traces, &metrics].iter().all(|post| post.header("authorization") == "t0ken"));
    check_logs(&read(&logs, is_json));
    check_spans(&read(&traces, is_json));
    check_metrics(&read(&metrics, is_json));
    assert_eq!(number(&until(&program, "otlp", delivered(4))["errors"]), 1);
}

fn check_logs(request: &ExportLogsServiceRequest) {
    let logs = &request.resource_logs[0];
    assert_eq!(text(&logs.resource.as_ref().expect("a resource").attributes, "service.name"), "shop");
    let records = &logs.scope_logs[0].log_records;
    assert_eq!(records.len(), 4);
    let error = &records[3];
    assert_eq!((error.severity_number, error.severity_text.as_str()), (17, "ERROR"));
    assert_eq!(
        (error.event_name.as_str(), error.time_unix_nano),
        ("browser/javascript", 1_704_067_203_000_000_000)
    );
    assert_eq!(text(&error.attributes, "exception.stacktrace"), "TypeError: no x");
    assert_eq!(text(&error.attributes, "user.id"), "user-1");
    assert_eq!(records[0].span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
}

fn check_spans(request: &ExportTraceServiceRequest) {
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans.len(), 3);
    let (sent, made, load) = (&spans[0], &spans[1], &spans[2]);
    assert_eq!(hex(&sent.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((hex(&sent.span_id).as_str(), sent.kind), ("00f067aa0ba902b7", 3));
    let millisecond = 1_000_000;
    assert_eq!(sent.start_time_unix_nano, (1_704_067_200_000 - 250) * millisecond);
    assert_eq!(sent.end_time_unix_nano, 1_704_067_200_000 * millisecond);
    assert_eq!(text(&sent.attributes, "server.address"), "localhost");
    assert_eq!(text(&sent.attributes, "error.type"), "404");
    assert!(sent.name.starts_with("GET ") && sent.name.ends_with("/api/users/:id"), "{}", sent.name);
    assert_eq!(sent.status.as_ref().expect("a status").code, 2);
    // A request that brought no ids is in the trace of its page load.
    assert_eq!((made.trace_id.len(), made.span_id.len()), (16, 8));
    assert_eq!(made.trace_id, load.trace_id);
    assert_ne!(made.span_id, load.span_id);
    assert_eq!(load.end_time_unix_nano - load.start_time_unix_nano, 2_340_000_000);
    assert_eq!(load.events.len(), 2);
}

fn check_metrics(request: &ExportMetricsServiceRequest) {
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("http.client.request.duration", "s"));
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("a histogram") };
    assert_eq!(histogram.aggregation_temporality, 1);
    let point = &histogram.data_points[0];
    assert_eq!((histogram.data_points.len(), point.count), (1, 2));
    assert_eq!((point.min, point.max), (Some(0.04), Some(0.25)));
    assert!(point.start_time_unix_nano < point.time_unix_nano);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), 2);
    assert_eq!((point.bucket_counts[3], point.bucket_counts[6]), (1, 1), "an upper bound is of its bucket");
}

#[test]
fn logs_spans_and_histograms_are_sent_as_protobuf() {
    posts(false);
}

#[test]
fn logs_spans_and_histograms_are_sent_as_json() {
    posts(true);
}

/// Points of one series follow each other: a backend that sums them up takes one that begins before the last ended for a
/// repeat.
#[test]
fn histograms_of_later_batches_begin_where_those_before_ended() {
    let server = Server::start();
    let settings = format!(
        "[sinks.otlp]\nendpoint = \"{}\"\nsignals = [\"metrics\"]\nbatch-events = 1\n",
        server.url("")
    );
    let program = Program::with_settings(&settings, &["serve"]);
    let call = r#"{"type":"metric","subtype":"api-call","url":"/a","status":200,"duration-ms":1}"#;
    program.post(&format!("[{call},{call},{call}]"));
    let mut until = 0;
    for _ in 0..3 {
        let request: ExportMetricsServiceRequest = read(&server.post(), false);
        let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
        let Some(Data::Histogram(histogram)) = &metric.data else { panic!("a histogram") };
        let point = &histogram.data_points[0];
        assert!(until == 0 || point.start_time_unix_nano == until, "{point:?} after {until}");
        assert!(point.start_time_unix_nano < point.time_unix_nano, "{point:?}");
        until = point.time_unix_nano;
    }
}

/// A Rotel that passes on what it takes.
struct Collector {
    child: Child,
    url: String,
}

impl Collector {
    /// `None` where there is none and none can be had.
    fn start(to: &str) -> Option<Self> {
        let rotel = rotel()?;
        let free =
            || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let (http, grpc) = (free(), free());
        let child = Command::new(rotel)
            .args(["start", "--exporter", "otlp", "--otlp-exporter-protocol", "http"])
            .args(["--otlp-exporter-endpoint", to])
            .args(["--otlp-http-endpoint", &http.to_string(), "--otlp-grpc-endpoint", &grpc.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the collector starts");
        let started = Instant::now();
        while TcpStream::connect(http).is_err() {
            assert!(started.elapsed() < super::PATIENCE, "the collector listens in time");
            std::thread::yield_now();
        }
        Some(Self { child, url: format!("http://{http}") })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The collector of the package `rotel`, fetched once for all runs on this machine and asked for by one test at a time.
fn rotel() -> Option<PathBuf> {
    static FETCHED: OnceLock<Option<PathBuf>> = OnceLock::new();
    FETCHED.get_or_init(fetch_rotel).clone()
}

fn fetch_rotel() -> Option<PathBuf> {
    let folder = cache()?.join("taillight-tests/pip");
    let rotel = folder.join("rotel/rotel-agent");
    if !rotel.exists() {
        let python = tool(&["python3"])?;
        // The wheel is of one version of Python, none of which the collector in it needs.
        let install = Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args(["--python-version", "3.11", "--platform", "manylinux_2_34_x86_64", "--target"])
            .arg(&folder)
            .arg("rotel==0.0.1a15")
            .stdin(Stdio::null())
            .output();
        if !install.is_ok_and(|output| output.status.success()) {
            return missed("pip cannot install rotel, an OpenTelemetry collector");
        }
    }
    std::fs::set_permissions(&rotel, std::fs::Permissions::from_mode(0o755)).expect("settable");
    Some(rotel)
}

/// What the collector passed on, one post for each signal.
fn passed_on<T: Message + Default>(posts: &[Post], path: &str) -> T {
    let post = posts.iter().find(|post| post.path == path).unwrap_or_else(|| panic!("nothing for {path}"));
    let mut body = Vec::new();
    if post.header("content-encoding") == "gzip" {
        GzDecoder::new(post.body.as_slice()).read_to_end(&mut body).expect("gzip");
    } else {
        body.clone_from(&post.body);
    }
    T::decode(body.as_slice()).expect("the official protobuf")
}

fn through_a_collector(protocol: &str, signals: &[&str]) {
    let server = Server::start();
    let Some(collector) = Collector::start(&server.url("")) else { return };
    let settings = format!(
        "[sinks.otlp]\nendpoint = \"{}\"\nprotocol = \"{protocol}\"\nbatch-age = \"2s\"\nbatch-events = 4\n\
         signals = {signals:?}\nresource = {{ \"service.name\" = \"shop\" }}\n",
        collector.url
    );
    let program = Program::with_settings(&settings, &["serve"]);
    program.post(EVENTS);
    let sink =
        until(&program, "otlp", |sink| number(&sink["delivered"]) + number(&sink["dropped"]["refused"]) == 4);
    assert_eq!((&sink["errors"], &sink["last_error"]), (&0.into(), &serde_json::Value::Null));
    let posts: Vec<Post> = signals.iter().map(|_| server.post()).collect();
    check_logs(&passed_on(&posts, "/v1/logs"));
    check_spans(&passed_on(&posts, "/v1/traces"));
    if signals.contains(&"metrics") {
        check_metrics(&passed_on(&posts, "/v1/metrics"));
    }
}

#[test]
fn a_collector_takes_protobuf_and_passes_all_of_it_on() {
    through_a_collector("protobuf", &["logs", "traces", "metrics"]);
}

/// This collector's reader of JSON knows no histogram whose counts are texts, which they are in the JSON of protobuf.
#[test]
fn a_collector_takes_logs_and_traces_as_json_and_passes_all_of_it_on() {
    through_a_collector("json", &["logs", "traces"]);
}
