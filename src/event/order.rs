//! The order of a chunk's rows by the time of their events: arrival is nearly that order, but not quite.
//!
//! Made once for each state of a chunk, asked for by the scan. Rows of one time stand in the order of arrival.

use super::time::Timestamp;

/// The rows of a chunk by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The earliest and the latest time; of no rows, both are 0.
    pub span: (Timestamp, Timestamp),
    /// None where arrival is the order of time.
    rows: Option<Box<[u16]>>,
}

impl Order {
    /// The order of rows with these times, at most 65,536 of them.
    pub(super) fn of(times: &[Timestamp]) -> Self {
        let span = times.iter().fold(None, |span: Option<(Timestamp, Timestamp)>, at| {
            Some(span.map_or((*at, *at), |(first, last)| (first.min(*at), last.max(*at))))
        });
        let rows = (!times.is_sorted()).then(|| {
            let mut rows: Vec<u16> = (0..=u16::MAX).take(times.len()).collect();
            rows.sort_by_key(|row| times[usize::from(*row)]);
            rows.into_boxed_slice()
        });
        Self { span: span.unwrap_or_default(), rows }
    }

    /// All rows, earliest first; `None` where they stand in that order.
    pub fn rows(&self) -> Option<&[u16]> {
        self.rows.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_time_stay_in_the_order_of_arrival() {
        let of = |times: &[i64]| Order::of(&times.iter().map(|at| Timestamp(*at)).collect::<Vec<_>>());
        assert_eq!(of(&[1, 2, 2, 9]), Order { span: (Timestamp(1), Timestamp(9)), rows: None });
        assert_eq!(of(&[5, 3, 5, 3, 4]).rows(), Some(&[1, 3, 4, 0, 2][..]));
        assert_eq!(of(&[]), Order::default());
    }
}
