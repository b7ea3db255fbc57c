//! What can go wrong between a ref and a checkout, each with a word for machines and a remedy for people.
//!
//! No text of an error holds credentials: addresses have none, and what `git` prints is cleaned before it is kept.

use std::io;
use std::path::PathBuf;

use pointsman_shared::repository::{CommitId, GitRef, RepositoryUrl};

use crate::refs::RefKind;

/// Shorthand for this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One of several meanings of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it would be.
    pub kind: RefKind,
    /// Name of the tag or branch, or the full commit id.
    pub name: String,
    /// The commit it leads to.
    pub commit: CommitId,
}

impl std::fmt::Display for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            RefKind::Tag | RefKind::Branch => {
                write!(f, "{} {} ({})", self.kind, self.name, self.commit.short())
            }
            RefKind::Commit => write!(f, "commit {}", self.commit.short()),
        }
    }
}

/// Everything this crate reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration of this machine does not permit the address.
    #[error("repository {url} is not allowed here: {why}")]
    NotAllowed {
        /// The address.
        url: RepositoryUrl,
        /// The rule in words.
        why: &'static str,
    },
    /// The repository does not answer, does not exist or refuses us.
    #[error("repository {url} cannot be read: {stderr}")]
    Unreachable {
        /// The address.
        url: RepositoryUrl,
        /// The last lines that `git` printed.
        stderr: String,
    },
    /// The repository answered, and its contents fail git's own checks.
    #[error("repository {url} has contents that git refuses: {stderr}")]
    Unsound {
        /// The address.
        url: RepositoryUrl,
        /// The last lines that `git` printed.
        stderr: String,
    },
    /// A step took longer than it may.
    #[error("{what} took longer than {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The caller asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// No tag, branch or commit bears the name.
    #[error("no tag, branch or commit \"{reference}\" in the repository{}", did_you_mean(.suggestions))]
    UnknownRef {
        /// What was asked for.
        reference: GitRef,
        /// Near names, nearest first.
        suggestions: Vec<String>,
    },
    /// The commit is neither in the mirror nor given out by the repository.
    #[error("commit {commit} is not in the repository")]
    UnknownCommit {
        /// What was asked for.
        commit: CommitId,
    },
    /// The name means different commits.
    #[error("{reference} means more than one commit: {}", list(.hits))]
    AmbiguousRef {
        /// What was asked for.
        reference: GitRef,
        /// All meanings.
        hits: Vec<Hit>,
    },
    /// The folder of the repository that should be checked out is not one.
    #[error("commit {} has no folder {path:?}", .commit.short())]
    NoSuchFolder {
        /// The commit.
        commit: CommitId,
        /// The folder.
        path: String,
    },
    /// An entry of a tree that cannot become a file safely.
    #[error("{path} in commit {} cannot be used: {why}", .commit.short())]
    UnusablePath {
        /// The commit.
        commit: CommitId,
        /// The path in escaped form.
        path: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A submodule that cannot be named, placed or found.
    #[error("submodule {path} of commit {} cannot be used: {why}", .commit.short())]
    UnusableSubmodule {
        /// The commit that holds it.
        commit: CommitId,
        /// Its path in the checked-out folder, or the line of `.gitmodules`.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A submodule's repository failed.
    #[error(transparent)]
    Submodule(Box<BrokenSubmodule>),
    /// A file larger than the caller accepts.
    #[error("{path} in commit {} has {size} bytes, more than {limit}", .commit.short())]
    TooLarge {
        /// The commit.
        commit: CommitId,
        /// The path.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The mirror misses objects or cannot be read; a fresh one could not be made.
    #[error("the mirror {} is damaged: {reason}", .mirror.display())]
    Damaged {
        /// Folder of the mirror.
        mirror: PathBuf,
        /// What libgit2 said.
        reason: String,
    },
    /// The `git` program cannot be started.
    #[error("git program {} cannot be started", .program.display())]
    NoGit {
        /// The configured program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file system refused.
    #[error("{what}")]
    Storage {
        /// What was done where.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A submodule whose repository failed.
#[derive(Debug, thiserror::Error)]
#[error("submodule {path} ({url}, commit {}): {error}", .commit.short())]
pub struct BrokenSubmodule {
    /// Its path in the checked-out folder.
    pub path: String,
    /// Its address.
    pub url: RepositoryUrl,
    /// The pinned commit.
    pub commit: CommitId,
    /// What failed there.
    pub error: Error,
}

impl Error {
    /// A stable word for machines; never changes its meaning.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => "repository_not_allowed",
            Self::Unreachable { .. } => "repository_unreachable",
            Self::Unsound { .. } => "repository_unsound",
            Self::Timeout { .. } => "timeout",
            Self::Stopped => "stopped",
            Self::UnknownRef { .. } => "unknown_ref",
            Self::UnknownCommit { .. } => "unknown_commit",
            Self::AmbiguousRef { .. } => "ambiguous_ref",
            Self::NoSuchFolder { .. } => "no_such_folder",
            Self::UnusablePath { .. } => "unusable_path",
            Self::UnusableSubmodule { .. } => "unusable_submodule",
            Self::Submodule(broken) => broken.error.kind(),
            Self::TooLarge { .. } => "too_large",
            Self::Damaged { .. } => "mirror_damaged",
            Self::NoGit { .. } => "no_git",
            Self::Storage { .. } => "storage",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => {
                "use an address that is allowed, or extend the git section of the configuration"
            }
            Self::Unreachable { stderr, .. } => unreachable(stderr),
            Self::Unsound { .. } => "repair the repository (`git fsck` names the objects) and push it again",
            Self::Timeout { .. } => {
                "try again; if the repository is large or far away, raise the git timeout"
            }
            Self::Stopped => "start it again if it is still wanted",
            Self::UnknownRef { .. } => "push it, or name another tag, branch or commit of at least 7 digits",
            Self::UnknownCommit { .. } => "push a branch or tag that contains the commit",
            Self::AmbiguousRef { .. } => "name the commit by more of its digits",
            Self::NoSuchFolder { .. } => {
                "correct the folder in the project's settings, or build a commit that has it"
            }
            Self::UnusablePath { .. } => "rename or remove it in the repository and build the new commit",
            Self::UnusableSubmodule { .. } => {
                "correct .gitmodules in the repository and build the new commit"
            }
            Self::Submodule(broken) => broken.error.remedy(),
            Self::TooLarge { .. } => "make the file smaller",
            Self::Damaged { .. } => {
                "fetch again when the repository is reachable; the mirror is then made anew"
            }
            Self::NoGit { .. } => "install git, or correct the path of the git program in the configuration",
            Self::Storage { .. } => "check free space, rights and limits of the folder",
        }
    }

    /// For `map_err`: names what was done. Errors of `fs_err` already name the path.
    pub(crate) fn storage(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Storage {
            what: what.into(),
            source,
        }
    }
}

/// What to do on the machine that fetches, by what `git` and `ssh` say; `git.home` is the folder in its configuration.
fn unreachable(stderr: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|words| stderr.contains(words));
    if says(&[
        "server certificate verification failed",
        "SSL certificate problem",
    ]) {
        "if the server has a certificate of a private CA, name the CA in operator.gitconfig in git.home of the machine \
         that fetches: [http \"https://SERVER/\"] sslCAInfo = FILE"
    } else if says(&["does not match target host name", "certificate subject name"]) {
        "use a name in the address that stands in the server's certificate"
    } else if says(&["has changed and you have requested strict checking"]) {
        "the server has another host key than known_hosts in git.home says: ask its administrator before it is changed \
         there"
    } else if says(&["Host key verification failed"]) {
        "put the server's host key into known_hosts in git.home of the machine that fetches (ssh-keyscan prints it; \
         compare it with what the server's administrator says)"
    } else if says(&["Permission denied (publickey"]) {
        "put a private key into the file id in git.home of the machine that fetches, and its public half on the server; or \
         give the project a key of its own: pointsman project key generate PROJECT"
    } else if says(&[
        "could not read Username",
        "could not read Password",
        "Authentication failed",
    ]) {
        "put credentials into operator.gitconfig in git.home of the machine that fetches: [http \"https://SERVER/\"] \
         extraHeader = Authorization: Basic ..."
    } else {
        "check the address, the server, and the keys or credentials of the machine that fetches"
    }
}

fn did_you_mean(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

fn list(hits: &[Hit]) -> String {
    hits.iter().map(Hit::to_string).collect::<Vec<_>>().join(", ")
}
