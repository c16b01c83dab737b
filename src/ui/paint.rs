//! What the terminal shows, and the bytes that bring it from there to the next frame: never more than one frame may take.
//!
//! Held by `ui::terminal`, which writes them. Where a frame would take more, rows that do not fit wait for the next one,
//! which begins with them: a screen of any size is drawn, and a slow line is not flooded. It writes nothing itself.

use std::io;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

/// Bytes of one frame (SECURITY: limits); a row is written whole, however long it is.
pub(super) const MAX_FRAME: usize = 256 * 1024;

/// A frame on its way to the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Empty where nothing has changed.
    pub(super) bytes: Vec<u8>,
    /// Whether the terminal then shows all of it.
    pub(super) is_whole: bool,
}

/// See the top.
#[derive(Debug)]
pub(super) struct Paint {
    most: usize,
    /// What is on screen, with the cursor; none where that is not known.
    shown: Option<(Buffer, Option<Position>)>,
    /// The row with which the next frame begins.
    first: u16,
}

impl Default for Paint {
    fn default() -> Self {
        Self::up_to(MAX_FRAME)
    }
}

impl Paint {
    fn up_to(most: usize) -> Self {
        Self { most, shown: None, first: 0 }
    }

    /// Forgets what is on screen: the next frame is drawn anew.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// What is to be written so that `next` and the cursor are shown, as far as one frame may go.
    pub(super) fn frame(&mut self, next: Buffer, cursor: Option<Position>) -> io::Result<Frame> {
        if self.shown.as_ref().is_some_and(|shown| shown.0 == next && shown.1 == cursor) {
            return Ok(Frame { bytes: Vec::new(), is_whole: true });
        }
        let mut bytes = Vec::new();
        queue!(bytes, BeginSynchronizedUpdate)?;
        let known = self.shown.take().map(|(shown, _)| shown).filter(|shown| shown.area == next.area);
        let mut shown = match known {
            Some(shown) => shown,
            None => {
                queue!(bytes, Clear(ClearType::All))?;
                Buffer::empty(next.area)
            }
        };
        let rest = self.rows(&shown, &next, &mut bytes)?;
        let is_whole = rest.is_none();
        match rest {
            None => shown = next,
            Some(waiting) => take_over(&mut shown, &next, &waiting),
        }
        match cursor {
            Some(place) => queue!(bytes, Show, MoveTo(place.x, place.y))?,
            None => queue!(bytes, Hide)?,
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        self.shown = Some((shown, cursor));
        Ok(Frame { bytes, is_whole })
    }

    /// Writes the rows in which `next` differs, those first that waited; gives the ones that must wait now.
    fn rows(&mut self, shown: &Buffer, next: &Buffer, bytes: &mut Vec<u8>) -> io::Result<Option<Vec<u16>>> {
        let changes = shown.diff(next);
        let mut rows: Vec<&[(u16, u16, &Cell)]> =
            changes.chunk_by(|(_, one, _), (_, other, _)| one == other).collect();
        let first = rows.partition_point(|row| row[0].1 < self.first);
        rows.rotate_left(first);
        let before = bytes.len();
        for (nth, row) in rows.iter().enumerate() {
            let mut written = Vec::new();
            CrosstermBackend::new(&mut written).draw(row.iter().copied())?;
            if bytes.len() > before && bytes.len() + written.len() > self.most {
                self.first = row[0].1;
                return Ok(Some(rows[nth..].iter().map(|row| row[0].1).collect()));
            }
            bytes.append(&mut written);
        }
        self.first = 0;
        Ok(None)
    }
}

/// What is on screen once all rows of `next` but those that wait are.
fn take_over(shown: &mut Buffer, next: &Buffer, waiting: &[u16]) {
    let Rect { y, width, .. } = next.area;
    let rows = shown.content.chunks_mut(usize::from(width.max(1)));
    for (number, (old, new)) in (y..).zip(rows.zip(next.content.chunks(usize::from(width.max(1))))) {
        if !waiting.contains(&number) {
            old.clone_from_slice(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use ratatui::style::{Color, Style};

    use super::*;
    use crate::ui::draw;

    const AREA: Rect = Rect { x: 0, y: 0, width: 40, height: 20 };

    fn terminal() -> vt100::Parser {
        let cells = |count| NonZeroU16::new(count).expect("some");
        vt100::Parser::new(cells(AREA.height), cells(AREA.width), 0)
    }

    /// Every row says `text` with its number, each letter in another colour.
    fn screen(text: &str) -> Buffer {
        let mut buf = Buffer::empty(AREA);
        for y in 0..AREA.height {
            let mut x = 0;
            for letter in format!("{text} {y}").chars() {
                let style = Style::new().fg(Color::Rgb(u8::try_from(x * 5 + y).expect("a byte"), 2, 3));
                x = draw::text(&mut buf, AREA, x, y, &letter.to_string(), style);
            }
        }
        buf
    }

    /// What is on it, without the blanks at the ends of rows.
    fn shown(terminal: &vt100::Parser) -> String {
        terminal.screen().contents().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    fn expected(text: &str) -> String {
        (0..AREA.height).map(|row| format!("{text} {row}")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_frame_that_fits_is_shown_at_once_and_the_same_again_costs_nothing() {
        let (mut paint, mut terminal) = (Paint::default(), terminal());
        let place = Some(Position { x: 3, y: 4 });
        for (text, cursor) in [("漢字 first", None), ("second", place), ("second 漢", None)] {
            let frame = paint.frame(screen(text), cursor).expect("painted");
            assert!(frame.is_whole && frame.bytes.len() < MAX_FRAME);
            terminal.process(&frame.bytes);
            assert_eq!(shown(&terminal), expected(text));
            assert_eq!(terminal.screen().hide_cursor(), cursor.is_none());
            let again = paint.frame(screen(text), cursor).expect("painted");
            assert_eq!(again, Frame { bytes: Vec::new(), is_whole: true });
        }
        let moved = paint.frame(screen("second 漢"), place).expect("painted");
        terminal.process(&moved.bytes);
        assert_eq!(terminal.screen().cursor_position(), (4, 3));
        assert!(moved.bytes.len() < 64, "nothing but the cursor: {moved:?}");
        paint.forget();
        assert!(paint.frame(screen("second 漢"), place).expect("painted").bytes.len() > 1_000, "drawn anew");
    }

    #[test]
    fn what_a_frame_has_no_room_for_comes_with_the_next_and_every_row_has_its_turn() {
        let most = 2_000;
        let (mut paint, mut terminal) = (Paint::up_to(most), terminal());
        let mut frames = 0;
        loop {
            let frame = paint.frame(screen("much in colours"), None).expect("painted");
            assert!(frame.bytes.len() <= most + 64, "{}", frame.bytes.len());
            terminal.process(&frame.bytes);
            frames += 1;
            if frame.is_whole {
                break;
            }
        }
        assert_eq!(shown(&terminal), expected("much in colours"));
        assert!((3..=AREA.height).contains(&frames), "{frames} frames");
        // While everything changes with each frame the rows take turns, so none stays as it was.
        for text in ["a".repeat(20), "b".repeat(20), "c".repeat(20), "d".repeat(20), "e".repeat(20)]
            .iter()
            .cycle()
            .take(15)
        {
            let frame = paint.frame(screen(text), None).expect("painted");
            assert!(!frame.is_whole);
            terminal.process(&frame.bytes);
        }
        assert!(!shown(&terminal).contains("much"), "{}", shown(&terminal));
    }

    #[test]
    fn a_row_longer_than_a_frame_and_another_size_are_drawn_all_the_same() {
        let (mut paint, mut terminal) = (Paint::up_to(1), terminal());
        for row in 0..AREA.height {
            let frame = paint.frame(screen("a row a frame"), None).expect("painted");
            assert_eq!(frame.is_whole, row + 1 == AREA.height);
            terminal.process(&frame.bytes);
        }
        assert_eq!(shown(&terminal), expected("a row a frame"));
        let small = Buffer::empty(Rect { width: 3, height: 0, ..AREA });
        let frame = paint.frame(small, None).expect("painted");
        terminal.process(&frame.bytes);
        assert!(frame.is_whole && shown(&terminal).is_empty(), "the larger one is cleared");
    }
}
