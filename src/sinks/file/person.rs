//! A person's lines in the files of a place: given out, or taken out of them.
//!
//! Called while nothing is written there. A file is replaced as a whole by one without the lines, packed ones too; one
//! without any is not touched. Fragments in `.torn` files go where the name stands in them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;

use super::folder::Place;
use super::repair::torn;
use crate::event::json::{self, Shape};
use crate::event::{Person, Timestamp};
use crate::sinks::Visit;

/// Bytes that one packed file may unpack to (SECURITY: limits, replay).
const MAX_UNPACKED: u64 = 4 << 30;

/// The object that a line is; `None` for a fragment and whatever else.
fn object(line: &[u8]) -> Option<&str> {
    // Editors on Windows put a byte order mark before the first line.
    let text = str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim_ascii();
    text.starts_with('{').then(|| serde_json::from_str::<&RawValue>(text).ok()).flatten().map(RawValue::get)
}

/// Whether the event is that person's: by its columns or, where taillight did not write it, as if it had been posted
/// (CONTRACT: the event, the JSONL line).
fn is_of(who: &Person, object: &str) -> bool {
    let [inst, recv, data, user, session] =
        json::get_all(object, ["inst", "recv", "data", "user", "session"]);
    let text = |value: Option<&str>| value.and_then(json::text).unwrap_or_default().into_owned();
    let is_time = |value| Timestamp::parse_rfc3339(&text(value)).is_some();
    let is_ours = is_time(inst) && is_time(recv) && data.is_some_and(|data| data.starts_with('{'));
    let has_column = who.is(&text(user), &text(session));
    if is_ours || has_column {
        return has_column;
    }
    let [user, session, context] = json::get_all(object, ["user-id", "session-id", "context"]);
    // Senders use numbers as ids, which are written out, or deeper down left as they stand.
    let number = |value: &str| json::number(value).map(|number| number.to_string());
    let name = |value: Option<&str>| match value {
        Some(value) if json::shape(value) == Shape::Number => number(value).unwrap_or_default(),
        value => text(value),
    };
    let deeper = |parent: Option<&str>| match json::get(parent.unwrap_or_default(), "user-id") {
        Some(value) if json::shape(value) == Shape::Number => value.to_owned(),
        value => text(value),
    };
    let users = [name(user), deeper(data), deeper(context)];
    let user = users.iter().find(|user| !user.is_empty()).map_or("", String::as_str);
    who.is(user, &name(session))
}

/// Tells the lines of one person from others.
struct Judge<'a> {
    who: &'a Person,
    /// The name as it stands in JSON.
    quoted: String,
    /// The name may stand there in no other way.
    is_plain: bool,
}

impl<'a> Judge<'a> {
    fn new(who: &'a Person) -> Self {
        let is_number = who.name().parse::<f64>().is_ok();
        let is_plain = !is_number
            && who.name().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@:".contains(&byte));
        let quoted = serde_json::Value::from(who.name()).to_string();
        Self { who, quoted, is_plain }
    }

    /// Whether the line is theirs. A fragment is where the name stands in it.
    fn is_theirs(&self, line: &[u8]) -> bool {
        let has_name = || memchr::memmem::find(line, self.quoted.as_bytes()).is_some();
        if self.is_plain && !has_name() {
            return false;
        }
        match object(line) {
            Some(object) => is_of(self.who, object),
            None => !self.who.name().is_empty() && has_name(),
        }
    }
}

/// The files of a place with what was torn off them.
fn paths(place: &Place) -> io::Result<Vec<PathBuf>> {
    let files = match place.files() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let both = files.into_iter().flat_map(|file| [torn(&file.path), file.path]);
    let mut paths: Vec<PathBuf> = both.filter(|path| path.is_file()).collect();
    // Whoever names a packed file, or a part of a recording, means that one.
    if let Place::One(file) = place
        && file.symlink_metadata().is_ok_and(|known| known.is_file())
        && !paths.iter().any(|path| path.file_name() == file.file_name())
    {
        paths.push(file.clone());
    }
    Ok(paths)
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

fn reader(path: &Path) -> io::Result<BufReader<Box<dyn Read>>> {
    let file = File::open(path)?;
    let input: Box<dyn Read> = if is_packed(path) {
        Box::new(MultiGzDecoder::new(BufReader::new(file)).take(MAX_UNPACKED))
    } else {
        Box::new(file)
    };
    Ok(BufReader::new(input))
}

/// Gives `visit` every line of the file, with its line break.
fn each_line(path: &Path, mut visit: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut input = reader(path)?;
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        visit(&line)?;
        line.clear();
    }
    Ok(())
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Gives `visit` every line about `who` in the files of `place`, without its line break; fragments are none.
pub(super) fn find(place: &Place, who: &Person, visit: &mut Visit<'_>) -> Result<(), String> {
    let judge = Judge::new(who);
    for path in paths(place).map_err(|error| told(place.folder(), &error))? {
        each_line(&path, |line| match judge.is_theirs(line).then(|| object(line)).flatten() {
            Some(object) => visit(object),
            None => Ok(()),
        })
        .map_err(|error| told(&path, &error))?;
    }
    Ok(())
}

/// Takes every line about `who` out of the files of `place`; gives those it changed, with how many lines each.
pub(super) fn remove(place: &Place, who: &Person) -> Result<Vec<(PathBuf, u64)>, String> {
    let judge = Judge::new(who);
    let mut changed = Vec::new();
    for path in paths(place).map_err(|error| told(place.folder(), &error))? {
        let mut theirs = 0;
        let count = |line: &[u8]| {
            theirs += u64::from(judge.is_theirs(line));
            Ok(())
        };
        each_line(&path, count).map_err(|error| told(&path, &error))?;
        if theirs > 0 {
            rewrite(&path, &judge).map_err(|error| told(&path, &error))?;
            changed.push((path, theirs));
        }
    }
    Ok(changed)
}

/// Puts a file without the lines in the place of the one at `path`, with the same permissions.
fn rewrite(path: &Path, judge: &Judge<'_>) -> io::Result<()> {
    let source = File::open(path)?;
    if source.try_lock().is_err() {
        return Err(io::Error::other("it is being written to by another process"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    if is_packed(path) {
        let mut packer = GzEncoder::new(&mut out, Compression::default());
        each_line(path, |line| if judge.is_theirs(line) { Ok(()) } else { packer.write_all(line) })?;
        packer.finish()?;
    } else {
        each_line(path, |line| if judge.is_theirs(line) { Ok(()) } else { out.write_all(line) })?;
    }
    out.flush()?;
    drop(out);
    temporary.as_file().set_permissions(source.metadata()?.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = concat!(
        "{\"inst\":\"x\",\"session\":\"s-1\",\"user\":\"u-1\",\"data\":{}}\n",
        "{\"inst\":\"x\",\"session\":\"s-2\",\"user\":\"u-2\",\"data\":{\"about\":\"u-1\"}}\n",
        "{\"inst\":\"x\",\"session\":\"s-1\",\"data\":{\"user\":\"u-1\"}}\n",
        "{\"inst\":\"x\",\"session\":\"s-3\",\"user\":\"u\\u0031\\n\",\"data\":{}}\n",
    );

    fn write_packed(path: &Path, text: &str) {
        let mut packer = GzEncoder::new(File::create(path).expect("made"), Compression::fast());
        packer.write_all(text.as_bytes()).and_then(|()| packer.finish()).expect("written");
    }

    fn text_of(path: &Path) -> String {
        let mut text = String::new();
        reader(path).and_then(|mut input| input.read_to_string(&mut text)).expect("readable");
        text
    }

    #[test]
    fn a_persons_lines_leave_plain_and_packed_files_and_no_other_line_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let place = Place::One(at("rec.jsonl"));
        fs::write(at("rec.jsonl"), LINES).expect("written");
        write_packed(&at("rec.1.jsonl.gz"), LINES);
        fs::write(at("rec.2.jsonl"), "{\"user\":\"u-2\"}\n").expect("written");
        fs::write(at("rec.jsonl.torn"), "{\"user\":\"u-1\",\"da\n{\"user\":\"u-2\",\"da\n").expect("written");
        fs::write(at("other.jsonl"), LINES).expect("written");
        let who = Person::User("u-1".to_owned());
        let mut found = Vec::new();
        find(&place, &who, &mut |line| {
            found.push(line.to_owned());
            Ok(())
        })
        .expect("readable");
        assert_eq!(found, [LINES.lines().next().expect("a line"); 2]);
        let changed = remove(&place, &who).expect("removed");
        assert_eq!(changed, [(at("rec.jsonl.torn"), 1), (at("rec.jsonl"), 1), (at("rec.1.jsonl.gz"), 1)]);
        let rest: String = LINES.lines().skip(1).map(|line| format!("{line}\n")).collect();
        assert_eq!((text_of(&at("rec.jsonl")), text_of(&at("rec.1.jsonl.gz"))), (rest.clone(), rest));
        assert_eq!(text_of(&at("rec.jsonl.torn")), "{\"user\":\"u-2\",\"da\n");
        assert_eq!(text_of(&at("other.jsonl")), LINES, "a file of another place");
        assert_eq!(remove(&place, &who), Ok(Vec::new()));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 5, "nothing is left over");
    }

    #[test]
    fn an_event_that_taillight_did_not_write_is_read_as_if_posted() {
        let who = Person::User("zz".to_owned());
        for (line, expected) in [
            (r#"{"type":"log","user-id":"zz"}"#, true),
            (r#"{"type":"log","userId":"zz"}"#, true),
            (r#"{"type":"log","data":{"user_id":"zz"}}"#, true),
            (r#"{"type":"log","context":{"user-id":"zz"}}"#, true),
            (r#"{"type":"log","user-id":"yy","context":{"user-id":"zz"}}"#, false),
            (r#"{"type":"log","message":"zz","session-id":"zz"}"#, false),
            (r#"{"type":"log","user":{"name":"zz"}}"#, false),
            (
                r#"{"inst":"2026-03-04T00:00:00.000Z","recv":"2026-03-04T00:00:00.000Z","data":{"user-id":"zz"}}"#,
                false,
            ),
        ] {
            assert_eq!(Judge::new(&who).is_theirs(line.as_bytes()), expected, "{line}");
        }
        let line = br#"{"user-id":7.0,"session-id":1e3}"#;
        for who in [Person::User("7".to_owned()), Person::Session("1000".to_owned())] {
            assert!(Judge::new(&who).is_theirs(line), "{who:?}");
        }
    }

    #[test]
    fn a_packed_file_or_a_part_that_is_named_is_seen_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let who = Person::User("u-1".to_owned());
        write_packed(&at("x.jsonl.gz"), LINES);
        write_packed(&at("x.1.jsonl.GZ"), LINES);
        fs::write(at("x.2.jsonl"), LINES).expect("written");
        for name in ["x.jsonl.gz", "x.1.jsonl.GZ", "x.2.jsonl"] {
            let place = Place::One(at(name));
            let mut found = 0;
            find(&place, &who, &mut |_| {
                found += 1;
                Ok(())
            })
            .expect("readable");
            assert_eq!((found, remove(&place, &who)), (1, Ok(vec![(at(name), 1)])), "{name}");
            assert_eq!(text_of(&at(name)).lines().count(), 3, "{name}");
        }
    }

    #[test]
    fn names_with_anything_in_them_and_sessions_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rec.jsonl");
        for (who, expected) in [
            (Person::User("u1\n".to_owned()), 1),
            (Person::Session("s-1".to_owned()), 2),
            (Person::User("s-1".to_owned()), 0),
            (Person::User(String::new()), 0),
        ] {
            fs::write(&path, LINES).expect("written");
            let changed = remove(&Place::One(path.clone()), &who).expect("removed");
            let lines: u64 = changed.iter().map(|(_, lines)| lines).sum();
            assert_eq!(lines, expected, "{who:?}");
            assert_eq!(text_of(&path).lines().count() as u64, 4 - expected);
        }
    }
}
