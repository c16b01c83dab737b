//! A connection's bytes, metered below the WebSocket: what never becomes a message still counts.
//!
//! Wrapped around every socket by `ingest::websocket`. tungstenite reads endless empty continuation frames without
//! ever surfacing, so the limits on progress have to stand here (SECURITY: wire bytes without a finished message).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ends::Ends;
use super::receiving::Share;

/// Bytes read in one go before other connections get their turn (SECURITY: wire rate).
const BYTES_PER_TURN: usize = 64 * 1024;

/// How much of a connection is read in a while (SECURITY: wire rate): what is beyond waits at its sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) bytes: usize,
    pub(super) window: Duration,
}

/// 64 MiB a second.
pub(super) const RATE: Rate = Rate { bytes: 64 * 1024 * 1024 / 50, window: Duration::from_millis(20) };

/// How far the current message has come.
#[derive(Debug)]
pub(super) struct Progress {
    unfinished: AtomicU64,
    /// When the first of those bytes came, in milliseconds since `made`.
    since_ms: AtomicU64,
    made: Instant,
    /// How often reading had to wait since somebody asked.
    paused: AtomicU64,
    share: Share,
}

impl Progress {
    pub(super) fn new(share: Share) -> Self {
        let (unfinished, since_ms, paused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { unfinished, since_ms, made: Instant::now(), paused, share }
    }

    /// This many bytes more; gives how many they are now.
    fn add(&self, bytes: u64) -> u64 {
        let before = self.unfinished.fetch_add(bytes, Ordering::Relaxed);
        if before == 0 && bytes > 0 {
            let elapsed = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.since_ms.store(elapsed, Ordering::Relaxed);
        }
        self.share.holds(before + bytes);
        before + bytes
    }

    /// Returns once others need what its message takes.
    pub(super) async fn lost(&self) {
        self.share.lost().await;
    }

    /// When the message under way began to come, `None` where there is none.
    pub(super) fn since(&self) -> Option<Instant> {
        let since = Duration::from_millis(self.since_ms.load(Ordering::Relaxed));
        (self.unfinished() > 0).then(|| self.made + since)
    }

    /// How often reading had to wait for its rate since the last time this was asked.
    pub(super) fn take_pauses(&self) -> u64 {
        self.paused.swap(0, Ordering::Relaxed)
    }

    /// A message was completed: the count starts again.
    pub(super) fn finished(&self) {
        self.unfinished.store(0, Ordering::Relaxed);
        self.share.holds(0);
    }

    /// A ping or a pong came whole: its bytes are of no message.
    pub(super) fn apart(&self, payload: usize) {
        // Two bytes of header and four of mask: what a client sends is masked, and a control frame is short (RFC 6455 §5.5).
        let frame = payload as u64 + 6;
        let less = |unfinished: u64| Some(unfinished.saturating_sub(frame));
        // It always has a value to go on with.
        let _ = self.unfinished.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Wire bytes since the last completed message.
    pub(super) fn unfinished(&self) -> u64 {
        self.unfinished.load(Ordering::Relaxed)
    }
}

/// A stream that fails once `limit` bytes came without a finished message.
#[derive(Debug)]
pub(super) struct Metered<S> {
    /// `None` once it was taken.
    stream: Option<S>,
    progress: Arc<Progress>,
    limit: u64,
    turn: usize,
    ends: Ends,
    pace: Pace,
}

/// What was read lately, and the wait where it was too much.
#[derive(Debug)]
struct Pace {
    rate: Rate,
    since: Instant,
    bytes: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn at(rate: Rate) -> Self {
        Self { rate, since: Instant::now(), bytes: 0, pause: None }
    }

    /// So many bytes more; `true` if there must be a pause now.
    fn read(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        if self.bytes < self.rate.bytes {
            return false;
        }
        let (until, now) = (self.since + self.rate.window, Instant::now());
        (self.bytes, self.since) = (0, now.max(until));
        self.pause = (now < until).then(|| Box::pin(sleep_until(until)));
        self.pause.is_some()
    }
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>, limit: u64, rate: Rate) -> Self {
        Self { stream: Some(stream), progress, limit, turn: 0, ends: Ends::default(), pace: Pace::at(rate) }
    }

    /// Whether a large frame has passed, and all that was read are whole frames.
    pub(super) fn is_at_end(&self) -> bool {
        self.ends.is_at_end()
    }

    /// The stream for another reader, which must stand at the beginning of a frame; here it has ended.
    pub(super) fn take(&mut self) -> Self {
        let (progress, ends) = (Arc::clone(&self.progress), Ends::default());
        let pace = Pace { pause: self.pace.pause.take(), ..self.pace };
        Self { stream: self.stream.take(), progress, limit: self.limit, turn: self.turn, ends, pace }
    }
}

impl<S: AsyncWrite + Unpin> Metered<S> {
    fn poll_with<T>(&mut self, poll: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut self.stream {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// The error [`Metered`] ends with, told from others by [`is_no_progress`].
#[derive(Debug, thiserror::Error)]
#[error("too many bytes without a finished message")]
struct NoProgress;

/// Whether an I/O error is [`Metered`]'s own.
pub(super) fn is_no_progress(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NoProgress>())
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.turn >= BYTES_PER_TURN {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(pause) = &mut self.pace.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            self.pace.pause = None;
        }
        let room = self.ends.room().min(buf.remaining());
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(())) };
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        let polled = Pin::new(stream).poll_read(cx, &mut part);
        let read = part.filled().len();
        match polled {
            Poll::Ready(Ok(())) => {
                self.ends.see(part.filled());
                buf.advance(read);
                self.turn += read;
                if self.pace.read(read) {
                    self.progress.paused.fetch_add(1, Ordering::Relaxed);
                }
                if self.progress.add(read as u64) > self.limit {
                    return Poll::Ready(Err(io::Error::other(NoProgress)));
                }
            }
            Poll::Pending => self.turn = 0,
            Poll::Ready(Err(_)) => {}
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(|stream| stream.poll_write(cx, buf))
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_flush(cx))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::ingest::receiving::Receiving;

    #[test]
    fn what_comes_faster_than_may_be_is_read_more_slowly_and_whole() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let progress = Arc::new(Progress::new(Arc::new(Receiving::default()).enter()));
            let (ours, mut theirs) = duplex(1_000_000);
            theirs.write_all(&[7; 10_500]).await.expect("written");
            drop(theirs);
            let rate = Rate { bytes: 1_000, window: Duration::from_millis(5) };
            let mut metered = Metered::new(ours, Arc::clone(&progress), 1_000_000, rate);
            let (begun, mut all, mut part) = (Instant::now(), 0, [0; 500]);
            while let Ok(read @ 1..) = metered.read(&mut part).await {
                all += read;
            }
            assert_eq!((all, begun.elapsed()), (10_500, Duration::from_millis(50)));
            assert_eq!((progress.take_pauses(), progress.take_pauses()), (10, 0));
        });
    }
}
