//! Which packing each Sente client took: nothing on the wire says it before the client speaks.
//!
//! A client that cannot read its handshake stays closed, gives up after some ten seconds and comes back under the same
//! id; then the next packing is tried. One that could read it speaks within that time, and keeps its packing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::wire::sente::Packer;

/// Clients remembered; the one that was longest ago is forgotten, and starts with EDN again.
const MAX_CLIENTS: usize = 256;

/// What was learnt, for all connections.
#[derive(Debug, Default)]
pub(super) struct Packers {
    known: Mutex<VecDeque<(String, Known)>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    packer: Packer,
    /// Whether the client was heard in it: then silence says nothing about it any more.
    is_proven: bool,
    /// Whether a handshake in another packing was met with silence.
    is_another: bool,
}

impl Packers {
    /// The packing to greet `client` with, and whether an earlier one had failed.
    pub(super) fn of(&self, client: &str) -> (Packer, bool) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(id, _)| id == client);
        found.map_or((Packer::default(), false), |(_, known)| (known.packer, known.is_another))
    }

    /// `client` was heard in `packer`.
    pub(super) fn prove(&self, client: &str, packer: Packer) {
        self.set(client, Known { packer, is_proven: true, is_another: false });
    }

    /// `client` came and went without a word after a handshake in `packer`.
    pub(super) fn failed(&self, client: &str, packer: Packer) {
        let packer = match packer {
            Packer::Edn => Packer::Transit,
            Packer::Transit => Packer::Msgpack,
            Packer::Msgpack => Packer::Edn,
        };
        self.set(client, Known { packer, is_proven: false, is_another: true });
    }

    fn set(&self, client: &str, new: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !new.is_proven && known.iter().any(|(id, old)| id == client && old.is_proven) {
            return;
        }
        known.retain(|(id, _)| id != client);
        if known.len() >= MAX_CLIENTS {
            known.pop_front();
        }
        known.push_back((client.to_owned(), new));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_moves_on_to_the_next_packing_and_a_word_stays() {
        let packers = Packers::default();
        assert_eq!(packers.of("a"), (Packer::Edn, false));
        for (failed, next) in [
            (Packer::Edn, Packer::Transit),
            (Packer::Transit, Packer::Msgpack),
            (Packer::Msgpack, Packer::Edn),
        ] {
            packers.failed("a", failed);
            assert_eq!(packers.of("a"), (next, true));
        }
        packers.prove("a", Packer::Transit);
        packers.failed("a", Packer::Transit);
        assert_eq!(packers.of("a"), (Packer::Transit, false));
        for client in 0..MAX_CLIENTS {
            packers.prove(&client.to_string(), Packer::Msgpack);
        }
        assert_eq!((packers.of("a"), packers.of("255").0), ((Packer::Edn, false), Packer::Msgpack));
    }
}
