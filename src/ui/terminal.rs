//! The real terminal: its modes set, and put back however the program ends.
//!
//! Held by `run::console` around the frame loop. What is set is undone by drop, by the panic hook and before a
//! suspension; nothing here draws.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::execute;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::paint::Paint;

/// The terminal in the dashboard's modes.
#[derive(Debug)]
pub struct Screen {
    paint: Paint,
    modes: Modes,
}

/// Whether the modes are set; shared with the panic hook, so that they are undone once: leaving the other screen
/// twice would put the cursor back over the message of a panic.
#[derive(Clone, Debug, Default)]
struct Modes {
    are_set: Arc<AtomicBool>,
    has_mouse: Arc<AtomicBool>,
    /// Panics of other threads, told once the screen is the user's again.
    panics: Arc<Mutex<Vec<String>>>,
    /// The panic of the thread that draws, with where it came from.
    failure: Arc<Mutex<Option<String>>>,
}

/// Panics that are remembered; there are no more threads than this that could.
const MAX_PANICS: usize = 16;

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard output is no terminal that can be switched.
    pub fn enter() -> io::Result<Self> {
        let modes = Modes::default();
        let (before, inside) = (std::panic::take_hook(), modes.clone());
        let drawing = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            // Another thread's panic must neither take the screen away nor write over it.
            let is_own = std::thread::current().id() == drawing;
            if is_own {
                let trace = std::backtrace::Backtrace::force_capture();
                let mut failure = inside.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *failure = Some(format!("{panic}\n\n{trace}"));
            }
            if is_own || !inside.keep(panic.to_string()) {
                inside.restore();
                before(panic);
            }
        }));
        let screen = Self { paint: Paint::default(), modes };
        screen.modes.set()?;
        Ok(screen)
    }

    /// Draws one frame, shown by the terminal all at once. Where nothing has changed nothing is written. `false` if it was
    /// too large for that: then the rest of the screen comes with the next.
    pub fn draw(&mut self, app: &mut App) -> io::Result<bool> {
        let (width, height) = crossterm::terminal::size()?;
        let mut next = Buffer::empty(Rect::new(0, 0, width, height));
        let cursor = app.render(next.area, &mut next);
        let frame = self.paint.frame(next, cursor)?;
        if !frame.bytes.is_empty() {
            let mut out = io::stdout().lock();
            out.write_all(&frame.bytes)?;
            out.flush()?;
        }
        Ok(frame.is_whole)
    }

    /// Forgets what is on screen, so that the next frame is drawn whole.
    pub fn redraw(&mut self) {
        self.paint.forget();
    }

    /// What made the thread that draws fail, if it did.
    pub fn failure(&self) -> Option<String> {
        self.modes.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Sets the terminal's title; `title` must be free of control characters.
    pub fn set_title(&self, title: &str) -> io::Result<()> {
        execute!(io::stdout(), crossterm::terminal::SetTitle(title))
    }

    /// Writes a sequence that moves nothing on screen, such as the one for the clipboard.
    pub fn write(&self, sequence: &str) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(sequence.as_bytes())?;
        out.flush()
    }

    /// Asks the terminal for clicks and the wheel, or no more.
    pub fn set_mouse(&mut self, is_on: bool) -> io::Result<()> {
        if self.modes.has_mouse.swap(is_on, Ordering::SeqCst) == is_on {
            return Ok(());
        }
        self.modes.set_mouse(is_on)
    }

    /// Gives the terminal back until [`Screen::resume`].
    pub fn suspend(&self) {
        self.modes.restore();
    }

    /// Takes the terminal over again.
    ///
    /// # Errors
    /// As [`Screen::enter`].
    pub fn resume(&mut self) -> io::Result<()> {
        self.modes.set()?;
        self.redraw();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.modes.restore();
    }
}

impl Modes {
    fn set(&self) -> io::Result<()> {
        self.are_set.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        // The title the user had comes back at the end (XTWINOPS 22 and 23).
        let mut out = io::stdout();
        out.write_all(b"\x1b[22;2t")?;
        execute!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, Hide)?;
        self.set_mouse(self.has_mouse.load(Ordering::SeqCst))
    }

    fn set_mouse(&self, is_on: bool) -> io::Result<()> {
        // Presses and the wheel only: reports of every move would be thrown away.
        let modes: &[u8] = if is_on { b"\x1b[?1000h\x1b[?1006h" } else { b"\x1b[?1006l\x1b[?1000l" };
        let mut out = io::stdout();
        out.write_all(modes)?;
        out.flush()
    }

    /// Undoes every mode that is set. What fails here fails because the terminal is gone.
    fn restore(&self) {
        if !self.are_set.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut out = io::stdout();
        if self.has_mouse.load(Ordering::SeqCst) {
            let _ = self.set_mouse(false);
        }
        let _ = out.write_all(b"\x1b[23;2t");
        let _ = execute!(out, EndSynchronizedUpdate, DisableFocusChange, DisableBracketedPaste);
        let _ = execute!(out, LeaveAlternateScreen, Show);
        let _ = out.flush();
        let _ = disable_raw_mode();
        for panic in self.panics.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = writeln!(io::stderr(), "{panic}");
        }
    }

    /// Remembers a panic while the screen is taken; `false` if it can be told at once.
    fn keep(&self, panic: String) -> bool {
        let is_taken = self.are_set.load(Ordering::SeqCst);
        let mut panics = self.panics.lock().unwrap_or_else(PoisonError::into_inner);
        if is_taken && panics.len() < MAX_PANICS {
            panics.push(panic);
        }
        is_taken
    }
}
