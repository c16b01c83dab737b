//! Who holds a port that could not be bound, where the system tells.
//!
//! Called by `run` for the message about a taken port. It only reads `/proc`; elsewhere it knows nothing.

use std::fs;
use std::path::Path;

/// A process as the user knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub name: String,
    pub pid: u32,
}

/// The process that listens on `port` of this machine, if it can be known.
pub fn holder_of(port: u16) -> Option<Holder> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| sockets_of(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let path = entry.path();
        let holds =
            fs::read_dir(path.join("fd")).ok()?.flatten().any(|file| is_one_of(&file.path(), &inodes));
        let name = holds.then(|| fs::read_to_string(path.join("comm")).ok())??;
        Some(Holder { name: name.trim().to_owned(), pid })
    })
}

/// What `/proc/*/fd` shows of the sockets in `table` that listen on `port`.
fn sockets_of(table: &str, port: u16) -> Vec<String> {
    let inodes = table.lines().filter_map(|line| listening_inode(line, port));
    inodes.map(|inode| format!("socket:[{inode}]")).collect()
}

fn is_one_of(link: &Path, sockets: &[String]) -> bool {
    fs::read_link(link).is_ok_and(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

/// The inode of a line of `/proc/net/tcp` that listens (state 0A) on `port` (proc(5)).
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let (_, hex) = local.rsplit_once(':')?;
    let is_it = state == "0A" && u16::from_str_radix(hex, 16).ok()? == port;
    is_it.then(|| fields.nth(5))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_line_gives_its_inode() {
        let line = "   0: 0100007F:2035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9876 1 0";
        assert_eq!(listening_inode(line, 8245), Some("9876"));
        assert_eq!(listening_inode(line, 80), None);
        assert_eq!(listening_inode("garbage", 80), None);
    }
}
