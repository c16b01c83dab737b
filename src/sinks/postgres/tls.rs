//! How the connection to a database is encrypted, as `sslmode` in its address says; it is never told whom it does not know.
//!
//! Called by `postgres` when it connects. `disable` does not encrypt, `prefer` does if the database can, `require` and
//! `verify-full` do or fail. Where nothing is said, a database on this machine is spoken to as it is, any other as by
//! `prefer`. Whenever there is encryption the certificate is checked, and that it is the host's.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Certificates read of one file; a bundle of all public authorities has some 150.
const MAX_CERTIFICATES: usize = 10_000;

/// Modes of libpq that the driver does not know; a certificate is checked as by the strictest anyway.
const CHECKED: [&str; 2] = ["sslmode=verify-full", "sslmode=verify-ca"];

/// What libpq knows about certificates and this does not.
const UNKNOWN: [&str; 4] = ["sslcert", "sslkey", "sslpassword", "sslcrl"];
const ROOT: &str = "sslrootcert";

/// The address of a database.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// A PEM file with authorities, if it names one.
    pub(super) root: Option<String>,
}

/// Reads the address of a database.
///
/// # Errors
/// When it is none. What it says is a secret, so no part of it is told but the names of what is not understood.
pub(super) fn read(address: &str) -> Result<Address, String> {
    // What stands before the question mark may be a password.
    let is_url = address.contains("://");
    let from = if is_url { address.find('?').unwrap_or(address.len()) } else { 0 };
    let (server, options) = address.split_at(from);
    let (options, root) = if is_url { take_of_url(options) } else { take_of_words(options) };
    let mut names = options.split(['?', '&', ' ']).filter_map(|option| Some(option.split_once('=')?.0));
    if let Some(name) = names.find_map(|name| UNKNOWN.iter().find(|unknown| **unknown == name)) {
        return Err(format!(
            "{name} is not supported: the database is known by its certificate, and taillight by a password"
        ));
    }
    let known = CHECKED.iter().fold(options.clone(), |text, mode| text.replace(mode, "sslmode=require"));
    let mut config: Config = format!("{server}{known}").parse().map_err(|_| {
        "the secret is no address of a PostgreSQL database that is understood here: sslmode is disable, prefer, require or \
         verify-full, and an authority is named by sslrootcert, or by root-certificate in the settings"
    })?;
    if !options.contains("sslmode") && config.get_hosts().iter().all(is_here) {
        config.ssl_mode(SslMode::Disable);
    }
    // libpq's word for the public ones.
    Ok(Address { config, root: root.filter(|root| root != "system") })
}

/// Takes the authorities' file out of what stands behind a URL.
fn take_of_url(options: &str) -> (String, Option<String>) {
    let Some(options) = options.strip_prefix('?') else { return (String::new(), None) };
    let mut root = None;
    let rest: Vec<&str> = options
        .split('&')
        .filter(|option| match option.split_once('=') {
            Some((ROOT, path)) => {
                root = Some(percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned());
                false
            }
            _ => true,
        })
        .collect();
    (if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) }, root)
}

/// The same of `name=value` words, where a value may stand in single quotes.
fn take_of_words(options: &str) -> (String, Option<String>) {
    let start = match options.find(&format!("{ROOT}=")) {
        Some(at) if at == 0 || options[..at].ends_with(' ') => at,
        _ => return (options.to_owned(), None),
    };
    let value = &options[start + ROOT.len() + 1..];
    let (path, rest) = match value.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
        None => value.split_at(value.find(' ').unwrap_or(value.len())),
    };
    (format!("{}{rest}", &options[..start]), Some(path.to_owned()))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

/// What encrypts, trusting the authorities in the PEM file `root`; the public ones where it is empty.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub(super) fn connector(root: &str) -> Result<MakeRustlsConnect, String> {
    let roots = if root.is_empty() {
        RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
    } else {
        authorities(root).map_err(|why| format!("root-certificate {root}: {why}"))?
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(path: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(Path::new(path)).map_err(|error| error.to_string())?;
    for certificate in certificates.take(MAX_CERTIFICATES) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err(
            "no certificate is in it: it wants PEM, which begins with -----BEGIN CERTIFICATE".to_owned()
        );
    }
    Ok(roots)
}

/// What to do about a certificate that was not accepted.
pub(super) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let source = std::error::Error::source(error)?.downcast_ref::<std::io::Error>()?;
    match source.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => Some(
            "nobody known vouches for its certificate: name the authority that does with root-certificate",
        ),
        rustls::Error::InvalidCertificate(_) => {
            Some("its certificate must be one of this host, and of this time")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_on_this_machine_is_spoken_to_in_the_clear_without_being_told() {
        for (address, expected) in [
            ("postgres://u@127.0.0.1/db", SslMode::Disable),
            ("postgres://u@localhost/db", SslMode::Disable),
            ("postgres://u@[::1]/db", SslMode::Disable),
            ("host=/var/run/postgresql user=u", SslMode::Disable),
            ("postgres://u@localhost/db?sslmode=prefer", SslMode::Prefer),
            ("postgres://u@localhost/db?sslmode=require", SslMode::Require),
            ("postgres://u@localhost/db?connect_timeout=3&sslmode=verify-full", SslMode::Require),
            ("host=localhost user=u sslmode=verify-ca", SslMode::Require),
            ("postgres://u@db.example/db", SslMode::Prefer),
            ("postgres://u@localhost,db.example/db", SslMode::Prefer),
            ("postgres://u@db.example/db?sslmode=disable", SslMode::Disable),
        ] {
            assert_eq!(read(address).expect("an address").config.get_ssl_mode(), expected, "{address}");
        }
        let config =
            read("postgres://u:sslmode=verify-ca@h/db?sslmode=verify-full").expect("an address").config;
        assert_eq!(config.get_password(), Some("sslmode=verify-ca".as_bytes()));
        for address in ["postgres://u:hidden@h/db?sslmode=hidden", "hidden", "host=h hidden=1"] {
            let why = read(address).expect_err("no address");
            assert!(why.contains("sslmode is disable, prefer") && !why.contains("hidden"), "{why}");
        }
    }

    #[test]
    fn an_address_may_name_the_authorities_file_and_what_is_not_supported_is_told_by_name() {
        for (address, expected) in [
            ("postgres://u@h/db?sslrootcert=/etc/ca.pem", Some("/etc/ca.pem")),
            (
                "postgres://u@h/db?sslmode=verify-full&sslrootcert=%2Fmy%20ca.pem&connect_timeout=3",
                Some("/my ca.pem"),
            ),
            ("postgres://u@h/db?sslrootcert=system", None),
            ("host=h user=u sslrootcert=/ca.pem sslmode=verify-ca", Some("/ca.pem")),
            ("host=h sslrootcert='/my ca.pem' user=u", Some("/my ca.pem")),
            ("host=h user=u", None),
            ("postgres://u:sslrootcert=x@h/db", None),
        ] {
            let read = read(address).expect("an address");
            assert_eq!(read.root.as_deref(), expected, "{address}");
            assert_eq!((read.config.get_user(), read.config.get_hosts().len()), (Some("u"), 1), "{address}");
        }
        let why = read("postgres://u:hidden@h/db?sslcert=/hidden.pem").expect_err("not supported");
        assert!(why.starts_with("sslcert is not supported") && !why.contains("hidden"), "{why}");
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let path = path.to_str().expect("text");
        let said = |path| connector(path).err().unwrap_or_default();
        assert!(said(path).starts_with("root-certificate "), "{}", said(path));
        std::fs::write(path, "nothing\n").expect("written");
        assert!(said(path).contains("no certificate is in it"), "{}", said(path));
        assert!(connector("").is_ok());
    }
}
