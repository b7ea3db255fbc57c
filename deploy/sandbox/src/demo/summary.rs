//! What the demo did and saw, as one JSON object for scripts.

use serde::Serialize;

/// The whole demo.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Whether every command ended and every host answered as expected.
    pub(crate) ok: bool,
    /// The project.
    pub(crate) project: String,
    /// Where its source came from.
    pub(crate) repository: String,
    /// The fleet's folder, gone when the demo has ended.
    pub(crate) dir: String,
    /// Milliseconds until the fleet stood.
    pub(crate) up_ms: u64,
    /// Milliseconds of the story after that.
    pub(crate) story_ms: u64,
    /// The commands, in order.
    pub(crate) steps: Vec<Step>,
    /// Why the demo could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// One command and what the hosts showed after it.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    /// What it is for.
    pub(crate) name: String,
    /// The command line.
    pub(crate) command: String,
    /// Its exit code.
    pub(crate) exit: i32,
    /// The exit code it should have had.
    pub(crate) expected_exit: i32,
    /// How long it took.
    pub(crate) duration_ms: u64,
    /// The release that should be live afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<LiveRelease>,
    /// What each host showed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<ReadBack>,
    /// Whether all of it was as expected.
    pub(crate) ok: bool,
}

/// A release that should be live.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveRelease {
    /// Its label.
    pub(crate) label: String,
    /// Its number.
    pub(crate) number: u32,
    /// Its commit.
    pub(crate) commit: String,
    /// Its folder on hosts.
    pub(crate) folder: String,
    /// Its release digest.
    pub(crate) digest: String,
    /// Entries of its manifest.
    pub(crate) entries: Option<u64>,
    /// Sum of its file sizes.
    pub(crate) total_bytes: Option<u64>,
}

/// What a host showed.
#[derive(Debug, Serialize)]
pub(crate) struct ReadBack {
    /// The host.
    pub(crate) host: String,
    /// Its root.
    pub(crate) root: String,
    /// `readlink current`.
    pub(crate) current: Option<String>,
    /// Status of the web server's answer.
    pub(crate) status: Option<u16>,
    /// The release that the web server named.
    pub(crate) answered_by: Option<String>,
    /// How long this host's part in the deployment took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
    /// The comparison with git, where the tree is the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<TreeCheck>,
    /// What is not as it should be; empty when all is well.
    pub(crate) faults: Vec<String>,
}

/// How a tree compares with `git ls-tree -rz` of its commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TreeCheck {
    /// Regular files that are equal byte for byte, executable bit included.
    pub(crate) files: u64,
    /// Of these, executable ones.
    pub(crate) executables: u64,
    /// Links that are equal.
    pub(crate) links: u64,
    /// Empty folders in the place of gitlinks.
    pub(crate) gitlinks: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// The first differences.
    pub(crate) differences: Vec<String>,
}
