//! What a file has from before: a torn line at its end, and the numbers of the events in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::folder::{Found, open};
use super::place_of;
use crate::sinks::Setting;

/// Bytes looked through for the last line break: more than any line can have.
const TAIL: u64 = 4 << 20;
/// Bytes read back to know which events were written (SECURITY: server).
const READ_BACK: u64 = 64 << 20;

/// Cuts a line without its end off the file and adds it to `PATH.torn`; says so if there was one.
pub(super) fn cut_torn(file: &mut File, path: &Path) -> io::Result<Option<String>> {
    let len = file.metadata()?.len();
    let from = len.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    if tail.last().is_none_or(|last| *last == b'\n') {
        return Ok(None);
    }
    let whole = memchr::memrchr(b'\n', &tail).map_or(0, |at| at + 1);
    let torn_path = torn(path);
    let mut torn = open(&torn_path)?;
    torn.write_all(&tail[whole..])?;
    torn.write_all(b"\n")?;
    torn.sync_data()?;
    file.set_len(from + whole as u64)?;
    Ok(Some(format!("{} bytes of a torn line are now in {}", tail.len() - whole, torn_path.display())))
}

pub(super) fn torn(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".torn");
    PathBuf::from(name)
}

/// The clients' hashes and numbers of the events that a file sink has written last, up to 64 MiB of them.
///
/// None where the sink is of another kind or its files cannot be read: then repeats are not known as such.
pub fn numbers_of(setting: &Setting) -> Vec<(u64, u64)> {
    let mut numbers = Vec::new();
    if setting.kind.name == "file" && setting.values.text("mode") == "blocking" {
        // A file that cannot be read now will be told when it is to be written.
        let _ = read_back(setting, &mut numbers);
    }
    numbers
}

fn read_back(setting: &Setting, numbers: &mut Vec<(u64, u64)>) -> io::Result<()> {
    let Ok(place) = place_of(&setting.values) else { return Ok(()) };
    let files = place.files()?;
    let is_current = |file: &&Found| file.number == 0 && !file.is_packed;
    let Some(current) = files.iter().rfind(is_current) else { return Ok(()) };
    let mut file = File::open(&current.path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(READ_BACK)))?;
    let mut lines = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        // A torn line is cut off before anything is written: its event must come again.
        if line.ends_with(b"\n") {
            numbers.extend(number_of(&line));
        }
        line.clear();
    }
    Ok(())
}

/// `"cid":"…","cseq":n` of a line. No text before it can look like it: its quotes would be escaped.
fn number_of(line: &[u8]) -> Option<(u64, u64)> {
    const CID: &[u8] = b",\"cid\":\"";
    const CSEQ: &[u8] = b"\",\"cseq\":";
    let at = memchr::memmem::find(line, CID)? + CID.len();
    let hex = std::str::from_utf8(line.get(at..at + 16)?).ok()?;
    let client = u64::from_str_radix(hex, 16).ok()?;
    let rest = line.get(at + 16..)?.strip_prefix(CSEQ)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    rest[end..].starts_with(b",\"data\":").then_some((client, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_where_they_are_and_nowhere_else() {
        let line = br#"{"inst":"x","msg":"a \",\"cid\":\"","seq":1,"recv":"y","cid":"00ff00ff00ff00ff","cseq":17,"data":{"cid":"z"}}"#;
        assert_eq!(number_of(line), Some((0x00ff_00ff_00ff_00ff, 17)));
        for line in [
            br#"{"seq":1,"data":{"a":1,"cid":"00ff00ff00ff00ff","cseq":17}}"#.as_slice(),
            br#"{"cid":"00ff00ff00ff00ff","cseq":17"#,
            br#"{"a":1,"cid":"00ff"#,
            b"",
        ] {
            assert_eq!(number_of(line), None, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn the_event_of_a_torn_line_is_not_taken_for_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let line = |number: u64| {
            format!("{{\"seq\":1,\"cid\":\"00ff00ff00ff00ff\",\"cseq\":{number},\"data\":{{}}}}\n")
        };
        let both = line(1) + &line(2);
        let setting = crate::sinks::recorder(&path);
        for (cut, expected) in [(0, vec![1, 2]), (1, vec![1]), (4, vec![1]), (line(2).len(), vec![1])] {
            std::fs::write(&path, &both[..both.len() - cut]).expect("written");
            let numbers: Vec<u64> = numbers_of(&setting).into_iter().map(|(_, number)| number).collect();
            assert_eq!(numbers, expected, "{cut} bytes cut");
        }
    }

    #[test]
    fn a_torn_line_goes_aside_and_the_rest_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        for (before, after, aside) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb", "a\n", Some("b\n")),
            ("b", "", Some("b\nb\n")),
            ("", "", Some("b\nb\n")),
        ] {
            std::fs::write(&path, before).expect("written");
            let said = cut_torn(&mut open(&path).expect("open"), &path).expect("cut");
            assert_eq!(said.is_some(), !before.is_empty() && !before.ends_with('\n'));
            assert_eq!(std::fs::read_to_string(&path).expect("there"), after);
            assert_eq!(std::fs::read_to_string(torn(&path)).ok().as_deref(), aside);
        }
    }
}
