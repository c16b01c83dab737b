//! Very many pages at once: a burst of them is let in, and whoever is turned away is told so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::Program;

const PATIENCE: Duration = Duration::from_secs(60);
/// Before whoever was turned away comes again, as it was told.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

fn runtime() -> tokio::runtime::Runtime {
    rlimit::increase_nofile_limit(u64::MAX).expect("files may be opened");
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn connect(port: u16, refused: &AtomicU64) -> Option<WebSocketStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the port is open");
    let request = format!("ws://127.0.0.1:{port}/v1/ws").into_client_request().expect("valid");
    match client_async(request, stream).await {
        Ok((socket, _)) => Some(socket),
        Err(WsError::Http(answer)) => {
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "1");
            refused.fetch_add(1, Ordering::SeqCst);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// More than may be between connecting and being a WebSocket at once: they wait for each other, and who has waited too long
/// is told to come again.
#[test]
fn a_burst_of_handshakes_is_let_in() {
    const PAGES: usize = 1_000;
    let program = Program::start(&["serve"]);
    let refused = AtomicU64::new(0);
    runtime().block_on(async {
        let all = (0..PAGES).map(|_| async {
            loop {
                if let Some(socket) = connect(program.port, &refused).await {
                    return socket;
                }
                drop(timeout(AGAIN_AFTER, std::future::pending::<()>()).await);
            }
        });
        let sockets = timeout(PATIENCE, join_all(all)).await.expect("all are let in in time");
        assert_eq!(sockets.len(), PAGES);
    });
    assert_eq!(program.health()["refused"]["pending"], refused.into_inner());
}

/// The oldest of too many that say nothing goes, and is told so; one that has begun to speak and does not go on is told that.
#[test]
fn whoever_is_closed_before_it_asked_for_anything_is_told_why() {
    let program = Program::start(&["serve"]);
    runtime().block_on(async {
        let connect = || TcpStream::connect(("127.0.0.1", program.port));
        let mut slow = connect().await.expect("open");
        slow.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0").await.expect("written");
        let mut answer = String::new();
        timeout(PATIENCE, slow.read_to_string(&mut answer)).await.expect("in time").expect("text");
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("within 5 s"), "{answer}");
        let mut silent = Vec::new();
        for _ in 0..257 {
            silent.push(connect().await.expect("open"));
        }
        let mut answer = String::new();
        timeout(PATIENCE, silent[0].read_to_string(&mut answer)).await.expect("in time").expect("text");
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: 1\r\n"), "{answer}");
    });
    let refused = &program.health()["refused"];
    // Asking for the health may have cost one more its place.
    assert!(refused["slow"] == 1 && refused["pending"].as_u64() >= Some(1), "{refused}");
}
