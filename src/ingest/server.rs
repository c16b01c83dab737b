//! The listening port: binding, accepting, the limits on connections, and the orderly stop.
//!
//! Started by `run`. Requests go to `ingest::http`; this file knows nothing of events.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::door::Door;
use super::http;
use crate::counters::Counter;

/// A storm of 1,000 connects overflows the usual 128 (SECURITY: findings).
const BACKLOG: u32 = 4_096;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_FIELDS: usize = 64;
/// Sockets that are no WebSocket (yet); beyond it the oldest is closed.
const MAX_PENDING: usize = 256;
/// WebSockets; lowered to what the process may open.
const MAX_CONNECTIONS: u64 = 10_240;
/// File descriptors kept for everything else.
const SPARE_FILES: u64 = 256;
/// How long to wait after an accept failed, most likely for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    let limit = max_connections();
    let pending = Arc::new(Pending::default());
    let accepting = listeners.sockets.into_iter().map(|socket| {
        let (door, pending, mut stop) = (Arc::clone(&door), Arc::clone(&pending), stop.clone());
        async move {
            loop {
                let accepted = tokio::select! {
                    accepted = socket.accept() => accepted,
                    () = stopped(&mut stop) => return,
                };
                match accepted {
                    Ok((stream, _)) if door.counters.connections() < limit => {
                        admit(stream, &door, &pending, &stop);
                    }
                    Ok((stream, _)) => refuse(stream, &door).await,
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

/// As many as the process may open files for, after asking for as many as it may have.
fn max_connections() -> u64 {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    MAX_CONNECTIONS.min(files.saturating_sub(SPARE_FILES))
}

async fn refuse(stream: TcpStream, door: &Door) {
    door.counters.add(Counter::RefusedConnections, 1);
    let answer = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    // The peer may have gone already; there is nothing to do about it.
    let _ = stream.try_write(answer);
}

fn admit(stream: TcpStream, door: &Arc<Door>, pending: &Arc<Pending>, stop: &watch::Receiver<bool>) {
    // Acks are small and awaited; without this they wait for the kernel to fill a segment.
    let _ = stream.set_nodelay(true);
    let number = pending.next.fetch_add(1, Ordering::Relaxed);
    let (door_inside, pending_inside, mut stopping) = (Arc::clone(door), Arc::clone(pending), stop.clone());
    let upgrading = stop.clone();
    let task = tokio::spawn(async move {
        let door = Arc::clone(&door_inside);
        let service = service_fn(move |request| {
            let (door, stop) = (Arc::clone(&door), upgrading.clone());
            async move { Ok::<_, std::convert::Infallible>(http::handle(request, door, stop).await) }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        builder.max_buf_size(HEAD_BYTES).max_headers(HEAD_FIELDS);
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    note(&error, &door_inside);
                }
            }
            () = stopped(&mut stopping) => {}
        }
        pending_inside.remove(number);
    });
    if pending.insert(number, task.abort_handle()) {
        door.counters.add(Counter::RefusedPending, 1);
    }
}

fn note(error: &hyper::Error, door: &Door) {
    if error.is_timeout() {
        door.counters.add(Counter::RefusedSlow, 1);
    } else if error.is_parse() {
        door.counters.add(Counter::RefusedHead, 1);
    }
}

/// Connections that are still HTTP, oldest first.
#[derive(Debug, Default)]
struct Pending {
    next: AtomicU64,
    /// A task that ended before it was listed leaves its number in `ended`.
    tasks: Mutex<BTreeMap<u64, AbortHandle>>,
}

impl Pending {
    /// Lists a connection; `true` if the oldest had to go for it.
    fn insert(&self, number: u64, task: AbortHandle) -> bool {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|_, task| !task.is_finished());
        tasks.insert(number, task);
        let is_over = tasks.len() > MAX_PENDING;
        if is_over && let Some((_, oldest)) = tasks.pop_first() {
            oldest.abort();
        }
        is_over
    }

    fn remove(&self, number: u64) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}
