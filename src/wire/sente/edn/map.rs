//! Maps: pairs as EDN has them, and, where those do not work out, pairs as a printer separates them.
//!
//! `(keyword "has space")` is printed bare, so that a map holding it has too many forms. A printer puts a comma after
//! each pair and nowhere else; that tells how such a map was meant.

use super::{Edn, Fault, Out};

/// How the pairs of a map worked out.
enum Pairs {
    Even,
    /// Even, but with a comma between a key and its value.
    Odd,
    /// The last key has no value.
    Short,
}

impl Edn<'_> {
    /// Reads the map whose `{` is here.
    pub(super) fn map(&mut self, out: &mut Out, ns: &str) -> Result<(), Fault> {
        let (start, mark, choice) = (self.at, out.len(), self.next_choice);
        let pairs = self.pairs(out, ns)?;
        if matches!(pairs, Pairs::Even) {
            return Ok(());
        }
        let (end, choice_after) = (self.at, self.next_choice);
        self.spend(end - start)?;
        let as_pairs = out.split_off(mark);
        (self.at, self.next_choice) = (start, choice);
        if self.segments(out, ns).is_ok() {
            return Ok(());
        }
        out.truncate(mark);
        (self.at, self.next_choice) = (end, choice_after);
        match pairs {
            Pairs::Short => self.fault("a key without a value"),
            _ => {
                out.raw(&as_pairs);
                Ok(())
            }
        }
    }

    fn pairs(&mut self, out: &mut Out, ns: &str) -> Result<Pairs, Fault> {
        self.at += 1;
        out.push(b'{');
        let (mut is_first, mut is_odd) = (true, false);
        loop {
            let next = self.space()?;
            if next == Some(b'}') {
                self.at += 1;
                out.push(b'}');
                return Ok(if is_odd { Pairs::Odd } else { Pairs::Even });
            }
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            self.key(out, ns, next)?;
            match self.space()? {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Pairs::Short);
                }
                _ => is_odd |= self.comma,
            }
            self.value_into(out)?;
        }
    }

    fn key(&mut self, out: &mut Out, ns: &str, next: Option<u8>) -> Result<(), Fault> {
        match next {
            Some(b':') => self.keyword(out, ns)?,
            Some(b'"') => self.string(out)?,
            _ => {
                let mark = out.len();
                self.value_into(out)?;
                out.make_key(mark);
            }
        }
        out.push(b':');
        Ok(())
    }

    /// The same map with its commas as the only ends of pairs: the last form is the value, those before it the key.
    fn segments(&mut self, out: &mut Out, ns: &str) -> Result<(), Fault> {
        self.at += 1;
        out.push(b'{');
        let mut is_first = true;
        while let Some(next) = self.space()?.filter(|byte| *byte != b'}') {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            let mut forms = Out::default();
            let mut ends = Vec::new();
            if next == b':' {
                self.keyword(&mut forms, ns)?;
                ends.push(forms.len());
            }
            while !matches!(self.space()?, Some(b'}') | None) && (ends.is_empty() || !self.comma) {
                let mark = forms.len();
                let is_second = ends.len() == 1 && next == b':';
                let is_word = !matches!(self.byte(), Some(b'0'..=b'9' | b':' | b'"' | b'-'));
                self.value_into(&mut forms)?;
                if is_second && !is_word && !matches!(self.space()?, Some(b'}') | None) && !self.comma {
                    return self.fault("a key without a value");
                }
                if mark == 0 {
                    forms.make_key(0);
                }
                ends.push(forms.len());
            }
            let [key @ .., last, _] = &*ends else { return self.fault("a key without a value") };
            self.joined(out, &forms, key, *last)?;
            out.push(b':');
            out.raw(forms.since(*last).as_bytes());
        }
        match self.byte() {
            Some(_) => self.at += 1,
            None => return self.fault("a map has no end"),
        }
        out.push(b'}');
        Ok(())
    }

    /// Writes the words that end at `ends` and at `last` as one key.
    fn joined(&self, out: &mut Out, forms: &Out, ends: &[usize], last: usize) -> Result<(), Fault> {
        let mut from = 0;
        out.push(b'"');
        for end in ends.iter().copied().chain([last]) {
            if from > 0 {
                out.push(b' ');
            }
            let word = forms.slice(from..end);
            match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
                Some(word) => out.raw(word.as_bytes()),
                None if word.starts_with(['{', '[']) => return self.fault("a key without a value"),
                None => out.raw(word.as_bytes()),
            }
            from = end;
        }
        out.push(b'"');
        Ok(())
    }
}
