//! The bars of a distribution, put together until there are few enough to draw.
//!
//! Called by the latency screen. Counts are never lost: what the bars hold together is what was recorded.

use crate::event::Micros;
use crate::stats::{BARS, bar_limit};

/// Some neighbouring bars as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// Durations up to and including this; for an open bar, those above it.
    pub(super) limit: Micros,
    pub(super) is_open: bool,
    pub(super) count: u64,
}

/// At most `rows` bars over the range that holds anything; none where nothing does.
pub(super) fn merged(bars: &[u32; BARS], rows: usize) -> Vec<Bar> {
    let first = bars.iter().position(|count| *count > 0);
    let last = bars.iter().rposition(|count| *count > 0);
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    if rows == 0 {
        return Vec::new();
    }
    let each = (last - first + 1).div_ceil(rows);
    (first..=last)
        .step_by(each)
        .map(|start| {
            let end = (start + each - 1).min(last);
            // The last bar of all takes what is over 60 s as well, so it has no upper limit.
            let is_open = end + 1 == BARS && start > 0;
            let limit = if is_open { bar_limit(start - 1) } else { bar_limit(end) };
            let count = bars[start..=end].iter().map(|count| u64::from(*count)).sum();
            Bar { limit, is_open, count }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_range_that_holds_something_is_drawn() {
        let mut bars = [0; BARS];
        assert_eq!(merged(&bars, 5), []);
        bars[3] = 2;
        bars[5] = 1;
        let limits =
            |rows| merged(&bars, rows).iter().map(|bar| (bar.limit.0, bar.count)).collect::<Vec<_>>();
        assert_eq!(limits(5), [(512, 2), (1024, 0), (2048, 1)]);
        assert_eq!(limits(2), [(1024, 2), (2048, 1)]);
        assert_eq!(limits(1), [(2048, 3)]);
        assert_eq!(limits(0), []);
    }

    #[test]
    fn the_bar_without_an_upper_limit_says_so() {
        let mut bars = [0; BARS];
        bars[BARS - 1] = 4;
        let open = Bar { limit: bar_limit(BARS - 2), is_open: true, count: 4 };
        assert_eq!(merged(&bars, 3), [open]);
    }

    proptest! {
        #[test]
        fn no_duration_is_lost(bars in prop::array::uniform21(0_u32..5), rows in 1_usize..30) {
            let merged = merged(&bars, rows);
            prop_assert!(merged.len() <= rows);
            let sum: u64 = merged.iter().map(|bar| bar.count).sum();
            prop_assert_eq!(sum, bars.iter().map(|count| u64::from(*count)).sum::<u64>());
        }
    }
}
