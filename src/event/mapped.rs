//! What source maps made of the places an event tells of: its traces with files, lines and code of the sources.
//!
//! Made by `maps`, kept beside the row by the store, read by filters, exports and screens. Events with the same stack
//! share one. Its texts come from the network like everything else and pass the gate before they are shown.

use std::path::Path;
use std::sync::Arc;

/// How a trace belongs to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The error itself.
    Thrown,
    /// What caused it.
    Cause,
    /// One of the errors that it stands for.
    Part,
}

/// The places of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The event's own first.
    pub traces: Vec<MappedTrace>,
    /// The trace and the frame that the event is placed at: the topmost of the user's own code.
    pub top: Option<(usize, usize)>,
    /// Why places were not mapped, where some were not.
    pub note: Option<Box<str>>,
}

/// The frames of one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedTrace {
    pub relation: Relation,
    /// Its name and message.
    pub head: Box<str>,
    /// From the top.
    pub frames: Vec<MappedFrame>,
}

/// One place, as far as it could be mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedFrame {
    /// Empty for code without a name.
    pub function: Box<str>,
    /// The source below the project, or the script's own address where no map names one.
    pub file: Box<str>,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
    /// Whether it is the user's own code.
    pub is_own: bool,
    /// Whether a source map named it.
    pub is_mapped: bool,
    /// The file on this machine, inside the project.
    pub local: Option<Arc<Path>>,
    pub code: Option<Arc<Code>>,
}

/// A line of a source with those around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// The number of the first line, from 1.
    pub first: u32,
    pub lines: Vec<Box<str>>,
    /// Characters left out at the beginning of each line: lines of minified code are long.
    pub skipped: u32,
}

impl Mapped {
    /// The frame that the event is placed at.
    pub fn place(&self) -> Option<&MappedFrame> {
        let (trace, frame) = self.top?;
        self.traces.get(trace)?.frames.get(frame)
    }

    /// The same without what only a detail shows: one frame, without code.
    #[must_use]
    pub fn brief(&self) -> Self {
        let frame = self.place().map(|frame| MappedFrame { code: None, ..frame.clone() });
        let traces: Vec<_> = frame
            .into_iter()
            .map(|frame| MappedTrace {
                relation: Relation::Thrown,
                head: Box::default(),
                frames: vec![frame],
            })
            .collect();
        let top = traces.first().map(|_| (0, 0));
        Self { traces, top, note: self.note.clone() }
    }
}
