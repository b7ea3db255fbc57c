//! Who an agent is and what lies on its host: hello, placement states and the beats in between.

use serde::{Deserialize, Serialize};

use super::super::{Nonce, UnixMillis};
use crate::digest::Digest;
use crate::ids::{Epoch, Generation, InstanceId, JobId, PlacementId};
use crate::name::{HostId, ReleaseFolder, RootPath, SlotName};
use crate::outcome::JobKind;

/// The fact that tells all bytes of the filesystem whose free ones heartbeats tell, in digits. A fact and no field: a new
/// field is a new version, which a coordinator that is upgraded after its agents would refuse; facts it takes as they are.
pub const DISK_FACT: &str = "disk_bytes";

/// The first word of an instance, repeated until `welcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// This process.
    pub instance: InstanceId,
    /// The instance before it, from the state folder.
    pub previous: Option<InstanceId>,
    /// Ties the welcome to this hello.
    pub nonce: Nonce,
    /// The kernel's boot id.
    pub boot_id: String,
    /// Software version.
    pub software: String,
    /// Wire versions it reads.
    pub wire: Vec<u16>,
    /// Facts for display: operating system, cores, memory, disk.
    pub facts: std::collections::BTreeMap<String, String>,
    /// How many jobs of each kind it runs at once.
    pub slots: Vec<SlotCount>,
    /// Epochs this very instance works on (a hello may be repeated).
    pub working: Vec<WorkingOn>,
    /// Processes of jobs of earlier instances that refused to end, with the placement they keep closed.
    pub processes: Vec<SurvivingProcess>,
    /// SHA-256 over all placement states, as in heartbeats.
    pub state_digest: Digest,
    /// How many `placement_state` messages follow.
    pub placements: u32,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// How many jobs of a kind run at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotCount {
    /// The kind.
    pub kind: JobKind,
    /// At once.
    pub count: u32,
}

/// An epoch an agent works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingOn {
    /// The job.
    pub job: JobId,
    /// The epoch.
    pub epoch: Epoch,
}

/// A process group that refused to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurvivingProcess {
    /// Process group.
    pub group: i32,
    /// The placement it keeps closed.
    pub placement: Option<PlacementId>,
    /// Its command, for people.
    pub command: String,
}

/// What lies in one root, as far as the host can tell; long lists are paged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementState {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// Nonce of the hello it belongs to.
    pub nonce: Nonce,
    /// The placement.
    pub placement: PlacementId,
    /// Its root.
    pub root: RootPath,
    /// Each slot's fence and link.
    pub slots: Vec<SlotState>,
    /// Complete releases in the root, sorted.
    pub releases: Vec<ReleaseFolder>,
    /// Number of this page, from 0.
    pub page: u32,
    /// How many pages there are.
    pub pages: u32,
    /// What is wrong with the root, for people.
    pub problem: Option<String>,
    /// Free bytes on the root's filesystem.
    pub free_bytes: u64,
    /// The agent's clock.
    pub at: UnixMillis,
}

/// One slot of a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotState {
    /// The slot.
    pub slot: SlotName,
    /// Its fence.
    pub fence: FenceState,
    /// The release its link names, read back; none when there is no link.
    pub current: Option<ReleaseFolder>,
    /// The link's raw text when it names no release.
    pub foreign: Option<String>,
}

/// A fence as the host found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FenceState {
    /// There is none: nothing is executed before an `adopt`.
    Missing,
    /// It cannot be read: nothing is executed before an `adopt`.
    Damaged,
    /// It stands.
    Standing {
        /// The decision it last accepted.
        generation: Generation,
        /// The job of that decision; none after an `adopt`.
        job: Option<JobId>,
        /// The epoch of that job.
        epoch: Epoch,
        /// The release it wanted; none after an `adopt`.
        to: Option<ReleaseFolder>,
        /// Whether the switch was finished.
        done: bool,
    },
}

/// One message per agent and beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Wire version.
    pub v: u16,
    /// The host.
    pub host: HostId,
    /// The instance.
    pub instance: InstanceId,
    /// Number of this beat, rising per instance.
    pub beat: u64,
    /// The epochs to renew.
    pub working: Vec<WorkingOn>,
    /// SHA-256 over all placement states.
    pub state_digest: Digest,
    /// Free bytes of the fullest root's filesystem.
    pub free_bytes: u64,
    /// The agent's clock.
    pub at: UnixMillis,
}
