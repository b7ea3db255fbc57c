//! The ssh keys of projects' repositories.

use std::path::PathBuf;

use clap::Subcommand;
use pointsman_shared::name::ProjectName;

/// `project key`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Give a project's repository an ssh key of its own, read from stdin: a private key without a passphrase.
    Set {
        /// The project.
        project: ProjectName,
        /// Lines of `known_hosts` for its server, as ssh-keyscan prints them; those that are there stay when absent.
        #[arg(long, value_name = "FILE")]
        known_hosts: Option<PathBuf>,
    },
    /// Let the coordinator make one; prints the public half for the git server.
    Generate {
        /// The project.
        project: ProjectName,
        /// Lines of `known_hosts` for its server, as ssh-keyscan prints them; those that are there stay when absent.
        #[arg(long, value_name = "FILE")]
        known_hosts: Option<PathBuf>,
    },
    /// Know the server of a project's repository by other host keys.
    Trust {
        /// The project.
        project: ProjectName,
        /// Lines of `known_hosts`, as ssh-keyscan prints them; - for stdin.
        #[arg(value_name = "FILE")]
        known_hosts: PathBuf,
    },
    /// Show the public half, its fingerprint and the known hosts.
    Show {
        /// The project.
        project: ProjectName,
    },
    /// Take the key away; the repository is reached with the machines' own from then on.
    Remove {
        /// The project.
        project: ProjectName,
    },
}
