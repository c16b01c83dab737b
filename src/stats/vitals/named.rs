//! Things counted by name, so many at the most; what does not fit is counted together.
//!
//! Used by every table of the vitals. Names come from pages: they are bounded in number and in length.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// Stands for all names that did not fit.
pub const OTHER: &str = "(other)";
/// A longer name, in bytes, counts among the others.
const MAX_NAME: usize = 256;

/// At most `N` values by name, and one for the rest.
#[derive(Debug)]
pub(super) struct Named<V, const N: usize> {
    all: FxHashMap<Arc<str>, V>,
    other: Option<Box<V>>,
}

impl<V, const N: usize> Default for Named<V, N> {
    fn default() -> Self {
        Self { all: FxHashMap::default(), other: None }
    }
}

impl<V: Default, const N: usize> Named<V, N> {
    /// What is counted under `name`, made when it is first asked for.
    pub(super) fn of(&mut self, name: &str) -> &mut V {
        let is_known = self.all.contains_key(name);
        if !is_known && (self.all.len() >= N || name.len() > MAX_NAME) {
            return self.other.get_or_insert_default();
        }
        if !is_known {
            self.all.insert(Arc::from(name), V::default());
        }
        self.all.get_mut(name).expect("known, or inserted just before")
    }

    /// Every name with its value, the others last; the rest in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Arc<str>, &V)> {
        let other = self.other.iter().map(|value| (Arc::from(OTHER), &**value));
        self.all.iter().map(|(name, value)| (Arc::clone(name), value)).chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_together() {
        let mut named: Named<u32, 2> = Named::default();
        let long = "x".repeat(MAX_NAME + 1);
        for name in ["a", long.as_str(), "b", "c", "a", "d"] {
            *named.of(name) += 1;
        }
        let mut rows: Vec<_> = named.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        rows.sort();
        assert_eq!(rows, [(OTHER.to_owned(), 3), ("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }
}
