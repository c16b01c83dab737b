//! The file sink on a real folder: what is in which file, what is packed, deleted, mended and refused.

use std::io::Read;
use std::sync::Arc;

use super::*;
use crate::event::{ChunkBuilder, Msg, Row};
use crate::pipeline::Rows;
use crate::sinks::piece::{Origin, Packet, Piece};

const NOON: &str = "2026-03-04T12:00:00.000Z";

fn batch(times: &[&str], first: u64) -> Batch {
    let mut builder = ChunkBuilder::new();
    for (seq, time) in (first..).zip(times) {
        let recv = Timestamp::parse_rfc3339(time).expect("a time");
        builder.push(&Row {
            seq,
            inst: recv,
            recv,
            id: "a/b",
            ns: "a.b",
            source: "browser",
            msg: Msg::Text("m"),
            ..Row::default()
        });
    }
    let numbers = (first..first + times.len() as u64).collect();
    let origin = Some(Arc::new(Origin { client: 0xab, numbers }));
    let packet = Packet { chunk: Arc::new(builder.finish()), origin, held: None };
    let mut batch = Batch::default();
    batch.push(Piece::new(&packet, Rows::All, Instant::now()));
    batch
}

/// A file sink's setting, changed by lines of TOML, and its options.
fn options(text: &str) -> Options {
    let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
    let values = Values::read(&[KEYS], document.as_table(), &[], &mut |_, said| panic!("{said}"));
    Options {
        place: place_of(&values).expect("a place"),
        is_synced: values.text("ack") == "synced",
        rotate_bytes: values.number("rotate-bytes"),
        keep: keep::Keep {
            files: usize::try_from(values.number("keep-files")).expect("small"),
            age: values.span("keep-age"),
            is_packed: values.flag("gzip"),
        },
        min_free: values.number("min-free"),
    }
}

fn on(folder: &Path, more: &str) -> Options {
    options(&format!("folder = \"{}\"\nmin-free = 1\n{more}", folder.display()))
}

/// Writes batches one after the other, each after packing and deleting have come to rest; gives how each went.
fn write(options: &Options, batches: &[Batch]) -> Vec<Result<Written, SinkError>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("threads");
    runtime.block_on(async {
        let mut sink = FileSink::open(options).await.expect("open");
        let mut went = Vec::new();
        for batch in batches {
            rest(&mut sink).await;
            went.push(sink.write(batch).await);
        }
        rest(&mut sink).await;
        went
    })
}

async fn rest(sink: &mut FileSink) {
    if let Some(keeping) = sink.keeping.take() {
        keeping.await.expect("no panic").expect("kept");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("readable").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn lines(path: &Path) -> Vec<String> {
    let mut text = String::new();
    let file = File::open(path).expect("there");
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("packed");
    } else {
        let mut file = file;
        file.read_to_string(&mut text).expect("text");
    }
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_day_has_its_file_and_a_line_says_where_its_event_came_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("deep/logs");
    let midnight = ["2026-03-04T23:59:59.999Z", "2026-03-05T00:00:00.000Z", "2026-03-04T23:59:59.998Z"];
    let went = write(&on(&logs, "gzip = false"), &[batch(&[NOON, NOON], 1), batch(&midnight, 3)]);
    assert!(went.iter().all(|went| went == &Ok(Written::default())), "{went:?}");
    assert_eq!(names(&logs), ["2026-03-04.jsonl", "2026-03-05.jsonl"]);
    let first = lines(&logs.join("2026-03-04.jsonl"));
    assert_eq!(first.len(), 3);
    let expected = "\"recv\":\"2026-03-04T12:00:00.000Z\",\"cid\":\"00000000000000ab\",\"cseq\":1,\"data\":{";
    assert!(first[0].contains(expected), "{}", first[0]);
    assert_eq!(lines(&logs.join("2026-03-05.jsonl")).len(), 2, "just about midnight no file is gone back to");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(logs.join("2026-03-05.jsonl")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_full_file_is_put_aside_and_packed_and_no_line_is_lost_or_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let batches: Vec<_> = (0..7).map(|number| batch(&[NOON; 10], 1 + number * 10)).collect();
    let went = write(&on(folder.path(), "rotate-bytes = 5000"), &batches);
    assert!(went.iter().all(Result::is_ok), "{went:?}");
    let names = names(folder.path());
    assert_eq!(names.last().map(String::as_str), Some("2026-03-04.jsonl"));
    assert!(
        names.len() > 2 && names[..names.len() - 1].iter().all(|name| name.ends_with(".jsonl.gz")),
        "{names:?}"
    );
    let all: Vec<_> = names.iter().flat_map(|name| lines(&folder.path().join(name))).collect();
    let numbers: Vec<u64> = all
        .iter()
        .filter_map(|line| line.split("\"cseq\":").nth(1)?.split(',').next()?.parse().ok())
        .collect();
    assert_eq!(numbers, (1..=70).collect::<Vec<_>>());
}

#[test]
fn what_is_too_much_or_too_old_goes_and_what_is_not_ours_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "2026-01-01.jsonl",
        "2026-02-20.jsonl.gz",
        "2026-03-03.jsonl",
        "2026-03-01.1.jsonl.gz",
        "2026-03-01.2.jsonl.gz",
        "2026-03-01.3.jsonl.gz",
        "notes.jsonl",
        "old.txt",
    ] {
        std::fs::write(folder.path().join(name), "x\n").expect("written");
    }
    write(&on(folder.path(), "keep-files = 2"), &[batch(&[NOON], 1), batch(&["2026-03-05T00:00:01Z"], 2)]);
    assert_eq!(
        names(folder.path()),
        [
            "2026-02-20.jsonl.gz",
            "2026-03-01.2.jsonl.gz",
            "2026-03-01.3.jsonl.gz",
            "2026-03-03.jsonl.gz",
            "2026-03-04.jsonl.gz",
            "2026-03-05.jsonl",
            "notes.jsonl",
            "old.txt"
        ]
    );
}

#[test]
fn one_file_has_numbered_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rec.jsonl");
    let options = options(&format!(
        "file = \"{}\"\nmin-free = 1\nrotate-bytes = 1\nkeep-files = 1\ngzip = false",
        path.display()
    ));
    write(&options, &[batch(&[NOON], 1), batch(&["2026-03-05T00:00:01Z"], 2), batch(&[NOON], 3)]);
    assert_eq!(names(folder.path()), ["rec.2.jsonl", "rec.jsonl"]);
}

#[test]
fn a_torn_line_is_mended_and_told_and_a_file_taken_away_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("2026-03-04.jsonl");
    std::fs::write(&path, "{\"whole\":1}\n{\"torn\":").expect("written");
    let went = write(&on(folder.path(), "ack = \"synced\""), &[batch(&[NOON], 1)]);
    let trouble = went[0].as_ref().ok().and_then(|written| written.trouble.clone());
    assert!(trouble.is_some_and(|said| said.starts_with("8 bytes of a torn line are now in")), "{went:?}");
    assert_eq!(lines(&path).len(), 2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("threads");
    runtime.block_on(async {
        let mut sink = FileSink::open(&on(folder.path(), "")).await.expect("open");
        sink.write(&batch(&[NOON], 2)).await.expect("written");
        std::fs::rename(&path, folder.path().join("moved")).expect("moved");
        sink.looked = None;
        sink.write(&batch(&[NOON], 3)).await.expect("written");
        assert_eq!((lines(&path).len(), lines(&folder.path().join("moved")).len()), (1, 3));
        let other =
            FileSink::open(&on(folder.path(), "")).await.expect("open").write(&batch(&[NOON], 4)).await;
        assert!(other.is_err_and(|error| error.to_string().contains("another process")));
    });
}

#[test]
fn a_link_is_not_followed_and_a_folder_that_cannot_be_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "mine\n").expect("written");
    std::os::unix::fs::symlink(&victim, folder.path().join("2026-03-04.jsonl")).expect("linked");
    let went = write(&on(folder.path(), ""), &[batch(&[NOON], 1)]);
    assert!(matches!(&went[0], Err(SinkError::Retry { done: 0, .. })), "{went:?}");
    assert_eq!(std::fs::read_to_string(&victim).expect("there"), "mine\n");
    let went = write(&on(&victim.join("logs"), ""), &[batch(&[NOON], 1)]);
    assert!(
        matches!(&went[0], Err(SinkError::Retry { why, .. }) if why.contains("cannot make the folder")),
        "{went:?}"
    );
}

#[test]
fn a_disk_that_is_low_is_not_filled_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { min_free: u64::MAX, ..on(folder.path(), "") };
    // A twentieth of the disk is the most that is ever kept free, so this holds only where the disk is that full.
    let disk = rustix::fs::statvfs(folder.path()).expect("a disk");
    let is_low = disk.f_bavail < disk.f_blocks / 20;
    assert_eq!(write(&options, &[batch(&[NOON], 1)])[0].is_err(), is_low);
}
