//! Sources: mirrors of repositories, ref to commit, commit lists, checkouts.
//!
//! ```text
//! Transport   how and whether a repository may be reached (the `git` program, rules, timeouts)
//!    |
//! Mirror      one bare repository per address, fetched under a lock, healed when damaged
//!    |-- fetch, ensure_commit, head      network, through the `git` program
//!    |-- resolve, refs                   ref -> commit
//!    |-- log, changes, commit_time       what came, what went
//!    `-- read_blob, checkout             bytes, exactly as git stores them
//! ```
//!
//! Two tools share the work. libgit2 reads objects: no process, no working tree, no filters, no hooks. The `git`
//! program talks to servers, because it knows every credential, proxy and protocol that operators already use; it
//! runs with an empty environment and a configuration of ours (see [`Transport`]). Nothing else ever runs: no
//! hook, no filter, no LFS, no `git submodule`; submodules are repositories like others, written by choice
//! ([`Mirror::checkout_submodules`]).
//!
//! Everything here is synchronous and may take minutes; services call it on a thread for blocking work and end it
//! early through [`Stop`]. A mirror folder may be used by any number of threads and processes at once.
//!
//! This crate refuses to write to repositories, to follow redirects, to read the user's git settings, and to make
//! names up: what is not a tag, a branch or a commit is an error that says what comes near.

mod checkout;
mod error;
mod git_program;
mod gitmodules;
mod glance;
mod history;
mod lock;
mod mirror;
mod plan;
mod process;
mod refs;
mod remote;
mod renewal;
mod ssh_key;
mod submodules;
mod suggest;
mod upkeep;

pub use checkout::{CheckedOut, CheckoutOptions};
pub use error::{BrokenSubmodule, Error, Hit, Result};
pub use git_program::{GitVersion, Transport};
pub use glance::Head;
pub use history::{Carried, Changes, Commit};
pub use mirror::{Mirror, RemoteHead};
pub use plan::Gitlink;
pub use process::Stop;
pub use refs::{RefEntry, RefKind, Resolved};
pub use ssh_key::SshKey;
pub use submodules::{PlacedSubmodule, Submodules};
