//! Secrets by reference: `env:NAME` and `file:PATH` are looked up, anything else is the secret itself.
//!
//! Called where a secret is used, never where settings are shown (SECURITY 2.8).

use std::fs;
use std::io::Read;

/// Longest secret that is read from a file.
const MAX_BYTES: u64 = 4_096;

/// The secret that `text` names, without the line break a file ends with.
///
/// # Errors
/// If the variable is not set, or the file cannot be read; the message has the name, never a secret.
pub fn reveal(text: &str) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("env:") {
        return std::env::var(name).map_err(|_| format!("the variable {name} is not set"));
    }
    let Some(path) = text.strip_prefix("file:") else { return Ok(text.to_owned()) };
    let mut secret = String::new();
    let file = fs::File::open(path).map(|file| file.take(MAX_BYTES));
    let read = file.and_then(|mut file| file.read_to_string(&mut secret));
    read.map_err(|error| format!("cannot read the secret in {path}: {error}"))?;
    Ok(secret.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_where_it_is_said_to_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, "hush\n").expect("written");
        assert_eq!(reveal(&format!("file:{}", path.display())).as_deref(), Ok("hush"));
        assert_eq!(reveal("plain").as_deref(), Ok("plain"));
        assert_eq!(reveal("env:PATH").ok(), std::env::var("PATH").ok());
        assert_eq!(reveal("env:NO_SUCH").expect_err("unset"), "the variable NO_SUCH is not set");
        assert!(reveal("file:/no/such").expect_err("missing").contains("/no/such"));
    }
}
