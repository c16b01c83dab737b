//! Where one is in a list: the selected row by its key, and the first row on screen.
//!
//! Shared by all tables. A row keeps its selection when the list is made anew in another order, because the
//! selection is a key and not a number.

/// A place in a list of `K`.
#[derive(Clone, Debug)]
pub(super) struct Cursor<K> {
    selected: Option<K>,
    top: usize,
}

impl<K> Default for Cursor<K> {
    fn default() -> Self {
        Self { selected: None, top: 0 }
    }
}

impl<K: Clone + PartialEq> Cursor<K> {
    /// The key of the selected row, whether or not it is still in the list.
    pub(super) fn selected(&self) -> Option<&K> {
        self.selected.as_ref()
    }

    pub(super) fn select(&mut self, key: K) {
        self.selected = Some(key);
    }

    /// Lets go of the selection; `true` if there was one.
    pub(super) fn release(&mut self) -> bool {
        self.selected.take().is_some()
    }

    /// The position of the selected row among `keys`.
    pub(super) fn position(&self, keys: &[K]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        keys.iter().position(|key| key == selected)
    }

    /// Moves the selection by `step` rows, stopping at the ends; without one it begins at the first row.
    pub(super) fn step(&mut self, keys: &[K], step: isize) {
        let Some(last) = keys.len().checked_sub(1) else { return };
        let target = match self.position(keys) {
            Some(position) => position.saturating_add_signed(step).min(last),
            None => 0,
        };
        self.selected = Some(keys[target].clone());
    }

    /// The first row to draw of `height`, so that the selected one is on screen.
    pub(super) fn scroll(&mut self, keys: &[K], height: usize) -> usize {
        if let Some(position) = self.position(keys) {
            self.top = self.top.min(position).max((position + 1).saturating_sub(height));
        }
        self.top = self.top.min(keys.len().saturating_sub(height));
        self.top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_its_key_and_stays_on_screen() {
        let mut cursor = Cursor::default();
        let keys = ["a", "b", "c", "d", "e"];
        cursor.step(&keys, 1);
        assert_eq!(cursor.selected(), Some(&"a"));
        cursor.step(&keys, 3);
        assert_eq!((cursor.selected().copied(), cursor.scroll(&keys, 2)), (Some("d"), 2));
        let turned = ["e", "d", "c", "b", "a"];
        assert_eq!((cursor.position(&turned), cursor.scroll(&turned, 2)), (Some(1), 1));
        cursor.step(&turned, -9);
        assert_eq!((cursor.selected().copied(), cursor.scroll(&turned, 2)), (Some("e"), 0));
        cursor.step(&[], 1);
        assert!(cursor.release() && !cursor.release());
    }
}
