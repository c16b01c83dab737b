//! What sinks have of a person: given out, or taken back where that can be.
//!
//! Called by `run` when somebody asks for their data or wants it gone. What waits to be delivered is left out, wherever
//! it goes; a sink rests while it is seen to what it has delivered.

use std::time::Duration;

use super::outlets::Outlets;
use super::settings::Setting;
use crate::event::Person;

/// How long a sink may take over a write that has begun, before what it has written is left as it is.
const BUSY_FOR: Duration = Duration::from_secs(30);

/// Places, such as files and tables, with how much was removed from each.
pub type Removed = Vec<(String, u64)>;

/// What became of a person's events in one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub sink: String,
    /// What is counted: lines, rows.
    pub unit: &'static str,
    /// `None` where nothing can be taken back.
    pub from: Result<Option<Removed>, String>,
}

impl Outlets {
    /// Takes the events of `who` back from every sink that can give them.
    pub async fn forget(&self, who: &Person) -> Vec<Taken> {
        let mut taken = Vec::new();
        for setting in self.settings() {
            taken.push(match self.alone(&setting.name, who, BUSY_FOR).await {
                Ok(_alone) => forget_in(&setting, who).await,
                Err(why) => Taken { sink: setting.name, unit: setting.kind.unit, from: Err(why) },
            });
        }
        taken
    }
}

/// Takes the events of `who` back from where the sink of `setting` has delivered them. Nobody may be writing there.
pub async fn forget_in(setting: &Setting, who: &Person) -> Taken {
    let from = match (setting.kind.build)(&setting.values) {
        Ok(build) => (build.forget)(who.clone()).await,
        Err(why) => Err(why),
    };
    Taken { sink: setting.name.clone(), unit: setting.kind.unit, from }
}

/// Takes one line after the other.
pub type Visit<'a> = dyn FnMut(&str) -> std::io::Result<()> + Send + 'a;

/// Gives `visit` the lines about `who` where the sink of `setting` has delivered them, as far as they can be had back.
///
/// # Errors
/// When a place cannot be read, and what `visit` returns.
pub async fn lines_in(setting: &Setting, who: &Person, visit: &mut Visit<'_>) -> Result<(), String> {
    let build = (setting.kind.build)(&setting.values)?;
    (build.lines)(who.clone(), visit).await
}
