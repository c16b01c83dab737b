//! How much an export may write: no more than a file of its kind should have, and never the last of its disk.
//!
//! Asked by `recording::write` when an export begins.

use std::path::Path;

/// The most that one export takes (SECURITY: limits).
const MOST: u64 = 2 << 30;

/// See the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) bytes: u64,
    /// What sets it.
    pub(super) why: &'static str,
}

impl Room {
    /// In `folder`, as its disk is now. A disk that cannot be asked is written to until it is full.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let disk = rustix::fs::statvfs(folder).ok();
        Self::of(disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    fn of(free: Option<u64>) -> Self {
        let most = Self { bytes: MOST, why: "2 GiB" };
        let why = "nine tenths of what is free on its disk";
        match free.map(|free| free - free / 10) {
            Some(bytes) if bytes < MOST => Self { bytes, why },
            _ => most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_two_gib_or_nine_tenths_of_what_is_free() {
        for (free, bytes) in [
            (None, 2 << 30),
            (Some(u64::MAX), 2 << 30),
            (Some(3 << 30), 2 << 30),
            (Some(2_000_000_000), 1_800_000_000),
            (Some(10), 9),
            (Some(0), 0),
        ] {
            let room = Room::of(free);
            assert_eq!(room.bytes, bytes, "{free:?}");
            assert_eq!(room.why.contains("2 GiB"), bytes == 2 << 30, "{room:?}");
        }
        assert!(Room::in_folder(Path::new("/")).bytes <= MOST);
        assert_eq!(Room::in_folder(Path::new("/no/such")), Room::of(None));
    }
}
