//! Host objects, `#object[Ctor text]`, whose text nobody quotes; and going on where an event cannot be read.
//!
//! Where such a text ends has to be guessed. Guesses are made in order of likelihood, and a later one is tried when
//! what follows does not read; how much is read again is bounded by `Edn::spend`.

use super::{Edn, Fault, Out};

/// Where the text of one object was taken to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// Where its text begins.
    from: usize,
    /// Past its `]`.
    end: usize,
    /// Brackets open before `end`, as far as the plain search has counted; the balanced reading counts none.
    depth: i32,
    is_balanced: bool,
    tries: u32,
}

/// Guesses for one object.
const MAX_TRIES: u32 = 32;

impl Edn<'_> {
    /// Reads an element and makes other guesses about its objects until it, and what follows it, reads.
    pub(super) fn tried(&mut self, out: &mut Out) -> Result<(), Fault> {
        let (start, mark, depth) = (self.at, out.len(), self.depth);
        self.choices.clear();
        let mut first = None;
        loop {
            (self.at, self.depth, self.next_choice) = (start, depth, 0);
            out.truncate(mark);
            let fault = match self.value_into(out) {
                Ok(()) if self.choices.is_empty() || self.is_followed_well() => return Ok(()),
                Ok(()) => Fault { at: self.at, what: "what follows does not read" },
                Err(fault) => fault,
            };
            first.get_or_insert(fault);
            let has_budget = self.spend(fault.at.max(self.at).saturating_sub(start)).is_ok();
            if !has_budget || !self.guess_again() {
                return Err(first.unwrap_or(fault));
            }
        }
    }

    /// Whether another event or the end of what was entered comes next.
    fn is_followed_well(&self) -> bool {
        let blank = |byte: &&u8| matches!(**byte, b' ' | b',' | b'\n' | b'\t' | b'\r');
        let next = self.bytes[self.at..].iter().find(|byte| !blank(byte));
        let close = self.entered.last();
        next == close || (close.is_some() && matches!(next, Some(b'{' | b'#')))
    }

    /// Moves the last guess that can be moved; those after it will be made anew.
    fn guess_again(&mut self) -> bool {
        self.choices.truncate(self.next_choice);
        while let Some(choice) = self.choices.pop() {
            if let Some(choice) = self.later(choice) {
                self.choices.push(choice);
                return true;
            }
        }
        false
    }

    /// Reads the object whose text begins at `from`; gives all of it as text.
    pub(super) fn object(&mut self, out: &mut Out, from: usize) -> Result<(), Fault> {
        let choice = match self.choices.get(self.next_choice) {
            Some(choice) => *choice,
            None => {
                let Some(choice) = self.guess(from) else { return self.fault("an object has no end") };
                self.choices.push(choice);
                choice
            }
        };
        self.next_choice += 1;
        out.text(&self.bytes[self.at..choice.end]);
        self.at = choice.end;
        Ok(())
    }

    fn guess(&mut self, from: usize) -> Option<Choice> {
        let start = Choice { from, end: from, depth: 0, is_balanced: true, tries: 0 };
        match self.balanced(from) {
            Some(end) if self.ends_well(end) => Some(Choice { end, ..start }),
            _ => self.later(start),
        }
    }

    /// The next `]` after `choice` outside the brackets of the text that could be the end of an object.
    fn later(&mut self, choice: Choice) -> Option<Choice> {
        let (mut at, mut depth) = (choice.end, choice.depth);
        if choice.is_balanced {
            (at, depth) = (choice.from, 0);
        }
        let began = at;
        while choice.tries < MAX_TRIES
            && let Some(more) = memchr::memchr2(b'[', b']', self.bytes.get(at..).unwrap_or(&[]))
        {
            at += more + 1;
            if self.bytes[at - 1] == b'[' {
                depth += 1;
                continue;
            }
            let is_end = depth <= 0 && self.ends_well(at) && !(choice.is_balanced && at == choice.end);
            if is_end {
                self.spend(at - began).ok()?;
                return Some(Choice {
                    end: at,
                    depth,
                    is_balanced: false,
                    tries: choice.tries + 1,
                    ..choice
                });
            }
            depth -= 1;
        }
        // What was looked through in vain is paid for like what was read twice.
        self.spend(self.bytes.len().min(at) - began).ok()?;
        None
    }

    /// Past the `]` that closes a text in which strings and brackets are as EDN has them.
    fn balanced(&mut self, from: usize) -> Option<usize> {
        let found = closing(self.bytes, from, vec![b']']);
        let end = found.unwrap_or(self.bytes.len());
        self.spend(end - from).ok()?;
        found
    }

    fn ends_well(&self, end: usize) -> bool {
        matches!(self.bytes.get(end), None | Some(b' ' | b'\n' | b'\t' | b'\r' | b',' | b']' | b'}' | b')'))
    }

    /// Goes to where the next event can be read after the one at `start` failed at `failed`; `false` if nowhere.
    pub(super) fn resume(&mut self, start: usize, failed: usize) -> bool {
        let closed = closing(self.bytes, start, Vec::new()).filter(|end| *end > start);
        let looked = closed.unwrap_or(self.bytes.len()) - start;
        if self.spend(looked).is_ok()
            && let Some(end) = closed
        {
            self.at = end;
            if self.is_followed_well() || failed == end {
                return true;
            }
        }
        // A map that reads, and is followed like an event, is most likely the next one.
        let mut at = failed.max(start + 1);
        for _ in 0..MAX_TRIES {
            let Some(more) = memchr::memchr(b'{', self.bytes.get(at..).unwrap_or(&[])) else { break };
            at += more + 1;
            self.at = at - 1;
            let is_event = self.tried(&mut Out::default()).is_ok() && self.is_followed_well();
            let read = self.at.saturating_sub(at);
            (self.at, self.depth) = (at - 1, 0);
            if self.spend(read).is_err() {
                break;
            }
            if is_event {
                return true;
            }
        }
        self.at = self.bytes.len();
        false
    }
}

/// Past the bracket that closes the last of those `open` at `from`, given by what closes them. Strings are skipped; one
/// that does not stand by itself shows that the text is none of EDN.
fn closing(bytes: &[u8], from: usize, mut open: Vec<u8>) -> Option<usize> {
    let is_delimiter = |byte: Option<&u8>| {
        byte.is_none_or(|byte| {
            matches!(
                byte,
                b' ' | b',' | b'\n' | b'\t' | b'\r' | b'[' | b']' | b'{' | b'}' | b'(' | b')' | b'#'
            )
        })
    };
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b'(' => open.push(b')'),
            close @ (b']' | b'}' | b')') => {
                if open.pop() != Some(*close) {
                    return None;
                }
                if open.is_empty() {
                    return Some(at + 1);
                }
            }
            b'\\' => at += 1,
            b'"' => {
                if !is_delimiter(at.checked_sub(1).and_then(|before| bytes.get(before))) {
                    return None;
                }
                loop {
                    at += 1 + memchr::memchr2(b'"', b'\\', bytes.get(at + 1..)?)?;
                    if bytes[at] == b'"' {
                        break;
                    }
                    at += 1;
                }
                if !is_delimiter(bytes.get(at + 1)) {
                    return None;
                }
            }
            _ => {}
        }
        at += 1;
    }
}
