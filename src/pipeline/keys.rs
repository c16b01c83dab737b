//! Which key names hold secrets, and how a name is recognised in any case style.
//!
//! Called by the pre-check and by the scrubbing, which have to agree about every key. It knows names only, never
//! values.

use super::percent;

/// The longest key that is compared, in bytes; a longer one is never a secret's name.
pub(super) const MAX_KEY: usize = 96;

/// The names that are always secret, with `-` where a style may put a separator.
const ANYWHERE: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "client-secret",
    "token",
    "access-token",
    "refresh-token",
    "id-token",
    "api-key",
    "authorization",
    "cookie",
    "set-cookie",
    "credit-card",
    "card-number",
    "cvv",
    "cvc",
    "private-key",
    "ssn",
];

/// The names that are personal inside an object called `context`, at any depth below it.
const IN_CONTEXT: &[&str] = &["phone", "address"];

/// A word at least this long is looked for by itself; shorter first words (`api`) are too common in events: their last
/// letter is looked for together with the word that follows.
const LONE_WORD: usize = 4;

/// This is what the user changes about redaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Further key names whose values are taken out, anywhere; words apart by `-`, `_` or capitals.
    pub extra_keys: Vec<String>,
    /// Names of the built-in list that are let through.
    pub allowed_keys: Vec<String>,
    /// Events are left as they are sent; what is kept of unreadable text is not.
    pub is_off: bool,
}

/// This says whether `key` can be an extra key: 1 to 96 ASCII letters, digits, `-` and `_`. Others are ignored.
pub fn is_usable_key(key: &str) -> bool {
    key.len() <= MAX_KEY
        && key.bytes().all(is_key_byte)
        && key.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `key` is one of those that are secret or personal without any settings.
pub(super) fn is_built_in(key: &str) -> bool {
    let letters = |name: &str| fold(name.as_bytes()).map(|(letters, _)| letters);
    let wanted = letters(key);
    wanted.is_some() && ANYWHERE.iter().chain(IN_CONTEXT).any(|name| letters(name) == wanted)
}

pub(super) fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// What the name of a URL's parameter is made of: any of it may be written as `%5F`.
pub(super) fn is_parameter_byte(byte: u8) -> bool {
    is_key_byte(byte) || byte == b'%'
}

/// What a key says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Plain,
    Secret,
    /// Secret only below a `context`.
    Personal,
}

#[derive(Clone, Debug)]
struct Name {
    /// Lower case, without separators.
    letters: Vec<u8>,
    /// Bit n: a separator may stand before letter n.
    breaks: u128,
    verdict: Verdict,
}

/// The names in force.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Sorted by letters, each once.
    names: Vec<Name>,
    /// Secrets are known by their looks, too.
    pub(super) knows_shapes: bool,
}

impl Keys {
    /// No name and no shape is secret.
    pub(super) fn none() -> Self {
        Self { names: Vec::new(), knows_shapes: false }
    }

    pub(super) fn new(rules: &Rules) -> Self {
        let listed = ANYWHERE.iter().map(|name| (*name, Verdict::Secret));
        let personal = IN_CONTEXT.iter().map(|name| (*name, Verdict::Personal));
        let allowed: Vec<_> = rules.allowed_keys.iter().filter_map(|key| fold(key.as_bytes())).collect();
        let is_kept = |name: &Name| !allowed.iter().any(|(letters, _)| *letters == name.letters);
        let mut names: Vec<Name> = listed.chain(personal).filter_map(name).filter(is_kept).collect();
        let extra = rules.extra_keys.iter().filter(|key| is_usable_key(key));
        names.extend(extra.filter_map(|key| name((key.as_str(), Verdict::Secret))));
        names.sort_by(|a, b| a.letters.cmp(&b.letters));
        names.dedup_by(|later, kept| {
            let is_same = later.letters == kept.letters;
            if is_same {
                kept.breaks |= later.breaks;
                if later.verdict == Verdict::Secret {
                    kept.verdict = Verdict::Secret;
                }
            }
            is_same
        });
        Self { names, knows_shapes: true }
    }

    /// What the whole `key` says. Case does not count; separators may lead, trail, and stand singly between words.
    pub(super) fn judge(&self, key: &[u8]) -> Verdict {
        let mut decoded = percent::Decoded::new(key);
        let key = decoded.as_mut().map_or(key, |decoded| {
            decoded.decode_all();
            &decoded.bytes
        });
        let key = key.strip_suffix(b"?").unwrap_or(key);
        if key.len() > MAX_KEY {
            return Verdict::Plain;
        }
        let mut letters = [0u8; MAX_KEY];
        let (mut len, mut breaks, mut separators) = (0usize, 0u128, 0usize);
        for &byte in key {
            if byte == b'-' || byte == b'_' {
                separators += 1;
                continue;
            }
            if separators > 0 && len > 0 {
                if separators > 1 {
                    return Verdict::Plain;
                }
                breaks |= 1 << len;
            }
            separators = 0;
            letters[len] = byte.to_ascii_lowercase();
            len += 1;
        }
        let found = self.names.binary_search_by(|name| name.letters.as_slice().cmp(&letters[..len]));
        match found {
            Ok(index) if breaks & !self.names[index].breaks == 0 => self.names[index].verdict,
            _ => Verdict::Plain,
        }
    }

    /// Pieces of which at least one stands in every written form of every name, each byte with bit 0x20 set.
    pub(super) fn fragments(&self) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        let mut lone: Vec<Vec<u8>> = Vec::new();
        let mut by_words: Vec<Vec<&[u8]>> = self.names.iter().map(Name::words).collect();
        by_words.sort_by_key(Vec::len);
        for words in by_words {
            let first = words[0];
            if words.iter().any(|word| lone.iter().any(|piece| holds(word, piece))) {
                continue;
            }
            match words.get(1) {
                Some(second) if first.len() < LONE_WORD => {
                    let (_, last) = first.split_at(first.len() - 1);
                    for separator in [&b""[..], b"-", b"_"] {
                        found.push([last, separator, second].concat());
                    }
                }
                _ => lone.push(first.to_vec()),
            }
        }
        found.append(&mut lone);
        for byte in found.iter_mut().flatten() {
            *byte |= 0x20;
        }
        found
    }
}

impl Name {
    fn words(&self) -> Vec<&[u8]> {
        let cuts = (1..self.letters.len()).filter(|at| self.breaks >> at & 1 == 1);
        let mut words = Vec::new();
        let mut start = 0;
        for cut in cuts.chain([self.letters.len()]) {
            words.push(&self.letters[start..cut]);
            start = cut;
        }
        words
    }
}

fn holds(word: &[u8], piece: &[u8]) -> bool {
    word.windows(piece.len()).any(|window| window == piece)
}

fn name((text, verdict): (&str, Verdict)) -> Option<Name> {
    let (letters, breaks) = fold(text.as_bytes())?;
    Some(Name { letters, breaks, verdict })
}

/// The letters of a listed name and where its words begin, which separators and capitals tell.
fn fold(text: &[u8]) -> Option<(Vec<u8>, u128)> {
    let mut letters: Vec<u8> = Vec::new();
    let mut breaks = 0;
    let mut before = b'-';
    for &byte in text {
        if byte != b'-' && byte != b'_' {
            let is_hump = byte.is_ascii_uppercase() && before.is_ascii_lowercase();
            if !letters.is_empty() && (is_hump || before == b'-' || before == b'_') {
                breaks |= 1 << letters.len();
            }
            letters.push(byte.to_ascii_lowercase());
        }
        before = byte;
    }
    (!letters.is_empty() && letters.len() <= MAX_KEY).then_some((letters, breaks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_every_style_and_whole() {
        let keys = Keys::new(&Rules::default());
        for (key, expected) in [
            ("password", Verdict::Secret),
            ("PassWord", Verdict::Secret),
            ("pass_word", Verdict::Plain),
            ("API_KEY", Verdict::Secret),
            ("apiKey", Verdict::Secret),
            ("Set-Cookie", Verdict::Secret),
            ("_token", Verdict::Secret),
            ("__access_token__", Verdict::Secret),
            ("token?", Verdict::Secret),
            ("access%5Ftoken", Verdict::Secret),
            ("access%2dtoken", Verdict::Secret),
            ("%74o%256Ben", Verdict::Secret),
            ("access%token", Verdict::Plain),
            ("phone", Verdict::Personal),
            ("tokens", Verdict::Plain),
            ("to-ken", Verdict::Plain),
            ("api--key", Verdict::Plain),
            ("password-hint", Verdict::Plain),
            ("", Verdict::Plain),
            ("-", Verdict::Plain),
        ] {
            assert_eq!(keys.judge(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn settings_add_names_and_let_names_through() {
        let rules = Rules {
            extra_keys: ["ibanNumber", "pin", "phone", "no good", ""].map(String::from).to_vec(),
            allowed_keys: ["Api_Key", "password"].map(String::from).to_vec(),
            ..Rules::default()
        };
        let keys = Keys::new(&rules);
        for (key, expected) in [
            ("iban-number", Verdict::Secret),
            ("PIN", Verdict::Secret),
            ("phone", Verdict::Secret),
            ("address", Verdict::Personal),
            ("apiKey", Verdict::Plain),
            ("no good", Verdict::Plain),
            ("token", Verdict::Secret),
        ] {
            assert_eq!(keys.judge(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn every_form_of_every_name_holds_a_fragment() {
        let rules = Rules { extra_keys: vec!["id-no".into(), "x".into()], ..Rules::default() };
        let keys = Keys::new(&rules);
        let fragments = keys.fragments();
        for name in &keys.names {
            for separator in ["", "-", "_"] {
                let form = name.words().join(separator.as_bytes());
                assert_ne!(keys.judge(&form), Verdict::Plain);
                let folded: Vec<u8> = form.iter().map(|byte| byte | 0x20).collect();
                assert!(fragments.iter().any(|piece| holds(&folded, piece)), "{form:?}");
            }
        }
    }
}
