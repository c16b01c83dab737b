//! Whose events are meant when somebody asks for their data, or wants it gone: those of a user, or of a session.
//!
//! Asked by the store about the events it keeps and by sinks about lines and rows they have written.

use super::Flags;
use super::chunk::EventRef;

/// What taillight tells when an alert begins or ends.
pub const ALERT: &str = "taillight/alert";

/// A user or a session, by its exact name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    User(String),
    Session(String),
}

impl Person {
    /// The name itself.
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Session(name) => name,
        }
    }

    /// Whether what is of this user and session is meant. Nobody has the empty name.
    pub fn is(&self, user: &str, session: &str) -> bool {
        let (wanted, own) = match self {
            Self::User(name) => (name, user),
            Self::Session(name) => (name, session),
        };
        !wanted.is_empty() && wanted == own
    }

    pub fn has(&self, event: EventRef<'_>) -> bool {
        self.is(event.user(), event.session())
    }
}

impl EventRef<'_> {
    /// Whether it happened in its session: an alert names the one of whom it quotes, so that it goes with them, and is of
    /// no page.
    pub fn is_of_session(self) -> bool {
        !(self.flags().has(Flags::OWN) && self.id() == ALERT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_nobody_has_the_empty_one() {
        let (user, session) = (Person::User("u-1".to_owned()), Person::Session("s".to_owned()));
        for (person, of, expected) in [
            (&user, ("u-1", "s"), true),
            (&user, ("u-10", "u-1"), false),
            (&user, ("U-1", ""), false),
            (&session, ("", "s"), true),
            (&session, ("s", "t"), false),
            (&Person::User(String::new()), ("", ""), false),
        ] {
            assert_eq!(person.is(of.0, of.1), expected, "{person:?} {of:?}");
        }
    }
}
