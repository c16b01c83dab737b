//! What an event is: its columns, names, times and the readers of its JSON text.
//!
//! Every other module speaks of events through [`EventRef`]. Nothing here knows sockets, threads, terminals or
//! the clock; time is passed in.

pub mod agent;
pub mod bounds;
mod builder;
mod chunk;
mod data;
mod dictionary;
mod escapes;
mod field;
pub mod form;
pub mod gate;
pub mod json;
pub mod leaves;
mod level;
pub mod line;
mod mapped;
mod names;
mod order;
mod page_load;
mod person;
mod phases;
mod renaming;
mod row;
mod runs;
mod said;
mod shapes;
mod shred;
mod texts;
mod time;
mod vital;

pub use builder::ChunkBuilder;
pub use chunk::{Chunk, EventRef, ROW_OVERHEAD};
pub use escapes::Escapes;
pub use field::{Column, DataPath, FIELDS, Field, FieldKind, IS, MOMENTS, SUBTYPES, TYPES};
pub use level::{Family, Level, Severity};
pub use mapped::{Code, Mapped, MappedFrame, MappedTrace, Relation};
pub use names::{Interner, Names, Symbol};
pub use order::Order;
pub use page_load::PageLoad;
pub use person::{ALERT, Person};
pub use phases::Phases;
pub use row::{Flags, Msg, Row, RowOf, place_in};
pub use runs::{Form, Run, Runs};
pub use said::{of_socket, problem_marks};
pub use shapes::{Occurrence, Shape, Shapes};
pub use texts::{BETWEEN, Texts};
pub use time::{Micros, Timestamp};
pub use vital::{Rating, Vital};
