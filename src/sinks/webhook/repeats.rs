//! Which events of a group are posted, and how many were not.
//!
//! Called by the webhook sinks. Time is passed in. It never forgets a count it has not told, but for groups beyond its
//! bound, of which the longest silent one leaves.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

/// Groups that are remembered.
const MAX_GROUPS: usize = 1_000;

#[derive(Debug)]
pub(super) struct Repeats {
    within: Duration,
    groups: FxHashMap<u64, Seen>,
}

#[derive(Debug)]
struct Seen {
    posted: Instant,
    more: u64,
}

impl Repeats {
    pub(super) fn new(within: Duration) -> Self {
        Self { within, groups: FxHashMap::default() }
    }

    /// `None` if an event of `group` at `now` is not to be posted; else how many before it were not.
    pub(super) fn post(&mut self, group: Option<u64>, now: Instant) -> Option<u64> {
        let Some(group) = group else { return Some(0) };
        if let Some(seen) = self.groups.get_mut(&group) {
            if now.saturating_duration_since(seen.posted) < self.within {
                seen.more += 1;
                return None;
            }
            seen.posted = now;
            return Some(std::mem::take(&mut seen.more));
        }
        if self.groups.len() >= MAX_GROUPS
            && let Some(oldest) =
                self.groups.iter().min_by_key(|(_, seen)| seen.posted).map(|(group, _)| *group)
        {
            self.groups.remove(&oldest);
        }
        self.groups.insert(group, Seen { posted: now, more: 0 });
        Some(0)
    }

    /// The post of `group` that told `more` failed: it will be asked for again.
    pub(super) fn take_back(&mut self, group: Option<u64>, more: u64) {
        let Some(seen) = group.and_then(|group| self.groups.remove(&group)) else { return };
        // Nothing is forgotten: an entry so old that it does not hold back the next post.
        if let (Some(group), Some(posted)) = (group, seen.posted.checked_sub(self.within))
            && more + seen.more > 0
        {
            self.groups.insert(group, Seen { posted, more: more + seen.more });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_posted_once_in_a_while_and_tells_what_was_not() {
        let start = Instant::now() + Duration::from_secs(3_600);
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut repeats = Repeats::new(Duration::from_secs(60));
        let steps = [
            (Some(1), 0, Some(0)),
            (Some(1), 1, None),
            (Some(2), 2, Some(0)),
            (Some(1), 59, None),
            (None, 59, Some(0)),
            (None, 59, Some(0)),
            (Some(1), 60, Some(2)),
            (Some(1), 61, None),
        ];
        for (group, second, expected) in steps {
            assert_eq!(repeats.post(group, at(second)), expected, "{group:?} at {second}");
        }
        assert_eq!(repeats.post(Some(1), at(130)), Some(1));
        repeats.take_back(Some(1), 1);
        assert_eq!(repeats.post(Some(1), at(131)), Some(1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let now = Instant::now();
        let mut repeats = Repeats::new(Duration::from_secs(60));
        for group in 1..=2_000 {
            repeats.post(Some(group), now + Duration::from_millis(group));
        }
        assert_eq!(repeats.groups.len(), MAX_GROUPS);
        assert!(repeats.groups.contains_key(&2_000) && !repeats.groups.contains_key(&1));
    }
}
