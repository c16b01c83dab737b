//! Zstandard unpacked as a stream, frame after frame.
//!
//! Used by `recording::input`. The window of a frame is at most 128 MiB, the decoder's own limit; frames that
//! carry no text are passed over.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The unpacked bytes of `input`.
pub(super) struct ZstReader<R> {
    input: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> ZstReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, decoder: FrameDecoder::new(), is_in_frame: false }
    }

    /// Goes to the next frame that holds text; `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.input) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.input).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Checks the sum a frame may end with.
    fn end_frame(&mut self) -> io::Result<()> {
        self.is_in_frame = false;
        let sent = self.decoder.get_checksum_from_data();
        if sent.is_some() && sent != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("its checksum does not match: the file is damaged"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for ZstReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.is_in_frame {
                let read = self.decoder.read(out)?;
                if read > 0 {
                    return Ok(read);
                }
                if self.decoder.is_finished() {
                    self.end_frame()?;
                } else {
                    let step = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.input, step).map_err(io::Error::other)?;
                }
            } else if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        ZstReader::new(packed).read_to_end(&mut out).map(|_| out)
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    #[test]
    fn frames_follow_each_other_and_skippable_ones_say_nothing() {
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        let all = [packed(b"one\n"), skippable.clone(), packed(&[b'2'; 300_000]), packed(b"")].concat();
        let text = unpack(&all).expect("readable");
        assert_eq!(text.len(), 300_004);
        assert!(text.starts_with(b"one\n22"));
        assert!(unpack(&skippable[..9]).is_err());
        assert_eq!(unpack(b"").expect("empty"), b"");
    }

    proptest! {
        #[test]
        fn damage_is_an_error_or_other_bytes_and_never_a_panic(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
            let mut whole = packed("a line of text, and another line\n".repeat(50).as_bytes());
            let at = at % whole.len();
            whole[at] = byte;
            let _ = unpack(&whole);
            whole.truncate(cut);
            let _ = unpack(&whole);
        }
    }
}
