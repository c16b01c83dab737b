//! How much memory events may take: what is set, and never more than three quarters of what the machine has.
//!
//! Asked where a store is made, and beside the settings, where it is told that it is less than was asked for.

use crate::config::Settings;

/// Bytes that a store may keep.
pub(super) fn of(settings: &Settings) -> u64 {
    within(settings.memory, machine()).0
}

/// What is to be said where that is less than what is set.
pub(super) fn complaint(settings: &Settings) -> Option<String> {
    within(settings.memory, machine()).1
}

/// What may be kept of `asked` on a machine of so many bytes, and what is to be said of it.
fn within(asked: u64, machine: Option<u64>) -> (u64, Option<String>) {
    match machine.map(|bytes| bytes / 4 * 3).filter(|most| asked > *most) {
        Some(most) => {
            let said = format!(
                "buffer.mb: {} MiB are three quarters of this machine's memory, and no more is used for events",
                most >> 20
            );
            (most, Some(said))
        }
        None => (asked, None),
    }
}

#[cfg(target_os = "linux")]
fn machine() -> Option<u64> {
    let known = rustix::system::sysinfo();
    Some(known.totalram.saturating_mul(u64::from(known.mem_unit))).filter(|bytes| *bytes > 0)
}

/// Not asked elsewhere: what is set counts.
#[cfg(not(target_os = "linux"))]
fn machine() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_of_the_machine_are_the_most_and_less_than_asked_for_is_told() {
        let gib = |count: u64| count << 30;
        assert_eq!(within(gib(2), None), (gib(2), None));
        assert_eq!(within(gib(6), Some(gib(8))), (gib(6), None));
        let (bytes, said) = within(gib(7), Some(gib(8)));
        assert_eq!(bytes, gib(6));
        assert!(said.is_some_and(|said| said.starts_with("buffer.mb: 6144 MiB are three quarters")));
        let mut asks_for_all = Settings::default();
        asks_for_all.memory = u64::MAX;
        assert_eq!(of(&asks_for_all) < u64::MAX, cfg!(target_os = "linux"));
    }
}
