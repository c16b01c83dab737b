//! The web vitals, and how good a value of one is.
//!
//! Asked by `wire::measured`, which rates what a browser measured, by `stats` and by the screens; pure.

/// A web vital: milliseconds, but for CLS, which is a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vital {
    Lcp,
    Inp,
    Cls,
    Fcp,
    Ttfb,
}

/// How good a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rating {
    Good,
    NeedsWork,
    Poor,
}

impl Vital {
    pub const ALL: [Self; 5] = [Self::Lcp, Self::Inp, Self::Cls, Self::Fcp, Self::Ttfb];

    pub fn name(self) -> &'static str {
        ["LCP", "INP", "CLS", "FCP", "TTFB"][self as usize]
    }

    /// The last good value and the last one that is not poor (web.dev/articles/defining-core-web-vitals-thresholds).
    pub fn limits(self) -> (f64, f64) {
        [(2_500.0, 4_000.0), (200.0, 500.0), (0.1, 0.25), (1_800.0, 3_000.0), (800.0, 1_800.0)][self as usize]
    }

    pub fn rating(self, value: f64) -> Rating {
        let (good, fair) = self.limits();
        if value <= good {
            Rating::Good
        } else if value <= fair {
            Rating::NeedsWork
        } else {
            Rating::Poor
        }
    }

    /// The vital of that name, in whatever case.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vital| vital.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_belong_to_the_better_rating() {
        for (vital, value, rating) in [
            (Vital::Lcp, 2_500.0, Rating::Good),
            (Vital::Lcp, 2_500.1, Rating::NeedsWork),
            (Vital::Inp, 500.0, Rating::NeedsWork),
            (Vital::Cls, 0.26, Rating::Poor),
            (Vital::Ttfb, 0.0, Rating::Good),
        ] {
            assert_eq!(vital.rating(value), rating, "{vital:?} {value}");
        }
        assert_eq!((Vital::find("ttfb"), Vital::find("FID")), (Some(Vital::Ttfb), None));
    }
}
