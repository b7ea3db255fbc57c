//! What is typed to understand, to take back, to look on, and to be helped while typing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::parse::{self, Subject, Thing};

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// Whose script; it goes to stdout.
    #[arg(value_enum)]
    pub shell: KnownShell,
}

/// The shells whose scripts know names, too. (Its variants have plain comments, as those of `Format` have.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KnownShell {
    // For ~/.bashrc, or a folder of bash-completion.
    Bash,
    // For a folder of fpath, as _pointsman.
    Zsh,
    // For ~/.config/fish/completions.
    Fish,
}

impl KnownShell {
    /// The same shell as the generator of scripts knows it.
    pub const fn generator(self) -> Shell {
        match self {
            Self::Bash => Shell::Bash,
            Self::Zsh => Shell::Zsh,
            Self::Fish => Shell::Fish,
        }
    }
}

/// `__complete`: what the scripts of `completions` ask.
#[derive(Debug, Args)]
pub struct Complete {
    /// What the name is of.
    #[arg(value_enum)]
    pub kind: NameKind,
    /// How it begins.
    #[arg(allow_hyphen_values = true)]
    pub prefix: String,
    /// The project of a release; for `word` every word before the one that is completed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub context: Vec<String>,
}

/// What a name may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NameKind {
    /// Projects.
    Projects,
    /// Targets, as project@environment.
    Targets,
    /// Environments.
    Environments,
    /// Hosts.
    Hosts,
    /// Releases of a project, by label.
    Releases,
    /// Whatever stands at this place of the command line.
    Word,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManPages {
    /// A command such as `hosts invite`, or a folder (with a slash in it) that all pages are written to.
    #[arg(value_name = "COMMAND|FOLDER/")]
    pub topic: Vec<String>,
}

impl ManPages {
    /// The folder, where one is meant: no command has a slash in its name.
    pub fn folder(&self) -> Option<PathBuf> {
        match self.topic.as_slice() {
            [one] if one.contains('/') || one == "." => Some(PathBuf::from(one)),
            _ => None,
        }
    }
}

/// `why`
#[derive(Debug, Args)]
pub struct Why {
    /// A deployment, a target, or a host.
    #[arg(value_name = "NUMBER|PROJECT@ENVIRONMENT|HOST", value_parser = parse::subject, required_unless_present = "job")]
    pub subject: Option<Subject>,
    /// A job instead.
    #[arg(long, value_name = "NUMBER", value_parser = parse::number, conflicts_with = "subject")]
    pub job: Option<i64>,
}

/// `open`
#[derive(Debug, Args)]
pub struct Open {
    /// A deployment, a target, or a project with a release; the coordinator itself when absent.
    #[arg(value_name = "NUMBER|PROJECT[@ENVIRONMENT]", value_parser = parse::thing)]
    pub thing: Option<Thing>,
    /// The release of a project.
    #[arg(requires = "thing")]
    pub release: Option<String>,
}
