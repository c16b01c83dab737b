//! Which builds of a script a page may run: what was replaced when, as far as pages and addresses tell.
//!
//! Asked by `known` before a map is asked for or used. Times here are generations, which rise with what is told. It
//! knows no scripts and loads nothing.
//!
//! The code at an address stays what it was in a page that loaded it, whatever the server says of that address later.
//! Development servers give new code a new address: `/src/cart.ts?t=1700000000000`. Turbopack alone gives a module that it
//! replaced the address it had, and says nothing of it.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::event::Timestamp;
use crate::stack::module_id;

/// Addresses whose replacement is remembered.
const MAX_REPLACED: usize = 4_096;

/// When newer code of a script was heard of.
#[derive(Clone, Copy, Debug, Default)]
struct Replaced {
    /// The largest `t` that was seen.
    newest: u64,
    since: u64,
}

#[derive(Debug, Default)]
pub(super) struct Builds {
    generation: u64,
    /// By address without its `t`; what hot updates name is told without a host.
    replaced: FxHashMap<String, Replaced>,
}

impl Builds {
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Code may have been loaded anew, all of it.
    pub(super) fn expire(&mut self) {
        self.generation += 1;
    }

    /// The code at `path` of the page's server was replaced by that of another address.
    pub(super) fn replace(&mut self, path: &str) {
        let (key, _) = dated(path);
        self.note(key, 0);
    }

    /// Notes which newer code the script `file` tells of. A module of Turbopack's may be newer each time it is heard of; it
    /// is taken to be so once a second, so that many errors do not ask for it over and over.
    pub(super) fn see(&mut self, file: &str, now: Timestamp) {
        let second = || u64::try_from(now.0 / 1_000).unwrap_or(0);
        let (key, time) = if module_id(file).is_some() { (file.to_owned(), second()) } else { dated(file) };
        if time > self.replaced.get(&key).map_or(0, |known| known.newest) {
            self.note(key, time);
        }
    }

    fn note(&mut self, key: String, time: u64) {
        if self.replaced.len() >= MAX_REPLACED && !self.replaced.contains_key(&key) {
            self.replaced.clear();
        }
        self.generation += 1;
        let known = self.replaced.entry(key).or_default();
        *known = Replaced { newest: known.newest.max(time), since: self.generation };
    }

    /// In which generations the server answered for `file` with the code that a page runs whose code is of generation
    /// `loaded`.
    pub(super) fn span(&self, file: &str, loaded: u64) -> Range<u64> {
        if module_id(file).is_some() {
            return self.replaced.get(file).map_or(0, |known| known.since)..u64::MAX;
        }
        let (key, time) = dated(file);
        let by_address = self.replaced.get(&key);
        if time > 0 {
            let until = by_address.filter(|known| time < known.newest).map(|known| known.since);
            return 0..until.unwrap_or(u64::MAX);
        }
        let both = [by_address, self.replaced.get(below_host(&key))];
        let later = both.into_iter().flatten().map(|known| known.since).filter(|since| *since > loaded);
        loaded..later.min().unwrap_or(u64::MAX)
    }
}

fn below_host(address: &str) -> &str {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    address[host..].find('/').map_or(address, |path| &address[host + path..])
}

/// The address of a script without the time that a development server adds, and that time; 0 without one.
fn dated(file: &str) -> (String, u64) {
    let (path, query) = file.split_once('?').unwrap_or((file, ""));
    let mut time = 0;
    let mut key = path.to_owned();
    for pair in query.split('&') {
        match pair.strip_prefix("t=").and_then(|digits| digits.parse().ok()) {
            Some(found) => time = found,
            None => key.extend(["?", pair]),
        }
    }
    (key.trim_end_matches('?').to_owned(), time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_address_is_told_from_the_rest() {
        for (file, key, time) in [
            ("http://localhost:5173/src/a.ts?t=17", "http://localhost:5173/src/a.ts", 17),
            ("/src/a.ts", "/src/a.ts", 0),
            ("/a.vue?vue&type=script&t=17&lang.ts", "/a.vue?vue?type=script?lang.ts", 17),
            ("/a.js?v=1f2e", "/a.js?v=1f2e", 0),
            ("/a.js?t=soon", "/a.js?t=soon", 0),
        ] {
            assert_eq!(dated(file), (key.to_owned(), time), "{file}");
        }
        for (address, below) in
            [("http://h:1/a/b.ts", "/a/b.ts"), ("/a.ts", "/a.ts"), ("http://h", "http://h"), ("", "")]
        {
            assert_eq!(below_host(address), below);
        }
    }

    #[test]
    fn code_that_was_replaced_was_to_be_had_until_then() {
        let mut builds = Builds::default();
        assert_eq!(builds.span("http://h/a.ts", 0), 0..u64::MAX);
        builds.see("http://h/a.ts?t=1", Timestamp(0));
        builds.see("http://h/a.ts?t=1", Timestamp(0));
        assert_eq!(builds.generation(), 1, "once");
        builds.see("http://h/a.ts?t=2", Timestamp(0));
        builds.expire();
        assert_eq!(builds.span("http://h/a.ts?t=1", 0), 0..2, "a page's own build of it");
        assert_eq!(builds.span("http://h/a.ts?t=2", 3), 0..u64::MAX, "what has a time stays what it is");
        assert_eq!(builds.span("http://h/a.ts", 0), 0..2);
        assert_eq!(builds.span("http://h/a.ts", 3), 3..u64::MAX, "loaded anew since");
        builds.replace("/b.ts");
        assert_eq!(builds.span("http://h/b.ts", 1), 1..4);
        assert_eq!(builds.span("http://other/a.ts", 0), 0..u64::MAX, "of another server");
        assert_eq!(builds.span("http://h/c.ts", 1), 1..u64::MAX);
    }

    #[test]
    fn a_module_that_keeps_its_address_is_asked_for_anew_each_second() {
        let mut builds = Builds::default();
        let module = "http://h/chunk.js?id=%255Bproject%255D/a.ts";
        builds.see(module, Timestamp(5_100));
        assert_eq!(builds.span(module, 0), 1..u64::MAX);
        builds.see(module, Timestamp(5_900));
        assert_eq!(builds.span(module, 0), 1..u64::MAX, "in the same second");
        builds.see(module, Timestamp(6_000));
        assert_eq!(builds.span(module, 0), 2..u64::MAX, "whatever was answered before is of no use");
        assert_eq!(builds.span("http://h/chunk.js", 0), 0..u64::MAX, "the chunk itself stays what it is");
    }
}
