//! A value of a key, written as the settings write it; secrets are shown as dots.

use std::fmt;

use super::kind::span_text;

/// A value that its key's kind has let through.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Flag(bool),
    Number(u64),
    Real(f64),
    /// Bytes.
    Size(u64),
    /// Milliseconds.
    Span(u64),
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, Value)>),
    Secret(Secret),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Real(real) => write!(f, "{real}"),
            Self::Size(bytes) => write!(f, "\"{}\"", size_text(*bytes)),
            Self::Span(ms) => write!(f, "\"{}\"", span_text(*ms)),
            Self::Text(text) => f.write_str(toml_edit::Value::from(text.as_str()).to_string().trim()),
            Self::List(texts) => {
                let array: toml_edit::Array = texts.iter().map(String::as_str).collect();
                f.write_str(array.to_string().trim())
            }
            Self::Map(pairs) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(name, value)| format!("{} = {value}", toml_edit::Key::new(name.as_str())))
                    .collect();
                write!(f, "{{ {} }}", pairs.join(", "))
            }
            Self::Secret(_) => f.write_str("\"••••••\""),
        }
    }
}

fn size_text(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// Where a secret is: in the environment or in a file. It is read when it is needed and never kept in the settings.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    place: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(••••••)")
    }
}

/// Bytes of a secret's file that are read.
const MAX_SECRET: u64 = 64 * 1024;

impl Secret {
    /// `None` if `place` is no place but perhaps the secret itself.
    pub fn read(place: &str) -> Option<Self> {
        let name = place.strip_prefix("env:").or_else(|| place.strip_prefix("file:"))?;
        (!name.is_empty()).then(|| Self { place: place.to_owned() })
    }

    /// The secret itself, without white space around it.
    ///
    /// # Errors
    /// If there is none at its place; the message names the place.
    pub fn reveal(&self) -> Result<String, String> {
        let text = match self.place.split_once(':') {
            Some(("env", name)) => {
                std::env::var(name).map_err(|_| format!("the environment has no {name}"))?
            }
            Some((_, path)) => {
                let mut text = String::new();
                let read = std::fs::File::open(path).and_then(|file| {
                    std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_SECRET), &mut text)
                });
                read.map_err(|error| format!("cannot read the secret in {path}: {error}"))?;
                text
            }
            None => String::new(),
        };
        let text = text.trim();
        if text.is_empty() { Err(format!("{} is empty", self.place)) } else { Ok(text.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_place_and_shown_as_dots() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hook");
        std::fs::write(&path, "s3cret\n").expect("written");
        let secret = Secret::read(&format!("file:{}", path.display())).expect("a place");
        assert_eq!(secret.reveal().as_deref(), Ok("s3cret"));
        let shown = format!("{secret:?} {}", Value::Secret(secret.clone()));
        assert!(!shown.contains("hook") && !shown.contains("s3cret"), "{shown}");
        let missing = Secret::read("env:TAILLIGHT_NO_SUCH_NAME").expect("a place");
        assert_eq!(missing.reveal(), Err("the environment has no TAILLIGHT_NO_SUCH_NAME".to_owned()));
        assert!(Secret::read("s3cret").is_none() && Secret::read("env:").is_none());
    }

    #[test]
    fn values_are_written_as_the_settings_write_them() {
        for (value, expected) in [
            (Value::Size(64 << 20), "\"64MiB\""),
            (Value::Size(1_500), "\"1500B\""),
            (Value::Text("a \"b\"".to_owned()), "'a \"b\"'"),
            (Value::List(vec!["a".to_owned(), "b".to_owned()]), "[\"a\", \"b\"]"),
            (Value::Map(vec![("browser/x".to_owned(), Value::Real(0.5))]), "{ \"browser/x\" = 0.5 }"),
        ] {
            assert_eq!(value.to_string(), expected);
        }
    }
}
