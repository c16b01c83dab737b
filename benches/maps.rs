//! Source maps: a map read, a frame mapped once it is, and keys painted while 500 maps are fetched and read.
//!
//! Run with `cargo bench --bench maps`. Maps come from a server in this process; loading uses the program's own loader
//! on as many threads as the program does. `tests/it/bench.rs` runs the bodies on a few.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taillight::event::Relation;
use taillight::maps::{Allowed, Loader, Lookup, Rewrites, Root, Script, Table, resolve};
use taillight::stack::{Spot, Told};

#[path = "frame.rs"]
#[expect(dead_code, reason = "only its bodies are run here")]
pub(crate) mod frame;

/// Threads that load, in the program too.
const THREADS: usize = 2;
const MAPS: usize = 500;
/// Of each of the 500.
const MAP_BYTES: usize = 500_000;

/// A map of about `bytes`, as a bundler writes one: half of it sources, the rest places, a fifth of them with names.
pub(crate) fn map_of(bytes: usize) -> String {
    let mut mappings = String::with_capacity(bytes / 2);
    let mut number = 0;
    while mappings.len() < bytes / 2 {
        number += 1;
        mappings.push_str(match number % 5 {
            0 => "EAAEA,",
            1 => "MAAM,",
            2 => "GACJ,",
            3 => "IAAI,",
            _ => "KAEF;",
        });
    }
    let line = "  const total = items.reduce((sum, item) => sum + item.price, 0);\\n";
    let content = line.repeat(bytes / 2 / line.len() / 20);
    let sources: Vec<String> = (0..20).map(|number| format!("\"../src/part-{number}.ts\"")).collect();
    let contents = vec![format!("\"{content}\""); 20].join(",");
    let names = vec!["\"total\""; 1 + number / 5].join(",");
    format!(
        r#"{{"version":3,"sources":[{}],"names":[{names}],"mappings":"AAAAA,{mappings}","sourcesContent":[{contents}]}}"#,
        sources.join(",")
    )
}

/// How long a map of about `bytes` takes to be read, of several times the shortest.
pub(crate) fn read(bytes: usize, times: usize) -> (Table, Duration) {
    let map = map_of(bytes);
    let mut best = (Table::default(), Duration::MAX);
    for _ in 0..times {
        let begun = Instant::now();
        let table = Table::read(map.as_bytes()).expect("a map");
        best = (table, best.1.min(begun.elapsed()));
    }
    best
}

struct One(Arc<Script>);

impl Lookup for One {
    fn script(&self, _: &str) -> Option<&Script> {
        Some(&self.0)
    }
    fn refusal(&self, _: &str) -> Option<String> {
        None
    }
    fn path_of(&self, file: &str) -> String {
        file.to_owned()
    }
    fn local(&self, _: &str) -> Option<Arc<Path>> {
        None
    }
    fn text(&self, _: &str) -> Option<Arc<str>> {
        None
    }
    fn is_own(&self, _: &str) -> bool {
        true
    }
}

/// Nanoseconds for a place to be looked up, and for a frame of a whole stack to be mapped, names and code included.
pub(crate) fn frames(bytes: usize, rounds: u32) -> (f64, f64) {
    let (table, _) = read(bytes, 1);
    let place = |round: u32, nth: u32| ((round * 7 + nth) % 1_000, nth * 3 % 17);
    let begun = Instant::now();
    for round in 0..rounds {
        for nth in 0..10 {
            let (line, column) = place(round, nth);
            black_box(table.lookup(line, column));
        }
    }
    let lookup = begun.elapsed();
    let server = serve(bytes);
    let script = loader().load(&format!("{server}/0.js"), None).expect("a script");
    let known = One(script);
    let spot = |round: u32, nth: u32| {
        let (line, column) = place(round, nth);
        Spot { file: "a.js".to_owned(), line: line + 1, column: column + 1, ..Spot::default() }
    };
    let told: Vec<_> = (0..rounds)
        .map(|round| Told {
            relation: Relation::Thrown,
            head: String::new(),
            spots: (0..10).map(|nth| spot(round, nth)).collect(),
        })
        .collect();
    let begun = Instant::now();
    for one in &told {
        black_box(resolve(std::slice::from_ref(one), &known));
    }
    let per_frame = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(rounds) / 10.0;
    (per_frame(lookup), per_frame(begun.elapsed()))
}

fn loader() -> Loader {
    Loader::new(Some(Allowed::default()), Root::default(), Rewrites::default())
}

/// A server whose every script has a map of about `bytes`.
fn serve(bytes: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let map: Arc<str> = map_of(bytes).into();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let map = Arc::clone(&map);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 0 {
                    if !head.ends_with("\r\n\r\n") {
                        continue;
                    }
                    let is_map = head.starts_with("GET /map");
                    let body = if is_map { &*map } else { "x()\n//# sourceMappingURL=map" };
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    if stream
                        .write_all(answer.as_bytes())
                        .and_then(|()| stream.write_all(body.as_bytes()))
                        .is_err()
                    {
                        return;
                    }
                    head.clear();
                }
            });
        }
    });
    address
}

/// Types while `count` maps of about `bytes` are loaded, over and over until the typing ends; how many were.
pub(crate) fn type_while_loading(
    events: usize,
    count: usize,
    bytes: usize,
    texts: &[&str],
) -> (Vec<Duration>, usize) {
    let server = serve(bytes);
    let (next, loaded) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (server, next, loaded) = (server.clone(), Arc::clone(&next), Arc::clone(&loaded));
            thread::spawn(move || {
                let loader = loader();
                let mut kept = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return kept.len();
                    }
                    kept.push(loader.load(&format!("{server}/{number}.js"), None).expect("a script"));
                    loaded.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut painted = Vec::new();
    while loaded.load(Ordering::Relaxed) < count {
        painted.extend(frame::type_over(events, 0, texts).painted);
    }
    let kept = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    (painted, kept)
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let (table, time) = read(5_000_000, 5);
    println!(
        "a map of 5 MB read   {:6.1} ms   {} MB kept",
        time.as_secs_f64() * 1e3,
        table.bytes() / 1_000_000
    );
    let (lookup, frame) = frames(5_000_000, 20_000);
    println!("a place looked up {lookup:6.0} ns   a frame mapped, with name and code {frame:6.0} ns");
    let (mut painted, kept) =
        type_while_loading(100_000, MAPS, MAP_BYTES, &["quota", "level>=warn", "duration>1s"]);
    painted.sort_unstable();
    let at = |share: f64| {
        painted[((painted.len() as f64 * share) as usize).min(painted.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "{} keys while {kept} maps load   p50 {:6.2} ms   p99 {:6.2} ms",
        painted.len(),
        at(0.5),
        at(0.99)
    );
}
