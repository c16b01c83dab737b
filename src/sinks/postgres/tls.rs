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

/// Reads the address of a database.
///
/// # Errors
/// When it is none. What it says is a secret, so no part of it is told.
pub(super) fn read(address: &str) -> Result<Config, String> {
    // What stands before the question mark may be a password.
    let from = if address.contains("://") { address.find('?').unwrap_or(address.len()) } else { 0 };
    let (server, options) = address.split_at(from);
    let known = CHECKED.iter().fold(options.to_owned(), |text, mode| text.replace(mode, "sslmode=require"));
    let mut config: Config = format!("{server}{known}").parse().map_err(|_| {
        "the secret is no address of a PostgreSQL database that is understood here: sslmode is disable, prefer, require or \
         verify-full, and an authority is named by root-certificate in the settings"
    })?;
    if !options.contains("sslmode") && config.get_hosts().iter().all(is_here) {
        config.ssl_mode(SslMode::Disable);
    }
    Ok(config)
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
            assert_eq!(read(address).expect("an address").get_ssl_mode(), expected, "{address}");
        }
        let config = read("postgres://u:sslmode=verify-ca@h/db?sslmode=verify-full").expect("an address");
        assert_eq!(config.get_password(), Some("sslmode=verify-ca".as_bytes()));
        for address in ["postgres://u:hidden@h/db?sslmode=hidden", "hidden", "host=h hidden=1"] {
            let why = read(address).expect_err("no address");
            assert!(why.contains("sslmode is disable, prefer") && !why.contains("hidden"), "{why}");
        }
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
