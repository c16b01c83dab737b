//! Which numbers of a client were taken: the ground of acks, and what makes a repeat a repeat.
//!
//! The native protocol, the beacon door and the start-up reading of a recording share one [`Clients`] table.
//! It holds no events, no sockets and no client id, and it never decides when an ack is due.

use std::collections::BTreeMap;
use std::fmt;

use rustc_hash::FxHashMap;

/// Runs of numbers held beyond a gap, for each client (SECURITY.md 4, dedupe window).
const INTERVALS: usize = 1_024;
/// Clients remembered (SECURITY.md 4); beyond it the one unheard for longest is forgotten.
const CLIENTS: usize = 20_000;
/// Runs held for all clients together, 4 MiB: honest clients hold a handful each, and 20,000 full ones would be
/// 320 MiB. Beyond it a client that would add one is told to send again later.
const INTERVALS_TOTAL: usize = 262_144;

/// The window has no room for another run of numbers beyond a gap; what was offered is untouched.
///
/// The caller answers with a throttle: the client still holds the events and sends them again, and the numbers
/// that close the gap always fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many gaps between the numbers of this client; send the missing ones first")]
pub struct Full;

/// The numbers of one client that were taken: all up to a base, and runs beyond it.
#[derive(Clone, Debug, Default)]
pub struct Window {
    contiguous: u64,
    /// First and last of each run, rising; between two runs, and before the first, a number is missing.
    sparse: Vec<(u64, u64)>,
}

impl Window {
    /// The number up to which everything was taken; 0 at the start.
    pub fn acked(&self) -> u64 {
        self.contiguous
    }

    /// Whether `seq` was not taken yet. Numbers count from 1, so 0 is never fresh.
    pub fn fresh(&self, seq: u64) -> bool {
        if seq <= self.contiguous {
            return false;
        }
        let run = self.sparse.partition_point(|(_, last)| *last < seq);
        self.sparse.get(run).is_none_or(|(first, _)| seq < *first)
    }

    /// This takes `count` numbers from `first` on and returns how many of them were fresh.
    ///
    /// # Errors
    /// [`Full`] when it would begin one run too many; nothing is taken then.
    pub fn insert_range(&mut self, first: u64, count: u64) -> Result<u64, Full> {
        let Some(more) = count.checked_sub(1) else {
            return Ok(0);
        };
        self.gap(first, first.saturating_add(more))
    }

    /// This takes `from` to `to`, both included, as the numbers that will never come; see [`Window::insert_range`].
    ///
    /// # Errors
    /// As for [`Window::insert_range`].
    pub fn gap(&mut self, from: u64, to: u64) -> Result<u64, Full> {
        let from = from.max(self.contiguous.saturating_add(1));
        if from > to || from == self.contiguous {
            return Ok(0);
        }
        let (start, end) = self.touching(from, to);
        if self.begins_run(from, start, end) && self.sparse.len() >= INTERVALS {
            return Err(Full);
        }
        let known = self.sparse[start..end]
            .iter()
            .filter(|(first, last)| *first <= to && *last >= from)
            .map(|(first, last)| (*last).min(to) - (*first).max(from) + 1)
            .sum::<u64>();
        let (first, last) = match &self.sparse[start..end] {
            [] => (from, to),
            [only] => (only.0.min(from), only.1.max(to)),
            [low, .., high] => (low.0.min(from), high.1.max(to)),
        };
        if first - 1 == self.contiguous {
            self.contiguous = last;
            self.sparse.drain(start..end);
        } else {
            self.sparse.splice(start..end, [(first, last)]);
        }
        // `from` is at least 1 here, so even the whole of u64 can be counted.
        Ok(to - from + 1 - known)
    }

    /// This takes everything below `next`, the lowest number that the client still has.
    pub fn raise_base(&mut self, next: u64) {
        self.contiguous = self.contiguous.max(next.saturating_sub(1));
        let passed = self.sparse.partition_point(|(first, _)| *first <= self.contiguous.saturating_add(1));
        if let Some(last) = self.sparse.drain(..passed).next_back() {
            self.contiguous = self.contiguous.max(last.1);
        }
    }

    /// The runs that `from..=to` overlaps or continues.
    fn touching(&self, from: u64, to: u64) -> (usize, usize) {
        let start = self.sparse.partition_point(|(_, last)| last.saturating_add(1) < from);
        let end = self.sparse.partition_point(|(first, _)| *first <= to.saturating_add(1));
        (start, end)
    }

    fn begins_run(&self, from: u64, start: usize, end: usize) -> bool {
        start == end && from - 1 != self.contiguous
    }

    fn would_begin_run(&self, from: u64, to: u64) -> bool {
        let from = from.max(self.contiguous.saturating_add(1));
        let (start, end) = self.touching(from, to);
        from <= to && self.begins_run(from, start, end)
    }
}

/// A client without its id: 64 bits that are the same in every run, written to recordings as `cid`.
///
/// The id is a secret of its page. A 128-bit hash is folded in two, so that a recording does not give it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey(u64);

impl ClientKey {
    /// The key of a client id of any length.
    pub fn of(client: &str) -> Self {
        // FNV-1a, 128 bits: http://www.isthe.com/chongo/tech/comp/fnv/
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = (1 << 88) + 0x13b;
        let hash = client.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
        let (high, low) = ((hash >> 64) as u64, hash as u64);
        Self(high ^ low)
    }

    /// The key as a number, which is what a recording's `cid` writes.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The key of a recording's `cid`.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Reads the 16 hex digits of a recording's `cid`.
    pub fn parse(hex: &str) -> Option<Self> {
        let is_hex = hex.len() == 16 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u64::from_str_radix(hex, 16).ok().map(Self))?
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The windows of the clients heard last, 20,000 at most.
///
/// A forgotten client that comes back brings its own base in its hello, so only what it had sent and not seen
/// acked can then come in twice.
#[derive(Debug)]
pub struct Clients {
    windows: FxHashMap<ClientKey, (u64, Window)>,
    /// When each was heard, by a count of calls, to the client.
    heard: BTreeMap<u64, ClientKey>,
    calls: u64,
    intervals: usize,
    capacity: usize,
}

impl Default for Clients {
    fn default() -> Self {
        Self::with_capacity(CLIENTS)
    }
}

impl Clients {
    fn with_capacity(capacity: usize) -> Self {
        Self { windows: FxHashMap::default(), heard: BTreeMap::new(), calls: 0, intervals: 0, capacity }
    }

    /// How many clients are remembered.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether no client was heard yet.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The window of a client, empty for a new one; reading does not count as hearing.
    pub fn window(&self, client: ClientKey) -> Option<&Window> {
        self.windows.get(&client).map(|(_, window)| window)
    }

    /// Takes a client's hello and returns the number up to which everything was taken.
    pub fn hello(&mut self, client: ClientKey, next: u64) -> u64 {
        self.hear(client, |window| {
            window.raise_base(next);
            window.acked()
        })
    }

    /// See [`Window::insert_range`].
    ///
    /// # Errors
    /// [`Full`] when this client's window or the table as a whole has no room for another run.
    pub fn insert_range(&mut self, client: ClientKey, first: u64, count: u64) -> Result<u64, Full> {
        match count.checked_sub(1) {
            Some(more) => self.gap(client, first, first.saturating_add(more)),
            None => Ok(0),
        }
    }

    /// See [`Window::gap`].
    ///
    /// # Errors
    /// As for [`Clients::insert_range`].
    pub fn gap(&mut self, client: ClientKey, from: u64, to: u64) -> Result<u64, Full> {
        let has_room = self.intervals < INTERVALS_TOTAL;
        self.hear(client, |window| {
            if !has_room && window.would_begin_run(from, to) {
                return Err(Full);
            }
            window.gap(from, to)
        })
    }

    fn hear<T>(&mut self, client: ClientKey, change: impl FnOnce(&mut Window) -> T) -> T {
        self.calls += 1;
        let (heard, window) = self.windows.entry(client).or_insert((self.calls, Window::default()));
        self.heard.remove(heard);
        self.heard.insert(self.calls, client);
        *heard = self.calls;
        self.intervals -= window.sparse.len();
        let answer = change(window);
        self.intervals += window.sparse.len();
        if self.windows.len() > self.capacity
            && let Some((_, oldest)) = self.heard.pop_first()
            && let Some((_, forgotten)) = self.windows.remove(&oldest)
        {
            self.intervals -= forgotten.sparse.len();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_join_and_the_base_follows() {
        let mut window = Window::default();
        assert_eq!(window.insert_range(5, 3), Ok(3));
        assert_eq!(
            (window.acked(), window.fresh(4), window.fresh(5), window.fresh(8)),
            (0, true, false, true)
        );
        assert_eq!(window.gap(1, 2), Ok(2));
        assert_eq!(window.acked(), 2);
        assert_eq!(window.insert_range(2, 10), Ok(6), "3, 4, 8, 9, 10 and 11 are new");
        assert_eq!((window.acked(), window.sparse.len()), (11, 0));
        assert!(!window.fresh(0));
        window.raise_base(5);
        assert_eq!(window.acked(), 11, "the base never falls");
    }

    #[test]
    fn a_full_window_refuses_what_would_begin_a_run_and_takes_the_rest() {
        let mut window = Window::default();
        for run in 1..=INTERVALS as u64 {
            assert_eq!(window.insert_range(run * 2 + 1, 1), Ok(1));
        }
        let far = INTERVALS as u64 * 2 + 100;
        assert_eq!(window.insert_range(far, 5), Err(Full));
        assert!(window.fresh(far));
        assert_eq!(window.insert_range(4, 1), Ok(1), "a number that joins two runs fits");
        assert_eq!(window.insert_range(far, 5), Ok(5));
        assert_eq!(window.insert_range(1, 2), Ok(2));
        assert_eq!(window.acked(), 5);
    }

    #[test]
    fn the_ends_of_the_number_range_hold() {
        let mut window = Window::default();
        assert_eq!(window.insert_range(u64::MAX, u64::MAX), Ok(1));
        assert_eq!(window.insert_range(u64::MAX - 3, 2), Ok(2));
        assert_eq!(window.insert_range(0, u64::MAX), Ok(u64::MAX - 3));
        assert_eq!(window.insert_range(7, 0), Ok(0));
        assert_eq!(window.acked(), u64::MAX);
        assert_eq!(window.insert_range(u64::MAX, 1), Ok(0));
        window.raise_base(u64::MAX);
        assert_eq!(Window::default().gap(0, u64::MAX), Ok(u64::MAX));
        assert_eq!(Window::default().gap(9, 3), Ok(0));
    }

    #[test]
    fn the_client_unheard_for_longest_is_forgotten() {
        let mut clients = Clients::with_capacity(2);
        let [a, b, c] = ["a", "b", "c"].map(ClientKey::of);
        assert_eq!(clients.hello(a, 10), 9);
        assert_eq!(clients.insert_range(b, 3, 1), Ok(1));
        assert_eq!(clients.insert_range(a, 10, 2), Ok(2));
        assert_eq!(clients.hello(c, 1), 0);
        assert!(clients.window(b).is_none());
        assert_eq!(clients.window(a).map(Window::acked), Some(11));
        assert_eq!((clients.len(), clients.heard.len(), clients.intervals), (2, 2, 0));
    }

    #[test]
    fn all_clients_share_one_budget_of_runs() {
        let mut clients = Clients { intervals: INTERVALS_TOTAL, ..Clients::default() };
        let client = ClientKey::of("a");
        assert_eq!(clients.insert_range(client, 3, 1), Err(Full));
        assert_eq!(clients.insert_range(client, 1, 1), Ok(1), "the next number needs no run");
    }

    #[test]
    fn client_keys_survive_their_text_and_are_the_same_in_every_run() {
        let key = ClientKey::of("0f".repeat(100).as_str());
        assert_eq!(ClientKey::parse(&key.to_string()), Some(key));
        assert_eq!(ClientKey::of("").to_string(), "0eda065b652ec4cf");
        for text in ["", "+123456789abcdef", "xyz", "0123456789abcdef0"] {
            assert_eq!(ClientKey::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_window_holds_what_a_set_of_numbers_would(
            steps in proptest::collection::vec((0u8..8, 0u64..120, 0u64..12), 0..80),
        ) {
            let mut window = Window::default();
            let mut model = BTreeSet::new();
            for (kind, first, count) in steps {
                if kind == 0 {
                    window.raise_base(first);
                    model.extend(1..first);
                } else {
                    let before = model.len();
                    model.extend((first..first + count).filter(|seq| *seq > 0));
                    prop_assert_eq!(window.insert_range(first, count), Ok((model.len() - before) as u64));
                }
                let contiguous = (1..).take_while(|seq| model.contains(seq)).count() as u64;
                prop_assert_eq!(window.acked(), contiguous);
                for seq in 1..140 {
                    prop_assert_eq!(window.fresh(seq), !model.contains(&seq), "{}", seq);
                }
                let runs = &window.sparse;
                prop_assert!(runs.iter().all(|(first, last)| first <= last && *first > contiguous + 1));
                prop_assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
        }
    }
}
