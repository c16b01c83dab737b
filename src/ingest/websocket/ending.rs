//! Why a connection ends: the code and the reason that the peer is told, and what is counted.
//!
//! Made by the connection, or from what the socket says went wrong. Nothing is sent or counted here.

use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::super::door::MAX_MESSAGE;
use super::super::meter::is_no_progress;
use crate::counters::Counter;

pub(super) struct Ending {
    pub(super) code: CloseCode,
    pub(super) reason: &'static str,
    pub(super) counter: Option<Counter>,
}

impl Ending {
    pub(super) fn of(code: CloseCode, reason: &'static str, counter: Counter) -> Self {
        Self { code, reason, counter: Some(counter) }
    }

    /// tungstenite sends nothing when it refuses a frame, so the code is chosen here (RFC 6455 §7.4.1).
    pub(super) fn after(error: &WsError, max_message: usize) -> Option<Self> {
        match error {
            WsError::Capacity(_) => {
                let reason =
                    if max_message == MAX_MESSAGE { "message over 1 MiB" } else { "message over 16 MiB" };
                Some(Self::of(CloseCode::Size, reason, Counter::ClosedTooBig))
            }
            WsError::Utf8(_) => {
                Some(Self::of(CloseCode::Invalid, "text is not UTF-8", Counter::ClosedProtocol))
            }
            // A page that is gone says no goodbye; nothing was wrong with it.
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            WsError::Protocol(_) => {
                Some(Self::of(CloseCode::Protocol, "protocol error", Counter::ClosedProtocol))
            }
            WsError::Io(error) if is_no_progress(error) => {
                Some(Self::of(CloseCode::Policy, "no message finished", Counter::ClosedNoProgress))
            }
            _ => None,
        }
    }
}
