//! What sinks have of a person: given out, or taken back where that can be.
//!
//! Called by `run` when somebody asks for their data or wants it gone. A sink rests meanwhile, and has written before
//! what was in its queue by then.

use std::time::Duration;

use super::file;
use super::outlets::Outlets;
use super::settings::Setting;
use crate::event::Person;

/// How long a sink may take to write out what is in its queue, before it is left as it is.
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
            taken.push(match self.alone(&setting.name, BUSY_FOR).await {
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

/// Gives `visit` the lines about `who` in the files of a file sink; other sinks have none.
///
/// # Errors
/// When a file cannot be read, and what `visit` returns.
pub fn lines_in(
    setting: &Setting,
    who: &Person,
    visit: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<(), String> {
    if setting.kind.name == "file" { file::lines_of(setting, who, visit) } else { Ok(()) }
}
