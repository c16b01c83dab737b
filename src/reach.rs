//! Whose an address is: names that nobody on the internet can own, addresses of the public net and of this side of it.
//!
//! The one reading of that question: `ingest` asks it of Host and Origin, `maps` before a script is asked for, `sinks`
//! before events are sent. Nothing here opens a connection; [`Names`] keeps what a name server says within reach.

use std::net::{IpAddr, Ipv4Addr};

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Which addresses a name may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Anywhere,
    /// Not to this machine or its neighbours, whatever the name server says.
    Public,
    /// To this machine and private networks alone: where local names belong.
    Near,
}

impl Reach {
    /// Whether `ip` is within it.
    pub fn has(self, ip: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public => is_public(ip),
            Self::Near => is_near(ip),
        }
    }
}

/// Whether nobody on the internet can own `host`, a name or an address, IPv6 in its brackets (SECURITY: local name).
/// It is read as it is written: `127.1` and `localhost.example.com` are not local.
pub fn is_local(host: &str) -> bool {
    if host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()) {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let (rest, last) = name.rsplit_once('.').unwrap_or(("", name));
    last.eq_ignore_ascii_case("localhost") || (!rest.is_empty() && last.eq_ignore_ascii_case("test"))
}

/// Neither this machine nor a private, shared, link-local or otherwise reserved network (RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
    }
}

/// This machine, or a private network. Link-local addresses are neither: clouds answer there with secrets.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

/// Names to addresses, of which only those within reach are used.
#[derive(Debug)]
pub struct Names {
    reach: Reach,
    inner: DefaultResolver,
}

impl Names {
    pub fn within(reach: Reach) -> Self {
        Self { reach, inner: DefaultResolver::default() }
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter().filter(|address| self.reach.has(address.ip())) {
            kept.push(*address);
        }
        if kept.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_public_or_near_or_neither() {
        for (address, is_public, is_near) in [
            ("3.33.133.41", true, false),
            ("127.0.0.1", false, true),
            ("10.1.2.3", false, true),
            ("172.20.0.1", false, true),
            ("192.168.1.1", false, true),
            ("169.254.169.254", false, false),
            ("100.64.0.1", false, false),
            ("0.0.0.0", false, false),
            ("255.255.255.255", false, false),
            ("::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("::ffff:8.8.8.8", true, false),
            ("fd00::1", false, true),
            ("fe80::1", false, false),
            ("2606:4700::1", true, false),
        ] {
            let ip: IpAddr = address.parse().expect("an address");
            let found = (Reach::Public.has(ip), Reach::Near.has(ip), Reach::Anywhere.has(ip));
            assert_eq!(found, (is_public, is_near, true), "{address}");
        }
    }

    #[test]
    fn local_names_are_those_that_nobody_can_own() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("a.b.localhost", true),
            ("shop.test", true),
            ("127.0.0.1", true),
            ("127.255.0.9", true),
            ("[::1]", true),
            ("test", false),
            (".test.", false),
            ("localhost.example.com", false),
            ("127.0.0.1.nip.io", false),
            ("127.1", false),
            ("0x7f.0.0.1", false),
            ("10.0.0.1", false),
            ("[::ffff:127.0.0.1]", false),
            ("::1", false),
            ("", false),
        ] {
            assert_eq!(is_local(host), expected, "{host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_address_is_both(bits in proptest::prelude::any::<u128>(), short in proptest::prelude::any::<u32>()) {
            for ip in [IpAddr::V6(bits.into()), IpAddr::V4(short.into())] {
                proptest::prop_assert!(!(Reach::Public.has(ip) && Reach::Near.has(ip)), "{ip}");
            }
        }
    }
}
