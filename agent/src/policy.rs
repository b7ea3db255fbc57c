//! The host's own word on what may happen on it: a file of the machine's administrator that beats every message.
//!
//! A signed order is asked of a host, not forced on it. The file says which kinds, projects, roots, repositories and
//! commands are allowed and how large a release may be. Where it is missing, the narrow default below holds. A file
//! that cannot be read, is not the administrator's, or has an unknown key, is an error and never the default.
//!
//! ```toml
//! kinds        = ["install", "activate", "rollback", "migrate", "collect_garbage"]
//! builds       = false                      # whether this host builds; `build` is no kind here
//! projects     = ["shop"]                   # default: every project
//! roots        = ["/srv/*"]                 # `*` is one name, `**` at its end any number of them
//! repositories = ["https://git.example.org/**"]   # default: every repository; asked for builds only
//! hooks        = [["sudo", "systemctl", "reload", "php8.2-fpm"]]   # the whole argv, exactly
//! max_release_bytes   = 17179869184
//! max_release_entries = 200000
//! ```

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pointsman_shared::name::{ProjectName, RootPath};
use pointsman_shared::outcome::JobKind;
use pointsman_shared::wire::job::{JobBody, Order};
use serde::Deserialize;

/// Who may own the policy file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyOwner {
    /// Only root: whoever takes over the agent cannot widen what it may do.
    Root,
    /// Root or the agent's own user, for machines without an administrator such as a private test fleet.
    RootOrAgent,
}

/// The policy file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("read the host policy {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than the administrator could have written it.
    #[error("the host policy {} {reason}; make it `root:root` with mode 0644", path.display())]
    NotTrusted {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Its content is not a policy.
    #[error("the host policy {}, line {line}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// An order that this host does not take, in words that name the key to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host policy {policy} {rule}; {remedy}")]
pub struct PolicyRefusal {
    /// Where the policy stands.
    pub policy: String,
    /// What it says.
    pub rule: String,
    /// What an administrator can do.
    pub remedy: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Content {
    kinds: BTreeSet<JobKind>,
    builds: bool,
    projects: Option<BTreeSet<ProjectName>>,
    roots: Vec<String>,
    repositories: Option<Vec<String>>,
    hooks: Vec<Vec<String>>,
    max_release_bytes: u64,
    max_release_entries: u64,
}

impl Default for Content {
    /// Everything a host does with releases below `/srv`, no builds, and no command that is not a file of the release.
    fn default() -> Self {
        let limits = pointsman_archive::Limits::default();
        Self {
            kinds: JobKind::ALL
                .into_iter()
                .filter(|kind| *kind != JobKind::Build)
                .collect(),
            builds: false,
            projects: None,
            roots: vec!["/srv/*".to_owned()],
            repositories: None,
            hooks: Vec::new(),
            max_release_bytes: limits.max_bytes,
            max_release_entries: limits.max_entries,
        }
    }
}

/// What may happen on this host.
#[derive(Debug, Clone)]
pub struct Policy {
    source: String,
    content: Content,
}

impl Policy {
    /// Reads the file; where there is none, the default holds.
    pub fn load(path: &Path, owner: PolicyOwner) -> Result<Self, PolicyError> {
        let unreadable = |source: std::io::Error| PolicyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let metadata = match fs_err::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::built_in(path));
            }
            Err(error) => return Err(unreadable(error)),
        };
        let not_trusted = |reason: String| {
            Err(PolicyError::NotTrusted {
                path: path.to_owned(),
                reason,
            })
        };
        let agent = rustix::process::geteuid().as_raw();
        let trusted = metadata.uid() == 0 || (owner == PolicyOwner::RootOrAgent && metadata.uid() == agent);
        if !trusted {
            return not_trusted(format!("belongs to user {}", metadata.uid()));
        }
        if metadata.mode() & 0o022 != 0 {
            return not_trusted(format!(
                "has mode {:04o}, so others may write to it",
                metadata.mode() & 0o7777
            ));
        }
        let text = fs_err::read_to_string(path).map_err(unreadable)?;
        Self::parse(path, &text)
    }

    /// The default for a host without a file at `path`.
    pub fn built_in(path: &Path) -> Self {
        Self {
            source: format!("{} (missing, so the default holds)", path.display()),
            content: Content::default(),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, PolicyError> {
        let invalid = |line, reason| PolicyError::Invalid {
            path: path.to_owned(),
            line,
            reason,
        };
        let content: Content = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            invalid(line_of(text, at), error.message().to_owned())
        })?;
        let line_with = |word: &str| text.find(word).map_or(1, |at| line_of(text, at));
        if content.kinds.contains(&JobKind::Build) {
            let reason = "`build` is not listed among `kinds`; write `builds = true`".to_owned();
            return Err(invalid(line_with("kinds"), reason));
        }
        for pattern in &content.roots {
            if !pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
                let reason = format!("the root {pattern:?} must be an absolute path without `..`");
                return Err(invalid(line_with(&format!("\"{pattern}\"")), reason));
            }
        }
        if content.hooks.iter().any(Vec::is_empty) {
            return Err(invalid(line_with("hooks"), "a hook names no program".to_owned()));
        }
        Ok(Self {
            source: path.display().to_string(),
            content,
        })
    }

    /// How large a release may be here.
    pub const fn limits(&self) -> pointsman_archive::Limits {
        pointsman_archive::Limits {
            max_entries: self.content.max_release_entries,
            max_bytes: self.content.max_release_bytes,
        }
    }

    /// Whether exactly this argv may run although it is not a file of the release.
    pub fn allows_hook(&self, argv: &[String]) -> bool {
        self.content.hooks.iter().any(|hook| hook == argv)
    }

    /// The refusal of an argv that is neither a file of the release nor listed.
    pub fn refuse_hook(&self, argv: &[String]) -> PolicyRefusal {
        self.refuse(
            format!("does not list the command {argv:?}, and the release has no such program"),
            format!("add `{argv:?}` to `hooks`, or make its first word a file of the release"),
        )
    }

    /// Whether an order may be taken at all. Commands are judged when they run, after their variables are known.
    pub fn check(&self, body: &JobBody) -> Result<(), PolicyRefusal> {
        let kind = body.order.kind();
        let allowed = if kind == JobKind::Build {
            self.content.builds
        } else {
            self.content.kinds.contains(&kind)
        };
        if !allowed {
            let remedy = if kind == JobKind::Build {
                "set `builds = true`"
            } else {
                "add it to `kinds`"
            };
            return Err(self.refuse(format!("does not allow {kind} here"), remedy.to_owned()));
        }
        if self
            .content
            .projects
            .as_ref()
            .is_some_and(|projects| !projects.contains(&body.project))
        {
            let rule = format!("does not list the project {}", body.project);
            return Err(self.refuse(rule, "add it to `projects`".to_owned()));
        }
        match &body.order {
            Order::Build(order) => self.check_repository(&order.repository.to_string()),
            Order::Install(order) => {
                self.check_root(&order.root)?;
                self.check_size("bytes", order.total_bytes, self.content.max_release_bytes)?;
                self.check_size("entries", order.entries, self.content.max_release_entries)
            }
            Order::Activate(order) | Order::Rollback(order) => self.check_root(&order.root),
            Order::Migrate(order) => self.check_root(&order.root),
            Order::CollectGarbage(order) => self.check_root(&order.root),
            // It names nothing: what goes, and when, this host's own configuration says.
            Order::CollectWorkshop(_) => Ok(()),
        }
    }

    /// Whether a root may be used, for orders and adoptions.
    pub fn check_root(&self, root: &RootPath) -> Result<(), PolicyRefusal> {
        if self
            .content
            .roots
            .iter()
            .any(|pattern| matches(pattern, root.as_str()))
        {
            return Ok(());
        }
        Err(self.refuse(
            format!("does not allow the root {root}"),
            "add it to `roots`".to_owned(),
        ))
    }

    fn check_repository(&self, repository: &str) -> Result<(), PolicyRefusal> {
        match &self.content.repositories {
            Some(patterns) if !patterns.iter().any(|pattern| matches(pattern, repository)) => {
                let rule = format!("does not list the repository {repository}");
                Err(self.refuse(rule, "add it to `repositories`".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_size(&self, unit: &str, actual: u64, limit: u64) -> Result<(), PolicyRefusal> {
        if actual <= limit {
            return Ok(());
        }
        let rule = format!("allows {limit} {unit} a release, this one has {actual}");
        Err(self.refuse(
            rule,
            format!("raise `max_release_{unit}` or make the release smaller"),
        ))
    }

    fn refuse(&self, rule: String, remedy: String) -> PolicyRefusal {
        PolicyRefusal {
            policy: self.source.clone(),
            rule,
            remedy,
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Whether `text` is `pattern`, name by name: `*` is any one name, `**` at the end any number of them, at least one.
fn matches(pattern: &str, text: &str) -> bool {
    let mut names = text.split('/');
    let mut wanted = pattern.split('/').peekable();
    while let Some(part) = wanted.next() {
        if part == "**" && wanted.peek().is_none() {
            return names.next().is_some_and(|name| !name.is_empty());
        }
        match names.next() {
            Some(name) if part == name || (part == "*" && !name.is_empty()) => {}
            Some(_) | None => return false,
        }
    }
    names.next().is_none()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
