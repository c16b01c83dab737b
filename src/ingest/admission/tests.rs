//! The shared request vectors, and the rules that they do not reach.

use serde::Deserialize;

use super::*;

const KEY: &str = "ABCDEFGHIJKLMNOP";
const VECTORS: &str = include_str!("../../../tests/it/fixtures/origin-host.json");

#[derive(Deserialize)]
struct Vector {
    name: String,
    want: u16,
    req: Request,
}

/// A request of the vectors; what is left out has the default that their README names.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    ws: bool,
    hosts: Vec<String>,
    origins: Vec<String>,
    sfs: Option<String>,
    key: Option<String>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".into(),
            path: "/v1/ws".into(),
            ws: true,
            hosts: vec!["127.0.0.1:8245".into()],
            origins: Vec::new(),
            sfs: None,
            key: None,
        }
    }
}

impl Request {
    fn verdict(&self, policy: &Policy) -> Verdict {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let hosts: Vec<&[u8]> = self.hosts.iter().map(|host| host.as_bytes()).collect();
        let origins: Vec<&[u8]> = self.origins.iter().map(|origin| origin.as_bytes()).collect();
        let keys: Vec<&str> = match self.key.as_deref() {
            Some("good") => vec![KEY],
            Some(other) => vec![other],
            None => query_keys(query).collect(),
        };
        let facts = Facts {
            method: &self.method,
            path,
            is_upgrade: self.ws,
            hosts: &hosts,
            origins: &origins,
            fetch_site: self.sfs.as_deref().map(str::as_bytes),
            keys: &keys,
            tokens: &[],
        };
        admit(&facts, policy)
    }
}

fn policy() -> Policy {
    Policy { key: Some(KEY.into()), ..Policy::default() }
}

fn from(origin: &str) -> Request {
    Request { origins: vec![origin.into()], ..Request::default() }
}

fn status(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Refuse { status, .. } => *status,
        Verdict::Allow { route, .. } => match route {
            Route::Socket => 101,
            Route::Events => 202,
            Route::Preflight => 204,
            Route::NotFound => 404,
            Route::MethodNotAllowed(_) => 405,
            _ => 200,
        },
    }
}

fn counter(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Refuse { counter, .. } => counter,
        Verdict::Allow { .. } => "",
    }
}

#[test]
fn every_vector_gets_its_status() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() >= 60, "the vectors are all there");
    for vector in vectors {
        assert_eq!(status(&vector.req.verdict(&policy())), vector.want, "{}", vector.name);
    }
}

#[test]
fn local_names_are_exactly_those_of_the_definition() {
    for (name, is_local) in [
        ("localhost", true),
        ("a.b.localhost", true),
        ("shop.TEST", true),
        ("shop.test.", true),
        ("127.255.255.254", true),
        ("[::1]", true),
        ("test", false),
        ("127.0.0.1.", false),
        ("127.0.0.01", false),
        ("127.0.0.256", false),
        ("128.0.0.1", false),
        ("[0:0:0:0:0:0:0:1]", false),
        ("[::ffff:127.0.0.1]", false),
        ("127.0.0.1.nip.io", false),
        ("xlocalhost", false),
    ] {
        assert_eq!(Host::read(name.as_bytes()).unwrap().is_local(), is_local, "{name}");
    }
    for malformed in
        [".localhost", "localhost..", "a b", "localhost:", "localhost:0", "localhost:080", "[::1]x", "[x]"]
    {
        assert_eq!(Host::read(malformed.as_bytes()), None, "{malformed}");
    }
}

#[test]
fn native_shells_are_local_only_at_plain_localhost() {
    for (origin, want) in [
        ("file://", 101),
        ("tauri://localhost", 101),
        ("ionic://localhost", 101),
        ("app://localhost", 101),
        ("app://localhost:3000", 403),
        ("app://a.localhost", 403),
        ("capacitor://evil.example", 403),
        ("file:///", 400),
        ("https://0.0.0.0", 403),
        ("https://[::]", 403),
        ("ftp://localhost", 403),
    ] {
        assert_eq!(status(&from(origin).verdict(&policy())), want, "{origin}");
    }
}

#[test]
fn listed_origins_compare_whole() {
    let policy = Policy {
        allow_origins: vec![
            "https://Stage.example/".into(),
            "http://10.0.0.5:3000".into(),
            "null".into(),
            "*".into(),
        ],
        ..policy()
    };
    for (origin, want) in [
        ("https://stage.example", 101),
        ("https://stage.example:443", 101),
        ("http://stage.example", 403),
        ("https://stage.example:8443", 403),
        ("https://a.stage.example", 403),
        ("https://stage.example.", 403),
        ("http://10.0.0.5:3000", 101),
        ("http://10.0.0.5", 403),
        ("null", 403),
        ("https://any.example", 403),
    ] {
        assert_eq!(status(&from(origin).verdict(&policy)), want, "{origin}");
    }
    for (entry, fits) in [
        ("https://x", true),
        ("https://x:1/", true),
        ("*", false),
        ("https://*.x", false),
        ("null", false),
        ("x", false),
    ] {
        assert_eq!(is_origin(entry), fits, "{entry}");
    }
}

#[test]
fn listed_hosts_stand_for_every_port_unless_they_name_one() {
    let policy = Policy { allow_hosts: vec!["Dev.lan".into(), "box.lan:8245".into()], ..policy() };
    for (host, want) in
        [("dev.lan:1", 101), ("dev.lan", 101), ("box.lan:8245", 101), ("box.lan", 403), ("lan", 403)]
    {
        let request = Request { hosts: vec![host.into()], ..Request::default() };
        assert_eq!(status(&request.verdict(&policy)), want, "{host}");
    }
    assert!(is_host("dev.lan:80") && !is_host("http://dev.lan"));
}

#[test]
fn a_refused_origin_is_named_with_the_flag_that_lets_it_in() {
    let Verdict::Refuse { message, counter, origin, .. } = from("https://x.example:8443").verdict(&policy())
    else {
        panic!("a foreign origin is refused");
    };
    assert!(message.contains("`--allow-origin https://x.example:8443`"), "{message}");
    assert_eq!((counter, origin.as_deref()), ("origin", Some("https://x.example:8443")));
    let Verdict::Refuse { message, origin, .. } = from("null").verdict(&policy()) else {
        panic!("null is refused");
    };
    assert!(message.contains("page key") && origin.is_none(), "{message}");
}

#[test]
fn a_required_key_is_asked_of_every_writer() {
    let policy = Policy { require_key: true, allow_origins: vec!["https://x.example".into()], ..policy() };
    for origin in [None, Some("http://localhost:5173"), Some("https://x.example"), Some("file://")] {
        for (key, want) in
            [(None, "key"), (Some("good"), ""), (Some("ABCDEFGHIJKLMNOQ"), "key"), (Some("ABC"), "key")]
        {
            let origins = origin.map(str::to_owned).into_iter().collect();
            let request = Request { origins, key: key.map(str::to_owned), ..Request::default() };
            assert_eq!(counter(&request.verdict(&policy)), want, "{origin:?} {key:?}");
        }
    }
    let page = Request { ws: false, path: "/".into(), ..Request::default() };
    assert_eq!(status(&page.verdict(&policy)), 200);
    let keyless = Policy { key: None, ..policy };
    let request = Request { key: Some(String::new()), ..Request::default() };
    assert_eq!(counter(&request.verdict(&keyless)), "key", "without a key nothing is right");
}

#[test]
fn health_and_metrics_answer_tools_only() {
    for path in ["/healthz", "/metrics"] {
        let tool = || Request { ws: false, path: path.into(), ..Request::default() };
        assert_eq!(status(&tool().verdict(&policy())), 200);
        assert_eq!(status(&Request { sfs: Some("none".into()), ..tool() }.verdict(&policy())), 200);
        assert_eq!(status(&Request { sfs: Some("same-origin".into()), ..tool() }.verdict(&policy())), 403);
        let origins = vec!["http://localhost:5173".into()];
        assert_eq!(status(&Request { origins, ..tool() }.verdict(&policy())), 403);
        assert_eq!(counter(&Request { key: Some("bad".into()), ..tool() }.verdict(&policy())), "key");
    }
}

#[test]
fn files_go_to_every_origin_of_a_good_host_and_echo_it() {
    for (origin, echoed) in
        [("https://evil.example", Some("https://evil.example")), ("null", Some("null")), ("x y", None)]
    {
        let request = Request { ws: false, path: "/taillight.mjs".into(), ..from(origin) };
        let expected = Verdict::Allow { route: Route::Module, allow_origin: echoed.map(str::to_owned) };
        assert_eq!(request.verdict(&policy()), expected);
    }
}

#[test]
fn beyond_loopback_the_token_is_needed_beside_everything_else() {
    let wide = Policy { token: Some("T1".into()), bound_wider: true, ..policy() };
    let unset = Policy { token: None, ..wide.clone() };
    let facts = Facts { method: "GET", path: "/healthz", hosts: &[b"localhost"], ..Facts::default() };
    for (tokens, policy, want) in [
        (&[][..], &wide, "token"),
        (&["T2"], &wide, "token"),
        (&["T1", "T2"], &wide, "token"),
        (&["T1"], &wide, ""),
        (&["T1"], &unset, "token"),
        (&[""], &unset, "token"),
    ] {
        assert_eq!(counter(&admit(&Facts { tokens, ..facts }, policy)), want, "{tokens:?}");
    }
    assert_eq!(counter(&admit(&Facts { path: "/taillight.js", ..facts }, &wide)), "");
    assert_eq!(counter(&admit(&Facts { path: "/demo", ..facts }, &wide)), "token");
    let origins: &[&[u8]] = &[b"https://evil.example"];
    let foreign = Facts { is_upgrade: true, origins, tokens: &["T1"], ..facts };
    assert_eq!(counter(&admit(&foreign, &wide)), "origin", "a token does not stand in for the key");
}

#[test]
fn targets_that_are_no_path_are_malformed() {
    for path in ["*", "http://localhost/", ""] {
        let facts = Facts { method: "OPTIONS", path, hosts: &[b"localhost"], ..Facts::default() };
        assert_eq!((status(&admit(&facts, &policy())), counter(&admit(&facts, &policy()))), (400, "head"));
    }
}

#[test]
fn keys_are_found_where_the_client_puts_them() {
    assert_eq!(query_keys("a=1&k=KEY&kk=2&k=").collect::<Vec<_>>(), ["KEY"]);
    assert_eq!(protocol_keys("taillight.v1, k.KEY,k.").collect::<Vec<_>>(), ["KEY"]);
}

proptest::proptest! {
    #[test]
    fn readings_never_panic_and_show_what_they_read(raw in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
        let _ = Host::read(&raw);
        if let Some(origin) = Origin::read(&raw) {
            let shown = origin.to_string();
            proptest::prop_assert_eq!(shown.as_bytes(), &raw[..]);
        }
    }

    #[test]
    fn without_a_key_no_origin_outside_the_table_gets_in(
        scheme in "https?|tauri|capacitor|ionic|app|file|ftp|HTTP",
        host in "(localhost|127|0|1|test|evil|example|a|::1|\\[::1\\]|\\[::\\]|0x7f|[-_@%#/.:a-z0-9]){1,4}(\\.(localhost|test|example|0\\.0\\.1|1))?\\.?",
        port in "(:[0-9]{0,6})?",
    ) {
        let text = format!("{scheme}://{host}{port}");
        if status(&from(&text).verdict(&policy())) == 101 {
            let in_table = regex::Regex::new(
                r"(?x)^(?i:https?)://( ([a-z0-9_-]+\.)*localhost\.? | ([a-z0-9_-]+\.)+test\.?
                   | 127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3} | \[::1\] )(:[0-9]{1,5})?$
                 | ^(?i:http)://(0\.0\.0\.0|\[::\])(:[0-9]{1,5})?$
                 | ^file://$ | ^(tauri|capacitor|ionic|app)://localhost$",
            );
            proptest::prop_assert!(in_table.unwrap().is_match(&text), "{}", text);
        }
    }
}
