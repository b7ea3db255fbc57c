//! The commands a person or an init system gives. Each prints what a person should see and returns its exit code;
//! everything else is in the rest of the library.

mod check;
mod join;
mod print;
mod run;
mod setup;

pub use check::check;
pub use join::join;
pub use run::run;
pub use setup::setup;

use crate::describe::describe;

/// A command that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] Box<crate::config::ConfigError>),
    /// The token is none.
    #[error(transparent)]
    Token(#[from] crate::join::InvalidToken),
    /// The token's file cannot be read.
    #[error("the token's file cannot be read")]
    TokenFile(#[source] std::io::Error),
    /// Joining failed.
    #[error(transparent)]
    Join(#[from] Box<crate::join::JoinError>),
    /// The state folder cannot be made or opened.
    #[error("the state folder cannot be used; `pointsman-agent setup` prints the commands that make it")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The agent cannot start.
    #[error(transparent)]
    Prepare(#[from] Box<crate::edge::PrepareError>),
    /// The coordinator cannot be asked.
    #[error(transparent)]
    Http(#[from] crate::http::ClientError),
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] crate::broker::BrokerError),
    /// The host's policy cannot be used.
    #[error(transparent)]
    Policy(#[from] Box<crate::policy::PolicyError>),
    /// No randomness.
    #[error(transparent)]
    Chance(#[from] crate::chance::NoChance),
    /// Signals or output cannot be had.
    #[error("the system refused")]
    System(#[from] std::io::Error),
}

impl CommandError {
    /// In one line, with its causes.
    pub fn words(&self) -> String {
        describe(self)
    }
}
