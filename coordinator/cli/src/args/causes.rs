//! `cause`: what is typed about what failed logs mean.

use clap::{Args, Subcommand};

use super::parse;
use super::root::{Listed, Rows};

/// `cause`
#[derive(Debug, Subcommand)]
pub enum CauseCommand {
    /// List them, in the order in which they are looked for.
    #[command(alias = "list")]
    Ls(Rows),
    /// Say what a line of a failed log means.
    Add(SaidCause),
    /// Say it in another way.
    Change {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
        /// What it is from now on.
        #[command(flatten)]
        cause: SaidCause,
    },
    /// Remove one.
    #[command(alias = "remove")]
    Rm {
        /// Its number.
        #[arg(value_parser = parse::number)]
        number: i64,
    },
}

impl Listed for CauseCommand {
    type List = Rows;

    fn listed(list: Rows) -> Self {
        Self::Ls(list)
    }
}

/// `cause add`
#[derive(Debug, Args)]
pub struct SaidCause {
    /// A regular expression that is looked for in each line, whatever its case.
    pub pattern: String,
    /// What it means, in a sentence.
    #[arg(long, value_name = "SENTENCE")]
    pub means: String,
    /// What to do about it: a sentence, or a command that begins with pointsman.
    #[arg(long = "do", value_name = "ACTION")]
    pub action: Option<String>,
}
