//! The listening port: binding, accepting, the limits on what is no WebSocket yet, and the orderly stop.
//!
//! Started by `run`. Requests go to `ingest::http`; this file knows nothing of events.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::http;
use super::pending::{Pending, Place};
use crate::counters::Counter;

/// A storm of 1,000 connects overflows the usual 128 (SECURITY: findings).
const BACKLOG: u32 = 4_096;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_FIELDS: usize = 64;
/// File descriptors kept for everything but WebSockets.
const SPARE_FILES: u64 = 256;
/// WebSockets where there are hardly any file descriptors.
const LEAST_CONNECTIONS: u64 = 16;
/// How long to wait after an accept failed, most likely for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a last word may take to be sent.
const SAY_WITHIN: Duration = Duration::from_secs(1);

/// What is said to a connection that is closed before it has asked for anything: status, more of the head, text.
type LastWord = (&'static str, &'static str, &'static str);
const CROWDED: LastWord = (
    "503 Service Unavailable",
    "Retry-After: 1\r\n",
    "too many connections are being opened at once; try again",
);
const SLOW: LastWord = ("408 Request Timeout", "", "the head of the request did not come within 5 s");

/// The sockets of the one port.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listeners {
    /// Binds `ip:port` (0 = a free one), and the other loopback address on the same port where it can be had.
    ///
    /// # Errors
    /// When `ip:port` cannot be bound. Must be called inside a tokio runtime.
    pub fn bind(ip: IpAddr, port: u16) -> io::Result<Self> {
        let first = listen(SocketAddr::new(ip, port))?;
        let address = first.local_addr()?;
        let mut sockets = vec![first];
        let twin = match ip {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => None,
        };
        sockets.extend(twin.and_then(|ip| listen(SocketAddr::new(ip, address.port())).ok()));
        Ok(Self { sockets, address })
    }

    /// The address asked for, with the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until `stop` says so; connections then close by themselves.
pub async fn serve(listeners: Listeners, door: Arc<Door>, stop: watch::Receiver<bool>) {
    let pending = Arc::new(Pending::default());
    let accepting = listeners.sockets.into_iter().map(|socket| {
        let (door, pending, mut stop) = (Arc::clone(&door), Arc::clone(&pending), stop.clone());
        async move {
            loop {
                let next = async {
                    pending.room().await;
                    socket.accept().await
                };
                let accepted = tokio::select! {
                    accepted = next => accepted,
                    () = stopped(&mut stop) => return,
                };
                match accepted {
                    Ok((stream, _)) => admit(stream, &door, &pending, &stop),
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
    });
    futures_util::future::join_all(accepting).await;
}

/// Returns once the program is stopping, also when whoever could say so is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// At most `wanted` connections, and no more than the process may open files for, after asking for as many as it may have.
pub fn connections(wanted: u64) -> u64 {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    wanted.min(files.saturating_sub(SPARE_FILES).max(LEAST_CONNECTIONS))
}

async fn say(mut stream: TcpStream, (status, more, text): LastWord) {
    let length = text.len() + "taillight: \n".len();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{more}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\ntaillight: {text}\n"
    );
    // The peer may have gone already; there is nothing to do about it.
    let _ = timeout(SAY_WITHIN, stream.write_all(answer.as_bytes())).await;
    // What came and is not read would have it closed with a reset, which may take the answer away from the peer.
    let mut rest = [0; 1024];
    while matches!(stream.try_read(&mut rest), Ok(1..)) {}
}

fn admit(stream: TcpStream, door: &Arc<Door>, pending: &Arc<Pending>, stop: &watch::Receiver<bool>) {
    // Acks are small and awaited; without this they wait for the kernel to fill a segment.
    let _ = stream.set_nodelay(true);
    tokio::spawn(converse(stream, Arc::clone(door), pending.enter(), stop.clone()));
}

/// HTTP, until the connection is a WebSocket or ends.
async fn converse(stream: TcpStream, door: Arc<Door>, mut place: Place, mut stop: watch::Receiver<bool>) {
    let (inside, upgrading) = (Arc::clone(&door), stop.clone());
    let service = service_fn(move |request| {
        let (door, stop) = (Arc::clone(&inside), upgrading.clone());
        async move { Ok::<_, std::convert::Infallible>(http::handle(request, door, stop).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    builder.max_buf_size(HEAD_BYTES).max_headers(HEAD_FIELDS);
    let mut connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let (mut is_slow, mut is_lost) = (false, false);
    tokio::select! {
        // Whose head is there is answered, late or not.
        biased;
        ended = &mut connection => match ended {
            Err(error) if error.is_timeout() => is_slow = true,
            Err(error) if error.is_parse() => door.counters.add(Counter::RefusedHead, 1),
            _ => {}
        },
        () = place.lost() => is_lost = true,
        () = stopped(&mut stop) => {}
    }
    let Some(rest) = connection.into_parts() else { return };
    if is_lost {
        door.counters.add(Counter::RefusedPending, 1);
        say(rest.io.into_inner(), CROWDED).await;
    } else if is_slow && !rest.read_buf.is_empty() {
        // One that has said nothing, at first or since its last answer, is only idle.
        door.counters.add(Counter::RefusedSlow, 1);
        say(rest.io.into_inner(), SLOW).await;
    }
}
