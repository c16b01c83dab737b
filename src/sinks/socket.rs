//! The TCP and UDP sinks: JSON lines, or syslog messages of RFC 5424.
//!
//! Over TCP a line ends with a line break and a syslog message is counted (RFC 6587 §3.4.1); over UDP each event is a
//! datagram of its own (RFC 5426), and one that is larger than may be sent is left out and counted.

use std::io;
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

use super::encode::{FACILITIES, Format, Sender, message, unhurried};
use super::piece::Batch;
use super::{Build, Sink, SinkError, Written};
use crate::options::{Check, Key, Kind, Values, key};

const ADDRESS: Check = Check {
    what: "an address such as \"127.0.0.1:5140\"",
    check: |text| {
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        Check::when(port.and_then(|(_, port)| port.parse::<u16>().ok()).is_some_and(|port| port > 0))
    },
};
const FORMAT: Key = key("format", Kind::Word(&["jsonl", "syslog"]), "\"jsonl\"", "JSON lines, or RFC 5424");
const FACILITY: Key = key("facility", Kind::Word(FACILITIES), "\"user\"", "the facility of syslog messages");

pub(super) const TCP_KEYS: &[Key] =
    &[key("address", Kind::Text(ADDRESS), "", "host and port to connect to"), FORMAT, FACILITY];
pub(super) const UDP_KEYS: &[Key] = &[
    key("address", Kind::Text(ADDRESS), "", "host and port to send to"),
    FORMAT,
    FACILITY,
    key(
        "max-bytes",
        Kind::Count { from: 64, to: 65_507 },
        "1400",
        "larger datagrams are left out and counted",
    ),
];

#[derive(Clone, Debug)]
pub(super) struct Options {
    address: String,
    format: Format,
    max_bytes: usize,
}

fn options(values: &Values) -> Result<Options, String> {
    let address = values.text("address");
    if address.is_empty() {
        return Err("address is missing, such as address = \"127.0.0.1:5140\"".to_owned());
    }
    let facility = FACILITIES.iter().position(|name| *name == values.text("facility")).unwrap_or(1);
    let format = match values.text("format") {
        "syslog" => Format::Syslog { facility: u8::try_from(facility).unwrap_or(1) },
        _ => Format::Jsonl,
    };
    let max_bytes = usize::try_from(values.number("max-bytes")).unwrap_or(usize::MAX);
    Ok(Options { address: address.to_owned(), format, max_bytes })
}

pub(super) fn build_tcp(values: &Values) -> Result<Build, String> {
    options(values).map(Build::of::<Tcp>)
}

pub(super) fn build_udp(values: &Values) -> Result<Build, String> {
    options(values).map(Build::of::<Udp>)
}

pub(super) struct Tcp {
    options: Options,
    sender: Sender,
    /// Gone once a write has failed: what of it arrived is not known, so the batch is sent again on a new one.
    stream: Option<TcpStream>,
    text: String,
    one: String,
}

impl Sink for Tcp {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let stream = connect(&options.address).await?;
        let (text, one) = (String::new(), String::new());
        Ok(Self { options: options.clone(), sender: Sender::here(), stream: Some(stream), text, one })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        self.text.clear();
        for item in unhurried(batch.items()) {
            match self.options.format {
                Format::Jsonl => {
                    message(item, self.options.format, &self.sender, &mut self.text);
                    self.text.push('\n');
                }
                Format::Syslog { .. } => {
                    self.one.clear();
                    message(item, self.options.format, &self.sender, &mut self.one);
                    self.text.extend([itoa::Buffer::new().format(self.one.len()), " ", &self.one]);
                }
            }
        }
        let mut stream = match self.stream.take().filter(is_open) {
            Some(stream) => stream,
            None => connect(&self.options.address).await?,
        };
        match stream.write_all(self.text.as_bytes()).await {
            Ok(()) => {
                self.stream = Some(stream);
                Ok(Written::default())
            }
            Err(error) => Err(SinkError::retry(format!("{}: {error}", self.options.address))),
        }
    }
}

async fn connect(address: &str) -> Result<TcpStream, SinkError> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| SinkError::retry(format!("cannot connect to {address}: {error}")))?;
    // Batches are whole writes.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whether the peer has not closed the connection: what is written after that would be lost without an error. The
/// system is asked itself, for the runtime may not have heard yet. What the peer may have sent is read and left aside.
fn is_open(stream: &TcpStream) -> bool {
    let mut rest = [0; 1024];
    loop {
        match rustix::net::recv(stream, &mut rest[..], rustix::net::RecvFlags::DONTWAIT) {
            Ok((0, _)) => return false,
            Ok(_) => {}
            Err(error) => return error == rustix::io::Errno::WOULDBLOCK,
        }
    }
}

pub(super) struct Udp {
    options: Options,
    sender: Sender,
    socket: UdpSocket,
    text: String,
}

impl Sink for Udp {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let fail = |error: io::Error| SinkError::retry(format!("{}: {error}", options.address));
        let mut found = tokio::net::lookup_host(&options.address).await.map_err(fail)?;
        let to =
            found.next().ok_or_else(|| SinkError::retry(format!("{} has no address", options.address)))?;
        let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await.map_err(fail)?;
        socket.connect(to).await.map_err(fail)?;
        Ok(Self { options: options.clone(), sender: Sender::here(), socket, text: String::new() })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        let mut too_large = 0;
        for (done, item) in unhurried(batch.items()).enumerate() {
            self.text.clear();
            message(item, self.options.format, &self.sender, &mut self.text);
            if self.text.len() > self.options.max_bytes {
                too_large += 1;
            } else if let Err(error) = self.send().await {
                let why = format!("{}: {error}", self.options.address);
                return Err(SinkError::Retry { why, after: None, done, too_large });
            }
        }
        Ok(Written { too_large, trouble: None })
    }
}

impl Udp {
    /// A refusal is the answer to a datagram before this one, which then was not sent: nobody listens, which is no
    /// failure of a protocol that promises nothing.
    async fn send(&self) -> io::Result<()> {
        let mut has_failed = false;
        loop {
            // Tried, not awaited, which would end this sink's turn every hundred datagrams: a batch is one, as any sink's.
            match self.socket.try_send(self.text.as_bytes()) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.writable().await?,
                Err(_) if !has_failed => has_failed = true,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
