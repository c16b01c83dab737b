//! Filters typed before, for ↑, and filters that were in force before, for the keys that walk back and forward.
//!
//! Owned by the filter bar. It keeps texts only; the file behind it is the business of whoever runs the console.

/// Texts kept of either; the oldest leaves.
const MAX_TEXTS: usize = 100;

/// Filters that were accepted, oldest first, and the place in them.
#[derive(Debug, Default)]
pub(super) struct History {
    texts: Vec<String>,
    recalled: Option<Recalled>,
}

#[derive(Debug)]
struct Recalled {
    at: usize,
    /// What was typed before: only texts that begin with it are met, and it comes back below the newest.
    typed: String,
}

impl History {
    pub(super) fn new(texts: Vec<String>) -> Self {
        let from = texts.len().saturating_sub(MAX_TEXTS);
        Self { texts: texts[from..].to_vec(), recalled: None }
    }

    /// The newest texts, newest first.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = &String> {
        self.texts.iter().rev().take(count)
    }

    pub(super) fn remember(&mut self, text: &str) {
        self.recalled = None;
        if text.is_empty() {
            return;
        }
        self.texts.retain(|old| old != text);
        self.texts.push(text.to_owned());
        if self.texts.len() > MAX_TEXTS {
            self.texts.remove(0);
        }
    }

    pub(super) fn is_recalling(&self) -> bool {
        self.recalled.is_some()
    }

    /// The text was edited: the next recall begins at the newest.
    pub(super) fn leave(&mut self) {
        self.recalled = None;
    }

    /// The next older or newer text that begins with what was typed; `None` where there is none.
    pub(super) fn recall(&mut self, is_older: bool, typed: &str) -> Option<String> {
        let typed = self.recalled.as_ref().map_or(typed, |recalled| &recalled.typed).to_owned();
        let here = self.recalled.as_ref().map_or(self.texts.len(), |recalled| recalled.at);
        let fits = |at: &usize| self.texts[*at].starts_with(&typed) && self.texts[*at] != typed;
        let next =
            if is_older { (0..here).rev().find(fits) } else { (here + 1..self.texts.len()).find(fits) };
        match next {
            Some(at) => {
                self.recalled = Some(Recalled { at, typed });
                Some(self.texts[at].clone())
            }
            None if is_older => None,
            None => self.recalled.take().map(|recalled| recalled.typed),
        }
    }
}

/// Filters as they were in force one after the other, and which of them is now.
#[derive(Debug)]
pub(super) struct Walk {
    states: Vec<String>,
    at: usize,
}

impl Walk {
    pub(super) fn new(text: &str) -> Self {
        Self { states: vec![text.to_owned()], at: 0 }
    }

    /// `text` is in force from now on; what was taken back is forgotten.
    pub(super) fn push(&mut self, text: &str) {
        if self.states.get(self.at).is_some_and(|now| now == text) {
            return;
        }
        self.states.truncate(self.at + 1);
        self.states.push(text.to_owned());
        if self.states.len() > MAX_TEXTS {
            self.states.remove(0);
        }
        self.at = self.states.len() - 1;
    }

    pub(super) fn back(&mut self) -> Option<&str> {
        self.at = self.at.checked_sub(1)?;
        self.states.get(self.at).map(String::as_str)
    }

    pub(super) fn forward(&mut self) -> Option<&str> {
        let next = self.states.get(self.at + 1)?;
        self.at += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_meets_what_begins_as_typed_and_comes_back_to_it() {
        let mut history = History::new(["level:error", "url:/a", "level>=warn"].map(str::to_owned).to_vec());
        let mut steps = |keys: &[bool], typed: &str| -> Vec<Option<String>> {
            keys.iter().map(|is_older| history.recall(*is_older, typed)).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let expected =
            [some("level>=warn"), some("level:error"), None, some("level>=warn"), some("lev"), None];
        assert_eq!(steps(&[true, true, true, false, false, false], "lev"), expected);
        assert_eq!(steps(&[true, true], ""), [some("level>=warn"), some("url:/a")]);
        history.remember("url:/a");
        assert_eq!(history.recall(true, ""), some("url:/a"), "once, as the newest");
    }

    #[test]
    fn filter_states_are_walked_like_pages() {
        let mut walk = Walk::new("");
        ["a", "a b", "a b"].into_iter().for_each(|text| walk.push(text));
        assert_eq!(walk.back(), Some("a"));
        assert_eq!(walk.forward(), Some("a b"));
        assert_eq!(walk.forward(), None);
        walk.back();
        walk.push("c");
        assert_eq!(walk.forward(), None, "what was taken back is gone");
        assert_eq!(
            (walk.back().map(str::to_owned), walk.back().map(str::to_owned)),
            (Some("a".into()), Some("".into()))
        );
        assert_eq!(walk.back(), None);
    }

    #[test]
    fn both_are_bounded() {
        let mut history = History::new(vec!["x".to_owned(); 500]);
        let mut walk = Walk::new("");
        for number in 0..500 {
            history.remember(&number.to_string());
            walk.push(&number.to_string());
        }
        assert_eq!((history.texts.len(), walk.states.len()), (MAX_TEXTS, MAX_TEXTS));
        assert_eq!(walk.back(), Some("498"));
    }
}
