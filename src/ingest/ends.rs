//! Where the frames of a connection end, told from their headers as the bytes pass.
//!
//! Kept by `ingest::meter`. tungstenite's buffer keeps the size of the largest frame it held, and cannot be asked to
//! give it back. So after a large frame no byte beyond the end of a frame is read until the message is there: then the
//! buffer is empty, and `ingest::websocket` makes another one. It judges nothing: what is no frame tungstenite refuses.

/// Bytes from which a frame is large; smaller ones leave little behind.
const LARGE: u64 = 64 * 1024;
/// Bytes of the longest header (RFC 6455 §5.2).
const MAX_HEADER: usize = 14;

/// How far the frame under way has come.
#[derive(Debug, Default)]
pub(super) struct Ends {
    header: [u8; MAX_HEADER],
    /// Bytes of the header that are there; 0 within the payload too.
    had: usize,
    /// Bytes of the payload that are to come.
    left: u64,
    /// Whether there was a large frame, and nothing was read beyond the end of a frame since.
    is_exact: bool,
}

impl Ends {
    /// How many bytes may be read in one go.
    pub(super) fn room(&self) -> usize {
        match self.left {
            _ if !self.is_exact => usize::MAX,
            0 => self.missing(),
            left => usize::try_from(left).unwrap_or(usize::MAX),
        }
    }

    /// Whether there was a large frame, and all that was read of it and after it are whole frames.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_exact && self.left == 0 && self.had == 0
    }

    /// Bytes that the header under way lacks, as far as it tells.
    fn missing(&self) -> usize {
        let length = match self.header[1] & 0x7f {
            _ if self.had < 2 => 2,
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let is_masked = self.had >= 2 && self.header[1] & 0x80 != 0;
        (length + if is_masked { 4 } else { 0 }) - self.had
    }

    /// Bytes that were read.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= here as u64;
                bytes = &bytes[here..];
                continue;
            }
            if self.had == 0 && self.is_exact && bytes.len() > 2 {
                self.is_exact = false;
            }
            let here = self.missing().min(bytes.len());
            self.header[self.had..self.had + here].copy_from_slice(&bytes[..here]);
            self.had += here;
            bytes = &bytes[here..];
            if self.missing() == 0 {
                self.begin();
            }
        }
    }

    /// The header is there: its payload follows.
    fn begin(&mut self) {
        let [_, second, long @ ..] = self.header;
        self.left = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([long[0], long[1]])),
            127 => long[..8].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            short => u64::from(short),
        };
        self.had = 0;
        self.is_exact |= self.left >= LARGE;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { 0x80 } else { 0 };
        let mut bytes = vec![0x82];
        match payload {
            0..126 => bytes.push(mask | payload as u8),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.resize(bytes.len() + if is_masked { 4 } else { 0 } + payload, 0xff);
        bytes
    }

    proptest! {
        #[test]
        fn after_a_large_frame_reading_stops_at_every_end(
            frames in prop::collection::vec(
                (prop_oneof![0_usize..300, Just(65_535), Just(65_536), Just(200_000)], any::<bool>()),
                1..8,
            ),
            chunk in 1_usize..5_000,
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|(payload, is_masked)| frame(*payload, *is_masked)).collect();
            let mut end = 0;
            let (mut large, mut ends_after_large) = (false, Vec::new());
            for (payload, is_masked) in &frames {
                end += frame(*payload, *is_masked).len();
                large |= *payload >= 65_536;
                if large {
                    ends_after_large.push(end);
                }
            }
            let (mut at, mut ends, mut seen) = (0, Ends::default(), Vec::new());
            while at < bytes.len() {
                let more = chunk.min(ends.room()).min(bytes.len() - at);
                prop_assert!(more > 0);
                ends.see(&bytes[at..at + more]);
                at += more;
                if ends.is_at_end() {
                    seen.push(at);
                }
            }
            prop_assert_eq!(seen, ends_after_large);
        }
    }
}
