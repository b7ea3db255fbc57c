//! The `git` program under rules: which addresses it may reach, and everything it may know.
//!
//! - The environment is emptied; system and user settings are not read. `GIT_CONFIG_GLOBAL` is a file of ours in the
//!   mirror's folder: fixed settings, a local repository as `safe.directory`, and at its end an include of
//!   `operator.gitconfig` in [`Transport::home`], where the operator may put a proxy, a CA or credentials
//!   (`[http "https://git.acme.example/"] extraHeader = ...`). Settings that guard are given as `-c` and win.
//! - Only the protocol of the address is allowed, so no redirect, alternate or setting leads to another one.
//! - ssh reads no user configuration; it knows the hosts of `known_hosts` and the key `id` in [`Transport::home`], or
//!   [`Transport::key`] and its hosts.
//! - User texts stand behind `--`, and were parsed by [`RepositoryUrl`] and `GitRef` before.
//!
//! This module refuses to ask a terminal, to trust a host on first use, and to run anything but `git`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pointsman_shared::digest::Digest;
use pointsman_shared::ids::ProjectId;
use pointsman_shared::repository::{Protocol, RepositoryUrl};

use crate::error::{Error, Result};
use crate::process::{self, Stop};
use crate::ssh_key::SshKey;

/// Where `git` finds `ssh` and its own programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Settings that guard; on the command line they win over every file.
const GUARDS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "protocol.allow=never",
    "transfer.bundleURI=false",
    "transfer.fsckObjects=true",
    "http.followRedirects=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Packs appear whole or not at all; loose objects of a killed fetch would not.
const ALWAYS_PACKS: &str = "fetch.unpackLimit=1";

/// Findings in objects that old histories are full of and that no path or name depends on.
const HARMLESS_FINDINGS: [&str; 13] = [
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "extraHeaderEntry",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "missingTaggerEntry",
    "multipleAuthors",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
];

/// How and whether repositories may be reached from this machine.
#[derive(Debug, Clone)]
pub struct Transport {
    /// The `git` program; a bare name is looked up in the standard folders.
    pub git: PathBuf,
    /// Whether local folders are acceptable repositories.
    pub allow_file: bool,
    /// Servers that may be reached; empty means all but inner addresses (loopback, private, link-local).
    pub hosts: Vec<String>,
    /// Absolute path of the folder of the operator's files `operator.gitconfig`, `known_hosts` and `id`; none of
    /// them must exist.
    pub home: PathBuf,
    /// The key of the repository itself; none = the operator's `id`.
    pub key: Option<SshKey>,
    /// Limit of one network operation, and of waiting for another user of the same mirror.
    pub timeout: Duration,
    /// Ends running work early.
    pub stop: Stop,
}

impl Transport {
    /// Refuses an address that the configuration does not permit.
    pub fn check(&self, url: &RepositoryUrl) -> Result<()> {
        let refused = |why| {
            Err(Error::NotAllowed {
                url: url.clone(),
                why,
            })
        };
        let Some(host) = url.host() else {
            let why = "folders of this machine must be allowed as repositories in the configuration";
            return if self.allow_file { Ok(()) } else { refused(why) };
        };
        if self
            .hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
        {
            return Ok(());
        }
        if !self.hosts.is_empty() {
            return refused("its server is not among the allowed ones");
        }
        if url.names_inner_address() {
            return refused("an inner address must be named among the allowed servers");
        }
        Ok(())
    }

    /// The name of the folder for the mirror of `url`: one per address, whichever projects use it. What was fetched with
    /// a project's own key is that project's alone; others do not read it without one.
    pub fn mirror_name(&self, url: &RepositoryUrl, project: ProjectId) -> String {
        let whole = match &self.key {
            Some(_) => format!("{url}\n{project}"),
            None => url.to_string(),
        };
        Digest::of(whole.as_bytes()).short()
    }

    /// The program's version.
    pub fn version(&self) -> Result<GitVersion> {
        let mut command = self.bare_command();
        command.arg("--version");
        let finished = process::run(command, None, Duration::from_secs(10), &self.stop)?;
        Ok(GitVersion::from_output(&finished.stdout))
    }

    /// A `git` that may reach `url` and nothing else, working on the bare repository `repository`.
    pub(crate) fn command(&self, url: &RepositoryUrl, config: &Path, repository: &Path) -> Result<Command> {
        let protocol = match url.protocol() {
            Protocol::Https => "https",
            Protocol::Ssh => "ssh",
            Protocol::File => "file",
        };
        let mut command = self.bare_command();
        command
            .env("GIT_CONFIG_GLOBAL", config)
            .env("GIT_ALLOW_PROTOCOL", protocol);
        if url.protocol() == Protocol::Ssh {
            command
                .env("GIT_SSH_COMMAND", self.ssh_command()?)
                .env("GIT_SSH_VARIANT", "ssh");
        }
        for guard in GUARDS {
            command.arg("-c").arg(guard);
        }
        command.arg("-c").arg(ALWAYS_PACKS);
        command.arg("-c").arg(format!("protocol.{protocol}.allow=always"));
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(repository);
        command.arg(git_dir).current_dir(repository);
        Ok(command)
    }

    fn bare_command(&self) -> Command {
        let mut command = Command::new(&self.git);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", &self.home)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ADVICE", "0");
        command
    }

    /// The one text that a shell reads: `git` hands it to `sh`, `ssh` takes its options apart once more.
    fn ssh_command(&self) -> Result<String> {
        let file = |path: PathBuf| {
            let plain = path
                .to_str()
                .filter(|text| !text.contains(['"', '\\']) && !text.contains(char::is_control));
            plain
                .map(|text| text.replace('%', "%%").replace('\'', r"'\''"))
                .ok_or_else(|| Error::Storage {
                    what: format!("naming {} to ssh", path.display()),
                    source: std::io::Error::new(
                        std::io::ErrorKind::InvalidInput,
                        "the path must be plain text",
                    ),
                })
        };
        let known = file(self.home.join("known_hosts"))?;
        // A key of the repository stands alone: the operator's is not offered to its server.
        let (identity, known) = match &self.key {
            Some(key) => (key.identity(), format!("\"{known}\" \"{}\"", key.known_hosts())),
            None => (file(self.home.join("id"))?, format!("\"{known}\"")),
        };
        Ok(format!(
            "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o 'UserKnownHostsFile={known}' \
             -o GlobalKnownHostsFile=/dev/null -o 'IdentityFile=\"{identity}\"' -o IdentitiesOnly=yes \
             -o IdentityAgent=none -o UpdateHostKeys=no -o ConnectTimeout=30 -o ServerAliveInterval=15 \
             -o ServerAliveCountMax=4"
        ))
    }

    /// Text of the configuration file for `url`.
    pub(crate) fn config_text(&self, url: &RepositoryUrl) -> String {
        let folders = url.local_path().map(safe_directories).unwrap_or_default();
        let safe = folders
            .iter()
            .map(|folder| format!("\tdirectory = {}\n", quoted(folder)))
            .collect::<Vec<_>>()
            .concat();
        let ignored = HARMLESS_FINDINGS
            .map(|finding| format!("\t{finding} = ignore\n"))
            .concat();
        let operator = quoted(&self.home.join("operator.gitconfig"));
        format!(
            "# Written by Pointsman before every fetch.\n[safe]\n{safe}[http]\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 60\n\
             [fetch \"fsck\"]\n{ignored}[include]\n\tpath = {operator}\n"
        )
    }
}

/// What `git` compares with `safe.directory` when it opens a repository that belongs to another user: depending on
/// its version and on the kind of repository the folder, its `.git`, or what a `.git` file points to.
fn safe_directories(path: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(path);
    let git = folder.join(".git");
    let mut all = vec![folder, git.clone()];
    if let Ok(text) = fs_err::read_to_string(&git)
        && let Some(pointed) = text.strip_prefix("gitdir:")
    {
        all.push(Path::new(path).join(pointed.trim()));
    }
    let resolved: Vec<_> = all
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    all.extend(resolved);
    all.sort();
    all.dedup();
    all
}

fn quoted(path: &Path) -> String {
    format!(
        "\"{}\"",
        path.to_string_lossy()
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

/// The version of the `git` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitVersion {
    /// As printed, such as `2.39.5`.
    pub text: String,
    numbers: [u32; 3],
}

impl GitVersion {
    fn from_output(output: &str) -> Self {
        let text = output.trim().trim_start_matches("git version ").to_owned();
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(text.split(['.', ' '])) {
            *number = part.parse().unwrap_or(0);
        }
        Self { text, numbers }
    }

    /// A warning if upstream's fixes of CVE-2025-48384 and CVE-2025-48385 are not in this version by its number.
    ///
    /// Only a warning: distributions carry the fixes into older numbers, and submodules and bundles, which they
    /// concern, are never used here.
    pub fn warning(&self) -> Option<String> {
        let fixed = match self.numbers {
            [2, minor, patch] if (43..50).contains(&minor) => {
                let first = [7, 4, 4, 4, 3, 2, 1][(minor - 43) as usize];
                patch >= first
            }
            numbers => numbers >= [2, 50, 1],
        };
        (!fixed).then(|| {
            format!(
                "git {} is older than 2.50.1 (or 2.43.7 of its line); check that the distribution carries the fixes",
                self.text
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_warn() {
        for (output, warns) in [
            ("git version 2.39.5\n", true),
            ("git version 2.43.6", true),
            ("git version 2.43.7", false),
            ("git version 2.47.3", false),
            ("git version 2.50.0", true),
            ("git version 2.51.0 (Apple Git-1)", false),
            ("nonsense", true),
        ] {
            assert_eq!(
                GitVersion::from_output(output).warning().is_some(),
                warns,
                "{output}"
            );
        }
    }
}
